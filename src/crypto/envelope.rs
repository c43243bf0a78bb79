//! The ciphertext that clients of wrap and unwrap see: base64 of a small JSON text. Source: docs, rewrap-keys, wrap-keys.

use std::borrow::Cow;

use serde::Deserialize;
use uuid::Uuid;

use crate::crypto::Error;
use crate::crypto::base64;
use crate::crypto::random::{NONCE_BYTES, Random};
use crate::crypto::seal_key::{SealKey, TAG_BYTES};

/// The format's version, as IBM's samples show it.
const VERSION: &str = "4.0.0";
/// Characters that the JSON around the two base64 texts and the handle takes.
const JSON_AROUND: usize = 128;
/// Bytes of the longer IV that a documented sample shows. Taken as well-formed; nothing here seals with one (ASSUMED).
const LONG_IV_BYTES: usize = 16;

/// A ciphertext taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// AES-GCM output with its tag.
    pub(crate) sealed: Vec<u8>,
    /// `None` for an IV that AES-GCM here does not use.
    pub(crate) nonce: Option<[u8; NONCE_BYTES]>,
    /// Id of the key version that sealed it, 16 bytes; `None` when it is not a UUID.
    pub(crate) handle: Option<[u8; 16]>,
}

/// Why a text is not a ciphertext.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// Not base64; the offset of the first bad byte.
    NotBase64(usize),
    /// Base64 of something else.
    NotEnvelope,
}

/// Texts are borrowed where they have no escapes: some clients take the JSON apart and write it anew.
#[derive(Deserialize)]
struct Inner<'a> {
    #[serde(borrow)]
    ciphertext: Cow<'a, str>,
    #[serde(borrow)]
    iv: Cow<'a, str>,
    #[serde(borrow)]
    handle: Cow<'a, str>,
}

/// Seals a plaintext and renders the ciphertext's text.
///
/// # Errors
/// When there are no random bytes.
pub(crate) fn seal(
    key: &SealKey,
    handle: &[u8; 16],
    aad: &[u8],
    plaintext: &[u8],
    random: &Random,
) -> Result<String, Error> {
    let nonce = random.pooled()?;
    let mut sealed = Vec::with_capacity(plaintext.len() + TAG_BYTES);
    sealed.extend_from_slice(plaintext);
    key.seal(nonce, aad, &mut sealed)?;
    let mut inner = String::with_capacity(sealed.len() * 4 / 3 + JSON_AROUND);
    inner.push_str("{\"ciphertext\":\"");
    base64::encode_into(&sealed, &mut inner);
    inner.push_str("\",\"iv\":\"");
    base64::encode_into(nonce, &mut inner);
    inner.push_str("\",\"version\":\"");
    inner.push_str(VERSION);
    inner.push_str("\",\"handle\":\"");
    let mut hyphenated = [0; uuid::fmt::Hyphenated::LENGTH];
    inner.push_str(Uuid::from_bytes(*handle).as_hyphenated().encode_lower(&mut hyphenated));
    inner.push_str("\"}");
    Ok(base64::encode(inner))
}

/// Takes a ciphertext apart.
///
/// # Errors
/// When it is not base64 of the JSON text.
pub(crate) fn parse(text: &str) -> Result<Envelope, Malformed> {
    let inner = base64::decode(text).map_err(Malformed::NotBase64)?;
    let inner: Inner<'_> = serde_json::from_slice(&inner).map_err(|_| Malformed::NotEnvelope)?;
    let sealed = base64::decode(&inner.ciphertext).map_err(|_| Malformed::NotEnvelope)?;
    let iv = base64::decode(&inner.iv).map_err(|_| Malformed::NotEnvelope)?;
    if iv.len() != NONCE_BYTES && iv.len() != LONG_IV_BYTES {
        return Err(Malformed::NotEnvelope);
    }
    Ok(Envelope {
        sealed,
        nonce: iv.try_into().ok(),
        handle: Uuid::try_parse(&inner.handle).ok().map(Uuid::into_bytes),
    })
}

/// Joins AAD strings so that no two lists become the same bytes: each is led by its length, 4 bytes. No strings, no bytes.
pub(crate) fn join_aad<'a>(strings: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut joined = Vec::new();
    for text in strings {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        joined.extend_from_slice(&length.to_be_bytes());
        joined.extend_from_slice(text.as_bytes());
    }
    joined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_ciphertext_is_json_in_the_documented_order() {
        let key = SealKey::new(&[3; 32]).unwrap();
        let text = seal(&key, &[0xab; 16], b"", b"data", &Random::system()).unwrap();
        let inner = String::from_utf8(base64::decode(&text).unwrap()).unwrap();
        assert!(inner.starts_with("{\"ciphertext\":\""), "{inner}");
        assert!(
            inner.ends_with("\"version\":\"4.0.0\",\"handle\":\"abababab-abab-abab-abab-abababababab\"}"),
            "{inner}"
        );
    }

    #[test]
    fn lists_of_aad_strings_are_told_apart() {
        let lists: [&[&str]; 5] = [&["a", "b"], &["b", "a"], &["a"], &["ab"], &[]];
        let joined: std::collections::HashSet<_> = lists.iter().map(|list| join_aad(list.iter().copied())).collect();
        assert_eq!(joined.len(), lists.len());
    }

    #[test]
    fn a_ciphertext_may_be_written_anew_with_escapes() {
        let key = SealKey::new(&[3; 32]).unwrap();
        let text = seal(&key, &[0xab; 16], b"", &[255; 60], &Random::system()).unwrap();
        let inner = String::from_utf8(base64::decode(&text).unwrap()).unwrap();
        assert!(inner.contains('/') || inner.contains('+'), "{inner}");
        let escaped = inner.replace('/', "\\/").replace("\"handle\":\"ab", "\"handle\":\"\\u0061b");
        assert_ne!(escaped, inner);
        assert_eq!(parse(&base64::encode(escaped)), parse(&text));
    }

    #[test]
    fn other_texts_are_refused_with_the_first_bad_byte() {
        assert_eq!(parse("ab!d"), Err(Malformed::NotBase64(2)));
        assert_eq!(parse("aGVsbG8="), Err(Malformed::NotEnvelope));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_sealed_opens_again_and_no_flipped_bit_passes(
            plaintext in prop::collection::vec(any::<u8>(), 0..200),
            aad in prop::collection::vec(".{0,20}", 0..4),
            size in prop::sample::select(vec![16_usize, 24, 32]),
            bit in any::<prop::sample::Index>(),
        ) {
            let key = SealKey::new(&vec![9; size]).unwrap();
            let aad = join_aad(aad.iter().map(String::as_str));
            let text = seal(&key, &[1; 16], &aad, &plaintext, &Random::system()).unwrap();
            let envelope = parse(&text).unwrap();
            let mut sealed = envelope.sealed.clone();
            prop_assert_eq!(key.open(envelope.nonce.unwrap(), &aad, &mut sealed).unwrap(), &plaintext[..]);
            let mut flipped = envelope.sealed.clone();
            let bit = bit.index(flipped.len() * 8);
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(key.open(envelope.nonce.unwrap(), &aad, &mut flipped).is_none());
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".*") {
            let _ = parse(&text);
        }
    }
}
