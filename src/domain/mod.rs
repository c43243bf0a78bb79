//! Pure rules of Key Protect: values in, values or a [`reason::Reason`] out. Nothing here reads a clock, draws a random
//! byte, speaks SQL or HTTP.

pub(crate) mod access;
pub(crate) mod alias;
pub(crate) mod audit;
pub(crate) mod caller;
pub(crate) mod context;
pub(crate) mod crn;
pub(crate) mod due;
pub(crate) mod duration;
pub(crate) mod filter;
pub(crate) mod force;
pub(crate) mod grant;
pub(crate) mod iam_identity;
pub(crate) mod iam_policy;
pub(crate) mod id;
pub(crate) mod import_token;
pub(crate) mod instance;
pub(crate) mod instance_policy;
pub(crate) mod key;
pub(crate) mod kmip;
pub(crate) mod material;
pub(crate) mod operation;
pub(crate) mod pattern;
pub(crate) mod policy;
pub(crate) mod reason;
pub(crate) mod registration;
pub(crate) mod resource_key;
pub(crate) mod ring;
pub(crate) mod role;
pub(crate) mod search;
pub(crate) mod selection;
pub(crate) mod settings;
pub(crate) mod sort;
pub(crate) mod text;
pub(crate) mod time;
