//! Key rings.

use rusqlite::params;

use crate::domain::id::{InstanceId, KeyId, RingId};
use crate::domain::key::Key;
use crate::domain::ring::{Occupants, Ring};
use crate::domain::time::Timestamp;
use crate::store::Error;
use crate::store::row::Reading;
use crate::store::tx::Tx;

/// True when somebody has made the ring; the default one is not asked for.
///
/// # Errors
/// The store's.
pub(crate) fn exists(tx: &Tx<'_>, instance: InstanceId, ring: &RingId) -> Result<bool, Error> {
    let mut statement = tx.prepare("SELECT 1 FROM key_rings WHERE instance_id = ?1 AND ring_id = ?2")?;
    Ok(statement.exists([instance.to_string().as_str(), ring.as_str()])?)
}

/// Rings of an instance besides the default one.
///
/// # Errors
/// The store's.
pub(crate) fn count(tx: &Tx<'_>, instance: InstanceId) -> Result<u64, Error> {
    let count: i64 = tx
        .prepare("SELECT count(*) FROM key_rings WHERE instance_id = ?1")?
        .query_row([instance.to_string()], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// All rings of an instance besides the default one, in order of creation: there are 50 at most.
///
/// # Errors
/// The store's.
pub(crate) fn all(tx: &Tx<'_>, instance: InstanceId) -> Result<Vec<Ring>, Error> {
    let mut statement = tx.prepare("SELECT * FROM key_rings WHERE instance_id = ?1 ORDER BY seq")?;
    let mut rows = statement.query([instance.to_string()])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let reading = Reading::new("key_rings", row, "ring_id");
        all.push(Ring {
            id: reading.parse("ring_id", RingId::parse)?,
            created_at: reading.at("created_at")?,
            created_by: reading.get("created_by")?,
        });
    }
    Ok(all)
}

/// Adds a ring.
///
/// # Errors
/// The store's.
pub(crate) fn insert(tx: &Tx<'_>, instance: InstanceId, ring: &Ring) -> Result<(), Error> {
    tx.prepare("INSERT INTO key_rings (instance_id, ring_id, created_at, created_by) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![instance.to_string(), ring.id.as_str(), ring.created_at.millis(), ring.created_by])?;
    Ok(())
}

/// Keys that are in a ring, or have left it and still count.
///
/// # Errors
/// The store's.
pub(crate) fn occupants(tx: &Tx<'_>, instance: InstanceId, ring: &RingId, now: Timestamp) -> Result<Occupants, Error> {
    let (living, destroyed): (i64, i64) = tx
        .prepare(
            "SELECT coalesce(sum(iif(living, keys, 0)), 0), coalesce(sum(iif(living, 0, keys)), 0) FROM (
                 SELECT kind / 16 <> 5 AS living, keys FROM key_counts WHERE instance_id = ?1 AND ring_id = ?2
                 UNION ALL
                 SELECT living, 1 FROM ring_departures WHERE instance_id = ?1 AND ring_id = ?2 AND until > ?3)",
        )?
        .query_row(params![instance.to_string(), ring.as_str(), now.millis()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let count = |number| u64::try_from(number).unwrap_or_default();
    Ok(Occupants { living: count(living), destroyed: count(destroyed) })
}

/// Notes that a key has left a ring and counts in it until an instant.
///
/// # Errors
/// The store's.
pub(crate) fn depart(tx: &Tx<'_>, key: &Key, ring: &RingId, now: Timestamp, until: Timestamp) -> Result<(), Error> {
    let instance = key.instance.to_string();
    tx.prepare("DELETE FROM ring_departures WHERE instance_id = ?1 AND ring_id = ?2 AND until <= ?3")?
        .execute(params![instance, ring.as_str(), now.millis()])?;
    tx.prepare(
        "INSERT OR REPLACE INTO ring_departures (instance_id, ring_id, key_id, living, until)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![instance, ring.as_str(), key.id.to_string(), key.state.number() != 5, until.millis()])?;
    Ok(())
}

/// Removes a ring; destroyed keys that are left in it move to the default one, and are told.
///
/// # Errors
/// The store's.
pub(crate) fn remove(tx: &Tx<'_>, instance: InstanceId, ring: &RingId, now: Timestamp) -> Result<Vec<KeyId>, Error> {
    let mut statement = tx.prepare(
        "UPDATE keys SET ring_id = ?3, updated_at = ?4 WHERE instance_id = ?1 AND ring_id = ?2 RETURNING id",
    )?;
    let moved = params![instance.to_string(), ring.as_str(), RingId::DEFAULT, now.whole_seconds().millis()];
    let mut rows = statement.query(moved)?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(Reading::new("keys", row, "id").parse("id", KeyId::parse)?);
    }
    for statement in [
        "DELETE FROM key_rings WHERE instance_id = ?1 AND ring_id = ?2",
        "DELETE FROM ring_departures WHERE instance_id = ?1 AND ring_id = ?2",
    ] {
        tx.prepare(statement)?.execute([instance.to_string().as_str(), ring.as_str()])?;
    }
    Ok(keys)
}

/// Removes all rings of an instance.
///
/// # Errors
/// The store's.
pub(crate) fn remove_all(tx: &Tx<'_>, instance: InstanceId) -> Result<(), Error> {
    tx.prepare("DELETE FROM key_rings WHERE instance_id = ?1")?.execute([instance.to_string()])?;
    tx.prepare("DELETE FROM ring_departures WHERE instance_id = ?1")?.execute([instance.to_string()])?;
    Ok(())
}
