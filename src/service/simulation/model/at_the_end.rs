//! What must hold once a seed's life is over: ends, records, and the log of attempts.

use std::collections::HashMap;
use std::time::Duration;

use crate::domain::audit::{Datum, Record};
use crate::domain::delivery::{Cause, DeliveryState};
use crate::service::simulation::Totals;
use crate::service::simulation::model::{Delivery, End, Model, Sent, WINDOW};
use crate::service::simulation::world::ASK_AGAIN;
use crate::store::delivery_log::Entry;

/// Nothing of the schedule comes later than the first but the second, from the action.
const LAST_RETRY: Duration = Duration::from_secs(3 * 3_600 + 44 * 60 + 30);
const LAST_ATTEMPT: Duration = Duration::from_secs(3 * 3_600 + 59 * 60 + 30);

impl Model {
    /// At the end: each event has one end and one record, and the log tells what happened.
    pub(in crate::service::simulation) fn ended(&self, log: &[Entry], records: &[Record], total: &mut Totals) {
        assert_eq!(log.len(), self.deliveries.len());
        for (entry, one) in log.iter().zip(&self.deliveries) {
            assert_eq!((entry.id, entry.state), (one.id, one.state), "{:?}", self.events[one.event].kind);
            assert!(entry.state != DeliveryState::Pending && entry.next_at.is_none());
            self.check_attempts(entry, one);
            total.attempts += one.sent.len();
            total.again += one.arrivals.saturating_sub(1);
            total.dropped += usize::from(one.state == DeliveryState::Dropped);
        }
        let mut told: HashMap<String, Vec<&Record>> = HashMap::new();
        for record in records {
            told.entry(event_of(record)).or_default().push(record);
        }
        for event in &self.events {
            total.events += 1;
            let told = told.remove(&event.id.to_string()).unwrap_or_default();
            match event.end {
                End::Open => panic!("{:?} never ended", event.id),
                End::Dropped => assert!(told.is_empty(), "a record of a dropped event"),
                End::Told(status, at) => {
                    assert_eq!(told.len(), 1, "one record an event");
                    assert_eq!((told[0].status, told[0].at), (status, at.millis()), "{:?}", event.kind);
                    match status {
                        200 => total.acknowledged += 1,
                        408 => total.given_up += 1,
                        _ => total.at_odds += 1,
                    }
                }
            }
        }
        assert!(told.is_empty(), "records of no event");
    }

    fn check_attempts(&self, entry: &Entry, one: &Delivery) {
        assert_eq!(entry.attempts.len(), one.sent.len(), "each attempt is in the log");
        for (place, (logged, sent)) in entry.attempts.iter().zip(&one.sent).enumerate() {
            assert_eq!((usize::try_from(logged.n).unwrap(), logged.cause), (place + 1, sent.cause));
            assert_eq!(logged.at, sent.at);
        }
        let scheduled: Vec<&Sent> = one.sent.iter().filter(|sent| sent.cause == Cause::Schedule).collect();
        self.check_last_attempt(one, &scheduled);
        if !one.disturbed {
            self.check_schedule(one, &scheduled);
        }
    }

    /// What nobody took was tried to the end of its window, once it was tried at all.
    fn check_last_attempt(&self, one: &Delivery, scheduled: &[&Sent]) {
        let event = &self.events[one.event];
        let last = event.at.plus(LAST_ATTEMPT);
        let given_up = one.state == DeliveryState::Failed && matches!(event.end, End::Told(408, _)) && !one.accepted;
        let up = !self.down.iter().any(|(from, to)| *from <= event.at.plus(WINDOW) && last <= *to);
        if let Some(tried) = scheduled.last().filter(|_| given_up && up) {
            assert!(tried.handed_out_at >= last, "no attempt after {:?}, of {:?}", tried.handed_out_at, one.sent);
        }
    }

    fn check_schedule(&self, one: &Delivery, scheduled: &[&Sent]) {
        let event = &self.events[one.event];
        let last = event.at.plus(LAST_ATTEMPT);
        for (place, pair) in scheduled.windows(2).enumerate() {
            let middle = if place < 10 { 2_000_u64 << place } else { 1_800_000 };
            let (answered_at, wait) = pair[0].answered.expect("an answer");
            let earliest = pair[0].at.plus(Duration::from_millis(middle * 85 / 100)).min(last);
            // One attempt at a time: what people have asked for may have been under way.
            let before = one.sent.iter().take_while(|sent| !std::ptr::eq(*sent, pair[1])).last();
            let free_at = before.and_then(|sent| sent.answered).map_or(answered_at, |(at, _)| at);
            let latest = pair[0].at.plus(Duration::from_millis(middle * 115 / 100)).max(free_at);
            let wanted = wait.map(|wait| answered_at.plus(wait));
            let latest = wanted.map_or(latest, |wanted| latest.max(wanted)).plus(ASK_AGAIN);
            // What would come too late comes last of all, and sooner than its delay.
            let latest = if latest > event.at.plus(LAST_RETRY) { latest.max(last) } else { latest };
            // In order of time: one may begin where the one before ends.
            let latest = self.down.iter().fold(latest, |latest, (from, to)| {
                if *from <= latest && pair[0].at <= *to { latest.max(*to) } else { latest }
            });
            let next = pair[1].handed_out_at;
            assert!((earliest..=latest).contains(&next), "attempt {}, {next:?}, of {:?}", place + 2, one.sent);
            assert!(next >= last || wanted.is_none_or(|wanted| next >= wanted), "sooner than the receiver wants");
        }
        let prompt = scheduled.first().is_some_and(|sent| sent.handed_out_at.whole_seconds() == event.at);
        let up = !self.down.iter().any(|(from, to)| *from <= last && event.at <= *to);
        let patient = one.sent.iter().all(|sent| sent.answered.is_some_and(|(_, wait)| wait.is_none()));
        let given_up = one.state == DeliveryState::Failed && matches!(event.end, End::Told(408, _)) && !one.accepted;
        if prompt && up && patient && given_up {
            assert_eq!(scheduled.last().map(|sent| sent.handed_out_at), Some(last));
            assert!((17..=19).contains(&scheduled.len()), "{} attempts", scheduled.len());
        }
    }
}

/// Which event a record of an end is about.
fn event_of(record: &Record) -> String {
    let named = record.details.iter().find(|detail| detail.path == "eventAckData.eventId").map(|detail| &detail.value);
    let Some(Datum::Text(id)) = named else { panic!("a record without its event") };
    id.clone()
}
