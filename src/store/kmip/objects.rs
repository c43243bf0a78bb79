//! Objects of KMIP adapters.

use std::collections::BTreeSet;

use rusqlite::params;

use crate::domain::id::{AdapterId, ObjectId};
use crate::domain::kmip::object::{Object, ObjectState};
use crate::domain::kmip::{Listed, Page};
use crate::store::Error;
use crate::store::kmip::{MarkColumns, certificate_text, first, unsigned};
use crate::store::row::Reading;
use crate::store::tx::Tx;

const CREATED: MarkColumns = MarkColumns { at: "created_at", by: "created_by", with: Some("created_with") };
const UPDATED: MarkColumns = MarkColumns { at: "updated_at", by: "updated_by", with: Some("updated_with") };
const DESTROYED: MarkColumns = MarkColumns { at: "destroyed_at", by: "destroyed_by", with: Some("destroyed_with") };

/// An object of an adapter.
///
/// # Errors
/// The store's.
pub(crate) fn get(tx: &Tx<'_>, adapter: AdapterId, id: ObjectId) -> Result<Option<Object>, Error> {
    let mut statement = tx.prepare("SELECT * FROM kmip_objects WHERE adapter_id = ?1 AND id = ?2")?;
    let mut rows = statement.query([adapter.to_string(), id.to_string()])?;
    rows.next()?.map(read).transpose()
}

/// Objects of an adapter in one of the states, in order of creation.
///
/// # Errors
/// The store's.
pub(crate) fn list(
    tx: &Tx<'_>,
    adapter: AdapterId,
    states: &[ObjectState],
    page: Page,
) -> Result<Listed<Object>, Error> {
    let counted = format!(
        "SELECT coalesce(sum(objects), 0) FROM kmip_object_counts WHERE adapter_id = ?1 AND state IN ({})",
        numbers(states)
    );
    let total = first(tx, &counted, [adapter.to_string()])?.unwrap_or_default();
    // One walk for each state, merged: that needs no sorting.
    let different: BTreeSet<u8> = states.iter().map(|state| state.number()).collect();
    let walk = |number| format!("SELECT seq FROM kmip_objects WHERE adapter_id = ?1 AND state = {number}");
    let walks: Vec<String> = different.into_iter().map(walk).collect();
    let sql = format!("{} ORDER BY 1 LIMIT ?2 OFFSET ?3", walks.join(" UNION ALL "));
    let mut statement = tx.prepare(&sql)?;
    let seqs = statement.query_map(params![adapter.to_string(), page.limit, page.offset], |row| row.get(0))?;
    let seqs = seqs.collect::<Result<Vec<i64>, _>>()?;
    let mut shown = Vec::new();
    let mut statement = tx.prepare("SELECT * FROM kmip_objects WHERE seq = ?1")?;
    for seq in seqs {
        let mut rows = statement.query([seq])?;
        while let Some(row) = rows.next()? {
            shown.push(read(row)?);
        }
    }
    Ok(Listed { shown, total: unsigned(total) })
}

/// True when the adapter has objects that are not destroyed.
///
/// # Errors
/// The store's.
pub(crate) fn any_living(tx: &Tx<'_>, adapter: AdapterId) -> Result<bool, Error> {
    let living = numbers(&ObjectState::LIVING);
    let sql = format!("SELECT 1 FROM kmip_objects WHERE adapter_id = ?1 AND state IN ({living})");
    Ok(tx.prepare(&sql)?.exists([adapter.to_string()])?)
}

/// Adds an object.
///
/// # Errors
/// The store's.
pub(crate) fn insert(tx: &Tx<'_>, adapter: AdapterId, object: &Object) -> Result<(), Error> {
    tx.prepare(
        "INSERT INTO kmip_objects (id, adapter_id, state, created_at, created_by, created_with, updated_at, updated_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?4, ?5)",
    )?
    .execute(params![
        object.id.to_string(),
        adapter.to_string(),
        object.state.number(),
        object.created.at.millis(),
        object.created.by,
        certificate_text(&object.created),
    ])?;
    update(tx, object)
}

/// Writes what can change of an object.
///
/// # Errors
/// The store's.
pub(crate) fn update(tx: &Tx<'_>, object: &Object) -> Result<(), Error> {
    let destroyed = object.destroyed.as_ref();
    tx.prepare(
        "UPDATE kmip_objects SET state = ?2, updated_at = ?3, updated_by = ?4, updated_with = ?5, destroyed_at = ?6,
             destroyed_by = ?7, destroyed_with = ?8
         WHERE id = ?1",
    )?
    .execute(params![
        object.id.to_string(),
        object.state.number(),
        object.updated.at.millis(),
        object.updated.by,
        certificate_text(&object.updated),
        destroyed.map(|mark| mark.at.millis()),
        destroyed.map(|mark| &mark.by),
        destroyed.and_then(certificate_text),
    ])?;
    Ok(())
}

/// As SQL has a list of them.
fn numbers(states: &[ObjectState]) -> String {
    let numbers: Vec<String> = states.iter().map(|state| state.number().to_string()).collect();
    numbers.join(",")
}

fn read(row: &rusqlite::Row<'_>) -> Result<Object, Error> {
    let reading = Reading::new("kmip_objects", row, "id");
    let state: u8 = reading.get("state")?;
    Ok(Object {
        id: reading.parse("id", ObjectId::parse)?,
        state: ObjectState::of_number(state).ok_or_else(|| reading.inconsistent("state"))?,
        created: CREATED.read(&reading)?,
        updated: UPDATED.read(&reading)?,
        destroyed: DESTROYED.read_opt(&reading)?,
    })
}
