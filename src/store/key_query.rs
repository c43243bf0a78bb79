//! Which keys are meant, as SQL; counting and listing them.

use std::collections::HashMap;

use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};

use crate::domain::access::{Visible, VisiblePart};
use crate::domain::context::RingScope;
use crate::domain::filter::DateProperty;
use crate::domain::id::InstanceId;
use crate::domain::key::Key;
use crate::domain::pattern::Pattern;
use crate::domain::search::{Candidate, Scope};
use crate::domain::selection::Selection;
use crate::domain::sort::Term as SortTerm;
use crate::store::key_kinds::{self, Kind, Range};
use crate::store::key_pages::{self, Shown, Window};
use crate::store::tx::Tx;
use crate::store::{Error, keys};

/// Where conditions on the keys of an instance begin.
const IN_INSTANCE: &str = " WHERE k.instance_id = ?";

/// Conditions on keys `k` with their values, in the order of their parameters.
#[derive(Clone)]
pub(crate) struct Clause {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Clause {
    fn empty() -> Self {
        Self { sql: String::new(), values: Vec::new() }
    }

    fn of(instance: InstanceId, selection: &Selection) -> Self {
        let mut clause = Self::of_keys(instance, selection.ring.as_ref(), &selection.visible);
        clause.kinds(selection);
        clause.dates(selection);
        clause
    }

    /// Keys that a caller may see, destroyed ones too.
    pub(crate) fn of_keys(instance: InstanceId, ring: Option<&RingScope>, visible: &Visible) -> Self {
        let mut clause = Self { sql: IN_INSTANCE.to_owned(), values: vec![instance.to_string().into()] };
        clause.parts(ring, visible);
        clause
    }

    /// All but the instance; more conditions, to follow others.
    pub(crate) fn besides_instance(selection: &Selection) -> Self {
        let mut clause = Self::besides_kinds(selection);
        clause.kinds(selection);
        clause
    }

    /// All but the instance and the kinds; more conditions, to follow others.
    pub(crate) fn besides_kinds(selection: &Selection) -> Self {
        let mut clause = Self::empty();
        clause.parts(selection.ring.as_ref(), &selection.visible);
        clause.dates(selection);
        clause
    }

    /// What is wanted of a date; more conditions, to follow others.
    pub(crate) fn of_range(range: Range) -> Self {
        let mut clause = Self::empty();
        clause.range(range);
        clause
    }

    /// One more condition, to follow others.
    pub(crate) fn more(condition: &str, value: impl Into<Value>) -> Self {
        let mut clause = Self::empty();
        clause.add(condition, value);
        clause
    }

    /// True when all keys of an instance are meant.
    pub(crate) fn is_whole_instance(&self) -> bool {
        self.sql == IN_INSTANCE
    }

    fn parts(&mut self, ring: Option<&RingScope>, visible: &Visible) {
        if let Visible::Some(parts) = visible {
            self.any_part(parts);
        }
        if let Some(ring) = ring {
            self.add("k.ring_id = ?", ring.text().to_owned());
        }
    }

    fn kinds(&mut self, selection: &Selection) {
        let kinds = Kind::all().filter(|kind| kind.is_meant(selection));
        let numbers: Vec<String> = kinds.map(|kind| kind.number().to_string()).collect();
        self.sql.extend([" AND k.kind IN (", &numbers.join(","), ")"]);
    }

    fn dates(&mut self, selection: &Selection) {
        for range in key_kinds::ranges(selection) {
            self.range(range);
        }
    }

    fn range(&mut self, range: Range) {
        let column = date_column(range.date);
        if range.least > i64::MIN {
            self.add(&format!("{column} >= ?"), range.least);
        }
        if range.most < i64::MAX {
            self.add(&format!("{column} <= ?"), range.most);
        }
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
}

/// The column of a date.
pub(crate) fn date_column(property: DateProperty) -> &'static str {
    match property {
        DateProperty::Creation => "k.created_at",
        DateProperty::Deletion => "k.deleted_at",
        DateProperty::Expiration => "k.expires_at",
        DateProperty::LastRotate => "k.rotated_at",
        DateProperty::LastUpdate => "k.updated_at",
    }
}

/// How many keys of all instances are in each state.
///
/// # Errors
/// The store's.
pub(crate) fn by_state(tx: &Tx<'_>) -> Result<Vec<(u8, i64)>, Error> {
    let mut statement = tx.prepare("SELECT kind / 16, sum(keys) FROM key_counts GROUP BY 1")?;
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

/// The keys that are meant, in order, as many of them as the window shows.
///
/// # Errors
/// The store's.
pub(crate) fn list(
    tx: &Tx<'_>,
    instance: InstanceId,
    selection: &Selection,
    sort: &[SortTerm],
    window: Window,
) -> Result<Vec<Key>, Error> {
    whole(tx, key_pages::page(tx, instance, selection, sort, window)?)
}

/// The keys of rows, in their order.
///
/// # Errors
/// The store's.
pub(crate) fn whole(tx: &Tx<'_>, rows: impl IntoIterator<Item = i64>) -> Result<Vec<Key>, Error> {
    let mut all = Vec::new();
    for row in rows {
        all.extend(keys::get_row(tx, row)?);
    }
    Ok(all)
}

/// All keys that are meant, in no order, as far as a search in those scopes looks at them; their aliases apart.
///
/// # Errors
/// The store's.
pub(crate) fn candidates(
    tx: &Tx<'_>,
    instance: InstanceId,
    selection: &Selection,
    scopes: &[Scope],
    most: i64,
) -> Result<Vec<Candidate>, Error> {
    // The index by id has the names in it: no row is looked up.
    if scopes.contains(&Scope::Alias) {
        return key_pages::unordered(tx, instance, selection, most);
    }
    let named: Vec<Named> = key_pages::unordered(tx, instance, selection, most)?;
    Ok(named.into_iter().map(|Named(candidate)| candidate).collect())
}

/// Brings what a search found among so many candidates into order.
///
/// # Errors
/// The store's.
pub(crate) fn put_in_order(
    tx: &Tx<'_>,
    instance: InstanceId,
    selection: &Selection,
    sort: &[SortTerm],
    most: i64,
    found: &mut [Candidate],
) -> Result<(), Error> {
    if sort.is_empty() {
        found.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        return Ok(());
    }
    // Along the indexes too: rows that were found are not looked up for what they are sorted by.
    let rows: Vec<i64> = key_pages::page(tx, instance, selection, sort, Window { limit: most, offset: 0 })?;
    let places: HashMap<i64, usize> = rows.into_iter().zip(0..).collect();
    found.sort_by_key(|candidate| places.get(&candidate.row).copied());
    Ok(())
}

/// True when one of a key's aliases passes a test.
///
/// # Errors
/// The store's.
pub(crate) fn has_alias(tx: &Tx<'_>, key: &str, passes: impl Fn(&str) -> bool) -> Result<bool, Error> {
    let mut statement = tx.prepare("SELECT alias FROM aliases WHERE key_id = ?1")?;
    let mut rows = statement.query([key])?;
    while let Some(row) = rows.next()? {
        if passes(&row.get::<_, String>(0)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Shown for Candidate {
    const COLUMNS: &'static str = "k.seq, k.id, k.name, EXISTS (SELECT 1 FROM aliases a WHERE a.key_id = k.id)";

    fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let aliased = row.get(first + 3)?;
        Ok(Self { row: row.get(first)?, id: row.get(first + 1)?, name: row.get(first + 2)?, aliased })
    }
}

/// A candidate whose aliases are not searched.
struct Named(Candidate);

impl Shown for Named {
    const COLUMNS: &'static str = "k.seq, k.id, k.name";

    fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let (id, name) = (row.get(first + 1)?, row.get(first + 2)?);
        Ok(Self(Candidate { row: row.get(first)?, id, name, aliased: false }))
    }
}
