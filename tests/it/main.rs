//! One binary of integration tests. They speak HTTP only, to a real service on a port of its own.

mod harness;
mod hostile_tokens;
mod key_life;
mod tokens;
