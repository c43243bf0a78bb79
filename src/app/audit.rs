//! Audit records: one per request. Those of changes are stored with the change, the others wait in memory for at most a
//! second and are stored in blocks.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tracing::error;

use crate::app::App;
use crate::app::error::Error;
use crate::domain::audit::Record;
use crate::store::audit::{self, Entry, Light, Numbered};
use crate::store::tx::Tx;

/// Records that wait before they are stored without waiting for the second to end.
const BLOCK_RECORDS: usize = 4_096;
/// Records that may wait at most; beyond, callers wait until a block is stored.
const WAITING_RECORDS_MAX: usize = 16_384;
/// Records that are kept while the store refuses them.
const PUT_BACK_RECORDS_MAX: usize = 2 * WAITING_RECORDS_MAX;

/// Records that wait to be stored.
pub(crate) struct AuditQueue {
    waiting: Mutex<Vec<Numbered>>,
    next: AtomicI64,
    /// Told when a block is full.
    pub(crate) full: Notify,
}

impl AuditQueue {
    /// An empty queue; records are numbered from `next` on.
    pub(crate) fn new(next: i64) -> Self {
        Self { waiting: Mutex::new(Vec::new()), next: AtomicI64::new(next), full: Notify::new() }
    }

    fn number(&self, entry: Entry) -> Numbered {
        Numbered { number: self.next.fetch_add(1, Ordering::Relaxed), entry }
    }

    fn push(&self, entry: Entry) -> usize {
        let entry = self.number(entry);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(entry);
        waiting.len()
    }

    fn take(&self) -> Vec<Numbered> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many records wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn put_back(&self, mut entries: Vec<Numbered>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        entries.append(&mut waiting);
        if entries.len() > PUT_BACK_RECORDS_MAX {
            let lost = entries.len() - PUT_BACK_RECORDS_MAX;
            error!(lost, "the store has refused audit records for so long that the oldest are given up");
            entries.drain(..lost);
        }
        *waiting = entries;
    }
}

impl App {
    /// Stores the record of a change, in its transaction.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn record(&self, tx: &Tx<'_>, record: Record) -> Result<(), Error> {
        Ok(audit::append(tx, &[self.audit.number(Entry::Whole(Box::new(record)))])?)
    }

    /// Queues the record of a read or a refusal.
    pub(crate) async fn note(&self, record: Record) {
        self.enqueue(Entry::Whole(Box::new(record))).await;
    }

    /// Queues a record of the data plane.
    pub(crate) async fn note_light(&self, light: Light) {
        self.enqueue(Entry::Light(light)).await;
    }

    async fn enqueue(&self, entry: Entry) {
        let waiting = self.audit.push(entry);
        if waiting == BLOCK_RECORDS {
            self.audit.full.notify_one();
        } else if waiting >= WAITING_RECORDS_MAX {
            // Nothing is dropped in silence: whoever comes now waits for the store.
            Box::pin(self.flush_audit()).await;
        }
    }

    /// The oldest records that fit, `limit` at most, and how many fit. What waits is stored first, so that each caller
    /// finds its own.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn find_records<F>(&self, limit: usize, fits: F) -> Result<(Vec<Record>, usize), Error>
    where
        F: Fn(&Record) -> bool + Send + 'static,
    {
        self.flush_audit().await;
        let find = move |tx: &Tx<'_>| {
            let (mut found, mut total) = (Vec::new(), 0);
            audit::walk(tx, |record| {
                if fits(&record) {
                    total += 1;
                    if found.len() < limit {
                        found.push(record);
                    }
                }
            })?;
            Ok((found, total))
        };
        self.archive.run(find).await
    }

    /// Changes with every record.
    pub(crate) fn records_so_far(&self) -> i64 {
        self.audit.next.load(Ordering::Relaxed)
    }

    /// Stores what waits. A block that the store refuses goes back into the queue.
    pub(crate) async fn flush_audit(&self) {
        let entries = self.audit.take();
        if entries.is_empty() {
            return;
        }
        let entries = Arc::new(entries);
        let stored = Arc::clone(&entries);
        if let Err(fault) = self.write(move |tx| Ok(audit::append(tx, &stored)?)).await {
            error!(%fault, "audit records wait for the store");
            self.audit.put_back(Arc::unwrap_or_clone(entries));
        }
    }
}
