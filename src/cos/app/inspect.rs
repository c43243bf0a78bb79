//! What `/mock/buckets` shows beyond IBM's API, and ageing a bucket.

use std::sync::Arc;

use crate::cos::app::CosApp;
use crate::cos::app::configuration::Usage;
use crate::cos::app::error::Error;
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::key_info::KeyInfo;
use crate::domain::time::Timestamp;

/// A bucket with what the gateway remembers of its key.
#[derive(Clone, Debug)]
pub(crate) struct Inspected {
    pub(crate) bucket: Arc<Bucket>,
    pub(crate) usage: Usage,
    /// With the time from which on Key Protect is asked anew.
    pub(crate) key_info: Option<(KeyInfo, Timestamp)>,
}

impl CosApp {
    /// All buckets in order of creation, `limit` at most, and how many there are.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn inspect_all(&self, limit: usize, now: Timestamp) -> Result<(Vec<Inspected>, usize), Error> {
        let _ = (limit, now);
        todo!()
    }

    /// One bucket. A look at an erased one finds out whether its key was purged.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub(crate) async fn inspect(&self, name: &str, now: Timestamp) -> Result<Inspected, Error> {
        let _ = (name, now);
        todo!()
    }

    /// Gives a bucket another date of creation. One before 2020-02-26 takes its registration away for good.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub(crate) async fn age_bucket(
        &self,
        name: &str,
        created_at: Timestamp,
        now: Timestamp,
    ) -> Result<Inspected, Error> {
        let _ = (name, created_at, now);
        todo!()
    }
}
