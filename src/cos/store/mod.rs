//! The gateway's tables, over the same transactions as the keys', and the files that hold objects.

pub(crate) mod blobs;
pub(crate) mod buckets;
pub(crate) mod files;
mod json;
pub(crate) mod objects;
pub(crate) mod uploads;
