//! Tags of objects, read and changed without the object's bytes.

use crate::cos::app::CosApp;
use crate::cos::app::error::Error;
use crate::cos::app::request::Request;
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::object::ObjectKey;
use crate::cos::domain::tags::Tag;

impl CosApp {
    /// An object's tags.
    ///
    /// # Errors
    /// `NoSuchKey`, `AccessDenied`.
    pub(crate) async fn get_tags(&self, cx: &Request, bucket: &Bucket, key: &ObjectKey) -> Result<Vec<Tag>, Error> {
        let _ = (cx, bucket, key);
        todo!()
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
        let _ = (cx, bucket, key, tags);
        todo!()
    }
}
