//! IAM's signing key: RS256 tokens, their check, and the JSON Web Key to show.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::crypto::Error;
use crate::crypto::base64;
use crate::domain::material::Material;

/// The issuer of every token. Source: tokens printed in IBM's documents.
pub(crate) const ISSUER: &str = "https://iam.cloud.ibm.com/identity";

/// An RSA-2048 key that signs tokens. Has no `Debug`, no `Clone`.
pub(crate) struct Signer {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    modulus: String,
    exponent: String,
}

/// What a JSON Web Key shows of the signing key, base64url.
pub(crate) struct PublicParts<'a> {
    pub(crate) modulus: &'a str,
    pub(crate) exponent: &'a str,
}

/// Makes an RSA-2048 key, PKCS#8 DER. Takes 25 to 180 ms: keep it off the workers.
///
/// # Errors
/// When the library fails.
pub(crate) fn generate_key() -> Result<Material, Error> {
    const DOING: &str = "make an RSA key";
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| Error::Refused(DOING))?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| Error::Refused(DOING))?;
    Ok(Material::new(der.as_ref().to_vec()))
}

impl Signer {
    /// Takes a key of [`generate_key`] into use.
    ///
    /// # Errors
    /// When it is not such a key.
    pub(crate) fn new(key: &Material) -> Result<Self, Error> {
        const DOING: &str = "read the signing key";
        let encoded = Zeroizing::new(base64::encode(key.bytes()));
        let pem = Zeroizing::new(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", *encoded));
        let encoding = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| Error::Refused(DOING))?;
        let jwk = Jwk::from_encoding_key(&encoding, Algorithm::RS256).map_err(|_| Error::Refused(DOING))?;
        let decoding = DecodingKey::from_jwk(&jwk).map_err(|_| Error::Refused(DOING))?;
        let AlgorithmParameters::RSA(parts) = jwk.algorithm else { return Err(Error::Refused(DOING)) };
        Ok(Self { encoding, decoding, validation: validation(), modulus: parts.n, exponent: parts.e })
    }

    /// Signs claims under a key id.
    ///
    /// # Errors
    /// When the library fails.
    pub(crate) fn sign<T: Serialize>(&self, kid: &str, claims: &T) -> Result<String, Error> {
        let header = Header { kid: Some(kid.to_owned()), typ: None, ..Header::new(Algorithm::RS256) };
        jsonwebtoken::encode(&header, claims, &self.encoding).map_err(|_| Error::Refused("sign a token"))
    }

    /// Checks signature, algorithm and issuer, and reads the claims. Times are the caller's to check. `None` when the
    /// token is another signer's, names another `kid`, or asks for an extension.
    pub(crate) fn verify<T: DeserializeOwned>(&self, kid: &str, token: &str) -> Option<T> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        if header.kid.as_deref() != Some(kid) || header.crit.is_some() {
            return None;
        }
        jsonwebtoken::decode::<T>(token, &self.decoding, &self.validation).ok().map(|token| token.claims)
    }

    /// What to publish.
    pub(crate) fn public_parts(&self) -> PublicParts<'_> {
        PublicParts { modulus: &self.modulus, exponent: &self.exponent }
    }
}

/// One algorithm, fixed here and not by the token; times are compared elsewhere, on the real side of the clock.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.set_issuer(&[ISSUER]);
    validation.set_required_spec_claims(&["exp", "iss", "sub"]);
    validation
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn signer() -> Signer {
        Signer::new(&generate_key().unwrap()).unwrap()
    }

    fn claims() -> Value {
        json!({ "iss": ISSUER, "sub": "a", "exp": 9_999_999_999_i64 })
    }

    #[test]
    fn a_token_of_its_own_is_read_and_one_of_another_signer_is_not() {
        let (ours, theirs) = (signer(), signer());
        let token = ours.sign("k1", &claims()).unwrap();
        assert!(ours.verify::<Value>("k1", &token).is_some());
        assert!(ours.verify::<Value>("k2", &token).is_none());
        assert!(ours.verify::<Value>("k1", &theirs.sign("k1", &claims()).unwrap()).is_none());
    }

    #[test]
    fn a_wrong_issuer_or_a_missing_expiry_is_refused() {
        let signer = signer();
        for field in ["iss", "exp", "sub"] {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove(field);
            let token = signer.sign("k1", &claims).unwrap();
            assert!(signer.verify::<Value>("k1", &token).is_none(), "{field}");
        }
        let mut foreign = claims();
        foreign["iss"] = json!("https://iam.example.com/identity");
        assert!(signer.verify::<Value>("k1", &signer.sign("k1", &foreign).unwrap()).is_none());
    }

    #[test]
    fn an_expiry_that_is_text_is_refused() {
        let signer = signer();
        let mut claims = claims();
        claims["exp"] = json!("9999999999");
        let token = signer.sign("k1", &claims).unwrap();
        assert!(signer.verify::<Value>("k1", &token).is_none());
    }
}
