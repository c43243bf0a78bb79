//! KMIP adapters.

use rusqlite::params;

use crate::domain::id::{AdapterId, InstanceId, KeyId};
use crate::domain::kmip::{Adapter, Listed, Mark, Name, Page, Reference};
use crate::store::Error;
use crate::store::kmip::{MarkColumns, first, unsigned};
use crate::store::row::Reading;
use crate::store::tx::Tx;

const CREATED: MarkColumns = MarkColumns { at: "created_at", by: "created_by", with: None };
const UPDATED: MarkColumns = MarkColumns { at: "updated_at", by: "updated_by", with: None };

/// The adapter of an instance that a request names.
///
/// # Errors
/// The store's.
pub(crate) fn find(
    tx: &Tx<'_>,
    instance: InstanceId,
    adapter: &Reference<AdapterId>,
) -> Result<Option<Adapter>, Error> {
    let (column, text) = match adapter {
        Reference::Id(id) => ("id", id.to_string()),
        Reference::Name(name) => ("name", name.as_str().to_owned()),
        Reference::Nothing => return Ok(None),
    };
    let mut statement = tx.prepare(&format!("SELECT * FROM kmip_adapters WHERE instance_id = ?1 AND {column} = ?2"))?;
    let mut rows = statement.query([instance.to_string(), text])?;
    rows.next()?.map(read).transpose()
}

/// Adapters of an instance.
///
/// # Errors
/// The store's.
pub(crate) fn count(tx: &Tx<'_>, instance: InstanceId) -> Result<u64, Error> {
    let count = first(tx, "SELECT count(*) FROM kmip_adapters WHERE instance_id = ?1", [instance.to_string()])?;
    Ok(unsigned(count.unwrap_or_default()))
}

/// True when an adapter of the instance has the name.
///
/// # Errors
/// The store's.
pub(crate) fn is_taken(tx: &Tx<'_>, instance: InstanceId, name: &Name) -> Result<bool, Error> {
    let mut statement = tx.prepare("SELECT 1 FROM kmip_adapters WHERE instance_id = ?1 AND name = ?2")?;
    Ok(statement.exists([instance.to_string().as_str(), name.as_str()])?)
}

/// True when an adapter hangs on the key.
///
/// # Errors
/// The store's.
pub(crate) fn hang_on(tx: &Tx<'_>, key: KeyId) -> Result<bool, Error> {
    Ok(tx.prepare("SELECT 1 FROM kmip_adapters WHERE root_key_id = ?1")?.exists([key.to_string()])?)
}

/// Adapters of an instance, those of one root key if one is given, in order of creation.
///
/// # Errors
/// The store's.
pub(crate) fn list(
    tx: &Tx<'_>,
    instance: InstanceId,
    root_key: Option<KeyId>,
    page: Page,
) -> Result<Listed<Adapter>, Error> {
    const MEANT: &str = "FROM kmip_adapters WHERE instance_id = ?1 AND (?2 IS NULL OR root_key_id = ?2)";
    let (instance, root_key) = (instance.to_string(), root_key.map(|key| key.to_string()));
    let total = first(tx, &format!("SELECT count(*) {MEANT}"), params![instance, root_key])?.unwrap_or_default();
    let mut statement = tx.prepare(&format!("SELECT * {MEANT} ORDER BY seq LIMIT ?3 OFFSET ?4"))?;
    let mut rows = statement.query(params![instance, root_key, page.limit, page.offset])?;
    let mut shown = Vec::new();
    while let Some(row) = rows.next()? {
        shown.push(read(row)?);
    }
    Ok(Listed { shown, total: unsigned(total) })
}

/// Adds an adapter.
///
/// # Errors
/// The store's.
pub(crate) fn insert(tx: &Tx<'_>, instance: InstanceId, adapter: &Adapter) -> Result<(), Error> {
    tx.prepare(
        "INSERT INTO kmip_adapters (id, instance_id, name, description, root_key_id, created_at, created_by,
             updated_at, updated_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        adapter.id.to_string(),
        instance.to_string(),
        adapter.name.as_str(),
        adapter.description,
        adapter.root_key.to_string(),
        adapter.created.at.millis(),
        adapter.created.by,
        adapter.updated.at.millis(),
        adapter.updated.by,
    ])?;
    Ok(())
}

/// Notes that something of an adapter changed.
///
/// # Errors
/// The store's.
pub(crate) fn mark_updated(tx: &Tx<'_>, adapter: AdapterId, mark: &Mark) -> Result<(), Error> {
    tx.prepare("UPDATE kmip_adapters SET updated_at = ?2, updated_by = ?3 WHERE id = ?1")?.execute(params![
        adapter.to_string(),
        mark.at.millis(),
        mark.by
    ])?;
    Ok(())
}

/// Removes an adapter with its certificates and objects.
///
/// # Errors
/// The store's.
pub(crate) fn remove(tx: &Tx<'_>, adapter: AdapterId) -> Result<(), Error> {
    for statement in [
        "DELETE FROM kmip_objects WHERE adapter_id = ?1",
        "DELETE FROM kmip_object_counts WHERE adapter_id = ?1",
        "DELETE FROM kmip_certificates WHERE adapter_id = ?1",
        "DELETE FROM kmip_adapters WHERE id = ?1",
    ] {
        tx.prepare(statement)?.execute([adapter.to_string()])?;
    }
    Ok(())
}

fn read(row: &rusqlite::Row<'_>) -> Result<Adapter, Error> {
    let reading = Reading::new("kmip_adapters", row, "id");
    Ok(Adapter {
        id: reading.parse("id", AdapterId::parse)?,
        name: reading.parse("name", Name::parse)?,
        description: reading.get("description")?,
        root_key: reading.parse("root_key_id", KeyId::parse)?,
        created: CREATED.read(&reading)?,
        updated: UPDATED.read(&reading)?,
    })
}
