//! Root keys in use: unsealed, in memory, ready to wrap. A snapshot is never changed; when its key changes it is dropped
//! before the change is acknowledged.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::sync::Cache as Remembered;

use crate::app::App;
use crate::app::error::Error;
use crate::app::metrics::Cache;
use crate::crypto::seal_key::SealKey;
use crate::domain::access::Place;
use crate::domain::alias::KeyRef;
use crate::domain::audit::Record;
use crate::domain::caller::Caller;
use crate::domain::context::Context;
use crate::domain::id::{InstanceId, KeyId, VersionId};
use crate::domain::key::{Key, Kind};
use crate::domain::reason::Reason;
use crate::store::audit::Common;
use crate::store::{key_versions, keys};

/// Keys that are kept ready.
const KEYS_MAX: usize = 10_000;
/// Callers and operations whose common audit words a key remembers.
const COMMONS_MAX: usize = 64;

/// A key with its versions unsealed. Standard keys have none here.
pub(crate) struct KeyInUse {
    pub(crate) key: Key,
    /// Newest first.
    pub(crate) versions: Vec<UsableVersion>,
    commons: Mutex<Vec<KnownCommon>>,
}

/// A version that can seal and open.
pub(crate) struct UsableVersion {
    pub(crate) id: VersionId,
    pub(crate) seal_key: SealKey,
}

struct KnownCommon {
    caller: Arc<Caller>,
    peer: Option<IpAddr>,
    versions: [Option<VersionId>; 2],
    common: Arc<Common>,
}

impl KeyInUse {
    /// The words that audit records of this caller, operation, path and versions have in common; `make` is called the
    /// first time.
    pub(crate) fn common(
        &self,
        cx: &Context,
        versions: [Option<VersionId>; 2],
        make: impl FnOnce() -> Record,
    ) -> Arc<Common> {
        let mut known = self.commons.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |one: &&KnownCommon| {
            Arc::ptr_eq(&one.caller, &cx.caller)
                && one.versions == versions
                && one.common.uri() == cx.trace.uri
                && one.peer == cx.trace.peer
        };
        if let Some(one) = known.iter().find(same) {
            return Arc::clone(&one.common);
        }
        if known.len() == COMMONS_MAX {
            known.clear();
        }
        let common = Arc::new(Common::new(make()));
        let caller = Arc::clone(&cx.caller);
        known.push(KnownCommon { caller, peer: cx.trace.peer, versions, common: Arc::clone(&common) });
        common
    }
}

/// The bounded memory of keys in use.
pub(crate) struct KeysInUse {
    by_id: Remembered<(InstanceId, KeyId), Arc<KeyInUse>>,
    by_alias: Remembered<(InstanceId, String), Arc<KeyInUse>>,
    /// Counts what was forgotten: a snapshot that was read before and comes after is not kept.
    forgotten: AtomicU64,
    changing: Mutex<()>,
}

impl KeysInUse {
    /// Nothing in use yet.
    pub(crate) fn new() -> Self {
        Self {
            by_id: Remembered::new(KEYS_MAX),
            by_alias: Remembered::new(KEYS_MAX),
            forgotten: AtomicU64::new(0),
            changing: Mutex::new(()),
        }
    }

    /// Drops the snapshots of keys that have changed.
    pub(crate) fn forget(&self, changed: &[(InstanceId, KeyId)]) {
        if changed.is_empty() {
            return;
        }
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.forgotten.fetch_add(1, Ordering::Release);
        for (instance, key) in changed {
            let Some((_, dropped)) = self.by_id.remove(&(*instance, *key)) else { continue };
            for alias in &dropped.key.aliases {
                self.by_alias.remove(&(*instance, alias.as_str().to_owned()));
            }
        }
        // A snapshot found by alias alone may have left the other memory already.
        self.by_alias.retain(|(instance, _), held| !changed.contains(&(*instance, held.key.id)));
    }

    /// How many keys are ready.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    fn find(&self, instance: InstanceId, key: &KeyRef) -> Option<Arc<KeyInUse>> {
        match key {
            KeyRef::Id(id) => self.by_id.get(&(instance, *id)),
            KeyRef::Alias(alias) => self.by_alias.get(&(instance, alias.as_str().to_owned())),
            KeyRef::Nothing => None,
        }
    }

    fn keep(&self, seen: u64, reference: &KeyRef, held: &Arc<KeyInUse>) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.forgotten.load(Ordering::Acquire) != seen {
            return;
        }
        self.by_id.insert((held.key.instance, held.key.id), Arc::clone(held));
        if let KeyRef::Alias(alias) = reference {
            self.by_alias.insert((held.key.instance, alias.as_str().to_owned()), Arc::clone(held));
        }
    }
}

/// The key that a request names and that the caller may use, ready for use.
///
/// # Errors
/// `Unauthorized`; `KeyNotFound`, also for a key of another ring than the request names.
pub(crate) async fn key_in_use(app: &App, cx: &Context, reference: &KeyRef) -> Result<Arc<KeyInUse>, Error> {
    let known = app.memory.keys.find(cx.instance.id, reference);
    app.metrics.looked_up(Cache::Keys, known.is_some());
    let held = match known {
        Some(held) => held,
        None => Box::pin(load(app, cx, reference)).await?,
    };
    cx.allow(Place::Key(&held.key.ring, held.key.id))?;
    let in_ring = cx.ring.as_ref().is_none_or(|ring| ring.holds(&held.key.ring));
    if in_ring { Ok(held) } else { Err(Reason::KeyNotFound.into()) }
}

async fn load(app: &App, cx: &Context, reference: &KeyRef) -> Result<Arc<KeyInUse>, Error> {
    let instance = cx.instance.id;
    let seen = app.memory.keys.forgotten.load(Ordering::Acquire);
    let wanted = reference.clone();
    let found = app
        .read(move |tx| {
            let Some(key) = keys::find(tx, instance, &wanted)? else { return Ok(None) };
            let sealed = match key.kind {
                Kind::Root => key_versions::sealed(tx, key.id)?,
                Kind::Standard => Vec::new(),
            };
            Ok(Some((key, sealed)))
        })
        .await?;
    let Some((key, sealed)) = found else {
        cx.allow(Place::Missing(reference))?;
        return Err(Reason::KeyNotFound.into());
    };
    let mut versions = Vec::with_capacity(sealed.len());
    for one in sealed {
        let material = app.vault.open_version(key.id, one.version.id, one.sealed)?;
        versions.push(UsableVersion { id: one.version.id, seal_key: SealKey::new(material.bytes())? });
    }
    let held = Arc::new(KeyInUse { key, versions, commons: Mutex::new(Vec::new()) });
    app.memory.keys.keep(seen, reference, &held);
    Ok(held)
}
