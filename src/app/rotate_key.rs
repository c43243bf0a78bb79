//! Rotating root keys.

use std::sync::Arc;

use crate::app::App;
use crate::app::error::Error;
use crate::app::lookup;
use crate::domain::access;
use crate::domain::alias::KeyRef;
use crate::domain::audit::Record;
use crate::domain::context::Context;
use crate::domain::key::Key;
use crate::domain::key::machine::Action;
use crate::domain::material::Material;
use crate::domain::reason::Reason;
use crate::store::tx::Tx;
use crate::store::{key_versions, keys, policies};

/// Where the new version's material comes from.
pub(crate) enum NewMaterial {
    /// Nothing was sent: the service makes it.
    Generated,
    /// The caller's own bytes.
    Given(Material),
    /// Sealed for an import token.
    Sealed,
}

/// Gives a root key a new version. The key's id stays; what older versions sealed still opens.
///
/// # Errors
/// `KeyNotFound`; what the body breaks; `KeyRootRequired`; a payload for a generated key or none for an imported one;
/// `KeyInvalidState`; `KeyDeleted`; `KeyRotationNotPermitted` within an hour of the last rotation.
///
/// Source: docs, rotate-keys; go-client `Rotate`.
pub(crate) async fn rotate_key(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: KeyRef,
    given: Result<NewMaterial, Reason>,
) -> Result<(), Error> {
    access::allow(&cx.caller, cx.operation)?;
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let key = lookup::key(tx, &cx, &reference)?;
        let given = given?;
        key.require_root_for(Action::Rotate)?;
        let material = match (given, key.imported) {
            (NewMaterial::Generated, false) => shared.vault.generate()?,
            (NewMaterial::Given(material), true) => material,
            (NewMaterial::Generated, true) => return Err(Reason::KeyPayloadRequired.into()),
            (NewMaterial::Sealed, true) => return Err(Reason::ImportTokenExpired.into()),
            (NewMaterial::Given(_) | NewMaterial::Sealed, false) => {
                return Err(Reason::query("payload", "provided only if key is imported").into());
            }
        };
        add_version(&shared, tx, &cx, key, &material)
    })
    .await
}

/// Rotates with material at hand, by whoever: a person or the schedule.
///
/// # Errors
/// What the state machine refuses, or a fault.
pub(crate) fn add_version(
    app: &App,
    tx: &Tx<'_>,
    cx: &Context,
    mut key: Key,
    material: &Material,
) -> Result<(), Error> {
    let version = app.vault.version_id()?;
    key.rotate(version, material.bits(), cx.caller.iam_id(), cx.now)?;
    let sealed = app.vault.seal_version(key.id, version, material)?;
    key_versions::insert(tx, key.id, &key.version, &sealed)?;
    if let Some(policy) = &key.rotation {
        policies::set_rotation(tx, key.id, policy)?;
    }
    keys::update(tx, &key)?;
    app.record(tx, Record::of(cx, 204).about(&key))
}
