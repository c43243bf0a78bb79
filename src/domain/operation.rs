//! Key Protect's operations: one row each, from which routes, permissions and audit records take their words.

use crate::domain::access::Roles;

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
    ListRegistrations,
    ListAllRegistrations,
    /// Time deactivates a key.
    Expire,
    /// A path or method that the API does not have.
    Unrouted,
}

/// Which state changes an operation makes, if any; decides where its audit record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Changes nothing: its record is queued.
    Reads,
    /// Changes keys: its record goes with the change.
    Changes,
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
    pub(crate) effect: Effect,
}

impl Operation {
    /// The operation's row.
    pub(crate) fn row(self) -> Row {
        const CREATE: &str = "Key could not be created";
        const RETRIEVE: &str = "Key could not be retrieved";
        const LIST: &str = "Keys could not be retrieved";
        const VERSIONS: &str = "KeyVersion(s) could not be retrieved";
        const ACT: &str = "Action could not be performed on key";
        const SYNC: &str = "Could not initiate sync requests to associated resources";
        const REGISTRATIONS: &str = "Registration could not be retrieved";
        const POLICY: &str = "Key policy could not be retrieved";
        match self {
            Self::CreateKey => changes("createKey", WRITER, "secrets.create", "create secret", CREATE),
            Self::CreateKeyWithPolicies => {
                let action = "secrets-with-policy-overrides.create";
                changes(
                    "createKeyWithPoliciesOverrides",
                    MANAGER,
                    action,
                    "create secret with policy overrides",
                    CREATE,
                )
            }
            Self::ListKeys => reads("getKeys", LISTERS, "secrets.list", "list secrets", LIST),
            Self::CountKeys => reads("getKeyCollectionMetadata", LISTERS, "secrets.head", "head secrets", LIST),
            Self::GetKey => reads("getKey", READER_PLUS, "secrets.read", "read secret", RETRIEVE),
            Self::GetKeyMetadata => {
                reads("getKeyMetadata", READER, "secrets-metadata.read", "read secret metadata", RETRIEVE)
            }
            Self::GetKeyVersions => {
                reads("getKeyVersions", READER, "secrets-key-versions.list", "list secret key versions", VERSIONS)
            }
            Self::PatchKey => changes("patchKey", MANAGER, "secrets.patch", "patch secret", "Key could not be updated"),
            Self::DeleteKey => {
                changes("deleteKey", MANAGER, "secrets.delete", "delete secret", "Key could not be deleted")
            }
            Self::RestoreKey => {
                changes("restoreKey", MANAGER, "secrets.restore", "restore secret", "Key could not be restored")
            }
            Self::PurgeKey => {
                changes("purgeKey", Roles::KEY_PURGE, "secrets.purge", "purge secret", "Key could not be purged")
            }
            Self::Wrap => {
                reads("wrapKey", READER, "secrets.wrap", "wrap secret", "Wrap with key could not be performed")
            }
            Self::Unwrap => {
                reads("unwrapKey", READER, "secrets.unwrap", "unwrap secret", "Unwrap with key could not be performed")
            }
            Self::Rewrap => {
                reads("rewrapKey", READER, "secrets.rewrap", "rewrap secret", "Rewrap with key could not be performed")
            }
            Self::Rotate => changes("rotateKey", WRITER, "secrets.rotate", "rotate secret", "Key could not be rotated"),
            Self::Disable => {
                changes("disableKey", MANAGER, "secrets.disable", "disable secret", "Key could not be disabled")
            }
            Self::Enable => {
                changes("enableKey", MANAGER, "secrets.enable", "enable secret", "Key could not be enabled")
            }
            Self::SetForDeletion => {
                changes("setKeyForDeletion", WRITER, "secrets.setkeyfordeletion", "set secret for deletion", ACT)
            }
            Self::UnsetForDeletion => {
                changes("unsetKeyForDeletion", WRITER, "secrets.unsetkeyfordeletion", "unset secret for deletion", ACT)
            }
            Self::Sync => changes("syncAssociatedResources", WRITER, "secrets.sync", "sync secret", SYNC),
            Self::UnknownAction => reads("actionOnKey", READER, "secrets.default", "act on secret", ACT),
            Self::CreateAlias => changes(
                "createKeyAlias",
                WRITER,
                "secrets-alias.create",
                "create secret alias",
                "Alias could not be created",
            ),
            Self::DeleteAlias => changes(
                "deleteKeyAlias",
                WRITER,
                "secrets-alias.delete",
                "delete secret alias",
                "Alias could not be deleted",
            ),
            Self::GetPolicies => reads("getPolicy", MANAGER, "policies.read", "read policies", POLICY),
            Self::ListRegistrations => {
                reads("getRegistrations", READER, "registrations.list", "list registrations", REGISTRATIONS)
            }
            Self::ListAllRegistrations => {
                reads("getRegistrationsAllKeys", READER, "registrations.list", "list registrations", REGISTRATIONS)
            }
            Self::Expire => changes("expireKey", Roles::NONE, "secrets.expire", "expire secret", RETRIEVE),
            Self::Unrouted => reads("unrouted", READER, "secrets.default", "default request", RETRIEVE),
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

fn reads(id: &'static str, roles: Roles, audit: &'static str, message: &'static str, subject: &'static str) -> Row {
    Row { id, roles, audit, message, subject, effect: Effect::Reads }
}

fn changes(id: &'static str, roles: Roles, audit: &'static str, message: &'static str, subject: &'static str) -> Row {
    Row { id, roles, audit, message, subject, effect: Effect::Changes }
}
