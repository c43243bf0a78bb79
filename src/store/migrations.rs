//! Steps from each released schema to the current one.

use rusqlite::Connection;

use crate::store::Error;

/// The steps, oldest first: step n leads to `user_version` n + 1.
const STEPS: [&str; 1] = [include_str!("migrations/0001_core.sql")];

/// The schema that this program writes.
pub(crate) fn current() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Takes a database of version `from` to the current one, in one transaction.
///
/// # Errors
/// When a step fails; nothing is changed then.
pub(crate) fn migrate(connection: &mut Connection, from: i64) -> Result<(), Error> {
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let done = usize::try_from(from).unwrap_or_default();
    for step in STEPS.iter().skip(done) {
        tx.execute_batch(step)?;
    }
    tx.pragma_update(None, "user_version", current())?;
    tx.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(connection: &Connection) -> Vec<String> {
        let mut statement = connection
            .prepare("SELECT type || ' ' || name || ': ' || coalesce(sql, '') FROM sqlite_schema ORDER BY type, name")
            .unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn the_migrations_end_in_the_schema_at_the_top_of_the_repository() {
        let mut migrated = Connection::open_in_memory().unwrap();
        migrate(&mut migrated, 0).unwrap();
        let described = Connection::open_in_memory().unwrap();
        described.execute_batch(include_str!("../../schema.sql")).unwrap();
        assert_eq!(shape(&migrated), shape(&described));
    }
}
