//! Keys without their material.

use rusqlite::params;

use crate::domain::alias::{Alias, KeyRef};
use crate::domain::id::{InstanceId, KeyId, PolicyId, RingId, VersionId};
use crate::domain::key::{Key, Kind, State, Version};
use crate::domain::policy::{DeletionAuthorization, DualAuthPolicy, IntervalMonths, PolicyRecord, RotationPolicy};
use crate::store::row::{Reading, join, split};
use crate::store::tx::Tx;
use crate::store::{Error, aliases as alias_rows, due};

/// Columns that [`read`] needs, from keys `k` with both policies.
pub(crate) const SELECT: &str = "SELECT k.*,
    (SELECT group_concat(alias, ',') FROM (SELECT alias FROM aliases WHERE key_id = k.id ORDER BY seq)) AS aliases,
    r.id AS r_id, r.enabled AS r_enabled, r.interval_months AS r_interval_months, r.next_at AS r_next_at,
    r.created_at AS r_created_at, r.created_by AS r_created_by, r.updated_at AS r_updated_at,
    r.updated_by AS r_updated_by,
    d.id AS d_id, d.enabled AS d_enabled, d.created_at AS d_created_at, d.created_by AS d_created_by,
    d.updated_at AS d_updated_at, d.updated_by AS d_updated_by
  FROM keys k
  LEFT JOIN key_policies r ON r.key_id = k.id AND r.kind = 'rotation'
  LEFT JOIN key_policies d ON d.key_id = k.id AND d.kind = 'dualAuthDelete'";

/// The key of an instance that a request names.
///
/// # Errors
/// The store's.
pub(crate) fn find(tx: &Tx<'_>, instance: InstanceId, key: &KeyRef) -> Result<Option<Key>, Error> {
    let id = match key {
        KeyRef::Id(id) => Some(*id),
        KeyRef::Alias(alias) => alias_rows::key_of(tx, instance, alias)?,
        KeyRef::Nothing => None,
    };
    let Some(id) = id else { return Ok(None) };
    Ok(get(tx, id)?.filter(|key| key.instance == instance))
}

/// A key by its id, whichever instance it is of.
///
/// # Errors
/// The store's.
pub(crate) fn get(tx: &Tx<'_>, id: KeyId) -> Result<Option<Key>, Error> {
    let mut statement = tx.prepare(&format!("{SELECT} WHERE k.id = ?1"))?;
    let mut rows = statement.query([id.to_string()])?;
    rows.next()?.map(|row| read(&Reading::new("keys", row, "id"))).transpose()
}

/// The key of a row.
///
/// # Errors
/// The store's.
pub(crate) fn get_row(tx: &Tx<'_>, seq: i64) -> Result<Option<Key>, Error> {
    let mut statement = tx.prepare(&format!("{SELECT} WHERE k.seq = ?1"))?;
    let mut rows = statement.query([seq])?;
    rows.next()?.map(|row| read(&Reading::new("keys", row, "id"))).transpose()
}

/// Adds a key, its aliases apart.
///
/// # Errors
/// The store's.
pub(crate) fn insert(tx: &Tx<'_>, key: &Key) -> Result<(), Error> {
    tx.prepare(
        "INSERT INTO keys (id, instance_id, ring_id, extractable, name, description, tags, imported, bits, state,
             expires_at, created_at, created_by, updated_at, version_id, version_created_at, kind)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
             ?10 * 16 + ?4 * 8 + ?8 * 4 + (?11 IS NOT NULL) * 2)",
    )?
    .execute(params![
        key.id.to_string(),
        key.instance.to_string(),
        key.ring.as_str(),
        key.kind == Kind::Standard,
        key.name,
        key.description,
        join(&key.tags),
        key.imported,
        key.bits,
        key.state.number(),
        key.expires_at.map(crate::domain::time::Timestamp::millis),
        key.created_at.millis(),
        key.created_by,
        key.updated_at.millis(),
        key.version.id.to_string(),
        key.version.created_at.millis(),
    ])?;
    due::insert(tx, key.id, &key.due())
}

/// Writes what can change of a key, and what is due for it.
///
/// # Errors
/// The store's.
pub(crate) fn update(tx: &Tx<'_>, key: &Key) -> Result<(), Error> {
    use crate::domain::time::Timestamp;
    let (deleted_at, deleted_by) = match &key.state {
        State::Destroyed { at, by } => (Some(at.millis()), Some(by)),
        State::Active | State::Suspended | State::Deactivated => (None, None),
    };
    tx.prepare(
        "UPDATE keys SET ring_id = ?2, bits = ?3, state = ?4, updated_at = ?5, rotated_at = ?6, notified_at = ?7,
             deleted_at = ?8, deleted_by = ?9, version_id = ?10, version_created_at = ?11, authorized_by = ?12,
             authorized_until = ?13,
             kind = ?4 * 16 + extractable * 8 + imported * 4 + (expires_at IS NOT NULL) * 2 + (?6 IS NOT NULL)
         WHERE id = ?1",
    )?
    .execute(params![
        key.id.to_string(),
        key.ring.as_str(),
        key.bits,
        key.state.number(),
        key.updated_at.millis(),
        key.rotated_at.map(Timestamp::millis),
        key.notified_at.map(Timestamp::millis),
        deleted_at,
        deleted_by,
        key.version.id.to_string(),
        key.version.created_at.millis(),
        key.authorization.as_ref().map(|first| &first.by),
        key.authorization.as_ref().map(|first| first.until.millis()),
    ])?;
    due::replace(tx, key.id, &key.due())?;
    tx.touch(key.instance, key.id);
    Ok(())
}

/// Removes a key with all that belongs to it; its material is overwritten.
///
/// # Errors
/// The store's.
pub(crate) fn purge(tx: &Tx<'_>, key: &Key) -> Result<(), Error> {
    let id = key.id.to_string();
    for statement in [
        "DELETE FROM key_versions WHERE key_id = ?1",
        "DELETE FROM key_policies WHERE key_id = ?1",
        "DELETE FROM aliases WHERE key_id = ?1",
        "DELETE FROM registrations WHERE key_id = ?1",
        "DELETE FROM due WHERE subject_id = ?1",
        "DELETE FROM keys WHERE id = ?1",
    ] {
        tx.prepare(statement)?.execute([&id])?;
    }
    tx.touch(key.instance, key.id);
    tx.touch_due();
    tx.forget_deleted_pages();
    Ok(())
}

/// Keys of an instance that are not destroyed.
///
/// # Errors
/// The store's.
pub(crate) fn count_living(tx: &Tx<'_>, instance: InstanceId) -> Result<i64, Error> {
    Ok(tx
        .prepare("SELECT coalesce(sum(keys), 0) FROM key_counts WHERE instance_id = ?1 AND kind / 16 <> 5")?
        .query_row([instance.to_string()], |row| row.get(0))?)
}

/// All keys of an instance, destroyed ones too.
///
/// # Errors
/// The store's.
pub(crate) fn all_of(tx: &Tx<'_>, instance: InstanceId) -> Result<Vec<Key>, Error> {
    let mut statement = tx.prepare(&format!("{SELECT} WHERE k.instance_id = ?1 ORDER BY k.id"))?;
    let mut rows = statement.query([instance.to_string()])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(&Reading::new("keys", row, "id"))?);
    }
    Ok(all)
}

/// Reads a row of [`SELECT`].
///
/// # Errors
/// `Inconsistent`, naming the column.
pub(crate) fn read(reading: &Reading<'_, '_>) -> Result<Key, Error> {
    // In the order of the columns.
    Ok(Key {
        id: reading.parse("id", KeyId::parse)?,
        instance: reading.parse("instance_id", InstanceId::parse)?,
        ring: reading.parse("ring_id", RingId::parse)?,
        kind: if reading.get("extractable")? { Kind::Standard } else { Kind::Root },
        name: reading.get("name")?,
        description: reading.get("description")?,
        tags: split(reading.get("tags")?),
        imported: reading.get("imported")?,
        bits: reading.get("bits")?,
        state: read_state(reading)?,
        expires_at: reading.at_opt("expires_at")?,
        created_at: reading.at("created_at")?,
        created_by: reading.get("created_by")?,
        updated_at: reading.at("updated_at")?,
        rotated_at: reading.at_opt("rotated_at")?,
        notified_at: reading.at_opt("notified_at")?,
        version: Version {
            id: reading.parse("version_id", VersionId::parse)?,
            created_at: reading.at("version_created_at")?,
        },
        authorization: reading
            .get::<Option<String>>("authorized_by")?
            .zip(reading.at_opt("authorized_until")?)
            .map(|(by, until)| DeletionAuthorization { by, until }),
        aliases: aliases(reading)?,
        rotation: read_rotation(reading)?,
        dual_auth: read_dual_auth(reading)?,
    })
}

fn aliases(reading: &Reading<'_, '_>) -> Result<Vec<Alias>, Error> {
    let texts = split(reading.get("aliases")?);
    texts.iter().map(|alias| Alias::parse(alias).ok_or_else(|| reading.inconsistent("aliases"))).collect()
}

fn read_state(reading: &Reading<'_, '_>) -> Result<State, Error> {
    let number: u8 = reading.get("state")?;
    match number {
        1 => Ok(State::Active),
        2 => Ok(State::Suspended),
        3 => Ok(State::Deactivated),
        5 => {
            let at = reading.at_opt("deleted_at")?.ok_or_else(|| reading.inconsistent("deleted_at"))?;
            Ok(State::Destroyed { at, by: reading.get("deleted_by")? })
        }
        _ => Err(reading.inconsistent("state")),
    }
}

fn read_rotation(reading: &Reading<'_, '_>) -> Result<Option<RotationPolicy>, Error> {
    let Some(id) = reading.get::<Option<String>>("r_id")? else { return Ok(None) };
    let months: i64 = reading.get("r_interval_months")?;
    Ok(Some(RotationPolicy {
        record: PolicyRecord {
            id: PolicyId::parse(&id).ok_or_else(|| reading.inconsistent("r_id"))?,
            created_at: reading.at("r_created_at")?,
            created_by: reading.get("r_created_by")?,
            updated_at: reading.at("r_updated_at")?,
            updated_by: reading.get("r_updated_by")?,
        },
        enabled: reading.get("r_enabled")?,
        interval: IntervalMonths::new(months).ok_or_else(|| reading.inconsistent("r_interval_months"))?,
        next_at: reading.at("r_next_at")?,
    }))
}

fn read_dual_auth(reading: &Reading<'_, '_>) -> Result<Option<DualAuthPolicy>, Error> {
    let Some(id) = reading.get::<Option<String>>("d_id")? else { return Ok(None) };
    Ok(Some(DualAuthPolicy {
        record: PolicyRecord {
            id: PolicyId::parse(&id).ok_or_else(|| reading.inconsistent("d_id"))?,
            created_at: reading.at("d_created_at")?,
            created_by: reading.get("d_created_by")?,
            updated_at: reading.at("d_updated_at")?,
            updated_by: reading.get("d_updated_by")?,
        },
        enabled: reading.get("d_enabled")?,
    }))
}
