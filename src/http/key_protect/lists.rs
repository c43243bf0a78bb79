//! Lists of keys and of versions. Source: API reference; `docs/contract/keys.md` 7 and 8.

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderName;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::app::list_keys::{self, ListQuery};
use crate::app::read_key::{VersionsQuery, list_versions};
use crate::domain::filter::{self, Term};
use crate::domain::key::machine::Action;
use crate::domain::operation::Operation;
use crate::domain::reason::Reason;
use crate::domain::search::{Scope, Search};
use crate::domain::selection::Selection;
use crate::domain::sort;
use crate::http::key_protect::entry::{enter, key_ref};
use crate::http::key_protect::envelope::{self, Collection, KEY, KEY_VERSION, SearchQuery, WhenEmpty};
use crate::http::key_protect::render::{self, Form, Scene, VersionBody};
use crate::http::query::Query;
use crate::http::state::State;

const KEY_TOTAL: HeaderName = HeaderName::from_static("key-total");

/// `GET /keys`
pub(crate) async fn list(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::ListKeys, async |cx| {
        let (instance, now) = (cx.instance.clone(), cx.now);
        let listing = list_keys::list_keys(&state.app, cx, list_query(&Query::of(&request))).await?;
        let scene = Scene { instance: &instance, now };
        let keys = listing.keys.iter().map(|key| render::key(scene, key, Form::Full, None)).collect();
        let mut body = Collection::new(KEY, keys, WhenEmpty::LeaveOut);
        body.metadata.search_query = listing.search.as_ref().map(|search| SearchQuery {
            query: &search.query,
            scopes: search.scopes.iter().copied().map(Scope::name).collect(),
            not: search.not,
            exact: search.exact,
        });
        body.metadata.incomplete_search = listing.incomplete;
        Ok(envelope::reply(StatusCode::OK, KEY, &body))
    })
    .await
}

/// `HEAD /keys`
pub(crate) async fn count(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::CountKeys, async |cx| {
        let total = list_keys::count_keys(&state.app, cx, selection(&Query::of(&request))).await?;
        Ok(HttpResponse::Ok().insert_header((KEY_TOTAL, total)).finish())
    })
    .await
}

fn list_query(query: &Query<'_>) -> Result<ListQuery, Reason> {
    let limit = query.limit()?;
    let offset = query.offset()?;
    let selection = selection(query)?;
    let search = match query.get("search") {
        None | Some("") => None,
        Some(text) => Some(Search::parse(text).ok_or_else(|| Reason::query("search", "a text after its prefixes"))?),
    };
    let sort = match query.get("sort") {
        None | Some("") => Vec::new(),
        Some(text) => sort::parse(text).ok_or_else(|| Reason::query("sort", sort::RULE))?,
    };
    Ok(ListQuery { selection, search, sort, limit, offset })
}

/// What a list and its count have in common.
fn selection(query: &Query<'_>) -> Result<Selection, Reason> {
    let states = query.get("state").filter(|text| !text.is_empty()).map(states).transpose()?;
    let extractable = query.boolean("extractable")?;
    let filter = match query.get("filter") {
        None => Vec::new(),
        Some(text) if text.trim().is_empty() => Vec::new(),
        Some(text) => filter::parse(text).ok_or_else(|| Reason::query("filter", filter::RULE))?,
    };
    let twice = filter.iter().any(|term| match term {
        Term::State(_) => states.is_some(),
        Term::Extractable(_) => extractable.is_some(),
        Term::Date(..) => false,
    });
    if twice {
        return Err(Reason::query("filter", "free of properties that are query parameters of the same request"));
    }
    Ok(Selection { states, extractable, filter, ..Selection::default() })
}

/// A comma list of integers from 0 to 5, without blanks or a trailing comma; 4 matches nothing (ASSUMED).
fn states(text: &str) -> Result<Vec<u8>, Reason> {
    let one = |number: &str| match number.as_bytes() {
        [digit @ b'0'..=b'5'] => Some(digit - b'0'),
        _ => None,
    };
    let all: Option<Vec<u8>> = text.split(',').map(one).collect();
    all.ok_or_else(|| Reason::query("state", "a list of integers between 0 and 5 (inclusive), separated by commas"))
}

/// `GET /keys/{id}/versions`
pub(crate) async fn versions(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::GetKeyVersions, async |cx| {
        let query = Query::of(&request);
        let counted = query.boolean("totalCount");
        let wanted = versions_query(&query).and_then(|wanted| counted.clone().map(|_| wanted));
        let page = list_versions(&state.app, cx, key_ref(&request), wanted).await?;
        let versions = page.versions.iter().map(VersionBody::new).collect();
        let mut body = Collection::new(KEY_VERSION, versions, WhenEmpty::LeaveOut);
        body.metadata.total_count = (counted == Ok(Some(true))).then_some(page.total);
        Ok(envelope::reply(StatusCode::OK, KEY_VERSION, &body))
    })
    .await
}

fn versions_query(query: &Query<'_>) -> Result<VersionsQuery, Reason> {
    let any = query.boolean("allKeyStates")? == Some(true);
    let action = if any { Action::ListVersionsInAnyState } else { Action::ListVersions };
    Ok(VersionsQuery { limit: query.limit()?, offset: query.offset()?, action })
}
