//! Aliases of keys.

use rusqlite::{OptionalExtension, params};

use crate::domain::alias::Alias;
use crate::domain::id::{InstanceId, KeyId};
use crate::domain::time::Timestamp;
use crate::store::Error;
use crate::store::tx::Tx;

/// The key that an alias names.
///
/// # Errors
/// The store's.
pub(crate) fn key_of(tx: &Tx<'_>, instance: InstanceId, alias: &Alias) -> Result<Option<KeyId>, Error> {
    let found: Option<String> = tx
        .prepare("SELECT key_id FROM aliases WHERE instance_id = ?1 AND alias = ?2")?
        .query_row([instance.to_string().as_str(), alias.as_str()], |row| row.get(0))
        .optional()?;
    found
        .map(|text| {
            KeyId::parse(&text).ok_or_else(|| Error::Inconsistent {
                table: "aliases",
                row: alias.as_str().to_owned(),
                column: "key_id",
            })
        })
        .transpose()
}

/// Aliases that an instance has.
///
/// # Errors
/// The store's.
pub(crate) fn count(tx: &Tx<'_>, instance: InstanceId) -> Result<u64, Error> {
    let count: i64 = tx
        .prepare("SELECT count(*) FROM aliases WHERE instance_id = ?1")?
        .query_row([instance.to_string()], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// Gives a key an alias that the caller has found to be free.
///
/// # Errors
/// The store's.
pub(crate) fn insert(
    tx: &Tx<'_>,
    instance: InstanceId,
    key: KeyId,
    alias: &Alias,
    at: Timestamp,
    by: &str,
) -> Result<(), Error> {
    tx.prepare("INSERT INTO aliases (instance_id, alias, key_id, created_at, created_by) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![instance.to_string(), alias.as_str(), key.to_string(), at.millis(), by])?;
    Ok(())
}

/// Takes an alias away from a key; tells whether the key had it.
///
/// # Errors
/// The store's.
pub(crate) fn remove(tx: &Tx<'_>, key: KeyId, alias: &Alias) -> Result<bool, Error> {
    let removed = tx
        .prepare("DELETE FROM aliases WHERE key_id = ?1 AND alias = ?2")?
        .execute([key.to_string().as_str(), alias.as_str()])?;
    Ok(removed > 0)
}
