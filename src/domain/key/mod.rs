//! A key and its whole life.

pub(crate) mod draft;
pub(crate) mod machine;
pub(crate) mod policies;

use crate::domain::alias::Alias;
use crate::domain::due::{Due, DueKind};
use crate::domain::id::{InstanceId, KeyId, RingId, VersionId};
use crate::domain::policy::{DeletionAuthorization, DualAuthPolicy, RotationPolicy};
use crate::domain::reason::Reason;
use crate::domain::time::{DELETION_AUTHORIZATION, PURGE_AFTER_DELETE, PURGED_AFTER_DELETE, RESTORABLE, Timestamp};

use self::machine::{Action, Moments, Next, transition};

/// Root keys wrap data keys and never show their material; standard keys are material to hand out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `extractable: false`
    Root,
    /// `extractable: true`
    Standard,
}

/// Where a key stands in its life. A purged key is no state: it is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Usable.
    Active,
    /// Disabled, until it is enabled again.
    Suspended,
    /// Expired: opens what it sealed, seals nothing new.
    Deactivated,
    /// Deleted; restorable for 30 days, gone after 90.
    Destroyed { at: Timestamp, by: String },
}

impl State {
    /// The number on the wire: 1, 2, 3, 5. Source: docs, key-states.
    pub(crate) fn number(&self) -> u8 {
        match self {
            Self::Active => 1,
            Self::Suspended => 2,
            Self::Deactivated => 3,
            Self::Destroyed { .. } => 5,
        }
    }
}

/// One version of a root key's material, or the only one of a standard key's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) id: VersionId,
    pub(crate) created_at: Timestamp,
}

/// A key without its material. All its instants are whole seconds, as the wire shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) id: KeyId,
    pub(crate) instance: InstanceId,
    pub(crate) ring: RingId,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) tags: Vec<String>,
    /// In order of creation.
    pub(crate) aliases: Vec<Alias>,
    /// True when the first material came from the caller.
    pub(crate) imported: bool,
    /// Bits of the newest version's material.
    pub(crate) bits: u32,
    pub(crate) state: State,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
    /// Last change of any kind.
    pub(crate) updated_at: Timestamp,
    pub(crate) rotated_at: Option<Timestamp>,
    /// Last event that adopting services are told of; creation is none.
    pub(crate) notified_at: Option<Timestamp>,
    /// The newest version.
    pub(crate) version: Version,
    pub(crate) authorization: Option<DeletionAuthorization>,
    pub(crate) rotation: Option<RotationPolicy>,
    pub(crate) dual_auth: Option<DualAuthPolicy>,
}

impl Key {
    /// Decides whether the action may be done now, and changes nothing.
    ///
    /// # Errors
    /// `KeyRootRequired` for a root key's action on a standard key, then what the state machine refuses.
    pub(crate) fn check(&self, action: Action, now: Timestamp) -> Result<Next, Reason> {
        self.require_root_for(action)?;
        // Of whole seconds, as all instants of the key are: the last second of a span counts as a whole.
        transition(&self.state, action, &self.moments(), now.whole_seconds())
    }

    /// Refuses what a standard key cannot do.
    ///
    /// # Errors
    /// `KeyRootRequired`.
    pub(crate) fn require_root_for(&self, action: Action) -> Result<(), Reason> {
        if action.needs_root() && self.kind == Kind::Standard { Err(Reason::KeyRootRequired) } else { Ok(()) }
    }

    /// Does an action that needs nothing but the key: all of them save rotation.
    ///
    /// # Errors
    /// As [`Key::check`].
    pub(crate) fn act(&mut self, action: Action, by: &str, now: Timestamp) -> Result<Next, Reason> {
        let next = self.check(action, now)?;
        let at = now.whole_seconds();
        match next {
            Next::Same => {}
            Next::Active => self.state = State::Active,
            Next::Suspended => self.state = State::Suspended,
            Next::Deactivated => self.state = State::Deactivated,
            Next::Destroyed => {
                self.state = State::Destroyed { at, by: by.to_owned() };
                self.authorization = None;
            }
            Next::Gone => return Ok(next),
        }
        if action == Action::Restore
            && let Some(policy) = &mut self.rotation
        {
            policy.skip_past(now);
        }
        self.updated_at = at;
        if action.notifies() {
            self.notified_at = Some(at);
        }
        Ok(next)
    }

    /// Tells the services behind the key's registrations again. Changes nothing that the key shows.
    ///
    /// # Errors
    /// As [`Key::check`] for [`Action::Sync`].
    pub(crate) fn sync(&mut self, now: Timestamp) -> Result<(), Reason> {
        self.check(Action::Sync, now)?;
        self.notified_at = Some(now.whole_seconds());
        Ok(())
    }

    /// Takes a new version into use.
    ///
    /// # Errors
    /// As [`Key::check`] for [`Action::Rotate`].
    pub(crate) fn rotate(&mut self, id: VersionId, bits: u32, by: &str, now: Timestamp) -> Result<(), Reason> {
        self.act(Action::Rotate, by, now)?;
        let at = now.whole_seconds();
        self.version = Version { id, created_at: at };
        self.bits = bits;
        self.rotated_at = Some(at);
        if let Some(policy) = &mut self.rotation {
            policy.next_at = policy.interval.next_after(at);
        }
        Ok(())
    }

    /// Notes a first person's permission to delete, for seven days; a later one replaces it.
    ///
    /// # Errors
    /// As [`Key::check`]; `NotDualAuth` without a dual authorization policy.
    pub(crate) fn set_for_deletion(&mut self, by: &str, now: Timestamp) -> Result<(), Reason> {
        self.check(Action::SetForDeletion, now)?;
        self.require_dual_auth()?;
        let until = now.whole_seconds().plus(DELETION_AUTHORIZATION);
        self.authorization = Some(DeletionAuthorization { by: by.to_owned(), until });
        self.updated_at = now.whole_seconds();
        Ok(())
    }

    /// Takes the permission to delete back.
    ///
    /// # Errors
    /// As [`Key::set_for_deletion`].
    pub(crate) fn unset_for_deletion(&mut self, now: Timestamp) -> Result<(), Reason> {
        self.check(Action::UnsetForDeletion, now)?;
        self.require_dual_auth()?;
        self.authorization = None;
        self.updated_at = now.whole_seconds();
        Ok(())
    }

    /// Decides whether `by` may delete the key as far as dual authorization goes.
    ///
    /// # Errors
    /// `AuthorizationsNotMet` unless another person has authorized it and the seven days are not over.
    pub(crate) fn allow_deletion_by(&self, by: &str, now: Timestamp) -> Result<(), Reason> {
        if !self.needs_two_people() {
            return Ok(());
        }
        let authorized = self.authorization.as_ref().is_some_and(|first| first.is_live(now) && first.by != by);
        if authorized { Ok(()) } else { Err(Reason::AuthorizationsNotMet) }
    }

    /// True when the key has an enabled dual authorization policy.
    pub(crate) fn needs_two_people(&self) -> bool {
        self.dual_auth.as_ref().is_some_and(|policy| policy.enabled)
    }

    /// What time will bring to the key, if nobody acts on it.
    pub(crate) fn due(&self) -> Vec<Due> {
        let mut all = Vec::new();
        let mut add = |kind, at| all.push(Due { at, kind });
        match &self.state {
            State::Active | State::Suspended => {
                if let Some(at) = self.expires_at {
                    add(DueKind::Expiry, at);
                }
            }
            State::Deactivated => {}
            State::Destroyed { at, .. } => {
                add(DueKind::Purge, at.plus(PURGED_AFTER_DELETE));
                return all;
            }
        }
        if let Some(policy) = self.rotation.as_ref().filter(|policy| policy.enabled) {
            add(DueKind::Rotation, policy.next_at);
        }
        if let Some(authorization) = &self.authorization {
            // Valid up to and including its last second, so gone one second later.
            add(DueKind::DeletionLapse, authorization.until.plus(std::time::Duration::from_secs(1)));
        }
        all
    }

    /// What a destroyed key's dates allow. `None` for a living key.
    pub(crate) fn afterlife(&self, now: Timestamp) -> Option<Afterlife> {
        let State::Destroyed { at, .. } = &self.state else { return None };
        let now = now.whole_seconds();
        let restore_until = at.plus(RESTORABLE);
        let purge_from = at.plus(PURGE_AFTER_DELETE);
        Some(Afterlife {
            restore_until,
            restore_allowed: now <= restore_until && self.expires_at.is_none_or(|expiry| now < expiry),
            purge_from,
            purge_allowed: now >= purge_from,
            purged_at: at.plus(PURGED_AFTER_DELETE),
        })
    }

    fn require_dual_auth(&self) -> Result<(), Reason> {
        if self.needs_two_people() { Ok(()) } else { Err(Reason::NotDualAuth) }
    }

    fn moments(&self) -> Moments {
        Moments {
            updated: self.updated_at,
            rotated: self.rotated_at,
            notified: self.notified_at,
            expires: self.expires_at,
        }
    }
}

/// Dates of a destroyed key. Source: docs, delete-purge-keys, restore-keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Afterlife {
    pub(crate) restore_until: Timestamp,
    pub(crate) restore_allowed: bool,
    pub(crate) purge_from: Timestamp,
    pub(crate) purge_allowed: bool,
    pub(crate) purged_at: Timestamp,
}
