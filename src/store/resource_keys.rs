//! Resource keys: credentials of service instances.

use rusqlite::params;

use crate::domain::id::{IamPolicyId, InstanceId, ResourceKeyId};
use crate::domain::resource_key::ResourceKey;
use crate::store::Error;
use crate::store::row::Reading;
use crate::store::secrets::SealedRow;
use crate::store::tx::Tx;

/// A resource key and its secrets; a removed one has none.
pub(crate) type StoredKey = (ResourceKey, Option<SealedRow>);

/// Adds a resource key. `digest`: SHA-256 of its API key.
///
/// # Errors
/// The store's.
pub(crate) fn insert(tx: &Tx<'_>, key: &ResourceKey, digest: [u8; 32], sealed: &SealedRow) -> Result<(), Error> {
    tx.prepare(
        "INSERT INTO resource_keys (id, instance_id, name, role, service_id, policy_id, access_key_id, api_key, nonce,
             sealed, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        key.id.to_string(),
        key.instance.to_string(),
        key.name,
        key.role,
        key.service_id,
        key.policy.map(|id| id.to_string()),
        key.access_key_id,
        digest,
        sealed.0,
        sealed.1,
        key.created_at.millis(),
        key.created_by,
    ])?;
    tx.touch_service_ids();
    Ok(())
}

/// Writes a key's name.
///
/// # Errors
/// The store's.
pub(crate) fn rename(tx: &Tx<'_>, key: &ResourceKey) -> Result<(), Error> {
    tx.prepare("UPDATE resource_keys SET name = ?2, updated_at = ?3, updated_by = ?4 WHERE id = ?1")?.execute(
        params![
            key.id.to_string(),
            key.name,
            key.updated.as_ref().map(|(at, _)| at.millis()),
            key.updated.as_ref().map(|(_, by)| by),
        ],
    )?;
    Ok(())
}

/// Notes that a key was removed, and forgets its secrets.
///
/// # Errors
/// The store's.
pub(crate) fn remove(tx: &Tx<'_>, key: &ResourceKey) -> Result<(), Error> {
    tx.prepare(
        "UPDATE resource_keys SET removed_at = ?2, removed_by = ?3, access_key_id = NULL, api_key = NULL,
             nonce = NULL, sealed = NULL WHERE id = ?1",
    )?
    .execute(params![
        key.id.to_string(),
        key.removed.as_ref().map(|(at, _)| at.millis()),
        key.removed.as_ref().map(|(_, by)| by),
    ])?;
    tx.touch_service_ids();
    Ok(())
}

/// A key by its id, removed or not.
///
/// # Errors
/// The store's.
pub(crate) fn get(tx: &Tx<'_>, id: ResourceKeyId) -> Result<Option<StoredKey>, Error> {
    one(tx, "SELECT * FROM resource_keys WHERE id = ?1", &id.to_string())
}

/// The key with an HMAC pair of that id.
///
/// # Errors
/// The store's.
pub(crate) fn of_access_key(tx: &Tx<'_>, access_key_id: &str) -> Result<Option<StoredKey>, Error> {
    one(tx, "SELECT * FROM resource_keys WHERE access_key_id = ?1", &access_key_id)
}

/// The key with an API key of that digest.
///
/// # Errors
/// The store's.
pub(crate) fn of_api_key(tx: &Tx<'_>, digest: &[u8; 32]) -> Result<Option<StoredKey>, Error> {
    one(tx, "SELECT * FROM resource_keys WHERE api_key = ?1", digest)
}

/// All keys, removed ones too, in order of creation.
///
/// # Errors
/// The store's.
pub(crate) fn all(tx: &Tx<'_>) -> Result<Vec<StoredKey>, Error> {
    let mut statement = tx.prepare("SELECT * FROM resource_keys ORDER BY seq")?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(&Reading::new("resource_keys", row, "id"))?);
    }
    Ok(all)
}

/// Keys of an instance that were not removed, in order of creation.
///
/// # Errors
/// The store's.
pub(crate) fn living(tx: &Tx<'_>, instance: InstanceId) -> Result<Vec<ResourceKey>, Error> {
    const SQL: &str = "SELECT * FROM resource_keys WHERE instance_id = ?1 AND removed_at IS NULL ORDER BY seq";
    several(tx, SQL, &instance.to_string())
}

/// The same of a service id, by its UUID.
///
/// # Errors
/// The store's.
pub(crate) fn living_of_service_id(tx: &Tx<'_>, uuid: &str) -> Result<Vec<ResourceKey>, Error> {
    const SQL: &str = "SELECT * FROM resource_keys WHERE service_id = ?1 AND removed_at IS NULL ORDER BY seq";
    several(tx, SQL, uuid)
}

fn several(tx: &Tx<'_>, sql: &str, key: &str) -> Result<Vec<ResourceKey>, Error> {
    let mut statement = tx.prepare(sql)?;
    let mut rows = statement.query([key])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(&Reading::new("resource_keys", row, "id"))?.0);
    }
    Ok(all)
}

fn one(tx: &Tx<'_>, sql: &str, key: &dyn rusqlite::ToSql) -> Result<Option<StoredKey>, Error> {
    let mut statement = tx.prepare(sql)?;
    let mut rows = statement.query([key])?;
    rows.next()?.map(|row| read(&Reading::new("resource_keys", row, "id"))).transpose()
}

fn read(reading: &Reading<'_, '_>) -> Result<StoredKey, Error> {
    let policy: Option<String> = reading.get("policy_id")?;
    let policy = match policy {
        None => None,
        Some(text) => Some(IamPolicyId::parse(&text).ok_or_else(|| reading.inconsistent("policy_id"))?),
    };
    let key = ResourceKey {
        id: reading.parse("id", ResourceKeyId::parse)?,
        instance: reading.parse("instance_id", InstanceId::parse)?,
        name: reading.get("name")?,
        role: reading.get("role")?,
        service_id: reading.get("service_id")?,
        policy,
        access_key_id: reading.get("access_key_id")?,
        created_at: reading.at("created_at")?,
        created_by: reading.get("created_by")?,
        updated: reading.at_opt("updated_at")?.zip(reading.get("updated_by")?),
        removed: reading.at_opt("removed_at")?.zip(reading.get("removed_by")?),
    };
    let sealed = reading.get::<Option<[u8; 12]>>("nonce")?.zip(reading.get("sealed")?);
    Ok((key, sealed))
}
