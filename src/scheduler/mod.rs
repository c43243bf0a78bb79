//! Wakes what is due, in real time. The cron library decides nothing: each tick asks our own clock.

use std::sync::Arc;

use thiserror::Error;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tracing::error;

use crate::app::App;
use crate::app::tick::tick;

/// Each second of real time.
const EACH_SECOND: &str = "* * * * * *";

/// The cron library failed.
#[derive(Debug, Error)]
#[error("the scheduler does not start: {0}")]
pub(crate) struct Error(#[from] JobSchedulerError);

/// The running scheduler.
pub(crate) struct Scheduler(JobScheduler);

impl Scheduler {
    /// Starts to wake the tick.
    ///
    /// # Errors
    /// When the cron library fails.
    pub(crate) async fn start(app: Arc<App>) -> Result<Self, Error> {
        let scheduler = JobScheduler::new().await?;
        let job = Job::new_async(EACH_SECOND, move |_, _| {
            let app = Arc::clone(&app);
            Box::pin(async move {
                if let Err(fault) = tick(&app, app.clock.now()).await {
                    fault.report("what is due could not be done");
                }
            })
        })?;
        scheduler.add(job).await?;
        scheduler.start().await?;
        Ok(Self(scheduler))
    }

    /// Stops waking.
    pub(crate) async fn stop(mut self) {
        if let Err(fault) = self.0.shutdown().await {
            error!(%fault, "the scheduler did not stop cleanly");
        }
    }
}
