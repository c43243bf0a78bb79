//! Posts what is due to the receivers of webhooks.

pub(crate) mod client;
mod connector;
mod resolver;
mod retry_after;
