//! What goes on beside requests: the scheduler, the beat that ends idle connections and stores waiting audit records.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::http::state::State;
use crate::http::watchdog::{BEAT, Watchdog};
use crate::scheduler::Scheduler;
use crate::service::StartError;

/// Real time that the scheduler gets to stop.
const STOP_DEADLINE: Duration = Duration::from_secs(1);

/// Beats without a record after which there is time for work that nobody asked for.
const QUIET_BEATS: u32 = 10;

/// The tasks beside requests.
pub(crate) struct Waker {
    scheduler: Scheduler,
    beat: JoinHandle<()>,
    watchdog: Arc<Watchdog>,
}

/// Tells when nothing has been asked of keys for a while.
struct Quiet {
    records: i64,
    beats: u32,
}

impl Quiet {
    /// True at the one beat at which a quiet time has come.
    fn has_come(&mut self, records: i64) -> bool {
        if records == self.records {
            self.beats = self.beats.saturating_add(1);
        } else {
            *self = Self { records, beats: 0 };
        }
        self.beats == QUIET_BEATS
    }
}

impl Waker {
    /// Starts them.
    ///
    /// # Errors
    /// When the scheduler does not start.
    pub(crate) async fn start(state: Data<State>, watchdog: Arc<Watchdog>) -> Result<Self, StartError> {
        let app = Arc::clone(&state.app);
        let scheduler = Scheduler::start(app).await.map_err(|error| StartError(error.to_string()))?;
        let watched = Arc::clone(&watchdog);
        let beat = actix_web::rt::spawn(async move {
            let mut beats = interval(BEAT);
            beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut quiet = Quiet { records: state.app.records_so_far(), beats: 0 };
            loop {
                tokio::select! {
                    _ = beats.tick() => {
                        watched.beat();
                        let now = state.app.clock.now();
                        state.cos.wipe_stale(now);
                        state.cos.reap(now).await;
                        if quiet.has_come(state.app.records_so_far()) {
                            state.app.make_first_import_key();
                        }
                    }
                    () = state.app.audit.full.notified() => {}
                }
                state.app.flush_audit().await;
            }
        });
        Ok(Self { scheduler, beat, watchdog })
    }

    /// Ends connections on which nothing is under way.
    pub(crate) fn end_idle_connections(&self) {
        self.watchdog.end_idle();
    }

    /// Stops the beat, without waiting.
    pub(crate) fn abort(&self) {
        self.beat.abort();
    }

    /// Stops them.
    pub(crate) async fn stop(self) {
        self.beat.abort();
        // What the scheduler would still wake, the next start does.
        drop(timeout(STOP_DEADLINE, self.scheduler.stop()).await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_time_comes_once_until_something_is_asked_again() {
        let mut quiet = Quiet { records: 7, beats: 0 };
        let came: Vec<usize> = (1..=30).filter(|_| quiet.has_come(7)).collect();
        assert_eq!(came, [10]);
        assert!(!quiet.has_come(8));
        let came: Vec<usize> = (1..=30).filter(|_| quiet.has_come(8)).collect();
        assert_eq!(came, [10]);
    }
}
