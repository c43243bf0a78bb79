//! Bodies and replies of wrap, unwrap and rewrap. Source: docs, wrap-keys, unwrap-keys, rewrap-keys.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use zeroize::Zeroizing;

use crate::app::wrap::{Renewed, Rewrapped, UnwrapInput, Unwrapped, WrapInput, Wrapped};
use crate::crypto::base64;
use crate::crypto::envelope::{self, Malformed};
use crate::domain::id::VersionId;
use crate::domain::material::STANDARD_BYTES_MAX;
use crate::domain::reason::{BodyFault, Reason};

/// Characters of one AAD string. Source: docs, wrap-keys.
const AAD_CHARACTERS_MAX: usize = 255;
const AAD_RULE: &str = "a list of strings of up to 255 characters";
const PLAINTEXT_RULE: &str = "a base64 encoded key material";
const CIPHERTEXT_RULE: &str = "the original base64 encoded ciphertext from the wrap operation";

/// The members that matter, borrowed from the body; names match in any case, the last spelling wins.
#[derive(Default)]
struct Members<'a> {
    plaintext: Option<Text<'a>>,
    ciphertext: Option<Text<'a>>,
    aad: Option<Vec<Text<'a>>>,
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Members<'de>, A::Error> {
                let mut read = Members::default();
                while let Some(Text(name)) = members.next_key()? {
                    if name.contains('\0') {
                        return Err(serde::de::Error::custom("NUL in a name"));
                    }
                    if name.eq_ignore_ascii_case("plaintext") {
                        read.plaintext = members.next_value()?;
                    } else if name.eq_ignore_ascii_case("ciphertext") {
                        read.ciphertext = members.next_value()?;
                    } else if name.eq_ignore_ascii_case("aad") {
                        read.aad = members.next_value()?;
                    } else {
                        // Read as a value, so that what is no JSON is refused there too.
                        members.next_value::<serde_json::Value>()?;
                    }
                }
                Ok(read)
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// `None` where there is no body.
fn members(bytes: &[u8]) -> Result<Option<Members<'_>>, Reason> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    serde_json::from_slice(bytes).map_err(|_| Reason::BadBody(BodyFault::Malformed))
}

/// Reads the body of wrap.
///
/// # Errors
/// `BadBody`, `InvalidField`.
pub(crate) fn read_wrap(bytes: &[u8]) -> Result<WrapInput, Reason> {
    let members = members(bytes)?.unwrap_or_default();
    let given = members.plaintext.as_ref().map(|text| text.0.as_ref()).filter(|text| !text.is_empty());
    let plaintext = match given {
        None => None,
        Some(text) => {
            let bytes = base64::decode(text).map(Zeroizing::new).map_err(|at| {
                Reason::field("plaintext", format!("{PLAINTEXT_RULE}: illegal base64 data at input byte {at}"))
            })?;
            if bytes.len() > STANDARD_BYTES_MAX {
                return Err(Reason::field("plaintext", format!("{PLAINTEXT_RULE} of up to 7500 bytes")));
            }
            Some(bytes)
        }
    };
    Ok(WrapInput { plaintext, aad: read_aad(members.aad.as_deref())? })
}

/// Reads the body of unwrap and rewrap.
///
/// # Errors
/// `NoBody`, `BadBody`, `InvalidField`.
pub(crate) fn read_unwrap(bytes: &[u8]) -> Result<UnwrapInput, Reason> {
    let members = members(bytes)?.ok_or(Reason::NoBody)?;
    let text = members.ciphertext.as_ref().map(|text| text.0.as_ref()).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| Reason::field("ciphertext", CIPHERTEXT_RULE))?;
    let envelope = envelope::parse(text).map_err(|malformed| match malformed {
        Malformed::NotBase64(at) => {
            Reason::field("ciphertext", format!("{CIPHERTEXT_RULE}: illegal base64 data at input byte {at}"))
        }
        Malformed::NotEnvelope => Reason::field("ciphertext", CIPHERTEXT_RULE),
    })?;
    Ok(UnwrapInput { envelope, aad: read_aad(members.aad.as_deref())? })
}

fn read_aad(aad: Option<&[Text<'_>]>) -> Result<Vec<u8>, Reason> {
    let Some(strings) = aad else { return Ok(Vec::new()) };
    if strings.iter().any(|text| text.0.chars().count() > AAD_CHARACTERS_MAX) {
        return Err(Reason::field("aad", AAD_RULE));
    }
    Ok(envelope::join_aad(strings.iter().map(|text| text.0.as_ref())))
}

/// Room for the members' names and ids.
const AROUND: usize = 192;

/// The reply of wrap.
pub(crate) fn wrapped(wrapped: &Wrapped) -> String {
    let mut text = String::with_capacity(wrapped.ciphertext.len() + AROUND);
    text.push('{');
    if let Some(plaintext) = &wrapped.plaintext {
        text.push_str("\"plaintext\":\"");
        base64::encode_into(plaintext.as_slice(), &mut text);
        text.push_str("\",");
    }
    push_ciphertext(&mut text, &wrapped.ciphertext);
    push_version(&mut text, ",\"keyVersion\"", wrapped.version);
    text.push('}');
    text
}

/// The reply of unwrap.
pub(crate) fn unwrapped(unwrapped: &Unwrapped) -> String {
    let mut text = String::with_capacity(unwrapped.plaintext.len() * 4 / 3 + AROUND);
    text.push_str("{\"plaintext\":\"");
    base64::encode_into(unwrapped.plaintext.as_slice(), &mut text);
    text.push('"');
    if let Some(renewed) = &unwrapped.renewed {
        text.push(',');
        push_ciphertext(&mut text, &renewed.ciphertext);
    }
    push_version(&mut text, ",\"keyVersion\"", unwrapped.version);
    if let Some(renewed) = &unwrapped.renewed {
        push_version(&mut text, ",\"rewrappedKeyVersion\"", renewed.version);
    }
    text.push('}');
    text
}

/// The reply of rewrap.
pub(crate) fn rewrapped(rewrapped: &Rewrapped) -> String {
    let Renewed { ciphertext, version } = &rewrapped.renewed;
    let mut text = String::with_capacity(ciphertext.len() + AROUND);
    text.push('{');
    push_ciphertext(&mut text, ciphertext);
    push_version(&mut text, ",\"keyVersion\"", rewrapped.version);
    push_version(&mut text, ",\"rewrappedKeyVersion\"", *version);
    text.push('}');
    text
}

fn push_ciphertext(text: &mut String, ciphertext: &str) {
    text.push_str("\"ciphertext\":\"");
    text.push_str(ciphertext);
    text.push('"');
}

fn push_version(text: &mut String, name: &str, version: VersionId) {
    let mut hyphenated = [0; uuid::fmt::Hyphenated::LENGTH];
    text.push_str(name);
    text.push_str(":{\"id\":\"");
    text.push_str(uuid::Uuid::from_bytes(*version.as_bytes()).as_hyphenated().encode_lower(&mut hyphenated));
    text.push_str("\"}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_match_in_any_case_and_null_is_absence() {
        let input = read_wrap(br#"{"PlainText":"aGk=","AAD":["a"],"more":{"x":[1]}}"#).ok().unwrap();
        assert_eq!(input.plaintext.unwrap().as_slice(), b"hi");
        assert_eq!(input.aad, envelope::join_aad(["a"]));
        assert!(read_wrap(br#"{"plaintext":null,"aad":null}"#).ok().unwrap().plaintext.is_none());
    }

    #[test]
    fn nothing_null_and_an_empty_object_make_a_data_key() {
        for body in ["", "null", "{}", " "] {
            assert!(read_wrap(body.as_bytes()).ok().unwrap().plaintext.is_none(), "{body:?}");
        }
        assert_eq!(read_unwrap(b"null").err(), Some(Reason::NoBody));
        assert!(matches!(read_unwrap(b"{}").err(), Some(Reason::InvalidField { name: "ciphertext", .. })));
    }

    #[test]
    fn wrong_types_are_a_bad_body() {
        for body in [r#"{"plaintext":1}"#, r#"{"aad":"a"}"#, r#"{"aad":[1]}"#, "[]", "{}x", "\"a\""] {
            assert!(matches!(read_wrap(body.as_bytes()).err(), Some(Reason::BadBody(_))), "{body}");
        }
    }
}
