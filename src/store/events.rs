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

/// How many events are kept.
pub(crate) struct Keep {
    /// Of more, the oldest that have ended go, with their deliveries.
    events_max: i64,
    /// Each so many insertions look for them.
    events_between_sweeps: i64,
}

/// What is kept.
pub(crate) const KEEP: Keep = Keep { events_max: 200_000, events_between_sweeps: 1_024 };

/// An event with its place among all events.
pub(crate) struct Stored {
    pub(crate) seq: i64,
    pub(crate) event: Event,
}

/// Adds an event; its place.
///
/// # Errors
/// The store's.
pub(crate) fn insert(tx: &Tx<'_>, event: &Event, body: &str, keep: &Keep) -> Result<i64, Error> {
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
    if seq % keep.events_between_sweeps == 0 {
        sweep(tx, seq - keep.events_max)?;
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

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::domain::id::DeliveryId;
    use crate::store::deliveries::{self, Line, NewDelivery};

    fn start() -> Timestamp {
        Timestamp::from_millis(1_767_225_600_000)
    }

    fn event(number: u8) -> Event {
        Event {
            id: EventId::from_random([number; 16]),
            kind: EventKind::Disable,
            key: KeyId::from_random([7; 16]),
            instance: InstanceId::parse("5a0f3c1e-8d2b-4f6a-9c47-1e7b2d9a4c60").unwrap(),
            resource: ResourceCrn::parse("crn:v1:bluemix:public:cloud-object-storage:global:a/1:i:bucket:b").unwrap(),
            correlation: String::new(),
            at: start(),
            key_state: 2,
            turn: None,
            outcome: Outcome::Open,
        }
    }

    /// An event on its way to a subscriber.
    fn happen(tx: &Tx<'_>, number: u8, keep: &Keep) -> i64 {
        let event = event(number);
        let seq = insert(tx, &event, "{}", keep).unwrap();
        let line = Line { subscriber: Some("ledger"), key: event.key, resource: &event.resource };
        let id = DeliveryId::from_random([number; 16]);
        deliveries::insert(tx, &NewDelivery { id, event: seq, line, first_at: Some(start()) }).unwrap();
        seq
    }

    #[test]
    fn of_too_many_the_oldest_that_have_ended_go_with_their_deliveries() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("migrations/0001_core.sql")).unwrap();
        let tx = Tx::new(&connection);
        let keep = Keep { events_max: 4, events_between_sweeps: 5 };
        for number in 1..=9 {
            let seq = happen(&tx, number, &keep);
            // The second one stays open.
            if number != 2 {
                close(&tx, seq, Outcome::Succeeded).unwrap();
            }
        }
        let left = |tx: &Tx<'_>| -> Vec<i64> {
            let there = |seq: &i64| get(tx, *seq).unwrap().is_some();
            let events: Vec<i64> = (1..=20).filter(there).collect();
            let told: Vec<i64> = (1..=20).filter(|seq| deliveries::get(tx, *seq).unwrap().is_some()).collect();
            assert_eq!(events, told);
            events
        };
        assert_eq!(left(&tx), [2, 3, 4, 5, 6, 7, 8, 9], "the fifth one swept the first");
        happen(&tx, 10, &keep);
        assert_eq!(left(&tx), [2, 7, 8, 9, 10], "four, and what has not ended");
        close(&tx, 2, Outcome::Failed).unwrap();
        for number in 11..=15 {
            happen(&tx, number, &keep);
        }
        assert_eq!(left(&tx), [10, 11, 12, 13, 14, 15], "what has ended since goes at the next look");
        const { assert!(KEEP.events_max == 200_000 && KEEP.events_between_sweeps <= KEEP.events_max / 100) };
    }
}
