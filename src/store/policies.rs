//! Key policies.

use rusqlite::params;

use crate::domain::id::KeyId;
use crate::domain::policy::{DualAuthPolicy, PolicyRecord, RotationPolicy};
use crate::store::Error;
use crate::store::tx::Tx;

/// Sets a key's rotation policy.
///
/// # Errors
/// The store's.
pub(crate) fn set_rotation(tx: &Tx<'_>, key: KeyId, policy: &RotationPolicy) -> Result<(), Error> {
    let schedule = Some((policy.interval.months(), policy.next_at.millis()));
    set(tx, key, "rotation", policy.enabled, schedule, &policy.record)
}

/// Sets a key's dual authorization policy.
///
/// # Errors
/// The store's.
pub(crate) fn set_dual_auth(tx: &Tx<'_>, key: KeyId, policy: &DualAuthPolicy) -> Result<(), Error> {
    set(tx, key, "dualAuthDelete", policy.enabled, None, &policy.record)
}

fn set(
    tx: &Tx<'_>,
    key: KeyId,
    kind: &str,
    enabled: bool,
    schedule: Option<(u8, i64)>,
    record: &PolicyRecord,
) -> Result<(), Error> {
    tx.prepare(
        "INSERT INTO key_policies
             (id, key_id, kind, enabled, interval_months, next_at, created_at, created_by, updated_at, updated_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (key_id, kind) DO UPDATE SET
             enabled = excluded.enabled, interval_months = excluded.interval_months, next_at = excluded.next_at,
             updated_at = excluded.updated_at, updated_by = excluded.updated_by",
    )?
    .execute(params![
        record.id.to_string(),
        key.to_string(),
        kind,
        enabled,
        schedule.map(|(months, _)| months),
        schedule.map(|(_, next_at)| next_at),
        record.created_at.millis(),
        record.created_by,
        record.updated_at.millis(),
        record.updated_by,
    ])?;
    Ok(())
}
