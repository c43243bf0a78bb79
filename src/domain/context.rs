//! What a use case knows of the request that called it.

use std::net::IpAddr;
use std::sync::Arc;

use crate::domain::access::{self, Place};
use crate::domain::caller::Caller;
use crate::domain::grant::Rights;
use crate::domain::id::RingId;
use crate::domain::instance::Instance;
use crate::domain::operation::Operation;
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;

/// Made once per request at the edge, or by the scheduler for what falls due.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// The virtual clock, read once.
    pub(crate) now: Timestamp,
    pub(crate) caller: Arc<Caller>,
    /// What the caller may do on the instance, as policies stand now.
    pub(crate) rights: Rights,
    pub(crate) instance: Arc<Instance>,
    pub(crate) operation: Operation,
    /// `x-kms-key-ring`, when it was sent.
    pub(crate) ring: Option<RingScope>,
    pub(crate) trace: Trace,
}

impl Context {
    /// Allows the operation at a place, or refuses it.
    ///
    /// # Errors
    /// `Unauthorized`.
    pub(crate) fn allow(&self, place: Place<'_>) -> Result<(), Reason> {
        access::allow(&self.rights, self.operation, place)
    }
}

/// Characters that are kept of a header that names no ring.
const RING_CHARACTERS_KEPT: usize = 128;

/// What the ring header asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RingScope {
    /// A ring that can exist.
    Ring(RingId),
    /// A text that no ring can have as name.
    Nowhere(String),
}

/// How a request can be told again in records and logs.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    /// The caller's own, or one made for it.
    pub(crate) correlation: String,
    /// Path and query.
    pub(crate) uri: String,
    pub(crate) peer: Option<IpAddr>,
}

impl RingScope {
    /// Reads the header's text.
    pub(crate) fn parse(text: &str) -> Self {
        let nowhere = || Self::Nowhere(text.chars().take(RING_CHARACTERS_KEPT).collect());
        RingId::parse(text).map_or_else(nowhere, Self::Ring)
    }

    /// True when a key of that ring is meant.
    pub(crate) fn holds(&self, ring: &RingId) -> bool {
        match self {
            Self::Ring(named) => named == ring,
            Self::Nowhere(_) => false,
        }
    }

    /// The header's text.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Ring(ring) => ring.as_str(),
            Self::Nowhere(text) => text,
        }
    }
}
