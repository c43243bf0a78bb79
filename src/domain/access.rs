//! Who may do what: one decision for every route.

use crate::domain::alias::KeyRef;
use crate::domain::grant::Rights;
use crate::domain::id::{KeyId, RingId};
use crate::domain::operation::Operation;
use crate::domain::pattern::Pattern;
use crate::domain::reason::Reason;

/// A set of roles: Key Protect's service roles and IAM's platform roles. Source: docs, manage-access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Roles(u16);

impl Roles {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const READER: Self = Self(1);
    pub(crate) const READER_PLUS: Self = Self(1 << 1);
    pub(crate) const WRITER: Self = Self(1 << 2);
    pub(crate) const MANAGER: Self = Self(1 << 3);
    /// In no other role, not even Manager.
    pub(crate) const KEY_PURGE: Self = Self(1 << 4);
    pub(crate) const KMIP_ADAPTER_MANAGER: Self = Self(1 << 5);
    pub(crate) const VIEWER: Self = Self(1 << 6);
    pub(crate) const OPERATOR: Self = Self(1 << 7);
    pub(crate) const EDITOR: Self = Self(1 << 8);
    pub(crate) const ADMINISTRATOR: Self = Self(1 << 9);

    /// Both sets.
    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// True when the set has all roles of the other.
    pub(crate) const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// True when the sets have a role in common.
    pub(crate) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Without platform roles.
    pub(crate) const fn of_service(self) -> Self {
        Self(self.0 & (Self::VIEWER.0 - 1))
    }
}

/// Where in an instance something is to be done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// Anywhere in it: asked before a key is looked for.
    Anywhere,
    /// The instance as a whole: its rings, import tokens and policies.
    Whole,
    /// A ring, for a key that is to be made or moved there.
    Ring(&'a RingId),
    Key(&'a RingId, KeyId),
    /// A key that is not there.
    Missing(&'a KeyRef),
}

/// Allows the operation, or refuses it as if the instance were not there.
///
/// # Errors
/// `Unauthorized` when none of the operation's roles was given at that place. For a key that is not there this is so
/// unless a role covers the instance or names that id: others are not told which keys exist (ASSUMED).
///
/// Source: docs, manage-access, key-rings.
pub(crate) fn allow(rights: &Rights, operation: Operation, place: Place<'_>) -> Result<(), Reason> {
    let needed = operation.row().roles;
    let mut limited = rights.limited.iter().filter(|limited| limited.roles.meets(needed));
    let allowed = rights.whole.meets(needed)
        || match place {
            Place::Anywhere => limited.next().is_some(),
            Place::Ring(ring) => limited.any(|limited| limited.covers_ring(ring)),
            Place::Key(ring, key) => limited.any(|limited| limited.covers_key(ring, key)),
            Place::Missing(KeyRef::Id(key)) => limited.any(|limited| limited.covers_missing(*key)),
            Place::Whole | Place::Missing(KeyRef::Alias(_) | KeyRef::Nothing) => false,
        };
    if allowed { Ok(()) } else { Err(Reason::Unauthorized) }
}

/// Which keys of an instance a list may show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Visible {
    #[default]
    All,
    /// Those that fit one of the pairs; none of them where there is no pair.
    Some(Vec<VisiblePart>),
}

/// Keys of rings that fit `ring` whose ids fit `key`; `None` fits all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VisiblePart {
    pub(crate) ring: Option<Pattern>,
    pub(crate) key: Option<Pattern>,
}

/// The keys that a list, or a count, may be about.
///
/// Source: docs, ts-unable-to-list-keys-api.
pub(crate) fn visible(rights: &Rights, operation: Operation) -> Visible {
    let needed = operation.row().roles;
    if rights.whole.meets(needed) {
        return Visible::All;
    }
    let limited = rights.limited.iter().filter(|limited| limited.roles.meets(needed));
    Visible::Some(limited.map(|one| VisiblePart { ring: one.ring.clone(), key: one.key.clone() }).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::grant::Limited;
    use crate::domain::kmip::operation::KmipOperation;

    const READER: &str = "R";
    const READER_PLUS: &str = "R+";
    const WRITER: &str = "W";
    const MANAGER: &str = "M";
    const PURGE: &str = "P";
    const KMIP: &str = "K";

    /// Straight from the table of `docs/contract/iam.md` 5.
    const ALLOWED: [(Operation, &[&str]); 49] = [
        (Operation::CreateKey, &[WRITER, MANAGER]),
        (Operation::CreateKeyWithPolicies, &[MANAGER]),
        (Operation::GetKey, &[READER_PLUS, WRITER, MANAGER]),
        (Operation::GetKeyMetadata, &[READER, READER_PLUS, WRITER, MANAGER]),
        (Operation::CountKeys, &[READER, READER_PLUS, WRITER, MANAGER, KMIP]),
        (Operation::ListKeys, &[READER, READER_PLUS, WRITER, MANAGER, KMIP]),
        (Operation::GetKeyVersions, &[READER, READER_PLUS, WRITER, MANAGER]),
        (Operation::Wrap, &[READER, READER_PLUS, WRITER, MANAGER]),
        (Operation::Unwrap, &[READER, READER_PLUS, WRITER, MANAGER]),
        (Operation::Rewrap, &[READER, READER_PLUS, WRITER, MANAGER]),
        (Operation::Rotate, &[WRITER, MANAGER]),
        (Operation::SetForDeletion, &[WRITER, MANAGER]),
        (Operation::UnsetForDeletion, &[WRITER, MANAGER]),
        (Operation::Sync, &[WRITER, MANAGER]),
        (Operation::Disable, &[MANAGER]),
        (Operation::Enable, &[MANAGER]),
        (Operation::DeleteKey, &[MANAGER]),
        (Operation::RestoreKey, &[MANAGER]),
        (Operation::PatchKey, &[MANAGER]),
        (Operation::PurgeKey, &[PURGE]),
        (Operation::CreateAlias, &[WRITER, MANAGER]),
        (Operation::DeleteAlias, &[WRITER, MANAGER]),
        (Operation::GetPolicies, &[MANAGER]),
        (Operation::SetPolicies, &[MANAGER]),
        (Operation::GetInstancePolicies, &[MANAGER]),
        (Operation::SetInstancePolicies, &[MANAGER]),
        (Operation::GetAllowedIpPort, &[MANAGER]),
        (Operation::ListKeyRings, &[READER, READER_PLUS, WRITER, MANAGER, KMIP]),
        (Operation::CreateKeyRing, &[WRITER, MANAGER]),
        (Operation::DeleteKeyRing, &[MANAGER]),
        (Operation::CreateImportToken, &[WRITER, MANAGER]),
        (Operation::GetImportToken, &[WRITER, MANAGER]),
        (Operation::ListRegistrations, &[READER, READER_PLUS, WRITER, MANAGER]),
        (Operation::ListAllRegistrations, &[READER, READER_PLUS, WRITER, MANAGER]),
        (Operation::Kmip(KmipOperation::CreateAdapter), &[MANAGER, KMIP]),
        (Operation::Kmip(KmipOperation::ListAdapters), &[MANAGER, KMIP]),
        (Operation::Kmip(KmipOperation::GetAdapter), &[MANAGER, KMIP]),
        (Operation::Kmip(KmipOperation::DeleteAdapter), &[MANAGER, KMIP]),
        (Operation::Kmip(KmipOperation::AddCertificate), &[MANAGER, KMIP]),
        (Operation::Kmip(KmipOperation::ListCertificates), &[MANAGER, KMIP]),
        (Operation::Kmip(KmipOperation::GetCertificate), &[MANAGER, KMIP]),
        (Operation::Kmip(KmipOperation::DeleteCertificate), &[MANAGER, KMIP]),
        (Operation::Kmip(KmipOperation::ListObjects), &[MANAGER, KMIP]),
        (Operation::Kmip(KmipOperation::GetObject), &[MANAGER, KMIP]),
        (Operation::Kmip(KmipOperation::DeleteObject), &[MANAGER, KMIP]),
        (Operation::CreateRegistration, &[READER, READER_PLUS, WRITER, MANAGER]),
        (Operation::ReplaceRegistration, &[READER, READER_PLUS, WRITER, MANAGER]),
        (Operation::UpdateRegistration, &[READER, READER_PLUS, WRITER, MANAGER]),
        (Operation::DeleteRegistration, &[READER, READER_PLUS, WRITER, MANAGER]),
    ];

    #[test]
    fn each_role_may_do_what_ibms_table_says_and_nothing_else() {
        let roles = [
            (READER, Roles::READER),
            (READER_PLUS, Roles::READER_PLUS),
            (WRITER, Roles::WRITER),
            (MANAGER, Roles::MANAGER),
            (PURGE, Roles::KEY_PURGE),
            (KMIP, Roles::KMIP_ADAPTER_MANAGER),
        ];
        for (operation, allowed) in ALLOWED {
            for (name, role) in roles {
                let rights = Rights::whole(role);
                let expected = if allowed.contains(&name) { Ok(()) } else { Err(Reason::Unauthorized) };
                assert_eq!(allow(&rights, operation, Place::Whole), expected, "{operation:?} as {name}");
            }
        }
    }

    #[test]
    fn without_a_role_nothing_is_allowed() {
        let rights = Rights::whole(Roles::NONE);
        for (operation, _) in ALLOWED {
            assert_eq!(allow(&rights, operation, Place::Anywhere), Err(Reason::Unauthorized), "{operation:?}");
        }
    }

    fn limited(ring: Option<&str>, key: Option<&str>) -> Rights {
        let exact = |text: &str| Pattern::Exact(text.to_owned());
        let part = Limited { roles: Roles::READER, ring: ring.map(exact), key: key.map(exact) };
        Rights { whole: Roles::NONE, limited: vec![Arc::new(part)] }
    }

    #[test]
    fn a_limit_holds_at_each_place() {
        const ID: &str = "02fd6835-6001-4482-a892-13bd2085f75d";
        let (key, other) = (KeyId::parse(ID).unwrap(), KeyId::from_random([1; 16]));
        let (ring, elsewhere) = (RingId::parse("blue").unwrap(), RingId::default_ring());
        let places = [
            Place::Anywhere,
            Place::Whole,
            Place::Ring(&ring),
            Place::Ring(&elsewhere),
            Place::Key(&ring, key),
            Place::Key(&ring, other),
            Place::Key(&elsewhere, key),
            Place::Key(&elsewhere, other),
            Place::Missing(&KeyRef::Id(key)),
            Place::Missing(&KeyRef::Id(other)),
            Place::Missing(&KeyRef::Nothing),
        ];
        let table = [
            (limited(Some("blue"), None), "x.x.xx....."),
            (limited(None, Some(ID)), "x...x.x.x.."),
            (limited(Some("blue"), Some(ID)), "x...x......"),
            (limited(None, None), "x.xxxxxxxx."),
            (Rights::whole(Roles::READER), "xxxxxxxxxxx"),
            (Rights::whole(Roles::KEY_PURGE), "..........."),
        ];
        for (rights, expected) in table {
            let found: String = places
                .iter()
                .map(|place| if allow(&rights, Operation::Wrap, *place).is_ok() { 'x' } else { '.' })
                .collect();
            assert_eq!(found, expected, "{rights:?}");
        }
    }
}
