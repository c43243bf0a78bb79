//! Uploads: hashed and sealed in one stream, stored as a file, then named by a row.

use crate::cos::app::CosApp;
use crate::cos::app::body::Upload;
use crate::cos::app::error::Error;
use crate::cos::app::request::Request;
use crate::cos::domain::attributes::Attributes;
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::checksum::Checksum;
use crate::cos::domain::conditions::Conditions;
use crate::cos::domain::object::ObjectKey;
use crate::cos::domain::retention::RetentionDraft;
use crate::cos::domain::tags::Tag;

/// An object without its bytes, as an uploader wants it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) attributes: Attributes,
    pub(crate) tags: Vec<Tag>,
    pub(crate) retention: RetentionDraft,
}

/// What an upload is answered with.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    /// Without quotes.
    pub(crate) etag: String,
    pub(crate) checksums: Vec<Checksum>,
}

impl CosApp {
    /// Stores an object; an older one of that key is replaced in one step.
    ///
    /// # Errors
    /// `AccessDenied` for an unusable root key or a retained object, before the body is read; `MetadataTooLarge`,
    /// `InvalidTag`, `EntityTooLarge`, `BadDigest`, `PreconditionFailed`, `InvalidRequest`; what ends the body.
    pub(crate) async fn put_object(
        &self,
        cx: &Request,
        bucket: &Bucket,
        key: &ObjectKey,
        draft: Draft,
        conditions: &Conditions,
        upload: Upload,
    ) -> Result<Stored, Error> {
        let _ = (cx, bucket, key, draft, conditions, upload);
        todo!()
    }
}
