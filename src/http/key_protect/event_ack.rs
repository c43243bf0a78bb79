//! `POST /event_ack`: adopting services acknowledge events. Source: `docs/contract/events.md` 4.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

use crate::app::event_ack::acknowledge;
use crate::domain::acknowledgement::{Acknowledgement, AdopterState};
use crate::domain::id::{EventId, VersionId};
use crate::domain::operation::Operation;
use crate::domain::reason::{BodyFault, Reason};
use crate::domain::time::Timestamp;
use crate::http::json::{self, Fields};
use crate::http::key_protect::entry::enter_with_body;
use crate::http::key_protect::single::{Expected, single_resource};
use crate::http::state::State;

/// Source: former guide for adopting services.
const EVENT_ACKNOWLEDGE: Expected<'_> =
    Expected { kinds: &["application/vnd.ibm.kms.event_acknowledge+json"], many: BodyFault::ManyAcknowledgements };

/// `POST /event_ack`
pub(crate) async fn acknowledge_event(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    enter_with_body(&request, Some(payload), &state, Operation::AcknowledgeEvent, async |cx, bytes| {
        acknowledge(&state.app, cx, read(&bytes)).await?;
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}

fn read(bytes: &[u8]) -> Result<Acknowledgement, Reason> {
    let resource = single_resource(&json::parse(bytes)?.required()?, EVENT_ACKNOWLEDGE)?;
    let event = needed(&resource, "eventid", "eventId", "the id of an event")?;
    let state = needed(&resource, "adopterkeystate", "adopterKeyState", AdopterState::RULE)?;
    let state = AdopterState::parse(state).ok_or_else(|| Reason::field("adopterKeyState", AdopterState::RULE))?;
    let at = needed(&resource, "timestamp", "timestamp", TIME_RULE)?;
    let at = Timestamp::parse(at).ok_or_else(|| Reason::field("timestamp", TIME_RULE))?;
    let rewrapped = rewrapped(&resource)?;
    if state == AdopterState::Enabled && rewrapped.is_none() {
        return Err(Reason::field("rewrappedKeyVersion", VERSION_RULE));
    }
    let named = resource.text("resourcecrn")?.map(str::to_owned);
    Ok(Acknowledgement { event: EventId::parse(event), state, at, rewrapped, resource: named })
}

const TIME_RULE: &str = "a time of RFC 3339";
const VERSION_RULE: &str = "the id of the key version that wraps the data key, present when the state is DEK_ENABLED";

fn rewrapped(resource: &Fields) -> Result<Option<VersionId>, Reason> {
    let Some(data) = resource.object("keystatedata")? else { return Ok(None) };
    let Some(text) = data.text("rewrappedkeyversion")? else { return Ok(None) };
    VersionId::parse(text).map(Some).ok_or_else(|| Reason::field("rewrappedKeyVersion", VERSION_RULE))
}

fn needed<'a>(resource: &'a Fields, member: &str, name: &'static str, rule: &'static str) -> Result<&'a str, Reason> {
    match resource.get(member) {
        Some(Value::String(text)) => Ok(text),
        None | Some(_) => Err(Reason::field(name, rule)),
    }
}
