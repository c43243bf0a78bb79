//! Subscribers, with their secrets sealed.

use rusqlite::{OptionalExtension, Row, params};

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
    /// Those before, the oldest first, and until when each signs too.
    pub(crate) former: Vec<(SealedRow, Timestamp)>,
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
    let mut statement = tx.prepare("SELECT nonce, sealed FROM subscribers WHERE name = ?1")?;
    let present = statement.query_row([name], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some(present) = present else { return Ok(None) };
    let mut statement =
        tx.prepare("SELECT nonce, sealed, until FROM former_secrets WHERE subscriber = ?1 ORDER BY until, rowid")?;
    let former =
        statement.query_map([name], |row| Ok(((row.get(0)?, row.get(1)?), Timestamp::from_millis(row.get(2)?))))?;
    Ok(Some(SealedSecrets { present, former: former.collect::<Result<_, _>>()? }))
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
    if tx.prepare("SELECT 1 FROM subscribers WHERE name = ?1 AND url <> ?2")?.exists([&one.name, &one.url])? {
        tx.touch_place_of(&one.name);
    }
    tx.prepare("UPDATE subscribers SET url = ?2, events = ?3, ack = ?4 WHERE name = ?1")?.execute(params![
        one.name,
        one.url,
        words(&one.events),
        one.ack.name()
    ])?;
    tx.touch_subscribers();
    Ok(())
}

/// Replaces a subscriber's secrets.
///
/// # Errors
/// The store's.
pub(crate) fn set_secrets(tx: &Tx<'_>, name: &str, secrets: &SealedSecrets) -> Result<(), Error> {
    let (nonce, sealed) = &secrets.present;
    tx.prepare("UPDATE subscribers SET nonce = ?2, sealed = ?3 WHERE name = ?1")?
        .execute(params![name, nonce, sealed])?;
    forget_former(tx, name)?;
    let mut insert =
        tx.prepare("INSERT INTO former_secrets (subscriber, until, nonce, sealed) VALUES (?1, ?2, ?3, ?4)")?;
    for ((nonce, sealed), until) in &secrets.former {
        insert.execute(params![name, until.millis(), nonce, sealed])?;
    }
    tx.touch_subscribers();
    Ok(())
}

fn forget_former(tx: &Tx<'_>, name: &str) -> Result<(), Error> {
    tx.prepare("DELETE FROM former_secrets WHERE subscriber = ?1")?.execute([name])?;
    Ok(())
}

/// Removes a subscriber.
///
/// # Errors
/// The store's.
pub(crate) fn remove(tx: &Tx<'_>, name: &str) -> Result<(), Error> {
    tx.prepare("DELETE FROM subscribers WHERE name = ?1")?.execute([name])?;
    forget_former(tx, name)?;
    tx.touch_place_of(name);
    tx.touch_subscribers();
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
