//! The state machine: one total function over state, action and time. Source: docs, key-states; the cells, and which of
//! them are ASSUMED, stand in `docs/contract/keys.md` 5.

use crate::domain::key::State;
use crate::domain::reason::{Reason, StateFault, TooEarly};
use crate::domain::time::{
    BETWEEN_NOTIFICATIONS, BETWEEN_ROTATIONS, PURGE_AFTER_DELETE, RESTORABLE, SETTLE_AFTER_CHANGE, Timestamp,
};

/// What can be done to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// Key, metadata, policies and registrations.
    Read,
    /// Versions of a usable key.
    ListVersions,
    /// Versions with `allKeyStates=true`.
    ListVersionsInAnyState,
    Wrap,
    Unwrap,
    Rewrap,
    Rotate,
    Disable,
    Enable,
    SetForDeletion,
    UnsetForDeletion,
    Sync,
    /// Move to another ring.
    Patch,
    SetPolicies,
    AddAlias,
    RemoveAlias,
    Delete,
    Restore,
    /// By a person, or by time after 90 days.
    Purge,
    /// By time alone: the expiration date has come.
    Expire,
}

impl Action {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 20] = [
        Self::Read,
        Self::ListVersions,
        Self::ListVersionsInAnyState,
        Self::Wrap,
        Self::Unwrap,
        Self::Rewrap,
        Self::Rotate,
        Self::Disable,
        Self::Enable,
        Self::SetForDeletion,
        Self::UnsetForDeletion,
        Self::Sync,
        Self::Patch,
        Self::SetPolicies,
        Self::AddAlias,
        Self::RemoveAlias,
        Self::Delete,
        Self::Restore,
        Self::Purge,
        Self::Expire,
    ];

    /// True for what a standard key cannot do. Source: docs, error-messages; rewrap and sync ASSUMED.
    pub(crate) fn needs_root(self) -> bool {
        match self {
            Self::ListVersions
            | Self::ListVersionsInAnyState
            | Self::Wrap
            | Self::Unwrap
            | Self::Rewrap
            | Self::Rotate
            | Self::Disable
            | Self::Enable
            | Self::Sync => true,
            Self::Read
            | Self::SetForDeletion
            | Self::UnsetForDeletion
            | Self::Patch
            | Self::SetPolicies
            | Self::AddAlias
            | Self::RemoveAlias
            | Self::Delete
            | Self::Restore
            | Self::Purge
            | Self::Expire => false,
        }
    }

    /// True for what adopting services are told of; a sync has to wait an hour after it.
    pub(crate) fn notifies(self) -> bool {
        match self {
            Self::Rotate | Self::Disable | Self::Enable | Self::Delete | Self::Restore | Self::Sync => true,
            Self::Read
            | Self::ListVersions
            | Self::ListVersionsInAnyState
            | Self::Wrap
            | Self::Unwrap
            | Self::Rewrap
            | Self::SetForDeletion
            | Self::UnsetForDeletion
            | Self::Patch
            | Self::SetPolicies
            | Self::AddAlias
            | Self::RemoveAlias
            | Self::Purge
            | Self::Expire => false,
        }
    }
}

/// Where an action leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The state stays.
    Same,
    Active,
    Suspended,
    Deactivated,
    Destroyed,
    /// Nothing is left of the key.
    Gone,
}

/// The instants that the rules look at. `None` where there was none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moments {
    pub(crate) updated: Timestamp,
    pub(crate) rotated: Option<Timestamp>,
    pub(crate) notified: Option<Timestamp>,
    pub(crate) expires: Option<Timestamp>,
}

const INVALID: Reason = Reason::KeyInvalidState(StateFault::Other);
const NOT_ACTIVE: Reason = Reason::KeyInvalidState(StateFault::NotActive);
const NOT_SUSPENDED: Reason = Reason::KeyInvalidState(StateFault::NotSuspended);

/// Decides what an action does to a key in a state at a time.
///
/// # Errors
/// The reason of the refusal: the state's first, then time's.
pub(crate) fn transition(from: &State, action: Action, moments: &Moments, now: Timestamp) -> Result<Next, Reason> {
    match from {
        State::Active => active(action, moments, now),
        State::Suspended => suspended(action, moments, now),
        State::Deactivated => deactivated(action, moments, now),
        State::Destroyed { at, .. } => destroyed(action, *at, moments, now),
    }
}

fn active(action: Action, moments: &Moments, now: Timestamp) -> Result<Next, Reason> {
    match action {
        Action::Read
        | Action::ListVersions
        | Action::ListVersionsInAnyState
        | Action::Wrap
        | Action::Unwrap
        | Action::Rewrap
        | Action::SetForDeletion
        | Action::UnsetForDeletion
        | Action::Patch
        | Action::SetPolicies
        | Action::AddAlias
        | Action::RemoveAlias => Ok(Next::Same),
        Action::Rotate => rotation_allowed(moments, now),
        Action::Sync => sync_allowed(moments, now),
        Action::Disable => Ok(Next::Suspended),
        Action::Delete => Ok(Next::Destroyed),
        Action::Expire => Ok(Next::Deactivated),
        Action::Enable => Err(NOT_SUSPENDED),
        Action::Restore | Action::Purge => Err(INVALID),
    }
}

fn suspended(action: Action, moments: &Moments, now: Timestamp) -> Result<Next, Reason> {
    match action {
        Action::Read
        | Action::ListVersionsInAnyState
        | Action::Patch
        | Action::SetPolicies
        | Action::AddAlias
        | Action::RemoveAlias => Ok(Next::Same),
        Action::Sync => sync_allowed(moments, now),
        Action::Enable => settled(moments.updated, now).map(|()| Next::Active),
        Action::Delete => Ok(Next::Destroyed),
        Action::Expire => Ok(Next::Deactivated),
        Action::Disable => Err(NOT_ACTIVE),
        Action::ListVersions
        | Action::Wrap
        | Action::Unwrap
        | Action::Rewrap
        | Action::Rotate
        | Action::SetForDeletion
        | Action::UnsetForDeletion
        | Action::Restore
        | Action::Purge => Err(INVALID),
    }
}

fn deactivated(action: Action, moments: &Moments, now: Timestamp) -> Result<Next, Reason> {
    match action {
        Action::Read
        | Action::ListVersionsInAnyState
        | Action::Unwrap
        | Action::Rewrap
        | Action::Patch
        | Action::SetPolicies
        | Action::AddAlias
        | Action::RemoveAlias
        | Action::Expire => Ok(Next::Same),
        Action::Rotate => rotation_allowed(moments, now),
        Action::Sync => sync_allowed(moments, now),
        Action::Delete => Ok(Next::Destroyed),
        Action::Disable => Err(NOT_ACTIVE),
        Action::Enable => Err(NOT_SUSPENDED),
        Action::ListVersions
        | Action::Wrap
        | Action::SetForDeletion
        | Action::UnsetForDeletion
        | Action::Restore
        | Action::Purge => Err(INVALID),
    }
}

fn destroyed(action: Action, deleted_at: Timestamp, moments: &Moments, now: Timestamp) -> Result<Next, Reason> {
    match action {
        Action::Read | Action::ListVersionsInAnyState | Action::Expire => Ok(Next::Same),
        Action::Sync => sync_allowed(moments, now),
        Action::Restore => restoration_allowed(deleted_at, moments, now),
        Action::Purge => {
            let early = now.since(deleted_at) < PURGE_AFTER_DELETE;
            if early { Err(Reason::RequestTooEarly(TooEarly::Purge)) } else { Ok(Next::Gone) }
        }
        Action::ListVersions => Err(INVALID),
        Action::Wrap
        | Action::Unwrap
        | Action::Rewrap
        | Action::Rotate
        | Action::Disable
        | Action::Enable
        | Action::SetForDeletion
        | Action::UnsetForDeletion
        | Action::Patch
        | Action::SetPolicies
        | Action::AddAlias
        | Action::RemoveAlias
        | Action::Delete => Err(Reason::KeyDeleted),
    }
}

fn settled(changed_at: Timestamp, now: Timestamp) -> Result<(), Reason> {
    let early = now.since(changed_at) < SETTLE_AFTER_CHANGE;
    if early { Err(Reason::RequestTooEarly(TooEarly::Change)) } else { Ok(()) }
}

fn rotation_allowed(moments: &Moments, now: Timestamp) -> Result<Next, Reason> {
    let early = moments.rotated.is_some_and(|rotated_at| now.since(rotated_at) < BETWEEN_ROTATIONS);
    if early { Err(Reason::KeyRotationNotPermitted) } else { Ok(Next::Same) }
}

fn sync_allowed(moments: &Moments, now: Timestamp) -> Result<Next, Reason> {
    let early = moments.notified.filter(|notified_at| now.since(*notified_at) < BETWEEN_NOTIFICATIONS);
    early.map_or(Ok(Next::Same), |notified_at| {
        Err(Reason::RequestTooEarly(TooEarly::Sync(notified_at.plus(BETWEEN_NOTIFICATIONS))))
    })
}

fn restoration_allowed(deleted_at: Timestamp, moments: &Moments, now: Timestamp) -> Result<Next, Reason> {
    settled(deleted_at, now)?;
    if now.since(deleted_at) > RESTORABLE {
        return Err(Reason::KeyRestoreExpired);
    }
    if let Some(at) = moments.expires.filter(|expires_at| *expires_at <= now) {
        return Err(Reason::KeyExpired { at });
    }
    Ok(Next::Active)
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
