//! Identifiers of the gateway's things, which the wire never shows.

use crate::domain::id::uuid_id;

uuid_id!(
    /// A bucket: its name may belong to another one later.
    BucketId
);
uuid_id!(
    /// One stored version of an object.
    StoredId
);
uuid_id!(
    /// A file of sealed bytes.
    BlobId
);
uuid_id!(
    /// A multipart upload; the wire shows this one.
    UploadId
);

impl BucketId {
    /// The id as 16 bytes.
    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl BlobId {
    /// The id as 16 bytes.
    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}
