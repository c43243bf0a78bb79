//! One binary of integration tests. They speak HTTP only, to a real service on a port of its own.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise, and nobody imports it"
)]

mod aliases;
mod audit;
mod change;
mod coverage;
mod create;
mod errors;
mod golden_replies;
mod harness;
mod key_life;
mod lists;
mod state_table;
mod time_rules;
mod versions;
mod wrapping;
