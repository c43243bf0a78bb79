//! Retention: policies of buckets, legal holds and periods of objects.

use crate::cos::app::CosApp;
use crate::cos::app::error::Error;
use crate::cos::app::request::Request;
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::object::{Object, ObjectKey};
use crate::cos::domain::retention::{Extension, Protection};

/// What is to be done about legal holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HoldChange {
    Add(String),
    Remove(String),
}

impl CosApp {
    /// Sets a bucket's retention policy; `None` is `Status=Disabled`. The current one is `bucket.protection`.
    ///
    /// # Errors
    /// `InvalidArgument`; `InvalidBucketState` for the first policy of a bucket with objects, or whose root key is not
    /// active.
    pub(crate) async fn set_protection(
        &self,
        cx: &Request,
        bucket: &Bucket,
        wanted: Option<Protection>,
    ) -> Result<(), Error> {
        let _ = (cx, bucket, wanted);
        todo!()
    }

    /// Puts a legal hold on an object, or takes one off.
    ///
    /// # Errors
    /// `NoSuchKey`; `InvalidRequest` for an object without retention; `OperationAborted` for a hold that is there.
    pub(crate) async fn change_hold(
        &self,
        cx: &Request,
        bucket: &Bucket,
        key: &ObjectKey,
        change: HoldChange,
    ) -> Result<(), Error> {
        let _ = (cx, bucket, key, change);
        todo!()
    }

    /// An object with its retention and legal holds.
    ///
    /// # Errors
    /// `NoSuchKey`, also for an object without retention.
    pub(crate) async fn get_holds(&self, cx: &Request, bucket: &Bucket, key: &ObjectKey) -> Result<Object, Error> {
        let _ = (cx, bucket, key);
        todo!()
    }

    /// Makes an object's retention longer.
    ///
    /// # Errors
    /// `NoSuchKey`, `InvalidRequest`.
    pub(crate) async fn extend_retention(
        &self,
        cx: &Request,
        bucket: &Bucket,
        key: &ObjectKey,
        extension: Extension,
    ) -> Result<(), Error> {
        let _ = (cx, bucket, key, extension);
        todo!()
    }
}
