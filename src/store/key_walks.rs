//! Walks along the indexes of keys, and how they become one statement.

use rusqlite::params_from_iter;
use rusqlite::types::Value;

use crate::domain::filter::DateProperty;
use crate::domain::id::InstanceId;
use crate::store::Error;
use crate::store::key_pages::Window;
use crate::store::key_query::Clause;
use crate::store::tx::Tx;

/// Keys of one kind in one ring.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) ring: String,
    /// State, extractable, imported.
    pub(crate) kind: (u8, bool, bool),
    pub(crate) keys: i64,
}

/// An index to walk along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    Id,
    /// By id within each ring.
    Ring,
    Date(DateProperty),
}

impl Path {
    fn index(self) -> &'static str {
        match self {
            Self::Id => "keys_by_kind",
            Self::Ring => "keys_by_ring",
            Self::Date(DateProperty::Creation) => "keys_by_creation",
            Self::Date(DateProperty::LastUpdate) => "keys_by_update",
            Self::Date(DateProperty::LastRotate) => "keys_by_rotation",
            Self::Date(DateProperty::Deletion) => "keys_by_deletion",
            Self::Date(DateProperty::Expiration) => "keys_by_expiration",
        }
    }
}

/// A statement in the making; parameters are numbered, since branches share them.
pub(crate) struct Query {
    pub(crate) values: Vec<Value>,
}

impl Query {
    /// For an instance.
    pub(crate) fn new(instance: InstanceId) -> Self {
        Self { values: vec![instance.to_string().into()] }
    }

    /// Takes a clause's values over, and numbers its parameters.
    pub(crate) fn condition(&mut self, clause: Clause) -> String {
        let mut sql = String::with_capacity(clause.sql.len());
        let mut number = self.values.len();
        for letter in clause.sql.chars() {
            sql.push(letter);
            if letter == '?' {
                number += 1;
                sql.push_str(&number.to_string());
            }
        }
        self.values.extend(clause.values);
        sql
    }

    /// One walk for each kind, or for each kind in each ring.
    pub(crate) fn branches(&mut self, path: Path, groups: &[Group], columns: &str, condition: &str) -> String {
        let mut branches: Vec<String> = Vec::new();
        for group in groups {
            let (state, extractable, imported) = group.kind;
            let ring = if path == Path::Ring { self.ring(&group.ring) } else { String::new() };
            let branch = format!(
                "SELECT {columns} FROM keys k INDEXED BY {} WHERE k.instance_id = ?1{ring} AND k.state = {state}
                 AND k.extractable = {} AND k.imported = {}{condition}",
                path.index(),
                u8::from(extractable),
                u8::from(imported),
            );
            if !branches.contains(&branch) {
                branches.push(branch);
            }
        }
        branches.join(" UNION ALL ")
    }

    fn ring(&mut self, ring: &str) -> String {
        self.values.push(ring.to_owned().into());
        format!(" AND k.ring_id = ?{}", self.values.len())
    }

    /// Runs it; the rows that a window shows.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn page(mut self, tx: &Tx<'_>, sql: &str, window: Window) -> Result<Vec<i64>, Error> {
        self.values.extend([window.limit.into(), window.offset.into()]);
        let last = self.values.len();
        let mut statement = tx.prepare(&format!("{sql} LIMIT ?{} OFFSET ?{last}", last - 1))?;
        let rows = statement.query_map(params_from_iter(self.values), |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
