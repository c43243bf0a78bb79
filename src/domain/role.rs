//! Roles of IAM: which there are, how they are named, and what each may do. Source: docs, manage-access.

use crate::domain::access::Roles;

/// A role that can be granted on Key Protect.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// As a policy names it.
    pub(crate) crn: &'static str,
    pub(crate) roles: Roles,
}

/// Key Protect's service roles. The CRNs of the last three are ASSUMED.
pub(crate) const SERVICE_ROLES: [Role; 6] = [
    Role {
        name: "Reader",
        description: "As a reader, you can list keys, read their metadata, and wrap and unwrap data keys.",
        crn: "crn:v1:bluemix:public:iam::::serviceRole:Reader",
        roles: Roles::READER,
    },
    Role {
        name: "Writer",
        description: "As a writer, you have permissions beyond the reader role: you can create and rotate keys.",
        crn: "crn:v1:bluemix:public:iam::::serviceRole:Writer",
        roles: Roles::WRITER,
    },
    Role {
        name: "Manager",
        description: "As a manager, you have permissions beyond the writer role: you can delete keys and set policies.",
        crn: "crn:v1:bluemix:public:iam::::serviceRole:Manager",
        roles: Roles::MANAGER,
    },
    Role {
        name: "ReaderPlus",
        description: "As a reader plus, you can also retrieve the key material of standard keys.",
        crn: "crn:v1:bluemix:public:kms::::serviceRole:ReaderPlus",
        roles: Roles::READER_PLUS,
    },
    Role {
        name: "KeyPurge",
        description: "You can purge deleted keys before they are purged by themselves.",
        crn: "crn:v1:bluemix:public:kms::::serviceRole:KeyPurge",
        roles: Roles::KEY_PURGE,
    },
    Role {
        name: "KmipAdapterManager",
        description: "You can manage KMIP adapters, their certificates and objects.",
        crn: "crn:v1:bluemix:public:kms::::serviceRole:KmipAdapterManager",
        roles: Roles::KMIP_ADAPTER_MANAGER,
    },
];

/// IAM's platform roles: they manage instances and access, and give nothing on keys.
pub(crate) const PLATFORM_ROLES: [Role; 4] = [
    Role {
        name: "Viewer",
        description: "As a viewer, you can view service instances, but you can't modify them.",
        crn: "crn:v1:bluemix:public:iam::::role:Viewer",
        roles: Roles::VIEWER,
    },
    Role {
        name: "Operator",
        description: "As an operator, you can perform platform actions required to configure and operate instances.",
        crn: "crn:v1:bluemix:public:iam::::role:Operator",
        roles: Roles::OPERATOR,
    },
    Role {
        name: "Editor",
        description: "As an editor, you can create, delete, edit and view service instances.",
        crn: "crn:v1:bluemix:public:iam::::role:Editor",
        roles: Roles::EDITOR,
    },
    Role {
        name: "Administrator",
        description: "As an administrator, you can also assign access policies to other users.",
        crn: "crn:v1:bluemix:public:iam::::role:Administrator",
        roles: Roles::ADMINISTRATOR,
    },
];

const READERS: Roles = READERS_PLUS.or(Roles::READER);
const READERS_PLUS: Roles = Roles::READER_PLUS.or(WRITERS);
const WRITERS: Roles = Roles::WRITER.or(Roles::MANAGER);
const LISTERS: Roles = READERS.or(Roles::KMIP_ADAPTER_MANAGER);
const KMIP: Roles = Roles::MANAGER.or(Roles::KMIP_ADAPTER_MANAGER);

/// Actions as IAM spells them, with the roles that have them; audit records spell some of them otherwise.
const ACTIONS: [(&str, Roles); 47] = [
    ("kms.secrets.create", WRITERS),
    ("kms.secrets.read", READERS_PLUS),
    ("kms.secrets.readmetadata", READERS),
    ("kms.secrets.head", LISTERS),
    ("kms.secrets.list", LISTERS),
    ("kms.secrets.listkeyversions", READERS),
    ("kms.secrets.wrap", READERS),
    ("kms.secrets.unwrap", READERS),
    ("kms.secrets.rewrap", READERS),
    ("kms.secrets.rotate", WRITERS),
    ("kms.secrets.setkeyfordeletion", WRITERS),
    ("kms.secrets.unsetkeyfordeletion", WRITERS),
    ("kms.secrets.sync", WRITERS),
    ("kms.secrets.disable", Roles::MANAGER),
    ("kms.secrets.enable", Roles::MANAGER),
    ("kms.secrets.delete", Roles::MANAGER),
    ("kms.secrets.restore", Roles::MANAGER),
    ("kms.secrets.patch", Roles::MANAGER),
    ("kms.secrets.purge", Roles::KEY_PURGE),
    ("kms.secrets.createalias", WRITERS),
    ("kms.secrets.deletealias", WRITERS),
    ("kms.secrets.eventack", READERS),
    ("kms.keyrings.create", WRITERS),
    ("kms.keyrings.list", LISTERS),
    ("kms.keyrings.delete", Roles::MANAGER),
    ("kms.policies.write", Roles::MANAGER),
    ("kms.policies.read", Roles::MANAGER),
    ("kms.instancepolicies.write", Roles::MANAGER),
    ("kms.instancepolicies.read", Roles::MANAGER),
    ("kms.importtoken.create", WRITERS),
    ("kms.importtoken.read", WRITERS),
    ("kms.registrations.list", READERS),
    ("kms.registrations.create", READERS),
    ("kms.registrations.write", READERS),
    ("kms.registrations.merge", READERS),
    ("kms.registrations.delete", READERS),
    ("kms.kmip-management.create", KMIP),
    ("kms.kmip-management.delete", KMIP),
    ("kms.kmip-management.list", KMIP),
    ("kms.kmip-management.read", KMIP),
    ("iam.policy.create", Roles::ADMINISTRATOR),
    ("iam.policy.read", Roles::ADMINISTRATOR),
    ("iam.policy.update", Roles::ADMINISTRATOR),
    ("iam.policy.delete", Roles::ADMINISTRATOR),
    ("resource-controller.instance.create", Roles::EDITOR.or(Roles::ADMINISTRATOR)),
    ("resource-controller.instance.update", Roles::EDITOR.or(Roles::ADMINISTRATOR)),
    ("resource-controller.instance.delete", Roles::EDITOR.or(Roles::ADMINISTRATOR)),
];

impl Role {
    /// The role that a policy names. Service roles of Key Protect's own are known under IAM's name too.
    pub(crate) fn find(crn: &str) -> Option<&'static Self> {
        let (scope, name) = crn.rsplit_once(':')?;
        let service = ["crn:v1:bluemix:public:iam::::serviceRole", "crn:v1:bluemix:public:kms::::serviceRole"];
        let known: &[Self] = if service.contains(&scope) {
            &SERVICE_ROLES
        } else if scope == "crn:v1:bluemix:public:iam::::role" {
            &PLATFORM_ROLES
        } else {
            return None;
        };
        known.iter().find(|role| role.name == name)
    }

    /// What the role may do, as IAM spells it.
    pub(crate) fn actions(&self) -> impl Iterator<Item = &'static str> {
        let own = self.roles;
        ACTIONS.iter().filter(move |(_, roles)| roles.meets(own)).map(|(action, _)| *action)
    }
}

/// True for a text that has the form of a role's CRN, of any service. What such a role may do is not known here.
pub(crate) fn is_role_crn(text: &str) -> bool {
    let segments: Vec<&str> = text.split(':').collect();
    let [scheme, version, _, _, service, _, _, _, kind, name] = segments.as_slice() else { return false };
    *scheme == "crn"
        && *version == "v1"
        && !service.is_empty()
        && ["serviceRole", "role", "customRole"].contains(kind)
        && !name.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_is_found_by_its_crn() {
        for role in SERVICE_ROLES.iter().chain(&PLATFORM_ROLES) {
            assert_eq!(Role::find(role.crn).map(|found| found.name), Some(role.name));
            assert!(is_role_crn(role.crn));
        }
        assert_eq!(Role::find("crn:v1:bluemix:public:kms::::serviceRole:Reader").map(|role| role.name), Some("Reader"));
    }

    #[test]
    fn names_of_one_kind_are_no_roles_of_the_other() {
        for wrong in ["Reader", "crn:v1:bluemix:public:iam::::role:Reader", "crn:v1:bluemix:public:iam::::serviceRole:"]
        {
            assert!(Role::find(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn purging_is_in_no_other_role() {
        let purgers: Vec<&str> = SERVICE_ROLES
            .iter()
            .chain(&PLATFORM_ROLES)
            .filter(|role| role.actions().any(|action| action == "kms.secrets.purge"))
            .map(|role| role.name)
            .collect();
        assert_eq!(purgers, ["KeyPurge"]);
    }
}
