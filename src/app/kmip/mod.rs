//! KMIP adapters, their client certificates and their objects.

pub(crate) mod adapters;
pub(crate) mod certificates;
pub(crate) mod objects;

use std::sync::Arc;

use crate::app::App;
use crate::app::error::Error;
use crate::domain::access::Place;
use crate::domain::audit::{Datum, Record, Side};
use crate::domain::context::Context;
use crate::domain::id::AdapterId;
use crate::domain::kmip::refusal::Refusal;
use crate::domain::kmip::{Adapter, Listed, Reference};
use crate::store::kmip as store;
use crate::store::tx::Tx;

/// The adapter that a request names.
///
/// # Errors
/// `AdapterNotFound`.
fn adapter(tx: &Tx<'_>, cx: &Context, reference: &Reference<AdapterId>) -> Result<Adapter, Error> {
    Ok(store::adapters::find(tx, cx.instance.id, reference)?.ok_or(Refusal::AdapterNotFound)?)
}

/// What a look into an adapter finds, with the adapter.
///
/// # Errors
/// `AdapterNotFound`; the look's own.
async fn look_into<T: Send + 'static>(
    app: &App,
    cx: &Arc<Context>,
    reference: Reference<AdapterId>,
    look: impl FnOnce(&Tx<'_>, AdapterId) -> Result<T, Error> + Send + 'static,
) -> Result<(Adapter, T), Error> {
    cx.allow(Place::Whole)?;
    let cx = Arc::clone(cx);
    app.read(move |tx| {
        let adapter = adapter(tx, &cx, &reference)?;
        let found = look(tx, adapter.id)?;
        Ok((adapter, found))
    })
    .await
}

/// The record of a request about an adapter. The names of its data are ASSUMED.
fn about(cx: &Context, status: u16, adapter: &Adapter) -> Record {
    let mut record = Record::of(cx, status);
    adapter.name.as_str().clone_into(&mut record.target.name);
    record.respond("adapterId", adapter.id.to_string());
    record
}

/// Records a list of what an adapter has.
async fn note_list<T>(app: &App, cx: &Context, adapter: &Adapter, listed: &Listed<T>) {
    let mut record = about(cx, 200, adapter);
    count(&mut record, listed);
    app.note(record).await;
}

/// Adds to a record how many a list shows.
fn count<T>(record: &mut Record, listed: &Listed<T>) {
    let shown = i64::try_from(listed.shown.len()).unwrap_or(i64::MAX);
    record.add(Side::Response, "totalResources", Datum::Number(shown));
}
