//! Import tokens: a key of the service's own that callers seal their material for. Source: docs, create-import-tokens.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;

/// Seconds that a token can be made for.
pub(crate) const EXPIRATION_SECONDS: RangeInclusive<i64> = 300..=86_400;
/// Seconds where nobody asked.
pub(crate) const EXPIRATION_SECONDS_DEFAULT: i64 = 600;
/// Retrievals that a token can be made for.
pub(crate) const RETRIEVALS: RangeInclusive<i64> = 1..=500;
/// Retrievals where nobody asked.
pub(crate) const RETRIEVALS_DEFAULT: i64 = 1;
/// Bytes of the nonce that a caller has to seal.
pub(crate) const CHALLENGE_BYTES: usize = 12;

/// What a caller wants a token to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) lifetime: Duration,
    pub(crate) retrievals: i64,
}

/// An instance's import token, without its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImportToken {
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) retrievals_max: i64,
    pub(crate) retrievals_left: i64,
    /// The nonce that proves a caller has read the token.
    pub(crate) challenge: [u8; CHALLENGE_BYTES],
    /// PEM, `BEGIN PUBLIC KEY`.
    pub(crate) public_key: String,
}

impl ImportToken {
    /// Takes one retrieval.
    ///
    /// # Errors
    /// `ImportTokenExpired` when its time or its retrievals are used up; the code for the second is ASSUMED.
    pub(crate) fn retrieve(&mut self, now: Timestamp) -> Result<(), Reason> {
        self.check(now)?;
        if self.retrievals_left == 0 {
            return Err(Reason::ImportTokenExpired);
        }
        self.retrievals_left -= 1;
        Ok(())
    }

    /// Decides whether keys may be imported with it: any number of times, until it expires.
    ///
    /// # Errors
    /// `ImportTokenExpired`.
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), Reason> {
        if now < self.expires_at { Ok(()) } else { Err(Reason::ImportTokenExpired) }
    }
}

/// Key material as a caller sealed it.
pub(crate) struct SealedMaterial {
    /// RSA-OAEP with SHA-256 of the material.
    pub(crate) payload: Vec<u8>,
    /// AES-GCM of the token's nonce under the material.
    pub(crate) nonce: Vec<u8>,
    pub(crate) iv: Vec<u8>,
}
