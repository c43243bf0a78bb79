//! The gateway's pure rules: names, places, conditions, retention, and what is known of root keys.

pub(crate) mod attributes;
pub(crate) mod bucket;
pub(crate) mod checksum;
pub(crate) mod conditions;
pub(crate) mod id;
pub(crate) mod key_crn;
pub(crate) mod key_info;
pub(crate) mod location;
pub(crate) mod object;
pub(crate) mod range;
pub(crate) mod refusal;
pub(crate) mod retention;
pub(crate) mod tags;
