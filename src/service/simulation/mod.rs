//! Deliveries under simulation: one seed decides what people do to keys, how receivers behave, when answers come and
//! when the service crashes. The rules, the store and its transactions are the service's own; time is a number, the
//! network a list, and a seed lives on one thread. Source: `docs/contract/reliability.md` T-40.
//!
//! A failing seed is printed. `MKP_SIMULATION_SEED=17 cargo test --lib simulation` runs it alone and tells its course;
//! `MKP_SIMULATION_SEEDS=10000` runs so many, `MKP_SLOW_TESTS=1` thousands.

mod conduct;
mod model;
mod world;

use std::num::NonZero;

use crate::app::App;
use crate::clock;
use crate::config::Invocation;
use crate::service::data_folder::DataFolder;
use crate::service::open;
use crate::store;
use crate::store::file::Database;
use crate::store::tx::Tx;

use self::world::World;

/// Seeds that `cargo test` runs.
const SEEDS: u64 = 1_000;
/// Seeds with `MKP_SLOW_TESTS`, as in CI: within a minute on two cores.
const SEEDS_IN_CI: u64 = 5_000;
/// Threads that share the seeds; each seed is one's alone.
const THREADS_MAX: usize = 8;
/// Each so many seeds, one is run twice: it must take the same course.
const TWICE_EACH: u64 = 25;

/// A small generator (`SplitMix64`): the course of a seed depends on nothing else.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `below`, that one left out.
    pub(super) fn below(&mut self, below: u64) -> u64 {
        self.next() % below
    }

    /// True so many times out of a thousand.
    pub(super) fn chance(&mut self, thousandths: u64) -> bool {
        self.below(1_000) < thousandths
    }

    /// One of the list.
    pub(super) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[usize::try_from(self.below(list.len() as u64)).unwrap()]
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever looks into a failure names its seed")]
fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}: not a number: {text}")))
}

/// Seeds of one run, told one by one or not.
#[derive(Clone, Copy)]
enum Run {
    Alone(u64),
    /// From 0 on.
    Many(u64),
}

impl Run {
    fn asked_for() -> Self {
        let usual = if variable("MKP_SLOW_TESTS").is_some() { SEEDS_IN_CI } else { SEEDS };
        variable("MKP_SIMULATION_SEED")
            .map_or_else(|| Self::Many(variable("MKP_SIMULATION_SEEDS").unwrap_or(usual)), Self::Alone)
    }

    /// The share of one of so many threads.
    fn share(self, thread: usize, threads: usize) -> Vec<u64> {
        match self {
            Self::Alone(seed) => (thread == 0).then_some(seed).into_iter().collect(),
            Self::Many(seeds) => (0..seeds).skip(thread).step_by(threads).collect(),
        }
    }
}

#[test]
fn no_event_is_lost_and_no_order_broken_whatever_receivers_and_crashes_do() {
    let run = Run::asked_for();
    let begun = clock::stopwatch();
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    let shares: Vec<_> =
        (0..threads).map(|thread| std::thread::spawn(move || live(&run.share(thread, threads), run))).collect();
    let mut total = Totals::default();
    for share in shares {
        total.add(&share.join().unwrap_or_else(|failure| std::panic::resume_unwind(failure)));
    }
    println!("{} seeds in {:?}: {total:?}", total.seeds, begun.elapsed());
    if let Run::Many(_) = run {
        assert!(total.is_varied(), "{total:?}");
    }
}

/// Lives the lives of some seeds, in a store of their own.
fn live(seeds: &[u64], run: Run) -> Totals {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let line = ["mock-key-protect", "--deterministic", "1", "--clock", "frozen", "--data-dir", data.to_str().unwrap()];
    let Invocation::Serve(config) = Invocation::parse(line) else { panic!("{line:?}") };
    let folder = DataFolder::open(&config).unwrap();
    let app = open::open(&config, &folder).unwrap().app;
    // A connection of its own: what a seed does is undone at its end, so that each finds the same store.
    let database = Database::open(&folder.database()).unwrap();
    let mut total = Totals::default();
    let lived = database.in_transaction(|tx| {
        for seed in seeds {
            let trace = course(&app, tx, *seed, matches!(run, Run::Alone(_)), &mut total);
            if seed % TWICE_EACH == 0 {
                let again = course(&app, tx, *seed, false, &mut Totals::default());
                assert_eq!(trace, again, "seed {seed} takes another course each time");
            }
        }
        Ok::<_, store::Error>(())
    });
    lived.unwrap();
    total
}

/// What happened in all seeds: a simulation in which nothing goes wrong shows nothing.
#[derive(Debug, Default)]
pub(super) struct Totals {
    seeds: usize,
    pub(super) events: usize,
    pub(super) attempts: usize,
    pub(super) again: usize,
    pub(super) crashes: usize,
    pub(super) acknowledged: usize,
    pub(super) given_up: usize,
    pub(super) at_odds: usize,
    pub(super) dropped: usize,
}

impl Totals {
    fn add(&mut self, more: &Self) {
        let counts = [
            (&mut self.seeds, more.seeds),
            (&mut self.events, more.events),
            (&mut self.attempts, more.attempts),
            (&mut self.again, more.again),
            (&mut self.crashes, more.crashes),
            (&mut self.acknowledged, more.acknowledged),
            (&mut self.given_up, more.given_up),
            (&mut self.at_odds, more.at_odds),
            (&mut self.dropped, more.dropped),
        ];
        for (count, more) in counts {
            *count += more;
        }
    }

    fn is_varied(&self) -> bool {
        [self.events, self.attempts, self.again, self.crashes, self.acknowledged, self.given_up, self.dropped]
            .iter()
            .all(|count| *count > 10)
            && self.at_odds > 0
    }
}

/// Runs a seed to its end; a digest of all that happened.
fn course(app: &App, tx: &Tx<'_>, seed: u64, told: bool, total: &mut Totals) -> u64 {
    let named = Named(seed);
    app.vault.random.restart(seed);
    let trace = tx.undone(|tx| World::new(app, tx, Dice::new(seed), told).run(total));
    std::mem::forget(named);
    total.seeds += 1;
    trace
}

/// Tells the seed when a check has failed under it.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        println!("seed {0} fails; see its course: MKP_SIMULATION_SEED={0} cargo test --lib simulation", self.0);
    }
}
