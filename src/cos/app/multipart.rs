//! Uploads in parts.

use crate::cos::app::CosApp;
use crate::cos::app::body::Upload;
use crate::cos::app::error::Error;
use crate::cos::app::request::Request;
use crate::cos::app::write::{Draft, Stored};
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::checksum::Checksum;
use crate::cos::domain::object::ObjectKey;
use crate::domain::time::Timestamp;

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
        let _ = (cx, bucket, key, draft);
        todo!()
    }

    /// Stores a part; a part of that number is replaced.
    ///
    /// # Errors
    /// `NoSuchUpload`, `InvalidArgument`, `AccessDenied`, `BadDigest`, `EntityTooLarge`; what ends the body.
    pub(crate) async fn put_part(&self, cx: &Request, place: PartPlace<'_>, upload: Upload) -> Result<Stored, Error> {
        let _ = (cx, place, upload);
        todo!()
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
        let _ = (cx, place, marker, max);
        todo!()
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
        let _ = (cx, bucket, wanted);
        todo!()
    }

    /// Makes the object of the parts that are named. The same list again gives the same answer.
    ///
    /// # Errors
    /// `NoSuchUpload`, `InvalidPart`, `InvalidPartOrder`, `EntityTooSmall`, `EntityTooLarge`, `AccessDenied`;
    /// `MalformedXML` without parts.
    pub(crate) async fn complete_upload(
        &self,
        cx: &Request,
        place: UploadPlace<'_>,
        parts: Vec<NamedPart>,
    ) -> Result<Stored, Error> {
        let _ = (cx, place, parts);
        todo!()
    }

    /// Drops an upload and its parts, in any state of the root key.
    ///
    /// # Errors
    /// `NoSuchUpload`.
    pub(crate) async fn abort_upload(&self, cx: &Request, place: UploadPlace<'_>) -> Result<(), Error> {
        let _ = (cx, place);
        todo!()
    }
}
