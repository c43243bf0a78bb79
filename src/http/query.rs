//! Query parameters.

use std::borrow::Cow;

use actix_web::HttpRequest;

use crate::domain::force::Force;
use crate::domain::reason::Reason;

/// Keys and the like on one page. Source: API reference.
pub(crate) const PAGE_MAX: i64 = 5_000;
/// Where nobody asked. Source: API reference.
pub(crate) const PAGE_DEFAULT: i64 = 200;

/// A request's query parameters; of several with one name the first counts.
pub(crate) struct Query<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Query<'a> {
    /// Reads the query of a request.
    pub(crate) fn of(request: &'a HttpRequest) -> Self {
        Self { pairs: form_urlencoded::parse(request.query_string().as_bytes()).collect() }
    }

    /// A parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_ref())
    }

    /// All values of a parameter.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let named = self.pairs.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| value.as_ref()).collect()
    }

    /// All parameters.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|(name, _)| name.as_ref())
    }

    /// `true` or `false`. IBM's Python SDK 2 spells them as Python does.
    ///
    /// # Errors
    /// `InvalidQueryParam` for anything else.
    pub(crate) fn boolean(&self, name: &'static str) -> Result<Option<bool>, Reason> {
        match self.get(name) {
            None => Ok(None),
            Some("true" | "True") => Ok(Some(true)),
            Some("false" | "False") => Ok(Some(false)),
            Some(_) => Err(Reason::query(name, "true or false")),
        }
    }

    /// `limit`: 1 to 5,000.
    ///
    /// # Errors
    /// `InvalidQueryParam`. Source: go-client.
    pub(crate) fn limit(&self) -> Result<i64, Reason> {
        self.limit_within(PAGE_DEFAULT, PAGE_MAX)
    }

    /// `limit`: 1 to `most`, `default` where nobody asked.
    ///
    /// # Errors
    /// As [`Query::limit`].
    pub(crate) fn limit_within(&self, default: i64, most: i64) -> Result<i64, Reason> {
        let Some(text) = self.get("limit") else { return Ok(default) };
        let limit = parse_whole(text).filter(|limit| (1..=most).contains(limit));
        limit.ok_or_else(|| Reason::query("limit", format!("an integer between 1 and {most} (inclusive)")))
    }

    /// `force`.
    ///
    /// # Errors
    /// As [`Query::boolean`].
    pub(crate) fn force(&self) -> Result<Force, Reason> {
        Ok(if self.boolean("force")? == Some(true) { Force::Yes } else { Force::No })
    }

    /// `offset`: 0 or more.
    ///
    /// # Errors
    /// `InvalidQueryParam`.
    pub(crate) fn offset(&self) -> Result<i64, Reason> {
        let Some(text) = self.get("offset") else { return Ok(0) };
        parse_whole(text).ok_or_else(|| Reason::query("offset", "an integer greater than or equal to 0"))
    }
}

fn parse_whole(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}
