//! Moving a key to another ring: the one attribute that can change.

use std::sync::Arc;

use crate::app::App;
use crate::app::error::Error;
use crate::app::lookup;
use crate::domain::access::Place;
use crate::domain::alias::KeyRef;
use crate::domain::audit::{Datum, Record, Side};
use crate::domain::context::{Context, RingScope};
use crate::domain::key::Key;
use crate::domain::key::machine::Action;
use crate::domain::reason::Reason;
use crate::store::keys;

/// Moves a key to the ring that the body names; the ring of the header is the one it is in.
///
/// # Errors
/// `KeyNotFound`; what the body breaks; `Unauthorized` on the ring that the key is to be in; `KeyRingNotFound`;
/// `KeyDeleted`.
///
/// Source: docs, key-rings; Node client `patchKey`.
pub(crate) async fn patch_key(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: KeyRef,
    target: Result<RingScope, Reason>,
) -> Result<Key, Error> {
    cx.allow(Place::Anywhere)?;
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let mut key = lookup::key(tx, &cx, &reference)?;
        let target = target?;
        match &target {
            RingScope::Ring(ring) => cx.allow(Place::Ring(ring))?,
            RingScope::Nowhere(_) => cx.allow(Place::Whole)?,
        }
        let ring = lookup::ring(tx, cx.instance.id, Some(&target))?;
        key.act(Action::Patch, cx.caller.iam_id(), cx.now)?;
        let before = std::mem::replace(&mut key.ring, ring);
        keys::update(tx, &key)?;
        if before != key.ring {
            shared.leave_ring(tx, &key, &before, cx.now)?;
        }
        let mut record = Record::of(&cx, 200).about(&key);
        record.add(Side::Request, "initialValue.keyRingId", Datum::Text(before.as_str().to_owned()));
        record.add(Side::Request, "newValue.keyRingId", Datum::Text(key.ring.as_str().to_owned()));
        shared.record(tx, record)?;
        Ok(key)
    })
    .await
}
