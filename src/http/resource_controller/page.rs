//! Lists of the Resource Controller: which page, and where the next one is.

use serde_json::{Value, json};

use crate::domain::time::Timestamp;
use crate::http::query::Query;
use crate::http::resource_controller::errors::ControllerError;

/// Resources on one page. Source: API reference of the Resource Controller.
const PAGE_MAX: usize = 100;

/// Which part of a list is asked for.
pub(crate) struct Page {
    /// The number of the row before the first one.
    after: usize,
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
        let after = match query.get("start").map(str::parse) {
            None => 0,
            Some(Ok(after)) => after,
            Some(Err(_)) => return Err(ControllerError::bad_request("`start` must be taken from `next_url`")),
        };
        let updated = UpdatedSpan {
            from: instant(query, "updated_from", "T00:00:00Z")?,
            to: instant(query, "updated_to", "T23:59:59.999Z")?,
        };
        Ok(Self { after, limit, updated })
    }

    /// The page of all that match, as the API tells it. `path`: the list's own. Each row comes with its number in the
    /// order of creation, which it keeps whatever becomes of other rows: pages go on behind the last row that was shown.
    pub(crate) fn render<T>(
        &self,
        path: &str,
        query: &Query<'_>,
        all: &[(usize, T)],
        show: impl Fn(&T) -> Value,
    ) -> Value {
        let rest = all.iter().filter(|(number, _)| *number > self.after);
        let page: Vec<&(usize, T)> = rest.clone().take(self.limit).collect();
        let more = rest.count() > page.len();
        let next = page.last().filter(|_| more).map(|(number, _)| self.next(path, query, *number));
        let shown: Vec<Value> = page.iter().map(|(_, row)| show(row)).collect();
        json!({ "rows_count": shown.len(), "next_url": next, "resources": shown })
    }

    /// The next page of the same list: filters go along.
    fn next(&self, path: &str, query: &Query<'_>, after: usize) -> String {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        pairs.append_pair("start", &after.to_string()).append_pair("limit", &self.limit.to_string());
        for name in query.names().filter(|name| !matches!(*name, "start" | "limit")) {
            pairs.append_pair(name, query.get(name).unwrap_or_default());
        }
        format!("{path}?{}", pairs.finish())
    }
}

/// A time, or a date, which stands for that time of day. Source: examples of IBM's SDKs pass dates.
fn instant(query: &Query<'_>, name: &str, of_day: &str) -> Result<Option<Timestamp>, ControllerError> {
    let Some(text) = query.get(name) else { return Ok(None) };
    let at = Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text}{of_day}")));
    let wrong = || ControllerError::bad_request(format!("`{name}` must be a date or a time of RFC 3339"));
    at.map(Some).ok_or_else(wrong)
}

/// Numbers rows from 1 on, as [`Page::render`] wants them.
pub(crate) fn numbered<T>(rows: impl IntoIterator<Item = T>) -> impl Iterator<Item = (usize, T)> {
    (1..).zip(rows)
}
