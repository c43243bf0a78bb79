//! The body of an event, made once and sent with each attempt. Source: `docs/contract/events.md` 3.1.

use serde::Serialize;

use crate::domain::crn;
use crate::domain::event::{Event, Novelty};
use crate::domain::instance::Instance;
use crate::domain::key::Version;
use crate::domain::registration::Registration;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    spec_version: &'a str,
    event_id: String,
    event_type: &'a str,
    renotification: bool,
    event_time: String,
    deadline: String,
    correlation_id: &'a str,
    instance_id: String,
    key_id: String,
    key_crn: String,
    key_state: u8,
    requested_key_state: &'a str,
    new_key_version: Option<VersionBody>,
    old_key_version: Option<VersionBody>,
    resource_crn: &'a str,
    registration: RegistrationBody<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VersionBody {
    id: String,
    creation_date: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RegistrationBody<'a> {
    description: Option<&'a str>,
    registration_metadata: Option<&'a str>,
    prevent_key_deletion: bool,
}

/// The body's text.
pub(crate) fn render(event: &Event, novelty: Novelty, instance: &Instance, registration: &Registration) -> String {
    let body = Body {
        spec_version: "1",
        event_id: event.id.to_string(),
        event_type: event.kind.name(),
        renotification: novelty == Novelty::Again,
        event_time: event.at.rfc3339(),
        deadline: event.deadline().rfc3339(),
        correlation_id: &event.correlation,
        instance_id: event.instance.to_string(),
        key_id: event.key.to_string(),
        key_crn: crn::of_key(instance, event.key),
        key_state: event.key_state,
        requested_key_state: event.kind.requested_state(),
        new_key_version: event.turn.map(|turn| version(&turn.new)),
        old_key_version: event.turn.map(|turn| version(&turn.old)),
        resource_crn: event.resource.as_str(),
        registration: RegistrationBody {
            description: registration.description.as_deref(),
            registration_metadata: registration.metadata.as_deref(),
            prevent_key_deletion: registration.prevent_deletion,
        },
    };
    let text = serde_json::to_string(&body);
    debug_assert!(text.is_ok(), "a body that is no JSON");
    text.unwrap_or_default()
}

fn version(version: &Version) -> VersionBody {
    VersionBody { id: version.id.to_string(), creation_date: version.created_at.rfc3339() }
}
