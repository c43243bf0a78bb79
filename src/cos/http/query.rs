//! Query strings as S3 reads them: a sub-resource may come with or without an equals sign.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::cos::domain::refusal::{Code, Refusal};

/// What S3 encodes in queries and signatures: all but letters, digits and `-._~`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same for paths and listed keys, where slashes stay.
const ENCODED_IN_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// A request's parameters in the order in which they came, decoded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads a query string.
    ///
    /// # Errors
    /// `InvalidArgument` for what is no UTF-8.
    pub(crate) fn parse(raw: &str) -> Result<Self, Refusal> {
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decode(&name.replace('+', " "))?, decode(&value.replace('+', " "))?))
        };
        let parts = raw.split('&').filter(|part| !part.is_empty());
        Ok(Self { pairs: parts.map(pair).collect::<Result<_, Refusal>>()? })
    }

    /// A parameter; of several with one name the first counts.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// True when the parameter came, with a value or without.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All parameters.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// All names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|(name, _)| name.as_str())
    }

    /// A whole number without a sign.
    ///
    /// # Errors
    /// `InvalidArgument` for anything else.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits { text.parse().ok() } else { None };
        let wrong = || Refusal::new(Code::InvalidArgument, format!("{name} must be a whole number from 0 on."));
        number.map(Some).ok_or_else(wrong)
    }

    /// What may be shown to others: without what a signature is made of.
    pub(crate) fn shown(raw: &str) -> String {
        let secret = |part: &&str| {
            let name = part.split_once('=').map_or(*part, |(name, _)| name);
            let name = percent_decode_str(name).decode_utf8_lossy();
            is_of_signature(&name)
        };
        let kept: Vec<&str> = raw.split('&').filter(|part| !part.is_empty() && !secret(part)).collect();
        kept.join("&")
    }

    /// As signatures of version 4 want it: encoded, sorted by name and then by value, without the signature itself.
    pub(crate) fn canonical(&self) -> String {
        let encoded = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
        let signed = self.pairs.iter().filter(|(name, _)| name != "X-Amz-Signature");
        let mut pairs: Vec<(String, String)> = signed.map(|(name, value)| (encoded(name), encoded(value))).collect();
        pairs.sort_unstable();
        let mut text = String::new();
        for (name, value) in pairs {
            if !text.is_empty() {
                text.push('&');
            }
            // Writing to a text does not fail.
            let _ = write!(text, "{name}={value}");
        }
        text
    }
}

/// True for a parameter that belongs to a signature, of either version.
pub(crate) fn is_of_signature(name: &str) -> bool {
    const SECOND: [&str; 3] = ["AWSAccessKeyId", "Signature", "Expires"];
    name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("X-Amz-")) || SECOND.contains(&name)
}

/// Percent-decodes a text, once.
///
/// # Errors
/// `InvalidArgument` for what is no UTF-8, and for NUL, which no XML can give back.
pub(crate) fn decode(text: &str) -> Result<String, Refusal> {
    let decoded = percent_decode_str(text).decode_utf8().ok().filter(|decoded| !decoded.contains('\0'));
    let wrong = || Refusal::new(Code::InvalidArgument, "The request URI must be UTF-8 without the character NUL.");
    decoded.map(std::borrow::Cow::into_owned).ok_or_else(wrong)
}

/// Percent-encodes a path or a key: slashes stay, a blank is `%20`.
pub(crate) fn encode_path(text: &str) -> String {
    utf8_percent_encode(text, ENCODED_IN_PATH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sub_resource_is_seen_with_and_without_an_equals_sign() {
        for raw in ["acl", "acl=", "x-id=GetObject&acl"] {
            assert!(Query::parse(raw).unwrap().has("acl"), "{raw}");
        }
        assert!(!Query::parse("acls").unwrap().has("acl"));
        assert!(Query::parse("prefix=%FF").is_err() && Query::parse("prefix=a%00").is_err());
    }

    #[test]
    fn blanks_come_in_two_spellings() {
        let query = Query::parse("prefix=a+b%20c%2Bd").unwrap();
        assert_eq!(query.get("prefix"), Some("a b c+d"));
    }

    #[test]
    fn the_canonical_form_is_sorted_and_encoded_and_leaves_the_signature_out() {
        let query = Query::parse("b=2&a=%20/&X-Amz-Signature=ff&uploads&a=%2a").unwrap();
        assert_eq!(query.canonical(), "a=%20%2F&a=%2A&b=2&uploads=");
    }

    #[test]
    fn signatures_are_not_shown() {
        let raw = "prefix=a&X-Amz-Signature=ff&x%2Damz-credential=i&acl&AWSAccessKeyId=i&Signature=s&Expires=9";
        assert_eq!(Query::shown(raw), "prefix=a&acl");
    }

    #[test]
    fn numbers_are_digits() {
        let query = Query::parse("a=10&b=-1&c=&d=x&e=99999999999999999999").unwrap();
        assert_eq!(query.number("a").unwrap(), Some(10));
        assert_eq!(query.number("z").unwrap(), None);
        for wrong in ["b", "c", "d", "e"] {
            assert!(query.number(wrong).unwrap_err().is(Code::InvalidArgument), "{wrong}");
        }
    }
}
