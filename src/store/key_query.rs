//! Lists of keys: filters, order and paging as SQL.

use rusqlite::types::Value;
use rusqlite::{ToSql, params_from_iter};

use crate::domain::access::{Visible, VisiblePart};
use crate::domain::context::RingScope;
use crate::domain::filter::{DateProperty, DateTest, Term as FilterTerm};
use crate::domain::id::InstanceId;
use crate::domain::key::Key;
use crate::domain::pattern::Pattern;
use crate::domain::selection::Selection;
use crate::domain::sort::{Direction, Property, Term as SortTerm};
use crate::store::row::Reading;
use crate::store::tx::Tx;
use crate::store::{Error, keys};

/// Conditions with their values, numbered as they come.
pub(crate) struct Clause {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Clause {
    fn of(instance: InstanceId, selection: &Selection) -> Self {
        let mut clause = Self::of_keys(instance, selection.ring.as_ref(), &selection.visible);
        let mut asked_for_state = false;
        if let Some(states) = &selection.states {
            asked_for_state = true;
            clause.any_state(states);
        }
        if let Some(extractable) = selection.extractable {
            clause.add("k.extractable = ?", i64::from(extractable));
        }
        for term in &selection.filter {
            match term {
                FilterTerm::Extractable(extractable) => clause.add("k.extractable = ?", i64::from(*extractable)),
                FilterTerm::State(states) => {
                    asked_for_state = true;
                    clause.any_state(states);
                }
                FilterTerm::Date(property, test) => clause.date(date_column(*property), *test),
            }
        }
        if !asked_for_state {
            clause.sql.push_str(" AND k.state <> 5");
        }
        clause
    }

    /// Keys `k` that a caller may see, destroyed ones too.
    pub(crate) fn of_keys(instance: InstanceId, ring: Option<&RingScope>, visible: &Visible) -> Self {
        let mut clause = Self { sql: " WHERE k.instance_id = ?".to_owned(), values: vec![instance.to_string().into()] };
        if let Visible::Some(parts) = visible {
            clause.any_part(parts);
        }
        if let Some(ring) = ring {
            clause.add("k.ring_id = ?", ring.text().to_owned());
        }
        clause
    }

    /// One more condition with its value.
    pub(crate) fn add(&mut self, condition: &str, value: impl Into<Value>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
        self.values.push(value.into());
    }

    /// A list of pairs rather than a chain of ORs, whose depth SQLite limits.
    fn any_part(&mut self, parts: &[VisiblePart]) {
        if parts.is_empty() {
            self.sql.push_str(" AND 0");
            return;
        }
        let pairs = vec!["(?, ?)"; parts.len()].join(",");
        self.sql.extend([" AND EXISTS (SELECT 1 FROM (VALUES ", &pairs, ") p WHERE "]);
        self.sql.push_str("k.ring_id GLOB p.column1 AND k.id GLOB p.column2)");
        let glob = |pattern: &Option<Pattern>| pattern.as_ref().map_or_else(|| "*".to_owned(), Pattern::glob);
        self.values.extend(parts.iter().flat_map(|part| [glob(&part.ring).into(), glob(&part.key).into()]));
    }

    fn any_state(&mut self, states: &[u8]) {
        let numbers: Vec<String> = states.iter().map(u8::to_string).collect();
        self.sql.push_str(" AND k.state IN (");
        self.sql.push_str(&numbers.join(","));
        self.sql.push(')');
    }

    fn date(&mut self, column: &str, test: DateTest) {
        match test {
            DateTest::None => self.sql.extend([" AND ", column, " IS NULL"]),
            DateTest::Equal(Some(millis)) => self.add(&format!("{column} = ?"), millis),
            DateTest::Equal(None) => self.sql.push_str(" AND 0"),
            DateTest::AtMost(millis) => self.add(&format!("{column} <= ?"), millis),
            DateTest::AtLeast(millis) => self.add(&format!("{column} >= ?"), millis),
        }
    }
}

fn date_column(property: DateProperty) -> &'static str {
    match property {
        DateProperty::Creation => "k.created_at",
        DateProperty::Deletion => "k.deleted_at",
        DateProperty::Expiration => "k.expires_at",
        DateProperty::LastRotate => "k.rotated_at",
        DateProperty::LastUpdate => "k.updated_at",
    }
}

fn sort_column(property: Property) -> &'static str {
    match property {
        Property::Id => "k.id",
        Property::State => "k.state",
        Property::Extractable => "k.extractable",
        Property::Imported => "k.imported",
        Property::CreationDate => "k.created_at",
        Property::LastUpdateDate => "k.updated_at",
        Property::LastRotateDate => "k.rotated_at",
        Property::DeletionDate => "k.deleted_at",
        Property::ExpirationDate => "k.expires_at",
    }
}

/// Keys that lack a property come last both ways; ties go by id.
fn order(sort: &[SortTerm]) -> String {
    let mut sql = " ORDER BY ".to_owned();
    for term in sort {
        let direction = match term.direction {
            Direction::Ascending => "ASC",
            Direction::Descending => "DESC",
        };
        sql.extend([sort_column(term.property), " ", direction, " NULLS LAST, "]);
    }
    sql.push_str("k.id");
    sql
}

/// How many keys are meant.
///
/// # Errors
/// The store's.
pub(crate) fn count(tx: &Tx<'_>, instance: InstanceId, selection: &Selection) -> Result<i64, Error> {
    let clause = Clause::of(instance, selection);
    // What is counted for each ring, state and kind is looked up; everything else is counted now.
    let looked_up =
        selection.visible == Visible::All && selection.filter.iter().all(|term| !matches!(term, FilterTerm::Date(..)));
    let from = if looked_up { "coalesce(sum(k.keys), 0) FROM key_counts" } else { "count(*) FROM keys" };
    let sql = format!("SELECT {from} k{}", clause.sql);
    Ok(tx.prepare(&sql)?.query_row(params_from_iter(clause.values), |row| row.get(0))?)
}

/// How many keys of all instances are in each state.
///
/// # Errors
/// The store's.
pub(crate) fn by_state(tx: &Tx<'_>) -> Result<Vec<(u8, i64)>, Error> {
    let mut statement = tx.prepare("SELECT state, sum(keys) FROM key_counts GROUP BY state")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// True when a key is among those that are meant.
///
/// # Errors
/// The store's.
pub(crate) fn holds(tx: &Tx<'_>, key: &Key, selection: &Selection) -> Result<bool, Error> {
    let mut clause = Clause::of(key.instance, selection);
    clause.add("k.id = ?", key.id.to_string());
    let sql = format!("SELECT count(*) FROM keys k{}", clause.sql);
    let count: i64 = tx.prepare(&sql)?.query_row(params_from_iter(clause.values), |row| row.get(0))?;
    Ok(count > 0)
}

/// The keys that are meant, in order, from `offset` on, `limit` at most.
///
/// # Errors
/// The store's.
pub(crate) fn list(
    tx: &Tx<'_>,
    instance: InstanceId,
    selection: &Selection,
    sort: &[SortTerm],
    limit: i64,
    offset: i64,
) -> Result<Vec<Key>, Error> {
    let clause = Clause::of(instance, selection);
    let sql = format!("{}{}{} LIMIT ? OFFSET ?", keys::SELECT, clause.sql, order(sort));
    let mut values: Vec<Box<dyn ToSql>> = Vec::new();
    for value in clause.values {
        values.push(Box::new(value));
    }
    values.push(Box::new(limit));
    values.push(Box::new(offset));
    let mut statement = tx.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(keys::read(&Reading::new("keys", row, "id"))?);
    }
    Ok(all)
}
