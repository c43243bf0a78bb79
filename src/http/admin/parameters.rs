//! Bodies and queries of the admin API: strict, with the field named.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web::Payload;
use serde_json::{Map, Value};

use crate::domain::duration;
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;
use crate::http::admin::errors::AdminError;
use crate::http::body;
use crate::http::query::Query;

/// Rows of a list, where nobody asked. Source: `docs/contract/interface.md` 3.1.
const LIMIT_DEFAULT: usize = 200;
const LIMIT_MAX: usize = 5_000;
/// How long a reply may be held back, real time.
const WAIT_MAX: Duration = Duration::from_mins(1);

/// The members of a body that has to be there.
///
/// # Errors
/// As [`members`]; 400 where there is no body.
pub(crate) async fn needed_members(
    request: &HttpRequest,
    payload: Payload,
    known: &[&str],
) -> Result<Map<String, Value>, AdminError> {
    let bytes = body::read(request, payload).await.map_err(|reason| unreadable(&reason))?;
    read_members(&bytes, known)
}

/// The members of a body; none where there is no body.
///
/// # Errors
/// 400 for what is no JSON object or has a member that is not `known`; 408, 413.
pub(crate) async fn members(
    request: &HttpRequest,
    payload: Payload,
    known: &[&str],
) -> Result<Map<String, Value>, AdminError> {
    let bytes = body::read(request, payload).await.map_err(|reason| unreadable(&reason))?;
    if bytes.iter().all(u8::is_ascii_whitespace) { Ok(Map::new()) } else { read_members(&bytes, known) }
}

fn read_members(bytes: &[u8], known: &[&str]) -> Result<Map<String, Value>, AdminError> {
    let members: Map<String, Value> =
        serde_json::from_slice(bytes).map_err(|_| AdminError::bad_body("the body is not a JSON object"))?;
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(members),
        Some(name) => Err(AdminError::bad_field(name, format!("unknown field; known: {}", listed(known)))),
    }
}

/// A member that is a text.
///
/// # Errors
/// 400 for another type.
pub(crate) fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, AdminError> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(AdminError::bad_field(name, "must be a text")),
    }
}

/// A member that is an instant.
///
/// # Errors
/// 400 for anything else.
pub(crate) fn instant(members: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, AdminError> {
    let Some(text) = text(members, name)? else { return Ok(None) };
    parse_instant(name, text).map(Some)
}

/// A member that is a span.
///
/// # Errors
/// 400 for anything else.
pub(crate) fn span(members: &Map<String, Value>, name: &str) -> Result<Option<Duration>, AdminError> {
    let Some(text) = text(members, name)? else { return Ok(None) };
    parse_span(name, text).map(Some)
}

/// Paging and waiting of a list.
pub(crate) struct ListControl {
    pub(crate) limit: usize,
    /// How many are waited for.
    pub(crate) least: usize,
    pub(crate) wait: Duration,
}

impl ListControl {
    /// Reads `limit`, `min` and `wait`.
    ///
    /// # Errors
    /// 400 naming the parameter.
    pub(crate) fn of(query: &Query<'_>) -> Result<Self, AdminError> {
        let number = |name: &str| -> Result<Option<usize>, AdminError> {
            let Some(text) = query.get(name) else { return Ok(None) };
            text.parse().map(Some).map_err(|_| AdminError::bad_field(name, "must be a whole number"))
        };
        let limit = number("limit")?.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(AdminError::bad_field("limit", "must be between 1 and 5000"));
        }
        let wait = match query.get("wait") {
            None => Duration::ZERO,
            Some(text) => parse_span("wait", text)?,
        };
        if wait > WAIT_MAX {
            return Err(AdminError::bad_field("wait", "must be 60s at most"));
        }
        Ok(Self { limit, least: number("min")?.unwrap_or(1), wait })
    }
}

/// Refuses parameters that a call does not have.
///
/// # Errors
/// 400 naming the first one.
pub(crate) fn only_known(query: &Query<'_>, known: &[&str]) -> Result<(), AdminError> {
    match query.names().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(name) => Err(AdminError::bad_field(name, format!("unknown parameter; known: {}", listed(known)))),
    }
}

/// Reads an instant.
///
/// # Errors
/// 400 naming the field.
pub(crate) fn parse_instant(name: &str, text: &str) -> Result<Timestamp, AdminError> {
    Timestamp::parse(text)
        .filter(|_| text.ends_with('Z'))
        .ok_or_else(|| AdminError::bad_field(name, "must be a time of RFC 3339 in UTC, such as 2027-01-01T00:00:00Z"))
}

fn parse_span(name: &str, text: &str) -> Result<Duration, AdminError> {
    duration::parse(text).ok_or_else(|| AdminError::bad_field(name, format!("must be {}", duration::FORM)))
}

fn listed(known: &[&str]) -> String {
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}

/// A body that could not be read.
pub(crate) fn unreadable(reason: &Reason) -> AdminError {
    let row = reason.row();
    let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::BAD_REQUEST);
    AdminError::plain(status, "bad_request", row.message)
}
