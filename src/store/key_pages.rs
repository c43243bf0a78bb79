//! Pages of keys without a walk over all of them. Each index begins with a key's kind (state, extractable, imported) and goes
//! on with one order; a list is one walk for each kind that there is, and the walks are merged. Where few keys are meant
//! and they lie far apart in that order, they are picked out by another index and sorted.

use rusqlite::params_from_iter;
use rusqlite::types::Value;

use crate::domain::access::Visible;
use crate::domain::filter::{DateProperty, DateTest, Term as FilterTerm};
use crate::domain::id::InstanceId;
use crate::domain::pattern::Pattern;
use crate::domain::selection::Selection;
use crate::domain::sort::{Direction, Property, Term as SortTerm};
use crate::store::Error;
use crate::store::key_query::{Clause, date_column};
use crate::store::key_walks::{Group, Path, Query};
use crate::store::tx::Tx;

/// So many keys are sorted without looking for anything better.
const SORTED_AT_ONCE: i64 = 1_000;
/// Keys that are sorted in the time in which one is looked at on a walk.
const SORTED_PER_STEP: i64 = 3;

/// Walks within rings that are merged at most.
const RING_WALKS_MAX: usize = 64;

/// Where a page begins and how long it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

impl Window {
    fn end(self) -> i64 {
        self.limit.saturating_add(self.offset)
    }
}

/// Rows of the keys that are meant, in order. Keys that lack a property come last both ways; ties go by id.
///
/// # Errors
/// The store's.
pub(crate) fn page(
    tx: &Tx<'_>,
    instance: InstanceId,
    selection: &Selection,
    sort: &[SortTerm],
    window: Window,
) -> Result<Vec<i64>, Error> {
    let terms = settled(sort);
    if let Some(ids) = named(&selection.visible) {
        return pick(tx, instance, selection, &terms, &ids, window);
    }
    let pages = Pages::of(tx, instance, selection)?;
    pages.ordered(&terms, &[], window)
}

/// How many keys are meant: known beforehand, or counted along an index.
///
/// # Errors
/// The store's.
pub(crate) fn count(tx: &Tx<'_>, instance: InstanceId, selection: &Selection) -> Result<i64, Error> {
    let pages = Pages::of(tx, instance, selection)?;
    let known: i64 = pages.groups.iter().map(|group| group.keys).sum();
    let dates: Vec<&FilterTerm> = selection.filter.iter().filter(|term| matches!(term, FilterTerm::Date(..))).collect();
    match (&selection.visible, dates.as_slice()) {
        (Visible::All, []) => Ok(known),
        (Visible::All, [FilterTerm::Date(date, DateTest::None)]) if selection.ring.is_none() => {
            let having = format!(" AND {} IS NOT NULL", date_column(*date));
            Ok(known - pages.count_along(Path::Date(*date), |_| having)?)
        }
        _ => {
            let natural = if pages.rings_limit { Path::Ring } else { Path::Id };
            let path = pages.filtered_dates().first().map_or(natural, |date| Path::Date(*date));
            pages.count_along(path, |query| query.condition(Clause::besides_kinds(selection)))
        }
    }
}

struct Pages<'a, 'c> {
    tx: &'a Tx<'c>,
    instance: InstanceId,
    selection: &'a Selection,
    /// Those that may hold a key that is meant.
    groups: Vec<Group>,
    /// Keys of the instance that have one of the kinds.
    total: i64,
    /// True when not all rings are meant, and there are few enough to be walked one by one.
    rings_limit: bool,
}

impl<'a, 'c> Pages<'a, 'c> {
    fn of(tx: &'a Tx<'c>, instance: InstanceId, selection: &'a Selection) -> Result<Self, Error> {
        let mut groups = groups(tx, instance, selection)?;
        let total = groups.iter().map(|group| group.keys).sum();
        groups.retain(|group| is_wanted(selection, &group.ring));
        let limited = selection.ring.is_some() || selection.visible != Visible::All;
        let rings_limit = limited && groups.len() <= RING_WALKS_MAX;
        Ok(Self { tx, instance, selection, groups, total, rings_limit })
    }

    /// Those that have the first date that is sorted by, then those that lack it.
    fn ordered(&self, terms: &[SortTerm], lacking: &[DateProperty], window: Window) -> Result<Vec<i64>, Error> {
        let first = terms.iter().find_map(|term| date_of(term.property));
        let path = self.path(first, window)?;
        let Some(date) = first.filter(|date| path == Path::Date(*date) && is_sparse(*date)) else {
            return self.walk(path, terms, lacking, None, window);
        };
        let all = Window { limit: window.end(), offset: 0 };
        let have = self.walk(path, terms, lacking, Some(date), all)?;
        let count = i64::try_from(have.len()).unwrap_or(i64::MAX);
        let offset = usize::try_from(window.offset).unwrap_or(usize::MAX);
        let mut page: Vec<i64> = have.into_iter().skip(offset).collect();
        if count < window.end() {
            let rest =
                Window { limit: window.end() - window.offset.max(count), offset: (window.offset - count).max(0) };
            let terms: Vec<SortTerm> = terms.iter().copied().filter(|term| date_of(term.property) != first).collect();
            page.extend(self.ordered(&terms, &[lacking, &[date]].concat(), rest)?);
        }
        Ok(page)
    }

    /// The index that is in the order that is wanted, or one that finds few keys to be sorted.
    fn path(&self, first: Option<DateProperty>, window: Window) -> Result<Path, Error> {
        let natural = match first {
            Some(date) => Path::Date(date),
            None if self.rings_limit => Path::Ring,
            None => Path::Id,
        };
        let steps = self.total.saturating_mul(window.end()).saturating_mul(SORTED_PER_STEP);
        let mut least = SORTED_AT_ONCE.max(steps.isqrt());
        let mut path = natural;
        let in_rings = self.groups.iter().map(|group| group.keys).sum();
        if self.rings_limit && in_rings < least {
            (path, least) = (Path::Ring, in_rings);
        }
        for date in self.filtered_dates() {
            let found = self.count_up_to(date, least)?;
            if found < least {
                (path, least) = (Path::Date(date), found);
            }
        }
        Ok(path)
    }

    /// Dates whose conditions an index can look up.
    fn filtered_dates(&self) -> Vec<DateProperty> {
        let mut dates = Vec::new();
        for term in &self.selection.filter {
            let FilterTerm::Date(date, DateTest::Equal(Some(_)) | DateTest::AtMost(_) | DateTest::AtLeast(_)) = term
            else {
                continue;
            };
            if !dates.contains(date) {
                dates.push(*date);
            }
        }
        dates
    }

    fn count_up_to(&self, date: DateProperty, most: i64) -> Result<i64, Error> {
        let condition = |query: &mut Query| query.condition(Clause::of_dates(self.selection, Some(date)));
        self.counted(Path::Date(date), condition, &format!(" LIMIT {most}"))
    }

    fn count_along(&self, path: Path, condition: impl FnOnce(&mut Query) -> String) -> Result<i64, Error> {
        self.counted(path, condition, "")
    }

    fn counted(&self, path: Path, condition: impl FnOnce(&mut Query) -> String, limit: &str) -> Result<i64, Error> {
        if self.groups.is_empty() {
            return Ok(0);
        }
        let mut query = Query::new(self.instance);
        let condition = condition(&mut query);
        let sql = format!("SELECT count(*) FROM ({}{limit})", query.branches(path, &self.groups, "1", &condition));
        Ok(self.tx.prepare(&sql)?.query_row(params_from_iter(query.values), |row| row.get(0))?)
    }

    fn walk(
        &self,
        path: Path,
        terms: &[SortTerm],
        lacking: &[DateProperty],
        having: Option<DateProperty>,
        window: Window,
    ) -> Result<Vec<i64>, Error> {
        if self.groups.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = Query::new(self.instance);
        let mut condition = query.condition(Clause::besides_kinds(self.selection));
        for date in lacking {
            condition.extend([" AND ", date_column(*date), " IS NULL"]);
        }
        if let Some(date) = having {
            condition.extend([" AND ", date_column(date), " IS NOT NULL"]);
        }
        let sql = query.branches(path, &self.groups, &columns(terms), &condition);
        query.page(self.tx, &format!("{sql}{}", order(terms)), window)
    }
}

/// For whoever may see keys by their ids alone.
fn pick(
    tx: &Tx<'_>,
    instance: InstanceId,
    selection: &Selection,
    terms: &[SortTerm],
    ids: &[&str],
    window: Window,
) -> Result<Vec<i64>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Query::new(instance);
    let condition = query.condition(Clause::besides_instance(selection));
    let first = query.values.len() + 1;
    query.values.extend(ids.iter().map(|id| Value::from((*id).to_owned())));
    let numbers: Vec<String> = (first..=query.values.len()).map(|number| format!("?{number}")).collect();
    let sql = format!(
        "SELECT {} FROM keys k WHERE k.id IN ({}) AND +k.instance_id = ?1{condition}{}",
        columns(terms),
        numbers.join(","),
        order(terms)
    );
    query.page(tx, &sql, window)
}

/// The ids that a caller may see, when there is nothing else.
fn named(visible: &Visible) -> Option<Vec<&str>> {
    let Visible::Some(parts) = visible else { return None };
    let id = |key: &'_ Option<Pattern>| matches!(key, Some(Pattern::Exact(_)));
    if !parts.iter().all(|part| id(&part.key)) {
        return None;
    }
    let ids = parts.iter().filter_map(|part| match &part.key {
        Some(Pattern::Exact(id)) => Some(id.as_str()),
        Some(Pattern::Wild(_)) | None => None,
    });
    Some(ids.collect())
}

fn groups(tx: &Tx<'_>, instance: InstanceId, selection: &Selection) -> Result<Vec<Group>, Error> {
    let clause = Clause::of_kinds(instance, selection);
    let sql = format!(
        "SELECT k.ring_id, k.state, k.extractable, k.imported, k.keys FROM key_counts k{} AND k.keys > 0",
        clause.sql
    );
    let mut statement = tx.prepare(&sql)?;
    let rows = statement.query_map(params_from_iter(clause.values), |row| {
        Ok(Group { ring: row.get(0)?, kind: (row.get(1)?, row.get(2)?, row.get(3)?), keys: row.get(4)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn is_wanted(selection: &Selection, ring: &str) -> bool {
    let asked_for = selection.ring.as_ref().is_none_or(|wanted| wanted.text() == ring);
    asked_for
        && match &selection.visible {
            Visible::All => true,
            Visible::Some(parts) => parts.iter().any(|part| part.ring.as_ref().is_none_or(|wanted| wanted.fits(ring))),
        }
}

/// Each property once, and at the end the id, behind which nothing weighs.
fn settled(sort: &[SortTerm]) -> Vec<SortTerm> {
    let mut terms: Vec<SortTerm> = Vec::new();
    let id = SortTerm { property: Property::Id, direction: Direction::Ascending };
    for term in sort.iter().copied().chain([id]) {
        let settled = |known: &SortTerm| known.property == term.property || known.property == Property::Id;
        if !terms.iter().any(settled) {
            terms.push(term);
        }
    }
    terms
}

/// The row, then what is sorted by.
fn columns(terms: &[SortTerm]) -> String {
    let sorted: Vec<&str> = terms.iter().map(|term| sort_column(term.property)).collect();
    format!("k.seq, {}", sorted.join(", "))
}

fn order(terms: &[SortTerm]) -> String {
    let term = |(place, term): (usize, &SortTerm)| {
        let direction = if term.direction == Direction::Descending { " DESC" } else { "" };
        let lacks = date_of(term.property).is_some_and(is_sparse);
        format!("{}{direction}{}", place + 2, if lacks { " NULLS LAST" } else { "" })
    };
    let terms: Vec<String> = terms.iter().enumerate().map(term).collect();
    format!(" ORDER BY {}", terms.join(", "))
}

/// True for a date that not every key has: its index holds those that have it.
fn is_sparse(date: DateProperty) -> bool {
    match date {
        DateProperty::Creation | DateProperty::LastUpdate => false,
        DateProperty::Deletion | DateProperty::Expiration | DateProperty::LastRotate => true,
    }
}

fn date_of(property: Property) -> Option<DateProperty> {
    match property {
        Property::CreationDate => Some(DateProperty::Creation),
        Property::LastUpdateDate => Some(DateProperty::LastUpdate),
        Property::LastRotateDate => Some(DateProperty::LastRotate),
        Property::DeletionDate => Some(DateProperty::Deletion),
        Property::ExpirationDate => Some(DateProperty::Expiration),
        Property::Id | Property::State | Property::Extractable | Property::Imported => None,
    }
}

fn sort_column(property: Property) -> &'static str {
    match property {
        Property::State => "k.state",
        Property::Extractable => "k.extractable",
        Property::Imported => "k.imported",
        Property::Id => "k.id",
        Property::CreationDate
        | Property::LastUpdateDate
        | Property::LastRotateDate
        | Property::DeletionDate
        | Property::ExpirationDate => date_of(property).map_or("k.id", date_column),
    }
}
