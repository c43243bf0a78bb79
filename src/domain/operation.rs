//! Key Protect's operations: one row each, from which routes, permissions and audit records take their words.

use crate::domain::access::Roles;
use crate::domain::event::EventKind;
use crate::domain::kmip::operation::KmipOperation;

/// An operation of `/api/v2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    CreateKey,
    CreateKeyWithPolicies,
    ListKeys,
    CountKeys,
    GetKey,
    GetKeyMetadata,
    GetKeyVersions,
    PatchKey,
    DeleteKey,
    RestoreKey,
    PurgeKey,
    Wrap,
    Unwrap,
    Rewrap,
    Rotate,
    Disable,
    Enable,
    SetForDeletion,
    UnsetForDeletion,
    Sync,
    /// `POST /keys/{id}?action=` with a name that is not an action.
    UnknownAction,
    CreateAlias,
    DeleteAlias,
    GetPolicies,
    SetPolicies,
    GetInstancePolicies,
    SetInstancePolicies,
    GetAllowedIpPort,
    ListRegistrations,
    ListAllRegistrations,
    CreateRegistration,
    ReplaceRegistration,
    UpdateRegistration,
    DeleteRegistration,
    ListKeyRings,
    CreateKeyRing,
    DeleteKeyRing,
    CreateImportToken,
    GetImportToken,
    Kmip(KmipOperation),
    /// An adopting service acknowledges an event.
    AcknowledgeEvent,
    /// An event ends: acknowledged, or not in time.
    EndEvent(EventKind),
    /// Time deactivates a key.
    Expire,
    /// A path or method that the API does not have.
    Unrouted(Family),
}

/// Families of paths, as records of requests that fit no route name them. Source: docs, at-events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Family {
    Secrets,
    Aliases,
    Policies,
    InstancePolicies,
    KeyRings,
    ImportToken,
    Registrations,
    Kmip,
}

impl Family {
    /// The family that a path below `/api/v2` belongs to.
    pub(crate) fn of(path: &str) -> Self {
        let words: Vec<&str> = path.split('/').skip(3).collect();
        match words.as_slice() {
            ["key_rings", ..] => Self::KeyRings,
            ["import_token", ..] => Self::ImportToken,
            ["instance", ..] => Self::InstancePolicies,
            ["kmip_adapters", ..] => Self::Kmip,
            ["keys", "registrations", ..] | ["keys", _, "registrations", ..] => Self::Registrations,
            ["keys", _, "aliases", ..] => Self::Aliases,
            ["keys", _, "policies", ..] => Self::Policies,
            _ => Self::Secrets,
        }
    }

    fn audit(self) -> &'static str {
        match self {
            Self::Secrets => "secrets.default",
            Self::Aliases => "secrets-alias.request",
            Self::Policies => "policies.default",
            Self::InstancePolicies => "instance-policies.request",
            Self::KeyRings => "key-rings.request",
            Self::ImportToken => "import-token.request",
            Self::Registrations => "registrations.default",
            Self::Kmip => "kmip-management.default",
        }
    }
}

/// What is fixed about an operation.
pub(crate) struct Row {
    /// `operationId` of `openapi.yaml`.
    pub(crate) id: &'static str,
    /// Who may call it. Source: docs, manage-access.
    pub(crate) roles: Roles,
    /// Action of its audit record, without the leading `kms.`. Source: docs, at-events.
    pub(crate) audit: &'static str,
    /// What the audit message says was done, `create secret`.
    pub(crate) message: &'static str,
    /// What `errorMsg` says could not be done. Source: docs, error-messages; go-client.
    pub(crate) subject: &'static str,
}

impl Operation {
    /// The operation's row.
    #[expect(clippy::too_many_lines, reason = "a table has one row for each operation")]
    pub(crate) fn row(self) -> Row {
        const CREATE: &str = "Key could not be created";
        const RETRIEVE: &str = "Key could not be retrieved";
        const LIST: &str = "Keys could not be retrieved";
        const VERSIONS: &str = "KeyVersion(s) could not be retrieved";
        const ACT: &str = "Action could not be performed on key";
        const SYNC: &str = "Could not initiate sync requests to associated resources";
        const REGISTRATIONS: &str = "Registration could not be retrieved";
        const RINGS: &str = "Key rings could not be retrieved";
        const POLICY: &str = "Key policy could not be retrieved";
        match self {
            Self::CreateKey => row("createKey", WRITER, "secrets.create", "create secret", CREATE),
            Self::CreateKeyWithPolicies => {
                let action = "secrets-with-policy-overrides.create";
                row("createKeyWithPoliciesOverrides", MANAGER, action, "create secret with policy overrides", CREATE)
            }
            Self::ListKeys => row("getKeys", LISTERS, "secrets.list", "list secrets", LIST),
            Self::CountKeys => row("getKeyCollectionMetadata", LISTERS, "secrets.head", "head secrets", LIST),
            Self::GetKey => row("getKey", READER_PLUS, "secrets.read", "read secret", RETRIEVE),
            Self::GetKeyMetadata => {
                row("getKeyMetadata", READER, "secrets-metadata.read", "read secret metadata", RETRIEVE)
            }
            Self::GetKeyVersions => {
                row("getKeyVersions", READER, "secrets-key-versions.list", "list secret key versions", VERSIONS)
            }
            Self::PatchKey => row("patchKey", MANAGER, "secrets.patch", "patch secret", "Key could not be updated"),
            Self::DeleteKey => row("deleteKey", MANAGER, "secrets.delete", "delete secret", "Key could not be deleted"),
            Self::RestoreKey => {
                row("restoreKey", MANAGER, "secrets.restore", "restore secret", "Key could not be restored")
            }
            Self::PurgeKey => {
                row("purgeKey", Roles::KEY_PURGE, "secrets.purge", "purge secret", "Key could not be purged")
            }
            Self::Wrap => row("wrapKey", READER, "secrets.wrap", "wrap secret", "Wrap with key could not be performed"),
            Self::Unwrap => {
                row("unwrapKey", READER, "secrets.unwrap", "unwrap secret", "Unwrap with key could not be performed")
            }
            Self::Rewrap => {
                row("rewrapKey", READER, "secrets.rewrap", "rewrap secret", "Rewrap with key could not be performed")
            }
            Self::Rotate => row("rotateKey", WRITER, "secrets.rotate", "rotate secret", "Key could not be rotated"),
            Self::Disable => {
                row("disableKey", MANAGER, "secrets.disable", "disable secret", "Key could not be disabled")
            }
            Self::Enable => row("enableKey", MANAGER, "secrets.enable", "enable secret", "Key could not be enabled"),
            Self::SetForDeletion => {
                row("setKeyForDeletion", WRITER, "secrets.setkeyfordeletion", "set secret for deletion", ACT)
            }
            Self::UnsetForDeletion => {
                row("unsetKeyForDeletion", WRITER, "secrets.unsetkeyfordeletion", "unset secret for deletion", ACT)
            }
            Self::Sync => row("syncAssociatedResources", WRITER, "secrets.sync", "sync secret", SYNC),
            Self::UnknownAction => row("actionOnKey", READER, "secrets.default", "act on secret", ACT),
            Self::CreateAlias => row(
                "createKeyAlias",
                WRITER,
                "secrets-alias.create",
                "create secret alias",
                "Alias could not be created",
            ),
            Self::DeleteAlias => row(
                "deleteKeyAlias",
                WRITER,
                "secrets-alias.delete",
                "delete secret alias",
                "Alias could not be deleted",
            ),
            Self::GetPolicies => row("getPolicy", MANAGER, "policies.read", "read policies", POLICY),
            Self::SetPolicies => {
                row("putPolicy", MANAGER, "policies.write", "write policies", "Key policy could not be created")
            }
            Self::GetInstancePolicies => {
                let subject = "Instance policy could not be retrieved";
                row("getInstancePolicy", MANAGER, "instance-policies.read", "read instance policies", subject)
            }
            Self::SetInstancePolicies => {
                let subject = "Instance policy could not be created";
                row("putInstancePolicy", MANAGER, "instance-policies.write", "write instance policies", subject)
            }
            Self::GetAllowedIpPort => {
                let subject = "Allowed IP port could not be retrieved";
                row("getAllowedIPPort", MANAGER, "instance-allowed-ip-port.read", "read allowed IP port", subject)
            }
            Self::ListRegistrations => {
                row("getRegistrations", READER, "registrations.list", "list registrations", REGISTRATIONS)
            }
            Self::ListAllRegistrations => {
                row("getRegistrationsAllKeys", READER, "registrations.list", "list registrations", REGISTRATIONS)
            }
            Self::CreateRegistration => row(
                "createRegistration",
                READER,
                "registrations.create",
                "create registration",
                "Registration could not be created",
            ),
            Self::ReplaceRegistration => row(
                "replaceRegistration",
                READER,
                "registrations.write",
                "write registration",
                "Registration could not be replaced",
            ),
            Self::UpdateRegistration => row(
                "updateRegistration",
                READER,
                "registrations.merge",
                "merge registration",
                "Registration could not be updated",
            ),
            Self::DeleteRegistration => row(
                "deleteRegistration",
                READER,
                "registrations.delete",
                "delete registration",
                "Registration could not be deleted",
            ),
            Self::ListKeyRings => row("listKeyRings", LISTERS, "key-rings.list", "list key rings", RINGS),
            Self::CreateKeyRing => {
                row("createKeyRing", WRITER, "key-rings.create", "create key ring", "Key ring could not be created")
            }
            Self::DeleteKeyRing => {
                row("deleteKeyRing", MANAGER, "key-rings.delete", "delete key ring", "Key ring could not be deleted")
            }
            Self::CreateImportToken => {
                let subject = "Import Token could not be created";
                row("postImportToken", WRITER, "import-token.create", "create import token", subject)
            }
            Self::GetImportToken => {
                let subject = "Import Token could not be retrieved";
                row("getImportToken", WRITER, "import-token.read", "read import token", subject)
            }
            Self::Kmip(operation) => operation.row(),
            Self::AcknowledgeEvent => {
                let subject = "Event could not be acknowledged";
                row("acknowledgeEvent", READER, "secrets-event.ack", "acknowledge secret event", subject)
            }
            Self::EndEvent(kind) => row("endEvent", Roles::NONE, kind.ack_action(), kind.ack_message(), RETRIEVE),
            Self::Expire => row("expireKey", Roles::NONE, "secrets.expire", "expire secret", RETRIEVE),
            Self::Unrouted(family) => row("unrouted", READER, family.audit(), "default request", RETRIEVE),
        }
    }

    /// The operation that an action's name stands for, in a path. Case-sensitive.
    pub(crate) fn of_action(name: &str) -> Option<Self> {
        match name {
            "wrap" => Some(Self::Wrap),
            "unwrap" => Some(Self::Unwrap),
            "rewrap" => Some(Self::Rewrap),
            "rotate" => Some(Self::Rotate),
            "disable" => Some(Self::Disable),
            "enable" => Some(Self::Enable),
            "setKeyForDeletion" => Some(Self::SetForDeletion),
            "unsetKeyForDeletion" => Some(Self::UnsetForDeletion),
            "sync" => Some(Self::Sync),
            _ => None,
        }
    }

    /// The operation that `?action=` stands for: `restore` is offered there, `sync` is not. Source: API reference.
    pub(crate) fn of_legacy_action(name: &str) -> Option<Self> {
        match name {
            "restore" => Some(Self::RestoreKey),
            "sync" => None,
            _ => Self::of_action(name),
        }
    }
}

const READER: Roles = Roles::READER.or(Roles::READER_PLUS).or(WRITER);
const READER_PLUS: Roles = Roles::READER_PLUS.or(WRITER);
const WRITER: Roles = Roles::WRITER.or(MANAGER);
const MANAGER: Roles = Roles::MANAGER;
const LISTERS: Roles = READER.or(Roles::KMIP_ADAPTER_MANAGER);

fn row(id: &'static str, roles: Roles, audit: &'static str, message: &'static str, subject: &'static str) -> Row {
    Row { id, roles, audit, message, subject }
}
