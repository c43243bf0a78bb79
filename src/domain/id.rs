//! Identifiers as types of their own, whose only way in is a parse or random bytes.

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(::uuid::Uuid);

        impl $name {
            /// Reads the hyphenated form of 36 characters, in either case.
            pub(crate) fn parse(text: &str) -> Option<Self> {
                if text.len() != 36 {
                    return None;
                }
                ::uuid::Uuid::try_parse(text).ok().map(Self)
            }

            /// A version 4 UUID out of 16 random bytes.
            pub(crate) fn from_random(bytes: [u8; 16]) -> Self {
                Self(::uuid::Builder::from_random_bytes(bytes).into_uuid())
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self.0.as_hyphenated(), f)
            }
        }
    };
}

pub(crate) use uuid_id;

uuid_id!(
    /// A key of Key Protect; stays the same over rotations.
    KeyId
);
uuid_id!(
    /// One version of a root key's material; the first one's id equals the key's.
    VersionId
);
uuid_id!(
    /// A service instance, of Key Protect or of Cloud Object Storage: the GUID in its CRN.
    InstanceId
);
uuid_id!(
    /// A key policy.
    PolicyId
);
uuid_id!(
    /// An access policy or an authorization of IAM.
    IamPolicyId
);

uuid_id!(
    /// A resource key: credentials of a service instance.
    ResourceKeyId
);
uuid_id!(
    /// A lifecycle event: one action, as one registration is told of it.
    EventId
);
uuid_id!(
    /// A delivery: one event on its way to one subscriber.
    DeliveryId
);
uuid_id!(
    /// A service id of IAM: `ServiceId-<uuid>`.
    ServiceIdentityId
);
uuid_id!(
    /// An API key of IAM: `ApiKey-<uuid>`. The key itself is another text.
    ApiKeyId
);
uuid_id!(
    /// A KMIP adapter.
    AdapterId
);
uuid_id!(
    /// A client certificate of a KMIP adapter.
    CertificateId
);
uuid_id!(
    /// A KMIP object.
    ObjectId
);

impl KeyId {
    /// True for a UUID of version 4, as every key's id is one.
    pub(crate) fn is_random(self) -> bool {
        self.0.get_version_num() == 4
    }

    /// The id of the key's first version. Source: docs, CLI sample of `key versions`.
    pub(crate) fn first_version(self) -> VersionId {
        VersionId(self.0)
    }
}

impl DeliveryId {
    /// A seed for what is to differ from delivery to delivery.
    pub(crate) fn seed(self) -> u64 {
        let (high, low) = self.0.as_u64_pair();
        high ^ low
    }
}

impl VersionId {
    /// The version's id as 16 bytes, as the hot path compares it.
    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

/// The name of a key ring. Case-sensitive.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RingId(String);

impl RingId {
    /// The ring that every instance has.
    pub(crate) const DEFAULT: &str = "default";

    /// Reads a ring's name: 2 to 100 letters, digits, `-`, `_` (the last ASSUMED). Source: Terraform provider.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let fits = (2..=100).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        fits.then(|| Self(text.to_owned()))
    }

    /// The default ring.
    pub(crate) fn default_ring() -> Self {
        Self(Self::DEFAULT.to_owned())
    }

    /// The ring's name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        assert!(KeyId::parse("02fd6835-6001-4482-a892-13bd2085f75d").is_some());
        assert!(KeyId::parse("02fd683560014482a89213bd2085f75d").is_none());
        assert!(KeyId::parse("{2fd6835-6001-4482-a892-13bd2085f75d}").is_none());
    }

    #[test]
    fn random_bytes_become_a_version_4_uuid() {
        assert_eq!(KeyId::from_random([0xff; 16]).to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
