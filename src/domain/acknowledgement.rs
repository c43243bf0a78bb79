//! Acknowledgements: what an adopting service says it made of an event. Source: `docs/contract/events.md` 4.

use crate::domain::event::{Event, EventKind};
use crate::domain::id::{EventId, VersionId};
use crate::domain::key::Version;
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;

/// What became of the adopter's data keys. Only the first is documented by name, the others are ASSUMED.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AdopterState {
    Enabled,
    Disabled,
    Deleted,
}

impl AdopterState {
    /// What the word must be, for messages.
    pub(crate) const RULE: &str = "one of DEK_ENABLED, DEK_DISABLED and DEK_DELETED";

    /// The word on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Enabled => "DEK_ENABLED",
            Self::Disabled => "DEK_DISABLED",
            Self::Deleted => "DEK_DELETED",
        }
    }

    /// Reads the word. Case-sensitive.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Enabled, Self::Disabled, Self::Deleted].into_iter().find(|state| state.name() == name)
    }
}

/// An acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Acknowledgement {
    /// `None` for a text that can be no event's id.
    pub(crate) event: Option<EventId>,
    pub(crate) state: AdopterState,
    /// When the adopter processed the event.
    pub(crate) at: Timestamp,
    /// The version that wraps the data key now; there where the state is enabled.
    pub(crate) rewrapped: Option<VersionId>,
    /// The resource, where the adopter names it.
    pub(crate) resource: Option<String>,
}

/// Whether the adopter's state agrees with what the event asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    Fits,
    Conflict,
}

/// Compares an acknowledgement with its event. `versions` are the key's, newest first.
///
/// # Errors
/// `KeyVersionInvalid` for a version that the key does not have.
///
/// Source: ASSUMED, `docs/contract/events.md` 4.
pub(crate) fn fit(event: &Event, acknowledged: &Acknowledgement, versions: &[Version]) -> Result<Fit, Reason> {
    let place = |id: VersionId| versions.iter().position(|version| version.id == id);
    let rewrapped = match acknowledged.rewrapped {
        None => None,
        Some(id) => Some(place(id).ok_or(Reason::KeyVersionInvalid)?),
    };
    let fits = match event.kind {
        EventKind::Deletion => acknowledged.state != AdopterState::Enabled,
        EventKind::Disable => acknowledged.state == AdopterState::Disabled,
        EventKind::Enable | EventKind::Restoration => acknowledged.state == AdopterState::Enabled,
        EventKind::Rotation => {
            let named = event.turn.and_then(|turn| place(turn.new.id));
            // Newest first: a smaller place is a newer version.
            let new_enough = rewrapped.zip(named).is_some_and(|(rewrapped, named)| rewrapped <= named);
            acknowledged.state == AdopterState::Enabled && new_enough
        }
    };
    Ok(if fits { Fit::Fits } else { Fit::Conflict })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{Outcome, Turn};
    use crate::domain::id::{InstanceId, KeyId};
    use crate::domain::registration::ResourceCrn;

    fn versions() -> [Version; 3] {
        [3, 2, 1]
            .map(|number| Version { id: VersionId::from_random([number; 16]), created_at: Timestamp::from_millis(0) })
    }

    fn event(kind: EventKind) -> Event {
        let [_, new, old] = versions();
        Event {
            id: EventId::from_random([1; 16]),
            kind,
            key: KeyId::from_random([2; 16]),
            instance: InstanceId::from_random([3; 16]),
            resource: ResourceCrn::parse("crn:v1:b:p:s:g:a/1:i:bucket:b").unwrap(),
            correlation: String::new(),
            at: Timestamp::from_millis(0),
            key_state: 1,
            turn: (kind == EventKind::Rotation).then_some(Turn { new, old }),
            outcome: Outcome::Open,
        }
    }

    fn said(state: AdopterState, rewrapped: Option<VersionId>) -> Acknowledgement {
        let at = Timestamp::from_millis(0);
        Acknowledgement { event: None, state, at, rewrapped, resource: None }
    }

    #[test]
    fn each_kind_wants_its_state() {
        let [newest, ..] = versions();
        for (kind, wanted) in [
            (EventKind::Deletion, &[AdopterState::Deleted, AdopterState::Disabled][..]),
            (EventKind::Disable, &[AdopterState::Disabled]),
            (EventKind::Enable, &[AdopterState::Enabled]),
            (EventKind::Restoration, &[AdopterState::Enabled]),
            (EventKind::Rotation, &[AdopterState::Enabled]),
        ] {
            for state in [AdopterState::Enabled, AdopterState::Disabled, AdopterState::Deleted] {
                let expected = if wanted.contains(&state) { Fit::Fits } else { Fit::Conflict };
                let found = fit(&event(kind), &said(state, Some(newest.id)), &versions());
                assert_eq!(found, Ok(expected), "{kind:?} {state:?}");
            }
        }
    }

    #[test]
    fn a_rotation_wants_the_version_that_it_named_or_a_newer_one() {
        let [newest, named, older] = versions();
        let rotation = event(EventKind::Rotation);
        let found = |id| fit(&rotation, &said(AdopterState::Enabled, id), &versions());
        assert_eq!(found(Some(newest.id)), Ok(Fit::Fits));
        assert_eq!(found(Some(named.id)), Ok(Fit::Fits));
        assert_eq!(found(Some(older.id)), Ok(Fit::Conflict));
        assert_eq!(found(Some(VersionId::from_random([9; 16]))), Err(Reason::KeyVersionInvalid));
        let enable = fit(&event(EventKind::Enable), &said(AdopterState::Enabled, Some(older.id)), &versions());
        assert_eq!(enable, Ok(Fit::Fits));
    }
}
