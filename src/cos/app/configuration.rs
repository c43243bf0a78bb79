//! The resource configuration of a bucket, and how much it holds.

use std::sync::Arc;

use crate::cos::app::CosApp;
use crate::cos::app::audit;
use crate::cos::app::error::Error;
use crate::cos::app::request::Request;
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::store::buckets;
pub(crate) use crate::cos::store::buckets::Usage;

impl CosApp {
    /// What a bucket holds, exactly and now. Its configuration is `bucket.configuration`, its tag one made of
    /// `bucket.revision`.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn usage(&self, cx: &Request, bucket: &Bucket) -> Result<Usage, Error> {
        let id = bucket.id;
        let totals = self.read(move |tx| Ok(buckets::totals(tx, id)?)).await?;
        self.app.note(audit::of_bucket(cx, bucket, "resource-configuration.read", 200)).await;
        Ok(totals)
    }

    /// Changes a bucket's configuration, JSON text of an object. `only_at`: its revision, where that counts.
    ///
    /// # Errors
    /// `PreconditionFailed` at another revision; what the change refuses.
    pub(crate) async fn configure_bucket<F>(
        &self,
        cx: &Request,
        bucket: &Bucket,
        only_at: Option<i64>,
        change: F,
    ) -> Result<(), Error>
    where
        F: FnOnce(&str) -> Result<String, Refusal> + Send + 'static,
    {
        let id = bucket.id;
        let (app, cx) = (Arc::clone(&self.app), cx.clone());
        self.write(move |tx| {
            let mut bucket = buckets::get(tx, id)?.ok_or(Code::NoSuchBucket)?;
            if only_at.is_some_and(|revision| revision != bucket.revision) {
                return Err(Code::PreconditionFailed.into());
            }
            bucket.configuration = change(&bucket.configuration)?;
            bucket.revision += 1;
            bucket.updated_at = cx.now.whole_seconds();
            buckets::update(tx, &bucket)?;
            Ok(app.record(tx, audit::of_bucket(&cx, &bucket, "resource-configuration.update", 204))?)
        })
        .await
    }
}
