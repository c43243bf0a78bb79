//! Which snapshots are open, and a way to hold new ones back for a moment: SQLite begins its log anew only while nobody
//! reads from it, and readers who take turns would never leave such a moment.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The snapshots of all readers of one database.
#[derive(Default)]
pub(crate) struct Snapshots {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    open: usize,
    held: bool,
}

impl Snapshots {
    /// Waits while snapshots are held back, then counts one more until it is dropped.
    pub(crate) fn open(&self) -> OpenSnapshot<'_> {
        let state = self.lock();
        let mut state = self.changed.wait_while(state, |state| state.held).unwrap_or_else(PoisonError::into_inner);
        state.open += 1;
        OpenSnapshot(self)
    }

    /// Holds new snapshots back and waits until those that are open have ended; `None` when that takes too long.
    pub(crate) fn hold(&self, patience: Duration) -> Option<HeldSnapshots<'_>> {
        let mut state = self.lock();
        state.held = true;
        let held = HeldSnapshots(self);
        let waited = self.changed.wait_timeout_while(state, patience, |state| state.open > 0);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let ended = state.open == 0;
        // Letting go takes the lock again.
        drop(state);
        ended.then_some(held)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A snapshot that is open.
pub(crate) struct OpenSnapshot<'a>(&'a Snapshots);

impl Drop for OpenSnapshot<'_> {
    fn drop(&mut self) {
        self.0.lock().open -= 1;
        self.0.changed.notify_all();
    }
}

/// No snapshot is open, and none opens before this is dropped.
pub(crate) struct HeldSnapshots<'a>(&'a Snapshots);

impl Drop for HeldSnapshots<'_> {
    fn drop(&mut self) {
        self.0.lock().held = false;
        self.0.changed.notify_all();
    }
}
