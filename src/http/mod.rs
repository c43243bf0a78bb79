//! The wire: parses, authenticates, calls one use case, renders its answer. Nobody else knows JSON bodies or headers.

pub(crate) mod admin;
pub(crate) mod audit_record;
pub(crate) mod auth;
mod body;
mod docs;
mod faults;
pub(crate) mod guard;
pub(crate) mod holding;
mod iam;
mod iam_policies;
mod json;
mod key_protect;
mod metrics;
mod operation_ids;
pub(crate) mod panics;
mod query;
mod resource_controller;
pub(crate) mod server;
pub(crate) mod state;
pub(crate) mod transaction;
pub(crate) mod watchdog;
