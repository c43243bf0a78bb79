//! Registrations: read by people and services, written by services. Source: `docs/contract/events.md` 1.

use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, HeaderValue, IF_MATCH};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use percent_encoding::percent_decode_str;
use serde::Serialize;

use crate::app::delete_key::Reply;
use crate::app::registrations::{self, Asked, Wanted};
use crate::domain::caller::IdentityKind;
use crate::domain::context::Context;
use crate::domain::crn::{self, CrnQuery};
use crate::domain::operation::Operation;
use crate::domain::reason::Reason;
use crate::domain::registration::{Registration, RegistrationDraft, ResourceCrn};
use crate::http::key_protect::entry::{enter, enter_with_body, key_ref, reply_wanted};
use crate::http::key_protect::envelope::{self, Collection, REGISTRATION, WhenEmpty};
use crate::http::key_protect::registration_body::{self, Needs};
use crate::http::key_protect::render::VersionBody;
use crate::http::query::Query;
use crate::http::state::State;

/// Name of the query for CRNs, spelt as all SDKs do.
const CRN_QUERY: &str = "urlEncodedResourceCRNQuery";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RegistrationBody<'a> {
    key_id: String,
    key_name: &'a str,
    resource_crn: &'a str,
    created_by: &'a str,
    creation_date: String,
    updated_by: &'a str,
    /// Spelt otherwise than a key's.
    last_updated: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    /// For the service that owns the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_metadata: Option<&'a str>,
    prevent_key_deletion: bool,
    key_version: VersionBody,
}

/// `GET /keys/{id}/registrations`
pub(crate) async fn list(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::ListRegistrations, async |cx| {
        let wanted = list_query(&Query::of(&request), Hidden::Allowed);
        let page = registrations::list_of_key(&state.app, cx.clone(), key_ref(&request), wanted).await?;
        Ok(page_of(&cx, &page))
    })
    .await
}

/// `GET /keys/registrations`
pub(crate) async fn list_all(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::ListAllRegistrations, async |cx| {
        let wanted = list_query(&Query::of(&request), Hidden::Refused);
        let page = registrations::list_all(&state.app, cx.clone(), wanted).await?;
        Ok(page_of(&cx, &page))
    })
    .await
}

/// `POST /keys/{id}/registrations/{crn}`
pub(crate) async fn create(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    enter_with_body(&request, Some(payload), &state, Operation::CreateRegistration, async |cx, bytes| {
        let asked = asked(&request, &bytes, Needs::Nothing);
        let one = registrations::create(&state.app, cx.clone(), asked).await?;
        Ok(single(&cx, StatusCode::CREATED, &one))
    })
    .await
}

/// `PUT /keys/{id}/registrations/{crn}`
pub(crate) async fn replace(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    enter_with_body(&request, Some(payload), &state, Operation::ReplaceRegistration, async |cx, bytes| {
        let asked = asked(&request, &bytes, Needs::All);
        let one = registrations::change(&state.app, cx.clone(), asked).await?;
        Ok(single(&cx, StatusCode::OK, &one))
    })
    .await
}

/// `PATCH /keys/{id}/registrations/{crn}`
pub(crate) async fn update(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    enter_with_body(&request, Some(payload), &state, Operation::UpdateRegistration, async |cx, bytes| {
        let asked = asked(&request, &bytes, Needs::Some);
        let one = registrations::change(&state.app, cx.clone(), asked).await?;
        Ok(single(&cx, StatusCode::OK, &one))
    })
    .await
}

/// `DELETE /keys/{id}/registrations/{crn}`
pub(crate) async fn delete(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::DeleteRegistration, async |cx| {
        let reply = reply_wanted(&request);
        let asked = Asked { key: key_ref(&request), resource: named(&request), if_match: None, body: Ok(()) };
        let one = registrations::delete(&state.app, cx.clone(), asked, reply).await?;
        Ok(match reply {
            Reply::Minimal => HttpResponse::NoContent().finish(),
            Reply::Representation => single(&cx, StatusCode::OK, &one),
        })
    })
    .await
}

fn asked(request: &HttpRequest, bytes: &[u8], needs: Needs) -> Asked<RegistrationDraft> {
    // Several headers are one list.
    let tags: Vec<String> =
        request.headers().get_all(IF_MATCH).map(|tag| String::from_utf8_lossy(tag.as_bytes()).into_owned()).collect();
    Asked {
        key: key_ref(request),
        resource: named(request),
        if_match: (!tags.is_empty()).then(|| tags.join(",")),
        body: registration_body::read(bytes, needs),
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The CRN at the path's end, encoded once or twice. Read from the raw path, for `%2F` ends no segment.
fn named(request: &HttpRequest) -> Result<ResourceCrn, Reason> {
    let segment = request.uri().path().rsplit('/').next().unwrap_or_default();
    let text = crn::decoded(&decode(segment), decode);
    ResourceCrn::parse(&text).ok_or_else(|| Reason::field("urlEncodedResourceCRN", ResourceCrn::RULE))
}

/// Whether a query may leave open whom resources belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hidden {
    Allowed,
    /// Source: docs, view-protected-resources.
    Refused,
}

fn list_query(query: &Query<'_>, hidden: Hidden) -> Result<Wanted, Reason> {
    const RULE: &str = "a CRN of ten segments, in which `*` stands for any characters within a segment";
    const OWNER_RULE: &str = "a CRN without `*` in its first eight segments";
    let resource = match query.get(CRN_QUERY).filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => {
            let text = crn::decoded(text, decode);
            let asked = CrnQuery::parse(&text).ok_or_else(|| Reason::field(CRN_QUERY, RULE))?;
            if hidden == Hidden::Refused && !asked.names_owner() {
                return Err(Reason::field(CRN_QUERY, OWNER_RULE));
            }
            Some(asked)
        }
    };
    Ok(Wanted {
        resource,
        prevent_deletion: query.boolean("preventKeyDeletion")?,
        limit: query.limit()?,
        offset: query.offset()?,
        counted: query.boolean("totalCount")? == Some(true),
    })
}

fn body_of<'a>(cx: &Context, one: &'a Registration) -> RegistrationBody<'a> {
    RegistrationBody {
        key_id: one.key.to_string(),
        key_name: &one.key_name,
        resource_crn: one.resource.as_str(),
        created_by: &one.created_by,
        creation_date: one.created_at.rfc3339(),
        updated_by: &one.updated_by,
        last_updated: one.updated_at.rfc3339(),
        description: one.description.as_deref(),
        registration_metadata: one.metadata.as_deref().filter(|_| registrations::is_owner(cx, one)),
        prevent_key_deletion: one.prevent_deletion,
        key_version: VersionBody::new(&one.version),
    }
}

fn single(cx: &Context, status: StatusCode, one: &Registration) -> HttpResponse {
    let body = Collection::new(REGISTRATION, vec![body_of(cx, one)], WhenEmpty::EmptyArray);
    with_etag(envelope::reply(status, REGISTRATION, &body), cx, one)
}

fn page_of(cx: &Context, page: &registrations::Page) -> HttpResponse {
    let all = page.registrations.iter().map(|one| body_of(cx, one)).collect();
    let mut body = Collection::new(REGISTRATION, all, WhenEmpty::EmptyArray);
    body.metadata.total_count = page.total;
    let response = envelope::reply(StatusCode::OK, REGISTRATION, &body);
    match page.registrations.as_slice() {
        [one] => with_etag(response, cx, one),
        _ => response,
    }
}

/// Services are told how to name the state of a single registration. Source: Node client of services.
fn with_etag(mut response: HttpResponse, cx: &Context, one: &Registration) -> HttpResponse {
    if cx.caller.identity.kind == IdentityKind::Service
        && let Ok(tag) = HeaderValue::from_str(&registrations::etag(one))
    {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}
