//! A key that is still to be made: what the caller gave, checked.

use crate::domain::alias::Alias;
use crate::domain::import_token::SealedMaterial;
use crate::domain::key::Kind;
use crate::domain::material::Material;
use crate::domain::policy::IntervalMonths;
use crate::domain::time::Timestamp;

/// What a caller wants a new key to be. Has no `Debug`: it can carry material.
pub(crate) struct Draft {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) aliases: Vec<Alias>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) origin: Origin,
    pub(crate) overrides: Overrides,
}

/// Where a key's material comes from.
pub(crate) enum Origin {
    /// Made by the service, 32 random bytes.
    Generated,
    /// The caller's own bytes.
    Imported(Material),
    /// Sealed for an import token.
    Sealed(SealedMaterial),
}

/// Policies that a key is born with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Overrides {
    pub(crate) rotation: Option<RotationOverride>,
    /// `enabled` of a dual authorization policy.
    pub(crate) dual_auth: Option<DualAuthOverride>,
}

/// A rotation policy to be born with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RotationOverride {
    pub(crate) enabled: bool,
    pub(crate) interval: IntervalMonths,
}

/// A dual authorization policy to be born with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DualAuthOverride {
    pub(crate) enabled: bool,
}
