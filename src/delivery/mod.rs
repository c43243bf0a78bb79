//! Posts what is due to the receivers of webhooks.

pub(crate) mod client;
mod connector;
pub(crate) mod dispatcher;
mod resolver;
mod retry_after;
pub(crate) mod trust;
mod turns;
