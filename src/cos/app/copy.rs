//! Copies: opened with the source bucket's data key, sealed with the target's.

use crate::cos::app::CosApp;
use crate::cos::app::error::Error;
use crate::cos::app::request::Request;
use crate::cos::app::write::Draft;
use crate::cos::domain::attributes::Attributes;
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::conditions::Conditions;
use crate::cos::domain::object::ObjectKey;
use crate::cos::domain::range::ByteRange;
use crate::cos::domain::retention::RetentionDraft;
use crate::cos::domain::tags::Tag;
use crate::domain::time::Timestamp;

/// Where a copy comes from. The bucket is one that the caller may read: see [`CosApp::enter`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) bucket: &'a Bucket,
    pub(crate) key: &'a ObjectKey,
    /// `x-amz-copy-source-if-*`
    pub(crate) conditions: &'a Conditions,
}

/// What a copy has in place of the source's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    /// `None`: the source's attributes (`COPY`).
    pub(crate) attributes: Option<Attributes>,
    /// `None`: the source's tags.
    pub(crate) tags: Option<Vec<Tag>>,
    pub(crate) retention: RetentionDraft,
}

/// `CopyObjectResult`, `CopyPartResult`
#[derive(Clone, Debug)]
pub(crate) struct Copied {
    /// Without quotes.
    pub(crate) etag: String,
    pub(crate) modified_at: Timestamp,
}

impl CosApp {
    /// Copies an object. Both root keys must be usable.
    ///
    /// # Errors
    /// `NoSuchKey`, `AccessDenied`, `PreconditionFailed`; `InvalidRequest` onto itself without changes, or over 5 GB.
    pub(crate) async fn copy_object(
        &self,
        cx: &Request,
        source: Source<'_>,
        bucket: &Bucket,
        key: &ObjectKey,
        changes: Changes,
    ) -> Result<Copied, Error> {
        let _ = (cx, source, bucket, key, changes, Draft::default());
        todo!()
    }

    /// Copies an object, or a range of it, as a part of an upload.
    ///
    /// # Errors
    /// As [`CosApp::copy_object`]; `NoSuchUpload`, `InvalidArgument`, `InvalidRange`.
    pub(crate) async fn copy_part(
        &self,
        cx: &Request,
        source: Source<'_>,
        range: Option<ByteRange>,
        target: crate::cos::app::multipart::PartPlace<'_>,
    ) -> Result<Copied, Error> {
        let _ = (cx, source, range, target);
        todo!()
    }
}
