//! Key rings. Source: `docs/contract/policies.md` 5.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::app::rings::{create_ring, delete_ring, list_rings};
use crate::domain::id::RingId;
use crate::domain::operation::Operation;
use crate::domain::reason::Reason;
use crate::domain::ring::Ring;
use crate::http::key_protect::entry::{enter, enter_with_body};
use crate::http::key_protect::envelope::{self, Collection, KEY_RING, WhenEmpty};
use crate::http::query::{PAGE_MAX, Query};
use crate::http::state::State;

/// Rings on one page, where nobody asked. Source: API reference; a page of the docs says 51.
const PAGE_DEFAULT: i64 = 100;

/// The default ring shows its id alone.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RingBody {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    creation_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
}

impl RingBody {
    fn of(ring: Ring) -> Self {
        let id = ring.id.as_str().to_owned();
        Self { id, creation_date: Some(ring.created_at.rfc3339()), created_by: Some(ring.created_by) }
    }
}

/// What of a list is asked for.
#[derive(Clone)]
struct Page {
    limit: usize,
    offset: usize,
    counted: bool,
}

/// `GET /key_rings`
pub(crate) async fn list(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::ListKeyRings, async |cx| {
        let page = page(&Query::of(&request));
        let rings = list_rings(&state.app, cx, page.clone().map(drop)).await?;
        let page = page?;
        let default = RingBody { id: RingId::DEFAULT.to_owned(), creation_date: None, created_by: None };
        let all: Vec<RingBody> = std::iter::once(default).chain(rings.into_iter().map(RingBody::of)).collect();
        let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
        let shown = all.into_iter().skip(page.offset).take(page.limit).collect();
        let mut body = Collection::new(KEY_RING, shown, WhenEmpty::EmptyArray);
        body.metadata.total_count = page.counted.then_some(total);
        Ok(envelope::reply(StatusCode::OK, KEY_RING, &body))
    })
    .await
}

/// `POST /key_rings/{ring}`: 201 without a body.
pub(crate) async fn create(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    enter_with_body(&request, Some(payload), &state, Operation::CreateKeyRing, async |cx, _| {
        create_ring(&state.app, cx, named(&request)).await?;
        Ok(HttpResponse::Created().finish())
    })
    .await
}

/// `DELETE /key_rings/{ring}`
pub(crate) async fn delete(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::DeleteKeyRing, async |cx| {
        delete_ring(&state.app, cx, named(&request), Query::of(&request).force()).await?;
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}

fn page(query: &Query<'_>) -> Result<Page, Reason> {
    let limit = query.limit_within(PAGE_DEFAULT, PAGE_MAX)?;
    let whole = |number| usize::try_from(number).unwrap_or(usize::MAX);
    let counted = query.boolean("totalCount")? == Some(true);
    Ok(Page { limit: whole(limit), offset: whole(query.offset()?), counted })
}

fn named(request: &HttpRequest) -> Result<RingId, Reason> {
    const RULE: &str = "2 to 100 letters, digits, hyphens or underscores";
    let text = request.match_info().get("ring").unwrap_or_default();
    RingId::parse(text).ok_or_else(|| Reason::field("id", RULE))
}
