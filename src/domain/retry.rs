//! When a delivery is attempted. Source: `docs/contract/reliability.md` T-13; `docs/contract/events.md` 3.2.

use std::time::Duration;

use crate::domain::time::Timestamp;

/// Delay after the first attempt; each later one is twice as long.
const FIRST_DELAY_SECONDS: u64 = 2;
/// Delays double so often: 2 s, 4 s, … 1,024 s.
const DOUBLINGS: u32 = 9;
/// All delays after those.
const LONG_DELAY_SECONDS: u64 = 1_800;
/// How far a delay may lie off, in thousandths.
const SPREAD_THOUSANDTHS: u64 = 150;
/// A retry after this span from the action is replaced by the last attempt.
const LAST_RETRY: Duration = Duration::from_secs((3 * 60 + 44) * 60 + 30);
/// The last attempt, from the action.
const LAST_ATTEMPT: Duration = Duration::from_secs((3 * 60 + 59) * 60 + 30);

/// An attempt that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    /// Time of the action.
    pub(crate) action: Timestamp,
    /// When the attempt was made.
    pub(crate) at: Timestamp,
    /// How many attempts of the schedule there have been, this one among them.
    pub(crate) tries: u32,
    /// Before this instant the receiver wants no other.
    pub(crate) not_before: Option<Timestamp>,
}

/// When the next attempt is made, the delay spread by a generator with that seed. `None` after the last one.
pub(crate) fn next(failed: Failed, seed: u64) -> Option<Timestamp> {
    let last = failed.action.plus(LAST_ATTEMPT);
    if failed.at >= last {
        return None;
    }
    let planned = failed.at.plus(delay(failed.tries, seed));
    let planned = failed.not_before.map_or(planned, |earliest| planned.max(earliest));
    Some(if planned > failed.action.plus(LAST_RETRY) { last } else { planned })
}

/// The delay after so many attempts, within 15 % of its middle.
fn delay(tries: u32, seed: u64) -> Duration {
    let doublings = tries.saturating_sub(1);
    let middle_seconds = if doublings > DOUBLINGS { LONG_DELAY_SECONDS } else { FIRST_DELAY_SECONDS << doublings };
    let within = 2 * SPREAD_THOUSANDTHS + 1;
    let thousandths = 1_000 - SPREAD_THOUSANDTHS + draw(seed, tries) % within;
    Duration::from_millis(middle_seconds * thousandths)
}

/// A generator (`SplitMix64`) in one step: the same number for the same seed and place, evenly spread.
fn draw(seed: u64, place: u32) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(u64::from(place) + 1));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTION: i64 = 1_767_225_600_000;

    fn after(span: Duration) -> Timestamp {
        Timestamp::from_millis(ACTION).plus(span)
    }

    fn failed(at: Timestamp, tries: u32) -> Failed {
        Failed { action: after(Duration::ZERO), at, tries, not_before: None }
    }

    /// All attempts at a receiver that always fails at once.
    fn attempts(seed: u64) -> Vec<Timestamp> {
        let mut all = vec![after(Duration::ZERO)];
        while let Some(at) = next(failed(*all.last().unwrap(), u32::try_from(all.len()).unwrap()), seed) {
            all.push(at);
        }
        all
    }

    #[test]
    fn a_thousand_seeds_keep_the_schedule() {
        let mut delays_after_first = std::collections::HashSet::new();
        for seed in 0..1_000 {
            let all = attempts(seed);
            assert!((17..=19).contains(&all.len()), "{seed}: {}", all.len());
            assert_eq!(*all.last().unwrap(), after(LAST_ATTEMPT), "{seed}");
            for (place, pair) in all.windows(2).enumerate().take(all.len() - 2) {
                let delay = pair[1].since(pair[0]).as_secs_f64();
                let middle = if place < 10 { 2_f64.powi(i32::try_from(place).unwrap() + 1) } else { 1_800.0 };
                assert!((0.85 * middle..=1.15 * middle).contains(&delay), "{seed}, {place}: {delay}");
                assert!(pair[1] <= after(LAST_RETRY));
            }
            delays_after_first.insert(all[1].since(all[0]));
            assert_eq!(all, attempts(seed));
        }
        assert!(delays_after_first.len() > 200, "{}", delays_after_first.len());
    }

    #[test]
    fn a_receiver_that_asks_for_time_gets_it_until_the_last_attempt() {
        let first = failed(after(Duration::ZERO), 1);
        let asked = |span| next(Failed { not_before: Some(after(span)), ..first }, 7);
        assert_eq!(asked(Duration::from_mins(10)), Some(after(Duration::from_mins(10))));
        assert_eq!(asked(Duration::from_millis(1)), next(first, 7));
        assert_eq!(asked(LAST_RETRY), Some(after(LAST_RETRY)));
        assert_eq!(asked(LAST_RETRY + Duration::from_millis(1)), Some(after(LAST_ATTEMPT)));
        assert_eq!(asked(Duration::from_hours(9)), Some(after(LAST_ATTEMPT)));
    }

    #[test]
    fn a_first_attempt_that_was_held_back_is_followed_by_the_last_one() {
        let late = after(LAST_RETRY);
        assert_eq!(next(failed(late, 1), 7), Some(after(LAST_ATTEMPT)));
        assert_eq!(next(failed(after(LAST_ATTEMPT), 1), 7), None);
        assert_eq!(next(failed(after(Duration::from_mins(239)), 30), 7), Some(after(LAST_ATTEMPT)));
    }
}
