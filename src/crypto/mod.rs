//! Sealing, wrapping, signing and random bytes: the only room that names ring, aws-lc-rs, jsonwebtoken, md-5, crc-fast, rcgen and
//! x509-cert.

pub(crate) mod base64;
pub(crate) mod certificate;
pub(crate) mod compare;
pub(crate) mod digest;
pub(crate) mod envelope;
pub(crate) mod frames;
pub(crate) mod import_key;
pub(crate) mod local_ca;
pub(crate) mod mac;
pub(crate) mod master_key;
pub(crate) mod random;
pub(crate) mod seal_key;
pub(crate) mod signer;
pub(crate) mod webhook_signature;

use thiserror::Error;

/// A fault of the cryptographic library or of what it was given; tells nothing of the bytes.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// The library refused without saying why.
    #[error("the cryptographic library refused to {0}")]
    Refused(&'static str),
    /// What was stored does not open: another master key, or damage.
    #[error("{0} does not open under the master key")]
    Sealed(&'static str),
}
