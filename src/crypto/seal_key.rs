//! AES-GCM under key material of 16, 24 or 32 bytes, expanded once.

use aws_lc_rs::aead as aws;
use ring::aead as ring_aead;

use crate::crypto::Error;
use crate::crypto::random::NONCE_BYTES;

/// Bytes of a GCM tag.
pub(crate) const TAG_BYTES: usize = 16;

/// Expanded AES-GCM key. ring has no AES-192, so keys of 24 bytes go through aws-lc-rs.
pub(crate) enum SealKey {
    Ring(Box<ring_aead::LessSafeKey>),
    Aws(Box<aws::LessSafeKey>),
}

impl SealKey {
    /// Expands key material.
    ///
    /// # Errors
    /// Unless it has 16, 24 or 32 bytes.
    pub(crate) fn new(material: &[u8]) -> Result<Self, Error> {
        const DOING: &str = "expand a key";
        let ring_key = |algorithm| {
            ring_aead::UnboundKey::new(algorithm, material)
                .map(|key| Self::Ring(Box::new(ring_aead::LessSafeKey::new(key))))
                .map_err(|_| Error::Refused(DOING))
        };
        match material.len() {
            16 => ring_key(&ring_aead::AES_128_GCM),
            32 => ring_key(&ring_aead::AES_256_GCM),
            _ => aws::UnboundKey::new(&aws::AES_192_GCM, material)
                .map(|key| Self::Aws(Box::new(aws::LessSafeKey::new(key))))
                .map_err(|_| Error::Refused(DOING)),
        }
    }

    /// Seals in place and appends the tag.
    ///
    /// # Errors
    /// When the plaintext is longer than the algorithm allows.
    pub(crate) fn seal(&self, nonce: [u8; NONCE_BYTES], aad: &[u8], bytes: &mut Vec<u8>) -> Result<(), Error> {
        const DOING: &str = "seal";
        match self {
            Self::Ring(key) => {
                let nonce = ring_aead::Nonce::assume_unique_for_key(nonce);
                key.seal_in_place_append_tag(nonce, ring_aead::Aad::from(aad), bytes).map_err(|_| Error::Refused(DOING))
            }
            Self::Aws(key) => {
                let nonce = aws::Nonce::assume_unique_for_key(nonce);
                key.seal_in_place_append_tag(nonce, aws::Aad::from(aad), bytes).map_err(|_| Error::Refused(DOING))
            }
        }
    }

    /// Opens in place. `None` when the tag does not fit; the bytes are then worthless.
    pub(crate) fn open<'a>(&self, nonce: [u8; NONCE_BYTES], aad: &[u8], bytes: &'a mut [u8]) -> Option<&'a mut [u8]> {
        match self {
            Self::Ring(key) => {
                let nonce = ring_aead::Nonce::assume_unique_for_key(nonce);
                key.open_in_place(nonce, ring_aead::Aad::from(aad), bytes).ok()
            }
            Self::Aws(key) => {
                let nonce = aws::Nonce::assume_unique_for_key(nonce);
                key.open_in_place(nonce, aws::Aad::from(aad), bytes).ok()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_size_of_key_opens_what_it_sealed_and_nothing_else() {
        for size in [16, 24, 32] {
            let key = SealKey::new(&vec![7; size]).unwrap();
            let mut sealed = b"data key".to_vec();
            key.seal([1; 12], b"aad", &mut sealed).unwrap();
            assert_eq!(sealed.len(), 8 + TAG_BYTES);
            assert!(key.open([1; 12], b"other", &mut sealed.clone()).is_none());
            assert_eq!(key.open([1; 12], b"aad", &mut sealed).unwrap(), b"data key");
        }
        assert!(SealKey::new(&[0; 20]).is_err());
    }
}
