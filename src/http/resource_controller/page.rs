//! Lists of the Resource Controller: which page, and where the next one is.

use serde_json::{Value, json};

use crate::domain::time::Timestamp;
use crate::http::query::Query;
use crate::http::resource_controller::errors::ControllerError;

/// Resources on one page. Source: API reference of the Resource Controller.
const PAGE_MAX: usize = 100;

/// Which part of a list is asked for.
pub(crate) struct Page {
    /// A place among all resources, removed ones and others that are not asked for too: so nothing is left out where
    /// somebody removes what one page shows before asking for the next.
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
        let instant = |name: &str, time_of_a_date: &str| match query.get(name) {
            None => Ok(None),
            Some(text) => {
                let read = Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text}T{time_of_a_date}Z")));
                let wrong = || ControllerError::bad_request(format!("`{name}` must be a date or a time of RFC 3339"));
                read.map(Some).ok_or_else(wrong)
            }
        };
        // A date is the whole day in UTC.
        let from = instant("updated_from", "00:00:00")?;
        let updated = UpdatedSpan { from, to: instant("updated_to", "23:59:59.999")? };
        Ok(Self { start, limit, updated })
    }

    /// The page of those that match, as the API tells it. `path`: the list's own. `all`: in order of creation.
    pub(crate) fn render<T>(
        &self,
        path: &str,
        query: &Query<'_>,
        all: &[T],
        matches: impl Fn(&T) -> bool,
        show: impl Fn(&T) -> Value,
    ) -> Value {
        let mut matching = all.iter().enumerate().skip(self.start).filter(|(_, one)| matches(one));
        let shown: Vec<Value> = matching.by_ref().take(self.limit).map(|(_, one)| show(one)).collect();
        let next = matching.next().map(|(place, _)| self.next(path, query, place));
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
