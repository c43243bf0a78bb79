//! The delivery log: deliveries with their events and attempts, as testers look at them.

use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};

use crate::domain::attempt::{Answer, AttemptError};
use crate::domain::delivery::{Attempt, Cause, DeliveryState};
use crate::domain::id::{DeliveryId, EventId, InstanceId, KeyId};
use crate::domain::time::Timestamp;
use crate::store::Error;
use crate::store::row::Reading;
use crate::store::tx::Tx;

const FROM: &str =
    "FROM deliveries d JOIN events e ON e.seq = d.event LEFT JOIN subscribers s ON s.name = d.subscriber";

/// Which deliveries are asked for; all given ones must fit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) id: Option<DeliveryId>,
    pub(crate) key: Option<String>,
    pub(crate) resource: Option<String>,
    pub(crate) subscriber: Option<String>,
    pub(crate) state: Option<DeliveryState>,
    /// Time of the event, that instant included.
    pub(crate) since: Option<Timestamp>,
    /// The same.
    pub(crate) until: Option<Timestamp>,
}

/// A delivery as the log shows it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: DeliveryId,
    pub(crate) event: EventId,
    pub(crate) kind: String,
    pub(crate) at: Timestamp,
    pub(crate) correlation: String,
    pub(crate) instance: InstanceId,
    pub(crate) key: KeyId,
    pub(crate) resource: String,
    /// Nobody listens where there is none.
    pub(crate) subscriber: Option<String>,
    /// Where the subscriber wants events; `None` once it has gone.
    pub(crate) url: Option<String>,
    pub(crate) state: DeliveryState,
    pub(crate) deadline: Timestamp,
    pub(crate) next_at: Option<Timestamp>,
    pub(crate) attempts: Vec<Attempt>,
}

struct Clause {
    sql: String,
    values: Vec<Value>,
}

impl Wanted {
    fn clause(&self) -> Clause {
        let mut clause = Clause { sql: String::new(), values: Vec::new() };
        let mut add = |condition: &str, value: Option<Value>| {
            if let Some(value) = value {
                clause.sql.push_str(if clause.values.is_empty() { " WHERE " } else { " AND " });
                clause.sql.push_str(condition);
                clause.values.push(value);
            }
        };
        let text = |text: &Option<String>| text.clone().map(Value::from);
        add("d.id = ?", self.id.map(|id| id.to_string().into()));
        add("d.key_id = ?", text(&self.key));
        add("d.resource_crn = ?", text(&self.resource));
        add("d.subscriber = ?", text(&self.subscriber));
        add("d.state = ?", self.state.map(|state| state.name().to_owned().into()));
        add("e.at >= ?", self.since.map(|at| at.millis().into()));
        add("e.at <= ?", self.until.map(|at| at.millis().into()));
        clause
    }
}

/// How many deliveries fit.
///
/// # Errors
/// The store's.
pub(crate) fn count(tx: &Tx<'_>, wanted: &Wanted) -> Result<usize, Error> {
    let clause = wanted.clause();
    let mut statement = tx.prepare(&format!("SELECT count(*) {FROM}{}", clause.sql))?;
    let count: i64 = statement.query_row(params_from_iter(&clause.values), |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// The oldest deliveries that fit, `limit` at most.
///
/// # Errors
/// The store's.
pub(crate) fn page(tx: &Tx<'_>, wanted: &Wanted, limit: usize) -> Result<Vec<Entry>, Error> {
    let mut clause = wanted.clause();
    clause.values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
    let mut statement = tx.prepare(&format!(
        "SELECT d.seq, d.id, d.subscriber, d.state, d.next_at, d.key_id, d.resource_crn, e.id AS event_id, e.kind, e.at,
             e.correlation, e.instance_id, e.deadline, s.url {FROM}{} ORDER BY d.seq LIMIT ?",
        clause.sql
    ))?;
    let mut rows = statement.query(params_from_iter(&clause.values))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(tx, row)?);
    }
    Ok(all)
}

/// Asks for an attempt at each delivery that fits, has a subscriber and was not dropped; how many those are.
///
/// # Errors
/// The store's.
pub(crate) fn ask(tx: &Tx<'_>, wanted: &Wanted, now: Timestamp) -> Result<usize, Error> {
    let clause = wanted.clause();
    let and = if clause.values.is_empty() { " WHERE" } else { " AND" };
    let mut values: Vec<Value> = vec![now.millis().into()];
    values.extend(clause.values);
    let asked = tx
        .prepare(&format!(
            "UPDATE deliveries SET redeliveries = redeliveries + 1,
                 due_at = iif(claimed = 1, NULL, min(coalesce(due_at, ?1), ?1))
             WHERE seq IN (SELECT d.seq {FROM}{}{and} d.state <> 'dropped' AND s.name IS NOT NULL)",
            clause.sql
        ))?
        .execute(params_from_iter(&values))?;
    tx.touch_due();
    Ok(asked)
}

/// Pending deliveries of a key, and what of them and of its open events lies ahead: instants with the word for each.
///
/// # Errors
/// The store's.
pub(crate) fn ahead_of_key(tx: &Tx<'_>, key: KeyId) -> Result<(i64, Ahead), Error> {
    let key = key.to_string();
    let pending = tx
        .prepare("SELECT count(*) FROM deliveries WHERE key_id = ?1 AND state = 'pending'")?
        .query_row([&key], |row| row.get(0))?;
    let instants = |sql: &str| -> Result<Vec<Timestamp>, Error> {
        let mut statement = tx.prepare(sql)?;
        let rows = statement.query_map([&key], |row| row.get(0))?;
        rows.map(|millis| Ok(Timestamp::from_millis(millis?))).collect()
    };
    let attempts = instants(
        "SELECT DISTINCT next_at FROM deliveries WHERE key_id = ?1 AND state = 'pending' AND next_at IS NOT NULL
         ORDER BY 1 LIMIT 100",
    )?;
    let give_ups =
        instants("SELECT DISTINCT deadline FROM events WHERE key_id = ?1 AND outcome = 'open' ORDER BY 1 LIMIT 100")?;
    Ok((pending, Ahead { attempts, give_ups }))
}

/// Instants ahead, 100 of a kind at most.
pub(crate) struct Ahead {
    pub(crate) attempts: Vec<Timestamp>,
    pub(crate) give_ups: Vec<Timestamp>,
}

fn read(tx: &Tx<'_>, row: &Row<'_>) -> Result<Entry, Error> {
    let reading = Reading::new("deliveries", row, "id");
    Ok(Entry {
        id: reading.parse("id", DeliveryId::parse)?,
        event: reading.parse("event_id", EventId::parse)?,
        kind: reading.get("kind")?,
        at: reading.at("at")?,
        correlation: reading.get("correlation")?,
        instance: reading.parse("instance_id", InstanceId::parse)?,
        key: reading.parse("key_id", KeyId::parse)?,
        resource: reading.get("resource_crn")?,
        subscriber: reading.get("subscriber")?,
        url: reading.get("url")?,
        state: reading.parse("state", DeliveryState::parse)?,
        deadline: reading.at("deadline")?,
        next_at: reading.at_opt("next_at")?,
        attempts: attempts(tx, reading.get("seq")?)?,
    })
}

fn attempts(tx: &Tx<'_>, delivery: i64) -> Result<Vec<Attempt>, Error> {
    let mut statement = tx.prepare("SELECT * FROM attempts WHERE delivery = ?1 ORDER BY n")?;
    let mut rows = statement.query([delivery])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let reading = Reading::new("attempts", row, "delivery");
        let error: Option<String> = reading.get("error")?;
        let error = error.map(|word| AttemptError::parse(&word).ok_or_else(|| reading.inconsistent("error")));
        let latency: i64 = reading.get("latency_ms")?;
        all.push(Attempt {
            n: reading.get("n")?,
            at: reading.at("at")?,
            cause: reading.parse("cause", Cause::parse)?,
            answer: Answer {
                status: reading.get("status")?,
                error: error.transpose()?,
                retry_after: None,
                latency: std::time::Duration::from_millis(u64::try_from(latency).unwrap_or_default()),
                body_excerpt: reading.get("body")?,
            },
        });
    }
    Ok(all)
}
