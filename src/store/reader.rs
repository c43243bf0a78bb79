//! A few threads with read-only connections: each read sees one snapshot, and no worker of the web server waits for a disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;
use tracing::error;

use crate::store::Error;
use crate::store::snapshots::Snapshots;
use crate::store::tx::Tx;

type Job = Box<dyn FnOnce(&Connection, &Snapshots) + Send>;

/// The door to the reader threads.
pub(crate) struct Reader {
    queue: Mutex<Option<Sender<Job>>>,
    waiting: Arc<AtomicUsize>,
}

impl Reader {
    /// Starts a thread for each connection. All readers of one database share its snapshots.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(
        connections: Vec<Connection>,
        snapshots: &Arc<Snapshots>,
    ) -> std::io::Result<(Self, Vec<JoinHandle<()>>)> {
        let (queue, jobs) = channel::<Job>();
        let jobs = Arc::new(Mutex::new(jobs));
        let mut threads = Vec::new();
        let waiting = Arc::new(AtomicUsize::new(0));
        for connection in connections {
            let (jobs, taken, snapshots) = (Arc::clone(&jobs), Arc::clone(&waiting), Arc::clone(snapshots));
            let run = move || {
                while let Some(job) = next_job(&jobs) {
                    taken.fetch_sub(1, Ordering::Relaxed);
                    if catch_unwind(AssertUnwindSafe(|| job(&connection, &snapshots))).is_err() {
                        error!("a read ended in a panic");
                    }
                }
            };
            threads.push(std::thread::Builder::new().name("store-reader".to_owned()).spawn(run)?);
        }
        Ok((Self { queue: Mutex::new(Some(queue)), waiting }, threads))
    }

    /// Runs a job over a snapshot.
    ///
    /// # Errors
    /// The job's own, or the store's.
    pub(crate) async fn run<T, E, F>(&self, job: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection, snapshots| {
            let result = snapshot(connection, snapshots, job);
            // The caller may have gone away.
            drop(answer.send(result));
        });
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let sent = match &*self.queue.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(queue) => queue.send(job).is_ok(),
            None => false,
        };
        if !sent {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::Closed.into());
        }
        answered.await.unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    /// How many jobs wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Lets the threads finish what is queued.
    pub(crate) fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

fn next_job(jobs: &Mutex<Receiver<Job>>) -> Option<Job> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn snapshot<T, E, F>(connection: &Connection, snapshots: &Snapshots, job: F) -> Result<T, E>
where
    E: From<Error>,
    F: FnOnce(&Tx<'_>) -> Result<T, E>,
{
    let _open = snapshots.open();
    connection.execute_batch("BEGIN DEFERRED").map_err(Error::from)?;
    let guard = EndOfSnapshot(connection);
    let result = job(&Tx::new(connection));
    drop(guard);
    result
}

/// Ends the snapshot however the job ends.
struct EndOfSnapshot<'c>(&'c Connection);

impl Drop for EndOfSnapshot<'_> {
    fn drop(&mut self) {
        if let Err(fault) = self.0.execute_batch("ROLLBACK") {
            error!(%fault, "a snapshot did not end");
        }
    }
}
