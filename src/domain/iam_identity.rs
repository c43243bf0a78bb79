//! Service ids and API keys that were made by IAM's own API.

use crate::domain::caller::Identity;
use crate::domain::id::{ApiKeyId, ServiceIdentityId};
use crate::domain::time::Timestamp;

/// Service ids that an account may have. Source: docs, known issues and limits of IAM.
pub(crate) const SERVICE_IDS_MAX: i64 = 2_000;
/// API keys that a person or service id may have. Source: docs, known issues and limits of IAM.
pub(crate) const API_KEYS_MAX: i64 = 20;

/// An identity for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceIdentity {
    pub(crate) id: ServiceIdentityId,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
}

impl ServiceIdentity {
    /// As tokens speak of it.
    pub(crate) fn identity(&self) -> Identity {
        Identity { name: self.name.clone(), ..Identity::service_id(&self.id.to_string()) }
    }
}

/// What is known of an API key. The key itself is shown once and then forgotten.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ApiKey {
    pub(crate) id: ApiKeyId,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// Whom it speaks for.
    pub(crate) iam_id: String,
    /// SHA-256 of the key.
    pub(crate) digest: [u8; 32],
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
}

/// The UUID in a service id's `iam_id`, `iam-ServiceId-<uuid>`.
pub(crate) fn service_identity_of(iam_id: &str) -> Option<ServiceIdentityId> {
    uuid_of_service_id(iam_id).and_then(ServiceIdentityId::parse)
}

/// The same as it is written.
pub(crate) fn uuid_of_service_id(iam_id: &str) -> Option<&str> {
    iam_id.strip_prefix("iam-ServiceId-")
}

/// True for a service id that nobody made: it follows from an API key, by a UUID of version 5.
pub(crate) fn is_made_up(identity: &Identity) -> bool {
    let uuid = uuid_of_service_id(&identity.iam_id).and_then(|uuid| uuid::Uuid::try_parse(uuid).ok());
    uuid.is_some_and(|uuid| uuid.get_version_num() == 5)
}
