//! Walks along the indexes of keys, and how they become one statement.

use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};

use crate::domain::filter::DateProperty;
use crate::domain::id::InstanceId;
use crate::store::Error;
use crate::store::key_kinds::{Group, Kind};
use crate::store::key_pages::Window;
use crate::store::key_query::{Clause, date_column};
use crate::store::tx::Tx;

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

    /// What SQLite wants to hear before it takes an index that holds some keys only.
    fn requirement(self) -> String {
        match self {
            Self::Date(date) if is_sparse(date) => format!(" AND {} IS NOT NULL", date_column(date)),
            Self::Date(_) | Self::Id | Self::Ring => String::new(),
        }
    }
}

/// True for a date that not every key has: its index holds those that have it.
pub(crate) fn is_sparse(date: DateProperty) -> bool {
    match date {
        DateProperty::Creation | DateProperty::LastUpdate => false,
        DateProperty::Deletion | DateProperty::Expiration | DateProperty::LastRotate => true,
    }
}

/// A statement in the making; parameters are numbered, since branches share them.
pub(crate) struct Query {
    pub(crate) values: Vec<Value>,
}

impl Query {
    /// For an instance.
    pub(crate) fn new(instance: InstanceId) -> Self {
        Self::of(instance.to_string())
    }

    /// For what has that id.
    pub(crate) fn of(id: String) -> Self {
        Self { values: vec![id.into()] }
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

    /// One walk for each kind, or for each kind in each ring. `columns` may differ by kind.
    pub(crate) fn branches(
        &mut self,
        path: Path,
        groups: &[Group],
        columns: impl Fn(Kind) -> String,
        condition: &str,
    ) -> String {
        let mut branches: Vec<String> = Vec::new();
        let mut kinds: Vec<Kind> = Vec::new();
        let requirement = path.requirement();
        for group in groups {
            if path != Path::Ring && kinds.contains(&group.kind) {
                continue;
            }
            kinds.push(group.kind);
            let ring = if path == Path::Ring { self.ring(&group.ring) } else { String::new() };
            branches.push(format!(
                "SELECT {} FROM keys k INDEXED BY {} WHERE k.instance_id = ?1{ring} AND k.kind = {}{requirement}{condition}",
                columns(group.kind),
                path.index(),
                group.kind.number(),
            ));
        }
        branches.join(" UNION ALL ")
    }

    fn ring(&mut self, ring: &str) -> String {
        let ring = Value::from(ring.to_owned());
        let known = self.values.iter().position(|value| *value == ring);
        let place = known.unwrap_or_else(|| {
            self.values.push(ring);
            self.values.len() - 1
        });
        format!(" AND k.ring_id = ?{}", place + 1)
    }

    /// Runs it; what a window shows.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn page<T>(
        mut self,
        tx: &Tx<'_>,
        sql: &str,
        window: Window,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Error> {
        self.values.extend([window.limit.into(), window.offset.into()]);
        let last = self.values.len();
        let mut statement = tx.prepare(&format!("{sql} LIMIT ?{} OFFSET ?{last}", last - 1))?;
        let rows = statement.query_map(params_from_iter(self.values), read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
