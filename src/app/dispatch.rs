//! Where deliveries stand, for those who wait for them: the dispatcher for work, an advance of the clock for its end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::app::error::Error;
use crate::clock::Clock;
use crate::domain::attempt::AttemptError;
use crate::domain::time::Timestamp;
use crate::store;
use crate::store::due::Ahead;

/// Real time that an attempt gets under an advance. Source: `docs/contract/interface.md` 4.
const HURRIED: Duration = Duration::from_secs(2);
/// Attempts in a row that a subscriber may let run out of time under one advance: those of one delivery over a window.
const HUNG_MAX: u32 = 19;
/// Real time that its further ones get, until it answers again.
const HURRIED_MORE: Duration = Duration::from_millis(50);

/// Whether attempts can be made and recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    Running,
    /// The store refuses to take what came of attempts.
    Failing,
    Stopped,
}

#[derive(Clone, Copy, Debug)]
struct Standing {
    /// When the next attempt is due, in milliseconds; `i64::MAX` when none is.
    next: i64,
    under_way: bool,
    health: Health,
}

/// The standing of all deliveries.
pub(crate) struct Dispatch {
    standing: watch::Sender<Standing>,
    hurried: watch::Sender<bool>,
    /// By subscriber: attempts in a row that ran out of time under this advance.
    hung: Mutex<HashMap<String, u32>>,
    /// Counts changes of subscribers: who holds something for one looks at it again.
    revision: AtomicU64,
    /// Subscribers that have left their places.
    moved: Mutex<Vec<String>>,
    /// Told when the dispatcher should look again.
    pub(crate) wake: Notify,
}

/// As long as it lives, attempts get little time.
pub(crate) struct Hurry<'a>(&'a Dispatch);

impl Drop for Hurry<'_> {
    fn drop(&mut self) {
        self.0.hurried.send_replace(false);
    }
}

impl Dispatch {
    /// As the store tells it at a start.
    pub(crate) fn new(ahead: Ahead) -> Self {
        let next = ahead.attempt.unwrap_or(i64::MAX);
        let standing = Standing { next, under_way: ahead.under_way, health: Health::Running };
        Self {
            standing: watch::Sender::new(standing),
            hurried: watch::Sender::new(false),
            hung: Mutex::default(),
            revision: AtomicU64::new(0),
            moved: Mutex::default(),
            wake: Notify::new(),
        }
    }

    /// Takes notice of a commit.
    pub(crate) fn on_commit(&self, ahead: &Ahead) {
        self.standing.send_modify(|standing| {
            standing.next = ahead.attempt.unwrap_or(i64::MAX);
            standing.under_way = ahead.under_way;
        });
        self.wake.notify_one();
    }

    /// When the next attempt is due, in milliseconds; `i64::MAX` when none is.
    pub(crate) fn next(&self) -> i64 {
        self.standing.borrow().next
    }

    /// Tells whether the store takes what came of attempts.
    pub(crate) fn recorded<T>(&self, outcome: &Result<T, Error>) {
        let health = if outcome.is_ok() { Health::Running } else { Health::Failing };
        self.standing.send_if_modified(|standing| {
            let changed = standing.health != health && standing.health != Health::Stopped;
            if changed {
                standing.health = health;
            }
            changed
        });
    }

    /// From now on no attempt is made: nobody need wait for one.
    pub(crate) fn stop(&self) {
        self.standing.send_modify(|standing| standing.health = Health::Stopped);
        self.wake.notify_one();
    }

    /// True once no more attempts are to be made.
    pub(crate) fn is_stopped(&self) -> bool {
        self.standing.borrow().health == Health::Stopped
    }

    /// Waits until all attempts that are due by the clock have been made and recorded, and none is under way.
    ///
    /// # Errors
    /// The store's fault: when attempts cannot be recorded, or the service stops.
    pub(crate) async fn settled(&self, clock: &Clock) -> Result<(), Error> {
        self.wake.notify_one();
        let mut seen = self.standing.subscribe();
        let is_over = |standing: &Standing| {
            standing.health != Health::Running || (!standing.under_way && standing.next > clock.now().millis())
        };
        match seen.wait_for(is_over).await {
            Ok(standing) if standing.health == Health::Running => Ok(()),
            Ok(_) | Err(_) => Err(store::Error::Closed.into()),
        }
    }

    /// Gives attempts little time, those under way too.
    pub(crate) fn hurry(&self) -> Hurry<'_> {
        self.hung().clear();
        self.hurried.send_replace(true);
        Hurry(self)
    }

    /// Ends once an attempt has had all the time that a subscriber gets while the clock is moved by hand.
    pub(crate) async fn out_of_patience(&self, subscriber: &str) {
        let mut hurried = self.hurried.subscribe();
        // The sender lives as long as this does.
        drop(hurried.wait_for(|hurried| *hurried).await);
        let hung = self.hung().get(subscriber).copied().unwrap_or_default();
        let patience = if hung < HUNG_MAX { HURRIED } else { HURRIED_MORE };
        drop(tokio::time::timeout(patience, std::future::pending::<()>()).await);
    }

    /// Takes notice of how an attempt ended.
    pub(crate) fn ended(&self, subscriber: &str, error: Option<AttemptError>) {
        if !*self.hurried.borrow() {
            return;
        }
        let mut hung = self.hung();
        if error == Some(AttemptError::Timeout) {
            *hung.entry(subscriber.to_owned()).or_default() += 1;
        } else {
            hung.remove(subscriber);
        }
    }

    fn hung(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.hung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes notice of a change of subscribers; `moved` are no longer where they were.
    pub(crate) fn subscribers_changed(&self, moved: Vec<String>) {
        self.moved.lock().unwrap_or_else(PoisonError::into_inner).extend(moved);
        self.revision.fetch_add(1, Ordering::AcqRel);
        self.wake.notify_one();
    }

    /// Subscribers that have left their places since this was last asked.
    pub(crate) fn take_moved(&self) -> Vec<String> {
        std::mem::take(&mut *self.moved.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How often subscribers have changed.
    pub(crate) fn revision(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }

    /// Real time until the next attempt is due, as the clock runs now; `None` when none will be by itself.
    pub(crate) fn until_next(&self, clock: &Clock) -> Option<Duration> {
        let next = self.next();
        if next == i64::MAX {
            return None;
        }
        let now = clock.now();
        let ahead = Timestamp::from_millis(next).since(now);
        let reading = clock.reading();
        if ahead.is_zero() {
            Some(Duration::ZERO)
        } else if reading.frozen {
            None
        } else {
            Some(ahead / reading.scale.max(1))
        }
    }
}
