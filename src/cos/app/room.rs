//! How much may be stored: quotas of buckets, and a ceiling for the whole service.

use crate::cos::app::CosApp;
use crate::cos::app::error::Error;
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::object::{ObjectKey, PUT_BYTES_MAX};
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::store::{buckets, objects};
use crate::store::tx::Tx;

/// How much more may be stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Bytes below the ceiling of the whole service.
    storage: u64,
    /// Bytes below the bucket's hard quota.
    quota: u64,
}

impl Room {
    /// The room for an object of that key: the one that it would replace does not count. `most`: the setting
    /// `cosStorageBytesMax`.
    ///
    /// # Errors
    /// The store's.
    pub(super) fn of(tx: &Tx<'_>, bucket: &Bucket, key: &ObjectKey, most: u64) -> Result<Self, Error> {
        let quota = hard_quota(&bucket.configuration);
        if most == 0 && quota.is_none() {
            return Ok(Self { storage: u64::MAX, quota: u64::MAX });
        }
        let replaced = objects::get(tx, bucket.id, key)?.map_or(0, |object| object.size);
        let left = |most: u64, used: u64| most.saturating_sub(used.saturating_sub(replaced));
        Ok(Self {
            storage: if most > 0 { left(most, buckets::bytes_stored(tx)?) } else { u64::MAX },
            quota: match quota {
                Some(quota) => left(quota, buckets::totals(tx, bucket.id)?.bytes),
                None => u64::MAX,
            },
        })
    }

    /// Refuses an upload that does not fit.
    ///
    /// # Errors
    /// `EntityTooLarge`, `ServiceUnavailable`.
    pub(super) fn admit(self, size: u64) -> Result<(), Refusal> {
        if size > PUT_BYTES_MAX { Err(Code::EntityTooLarge.into()) } else { self.admit_parts(size) }
    }

    /// Refuses an object of several parts that does not fit.
    ///
    /// # Errors
    /// `EntityTooLarge`, `ServiceUnavailable`.
    pub(super) fn admit_parts(self, size: u64) -> Result<(), Refusal> {
        if size > self.quota {
            let why = "The upload would exceed the hard quota of the bucket.";
            return Err(Refusal::new(Code::EntityTooLarge, why));
        }
        if size > self.storage {
            let why = "The storage is full: delete objects, or raise cosStorageBytesMax.";
            return Err(Refusal::new(Code::ServiceUnavailable, why));
        }
        Ok(())
    }
}

impl CosApp {
    /// How much may still be stored under a key.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn room(&self, bucket: &Bucket, key: &ObjectKey) -> Result<Room, Error> {
        let most = self.app.settings().cos_storage_bytes_max;
        let (bucket, key) = (bucket.clone(), key.clone());
        self.read(move |tx| Room::of(tx, &bucket, &key, most)).await
    }
}

fn hard_quota(configuration: &str) -> Option<u64> {
    let configuration: serde_json::Value = serde_json::from_str(configuration).ok()?;
    configuration.get("hard_quota")?.as_u64().filter(|quota| *quota > 0)
}
