//! The end of a key's life: deletion, restoration, purge.

use std::sync::Arc;

use crate::app::App;
use crate::app::error::Error;
use crate::app::lookup;
use crate::app::outbox;
use crate::app::read_key::Seen;
use crate::app::settle;
use crate::domain::access::Place;
use crate::domain::alias::KeyRef;
use crate::domain::audit::{Datum, Record, Side};
use crate::domain::context::Context;
use crate::domain::event::Happening;
use crate::domain::force::Force;
use crate::domain::instance_policy::key_access::Making;
use crate::domain::key::machine::Action;
use crate::domain::key::{Key, Kind};
use crate::domain::reason::Reason;
use crate::store::kmip::adapters;
use crate::store::registrations::Protection;
use crate::store::tx::Tx;
use crate::store::{key_versions, keys, policies, registrations};

/// What `prefer` asks a reply to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Nothing: 204.
    Minimal,
    /// The key: 200.
    Representation,
}

impl Reply {
    /// The status that goes with it.
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::Minimal => 204,
            Self::Representation => 200,
        }
    }
}

/// Deletes a key of any living state: it is destroyed at once and can be restored for 30 days.
///
/// # Errors
/// `KeyNotFound`; what the query breaks; `KeyDeleted`; `AuthorizationsNotMet` for a key that needs two people;
/// `DeletionPrevented`; `ProtectedResource` for one that registrations or KMIP adapters hang on, unless forced.
///
/// Source: docs, delete-keys, kmip; the order of the checks is ASSUMED.
pub(crate) async fn delete_key(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: KeyRef,
    force: Result<Force, Reason>,
    reply: Reply,
) -> Result<Seen, Error> {
    cx.allow(Place::Anywhere)?;
    let shared = Arc::clone(app);
    let (key, sealed) = app
        .write(move |tx| {
            let mut key = lookup::key(tx, &cx, &reference)?;
            let force = force?;
            key.check(Action::Delete, cx.now)?;
            key.allow_deletion_by(cx.caller.iam_id(), cx.now)?;
            unprotected(tx, &key, force)?;
            key.act(Action::Delete, cx.caller.iam_id(), cx.now)?;
            keys::update(tx, &key)?;
            outbox::publish(&shared, tx, &cx, &key, Happening::of_action(Action::Delete))?;
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

/// A key that protects resources is deleted by force alone; one with a resource that forbids it, not even so.
///
/// Source: docs, delete-keys, error-messages 24.
fn unprotected(tx: &Tx<'_>, key: &Key, force: Force) -> Result<(), Error> {
    let protection = registrations::protection(tx, key.id)?;
    if protection == Protection::Absolute {
        return Err(Reason::DeletionPrevented.into());
    }
    let protected = protection == Protection::Some || adapters::hang_on(tx, key.id)?;
    if protected && force == Force::No { Err(Reason::ProtectedResource.into()) } else { Ok(()) }
}

/// Brings a destroyed key back, active, with its versions, aliases and policies.
///
/// # Errors
/// `KeyNotFound`; `KeyInvalidState` unless destroyed; `RequestTooEarly`; `KeyRestoreExpired`; `KeyExpired`;
/// `KeyCreateImportAccess` for an imported key where imports need a token.
///
/// Source: docs, restore-keys.
pub(crate) async fn restore_key(app: &Arc<App>, cx: Arc<Context>, reference: KeyRef) -> Result<Key, Error> {
    cx.allow(Place::Anywhere)?;
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let mut key = lookup::key(tx, &cx, &reference)?;
        key.act(Action::Restore, cx.caller.iam_id(), cx.now)?;
        if key.imported {
            // A restoration brings no token: it reads no body.
            cx.instance.policies.allow_material(Making::ImportedPlain)?;
        }
        if let Some(policy) = &key.rotation {
            policies::set_rotation(tx, key.id, policy)?;
        }
        keys::update(tx, &key)?;
        outbox::publish(&shared, tx, &cx, &key, Happening::of_action(Action::Restore))?;
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
    cx.allow(Place::Anywhere)?;
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
    settle::drop_events(tx, key.id, None)?;
    keys::purge(tx, &key)?;
    app.leave_ring(tx, &key, &key.ring, cx.now)?;
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
