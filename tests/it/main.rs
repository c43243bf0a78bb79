//! One binary of integration tests. They speak HTTP only, to a real service on a port of its own.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise, and nobody imports it"
)]

mod admin;
mod aliases;
mod audit;
mod change;
mod clock;
mod commands;
mod coverage;
mod crash;
mod create;
mod data_folder;
mod deadlines;
mod errors;
mod full_disk;
mod golden_replies;
mod harness;
mod hostile_tokens;
mod instances;
mod key_life;
mod late;
mod lists;
mod process;
mod races;
mod secrets;
mod simulation;
mod state_table;
mod stopping;
mod tidy;
mod time_rules;
mod tokens;
mod versions;
mod wire;
mod wrapping;
