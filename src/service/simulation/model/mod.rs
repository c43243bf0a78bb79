//! What must be true of events and deliveries, kept beside the service and without a look at its rules.

mod at_the_end;

use std::collections::HashMap;
use std::time::Duration;

use crate::domain::attempt::Answer;
use crate::domain::delivery::{Cause, DeliveryState};
use crate::domain::event::EventKind;
use crate::domain::id::{DeliveryId, EventId, KeyId};
use crate::domain::subscriber::Ack;
use crate::domain::time::Timestamp;
use crate::store::delivery_log::Entry;

const WINDOW: Duration = Duration::from_hours(4);

/// How an event ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Open,
    /// Status of its record, and when.
    Told(u16, Timestamp),
    /// Nobody is told.
    Dropped,
}

struct Event {
    id: EventId,
    key: KeyId,
    resource: String,
    kind: EventKind,
    at: Timestamp,
    end: End,
    /// What its attempts send.
    body: Option<String>,
}

#[derive(Debug)]
struct Sent {
    cause: Cause,
    handed_out_at: Timestamp,
    /// Later than that where it waited for a connection.
    at: Timestamp,
    /// Once the answer is recorded: when it came, and how long the receiver wants to be left alone.
    answered: Option<(Timestamp, Option<Duration>)>,
}

struct Delivery {
    id: DeliveryId,
    event: usize,
    /// Deliveries of one line go out one after the other: of one registration, to one subscriber.
    line: usize,
    subscriber: Option<String>,
    state: DeliveryState,
    /// With the dispatcher.
    at_hand: bool,
    sent: Vec<Sent>,
    /// Attempts that people asked for and that were not handed out yet.
    asked: usize,
    /// A receiver has taken it.
    accepted: bool,
    /// A crash has cost it an attempt.
    disturbed: bool,
    arrivals: usize,
}

/// A subscriber.
#[derive(Clone, Debug)]
pub(super) struct Listener {
    pub(super) name: String,
    /// One resource, or all.
    pub(super) resource: Option<String>,
    pub(super) kinds: Vec<EventKind>,
}

/// All that is known.
#[derive(Default)]
pub(super) struct Model {
    pub(super) registrations: Vec<(KeyId, String)>,
    pub(super) listeners: Vec<Listener>,
    events: Vec<Event>,
    deliveries: Vec<Delivery>,
    lines: HashMap<(KeyId, String, Option<String>), usize>,
    /// When the service was not there.
    down: Vec<(Timestamp, Timestamp)>,
}

impl Model {
    /// An action on a key told everybody whom it concerns, and nobody else.
    pub(super) fn told(&mut self, key: KeyId, kind: EventKind, now: Timestamp, entries: &[Entry]) {
        let fresh: Vec<&Entry> = entries.iter().filter(|entry| self.place(entry.id).is_none()).collect();
        let mut expected = Vec::new();
        for (_, resource) in self.registrations.iter().filter(|(one, _)| *one == key) {
            let wants = |one: &&Listener| {
                one.kinds.contains(&kind) && one.resource.as_ref().is_none_or(|named| named == resource)
            };
            let names: Vec<Option<String>> =
                self.listeners.iter().filter(wants).map(|one| Some(one.name.clone())).collect();
            let names = if names.is_empty() { vec![None] } else { names };
            expected.extend(names.into_iter().map(|name| (resource.clone(), name)));
        }
        let found: Vec<_> = fresh.iter().map(|one| (one.resource.clone(), one.subscriber.clone())).collect();
        assert_eq!(found, expected, "whom {kind:?} is told");
        for entry in fresh {
            let at = now.whole_seconds();
            assert_eq!((entry.at, entry.deadline, entry.state), (at, at.plus(WINDOW), DeliveryState::Pending));
            assert_eq!((entry.kind.as_str(), entry.attempts.len()), (kind.name(), 0));
            let known = self.events.iter().position(|event| event.id == entry.event);
            let event = known.unwrap_or_else(|| {
                let resource = entry.resource.clone();
                self.events.push(Event { id: entry.event, key, resource, kind, at, end: End::Open, body: None });
                self.events.len() - 1
            });
            let line = self.line(key, entry);
            self.deliveries.push(Delivery {
                id: entry.id,
                event,
                line,
                subscriber: entry.subscriber.clone(),
                state: DeliveryState::Pending,
                at_hand: false,
                sent: Vec::new(),
                asked: 0,
                accepted: false,
                disturbed: false,
                arrivals: 0,
            });
        }
    }

    fn place(&self, id: DeliveryId) -> Option<usize> {
        self.deliveries.iter().position(|one| one.id == id)
    }

    fn line(&mut self, key: KeyId, entry: &Entry) -> usize {
        let count = self.lines.len();
        *self.lines.entry((key, entry.resource.clone(), entry.subscriber.clone())).or_insert(count)
    }

    /// An attempt is handed out: not before those ahead of it have ended, with the same body as ever.
    pub(super) fn handed_out(&mut self, id: DeliveryId, cause: Cause, now: Timestamp, body: &str) {
        let place = self.place(id).expect("a known delivery");
        let one = &self.deliveries[place];
        let event = &self.events[one.event];
        assert!(!one.at_hand, "one attempt at a time");
        assert!(one.state != DeliveryState::Dropped, "nothing more goes to whom nothing is owed");
        if cause == Cause::Schedule {
            assert_eq!(one.state, DeliveryState::Pending, "an end is the end");
            let ahead = self.deliveries[..place].iter().filter(|other| other.line == one.line);
            for other in ahead {
                assert!(other.state != DeliveryState::Pending, "it overtakes an earlier event");
            }
        } else {
            assert!(one.asked > 0, "nobody asked for it");
        }
        let first = event.body.clone();
        assert!(first.as_ref().is_none_or(|first| first == body), "another body");
        let event = one.event;
        self.events[event].body = Some(body.to_owned());
        let one = &mut self.deliveries[place];
        one.at_hand = true;
        if cause == Cause::Redelivery {
            one.asked -= 1;
        }
        one.sent.push(Sent { cause, handed_out_at: now, at: now, answered: None });
    }

    /// It is sent, in its window; a receiver may get it.
    pub(super) fn sent(&mut self, id: DeliveryId, now: Timestamp, arrived: bool) {
        let place = self.place(id).expect("a known delivery");
        let one = &mut self.deliveries[place];
        let event = &self.events[one.event];
        let sent = one.sent.last_mut().expect("an attempt");
        sent.at = now;
        if sent.cause == Cause::Schedule {
            assert!(now.whole_seconds() >= event.at && now < event.at.plus(WINDOW), "{now:?} is not in its window");
            assert_eq!(one.state, DeliveryState::Pending, "an end is the end");
        }
        one.arrivals += usize::from(arrived);
    }

    /// It is not sent after all: its end came while it waited for a connection.
    pub(super) fn recalled(&mut self, id: DeliveryId) {
        let place = self.place(id).expect("a known delivery");
        let one = &mut self.deliveries[place];
        one.at_hand = false;
        let recalled = one.sent.pop().expect("an attempt");
        let over = one.state != DeliveryState::Pending;
        assert!(over || recalled.cause == Cause::Redelivery, "it is owed and not sent");
    }

    /// The service has recorded an answer.
    pub(super) fn recorded(&mut self, id: DeliveryId, answered_at: Timestamp, answer: &Answer, ack: Ack) {
        let place = self.place(id).expect("a known delivery");
        let one = &mut self.deliveries[place];
        one.at_hand = false;
        let sent = one.sent.last_mut().expect("an attempt");
        assert!(sent.answered.is_none(), "recorded twice");
        sent.answered = Some((answered_at, answer.retry_after));
        if one.state != DeliveryState::Pending {
            return;
        }
        let good = answer.error.is_none() && answer.status.is_some_and(|status| (200..300).contains(&status));
        one.accepted |= good;
        if good && answer.status != Some(202) && ack == Ack::Http {
            one.state = DeliveryState::Succeeded;
            let event = one.event;
            self.end_if_all_succeeded(event, answered_at);
        } else if good {
            one.state = DeliveryState::Delivered;
        }
    }

    fn end_if_all_succeeded(&mut self, event: usize, at: Timestamp) {
        let left = || self.deliveries.iter().filter(|one| one.event == event && one.state != DeliveryState::Dropped);
        let all = left().count() > 0 && left().all(|one| one.state == DeliveryState::Succeeded);
        if all && self.events[event].end == End::Open {
            self.events[event].end = End::Told(200, at);
        }
    }

    fn close(&mut self, event: usize, end: End, state: DeliveryState) {
        self.events[event].end = end;
        for one in self.deliveries.iter_mut().filter(|one| one.event == event) {
            if matches!(one.state, DeliveryState::Pending | DeliveryState::Delivered) {
                one.state = state;
                if state == DeliveryState::Dropped {
                    one.asked = 0;
                }
            }
        }
    }

    /// Windows that are over by now.
    pub(super) fn time_passed(&mut self, now: Timestamp) {
        for event in 0..self.events.len() {
            let deadline = self.events[event].at.plus(WINDOW);
            if self.events[event].end == End::Open && deadline <= now {
                self.close(event, End::Told(408, deadline), DeliveryState::Failed);
            }
        }
    }

    /// An event that can be acknowledged.
    pub(super) fn open_events(&self) -> Vec<(EventId, EventKind)> {
        let open = self.events.iter().filter(|event| event.end == End::Open);
        open.map(|event| (event.id, event.kind)).collect()
    }

    /// The adopting service has acknowledged; `status` is what the record tells.
    pub(super) fn acknowledged(&mut self, id: EventId, status: u16, now: Timestamp) {
        let event = self.events.iter().position(|event| event.id == id).expect("a known event");
        let state = if status == 200 { DeliveryState::Succeeded } else { DeliveryState::Failed };
        self.close(event, End::Told(status, now), state);
    }

    /// A registration has gone, and with it what it was still to be told.
    pub(super) fn unregistered(&mut self, key: KeyId, resource: &str) {
        self.registrations.retain(|(one, named)| (*one, named.as_str()) != (key, resource));
        for event in 0..self.events.len() {
            let one = &self.events[event];
            if one.end == End::Open && one.key == key && one.resource == resource {
                self.close(event, End::Dropped, DeliveryState::Dropped);
            }
        }
    }

    /// A subscriber has gone.
    pub(super) fn unsubscribed(&mut self, name: &str, now: Timestamp) {
        self.listeners.retain(|one| one.name != name);
        for place in 0..self.deliveries.len() {
            let one = &mut self.deliveries[place];
            let open = self.events[one.event].end == End::Open;
            if one.subscriber.as_deref() != Some(name) {
                continue;
            }
            one.asked = 0;
            if open && matches!(one.state, DeliveryState::Pending | DeliveryState::Delivered) {
                one.state = DeliveryState::Dropped;
                let event = one.event;
                self.end_if_all_succeeded(event, now);
            }
        }
    }

    /// Deliveries that people can ask for again.
    pub(super) fn repeatable(&self) -> Vec<DeliveryId> {
        let here = |one: &&Delivery| {
            one.state != DeliveryState::Dropped
                && self.listeners.iter().any(|listener| Some(&listener.name) == one.subscriber.as_ref())
        };
        self.deliveries.iter().filter(here).map(|one| one.id).collect()
    }

    /// Somebody wants it sent again.
    pub(super) fn asked(&mut self, id: DeliveryId) {
        let place = self.place(id).expect("a known delivery");
        self.deliveries[place].asked += 1;
    }

    /// All that was at hand is lost, and for a while nothing goes out.
    pub(super) fn crashed(&mut self, from: Timestamp, to: Timestamp) {
        self.down.push((from, to));
        for one in self.deliveries.iter_mut().filter(|one| one.at_hand) {
            one.at_hand = false;
            one.disturbed = true;
            // What was asked for and cut off is still asked for.
            let lost = one.sent.pop().expect("an attempt");
            one.asked += usize::from(lost.cause == Cause::Redelivery);
        }
    }

    /// Nothing waits that could be sent: a head of a line that was never tried is on its way.
    pub(super) fn is_prompt(&self) {
        let mut heads = vec![true; self.lines.len()];
        for one in self.deliveries.iter().filter(|one| one.state == DeliveryState::Pending) {
            let head = std::mem::replace(&mut heads[one.line], false);
            let tried = one.sent.iter().any(|sent| sent.cause == Cause::Schedule);
            if head && one.subscriber.is_some() && !tried {
                assert!(one.at_hand, "{:?} is free to go and does not", one.id);
            }
        }
    }
}
