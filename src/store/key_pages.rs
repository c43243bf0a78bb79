//! Pages of keys without a walk over all of them. Each index begins with a key's kind and goes on with one order; a list is
//! one walk for each kind that there is, and the walks are merged. Where few keys are meant and they lie far apart in that
//! order, they are picked out by another index and sorted.

use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};

use crate::domain::access::Visible;
use crate::domain::filter::DateProperty;
use crate::domain::id::InstanceId;
use crate::domain::pattern::Pattern;
use crate::domain::selection::Selection;
use crate::domain::sort::{Direction, Term as SortTerm};
use crate::store::Error;
use crate::store::key_kinds::{self, Group, Range};
use crate::store::key_order::{Class, classes, columns, date_of, is_order_of_index, order, settled};
use crate::store::key_query::{Clause, date_column};
use crate::store::key_walks::{Path, Query};
use crate::store::tx::Tx;

/// So many keys are sorted without looking for anything better.
const SORTED_AT_ONCE: i64 = 1_000;
/// Keys that are sorted in the time in which one is looked at on a walk.
const SORTED_PER_STEP: i64 = 3;
/// Walks within rings that are merged at most.
const RING_WALKS_MAX: usize = 200;

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

/// What a page shows of each key.
pub(crate) trait Shown: Sized {
    /// Columns of keys `k`.
    const COLUMNS: &'static str;

    /// Reads them, the first of them in that place.
    fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self>;
}

/// The number of its row.
impl Shown for i64 {
    const COLUMNS: &'static str = "k.seq";

    fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        row.get(first)
    }
}

/// The keys that are meant, in order. Keys that lack a property come last both ways; ties go by id.
///
/// # Errors
/// The store's.
pub(crate) fn page<T: Shown>(
    tx: &Tx<'_>,
    instance: InstanceId,
    selection: &Selection,
    sort: &[SortTerm],
    window: Window,
) -> Result<Vec<T>, Error> {
    let terms = settled(sort);
    if let Some(ids) = named(&selection.visible) {
        return pick(tx, instance, selection, &terms, &ids, window);
    }
    Pages::of(tx, instance, selection)?.ordered(terms, window)
}

/// So many of the keys that are meant, in no order: for who looks at all of them.
///
/// # Errors
/// The store's.
pub(crate) fn unordered<T: Shown>(
    tx: &Tx<'_>,
    instance: InstanceId,
    selection: &Selection,
    most: i64,
) -> Result<Vec<T>, Error> {
    let window = Window { limit: most, offset: 0 };
    if let Some(ids) = named(&selection.visible) {
        return pick(tx, instance, selection, &[], &ids, window);
    }
    let pages = Pages::of(tx, instance, selection)?;
    let path = pages.path(&pages.groups, None, window)?;
    pages.walk(path, &Class { groups: pages.groups.clone(), terms: Vec::new() }, "", window)
}

/// The first of what is sorted by, where that is a date.
struct FirstDate(i64);

impl Shown for FirstDate {
    const COLUMNS: &'static str = "NULL";

    fn read(row: &Row<'_>, _: usize) -> rusqlite::Result<Self> {
        row.get(0).map(Self)
    }
}

/// True when more keys are meant than that.
///
/// # Errors
/// The store's.
pub(crate) fn exceeds(tx: &Tx<'_>, instance: InstanceId, selection: &Selection, most: i64) -> Result<bool, Error> {
    if named(&selection.visible).is_none() {
        let pages = Pages::of(tx, instance, selection)?;
        let known = pages.known();
        if known <= most || pages.are_all_meant() {
            return Ok(known > most);
        }
    }
    let found: Vec<i64> = page(tx, instance, selection, &[], Window { limit: 1, offset: most })?;
    Ok(!found.is_empty())
}

/// The kinds that may hold keys that are meant.
pub(crate) struct Pages<'a, 'c> {
    tx: &'a Tx<'c>,
    instance: InstanceId,
    selection: &'a Selection,
    /// Those in rings that are meant.
    groups: Vec<Group>,
    /// Those in all rings.
    everywhere: Vec<Group>,
    ranges: Vec<Range>,
    /// True when not all rings are meant, and there are few enough to be walked one by one.
    rings_limit: bool,
}

impl<'a, 'c> Pages<'a, 'c> {
    /// Of an instance.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn of(tx: &'a Tx<'c>, instance: InstanceId, selection: &'a Selection) -> Result<Self, Error> {
        let ranges = key_kinds::ranges(selection);
        let mut everywhere = key_kinds::groups(tx, instance, selection)?;
        if ranges.iter().any(|range| range.least > range.most) {
            everywhere.clear();
        }
        let wanted = |group: &&Group| key_kinds::is_ring_meant(selection, &group.ring);
        let groups: Vec<Group> = everywhere.iter().filter(wanted).cloned().collect();
        let rings_limit = groups.len() < everywhere.len() && groups.len() <= RING_WALKS_MAX;
        Ok(Self { tx, instance, selection, groups, everywhere, ranges, rings_limit })
    }

    /// Keys of these kinds in these rings.
    pub(crate) fn known(&self) -> i64 {
        self.groups.iter().map(|group| group.keys).sum()
    }

    /// True when all those are meant.
    pub(crate) fn are_all_meant(&self) -> bool {
        self.ranges.is_empty() && key_kinds::are_rings_whole(self.selection)
    }

    /// The range of the one date that the kinds and rings leave open, when there is nothing else.
    pub(crate) fn only_range(&self) -> Option<Range> {
        let whole = self.groups.len() == self.everywhere.len() && key_kinds::are_rings_whole(self.selection);
        self.ranges.first().copied().filter(|_| whole && self.ranges.len() == 1)
    }

    /// Different kinds, as SQL has a list of them.
    pub(crate) fn kinds(&self) -> String {
        let mut numbers: Vec<String> = self.groups.iter().map(|group| group.kind.number().to_string()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.join(",")
    }

    fn ordered<T: Shown>(&self, terms: Vec<SortTerm>, window: Window) -> Result<Vec<T>, Error> {
        let mut page = Vec::new();
        // How many there are in a class is known only after it was walked.
        let (mut skip, mut take) = (window.offset, window.limit);
        for class in classes(self.groups.clone(), terms) {
            if take == 0 {
                break;
            }
            let exact = self.are_all_meant();
            let known: i64 = class.groups.iter().map(|group| group.keys).sum();
            if exact && known <= skip {
                skip -= known;
                continue;
            }
            let found = self.of_class::<T>(&class, Window { limit: take.saturating_add(skip), offset: 0 })?;
            let count = i64::try_from(found.len()).unwrap_or(i64::MAX);
            page.extend(found.into_iter().skip(usize::try_from(skip).unwrap_or(usize::MAX)));
            take -= (count - skip).max(0);
            skip = (skip - count).max(0);
        }
        Ok(page)
    }

    fn of_class<T: Shown>(&self, class: &Class, window: Window) -> Result<Vec<T>, Error> {
        let first = class.terms.first().and_then(|term| date_of(term.property));
        let path = self.path(&class.groups, first, window)?;
        match first {
            Some(date) if path == Path::Date(date) && !is_order_of_index(&class.terms) => {
                self.with_ties(class, date, window)
            }
            Some(_) | None => self.walk(path, class, "", window),
        }
    }

    /// Along a date, when keys of one date come in another order than the index has them: where the page ends in a
    /// crowd of one date, that crowd is not sorted for it.
    fn with_ties<T: Shown>(&self, class: &Class, date: DateProperty, window: Window) -> Result<Vec<T>, Error> {
        let [dated, rest @ ..] = class.terms.as_slice() else { return Ok(Vec::new()) };
        let path = Path::Date(date);
        let along = Class { groups: class.groups.clone(), terms: vec![*dated] };
        let column = date_column(date);
        let at_end = Window { limit: 1, offset: window.end() - 1 };
        let last: Vec<FirstDate> = self.walk(path, &along, "", at_end)?;
        let Some(FirstDate(last)) = last.first() else { return self.walk(path, class, "", window) };
        let before = if dated.direction == Direction::Descending { ">" } else { "<" };
        let mut page = self.walk::<T>(path, class, &format!(" AND {column} {before} {last}"), window)?;
        for ties in classes(class.groups.clone(), rest.to_vec()) {
            let left = window.limit - i64::try_from(page.len()).unwrap_or(i64::MAX);
            let at_last = format!(" AND {column} = {last}");
            page.extend(self.walk::<T>(path, &ties, &at_last, Window { limit: left.max(0), offset: 0 })?);
        }
        Ok(page)
    }

    /// The index that is in the order that is wanted, or one that finds few keys to be sorted.
    fn path(&self, groups: &[Group], first: Option<DateProperty>, window: Window) -> Result<Path, Error> {
        let mut path = match first {
            Some(date) => Path::Date(date),
            None if self.rings_limit => Path::Ring,
            None => Path::Id,
        };
        let of_kind = |all: &&Group| groups.iter().any(|group| group.kind == all.kind);
        let total: i64 = self.everywhere.iter().filter(of_kind).map(|group| group.keys).sum();
        let steps = total.saturating_mul(window.end()).saturating_mul(SORTED_PER_STEP);
        let mut least = SORTED_AT_ONCE.max(steps.isqrt());
        let in_rings = groups.iter().map(|group| group.keys).sum();
        if self.rings_limit && in_rings < least {
            (path, least) = (Path::Ring, in_rings);
        }
        for range in &self.ranges {
            let found = self.count_up_to(groups, *range, least)?;
            if found < least {
                (path, least) = (Path::Date(range.date), found);
            }
        }
        Ok(path)
    }

    fn walk<T: Shown>(&self, path: Path, class: &Class, more: &str, window: Window) -> Result<Vec<T>, Error> {
        if class.groups.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = Query::new(self.instance);
        let condition = query.condition(Clause::besides_kinds(self.selection)) + more;
        let columns = |kind| columns(&class.terms, Some(kind), T::COLUMNS);
        let sql = query.branches(path, &class.groups, columns, &condition);
        query.page(self.tx, &format!("{sql}{}", order(&class.terms)), window, |row| T::read(row, class.terms.len()))
    }

    /// Keys of these kinds in a range of a date, up to so many; other conditions apart.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn in_range(&self, range: Range, most: i64) -> Result<i64, Error> {
        self.count_up_to(&self.groups, range, most)
    }

    fn count_up_to(&self, groups: &[Group], range: Range, most: i64) -> Result<i64, Error> {
        self.counted(Path::Date(range.date), groups, Clause::of_range(range), most)
    }

    /// All keys that are meant, one by one along the index that finds fewest.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn counted_one_by_one(&self) -> Result<i64, Error> {
        let (mut path, mut least) = if self.rings_limit {
            (Path::Ring, self.known())
        } else {
            (Path::Id, self.everywhere.iter().map(|group| group.keys).sum())
        };
        for range in &self.ranges {
            let found = self.count_up_to(&self.groups, *range, least)?;
            if found < least {
                (path, least) = (Path::Date(range.date), found);
            }
        }
        self.counted(path, &self.groups, Clause::besides_kinds(self.selection), i64::MAX)
    }

    fn counted(&self, path: Path, groups: &[Group], clause: Clause, most: i64) -> Result<i64, Error> {
        if groups.is_empty() {
            return Ok(0);
        }
        let mut query = Query::new(self.instance);
        let condition = query.condition(clause);
        let branches = query.branches(path, groups, |_| "1".to_owned(), &condition);
        query.values.push(most.into());
        let sql = format!("SELECT count(*) FROM ({branches} LIMIT ?{})", query.values.len());
        Ok(self.tx.prepare(&sql)?.query_row(params_from_iter(query.values), |row| row.get(0))?)
    }
}

/// For whoever may see keys by their ids alone.
fn pick<T: Shown>(
    tx: &Tx<'_>,
    instance: InstanceId,
    selection: &Selection,
    terms: &[SortTerm],
    ids: &[&str],
    window: Window,
) -> Result<Vec<T>, Error> {
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
        columns(terms, None, T::COLUMNS),
        numbers.join(","),
        order(terms)
    );
    query.page(tx, &sql, window, |row| T::read(row, terms.len()))
}

/// The ids that a caller may see, when there is nothing else.
pub(crate) fn named(visible: &Visible) -> Option<Vec<&str>> {
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
