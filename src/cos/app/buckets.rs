//! Buckets: made with their registration in one unit, listed, deleted.

use std::sync::Arc;
use std::time::Duration;

use crate::app::builtin;
use crate::cos::app::CosApp;
use crate::cos::app::error::Error;
use crate::cos::app::request::{Access, Request};
use crate::cos::app::{audit, key_state};
use crate::cos::domain::bucket::{Bucket, BucketKey, BucketName, Encryption};
use crate::cos::domain::key_crn::{self, KeyCrn};
use crate::cos::domain::key_info::KeyState;
use crate::cos::domain::location::Location;
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::key_protect::{DataKey, KeyCall, KeyRefusal};
use crate::cos::store::blobs::{self, Owner};
use crate::cos::store::buckets::{self, StoredKey};
use crate::cos::store::uploads;
use crate::domain::id::VersionId;
use crate::domain::instance::Instance;

/// How long the name of a deleted bucket stays taken, where settings say so. Source: docs, buckets.
const NAME_RESERVED: Duration = Duration::from_mins(5);

/// A bucket as its maker wants it; all texts as they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewBucket {
    /// `LocationConstraint`; none or an empty one means the gateway's default.
    pub(crate) location: Option<String>,
    /// `ibm-sse-kp-encryption-algorithm`
    pub(crate) algorithm: Option<String>,
    /// `ibm-sse-kp-customer-root-key-crn`
    pub(crate) root_key_crn: Option<String>,
}

/// Which buckets of an instance are listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct BucketsWanted {
    pub(crate) prefix: Option<String>,
    /// Names after this one.
    pub(crate) marker: Option<String>,
    /// `None`: all of them, as `GET /` without `extended` does.
    pub(crate) max: Option<usize>,
}

/// Buckets by name.
#[derive(Debug)]
pub(crate) struct BucketPage {
    /// The account: `Owner/ID` and `Owner/DisplayName`.
    pub(crate) owner: String,
    pub(crate) buckets: Vec<Arc<Bucket>>,
    pub(crate) truncated: bool,
}

impl NewBucket {
    /// Source: `docs/contract/cos.md` 4.1.
    fn location(&self) -> Result<Location, Refusal> {
        let named = self.location.as_deref().filter(|code| !code.is_empty());
        let location = named.map_or_else(|| Location::default_of(builtin::REGION), Location::parse);
        location.ok_or_else(|| {
            let code = named.unwrap_or_default();
            Refusal::new(
                Code::InvalidLocationConstraint,
                format!("The location constraint {code:?} is not valid: a code such as us-south-standard is needed."),
            )
        })
    }

    /// Source: `docs/contract/cos.md` 6.1: both headers, or the CRN alone.
    fn root_key(&self) -> Result<Option<KeyCrn>, Refusal> {
        let invalid = |why| Err(Refusal::new(Code::InvalidArgument, why));
        match (self.algorithm.as_deref(), self.root_key_crn.as_deref()) {
            (None, None) => Ok(None),
            (Some("AES256" | "\"AES256\"") | None, Some(crn)) => KeyCrn::parse(crn).map(Some),
            (Some(_), Some(_)) => invalid("ibm-sse-kp-encryption-algorithm must be AES256."),
            (Some(_), None) => {
                invalid("ibm-sse-kp-encryption-algorithm needs ibm-sse-kp-customer-root-key-crn beside it.")
            }
        }
    }
}

impl CosApp {
    /// Makes a bucket for `cx.instance`, and registers it with its root key in the same unit.
    ///
    /// # Errors
    /// `AccessDenied`, `InvalidBucketName`, `InvalidLocationConstraint`, `InvalidArgument`, `InvalidRequest`,
    /// `BucketAlreadyExists`, `TooManyBuckets`.
    pub(crate) async fn create_bucket(&self, cx: &Request, name: &str, wanted: NewBucket) -> Result<(), Error> {
        let name = BucketName::parse(name).ok_or(Code::InvalidBucketName)?;
        let looked_for = name.clone();
        if self.read(move |tx| Ok(buckets::by_name(tx, &looked_for)?)).await?.is_some() {
            return Err(Code::BucketAlreadyExists.into());
        }
        let instance = self.named_instance(cx, Access::Write)?;
        let location = wanted.location()?;
        let mut bucket = Bucket {
            id: self.new_bucket_id()?,
            name,
            instance: instance.id,
            account: instance.account.clone(),
            location,
            created_at: cx.now.whole_seconds(),
            updated_at: cx.now.whole_seconds(),
            encryption: Encryption::Provider,
            protection: None,
            configuration: "{}".to_owned(),
            revision: 1,
        };
        let mut data_key = DataKey::new([0; 32]);
        self.app.vault.random.fill(data_key.as_mut_slice())?;
        let (stored, call) = match wanted.root_key()? {
            None => (StoredKey::Sealed(self.app.vault.seal(&key_state::place(&bucket), data_key.as_slice())?), None),
            Some(crn) => {
                let (stored, call, key) = self.wrap_new(cx, &instance, &bucket, crn, &data_key).await?;
                let version = key.version;
                bucket.encryption = Encryption::KeyProtect(key);
                (stored, Some((call, version)))
            }
        };
        self.insert_bucket(cx, bucket, stored, call).await
    }

    /// Wraps the data key of a bucket that is to be made.
    async fn wrap_new(
        &self,
        cx: &Request,
        instance: &Instance,
        bucket: &Bucket,
        crn: KeyCrn,
        data_key: &DataKey,
    ) -> Result<(StoredKey, KeyCall, BucketKey), Error> {
        bucket.location.admit_key_of(&crn.region)?;
        if crn.account != instance.account {
            return Err(key_crn::not_found().into());
        }
        let call = KeyCall {
            now: cx.now,
            service: bucket.instance_crn(),
            key: crn.clone(),
            correlation: cx.id.clone(),
            resource: bucket.crn(),
        };
        let wrapped = self.keys.wrap(&call, data_key).await.map_err(refuse_key)?;
        let key =
            BucketKey { crn, state: KeyState::Active, version: wrapped.version, registered: true, event_at: None };
        Ok((StoredKey::Wrapped(wrapped.ciphertext), call, key))
    }

    async fn insert_bucket(
        &self,
        cx: &Request,
        bucket: Bucket,
        stored: StoredKey,
        call: Option<(KeyCall, VersionId)>,
    ) -> Result<(), Error> {
        let settings = self.app.settings();
        let (app, keys, cx) = (Arc::clone(&self.app), Arc::clone(&self.keys), cx.clone());
        self.write(move |tx| {
            let taken = buckets::by_name(tx, &bucket.name)?.is_some()
                || (settings.cos_reserve_deleted_names && buckets::is_reserved(tx, &bucket.name, cx.now)?);
            if taken {
                return Err(Code::BucketAlreadyExists.into());
            }
            let most = settings.cos_buckets_max;
            if most > 0 && buckets::count_of_instance(tx, bucket.instance)? >= most {
                return Err(Code::TooManyBuckets.into());
            }
            buckets::insert(tx, &bucket, &stored)?;
            if let Some((call, version)) = &call {
                keys.register(tx, call, *version).map_err(refuse_key)?;
            }
            Ok(app.record(tx, audit::of_bucket(&cx, &bucket, "bucket.create", 200))?)
        })
        .await
    }

    /// Lists buckets of `cx.instance`.
    ///
    /// # Errors
    /// `InvalidArgument` without an instance; `AccessDenied`.
    pub(crate) async fn list_buckets(&self, cx: &Request, wanted: BucketsWanted) -> Result<BucketPage, Error> {
        let instance = self.named_instance(cx, Access::Read)?;
        let id = instance.id;
        let all = self.read(move |tx| Ok(buckets::of_instance(tx, id)?)).await?;
        self.app.note(audit::of_instance(cx, &instance, "bucket.list", 200)).await;
        let prefix = wanted.prefix.unwrap_or_default();
        let fits = |bucket: &Bucket| {
            bucket.name.as_str().starts_with(&prefix)
                && wanted.marker.as_deref().is_none_or(|marker| bucket.name.as_str() > marker)
        };
        let mut found: Vec<Arc<Bucket>> = all.into_iter().filter(fits).map(Arc::new).collect();
        let most = wanted.max.unwrap_or(usize::MAX);
        let truncated = found.len() > most && most > 0;
        found.truncate(most);
        Ok(BucketPage { owner: instance.account.clone(), buckets: found, truncated })
    }

    /// Deletes an empty bucket, its open uploads and its registration, in any state of its key.
    ///
    /// # Errors
    /// `BucketNotEmpty`.
    pub(crate) async fn delete_bucket(&self, cx: &Request, bucket: &Bucket) -> Result<(), Error> {
        let id = bucket.id;
        let settings = self.app.settings();
        let (app, keys, cx) = (Arc::clone(&self.app), Arc::clone(&self.keys), cx.clone());
        let unneeded = self
            .write(move |tx| {
                let bucket = buckets::get(tx, id)?.ok_or(Code::NoSuchBucket)?;
                if buckets::totals(tx, id)?.objects > 0 {
                    return Err(Code::BucketNotEmpty.into());
                }
                let mut unneeded = Vec::new();
                for upload in uploads::all_of(tx, id)? {
                    unneeded.extend(blobs::remove(tx, Owner::Upload(upload))?);
                    uploads::remove(tx, upload)?;
                }
                if let Some(key) = bucket.key().filter(|key| key.registered) {
                    match keys.deregister(tx, &key_state::key_call(&bucket, key, cx.now, &cx.id)) {
                        Ok(()) => {}
                        Err(KeyRefusal::Store(fault)) => return Err(fault.into()),
                        Err(_) => return Err(Error::KeyProtect),
                    }
                }
                if settings.cos_reserve_deleted_names {
                    buckets::reserve_name(tx, &bucket.name, cx.now.plus(NAME_RESERVED))?;
                }
                buckets::remove(tx, id)?;
                app.record(tx, audit::of_bucket(&cx, &bucket, "bucket.delete", 204))?;
                Ok(unneeded)
            })
            .await?;
        self.memory.forget(id);
        self.files.remove(unneeded);
        Ok(())
    }
}

/// No caller learns whether the key is not there or not for it. Source: `docs/contract/cos.md` 6.4.
fn refuse_key(refusal: KeyRefusal) -> Error {
    Error::of_key(refusal, key_crn::not_found())
}
