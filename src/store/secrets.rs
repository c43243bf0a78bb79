//! Secrets of the service itself, sealed.

use rusqlite::{OptionalExtension, params};

use crate::store::Error;
use crate::store::tx::Tx;

/// A sealed secret as it lies in a row: nonce, then AES-GCM output with its tag.
pub(crate) type SealedRow = ([u8; 12], Vec<u8>);

/// A secret.
///
/// # Errors
/// The store's.
pub(crate) fn get(tx: &Tx<'_>, name: &str) -> Result<Option<SealedRow>, Error> {
    Ok(tx
        .prepare("SELECT nonce, sealed FROM secrets WHERE name = ?1")?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// Keeps a secret that is not there yet.
///
/// # Errors
/// The store's, also when the name is taken.
pub(crate) fn insert(tx: &Tx<'_>, name: &str, nonce: [u8; 12], sealed: &[u8]) -> Result<(), Error> {
    tx.prepare("INSERT INTO secrets (name, nonce, sealed) VALUES (?1, ?2, ?3)")?
        .execute(params![name, nonce, sealed])?;
    Ok(())
}
