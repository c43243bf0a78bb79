//! Objects: their keys and what is kept of one.

use crate::cos::domain::attributes::Attributes;
use crate::cos::domain::checksum::Checksum;
use crate::cos::domain::id::StoredId;
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::domain::retention::ObjectRetention;
use crate::cos::domain::tags::Tag;
use crate::domain::time::Timestamp;

/// Bytes of an object's key. Source: docs, objects.
const KEY_BYTES_MAX: usize = 1_024;
/// Bytes of one upload or part. Source: docs, objects.
pub(crate) const PUT_BYTES_MAX: u64 = 5 * 1_024 * 1_024 * 1_024;
/// Bytes of an object of several parts. Source: docs, objects.
pub(crate) const OBJECT_BYTES_MAX: u64 = 10 * 1_024 * 1_024 * 1_024 * 1_024;
/// Bytes of any part but the last. Source: docs, objects.
pub(crate) const PART_BYTES_MIN: u64 = 5 * 1_024 * 1_024;
/// Numbers of parts run from 1 to this.
pub(crate) const PARTS_MAX: u32 = 10_000;

/// An object's key: any text of 1 to 1,024 bytes, never normalized.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ObjectKey(String);

impl ObjectKey {
    /// Takes a key, percent-decoded.
    ///
    /// # Errors
    /// `KeyTooLong`; `InvalidArgument` for one with NUL, which no listing could show.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        if text.contains('\0') {
            return Err(Refusal::new(Code::InvalidArgument, "A key cannot hold the character NUL."));
        }
        if text.len() > KEY_BYTES_MAX { Err(Code::KeyTooLong.into()) } else { Ok(Self(text.to_owned())) }
    }

    /// The key as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A stored object without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) id: StoredId,
    pub(crate) key: ObjectKey,
    /// Bytes in clear.
    pub(crate) size: u64,
    /// Without quotes.
    pub(crate) etag: String,
    /// Whole seconds.
    pub(crate) modified_at: Timestamp,
    pub(crate) attributes: Attributes,
    pub(crate) tags: Vec<Tag>,
    /// Of the whole object.
    pub(crate) checksums: Vec<Checksum>,
    /// Parts it was made of; 0 for a single upload.
    pub(crate) parts: u32,
    pub(crate) retention: Option<ObjectRetention>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_1024_bytes_at_most() {
        assert!(ObjectKey::parse(&"k".repeat(1_024)).is_ok());
        assert!(ObjectKey::parse(&"ü".repeat(513)).unwrap_err().is(Code::KeyTooLong));
        assert!(ObjectKey::parse("a\0").unwrap_err().is(Code::InvalidArgument));
        assert_eq!(ObjectKey::parse("a//b/../c").unwrap().as_str(), "a//b/../c");
    }
}
