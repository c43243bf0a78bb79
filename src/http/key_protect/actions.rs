//! Actions on a key, by path and in the legacy form by query.

use std::sync::Arc;

use actix_web::guard::GuardContext;
use actix_web::http::Method;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;

use crate::app::error::Error;
use crate::app::key_state;
use crate::app::lookup;
use crate::app::rotate_key::{NewMaterial, rotate_key};
use crate::app::wrap;
use crate::domain::access::Place;
use crate::domain::context::Context;
use crate::domain::key::Kind;
use crate::domain::operation::Operation;
use crate::domain::reason::Reason;
use crate::http::json;
use crate::http::key_protect::entry::{self, enter_with_body, key_ref};
use crate::http::key_protect::envelope::action_reply;
use crate::http::key_protect::payload::{self, Payload as Given};
use crate::http::key_protect::{KEYS, keys, wrapping};
use crate::http::query::Query;
use crate::http::state::State;

/// True for `POST /keys/{id}/actions/{wrap, unwrap or rewrap}`.
pub(crate) fn is_of_data_plane(request: &GuardContext<'_>) -> bool {
    let head = request.head();
    head.method == Method::POST && head.uri.path().strip_prefix(KEYS).and_then(entry::of_data_plane).is_some()
}

/// `POST /keys/{id}/actions/{action}`
pub(crate) async fn act(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    let Some(operation) = entry::action_text(&request).and_then(Operation::of_action) else {
        return Box::pin(entry::unknown_path(request, payload, state)).await;
    };
    let run = async |cx, bytes| run(&request, bytes, &state, cx).await;
    enter_with_body(&request, Some(payload), &state, operation, run).await
}

/// `POST /keys/{id}?action=…`
pub(crate) async fn act_by_query(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    let operation = Query::of(&request).get("action").and_then(Operation::of_legacy_action);
    let operation = operation.unwrap_or(Operation::UnknownAction);
    let run = async |cx, bytes| run(&request, bytes, &state, cx).await;
    enter_with_body(&request, Some(payload), &state, operation, run).await
}

async fn run(request: &HttpRequest, bytes: Bytes, state: &State, cx: Arc<Context>) -> Result<HttpResponse, Error> {
    let app = &state.app;
    let key = key_ref(request);
    let text = if cx.operation == Operation::Wrap {
        wrapping::wrapped(&wrap::wrap(app, cx, &key, wrapping::read_wrap(&bytes)).await?)
    } else if cx.operation == Operation::Unwrap {
        wrapping::unwrapped(&wrap::unwrap(app, cx, &key, wrapping::read_unwrap(&bytes)).await?)
    } else if cx.operation == Operation::Rewrap {
        wrapping::rewrapped(&wrap::rewrap(app, cx, &key, wrapping::read_unwrap(&bytes)).await?)
    } else {
        // Boxed: what a change waits with would make the future of each wrap larger.
        return Box::pin(change(request, bytes, state, cx)).await;
    };
    Ok(action_reply(text))
}

/// The actions that change a key.
async fn change(request: &HttpRequest, bytes: Bytes, state: &State, cx: Arc<Context>) -> Result<HttpResponse, Error> {
    let app = &state.app;
    let key = key_ref(request);
    let done = match cx.operation {
        Operation::RestoreKey => return keys::restored(request, state, cx).await,
        Operation::Rotate => rotate_key(app, cx, key, read_rotate(&bytes)).await,
        Operation::Disable => key_state::disable_key(app, cx, key).await,
        Operation::Enable => key_state::enable_key(app, cx, key).await,
        Operation::SetForDeletion => key_state::set_for_deletion(app, cx, key).await,
        Operation::UnsetForDeletion => key_state::unset_for_deletion(app, cx, key).await,
        Operation::Sync => key_state::sync_key(app, cx, key).await,
        Operation::Wrap
        | Operation::Unwrap
        | Operation::Rewrap
        | Operation::CreateKey
        | Operation::CreateKeyWithPolicies
        | Operation::ListKeys
        | Operation::CountKeys
        | Operation::GetKey
        | Operation::GetKeyMetadata
        | Operation::GetKeyVersions
        | Operation::PatchKey
        | Operation::DeleteKey
        | Operation::PurgeKey
        | Operation::UnknownAction
        | Operation::CreateAlias
        | Operation::DeleteAlias
        | Operation::GetPolicies
        | Operation::SetPolicies
        | Operation::GetInstancePolicies
        | Operation::SetInstancePolicies
        | Operation::GetAllowedIpPort
        | Operation::ListRegistrations
        | Operation::ListAllRegistrations
        | Operation::CreateRegistration
        | Operation::ReplaceRegistration
        | Operation::UpdateRegistration
        | Operation::DeleteRegistration
        | Operation::ListKeyRings
        | Operation::CreateKeyRing
        | Operation::DeleteKeyRing
        | Operation::CreateImportToken
        | Operation::GetImportToken
        | Operation::AcknowledgeEvent
        | Operation::EndEvent(_)
        | Operation::Expire
        | Operation::Kmip(_)
        | Operation::Unrouted(_) => Err(refuse_action(app, cx, &key).await),
    };
    done.map(|()| HttpResponse::NoContent().finish())
}

/// A key that is not there outranks an action that is none.
async fn refuse_action(app: &Arc<crate::app::App>, cx: Arc<Context>, key: &crate::domain::alias::KeyRef) -> Error {
    const RULE: &str =
        "disable, enable, restore, rewrap, rotate, setKeyForDeletion, unsetKeyForDeletion, unwrap or wrap";
    if let Err(reason) = cx.allow(Place::Anywhere) {
        return reason.into();
    }
    let wanted = key.clone();
    let found = app.read(move |tx| lookup::key(tx, &cx, &wanted)).await;
    found.err().unwrap_or_else(|| Reason::query("action", RULE).into())
}

/// `{"payload"?, "encryptedNonce"?, "iv"?, "encryptionAlgorithm"?}` or nothing.
fn read_rotate(bytes: &[u8]) -> Result<NewMaterial, Reason> {
    let fields = json::parse(bytes)?.or_empty();
    Ok(match payload::read(&fields, Kind::Root)? {
        Given::None => NewMaterial::Generated,
        Given::Plain(material) => NewMaterial::Given(material),
        Given::Sealed(sealed) => NewMaterial::Sealed(sealed),
    })
}
