//! One binary of integration tests. They speak HTTP only, to a real service on a port of its own.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise, and nobody imports it"
)]

mod admin;
mod clock;
mod commands;
mod data_folder;
mod harness;
mod hostile_tokens;
mod instances;
mod key_life;
mod process;
mod stopping;
mod tidy;
mod tokens;
