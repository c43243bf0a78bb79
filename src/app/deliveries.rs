//! Deliveries on their way: what goes out next, and what is made of the answers. Who sends has no say in either.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::app::App;
use crate::app::error::Error;
pub(crate) use crate::app::settle::Made;
use crate::app::settle::Settling;
use crate::app::subscribers::open_secrets;
use crate::clock::{self, Stopwatch};
use crate::crypto::webhook_signature::{WebhookSecret, sign};
use crate::domain::delivery::{Cause, DeliveryState};
use crate::domain::due::{Due, DueKind};
use crate::domain::event::WINDOW;
use crate::domain::subscriber::{Ack, Subscriber};
use crate::domain::time::Timestamp;
use crate::store::claims::{self, Claimed};
use crate::store::tx::Tx;
use crate::store::{deliveries, subscribers};

/// Deliveries of one subscriber that are under way or handed out at once.
pub(crate) const HANDED_OUT_MAX: usize = 256;

/// What of a subscriber's deliveries is in the hands of who sends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hands {
    pub(crate) count: usize,
    /// The key that was served last.
    pub(crate) last_key: String,
}

/// Whom a parcel goes to.
pub(crate) struct Recipient {
    pub(crate) subscriber: Subscriber,
    secrets: Vec<WebhookSecret>,
}

/// An attempt that is to be made.
pub(crate) struct Parcel {
    pub(crate) recipient: Arc<Recipient>,
    pub(crate) claimed: Claimed,
    /// Runs since it was handed out.
    pub(crate) held: Stopwatch,
    /// How often subscribers had changed by then.
    revision: u64,
}

/// All that a step hands out, in order, and where it left off with each subscriber.
#[derive(Default)]
pub(crate) struct HandedOut {
    pub(crate) parcels: Vec<Parcel>,
    pub(crate) last_keys: Vec<(String, String)>,
}

impl Parcel {
    /// Headers of its own, signed for this moment of the real clock. Source: `docs/contract/events.md` 3.1.
    pub(crate) fn headers(&self, real_seconds: i64) -> Vec<(&'static str, String)> {
        let id = self.claimed.event.to_string();
        let signature = sign(&self.recipient.secrets, &id, real_seconds, self.claimed.body.as_bytes());
        vec![
            ("webhook-id", id),
            ("webhook-timestamp", real_seconds.to_string()),
            ("webhook-signature", signature),
            ("correlation-id", self.claimed.correlation.clone()),
        ]
    }

    /// The body, byte for byte what every attempt sends.
    pub(crate) fn body(&self) -> Bytes {
        Bytes::copy_from_slice(self.claimed.body.as_bytes())
    }

    /// True when some subscriber has changed since it was handed out.
    pub(crate) fn has_changed(&self, app: &App) -> bool {
        self.revision != app.memory.dispatch.revision()
    }

    /// How the recipient acknowledges.
    pub(crate) fn ack(&self) -> Ack {
        self.recipient.subscriber.ack
    }
}

/// Records what came of attempts and hands out what is due by `now`, in one transaction.
///
/// # Errors
/// The store's; then nothing is recorded and nothing handed out.
pub(crate) async fn step(
    app: &Arc<App>,
    made: Arc<Vec<Made>>,
    hands: HashMap<String, Hands>,
    now: Timestamp,
) -> Result<HandedOut, Error> {
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let handed_out = step_within(&shared, tx, &made, &hands, now)?;
        // Before the commit: whoever waits for the attempts looks into the journal right after it.
        let attempts = made.iter().filter(|one| one.answer.is_some());
        shared.journal.note(attempts.map(|one| Due { at: one.due_at, kind: DueKind::Attempt }));
        Ok(handed_out)
    })
    .await
}

/// A step in the caller's transaction.
///
/// # Errors
/// The store's.
pub(crate) fn step_within(
    app: &App,
    tx: &Tx<'_>,
    made: &[Made],
    hands: &HashMap<String, Hands>,
    now: Timestamp,
) -> Result<HandedOut, Error> {
    let mut settling = Settling::new(app, tx);
    for one in made {
        settling.attempt(one)?;
    }
    settling.finish()?;
    hand_out(app, tx, hands, now)
}

/// Looks at a parcel again before it is sent: its subscriber may have changed since it was handed out, and is told as it
/// is now; what it is about may have ended. True when it is wanted still.
///
/// # Errors
/// The store's fault; then nothing is known.
pub(crate) async fn look_again(app: &Arc<App>, parcel: &mut Parcel) -> Result<bool, Error> {
    let (seq, cause, now) = (parcel.claimed.delivery, parcel.claimed.cause, app.clock.now());
    let revision = app.memory.dispatch.revision();
    let shared = Arc::clone(app);
    let changed = parcel.has_changed(app).then(|| parcel.recipient.subscriber.name.clone());
    let read = app.read(move |tx| {
        let fresh = changed.map(|name| recipient(&shared, tx, &name, now)).transpose()?.flatten();
        Ok((is_wanted_within(tx, seq, cause, now)?, fresh))
    });
    let (is_wanted, fresh) = read.await?;
    if let Some(recipient) = fresh {
        parcel.recipient = Arc::new(recipient);
        parcel.revision = revision;
    }
    Ok(is_wanted)
}

/// True while an attempt that was handed out should be made.
///
/// # Errors
/// The store's fault.
pub(crate) fn is_wanted_within(tx: &Tx<'_>, delivery: i64, cause: Cause, now: Timestamp) -> Result<bool, Error> {
    let Some(one) = deliveries::get(tx, delivery)? else { return Ok(false) };
    Ok(match cause {
        Cause::Schedule => one.course.state == DeliveryState::Pending && now < one.course.action.plus(WINDOW),
        Cause::Redelivery => one.redeliveries > 0 && one.course.state != DeliveryState::Dropped,
    })
}

fn hand_out(app: &App, tx: &Tx<'_>, hands: &HashMap<String, Hands>, now: Timestamp) -> Result<HandedOut, Error> {
    let mut all = HandedOut::default();
    let revision = app.memory.dispatch.revision();
    if app.memory.dispatch.is_stopped() {
        return Ok(all);
    }
    for name in claims::subscribers(tx)? {
        let held = hands.get(&name).cloned().unwrap_or_default();
        let room = HANDED_OUT_MAX.saturating_sub(held.count);
        if room == 0 {
            continue;
        }
        let Some(recipient) = recipient(app, tx, &name, now)? else {
            deliveries::forget_asked(tx, &name)?;
            continue;
        };
        let batch = claims::claim(tx, &name, &held.last_key, room, now)?;
        let recipient = Arc::new(recipient);
        let parcels = batch.claimed.into_iter();
        all.parcels.extend(parcels.map(|claimed| Parcel {
            recipient: Arc::clone(&recipient),
            claimed,
            held: clock::stopwatch(),
            revision,
        }));
        all.last_keys.push((name, batch.last_key));
    }
    Ok(all)
}

fn recipient(app: &App, tx: &Tx<'_>, name: &str, now: Timestamp) -> Result<Option<Recipient>, Error> {
    let Some(subscriber) = subscribers::get(tx, name)? else { return Ok(None) };
    let Some(sealed) = subscribers::secrets(tx, name)? else { return Ok(None) };
    let secrets = open_secrets(app, name, sealed, now)?;
    Ok(Some(Recipient { subscriber, secrets }))
}
