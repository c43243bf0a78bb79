//! Looking at deliveries, and sending them again.

use crate::app::App;
use crate::app::error::Error;
use crate::domain::delivery::DeliveryState;
use crate::domain::id::DeliveryId;
use crate::domain::time::Timestamp;
use crate::store::Error as StoreError;
use crate::store::delivery_log;
pub(crate) use crate::store::delivery_log::{Entry, Wanted};

/// Why a delivery is not sent again.
#[derive(Debug)]
pub(crate) enum RedeliveryRefusal {
    NotFound,
    Dropped,
    /// Nobody listens, or the subscriber has gone.
    NoSubscriber,
    Fault(Error),
}

impl From<StoreError> for RedeliveryRefusal {
    fn from(fault: StoreError) -> Self {
        Self::Fault(fault.into())
    }
}

/// How many deliveries fit.
///
/// # Errors
/// The store's fault.
pub(crate) async fn count(app: &App, wanted: Wanted) -> Result<usize, Error> {
    app.archive.run(move |tx| Ok(delivery_log::count(tx, &wanted)?)).await
}

/// The oldest deliveries that fit, and how many do.
///
/// # Errors
/// The store's fault.
pub(crate) async fn list(app: &App, wanted: Wanted, limit: usize) -> Result<(Vec<Entry>, usize), Error> {
    app.archive.run(move |tx| Ok((delivery_log::page(tx, &wanted, limit)?, delivery_log::count(tx, &wanted)?))).await
}

/// Asks for one attempt at once, past the order of events; the delivery as it stands.
///
/// # Errors
/// `NotFound`, `Dropped`, `NoSubscriber`.
pub(crate) async fn redeliver(app: &App, id: DeliveryId, now: Timestamp) -> Result<Entry, RedeliveryRefusal> {
    app.writer
        .run(move |tx| {
            let wanted = Wanted { id: Some(id), ..Wanted::default() };
            let one = delivery_log::page(tx, &wanted, 1)?.pop().ok_or(RedeliveryRefusal::NotFound)?;
            if one.state == DeliveryState::Dropped {
                return Err(RedeliveryRefusal::Dropped);
            }
            if delivery_log::ask(tx, &wanted, now)? == 0 {
                return Err(RedeliveryRefusal::NoSubscriber);
            }
            Ok(one)
        })
        .await
}

/// Asks for one attempt at each delivery that fits; how many. Those that were dropped, or whose subscriber has gone,
/// are passed over.
///
/// # Errors
/// The store's fault.
pub(crate) async fn recover(app: &App, wanted: Wanted, now: Timestamp) -> Result<usize, Error> {
    app.write(move |tx| Ok(delivery_log::ask(tx, &wanted, now)?)).await
}
