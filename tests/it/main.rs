//! One binary of integration tests. They speak HTTP only, to a real service on a port of its own.

mod crash;
mod deadlines;
mod full_disk;
mod harness;
mod key_life;
mod secrets;
mod simulation;
mod wire;
