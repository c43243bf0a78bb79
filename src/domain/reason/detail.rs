//! What is told beside a reason: what of a body is wrong, why it was too early, which state was wanted.

use std::borrow::Cow;

use crate::domain::time::Timestamp;

/// What is wrong with a body as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BodyFault {
    /// Not JSON, or not an object.
    Malformed,
    /// A member of the wrong type, and what it must be.
    WrongType { field: &'static str, wanted: &'static str },
    /// `metadata` is absent or `{}`.
    NoMetadata,
    /// `metadata.collectionType` names something else.
    CollectionType,
    /// More than one resource.
    ManyResources,
    /// More than one adapter or certificate.
    ManyKmipResources,
    /// More than one registration.
    ManyRegistrations,
    /// More than one acknowledgement.
    ManyAcknowledgements,
    /// No `resources`.
    NoResources,
    /// Key material of zero length.
    EmptyPayload,
    /// A member that the body cannot have; bodies of policies alone are read so strictly.
    UnknownField(String),
    /// A policy's resource without a policy, or a policy in two of them.
    NotOneOfEach,
    /// Attributes for a policy that is to be disabled.
    AttributesOfDisabled,
}

/// Why a request came too early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TooEarly {
    /// Less than 30 s since the key's last change.
    Change,
    /// Less than 4 h since its deletion.
    Purge,
    /// Less than 1 h since its last lifecycle event; the earliest moment is told.
    Sync(Timestamp),
}

/// Why a key's state does not fit, as far as IBM's texts tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StateFault {
    /// Another state is needed.
    Other,
    /// The key should be active. Told by disable only.
    NotActive,
    /// The key should be suspended. Told by enable only.
    NotSuspended,
}

impl BodyFault {
    /// The refusal's message.
    pub(crate) fn message(&self) -> Cow<'static, str> {
        const BASE: &str = "Invalid body data was passed: Please ensure the data passed had valid formatting with no \
                            invalid characters";
        let detail = match self {
            Self::Malformed => return BASE.into(),
            Self::WrongType { field, wanted } => {
                return format!("{BASE}: The field `{field}` must be: {wanted}").into();
            }
            Self::NoMetadata => "CollectionMetadata is empty",
            Self::CollectionType => "CollectionType does not fit the request",
            Self::ManyKmipResources => "Only creation of one resource per request is supported",
            Self::ManyResources => "Only creation of one key per request is supported",
            Self::ManyRegistrations => "Only one registration per request is supported",
            Self::ManyAcknowledgements => "Only one acknowledgement per request is supported",
            Self::NoResources => "Resources is empty",
            Self::EmptyPayload => "Key material is empty",
            Self::UnknownField(name) => return format!("{BASE}: json: unknown field \"{name}\"").into(),
            Self::NotOneOfEach => "Each policy must be there once, one to a resource",
            Self::AttributesOfDisabled => "Attributes are not allowed for a policy that is disabled",
        };
        format!("{BASE}: {detail}").into()
    }
}

impl TooEarly {
    /// The refusal's message.
    pub(crate) fn message(&self) -> Cow<'static, str> {
        const BASE: &str = "The key was updated recently: Please wait and try again";
        match self {
            Self::Change => BASE.into(),
            Self::Purge => format!("{BASE}: Purge operation is allowed 4h0m0s after key is deleted").into(),
            Self::Sync(at) => format!("{BASE}: Sync cannot be performed until at least {}", at.rfc3339()).into(),
        }
    }
}
