//! Who is calling: the bearer token, verified once and then recognized by its bytes.

use std::cell::RefCell;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, HeaderValue};

use crate::app::App;
use crate::app::metrics::Cache;
use crate::app::tokens::{TokenRefusal, Verified};
use crate::domain::caller::Caller;
use crate::domain::reason::Reason;

thread_local! {
    /// The last header that this worker found good: most clients send the same one again and again.
    static LAST: RefCell<Option<(HeaderValue, Arc<Verified>)>> = const { RefCell::new(None) };
}

/// The caller that a request's token names.
///
/// # Errors
/// `Unauthorized` without a header or for a token that is not valid; `BearerSubject` for a header or token that cannot be
/// read. Source: docs, error-messages; `docs/contract/iam.md` 2.2.
pub(crate) fn caller(app: &App, request: &HttpRequest) -> Result<Arc<Caller>, Reason> {
    caller_at(app, request, app.clock.real_seconds())
}

/// As [`caller`], for whoever has read the clock: `now` is real, in seconds since 1970-01-01.
///
/// # Errors
/// As [`caller`].
pub(crate) fn caller_at(app: &App, request: &HttpRequest, now: i64) -> Result<Arc<Caller>, Reason> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let Some(header) = headers.next() else { return Err(Reason::Unauthorized) };
    if headers.next().is_some() {
        return Err(Reason::BearerSubject);
    }
    if let Some(caller) = LAST.with_borrow(|last| recognize(app, last.as_ref(), header, now)) {
        app.metrics.looked_up(Cache::Tokens, true);
        return Ok(caller);
    }
    let token = bearer(header).ok_or(Reason::BearerSubject)?;
    let verified = app.tokens.verify(token, now).map_err(|refusal| match refusal {
        TokenRefusal::Unreadable => Reason::BearerSubject,
        TokenRefusal::NotValid => Reason::Unauthorized,
    })?;
    let caller = Arc::clone(&verified.caller);
    LAST.set(Some((header.clone(), verified)));
    Ok(caller)
}

fn recognize(
    app: &App,
    last: Option<&(HeaderValue, Arc<Verified>)>,
    header: &HeaderValue,
    now: i64,
) -> Option<Arc<Caller>> {
    let (known, verified) = last?;
    let same = known.as_bytes() == header.as_bytes() && app.tokens.is_live(verified, now);
    same.then(|| Arc::clone(&verified.caller))
}

fn bearer(header: &HeaderValue) -> Option<&str> {
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
