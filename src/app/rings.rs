//! Key rings: made, listed, deleted.

use std::sync::Arc;

use crate::app::App;
use crate::app::error::Error;
use crate::app::lookup;
use crate::domain::access::Place;
use crate::domain::audit::{Datum, Record, Side};
use crate::domain::context::Context;
use crate::domain::force::Force;
use crate::domain::id::RingId;
use crate::domain::key::Key;
use crate::domain::reason::Reason;
use crate::domain::ring::{PER_INSTANCE_MAX, Ring};
use crate::domain::time::Timestamp;
use crate::store::rings;
use crate::store::tx::Tx;

/// Makes a ring.
///
/// # Errors
/// A text that no ring can be; `KeyRingNotUnique`; `KeyRingLimit`.
///
/// Source: docs, key-rings; Terraform provider for the codes, the statuses are ASSUMED.
pub(crate) async fn create_ring(app: &Arc<App>, cx: Arc<Context>, ring: Result<RingId, Reason>) -> Result<(), Error> {
    cx.allow(Place::Whole)?;
    let id = ring?;
    let shared = Arc::clone(app);
    app.write(move |tx| {
        lookup::living_instance(tx, cx.instance.id)?;
        let taken = id.as_str() == RingId::DEFAULT || rings::exists(tx, cx.instance.id, &id)?;
        if taken {
            return Err(Reason::KeyRingNotUnique.into());
        }
        if rings::count(tx, cx.instance.id)? >= PER_INSTANCE_MAX {
            return Err(Reason::KeyRingLimit.into());
        }
        let ring = Ring { id, created_at: cx.now.whole_seconds(), created_by: cx.caller.iam_id().to_owned() };
        rings::insert(tx, cx.instance.id, &ring)?;
        shared.record(tx, about(&cx, 201, &ring.id))
    })
    .await
}

/// All rings besides the default one, in order of creation.
///
/// # Errors
/// What the query breaks.
///
/// Source: docs, key-rings.
pub(crate) async fn list_rings(
    app: &Arc<App>,
    cx: Arc<Context>,
    query: Result<(), Reason>,
) -> Result<Vec<Ring>, Error> {
    cx.allow(Place::Whole)?;
    query?;
    let instance = cx.instance.id;
    let rings = app.read(move |tx| Ok(rings::all(tx, instance)?)).await?;
    let mut record = Record::of(&cx, 200);
    let total = i64::try_from(rings.len() + 1).unwrap_or(i64::MAX);
    record.add(Side::Response, "totalResources", Datum::Number(total));
    app.note(record).await;
    Ok(rings)
}

/// Deletes a ring without keys; destroyed ones are moved to the default ring if asked to.
///
/// # Errors
/// A text that no ring can be; `KeyRingReserved`; `KeyRingNotFound`; `KeyRingNotEmpty`.
///
/// Source: docs, key-rings; Terraform provider.
pub(crate) async fn delete_ring(
    app: &Arc<App>,
    cx: Arc<Context>,
    ring: Result<RingId, Reason>,
    force: Result<Force, Reason>,
) -> Result<(), Error> {
    cx.allow(Place::Whole)?;
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let id = ring?;
        if id.as_str() == RingId::DEFAULT {
            return Err(Reason::KeyRingReserved.into());
        }
        if !rings::exists(tx, cx.instance.id, &id)? {
            return Err(Reason::KeyRingNotFound.into());
        }
        let force = force?;
        let occupants = rings::occupants(tx, cx.instance.id, &id, cx.now)?;
        if occupants.living > 0 || (occupants.destroyed > 0 && force == Force::No) {
            return Err(Reason::KeyRingNotEmpty.into());
        }
        for key in rings::remove(tx, cx.instance.id, &id, cx.now)? {
            tx.touch(cx.instance.id, key);
        }
        shared.record(tx, about(&cx, 204, &id))
    })
    .await
}

impl App {
    /// Notes that a key leaves a ring: where the setting says so, it counts there for a while. The default ring is never
    /// counted, since it cannot be deleted.
    pub(crate) fn leave_ring(&self, tx: &Tx<'_>, key: &Key, ring: &RingId, now: Timestamp) -> Result<(), Error> {
        let lag = self.settings().ring_count_lag.length();
        if lag.is_zero() || ring.as_str() == RingId::DEFAULT {
            return Ok(());
        }
        Ok(rings::depart(tx, key, ring, now, now.plus(lag))?)
    }
}

fn about(cx: &Context, status: u16, ring: &RingId) -> Record {
    let mut record = Record::of(cx, status);
    ring.as_str().clone_into(&mut record.target.name);
    record.respond("keyRingId", ring.as_str());
    record
}
