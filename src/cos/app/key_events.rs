//! The intake of Key Protect's life cycle events.

use std::sync::Arc;

use crate::cos::app::CosApp;
use crate::cos::app::audit;
use crate::cos::app::error::Error;
use crate::cos::app::key_state::key_call;
use crate::cos::domain::bucket::{Bucket, BucketKey, BucketName, Encryption};
use crate::cos::domain::key_info::{self, Cause, EventKind, KeyState, Known};
use crate::cos::key_protect::{KeyCall, KeyRefusal, WrappedKey};
use crate::cos::store::buckets::{self, StoredKey};
use crate::domain::audit::{Datum, Initiator, Record, Side, Target};
use crate::domain::id::VersionId;
use crate::domain::time::Timestamp;
use crate::store::tx::Tx;

const ACTION: &str = "bucket-key-state.update";

/// An event as it was delivered, its signature found good. Source: `docs/contract/events.md` 3.1.
#[derive(Clone, Debug)]
pub(crate) struct KeyEvent {
    /// `eventId`
    pub(crate) id: String,
    pub(crate) kind: EventKind,
    /// Sync for `renotification` true.
    pub(crate) cause: Cause,
    /// `eventTime`
    pub(crate) at: Timestamp,
    pub(crate) correlation: String,
    /// CRN of the bucket.
    pub(crate) resource: String,
    pub(crate) key_crn: String,
    /// `newKeyVersion.id`, of a rotation.
    pub(crate) new_version: Option<VersionId>,
}

/// What became of an event; all are answered with 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Now: acted on, with a record.
    Applied,
    /// Seen before.
    Repeated,
    /// Newer ones have been taken: recorded, and nothing changed.
    Outdated,
    /// The bucket is gone, or not registered.
    NotOurs,
}

impl CosApp {
    /// Takes an event. Twice equals once.
    ///
    /// # Errors
    /// Faults alone: to be answered with 503, so that the event is sent again.
    pub(crate) async fn handle_key_event(&self, event: KeyEvent, now: Timestamp) -> Result<Taken, Error> {
        let Some(name) = event.resource.rsplit(':').next().and_then(BucketName::parse) else {
            return Ok(Taken::NotOurs);
        };
        let event_id = event.id.clone();
        let (found, taken) = self
            .read(move |tx| {
                let Some(bucket) = buckets::by_name(tx, &name)? else { return Ok((None, false)) };
                let stored = buckets::data_key(tx, bucket.id)?;
                Ok((Some((bucket, stored)), buckets::has_taken(tx, &event_id)?))
            })
            .await?;
        let Some((bucket, stored)) = found else { return Ok(Taken::NotOurs) };
        let Some(key) = bucket.key().filter(|key| key.registered && is_about(&bucket, key, &event)).cloned() else {
            return Ok(Taken::NotOurs);
        };
        if taken {
            return Ok(Taken::Repeated);
        }
        let call = key_call(&bucket, &key, now, &event.correlation);
        let renewed = match (event.kind, stored) {
            (EventKind::Rotation, Some(StoredKey::Wrapped(wrapped))) => {
                self.renew(&call, &wrapped).await?.map(|renewed| (wrapped, renewed))
            }
            _ => None,
        };
        let (id, kept) = (bucket.id, event.clone());
        let (app, keys) = (Arc::clone(&self.app), Arc::clone(&self.keys));
        let taken = self
            .write(move |tx| {
                let taken = apply(tx, &bucket, &event, now)?;
                let Applied::Now(mut bucket, taken) = taken else { return Ok(Taken::Repeated) };
                if let Some((wrapped, renewed)) = &renewed {
                    take_renewed(tx, keys.as_ref(), &call, &mut bucket, wrapped, renewed)?;
                }
                buckets::update(tx, &bucket)?;
                app.record(tx, describe(&bucket, &event, now))?;
                Ok(taken)
            })
            .await?;
        if taken == Taken::Applied {
            // After the commit, and before the event is answered.
            let ttl = self.key_info_ttl();
            self.memory.event(id, |info| {
                let known = Known { state: key.state, info };
                key_info::on_event(&known, kept.kind, kept.cause, ttl, now).info
            });
        }
        Ok(taken)
    }

    /// Rewraps a data key. `None` when the key is not to be used just now: the old wrapped key goes on to serve, and is
    /// renewed by the next look that finds the key active.
    async fn renew(&self, call: &KeyCall, wrapped: &str) -> Result<Option<WrappedKey>, Error> {
        match self.keys.rewrap(call, wrapped).await {
            Ok(renewed) => Ok(Some(renewed)),
            Err(KeyRefusal::Fault) => Err(Error::KeyProtect),
            Err(KeyRefusal::Store(fault)) => Err(fault.into()),
            Err(
                KeyRefusal::Gone
                | KeyRefusal::Deleted
                | KeyRefusal::Suspended
                | KeyRefusal::NotUsable
                | KeyRefusal::Unauthorized
                | KeyRefusal::OtherMaterial,
            ) => Ok(None),
        }
    }
}

fn is_about(bucket: &Bucket, key: &BucketKey, event: &KeyEvent) -> bool {
    let tail = |crn: &str| crn.split(':').skip(4).map(str::to_owned).collect::<Vec<_>>();
    bucket.crn() == event.resource && tail(key.crn.as_str()) == tail(&event.key_crn)
}

/// What an event makes of a bucket.
enum Applied {
    /// It was taken before.
    Before,
    Now(Box<Bucket>, Taken),
}

/// Lets an event change what is noted of the key, unless newer ones have been taken.
fn apply(tx: &Tx<'_>, seen: &Bucket, event: &KeyEvent, now: Timestamp) -> Result<Applied, Error> {
    let Some(mut bucket) = buckets::get(tx, seen.id)? else { return Ok(Applied::Before) };
    if !buckets::note_event(tx, bucket.id, &event.id)? {
        return Ok(Applied::Before);
    }
    let Encryption::KeyProtect(key) = &mut bucket.encryption else { return Ok(Applied::Before) };
    let taken = if key.event_at.is_some_and(|newest| newest > event.at) {
        Taken::Outdated
    } else {
        let known = Known { state: key.state, info: None };
        key.state = key_info::on_event(&known, event.kind, event.cause, std::time::Duration::ZERO, now).state;
        key.event_at = Some(event.at);
        Taken::Applied
    };
    Ok(Applied::Now(Box::new(bucket), taken))
}

/// Puts a renewed data key in place, and the version into the registration: both, or none where the key has changed
/// meanwhile.
fn take_renewed(
    tx: &Tx<'_>,
    keys: &dyn crate::cos::key_protect::KeyProtect,
    call: &KeyCall,
    bucket: &mut Bucket,
    wrapped: &str,
    renewed: &WrappedKey,
) -> Result<(), Error> {
    let untouched = matches!(buckets::data_key(tx, bucket.id)?, Some(StoredKey::Wrapped(now)) if now == wrapped);
    if !untouched {
        return Ok(());
    }
    match keys.note_version(tx, call, renewed.version) {
        Ok(()) => {}
        Err(KeyRefusal::Store(fault)) => return Err(fault.into()),
        Err(_) => return Ok(()),
    }
    buckets::set_wrapped(tx, bucket.id, &renewed.ciphertext)?;
    if let Encryption::KeyProtect(key) = &mut bucket.encryption {
        key.version = renewed.version;
    }
    Ok(())
}

/// The record that tells of the event. Source: docs, at-events of Cloud Object Storage; `docs/contract/cos.md` 9.2.
fn describe(bucket: &Bucket, event: &KeyEvent, now: Timestamp) -> Record {
    let instance = format!("{}::", event.key_crn.split(":key:").next().unwrap_or_default());
    let mut record = Record {
        at: now.millis(),
        action: format!("cloud-object-storage.{ACTION}"),
        verb: audit::verb(ACTION),
        status: 200,
        failure: String::new(),
        correlation: event.correlation.clone(),
        initiator: Initiator {
            id: instance.clone(),
            name: "Key Protect".to_owned(),
            type_uri: "service/security/account/service".to_owned(),
            address: String::new(),
        },
        instance_crn: bucket.instance_crn(),
        instance_id: bucket.instance.to_string(),
        uri: String::new(),
        target: Target::resource(bucket.name.as_str(), audit::resource(bucket)),
        details: Vec::new(),
    };
    let Some(key) = bucket.key() else { return record };
    let requested = match event.kind {
        EventKind::Deletion | EventKind::Disable => "disabled",
        EventKind::Enable | EventKind::Restoration | EventKind::Rotation => "enabled",
    };
    let noted = match key.state {
        KeyState::Active => "enabled",
        KeyState::Suspended | KeyState::Erased | KeyState::Lost => "disabled",
    };
    let mut request = |path: &str, value: String| record.add(Side::Request, path, Datum::Text(value));
    request("eventType", event.kind.name().to_owned());
    request("requestedKeyState", requested.to_owned());
    request("requestKeyVersion", event.new_version.unwrap_or(key.version).to_string());
    request("bucketLocation", bucket.location.code().to_owned());
    record.respond("eventID", event.id.clone());
    record.respond("adopterKeyState", noted);
    record.respond("adopterKeyVersion", key.version.to_string());
    record
}
