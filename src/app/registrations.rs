//! Registrations: read by whoever may, written by the services that own the resources.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::app::App;
use crate::app::delete_key::Reply;
use crate::app::error::Error;
use crate::app::itself;
use crate::app::lookup;
use crate::app::settle;
use crate::crypto::compare;
use crate::domain::access::{self, Place, Visible};
use crate::domain::alias::KeyRef;
use crate::domain::audit::{Datum, Record, Side};
use crate::domain::caller::IdentityKind;
use crate::domain::context::Context;
use crate::domain::due::DueKind;
use crate::domain::id::KeyId;
use crate::domain::key::machine::Action;
use crate::domain::key::{Key, Version};
use crate::domain::operation::Operation;
use crate::domain::reason::Reason;
use crate::domain::registration::{self, Registration, RegistrationDraft, ResourceCrn, Write};
use crate::domain::time::Timestamp;
use crate::store::due::{self, Subject};
use crate::store::key_query::Clause;
use crate::store::key_versions;
use crate::store::keys;
use crate::store::registrations::{self, Owner};
pub(crate) use crate::store::registrations::{Page, Wanted};
use crate::store::tx::Tx;

/// A change that a service asks for.
pub(crate) struct Asked<T> {
    pub(crate) key: KeyRef,
    pub(crate) resource: Result<ResourceCrn, Reason>,
    /// The `If-Match` header.
    pub(crate) if_match: Option<String>,
    pub(crate) body: Result<T, Reason>,
}

/// Lists the registrations of a key in any state.
///
/// # Errors
/// `Unauthorized`; `KeyNotFound`; what the query breaks.
///
/// Source: docs, view-protected-resources; go-client `ListRegistrations`.
pub(crate) async fn list_of_key(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: KeyRef,
    wanted: Result<Wanted, Reason>,
) -> Result<Page, Error> {
    cx.allow(Place::Anywhere)?;
    let asked = Arc::clone(&cx);
    let (key, page) = app
        .read(move |tx| {
            let key = lookup::key(tx, &asked, &reference)?;
            let wanted = wanted?;
            key.check(Action::Read, asked.now)?;
            let clause = Clause::of_keys(key.instance, None, &Visible::All);
            let page = registrations::page(tx, Owner::Key(key.id), &clause, &wanted)?;
            Ok((key, page))
        })
        .await?;
    note(app, Record::of(&cx, 200).about(&key), &page).await;
    Ok(page)
}

/// Lists the registrations of all keys that the caller may see.
///
/// # Errors
/// `Unauthorized` for who may see none; what the query breaks.
///
/// Source: docs, view-protected-resources; Node client for what restricted callers see.
pub(crate) async fn list_all(app: &Arc<App>, cx: Arc<Context>, wanted: Result<Wanted, Reason>) -> Result<Page, Error> {
    cx.allow(Place::Anywhere)?;
    let wanted = wanted?;
    let clause = Clause::of_keys(cx.instance.id, cx.ring.as_ref(), &access::visible(&cx.rights, cx.operation));
    let owner = Owner::Instance(cx.instance.id);
    let page = app.read(move |tx| Ok(registrations::page(tx, owner, &clause, &wanted)?)).await?;
    note(app, Record::of(&cx, 200), &page).await;
    Ok(page)
}

async fn note(app: &App, mut record: Record, page: &Page) {
    let total = i64::try_from(page.registrations.len()).unwrap_or(i64::MAX);
    record.add(Side::Response, "totalResources", Datum::Number(total));
    app.note(record).await;
}

/// Registers a resource with an active root key.
///
/// # Errors
/// As [`begin`]; `KeyVersionInvalid`; `RegistrationExists`.
///
/// Source: former guide for adopting services, key-registration; Node client of services.
pub(crate) async fn create(
    app: &Arc<App>,
    cx: Arc<Context>,
    asked: Asked<RegistrationDraft>,
) -> Result<Registration, Error> {
    let shared = Arc::clone(app);
    app.write(move |tx| create_in(&shared, tx, &cx, asked)).await
}

/// As [`create`], in the caller's transaction: a service of the house makes its resource in the same unit.
///
/// # Errors
/// As [`create`].
pub(crate) fn create_in(
    app: &App,
    tx: &Tx<'_>,
    cx: &Context,
    asked: Asked<RegistrationDraft>,
) -> Result<Registration, Error> {
    let Begun { key, resource, body: draft } = begin(tx, cx, asked, Write::Create)?;
    if is_registered(tx, &key, &resource)? {
        return Err(Reason::RegistrationExists.into());
    }
    let version = version(tx, &key, draft.version, None)?.unwrap_or(key.version);
    let at = cx.now.whole_seconds();
    let by = cx.caller.identity.subject.clone();
    let one = Registration {
        key: key.id,
        key_name: key.name.clone(),
        resource,
        prevent_deletion: draft.prevent_deletion.unwrap_or(false),
        description: draft.description,
        metadata: draft.metadata,
        version,
        created_at: at,
        created_by: by.clone(),
        updated_at: at,
        updated_by: by,
        revision: 1,
    };
    registrations::insert(tx, &one)?;
    let mut record = Record::of(cx, 201).about(&key);
    record.add(Side::Request, "preventKeyDeletion", Datum::Flag(one.prevent_deletion));
    record.version("keyVersion", &one.version);
    app.record(tx, record)?;
    Ok(one)
}

/// Changes a registration: all of it (`PUT`), or what is given (`PATCH`).
///
/// # Errors
/// As [`begin`]; `RegistrationNotFound`; `PreconditionFailed`; `KeyVersionInvalid`.
///
/// Source: as [`create`].
pub(crate) async fn change(
    app: &Arc<App>,
    cx: Arc<Context>,
    asked: Asked<RegistrationDraft>,
) -> Result<Registration, Error> {
    let shared = Arc::clone(app);
    app.write(move |tx| change_in(&shared, tx, &cx, asked)).await
}

/// As [`change`], in the caller's transaction.
///
/// # Errors
/// As [`change`].
pub(crate) fn change_in(
    app: &App,
    tx: &Tx<'_>,
    cx: &Context,
    asked: Asked<RegistrationDraft>,
) -> Result<Registration, Error> {
    let if_match = asked.if_match.clone();
    let Begun { key, resource, body: draft } = begin(tx, cx, asked, Write::Change)?;
    let mut one = registrations::get(tx, key.id, &resource)?.ok_or(Reason::RegistrationNotFound)?;
    if if_match.is_some_and(|header| !registration::matches_etag(&header, &etag(&one))) {
        return Err(Reason::PreconditionFailed.into());
    }
    let version = version(tx, &key, draft.version, Some(one.version))?;
    let before = one.clone();
    one.change(draft, version, &cx.caller.identity.subject, cx.now);
    registrations::update(tx, &one)?;
    app.record(tx, describe_change(cx, &key, &before, &one))?;
    Ok(one)
}

/// Removes a registration, whatever became of the key.
///
/// # Errors
/// As [`begin`]; `RegistrationNotFound`.
///
/// Source: as [`create`].
pub(crate) async fn delete(
    app: &Arc<App>,
    cx: Arc<Context>,
    asked: Asked<()>,
    reply: Reply,
) -> Result<Registration, Error> {
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let Begun { key, resource, body: () } = begin(tx, &cx, asked, Write::Delete)?;
        let one = registrations::get(tx, key.id, &resource)?.ok_or(Reason::RegistrationNotFound)?;
        take_out(&shared, tx, &cx, &key, &one, reply.status())?;
        Ok(one)
    })
    .await
}

/// Removes a registration; what is on its way to it is dropped.
fn take_out(app: &App, tx: &Tx<'_>, cx: &Context, key: &Key, one: &Registration, status: u16) -> Result<(), Error> {
    settle::drop_events(tx, key.id, Some(&one.resource))?;
    registrations::remove(tx, key.id, &one.resource)?;
    let mut record = Record::of(cx, status).about(key);
    record.add(Side::Request, "preventKeyDeletion", Datum::Flag(one.prevent_deletion));
    record.version("keyVersion", &one.version);
    app.record(tx, record)
}

/// Removes the registration of a resource that is no more, in the caller's transaction, whatever became of the key and of
/// the authorization (ASSUMED); later, where settings say so. None is no fault.
///
/// # Errors
/// The store's.
pub(crate) fn withdraw(app: &App, tx: &Tx<'_>, cx: &Context, id: KeyId, resource: &ResourceCrn) -> Result<(), Error> {
    let Some(key) = keys::get(tx, id)? else { return Ok(()) };
    let Some(one) = registrations::get(tx, id, resource)? else { return Ok(()) };
    let lag = app.settings().deregistration_lag.length();
    match registrations::row_of(tx, id, resource)? {
        Some(row) if !lag.is_zero() => {
            let subject = Subject::Registration(row);
            Ok(due::set(tx, subject, DueKind::Deregistration, Some(cx.now.plus(lag)))?)
        }
        Some(_) | None => take_out(app, tx, cx, &key, &one, 204),
    }
}

/// Removes a registration whose resource has been gone for as long as settings said.
///
/// # Errors
/// The store's.
pub(crate) fn withdraw_due(app: &App, tx: &Tx<'_>, row: i64, at: Timestamp) -> Result<(), Error> {
    due::set(tx, Subject::Registration(row), DueKind::Deregistration, None)?;
    let Some(one) = registrations::in_row(tx, row)? else { return Ok(()) };
    let Some(key) = keys::get(tx, one.key)? else { return Ok(()) };
    let Some(instance) = app.memory.instances.get(key.instance) else { return Ok(()) };
    let correlation = format!("due-deregistration-{}-{row}", at.millis());
    let cx = itself::context(instance, Operation::DeleteRegistration, at, correlation);
    take_out(app, tx, &cx, &key, &one, 204)
}

/// Asks whether a resource is registered with a key, and removes what is left of one that was deleted.
fn is_registered(tx: &Tx<'_>, key: &Key, resource: &ResourceCrn) -> Result<bool, Error> {
    let Some(row) = registrations::row_of(tx, key.id, resource)? else { return Ok(false) };
    let subject = Subject::Registration(row);
    if !due::is_set(tx, subject, DueKind::Deregistration)? {
        return Ok(true);
    }
    due::set(tx, subject, DueKind::Deregistration, None)?;
    settle::drop_events(tx, key.id, Some(resource))?;
    registrations::remove(tx, key.id, resource)?;
    Ok(false)
}

/// The `ETag` header's text, another one after each change. Source: Node client of services, `W/"c8f7e3…"`.
pub(crate) fn etag(one: &Registration) -> String {
    let mut text = format!("{}\n{}\n{}\n", one.key, one.resource.as_str(), one.revision);
    // Writing to a string does not fail.
    let _ = write!(text, "{}\n{}\n{}\n", one.prevent_deletion, one.version.id, one.updated_at.millis());
    let _ = write!(text, "{:?}\n{:?}\n{}", one.description, one.metadata, one.created_at.millis());
    let digest = compare::sha256(text.as_bytes());
    let (start, _) = digest.split_at(16);
    format!("W/\"{}\"", hex::encode(start))
}

/// True when the caller is the service that owns the resource: it alone sees the metadata (that other services do not
/// is ASSUMED).
pub(crate) fn is_owner(cx: &Context, one: &Registration) -> bool {
    cx.caller.identity.kind == IdentityKind::Service && one.resource.belongs_to(&cx.caller.identity.subject)
}

struct Begun<T> {
    key: Key,
    resource: ResourceCrn,
    body: T,
}

/// A service with a role comes this far. Source: docs, error-messages 30.
fn service_only(cx: &Context) -> Result<(), Reason> {
    cx.allow(Place::Anywhere)?;
    if cx.caller.identity.kind == IdentityKind::Service { Ok(()) } else { Err(Reason::ServiceOnly) }
}

/// What all writes check first, in the order of `docs/contract/keys.md` 1.
///
/// # Errors
/// `Unauthorized`; `ServiceOnly`; `KeyNotFound`; what path and body break; `ResourceOwner`;
/// `KeyRootRequiredForRegistration`; `KeyInvalidStateForRegistration`.
fn begin<T>(tx: &Tx<'_>, cx: &Context, asked: Asked<T>, write: Write) -> Result<Begun<T>, Error> {
    service_only(cx)?;
    let key = lookup::key(tx, cx, &asked.key)?;
    let resource = asked.resource?;
    let body = asked.body?;
    if !resource.belongs_to(&cx.caller.identity.subject) {
        return Err(Reason::ResourceOwner.into());
    }
    registration::may_write(&key, write)?;
    Ok(Begun { key, resource, body })
}

fn version(
    tx: &Tx<'_>,
    key: &Key,
    named: Option<crate::domain::id::VersionId>,
    present: Option<Version>,
) -> Result<Option<Version>, Error> {
    let Some(named) = named else { return Ok(None) };
    let versions = key_versions::page(tx, key.id, -1, 0)?.versions;
    Ok(Some(registration::named_version(&versions, named, present.map(|version| version.id))?))
}

/// A replacement tells what was before, an update what is now. Source: docs, former at-events.
fn describe_change(cx: &Context, key: &Key, before: &Registration, after: &Registration) -> Record {
    let mut record = Record::of(cx, 200).about(key);
    if cx.operation == Operation::ReplaceRegistration {
        for (which, one) in [("initialValue", before), ("newValue", after)] {
            record.add(Side::Request, &format!("{which}.preventKeyDeletion"), Datum::Flag(one.prevent_deletion));
            record.add(Side::Request, &format!("{which}.keyVersionId"), Datum::Text(one.version.id.to_string()));
        }
    } else {
        record.version("keyVersion", &after.version);
    }
    record
}
