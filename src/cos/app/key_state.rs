//! The root key of a data operation: what is remembered of it, or Key Protect's answer.

use std::sync::Arc;
use std::time::Duration;

use crate::cos::app::CosApp;
use crate::cos::app::error::Error;
use crate::cos::app::request::Request;
use crate::cos::domain::bucket::{Bucket, BucketKey, Encryption};
use crate::cos::domain::key_info::{self, Answer, KeyState, Known, Step, Unavailable, Verdict, Why};
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::key_protect::{DataKey, KeyCall, KeyRefusal, UnwrappedKey, WrappedKey};
use crate::cos::store::buckets::{self, StoredKey};
use crate::domain::time::Timestamp;

/// How often an operation asks again because an event came meanwhile.
const ASKS_MAX: usize = 8;

/// What a data key is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Read,
    Write,
}

/// What was found out by asking.
struct Asked {
    known: Known,
    data_key: Option<Arc<DataKey>>,
}

impl CosApp {
    /// The bucket's data key, for an operation that needs it.
    ///
    /// # Errors
    /// The refusal that settings name, `AccessDenied` by default, when the root key cannot be used.
    pub(super) async fn data_key(&self, cx: &Request, bucket: &Bucket, need: Need) -> Result<Arc<DataKey>, Error> {
        let key = match &bucket.encryption {
            Encryption::Provider => return self.provider_key(bucket).await,
            Encryption::KeyProtect(key) => key,
        };
        for _ in 0..ASKS_MAX {
            let seen = self.memory.look(bucket.id);
            let known = Known { state: key.state, info: seen.info };
            match (key_info::on_operation(&known, self.key_info_ttl(), cx.now), seen.data_key) {
                (Step::Act(Verdict::NotUsable(why)), _) => return Err(self.refuse(&known, why)),
                (Step::Act(verdict), Some(data_key)) => return self.admit(verdict, need, data_key),
                (Step::Act(_) | Step::Ask, _) => {}
            }
            let Some(asked) = self.ask(cx.now, &cx.id, bucket).await? else { continue };
            if !self.memory.answer(bucket.id, seen.epoch, asked.known.info, asked.data_key.clone()) {
                continue;
            }
            let verdict = asked.known.info.map_or(Verdict::NotUsable(Why::Deleted), |info| info.verdict);
            return match (verdict, asked.data_key) {
                (Verdict::NotUsable(why), _) => Err(self.refuse(&asked.known, why)),
                (verdict, Some(data_key)) => self.admit(verdict, need, data_key),
                (_, None) => Err(self.refuse(&asked.known, Why::Unreachable)),
            };
        }
        Err(Code::ServiceUnavailable.into())
    }

    fn admit(&self, verdict: Verdict, need: Need, data_key: Arc<DataKey>) -> Result<Arc<DataKey>, Error> {
        if verdict == Verdict::ReadsOnly && need == Need::Write {
            return Err(key_info::refusal_of_write(&self.unavailable()).into());
        }
        Ok(data_key)
    }

    /// The last look at the root key, to be taken where a change is written.
    pub(super) fn shut(&self) -> Shut {
        Shut { ttl: self.key_info_ttl(), form: self.unavailable() }
    }

    fn refuse(&self, known: &Known, why: Why) -> Error {
        key_info::refusal(known, why, self.key_info_ttl(), &self.unavailable()).into()
    }

    /// The data key of a bucket without root key.
    async fn provider_key(&self, bucket: &Bucket) -> Result<Arc<DataKey>, Error> {
        if let Some(known) = self.memory.look(bucket.id).data_key {
            return Ok(known);
        }
        let id = bucket.id;
        let stored = self.read(move |tx| Ok(buckets::data_key(tx, id)?)).await?.ok_or(Code::NoSuchBucket)?;
        let StoredKey::Sealed(row) = stored else {
            return Err(Error::Damaged(format!("bucket {id} has no data key of its own")));
        };
        let material = self.app.vault.open(&place(bucket), row)?;
        let mut data_key = DataKey::new([0; 32]);
        if material.bytes().len() != data_key.len() {
            return Err(Error::Damaged(format!("the data key of bucket {id} has another length")));
        }
        data_key.copy_from_slice(material.bytes());
        let data_key = Arc::new(data_key);
        self.memory.answer(id, 0, None, Some(Arc::clone(&data_key)));
        Ok(data_key)
    }

    /// Asks Key Protect, and keeps what its answer changes. `None` when an event has come meanwhile: what it said may be out
    /// of date.
    async fn ask(&self, now: Timestamp, correlation: &str, bucket: &Bucket) -> Result<Option<Asked>, Error> {
        let id = bucket.id;
        let (bucket, stored) = self
            .read(move |tx| {
                let bucket = buckets::get(tx, id)?.ok_or(Code::NoSuchBucket)?;
                Ok((bucket, buckets::data_key(tx, id)?))
            })
            .await?;
        let Some(key) = bucket.key().cloned() else { return Err(Code::NoSuchBucket.into()) };
        let before = Known { state: key.state, info: None };
        let Some(StoredKey::Wrapped(wrapped)) = stored else {
            return Ok(Some(Asked { known: Known { state: KeyState::Lost, info: None }, data_key: None }));
        };
        let call = key_call(&bucket, &key, now, correlation);
        let (answer, opened) = match self.keys.unwrap(&call, &wrapped).await {
            Ok(opened) if opened.expired => (Answer::Deactivated, Some(opened)),
            Ok(opened) => (Answer::Active, Some(opened)),
            Err(refusal) => match answer_of(refusal)? {
                Some(answer) => (answer, None),
                None => return Err(self.refuse(&before, Why::Unreachable)),
            },
        };
        let after = key_info::on_answer(&before, answer, now);
        let (data_key, renewed) = match opened {
            Some(UnwrappedKey { data_key, expired, renewed }) => (Some(data_key), renewed.filter(|_| !expired)),
            None => (None, None),
        };
        if (after.state != key.state || renewed.is_some())
            && !self.keep_answer(key, call, after, wrapped, renewed, bucket).await?
        {
            return Ok(None);
        }
        Ok(Some(Asked { known: after, data_key: data_key.map(Arc::new) }))
    }

    /// Writes what an answer has changed; false when an event came first.
    async fn keep_answer(
        &self,
        asked_of: BucketKey,
        call: KeyCall,
        after: Known,
        wrapped: String,
        renewed: Option<WrappedKey>,
        bucket: Bucket,
    ) -> Result<bool, Error> {
        let keys = Arc::clone(&self.keys);
        self.write(move |tx| {
            let mut bucket = buckets::get(tx, bucket.id)?.ok_or(Code::NoSuchBucket)?;
            let id = bucket.id;
            let Encryption::KeyProtect(key) = &mut bucket.encryption else { return Ok(false) };
            if key.event_at != asked_of.event_at {
                return Ok(false);
            }
            key.state = after.state;
            if after.state == KeyState::Lost {
                buckets::destroy_wrapped(tx, id)?;
            }
            let untouched = matches!(buckets::data_key(tx, id)?, Some(StoredKey::Wrapped(now)) if now == wrapped);
            if let Some(renewed) = renewed.filter(|_| untouched) {
                let noted = if key.registered { keys.note_version(tx, &call, renewed.version) } else { Ok(()) };
                match noted {
                    Ok(()) => {
                        key.version = renewed.version;
                        buckets::set_wrapped(tx, id, &renewed.ciphertext)?;
                    }
                    Err(KeyRefusal::Store(fault)) => return Err(fault.into()),
                    // The key has changed meanwhile; the old wrapped key goes on to serve.
                    Err(_) => {}
                }
            }
            buckets::update(tx, &bucket)?;
            Ok(true)
        })
        .await
    }
}

/// Refuses what was begun while the root key could be used and comes to its end when it cannot be any more.
pub(super) struct Shut {
    ttl: Duration,
    form: Unavailable,
}

impl Shut {
    /// Looks at the bucket as it is in this transaction.
    ///
    /// # Errors
    /// The refusal that settings name, `AccessDenied` by default.
    pub(super) fn check(&self, bucket: &Bucket) -> Result<(), Refusal> {
        let Some(key) = bucket.key() else { return Ok(()) };
        let why = match key.state {
            KeyState::Active => return Ok(()),
            KeyState::Suspended => Why::Suspended,
            KeyState::Erased | KeyState::Lost => Why::Deleted,
        };
        Err(key_info::refusal(&Known { state: key.state, info: None }, why, self.ttl, &self.form))
    }
}

/// What a refusal tells of the key; `None` for a fault that may pass.
fn answer_of(refusal: KeyRefusal) -> Result<Option<Answer>, Error> {
    Ok(Some(match refusal {
        KeyRefusal::Gone => Answer::Gone,
        KeyRefusal::Deleted => Answer::Deleted,
        KeyRefusal::Suspended | KeyRefusal::NotUsable => Answer::Suspended,
        KeyRefusal::Unauthorized => Answer::Refused,
        KeyRefusal::OtherMaterial => Answer::OtherMaterial,
        KeyRefusal::Fault => return Ok(None),
        KeyRefusal::Store(fault) => return Err(fault.into()),
    }))
}

/// What the gateway asks Key Protect with, about a bucket's key.
pub(super) fn key_call(bucket: &Bucket, key: &BucketKey, now: Timestamp, correlation: &str) -> KeyCall {
    KeyCall {
        now,
        service: bucket.instance_crn(),
        key: key.crn.clone(),
        correlation: correlation.to_owned(),
        resource: bucket.crn(),
    }
}

/// Where the data key of a bucket without root key is sealed for.
pub(super) fn place(bucket: &Bucket) -> String {
    format!("bucket {}", bucket.id)
}
