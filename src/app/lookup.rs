//! Finding what a request names.

use crate::app::App;
use crate::app::error::Error;
use crate::domain::access::Place;
use crate::domain::alias::KeyRef;
use crate::domain::context::{Context, RingScope};
use crate::domain::id::{InstanceId, KeyId, RingId};
use crate::domain::key::Key;
use crate::domain::reason::Reason;
use crate::store::tx::Tx;
use crate::store::{instances, keys, rings};

/// The key that a request names, and that the caller may do this to.
///
/// # Errors
/// `Unauthorized`; `KeyNotFound`, also for a key of another ring than the request names.
///
/// Source: API reference, `x-kms-key-ring`; the 404 for another ring is ASSUMED.
pub(crate) fn key(tx: &Tx<'_>, cx: &Context, reference: &KeyRef) -> Result<Key, Error> {
    let found = keys::find(tx, cx.instance.id, reference)?;
    let Some(key) = found else {
        cx.allow(Place::Missing(reference))?;
        return Err(Reason::KeyNotFound.into());
    };
    cx.allow(Place::Key(&key.ring, key.id))?;
    let in_ring = cx.ring.as_ref().is_none_or(|ring| ring.holds(&key.ring));
    if in_ring { Ok(key) } else { Err(Reason::KeyNotFound.into()) }
}

/// The key that a refused request named and its name, for the record: where the store fails there is none.
pub(crate) async fn target(app: &App, instance: InstanceId, reference: KeyRef) -> Option<(KeyId, String)> {
    let found = app.read(move |tx| Ok(keys::find(tx, instance, &reference)?)).await;
    found.ok().flatten().map(|key| (key.id, key.name))
}

/// Refuses to make anything in an instance that was removed while the request was on its way.
///
/// # Errors
/// `Unauthorized`, as for any removed instance.
pub(crate) fn living_instance(tx: &Tx<'_>, instance: InstanceId) -> Result<(), Error> {
    if instances::is_active(tx, instance)? { Ok(()) } else { Err(Reason::Unauthorized.into()) }
}

/// The ring that a new or moved key is to be in.
///
/// # Errors
/// `KeyRingNotFound`. Source: Terraform provider; the status is ASSUMED.
pub(crate) fn ring(tx: &Tx<'_>, instance: InstanceId, wanted: Option<&RingScope>) -> Result<RingId, Error> {
    let Some(wanted) = wanted else { return Ok(RingId::default_ring()) };
    let RingScope::Ring(ring) = wanted else { return Err(Reason::KeyRingNotFound.into()) };
    let there = ring.as_str() == RingId::DEFAULT || rings::exists(tx, instance, ring)?;
    if there { Ok(ring.clone()) } else { Err(Reason::KeyRingNotFound.into()) }
}
