//! Buckets of storage instances that are gone: they go too, with all that is in them and their registrations (ASSUMED).

use std::sync::Arc;

use tracing::{error, info};

use crate::cos::app::CosApp;
use crate::cos::app::error::Error;
use crate::cos::app::key_state::key_call;
use crate::cos::app::write;
use crate::cos::domain::bucket::Bucket;
use crate::cos::key_protect::KeyRefusal;
use crate::cos::store::blobs::{self, Owner};
use crate::cos::store::objects::{self, Go};
use crate::cos::store::{buckets, uploads};
use crate::domain::id::InstanceId;
use crate::domain::instance::{Presence, Service};
use crate::domain::time::Timestamp;

/// Correlation id of what is done for nobody.
const REAPING: &str = "reaping-of-buckets";

impl CosApp {
    /// Removes buckets of instances that are gone. A fault is logged, and tried again at the next beat.
    pub(crate) async fn reap(&self, now: Timestamp) {
        let gone: Vec<InstanceId> = self
            .app
            .memory
            .instances
            .all()
            .into_iter()
            .filter_map(|instance| {
                let removed = matches!(instance.presence, Presence::Removed { .. });
                (removed && instance.service == Service::ObjectStorage).then_some(instance.id)
            })
            .collect();
        for instance in gone {
            if let Err(fault) = self.reap_instance(instance, now).await
                && fault.is_fault()
            {
                error!(%fault, %instance, "buckets of a deleted instance stay for now");
            }
        }
    }

    async fn reap_instance(&self, instance: InstanceId, now: Timestamp) -> Result<(), Error> {
        let left = self.read(move |tx| Ok(buckets::of_instance(tx, instance)?)).await?;
        for bucket in left {
            info!(bucket = bucket.name.as_str(), "goes with its instance");
            self.remove_with_contents(bucket, now).await?;
        }
        Ok(())
    }

    async fn remove_with_contents(&self, bucket: Bucket, now: Timestamp) -> Result<(), Error> {
        let id = bucket.id;
        let keys = Arc::clone(&self.keys);
        let unneeded = self
            .write(move |tx| {
                let mut all = Vec::new();
                objects::walk(tx, id, String::new(), |object| {
                    all.push(object);
                    Go::On
                })?;
                let mut unneeded = Vec::new();
                for object in &all {
                    unneeded.extend(write::remove(tx, id, object)?);
                }
                for upload in uploads::all_of(tx, id)? {
                    unneeded.extend(blobs::remove(tx, Owner::Upload(upload))?);
                    uploads::remove(tx, upload)?;
                }
                if let Some(key) = bucket.key().filter(|key| key.registered)
                    && let Err(KeyRefusal::Store(fault)) = keys.deregister(tx, &key_call(&bucket, key, now, REAPING))
                {
                    return Err(fault.into());
                }
                buckets::remove(tx, id)?;
                Ok(unneeded)
            })
            .await?;
        self.memory.forget(id);
        self.files.remove(unneeded);
        Ok(())
    }
}
