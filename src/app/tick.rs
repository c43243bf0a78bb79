//! What falls due: done in order of time, each at its own instant, through the same rules as a person's request.

use std::sync::Arc;

use tracing::warn;

use crate::app::App;
use crate::app::delete_key;
use crate::app::error::Error;
use crate::app::identities::derived_id;
use crate::app::instances;
use crate::app::itself;
use crate::app::registrations;
use crate::app::rotate_key;
use crate::app::settle::Settling;
use crate::domain::audit::{Datum, Record, Side};
use crate::domain::context::Context;
use crate::domain::due::{Due, DueKind};
use crate::domain::id::KeyId;
use crate::domain::instance::Instance;
use crate::domain::key::machine::Action;
use crate::domain::key::{Key, State};
use crate::domain::operation::Operation;
use crate::domain::time::Timestamp;
use crate::store::due::{DueRow, Subject};
use crate::store::events::Stored;
use crate::store::tx::Tx;
use crate::store::{due, events, iam_policy_changes, keys, meta, policies};

/// Rows that one transaction takes.
const ROWS_AT_ONCE: usize = 500;
/// Name of the clock's course in the store.
pub(crate) const CLOCK: &str = "clock";

/// Runs all that is due by `now`, if anything is, attempts at deliveries apart; what ran is noted in the journal, in
/// order. Twice equals once.
///
/// # Errors
/// The store's fault; what ran before it stays done.
pub(crate) async fn tick(app: &Arc<App>, now: Timestamp) -> Result<(), Error> {
    if app.memory.next_due() > now.millis() {
        return Ok(());
    }
    let _ticking = app.ticking.lock().await;
    loop {
        let shared = Arc::clone(app);
        let count = app
            .write(move |tx| {
                let done = run_group(&shared, tx, now)?;
                tx.touch_due();
                meta::set(tx, CLOCK, &shared.clock.course().to_text())?;
                let count = done.len();
                shared.journal.note(done);
                Ok(count)
            })
            .await?;
        if count < ROWS_AT_ONCE {
            return Ok(());
        }
    }
}

/// Runs instant by instant, since what runs at one can make something due before the next.
///
/// # Errors
/// The store's fault.
pub(crate) fn run_group(app: &App, tx: &Tx<'_>, now: Timestamp) -> Result<Vec<Due>, Error> {
    let mut done = Vec::new();
    while done.len() < ROWS_AT_ONCE {
        let earliest = due::ahead(tx)?.work.map(Timestamp::from_millis).filter(|at| *at <= now);
        let Some(at) = earliest else { break };
        // Windows end first: what else this instant brings may remove what they are about.
        let ending = events::ending(tx, at, ROWS_AT_ONCE)?;
        if !ending.is_empty() {
            done.extend(end_windows(app, tx, &ending)?);
            continue;
        }
        for row in due::by(tx, at, ROWS_AT_ONCE)? {
            match run(app, tx, row) {
                Err(Error::Refused(reason)) => {
                    // One that cannot be done must not hold up the others.
                    warn!(?reason, what = row.due.kind.name(), "what was due came to nothing");
                    due::remove(tx, row)?;
                }
                ran => ran?,
            }
            done.push(row.due);
        }
    }
    Ok(done)
}

/// Source: `docs/contract/reliability.md` T-14.
fn end_windows(app: &App, tx: &Tx<'_>, ending: &[Stored]) -> Result<Vec<Due>, Error> {
    let mut settling = Settling::new(app, tx);
    for stored in ending {
        settling.give_up(stored)?;
    }
    settling.finish()?;
    Ok(ending.iter().map(|stored| Due { at: stored.event.deadline(), kind: DueKind::GiveUp }).collect())
}

fn run(app: &App, tx: &Tx<'_>, row: DueRow) -> Result<(), Error> {
    let id = match row.subject {
        Subject::Key(id) => id,
        Subject::Instance(instance) if row.due.kind == DueKind::Reclamation => {
            return instances::reclaim(tx, instance);
        }
        // Nothing is left to do: whoever uses the token finds it expired.
        Subject::Instance(_) => return Ok(due::remove(tx, row)?),
        Subject::Policy(policy) => return Ok(iam_policy_changes::take_effect(tx, policy, row.due.at)?),
        Subject::Registration(number) => return registrations::withdraw_due(app, tx, number, row.due.at),
    };
    let Some(key) = keys::get(tx, id)? else { return Ok(due::replace(tx, id, &[])?) };
    let stands = key.due().contains(&row.due);
    let instance = app.memory.instances.get(key.instance);
    let Some(instance) = instance.filter(|_| stands) else { return Ok(due::replace(tx, key.id, &key.due())?) };
    let at = row.due.at;
    match row.due.kind {
        DueKind::Expiry => expire(app, tx, &context(instance, Operation::Expire, at, key.id), key),
        DueKind::Rotation => rotate(app, tx, &context(instance, Operation::Rotate, at, key.id), key),
        DueKind::DeletionLapse => lapse(tx, key),
        DueKind::Purge => {
            let cx = context(instance, Operation::PurgeKey, at, key.id);
            delete_key::purge(app, tx, &cx, key, 204).map(drop)
        }
        // Never of a key.
        DueKind::TokenExpiry
        | DueKind::Propagation
        | DueKind::Reclamation
        | DueKind::Deregistration
        | DueKind::Attempt
        | DueKind::GiveUp => Ok(due::remove(tx, row)?),
    }
}

/// Key Protect itself acts on a key, at the instant that was due.
fn context(instance: Arc<Instance>, operation: Operation, at: Timestamp, key: KeyId) -> Context {
    let what = format!("due-{}-{}-{key}", operation.row().id, at.millis());
    itself::context(instance, operation, at, derived_id("correlation", &what))
}

/// Source: docs, key-states: `kms.secrets.expire` tells both states.
fn expire(app: &App, tx: &Tx<'_>, cx: &Context, mut key: Key) -> Result<(), Error> {
    let before = key.state.number();
    key.act(Action::Expire, cx.caller.iam_id(), cx.now)?;
    keys::update(tx, &key)?;
    let mut record = Record::of(cx, 200).about(&key);
    record.add(Side::Request, "keyType", Datum::Text(Record::key_type(&key).to_owned()));
    if let Some(at) = key.expires_at {
        record.add(Side::Request, "expirationDate", Datum::Text(at.rfc3339()));
    }
    record.respond("keyId", key.id.to_string());
    record.add(Side::Response, "initialValue.keyState", Datum::Number(i64::from(before)));
    record.add(Side::Response, "newValue.keyState", Datum::Number(i64::from(key.state.number())));
    record.expiry(&key);
    app.record(tx, record)
}

/// Only an active key is rotated; for others the schedule moves on by one interval (ASSUMED).
fn rotate(app: &App, tx: &Tx<'_>, cx: &Context, mut key: Key) -> Result<(), Error> {
    if key.state == State::Active {
        let material = app.vault.generate()?;
        return rotate_key::add_version(app, tx, cx, key, &material);
    }
    if let Some(policy) = &mut key.rotation {
        policy.next_at = policy.interval.next_after(policy.next_at);
        policies::set_rotation(tx, key.id, policy)?;
    }
    Ok(keys::update(tx, &key)?)
}

fn lapse(tx: &Tx<'_>, mut key: Key) -> Result<(), Error> {
    key.authorization = None;
    Ok(keys::update(tx, &key)?)
}
