//! The gateway's use cases: each asks for permission, then for the root key, then does what it is for.

pub(crate) mod body;
pub(crate) mod buckets;
pub(crate) mod configuration;
pub(crate) mod copy;
pub(crate) mod delete;
pub(crate) mod error;
pub(crate) mod inspect;
pub(crate) mod key_events;
pub(crate) mod list;
pub(crate) mod multipart;
pub(crate) mod protection;
pub(crate) mod read;
pub(crate) mod request;
pub(crate) mod tagging;
pub(crate) mod write;

use std::sync::Arc;

use crate::app::App;
use crate::cos::key_protect::KeyProtect;

/// Everything that the gateway's use cases work with. One per process, shared.
pub(crate) struct CosApp {
    /// The store, tokens, instances and audit records.
    pub(crate) app: Arc<App>,
    keys: Arc<dyn KeyProtect>,
}
