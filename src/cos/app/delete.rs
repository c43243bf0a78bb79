//! Deletion of objects: works in any state of the root key.

use crate::cos::app::CosApp;
use crate::cos::app::error::Error;
use crate::cos::app::request::Request;
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::object::ObjectKey;
use crate::cos::domain::refusal::Refusal;

impl CosApp {
    /// Deletes an object; one that is not there is no fault.
    ///
    /// # Errors
    /// `AccessDenied` under retention.
    pub(crate) async fn delete_object(&self, cx: &Request, bucket: &Bucket, key: &ObjectKey) -> Result<(), Error> {
        let _ = (cx, bucket, key);
        todo!()
    }

    /// Deletes several objects; tells of each what refused it.
    ///
    /// # Errors
    /// Faults alone.
    pub(crate) async fn delete_objects(
        &self,
        cx: &Request,
        bucket: &Bucket,
        keys: Vec<ObjectKey>,
    ) -> Result<Vec<(ObjectKey, Result<(), Refusal>)>, Error> {
        let _ = (cx, bucket, keys);
        todo!()
    }
}
