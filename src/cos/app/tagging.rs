//! Tags of objects, read and changed without the object's bytes.

use std::sync::Arc;

use crate::cos::app::CosApp;
use crate::cos::app::audit;
use crate::cos::app::error::Error;
use crate::cos::app::key_state::Need;
use crate::cos::app::request::Request;
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::object::ObjectKey;
use crate::cos::domain::refusal::Code;
use crate::cos::domain::tags::{self, Tag};
use crate::cos::store::objects;

impl CosApp {
    /// An object's tags.
    ///
    /// # Errors
    /// `NoSuchKey`, `AccessDenied`.
    pub(crate) async fn get_tags(&self, cx: &Request, bucket: &Bucket, key: &ObjectKey) -> Result<Vec<Tag>, Error> {
        self.data_key(cx, bucket, Need::Read).await?;
        let (object, _) = self.find(bucket, key).await?;
        self.app.note(audit::of_object(cx, bucket, key, "object-tags.read", 200)).await;
        Ok(object.tags)
    }

    /// Replaces an object's tags; none takes them away.
    ///
    /// # Errors
    /// `NoSuchKey`, `AccessDenied`, `InvalidTag`.
    pub(crate) async fn set_tags(
        &self,
        cx: &Request,
        bucket: &Bucket,
        key: &ObjectKey,
        tags: Vec<Tag>,
    ) -> Result<(), Error> {
        tags::check(&tags)?;
        self.data_key(cx, bucket, Need::Write).await?;
        let (app, cx, bucket, key) = (Arc::clone(&self.app), cx.clone(), bucket.clone(), key.clone());
        self.write(move |tx| {
            let mut object = objects::get(tx, bucket.id, &key)?.ok_or(Code::NoSuchKey)?;
            let action = if tags.is_empty() { "object-tags.delete" } else { "object-tags.update" };
            object.tags = tags;
            objects::update(tx, &object)?;
            Ok(app.record(tx, audit::of_object(&cx, &bucket, &key, action, 200))?)
        })
        .await
    }
}
