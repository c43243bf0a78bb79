//! Listings of objects, in order of the keys' bytes. They need no key.

use crate::cos::app::CosApp;
use crate::cos::app::error::Error;
use crate::cos::app::request::Request;
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::object::Object;
use crate::cos::domain::refusal::Refusal;

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
        let _ = text;
        todo!()
    }

    /// The token as text, safe in a URL.
    pub(crate) fn text(&self) -> String {
        todo!()
    }
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
        let _ = (cx, bucket, wanted);
        todo!()
    }
}
