//! How receivers behave.

use std::time::Duration;

use crate::domain::attempt::{Answer, AttemptError};
use crate::domain::time::Timestamp;
use crate::service::simulation::Dice;

/// Real time that an attempt gets.
const TIMEOUT_MS: u64 = 15_000;

/// A receiver's nature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nature {
    Good,
    /// Fails half of the time, in all ways.
    Moody,
    /// Nobody is there.
    Dead,
    /// Takes its time, and often all of it.
    Slow,
    /// Wants to be left alone for a while.
    Busy,
    /// Takes events and loses the connection before it can say so.
    Mute,
    /// Says 202.
    Later,
}

/// A receiver.
#[derive(Clone, Copy, Debug)]
pub(super) struct Receiver {
    nature: Nature,
    /// From this instant on it is good.
    mended_at: Timestamp,
}

/// What becomes of one attempt.
pub(super) struct Exchange {
    /// True when the receiver got the event, whatever the service hears of it.
    pub(super) arrived: bool,
    pub(super) answer: Answer,
    pub(super) takes: Duration,
}

impl Receiver {
    /// Of any nature; most mend some day.
    pub(super) fn any(dice: &mut Dice, start: Timestamp) -> Self {
        let natures = [
            Nature::Good,
            Nature::Good,
            Nature::Moody,
            Nature::Moody,
            Nature::Dead,
            Nature::Slow,
            Nature::Busy,
            Nature::Mute,
            Nature::Later,
        ];
        let mended_at =
            if dice.chance(700) { start.plus(Duration::from_secs(dice.below(6 * 3_600))) } else { Timestamp::MAX };
        Self { nature: *dice.pick(&natures), mended_at }
    }

    /// Receives an attempt.
    pub(super) fn receive(self, dice: &mut Dice, now: Timestamp) -> Exchange {
        let nature = if now >= self.mended_at && self.nature != Nature::Later { Nature::Good } else { self.nature };
        let quick = dice.below(400);
        match nature {
            Nature::Good => answered(200, quick),
            Nature::Later => answered(202, quick),
            Nature::Dead => failed(AttemptError::Refused, false, quick / 100),
            Nature::Mute => failed(AttemptError::Reset, true, quick),
            Nature::Slow if dice.chance(600) => failed(AttemptError::Timeout, dice.chance(500), TIMEOUT_MS),
            Nature::Slow => answered(200, dice.below(TIMEOUT_MS)),
            Nature::Busy => {
                let mut exchange = answered(503, quick);
                exchange.answer.retry_after = Some(Duration::from_secs(dice.below(8_000)));
                exchange
            }
            Nature::Moody => match dice.below(10) {
                0..=4 => answered(204, quick),
                5 => answered(500, quick),
                6 => answered(404, quick),
                7 => failed(AttemptError::Redirect, true, quick),
                8 => failed(AttemptError::Reset, dice.chance(500), quick),
                _ => failed(AttemptError::Timeout, dice.chance(500), TIMEOUT_MS),
            },
        }
    }
}

fn answered(status: u16, takes_ms: u64) -> Exchange {
    let takes = Duration::from_millis(takes_ms);
    let answer = Answer { status: Some(status), error: None, ..Answer::failed(AttemptError::Reset) };
    Exchange { arrived: true, answer: Answer { latency: takes, ..answer }, takes }
}

fn failed(error: AttemptError, arrived: bool, takes_ms: u64) -> Exchange {
    let takes = Duration::from_millis(takes_ms);
    Exchange { arrived, answer: Answer { latency: takes, ..Answer::failed(error) }, takes }
}
