//! What Key Protect does of its own accord: when something falls due, and when an event ends.

use std::sync::Arc;

use crate::app::builtin;
use crate::domain::access::Roles;
use crate::domain::caller::Caller;
use crate::domain::context::{Context, Trace};
use crate::domain::grant::Rights;
use crate::domain::instance::Instance;
use crate::domain::operation::Operation;
use crate::domain::time::Timestamp;

/// Key Protect itself acts, at an instant.
pub(crate) fn context(instance: Arc<Instance>, operation: Operation, now: Timestamp, correlation: String) -> Context {
    let caller = Caller::new(builtin::key_protect(), &instance.account, Roles::NONE);
    let trace = Trace { correlation, uri: String::new(), peer: None };
    Context {
        now,
        caller: Arc::new(caller),
        instance,
        operation,
        ring: None,
        trace,
        rights: Rights::whole(Roles::NONE),
    }
}
