//! What is counted for `/metrics`. Wraps and their like cost two additions to cells that no other worker writes to; all
//! else is counted under a lock, since it costs a thousand times as much anyway.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::app::App;
use crate::app::error::Error;
use crate::domain::operation::Operation;
use crate::store::key_query;

/// Upper bounds of latencies; what is longer goes into one more bucket.
pub(crate) const BOUNDS: [Duration; 15] = [
    Duration::from_micros(10),
    Duration::from_micros(25),
    Duration::from_micros(50),
    Duration::from_micros(100),
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(5),
];
const BUCKETS: usize = BOUNDS.len() + 1;
/// Operations with cells of their own, when they succeed.
const HOT: [Operation; 3] = [Operation::Wrap, Operation::Unwrap, Operation::Rewrap];

/// Which API a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Api {
    KeyProtect,
    Iam,
    ResourceController,
    /// The storage gateway, by the names of S3.
    Cos,
    /// The admin API, documentation, and paths that nothing answers on.
    Admin,
}

impl Api {
    /// The word for it, as the request journal has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KeyProtect => "key-protect",
            Self::Iam => "iam",
            Self::ResourceController => "resource-controller",
            Self::Cos => "cos",
            Self::Admin => "admin",
        }
    }
}

/// What is known of one operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// How many requests ended with a status.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// How many took as long, by [`BOUNDS`].
    pub(crate) buckets: [u64; BUCKETS],
    pub(crate) total: Duration,
}

/// Look-ups in a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LookUps {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
}

/// A memory whose look-ups are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cache {
    /// Verified tokens.
    Tokens,
    /// Root keys in use.
    Keys,
}

type Series = (Api, &'static str);

/// All counters.
pub(crate) struct Metrics {
    cells: Box<[Cells]>,
    others: Mutex<BTreeMap<Series, Figures>>,
}

/// One worker's counters, on cache lines of their own.
#[repr(align(128))]
#[derive(Default)]
struct Cells {
    hot: [HotCells; HOT.len()],
    /// Hits and misses of tokens, then of keys.
    look_ups: [[AtomicU64; 2]; 2],
}

#[derive(Default)]
struct HotCells {
    buckets: [AtomicU64; BUCKETS],
    nanos: AtomicU64,
}

static NEXT_PLACE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Which cells this thread counts in.
    static PLACE: usize = NEXT_PLACE.fetch_add(1, Ordering::Relaxed);
}

impl Metrics {
    /// Nothing counted yet.
    pub(crate) fn new() -> Self {
        let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        // A few more, since threads beside the workers get places too.
        let cells = (0..workers * 2).map(|_| Cells::default()).collect();
        Self { cells, others: Mutex::default() }
    }

    /// Counts an operation on keys.
    pub(crate) fn served(&self, operation: Operation, status: u16, took: Duration) {
        let hot = HOT.iter().position(|hot| *hot == operation).filter(|_| status == 200);
        let cells = hot.and_then(|place| self.own()?.hot.get(place));
        let Some(cells) = cells else { return self.answered(Api::KeyProtect, operation.row().id, status, took) };
        if let Some(bucket) = cells.buckets.get(bucket_of(took)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        cells.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Counts any other request; `operation` is one of a few words.
    pub(crate) fn answered(&self, api: Api, operation: &'static str, status: u16, took: Duration) {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let figures = others.entry((api, operation)).or_default();
        *figures.statuses.entry(status).or_default() += 1;
        if let Some(bucket) = figures.buckets.get_mut(bucket_of(took)) {
            *bucket += 1;
        }
        figures.total = figures.total.saturating_add(took);
    }

    /// Counts a look-up.
    pub(crate) fn looked_up(&self, cache: Cache, found: bool) {
        let row = self.own().and_then(|own| own.look_ups.get(cache as usize));
        if let Some(cell) = row.and_then(|row| row.get(usize::from(!found))) {
            cell.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All operations so far, in order of their names.
    pub(crate) fn operations(&self) -> BTreeMap<Series, Figures> {
        let mut all = self.others.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (place, operation) in HOT.into_iter().enumerate() {
            for cells in self.cells.iter().filter_map(|cells| cells.hot.get(place)) {
                let counts = cells.buckets.each_ref().map(|bucket| bucket.load(Ordering::Relaxed));
                let count: u64 = counts.iter().sum();
                if count == 0 {
                    continue;
                }
                let figures = all.entry((Api::KeyProtect, operation.row().id)).or_default();
                *figures.statuses.entry(200).or_default() += count;
                for (bucket, count) in figures.buckets.iter_mut().zip(counts) {
                    *bucket += count;
                }
                figures.total += Duration::from_nanos(cells.nanos.load(Ordering::Relaxed));
            }
        }
        all
    }

    /// Look-ups so far.
    pub(crate) fn look_ups(&self, cache: Cache) -> LookUps {
        let rows = self.cells.iter().filter_map(|cells| cells.look_ups.get(cache as usize));
        rows.fold(LookUps { hits: 0, misses: 0 }, |sum, [hits, misses]| LookUps {
            hits: sum.hits + hits.load(Ordering::Relaxed),
            misses: sum.misses + misses.load(Ordering::Relaxed),
        })
    }

    fn own(&self) -> Option<&Cells> {
        self.cells.get(PLACE.with(|place| *place) % self.cells.len().max(1))
    }
}

impl App {
    /// How many keys of all instances are in each state, by its name.
    ///
    /// # Errors
    /// The store's fault.
    pub(crate) async fn keys_by_state(&self) -> Result<Vec<(&'static str, i64)>, Error> {
        let counts = self.read(|tx| Ok(key_query::by_state(tx)?)).await?;
        let of = |state: u8| counts.iter().find(|(counted, _)| *counted == state).map_or(0, |(_, keys)| *keys);
        let names = [("active", 1), ("suspended", 2), ("deactivated", 3), ("destroyed", 5)];
        Ok(names.map(|(name, state)| (name, of(state))).to_vec())
    }
}

fn bucket_of(took: Duration) -> usize {
    BOUNDS.iter().position(|bound| took <= *bound).unwrap_or(BOUNDS.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_threads_count_adds_up() {
        let metrics = Metrics::new();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        metrics.served(Operation::Wrap, 200, Duration::from_micros(30));
                        metrics.served(Operation::Wrap, 404, Duration::from_micros(3));
                        metrics.answered(Api::Iam, "getToken", 200, Duration::from_secs(9));
                        metrics.looked_up(Cache::Keys, true);
                    }
                });
            }
        });
        let all = metrics.operations();
        let wraps = &all[&(Api::KeyProtect, "wrapKey")];
        assert_eq!(wraps.statuses, BTreeMap::from([(200, 8_000), (404, 8_000)]));
        assert_eq!((wraps.buckets[0], wraps.buckets[2], wraps.total), (8_000, 8_000, Duration::from_millis(264)));
        assert_eq!(all[&(Api::Iam, "getToken")].buckets[BOUNDS.len()], 8_000);
        assert_eq!(metrics.look_ups(Cache::Keys), LookUps { hits: 8_000, misses: 0 });
        assert_eq!(metrics.look_ups(Cache::Tokens), LookUps { hits: 0, misses: 0 });
    }

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        for (place, bound) in BOUNDS.iter().enumerate() {
            assert_eq!(bucket_of(*bound), place);
            assert_eq!(bucket_of(*bound + Duration::from_nanos(1)), place + 1);
        }
    }
}
