//! What `/mock/buckets` shows beyond IBM's API, and ageing a bucket.

use std::sync::Arc;

use crate::cos::app::CosApp;
use crate::cos::app::configuration::Usage;
use crate::cos::app::error::Error;
use crate::cos::app::key_state::key_call;
use crate::cos::domain::bucket::{Bucket, BucketName, Encryption, registered_since};
use crate::cos::domain::key_info::{KeyInfo, KeyState};
use crate::cos::domain::refusal::Code;
use crate::cos::key_protect::KeyRefusal;
use crate::cos::store::buckets;
use crate::domain::time::Timestamp;

/// Correlation id of what ageing a bucket does.
const AGEING: &str = "mock-bucket-ageing";

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
    pub(crate) async fn inspect_all(&self, limit: usize) -> Result<(Vec<Inspected>, usize), Error> {
        let (found, total) = self.read(move |tx| Ok(buckets::all(tx, limit)?)).await?;
        let mut all = Vec::with_capacity(found.len());
        for (bucket, usage) in found {
            all.push(self.look_at(bucket, usage).await?);
        }
        Ok((all, total))
    }

    /// One bucket. A look at an erased one finds out whether its key was purged.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub(crate) async fn inspect(&self, name: &str) -> Result<Inspected, Error> {
        let name = BucketName::parse(name).ok_or(Code::NoSuchBucket)?;
        let (bucket, usage) = self
            .read(move |tx| {
                let bucket = buckets::by_name(tx, &name)?.ok_or(Code::NoSuchBucket)?;
                let usage = buckets::totals(tx, bucket.id)?;
                Ok((bucket, usage))
            })
            .await?;
        self.look_at(bucket, usage).await
    }

    async fn look_at(&self, mut bucket: Bucket, usage: Usage) -> Result<Inspected, Error> {
        let id = bucket.id;
        if let Some(key) = bucket.key().filter(|key| key.state == KeyState::Erased)
            && !self.keys.exists(&key.crn).await.map_err(fault)?
        {
            bucket = self
                .write(move |tx| {
                    let mut bucket = buckets::get(tx, id)?.ok_or(Code::NoSuchBucket)?;
                    if let Encryption::KeyProtect(key) = &mut bucket.encryption {
                        key.state = KeyState::Lost;
                        buckets::destroy_wrapped(tx, id)?;
                        buckets::update(tx, &bucket)?;
                    }
                    Ok(bucket)
                })
                .await?;
        }
        let info = if bucket.key().is_some() { self.memory.look(id).info } else { None };
        let ttl = self.key_info_ttl();
        let key_info = info.map(|info| (info, info.next_check(ttl)));
        Ok(Inspected { bucket: Arc::new(bucket), usage, key_info })
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
        let name = BucketName::parse(name).ok_or(Code::NoSuchBucket)?;
        let keys = Arc::clone(&self.keys);
        let (id, forgets) = self
            .write({
                let name = name.clone();
                move |tx| {
                    let mut bucket = buckets::by_name(tx, &name)?.ok_or(Code::NoSuchBucket)?;
                    bucket.created_at = created_at.whole_seconds();
                    bucket.updated_at = now.whole_seconds();
                    let old = created_at < registered_since();
                    if old && let Some(key) = bucket.key().filter(|key| key.registered) {
                        keys.deregister(tx, &key_call(&bucket, key, now, AGEING)).map_err(fault)?;
                    }
                    if old && let Encryption::KeyProtect(key) = &mut bucket.encryption {
                        key.registered = false;
                    }
                    buckets::update(tx, &bucket)?;
                    Ok((bucket.id, old))
                }
            })
            .await?;
        if forgets {
            self.memory.event(id, |_| None);
        }
        self.inspect(name.as_str()).await
    }
}

fn fault(refusal: KeyRefusal) -> Error {
    match refusal {
        KeyRefusal::Store(fault) => Error::Store(fault),
        KeyRefusal::Fault
        | KeyRefusal::Gone
        | KeyRefusal::Deleted
        | KeyRefusal::Suspended
        | KeyRefusal::NotUsable
        | KeyRefusal::Unauthorized
        | KeyRefusal::OtherMaterial => Error::KeyProtect,
    }
}
