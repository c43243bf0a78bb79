//! What a use case of the gateway knows of the request that called it, and who may do what with a bucket.

use std::net::IpAddr;
use std::sync::Arc;

use crate::cos::app::CosApp;
use crate::cos::app::error::Error;
use crate::cos::domain::bucket::{Bucket, BucketName};
use crate::domain::caller::Caller;
use crate::domain::id::InstanceId;
use crate::domain::instance::Instance;
use crate::domain::time::Timestamp;

/// Made once per request, when credentials are found good.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The virtual clock, read once.
    pub(crate) now: Timestamp,
    /// `x-amz-request-id`: correlation id of all records.
    pub(crate) id: String,
    pub(crate) caller: Arc<Caller>,
    /// The storage instance that creation and listing of buckets are about: of the header, or of the HMAC credential.
    pub(crate) instance: Option<Arc<Instance>>,
    /// HMAC credentials belong to one instance and open its buckets alone.
    pub(crate) bound_to: Option<InstanceId>,
    /// Path and query.
    pub(crate) uri: String,
    pub(crate) peer: Option<IpAddr>,
}

/// What is to be done with a bucket or its objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reader, Writer or Manager.
    Read,
    /// Writer or Manager.
    Write,
}

impl CosApp {
    /// Finds a bucket for whoever may do that with it: the first step of every operation on a bucket, before its arguments
    /// are looked at.
    ///
    /// # Errors
    /// `InvalidBucketName`, `NoSuchBucket`, `AccessDenied`.
    pub(crate) async fn enter(&self, cx: &Request, name: &str, access: Access) -> Result<Arc<Bucket>, Error> {
        let _ = (cx, name, access, BucketName::parse);
        todo!()
    }
}
