//! Uploads in parts.

use std::sync::Arc;

use crate::cos::app::CosApp;
use crate::cos::app::body::Upload;
use crate::cos::app::error::Error;
use crate::cos::app::key_state::Need;
use crate::cos::app::request::Request;
use crate::cos::app::write::{Draft, Stored};
use crate::cos::app::{audit, list, write};
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::checksum::Checksum;
use crate::cos::domain::id::{BucketId, UploadId};
use crate::cos::domain::object::{ObjectKey, PARTS_MAX};
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::store::blobs::{self, Blob, Owner};
use crate::cos::store::buckets;
use crate::cos::store::uploads::{self, Place, UploadRow};
use crate::domain::time::Timestamp;
use crate::store::tx::Tx;

/// Parts or uploads of one page.
pub(super) const PAGE_MAX: usize = 1_000;

/// An upload that a request names: bucket, key and id must fit together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UploadPlace<'a> {
    pub(crate) bucket: &'a Bucket,
    pub(crate) key: &'a ObjectKey,
    /// As it came.
    pub(crate) upload: &'a str,
}

/// A part of an upload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartPlace<'a> {
    pub(crate) upload: UploadPlace<'a>,
    /// 1 to 10,000, else `InvalidArgument`.
    pub(crate) number: u32,
}

/// A stored part.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) number: u32,
    pub(crate) size: u64,
    /// Without quotes.
    pub(crate) etag: String,
    pub(crate) modified_at: Timestamp,
    pub(crate) checksums: Vec<Checksum>,
}

/// Parts in order of their numbers.
#[derive(Debug)]
pub(crate) struct PartPage {
    pub(crate) parts: Vec<Part>,
    pub(crate) truncated: bool,
}

/// An upload under way.
#[derive(Clone, Debug)]
pub(crate) struct OpenUpload {
    pub(crate) key: ObjectKey,
    pub(crate) id: String,
    pub(crate) initiated_at: Timestamp,
}

/// Which uploads are listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct UploadsWanted {
    pub(crate) prefix: String,
    /// Empty: none are folded.
    pub(crate) delimiter: String,
    pub(crate) key_marker: String,
    /// Counts with a key marker alone.
    pub(crate) upload_id_marker: String,
    /// 0 to 1000; more is cut to 1000.
    pub(crate) max: usize,
}

/// Uploads by key, then by age.
#[derive(Debug)]
pub(crate) struct UploadPage {
    pub(crate) uploads: Vec<OpenUpload>,
    pub(crate) prefixes: Vec<String>,
    /// `NextKeyMarker` and `NextUploadIdMarker`, when more follow.
    pub(crate) next: Option<(String, String)>,
}

/// A part as the completion names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedPart {
    pub(crate) number: u32,
    /// With or without quotes.
    pub(crate) etag: String,
    /// Compared with those that the part has of the same algorithm.
    pub(crate) checksums: Vec<Checksum>,
}

impl NamedPart {
    /// True when it names that stored part.
    pub(super) fn is(&self, stored: &Blob) -> bool {
        let agrees = |one: &Checksum| {
            let same = stored.checksums.iter().find(|other| other.algorithm == one.algorithm);
            same.is_none_or(|other| other == one)
        };
        self.etag.trim_matches('"') == stored.etag && self.checksums.iter().all(agrees)
    }
}

impl From<Blob> for Part {
    fn from(blob: Blob) -> Self {
        Self {
            number: blob.number,
            size: blob.size,
            etag: blob.etag,
            modified_at: blob.modified_at,
            checksums: blob.checksums,
        }
    }
}

impl CosApp {
    /// Begins an upload; gives its id.
    ///
    /// # Errors
    /// `AccessDenied` for an unusable root key; `MetadataTooLarge`, `InvalidTag`.
    pub(crate) async fn start_upload(
        &self,
        cx: &Request,
        bucket: &Bucket,
        key: &ObjectKey,
        draft: Draft,
    ) -> Result<String, Error> {
        draft.check(bucket, cx.now)?;
        self.data_key(cx, bucket, Need::Write).await?;
        let upload = UploadRow {
            id: self.new_upload_id()?,
            key: key.clone(),
            initiated_at: cx.now.whole_seconds(),
            attributes: draft.attributes,
            tags: draft.tags,
            retention: draft.retention,
            completed: None,
        };
        let id = upload.id;
        let (app, cx, bucket) = (Arc::clone(&self.app), cx.clone(), bucket.clone());
        self.write(move |tx| {
            uploads::insert(tx, bucket.id, &upload)?;
            Ok(app.record(tx, audit::of_object(&cx, &bucket, &upload.key, "object-multipart.start", 200))?)
        })
        .await?;
        Ok(id.to_string())
    }

    /// Stores a part; a part of that number is replaced.
    ///
    /// # Errors
    /// `NoSuchUpload`, `InvalidArgument`, `AccessDenied`, `BadDigest`, `EntityTooLarge`; what ends the body.
    pub(crate) async fn put_part(&self, cx: &Request, place: PartPlace<'_>, upload: Upload) -> Result<Stored, Error> {
        if !(1..=PARTS_MAX).contains(&place.number) {
            return Err(Refusal::new(Code::InvalidArgument, "partNumber must be from 1 to 10000.").into());
        }
        let bucket = place.upload.bucket;
        let named = place.upload.named()?;
        let looked_for = named.clone();
        let open = self.read(move |tx| looked_for.find(tx)).await?;
        if open.completed.is_some() {
            return Err(Code::NoSuchUpload.into());
        }
        write::guarded(bucket, &upload)?;
        let data_key = self.data_key(cx, bucket, Need::Write).await?;
        let room = self.room(bucket, place.upload.key).await?;
        let body = self.seal_body(bucket, &data_key, upload, room).await?;
        let blob = Blob {
            id: body.draft.id(),
            number: place.number,
            size: body.size,
            etag: body.etag.clone(),
            checksums: body.checksums.clone(),
            modified_at: cx.now.whole_seconds(),
        };
        let (app, cx) = (Arc::clone(&self.app), cx.clone());
        let shut = self.shut();
        let unneeded = self
            .name_file(body.draft, move |tx| {
                let bucket = buckets::get(tx, named.bucket)?.ok_or(Code::NoSuchBucket)?;
                shut.check(&bucket)?;
                let upload = named.find(tx)?;
                if upload.completed.is_some() {
                    return Err(Code::NoSuchUpload.into());
                }
                app.record(tx, audit::of_object(&cx, &bucket, &named.key, "object.create", 200))?;
                Ok(blobs::put(tx, Owner::Upload(upload.id), &blob)?)
            })
            .await?;
        self.files.remove(unneeded);
        Ok(Stored { etag: body.etag, checksums: body.checksums })
    }

    /// Lists parts with numbers above `marker`.
    ///
    /// # Errors
    /// `NoSuchUpload`.
    pub(crate) async fn list_parts(
        &self,
        cx: &Request,
        place: UploadPlace<'_>,
        marker: u32,
        max: usize,
    ) -> Result<PartPage, Error> {
        let named = place.named()?;
        let most = max.min(PAGE_MAX);
        let mut found = self
            .read(move |tx| {
                let upload = named.find(tx)?;
                if upload.completed.is_some() {
                    return Err(Code::NoSuchUpload.into());
                }
                Ok(blobs::page(tx, Owner::Upload(upload.id), marker, most + 1)?)
            })
            .await?;
        self.app.note(audit::of_object(cx, place.bucket, place.key, "object-multipart.list", 200)).await;
        // A page of nothing has no end that the next one could go on from.
        let truncated = found.len() > most && most > 0;
        found.truncate(most);
        Ok(PartPage { parts: found.into_iter().map(Part::from).collect(), truncated })
    }

    /// Lists uploads under way.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn list_uploads(
        &self,
        cx: &Request,
        bucket: &Bucket,
        wanted: UploadsWanted,
    ) -> Result<UploadPage, Error> {
        let id = bucket.id;
        let page = self.read(move |tx| uploads_page(tx, id, &wanted)).await?;
        self.app.note(audit::of_bucket(cx, bucket, "object-multipart.list", 200)).await;
        Ok(page)
    }

    /// Drops an upload and its parts, in any state of the root key.
    ///
    /// # Errors
    /// `NoSuchUpload`.
    pub(crate) async fn abort_upload(&self, cx: &Request, place: UploadPlace<'_>) -> Result<(), Error> {
        let named = place.named()?;
        let (app, cx, bucket) = (Arc::clone(&self.app), cx.clone(), place.bucket.clone());
        let unneeded = self
            .write(move |tx| {
                let upload = named.find(tx)?;
                if upload.completed.is_some() {
                    return Err(Code::NoSuchUpload.into());
                }
                uploads::abort(tx, upload.id)?;
                app.record(tx, audit::of_object(&cx, &bucket, &named.key, "object-multipart.abort", 204))?;
                Ok(blobs::remove(tx, Owner::Upload(upload.id))?)
            })
            .await?;
        self.files.remove(unneeded);
        Ok(())
    }
}

/// What a request names, owned.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) bucket: BucketId,
    pub(super) key: ObjectKey,
    upload: UploadId,
}

impl UploadPlace<'_> {
    /// # Errors
    /// `NoSuchUpload` for an id that is none.
    pub(super) fn named(&self) -> Result<Named, Refusal> {
        let upload = UploadId::parse(self.upload).ok_or(Code::NoSuchUpload)?;
        Ok(Named { bucket: self.bucket.id, key: self.key.clone(), upload })
    }
}

impl Named {
    /// # Errors
    /// `NoSuchUpload`.
    pub(super) fn find(&self, tx: &Tx<'_>) -> Result<UploadRow, Error> {
        Ok(uploads::get(tx, self.bucket, &self.key, self.upload)?.ok_or(Code::NoSuchUpload)?)
    }
}

impl UploadsWanted {
    /// Where the page begins. An id that never was an upload's of that key counts as none.
    fn place(&self, tx: &Tx<'_>, bucket: BucketId) -> Result<Place<'_>, Error> {
        let key = self.key_marker.as_str();
        if key.is_empty() || key < self.prefix.as_str() {
            return Ok(Place::before(&self.prefix));
        }
        let marked = Place::behind(tx, bucket, key, &self.upload_id_marker)?;
        Ok(marked.unwrap_or_else(|| Place::behind_all(key)))
    }
}

fn uploads_page(tx: &Tx<'_>, bucket: BucketId, wanted: &UploadsWanted) -> Result<UploadPage, Error> {
    let most = wanted.max.min(PAGE_MAX);
    let mut page = UploadPage { uploads: Vec::new(), prefixes: Vec::new(), next: None };
    if most == 0 {
        return Ok(page);
    }
    let mut last = (String::new(), String::new());
    uploads::walk(tx, bucket, wanted.place(tx, bucket)?, |upload| {
        let key = upload.key.as_str();
        if !key.starts_with(&wanted.prefix) {
            return false;
        }
        let folded = list::common_prefix(key, &wanted.prefix, &wanted.delimiter);
        if folded.is_some() && (folded == page.prefixes.last().cloned() || folded.as_ref() == Some(&wanted.key_marker))
        {
            return true;
        }
        if page.uploads.len() + page.prefixes.len() == most {
            page.next = Some(last.clone());
            return false;
        }
        if let Some(prefix) = folded {
            last = (prefix.clone(), String::new());
            page.prefixes.push(prefix);
        } else {
            let id = upload.id.to_string();
            last = (upload.key.as_str().to_owned(), id.clone());
            page.uploads.push(OpenUpload { key: upload.key, id, initiated_at: upload.initiated_at });
        }
        true
    })?;
    Ok(page)
}
