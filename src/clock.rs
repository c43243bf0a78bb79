//! The clock: virtual for everything that the service decides, real for what clients decide. Nobody else asks the system
//! for the time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::domain::time::Timestamp;

/// How the virtual clock runs: from an instant of the real clock on, `scale` virtual seconds for each real one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Course {
    /// Virtual milliseconds at `real`.
    pub(crate) from: Timestamp,
    /// Real milliseconds since 1970-01-01.
    pub(crate) real: i64,
    pub(crate) scale: u32,
    pub(crate) motion: Motion,
}

/// Whether time passes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Motion {
    Running,
    Frozen,
}

impl Course {
    fn at(&self, real: i64) -> Timestamp {
        match self.motion {
            Motion::Frozen => self.from,
            Motion::Running => {
                let passed = real.saturating_sub(self.real).max(0).saturating_mul(i64::from(self.scale));
                Timestamp::from_millis(self.from.millis().saturating_add(passed))
            }
        }
    }

    /// One line of text, for the store.
    pub(crate) fn to_text(self) -> String {
        let motion = match self.motion {
            Motion::Running => "running",
            Motion::Frozen => "frozen",
        };
        format!("{} {} {} {motion}", self.from.millis(), self.real, self.scale)
    }

    /// Reads the line.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split(' ').collect();
        let [from, real, scale, motion] = words.as_slice() else { return None };
        let motion = match *motion {
            "running" => Motion::Running,
            "frozen" => Motion::Frozen,
            _ => return None,
        };
        let from = Timestamp::from_millis(from.parse().ok()?);
        Some(Self { from, real: real.parse().ok()?, scale: scale.parse().ok().filter(|scale| *scale > 0)?, motion })
    }
}

/// The virtual clock beside the real one. Neither is seen to run backwards.
pub(crate) struct Clock {
    course: RwLock<Course>,
    last: AtomicI64,
}

/// What `GET /mock/clock` tells of the clock itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) now: Timestamp,
    pub(crate) frozen: bool,
    /// Virtual minus real time.
    pub(crate) offset_seconds: i64,
    pub(crate) scale: u32,
}

impl Clock {
    /// Goes on from a stored course, or starts with the real time. `scale` and `motion` hold from now on; the virtual
    /// clock is put forward to `not_before`, never back.
    pub(crate) fn start(
        stored: Option<Course>,
        scale: u32,
        motion: Option<Motion>,
        not_before: Option<Timestamp>,
    ) -> Self {
        let real = real_millis();
        let from = stored.map_or(Timestamp::from_millis(real), |course| course.at(real));
        let from = not_before.map_or(from, |at| if stored.is_some() { from.max(at) } else { at });
        let motion = motion.or(stored.map(|course| course.motion)).unwrap_or(Motion::Running);
        let course = Course { from, real, scale, motion };
        Self { course: RwLock::new(course), last: AtomicI64::new(from.millis()) }
    }

    /// The virtual time.
    pub(crate) fn now(&self) -> Timestamp {
        let now = self.course().at(real_millis()).millis();
        Timestamp::from_millis(self.last.fetch_max(now, Ordering::Relaxed).max(now))
    }

    /// The real time.
    #[expect(clippy::unused_self, reason = "whoever may know the real time holds a clock")]
    pub(crate) fn real(&self) -> RealTime {
        RealTime(since_epoch())
    }

    /// The real time in whole seconds since 1970-01-01: for tokens and what else a client compares with its own clock.
    pub(crate) fn real_seconds(&self) -> i64 {
        self.real().seconds()
    }

    /// How the clock runs now.
    pub(crate) fn course(&self) -> Course {
        *self.course.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that can be told of the clock.
    pub(crate) fn reading(&self) -> Reading {
        let now = self.now();
        let course = self.course();
        Reading {
            now,
            frozen: course.motion == Motion::Frozen,
            offset_seconds: (now.millis() - real_millis()).div_euclid(1_000),
            scale: course.scale,
        }
    }

    /// Puts the clock forward; one that runs goes on from there. An instant in the past changes nothing.
    pub(crate) fn advance_to(&self, target: Timestamp) {
        self.change(|course| course.from = course.from.max(target));
    }

    /// Stops time.
    pub(crate) fn freeze(&self) {
        self.change(|course| course.motion = Motion::Frozen);
    }

    /// Lets time pass again.
    pub(crate) fn resume(&self) {
        self.change(|course| course.motion = Motion::Running);
    }

    fn change(&self, change: impl FnOnce(&mut Course)) {
        let mut course = self.course.write().unwrap_or_else(PoisonError::into_inner);
        let real = real_millis();
        course.from = course.at(real).max(Timestamp::from_millis(self.last.load(Ordering::Relaxed)));
        course.real = real;
        change(&mut course);
    }
}

/// Milliseconds of the real clock since the program started to measure; for latencies, never for decisions.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn stopwatch() -> Stopwatch {
    Stopwatch(std::time::Instant::now())
}

/// A running measurement.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Real time since it was started.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A moment of the real clock: one reading of it tells whether a token is expired, and when a request began.
#[derive(Clone, Copy)]
pub(crate) struct RealTime(Duration);

impl RealTime {
    /// Whole seconds since 1970-01-01.
    pub(crate) fn seconds(self) -> i64 {
        i64::try_from(self.0.as_secs()).unwrap_or(i64::MAX)
    }

    /// How long ago `earlier` was; zero when the clock was set back in between. For latencies, never for decisions.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO)
}

fn real_millis() -> i64 {
    i64::try_from(since_epoch().as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frozen_at(millis: i64) -> Clock {
        Clock::start(None, 1, Some(Motion::Frozen), Some(Timestamp::from_millis(millis)))
    }

    #[test]
    fn a_frozen_clock_moves_by_advance_alone_and_never_back() {
        let clock = frozen_at(1_000);
        clock.advance_to(Timestamp::from_millis(5_000));
        clock.advance_to(Timestamp::from_millis(2_000));
        assert_eq!(clock.now(), Timestamp::from_millis(5_000));
    }

    #[test]
    fn a_stored_course_goes_on_and_an_earlier_start_does_not_turn_it_back() {
        let stored = Course { from: Timestamp::from_millis(9_000), real: 0, scale: 1, motion: Motion::Frozen };
        let clock = Clock::start(Some(stored), 1, None, Some(Timestamp::from_millis(4_000)));
        assert_eq!(clock.now(), Timestamp::from_millis(9_000));
    }

    #[test]
    fn scale_makes_an_hour_of_a_minute() {
        let course = Course { from: Timestamp::from_millis(0), real: 0, scale: 60, motion: Motion::Running };
        assert_eq!(course.at(60_000), Timestamp::from_millis(3_600_000));
    }

    #[test]
    fn a_course_is_read_back_as_it_was_written() {
        let course = Course { from: Timestamp::from_millis(7), real: 8, scale: 9, motion: Motion::Frozen };
        assert_eq!(Course::from_text(&course.to_text()), Some(course));
        for wrong in ["", "1 2 3", "1 2 0 frozen", "1 2 3 standing", "a 2 3 frozen"] {
            assert_eq!(Course::from_text(wrong), None, "{wrong}");
        }
    }
}
