//! Finding what a request names.

use crate::app::error::Error;
use crate::domain::alias::KeyRef;
use crate::domain::context::{Context, RingScope};
use crate::domain::id::RingId;
use crate::domain::key::Key;
use crate::domain::reason::Reason;
use crate::store::keys;
use crate::store::tx::Tx;

/// The key that a request names.
///
/// # Errors
/// `KeyNotFound`, also for a key of another ring than the request names.
///
/// Source: API reference, `x-kms-key-ring`; the 404 for another ring is ASSUMED.
pub(crate) fn key(tx: &Tx<'_>, cx: &Context, reference: &KeyRef) -> Result<Key, Error> {
    let key = keys::find(tx, cx.instance.id, reference)?.ok_or(Reason::KeyNotFound)?;
    let in_ring = cx.ring.as_ref().is_none_or(|ring| ring.holds(&key.ring));
    if in_ring { Ok(key) } else { Err(Reason::KeyNotFound.into()) }
}

/// The ring that a new or moved key is to be in. Each instance has the default ring, and no other yet.
///
/// # Errors
/// `KeyRingNotFound`. Source: Terraform provider; the status is ASSUMED.
pub(crate) fn ring(wanted: Option<&RingScope>) -> Result<RingId, Reason> {
    let default = RingId::default_ring();
    match wanted {
        None => Ok(default),
        Some(scope) if scope.holds(&default) => Ok(default),
        Some(_) => Err(Reason::KeyRingNotFound),
    }
}
