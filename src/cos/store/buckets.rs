//! Buckets' rows.

use rusqlite::{Row, params};

use crate::cos::domain::bucket::{Bucket, BucketKey, BucketName, Encryption};
use crate::cos::domain::id::BucketId;
use crate::cos::domain::key_crn::KeyCrn;
use crate::cos::domain::key_info::KeyState;
use crate::cos::domain::location::Location;
use crate::cos::domain::retention::Protection;
use crate::domain::id::{InstanceId, VersionId};
use crate::domain::time::Timestamp;
use crate::store::Error;
use crate::store::row::Reading;
use crate::store::secrets::SealedRow;
use crate::store::tx::Tx;

/// A bucket's data key as it is stored.
pub(crate) enum StoredKey {
    /// Sealed under the master key.
    Sealed(SealedRow),
    /// Wrapped by Key Protect.
    Wrapped(String),
    /// Destroyed: the root key was purged.
    Destroyed,
}

/// What a bucket, or all of them, hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) objects: u64,
    /// In clear.
    pub(crate) bytes: u64,
}

/// Adds a bucket.
///
/// # Errors
/// The store's.
pub(crate) fn insert(tx: &Tx<'_>, bucket: &Bucket, key: &StoredKey) -> Result<(), Error> {
    let (nonce, sealed, wrapped) = match key {
        StoredKey::Sealed((nonce, sealed)) => (Some(nonce), Some(sealed), None),
        StoredKey::Wrapped(wrapped) => (None, None, Some(wrapped)),
        StoredKey::Destroyed => (None, None, None),
    };
    tx.prepare(
        "INSERT INTO buckets (id, name, instance_id, account, location, created_at, updated_at, nonce, sealed, wrapped,
             root_key_crn, registered, configuration, revision, objects, bytes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, '', 0, 0, 0)",
    )?
    .execute(params![
        bucket.id.to_string(),
        bucket.name.as_str(),
        bucket.instance.to_string(),
        bucket.account,
        bucket.location.code(),
        bucket.created_at.millis(),
        bucket.updated_at.millis(),
        nonce,
        sealed,
        wrapped,
        bucket.key().map(|key| key.crn.as_str()),
    ])?;
    update(tx, bucket)
}

/// Writes what can change of a bucket, save its data key and what it holds.
///
/// # Errors
/// The store's.
pub(crate) fn update(tx: &Tx<'_>, bucket: &Bucket) -> Result<(), Error> {
    let key = bucket.key();
    tx.prepare(
        "UPDATE buckets SET created_at = ?2, updated_at = ?3, key_version_id = ?4, key_state = ?5, registered = ?6,
             event_at = ?7, protection = ?8, configuration = ?9, revision = ?10 WHERE id = ?1",
    )?
    .execute(params![
        bucket.id.to_string(),
        bucket.created_at.millis(),
        bucket.updated_at.millis(),
        key.map(|key| key.version.to_string()),
        key.map(|key| key.state.name()),
        key.is_some_and(|key| key.registered),
        key.and_then(|key| key.event_at).map(Timestamp::millis),
        bucket.protection.as_ref().map(write_protection),
        bucket.configuration,
        bucket.revision,
    ])?;
    Ok(())
}

/// Puts another wrapped data key in the place of the present one.
///
/// # Errors
/// The store's.
pub(crate) fn set_wrapped(tx: &Tx<'_>, id: BucketId, wrapped: &str) -> Result<(), Error> {
    tx.prepare("UPDATE buckets SET wrapped = ?2 WHERE id = ?1")?.execute([id.to_string().as_str(), wrapped])?;
    Ok(())
}

/// Destroys a wrapped data key, in the write-ahead log too.
///
/// # Errors
/// The store's.
pub(crate) fn destroy_wrapped(tx: &Tx<'_>, id: BucketId) -> Result<(), Error> {
    tx.prepare("UPDATE buckets SET wrapped = NULL WHERE id = ?1")?.execute([id.to_string()])?;
    tx.forget_deleted_pages();
    Ok(())
}

/// Removes a bucket, for which there must be no objects and uploads left. Its data key leaves the disk.
///
/// # Errors
/// The store's.
pub(crate) fn remove(tx: &Tx<'_>, id: BucketId) -> Result<(), Error> {
    tx.prepare("DELETE FROM bucket_key_events WHERE bucket_id = ?1")?.execute([id.to_string()])?;
    tx.prepare("DELETE FROM buckets WHERE id = ?1")?.execute([id.to_string()])?;
    tx.forget_deleted_pages();
    Ok(())
}

/// A bucket by its name.
///
/// # Errors
/// The store's.
pub(crate) fn by_name(tx: &Tx<'_>, name: &BucketName) -> Result<Option<Bucket>, Error> {
    let mut statement = tx.prepare("SELECT * FROM buckets WHERE name = ?1")?;
    let mut rows = statement.query([name.as_str()])?;
    rows.next()?.map(read).transpose()
}

/// A bucket by its id.
///
/// # Errors
/// The store's.
pub(crate) fn get(tx: &Tx<'_>, id: BucketId) -> Result<Option<Bucket>, Error> {
    let mut statement = tx.prepare("SELECT * FROM buckets WHERE id = ?1")?;
    let mut rows = statement.query([id.to_string()])?;
    rows.next()?.map(read).transpose()
}

/// A bucket's data key.
///
/// # Errors
/// The store's.
pub(crate) fn data_key(tx: &Tx<'_>, id: BucketId) -> Result<Option<StoredKey>, Error> {
    let mut statement = tx.prepare("SELECT name, nonce, sealed, wrapped FROM buckets WHERE id = ?1")?;
    let mut rows = statement.query([id.to_string()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let reading = Reading::new("buckets", row, "name");
    let wrapped: Option<String> = reading.get("wrapped")?;
    let sealed: Option<Vec<u8>> = reading.get("sealed")?;
    Ok(Some(match (wrapped, sealed) {
        (Some(wrapped), _) => StoredKey::Wrapped(wrapped),
        (None, Some(sealed)) => StoredKey::Sealed((reading.get("nonce")?, sealed)),
        (None, None) => StoredKey::Destroyed,
    }))
}

/// Buckets of an instance by name.
///
/// # Errors
/// The store's.
pub(crate) fn of_instance(tx: &Tx<'_>, instance: InstanceId) -> Result<Vec<Bucket>, Error> {
    let mut statement = tx.prepare("SELECT * FROM buckets WHERE instance_id = ?1 ORDER BY name")?;
    let mut rows = statement.query([instance.to_string()])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

/// How many buckets an instance has.
///
/// # Errors
/// The store's.
pub(crate) fn count_of_instance(tx: &Tx<'_>, instance: InstanceId) -> Result<u64, Error> {
    let count: i64 = tx
        .prepare("SELECT count(*) FROM buckets WHERE instance_id = ?1")?
        .query_row([instance.to_string()], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// All buckets in order of creation, `limit` at most, each with what it holds; and how many there are.
///
/// # Errors
/// The store's.
pub(crate) fn all(tx: &Tx<'_>, limit: usize) -> Result<(Vec<(Bucket, Usage)>, usize), Error> {
    let count: i64 = tx.prepare("SELECT count(*) FROM buckets")?.query_row([], |row| row.get(0))?;
    let mut statement = tx.prepare("SELECT * FROM buckets ORDER BY seq LIMIT ?1")?;
    let mut rows = statement.query([i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((read(row)?, read_totals(row)?));
    }
    Ok((found, usize::try_from(count).unwrap_or_default()))
}

/// What a bucket holds.
///
/// # Errors
/// The store's.
pub(crate) fn totals(tx: &Tx<'_>, id: BucketId) -> Result<Usage, Error> {
    let mut statement = tx.prepare("SELECT name, objects, bytes FROM buckets WHERE id = ?1")?;
    let mut rows = statement.query([id.to_string()])?;
    rows.next()?.map_or(Ok(Usage::default()), read_totals)
}

/// Bytes of all objects and parts.
///
/// # Errors
/// The store's.
pub(crate) fn bytes_stored(tx: &Tx<'_>) -> Result<u64, Error> {
    let bytes: i64 = tx.prepare("SELECT coalesce(sum(size), 0) FROM blobs")?.query_row([], |row| row.get(0))?;
    Ok(bytes.unsigned_abs())
}

/// Counts objects and bytes that came or went.
///
/// # Errors
/// The store's.
pub(crate) fn count(tx: &Tx<'_>, id: BucketId, objects: i64, bytes: i64) -> Result<(), Error> {
    tx.prepare("UPDATE buckets SET objects = objects + ?2, bytes = bytes + ?3 WHERE id = ?1")?.execute(params![
        id.to_string(),
        objects,
        bytes
    ])?;
    Ok(())
}

/// Keeps a deleted bucket's name from being taken until then.
///
/// # Errors
/// The store's.
pub(crate) fn reserve_name(tx: &Tx<'_>, name: &BucketName, until: Timestamp) -> Result<(), Error> {
    tx.prepare("INSERT OR REPLACE INTO reserved_bucket_names (name, until) VALUES (?1, ?2)")?
        .execute(params![name.as_str(), until.millis()])?;
    Ok(())
}

/// True while a deleted bucket's name is reserved. Reservations that are over are removed.
///
/// # Errors
/// The store's.
pub(crate) fn is_reserved(tx: &Tx<'_>, name: &BucketName, now: Timestamp) -> Result<bool, Error> {
    tx.prepare("DELETE FROM reserved_bucket_names WHERE until <= ?1")?.execute([now.millis()])?;
    let mut statement = tx.prepare("SELECT 1 FROM reserved_bucket_names WHERE name = ?1")?;
    Ok(statement.exists([name.as_str()])?)
}

/// Notes that an event was taken; false when it had been before.
///
/// # Errors
/// The store's.
pub(crate) fn note_event(tx: &Tx<'_>, id: BucketId, event: &str) -> Result<bool, Error> {
    let added = tx
        .prepare("INSERT OR IGNORE INTO bucket_key_events (event_id, bucket_id) VALUES (?1, ?2)")?
        .execute([event, id.to_string().as_str()])?;
    Ok(added > 0)
}

/// True for an event that was taken.
///
/// # Errors
/// The store's.
pub(crate) fn has_taken(tx: &Tx<'_>, event: &str) -> Result<bool, Error> {
    Ok(tx.prepare("SELECT 1 FROM bucket_key_events WHERE event_id = ?1")?.exists([event])?)
}

fn read(row: &Row<'_>) -> Result<Bucket, Error> {
    let reading = Reading::new("buckets", row, "name");
    let root_key: Option<String> = reading.get("root_key_crn")?;
    let encryption = match root_key {
        None => Encryption::Provider,
        Some(crn) => Encryption::KeyProtect(BucketKey {
            crn: KeyCrn::parse(&crn).map_err(|_| reading.inconsistent("root_key_crn"))?,
            state: reading.parse("key_state", KeyState::parse)?,
            version: reading.parse("key_version_id", VersionId::parse)?,
            registered: reading.get("registered")?,
            event_at: reading.at_opt("event_at")?,
        }),
    };
    let protection = match reading.get::<Option<String>>("protection")? {
        None => None,
        Some(text) => Some(read_protection(&text).ok_or_else(|| reading.inconsistent("protection"))?),
    };
    Ok(Bucket {
        id: reading.parse("id", BucketId::parse)?,
        name: reading.parse("name", BucketName::parse)?,
        instance: reading.parse("instance_id", InstanceId::parse)?,
        account: reading.get("account")?,
        location: reading.parse("location", Location::parse)?,
        created_at: reading.at("created_at")?,
        updated_at: reading.at("updated_at")?,
        encryption,
        protection,
        configuration: reading.get("configuration")?,
        revision: reading.get("revision")?,
    })
}

fn read_totals(row: &Row<'_>) -> Result<Usage, Error> {
    let reading = Reading::new("buckets", row, "name");
    let number = |column| reading.get::<i64>(column).map(i64::unsigned_abs);
    Ok(Usage { objects: number("objects")?, bytes: number("bytes")? })
}

fn write_protection(one: &Protection) -> String {
    format!("{},{},{},{}", one.minimum_days, one.default_days, one.maximum_days, one.permanent)
}

fn read_protection(text: &str) -> Option<Protection> {
    let words: Vec<&str> = text.split(',').collect();
    let [minimum, default, maximum, permanent] = words.as_slice() else { return None };
    Some(Protection {
        minimum_days: minimum.parse().ok()?,
        default_days: default.parse().ok()?,
        maximum_days: maximum.parse().ok()?,
        permanent: permanent.parse().ok()?,
    })
}
