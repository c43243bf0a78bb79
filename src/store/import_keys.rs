//! Keys for import tokens to come.

use rusqlite::params;

use crate::store::Error;
use crate::store::row::Reading;
use crate::store::secrets::SealedRow;
use crate::store::tx::Tx;

/// A key that waits for its token.
pub(crate) struct WaitingKey {
    /// PEM, `BEGIN PUBLIC KEY`.
    pub(crate) public: String,
    /// The private one.
    pub(crate) sealed: SealedRow,
}

/// How many wait.
///
/// # Errors
/// The store's.
pub(crate) fn count(tx: &Tx<'_>) -> Result<u64, Error> {
    let count: i64 = tx.prepare("SELECT count(*) FROM import_keys")?.query_row([], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// Adds one.
///
/// # Errors
/// The store's.
pub(crate) fn add(tx: &Tx<'_>, key: &WaitingKey) -> Result<(), Error> {
    tx.prepare("INSERT INTO import_keys (public_key, nonce, sealed) VALUES (?1, ?2, ?3)")?.execute(params![
        key.public,
        key.sealed.0,
        key.sealed.1
    ])?;
    Ok(())
}

/// Takes the one that has waited longest: nobody else gets it.
///
/// # Errors
/// The store's.
pub(crate) fn take(tx: &Tx<'_>) -> Result<Option<WaitingKey>, Error> {
    let mut statement = tx.prepare(
        "DELETE FROM import_keys WHERE seq = (SELECT min(seq) FROM import_keys)
         RETURNING CAST(seq AS TEXT) AS name, public_key, nonce, sealed",
    )?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let reading = Reading::new("import_keys", row, "name");
    let sealed = (reading.get("nonce")?, reading.get("sealed")?);
    Ok(Some(WaitingKey { public: reading.get("public_key")?, sealed }))
}
