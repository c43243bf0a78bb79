//! What the gateway remembers of root keys, and the data keys that they opened: in memory alone, and wiped in time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::cos::domain::id::BucketId;
use crate::cos::domain::key_info::{KeyInfo, Verdict};
use crate::cos::key_protect::DataKey;
use crate::domain::time::Timestamp;

/// One entry a bucket.
#[derive(Default)]
pub(crate) struct KeyMemory(Mutex<HashMap<BucketId, Entry>>);

/// What is remembered of a bucket's key.
#[derive(Clone, Default)]
pub(crate) struct Entry {
    /// Counts the events: an answer that was asked for before one of them is out of date.
    pub(crate) epoch: u64,
    pub(crate) info: Option<KeyInfo>,
    /// In clear, as long as the verdict allows any use.
    pub(crate) data_key: Option<Arc<DataKey>>,
}

impl KeyMemory {
    /// What is remembered now.
    pub(crate) fn look(&self, bucket: BucketId) -> Entry {
        self.lock().get(&bucket).cloned().unwrap_or_default()
    }

    /// Takes an answer, unless an event has come since it was asked for.
    pub(crate) fn answer(
        &self,
        bucket: BucketId,
        epoch: u64,
        info: Option<KeyInfo>,
        key: Option<Arc<DataKey>>,
    ) -> bool {
        let mut entries = self.lock();
        let entry = entries.entry(bucket).or_default();
        let timely = entry.epoch == epoch;
        if timely {
            *entry = Entry { epoch, info, data_key: key };
        }
        timely
    }

    /// Takes an event: `next` makes of what was remembered what is remembered from now on.
    pub(crate) fn event(&self, bucket: BucketId, next: impl FnOnce(Option<KeyInfo>) -> Option<KeyInfo>) {
        let mut entries = self.lock();
        let entry = entries.entry(bucket).or_default();
        entry.epoch += 1;
        entry.info = next(entry.info);
        let usable = entry.info.is_some_and(|info| !matches!(info.verdict, Verdict::NotUsable(_)));
        if !usable {
            entry.data_key = None;
        }
    }

    /// True while the last word on a bucket's key is that it cannot be used.
    pub(crate) fn is_shut(&self, bucket: BucketId) -> bool {
        let entries = self.lock();
        let info = entries.get(&bucket).and_then(|entry| entry.info);
        info.is_some_and(|info| matches!(info.verdict, Verdict::NotUsable(_)))
    }

    /// Forgets a bucket that is gone.
    pub(crate) fn forget(&self, bucket: BucketId) {
        self.lock().remove(&bucket);
    }

    /// Wipes data keys whose entry is no longer to be trusted.
    pub(crate) fn wipe_stale(&self, ttl: Duration, now: Timestamp) {
        for entry in self.lock().values_mut() {
            if entry.info.is_some_and(|info| !info.is_fresh(ttl, now)) {
                entry.data_key = None;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<BucketId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cos::domain::key_info::Why;

    fn info(verdict: Verdict) -> KeyInfo {
        KeyInfo { verdict, fetched_at: Timestamp::from_millis(0) }
    }

    fn data_key() -> Arc<DataKey> {
        Arc::new(DataKey::new([1; 32]))
    }

    #[test]
    fn an_answer_from_before_an_event_is_not_taken() {
        let (memory, bucket) = (KeyMemory::default(), BucketId::from_random([1; 16]));
        let before = memory.look(bucket);
        memory.event(bucket, |_| Some(info(Verdict::NotUsable(Why::Suspended))));
        assert!(!memory.answer(bucket, before.epoch, Some(info(Verdict::Usable)), Some(data_key())));
        assert!(memory.look(bucket).data_key.is_none());
        let after = memory.look(bucket);
        assert!(memory.answer(bucket, after.epoch, Some(info(Verdict::Usable)), Some(data_key())));
        assert!(memory.look(bucket).data_key.is_some());
    }

    #[test]
    fn a_data_key_goes_with_the_verdict_and_with_time() {
        let (memory, bucket) = (KeyMemory::default(), BucketId::from_random([1; 16]));
        memory.answer(bucket, 0, Some(info(Verdict::Usable)), Some(data_key()));
        memory.wipe_stale(Duration::from_mins(1), Timestamp::from_millis(59_999));
        assert!(memory.look(bucket).data_key.is_some());
        memory.wipe_stale(Duration::from_mins(1), Timestamp::from_millis(60_000));
        assert!(memory.look(bucket).data_key.is_none());
        assert!(memory.look(bucket).info.is_some());
        memory.answer(bucket, 0, Some(info(Verdict::Usable)), Some(data_key()));
        memory.event(bucket, |_| None);
        assert!(memory.look(bucket).data_key.is_none());
    }
}
