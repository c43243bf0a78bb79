//! Which service ids there are: kept in memory, since each token of one is looked up here.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{PoisonError, RwLock};

use crate::domain::caller::{Identity, IdentityKind};
use crate::domain::iam_identity::{is_made_up, uuid_of_service_id};

/// Service ids that somebody made, and those that resource keys were made with.
#[derive(Default)]
pub(crate) struct ServiceIds {
    /// UUIDs, in lower case.
    living: RwLock<HashSet<String>>,
    changes: AtomicI64,
}

impl ServiceIds {
    /// Takes them as they are now.
    pub(crate) fn put(&self, living: HashSet<String>) {
        *self.living.write().unwrap_or_else(PoisonError::into_inner) = living;
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// Counts the changes: while it stays, so do all answers of [`ServiceIds::may_be_there`].
    pub(crate) fn changes(&self) -> i64 {
        self.changes.load(Ordering::Acquire)
    }

    /// False for a service id that was made and is gone. Those that are made up of an API key are always there.
    pub(crate) fn may_be_there(&self, identity: &Identity) -> bool {
        identity.kind != IdentityKind::ServiceId || is_made_up(identity) || self.has(identity)
    }

    /// True for a service id that was made and is there.
    pub(crate) fn has(&self, identity: &Identity) -> bool {
        let living = || self.living.read().unwrap_or_else(PoisonError::into_inner);
        uuid_of_service_id(&identity.iam_id).is_some_and(|uuid| living().contains(uuid))
    }
}
