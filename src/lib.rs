//! A stand-in for IBM Key Protect: its key API, IAM tokens and Resource Controller, with a clock that a tester can move.
//!
//! The program is a thin shell around [`Invocation`], [`Service`] and [`run_client`].

mod app;
mod cli;
mod clock;
mod config;
mod cos;
mod crypto;
mod delivery;
mod domain;
mod http;
mod scheduler;
mod service;
mod store;

pub use cli::run as run_client;
pub use config::{Client, Config, Invocation};
pub use service::{Service, Signals, StartError, harden_process, start_log};
