//! The intake of Key Protect's life cycle events.

use crate::cos::app::CosApp;
use crate::cos::app::error::Error;
use crate::cos::domain::key_info::{Cause, EventKind};
use crate::domain::id::VersionId;
use crate::domain::time::Timestamp;

/// An event as it was delivered, its signature found good. Source: `docs/contract/events.md` 3.1.
#[derive(Clone, Debug)]
pub(crate) struct KeyEvent {
    /// `eventId`
    pub(crate) id: String,
    pub(crate) kind: EventKind,
    /// Sync for `renotification` true.
    pub(crate) cause: Cause,
    /// `eventTime`
    pub(crate) at: Timestamp,
    pub(crate) correlation: String,
    /// CRN of the bucket.
    pub(crate) resource: String,
    pub(crate) key_crn: String,
    /// `newKeyVersion.id`, of a rotation.
    pub(crate) new_version: Option<VersionId>,
}

/// What became of an event; all are answered with 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Now: acted on, with a record.
    Applied,
    /// Seen before.
    Repeated,
    /// Newer ones have been taken: recorded, and nothing changed.
    Outdated,
    /// The bucket is gone, or not registered.
    NotOurs,
}

impl CosApp {
    /// Takes an event. Twice equals once.
    ///
    /// # Errors
    /// Faults alone: to be answered with 503, so that the event is sent again.
    pub(crate) async fn handle_key_event(&self, event: KeyEvent, now: Timestamp) -> Result<Taken, Error> {
        let _ = (event, now);
        todo!()
    }
}
