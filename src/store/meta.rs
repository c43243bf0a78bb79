//! What the service knows of itself, by name.

use rusqlite::{OptionalExtension, params};

use crate::store::Error;
use crate::store::tx::Tx;

/// A value.
///
/// # Errors
/// The store's.
pub(crate) fn get(tx: &Tx<'_>, name: &str) -> Result<Option<String>, Error> {
    Ok(tx.prepare("SELECT value FROM meta WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()?)
}

/// Sets a value.
///
/// # Errors
/// The store's.
pub(crate) fn set(tx: &Tx<'_>, name: &str, value: &str) -> Result<(), Error> {
    tx.prepare(
        "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?
    .execute(params![name, value])?;
    Ok(())
}
