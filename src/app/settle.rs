//! How deliveries and events end: by answers, acknowledgements, time, or because what they are about has gone. Each event
//! has one audit record, written with its end.

use std::collections::HashMap;
use std::sync::Arc;

use crate::app::App;
use crate::app::error::Error;
use crate::app::itself;
use crate::domain::acknowledgement::Acknowledgement;
use crate::domain::attempt::Answer;
use crate::domain::audit::{Datum, Record, Side};
use crate::domain::delivery::{Attempt, Cause, DeliveryState};
use crate::domain::event::{Event, EventKind, Outcome};
use crate::domain::id::KeyId;
use crate::domain::key::Key;
use crate::domain::operation::Operation;
use crate::domain::registration::ResourceCrn;
use crate::domain::subscriber::Ack;
use crate::domain::time::Timestamp;
use crate::store::events::Stored;
use crate::store::tx::Tx;
use crate::store::{deliveries, events, keys};

const NOT_IN_TIME: &str = "The resource was not notified, or did not acknowledge, within 4 hours of the action";

/// What came of an attempt.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    /// The delivery's place.
    pub(crate) delivery: i64,
    pub(crate) cause: Cause,
    /// When it was due.
    pub(crate) due_at: Timestamp,
    pub(crate) at: Timestamp,
    pub(crate) answered_at: Timestamp,
    /// `None` when nothing was sent, since it was no longer wanted.
    pub(crate) answer: Option<Answer>,
    /// How the subscriber acknowledges.
    pub(crate) ack: Ack,
}

/// Why an event ends, for its record.
enum End<'a> {
    /// All subscribers answered with success.
    Answered,
    Acknowledged(&'a Acknowledgement),
    Conflict(&'a Acknowledgement),
    NotInTime,
}

/// Ends of events in one transaction.
pub(crate) struct Settling<'a> {
    app: &'a App,
    tx: &'a Tx<'a>,
    keys: HashMap<KeyId, Option<Arc<Key>>>,
    records: Vec<Record>,
}

impl<'a> Settling<'a> {
    /// Begins; nothing of it holds before [`Settling::finish`].
    pub(crate) fn new(app: &'a App, tx: &'a Tx<'a>) -> Self {
        Self { app, tx, keys: HashMap::new(), records: Vec::new() }
    }

    /// Writes the records.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn finish(self) -> Result<(), Error> {
        self.app.record_all(self.tx, &self.records)
    }

    /// Takes what came of an attempt.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn attempt(&mut self, made: &Made) -> Result<(), Error> {
        let Some(mut one) = deliveries::get(self.tx, made.delivery)? else { return Ok(()) };
        let before = one.course.state;
        one.claimed = false;
        let Some(answer) = &made.answer else { return Ok(deliveries::save(self.tx, &one, made.answered_at)?) };
        one.attempts += 1;
        let attempt = Attempt { n: one.attempts, at: made.at, cause: made.cause, answer: answer.clone() };
        deliveries::log(self.tx, one.seq, &attempt)?;
        one.course = one.course.after(made.cause, made.at, made.answered_at, answer, made.ack);
        if made.cause == Cause::Redelivery {
            one.redeliveries = one.redeliveries.saturating_sub(1);
        }
        deliveries::save(self.tx, &one, made.answered_at)?;
        if before == DeliveryState::Pending && one.course.state != DeliveryState::Pending {
            deliveries::release(self.tx, one.line(), made.answered_at)?;
        }
        if one.course.state == DeliveryState::Succeeded && before != DeliveryState::Succeeded {
            self.end_if_all_succeeded(one.event, made.answered_at)?;
        }
        Ok(())
    }

    /// Ends an event whose window is over.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn give_up(&mut self, stored: &Stored) -> Result<(), Error> {
        let at = stored.event.deadline();
        close(self.tx, stored.seq, Outcome::Failed, Some(at))?;
        self.record(&stored.event, at, &End::NotInTime)
    }

    /// Ends an event that its service has acknowledged.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn acknowledged(&mut self, stored: &Stored, by: &Acknowledgement, at: Timestamp) -> Result<(), Error> {
        close(self.tx, stored.seq, Outcome::Succeeded, Some(at))?;
        self.record(&stored.event, at, &End::Acknowledged(by))
    }

    /// Ends an event whose service is in a state at odds with it.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn conflict(&mut self, stored: &Stored, by: &Acknowledgement, at: Timestamp) -> Result<(), Error> {
        close(self.tx, stored.seq, Outcome::Failed, Some(at))?;
        self.record(&stored.event, at, &End::Conflict(by))
    }

    /// Drops the open deliveries of a subscriber that goes.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn subscriber_gone(&mut self, name: &str, at: Timestamp) -> Result<(), Error> {
        for mut one in deliveries::open_of_subscriber(self.tx, name)? {
            one.course.state = DeliveryState::Dropped;
            one.course.next_at = None;
            deliveries::save(self.tx, &one, at)?;
            self.end_if_all_succeeded(one.event, at)?;
        }
        Ok(deliveries::forget_asked(self.tx, name)?)
    }

    /// Success is when all have succeeded that were not dropped.
    fn end_if_all_succeeded(&mut self, event: i64, at: Timestamp) -> Result<(), Error> {
        let all = deliveries::of_event(self.tx, event)?;
        let mut left = all.iter().filter(|one| one.course.state != DeliveryState::Dropped).peekable();
        if left.peek().is_none() || left.any(|one| one.course.state != DeliveryState::Succeeded) {
            return Ok(());
        }
        let stored = events::get(self.tx, event)?.filter(|stored| stored.event.outcome == Outcome::Open);
        let Some(stored) = stored else { return Ok(()) };
        events::close(self.tx, stored.seq, Outcome::Succeeded)?;
        self.record(&stored.event, at, &End::Answered)
    }

    /// Key Protect itself tells how it ended. Source: docs, at-events; `docs/contract/events.md` 5.4.
    fn record(&mut self, event: &Event, at: Timestamp, end: &End<'_>) -> Result<(), Error> {
        let Some(instance) = self.app.memory.instances.get(event.instance) else { return Ok(()) };
        let (status, failure) = match end {
            End::Answered | End::Acknowledged(_) => (200, String::new()),
            End::NotInTime => (408, NOT_IN_TIME.to_owned()),
            End::Conflict(said) => (409, conflict_text(event, said)),
        };
        let cx = itself::context(instance, Operation::EndEvent(event.kind), at, event.correlation.clone());
        let mut record = Record::of(&cx, status);
        record = match self.key(event.key)? {
            Some(key) => record.about(&key),
            None => record,
        };
        record.target.key = Some(event.key);
        record.failure = failure;
        describe(&mut record, event, at, end);
        self.records.push(record);
        Ok(())
    }

    fn key(&mut self, id: KeyId) -> Result<Option<Arc<Key>>, Error> {
        if let Some(known) = self.keys.get(&id) {
            return Ok(known.clone());
        }
        let found = keys::get(self.tx, id)?.map(Arc::new);
        self.keys.insert(id, found.clone());
        Ok(found)
    }
}

fn conflict_text(event: &Event, said: &Acknowledgement) -> String {
    let (kind, state) = (event.kind.name(), said.state.name());
    format!("The adopter's key state {state}, or the version it names, conflicts with the state after the {kind}")
}

fn describe(record: &mut Record, event: &Event, at: Timestamp, end: &End<'_>) {
    record.respond("eventAckData.eventId", event.id.to_string());
    record.respond("eventAckData.eventType", event.kind.name());
    let said = match end {
        End::Acknowledged(said) | End::Conflict(said) => Some(said),
        End::Answered | End::NotInTime => None,
    };
    if matches!(end, End::NotInTime | End::Conflict(_)) {
        record.respond("resourceCRN", event.resource.as_str());
    }
    if event.kind != EventKind::Rotation {
        let state = Datum::Number(i64::from(event.key_state));
        record.add(Side::Response, "eventAckData.keyState", state);
    } else if let Some(said) = said {
        record.respond("eventAckData.keyState", said.state.name());
    }
    if !matches!(end, End::NotInTime) {
        // Without a word of the adopter, its answer is the acknowledgement.
        let acknowledged_at = said.map_or(at, |said| said.at);
        record.respond("eventAckData.eventAckTimeStamp", acknowledged_at.rfc3339());
    }
    if let Some(turn) = &event.turn {
        record.version("eventAckData.newKeyVersion", &turn.new);
        record.version("eventAckData.oldKeyVersion", &turn.old);
    }
}

/// Ends an event with all its deliveries. What waits behind them goes at `release_at`, unless it ends as well.
fn close(tx: &Tx<'_>, event: i64, outcome: Outcome, release_at: Option<Timestamp>) -> Result<(), Error> {
    let state = match outcome {
        Outcome::Succeeded => DeliveryState::Succeeded,
        Outcome::Failed => DeliveryState::Failed,
        Outcome::Open | Outcome::Dropped => DeliveryState::Dropped,
    };
    for mut one in deliveries::of_event(tx, event)? {
        let before = one.course.state;
        if !matches!(before, DeliveryState::Pending | DeliveryState::Delivered) {
            continue;
        }
        one.course.state = state;
        one.course.next_at = None;
        if state == DeliveryState::Dropped {
            one.redeliveries = 0;
        }
        deliveries::save(tx, &one, release_at.unwrap_or(one.course.action))?;
        if let Some(at) = release_at.filter(|_| before == DeliveryState::Pending) {
            deliveries::release(tx, one.line(), at)?;
        }
    }
    Ok(events::close(tx, event, outcome)?)
}

/// Drops the open events of a key: those about one resource, or all. Nobody is told, and no record is made (ASSUMED).
///
/// # Errors
/// The store's.
pub(crate) fn drop_events(tx: &Tx<'_>, key: KeyId, resource: Option<&ResourceCrn>) -> Result<(), Error> {
    for event in events::open_of_key(tx, key, resource)? {
        close(tx, event, Outcome::Dropped, None)?;
    }
    Ok(())
}
