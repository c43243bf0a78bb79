//! Deliveries and their attempts.

use rusqlite::{OptionalExtension, Row, params};

use crate::domain::attempt::AttemptError;
use crate::domain::delivery::{Attempt, Course, DeliveryState};
use crate::domain::id::{DeliveryId, KeyId};
use crate::domain::registration::ResourceCrn;
use crate::domain::time::Timestamp;
use crate::store::Error;
use crate::store::row::Reading;
use crate::store::tx::Tx;

/// A delivery that is to be made.
pub(crate) struct NewDelivery<'a> {
    pub(crate) id: DeliveryId,
    /// Place of its event.
    pub(crate) event: i64,
    pub(crate) line: Line<'a>,
    /// When its first attempt is made; `None` behind an earlier event, or where nobody listens.
    pub(crate) first_at: Option<Timestamp>,
}

/// Deliveries that go out one after the other: of one registration, to one subscriber. Nobody listens without one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    pub(crate) subscriber: Option<&'a str>,
    pub(crate) key: KeyId,
    pub(crate) resource: &'a ResourceCrn,
}

/// A delivery as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) seq: i64,
    /// Place of its event.
    pub(crate) event: i64,
    pub(crate) key: KeyId,
    pub(crate) resource: ResourceCrn,
    pub(crate) subscriber: Option<String>,
    pub(crate) course: Course,
    /// All attempts so far.
    pub(crate) attempts: u32,
    /// Attempts that were asked for and not made yet.
    pub(crate) redeliveries: u32,
    /// True while an attempt is under way.
    pub(crate) claimed: bool,
}

impl Delivery {
    /// The line that it stands in.
    pub(crate) fn line(&self) -> Line<'_> {
        Line { subscriber: self.subscriber.as_deref(), key: self.key, resource: &self.resource }
    }
}

const SELECT: &str = "SELECT d.*, e.at AS action FROM deliveries d JOIN events e ON e.seq = d.event";

/// Adds a delivery.
///
/// # Errors
/// The store's.
pub(crate) fn insert(tx: &Tx<'_>, new: &NewDelivery<'_>) -> Result<(), Error> {
    let first_at = new.first_at.map(Timestamp::millis);
    tx.touch_due();
    tx.prepare(
        "INSERT INTO deliveries (id, event, key_id, resource_crn, subscriber, state, attempts, tries, next_at,
             redeliveries, due_at, claimed)
         VALUES (?1, ?2, ?3, ?4, ?5, 'pending', 0, 0, ?6, 0, ?6, 0)",
    )?
    .execute(params![
        new.id.to_string(),
        new.event,
        new.line.key.to_string(),
        new.line.resource.as_str(),
        new.line.subscriber,
        first_at
    ])?;
    Ok(())
}

/// True while a delivery of the line is pending.
///
/// # Errors
/// The store's.
pub(crate) fn is_held(tx: &Tx<'_>, line: Line<'_>) -> Result<bool, Error> {
    let mut statement = tx.prepare(
        "SELECT 1 FROM deliveries WHERE state = 'pending' AND subscriber = ?1 AND key_id = ?2 AND resource_crn = ?3",
    )?;
    Ok(statement.exists(params![line.subscriber, line.key.to_string(), line.resource.as_str()])?)
}

/// Lets the first of the line go, if it has been waiting.
///
/// # Errors
/// The store's.
pub(crate) fn release(tx: &Tx<'_>, line: Line<'_>, now: Timestamp) -> Result<(), Error> {
    if line.subscriber.is_none() {
        return Ok(());
    }
    let mut statement = tx.prepare(
        "SELECT seq FROM deliveries WHERE state = 'pending' AND subscriber = ?1 AND key_id = ?2 AND resource_crn = ?3
         ORDER BY seq LIMIT 1",
    )?;
    let line = params![line.subscriber, line.key.to_string(), line.resource.as_str()];
    let Some(seq) = statement.query_row(line, |row| row.get::<_, i64>(0)).optional()? else { return Ok(()) };
    // One that has been tried is not waiting: its own schedule goes on, or is over.
    tx.prepare(
        "UPDATE deliveries SET next_at = ?2, due_at = iif(claimed = 1, NULL, coalesce(due_at, ?2))
         WHERE seq = ?1 AND tries = 0 AND next_at IS NULL",
    )?
    .execute(params![seq, now.millis()])?;
    tx.touch_due();
    Ok(())
}

/// A delivery by its place.
///
/// # Errors
/// The store's.
pub(crate) fn get(tx: &Tx<'_>, seq: i64) -> Result<Option<Delivery>, Error> {
    let mut statement = tx.prepare(&format!("{SELECT} WHERE d.seq = ?1"))?;
    let mut rows = statement.query([seq])?;
    rows.next()?.map(read).transpose()
}

/// The deliveries of an event.
///
/// # Errors
/// The store's.
pub(crate) fn of_event(tx: &Tx<'_>, event: i64) -> Result<Vec<Delivery>, Error> {
    let mut statement = tx.prepare(&format!("{SELECT} WHERE d.event = ?1 ORDER BY d.seq"))?;
    let mut rows = statement.query([event])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

/// Open deliveries of a subscriber.
///
/// # Errors
/// The store's.
pub(crate) fn open_of_subscriber(tx: &Tx<'_>, subscriber: &str) -> Result<Vec<Delivery>, Error> {
    let mut statement = tx.prepare(&format!(
        "{SELECT} WHERE e.outcome = 'open' AND d.subscriber = ?1 AND d.state IN ('pending', 'delivered') ORDER BY d.seq"
    ))?;
    let mut rows = statement.query([subscriber])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

/// Writes what can change of a delivery, and when anything of it is due.
///
/// # Errors
/// The store's.
pub(crate) fn save(tx: &Tx<'_>, one: &Delivery, asked_at: Timestamp) -> Result<(), Error> {
    let next_at = one.course.next_at.map(Timestamp::millis);
    let due_at = match (one.claimed, one.redeliveries) {
        (true, _) => None,
        (false, 0) => next_at,
        (false, _) => Some(asked_at.millis()),
    };
    tx.prepare(
        "UPDATE deliveries SET state = ?2, attempts = ?3, tries = ?4, next_at = ?5, redeliveries = ?6, due_at = ?7,
             claimed = ?8
         WHERE seq = ?1",
    )?
    .execute(params![
        one.seq,
        one.course.state.name(),
        one.attempts,
        one.course.tries,
        next_at,
        one.redeliveries,
        due_at,
        one.claimed
    ])?;
    tx.touch_due();
    Ok(())
}

/// Adds an attempt to the log.
///
/// # Errors
/// The store's.
pub(crate) fn log(tx: &Tx<'_>, delivery: i64, attempt: &Attempt) -> Result<(), Error> {
    tx.prepare(
        "INSERT INTO attempts (delivery, n, at, cause, status, latency_ms, error, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        delivery,
        attempt.n,
        attempt.at.millis(),
        attempt.cause.name(),
        attempt.answer.status,
        i64::try_from(attempt.answer.latency.as_millis()).unwrap_or(i64::MAX),
        attempt.answer.error.map(AttemptError::name),
        attempt.answer.body_excerpt,
    ])?;
    Ok(())
}

/// When the first attempt is due that is not under way, in milliseconds.
///
/// # Errors
/// The store's.
pub(crate) fn earliest_due(tx: &Tx<'_>) -> Result<Option<i64>, Error> {
    let mut statement = tx.prepare("SELECT min(due_at) FROM deliveries WHERE due_at IS NOT NULL")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// True while an attempt is under way.
///
/// # Errors
/// The store's.
pub(crate) fn any_claimed(tx: &Tx<'_>) -> Result<bool, Error> {
    Ok(tx.prepare("SELECT 1 FROM deliveries WHERE claimed = 1")?.exists([])?)
}

/// Lets go of all that was under way when the service ended: it is sent again, at `now` what was asked for.
///
/// # Errors
/// The store's.
pub(crate) fn unclaim_all(tx: &Tx<'_>, now: Timestamp) -> Result<(), Error> {
    tx.prepare(
        "UPDATE deliveries SET claimed = 0, due_at = iif(redeliveries > 0, min(coalesce(next_at, ?1), ?1), next_at)
         WHERE claimed = 1",
    )?
    .execute([now.millis()])?;
    tx.touch_due();
    Ok(())
}

/// Reads a row of [`SELECT`].
pub(crate) fn read(row: &Row<'_>) -> Result<Delivery, Error> {
    let reading = Reading::new("deliveries", row, "id");
    Ok(Delivery {
        seq: reading.get("seq")?,
        event: reading.get("event")?,
        key: reading.parse("key_id", KeyId::parse)?,
        resource: reading.parse("resource_crn", ResourceCrn::parse)?,
        subscriber: reading.get("subscriber")?,
        course: Course {
            id: reading.parse("id", DeliveryId::parse)?,
            action: reading.at("action")?,
            state: reading.parse("state", DeliveryState::parse)?,
            tries: reading.get("tries")?,
            next_at: reading.at_opt("next_at")?,
        },
        attempts: reading.get("attempts")?,
        redeliveries: reading.get("redeliveries")?,
        claimed: reading.get("claimed")?,
    })
}

/// Forgets attempts at closed deliveries that were asked for, once their subscriber has gone.
///
/// # Errors
/// The store's.
pub(crate) fn forget_asked(tx: &Tx<'_>, subscriber: &str) -> Result<(), Error> {
    tx.prepare("UPDATE deliveries SET redeliveries = 0, due_at = NULL WHERE subscriber = ?1 AND due_at IS NOT NULL")?
        .execute([subscriber])?;
    tx.touch_due();
    Ok(())
}
