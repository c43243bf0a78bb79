//! Fills a folder's database with keys of all sorts, in one transaction.

use std::path::Path;

use rusqlite::{Connection, params};

use crate::Outcome;

/// What was filled in, as far as requests name it.
pub(crate) struct Filled {
    pub(crate) keys: u32,
    /// A root key with a tenth as many versions, and registrations.
    pub(crate) busy_key: String,
    /// A KMIP adapter with as many objects as there are keys.
    pub(crate) adapter: String,
}

/// A random UUID of version 4.
const UUID: &str = "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)
    || '-a' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))";
/// The numbers from 1 to `?1`.
const NUMBERS: &str = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)";
/// 2026-01-01, and the milliseconds of a minute: a key a minute.
const START: i64 = 1_767_225_600_000;
const APART: i64 = 60_000;

/// Fills it. Of each hundred keys five are destroyed, one is suspended and one deactivated; a third are standard keys,
/// a tenth imported, a twentieth rotated, and a fifth lie in a ring of their own.
pub(crate) fn fill(database: &Path, instance: &str, keys: u32) -> Outcome<Filled> {
    let database = Connection::open(database)?;
    database.execute_batch("BEGIN IMMEDIATE")?;
    let sql = format!(
        "{NUMBERS} INSERT INTO keys (id, instance_id, ring_id, extractable, name, imported, bits, state, expires_at,
             created_at, created_by, updated_at, rotated_at, deleted_at, deleted_by, version_id, version_created_at, kind)
         SELECT {UUID}, ?2, iif(n % 5 = 0, 'ledger', iif(n % 500 = 1, 'rare', 'default')), n % 3 = 0, 'key ' || n,
             n % 10 = 0, 256,
             CASE WHEN n % 20 = 3 THEN 5 WHEN n % 100 = 7 THEN 2 WHEN n % 100 = 8 THEN 3 ELSE 1 END,
             CASE WHEN n % 100 = 8 THEN ?3 + n * ?4 + 1000 WHEN n % 50 = 9 THEN 9000000000000 + n * 1000 END,
             ?3 + n * ?4, 'IBMid-270005MKP0', ?3 + n * ?4 + iif(n % 20 = 3, 500000, 0),
             iif(n % 20 = 4, ?3 + n * ?4 + 100000, NULL), iif(n % 20 = 3, ?3 + n * ?4 + 500000, NULL),
             iif(n % 20 = 3, 'IBMid-270005MKP0', NULL), {UUID}, ?3 + n * ?4,
             CASE WHEN n % 20 = 3 THEN 5 WHEN n % 100 = 7 THEN 2 WHEN n % 100 = 8 THEN 3 ELSE 1 END * 16
                 + (n % 3 = 0) * 8 + (n % 10 = 0) * 4 + (n % 100 = 8 OR n % 50 = 9) * 2 + (n % 20 = 4)
         FROM numbers"
    );
    database.execute(&sql, params![keys, instance, START, APART])?;
    database.execute("UPDATE keys SET version_id = id WHERE rotated_at IS NULL", [])?;
    database.execute_batch(
        "INSERT INTO key_rings (instance_id, ring_id, created_at, created_by)
             SELECT DISTINCT instance_id, ring_id, 1767225600000, 'IBMid-270005MKP0' FROM keys
             WHERE ring_id <> 'default';
         INSERT INTO key_versions (id, key_id, created_at, nonce, sealed)
             SELECT version_id, id, version_created_at, randomblob(12), randomblob(48) FROM keys WHERE NOT extractable;
         INSERT INTO aliases (instance_id, alias, key_id, created_at, created_by)
             SELECT instance_id, 'alias-' || seq, id, created_at, created_by FROM keys WHERE seq % 100 = 1;
         INSERT INTO key_policies (id, key_id, kind, enabled, interval_months, next_at, created_at, created_by,
                 updated_at, updated_by)
             SELECT id, id, 'rotation', 1, 3, 9000000000000, created_at, created_by, created_at, created_by FROM keys
             WHERE NOT extractable AND seq % 7 = 0;",
    )?;
    let busy_key = database.query_row(
        "SELECT id FROM keys WHERE state = 1 AND NOT extractable AND rotated_at IS NULL LIMIT 1",
        [],
        |row| row.get(0),
    )?;
    let filled = Filled { keys, busy_key, adapter: add_the_rest(&database, instance, keys)? };
    register(&database, &filled)?;
    database.execute_batch("COMMIT")?;
    Ok(filled)
}

/// A KMIP adapter with its objects.
fn add_the_rest(database: &Connection, instance: &str, keys: u32) -> Outcome<String> {
    let adapter: String = database.query_row(&format!("SELECT {UUID}"), [], |row| row.get(0))?;
    database.execute(
        "INSERT INTO kmip_adapters (id, instance_id, name, description, root_key_id, created_at, created_by, updated_at,
             updated_by) VALUES (?1, ?2, 'vsphere', '', ?1, ?3, 'me', ?3, 'me')",
        params![adapter, instance, START],
    )?;
    let sql = format!(
        "{NUMBERS} INSERT INTO kmip_objects (id, adapter_id, state, created_at, created_by, updated_at, updated_by)
         SELECT {UUID}, ?2, 1 + n % 6, ?3, 'me', ?3, 'me' FROM numbers"
    );
    database.execute(&sql, params![keys, adapter, START])?;
    Ok(adapter)
}

/// Versions and registrations of one key, and a registration for each other root key.
fn register(database: &Connection, filled: &Filled) -> Outcome<()> {
    let sql = format!(
        "{NUMBERS} INSERT INTO key_versions (id, key_id, created_at, nonce, sealed)
         SELECT {UUID}, ?2, ?3 + n, randomblob(12), randomblob(48) FROM numbers"
    );
    database.execute(&sql, params![filled.keys / 10, filled.busy_key, START])?;
    let bucket = "'crn:v1:bluemix:public:cloud-object-storage:global:a/1:2:bucket:' ||";
    let columns = "key_id, instance_id, resource_crn, prevent_deletion, version_id, created_at, created_by, updated_at,
        updated_by, revision";
    database.execute_batch(&format!(
        "INSERT INTO registrations ({columns})
         SELECT id, instance_id, {bucket} seq, 0, version_id, created_at, 'me', created_at, 'me', 1 FROM keys
         WHERE NOT extractable"
    ))?;
    let sql = format!(
        "{NUMBERS} INSERT INTO registrations ({columns})
         SELECT id, instance_id, {bucket} 'busy-' || n, n % 2, version_id, ?3, 'me', ?3, 'me', 1 FROM numbers, keys
         WHERE id = ?2"
    );
    database.execute(&sql, params![filled.keys / 10, filled.busy_key, START])?;
    Ok(())
}
