//! Key material in bodies: plain base64, or sealed for an import token. Source: docs, import-root-keys, importing-keys.

use crate::crypto::base64;
use crate::domain::import_token::SealedMaterial;
use crate::domain::key::Kind;
use crate::domain::material::{Material, is_root_key_length, is_standard_key_length};
use crate::domain::reason::{BodyFault, Reason};
use crate::http::json::Fields;

const ROOT_RULE: &str = "base64 of 16, 24 or 32 bytes of key material";
const STANDARD_RULE: &str = "base64 of 1 to 7500 bytes of key material";
/// What IBM's service knows; `RSAES_OAEP_SHA_1` belongs to its sibling.
const ALGORITHM: &str = "RSAES_OAEP_SHA_256";

/// What a body says of key material.
pub(crate) enum Payload {
    None,
    Plain(Material),
    Sealed(SealedMaterial),
}

/// Reads `payload`, `encryptedNonce`, `iv` and `encryptionAlgorithm`.
///
/// # Errors
/// `BadBody` for an empty payload; `InvalidField` for what is no base64, has no fitting length, or is not complete.
pub(crate) fn read(fields: &Fields, kind: Kind) -> Result<Payload, Reason> {
    let payload = fields.text("payload")?;
    let nonce = fields.text("encryptednonce")?;
    let iv = fields.text("iv")?;
    if let Some(algorithm) = fields.text("encryptionalgorithm")?
        && algorithm != ALGORITHM
        && !algorithm.is_empty()
    {
        return Err(Reason::field("encryptionAlgorithm", ALGORITHM));
    }
    let nonce = nonce.filter(|text| !text.is_empty());
    let iv = iv.filter(|text| !text.is_empty());
    let seal = match (nonce, iv) {
        (None, None) => None,
        (Some(nonce), Some(iv)) => Some((nonce, iv)),
        (Some(_), None) => return Err(Reason::field("iv", "provided together with `encryptedNonce`")),
        (None, Some(_)) => return Err(Reason::field("encryptedNonce", "provided together with `iv`")),
    };
    let Some(payload) = payload else {
        let alone = seal.is_some();
        return if alone {
            Err(Reason::field("payload", "provided together with `encryptedNonce`"))
        } else {
            Ok(Payload::None)
        };
    };
    if payload.is_empty() {
        return Err(Reason::BadBody(BodyFault::EmptyPayload));
    }
    if let Some((nonce, iv)) = seal {
        if kind == Kind::Standard {
            return Err(Reason::field("encryptedNonce", "provided for root keys only"));
        }
        return Ok(Payload::Sealed(SealedMaterial {
            payload: decode("payload", payload)?,
            nonce: decode("encryptedNonce", nonce)?,
            iv: decode("iv", iv)?,
        }));
    }
    let (rule, fits): (_, fn(usize) -> bool) = match kind {
        Kind::Root => (ROOT_RULE, is_root_key_length),
        Kind::Standard => (STANDARD_RULE, is_standard_key_length),
    };
    let bytes = base64::decode(payload)
        .map_err(|at| Reason::field("payload", format!("{rule}: illegal base64 data at input byte {at}")))?;
    let material = Material::new(bytes);
    if fits(material.bytes().len()) { Ok(Payload::Plain(material)) } else { Err(Reason::field("payload", rule)) }
}

fn decode(name: &'static str, text: &str) -> Result<Vec<u8>, Reason> {
    base64::decode(text)
        .map_err(|at| Reason::field(name, format!("base64 encoded: illegal base64 data at input byte {at}")))
}
