//! Objects of KMIP adapters: listed, read, destroyed; and planted by testers, since the protocol is not spoken.

use std::sync::Arc;

use crate::app::App;
use crate::app::error::Error;
use crate::app::kmip::{about, adapter, look_into, note_list};
use crate::domain::access::Place;
use crate::domain::audit::{Datum, Record, Side};
use crate::domain::context::Context;
use crate::domain::force::Force;
use crate::domain::id::{AdapterId, InstanceId, ObjectId};
use crate::domain::instance::Service;
use crate::domain::kmip::object::{Object, ObjectState};
use crate::domain::kmip::refusal::Refusal;
use crate::domain::kmip::{Adapter, Listed, Mark, Page, Reference};
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;
use crate::store::Error as StoreError;
use crate::store::instances;
use crate::store::kmip::{adapters, certificates, objects};
use crate::store::tx::Tx;

/// Which objects are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectQuery {
    pub(crate) states: Vec<ObjectState>,
    pub(crate) page: Page,
}

/// Objects of an adapter, in order of creation.
///
/// # Errors
/// `AdapterNotFound`; what the query breaks.
pub(crate) async fn list_objects(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: Reference<AdapterId>,
    query: Result<ObjectQuery, Reason>,
) -> Result<Listed<Object>, Error> {
    let look = move |tx: &Tx<'_>, adapter| {
        let ObjectQuery { states, page } = query?;
        Ok(objects::list(tx, adapter, &states, page)?)
    };
    let (adapter, listed) = look_into(app, &cx, reference, look).await?;
    note_list(app, &cx, &adapter, &listed).await;
    Ok(listed)
}

/// One object, destroyed ones too; `None` is a text that is no id.
///
/// # Errors
/// `AdapterNotFound`; `ObjectNotFound`.
pub(crate) async fn get_object(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: Reference<AdapterId>,
    object: Option<ObjectId>,
) -> Result<Object, Error> {
    let look = move |tx: &Tx<'_>, adapter| {
        let id = object.ok_or(Refusal::ObjectNotFound)?;
        Ok(objects::get(tx, adapter, id)?.ok_or(Refusal::ObjectNotFound)?)
    };
    let (adapter, found) = look_into(app, &cx, reference, look).await?;
    app.note(of(&cx, 200, &adapter, &found)).await;
    Ok(found)
}

/// Destroys an object for good: it can still be read, and cannot be used.
///
/// # Errors
/// `AdapterNotFound`; `ObjectNotFound`; what the query breaks; `ObjectActive` unless forced; `ObjectDeleted`.
///
/// Source: docs, kmip; Python SDK for `force`.
pub(crate) async fn delete_object(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: Reference<AdapterId>,
    object: Option<ObjectId>,
    force: Result<Force, Reason>,
) -> Result<(), Error> {
    cx.allow(Place::Whole)?;
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let adapter = adapter(tx, &cx, &reference)?;
        let id = object.ok_or(Refusal::ObjectNotFound)?;
        let mut found = objects::get(tx, adapter.id, id)?.ok_or(Refusal::ObjectNotFound)?;
        let mark = Mark::of(cx.now, cx.caller.iam_id());
        found.destroy(force?, &mark)?;
        objects::update(tx, &found)?;
        adapters::mark_updated(tx, adapter.id, &mark)?;
        shared.record(tx, of(&cx, 204, &adapter, &found))
    })
    .await
}

/// Why an object was not planted.
#[derive(Debug)]
pub(crate) enum PlantRefusal {
    /// No Key Protect instance of that id.
    NoInstance,
    /// The instance has no such adapter.
    NoAdapter,
    Fault(Error),
}

impl From<StoreError> for PlantRefusal {
    fn from(fault: StoreError) -> Self {
        Self::Fault(fault.into())
    }
}

/// Puts an object into an adapter, as if a KMIP client had made it with the adapter's oldest certificate. Where it has
/// none, a certificate is made up that has been deleted since.
///
/// # Errors
/// `NoInstance`, `NoAdapter`.
pub(crate) async fn plant(
    app: &Arc<App>,
    instance: Option<InstanceId>,
    reference: Reference<AdapterId>,
    state: ObjectState,
    now: Timestamp,
) -> Result<Object, PlantRefusal> {
    let drawn = app.vault.object_id().and_then(|object| Ok((object, app.vault.certificate_id()?)));
    let (id, made_up) = drawn.map_err(|fault| PlantRefusal::Fault(fault.into()))?;
    let instance = instance.ok_or(PlantRefusal::NoInstance)?;
    app.writer
        .run(move |tx| {
            let known = instances::get(tx, instance)?;
            let usable = known.filter(|known| known.is_active() && known.service == Service::KeyProtect);
            usable.ok_or(PlantRefusal::NoInstance)?;
            let adapter = adapters::find(tx, instance, &reference)?.ok_or(PlantRefusal::NoAdapter)?;
            let mark = match certificates::oldest(tx, adapter.id)? {
                Some(oldest) => Mark { at: now, by: oldest.created.by, certificate: Some(oldest.id) },
                None => Mark { at: now, by: adapter.created.by, certificate: Some(made_up) },
            };
            let destroyed = state.is_destroyed().then(|| mark.clone());
            let object = Object { id, state, created: mark.clone(), updated: mark.clone(), destroyed };
            objects::insert(tx, adapter.id, &object)?;
            adapters::mark_updated(tx, adapter.id, &mark)?;
            Ok(object)
        })
        .await
}

fn of(cx: &Context, status: u16, adapter: &Adapter, object: &Object) -> Record {
    let mut record = about(cx, status, adapter);
    record.respond("objectId", object.id.to_string());
    record.add(Side::Response, "objectState", Datum::Number(i64::from(object.state.number())));
    record
}
