//! One thread owns the writing connection. It takes jobs from a queue, runs each in a savepoint, commits a group at once,
//! brings what lies in memory up to date, and only then lets the jobs' callers go on.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;
use tracing::{error, warn};

use crate::domain::iam_policy::IamPolicy;
use crate::domain::settings::Settings;
use crate::store::due::Ahead;
use crate::store::file::BUSY_WAIT;
use crate::store::snapshots::Snapshots;
use crate::store::tx::{Effects, Tx};
use crate::store::{Error, due, iam_identities, iam_policies, settings};

/// Jobs that one commit takes at most.
const GROUP_JOBS_MAX: usize = 256;
/// How long to wait before the log is tried to be folded in again.
const CHECKPOINT_AGAIN: Duration = Duration::from_millis(50);
/// How long readers may take to end, while new ones are held back, before the log is left for later: a long log, and one
/// that holds deleted material, which is tried more often.
const READERS_AWAITED: Duration = Duration::from_millis(200);
const READERS_AWAITED_OFTEN: Duration = Duration::from_millis(20);
/// Jobs that may wait; more callers wait for a place.
const QUEUE_JOBS_MAX: usize = 8_192;

/// Runs after each commit and before anyone is answered.
pub(crate) type OnCommit = Box<dyn Fn(&Committed) + Send>;

/// The write-ahead log, and those who read from it.
pub(crate) struct Log {
    pub(crate) path: PathBuf,
    pub(crate) snapshots: Arc<Snapshots>,
    /// Bytes from which on it is folded in even if readers have to wait for that.
    pub(crate) bytes_max: u64,
}

/// What a commit changed for those who remember things.
pub(crate) struct Committed {
    /// What the jobs noted.
    pub(crate) effects: Effects,
    pub(crate) next_due: NextDue,
    /// Policies of IAM that changed, as they are in force now.
    pub(crate) policies: Vec<IamPolicy>,
    /// All settings, when one changed.
    pub(crate) settings: Option<Settings>,
    /// UUIDs of all service ids, when one came or went.
    pub(crate) service_ids: Option<HashSet<String>>,
}

/// When something is due next.
pub(crate) enum NextDue {
    /// As before.
    Unchanged,
    /// As the store tells it now.
    Changed(Ahead),
}

/// Whether a job's changes are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Yes,
    No,
}

type Settle = Box<dyn FnOnce(Result<(), String>) + Send>;
type Job = Box<dyn FnOnce(&Tx<'_>) -> (Keep, Settle) + Send>;

enum Message {
    Job(Job),
    Close,
}

/// The door to the writer thread.
pub(crate) struct Writer {
    queue: SyncSender<Message>,
    waiting: Arc<AtomicUsize>,
    halted: Arc<AtomicBool>,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(
        connection: Connection,
        log: Log,
        on_commit: OnCommit,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (queue, jobs) = sync_channel(QUEUE_JOBS_MAX);
        let waiting = Arc::new(AtomicUsize::new(0));
        let taken = Arc::clone(&waiting);
        let halted = Arc::new(AtomicBool::new(false));
        let halts = Arc::clone(&halted);
        let thread = std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || {
            let folded_at = log.bytes_max;
            Thread { connection, log, folded_at, on_commit, taken, owes_checkpoint: false, halted: halts }.run(&jobs);
        })?;
        Ok((Self { queue, waiting, halted }, thread))
    }

    /// Runs a job in a transaction. Its changes are on disk when this returns `Ok`, and are not there after any `Err`.
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
        let job: Job = Box::new(move |tx| {
            let result = job(tx);
            let keep = if result.is_ok() { Keep::Yes } else { Keep::No };
            let settle: Settle = Box::new(move |committed| {
                let result = committed.map_err(|why| Error::NotCommitted(why).into()).and(result);
                // The caller may have gone away; what was decided stands all the same.
                drop(answer.send(result));
            });
            (keep, settle)
        });
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.enqueue(Message::Job(job)).await.inspect_err(|_| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        })?;
        answered.await.unwrap_or_else(|_| Err(self.unanswered().into()))
    }

    fn unanswered(&self) -> Error {
        if self.halted.load(Ordering::Relaxed) { Error::Halted } else { Error::Closed }
    }

    /// How many jobs wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Lets the thread finish what is queued and close the connection.
    pub(crate) fn close(&self) {
        // A thread that is gone already needs no closing.
        drop(self.queue.send(Message::Close));
    }

    async fn enqueue(&self, mut message: Message) -> Result<(), Error> {
        loop {
            message = match self.queue.try_send(message) {
                Ok(()) => return Ok(()),
                Err(std::sync::mpsc::TrySendError::Disconnected(_)) => return Err(Error::Closed),
                Err(std::sync::mpsc::TrySendError::Full(back)) => back,
            };
            tokio::task::yield_now().await;
        }
    }
}

struct Thread {
    connection: Connection,
    log: Log,
    /// Bytes of the log at which it is folded in next.
    folded_at: u64,
    on_commit: OnCommit,
    /// Counts the jobs that wait.
    taken: Arc<AtomicUsize>,
    /// True while deleted material is still on disk.
    owes_checkpoint: bool,
    /// True once a sync has failed: what is on disk is then unknown, so nothing more is written.
    halted: Arc<AtomicBool>,
}

impl Thread {
    fn run(mut self, jobs: &Receiver<Message>) {
        let mut open = true;
        while open {
            let Some(first) = self.next(jobs) else { break };
            let mut group = Vec::new();
            let mut next = Some(first);
            while let Some(message) = next.take() {
                match message {
                    Message::Job(job) => group.push(job),
                    Message::Close => open = false,
                }
                if open && group.len() < GROUP_JOBS_MAX {
                    next = jobs.try_recv().ok();
                }
            }
            self.taken.fetch_sub(group.len(), Ordering::Relaxed);
            self.run_group(group);
            self.bound_log();
        }
        self.forget_deleted();
        if self.owes_checkpoint {
            warn!("the write-ahead log stays beside the database; the next start folds it in");
        }
    }

    /// Waits for a message; meanwhile tries again to fold in a log that holds deleted material.
    fn next(&mut self, jobs: &Receiver<Message>) -> Option<Message> {
        loop {
            if !self.owes_checkpoint {
                return jobs.recv().ok();
            }
            match jobs.recv_timeout(CHECKPOINT_AGAIN) {
                Ok(message) => return Some(message),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.forget_deleted(),
            }
        }
    }

    /// Folds the log in, so that deleted material leaves the disk; as long as a reader needs the log, later.
    fn forget_deleted(&mut self) {
        match self.fold(READERS_AWAITED_OFTEN) {
            Ok(Checkpoint::Done) => self.owes_checkpoint = false,
            Ok(Checkpoint::Blocked) => self.owes_checkpoint = true,
            Err(fault) => {
                warn!(%fault, "deleted material stays on disk until the log can be folded into the database");
                self.owes_checkpoint = true;
            }
        }
    }

    /// Folds a long log in. Where readers take too long it grows by a quarter before the next attempt.
    fn bound_log(&mut self) {
        let bytes = std::fs::metadata(&self.log.path).map_or(0, |log| log.len());
        if bytes < self.folded_at || self.halted.load(Ordering::Relaxed) {
            return;
        }
        self.folded_at = match self.fold(READERS_AWAITED) {
            Ok(Checkpoint::Done) => self.log.bytes_max,
            Ok(Checkpoint::Blocked) => bytes.saturating_add(self.log.bytes_max / 4),
            Err(fault) => {
                warn!(%fault, "the write-ahead log was not folded into the database");
                bytes.saturating_add(self.log.bytes_max / 4)
            }
        };
    }

    /// Folds the log into the database and empties it, while readers wait.
    fn fold(&self, patience: Duration) -> Result<Checkpoint, Error> {
        match self.log.snapshots.hold(patience) {
            Some(_held) => checkpoint(&self.connection),
            None => Ok(Checkpoint::Blocked),
        }
    }

    fn run_group(&mut self, group: Vec<Job>) {
        if group.is_empty() || self.halted.load(Ordering::Relaxed) {
            return;
        }
        let mut settles = Vec::with_capacity(group.len());
        let outcome = self.commit_group(group, &mut settles);
        let result = outcome.map_err(|fault| {
            error!(%fault, "a group of changes was not committed");
            if lost_a_sync(&fault) {
                error!("the disk has lost a write: nothing more is written until the service is restarted");
                self.halted.store(true, Ordering::Relaxed);
            }
            fault.to_string()
        });
        for settle in settles {
            settle(result.clone());
        }
    }

    fn commit_group(&mut self, group: Vec<Job>, settles: &mut Vec<Settle>) -> Result<(), Error> {
        let connection = &self.connection;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let tx = Tx::new(connection);
        let ran = run_jobs(&tx, group, settles);
        let committed = ran.and_then(|()| changed(tx)).and_then(|changed| {
            connection.execute_batch("COMMIT")?;
            Ok(changed)
        });
        let committed = committed.inspect_err(|_| {
            // Fails when SQLite has rolled back by itself, which is what is wanted.
            drop(connection.execute_batch("ROLLBACK"));
        })?;
        let truncate = committed.effects.truncates_log();
        (self.on_commit)(&committed);
        if truncate {
            self.forget_deleted();
        }
        Ok(())
    }
}

/// What the transaction changes of what is remembered.
fn changed(tx: Tx<'_>) -> Result<Committed, Error> {
    let effects = tx.effects();
    let next_due = if effects.due_changed() { NextDue::Changed(due::ahead(&tx)?) } else { NextDue::Unchanged };
    let policies = effects.policies().into_iter().filter_map(|id| iam_policies::in_force(&tx, id).transpose());
    let policies = policies.collect::<Result<_, _>>()?;
    let settings = effects.settings_changed().then(|| settings::all(&tx)).transpose()?;
    let service_ids = effects.service_ids_changed().then(|| iam_identities::living(&tx)).transpose()?;
    Ok(Committed { effects: tx.into_effects(), next_due, policies, settings, service_ids })
}

fn run_jobs(tx: &Tx<'_>, group: Vec<Job>, settles: &mut Vec<Settle>) -> Result<(), Error> {
    for job in group {
        tx.prepare("SAVEPOINT job")?.execute([])?;
        let mark = tx.effects().mark();
        let ran = catch_unwind(AssertUnwindSafe(|| job(tx)));
        let keep = if let Ok((keep, settle)) = ran {
            settles.push(settle);
            keep
        } else {
            error!("a change ended in a panic and was undone");
            Keep::No
        };
        if keep == Keep::No {
            tx.prepare("ROLLBACK TO job")?.execute([])?;
            tx.effects().rewind(mark);
        }
        tx.prepare("RELEASE job")?.execute([])?;
    }
    Ok(())
}

/// How an attempt to fold the log in ended.
enum Checkpoint {
    Done,
    /// A reader still needs the log.
    Blocked,
}

/// Folds the log into the database and empties it, without waiting for readers.
fn checkpoint(connection: &Connection) -> Result<Checkpoint, Error> {
    connection.busy_timeout(Duration::ZERO)?;
    let blocked: Result<bool, _> = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    connection.busy_timeout(BUSY_WAIT)?;
    Ok(if blocked? { Checkpoint::Blocked } else { Checkpoint::Done })
}

fn lost_a_sync(fault: &Error) -> bool {
    const SYNC_FAULTS: [i32; 2] = [rusqlite::ffi::SQLITE_IOERR_FSYNC, rusqlite::ffi::SQLITE_IOERR_DIR_FSYNC];
    let Error::Sqlite(rusqlite::Error::SqliteFailure(failure, _)) = fault else { return false };
    SYNC_FAULTS.contains(&failure.extended_code)
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
