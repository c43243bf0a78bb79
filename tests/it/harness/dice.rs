//! Chance that can be replayed, and what of the real world tests may see.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// A seeded generator (SplitMix64): the same seed throws the same.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// One of them.
    pub(crate) fn one_of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        let place = usize::try_from(self.below(all.len() as u64)).expect("a place");
        &all[place]
    }
}

/// A variable of the environment that a person sets for the tests.
#[expect(clippy::disallowed_methods, reason = "switches of the tests themselves, not of the service")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// A number from the environment.
pub(crate) fn number(name: &str, default: u64) -> u64 {
    variable(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// A stopwatch of real time.
#[expect(clippy::disallowed_methods, reason = "measures the service's deadlines from outside")]
pub(crate) fn stopwatch() -> Instant {
    Instant::now()
}

/// Lets real time pass. For kills at a random moment and for deadlines of the wire alone.
pub(crate) fn let_pass(span: Duration) {
    let (kept, never) = channel::<()>();
    let _ = never.recv_timeout(span);
    drop(kept);
}

/// The real time, seconds since 1970-01-01: what signatures and tokens are dated with.
#[expect(clippy::disallowed_methods, reason = "stands for a client's own clock")]
pub(crate) fn seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time after 1970");
    i64::try_from(since.as_secs()).expect("seconds")
}
