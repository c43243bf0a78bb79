//! Service ids and API keys of IAM.

use std::collections::HashSet;

use rusqlite::{Row, params};

use crate::domain::iam_identity::{ApiKey, ServiceIdentity};
use crate::domain::id::{ApiKeyId, ServiceIdentityId};
use crate::store::Error;
use crate::store::row::Reading;
use crate::store::tx::Tx;

/// A service id.
///
/// # Errors
/// The store's.
pub(crate) fn service_id(tx: &Tx<'_>, id: ServiceIdentityId) -> Result<Option<ServiceIdentity>, Error> {
    let mut statement = tx.prepare("SELECT * FROM service_ids WHERE id = ?1")?;
    let mut rows = statement.query([id.to_string()])?;
    rows.next()?.map(read_service_id).transpose()
}

/// UUIDs of all service ids that were made, and of those that resource keys were made with.
///
/// # Errors
/// The store's.
pub(crate) fn living(tx: &Tx<'_>) -> Result<HashSet<String>, Error> {
    let mut statement =
        tx.prepare("SELECT id FROM service_ids UNION SELECT service_id FROM resource_keys WHERE removed_at IS NULL")?;
    let all = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(all)
}

/// True for the UUID of one of them.
///
/// # Errors
/// The store's.
pub(crate) fn lives(tx: &Tx<'_>, uuid: &str) -> Result<bool, Error> {
    let mut statement = tx.prepare(
        "SELECT 1 FROM service_ids WHERE id = ?1
         UNION ALL SELECT 1 FROM resource_keys WHERE service_id = ?1 AND removed_at IS NULL",
    )?;
    Ok(statement.exists([uuid])?)
}

/// How many service ids there are.
///
/// # Errors
/// The store's.
pub(crate) fn count_service_ids(tx: &Tx<'_>) -> Result<i64, Error> {
    Ok(tx.prepare("SELECT count(*) FROM service_ids")?.query_row([], |row| row.get(0))?)
}

/// Adds a service id.
///
/// # Errors
/// The store's.
pub(crate) fn insert_service_id(tx: &Tx<'_>, one: &ServiceIdentity) -> Result<(), Error> {
    tx.prepare("INSERT INTO service_ids (id, name, description, created_at, created_by) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![one.id.to_string(), one.name, one.description, one.created_at.millis(), one.created_by])?;
    tx.touch_service_ids();
    Ok(())
}

/// Removes a service id and its API keys.
///
/// # Errors
/// The store's.
pub(crate) fn delete_service_id(tx: &Tx<'_>, one: &ServiceIdentity) -> Result<(), Error> {
    tx.prepare("DELETE FROM service_ids WHERE id = ?1")?.execute([one.id.to_string()])?;
    tx.prepare("DELETE FROM api_keys WHERE iam_id = ?1")?.execute([one.identity().iam_id])?;
    tx.touch_service_ids();
    Ok(())
}

/// An API key by its id.
///
/// # Errors
/// The store's.
pub(crate) fn api_key(tx: &Tx<'_>, id: ApiKeyId) -> Result<Option<ApiKey>, Error> {
    let mut statement = tx.prepare("SELECT * FROM api_keys WHERE id = ?1")?;
    let mut rows = statement.query([id.to_string()])?;
    rows.next()?.map(read_api_key).transpose()
}

/// An API key by what it is.
///
/// # Errors
/// The store's.
pub(crate) fn api_key_by_digest(tx: &Tx<'_>, digest: &[u8; 32]) -> Result<Option<ApiKey>, Error> {
    let mut statement = tx.prepare("SELECT * FROM api_keys WHERE digest = ?1")?;
    let mut rows = statement.query([digest])?;
    rows.next()?.map(read_api_key).transpose()
}

/// How many API keys somebody has.
///
/// # Errors
/// The store's.
pub(crate) fn count_api_keys(tx: &Tx<'_>, iam_id: &str) -> Result<i64, Error> {
    Ok(tx.prepare("SELECT count(*) FROM api_keys WHERE iam_id = ?1")?.query_row([iam_id], |row| row.get(0))?)
}

/// Adds an API key.
///
/// # Errors
/// The store's.
pub(crate) fn insert_api_key(tx: &Tx<'_>, one: &ApiKey) -> Result<(), Error> {
    tx.prepare(
        "INSERT INTO api_keys (id, name, description, iam_id, digest, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        one.id.to_string(),
        one.name,
        one.description,
        one.iam_id,
        one.digest,
        one.created_at.millis(),
        one.created_by,
    ])?;
    Ok(())
}

/// Removes an API key.
///
/// # Errors
/// The store's.
pub(crate) fn delete_api_key(tx: &Tx<'_>, id: ApiKeyId) -> Result<(), Error> {
    tx.prepare("DELETE FROM api_keys WHERE id = ?1")?.execute([id.to_string()])?;
    Ok(())
}

fn read_service_id(row: &Row<'_>) -> Result<ServiceIdentity, Error> {
    let reading = Reading::new("service_ids", row, "id");
    Ok(ServiceIdentity {
        id: reading.parse("id", ServiceIdentityId::parse)?,
        name: reading.get("name")?,
        description: reading.get("description")?,
        created_at: reading.at("created_at")?,
        created_by: reading.get("created_by")?,
    })
}

fn read_api_key(row: &Row<'_>) -> Result<ApiKey, Error> {
    let reading = Reading::new("api_keys", row, "id");
    Ok(ApiKey {
        id: reading.parse("id", ApiKeyId::parse)?,
        name: reading.get("name")?,
        description: reading.get("description")?,
        iam_id: reading.get("iam_id")?,
        digest: reading.get("digest")?,
        created_at: reading.at("created_at")?,
        created_by: reading.get("created_by")?,
    })
}
