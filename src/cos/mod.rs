//! The storage gateway: Cloud Object Storage's S3 API over buckets that root keys may protect. It reaches keys through
//! [`key_protect::KeyProtect`] alone.

pub(crate) mod app;
pub(crate) mod domain;
pub(crate) mod http;
pub(crate) mod key_protect;
pub(crate) mod store;
