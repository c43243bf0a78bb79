//! What the gateway knows of a bucket's root key, and what events, requests and Key Protect's answers make of it: a state
//! machine of three total functions. Source: docs, kp; `docs/contract/cos.md` 7.

use std::time::Duration;

use crate::cos::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

/// How a bucket's root key stands, as the gateway has noted it. Source: `docs/contract/cos.md` 7.9.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyState {
    Active,
    /// Disabled, until it is enabled again.
    Suspended,
    /// Deleted: shredded, as long as it is not restored.
    Erased,
    /// Purged, and the wrapped data key destroyed: nothing brings the objects back.
    Lost,
}

impl KeyState {
    /// All of them.
    const ALL: [Self; 4] = [Self::Active, Self::Suspended, Self::Erased, Self::Lost];

    /// The word in `/mock/buckets` and in the store.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Erased => "erased",
            Self::Lost => "lost",
        }
    }

    /// Reads the word.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What a bucket's data key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Reads and writes.
    Usable,
    /// Reads alone: the root key has expired (ASSUMED).
    ReadsOnly,
    NotUsable(Why),
}

/// Why a root key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Suspended,
    Deleted,
    /// Key Protect did not answer, or does not let the gateway in.
    Unreachable,
    /// The key is there, but is not the one that wrapped the data key.
    OtherMaterial,
}

/// What is remembered of Key Protect's last word on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyInfo {
    pub(crate) verdict: Verdict,
    pub(crate) fetched_at: Timestamp,
}

impl KeyInfo {
    /// True while the entry is to be trusted. A span of zero trusts nothing.
    pub(crate) fn is_fresh(&self, ttl: Duration, now: Timestamp) -> bool {
        now.since(self.fetched_at) < ttl
    }

    /// When Key Protect is asked next, by the first data operation from then on.
    pub(crate) fn next_check(&self, ttl: Duration) -> Timestamp {
        self.fetched_at.plus(ttl)
    }
}

/// All that is known of a bucket's root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) state: KeyState,
    /// `None` when nothing is remembered.
    pub(crate) info: Option<KeyInfo>,
}

/// What a data operation does about the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Acts on what is remembered.
    Act(Verdict),
    /// Asks Key Protect: state, authorization, unwrap.
    Ask,
}

/// What Key Protect says when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The data key was unwrapped.
    Active,
    /// It was unwrapped by an expired key.
    Deactivated,
    Suspended,
    Deleted,
    /// There is no such key any more: it was purged.
    Gone,
    /// The authorization is missing.
    Refused,
    /// The key does not open the wrapped data key.
    OtherMaterial,
}

/// Actions on a key that the gateway is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum EventKind {
    Disable,
    Enable,
    Deletion,
    Restoration,
    Rotation,
}

impl EventKind {
    /// All of them.
    const ALL: [Self; 5] = [Self::Disable, Self::Enable, Self::Deletion, Self::Restoration, Self::Rotation];

    /// The word in events: `disable`, `enable`, `deletion`, `restoration`, `rotation`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Deletion => "deletion",
            Self::Restoration => "restoration",
            Self::Rotation => "rotation",
        }
    }

    /// Reads the word.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Whether an event tells of an action, or repeats how the key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Action,
    /// A person has called sync.
    Sync,
}

/// Decides what a data operation does: act on what is remembered, or ask. A look does not prolong what is remembered.
pub(crate) fn on_operation(known: &Known, ttl: Duration, now: Timestamp) -> Step {
    match known.state {
        // The wrapped data key is destroyed: there is nothing left to ask for.
        KeyState::Lost => Step::Act(Verdict::NotUsable(Why::Deleted)),
        KeyState::Active | KeyState::Suspended | KeyState::Erased => match known.info {
            Some(info) if info.is_fresh(ttl, now) => Step::Act(info.verdict),
            Some(_) | None => Step::Ask,
        },
    }
}

/// Takes Key Protect's answer. An answer on the key's state is believed whatever was noted before; where the key's state is
/// not told, the noted one stays.
pub(crate) fn on_answer(known: &Known, answer: Answer, now: Timestamp) -> Known {
    let (state, verdict) = match answer {
        Answer::Active => (KeyState::Active, Verdict::Usable),
        Answer::Deactivated => (KeyState::Active, Verdict::ReadsOnly),
        Answer::Suspended => (KeyState::Suspended, Verdict::NotUsable(Why::Suspended)),
        Answer::Deleted => (KeyState::Erased, Verdict::NotUsable(Why::Deleted)),
        Answer::Gone => (KeyState::Lost, Verdict::NotUsable(Why::Deleted)),
        Answer::Refused => (known.state, Verdict::NotUsable(Why::Unreachable)),
        Answer::OtherMaterial => (known.state, Verdict::NotUsable(Why::OtherMaterial)),
    };
    match known.state {
        KeyState::Lost => *known,
        KeyState::Active | KeyState::Suspended | KeyState::Erased => {
            Known { state, info: Some(KeyInfo { verdict, fetched_at: now }) }
        }
    }
}

/// Takes an event that is newer than all that were taken before. The wrapped data key of a rotation is renewed elsewhere.
pub(crate) fn on_event(known: &Known, kind: EventKind, cause: Cause, ttl: Duration, now: Timestamp) -> Known {
    let shut = |state, why| Known { state, info: Some(KeyInfo { verdict: Verdict::NotUsable(why), fetched_at: now }) };
    match known.state {
        KeyState::Lost => return *known,
        KeyState::Active | KeyState::Suspended | KeyState::Erased => {}
    }
    match kind {
        EventKind::Disable => shut(KeyState::Suspended, Why::Suspended),
        EventKind::Deletion => shut(KeyState::Erased, Why::Deleted),
        EventKind::Restoration => Known { state: KeyState::Active, info: None },
        EventKind::Enable => {
            let remembered = match cause {
                Cause::Action => known.info.filter(|info| info.is_fresh(ttl, now)),
                Cause::Sync => None,
            };
            Known { state: KeyState::Active, info: remembered }
        }
        EventKind::Rotation => match known.state {
            KeyState::Active | KeyState::Lost => *known,
            // Only an active key is rotated, so an event is missing between: whoever comes next asks.
            KeyState::Suspended | KeyState::Erased => Known { state: KeyState::Active, info: None },
        },
    }
}

/// How the refusal of a data operation looks, as settings say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unavailable {
    pub(crate) code: String,
    pub(crate) status: u16,
}

/// The refusal of a data operation, which tells why, and where memory alone refuses, what ends it.
pub(crate) fn refusal(known: &Known, why: Why, ttl: Duration, form: &Unavailable) -> Refusal {
    let remembered = known.info.filter(|_| known.state == KeyState::Active && why == Why::Suspended);
    let message = match (why, remembered) {
        (Why::Suspended, Some(info)) => format!(
            "The root key of this bucket was suspended when last checked; the next check is due at {} (advance the \
             clock, sync the key, or set cosKeyInfoTtl to 0s)",
            info.next_check(ttl).rfc3339()
        ),
        (Why::Suspended, None) => "The root key of this bucket is suspended".to_owned(),
        (Why::Deleted, _) => "The root key of this bucket is deleted".to_owned(),
        (Why::Unreachable, _) => "The root key of this bucket could not be reached".to_owned(),
        (Why::OtherMaterial, _) => {
            "The root key of this bucket holds other material than the one that wrapped its data key".to_owned()
        }
    };
    Refusal { code: form.code.clone().into(), status: form.status, message: message.into(), size: None }
}

/// The refusal of a write under an expired key.
pub(crate) fn refusal_of_write(form: &Unavailable) -> Refusal {
    let message = "The root key of this bucket is deactivated: it has expired, so objects can be read and not written";
    Refusal { code: form.code.clone().into(), status: form.status, message: message.into(), size: None }
}

#[cfg(test)]
#[path = "key_info_tests.rs"]
mod tests;
