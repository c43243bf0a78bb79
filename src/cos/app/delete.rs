//! Deletion of objects: works in any state of the root key.

use std::sync::Arc;

use crate::cos::app::CosApp;
use crate::cos::app::error::Error;
use crate::cos::app::request::Request;
use crate::cos::app::{audit, write};
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::conditions::Conditions;
use crate::cos::domain::id::{BlobId, BucketId};
use crate::cos::domain::object::ObjectKey;
use crate::cos::domain::refusal::Refusal;
use crate::cos::store::objects;
use crate::domain::time::Timestamp;
use crate::store::tx::Tx;

/// What became of each key.
pub(crate) type Deleted = Vec<(ObjectKey, Result<(), Refusal>)>;

impl CosApp {
    /// Deletes an object; one that is not there is no fault.
    ///
    /// # Errors
    /// `PreconditionFailed`; `AccessDenied` under retention.
    pub(crate) async fn delete_object(
        &self,
        cx: &Request,
        bucket: &Bucket,
        key: &ObjectKey,
        conditions: &Conditions,
    ) -> Result<(), Error> {
        let (app, cx, bucket, key) = (Arc::clone(&self.app), cx.clone(), bucket.clone(), key.clone());
        let conditions = conditions.clone();
        let unneeded = self
            .write(move |tx| {
                let unneeded = delete(tx, bucket.id, &key, &conditions, cx.now)?;
                app.record(tx, audit::of_object(&cx, &bucket, &key, "object.delete", 204))?;
                Ok(unneeded)
            })
            .await?;
        self.files.remove(unneeded);
        Ok(())
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
    ) -> Result<Deleted, Error> {
        let (app, cx, bucket) = (Arc::clone(&self.app), cx.clone(), bucket.clone());
        let (deleted, unneeded) = self
            .write(move |tx| {
                let (mut deleted, mut unneeded) = (Vec::with_capacity(keys.len()), Vec::new());
                for key in keys {
                    let result = match delete(tx, bucket.id, &key, &Conditions::default(), cx.now) {
                        Ok(blobs) => {
                            unneeded.extend(blobs);
                            app.record(tx, audit::of_object(&cx, &bucket, &key, "object-batch.delete", 204))?;
                            Ok(())
                        }
                        Err(Error::Refused(refusal)) => Err(refusal),
                        Err(fault) => return Err(fault),
                    };
                    deleted.push((key, result));
                }
                app.record(tx, audit::of_bucket(&cx, &bucket, "objects.delete", 200))?;
                Ok((deleted, unneeded))
            })
            .await?;
        self.files.remove(unneeded);
        Ok(deleted)
    }
}

fn delete(
    tx: &Tx<'_>,
    bucket: BucketId,
    key: &ObjectKey,
    conditions: &Conditions,
    now: Timestamp,
) -> Result<Vec<BlobId>, Error> {
    let Some(object) = objects::get(tx, bucket, key)? else { return Ok(Vec::new()) };
    write::may_go(&object, conditions, now)?;
    write::remove(tx, bucket, &object)
}
