//! Versions of keys, with their sealed material.

use rusqlite::params;

use crate::domain::id::{KeyId, VersionId};
use crate::domain::key::Version;
use crate::store::Error;
use crate::store::row::Reading;
use crate::store::secrets::SealedRow;
use crate::store::tx::Tx;

/// A version with its material, sealed.
pub(crate) struct SealedVersion {
    pub(crate) version: Version,
    pub(crate) sealed: SealedRow,
}

/// A page of a key's versions, newest first.
pub(crate) struct Page {
    pub(crate) versions: Vec<Version>,
    /// All of them, before paging.
    pub(crate) total: u64,
}

/// Adds a version.
///
/// # Errors
/// The store's.
pub(crate) fn insert(tx: &Tx<'_>, key: KeyId, version: &Version, sealed: &SealedRow) -> Result<(), Error> {
    tx.prepare("INSERT INTO key_versions (id, key_id, created_at, nonce, sealed) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![version.id.to_string(), key.to_string(), version.created_at.millis(), sealed.0, sealed.1])?;
    Ok(())
}

/// All versions of a key with their material, newest first.
///
/// # Errors
/// The store's.
pub(crate) fn sealed(tx: &Tx<'_>, key: KeyId) -> Result<Vec<SealedVersion>, Error> {
    let mut statement =
        tx.prepare("SELECT id, created_at, nonce, sealed FROM key_versions WHERE key_id = ?1 ORDER BY seq DESC")?;
    let mut rows = statement.query([key.to_string()])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let reading = Reading::new("key_versions", row, "id");
        let sealed = (reading.get("nonce")?, reading.get("sealed")?);
        all.push(SealedVersion { version: version(&reading)?, sealed });
    }
    Ok(all)
}

/// A page of versions, newest first; later rotations of one second come first.
///
/// # Errors
/// The store's.
pub(crate) fn page(tx: &Tx<'_>, key: KeyId, limit: i64, offset: i64) -> Result<Page, Error> {
    let key = key.to_string();
    let total: i64 =
        tx.prepare("SELECT count(*) FROM key_versions WHERE key_id = ?1")?.query_row([&key], |row| row.get(0))?;
    let mut statement =
        tx.prepare("SELECT id, created_at FROM key_versions WHERE key_id = ?1 ORDER BY seq DESC LIMIT ?2 OFFSET ?3")?;
    let mut rows = statement.query(params![key, limit, offset])?;
    let mut versions = Vec::new();
    while let Some(row) = rows.next()? {
        versions.push(version(&Reading::new("key_versions", row, "id"))?);
    }
    Ok(Page { versions, total: u64::try_from(total).unwrap_or_default() })
}

fn version(reading: &Reading<'_, '_>) -> Result<Version, Error> {
    Ok(Version { id: reading.parse("id", VersionId::parse)?, created_at: reading.at("created_at")? })
}
