//! The RSA-4096 key behind an import token.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use zeroize::Zeroizing;

use crate::crypto::Error;
use crate::crypto::base64;
use crate::domain::material::Material;

/// Characters of a line in PEM.
const PEM_LINE: usize = 64;

/// A new key.
pub(crate) struct ImportKey {
    /// PKCS#8 DER.
    pub(crate) private: Material,
    /// PEM, `BEGIN PUBLIC KEY`.
    pub(crate) public: String,
}

/// Makes a key. Takes up to two seconds: keep it off the workers.
///
/// # Errors
/// When the library fails.
pub(crate) fn generate() -> Result<ImportKey, Error> {
    const DOING: &str = "make an RSA key";
    let key = PrivateDecryptingKey::generate(KeySize::Rsa4096).map_err(|_| Error::Refused(DOING))?;
    let private: Pkcs8V1Der<'_> = key.as_der().map_err(|_| Error::Refused(DOING))?;
    let public: PublicKeyX509Der<'_> = key.public_key().as_der().map_err(|_| Error::Refused(DOING))?;
    Ok(ImportKey { private: Material::new(private.as_ref().to_vec()), public: pem(public.as_ref()) })
}

/// Opens RSA-OAEP with SHA-256 for both digest and MGF1, empty label. `None` when it was sealed for another key.
///
/// # Errors
/// When the private key cannot be read.
pub(crate) fn open(private: &Material, sealed: &[u8]) -> Result<Option<Material>, Error> {
    const DOING: &str = "read an import key";
    let key = PrivateDecryptingKey::from_pkcs8(private.bytes()).map_err(|_| Error::Refused(DOING))?;
    let key = OaepPrivateDecryptingKey::new(key).map_err(|_| Error::Refused(DOING))?;
    let mut room = Zeroizing::new(vec![0; key.min_output_size()]);
    let opened = key.decrypt(&OAEP_SHA256_MGF1SHA256, sealed, &mut room, None);
    Ok(opened.ok().map(|material| Material::new(material.to_vec())))
}

fn pem(der: &[u8]) -> String {
    let mut text = "-----BEGIN PUBLIC KEY-----\n".to_owned();
    let encoded = base64::encode(der);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(PEM_LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END PUBLIC KEY-----\n");
    text
}
