//! KMIP adapters: made, listed, read, deleted.

use std::sync::Arc;

use crate::app::App;
use crate::app::error::Error;
use crate::app::kmip::{about, adapter, count};
use crate::app::lookup;
use crate::domain::access::Place;
use crate::domain::audit::Record;
use crate::domain::context::Context;
use crate::domain::id::{AdapterId, KeyId};
use crate::domain::kmip::refusal::Refusal;
use crate::domain::kmip::{ADAPTERS_PER_INSTANCE_MAX, Adapter, AdapterDraft, Listed, Mark, Name, Page, Reference};
use crate::domain::reason::Reason;
use crate::store::keys;
use crate::store::kmip::{adapters, objects};

/// What a name begins with that was made up. Source: API reference.
const NAME_PREFIX: &str = "kmip_adapter_";

/// Which adapters are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AdapterQuery {
    pub(crate) root_key: Option<KeyId>,
    pub(crate) page: Page,
}

/// Makes an adapter on an active root key.
///
/// # Errors
/// What the body breaks; `RootKeyNotFound`; `InvalidRootKey`; `AdapterNameTaken`; `AdapterLimit`.
///
/// Source: docs, kmip; Terraform provider for the codes.
pub(crate) async fn create_adapter(
    app: &Arc<App>,
    cx: Arc<Context>,
    draft: Result<AdapterDraft, Reason>,
) -> Result<Adapter, Error> {
    cx.allow(Place::Whole)?;
    let draft = draft?;
    let id = app.vault.adapter_id()?;
    let name = match &draft.name {
        Some(name) => name.clone(),
        None => Name::made_up(NAME_PREFIX, app.vault.random.array()?),
    };
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let instance = cx.instance.id;
        lookup::living_instance(tx, instance)?;
        let key = keys::find(tx, instance, &draft.root_key)?.ok_or(Refusal::RootKeyNotFound)?;
        draft.check(&key)?;
        if adapters::is_taken(tx, instance, &name)? {
            return Err(Refusal::AdapterNameTaken.into());
        }
        if adapters::count(tx, instance)? >= ADAPTERS_PER_INSTANCE_MAX {
            return Err(Refusal::AdapterLimit.into());
        }
        let mark = Mark::of(cx.now, cx.caller.iam_id());
        let made = Adapter {
            id,
            name,
            description: draft.description,
            root_key: key.id,
            created: mark.clone(),
            updated: mark,
        };
        adapters::insert(tx, instance, &made)?;
        let mut record = about(&cx, 201, &made);
        record.respond("keyId", key.id.to_string());
        shared.record(tx, record)?;
        Ok(made)
    })
    .await
}

/// Adapters of the instance, in order of creation.
///
/// # Errors
/// What the query breaks.
pub(crate) async fn list_adapters(
    app: &Arc<App>,
    cx: Arc<Context>,
    query: Result<AdapterQuery, Reason>,
) -> Result<Listed<Adapter>, Error> {
    cx.allow(Place::Whole)?;
    let AdapterQuery { root_key, page } = query?;
    let instance = cx.instance.id;
    let listed = app.read(move |tx| Ok(adapters::list(tx, instance, root_key, page)?)).await?;
    let mut record = Record::of(&cx, 200);
    count(&mut record, &listed);
    app.note(record).await;
    Ok(listed)
}

/// One adapter.
///
/// # Errors
/// `AdapterNotFound`.
pub(crate) async fn get_adapter(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: Reference<AdapterId>,
) -> Result<Adapter, Error> {
    cx.allow(Place::Whole)?;
    let shared = Arc::clone(&cx);
    let found = app.read(move |tx| adapter(tx, &shared, &reference)).await?;
    app.note(about(&cx, 200, &found)).await;
    Ok(found)
}

/// Deletes an adapter with its certificates, once its objects are destroyed.
///
/// # Errors
/// `AdapterNotFound`; `ObjectsExist`.
///
/// Source: docs, kmip.
pub(crate) async fn delete_adapter(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: Reference<AdapterId>,
) -> Result<(), Error> {
    cx.allow(Place::Whole)?;
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let found = adapter(tx, &cx, &reference)?;
        if objects::any_living(tx, found.id)? {
            return Err(Refusal::ObjectsExist.into());
        }
        adapters::remove(tx, found.id)?;
        shared.record(tx, about(&cx, 204, &found))
    })
    .await
}
