//! Buckets: made with their registration in one unit, listed, deleted.

use std::sync::Arc;

use crate::cos::app::CosApp;
use crate::cos::app::error::Error;
use crate::cos::app::request::Request;
use crate::cos::domain::bucket::Bucket;

/// A bucket as its maker wants it; all texts as they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewBucket {
    /// `LocationConstraint`; none or an empty one means the gateway's default.
    pub(crate) location: Option<String>,
    /// `ibm-sse-kp-encryption-algorithm`
    pub(crate) algorithm: Option<String>,
    /// `ibm-sse-kp-customer-root-key-crn`
    pub(crate) root_key_crn: Option<String>,
}

/// Which buckets of an instance are listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct BucketsWanted {
    pub(crate) prefix: Option<String>,
    /// Names after this one.
    pub(crate) marker: Option<String>,
    /// `None`: all of them, as `GET /` without `extended` does.
    pub(crate) max: Option<usize>,
}

/// Buckets by name.
#[derive(Debug)]
pub(crate) struct BucketPage {
    /// The account: `Owner/ID` and `Owner/DisplayName`.
    pub(crate) owner: String,
    pub(crate) buckets: Vec<Arc<Bucket>>,
    pub(crate) truncated: bool,
}

impl CosApp {
    /// Makes a bucket for `cx.instance`, and registers it with its root key in the same unit.
    ///
    /// # Errors
    /// `AccessDenied`, `InvalidBucketName`, `InvalidLocationConstraint`, `InvalidArgument`, `InvalidRequest`,
    /// `BucketAlreadyExists`, `TooManyBuckets`.
    pub(crate) async fn create_bucket(&self, cx: &Request, name: &str, wanted: NewBucket) -> Result<(), Error> {
        let _ = (cx, name, wanted);
        todo!()
    }

    /// Lists buckets of `cx.instance`.
    ///
    /// # Errors
    /// `InvalidArgument` without an instance; `AccessDenied`.
    pub(crate) async fn list_buckets(&self, cx: &Request, wanted: BucketsWanted) -> Result<BucketPage, Error> {
        let _ = (cx, wanted);
        todo!()
    }

    /// Deletes an empty bucket, its open uploads and its registration, in any state of its key.
    ///
    /// # Errors
    /// `BucketNotEmpty`.
    pub(crate) async fn delete_bucket(&self, cx: &Request, bucket: &Bucket) -> Result<(), Error> {
        let _ = (cx, bucket);
        todo!()
    }
}
