//! Which keys are meant, as SQL; counting and listing them.

use rusqlite::params_from_iter;
use rusqlite::types::Value;

use crate::domain::access::{Visible, VisiblePart};
use crate::domain::context::RingScope;
use crate::domain::filter::{DateProperty, DateTest, Term as FilterTerm};
use crate::domain::id::{InstanceId, KeyId};
use crate::domain::key::Key;
use crate::domain::pattern::Pattern;
use crate::domain::search::Candidate;
use crate::domain::selection::Selection;
use crate::domain::sort::Term as SortTerm;
use crate::store::key_pages::{self, Window};
use crate::store::row::Reading;
use crate::store::tx::Tx;
use crate::store::{Error, keys};

/// Where conditions on the keys of an instance begin.
const IN_INSTANCE: &str = " WHERE k.instance_id = ?";

/// Conditions on keys `k` with their values, in the order of their parameters.
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
        clause.dates(selection, None);
        clause
    }

    /// Keys that a caller may see, destroyed ones too.
    pub(crate) fn of_keys(instance: InstanceId, ring: Option<&RingScope>, visible: &Visible) -> Self {
        let mut clause = Self { sql: IN_INSTANCE.to_owned(), values: vec![instance.to_string().into()] };
        clause.parts(ring, visible);
        clause
    }

    /// Keys of an instance that have a kind that is meant.
    pub(crate) fn of_kinds(instance: InstanceId, selection: &Selection) -> Self {
        let mut clause = Self::of_keys(instance, None, &Visible::All);
        clause.kinds(selection);
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
        clause.dates(selection, None);
        clause
    }

    /// What is wanted of a date; more conditions, to follow others.
    pub(crate) fn of_dates(selection: &Selection, only: Option<DateProperty>) -> Self {
        let mut clause = Self::empty();
        clause.dates(selection, only);
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
        let mut asked_for_state = false;
        if let Some(states) = &selection.states {
            asked_for_state = true;
            self.any_state(states);
        }
        if let Some(extractable) = selection.extractable {
            self.add("k.extractable = ?", i64::from(extractable));
        }
        for term in &selection.filter {
            match term {
                FilterTerm::Extractable(extractable) => self.add("k.extractable = ?", i64::from(*extractable)),
                FilterTerm::State(states) => {
                    asked_for_state = true;
                    self.any_state(states);
                }
                FilterTerm::Date(..) => {}
            }
        }
        if !asked_for_state {
            self.sql.push_str(" AND k.state <> 5");
        }
    }

    fn dates(&mut self, selection: &Selection, only: Option<DateProperty>) {
        for term in &selection.filter {
            match term {
                FilterTerm::Date(date, test) if only.is_none_or(|only| only == *date) => {
                    self.date(date_column(*date), *test);
                }
                FilterTerm::Date(..) | FilterTerm::Extractable(_) | FilterTerm::State(_) => {}
            }
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

/// True when more keys are meant than that.
///
/// # Errors
/// The store's.
pub(crate) fn exceeds(tx: &Tx<'_>, instance: InstanceId, selection: &Selection, most: i64) -> Result<bool, Error> {
    if selection.is_empty() {
        return Ok(false);
    }
    let clause = Clause::of(instance, selection);
    let sql = format!("SELECT count(*) > {most} FROM (SELECT 1 FROM keys k{} LIMIT {most} + 1)", clause.sql);
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

/// The same keys as [`list`], as far as a search looks at them.
///
/// # Errors
/// The store's.
pub(crate) fn candidates(
    tx: &Tx<'_>,
    instance: InstanceId,
    selection: &Selection,
    sort: &[SortTerm],
    window: Window,
) -> Result<Vec<Candidate>, Error> {
    let rows = key_pages::page(tx, instance, selection, sort, window)?;
    let mut statement = tx.prepare(&format!("SELECT k.id, k.name, {} FROM keys k WHERE k.seq = ?1", keys::ALIASES))?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let mut found = statement.query([row])?;
        while let Some(columns) = found.next()? {
            let reading = Reading::new("keys", columns, "id");
            let (id, name) = (reading.parse("id", KeyId::parse)?, reading.get("name")?);
            all.push(Candidate { row, id, name, aliases: keys::aliases(&reading)? });
        }
    }
    Ok(all)
}
