//! One binary of integration tests. They speak HTTP only, to a real service on a port of its own.

mod change;
mod create;
mod harness;
mod key_life;
mod lists;
mod state_table;
mod time_rules;
mod versions;
mod wrapping;
