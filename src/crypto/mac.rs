//! Keyed digests, as S3 signs requests with.

use ring::hmac;

/// HMAC with SHA-256.
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref());
    out
}

/// HMAC with SHA-1: version 2 of S3's signatures knows nothing else.
pub(crate) fn hmac_sha1(key: &[u8], message: &[u8]) -> [u8; 20] {
    let mut out = [0; 20];
    out.copy_from_slice(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key), message).as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test case 2 of RFC 4231 and of RFC 2202.
    #[test]
    fn known_messages_give_known_codes() {
        let message = b"what do ya want for nothing?";
        assert_eq!(
            hex::encode(hmac_sha256(b"Jefe", message)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(hex::encode(hmac_sha1(b"Jefe", message)), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    }
}
