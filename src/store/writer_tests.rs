//! The log stays short, whoever reads.

use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::OpenFlags;
use tempfile::TempDir;

use super::*;
use crate::store::reader::Reader;

const READERS: usize = 4;
const BYTES_MAX: u64 = 1024 * 1024;

/// A database with one table, its writer and readers.
struct Store {
    folder: TempDir,
    writer: Writer,
    reader: Reader,
    threads: Vec<JoinHandle<()>>,
}

impl Store {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("state.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; CREATE TABLE blobs (blob BLOB)")
            .unwrap();
        let open = |_| Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let connections = (0..READERS).map(open).collect();
        let snapshots = Arc::default();
        let log = Log { path: path.with_extension("db-wal"), snapshots: Arc::clone(&snapshots), bytes_max: BYTES_MAX };
        let (writer, thread) = Writer::start(connection, log, Box::new(|_| ())).unwrap();
        let (reader, mut threads) = Reader::start(connections, &snapshots).unwrap();
        threads.push(thread);
        Self { folder, writer, reader, threads }
    }

    fn log_bytes(&self) -> u64 {
        std::fs::metadata(self.folder.path().join("state.db-wal")).map_or(0, |log| log.len())
    }

    async fn read(&self) -> i64 {
        let count =
            |tx: &Tx<'_>| Ok(tx.prepare("SELECT sum(length(blob)) FROM blobs")?.query_row([], |row| row.get(0))?);
        self.reader.run::<Option<i64>, Error, _>(count).await.unwrap().unwrap_or_default()
    }

    async fn write(&self, bytes: i64) {
        let insert = move |tx: &Tx<'_>| {
            tx.prepare("INSERT INTO blobs VALUES (zeroblob(?1))")?.execute([bytes])?;
            Ok(())
        };
        self.writer.run::<(), Error, _>(insert).await.unwrap();
    }

    fn stop(self) {
        self.writer.close();
        self.reader.close();
        for thread in self.threads {
            thread.join().unwrap();
        }
    }
}

#[tokio::test]
async fn the_log_stays_short_while_readers_take_turns() {
    let store = Store::start();
    let done = AtomicBool::new(false);
    let writing = async {
        let mut longest = 0;
        for _ in 0..400 {
            store.write(64 * 1024).await;
            longest = longest.max(store.log_bytes());
        }
        done.store(true, Ordering::Relaxed);
        longest
    };
    let readers = futures_util::future::join_all((0..2 * READERS).map(|_| async {
        while !done.load(Ordering::Relaxed) {
            store.read().await;
        }
    }));
    let (longest, _) = futures_util::future::join(writing, readers).await;
    // 25 MiB were written.
    assert!(longest < 4 * BYTES_MAX, "{longest} bytes");
    assert_eq!(store.read().await, 400 * 64 * 1024);
    store.stop();
}

#[test]
fn snapshots_that_do_not_end_are_not_waited_for_long() {
    let snapshots = Snapshots::default();
    let open = snapshots.open();
    assert!(snapshots.hold(Duration::ZERO).is_none());
    // Nobody is held back by what did not come about.
    drop(snapshots.open());
    drop(open);
    let held = snapshots.hold(Duration::ZERO);
    assert!(held.is_some());
    drop(held);
    drop(snapshots.open());
}
