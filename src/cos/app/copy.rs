//! Copies: opened with the source bucket's data key, sealed with the target's.

use std::sync::Arc;

use futures_util::StreamExt;

use crate::cos::app::CosApp;
use crate::cos::app::audit;
use crate::cos::app::body::{Checks, Outgoing, Piece, Upload};
use crate::cos::app::error::Error;
use crate::cos::app::key_state::Need;
use crate::cos::app::multipart::PartPlace;
use crate::cos::app::opening::{self, Reading};
use crate::cos::app::request::Request;
use crate::cos::app::write::Draft;
use crate::cos::domain::attributes::Attributes;
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::checksum::Algorithm;
use crate::cos::domain::conditions::Conditions;
use crate::cos::domain::object::{Object, ObjectKey, PUT_BYTES_MAX};
use crate::cos::domain::range::ByteRange;
use crate::cos::domain::refusal::{Code, Refusal};
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

/// What a copy has in place of the source's, and when it is made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    /// Those on the object that would be replaced.
    pub(crate) conditions: Conditions,
    /// `None`: the source's attributes (`COPY`).
    pub(crate) attributes: Option<Attributes>,
    /// `None`: the source's tags.
    pub(crate) tags: Option<Vec<Tag>>,
    pub(crate) retention: RetentionDraft,
    /// True for the source's retention and legal holds (`Retention-Directive: COPY`).
    pub(crate) keeps_retention: bool,
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
        let unchanged = changes.attributes.is_none() && changes.tags.is_none();
        if unchanged && source.bucket.id == bucket.id && source.key == key {
            let why =
                "An object cannot be copied onto itself without changing its metadata: send the directive REPLACE.";
            return Err(Refusal::new(Code::InvalidRequest, why).into());
        }
        if changes.keeps_retention && !changes.retention.is_empty() {
            let why = "Retention-Directive: COPY takes the source's retention: send no other beside it.";
            return Err(Refusal::new(Code::InvalidRequest, why).into());
        }
        self.data_key(cx, bucket, Need::Write).await?;
        let (object, body, size) = self.open_source(cx, source, None).await?;
        let draft = Draft {
            attributes: changes.attributes.unwrap_or(object.attributes),
            tags: changes.tags.unwrap_or(object.tags),
            retention: match &object.retention {
                Some(kept) if changes.keeps_retention => RetentionDraft::like(kept),
                Some(_) | None => changes.retention,
            },
        };
        let algorithm = object.checksums.first().map(|checksum| checksum.algorithm);
        let upload = as_upload(body, size, algorithm.filter(|_| object.parts == 0));
        let stored = self.put_object(cx, bucket, key, draft, &changes.conditions, upload).await?;
        self.app.note(audit::of_object(cx, source.bucket, source.key, "object-copy.read", 200)).await;
        Ok(Copied { etag: stored.etag, modified_at: cx.now.whole_seconds() })
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
        target: PartPlace<'_>,
    ) -> Result<Copied, Error> {
        let (_, body, size) = self.open_source(cx, source, range).await?;
        let stored = self.put_part(cx, target, as_upload(body, size, None)).await?;
        Ok(Copied { etag: stored.etag, modified_at: cx.now.whole_seconds() })
    }

    /// The source with the bytes that are wanted of it, and how many they are.
    async fn open_source(
        &self,
        cx: &Request,
        source: Source<'_>,
        range: Option<ByteRange>,
    ) -> Result<(Object, Outgoing, u64), Error> {
        let data_key = self.data_key(cx, source.bucket, Need::Read).await?;
        let lease = self.files.lease();
        let (object, blobs) = self.find(source.bucket, source.key).await?;
        source.conditions.of_copy(&object.etag, object.modified_at)?;
        let window = range.map(|range| range.window(object.size)).transpose()?;
        let size = window.map_or(object.size, crate::cos::domain::range::Window::len);
        if size > PUT_BYTES_MAX {
            let why = "The copy source is larger than 5 GB: copy it in parts.";
            return Err(Refusal::new(Code::InvalidRequest, why).into());
        }
        let memory = Arc::clone(&self.memory);
        let reading =
            Reading { files: Arc::clone(&self.files), _lease: lease, data_key, bucket: source.bucket.id, memory };
        let body = opening::open(reading, &blobs, window).await?;
        Ok((object, body, size))
    }
}

/// A body of our own guards itself: its frames are authenticated. The source's kind of checksum is computed anew.
fn as_upload(body: Outgoing, size: u64, algorithm: Option<Algorithm>) -> Upload {
    let checks = Checks { computed: algorithm.into_iter().collect(), trusted: true, ..Checks::default() };
    Upload { body: Box::pin(body.map(|bytes| bytes.map(Piece::Data))), length: Some(size), checks }
}
