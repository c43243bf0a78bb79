//! Uploads: hashed and sealed in one stream, stored as a file, then named by a row.

use std::sync::Arc;

use crate::cos::app::CosApp;
use crate::cos::app::audit;
use crate::cos::app::body::Upload;
use crate::cos::app::error::Error;
use crate::cos::app::key_state::Need;
use crate::cos::app::request::Request;
use crate::cos::domain::attributes::Attributes;
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::checksum::Checksum;
use crate::cos::domain::conditions::Conditions;
use crate::cos::domain::id::{BlobId, BucketId};
use crate::cos::domain::object::{Object, ObjectKey};
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::domain::retention::{self, ObjectRetention, RetentionDraft};
use crate::cos::domain::tags::{self, Tag};
use crate::cos::store::blobs::{self, Blob, Owner};
use crate::cos::store::files::DraftFile;
use crate::cos::store::{buckets, objects};
use crate::domain::time::Timestamp;
use crate::store::tx::Tx;

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

impl Draft {
    /// Refuses what no object can have.
    ///
    /// # Errors
    /// `MetadataTooLarge`, `InvalidTag`; what the bucket's retention policy refuses.
    pub(super) fn check(&self, bucket: &Bucket, now: Timestamp) -> Result<Option<ObjectRetention>, Refusal> {
        self.attributes.check()?;
        tags::check(&self.tags)?;
        retain(bucket, &self.retention, now)
    }
}

/// What a new object of a bucket is under.
///
/// # Errors
/// `InvalidArgument`, `InvalidRequest`.
pub(super) fn retain(
    bucket: &Bucket,
    draft: &RetentionDraft,
    now: Timestamp,
) -> Result<Option<ObjectRetention>, Refusal> {
    match &bucket.protection {
        Some(protection) => protection.retain(draft, now).map(Some),
        None if draft.is_empty() => Ok(None),
        None => {
            let why = "The bucket has no retention policy, so its objects cannot be retained or held.";
            Err(Refusal::new(Code::InvalidRequest, why))
        }
    }
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
        draft.check(bucket, cx.now)?;
        guarded(bucket, &upload)?;
        let data_key = self.data_key(cx, bucket, Need::Write).await?;
        let (id, looked_for, asked, now) = (bucket.id, key.clone(), conditions.clone(), cx.now);
        self.read(move |tx| replaceable(tx, id, &looked_for, &asked, now)).await?;
        let room = self.room(bucket, key).await?;
        let body = self.seal_body(bucket, &data_key, upload, room).await?;
        let at = cx.now.whole_seconds();
        let object = Object {
            id: self.new_stored_id()?,
            key: key.clone(),
            size: body.size,
            etag: body.etag.clone(),
            modified_at: at,
            attributes: draft.attributes,
            tags: draft.tags,
            checksums: body.checksums.clone(),
            parts: 0,
            retention: None,
        };
        let blob = Blob {
            id: body.draft.id(),
            number: 1,
            size: body.size,
            etag: body.etag.clone(),
            checksums: Vec::new(),
            modified_at: at,
        };
        let (app, cx, conditions, wanted) = (Arc::clone(&self.app), cx.clone(), conditions.clone(), draft.retention);
        let shut = self.shut();
        let unneeded = self
            .name_file(body.draft, move |tx| {
                let bucket = buckets::get(tx, id)?.ok_or(Code::NoSuchBucket)?;
                shut.check(&bucket)?;
                let object = Object { retention: retain(&bucket, &wanted, cx.now)?, ..object };
                let unneeded = replace(tx, &bucket, &object, &conditions, cx.now)?;
                blobs::put(tx, Owner::Object(object.id), &blob)?;
                app.record(tx, audit::of_object(&cx, &bucket, &object.key, "object.create", 200))?;
                Ok(unneeded)
            })
            .await?;
        self.files.remove(unneeded);
        Ok(Stored { etag: body.etag, checksums: body.checksums })
    }

    /// Runs the change that names a file in a row; the file goes when the change is refused.
    ///
    /// # Errors
    /// What the change refuses, or the store's fault.
    pub(super) async fn name_file<T, F>(&self, draft: DraftFile, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        // Before the change, not after it: the row stands even where nobody is there any more to hear of it.
        let id = draft.keep();
        let named = self.write(job).await;
        // Of a store that closes nobody knows; the next start looks.
        if named.as_ref().is_err_and(|error| !matches!(error, Error::Store(fault) if fault.is_stop())) {
            self.files.remove(vec![id]);
        }
        named
    }
}

/// Refuses an upload that nothing guards, where that is needed.
///
/// # Errors
/// `InvalidRequest`.
pub(super) fn guarded(bucket: &Bucket, upload: &Upload) -> Result<(), Refusal> {
    if bucket.protection.is_none() || upload.checks.guard() {
        return Ok(());
    }
    let why = "Uploads into a bucket with a retention policy need Content-MD5 or a checksum header.";
    Err(Refusal::new(Code::InvalidRequest, why))
}

/// Asks whether an object may come to that key; gives the one that is there.
///
/// # Errors
/// `PreconditionFailed`; `AccessDenied` when the present one is retained.
fn replaceable(
    tx: &Tx<'_>,
    bucket: BucketId,
    key: &ObjectKey,
    conditions: &Conditions,
    now: Timestamp,
) -> Result<Option<Object>, Error> {
    let present = objects::get(tx, bucket, key)?;
    match &present {
        Some(object) => may_go(object, conditions, now)?,
        None => conditions.of_write(None)?,
    }
    Ok(present)
}

/// Asks whether an object may be replaced or deleted.
///
/// # Errors
/// `PreconditionFailed`; `AccessDenied` when it is retained.
pub(super) fn may_go(object: &Object, conditions: &Conditions, now: Timestamp) -> Result<(), Refusal> {
    conditions.of_write(Some(&object.etag))?;
    if object.retention.as_ref().is_some_and(|kept| kept.holds_at(now)) { Err(retention::refusal()) } else { Ok(()) }
}

/// Puts an object's row in the place of the one that is there; gives the files that are no longer needed.
///
/// # Errors
/// `PreconditionFailed`; `AccessDenied` when the present one is retained.
pub(super) fn replace(
    tx: &Tx<'_>,
    bucket: &Bucket,
    object: &Object,
    conditions: &Conditions,
    now: Timestamp,
) -> Result<Vec<BlobId>, Error> {
    let unneeded = match replaceable(tx, bucket.id, &object.key, conditions, now)? {
        Some(present) => remove(tx, bucket.id, &present)?,
        None => Vec::new(),
    };
    objects::insert(tx, bucket.id, object)?;
    buckets::count(tx, bucket.id, 1, signed(object.size))?;
    Ok(unneeded)
}

/// Removes an object; gives the files that are no longer needed.
///
/// # Errors
/// The store's.
pub(super) fn remove(tx: &Tx<'_>, bucket: BucketId, object: &Object) -> Result<Vec<BlobId>, Error> {
    objects::remove(tx, object.id)?;
    buckets::count(tx, bucket, -1, -signed(object.size))?;
    Ok(blobs::remove(tx, Owner::Object(object.id))?)
}

fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
