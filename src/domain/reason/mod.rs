//! The one list of what a caller of Key Protect may be refused for: code, status, message, target.

mod detail;

use std::borrow::Cow;

use crate::domain::kmip::refusal::Refusal as KmipRefusal;
use crate::domain::time::Timestamp;

pub(crate) use detail::{BodyFault, StateFault, TooEarly};

/// What in a request a refusal points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A member of the body.
    Field(&'static str),
    /// A query parameter.
    QueryParam(&'static str),
}

/// A refusal: the caller's matter, never a fault of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    BadBody(BodyFault),
    NoBody,
    CollectionTotalMismatch,
    /// More than one resource where the query names one policy.
    OneResourceAlone,
    /// The query names one policy, the body another.
    BodyQueryMismatch,
    InvalidField {
        name: &'static str,
        rule: Cow<'static, str>,
    },
    InvalidQueryParam {
        name: &'static str,
        rule: Cow<'static, str>,
    },
    BearerSubject,
    KeyRootRequired,
    /// A rotation policy on a standard key.
    KeyRootRequiredForRotationPolicy,
    KeyPayloadRequired,
    KeyRestoreExpired,
    /// Restoring a key whose expiration date has passed.
    KeyExpired {
        at: Timestamp,
    },
    KeySearchTooBroad,
    KeyNotFound,
    KeyRingNotFound,
    KeyRingLimit,
    KeyRingNotUnique,
    KeyRingReserved,
    KeyRingNotEmpty,
    KeyInvalidState(StateFault),
    RequestTooEarly(TooEarly),
    KeyRotationNotPermitted,
    AuthorizationsNotMet,
    NotDualAuth,
    /// Taking dual authorization away from a key.
    DualAuthPolicyLocked,
    /// An instance policy forbids to make or import a key like this.
    KeyCreateImportAccess,
    ImportTokenExpired,
    ImportTokenNotFound,
    IncorrectNonce,
    IncorrectNonceIv,
    KeyAliasNotUnique,
    KeyAliasQuota,
    KeyDeleted,
    UnprocessableCiphertext,
    /// On the routes of KMIP.
    Kmip(KmipRefusal),
    /// Only a service instance may do this.
    ServiceOnly,
    /// The resource belongs to another service instance than the caller.
    ResourceOwner,
    /// A standard key cannot protect a resource.
    KeyRootRequiredForRegistration,
    /// The key's state does not allow to change its registrations.
    KeyInvalidStateForRegistration,
    /// Not a version of the key, or one that is older than the registered one.
    KeyVersionInvalid,
    RegistrationExists,
    RegistrationNotFound,
    /// `If-Match` names another `ETag`.
    PreconditionFailed,
    /// The key protects resources; `force=true` deletes it all the same.
    ProtectedResource,
    /// The key protects a resource that forbids its deletion.
    DeletionPrevented,
    /// No access, no such instance, or no valid token: IBM does not tell them apart.
    Unauthorized,
    /// An IPv6 address at the private endpoint of an instance with a list of allowed addresses.
    FeatureRestricted,
    /// `Bluemix-Instance` is missing or not a UUID.
    InstanceHeader,
    EventNotFound,
    /// The event's window is over, or it was acknowledged with a state at odds.
    EventExpired,
    /// No such path.
    UnknownPath,
    /// The path has no such method.
    MethodNotAllowed,
    /// CONNECT or an upgrade to another protocol.
    UpgradeRefused,
    /// The body did not arrive in time.
    BodyTimeout,
    /// The body is larger than 1 MiB.
    BodyTooLarge,
}

/// How a reason shows on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// `None` where IBM's reply has no `reasons`.
    pub(crate) code: Option<&'static str>,
    pub(crate) status: u16,
    pub(crate) message: Cow<'static, str>,
}

impl Reason {
    /// A body field breaks a rule.
    pub(crate) fn field(name: &'static str, rule: impl Into<Cow<'static, str>>) -> Self {
        Self::InvalidField { name, rule: rule.into() }
    }

    /// A query parameter breaks a rule.
    pub(crate) fn query(name: &'static str, rule: impl Into<Cow<'static, str>>) -> Self {
        Self::InvalidQueryParam { name, rule: rule.into() }
    }

    /// Code, status and message. Source: docs, error-messages; `docs/contract/keys.md` 3.1 marks what is ASSUMED.
    pub(crate) fn row(&self) -> Row {
        Row { code: self.code(), status: self.status(), message: self.message() }
    }

    fn code(&self) -> Option<&'static str> {
        match self {
            Self::BadBody(_) => Some("BAD_BODY_ERR"),
            Self::NoBody => Some("NO_BODY_ERR"),
            Self::CollectionTotalMismatch => Some("COLLECTION_TOTAL_MISMATCH_ERR"),
            Self::OneResourceAlone => Some("NUM_COLLECTION_RESOURCE_ERR"),
            Self::BodyQueryMismatch => Some("BODY_QUERY_PARAM_MISMATCH_ERR"),
            Self::InvalidField { .. } => Some("INVALID_FIELD_ERR"),
            Self::InvalidQueryParam { .. } => Some("INVALID_QUERY_PARAM_ERR"),
            Self::BearerSubject => Some("BEARER_SUB_EXTRACTION_ERR"),
            Self::KeyRootRequired | Self::KeyRootRequiredForRotationPolicy => Some("KEY_ROOT_REQ_ERR"),
            Self::KeyPayloadRequired => Some("KEY_PAYLOAD_REQ_ERR"),
            Self::KeyRestoreExpired => Some("KEY_RESTORE_EXPIRED"),
            Self::KeyExpired { .. } => Some("KEY_EXPIRED_ERR"),
            Self::KeySearchTooBroad => Some("KEY_SEARCH_TOO_BROAD"),
            Self::KeyNotFound => Some("KEY_NOT_FOUND_ERR"),
            Self::KeyRingNotFound => Some("KEY_RING_NOT_FOUND_ERR"),
            Self::KeyRingLimit => Some("KEY_RING_LIMIT_ERR"),
            Self::KeyRingNotUnique => Some("KEY_RING_NOT_UNIQUE_ERR"),
            Self::KeyRingReserved => Some("KEY_RING_RESERVED_ERR"),
            Self::KeyRingNotEmpty => Some("KEY_RING_NOT_EMPTY_ERR"),
            Self::KeyInvalidState(_) => Some("KEY_ACTION_INVALID_STATE_ERR"),
            Self::RequestTooEarly(_) => Some("REQ_TOO_EARLY_ERR"),
            Self::KeyRotationNotPermitted => Some("KEY_ROTATION_NOT_PERMITTED"),
            Self::AuthorizationsNotMet => Some("AUTHORIZATIONS_NOT_MET"),
            Self::NotDualAuth => Some("NOT_DUAL_AUTH_ERR"),
            Self::DualAuthPolicyLocked => Some("DUAL_AUTH_POLICY_LOCKED_ERR"),
            Self::KeyCreateImportAccess => Some("KEY_CREATE_IMPORT_ACCESS_ERR"),
            Self::FeatureRestricted => Some("FEATURE_RESTRICTED_ERR"),
            Self::ImportTokenExpired => Some("IMPORT_TOKEN_EXPIRED_ERR"),
            Self::ImportTokenNotFound => Some("IMPORT_TOKEN_NOT_FOUND_ERR"),
            Self::IncorrectNonce => Some("INCORRECT_NONCE_ERR"),
            Self::IncorrectNonceIv => Some("INCORRECT_NONCE_IV_ERR"),
            Self::KeyAliasNotUnique => Some("KEY_ALIAS_NOT_UNIQUE_ERR"),
            Self::KeyAliasQuota => Some("KEY_ALIAS_QUOTA_ERR"),
            Self::KeyDeleted => Some("KEY_DELETED_ERR"),
            Self::UnprocessableCiphertext => Some("UNPROCESSABLE_CIPHERTEXT_ERR"),
            Self::Kmip(refusal) => Some(refusal.code()),
            Self::ServiceOnly => Some("SERVICE_ONLY_ERR"),
            Self::ResourceOwner => Some("RESOURCE_OWNER_ERR"),
            Self::KeyRootRequiredForRegistration => Some("KEY_ROOT_REQ_REG_ERR"),
            Self::KeyInvalidStateForRegistration => Some("KEY_INVALID_STATE_ERR"),
            Self::KeyVersionInvalid => Some("KEY_VERSION_INVALID"),
            Self::RegistrationExists => Some("REGISTRATION_EXISTS_ERR"),
            Self::RegistrationNotFound => Some("REGISTRATION_NOT_FOUND_ERR"),
            Self::EventNotFound => Some("EVENT_NOT_FOUND_ERR"),
            Self::EventExpired => Some("EVENT_EXPIRED_ERR"),
            Self::ProtectedResource => Some("PROTECTED_RESOURCE_ERR"),
            Self::DeletionPrevented => Some("PREV_KEY_DEL_ERR"),
            Self::Unauthorized
            | Self::InstanceHeader
            | Self::UnknownPath
            | Self::MethodNotAllowed
            | Self::UpgradeRefused
            | Self::BodyTimeout
            | Self::BodyTooLarge
            | Self::PreconditionFailed => None,
        }
    }

    fn status(&self) -> u16 {
        match self {
            Self::BadBody(_)
            | Self::NoBody
            | Self::CollectionTotalMismatch
            | Self::OneResourceAlone
            | Self::BodyQueryMismatch
            | Self::InvalidField { .. }
            | Self::InvalidQueryParam { .. }
            | Self::BearerSubject
            | Self::KeyRootRequired
            | Self::KeyRootRequiredForRotationPolicy
            | Self::KeyPayloadRequired
            | Self::KeyRestoreExpired
            | Self::KeyExpired { .. }
            | Self::KeySearchTooBroad
            | Self::IncorrectNonce
            | Self::IncorrectNonceIv
            | Self::InstanceHeader
            | Self::UpgradeRefused => 400,
            Self::Unauthorized => 401,
            Self::FeatureRestricted | Self::ServiceOnly | Self::ResourceOwner => 403,
            Self::KeyNotFound
            | Self::KeyRingNotFound
            | Self::ImportTokenNotFound
            | Self::RegistrationNotFound
            | Self::EventNotFound
            | Self::UnknownPath => 404,
            Self::MethodNotAllowed => 405,
            Self::BodyTimeout => 408,
            Self::KeyInvalidState(_)
            | Self::RequestTooEarly(_)
            | Self::KeyRotationNotPermitted
            | Self::AuthorizationsNotMet
            | Self::NotDualAuth
            | Self::DualAuthPolicyLocked
            | Self::KeyCreateImportAccess
            | Self::KeyRingLimit
            | Self::KeyRingNotUnique
            | Self::KeyRingReserved
            | Self::KeyRingNotEmpty
            | Self::ImportTokenExpired
            | Self::KeyAliasNotUnique
            | Self::KeyAliasQuota
            | Self::RegistrationExists
            | Self::EventExpired
            | Self::ProtectedResource
            | Self::DeletionPrevented => 409,
            Self::KeyDeleted => 410,
            Self::PreconditionFailed => 412,
            Self::BodyTooLarge => 413,
            Self::UnprocessableCiphertext
            | Self::KeyRootRequiredForRegistration
            | Self::KeyInvalidStateForRegistration
            | Self::KeyVersionInvalid => 422,
            Self::Kmip(refusal) => refusal.status(),
        }
    }

    fn message(&self) -> Cow<'static, str> {
        let fixed = match self {
            Self::BadBody(fault) => return fault.message(),
            Self::InvalidField { name, rule } => return format!("The field `{name}` must be: {rule}").into(),
            Self::InvalidQueryParam { name, rule } => {
                return format!("The query_param `{name}` must be: {rule}").into();
            }
            Self::RequestTooEarly(early) => return early.message(),
            Self::NoBody => "Missing body in request",
            Self::CollectionTotalMismatch => "Collection total does not match number of resources",
            Self::OneResourceAlone => "Only one resource is allowed for a policy that the query names",
            Self::BodyQueryMismatch => "The policy in the body does not match the policy that the query names",
            Self::BearerSubject => BEARER_SUBJECT,
            Self::KeyRootRequired | Self::KeyRootRequiredForRegistration => {
                "Requested action can only be completed with a root key"
            }
            Self::KeyRootRequiredForRotationPolicy => {
                "Requested action can only be completed with a root key: Rotation policy cannot be set on a standard key"
            }
            Self::KeyPayloadRequired => PAYLOAD_REQUIRED,
            Self::KeyRestoreExpired => "Key restoration has expired",
            Self::KeyExpired { .. } => "The action could not be performed on the key because the key is expired",
            Self::KeySearchTooBroad => SEARCH_TOO_BROAD,
            Self::KeyNotFound => "key does not exist",
            Self::KeyRingNotFound => "Key ring does not exist",
            Self::KeyRingLimit => "An instance can have 50 key rings besides the default one",
            Self::KeyRingNotUnique => "The instance has a key ring of that id already",
            Self::KeyRingReserved => "The default key ring can not be deleted",
            Self::KeyRingNotEmpty => RING_NOT_EMPTY,
            Self::KeyInvalidState(_) | Self::KeyInvalidStateForRegistration => "Key is not in a valid state",
            Self::KeyRotationNotPermitted => ROTATED_RECENTLY,
            Self::AuthorizationsNotMet => "Number of authorizations required to delete is not met",
            Self::NotDualAuth => "The key is not dual auth enabled and cannot be set for deletion",
            Self::DualAuthPolicyLocked => "Dual authorization can not be taken away from a key",
            Self::KeyCreateImportAccess => "KeyCreateImportAccess instance policy does not allow this action",
            Self::FeatureRestricted => FEATURE_RESTRICTED,
            Self::ImportTokenExpired => "The import token has expired",
            Self::ImportTokenNotFound => "The instance has no import token: Create one first",
            Self::IncorrectNonce => INCORRECT_NONCE,
            Self::IncorrectNonceIv => INCORRECT_NONCE_IV,
            Self::KeyAliasNotUnique => "The alias is already used by a key of this instance",
            Self::KeyAliasQuota => "A key can have 5 aliases, and an instance 1000",
            Self::KeyDeleted => "Key has already been deleted: Please delete references to this key",
            Self::UnprocessableCiphertext => "The provided ciphertext is invalid or corrupted",
            Self::Kmip(refusal) => refusal.message(),
            Self::ServiceOnly => "This action can only be done by a service (service to service)",
            Self::ResourceOwner => "The resource(s) queried does not belong to the service",
            Self::KeyVersionInvalid => VERSION_INVALID,
            Self::RegistrationExists => "The resource is registered with this key already",
            Self::RegistrationNotFound => "The resource is not registered with this key",
            Self::EventNotFound => "The event does not exist",
            Self::EventExpired => "The event can no longer be acknowledged",
            Self::PreconditionFailed => "Precondition Failed: If-Match names another state of the registration",
            Self::ProtectedResource => "Key is protecting one or more cloud resources",
            Self::DeletionPrevented => DELETION_PREVENTED,
            Self::Unauthorized => "Unauthorized: The user does not have access to the specified resource",
            Self::InstanceHeader => {
                "Bad Request: Request requires valid Bluemix-Instance Header containing a valid UUID"
            }
            Self::UnknownPath => "Not Found: The requested path does not exist",
            Self::MethodNotAllowed => "Method Not Allowed: The path does not offer this method",
            Self::UpgradeRefused => "Bad Request: The connection can not be upgraded or turned into a tunnel",
            Self::BodyTimeout => "Request Timeout: The body did not arrive within 10 seconds",
            Self::BodyTooLarge => "Payload Too Large: The body is larger than 1 MiB",
        };
        fixed.into()
    }

    /// What in the request is at fault, where IBM's replies tell. Source: docs, error-messages; go-client.
    pub(crate) fn target(&self) -> Option<Target> {
        if let Self::InvalidField { name, .. } = self {
            return Some(Target::Field(name));
        }
        if let Self::InvalidQueryParam { name, .. } = self {
            return Some(Target::QueryParam(name));
        }
        if *self == Self::ProtectedResource {
            return Some(Target::QueryParam("force"));
        }
        (*self == Self::KeyPayloadRequired).then_some(Target::Field("payload"))
    }
}

const BEARER_SUBJECT: &str = "Extracting the subject from the bearer token failed: Make sure the bearer token passed \
                              is the correct one (and correct format) and is allowed to perform requested actions";
const PAYLOAD_REQUIRED: &str = "This root key was created with user-supplied key material: Key material is required \
                                to perform a 'rotate' action";
const RING_NOT_EMPTY: &str = "The key ring holds keys: Move or delete them, then delete the ring with `force=true` if \
                              only destroyed keys are left";
const INCORRECT_NONCE: &str = "The encrypted nonce given does not match existing record: Please ensure the correct \
                               nonce was given in the request";
const INCORRECT_NONCE_IV: &str = "The provided encrypted nonce was not encrypted with the key material given OR the \
                                  provided IV does not match the encrypted nonce";
const VERSION_INVALID: &str =
    "This request requires that the key version is later than current registration key version";
const DELETION_PREVENTED: &str = "The key cannot be deleted because it's protecting a cloud resource that has a \
                                  retention policy: Before you delete this key, contact an account owner to remove \
                                  the retention policy on each resource that is associated with the key";
const SEARCH_TOO_BROAD: &str =
    "The search covers more than 5000 keys: Narrow it down by state, extractable or key ring";
const FEATURE_RESTRICTED: &str = "IPv6 addresses are not supported at the private endpoint of an instance with a list of \
                                  allowed addresses";
const ROTATED_RECENTLY: &str =
    "This root key has been rotated within the last hour: Only one 'rotate' action per hour is permitted";

impl From<KmipRefusal> for Reason {
    fn from(refusal: KmipRefusal) -> Self {
        Self::Kmip(refusal)
    }
}
