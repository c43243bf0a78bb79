//! `/kmip_adapters/{adapter}/kmip_objects`

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::app::kmip::objects::{ObjectQuery, delete_object, get_object, list_objects};
use crate::domain::id::ObjectId;
use crate::domain::kmip::Mark;
use crate::domain::kmip::object::{Object, ObjectState, SYMMETRIC_KEY};
use crate::domain::kmip::operation::KmipOperation;
use crate::domain::operation::Operation;
use crate::domain::reason::Reason;
use crate::http::key_protect::entry::enter;
use crate::http::key_protect::envelope::KMIP_OBJECT;
use crate::http::key_protect::kmip::{adapter_ref, counted, many, one, page};
use crate::http::query::{PAGE_MAX, Query};
use crate::http::state::State;

/// An object; what has not happened is left out, as is the certificate of what the REST API did.
#[derive(Serialize)]
pub(crate) struct ObjectBody {
    id: String,
    kmip_object_type: u8,
    state: u8,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by_kmip_client_cert_id: Option<String>,
    created_by: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by_kmip_client_cert_id: Option<String>,
    updated_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    destroyed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destroyed_by_kmip_client_cert_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destroyed_by: Option<String>,
    /// Deletion is for good. Source: docs, kmip; that a living object shows the same is ASSUMED.
    recoverable: bool,
}

impl ObjectBody {
    /// An object's body.
    pub(crate) fn of(object: Object) -> Self {
        let destroyed = object.destroyed;
        Self {
            id: object.id.to_string(),
            kmip_object_type: SYMMETRIC_KEY,
            state: object.state.number(),
            created_at: object.created.at.rfc3339_millis(),
            created_by_kmip_client_cert_id: certificate(&object.created),
            created_by: object.created.by,
            updated_at: object.updated.at.rfc3339_millis(),
            updated_by_kmip_client_cert_id: certificate(&object.updated),
            updated_by: object.updated.by,
            destroyed_at: destroyed.as_ref().map(|mark| mark.at.rfc3339_millis()),
            destroyed_by_kmip_client_cert_id: destroyed.as_ref().and_then(certificate),
            destroyed_by: destroyed.map(|mark| mark.by),
            recoverable: false,
        }
    }
}

fn certificate(mark: &Mark) -> Option<String> {
    mark.certificate.map(|certificate| certificate.to_string())
}

/// `GET /kmip_adapters/{adapter}/kmip_objects`
pub(crate) async fn list(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::Kmip(KmipOperation::ListObjects), async |cx| {
        let query = Query::of(&request);
        let counted = counted(&query);
        let wanted = object_query(&query).and_then(|wanted| counted.clone().map(|_| wanted));
        let listed = list_objects(&state.app, cx, adapter_ref(&request), wanted).await?;
        let bodies = listed.shown.into_iter().map(ObjectBody::of).collect();
        Ok(many(KMIP_OBJECT, bodies, counted?.then_some(listed.total)))
    })
    .await
}

/// `GET /kmip_adapters/{adapter}/kmip_objects/{object}`
pub(crate) async fn get(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::Kmip(KmipOperation::GetObject), async |cx| {
        let found = get_object(&state.app, cx, adapter_ref(&request), named(&request)).await?;
        Ok(one(StatusCode::OK, KMIP_OBJECT, ObjectBody::of(found)))
    })
    .await
}

/// `DELETE /kmip_adapters/{adapter}/kmip_objects/{object}`
pub(crate) async fn delete(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::Kmip(KmipOperation::DeleteObject), async |cx| {
        let force = Query::of(&request).force();
        delete_object(&state.app, cx, adapter_ref(&request), named(&request), force).await?;
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}

fn named(request: &HttpRequest) -> Option<ObjectId> {
    request.match_info().get("object").and_then(ObjectId::parse)
}

fn object_query(query: &Query<'_>) -> Result<ObjectQuery, Reason> {
    let page = page(query, PAGE_MAX)?;
    // The Python SDK 2 repeats the parameter for each state; 3 sends an empty one where nobody asked.
    let states = match query.all("state").join(",").as_str() {
        "" => ObjectState::LIVING.to_vec(),
        text => states(text)?,
    };
    Ok(ObjectQuery { states, page })
}

/// A comma list of integers from 1 to 6, without blanks or a trailing comma.
fn states(text: &str) -> Result<Vec<ObjectState>, Reason> {
    const RULE: &str = "a list of integers between 1 and 6 (inclusive), separated by commas";
    let one = |number: &str| match number.as_bytes() {
        [digit @ b'0'..=b'9'] => ObjectState::of_number(digit - b'0'),
        _ => None,
    };
    let all: Option<Vec<ObjectState>> = text.split(',').map(one).collect();
    all.ok_or_else(|| Reason::query("state", RULE))
}
