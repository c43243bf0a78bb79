//! The store: SQLite in WAL mode, one writer thread that commits in groups, a few readers. All SQL is in this room.

pub(crate) mod aliases;
pub(crate) mod audit;
mod audit_lights;
pub(crate) mod claims;
pub(crate) mod deliveries;
pub(crate) mod delivery_log;
pub(crate) mod due;
pub(crate) mod events;
pub(crate) mod file;
pub(crate) mod iam_identities;
pub(crate) mod iam_policies;
pub(crate) mod iam_policy_changes;
pub(crate) mod import_keys;
pub(crate) mod import_tokens;
pub(crate) mod instance_policies;
pub(crate) mod instances;
pub(crate) mod key_counting;
mod key_kinds;
mod key_order;
pub(crate) mod key_pages;
pub(crate) mod key_query;
pub(crate) mod key_versions;
mod key_walks;
pub(crate) mod keys;
pub(crate) mod kmip;
pub(crate) mod meta;
mod migrations;
#[cfg(test)]
mod plans;
pub(crate) mod policies;
pub(crate) mod reader;
pub(crate) mod registrations;
pub(crate) mod resource_keys;
pub(crate) mod rings;
pub(crate) mod row;
pub(crate) mod secrets;
pub(crate) mod settings;
pub(crate) mod snapshots;
pub(crate) mod subscribers;
pub(crate) mod tx;
pub(crate) mod writer;

use thiserror::Error;

/// A fault of the store.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// SQLite said no.
    #[error("the database refused: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A row that this program cannot have written.
    #[error("table {table}, row {row}: column {column} does not decode")]
    Inconsistent { table: &'static str, row: String, column: &'static str },
    /// The group that the change was part of was not committed.
    #[error("the change was not committed: {0}")]
    NotCommitted(String),
    /// The thread that should answer is gone: the service stops.
    #[error("the store is closed, for the service stops")]
    Closed,
    /// Nothing more is written since a sync to disk failed.
    #[error("nothing more is written since the disk lost a write: restart the service")]
    Halted,
}

impl Error {
    /// True when the service stops, which is no fault.
    pub(crate) fn is_stop(&self) -> bool {
        matches!(self, Self::Closed)
    }

    /// True when the disk is full, read-only or failing: the change can be tried again later.
    pub(crate) fn is_passing(&self) -> bool {
        use rusqlite::ErrorCode as Code;
        match self {
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    Code::DiskFull
                        | Code::ReadOnly
                        | Code::SystemIoFailure
                        | Code::CannotOpen
                        | Code::DatabaseBusy
                        | Code::DatabaseLocked
                )
            ),
            Self::NotCommitted(_) | Self::Closed | Self::Halted => true,
            Self::Inconsistent { .. } => false,
        }
    }
}
