//! Lifecycle events: what the services behind a root key's registrations are told.

use std::time::Duration;

use crate::domain::id::{EventId, InstanceId, KeyId};
use crate::domain::key::machine::Action;
use crate::domain::key::{Key, State, Version};
use crate::domain::registration::ResourceCrn;
use crate::domain::time::Timestamp;

/// How long an event can be acknowledged, from the time of the action. Source: docs, at-events.
pub(crate) const WINDOW: Duration = Duration::from_hours(4);

/// What happened to the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum EventKind {
    Deletion,
    Restoration,
    Enable,
    Disable,
    Rotation,
}

impl EventKind {
    /// All of them, in the order in which subscribers list them.
    pub(crate) const ALL: [Self; 5] = [Self::Deletion, Self::Restoration, Self::Enable, Self::Disable, Self::Rotation];

    /// The word of events and records. Source: sibling product's sample for `rotation`; the others are ASSUMED.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Deletion => "deletion",
            Self::Restoration => "restoration",
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Rotation => "rotation",
        }
    }

    /// Reads the word.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What an action tells; `None` for those that adopting services are not told of. A sync repeats the state.
    pub(crate) fn of_action(action: Action) -> Option<Self> {
        match action {
            Action::Delete => Some(Self::Deletion),
            Action::Restore => Some(Self::Restoration),
            Action::Enable => Some(Self::Enable),
            Action::Disable => Some(Self::Disable),
            Action::Rotate => Some(Self::Rotation),
            Action::Read
            | Action::ListVersions
            | Action::ListVersionsInAnyState
            | Action::Wrap
            | Action::Unwrap
            | Action::Rewrap
            | Action::SetForDeletion
            | Action::UnsetForDeletion
            | Action::Sync
            | Action::Patch
            | Action::SetPolicies
            | Action::AddAlias
            | Action::RemoveAlias
            | Action::Purge
            | Action::Expire => None,
        }
    }

    /// What a sync tells of a key; nothing of a deactivated one (ASSUMED).
    pub(crate) fn of_state(state: &State) -> Option<Self> {
        match state {
            State::Active => Some(Self::Enable),
            State::Suspended => Some(Self::Disable),
            State::Destroyed { .. } => Some(Self::Deletion),
            State::Deactivated => None,
        }
    }

    /// `requestedKeyState`: what the adopting service should make of its data keys.
    pub(crate) fn requested_state(self) -> &'static str {
        match self {
            Self::Rotation | Self::Restoration | Self::Enable => "enabled",
            Self::Deletion | Self::Disable => "disabled",
        }
    }

    /// Action of the record that ends the event, without the leading `kms.`. Source: docs, at-events.
    pub(crate) fn ack_action(self) -> &'static str {
        match self {
            Self::Deletion => "secrets.ack-delete",
            Self::Restoration => "secrets.ack-restore",
            Self::Enable => "secrets.ack-enable",
            Self::Disable => "secrets.ack-disable",
            Self::Rotation => "secrets.ack-rotate",
        }
    }

    /// What that record says was done. Source: docs, sample of `kms.secrets.ack-rotate`.
    pub(crate) fn ack_message(self) -> &'static str {
        match self {
            Self::Deletion => "ack-delete secret",
            Self::Restoration => "ack-restore secret",
            Self::Enable => "ack-enable secret",
            Self::Disable => "ack-disable secret",
            Self::Rotation => "ack-rotate secret",
        }
    }
}

/// Whether an event is news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Novelty {
    /// Something happened.
    News,
    /// A sync tells the present state again.
    Again,
}

/// What is told of a key, before it is known whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Happening {
    pub(crate) kind: EventKind,
    pub(crate) novelty: Novelty,
    /// Of a rotation: the version before it.
    pub(crate) former: Option<Version>,
}

impl Happening {
    /// What an action tells.
    pub(crate) fn of_action(action: Action) -> Option<Self> {
        let kind = EventKind::of_action(action)?;
        Some(Self { kind, novelty: Novelty::News, former: None })
    }

    /// A rotation, with the version before it.
    pub(crate) fn rotation(former: Version) -> Self {
        Self { kind: EventKind::Rotation, novelty: Novelty::News, former: Some(former) }
    }

    /// What a sync of the key tells.
    pub(crate) fn again(key: &Key) -> Option<Self> {
        let kind = EventKind::of_state(&key.state)?;
        Some(Self { kind, novelty: Novelty::Again, former: None })
    }
}

/// Versions on both sides of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) new: Version,
    pub(crate) old: Version,
}

/// How an event ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It has not yet.
    Open,
    /// Acknowledged.
    Succeeded,
    /// Not acknowledged in its window, or by a state at odds.
    Failed,
    /// The registration or the key has gone.
    Dropped,
}

impl Outcome {
    /// The word in the store.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }

    /// Reads the word.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Open, Self::Succeeded, Self::Failed, Self::Dropped].into_iter().find(|one| one.name() == name)
    }
}

/// One action on a key, as one of its registrations is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: EventId,
    pub(crate) kind: EventKind,
    pub(crate) key: KeyId,
    pub(crate) instance: InstanceId,
    pub(crate) resource: ResourceCrn,
    /// Of the request that caused it.
    pub(crate) correlation: String,
    /// Time of the action, whole seconds as the key's dates are.
    pub(crate) at: Timestamp,
    /// The key's state after the action, its number on the wire.
    pub(crate) key_state: u8,
    /// Of a rotation.
    pub(crate) turn: Option<Turn>,
    pub(crate) outcome: Outcome,
}

impl Event {
    /// End of the window.
    pub(crate) fn deadline(&self) -> Timestamp {
        self.at.plus(WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_what_makes_a_sync_wait() {
        for action in Action::ALL {
            let told = EventKind::of_action(action).is_some();
            assert_eq!(told, action.notifies() && action != Action::Sync, "{action:?}");
        }
    }

    #[test]
    fn words_are_read_back() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::parse(kind.name()), Some(kind));
            assert!(kind.ack_action().starts_with("secrets.ack-") && kind.ack_message().starts_with("ack-"));
        }
        assert_eq!(EventKind::parse("expiry"), None);
        for outcome in [Outcome::Open, Outcome::Succeeded, Outcome::Failed, Outcome::Dropped] {
            assert_eq!(Outcome::parse(outcome.name()), Some(outcome));
        }
    }
}
