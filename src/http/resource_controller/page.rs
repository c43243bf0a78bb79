//! Lists of the Resource Controller: which page, and where the next one is.

use serde_json::{Value, json};

use crate::domain::time::Timestamp;
use crate::http::query::Query;
use crate::http::resource_controller::errors::ControllerError;

/// Resources on one page. Source: API reference of the Resource Controller.
const PAGE_MAX: usize = 100;

/// Which part of a list is asked for.
pub(crate) struct Page {
    start: usize,
    limit: usize,
    pub(crate) updated: UpdatedSpan,
}

/// `updated_from` and `updated_to`.
pub(crate) struct UpdatedSpan {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl UpdatedSpan {
    /// True for an instant within.
    pub(crate) fn holds(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at <= to)
    }
}

impl Page {
    /// Reads `limit`, `start` and the span.
    ///
    /// # Errors
    /// For values that are none of these.
    pub(crate) fn of(query: &Query<'_>) -> Result<Self, ControllerError> {
        let limit = match query.get("limit").map(str::parse) {
            None => PAGE_MAX,
            Some(Ok(limit)) if (1..=PAGE_MAX).contains(&limit) => limit,
            Some(_) => return Err(ControllerError::bad_request("`limit` must be between 1 and 100")),
        };
        let start = match query.get("start").map(str::parse) {
            None => 0,
            Some(Ok(start)) => start,
            Some(Err(_)) => return Err(ControllerError::bad_request("`start` must be taken from `next_url`")),
        };
        let instant = |name: &str| match query.get(name) {
            None => Ok(None),
            Some(text) => Timestamp::parse(text)
                .map(Some)
                .ok_or_else(|| ControllerError::bad_request(format!("`{name}` must be a time of RFC 3339"))),
        };
        let updated = UpdatedSpan { from: instant("updated_from")?, to: instant("updated_to")? };
        Ok(Self { start, limit, updated })
    }

    /// The page of all that match, as the API tells it. `path`: the list's own.
    pub(crate) fn render<T>(&self, path: &str, query: &Query<'_>, all: &[T], show: impl Fn(&T) -> Value) -> Value {
        let shown: Vec<Value> = all.iter().skip(self.start).take(self.limit).map(show).collect();
        let end = self.start.saturating_add(shown.len());
        let next = (end < all.len()).then(|| self.next(path, query, end));
        json!({ "rows_count": shown.len(), "next_url": next, "resources": shown })
    }

    /// The next page of the same list: filters go along.
    fn next(&self, path: &str, query: &Query<'_>, start: usize) -> String {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        pairs.append_pair("start", &start.to_string()).append_pair("limit", &self.limit.to_string());
        for name in query.names().filter(|name| !matches!(*name, "start" | "limit")) {
            pairs.append_pair(name, query.get(name).unwrap_or_default());
        }
        format!("{path}?{}", pairs.finish())
    }
}
