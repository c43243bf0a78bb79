//! Buckets: their names and what the gateway knows of one. Source: docs, buckets; `docs/contract/cos.md` 4.1.

use std::net::Ipv4Addr;

use crate::cos::domain::id::BucketId;
use crate::cos::domain::key_crn::KeyCrn;
use crate::cos::domain::key_info::KeyState;
use crate::cos::domain::location::Location;
use crate::cos::domain::retention::Protection;
use crate::domain::crn;
use crate::domain::id::{InstanceId, VersionId};
use crate::domain::time::Timestamp;

/// The instant from which on new buckets are registered with Key Protect: 2020-02-26T00:00:00Z. Source: docs, kp.
pub(crate) fn registered_since() -> Timestamp {
    Timestamp::from_millis(1_582_675_200_000)
}

/// A bucket's name, global over all instances.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct BucketName(String);

impl BucketName {
    /// Reads a name: 3 to 63 of `a–z 0–9 . -`; the rest of the rules stands in the contract.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let alphanumeric =
            |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let fits = (3..=63).contains(&bytes.len())
            && bytes.iter().all(|byte| alphanumeric(Some(byte)) || matches!(byte, b'.' | b'-'))
            && alphanumeric(bytes.first())
            && alphanumeric(bytes.last())
            && !text.contains("..")
            && !text.contains("--")
            && text.parse::<Ipv4Addr>().is_err()
            && !is_like_an_address(text)
            && !text.starts_with("cosv1-")
            && !text.starts_with("account-");
        fits.then(|| Self(text.to_owned()))
    }

    /// The name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Four numbers with dots between them.
fn is_like_an_address(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 4 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// How a bucket's data key is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// Under the service's own master key: the provider's encryption of a bucket without root key.
    Provider,
    /// Under a root key of Key Protect.
    KeyProtect(BucketKey),
}

/// What ties a bucket to its root key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BucketKey {
    /// As it was given at creation.
    pub(crate) crn: KeyCrn,
    pub(crate) state: KeyState,
    /// The version that wraps the bucket's data key.
    pub(crate) version: VersionId,
    /// False for a bucket from before [`registered_since`].
    pub(crate) registered: bool,
    /// When the newest event that was applied happened.
    pub(crate) event_at: Option<Timestamp>,
}

/// A bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) id: BucketId,
    pub(crate) name: BucketName,
    /// The instance of Cloud Object Storage that it belongs to.
    pub(crate) instance: InstanceId,
    /// 32 hexadecimal digits.
    pub(crate) account: String,
    pub(crate) location: Location,
    /// Whole seconds.
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) encryption: Encryption,
    /// `None` without retention policy.
    pub(crate) protection: Option<Protection>,
    /// What `/v1/b/{bucket}` keeps, JSON text of an object.
    pub(crate) configuration: String,
    /// Counts the changes of the configuration, from 1 on.
    pub(crate) revision: i64,
}

impl Bucket {
    /// `…:{cos instance}:bucket:{name}`
    pub(crate) fn crn(&self) -> String {
        let prefix = self.instance_crn();
        format!("{}:bucket:{}", prefix.trim_end_matches("::"), self.name.as_str())
    }

    /// CRN of the instance that owns it: the identity under which the gateway talks to Key Protect.
    pub(crate) fn instance_crn(&self) -> String {
        crn::of_instance("cloud-object-storage", "global", &self.account, self.instance)
    }

    /// The root key, for SSE-KP buckets.
    pub(crate) fn key(&self) -> Option<&BucketKey> {
        match &self.encryption {
            Encryption::Provider => None,
            Encryption::KeyProtect(key) => Some(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_ibms_rules() {
        for good in ["abc", "a.b-c", "0ab", "bucket-1.example", &"a".repeat(63), "1.2.3", "1.2.3.x"] {
            assert!(BucketName::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "ab",
            &"a".repeat(64),
            "Abc",
            "a_b",
            "-ab",
            "ab-",
            ".ab",
            "ab.",
            "a..b",
            "a--b",
            "10.0.0.1",
            "999.0.0.1",
            "cosv1-x",
            "account-x",
            "a b",
            "bücket",
        ] {
            assert!(BucketName::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn registration_began_on_the_26th_of_february_2020() {
        assert_eq!(registered_since().rfc3339(), "2020-02-26T00:00:00Z");
    }
}
