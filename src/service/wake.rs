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

/// The tasks beside requests.
pub(crate) struct Waker {
    scheduler: Scheduler,
    beat: JoinHandle<()>,
    watchdog: Arc<Watchdog>,
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
            loop {
                tokio::select! {
                    _ = beats.tick() => watched.beat(),
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
