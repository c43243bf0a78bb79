//! Two kinds of failure, as in the rest of the house: refusals are the client's matter, faults are ours.

use thiserror::Error as ThisError;

use crate::app::error::Error as AppError;
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::key_protect::KeyRefusal;
use crate::crypto;
use crate::store;

const FULL: &str = "The disk of the data folder is full: delete objects or make room, then try again.";
const NOT_WRITTEN: &str =
    "The data folder cannot be written just now: see that its disk has room and can be written, then try again.";

/// Why a use case of the gateway did not do what it was asked.
#[derive(Debug, ThisError)]
pub(crate) enum Error {
    #[error("refused: {} {}", .0.code, .0.message)]
    Refused(Refusal),
    #[error("store: {0}")]
    Store(store::Error),
    #[error("file of an object: {0}")]
    File(#[from] std::io::Error),
    #[error("cryptography: {0}")]
    Crypto(#[from] crypto::Error),
    /// Stored bytes are not what was stored.
    #[error("damaged: {0}")]
    Damaged(String),
    /// Key Protect failed.
    #[error("Key Protect failed")]
    KeyProtect,
}

impl Error {
    /// What the client is told: of a fault no more than whether to try again.
    pub(crate) fn refusal(&self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal.clone(),
            Self::Store(fault) if fault.is_stop() => Code::ServiceUnavailable.into(),
            Self::Store(fault) if fault.is_passing() => Refusal::new(Code::ServiceUnavailable, NOT_WRITTEN),
            Self::File(fault) if is_full(fault) => Refusal::new(Code::ServiceUnavailable, FULL),
            Self::File(fault) if is_passing(fault) => Refusal::new(Code::ServiceUnavailable, NOT_WRITTEN),
            Self::Store(_) | Self::File(_) | Self::Crypto(_) | Self::Damaged(_) | Self::KeyProtect => {
                Code::InternalError.into()
            }
        }
    }

    /// What Key Protect did not do: any reason of its own is told as `told`, since callers do not learn which it was.
    pub(crate) fn of_key(refusal: KeyRefusal, told: Refusal) -> Self {
        match refusal {
            KeyRefusal::Fault => Self::KeyProtect,
            KeyRefusal::Store(fault) => Self::Store(fault),
            KeyRefusal::Gone
            | KeyRefusal::Deleted
            | KeyRefusal::Suspended
            | KeyRefusal::NotUsable
            | KeyRefusal::Unauthorized
            | KeyRefusal::OtherMaterial => Self::Refused(told),
        }
    }

    /// True for a fault, which is to be logged; that the service stops is none.
    pub(crate) fn is_fault(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::Store(fault) => !fault.is_stop(),
            Self::File(_) | Self::Crypto(_) | Self::Damaged(_) | Self::KeyProtect => true,
        }
    }
}

/// True when there is no room for a file, or for one of that size.
fn is_full(fault: &std::io::Error) -> bool {
    use std::io::ErrorKind as Kind;
    matches!(fault.kind(), Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge)
}

/// True when the disk is read-only, or descriptors have run out: the client may try again later.
fn is_passing(fault: &std::io::Error) -> bool {
    use std::io::ErrorKind as Kind;
    matches!(fault.kind(), Kind::ReadOnlyFilesystem | Kind::PermissionDenied)
        || fault.raw_os_error().is_some_and(|code| [23, 24].contains(&code))
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self::Refused(code.into())
    }
}

impl From<store::Error> for Error {
    fn from(fault: store::Error) -> Self {
        Self::Store(fault)
    }
}

impl From<AppError> for Error {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Refused(_) => Self::KeyProtect,
            AppError::Store(fault) => Self::Store(fault),
            AppError::Crypto(fault) => Self::Crypto(fault),
        }
    }
}
