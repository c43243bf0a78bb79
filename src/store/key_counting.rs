//! How many keys are meant, without counting them one by one where that can be.

use rusqlite::params;

use crate::domain::filter::DateProperty;
use crate::domain::id::InstanceId;
use crate::domain::selection::Selection;
use crate::store::Error;
use crate::store::key_kinds::Range;
use crate::store::key_pages::{self, Pages, Window};
use crate::store::tx::Tx;

/// Keys on one side of a range that are counted before the other side is tried.
const TRIED_FIRST: i64 = 1_000;

/// How many keys are meant.
///
/// # Errors
/// The store's.
pub(crate) fn count(tx: &Tx<'_>, instance: InstanceId, selection: &Selection) -> Result<i64, Error> {
    if key_pages::named(&selection.visible).is_some() {
        let all = Window { limit: i64::MAX, offset: 0 };
        let found: Vec<i64> = key_pages::page(tx, instance, selection, &[], all)?;
        return Ok(i64::try_from(found.len()).unwrap_or(i64::MAX));
    }
    let pages = Pages::of(tx, instance, selection)?;
    if pages.are_all_meant() {
        return Ok(pages.known());
    }
    match pages.only_range() {
        Some(range) if range.date == DateProperty::Creation => by_spans(tx, instance, &pages, range),
        Some(range) => on_the_shorter_side(&pages, range),
        None => pages.counted_one_by_one(),
    }
}

/// Spans of keys lie within the range, outside, or across an end of it: only the last are counted, and they are few,
/// since keys are numbered as they are made.
fn by_spans(tx: &Tx<'_>, instance: InstanceId, pages: &Pages<'_, '_>, range: Range) -> Result<i64, Error> {
    let sql = format!(
        "SELECT coalesce(sum(iif(s.first >= ?2 AND s.last <= ?3, s.keys,
             (SELECT count(*) FROM keys k INDEXED BY keys_by_creation
              WHERE k.instance_id = ?1 AND k.kind = s.kind AND k.created_at BETWEEN max(?2, s.first) AND min(?3, s.last)
                  AND k.seq >> 10 = s.span))), 0)
         FROM key_spans s WHERE s.instance_id = ?1 AND s.kind IN ({}) AND s.last >= ?2 AND s.first <= ?3",
        pages.kinds()
    );
    let parameters = params![instance.to_string(), range.least, range.most];
    Ok(tx.prepare(&sql)?.query_row(parameters, |row| row.get(0))?)
}

/// Counts what is in the range or what is not, whichever ends sooner; together they are known.
fn on_the_shorter_side(pages: &Pages<'_, '_>, range: Range) -> Result<i64, Error> {
    let below = Range { least: i64::MIN, most: range.least.saturating_sub(1), ..range };
    let above = Range { least: range.most.saturating_add(1), most: i64::MAX, ..range };
    let mut most = TRIED_FIRST;
    loop {
        let inside = pages.in_range(range, most)?;
        if inside < most {
            return Ok(inside);
        }
        let mut outside = 0;
        if range.least > i64::MIN {
            outside += pages.in_range(below, most)?;
        }
        if range.most < i64::MAX {
            outside += pages.in_range(above, most)?;
        }
        if outside < most {
            return Ok(pages.known() - outside);
        }
        most = most.saturating_mul(8);
    }
}
