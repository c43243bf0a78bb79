//! Who may do what: one decision for every route.

use crate::domain::caller::Caller;
use crate::domain::operation::Operation;
use crate::domain::reason::Reason;

/// A set of Key Protect's service roles. Source: docs, manage-access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Roles(u8);

impl Roles {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const READER: Self = Self(1);
    pub(crate) const READER_PLUS: Self = Self(1 << 1);
    pub(crate) const WRITER: Self = Self(1 << 2);
    pub(crate) const MANAGER: Self = Self(1 << 3);
    /// In no other role, not even Manager.
    pub(crate) const KEY_PURGE: Self = Self(1 << 4);
    pub(crate) const KMIP_ADAPTER_MANAGER: Self = Self(1 << 5);

    /// Both sets.
    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// True when the sets have a role in common.
    pub(crate) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Allows the operation, or refuses it as if the instance were not there.
///
/// # Errors
/// `Unauthorized` when the caller has none of the operation's roles.
///
/// Source: docs, manage-access.
pub(crate) fn allow(caller: &Caller, operation: Operation) -> Result<(), Reason> {
    if caller.roles.meets(operation.row().roles) { Ok(()) } else { Err(Reason::Unauthorized) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::caller::Identity;
    use crate::domain::kmip::operation::KmipOperation;

    const READER: &str = "R";
    const READER_PLUS: &str = "R+";
    const WRITER: &str = "W";
    const MANAGER: &str = "M";
    const PURGE: &str = "P";
    const KMIP: &str = "K";

    /// Straight from the table of `docs/contract/iam.md` 5.
    const ALLOWED: [(Operation, &[&str]); 45] = [
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
                let caller = Caller::new(Identity::user("IBMid-1", "a@example.com"), "account", role);
                let expected = if allowed.contains(&name) { Ok(()) } else { Err(Reason::Unauthorized) };
                assert_eq!(allow(&caller, operation), expected, "{operation:?} as {name}");
            }
        }
    }

    #[test]
    fn without_a_role_nothing_is_allowed() {
        let caller = Caller::new(Identity::user("IBMid-1", "a@example.com"), "account", Roles::NONE);
        for (operation, _) in ALLOWED {
            assert_eq!(allow(&caller, operation), Err(Reason::Unauthorized), "{operation:?}");
        }
    }
}
