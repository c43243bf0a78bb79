//! One key: create, read, move, delete, restore, purge.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;

use crate::app::create_key::create_key;
use crate::app::delete_key::{self, Reply};
use crate::app::error::Error;
use crate::app::patch_key::patch_key;
use crate::app::read_key::{Depth, get_key};
use crate::domain::context::{Context, RingScope};
use crate::domain::key::Kind;
use crate::domain::operation::Operation;
use crate::domain::reason::{BodyFault, Reason};
use crate::http::json;
use crate::http::key_protect::draft::{self, Policies};
use crate::http::key_protect::entry::{enter, enter_with_body, key_ref, reply_wanted, wants_representation};
use crate::http::key_protect::render::{self, Form, Scene};
use crate::http::query::Query;
use crate::http::state::State;

/// `POST /keys`
pub(crate) async fn create(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    let make = async |cx, bytes| make(&request, bytes, &state, cx, Policies::Ignored).await;
    enter_with_body(&request, Some(payload), &state, Operation::CreateKey, make).await
}

/// `POST /keys_with_policy_overrides`
pub(crate) async fn create_with_policies(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    let make = async |cx, bytes| make(&request, bytes, &state, cx, Policies::Read).await;
    enter_with_body(&request, Some(payload), &state, Operation::CreateKeyWithPolicies, make).await
}

async fn make(
    request: &HttpRequest,
    bytes: Bytes,
    state: &State,
    cx: Arc<Context>,
    policies: Policies,
) -> Result<HttpResponse, Error> {
    let (instance, now) = (cx.instance.clone(), cx.now);
    let created = create_key(&state.app, cx, draft::read(&bytes, now, policies)).await?;
    let form = match (wants_representation(request), policies) {
        (true, _) => Form::Full,
        (false, Policies::Ignored) => Form::Short,
        (false, Policies::Read) => Form::ShortWithPolicies,
    };
    let shown = form == Form::Full && created.key.kind == Kind::Standard;
    let scene = Scene { instance: &instance, now };
    let body = render::key(scene, &created.key, form, shown.then_some(&created.material));
    Ok(render::one(StatusCode::CREATED, body))
}

/// `GET /keys/{id}`
pub(crate) async fn get(request: HttpRequest, state: Data<State>) -> HttpResponse {
    read(&request, &state, Operation::GetKey, Depth::Whole).await
}

/// `GET /keys/{id}/metadata`
pub(crate) async fn get_metadata(request: HttpRequest, state: Data<State>) -> HttpResponse {
    read(&request, &state, Operation::GetKeyMetadata, Depth::Metadata).await
}

async fn read(request: &HttpRequest, state: &State, operation: Operation, depth: Depth) -> HttpResponse {
    enter(request, state, operation, async |cx| {
        let (instance, now) = (cx.instance.clone(), cx.now);
        let seen = get_key(&state.app, cx, key_ref(request), depth).await?;
        let scene = Scene { instance: &instance, now };
        Ok(render::one(StatusCode::OK, render::key(scene, &seen.key, Form::Full, seen.material.as_ref())))
    })
    .await
}

/// `PATCH /keys/{id}`
pub(crate) async fn patch(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    enter_with_body(&request, Some(payload), &state, Operation::PatchKey, async |cx, bytes| {
        let (instance, now) = (cx.instance.clone(), cx.now);
        let key = patch_key(&state.app, cx, key_ref(&request), target_ring(&bytes)).await?;
        let scene = Scene { instance: &instance, now };
        Ok(render::one(StatusCode::OK, render::key(scene, &key, Form::Full, None)))
    })
    .await
}

/// `{"keyRingID":"…"}` without an envelope.
fn target_ring(bytes: &[u8]) -> Result<RingScope, Reason> {
    let fields = json::parse(bytes)?.required()?;
    // The Go client sends an empty text where its caller gave none.
    let ring =
        fields.text("keyringid")?.filter(|ring| !ring.is_empty()).ok_or(Reason::BadBody(BodyFault::Malformed))?;
    Ok(RingScope::parse(ring))
}

/// `DELETE /keys/{id}`
pub(crate) async fn delete(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::DeleteKey, async |cx| {
        let (instance, now, reply) = (cx.instance.clone(), cx.now, reply_wanted(&request));
        let force = Query::of(&request).force();
        let seen = delete_key::delete_key(&state.app, cx, key_ref(&request), force, reply).await?;
        let scene = Scene { instance: &instance, now };
        Ok(ended(reply, render::key(scene, &seen.key, Form::Full, seen.material.as_ref())))
    })
    .await
}

/// `DELETE /keys/{id}/purge`
pub(crate) async fn purge(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::PurgeKey, async |cx| {
        let (instance, now, reply) = (cx.instance.clone(), cx.now, reply_wanted(&request));
        let key = delete_key::purge_key(&state.app, cx, key_ref(&request), reply).await?;
        let scene = Scene { instance: &instance, now };
        Ok(ended(reply, render::key(scene, &key, Form::Full, None)))
    })
    .await
}

/// `POST /keys/{id}/restore`: a body is ignored, `prefer` too.
pub(crate) async fn restore(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    let restore = async |cx, _| restored(&request, &state, cx).await;
    enter_with_body(&request, Some(payload), &state, Operation::RestoreKey, restore).await
}

/// Restores a key, by its own route or the legacy one.
///
/// # Errors
/// As [`delete_key::restore_key`].
pub(crate) async fn restored(request: &HttpRequest, state: &State, cx: Arc<Context>) -> Result<HttpResponse, Error> {
    let (instance, now) = (cx.instance.clone(), cx.now);
    let key = delete_key::restore_key(&state.app, cx, key_ref(request)).await?;
    let scene = Scene { instance: &instance, now };
    Ok(render::one(StatusCode::CREATED, render::key(scene, &key, Form::Full, None)))
}

fn ended(reply: Reply, body: render::KeyBody<'_>) -> HttpResponse {
    match reply {
        Reply::Minimal => HttpResponse::NoContent().finish(),
        Reply::Representation => render::one(StatusCode::OK, body),
    }
}
