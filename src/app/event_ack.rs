//! `event_ack`: adopting services say what they made of an event. Source: `docs/contract/events.md` 4.

use std::sync::Arc;

use crate::app::App;
use crate::app::error::Error;
use crate::app::settle::Settling;
use crate::domain::access::Place;
use crate::domain::acknowledgement::{Acknowledgement, Fit, fit};
use crate::domain::audit::Record;
use crate::domain::caller::IdentityKind;
use crate::domain::context::Context;
use crate::domain::event::{Event, EventKind, Outcome};
use crate::domain::key::Version;
use crate::domain::reason::Reason;
use crate::domain::registration::RegistrationDraft;
use crate::store::events::Stored;
use crate::store::tx::Tx;
use crate::store::{events, key_versions, keys, registrations};

/// Takes an acknowledgement: its event ends as a success, or as a failure where the states are at odds.
///
/// # Errors
/// `ServiceOnly`; what the body breaks; `EventNotFound`, also for another service's event; `EventExpired` once it has
/// ended as a failure; `KeyVersionInvalid`.
///
/// Source: former guide for adopting services, crypto-erasure, dek-rewrapping; statuses and codes are ASSUMED.
pub(crate) async fn acknowledge(
    app: &Arc<App>,
    cx: Arc<Context>,
    body: Result<Acknowledgement, Reason>,
) -> Result<(), Error> {
    cx.allow(Place::Anywhere)?;
    if cx.caller.identity.kind != IdentityKind::Service {
        return Err(Reason::ServiceOnly.into());
    }
    let acknowledged = body?;
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let stored = event(tx, &cx, &acknowledged)?;
        let event = &stored.event;
        let key = keys::get(tx, event.key)?.ok_or(Reason::EventNotFound)?;
        cx.allow(Place::Key(&key.ring, key.id))?;
        if cx.ring.as_ref().is_some_and(|ring| !ring.holds(&key.ring)) {
            return Err(Reason::EventNotFound.into());
        }
        match event.outcome {
            Outcome::Open => settle(&shared, tx, &cx, &stored, &acknowledged)?,
            Outcome::Succeeded => {}
            Outcome::Failed => return Err(Reason::EventExpired.into()),
            Outcome::Dropped => return Err(Reason::EventNotFound.into()),
        }
        let mut record = Record::of(&cx, 204).about(&key);
        record.respond("eventId", event.id.to_string());
        shared.record(tx, record)
    })
    .await
}

/// The event, if it is one of the caller's.
fn event(tx: &Tx<'_>, cx: &Context, acknowledged: &Acknowledgement) -> Result<Stored, Error> {
    let stored = match acknowledged.event {
        Some(id) => events::find(tx, id)?,
        None => None,
    };
    let own =
        |event: &Event| event.instance == cx.instance.id && event.resource.belongs_to(&cx.caller.identity.subject);
    let stored = stored.filter(|stored| own(&stored.event)).ok_or(Reason::EventNotFound)?;
    let other = acknowledged.resource.as_ref().is_some_and(|named| named != stored.event.resource.as_str());
    if other { Err(Reason::field("resourceCrn", "the resource that the event is about").into()) } else { Ok(stored) }
}

/// Ends an open event as an acknowledgement says, in the caller's transaction.
///
/// # Errors
/// `KeyVersionInvalid`, or a fault.
pub(crate) fn settle(
    app: &App,
    tx: &Tx<'_>,
    cx: &Context,
    stored: &Stored,
    acknowledged: &Acknowledgement,
) -> Result<(), Error> {
    let versions = key_versions::page(tx, stored.event.key, -1, 0)?.versions;
    let fit = fit(&stored.event, acknowledged, &versions)?;
    let mut settling = Settling::new(app, tx);
    match fit {
        Fit::Fits => {
            settling.acknowledged(stored, acknowledged, cx.now)?;
            move_registration(tx, cx, &stored.event, acknowledged, &versions)?;
        }
        Fit::Conflict => settling.conflict(stored, acknowledged, cx.now)?,
    }
    settling.finish()
}

/// The registration's version moves to the one that now wraps the data key, never back.
fn move_registration(
    tx: &Tx<'_>,
    cx: &Context,
    event: &Event,
    acknowledged: &Acknowledgement,
    versions: &[Version],
) -> Result<(), Error> {
    if event.kind != EventKind::Rotation {
        return Ok(());
    }
    let Some(mut one) = registrations::get(tx, event.key, &event.resource)? else { return Ok(()) };
    // Newest first: a smaller place is a newer version.
    let place = |version: &Version| versions.iter().position(|known| known.id == version.id);
    let named = acknowledged.rewrapped.and_then(|id| versions.iter().find(|version| version.id == id));
    let Some(version) = named.filter(|version| place(version) < place(&one.version)) else { return Ok(()) };
    one.change(RegistrationDraft::default(), Some(*version), &cx.caller.identity.subject, cx.now);
    Ok(registrations::update(tx, &one)?)
}
