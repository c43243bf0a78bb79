//! What falls due, and when.

use crate::domain::time::Timestamp;

/// Kinds of work that a moment can bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum DueKind {
    /// An expiration date passes: the key becomes deactivated.
    Expiry,
    /// A rotation policy's interval is over.
    Rotation,
    /// A first authorization to delete lapses.
    DeletionLapse,
    /// A destroyed key has been so for 90 days.
    Purge,
    /// An import token expires.
    TokenExpiry,
    /// A delivery is attempted.
    Attempt,
    /// An event's window ends.
    GiveUp,
    /// A change of a policy of IAM takes effect.
    Propagation,
    /// A deleted instance is gone.
    Reclamation,
    /// The registration of a deleted bucket goes.
    Deregistration,
}

impl DueKind {
    /// The word of `GET /mock/clock`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Expiry => "expiry",
            Self::Rotation => "rotation",
            Self::DeletionLapse => "deletion-lapse",
            Self::Purge => "purge",
            Self::TokenExpiry => "token-expiry",
            Self::Attempt => "attempt",
            Self::GiveUp => "give-up",
            Self::Propagation => "propagation",
            Self::Reclamation => "reclamation",
            Self::Deregistration => "deregistration",
        }
    }

    /// Reads the word of a row of the table `due`: attempts and windows lie with their deliveries and events.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let all = [
            Self::Expiry,
            Self::Rotation,
            Self::DeletionLapse,
            Self::Purge,
            Self::TokenExpiry,
            Self::Propagation,
            Self::Reclamation,
            Self::Deregistration,
        ];
        all.into_iter().find(|kind| kind.name() == name)
    }
}

/// A moment and what it brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Due {
    pub(crate) at: Timestamp,
    pub(crate) kind: DueKind,
}
