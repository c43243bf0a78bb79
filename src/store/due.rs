//! Rows of what time will bring.

use rusqlite::params;

use crate::domain::due::{Due, DueKind};
use crate::domain::id::{IamPolicyId, InstanceId, KeyId};
use crate::domain::time::Timestamp;
use crate::store::row::Reading;
use crate::store::tx::Tx;
use crate::store::{Error, deliveries, events};

/// A row: what it is about, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DueRow {
    pub(crate) subject: Subject,
    pub(crate) due: Due,
}

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Key(KeyId),
    /// A service instance, or its import token.
    Instance(InstanceId),
    /// A policy of IAM.
    Policy(IamPolicyId),
    /// A registration, by the number of its row.
    Registration(i64),
}

impl Subject {
    fn id(self) -> String {
        match self {
            Self::Key(key) => key.to_string(),
            Self::Instance(instance) => instance.to_string(),
            Self::Policy(policy) => policy.to_string(),
            Self::Registration(row) => row.to_string(),
        }
    }
}

/// Sets the one row of a kind about something; `None` removes it.
///
/// # Errors
/// The store's.
pub(crate) fn set(tx: &Tx<'_>, subject: Subject, kind: DueKind, at: Option<Timestamp>) -> Result<(), Error> {
    let id = subject.id();
    let removed = tx.prepare("DELETE FROM due WHERE subject_id = ?1 AND kind = ?2")?.execute([&id, kind.name()])?;
    if removed > 0 {
        tx.touch_due();
    }
    insert_all(tx, &id, at.map(|at| Due { at, kind }).as_slice())
}

/// True when time will bring that.
///
/// # Errors
/// The store's.
pub(crate) fn is_set(tx: &Tx<'_>, subject: Subject, kind: DueKind) -> Result<bool, Error> {
    let mut statement = tx.prepare("SELECT 1 FROM due WHERE subject_id = ?1 AND kind = ?2")?;
    Ok(statement.exists([subject.id().as_str(), kind.name()])?)
}

/// Removes a row that came to nothing.
///
/// # Errors
/// The store's.
pub(crate) fn remove(tx: &Tx<'_>, row: DueRow) -> Result<(), Error> {
    set(tx, row.subject, row.due.kind, None)
}

/// Replaces all rows of a key.
///
/// # Errors
/// The store's.
pub(crate) fn replace(tx: &Tx<'_>, key: KeyId, all: &[Due]) -> Result<(), Error> {
    let key = key.to_string();
    let removed = tx.prepare("DELETE FROM due WHERE subject_id = ?1")?.execute([&key])?;
    insert_all(tx, &key, all)?;
    if removed > 0 {
        tx.touch_due();
    }
    Ok(())
}

/// Adds the rows of a new key.
///
/// # Errors
/// The store's.
pub(crate) fn insert(tx: &Tx<'_>, key: KeyId, all: &[Due]) -> Result<(), Error> {
    insert_all(tx, &key.to_string(), all)
}

fn insert_all(tx: &Tx<'_>, key: &str, all: &[Due]) -> Result<(), Error> {
    // What lies beyond the calendar never comes.
    for due in all.iter().filter(|due| due.at < Timestamp::MAX) {
        tx.prepare("INSERT INTO due (subject_id, kind, at) VALUES (?1, ?2, ?3)")?.execute(params![
            key,
            due.kind.name(),
            due.at.millis()
        ])?;
        tx.touch_due();
    }
    Ok(())
}

/// What lies ahead. Instants are in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ahead {
    /// The next of the rows here, or the next end of an event's window.
    pub(crate) work: Option<i64>,
    /// The next attempt at a delivery.
    pub(crate) attempt: Option<i64>,
    /// True while an attempt is under way.
    pub(crate) under_way: bool,
}

/// Looks ahead.
///
/// # Errors
/// The store's.
pub(crate) fn ahead(tx: &Tx<'_>) -> Result<Ahead, Error> {
    let rows = earliest(tx)?;
    let window = events::earliest_deadline(tx)?;
    Ok(Ahead {
        work: rows.into_iter().chain(window).min(),
        attempt: deliveries::earliest_due(tx)?,
        under_way: deliveries::any_claimed(tx)?,
    })
}

/// The earliest instant of a row, in milliseconds.
///
/// # Errors
/// The store's.
pub(crate) fn earliest(tx: &Tx<'_>) -> Result<Option<i64>, Error> {
    Ok(tx.prepare("SELECT min(at) FROM due")?.query_row([], |row| row.get(0))?)
}

/// What comes first of all, with its kind.
///
/// # Errors
/// The store's.
pub(crate) fn first(tx: &Tx<'_>) -> Result<Option<Due>, Error> {
    let at = |millis: Option<i64>, kind| millis.map(|millis| Due { at: Timestamp::from_millis(millis), kind });
    let window = at(events::earliest_deadline(tx)?, DueKind::GiveUp);
    let row = by(tx, Timestamp::MAX, 1)?.first().map(|row| row.due);
    let attempt = at(deliveries::earliest_due(tx)?, DueKind::Attempt);
    Ok(window.into_iter().chain(row).chain(attempt).min_by_key(|due| due.at))
}

/// The first rows here that are due by `until`, in order of time, then of kind and key.
///
/// # Errors
/// The store's.
pub(crate) fn by(tx: &Tx<'_>, until: Timestamp, most: usize) -> Result<Vec<DueRow>, Error> {
    let mut statement =
        tx.prepare("SELECT subject_id, kind, at FROM due WHERE at <= ?1 ORDER BY at, kind, subject_id LIMIT ?2")?;
    let mut rows = statement.query(params![until.millis(), i64::try_from(most).unwrap_or(i64::MAX)])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let reading = Reading::new("due", row, "subject_id");
        let due = Due { at: reading.at("at")?, kind: reading.parse("kind", DueKind::parse)? };
        let subject = match due.kind {
            DueKind::TokenExpiry | DueKind::Reclamation => {
                Subject::Instance(reading.parse("subject_id", InstanceId::parse)?)
            }
            DueKind::Deregistration => Subject::Registration(reading.parse("subject_id", |text| text.parse().ok())?),
            DueKind::Propagation => Subject::Policy(reading.parse("subject_id", IamPolicyId::parse)?),
            DueKind::Expiry | DueKind::Rotation | DueKind::DeletionLapse | DueKind::Purge => {
                Subject::Key(reading.parse("subject_id", KeyId::parse)?)
            }
            DueKind::Attempt | DueKind::GiveUp => return Err(reading.inconsistent("kind")),
        };
        all.push(DueRow { subject, due });
    }
    Ok(all)
}
