//! Policies of whole instances.

use rusqlite::{OptionalExtension, params};

use crate::domain::id::InstanceId;
use crate::domain::instance_policy::key_access::{KeyAccess, KeyAccessFlag};
use crate::domain::instance_policy::network::Network;
use crate::domain::instance_policy::{InstancePolicies, InstancePolicy, PolicyKind, Terms};
use crate::domain::policy::IntervalMonths;
use crate::store::row::Reading;
use crate::store::tx::Tx;
use crate::store::{Error, meta};

/// Counts the ports that were given out.
const PORTS_GIVEN: &str = "allowed-ip-ports";
/// Ports of private endpoints (ASSUMED): the first, and how many there are.
const PORT_FIRST: i64 = 15_000;
const PORTS: i64 = 1_000;

/// An instance's policies.
///
/// # Errors
/// The store's.
pub(crate) fn of(tx: &Tx<'_>, instance: InstanceId) -> Result<InstancePolicies, Error> {
    let mut statement = tx.prepare("SELECT * FROM instance_policies WHERE instance_id = ?1")?;
    let mut rows = statement.query([instance.to_string()])?;
    let mut all = InstancePolicies::default();
    while let Some(row) = rows.next()? {
        all.set(read(&Reading::new("instance_policies", row, "instance_id"))?);
    }
    Ok(all)
}

/// Sets a policy of an instance.
///
/// # Errors
/// The store's.
pub(crate) fn set(tx: &Tx<'_>, instance: InstanceId, policy: &InstancePolicy) -> Result<(), Error> {
    let kind = policy.terms.kind();
    tx.prepare(
        "INSERT INTO instance_policies
             (instance_id, kind, enabled, attributes, created_at, created_by, updated_at, updated_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (instance_id, kind) DO UPDATE SET
             enabled = excluded.enabled, attributes = excluded.attributes, updated_at = excluded.updated_at,
             updated_by = excluded.updated_by",
    )?
    .execute(params![
        instance.to_string(),
        kind.name(),
        policy.enabled,
        words(&policy.terms).join(","),
        policy.created_at.millis(),
        policy.created_by,
        policy.updated_at.millis(),
        policy.updated_by,
    ])?;
    if kind == PolicyKind::AllowedIp && policy.enabled { give_port(tx, instance) } else { Ok(()) }
}

/// The port of an instance's private endpoint, while its list of allowed addresses is in force.
///
/// # Errors
/// The store's.
pub(crate) fn port(tx: &Tx<'_>, instance: InstanceId) -> Result<Option<u16>, Error> {
    let mut statement =
        tx.prepare("SELECT port FROM instance_policies WHERE instance_id = ?1 AND kind = ?2 AND enabled")?;
    let port = statement.query_row([instance.to_string().as_str(), PolicyKind::AllowedIp.name()], |row| row.get(0));
    Ok(port.optional()?.flatten())
}

/// Removes all policies of an instance.
///
/// # Errors
/// The store's.
pub(crate) fn remove_all(tx: &Tx<'_>, instance: InstanceId) -> Result<(), Error> {
    tx.prepare("DELETE FROM instance_policies WHERE instance_id = ?1")?.execute([instance.to_string()])?;
    Ok(())
}

/// The first time a port is given to an instance; it keeps that one.
fn give_port(tx: &Tx<'_>, instance: InstanceId) -> Result<(), Error> {
    if port(tx, instance)?.is_some() {
        return Ok(());
    }
    let given: i64 = match meta::get(tx, PORTS_GIVEN)? {
        None => 0,
        Some(text) => text.parse().map_err(|_| Error::Inconsistent {
            table: "meta",
            row: PORTS_GIVEN.to_owned(),
            column: "value",
        })?,
    };
    meta::set(tx, PORTS_GIVEN, &(given + 1).to_string())?;
    tx.prepare("UPDATE instance_policies SET port = ?3 WHERE instance_id = ?1 AND kind = ?2")?.execute(params![
        instance.to_string(),
        PolicyKind::AllowedIp.name(),
        PORT_FIRST + given % PORTS
    ])?;
    Ok(())
}

fn words(terms: &Terms) -> Vec<String> {
    match terms {
        Terms::AllowedNetwork(network) => vec![network.name().to_owned()],
        Terms::DualAuthDelete | Terms::Metrics => Vec::new(),
        Terms::AllowedIp(ranges) => ranges.iter().map(ToString::to_string).collect(),
        Terms::KeyCreateImportAccess(access) => {
            let on = KeyAccessFlag::ALL.into_iter().filter(|flag| access.has(*flag));
            on.map(|flag| flag.name().to_owned()).collect()
        }
        Terms::Rotation(interval) => interval.iter().map(|interval| interval.months().to_string()).collect(),
    }
}

fn read(reading: &Reading<'_, '_>) -> Result<InstancePolicy, Error> {
    let kind = reading.parse("kind", PolicyKind::parse)?;
    Ok(InstancePolicy {
        enabled: reading.get("enabled")?,
        terms: reading.parse("attributes", |text| terms(kind, text))?,
        created_at: reading.at("created_at")?,
        created_by: reading.get("created_by")?,
        updated_at: reading.at("updated_at")?,
        updated_by: reading.get("updated_by")?,
    })
}

fn terms(kind: PolicyKind, text: &str) -> Option<Terms> {
    let mut words = text.split(',').filter(|word| !word.is_empty());
    Some(match kind {
        PolicyKind::AllowedNetwork => Terms::AllowedNetwork(Network::parse(text)?),
        PolicyKind::DualAuthDelete => Terms::DualAuthDelete,
        PolicyKind::AllowedIp => Terms::AllowedIp(words.map(str::parse).collect::<Result<_, _>>().ok()?),
        PolicyKind::KeyCreateImportAccess => {
            let on: Vec<&str> = words.collect();
            let known = KeyAccessFlag::ALL.into_iter().filter(|flag| on.contains(&flag.name()));
            Terms::KeyCreateImportAccess(known.fold(KeyAccess::NONE, |access, flag| access.with(flag, true)))
        }
        PolicyKind::Metrics => Terms::Metrics,
        PolicyKind::Rotation => Terms::Rotation(match words.next() {
            None => None,
            Some(months) => Some(IntervalMonths::new(months.parse().ok()?)?),
        }),
    })
}
