//! Actions that a key's state machine decides alone: disable, enable, deletion by two people, sync.

use std::sync::Arc;

use crate::app::App;
use crate::app::error::Error;
use crate::app::lookup;
use crate::app::outbox;
use crate::domain::access::Place;
use crate::domain::alias::KeyRef;
use crate::domain::audit::Record;
use crate::domain::context::Context;
use crate::domain::event::Happening;
use crate::domain::key::Key;
use crate::domain::key::machine::Action;
use crate::domain::policy::DeletionAuthorization;
use crate::domain::reason::Reason;
use crate::store::keys;

/// Disables a root key: no wrap or unwrap until it is enabled again.
///
/// # Errors
/// `KeyNotFound`; `KeyRootRequired`; `KeyInvalidState` unless active; `KeyDeleted`.
///
/// Source: docs, disable-keys; go-client `DisableKey`.
pub(crate) async fn disable_key(app: &Arc<App>, cx: Arc<Context>, key: KeyRef) -> Result<(), Error> {
    act(app, cx, key, Action::Disable).await
}

/// Enables a disabled root key, 30 s after its last change at the earliest.
///
/// # Errors
/// `KeyNotFound`; `KeyRootRequired`; `KeyInvalidState` unless suspended; `RequestTooEarly`; `KeyDeleted`.
///
/// Source: docs, disable-keys; go-client `EnableKey`.
pub(crate) async fn enable_key(app: &Arc<App>, cx: Arc<Context>, key: KeyRef) -> Result<(), Error> {
    act(app, cx, key, Action::Enable).await
}

/// Asks the services behind the key's registrations to be told again.
///
/// # Errors
/// `KeyNotFound`; `KeyRootRequired`; `RequestTooEarly` within an hour of the last event.
///
/// Source: docs, sync-associated-resources; go-client `SyncAssociatedResources`.
pub(crate) async fn sync_key(app: &Arc<App>, cx: Arc<Context>, key: KeyRef) -> Result<(), Error> {
    cx.allow(Place::Anywhere)?;
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let mut key = lookup::key(tx, &cx, &key)?;
        key.sync(cx.now)?;
        keys::update(tx, &key)?;
        outbox::publish(&shared, tx, &cx, &key, Happening::again(&key))?;
        shared.record(tx, Record::of(&cx, 204).about(&key))
    })
    .await
}

/// Notes a first person's permission to delete a key.
///
/// # Errors
/// `KeyNotFound`; `KeyInvalidState` unless active; `KeyDeleted`; `NotDualAuth`.
///
/// Source: docs, manage-dual-auth.
pub(crate) async fn set_for_deletion(app: &Arc<App>, cx: Arc<Context>, key: KeyRef) -> Result<(), Error> {
    authorize(app, cx, key, Key::set_for_deletion).await
}

/// Takes the permission to delete back.
///
/// # Errors
/// As [`set_for_deletion`].
pub(crate) async fn unset_for_deletion(app: &Arc<App>, cx: Arc<Context>, key: KeyRef) -> Result<(), Error> {
    authorize(app, cx, key, |key, _, now| key.unset_for_deletion(now)).await
}

async fn act(app: &Arc<App>, cx: Arc<Context>, reference: KeyRef, action: Action) -> Result<(), Error> {
    cx.allow(Place::Anywhere)?;
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let mut key = lookup::key(tx, &cx, &reference)?;
        key.act(action, cx.caller.iam_id(), cx.now)?;
        keys::update(tx, &key)?;
        outbox::publish(&shared, tx, &cx, &key, Happening::of_action(action))?;
        shared.record(tx, Record::of(&cx, 204).about(&key))
    })
    .await
}

async fn authorize<F>(app: &Arc<App>, cx: Arc<Context>, reference: KeyRef, change: F) -> Result<(), Error>
where
    F: FnOnce(&mut Key, &str, crate::domain::time::Timestamp) -> Result<(), Reason> + Send + 'static,
{
    cx.allow(Place::Anywhere)?;
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let mut key = lookup::key(tx, &cx, &reference)?;
        let before = key.authorization.clone();
        change(&mut key, cx.caller.iam_id(), cx.now)?;
        keys::update(tx, &key)?;
        let mut record = Record::of(&cx, 204).about(&key);
        describe(&mut record, "initialValue", before.as_ref());
        describe(&mut record, "newValue", key.authorization.as_ref());
        shared.record(tx, record)
    })
    .await
}

fn describe(record: &mut Record, which: &str, authorization: Option<&DeletionAuthorization>) {
    if let Some(authorization) = authorization {
        record.respond(&format!("{which}.authID"), &*authorization.by);
        record.respond(&format!("{which}.authExpiration"), authorization.until.rfc3339());
    }
}
