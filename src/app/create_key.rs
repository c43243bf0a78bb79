//! Creating and importing keys.

use std::sync::Arc;

use crate::app::App;
use crate::app::error::Error;
use crate::app::import_token;
use crate::app::lookup;
use crate::domain::access;
use crate::domain::alias::{Alias, PER_INSTANCE_MAX, PER_KEY_MAX};
use crate::domain::audit::Record;
use crate::domain::context::Context;
use crate::domain::id::{InstanceId, RingId};
use crate::domain::key::draft::{Draft, Origin, Overrides};
use crate::domain::key::{Key, Kind, State, Version};
use crate::domain::material::Material;
use crate::domain::policy::{DualAuthPolicy, PolicyRecord, RotationPolicy};
use crate::domain::reason::Reason;
use crate::store::tx::Tx;
use crate::store::{aliases, key_versions, keys, policies};

/// A new key with its material, which only a standard key's maker may see.
pub(crate) struct Created {
    pub(crate) key: Key,
    pub(crate) material: Material,
}

/// Makes a key, or takes one over, with its aliases and policies: all of it or nothing.
///
/// # Errors
/// `KeyRingNotFound`; what the body breaks; `KeyRootRequiredForRotationPolicy` and `KeyPayloadRequired` for a rotation
/// policy on a key that cannot have one; what [`import_token::open`] refuses; `KeyAliasQuota`; `KeyAliasNotUnique`.
///
/// Source: docs, create-root-keys, import-root-keys; go-client `CreateKeyWithPolicyOverrides`.
pub(crate) async fn create_key(
    app: &Arc<App>,
    cx: Arc<Context>,
    draft: Result<Draft, Reason>,
) -> Result<Created, Error> {
    access::allow(&cx.caller, cx.operation)?;
    let ring = find_ring(app, &cx).await?;
    let draft = draft?;
    check_policies(&draft)?;
    let (material, imported) = match draft.origin {
        Origin::Generated => (app.vault.generate()?, false),
        Origin::Imported(material) => (material, true),
        Origin::Sealed(sealed) => (import_token::open(app, &cx, sealed).await?, true),
    };
    let id = app.vault.key_id()?;
    let at = cx.now.whole_seconds();
    let mut key = Key {
        id,
        instance: cx.instance.id,
        ring,
        kind: draft.kind,
        name: draft.name,
        description: draft.description,
        tags: draft.tags,
        aliases: draft.aliases,
        imported,
        bits: material.bits(),
        state: State::Active,
        expires_at: draft.expires_at,
        created_at: at,
        created_by: cx.caller.iam_id().to_owned(),
        updated_at: at,
        rotated_at: None,
        notified_at: None,
        version: Version { id: id.first_version(), created_at: at },
        authorization: None,
        rotation: None,
        dual_auth: None,
    };
    give_policies(app, &cx, &mut key, &draft.overrides)?;
    let sealed = app.vault.seal_version(id, key.version.id, &material)?;
    let shared = Arc::clone(app);
    let key = app
        .write(move |tx| {
            // Instance and ring may have gone since they were looked for.
            lookup::living_instance(tx, key.instance)?;
            lookup::ring(tx, key.instance, cx.ring.as_ref())?;
            free_aliases(tx, key.instance, &key.aliases, 0)?;
            keys::insert(tx, &key)?;
            key_versions::insert(tx, key.id, &key.version, &sealed)?;
            for alias in &key.aliases {
                aliases::insert(tx, key.instance, key.id, alias, key.created_at, &key.created_by)?;
            }
            if let Some(policy) = &key.rotation {
                policies::set_rotation(tx, key.id, policy)?;
            }
            if let Some(policy) = &key.dual_auth {
                policies::set_dual_auth(tx, key.id, policy)?;
            }
            let mut record = Record::of(&cx, 201).about(&key);
            record.respond("keyId", key.id.to_string());
            record.describe(&key);
            shared.record(tx, record)?;
            Ok(key)
        })
        .await?;
    Ok(Created { key, material })
}

/// A ring that is missing outranks what is wrong with the body.
async fn find_ring(app: &App, cx: &Arc<Context>) -> Result<RingId, Error> {
    if cx.ring.is_none() {
        return Ok(RingId::default_ring());
    }
    let wanted = Arc::clone(cx);
    app.read(move |tx| lookup::ring(tx, wanted.instance.id, wanted.ring.as_ref())).await
}

/// Refuses aliases that a key with `present` aliases cannot have.
///
/// # Errors
/// `KeyAliasQuota`, `KeyAliasNotUnique`; the statuses are ASSUMED.
pub(crate) fn free_aliases(tx: &Tx<'_>, instance: InstanceId, wanted: &[Alias], present: usize) -> Result<(), Error> {
    for (index, alias) in wanted.iter().enumerate() {
        let twice = wanted.iter().take(index).any(|earlier| earlier == alias);
        if twice || aliases::key_of(tx, instance, alias)?.is_some() {
            return Err(Reason::KeyAliasNotUnique.into());
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let all = aliases::count(tx, instance)? + u64::try_from(wanted.len()).unwrap_or(u64::MAX);
    let too_many = present + wanted.len() > PER_KEY_MAX || all > PER_INSTANCE_MAX;
    if too_many { Err(Reason::KeyAliasQuota.into()) } else { Ok(()) }
}

fn check_policies(draft: &Draft) -> Result<(), Reason> {
    if draft.overrides.rotation.is_none() {
        return Ok(());
    }
    match (draft.kind, &draft.origin) {
        (Kind::Standard, _) => Err(Reason::KeyRootRequiredForRotationPolicy),
        (Kind::Root, Origin::Imported(_) | Origin::Sealed(_)) => Err(Reason::KeyPayloadRequired),
        (Kind::Root, Origin::Generated) => Ok(()),
    }
}

fn give_policies(app: &App, cx: &Context, key: &mut Key, overrides: &Overrides) -> Result<(), Error> {
    let record = |id| PolicyRecord {
        id,
        created_at: key.created_at,
        created_by: cx.caller.iam_id().to_owned(),
        updated_at: key.created_at,
        updated_by: cx.caller.iam_id().to_owned(),
    };
    if let Some(wanted) = overrides.rotation {
        key.rotation = Some(RotationPolicy {
            record: record(app.vault.policy_id()?),
            enabled: wanted.enabled,
            interval: wanted.interval,
            next_at: wanted.interval.next_after(key.created_at),
        });
    }
    if let Some(wanted) = overrides.dual_auth {
        key.dual_auth = Some(DualAuthPolicy { record: record(app.vault.policy_id()?), enabled: wanted.enabled });
    }
    Ok(())
}
