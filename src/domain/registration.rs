//! Registrations: which cloud resource a root key protects, as the service that owns the resource tells it.

use crate::domain::crn;
use crate::domain::id::{KeyId, VersionId};
use crate::domain::key::{Key, Kind, State, Version};
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;

/// Characters of a description or of metadata (ASSUMED).
const TEXT_CHARACTERS_MAX: usize = 1_000;
/// Bytes of a resource's CRN (ASSUMED).
const CRN_BYTES_MAX: usize = 1_000;

/// The CRN of a cloud resource: ten segments, at least the service instance is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResourceCrn(String);

impl ResourceCrn {
    /// What it must be, for messages.
    pub(crate) const RULE: &str = "a CRN of ten segments that names a service instance";

    /// Reads a CRN without wildcards.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let named = crn::parse(text)?;
        let plain = text.len() <= CRN_BYTES_MAX && !text.chars().any(|letter| letter.is_control() || letter == '*');
        (plain && !named.instance.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The CRN as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// True when the resource belongs to the service instance of that CRN. Source: docs, error 29.
    pub(crate) fn belongs_to(&self, service: &str) -> bool {
        crn::same_owner(&self.0, service)
    }
}

/// A registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Registration {
    pub(crate) key: KeyId,
    pub(crate) key_name: String,
    pub(crate) resource: ResourceCrn,
    /// True: the key cannot be deleted, not even by force.
    pub(crate) prevent_deletion: bool,
    /// For people.
    pub(crate) description: Option<String>,
    /// For the service that owns the resource.
    pub(crate) metadata: Option<String>,
    /// The version that protects the resource now.
    pub(crate) version: Version,
    pub(crate) created_at: Timestamp,
    /// The service's CRN.
    pub(crate) created_by: String,
    pub(crate) updated_at: Timestamp,
    pub(crate) updated_by: String,
    /// Counts the changes, from 1 on.
    pub(crate) revision: i64,
}

/// What a service says of a registration; what it leaves out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RegistrationDraft {
    pub(crate) prevent_deletion: Option<bool>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Option<String>,
    pub(crate) version: Option<VersionId>,
}

/// What is done to a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    Create,
    Change,
    Delete,
}

/// True for a text that a registration can hold: up to 1,000 characters, control characters save line ends and tabs
/// left out (ASSUMED).
pub(crate) fn is_text(text: &str) -> bool {
    text.chars().count() <= TEXT_CHARACTERS_MAX
        && !text.chars().any(|letter| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t'))
}

/// Decides whether a key's registrations may be written. Deleting one is allowed whatever became of the key, for the
/// resource may outlive it (ASSUMED).
///
/// # Errors
/// `KeyRootRequiredForRegistration`, `KeyInvalidStateForRegistration`.
///
/// Source: docs, error-messages 8.
pub(crate) fn may_write(key: &Key, write: Write) -> Result<(), Reason> {
    if key.kind == Kind::Standard {
        return Err(Reason::KeyRootRequiredForRegistration);
    }
    match write {
        Write::Delete => Ok(()),
        Write::Create | Write::Change => match key.state {
            State::Active => Ok(()),
            State::Suspended | State::Deactivated | State::Destroyed { .. } => {
                Err(Reason::KeyInvalidStateForRegistration)
            }
        },
    }
}

/// The version that a registration names, among a key's versions, newest first; not older than `present`.
///
/// # Errors
/// `KeyVersionInvalid`. Source: docs, error-messages 32: "equal to or greater".
pub(crate) fn named_version(
    versions: &[Version],
    named: VersionId,
    present: Option<VersionId>,
) -> Result<Version, Reason> {
    let place = |id: VersionId| versions.iter().position(|version| version.id == id);
    let at = place(named).ok_or(Reason::KeyVersionInvalid)?;
    let older = present.and_then(place).is_some_and(|present| at > present);
    versions.get(at).filter(|_| !older).copied().ok_or(Reason::KeyVersionInvalid)
}

impl Registration {
    /// Takes over what a service says. A version must have been looked for before.
    pub(crate) fn change(&mut self, draft: RegistrationDraft, version: Option<Version>, by: &str, now: Timestamp) {
        self.prevent_deletion = draft.prevent_deletion.unwrap_or(self.prevent_deletion);
        self.description = draft.description.or(self.description.take());
        self.metadata = draft.metadata.or(self.metadata.take());
        self.version = version.unwrap_or(self.version);
        self.updated_at = now.whole_seconds();
        by.clone_into(&mut self.updated_by);
        self.revision += 1;
    }
}

/// True when one of the tags in an `If-Match` header is the present one. Weak tags compare as strong ones do.
///
/// Source: Node client of services; RFC 9110, 13.1.1.
pub(crate) fn matches_etag(header: &str, present: &str) -> bool {
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    header.split(',').map(plain).any(|tag| tag == "*" || tag == plain(present))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions() -> [Version; 3] {
        let at = Timestamp::from_millis(0);
        [3, 2, 1].map(|number| Version { id: VersionId::from_random([number; 16]), created_at: at })
    }

    #[test]
    fn a_version_may_stay_or_get_newer_but_not_older() {
        let [newest, middle, oldest] = versions();
        let named = |id: VersionId, present| named_version(&versions(), id, present).map(|version| version.id);
        assert_eq!(named(middle.id, Some(middle.id)), Ok(middle.id));
        assert_eq!(named(newest.id, Some(middle.id)), Ok(newest.id));
        assert_eq!(named(oldest.id, Some(middle.id)), Err(Reason::KeyVersionInvalid));
        assert_eq!(named(oldest.id, None), Ok(oldest.id));
        assert_eq!(named(VersionId::from_random([9; 16]), None), Err(Reason::KeyVersionInvalid));
    }

    #[test]
    fn tags_compare_weakly_and_any_of_a_list_will_do() {
        for header in ["W/\"a\"", "\"a\"", "\"x\", W/\"a\"", "*", " W/\"a\" "] {
            assert!(matches_etag(header, "W/\"a\""), "{header}");
        }
        for header in ["", "a", "\"b\"", "W/\"b\", \"c\""] {
            assert!(!matches_etag(header, "W/\"a\""), "{header}");
        }
    }

    #[test]
    fn a_resource_must_name_its_instance_and_hold_no_wildcard() {
        assert!(ResourceCrn::parse("crn:v1:b:p:s:global:a/1:i:bucket:name").is_some());
        assert!(ResourceCrn::parse("crn:v1:b:p:s:global:a/1:i::").is_some());
        for wrong in ["", "crn:v1:b:p:s:global:a/1:::", "crn:v1:b:p:s:global:a/1:i", "crn:v1:b:p:s:g:a/1:i:bucket:*"] {
            assert!(ResourceCrn::parse(wrong).is_none(), "{wrong}");
        }
    }
}
