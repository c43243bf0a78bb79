//! Giving keys aliases, and taking them away.

use std::sync::Arc;

use crate::app::App;
use crate::app::create_key::free_aliases;
use crate::app::error::Error;
use crate::app::lookup;
use crate::domain::access::Place;
use crate::domain::alias::{Alias, KeyRef};
use crate::domain::audit::{Datum, Record, Side};
use crate::domain::context::Context;
use crate::domain::key::Key;
use crate::domain::key::machine::Action;
use crate::domain::reason::Reason;
use crate::store::{aliases, keys};

/// Gives a key one more alias.
///
/// # Errors
/// `KeyNotFound`; a text that no alias can be; `KeyDeleted`; `KeyAliasNotUnique`; `KeyAliasQuota`.
///
/// Source: docs, create-key-alias.
pub(crate) async fn create_alias(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: KeyRef,
    alias: Result<Alias, Reason>,
) -> Result<Key, Error> {
    cx.allow(Place::Anywhere)?;
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let mut key = lookup::key(tx, &cx, &reference)?;
        let alias = alias?;
        key.act(Action::AddAlias, cx.caller.iam_id(), cx.now)?;
        free_aliases(tx, key.instance, std::slice::from_ref(&alias), key.aliases.len())?;
        aliases::insert(tx, key.instance, key.id, &alias, cx.now.whole_seconds(), cx.caller.iam_id())?;
        keys::update(tx, &key)?;
        let mut record = Record::of(&cx, 201).about(&key);
        record.add(Side::Request, "alias", Datum::Text(alias.as_str().to_owned()));
        shared.record(tx, record)?;
        key.aliases.push(alias);
        Ok(key)
    })
    .await
}

/// Takes an alias away from a key, at once.
///
/// # Errors
/// `KeyNotFound`; `KeyDeleted` (ASSUMED, as for creation); also `KeyNotFound` when the key has no such alias.
pub(crate) async fn delete_alias(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: KeyRef,
    alias: Result<Alias, Reason>,
) -> Result<(), Error> {
    cx.allow(Place::Anywhere)?;
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let mut key = lookup::key(tx, &cx, &reference)?;
        let alias = alias?;
        key.act(Action::RemoveAlias, cx.caller.iam_id(), cx.now)?;
        if !aliases::remove(tx, key.id, &alias)? {
            return Err(Reason::KeyNotFound.into());
        }
        keys::update(tx, &key)?;
        let mut record = Record::of(&cx, 204).about(&key);
        record.add(Side::Request, "alias", Datum::Text(alias.as_str().to_owned()));
        shared.record(tx, record)
    })
    .await
}
