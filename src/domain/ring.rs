//! Key rings. Source: docs, key-rings; `docs/contract/policies.md` 5.

use crate::domain::id::RingId;
use crate::domain::time::Timestamp;

/// Rings that an instance may have besides the default one.
pub(crate) const PER_INSTANCE_MAX: u64 = 50;

/// A ring that somebody made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ring {
    pub(crate) id: RingId,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
}

/// Keys in a ring, as far as its deletion is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Occupants {
    /// In any state but destroyed.
    pub(crate) living: u64,
    pub(crate) destroyed: u64,
}
