//! Rotating root keys.

use std::borrow::Cow;
use std::sync::Arc;

use crate::app::App;
use crate::app::error::Error;
use crate::app::import_token;
use crate::app::lookup;
use crate::app::outbox;
use crate::domain::access::Place;
use crate::domain::alias::KeyRef;
use crate::domain::audit::Record;
use crate::domain::context::Context;
use crate::domain::event::Happening;
use crate::domain::import_token::SealedMaterial;
use crate::domain::instance_policy::key_access::Making;
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
    Sealed(SealedMaterial),
}

/// Source: go-client: the target is a query parameter, although it is a body field.
const PAYLOAD_UNWANTED: Reason =
    Reason::InvalidQueryParam { name: "payload", rule: Cow::Borrowed("provided only if key is imported") };

/// Gives a root key a new version. The key's id stays; what older versions sealed still opens.
///
/// # Errors
/// `KeyNotFound`; what the body breaks; `KeyRootRequired`; a payload for a generated key or none for an imported one;
/// `KeyInvalidState`; `KeyDeleted`; `KeyRotationNotPermitted` within an hour of the last rotation;
/// `KeyCreateImportAccess` for plain material where imports need a token.
///
/// Source: docs, rotate-keys; go-client `Rotate`.
pub(crate) async fn rotate_key(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: KeyRef,
    given: Result<NewMaterial, Reason>,
) -> Result<(), Error> {
    cx.allow(Place::Anywhere)?;
    let making = match &given {
        Ok(NewMaterial::Given(_)) => Making::ImportedPlain,
        Ok(NewMaterial::Sealed(_)) => Making::ImportedSealed,
        Ok(NewMaterial::Generated) | Err(_) => Making::Generated,
    };
    let given = match given {
        Ok(NewMaterial::Sealed(sealed)) => unseal(app, &cx, &reference, sealed).await?,
        given => given,
    };
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let key = lookup::key(tx, &cx, &reference)?;
        let given = given?;
        key.require_root_for(Action::Rotate)?;
        let material = match given {
            NewMaterial::Generated if key.imported => return Err(Reason::KeyPayloadRequired.into()),
            NewMaterial::Generated => shared.vault.generate()?,
            NewMaterial::Given(material) if key.imported => material,
            NewMaterial::Given(_) | NewMaterial::Sealed(_) => return Err(PAYLOAD_UNWANTED.into()),
        };
        key.check(Action::Rotate, cx.now)?;
        cx.instance.policies.allow_material(making)?;
        add_version(&shared, tx, &cx, key, &material)
    })
    .await
}

/// Opens material that was sealed for an import token, once it is clear that the key may have it.
async fn unseal(
    app: &Arc<App>,
    cx: &Arc<Context>,
    reference: &KeyRef,
    sealed: SealedMaterial,
) -> Result<Result<NewMaterial, Reason>, Error> {
    let (wanted, named) = (Arc::clone(cx), reference.clone());
    let imported = app
        .read(move |tx| {
            let key = lookup::key(tx, &wanted, &named)?;
            key.require_root_for(Action::Rotate)?;
            Ok(key.imported)
        })
        .await?;
    if !imported {
        return Err(PAYLOAD_UNWANTED.into());
    }
    let material = import_token::open(app, cx, sealed).await?;
    Ok(Ok(NewMaterial::Given(material)))
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
    let former = key.version;
    let version = app.vault.version_id()?;
    key.rotate(version, material.bits(), cx.caller.iam_id(), cx.now)?;
    let sealed = app.vault.seal_version(key.id, version, material)?;
    key_versions::insert(tx, key.id, &key.version, &sealed)?;
    if let Some(policy) = &key.rotation {
        policies::set_rotation(tx, key.id, policy)?;
    }
    keys::update(tx, &key)?;
    outbox::publish(app, tx, cx, &key, Some(Happening::rotation(former)))?;
    app.record(tx, Record::of(cx, 204).about(&key))
}
