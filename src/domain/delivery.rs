//! Deliveries: one event on its way to one subscriber.

use crate::domain::attempt::Answer;
use crate::domain::id::DeliveryId;
use crate::domain::retry::{self, Failed};
use crate::domain::subscriber::Ack;
use crate::domain::time::Timestamp;

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum DeliveryState {
    /// Attempts are to come, or it waits behind an earlier event.
    Pending,
    /// Answered; the acknowledgement is awaited.
    Delivered,
    Succeeded,
    /// The window is over, or the acknowledgement was at odds.
    Failed,
    /// The registration, the subscriber or the key has gone.
    Dropped,
}

impl DeliveryState {
    const ALL: [Self; 5] = [Self::Pending, Self::Delivered, Self::Succeeded, Self::Failed, Self::Dropped];

    /// The word of `/mock/deliveries`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }

    /// Reads the word.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Why an attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Schedule,
    /// A tester asked for it.
    Redelivery,
}

impl Cause {
    /// The word of `/mock/deliveries`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Redelivery => "redelivery",
        }
    }

    /// Reads the word.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Schedule, Self::Redelivery].into_iter().find(|cause| cause.name() == name)
    }
}

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It counts as the acknowledgement.
    Acknowledged,
    /// No more attempts; the acknowledgement comes by `event_ack`, or never.
    Delivered,
    Failed,
}

/// Weighs the answer of a subscriber that acknowledges in that way. Source: `docs/contract/events.md` 3.2.
fn verdict(answer: &Answer, ack: Ack) -> Verdict {
    match (answer.success(), ack) {
        (None, _) => Verdict::Failed,
        (Some(202), _) | (Some(_), Ack::EventAck) => Verdict::Delivered,
        (Some(_), Ack::Http) => Verdict::Acknowledged,
    }
}

/// An attempt, in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// From 1 on.
    pub(crate) n: u32,
    pub(crate) at: Timestamp,
    pub(crate) cause: Cause,
    pub(crate) answer: Answer,
}

/// What of a delivery its schedule needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Course {
    pub(crate) id: DeliveryId,
    /// Time of the action.
    pub(crate) action: Timestamp,
    pub(crate) state: DeliveryState,
    /// Attempts of the schedule so far.
    pub(crate) tries: u32,
    /// The next attempt of the schedule.
    pub(crate) next_at: Option<Timestamp>,
}

impl Course {
    /// What an attempt makes of a delivery. A closed one stays as it is; a redelivery that fails changes no plan.
    ///
    /// `at` is when it was made, `answered_at` when its answer was there.
    pub(crate) fn after(self, cause: Cause, at: Timestamp, answered_at: Timestamp, answer: &Answer, ack: Ack) -> Self {
        let tries = self.tries + u32::from(cause == Cause::Schedule);
        let moved = Self { tries, ..self };
        match (self.state, verdict(answer, ack)) {
            (DeliveryState::Pending, Verdict::Acknowledged) => {
                Self { state: DeliveryState::Succeeded, next_at: None, ..moved }
            }
            (DeliveryState::Pending, Verdict::Delivered) => {
                Self { state: DeliveryState::Delivered, next_at: None, ..moved }
            }
            (DeliveryState::Pending, Verdict::Failed) if cause == Cause::Schedule => {
                let not_before = answer.retry_after.map(|span| answered_at.plus(span));
                let failed = Failed { action: self.action, at, tries, not_before };
                Self { next_at: retry::next(failed, self.id.seed()), ..moved }
            }
            _ => moved,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::attempt::AttemptError;

    fn answer(status: Option<u16>, error: Option<AttemptError>) -> Answer {
        Answer { status, error, retry_after: None, latency: Duration::ZERO, body_excerpt: String::new() }
    }

    #[test]
    fn a_2xx_is_a_success_as_the_subscriber_says_and_202_never_is() {
        for status in [200, 201, 204, 299] {
            assert_eq!(verdict(&answer(Some(status), None), Ack::Http), Verdict::Acknowledged, "{status}");
            assert_eq!(verdict(&answer(Some(status), None), Ack::EventAck), Verdict::Delivered, "{status}");
        }
        for ack in [Ack::Http, Ack::EventAck] {
            assert_eq!(verdict(&answer(Some(202), None), ack), Verdict::Delivered);
            for status in [100, 199, 300, 302, 400, 404, 410, 429, 500, 503] {
                assert_eq!(verdict(&answer(Some(status), None), ack), Verdict::Failed, "{status}");
            }
            for error in [AttemptError::Timeout, AttemptError::Redirect] {
                assert_eq!(verdict(&answer(None, Some(error)), ack), Verdict::Failed, "{error:?}");
                // A reply that was cut off is none.
                assert_eq!(verdict(&answer(Some(200), Some(error)), ack), Verdict::Failed, "{error:?}");
            }
        }
    }

    fn course(state: DeliveryState) -> Course {
        let action = Timestamp::from_millis(0);
        Course { id: DeliveryId::from_random([7; 16]), action, state, tries: 0, next_at: Some(action) }
    }

    #[test]
    fn a_closed_delivery_stays_as_it_is() {
        let at = Timestamp::from_millis(5);
        for state in [DeliveryState::Delivered, DeliveryState::Succeeded, DeliveryState::Failed, DeliveryState::Dropped]
        {
            for status in [200, 202, 500] {
                let before = course(state);
                let after = before.after(Cause::Redelivery, at, at, &answer(Some(status), None), Ack::Http);
                assert_eq!(after, before, "{state:?} {status}");
            }
        }
    }

    #[test]
    fn a_redelivery_settles_a_pending_one_and_changes_no_plan_when_it_fails() {
        let at = Timestamp::from_millis(5);
        let after = |status| {
            course(DeliveryState::Pending).after(Cause::Redelivery, at, at, &answer(Some(status), None), Ack::Http)
        };
        assert_eq!(after(500), course(DeliveryState::Pending));
        assert_eq!((after(200).state, after(200).next_at), (DeliveryState::Succeeded, None));
    }

    #[test]
    fn words_are_read_back() {
        for state in DeliveryState::ALL {
            assert_eq!(DeliveryState::parse(state.name()), Some(state));
        }
        for cause in [Cause::Schedule, Cause::Redelivery] {
            assert_eq!(Cause::parse(cause.name()), Some(cause));
        }
    }
}
