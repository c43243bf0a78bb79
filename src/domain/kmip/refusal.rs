//! What a caller may be refused for on the routes of KMIP alone: a part of the table of reasons.

/// Why something cannot be done to adapters, certificates or objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    AdapterNotFound,
    AdapterLimit,
    AdapterNameTaken,
    /// Objects that are not destroyed hold the adapter.
    ObjectsExist,
    /// `crk_id` names a key that cannot carry an adapter.
    InvalidRootKey,
    /// `crk_id` names no key.
    RootKeyNotFound,
    CertificateNotFound,
    CertificateLimit,
    CertificateNameTaken,
    /// The certificate is known in the region already.
    CertificateTaken,
    ObjectNotFound,
    ObjectActive,
    ObjectDeleted,
}

impl Refusal {
    /// The code. Source: Terraform provider for `NATIVE_…`, `…_DUPLICATE_…` and objects; the others are ASSUMED.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::AdapterNotFound => "KMIP_ADAPTER_NOT_FOUND_ERR",
            Self::AdapterLimit => "KMIP_ADAPTER_LIMIT_ERR",
            Self::AdapterNameTaken => "KMIP_ADAPTER_DUPLICATE_NAME_ERR",
            Self::ObjectsExist => "KMIP_OBJECTS_EXIST_ERR",
            Self::InvalidRootKey => "NATIVE_INVALID_CRK_ERR",
            Self::RootKeyNotFound => "NATIVE_CRK_ID_NOT_FOUND_ERR",
            Self::CertificateNotFound => "KMIP_CERT_NOT_FOUND_ERR",
            Self::CertificateLimit => "KMIP_CERT_LIMIT_ERR",
            Self::CertificateNameTaken => "KMIP_CERT_DUPLICATE_NAME_ERR",
            Self::CertificateTaken => "KMIP_CERT_DUPLICATE_ERR",
            Self::ObjectNotFound => "KMIP_OBJECT_NOT_FOUND_ERR",
            Self::ObjectActive => "KMIP_OBJECT_ACTIVE_ERR",
            Self::ObjectDeleted => "KMIP_OBJECT_DELETED_ERR",
        }
    }

    /// The status (ASSUMED, see `docs/contract/policies.md` 8).
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::InvalidRootKey => 400,
            Self::AdapterNotFound | Self::RootKeyNotFound | Self::CertificateNotFound | Self::ObjectNotFound => 404,
            Self::AdapterLimit
            | Self::AdapterNameTaken
            | Self::ObjectsExist
            | Self::CertificateLimit
            | Self::CertificateNameTaken
            | Self::CertificateTaken
            | Self::ObjectActive => 409,
            Self::ObjectDeleted => 410,
        }
    }

    /// The text (ASSUMED).
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::AdapterNotFound => "KMIP adapter does not exist",
            Self::AdapterLimit => "An instance can have 200 KMIP adapters",
            Self::AdapterNameTaken => "The instance has a KMIP adapter of that name already",
            Self::ObjectsExist => "The KMIP adapter has KMIP objects that are not destroyed: Delete them first",
            Self::InvalidRootKey => {
                "The key of `crk_id` cannot be used: It must be an active root key, and may have an expiration date \
                 only with `allowExpiringKey=true`"
            }
            Self::RootKeyNotFound => "The key of `crk_id` does not exist",
            Self::CertificateNotFound => "KMIP client certificate does not exist",
            Self::CertificateLimit => "A KMIP adapter can have 200 client certificates",
            Self::CertificateNameTaken => "The KMIP adapter has a client certificate of that name already",
            Self::CertificateTaken => "The certificate is associated with a KMIP adapter of this region already",
            Self::ObjectNotFound => "KMIP object does not exist",
            Self::ObjectActive => "An active KMIP object cannot be deleted",
            Self::ObjectDeleted => "KMIP object has already been deleted",
        }
    }
}
