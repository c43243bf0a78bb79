//! Listing and counting keys.

use std::sync::Arc;

use crate::app::App;
use crate::app::error::Error;
use crate::domain::access;
use crate::domain::audit::{Datum, Record, Side};
use crate::domain::context::Context;
use crate::domain::id::{InstanceId, KeyId};
use crate::domain::key::Key;
use crate::domain::reason::Reason;
use crate::domain::search::{CANDIDATES_MAX, Candidate, Search};
use crate::domain::selection::Selection;
use crate::domain::sort::Term;
use crate::store::key_pages::{self, Window};
use crate::store::tx::Tx;
use crate::store::{aliases, key_counting, key_query};

/// A list that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct ListQuery {
    pub(crate) selection: Selection,
    pub(crate) search: Option<Search>,
    pub(crate) sort: Vec<Term>,
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

/// A page of keys.
pub(crate) struct Listing {
    pub(crate) keys: Vec<Key>,
    pub(crate) search: Option<Search>,
    /// True when only the looked-up key is shown since there were too many to search.
    pub(crate) incomplete: bool,
}

/// Lists the keys of an instance that the caller may see; who may see none gets an empty list.
///
/// # Errors
/// What the query breaks; `KeySearchTooBroad`.
///
/// Source: docs, view-keys; API reference, getKeys; docs, ts-unable-to-list-keys-api.
pub(crate) async fn list_keys(
    app: &Arc<App>,
    cx: Arc<Context>,
    query: Result<ListQuery, Reason>,
) -> Result<Listing, Error> {
    let mut query = query?;
    query.selection.ring.clone_from(&cx.ring);
    query.selection.visible = access::visible(&cx.rights, cx.operation);
    let instance = cx.instance.id;
    let listing = app
        .read(move |tx| {
            if let Some(search) = &query.search {
                return searched(tx, instance, &query, search);
            }
            let window = Window { limit: query.limit, offset: query.offset };
            let keys = key_query::list(tx, instance, &query.selection, &query.sort, window)?;
            Ok(Listing { keys, search: None, incomplete: false })
        })
        .await?;
    note_total(app, &cx, i64::try_from(listing.keys.len()).unwrap_or(i64::MAX)).await;
    Ok(listing)
}

/// Counts the keys of an instance that the caller may see; who may see none counts none.
///
/// # Errors
/// What the query breaks.
///
/// Source: API reference, getKeyCollectionMetadata; the zero is ASSUMED.
pub(crate) async fn count_keys(
    app: &Arc<App>,
    cx: Arc<Context>,
    selection: Result<Selection, Reason>,
) -> Result<i64, Error> {
    let mut selection = selection?;
    selection.ring.clone_from(&cx.ring);
    selection.visible = access::visible(&cx.rights, cx.operation);
    let instance = cx.instance.id;
    let total = app.read(move |tx| Ok(key_counting::count(tx, instance, &selection)?)).await?;
    note_total(app, &cx, total).await;
    Ok(total)
}

async fn note_total(app: &Arc<App>, cx: &Context, total: i64) {
    let mut record = Record::of(cx, 200);
    record.add(Side::Response, "totalResources", Datum::Number(total));
    app.note(record).await;
}

fn searched(tx: &Tx<'_>, instance: InstanceId, query: &ListQuery, search: &Search) -> Result<Listing, Error> {
    let most = i64::try_from(CANDIDATES_MAX).unwrap_or(i64::MAX);
    let skip = usize::try_from(query.offset).unwrap_or(usize::MAX);
    let take = usize::try_from(query.limit).unwrap_or(usize::MAX);
    if key_pages::exceeds(tx, instance, &query.selection.without_dates(), most)? {
        // The look-up alone is still made: it needs no walk over all candidates.
        let found = looked_up_in_store(tx, instance, &query.selection, search)?.ok_or(Reason::KeySearchTooBroad)?;
        let keys = std::iter::once(found).skip(skip).take(take).collect();
        return Ok(Listing { keys, search: Some(search.clone()), incomplete: true });
    }
    let finder = search.finder();
    let named = [search.id(), named_by_alias(tx, instance, search)?].map(|id| id.map(|id| id.to_string()));
    let mut matching = Vec::new();
    for key in key_query::candidates(tx, instance, &query.selection, &search.scopes, most)? {
        let mut found = finder.knows(&key);
        if !found && key.aliased {
            found = key_query::has_alias(tx, &key.id, |alias| finder.finds(alias))?;
        }
        if found != search.not {
            matching.push(key);
        }
    }
    key_query::put_in_order(tx, instance, &query.selection, &query.sort, most, &mut matching)?;
    // The very key that the text names comes first.
    let (first, rest): (Vec<Candidate>, Vec<Candidate>) =
        matching.into_iter().partition(|key| named.iter().flatten().any(|id| *id == key.id));
    let shown = first.into_iter().chain(rest).skip(skip).take(take);
    let keys = key_query::whole(tx, shown.map(|candidate| candidate.row))?;
    Ok(Listing { keys, search: Some(search.clone()), incomplete: false })
}

/// The key that has the text as its alias, if aliases are searched.
fn named_by_alias(tx: &Tx<'_>, instance: InstanceId, search: &Search) -> Result<Option<KeyId>, Error> {
    let Some(alias) = search.alias() else { return Ok(None) };
    Ok(aliases::key_of(tx, instance, &alias)?)
}

fn looked_up_in_store(
    tx: &Tx<'_>,
    instance: InstanceId,
    selection: &Selection,
    search: &Search,
) -> Result<Option<Key>, Error> {
    use crate::domain::alias::KeyRef;
    if search.not {
        return Ok(None);
    }
    for reference in [search.id().map(KeyRef::Id), search.alias().map(KeyRef::Alias)].into_iter().flatten() {
        let found = crate::store::keys::find(tx, instance, &reference)?;
        if let Some(key) = found
            && key_query::holds(tx, &key, selection)?
        {
            return Ok(Some(key));
        }
    }
    Ok(None)
}
