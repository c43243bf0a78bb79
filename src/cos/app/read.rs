//! Reads of objects: whole, a range, or their headers alone.

use std::sync::Arc;

use crate::cos::app::CosApp;
use crate::cos::app::audit;
use crate::cos::app::body::Outgoing;
use crate::cos::app::error::Error;
use crate::cos::app::key_state::Need;
use crate::cos::app::opening::{self, Reading};
use crate::cos::app::request::Request;
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::conditions::{Conditions, Verdict};
use crate::cos::domain::object::{Object, ObjectKey};
use crate::cos::domain::range::{ByteRange, Window};
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::store::blobs::{self, Blob, Owner};
use crate::cos::store::objects;

/// What is to be read of an object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) conditions: Conditions,
    pub(crate) range: Option<ByteRange>,
    /// `partNumber`; with a range: `InvalidRequest`.
    pub(crate) part: Option<u32>,
}

/// An object that was found.
pub(crate) enum Found<B> {
    /// 304.
    NotModified(Object),
    /// 200, or 206 with a window.
    Object { object: Object, window: Option<Window>, body: B },
}

impl CosApp {
    /// Reads an object.
    ///
    /// # Errors
    /// `NoSuchKey`, `AccessDenied` for an unusable root key, `PreconditionFailed`, `InvalidRange`.
    pub(crate) async fn get_object(
        &self,
        cx: &Request,
        bucket: &Bucket,
        key: &ObjectKey,
        wanted: &Wanted,
    ) -> Result<Found<Outgoing>, Error> {
        let data_key = self.data_key(cx, bucket, Need::Read).await?;
        let lease = self.files.lease();
        let (object, blobs) = self.find(bucket, key).await?;
        if wanted.conditions.of_read(&object.etag, object.modified_at)? == Verdict::NotModified {
            return Ok(Found::NotModified(object));
        }
        let window = wanted.window(&object, &blobs)?;
        let memory = Arc::clone(&self.memory);
        let reading = Reading { files: Arc::clone(&self.files), _lease: lease, data_key, bucket: bucket.id, memory };
        let body = opening::open(reading, &blobs, window).await?;
        self.app.note(audit::of_object(cx, bucket, key, "object.read", status(window))).await;
        Ok(Found::Object { object, window, body })
    }

    /// Reads an object's headers; it needs the root key as a read does.
    ///
    /// # Errors
    /// As [`CosApp::get_object`].
    pub(crate) async fn head_object(
        &self,
        cx: &Request,
        bucket: &Bucket,
        key: &ObjectKey,
        wanted: &Wanted,
    ) -> Result<Found<()>, Error> {
        self.data_key(cx, bucket, Need::Read).await?;
        let (object, blobs) = self.find(bucket, key).await?;
        if wanted.conditions.of_read(&object.etag, object.modified_at)? == Verdict::NotModified {
            return Ok(Found::NotModified(object));
        }
        let window = wanted.window(&object, &blobs)?;
        self.app.note(audit::of_object(cx, bucket, key, "object-metadata.read", status(window))).await;
        Ok(Found::Object { object, window, body: () })
    }

    /// An object with its files. Take a lease first when they are to be read.
    ///
    /// # Errors
    /// `NoSuchKey`.
    pub(super) async fn find(&self, bucket: &Bucket, key: &ObjectKey) -> Result<(Object, Vec<Blob>), Error> {
        let (id, key) = (bucket.id, key.clone());
        self.read(move |tx| {
            let object = objects::get(tx, id, &key)?.ok_or(Code::NoSuchKey)?;
            let blobs = blobs::of(tx, Owner::Object(object.id))?;
            Ok((object, blobs))
        })
        .await
    }
}

fn status(window: Option<Window>) -> u16 {
    if window.is_some() { 206 } else { 200 }
}

impl Wanted {
    /// The bytes that are wanted; `None` for all of them.
    fn window(&self, object: &Object, blobs: &[Blob]) -> Result<Option<Window>, Refusal> {
        match (self.range, self.part) {
            (None, None) => Ok(None),
            (Some(range), None) => range.window(object.size).map(Some),
            (Some(_), Some(_)) => Err(Refusal::new(Code::InvalidRequest, "Range and partNumber exclude each other.")),
            (None, Some(part)) => part_window(part, object, blobs),
        }
    }
}

/// The bytes of a part; the one part of a single upload is the whole object.
fn part_window(part: u32, object: &Object, blobs: &[Blob]) -> Result<Option<Window>, Refusal> {
    let none = || Refusal { size: Some(object.size), ..Code::InvalidRange.into() };
    let mut first = 0;
    for (number, blob) in (1..).zip(blobs) {
        let end: u64 = first + blob.size;
        if number == part {
            return Ok(end.checked_sub(1).filter(|last| *last >= first).map(|last| Window { first, last }));
        }
        first = end;
    }
    Err(none())
}
