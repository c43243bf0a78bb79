//! Listings of objects, in order of the keys' bytes. They need no key.

use crate::cos::app::CosApp;
use crate::cos::app::audit;
use crate::cos::app::error::Error;
use crate::cos::app::request::Request;
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::id::BucketId;
use crate::cos::domain::object::Object;
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::store::objects::{self, Go};
use crate::crypto::{base64, compare};
use crate::store::tx::Tx;

/// Objects and common prefixes of one page.
const PAGE_MAX: usize = 1_000;

/// Which objects are listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct ObjectsWanted {
    pub(crate) prefix: String,
    /// Keys with this text behind the prefix are folded into common prefixes; empty: none are.
    pub(crate) delimiter: String,
    pub(crate) after: After,
    /// 0 to 1000; more is cut to 1000.
    pub(crate) max: usize,
}

/// Where a listing goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum After {
    #[default]
    Start,
    /// `marker` or `start-after`: behind that key; a common prefix of that name is not listed again.
    Key(String),
    /// `continuation-token`
    Token(Token),
}

/// An opaque place in a listing: stable over restarts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token(String);

impl Token {
    /// Reads a token that a listing has given.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let invalid = || Refusal::new(Code::InvalidArgument, "The continuation token is not valid.");
        let bytes = base64::decode_url(text).ok_or_else(invalid)?;
        let (check, place) = bytes.split_at_checked(CHECK_BYTES).ok_or_else(invalid)?;
        let place = String::from_utf8(place.to_vec()).map_err(|_| invalid())?;
        if check == check_of(&place) { Ok(Self(place)) } else { Err(invalid()) }
    }

    /// The token as text, safe in a URL.
    pub(crate) fn text(&self) -> String {
        base64::encode_url([&check_of(&self.0), self.0.as_bytes()].concat())
    }
}

/// Bytes that tell a token from any other text.
const CHECK_BYTES: usize = 6;

fn check_of(place: &str) -> Vec<u8> {
    compare::sha256(place.as_bytes()).into_iter().take(CHECK_BYTES).collect()
}

/// One page of a listing; objects and prefixes count both.
#[derive(Debug)]
pub(crate) struct ObjectPage {
    pub(crate) objects: Vec<Object>,
    pub(crate) prefixes: Vec<String>,
    /// The last key or common prefix, when more follow: `NextMarker`, or as [`Token`] `NextContinuationToken`.
    pub(crate) next: Option<String>,
}

impl ObjectPage {
    /// `NextContinuationToken`, when more follow.
    pub(crate) fn token(&self) -> Option<Token> {
        self.next.clone().map(Token)
    }
}

impl CosApp {
    /// Lists objects. Works in every state of the key.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn list_objects(
        &self,
        cx: &Request,
        bucket: &Bucket,
        wanted: ObjectsWanted,
    ) -> Result<ObjectPage, Error> {
        let id = bucket.id;
        let page = self.read(move |tx| page(tx, id, &wanted)).await?;
        self.app.note(audit::of_bucket(cx, bucket, "bucket.list", 200)).await;
        Ok(page)
    }
}

fn page(tx: &Tx<'_>, bucket: BucketId, wanted: &ObjectsWanted) -> Result<ObjectPage, Error> {
    let most = wanted.max.min(PAGE_MAX);
    let mut page = ObjectPage { objects: Vec::new(), prefixes: Vec::new(), next: None };
    if most == 0 {
        return Ok(page);
    }
    let after = wanted.after.place();
    let mut last = None;
    let from = wanted.prefix.as_str().max(after.unwrap_or_default()).to_owned();
    objects::walk(tx, bucket, from, |object| {
        let key = object.key.as_str();
        if !key.starts_with(&wanted.prefix) {
            return Go::NoFurther;
        }
        if after.is_some_and(|after| key <= after) {
            return Go::On;
        }
        let folded = common_prefix(key, &wanted.prefix, &wanted.delimiter);
        if let Some(prefix) = folded.as_deref().filter(|_| folded.as_deref() == after) {
            return beyond(prefix);
        }
        if page.objects.len() + page.prefixes.len() == most {
            page.next.clone_from(&last);
            return Go::NoFurther;
        }
        if let Some(prefix) = folded {
            let next = beyond(&prefix);
            last = Some(prefix.clone());
            page.prefixes.push(prefix);
            return next;
        }
        last = Some(key.to_owned());
        page.objects.push(object);
        Go::On
    })?;
    Ok(page)
}

impl After {
    fn place(&self) -> Option<&str> {
        match self {
            Self::Start => None,
            Self::Key(key) => Some(key).filter(|key| !key.is_empty()).map(String::as_str),
            Self::Token(Token(place)) => Some(place),
        }
    }
}

/// The prefix that a key is folded into: up to and with the first delimiter behind the wanted prefix.
pub(super) fn common_prefix(key: &str, prefix: &str, delimiter: &str) -> Option<String> {
    let behind = key.strip_prefix(prefix).filter(|_| !delimiter.is_empty())?;
    let end = prefix.len() + behind.find(delimiter)? + delimiter.len();
    key.get(..end).map(str::to_owned)
}

/// Past all keys with that prefix.
fn beyond(prefix: &str) -> Go {
    successor(prefix).map_or(Go::NoFurther, Go::To)
}

/// The first text, in the order of UTF-8 bytes, that is behind all texts with that prefix.
fn successor(prefix: &str) -> Option<String> {
    let mut letters: Vec<char> = prefix.chars().collect();
    while let Some(last) = letters.pop() {
        // The letters around the surrogates are neighbours.
        let next = if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(u32::from(last) + 1) };
        if let Some(next) = next {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_again_and_any_other_text_is_not() {
        for place in ["", "a/b c", "ü\u{10ffff}"] {
            let token = Token(place.to_owned());
            let text = token.text();
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'), "{text}");
            assert_eq!(Token::parse(&text), Ok(token));
        }
        for wrong in ["", "x", "AAAAAAAAAAAA", "a b", &Token("a".to_owned()).text()[1..]] {
            assert!(Token::parse(wrong).unwrap_err().is(Code::InvalidArgument), "{wrong}");
        }
    }

    #[test]
    fn keys_are_folded_at_the_first_delimiter_behind_the_prefix() {
        let fold = |key, prefix, delimiter| common_prefix(key, prefix, delimiter);
        assert_eq!(fold("a/b/c", "", "/").as_deref(), Some("a/"));
        assert_eq!(fold("a/b/c", "a/", "/").as_deref(), Some("a/b/"));
        assert_eq!(fold("a//c", "a/", "/").as_deref(), Some("a//"));
        assert_eq!(fold("a/b", "a/", "/"), None);
        assert_eq!(fold("a/b", "", ""), None);
        assert_eq!(fold("aXYb", "a", "XY").as_deref(), Some("aXY"));
    }

    #[test]
    fn what_follows_a_prefix_is_behind_all_that_begins_with_it() {
        assert_eq!(successor("a/").as_deref(), Some("a0"));
        assert_eq!(successor("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(successor("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(successor("\u{10ffff}"), None);
    }
}
