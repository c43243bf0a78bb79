//! lib
mod crypto;
mod domain;
mod store;
