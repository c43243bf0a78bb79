//! Reading one key: itself, its versions, its policies.

use std::sync::Arc;

use crate::app::App;
use crate::app::error::Error;
use crate::app::lookup;
use crate::domain::access::Place;
use crate::domain::alias::KeyRef;
use crate::domain::audit::{Datum, Record, Side};
use crate::domain::context::Context;
use crate::domain::key::machine::Action;
use crate::domain::key::{Key, Kind, State};
use crate::domain::material::Material;
use crate::domain::operation::Operation;
use crate::domain::reason::Reason;
use crate::store::key_versions::{self, Page};

/// A key as its reader may see it.
pub(crate) struct Seen {
    pub(crate) key: Key,
    /// A standard key's material, unless it is destroyed or only the metadata was asked for.
    pub(crate) material: Option<Material>,
}

/// What of a key is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// With a standard key's material.
    Whole,
    Metadata,
}

/// Which versions are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VersionsQuery {
    pub(crate) limit: i64,
    pub(crate) offset: i64,
    /// `allKeyStates=true` asks for [`Action::ListVersionsInAnyState`].
    pub(crate) action: Action,
}

/// Reads a key in any state.
///
/// # Errors
/// `KeyNotFound`.
///
/// Source: docs, view-keys, retrieve-key; a Reader is refused the whole and may have the metadata (manage-access).
pub(crate) async fn get_key(app: &Arc<App>, cx: Arc<Context>, reference: KeyRef, depth: Depth) -> Result<Seen, Error> {
    cx.allow(Place::Anywhere)?;
    let wanted = cx.clone();
    let (key, sealed) = app
        .read(move |tx| {
            let key = lookup::key(tx, &wanted, &reference)?;
            key.check(Action::Read, wanted.now)?;
            let destroyed = matches!(key.state, State::Destroyed { .. });
            let shown = depth == Depth::Whole && key.kind == Kind::Standard && !destroyed;
            let sealed = if shown { key_versions::sealed(tx, key.id)?.into_iter().next() } else { None };
            Ok((key, sealed))
        })
        .await?;
    let material = match sealed {
        Some(one) => Some(app.vault.open_version(key.id, one.version.id, one.sealed)?),
        None => None,
    };
    let mut record = Record::of(&cx, 200).about(&key);
    record.describe(&key);
    app.note(record).await;
    Ok(Seen { key, material })
}

/// Lists a root key's versions, newest first.
///
/// # Errors
/// `KeyNotFound`; what the query breaks; `KeyRootRequired` (ASSUMED); `KeyInvalidState` unless active or asked for in any
/// state.
///
/// Source: docs, view-key-versions.
pub(crate) async fn list_versions(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: KeyRef,
    query: Result<VersionsQuery, Reason>,
) -> Result<Page, Error> {
    cx.allow(Place::Anywhere)?;
    let wanted = cx.clone();
    let (key, page) = app
        .read(move |tx| {
            let key = lookup::key(tx, &wanted, &reference)?;
            let query = query?;
            key.check(query.action, wanted.now)?;
            let page = key_versions::page(tx, key.id, query.limit, query.offset)?;
            Ok((key, page))
        })
        .await?;
    let mut record = Record::of(&cx, 200).about(&key);
    let total = i64::try_from(page.versions.len()).unwrap_or(i64::MAX);
    record.add(Side::Response, "totalResources", Datum::Number(total));
    app.note(record).await;
    Ok(page)
}

/// Reads what hangs on a key, in any state: its policies are on the key itself.
///
/// # Errors
/// `KeyNotFound`; what the query breaks.
pub(crate) async fn get_attached(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: KeyRef,
    query: Result<(), Reason>,
) -> Result<Key, Error> {
    cx.allow(Place::Anywhere)?;
    let wanted = cx.clone();
    let key = app.read(move |tx| lookup::key(tx, &wanted, &reference)).await?;
    query?;
    let mut record = Record::of(&cx, 200).about(&key);
    if cx.operation == Operation::ListRegistrations {
        record.add(Side::Response, "totalResources", Datum::Number(0));
    }
    app.note(record).await;
    Ok(key)
}
