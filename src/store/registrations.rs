//! Registrations of cloud resources with root keys.

use rusqlite::{Row, params, params_from_iter};

use crate::domain::crn::CrnQuery;
use crate::domain::id::{InstanceId, KeyId, VersionId};
use crate::domain::key::Version;
use crate::domain::registration::{Registration, ResourceCrn};
use crate::store::Error;
use crate::store::key_pages::Window;
use crate::store::key_query::Clause;
use crate::store::key_walks::Query;
use crate::store::row::Reading;
use crate::store::tx::Tx;

const FROM: &str = "FROM registrations r JOIN keys k ON k.id = r.key_id JOIN key_versions v ON v.id = r.version_id";

/// Which registrations are asked for, of the keys that a clause selects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) resource: Option<CrnQuery>,
    pub(crate) prevent_deletion: Option<bool>,
    pub(crate) limit: i64,
    pub(crate) offset: i64,
    /// True when all that match are to be counted.
    pub(crate) counted: bool,
}

/// Whose registrations are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner {
    Key(KeyId),
    Instance(InstanceId),
}

/// A page of registrations, in order of creation.
pub(crate) struct Page {
    pub(crate) registrations: Vec<Registration>,
    /// All that match, before paging; where they were to be counted.
    pub(crate) total: Option<u64>,
}

/// Whether a key protects anything, as its deletion asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    None,
    /// Some resource.
    Some,
    /// Some resource that forbids the deletion.
    Absolute,
}

/// A registration of a key.
///
/// # Errors
/// The store's.
pub(crate) fn get(tx: &Tx<'_>, key: KeyId, resource: &ResourceCrn) -> Result<Option<Registration>, Error> {
    let mut statement = tx.prepare(&format!(
        "SELECT r.*, k.name AS key_name, v.created_at AS version_created_at {FROM}
         WHERE r.key_id = ?1 AND r.resource_crn = ?2"
    ))?;
    let mut rows = statement.query([key.to_string().as_str(), resource.as_str()])?;
    rows.next()?.map(read).transpose()
}

/// The number of a registration's row.
///
/// # Errors
/// The store's.
pub(crate) fn row_of(tx: &Tx<'_>, key: KeyId, resource: &ResourceCrn) -> Result<Option<i64>, Error> {
    let mut statement = tx.prepare("SELECT seq FROM registrations WHERE key_id = ?1 AND resource_crn = ?2")?;
    let mut rows = statement.query([key.to_string().as_str(), resource.as_str()])?;
    Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
}

/// A registration by the number of its row.
///
/// # Errors
/// The store's.
pub(crate) fn in_row(tx: &Tx<'_>, row: i64) -> Result<Option<Registration>, Error> {
    let mut statement = tx.prepare(&format!(
        "SELECT r.*, k.name AS key_name, v.created_at AS version_created_at {FROM} WHERE r.seq = ?1"
    ))?;
    let mut rows = statement.query([row])?;
    rows.next()?.map(read).transpose()
}

/// All registrations of a key, in order of creation.
///
/// # Errors
/// The store's.
pub(crate) fn of_key(tx: &Tx<'_>, key: KeyId) -> Result<Vec<Registration>, Error> {
    let mut statement = tx.prepare(&format!(
        "SELECT r.*, k.name AS key_name, v.created_at AS version_created_at {FROM}
         WHERE r.key_id = ?1 ORDER BY r.seq"
    ))?;
    let mut rows = statement.query([key.to_string()])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

/// A page of registrations of an owner, as far as they are of keys that a clause selects.
///
/// # Errors
/// The store's.
pub(crate) fn page(tx: &Tx<'_>, owner: Owner, keys: &Clause, wanted: &Wanted) -> Result<Page, Error> {
    let (index, column, id) = match (owner, &wanted.resource) {
        (Owner::Key(id), None) => ("registrations_by_key", "r.key_id", id.to_string()),
        (Owner::Key(id), Some(_)) => ("registrations_by_key_and_resource", "r.key_id", id.to_string()),
        (Owner::Instance(id), None) => ("registrations_by_instance", "r.instance_id", id.to_string()),
        (Owner::Instance(id), Some(_)) => ("registrations_by_resource", "r.instance_id", id.to_string()),
    };
    let mut query = Query::of(id);
    let mut condition = String::new();
    if let Some(resource) = &wanted.resource {
        condition = query.condition(Clause::more("r.resource_crn GLOB ?", resource.glob()));
    }
    if !keys.is_whole_instance() {
        let of_keys = query.condition(keys.clone());
        condition.extend([" AND EXISTS (SELECT 1 FROM keys k", &of_keys, " AND k.id = r.key_id)"]);
    }
    // Those that prevent a deletion and those that don't are two walks; both are in order, so they are merged.
    let walk = |columns: &str, prevents: bool| {
        let prevents = u8::from(prevents);
        format!(
            "SELECT {columns} FROM registrations r INDEXED BY {index}
             WHERE {column} = ?1 AND r.prevent_deletion = {prevents}{condition}"
        )
    };
    let walks = |columns: &str| match wanted.prevent_deletion {
        Some(prevents) => walk(columns, prevents),
        None => [walk(columns, false), walk(columns, true)].join(" UNION ALL "),
    };
    let total = if wanted.counted {
        let mut statement = tx.prepare(&format!("SELECT sum(n) FROM ({})", walks("count(*) AS n")))?;
        let total: i64 = statement.query_row(params_from_iter(&query.values), |row| row.get(0))?;
        Some(u64::try_from(total).unwrap_or_default())
    } else {
        None
    };
    let window = Window { limit: wanted.limit, offset: wanted.offset };
    let seqs: Vec<i64> = query.page(tx, &format!("{} ORDER BY 1", walks("r.seq")), window, |row| row.get(0))?;
    let mut registrations = Vec::new();
    for seq in seqs {
        registrations.extend(by_seq(tx, seq)?);
    }
    Ok(Page { registrations, total })
}

fn by_seq(tx: &Tx<'_>, seq: i64) -> Result<Option<Registration>, Error> {
    let mut statement = tx.prepare(&format!(
        "SELECT r.*, k.name AS key_name, v.created_at AS version_created_at {FROM} WHERE r.seq = ?1"
    ))?;
    let mut rows = statement.query([seq])?;
    rows.next()?.map(read).transpose()
}

/// Whether a key protects anything.
///
/// # Errors
/// The store's.
pub(crate) fn protection(tx: &Tx<'_>, key: KeyId) -> Result<Protection, Error> {
    let strongest: Option<bool> = tx
        .prepare("SELECT max(prevent_deletion) FROM registrations WHERE key_id = ?1")?
        .query_row([key.to_string()], |row| row.get(0))?;
    Ok(match strongest {
        None => Protection::None,
        Some(false) => Protection::Some,
        Some(true) => Protection::Absolute,
    })
}

/// Adds a registration.
///
/// # Errors
/// The store's.
pub(crate) fn insert(tx: &Tx<'_>, one: &Registration) -> Result<(), Error> {
    tx.prepare(
        "INSERT INTO registrations (key_id, resource_crn, prevent_deletion, description, metadata, version_id,
             created_at, created_by, updated_at, updated_by, revision, instance_id)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, instance_id FROM keys WHERE id = ?1",
    )?
    .execute(params![
        one.key.to_string(),
        one.resource.as_str(),
        one.prevent_deletion,
        one.description,
        one.metadata,
        one.version.id.to_string(),
        one.created_at.millis(),
        one.created_by,
        one.updated_at.millis(),
        one.updated_by,
        one.revision,
    ])?;
    Ok(())
}

/// Writes what can change of a registration.
///
/// # Errors
/// The store's.
pub(crate) fn update(tx: &Tx<'_>, one: &Registration) -> Result<(), Error> {
    tx.prepare(
        "UPDATE registrations SET prevent_deletion = ?3, description = ?4, metadata = ?5, version_id = ?6,
             updated_at = ?7, updated_by = ?8, revision = ?9 WHERE key_id = ?1 AND resource_crn = ?2",
    )?
    .execute(params![
        one.key.to_string(),
        one.resource.as_str(),
        one.prevent_deletion,
        one.description,
        one.metadata,
        one.version.id.to_string(),
        one.updated_at.millis(),
        one.updated_by,
        one.revision,
    ])?;
    Ok(())
}

/// Removes a registration.
///
/// # Errors
/// The store's.
pub(crate) fn remove(tx: &Tx<'_>, key: KeyId, resource: &ResourceCrn) -> Result<(), Error> {
    tx.prepare("DELETE FROM registrations WHERE key_id = ?1 AND resource_crn = ?2")?
        .execute([key.to_string().as_str(), resource.as_str()])?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Registration, Error> {
    let reading = Reading::new("registrations", row, "resource_crn");
    Ok(Registration {
        key: reading.parse("key_id", KeyId::parse)?,
        key_name: reading.get("key_name")?,
        resource: reading.parse("resource_crn", ResourceCrn::parse)?,
        prevent_deletion: reading.get("prevent_deletion")?,
        description: reading.get("description")?,
        metadata: reading.get("metadata")?,
        version: Version {
            id: reading.parse("version_id", VersionId::parse)?,
            created_at: reading.at("version_created_at")?,
        },
        created_at: reading.at("created_at")?,
        created_by: reading.get("created_by")?,
        updated_at: reading.at("updated_at")?,
        updated_by: reading.get("updated_by")?,
        revision: reading.get("revision")?,
    })
}
