//! Subscribers, with their secrets sealed.

use rusqlite::{Row, params};

use crate::domain::crn::CrnQuery;
use crate::domain::event::EventKind;
use crate::domain::subscriber::{Ack, Scope, Subscriber};
use crate::domain::time::Timestamp;
use crate::store::Error;
use crate::store::row::{Reading, join, split};
use crate::store::secrets::SealedRow;
use crate::store::tx::Tx;

/// The secrets of a subscriber, sealed.
#[derive(Clone)]
pub(crate) struct SealedSecrets {
    pub(crate) present: SealedRow,
    /// The one before, and until when it signs too.
    pub(crate) former: Option<(SealedRow, Timestamp)>,
}

/// All subscribers in order of creation: there are 1,000 at most.
///
/// # Errors
/// The store's.
pub(crate) fn all(tx: &Tx<'_>) -> Result<Vec<Subscriber>, Error> {
    let mut statement = tx.prepare("SELECT * FROM subscribers ORDER BY seq")?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

/// A subscriber by its name.
///
/// # Errors
/// The store's.
pub(crate) fn get(tx: &Tx<'_>, name: &str) -> Result<Option<Subscriber>, Error> {
    let mut statement = tx.prepare("SELECT * FROM subscribers WHERE name = ?1")?;
    let mut rows = statement.query([name])?;
    rows.next()?.map(read).transpose()
}

/// A subscriber's secrets.
///
/// # Errors
/// The store's.
pub(crate) fn secrets(tx: &Tx<'_>, name: &str) -> Result<Option<SealedSecrets>, Error> {
    let mut statement = tx.prepare("SELECT * FROM subscribers WHERE name = ?1")?;
    let mut rows = statement.query([name])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let reading = Reading::new("subscribers", row, "name");
    let present = (reading.get("nonce")?, reading.get("sealed")?);
    let former = match (reading.get("former_nonce")?, reading.get("former_sealed")?, reading.at_opt("former_until")?) {
        (Some(nonce), Some(sealed), Some(until)) => Some(((nonce, sealed), until)),
        _ => None,
    };
    Ok(Some(SealedSecrets { present, former }))
}

/// Adds a subscriber with its first secret.
///
/// # Errors
/// The store's.
pub(crate) fn insert(tx: &Tx<'_>, one: &Subscriber, secret: &SealedRow) -> Result<(), Error> {
    let (service, resource) = match &one.scope {
        Scope::Service(name) => (Some(name.as_str()), None),
        Scope::Resource(pattern) => (None, Some(pattern.as_str())),
    };
    tx.prepare(
        "INSERT INTO subscribers (name, url, service_name, resource_crn, events, ack, built_in, created_at, nonce,
             sealed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        one.name,
        one.url,
        service,
        resource,
        words(&one.events),
        one.ack.name(),
        one.built_in,
        one.created_at.millis(),
        secret.0,
        secret.1,
    ])?;
    Ok(())
}

/// Writes what can change of a subscriber.
///
/// # Errors
/// The store's.
pub(crate) fn update(tx: &Tx<'_>, one: &Subscriber) -> Result<(), Error> {
    tx.prepare("UPDATE subscribers SET url = ?2, events = ?3, ack = ?4 WHERE name = ?1")?.execute(params![
        one.name,
        one.url,
        words(&one.events),
        one.ack.name()
    ])?;
    Ok(())
}

/// Replaces a subscriber's secrets.
///
/// # Errors
/// The store's.
pub(crate) fn set_secrets(tx: &Tx<'_>, name: &str, secrets: &SealedSecrets) -> Result<(), Error> {
    let former = secrets.former.as_ref();
    tx.prepare(
        "UPDATE subscribers SET nonce = ?2, sealed = ?3, former_nonce = ?4, former_sealed = ?5, former_until = ?6
         WHERE name = ?1",
    )?
    .execute(params![
        name,
        secrets.present.0,
        secrets.present.1,
        former.map(|((nonce, _), _)| nonce),
        former.map(|((_, sealed), _)| sealed),
        former.map(|(_, until)| until.millis()),
    ])?;
    Ok(())
}

/// Removes a subscriber.
///
/// # Errors
/// The store's.
pub(crate) fn remove(tx: &Tx<'_>, name: &str) -> Result<(), Error> {
    tx.prepare("DELETE FROM subscribers WHERE name = ?1")?.execute([name])?;
    Ok(())
}

fn words(events: &[EventKind]) -> Option<String> {
    join(&events.iter().map(|kind| kind.name()).collect::<Vec<_>>()).or_else(|| Some(String::new()))
}

fn read(row: &Row<'_>) -> Result<Subscriber, Error> {
    let reading = Reading::new("subscribers", row, "name");
    let service: Option<String> = reading.get("service_name")?;
    let resource: Option<String> = reading.get("resource_crn")?;
    let scope = match (service, resource) {
        (Some(name), None) => Scope::Service(name),
        (None, Some(_)) => Scope::Resource(reading.parse("resource_crn", CrnQuery::parse)?),
        _ => return Err(reading.inconsistent("resource_crn")),
    };
    let events = split(Some(reading.get("events")?)).into_iter().filter(|word| !word.is_empty());
    let events = events.map(|word| EventKind::parse(&word).ok_or_else(|| reading.inconsistent("events")));
    Ok(Subscriber {
        name: reading.get("name")?,
        url: reading.get("url")?,
        scope,
        events: events.collect::<Result<_, _>>()?,
        ack: reading.parse("ack", Ack::parse)?,
        built_in: reading.get("built_in")?,
        created_at: reading.at("created_at")?,
    })
}
