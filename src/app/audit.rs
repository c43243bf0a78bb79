//! Audit records: one per request. Those of changes are stored with the change, the others wait in memory for at most a
//! second and are stored in blocks.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tracing::error;

use crate::app::App;
use crate::app::error::Error;
use crate::domain::audit::Record;
use crate::domain::context::Context;
use crate::store::audit::{self, Block, Common};
use crate::store::tx::Tx;

/// Records that wait before they are stored without waiting for the second to end.
const BLOCK_RECORDS: usize = 4_096;
/// Records that may wait at most; beyond, callers wait until a block is stored.
const WAITING_RECORDS_MAX: usize = 16_384;
/// Records that are kept while the store refuses them.
const PUT_BACK_RECORDS_MAX: usize = 2 * WAITING_RECORDS_MAX;

/// Records that wait to be stored.
pub(crate) struct AuditQueue {
    waiting: Mutex<Waiting>,
    next: AtomicI64,
    /// Held by whoever stores what waits.
    storing: tokio::sync::Mutex<()>,
    /// Told when a block is full.
    pub(crate) full: Notify,
    /// Told when a record is stored, or about to be.
    pub(crate) news: Notify,
}

struct Waiting {
    /// Takes what comes.
    open: Block,
    /// Blocks that the store has refused, oldest first.
    refused: Vec<Block>,
    /// What the last stored block was written in.
    room: Vec<u8>,
}

impl Waiting {
    fn len(&self) -> usize {
        self.open.len() + self.refused.iter().map(Block::len).sum::<usize>()
    }

    /// All blocks with something in them, oldest first.
    fn take(&mut self) -> Vec<Block> {
        let mut blocks = std::mem::take(&mut self.refused);
        if self.open.len() > 0 {
            let next = self.open.next(std::mem::take(&mut self.room));
            blocks.push(std::mem::replace(&mut self.open, next));
        }
        blocks
    }
}

/// How far a reader of all records has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Number of the last record that was read.
    pub(crate) after: i64,
    /// Blocks before this one hold nothing later.
    pub(crate) block: i64,
}

impl Place {
    /// After the record of this number.
    pub(crate) fn after(number: i64) -> Self {
        Self { after: number, block: 0 }
    }
}

impl AuditQueue {
    /// An empty queue; records are numbered from `next` on.
    pub(crate) fn new(next: i64) -> Self {
        let waiting = Waiting { open: Block::default().next(Vec::new()), refused: Vec::new(), room: Vec::new() };
        Self {
            waiting: Mutex::new(waiting),
            next: AtomicI64::new(next),
            storing: tokio::sync::Mutex::new(()),
            full: Notify::new(),
            news: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn number(&self) -> i64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Writes a record down; gives how many wait.
    fn push(&self, write: impl FnOnce(&mut Block, i64)) -> usize {
        let mut waiting = self.lock();
        // Numbered under the lock: whoever takes what waits has all that has a number.
        write(&mut waiting.open, self.number());
        waiting.len()
    }

    /// How many records wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn put_back(&self, mut blocks: Vec<Block>) {
        let mut waiting = self.lock();
        let mut kept = waiting.len() + blocks.iter().map(Block::len).sum::<usize>();
        let mut lost = 0;
        while kept > PUT_BACK_RECORDS_MAX && !blocks.is_empty() {
            let given_up = blocks.remove(0).len();
            (kept, lost) = (kept - given_up, lost + given_up);
        }
        if lost > 0 {
            error!(lost, "the store has refused audit records for so long that the oldest are given up");
        }
        blocks.append(&mut waiting.refused);
        waiting.refused = blocks;
    }

    fn reuse(&self, stored: Option<Vec<Block>>) {
        if let Some(block) = stored.and_then(|mut blocks| blocks.pop()) {
            self.lock().room = block.into_room();
        }
    }
}

impl App {
    /// Stores the record of a change, in its transaction.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn record(&self, tx: &Tx<'_>, record: Record) -> Result<(), Error> {
        self.record_all(tx, &[record])
    }

    /// Stores several records of a change, in its transaction.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn record_all(&self, tx: &Tx<'_>, records: &[Record]) -> Result<(), Error> {
        let mut block = Block::default();
        for record in records {
            block.push(self.audit.number(), record);
        }
        audit::append(tx, &block)?;
        self.audit.news.notify_one();
        Ok(())
    }

    /// Queues the record of a read or a refusal.
    pub(crate) async fn note(&self, record: Record) {
        let waiting = self.audit.push(|block, number| block.push(number, &record));
        self.make_room(waiting).await;
    }

    /// Queues a record of the data plane.
    pub(crate) async fn note_light(&self, common: &Arc<Common>, cx: &Context) {
        let (at, correlation) = (cx.now.millis(), &cx.trace.correlation);
        let waiting = self.audit.push(|block, number| block.push_light(number, common, at, correlation));
        self.make_room(waiting).await;
    }

    async fn make_room(&self, waiting: usize) {
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

    /// The records after a place, oldest first, `limit` at most, and the place after them. What has a number by now is
    /// stored first, so that none comes later.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn next_records(&self, place: Place, limit: i64) -> Result<(Vec<Record>, Place), Error> {
        let newest = self.records_so_far() - 1;
        if newest <= place.after {
            return Ok((Vec::new(), place));
        }
        self.store_waiting().await?;
        // Behind all changes that have taken a number: each is on disk by then, or undone.
        self.write(|_| Ok(())).await?;
        let last = newest.min(place.after.saturating_add(limit));
        let (records, block) =
            self.archive.run(move |tx: &Tx<'_>| audit::between(tx, place.block, place.after, last)).await?;
        Ok((records, Place { after: last, block }))
    }

    /// Stores what waits. A block that the store refuses goes back into the queue.
    pub(crate) async fn flush_audit(&self) {
        if let Err(fault) = self.store_waiting().await {
            fault.report("audit records wait for the store");
        }
    }

    async fn store_waiting(&self) -> Result<(), Error> {
        let _storing = self.audit.storing.lock().await;
        let blocks = Arc::new(self.audit.lock().take());
        if blocks.is_empty() {
            return Ok(());
        }
        let stored = Arc::clone(&blocks);
        let written = self.write(move |tx| Ok(stored.iter().try_for_each(|block| audit::append(tx, block))?)).await;
        match written {
            Ok(()) => {
                self.audit.reuse(Arc::into_inner(blocks));
                self.audit.news.notify_one();
            }
            Err(_) => self.audit.put_back(Arc::unwrap_or_clone(blocks)),
        }
        written
    }
}
