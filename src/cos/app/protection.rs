//! Retention: policies of buckets, legal holds and periods of objects.

use std::sync::Arc;

use crate::cos::app::CosApp;
use crate::cos::app::error::Error;
use crate::cos::app::key_state::Need;
use crate::cos::app::request::Request;
use crate::cos::app::{audit, key_state};
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::object::{Object, ObjectKey};
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::domain::retention::{Extension, Protection};
use crate::cos::key_protect::KeyRefusal;
use crate::cos::store::{buckets, objects};

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
        let id = bucket.id;
        let (app, keys, cx) = (Arc::clone(&self.app), Arc::clone(&self.keys), cx.clone());
        self.write(move |tx| {
            let mut bucket = buckets::get(tx, id)?.ok_or(Code::NoSuchBucket)?;
            let wanted = match (bucket.protection, wanted) {
                (None, None) => return Ok(()),
                (Some(_), None) => {
                    let why = "A retention policy cannot be removed from a bucket.";
                    return Err(Refusal::new(Code::InvalidArgument, why).into());
                }
                (Some(present), Some(wanted)) => {
                    present.check_change(&wanted)?;
                    wanted
                }
                (None, Some(wanted)) => {
                    wanted.check()?;
                    if buckets::totals(tx, id)?.objects > 0 {
                        let why = "A retention policy can be set on an empty bucket only.";
                        return Err(Refusal::new(Code::InvalidBucketState, why).into());
                    }
                    if let Some(key) = bucket.key().filter(|key| key.registered) {
                        let call = key_state::key_call(&bucket, key, cx.now, &cx.id);
                        keys.prevent_deletion(tx, &call).map_err(refuse)?;
                    }
                    wanted
                }
            };
            bucket.protection = Some(wanted);
            bucket.updated_at = cx.now.whole_seconds();
            buckets::update(tx, &bucket)?;
            Ok(app.record(tx, audit::of_bucket(&cx, &bucket, "bucket-retention.create", 200))?)
        })
        .await
    }

    /// Notes that a bucket's retention policy was read: it is `bucket.protection`.
    pub(crate) async fn note_protection_read(&self, cx: &Request, bucket: &Bucket) {
        self.app.note(audit::of_bucket(cx, bucket, "bucket-retention.read", 200)).await;
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
        let now = cx.now;
        self.change_retention(cx, bucket, key, move |object, _| {
            let retention = object.retention.as_mut().ok_or_else(not_retained)?;
            match change {
                HoldChange::Add(id) => retention.add_hold(&id, now),
                HoldChange::Remove(id) => retention.remove_hold(&id),
            }
        })
        .await
    }

    /// An object with its retention and legal holds.
    ///
    /// # Errors
    /// `NoSuchKey`, also for an object without retention.
    pub(crate) async fn get_holds(&self, cx: &Request, bucket: &Bucket, key: &ObjectKey) -> Result<Object, Error> {
        self.data_key(cx, bucket, Need::Read).await?;
        let (object, _) = self.find(bucket, key).await?;
        if object.retention.is_none() {
            return Err(Refusal::new(Code::NoSuchKey, "The object is not under retention.").into());
        }
        self.app.note(audit::of_object(cx, bucket, key, "object-retention-legal-hold.list", 200)).await;
        Ok(object)
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
        let now = cx.now;
        self.change_retention(cx, bucket, key, move |object, protection| {
            let uploaded_at = object.modified_at;
            let retention = object.retention.as_mut().ok_or_else(not_retained)?;
            retention.extend(extension, uploaded_at, protection, now)
        })
        .await
    }

    async fn change_retention<F>(&self, cx: &Request, bucket: &Bucket, key: &ObjectKey, change: F) -> Result<(), Error>
    where
        F: FnOnce(&mut Object, &Protection) -> Result<(), Refusal> + Send + 'static,
    {
        self.data_key(cx, bucket, Need::Write).await?;
        let (id, key) = (bucket.id, key.clone());
        let (app, cx) = (Arc::clone(&self.app), cx.clone());
        self.write(move |tx| {
            let bucket = buckets::get(tx, id)?.ok_or(Code::NoSuchBucket)?;
            let mut object = objects::get(tx, id, &key)?.ok_or(Code::NoSuchKey)?;
            let protection = bucket.protection.as_ref().ok_or_else(not_retained)?;
            change(&mut object, protection)?;
            objects::update(tx, &object)?;
            Ok(app.record(tx, audit::of_object(&cx, &bucket, &key, "object-retention-legal-hold.update", 200))?)
        })
        .await
    }
}

fn not_retained() -> Refusal {
    Refusal::new(Code::InvalidRequest, "The object is not under retention.")
}

/// Source: `docs/contract/cos.md` 8.3: a registration can be changed only while its key is active.
fn refuse(refusal: KeyRefusal) -> Error {
    let why = "The first retention policy of this bucket needs its root key to be active and within reach.";
    Error::of_key(refusal, Refusal::new(Code::InvalidBucketState, why))
}
