//! The outbox: events and their deliveries, written in the transaction of the change that they tell of.

use crate::app::App;
use crate::app::error::Error;
use crate::app::event_body;
use crate::domain::context::Context;
use crate::domain::event::{Event, Happening, Outcome, Turn};
use crate::domain::key::{Key, Kind};
use crate::domain::registration::Registration;
use crate::domain::subscriber::Subscriber;
use crate::store::deliveries::{Line, NewDelivery};
use crate::store::tx::Tx;
use crate::store::{deliveries, events, registrations, subscribers};

/// Tells the services behind a root key's registrations: one event a registration, on its way to each subscriber that
/// wants it. `None` tells nothing.
///
/// # Errors
/// The store's; when there are no random bytes.
///
/// Source: former guide for adopting services; `docs/contract/reliability.md` T-04, T-05.
pub(crate) fn publish(
    app: &App,
    tx: &Tx<'_>,
    cx: &Context,
    key: &Key,
    happening: Option<Happening>,
) -> Result<(), Error> {
    let Some(happening) = happening.filter(|_| key.kind == Kind::Root) else { return Ok(()) };
    let registrations = registrations::of_key(tx, key.id)?;
    if registrations.is_empty() {
        return Ok(());
    }
    let subscribers = subscribers::all(tx)?;
    for registration in &registrations {
        tell(app, tx, cx, key, happening, registration, &subscribers)?;
    }
    Ok(())
}

fn tell(
    app: &App,
    tx: &Tx<'_>,
    cx: &Context,
    key: &Key,
    happening: Happening,
    registration: &Registration,
    subscribers: &[Subscriber],
) -> Result<(), Error> {
    let event = Event {
        id: app.vault.event_id()?,
        kind: happening.kind,
        key: key.id,
        instance: key.instance,
        resource: registration.resource.clone(),
        correlation: cx.trace.correlation.clone(),
        at: cx.now.whole_seconds(),
        key_state: key.state.number(),
        turn: happening.former.map(|old| Turn { new: key.version, old }),
        outcome: Outcome::Open,
    };
    let body = event_body::render(&event, happening.novelty, &cx.instance, registration);
    let seq = events::insert(tx, &event, &body, &events::KEEP)?;
    let mut wanted = subscribers.iter().filter(|one| one.wants(event.kind, &event.resource)).peekable();
    if wanted.peek().is_none() {
        let line = Line { subscriber: None, key: key.id, resource: &event.resource };
        let id = app.vault.delivery_id()?;
        return Ok(deliveries::insert(tx, &NewDelivery { id, event: seq, line, first_at: None })?);
    }
    for subscriber in wanted {
        let line = Line { subscriber: Some(&subscriber.name), key: key.id, resource: &event.resource };
        let first_at = if deliveries::is_held(tx, line)? { None } else { Some(cx.now) };
        deliveries::insert(tx, &NewDelivery { id: app.vault.delivery_id()?, event: seq, line, first_at })?;
    }
    Ok(())
}
