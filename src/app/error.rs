//! Two kinds of failure, never mixed: refusals are the caller's matter, faults are ours.

use thiserror::Error as ThisError;
use tracing::{error, info};

use crate::crypto::Error as CryptoError;
use crate::domain::kmip::refusal::Refusal as KmipRefusal;
use crate::domain::reason::Reason;
use crate::store::Error as StoreError;

/// Why a use case did not do what it was asked.
#[derive(Debug, ThisError)]
pub(crate) enum Error {
    /// The caller may not, or what it asks for is not possible.
    #[error("refused: {0:?}")]
    Refused(Reason),
    /// The store failed.
    #[error("store: {0}")]
    Store(StoreError),
    /// A cryptographic operation failed that should not.
    #[error("cryptography: {0}")]
    Crypto(#[from] CryptoError),
}

impl From<Reason> for Error {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

impl From<KmipRefusal> for Error {
    fn from(refusal: KmipRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<StoreError> for Error {
    fn from(fault: StoreError) -> Self {
        Self::Store(fault)
    }
}

impl Error {
    /// Logs it as a fault, with what it leaves undone, unless it is that the service stops.
    pub(crate) fn report(&self, undone: &str) {
        match self {
            Self::Store(fault) if fault.is_stop() => info!("{undone}, for the service stops"),
            Self::Refused(_) | Self::Store(_) | Self::Crypto(_) => error!(fault = %self, "{undone}"),
        }
    }
}
