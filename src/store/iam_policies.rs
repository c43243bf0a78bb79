//! Access policies and authorizations of IAM. Their conditions are JSON, since they are only ever read whole.

use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};

use crate::domain::iam_policy::{
    Attribute, Conditions, DELETED_MAX, IamPolicy, Operator, PolicyDraft, PolicyKind, PolicyState,
};
use crate::domain::id::IamPolicyId;
use crate::store::Error;
use crate::store::row::{Reading, join, split};
use crate::store::tx::Tx;

/// Name, operator where one was given, value.
type StoredAttribute = (String, Option<String>, String);

#[derive(Serialize, Deserialize)]
struct StoredConditions {
    attributes: Vec<StoredAttribute>,
    tags: Vec<StoredAttribute>,
}

/// A policy, deleted or not.
///
/// # Errors
/// The store's.
pub(crate) fn get(tx: &Tx<'_>, id: IamPolicyId) -> Result<Option<IamPolicy>, Error> {
    let mut statement = tx.prepare("SELECT * FROM iam_policies WHERE id = ?1")?;
    let mut rows = statement.query([id.to_string()])?;
    rows.next()?.map(read).transpose()
}

/// A policy as it is in force, which is not as it stands while a change of it is on its way. One that is to come gives
/// nothing yet, as if it were deleted.
///
/// # Errors
/// The store's.
pub(crate) fn in_force(tx: &Tx<'_>, id: IamPolicyId) -> Result<Option<IamPolicy>, Error> {
    let mut statement = tx.prepare("SELECT * FROM iam_policy_changes WHERE id = ?1 ORDER BY at LIMIT 1")?;
    let mut rows = statement.query([id.to_string()])?;
    match rows.next()? {
        None => get(tx, id),
        Some(row) if row.get::<_, i64>("at")? == 0 => read(row).map(Some),
        Some(_) => Ok(get(tx, id)?.map(|policy| IamPolicy { state: PolicyState::Deleted, ..policy })),
    }
}

/// All policies that are in force, in order of creation: there are a few thousand at most.
///
/// # Errors
/// The store's.
pub(crate) fn all_in_force(tx: &Tx<'_>) -> Result<Vec<IamPolicy>, Error> {
    let mut all = Vec::new();
    for policy in in_state(tx, PolicyState::Active)? {
        all.extend(in_force(tx, policy.id)?);
    }
    let mut statement = tx.prepare("SELECT * FROM iam_policy_changes WHERE at = 0 ORDER BY seq")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let policy = read(row)?;
        if all.iter().all(|known| known.id != policy.id) {
            all.push(policy);
        }
    }
    Ok(all)
}

/// Policies of a state, in order of creation.
///
/// # Errors
/// The store's.
pub(crate) fn in_state(tx: &Tx<'_>, state: PolicyState) -> Result<Vec<IamPolicy>, Error> {
    Ok(numbered(tx, state)?.into_iter().map(|(_, policy)| policy).collect())
}

/// The same, each with its number in the order of creation, which it keeps.
///
/// # Errors
/// The store's.
pub(crate) fn numbered(tx: &Tx<'_>, state: PolicyState) -> Result<Vec<(i64, IamPolicy)>, Error> {
    let mut statement = tx.prepare("SELECT * FROM iam_policies WHERE state = ?1 ORDER BY seq")?;
    let mut rows = statement.query([state.name()])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push((row.get("seq")?, read(row)?));
    }
    Ok(all)
}

/// Policies that are in force.
///
/// # Errors
/// The store's.
pub(crate) fn count_active(tx: &Tx<'_>) -> Result<i64, Error> {
    Ok(tx.prepare("SELECT count(*) FROM iam_policies WHERE state = 'active'")?.query_row([], |row| row.get(0))?)
}

/// Another policy in force that gives the same.
///
/// # Errors
/// The store's.
pub(crate) fn find_same(tx: &Tx<'_>, policy: &IamPolicy) -> Result<Option<IamPolicy>, Error> {
    let mut statement = tx.prepare(
        "SELECT * FROM iam_policies WHERE normal = ?1 AND state = 'active' AND id <> ?2 ORDER BY seq LIMIT 1",
    )?;
    let mut rows = statement.query([policy.draft.normal(), policy.id.to_string()])?;
    rows.next()?.map(read).transpose()
}

/// Adds a policy.
///
/// # Errors
/// The store's.
pub(crate) fn insert(tx: &Tx<'_>, policy: &IamPolicy) -> Result<(), Error> {
    tx.prepare(
        "INSERT INTO iam_policies (id, kind, description, subject, resource, roles, state, created_at, created_by,
             updated_at, updated_by, revision, normal)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        policy.id.to_string(),
        policy.draft.kind.name(),
        policy.draft.description,
        encode(&policy.draft.subject),
        encode(&policy.draft.resource),
        join(&policy.draft.roles),
        policy.state.name(),
        policy.created_at.millis(),
        policy.created_by,
        policy.updated_at.millis(),
        policy.updated_by,
        policy.revision,
        policy.draft.normal(),
    ])?;
    tx.touch_policy(policy.id);
    Ok(())
}

/// Writes what can change of a policy; of the deleted ones the newest are kept.
///
/// # Errors
/// The store's.
pub(crate) fn update(tx: &Tx<'_>, policy: &IamPolicy) -> Result<(), Error> {
    tx.prepare(
        "UPDATE iam_policies SET description = ?2, subject = ?3, resource = ?4, roles = ?5, state = ?6,
             updated_at = ?7, updated_by = ?8, revision = ?9, normal = ?10 WHERE id = ?1",
    )?
    .execute(params![
        policy.id.to_string(),
        policy.draft.description,
        encode(&policy.draft.subject),
        encode(&policy.draft.resource),
        join(&policy.draft.roles),
        policy.state.name(),
        policy.updated_at.millis(),
        policy.updated_by,
        policy.revision,
        policy.draft.normal(),
    ])?;
    tx.prepare(
        "DELETE FROM iam_policies WHERE seq IN (SELECT seq FROM iam_policies WHERE state = 'deleted'
             ORDER BY updated_at DESC, seq DESC LIMIT -1 OFFSET ?1) AND id NOT IN (SELECT id FROM iam_policy_changes)",
    )?
    .execute([DELETED_MAX])?;
    tx.touch_policy(policy.id);
    Ok(())
}

fn read(row: &Row<'_>) -> Result<IamPolicy, Error> {
    let reading = Reading::new("iam_policies", row, "id");
    Ok(IamPolicy {
        id: reading.parse("id", IamPolicyId::parse)?,
        draft: PolicyDraft {
            kind: reading.parse("kind", PolicyKind::parse)?,
            description: reading.get("description")?,
            subject: reading.parse("subject", decode)?,
            resource: reading.parse("resource", decode)?,
            roles: split(reading.get("roles")?),
        },
        state: reading.parse("state", PolicyState::parse)?,
        created_at: reading.at("created_at")?,
        created_by: reading.get("created_by")?,
        updated_at: reading.at("updated_at")?,
        updated_by: reading.get("updated_by")?,
        revision: reading.get("revision")?,
    })
}

/// Texts and lists of them always serialize.
fn encode(conditions: &Conditions) -> String {
    let store = |attributes: &[Attribute]| {
        let one = |one: &Attribute| {
            (one.name.clone(), one.operator.map(|operator| operator.name().to_owned()), one.value.clone())
        };
        attributes.iter().map(one).collect()
    };
    let stored = StoredConditions { attributes: store(&conditions.attributes), tags: store(&conditions.tags) };
    serde_json::to_string(&stored).unwrap_or_default()
}

fn decode(text: &str) -> Option<Conditions> {
    let load = |stored: Vec<StoredAttribute>| {
        let one = |(name, operator, value): StoredAttribute| {
            let operator = match operator {
                None => None,
                Some(operator) => Some(Operator::parse(&operator)?),
            };
            Some(Attribute { name, operator, value })
        };
        stored.into_iter().map(one).collect::<Option<Vec<_>>>()
    };
    let stored: StoredConditions = serde_json::from_str(text).ok()?;
    Some(Conditions { attributes: load(stored.attributes)?, tags: load(stored.tags)? })
}
