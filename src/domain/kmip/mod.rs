//! KMIP adapters as the REST API shows them; the protocol itself is not spoken. Source: docs, kmip; API reference;
//! `docs/contract/policies.md` 8.

pub(crate) mod certificate;
pub(crate) mod object;
pub(crate) mod operation;
pub(crate) mod refusal;

use crate::domain::alias::KeyRef;
use crate::domain::id::{AdapterId, CertificateId, KeyId};
use crate::domain::key::{Key, Kind, State};
use crate::domain::kmip::refusal::Refusal;
use crate::domain::time::Timestamp;

/// Adapters that one instance may have. Source: docs, kmip.
pub(crate) const ADAPTERS_PER_INSTANCE_MAX: u64 = 200;
/// Certificates that one adapter may have. Source: docs, kmip.
pub(crate) const CERTIFICATES_PER_ADAPTER_MAX: u64 = 200;
/// Characters of an adapter's description. Source: API reference.
pub(crate) const DESCRIPTION_CHARACTERS_MAX: usize = 240;
/// The only profile there is. Source: API reference.
pub(crate) const PROFILE: &str = "native_1.0";

/// The name of an adapter or of a certificate: 2 to 40 of `[A-Za-z0-9_-]`, not a UUID. Case-sensitive (ASSUMED).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    /// What a name must be, for messages.
    pub(crate) const RULE: &str = "2 to 40 letters, digits, hyphens or underscores, and not a UUID";

    /// Reads a name. Source: docs, kmip; API reference.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let fits = (2..=40).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && AdapterId::parse(text).is_none();
        fits.then(|| Self(text.to_owned()))
    }

    /// A name for what got none: `kmip_adapter_1f0c…`. Source: API reference; that the random part is hexadecimal is
    /// ASSUMED.
    pub(crate) fn made_up(prefix: &str, random: [u8; 8]) -> Self {
        Self(format!("{prefix}{:016x}", u64::from_be_bytes(random)))
    }

    /// The name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// When something was done, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) at: Timestamp,
    /// An IAM id: whoever did it through the REST API, else whoever brought the certificate.
    pub(crate) by: String,
    /// The client certificate that it was done with, where it was done through KMIP.
    pub(crate) certificate: Option<CertificateId>,
}

impl Mark {
    /// Done through the REST API.
    pub(crate) fn of(at: Timestamp, by: &str) -> Self {
        Self { at, by: by.to_owned(), certificate: None }
    }
}

/// An adapter. Its root key protects what KMIP clients make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Adapter {
    pub(crate) id: AdapterId,
    pub(crate) name: Name,
    /// Empty where none was given.
    pub(crate) description: String,
    pub(crate) root_key: KeyId,
    pub(crate) created: Mark,
    /// The last change of the adapter, its certificates or its objects. Source: API reference.
    pub(crate) updated: Mark,
}

/// Whether a root key with an expiration date will do. Source: Python SDK, `allowExpiringKey`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExpiringKey {
    Allowed,
    Refused,
}

/// An adapter as its maker wants it.
#[derive(Clone, Debug)]
pub(crate) struct AdapterDraft {
    pub(crate) name: Option<Name>,
    pub(crate) description: String,
    pub(crate) root_key: KeyRef,
    pub(crate) expiring_key: ExpiringKey,
}

impl AdapterDraft {
    /// Decides whether a key can carry the adapter.
    ///
    /// # Errors
    /// `InvalidRootKey` unless it is an active root key, without an expiration date unless that is allowed.
    ///
    /// Source: Terraform provider, acceptance tests; Python SDK.
    pub(crate) fn check(&self, key: &Key) -> Result<(), Refusal> {
        let usable = key.kind == Kind::Root && key.state == State::Active;
        let lasting = key.expires_at.is_none() || self.expiring_key == ExpiringKey::Allowed;
        if usable && lasting { Ok(()) } else { Err(Refusal::InvalidRootKey) }
    }
}

/// How a path names an adapter, a certificate or an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reference<Id> {
    Id(Id),
    Name(Name),
    /// A text that nothing can be called.
    Nothing,
}

impl<Id> Reference<Id> {
    /// A text of UUID form is an id, everything else a name.
    pub(crate) fn parse(text: &str, id: impl Fn(&str) -> Option<Id>) -> Self {
        if let Some(id) = id(text) {
            return Self::Id(id);
        }
        Name::parse(text).map_or(Self::Nothing, Self::Name)
    }
}

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

/// A part of a list, and how many there are in all.
#[derive(Clone, Debug)]
pub(crate) struct Listed<T> {
    pub(crate) shown: Vec<T>,
    pub(crate) total: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_two_to_forty_plain_characters_and_is_no_uuid() {
        for name in ["ab", "A-1_z", &"n".repeat(40), "02fd6835-6001-4482-a892-13bd2085f75"] {
            assert!(Name::parse(name).is_some(), "{name}");
        }
        for name in ["", "a", "a b", "ümlaut", "a.b", &"n".repeat(41), "02fd6835-6001-4482-a892-13bd2085f75d"] {
            assert!(Name::parse(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_name_that_is_made_up_is_one_that_could_be_given() {
        for prefix in ["kmip_adapter_", "kmip_cert_"] {
            let name = Name::made_up(prefix, [0; 8]);
            assert_eq!(Name::parse(name.as_str()), Some(name));
        }
    }

    #[test]
    fn a_text_is_an_id_a_name_or_nothing() {
        let parse = |text| Reference::parse(text, AdapterId::parse);
        assert!(matches!(parse("02fd6835-6001-4482-a892-13bd2085f75d"), Reference::Id(_)));
        assert!(matches!(parse("vsphere"), Reference::Name(_)));
        assert_eq!(parse("a b"), Reference::Nothing);
    }
}
