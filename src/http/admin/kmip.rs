//! `POST /mock/kmip-objects`: puts an object into a KMIP adapter, since the protocol is not spoken.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value};

use crate::app::kmip::objects::{PlantRefusal, plant as plant_object};
use crate::domain::id::{AdapterId, InstanceId};
use crate::domain::kmip::Reference;
use crate::domain::kmip::object::{Object, ObjectState};
use crate::http::admin::errors::{AdminError, respond};
use crate::http::admin::parameters::{members, text};
use crate::http::key_protect::kmip::objects::ObjectBody;
use crate::http::state::State;

const MEMBERS: [&str; 3] = ["instanceId", "adapter", "state"];

/// `POST /mock/kmip-objects`
pub(crate) async fn plant(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    respond(async {
        let object = answer(&request, payload, &state).await?;
        Ok(HttpResponse::Created().json(ObjectBody::of(object)))
    })
    .await
}

async fn answer(request: &HttpRequest, payload: Payload, state: &State) -> Result<Object, AdminError> {
    let members = members(request, payload, &MEMBERS).await?;
    let instance = needed(&members, "instanceId")?;
    let adapter = needed(&members, "adapter")?;
    let object_state = object_state(&members)?;
    let now = state.now().await;
    let reference = Reference::parse(adapter, AdapterId::parse);
    let planted = plant_object(&state.app, InstanceId::parse(instance), reference, object_state, now).await;
    planted.map_err(|refusal| match refusal {
        PlantRefusal::NoInstance => unknown("instanceId", "no Key Protect instance has this id"),
        PlantRefusal::NoAdapter => unknown("adapter", "the instance has no KMIP adapter of this name or id"),
        PlantRefusal::Fault(fault) => fault.into(),
    })
}

fn needed<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, AdminError> {
    text(members, name)?.ok_or_else(|| AdminError::bad_field(name, "is needed"))
}

/// The state; active where none is given.
fn object_state(members: &Map<String, Value>) -> Result<ObjectState, AdminError> {
    let number = match members.get("state") {
        None | Some(Value::Null) => return Ok(ObjectState::Active),
        Some(Value::Number(number)) if number.is_i64() || number.is_u64() => number.as_u64(),
        Some(_) => return Err(AdminError::bad_field("state", "must be a whole number")),
    };
    let state = number.and_then(|number| u8::try_from(number).ok()).and_then(ObjectState::of_number);
    state.ok_or_else(|| AdminError::impossible("state", "must be between 1 and 6"))
}

fn unknown(path: &str, message: &str) -> AdminError {
    AdminError { path: Some(path.to_owned()), ..AdminError::plain(StatusCode::NOT_FOUND, "not_found", message) }
}
