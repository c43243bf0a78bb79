//! Lifecycle events, one a registration.

use rusqlite::{Row, params};

use crate::domain::event::{Event, EventKind, Outcome, Turn};
use crate::domain::id::{EventId, InstanceId, KeyId, VersionId};
use crate::domain::key::Version;
use crate::domain::registration::ResourceCrn;
use crate::domain::time::Timestamp;
use crate::store::Error;
use crate::store::row::Reading;
use crate::store::tx::Tx;

/// Events that are kept; of more, the oldest that have ended go, with their deliveries.
const EVENTS_MAX: i64 = 200_000;
/// How often an insertion looks for events over the limit.
const EVENTS_BETWEEN_SWEEPS: i64 = 1_024;

/// An event with its place among all events.
pub(crate) struct Stored {
    pub(crate) seq: i64,
    pub(crate) event: Event,
}

/// Adds an event; its place.
///
/// # Errors
/// The store's.
pub(crate) fn insert(tx: &Tx<'_>, event: &Event, body: &str) -> Result<i64, Error> {
    let turn = event.turn;
    tx.touch_due();
    let seq = tx
        .prepare(
            "INSERT INTO events (id, kind, key_id, instance_id, resource_crn, correlation, at, deadline, key_state,
                 new_version_id, new_version_created_at, old_version_id, old_version_created_at, body, outcome)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )?
        .insert(params![
            event.id.to_string(),
            event.kind.name(),
            event.key.to_string(),
            event.instance.to_string(),
            event.resource.as_str(),
            event.correlation,
            event.at.millis(),
            event.deadline().millis(),
            event.key_state,
            turn.map(|turn| turn.new.id.to_string()),
            turn.map(|turn| turn.new.created_at.millis()),
            turn.map(|turn| turn.old.id.to_string()),
            turn.map(|turn| turn.old.created_at.millis()),
            body,
            event.outcome.name(),
        ])?;
    if seq % EVENTS_BETWEEN_SWEEPS == 0 {
        sweep(tx, seq - EVENTS_MAX)?;
    }
    Ok(seq)
}

/// Removes events up to a place that have ended, with their deliveries and attempts.
fn sweep(tx: &Tx<'_>, last: i64) -> Result<(), Error> {
    for statement in [
        "DELETE FROM attempts WHERE delivery IN (SELECT d.seq FROM deliveries d JOIN events e ON e.seq = d.event
             WHERE e.seq <= ?1 AND e.outcome <> 'open')",
        "DELETE FROM deliveries WHERE event IN (SELECT seq FROM events WHERE seq <= ?1 AND outcome <> 'open')",
        "DELETE FROM events WHERE seq <= ?1 AND outcome <> 'open'",
    ] {
        tx.prepare(statement)?.execute([last])?;
    }
    Ok(())
}

/// Closes an event.
///
/// # Errors
/// The store's.
pub(crate) fn close(tx: &Tx<'_>, seq: i64, outcome: Outcome) -> Result<(), Error> {
    tx.touch_due();
    tx.prepare("UPDATE events SET outcome = ?2 WHERE seq = ?1")?.execute(params![seq, outcome.name()])?;
    Ok(())
}

/// An event by its id.
///
/// # Errors
/// The store's.
pub(crate) fn find(tx: &Tx<'_>, id: EventId) -> Result<Option<Stored>, Error> {
    let mut statement = tx.prepare("SELECT * FROM events WHERE id = ?1")?;
    let mut rows = statement.query([id.to_string()])?;
    rows.next()?.map(read).transpose()
}

/// An event by its place.
///
/// # Errors
/// The store's.
pub(crate) fn get(tx: &Tx<'_>, seq: i64) -> Result<Option<Stored>, Error> {
    let mut statement = tx.prepare("SELECT * FROM events WHERE seq = ?1")?;
    let mut rows = statement.query([seq])?;
    rows.next()?.map(read).transpose()
}

/// The first open events whose windows end at an instant, in order of creation.
///
/// # Errors
/// The store's.
pub(crate) fn ending(tx: &Tx<'_>, at: Timestamp, most: usize) -> Result<Vec<Stored>, Error> {
    let mut statement =
        tx.prepare("SELECT * FROM events WHERE outcome = 'open' AND deadline = ?1 ORDER BY seq LIMIT ?2")?;
    let mut rows = statement.query(params![at.millis(), i64::try_from(most).unwrap_or(i64::MAX)])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

/// When the first window ends, in milliseconds.
///
/// # Errors
/// The store's.
pub(crate) fn earliest_deadline(tx: &Tx<'_>) -> Result<Option<i64>, Error> {
    Ok(tx.prepare("SELECT min(deadline) FROM events WHERE outcome = 'open'")?.query_row([], |row| row.get(0))?)
}

/// Places of a key's open events: of one resource, or of all.
///
/// # Errors
/// The store's.
pub(crate) fn open_of_key(tx: &Tx<'_>, key: KeyId, resource: Option<&ResourceCrn>) -> Result<Vec<i64>, Error> {
    let mut statement = tx.prepare(
        "SELECT seq FROM events WHERE outcome = 'open' AND key_id = ?1 AND (?2 IS NULL OR resource_crn = ?2)
         ORDER BY seq",
    )?;
    let rows = statement.query_map(params![key.to_string(), resource.map(ResourceCrn::as_str)], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> Result<Stored, Error> {
    let reading = Reading::new("events", row, "id");
    let new = version(&reading, "new_version_id", "new_version_created_at")?;
    let old = version(&reading, "old_version_id", "old_version_created_at")?;
    let event = Event {
        id: reading.parse("id", EventId::parse)?,
        kind: reading.parse("kind", EventKind::parse)?,
        key: reading.parse("key_id", KeyId::parse)?,
        instance: reading.parse("instance_id", InstanceId::parse)?,
        resource: reading.parse("resource_crn", ResourceCrn::parse)?,
        correlation: reading.get("correlation")?,
        at: reading.at("at")?,
        key_state: reading.get("key_state")?,
        turn: new.zip(old).map(|(new, old)| Turn { new, old }),
        outcome: reading.parse("outcome", Outcome::parse)?,
    };
    Ok(Stored { seq: reading.get("seq")?, event })
}

fn version(reading: &Reading<'_, '_>, id: &'static str, created_at: &'static str) -> Result<Option<Version>, Error> {
    let Some(text) = reading.get::<Option<String>>(id)? else { return Ok(None) };
    let id = VersionId::parse(&text).ok_or_else(|| reading.inconsistent(id))?;
    Ok(Some(Version { id, created_at: reading.at(created_at)? }))
}
