//! The database file: made whole or not at all, checked before it is used, and left untouched when it is damaged.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use thiserror::Error;

use crate::store::reader::Reader;
use crate::store::snapshots::Snapshots;
use crate::store::tx::Tx;
use crate::store::writer::{Log, OnCommit, Writer};
use crate::store::{Error as StoreError, migrations};

/// `application_id` of our databases: "MKP1".
const APPLICATION_ID: i64 = 0x4d4b_5031;
/// First bytes of every SQLite database.
const HEADER: &[u8] = b"SQLite format 3\0";
/// Databases up to this size are checked page by page at start; larger ones would make the start slow.
const CHECKED_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How long a statement waits for another connection's lock.
pub(crate) const BUSY_WAIT: Duration = Duration::from_secs(5);
/// What the write-ahead log is cut to after a checkpoint.
const LOG_BYTES_KEPT: i64 = 16 * 1024 * 1024;
/// What it may grow to before readers have to wait for a checkpoint.
const LOG_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Pages that a connection keeps in memory, in KiB, as SQLite's negative `cache_size`.
const CACHE_KIB: i64 = 2_048;
/// Statements that a connection keeps compiled.
const STATEMENTS_KEPT: usize = 256;

/// Why a database cannot be used.
#[derive(Debug, Error)]
pub(crate) enum OpenError {
    /// Not ours, or no longer whole. Nothing was changed.
    #[error("{path} is damaged or not a database of mock-key-protect: {why}")]
    Damaged { path: PathBuf, why: String },
    /// Written by a later release.
    #[error("{path} was written by a later version of mock-key-protect (schema {found}, this one knows {known})")]
    TooNew { path: PathBuf, found: i64, known: i64 },
    /// The file system refused.
    #[error("{path} cannot be opened: {why}")]
    Unusable { path: PathBuf, why: String },
}

/// Makes a database with its first contents under a temporary name, then gives it its own: a crash leaves no half-made one.
///
/// # Errors
/// What `fill` says, or when the file system or SQLite refuses.
pub(crate) fn create<E>(path: &Path, fill: impl FnOnce(&Tx<'_>) -> Result<(), E>) -> Result<(), E>
where
    E: From<OpenError> + From<StoreError>,
{
    let draft = path.with_extension("db.new");
    let unusable = |error: std::io::Error| OpenError::Unusable { path: path.to_owned(), why: error.to_string() };
    match std::fs::remove_file(&draft) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(unusable(error).into()),
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(unusable)?;
    let mut connection = Connection::open(&draft).map_err(StoreError::from)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(StoreError::from)?;
    migrations::migrate(&mut connection, 0)?;
    in_transaction(&connection, fill)?;
    drop(connection);
    std::fs::rename(&draft, path).map_err(unusable)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(unusable)?;
    Ok(())
}

fn in_transaction<T, E>(connection: &Connection, job: impl FnOnce(&Tx<'_>) -> Result<T, E>) -> Result<T, E>
where
    E: From<StoreError>,
{
    connection.execute_batch("BEGIN IMMEDIATE").map_err(StoreError::from)?;
    let value = job(&Tx::new(connection))?;
    connection.execute_batch("COMMIT").map_err(StoreError::from)?;
    Ok(value)
}

/// The database's writing connection, before the writer thread takes it over.
pub(crate) struct Database(Connection);

impl Database {
    /// Opens the database for writing, after checks that change nothing.
    ///
    /// # Errors
    /// For a file that is not a whole database of ours, or one of a later release.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        check_header(path)?;
        let beside = ["db-wal", "db-shm"].map(|extension| path.with_extension(extension));
        let fresh: Vec<&PathBuf> = beside.iter().filter(|file| !file.exists()).collect();
        open_checked(path).map(Self).inspect_err(|_| {
            // What SQLite has made to look into the file is of no use to anybody.
            for file in fresh {
                drop(std::fs::remove_file(file));
            }
        })
    }

    /// Runs a job in a transaction.
    ///
    /// # Errors
    /// The job's own, or when SQLite refuses.
    pub(crate) fn in_transaction<T, E>(&self, job: impl FnOnce(&Tx<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        in_transaction(&self.0, job)
    }

    /// Hands the connection to the writer thread. `path` is the one that was opened.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start_writer(
        self,
        path: &Path,
        snapshots: &Arc<Snapshots>,
        on_commit: OnCommit,
    ) -> std::io::Result<(Writer, JoinHandle<()>)> {
        let snapshots = Arc::clone(snapshots);
        let log = Log { path: path.with_extension("db-wal"), snapshots, bytes_max: LOG_BYTES_MAX };
        Writer::start(self.0, log, on_commit)
    }
}

/// Starts to read the database on so many connections.
///
/// # Errors
/// When SQLite refuses, or the system gives no thread.
pub(crate) fn start_readers(
    path: &Path,
    snapshots: &Arc<Snapshots>,
    connections: usize,
) -> Result<(Reader, Vec<JoinHandle<()>>), OpenError> {
    let unusable = |why: String| OpenError::Unusable { path: path.to_owned(), why };
    let open = |_| open_reader(path).map_err(|error| unusable(error.to_string()));
    let connections = (0..connections).map(open).collect::<Result<_, _>>()?;
    Reader::start(connections, snapshots).map_err(|error| unusable(error.to_string()))
}

fn open_checked(path: &Path) -> Result<Connection, OpenError> {
    let damaged = |why: String| OpenError::Damaged { path: path.to_owned(), why };
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .map_err(|error| OpenError::Unusable { path: path.to_owned(), why: error.to_string() })?;
    // Until the checks have passed, closing must not fold the log into the file.
    let keep_log = |on| connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on);
    keep_log(true).map_err(|error| damaged(error.to_string()))?;
    let version = check_content(&connection, path)?;
    keep_log(false).map_err(|error| damaged(error.to_string()))?;
    prepare_writer(connection, version)
        .map_err(|error| OpenError::Unusable { path: path.to_owned(), why: error.to_string() })
}

fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(BUSY_WAIT)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    keep_statements(&connection)?;
    Ok(connection)
}

/// Compiles each statement once. Without the guarantee that plans do not depend on values, SQLite compiles one anew
/// each time that other values are bound.
fn keep_statements(connection: &Connection) -> Result<(), StoreError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(())
}

fn prepare_writer(mut connection: Connection, version: i64) -> Result<Connection, StoreError> {
    connection.busy_timeout(BUSY_WAIT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    keep_statements(&connection)?;
    if version < migrations::current() {
        migrations::migrate(&mut connection, version)?;
    }
    Ok(connection)
}

fn check_header(path: &Path) -> Result<(), OpenError> {
    let mut header = [0; HEADER.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Ok(()) if header == HEADER => Ok(()),
        Ok(()) => Err(OpenError::Damaged { path: path.to_owned(), why: "it is no SQLite file".to_owned() }),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(OpenError::Damaged { path: path.to_owned(), why: "it is cut short".to_owned() })
        }
        Err(error) => Err(OpenError::Unusable { path: path.to_owned(), why: error.to_string() }),
    }
}

/// The schema's version, when the content is ours and whole.
fn check_content(connection: &Connection, path: &Path) -> Result<i64, OpenError> {
    let damaged = |why: String| OpenError::Damaged { path: path.to_owned(), why };
    let number = |name: &str| -> Result<i64, OpenError> {
        connection
            .query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
            .map_err(|error| damaged(error.to_string()))
    };
    if number("application_id")? != APPLICATION_ID {
        return Err(damaged("it belongs to another program".to_owned()));
    }
    let version = number("user_version")?;
    if version > migrations::current() {
        return Err(OpenError::TooNew { path: path.to_owned(), found: version, known: migrations::current() });
    }
    let bytes = std::fs::metadata(path).map_or(u64::MAX, |metadata| metadata.len());
    let check = if bytes <= CHECKED_BYTES_MAX { "PRAGMA integrity_check(1)" } else { "SELECT 'ok' FROM sqlite_schema" };
    let verdict: String =
        connection.query_row(check, [], |row| row.get(0)).map_err(|error| damaged(error.to_string()))?;
    if verdict == "ok" { Ok(version) } else { Err(damaged(first_fault(&verdict).to_owned())) }
}

/// The first fault that a check found: below a heading between stars, where it has one.
fn first_fault(verdict: &str) -> &str {
    verdict.lines().find(|line| !line.starts_with("***")).unwrap_or("damaged")
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::domain::id::DeliveryId;

    #[test]
    fn a_heading_is_no_fault() {
        assert_eq!(first_fault("*** in database main ***\nPage 7: never used"), "Page 7: never used");
        assert_eq!(first_fault("row 3 missing from index keys_by_kind"), "row 3 missing from index keys_by_kind");
    }

    #[test]
    fn a_statement_is_compiled_once_whatever_is_bound() {
        let connection = prepare_writer(Connection::open_in_memory().unwrap(), 0).unwrap();
        let tx = Tx::new(&connection);
        let sql = "SELECT seq FROM deliveries WHERE id = ?1 AND state = ?2";
        for (number, state) in [(1, "pending"), (2, "failed"), (3, "pending")] {
            let id = DeliveryId::from_random([number; 16]).to_string();
            assert!(!tx.prepare(sql).unwrap().exists([id.as_str(), state]).unwrap());
        }
        assert_eq!(tx.prepare(sql).unwrap().get_status(StatementStatus::RePrepare), 0);
    }
}
