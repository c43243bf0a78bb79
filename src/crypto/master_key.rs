//! Sealing at rest: all secrets in the data folder lie under the master key.

use zeroize::{Zeroize, Zeroizing};

use crate::crypto::Error;
use crate::crypto::base64;
use crate::crypto::random::{NONCE_BYTES, Random};
use crate::crypto::seal_key::SealKey;
use crate::domain::material::Material;

/// Bytes of a master key.
pub(crate) const MASTER_KEY_BYTES: usize = 32;

/// The key that seals what is stored. Has no `Debug`, no `Clone`.
pub(crate) struct MasterKey(SealKey);

/// A secret as it lies in the store.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// Random, 96 bits; the store refuses to keep one twice.
    pub(crate) nonce: [u8; NONCE_BYTES],
    /// AES-GCM output with its tag.
    pub(crate) bytes: Vec<u8>,
}

impl MasterKey {
    /// Reads base64 of 32 bytes; blanks around it are ignored. `None` for anything else.
    pub(crate) fn from_base64(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(base64::decode(text.trim()).ok()?);
        if bytes.len() != MASTER_KEY_BYTES {
            return None;
        }
        SealKey::new(&bytes).ok().map(Self)
    }

    /// A new master key as base64, for its file.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn generate_base64(random: &Random) -> Result<Zeroizing<String>, Error> {
        let mut bytes: [u8; MASTER_KEY_BYTES] = random.array()?;
        let text = Zeroizing::new(base64::encode(bytes));
        bytes.zeroize();
        Ok(text)
    }

    /// Seals a secret for a place: a record moved to another place does not open.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn seal(&self, place: &str, secret: &[u8], random: &Random) -> Result<Sealed, Error> {
        let nonce = random.array()?;
        let mut bytes = Vec::with_capacity(secret.len() + crate::crypto::seal_key::TAG_BYTES);
        bytes.extend_from_slice(secret);
        self.0.seal(nonce, place.as_bytes(), &mut bytes)?;
        Ok(Sealed { nonce, bytes })
    }

    /// Opens what was sealed for that place.
    ///
    /// # Errors
    /// `Sealed` for another master key, another place, or a flipped bit.
    pub(crate) fn open(&self, place: &str, sealed: &Sealed) -> Result<Material, Error> {
        let mut bytes = Zeroizing::new(sealed.bytes.clone());
        let opened = self.0.open(sealed.nonce, place.as_bytes(), &mut bytes).ok_or(Error::Sealed("a stored secret"))?;
        Ok(Material::new(opened.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_at_its_own_place() {
        let random = Random::system();
        let key = MasterKey::from_base64(&MasterKey::generate_base64(&random).unwrap()).unwrap();
        let sealed = key.seal("key 1", b"material", &random).unwrap();
        assert_eq!(key.open("key 1", &sealed).ok().unwrap().bytes(), b"material");
        assert!(key.open("key 2", &sealed).is_err());
        let mut flipped = sealed.clone();
        flipped.bytes[0] ^= 1;
        assert!(key.open("key 1", &flipped).is_err());
    }

    #[test]
    fn a_master_key_is_base64_of_32_bytes() {
        assert!(MasterKey::from_base64(&base64::encode([1; 32])).is_some());
        assert!(MasterKey::from_base64(&format!(" {}\n", base64::encode([1; 32]))).is_some());
        assert!(MasterKey::from_base64(&base64::encode([1; 31])).is_none());
        assert!(MasterKey::from_base64("not base64").is_none());
    }
}
