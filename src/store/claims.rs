//! Which deliveries go out next: due ones, key by key in turn, so that no key holds up another.

use std::collections::VecDeque;

use rusqlite::{OptionalExtension, params};

use crate::domain::delivery::Cause;
use crate::domain::id::EventId;
use crate::domain::time::Timestamp;
use crate::store::Error;
use crate::store::row::Reading;
use crate::store::tx::Tx;

/// Keys that one claim takes from.
const KEYS_AT_ONCE: usize = 256;

/// A delivery whose attempt is under way from now on.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    /// The delivery's place.
    pub(crate) delivery: i64,
    pub(crate) cause: Cause,
    /// The key's id.
    pub(crate) key: String,
    /// When it was due.
    pub(crate) due_at: Timestamp,
    pub(crate) event: EventId,
    pub(crate) correlation: String,
    pub(crate) body: String,
}

/// What one subscriber is sent.
pub(crate) struct Batch {
    pub(crate) claimed: Vec<Claimed>,
    /// The key that was served last: the next turn begins behind it.
    pub(crate) last_key: String,
}

/// Names of subscribers with something to send, due or not.
///
/// # Errors
/// The store's.
pub(crate) fn subscribers(tx: &Tx<'_>) -> Result<Vec<String>, Error> {
    let mut found: Vec<String> = Vec::new();
    let mut statement = tx.prepare(
        "SELECT subscriber FROM deliveries WHERE due_at IS NOT NULL AND subscriber > ?1 ORDER BY subscriber LIMIT 1",
    )?;
    loop {
        let after = found.last().map_or("", String::as_str);
        match statement.query_row([after], |row| row.get(0)).optional()? {
            Some(name) => found.push(name),
            None => return Ok(found),
        }
    }
}

/// Takes up to `room` deliveries that are due to a subscriber by `now`, beginning with the key behind `last_key`.
///
/// # Errors
/// The store's.
pub(crate) fn claim(
    tx: &Tx<'_>,
    subscriber: &str,
    last_key: &str,
    room: usize,
    now: Timestamp,
) -> Result<Batch, Error> {
    let keys = keys_due(tx, subscriber, last_key, room.min(KEYS_AT_ONCE), now)?;
    let each = if keys.is_empty() { 0 } else { room.div_ceil(keys.len()) };
    let mut queues = Vec::with_capacity(keys.len());
    for key in &keys {
        queues.push(due_of_key(tx, subscriber, key, each, now)?);
    }
    let mut claimed = Vec::new();
    let mut last_key = last_key.to_owned();
    while claimed.len() < room && queues.iter().any(|queue| !queue.is_empty()) {
        for (key, queue) in keys.iter().zip(&mut queues) {
            if claimed.len() == room {
                break;
            }
            if let Some(one) = queue.pop_front() {
                tx.prepare("UPDATE deliveries SET claimed = 1, due_at = NULL WHERE seq = ?1")?
                    .execute([one.delivery])?;
                claimed.push(one);
                last_key.clone_from(key);
            }
        }
    }
    if !claimed.is_empty() {
        tx.touch_due();
    }
    Ok(Batch { claimed, last_key })
}

/// Keys with something due, from the one behind `last_key` on and round to it.
fn keys_due(tx: &Tx<'_>, subscriber: &str, last_key: &str, most: usize, now: Timestamp) -> Result<Vec<String>, Error> {
    let mut next = tx.prepare(
        "SELECT key_id, (SELECT min(due_at) FROM deliveries i
             WHERE i.subscriber = d.subscriber AND i.key_id = d.key_id AND i.due_at IS NOT NULL)
         FROM deliveries d WHERE subscriber = ?1 AND due_at IS NOT NULL AND key_id > ?2 ORDER BY key_id LIMIT 1",
    )?;
    let mut found = Vec::new();
    let (mut after, mut wrapped) = (last_key.to_owned(), last_key.is_empty());
    while found.len() < most {
        let row = next.query_row([subscriber, &after], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)));
        match row.optional()? {
            Some((key, _)) if wrapped && !last_key.is_empty() && key.as_str() > last_key => break,
            Some((key, due_at)) => {
                if due_at <= now.millis() {
                    found.push(key.clone());
                }
                after = key;
            }
            None if wrapped => break,
            None => {
                wrapped = true;
                after.clear();
            }
        }
    }
    Ok(found)
}

/// Attempts that were asked for go out oldest first, one after the other within a line; they hold up no attempt of the
/// schedule.
fn due_of_key(
    tx: &Tx<'_>,
    subscriber: &str,
    key: &str,
    most: usize,
    now: Timestamp,
) -> Result<VecDeque<Claimed>, Error> {
    let mut statement = tx.prepare(
        "SELECT d.seq, d.due_at, d.next_at, e.id, e.correlation, e.body, d.redeliveries > 0 AND NOT EXISTS
             (SELECT 1 FROM deliveries o WHERE o.redeliveries > 0 AND o.subscriber = d.subscriber
                  AND o.key_id = d.key_id AND o.resource_crn = d.resource_crn AND o.seq < d.seq) AS asked
         FROM deliveries d JOIN events e ON e.seq = d.event
         WHERE d.subscriber = ?1 AND d.key_id = ?2 AND d.due_at <= ?3 AND (asked OR d.next_at <= ?3)
         ORDER BY d.due_at, d.seq LIMIT ?4",
    )?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![subscriber, key, now.millis(), most])?;
    let mut all = VecDeque::new();
    while let Some(row) = rows.next()? {
        let reading = Reading::new("events", row, "id");
        let cause = if reading.get("asked")? { Cause::Redelivery } else { Cause::Schedule };
        all.push_back(Claimed {
            delivery: reading.get("seq")?,
            cause,
            key: key.to_owned(),
            due_at: reading.at(if cause == Cause::Schedule { "next_at" } else { "due_at" })?,
            event: reading.parse("id", EventId::parse)?,
            correlation: reading.get("correlation")?,
            body: reading.get("body")?,
        });
    }
    Ok(all)
}
