//! Subscribers: made, changed and removed by testers; the storage gateway's own by the service.

use std::sync::{Arc, OnceLock};

use zeroize::Zeroizing;

use crate::app::App;
use crate::app::error::Error;
use crate::app::settle::Settling;
pub(crate) use crate::crypto::webhook_signature::{SECRET_RULE, WebhookSecret};
use crate::crypto::{Error as CryptoError, compare};
use crate::domain::event::EventKind;
use crate::domain::instance::Service;
use crate::domain::subscriber::{Ack, FORMER_SECRET, FORMER_SECRETS_MAX, GATEWAY, SUBSCRIBERS_MAX, Scope, Subscriber};
use crate::domain::time::Timestamp;
use crate::store::Error as StoreError;
use crate::store::meta;
use crate::store::secrets::SealedRow;
use crate::store::subscribers::{self, SealedSecrets};
use crate::store::tx::Tx;

/// Remembers that a tester has cut the gateway off from events.
const CUT_OFF: &str = "gateway-cut-off";

/// Where the storage gateway takes events at this start.
#[derive(Default)]
pub(crate) struct Gateway(OnceLock<String>);

/// What can change of a subscriber; what is left out stays as it is.
#[derive(Default)]
pub(crate) struct SubscriberChange {
    pub(crate) url: Option<String>,
    pub(crate) secret: Option<WebhookSecret>,
    pub(crate) events: Option<Vec<EventKind>>,
    pub(crate) ack: Option<Ack>,
}

/// Why a subscriber is not made or changed.
#[derive(Debug)]
pub(crate) enum SubscriberRefusal {
    NameTaken,
    NotFound,
    TooMany,
    /// The gateway's own cannot be changed.
    BuiltIn,
    /// There is no gateway whose subscriber could be put back.
    NoGateway,
    Fault(Error),
}

impl From<Error> for SubscriberRefusal {
    fn from(fault: Error) -> Self {
        Self::Fault(fault)
    }
}

impl From<StoreError> for SubscriberRefusal {
    fn from(fault: StoreError) -> Self {
        Self::Fault(fault.into())
    }
}

/// A secret for a subscriber that brings none.
///
/// # Errors
/// When there are no random bytes.
pub(crate) fn new_secret(app: &App) -> Result<WebhookSecret, Error> {
    Ok(WebhookSecret::generate(&app.vault.random)?)
}

/// All subscribers, oldest first.
///
/// # Errors
/// The store's fault.
pub(crate) async fn list(app: &App) -> Result<Vec<Subscriber>, Error> {
    app.read(|tx| Ok(subscribers::all(tx)?)).await
}

/// Makes a subscriber. Events that are on their way already do not reach it.
///
/// # Errors
/// `NameTaken`, `TooMany`.
pub(crate) async fn create(
    app: &App,
    subscriber: Subscriber,
    secret: &WebhookSecret,
) -> Result<Subscriber, SubscriberRefusal> {
    let sealed = seal(app, &subscriber.name, secret)?;
    app.writer
        .run(move |tx| {
            insert(tx, &subscriber, &sealed)?;
            Ok(subscriber)
        })
        .await
}

fn insert(tx: &Tx<'_>, subscriber: &Subscriber, sealed: &SealedRow) -> Result<(), SubscriberRefusal> {
    let all = subscribers::all(tx)?;
    if all.iter().any(|one| one.name == subscriber.name) {
        return Err(SubscriberRefusal::NameTaken);
    }
    if all.len() >= SUBSCRIBERS_MAX {
        return Err(SubscriberRefusal::TooMany);
    }
    Ok(subscribers::insert(tx, subscriber, sealed)?)
}

/// Changes a subscriber. A secret that is replaced goes on to sign beside the new one for 24 hours; one that is given
/// again is not replaced.
///
/// # Errors
/// `NotFound`, `BuiltIn`.
pub(crate) async fn change(
    app: &Arc<App>,
    name: String,
    change: SubscriberChange,
    now: Timestamp,
) -> Result<Subscriber, SubscriberRefusal> {
    let shared = Arc::clone(app);
    let SubscriberChange { url, events, ack, secret } = change;
    app.writer
        .run(move |tx| {
            let mut one = subscribers::get(tx, &name)?.ok_or(SubscriberRefusal::NotFound)?;
            if one.built_in {
                return Err(SubscriberRefusal::BuiltIn);
            }
            one.url = url.unwrap_or(one.url);
            one.events = events.unwrap_or(one.events);
            one.ack = ack.unwrap_or(one.ack);
            subscribers::update(tx, &one)?;
            if let Some(secret) = secret
                && let Some(before) = subscribers::secrets(tx, &name)?
                && let Some(secrets) = replace(&shared, &name, before, &secret, now)?
            {
                subscribers::set_secrets(tx, &name, &secrets)?;
            }
            Ok(one)
        })
        .await
}

/// A subscriber's secrets once it has a new one; `None` when it is the one that it has.
fn replace(
    app: &App,
    name: &str,
    before: SealedSecrets,
    new: &WebhookSecret,
    now: Timestamp,
) -> Result<Option<SealedSecrets>, Error> {
    let is_new = |row: &SealedRow| Ok::<_, Error>(compare::equal(open(app, name, row.clone())?.bytes(), new.bytes()));
    if is_new(&before.present)? {
        return Ok(None);
    }
    let mut former = Vec::new();
    for (row, until) in before.former {
        // One that comes back into use is no former one.
        if now < until && !is_new(&row)? {
            former.push((row, until));
        }
    }
    former.push((before.present, now.plus(FORMER_SECRET)));
    former.drain(..former.len().saturating_sub(FORMER_SECRETS_MAX));
    Ok(Some(SealedSecrets { present: seal(app, name, new)?, former }))
}

/// Removes a subscriber; its open deliveries are dropped.
///
/// # Errors
/// `NotFound`.
pub(crate) async fn remove(app: &Arc<App>, name: String, now: Timestamp) -> Result<(), SubscriberRefusal> {
    let shared = Arc::clone(app);
    app.writer
        .run(move |tx| {
            let one = subscribers::get(tx, &name)?.ok_or(SubscriberRefusal::NotFound)?;
            take_out(&shared, tx, &name, now)?;
            if one.built_in {
                meta::set(tx, CUT_OFF, "yes")?;
            }
            Ok(())
        })
        .await
}

/// Removes a subscriber in the caller's transaction.
///
/// # Errors
/// The store's fault.
pub(crate) fn take_out(app: &App, tx: &Tx<'_>, name: &str, now: Timestamp) -> Result<(), Error> {
    let mut settling = Settling::new(app, tx);
    settling.subscriber_gone(name, now)?;
    settling.finish()?;
    Ok(subscribers::remove(tx, name)?)
}

/// Puts the gateway's own subscriber back.
///
/// # Errors
/// `NoGateway`, `NameTaken`.
pub(crate) async fn restore_gateway(app: &App, now: Timestamp) -> Result<Subscriber, SubscriberRefusal> {
    let url = app.gateway.0.get().ok_or(SubscriberRefusal::NoGateway)?.clone();
    let secret = new_secret(app)?;
    let sealed = seal(app, GATEWAY, &secret)?;
    let subscriber = own(url, now);
    app.writer
        .run(move |tx| {
            insert(tx, &subscriber, &sealed)?;
            meta::set(tx, CUT_OFF, "no")?;
            Ok(subscriber)
        })
        .await
}

/// Says where the storage gateway takes events at this start; `None` when it is off. Unless a tester has cut it off, it
/// is a subscriber from then on.
///
/// # Errors
/// The store's fault.
pub(crate) async fn place_gateway(app: &Arc<App>, url: Option<String>, now: Timestamp) -> Result<(), Error> {
    let shared = Arc::clone(app);
    let placed = url.clone();
    app.write(move |tx| {
        let present = subscribers::get(tx, GATEWAY)?;
        let cut_off = meta::get(tx, CUT_OFF)?.is_some_and(|word| word == "yes");
        match (placed, present) {
            (Some(url), Some(one)) => Ok(subscribers::update(tx, &Subscriber { url, ..one })?),
            (Some(url), None) if !cut_off => {
                let sealed = seal(&shared, GATEWAY, &new_secret(&shared)?)?;
                Ok(subscribers::insert(tx, &own(url, now), &sealed)?)
            }
            (None, Some(_)) => take_out(&shared, tx, GATEWAY, now),
            (Some(_) | None, None) => Ok(()),
        }
    })
    .await?;
    if let Some(url) = url {
        // A service starts once.
        drop(app.gateway.0.set(url));
    }
    Ok(())
}

fn own(url: String, now: Timestamp) -> Subscriber {
    Subscriber {
        name: GATEWAY.to_owned(),
        url,
        scope: Scope::Service(Service::ObjectStorage.name().to_owned()),
        events: EventKind::ALL.to_vec(),
        ack: Ack::Http,
        built_in: true,
        created_at: now.whole_seconds(),
    }
}

/// Seals a subscriber's secret.
///
/// # Errors
/// When there are no random bytes.
pub(crate) fn seal(app: &App, name: &str, secret: &WebhookSecret) -> Result<SealedRow, Error> {
    Ok(app.vault.seal(&place(name), secret.bytes())?)
}

/// Secrets of the storage gateway's own subscriber; none while it is cut off.
///
/// # Errors
/// The store's fault, or damage.
pub(crate) async fn gateway_secrets(app: &App, now: Timestamp) -> Result<Vec<WebhookSecret>, Error> {
    match app.read(|tx| Ok(subscribers::secrets(tx, GATEWAY)?)).await? {
        Some(sealed) => open_secrets(app, GATEWAY, sealed, now),
        None => Ok(Vec::new()),
    }
}

/// Opens the secrets of a subscriber: the present one, and former ones while they sign.
///
/// # Errors
/// For another master key or damage.
pub(crate) fn open_secrets(
    app: &App,
    name: &str,
    sealed: SealedSecrets,
    now: Timestamp,
) -> Result<Vec<WebhookSecret>, Error> {
    let former = sealed.former.into_iter().filter(|(_, until)| now < *until).map(|(row, _)| row);
    std::iter::once(sealed.present).chain(former).map(|row| open(app, name, row)).collect()
}

fn open(app: &App, name: &str, row: SealedRow) -> Result<WebhookSecret, Error> {
    let bytes = app.vault.open(&place(name), row)?;
    let secret = WebhookSecret::from_bytes(Zeroizing::new(bytes.bytes().to_vec()));
    Ok(secret.ok_or(CryptoError::Refused("use the secret of a subscriber"))?)
}

fn place(name: &str) -> String {
    format!("subscriber {name}")
}
