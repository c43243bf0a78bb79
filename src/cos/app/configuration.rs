//! The resource configuration of a bucket, and how much it holds.

use crate::cos::app::CosApp;
use crate::cos::app::error::Error;
use crate::cos::app::request::Request;
use crate::cos::domain::bucket::Bucket;

/// What a bucket holds, exactly and now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) objects: u64,
    /// Bytes in clear.
    pub(crate) bytes: u64,
}

impl CosApp {
    /// A bucket's usage. Its configuration is `bucket.configuration`, its tag `"{bucket.revision}"` or one made of it.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn usage(&self, cx: &Request, bucket: &Bucket) -> Result<Usage, Error> {
        let _ = (cx, bucket);
        todo!()
    }

    /// Replaces a bucket's configuration (JSON text of an object, checked and merged by the caller), if its revision is
    /// still `bucket.revision`.
    ///
    /// # Errors
    /// `PreconditionFailed` when it has been changed meanwhile.
    pub(crate) async fn configure_bucket(
        &self,
        cx: &Request,
        bucket: &Bucket,
        configuration: String,
    ) -> Result<(), Error> {
        let _ = (cx, bucket, configuration);
        todo!()
    }
}
