//! Changes of policies of IAM that take effect later than they were made.

use rusqlite::params;

use crate::domain::due::DueKind;
use crate::domain::id::IamPolicyId;
use crate::domain::time::Timestamp;
use crate::store::Error;
use crate::store::due::{self, Subject};
use crate::store::tx::Tx;

/// Columns of a policy, in both tables.
const COLUMNS: &str = "id, kind, description, subject, resource, roles, normal, state, created_at, created_by,
    updated_at, updated_by, revision";

/// Keeps a policy as it stands, before it is changed: that is what goes on to be in force.
///
/// # Errors
/// The store's.
pub(crate) fn keep_present(tx: &Tx<'_>, id: IamPolicyId) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO iam_policy_changes ({COLUMNS}, at) SELECT {COLUMNS}, 0 FROM iam_policies WHERE id = ?1
             AND NOT EXISTS (SELECT 1 FROM iam_policy_changes WHERE id = ?1)"
    );
    tx.prepare(&sql)?.execute([id.to_string()])?;
    Ok(())
}

/// Lets a policy, as it stands, take effect at an instant. Changes that were to come later than that never come.
///
/// # Errors
/// The store's.
pub(crate) fn add(tx: &Tx<'_>, id: IamPolicyId, at: Timestamp) -> Result<(), Error> {
    tx.prepare("DELETE FROM iam_policy_changes WHERE id = ?1 AND at >= ?2")?
        .execute(params![id.to_string(), at.millis()])?;
    let sql =
        format!("INSERT INTO iam_policy_changes ({COLUMNS}, at) SELECT {COLUMNS}, ?2 FROM iam_policies WHERE id = ?1");
    tx.prepare(&sql)?.execute(params![id.to_string(), at.millis()])?;
    schedule(tx, id)
}

/// Lets a policy, as it stands, be in force from now on.
///
/// # Errors
/// The store's.
pub(crate) fn remove_all(tx: &Tx<'_>, id: IamPolicyId) -> Result<(), Error> {
    tx.prepare("DELETE FROM iam_policy_changes WHERE id = ?1")?.execute([id.to_string()])?;
    tx.touch_policy(id);
    schedule(tx, id)
}

/// Puts in force what takes effect by an instant.
///
/// # Errors
/// The store's.
pub(crate) fn take_effect(tx: &Tx<'_>, id: IamPolicyId, by: Timestamp) -> Result<(), Error> {
    let later: bool = tx
        .prepare("SELECT 1 FROM iam_policy_changes WHERE id = ?1 AND at > ?2")?
        .exists(params![id.to_string(), by.millis()])?;
    if !later {
        return remove_all(tx, id);
    }
    tx.prepare(
        "DELETE FROM iam_policy_changes WHERE id = ?1
             AND at < (SELECT max(at) FROM iam_policy_changes WHERE id = ?1 AND at <= ?2)",
    )?
    .execute(params![id.to_string(), by.millis()])?;
    tx.prepare("UPDATE iam_policy_changes SET at = 0 WHERE id = ?1 AND at <= ?2")?
        .execute(params![id.to_string(), by.millis()])?;
    tx.touch_policy(id);
    schedule(tx, id)
}

fn schedule(tx: &Tx<'_>, id: IamPolicyId) -> Result<(), Error> {
    let next: Option<i64> = tx
        .prepare("SELECT min(at) FROM iam_policy_changes WHERE id = ?1 AND at > 0")?
        .query_row([id.to_string()], |row| row.get(0))?;
    due::set(tx, Subject::Policy(id), DueKind::Propagation, next.map(Timestamp::from_millis))
}
