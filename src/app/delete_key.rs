//! The end of a key's life: deletion, restoration, purge.

use std::sync::Arc;

use crate::app::App;
use crate::app::error::Error;
use crate::app::lookup;
use crate::app::read_key::Seen;
use crate::domain::access;
use crate::domain::alias::KeyRef;
use crate::domain::audit::{Datum, Record, Side};
use crate::domain::context::Context;
use crate::domain::key::machine::Action;
use crate::domain::key::{Key, Kind};
use crate::store::tx::Tx;
use crate::store::{key_versions, keys, policies};

/// What `prefer` asks a reply to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Nothing: 204.
    Minimal,
    /// The key: 200.
    Representation,
}

impl Reply {
    fn status(self) -> u16 {
        match self {
            Self::Minimal => 204,
            Self::Representation => 200,
        }
    }
}

/// Deletes a key of any living state: it is destroyed at once and can be restored for 30 days.
///
/// # Errors
/// `KeyNotFound`; `KeyDeleted`; `AuthorizationsNotMet` for a key that needs two people.
///
/// Source: docs, delete-keys; the order of the checks is ASSUMED.
pub(crate) async fn delete_key(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: KeyRef,
    reply: Reply,
) -> Result<Seen, Error> {
    access::allow(&cx.caller, cx.operation)?;
    let shared = Arc::clone(app);
    let (key, sealed) = app
        .write(move |tx| {
            let mut key = lookup::key(tx, &cx, &reference)?;
            key.check(Action::Delete, cx.now)?;
            key.allow_deletion_by(cx.caller.iam_id(), cx.now)?;
            key.act(Action::Delete, cx.caller.iam_id(), cx.now)?;
            keys::update(tx, &key)?;
            let mut record = Record::of(&cx, reply.status()).about(&key);
            record.add(Side::Response, "keyState", Datum::Number(i64::from(key.state.number())));
            shared.record(tx, record)?;
            let shown = reply == Reply::Representation && key.kind == Kind::Standard;
            let sealed = if shown { key_versions::sealed(tx, key.id)?.into_iter().next() } else { None };
            Ok((key, sealed))
        })
        .await?;
    let material = match sealed {
        Some(one) => Some(app.vault.open_version(key.id, one.version.id, one.sealed)?),
        None => None,
    };
    Ok(Seen { key, material })
}

/// Brings a destroyed key back, active, with its versions, aliases and policies.
///
/// # Errors
/// `KeyNotFound`; `KeyInvalidState` unless destroyed; `RequestTooEarly`; `KeyRestoreExpired`; `KeyExpired`.
///
/// Source: docs, restore-keys.
pub(crate) async fn restore_key(app: &Arc<App>, cx: Arc<Context>, reference: KeyRef) -> Result<Key, Error> {
    access::allow(&cx.caller, cx.operation)?;
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let mut key = lookup::key(tx, &cx, &reference)?;
        key.act(Action::Restore, cx.caller.iam_id(), cx.now)?;
        if let Some(policy) = &key.rotation {
            policies::set_rotation(tx, key.id, policy)?;
        }
        keys::update(tx, &key)?;
        let mut record = Record::of(&cx, 201).about(&key);
        record.respond("keyVersionId", key.version.id.to_string());
        shared.record(tx, record)?;
        Ok(key)
    })
    .await
}

/// Removes a destroyed key for ever, four hours after its deletion at the earliest.
///
/// # Errors
/// `KeyNotFound`; `KeyInvalidState` unless destroyed; `RequestTooEarly`.
///
/// Source: docs, delete-purge-keys; go-client `PurgeKey`.
pub(crate) async fn purge_key(app: &Arc<App>, cx: Arc<Context>, reference: KeyRef, reply: Reply) -> Result<Key, Error> {
    access::allow(&cx.caller, cx.operation)?;
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let key = lookup::key(tx, &cx, &reference)?;
        purge(&shared, tx, &cx, key, reply.status())
    })
    .await
}

/// Purges, by whoever: a person or time.
///
/// # Errors
/// What the state machine refuses, or a fault.
pub(crate) fn purge(app: &App, tx: &Tx<'_>, cx: &Context, mut key: Key, status: u16) -> Result<Key, Error> {
    let afterlife = key.afterlife(cx.now);
    key.act(Action::Purge, cx.caller.iam_id(), cx.now)?;
    keys::purge(tx, &key)?;
    let mut record = Record::of(cx, status).about(&key);
    if let Some(afterlife) = afterlife {
        if let crate::domain::key::State::Destroyed { at, .. } = &key.state {
            record.respond("deletionDate", at.rfc3339());
        }
        record.respond("purgeAllowedFrom", afterlife.purge_from.rfc3339());
        record.respond("purgeEligibleOn", afterlife.purged_at.rfc3339());
    }
    app.record(tx, record)?;
    Ok(key)
}
