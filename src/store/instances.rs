//! Service instances.

use rusqlite::params;

use crate::domain::due::DueKind;
use crate::domain::id::InstanceId;
use crate::domain::instance::{Instance, LastOperation, PlanStart, Presence, Service};
use crate::domain::time::Timestamp;
use crate::store::due::{self, Subject};
use crate::store::row::{Reading, join, split};
use crate::store::tx::Tx;
use crate::store::{Error, instance_policies};

/// All instances, removed ones too, in order of creation.
///
/// # Errors
/// The store's.
pub(crate) fn all(tx: &Tx<'_>) -> Result<Vec<Instance>, Error> {
    let mut statement = tx.prepare("SELECT * FROM instances ORDER BY seq")?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(tx, &Reading::new("instances", row, "id"))?);
    }
    Ok(all)
}

/// An instance, removed or not.
///
/// # Errors
/// The store's.
pub(crate) fn get(tx: &Tx<'_>, id: InstanceId) -> Result<Option<Instance>, Error> {
    let mut statement = tx.prepare("SELECT * FROM instances WHERE id = ?1")?;
    let mut rows = statement.query([id.to_string()])?;
    rows.next()?.map(|row| read(tx, &Reading::new("instances", row, "id"))).transpose()
}

/// True while an instance can be used.
///
/// # Errors
/// The store's.
pub(crate) fn is_active(tx: &Tx<'_>, id: InstanceId) -> Result<bool, Error> {
    let mut statement = tx.prepare("SELECT 1 FROM instances WHERE id = ?1 AND removed_at IS NULL")?;
    Ok(statement.exists([id.to_string()])?)
}

/// Adds an instance with its policies.
///
/// # Errors
/// The store's.
pub(crate) fn insert(tx: &Tx<'_>, instance: &Instance) -> Result<(), Error> {
    tx.prepare(
        "INSERT INTO instances (id, service, region, account, name, plan_id, resource_group, parameters, tags,
             allow_cleanup, created_at, created_by, plan_since, last_operation, locked)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?
    .execute(params![
        instance.id.to_string(),
        instance.service.name(),
        instance.region,
        instance.account,
        instance.name,
        instance.plan_id,
        instance.resource_group,
        instance.parameters,
        join(&instance.tags),
        instance.allow_cleanup,
        instance.created_at.millis(),
        instance.created_by,
        instance.plan_since.millis(),
        instance.last_operation.name(),
        instance.locked,
    ])?;
    for policy in instance.policies.all() {
        instance_policies::set(tx, instance.id, policy)?;
    }
    tx.touch_instance(instance.clone());
    Ok(())
}

/// Writes what can change of an instance, its policies apart.
///
/// # Errors
/// The store's.
pub(crate) fn update(tx: &Tx<'_>, instance: &Instance) -> Result<(), Error> {
    let (removed_at, removed_by, reclaim_at) = match &instance.presence {
        Presence::Active => (None, None, None),
        Presence::Pending { at, by, until } => (Some(at.millis()), Some(by), Some(*until)),
        Presence::Removed { at, by } => (Some(at.millis()), Some(by), None),
    };
    tx.prepare(
        "UPDATE instances SET name = ?2, plan_id = ?3, parameters = ?4, allow_cleanup = ?5, updated_at = ?6,
             updated_by = ?7, removed_at = ?8, removed_by = ?9, reclaim_at = ?10, plans_before = ?11, plan_since = ?12,
             last_operation = ?13, locked = ?14 WHERE id = ?1",
    )?
    .execute(params![
        instance.id.to_string(),
        instance.name,
        instance.plan_id,
        instance.parameters,
        instance.allow_cleanup,
        instance.updated.as_ref().map(|(at, _)| at.millis()),
        instance.updated.as_ref().map(|(_, by)| by),
        removed_at,
        removed_by,
        reclaim_at.map(Timestamp::millis),
        join(&instance.plans_before.iter().map(written).collect::<Vec<_>>()),
        instance.plan_since.millis(),
        instance.last_operation.name(),
        instance.locked,
    ])?;
    due::set(tx, Subject::Instance(instance.id), DueKind::Reclamation, reclaim_at)?;
    tx.touch_instance(instance.clone());
    Ok(())
}

fn read(tx: &Tx<'_>, reading: &Reading<'_, '_>) -> Result<Instance, Error> {
    let id = reading.parse("id", InstanceId::parse)?;
    let updated = reading.at_opt("updated_at")?.zip(reading.get("updated_by")?);
    let removed = reading.at_opt("removed_at")?.zip(reading.get("removed_by")?);
    Ok(Instance {
        id,
        service: reading.parse("service", Service::parse)?,
        region: reading.get("region")?,
        account: reading.get("account")?,
        name: reading.get("name")?,
        plan_id: reading.get("plan_id")?,
        plans_before: plans(reading.get("plans_before")?).ok_or_else(|| reading.inconsistent("plans_before"))?,
        plan_since: reading.at("plan_since")?,
        resource_group: reading.get("resource_group")?,
        parameters: reading.get("parameters")?,
        tags: split(reading.get("tags")?),
        allow_cleanup: reading.get("allow_cleanup")?,
        created_at: reading.at("created_at")?,
        created_by: reading.get("created_by")?,
        updated,
        last_operation: reading.parse("last_operation", LastOperation::parse)?,
        locked: reading.get("locked")?,
        presence: match (removed, reading.at_opt("reclaim_at")?) {
            (None, _) => Presence::Active,
            (Some((at, by)), Some(until)) => Presence::Pending { at, by, until },
            (Some((at, by)), None) => Presence::Removed { at, by },
        },
        policies: instance_policies::of(tx, id)?,
    })
}

/// `<milliseconds> <plan>`
fn written(plan: &PlanStart) -> String {
    format!("{} {}", plan.at.millis(), plan.plan_id)
}

fn plans(text: Option<String>) -> Option<Vec<PlanStart>> {
    let read = |text: &String| {
        let (at, plan_id) = text.split_once(' ')?;
        Some(PlanStart { plan_id: plan_id.to_owned(), at: Timestamp::from_millis(at.parse().ok()?) })
    };
    split(text).iter().map(read).collect()
}
