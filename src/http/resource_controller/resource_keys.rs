//! `/v2/resource_keys`: credentials of service instances. Source: API reference of the Resource Controller; samples of
//! credentials in IBM's documents.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::app::resource_keys::{Hmac, NewResourceKey, ResourceKeyRefusal, Shown};
use crate::domain::caller::Caller;
use crate::domain::crn;
use crate::domain::id::ResourceKeyId;
use crate::domain::resource_key::role;
use crate::http::auth;
use crate::http::query::Query;
use crate::http::resource_controller::errors::ControllerError;
use crate::http::resource_controller::instances::{above, allowed, manager, members, name, named_by, respond, text};
use crate::http::resource_controller::page::Page;
use crate::http::resource_controller::render;
use crate::http::state::State;

/// `POST /v2/resource_keys`
pub(crate) async fn create(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    respond(&request, async {
        let fields = members(&request, payload).await;
        let instance = match &fields {
            Ok(fields) => text(fields, "source")?.map(|source| named_by(&state, source)).transpose(),
            Err(_) => Ok(None),
        };
        let caller = manager(&request, &state, instance.as_ref().ok().and_then(Option::as_deref))?;
        let fields = fields?;
        let instance = instance?.ok_or_else(|| missing("source"))?;
        let wanted = NewResourceKey {
            name: name(&fields)?.ok_or_else(|| missing("name"))?,
            instance: instance.id,
            role: role(text(&fields, "role")?).ok_or_else(|| {
                ControllerError::bad_request("`role` must be Reader, Writer or Manager, by name or by CRN")
            })?,
            hmac: hmac(&fields)?,
            service_id: service_id(&fields, &caller)?,
        };
        let now = state.now().await;
        let made = state.app.create_resource_key(&caller, wanted, now).await?;
        Ok((StatusCode::CREATED, Some(shown(&state, &caller, &made))))
    })
    .await
}

/// `GET /v2/resource_keys`
pub(crate) async fn list(request: HttpRequest, state: Data<State>) -> HttpResponse {
    respond(&request, async {
        let found = listed(&request, &state, "/v2/resource_keys", |_| true).await?;
        Ok((StatusCode::OK, Some(found)))
    })
    .await
}

/// `GET /v2/resource_instances/{id}/resource_keys`
pub(crate) async fn list_of_instance(request: HttpRequest, state: Data<State>) -> HttpResponse {
    respond(&request, async {
        let caller = auth::caller(&state.app, &request)?;
        let instance = above(&request, &state)?;
        allowed(state.app.may_view(&caller, &instance))?;
        let path = request.uri().path();
        let found = listed(&request, &state, path, |one| one.key.instance == instance.id).await?;
        Ok((StatusCode::OK, Some(found)))
    })
    .await
}

/// `GET /v2/resource_keys/{id}`: removed ones too.
pub(crate) async fn get(request: HttpRequest, state: Data<State>) -> HttpResponse {
    respond(&request, async {
        let caller = auth::caller(&state.app, &request)?;
        let found = named(&request, &state).await?;
        allowed(state.app.may_view(&caller, &found.instance))?;
        Ok((StatusCode::OK, Some(shown(&state, &caller, &found))))
    })
    .await
}

/// `PATCH /v2/resource_keys/{id}`: its name.
pub(crate) async fn update(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    respond(&request, async {
        let (caller, id) = may_change(&request, &state).await?;
        let fields = members(&request, payload).await?;
        let name = name(&fields)?.ok_or_else(|| missing("name"))?;
        let now = state.now().await;
        let renamed = state.app.rename_resource_key(&caller, id, name, now).await?;
        Ok((StatusCode::OK, Some(shown(&state, &caller, &renamed))))
    })
    .await
}

/// `DELETE /v2/resource_keys/{id}`
pub(crate) async fn delete(request: HttpRequest, state: Data<State>) -> HttpResponse {
    respond(&request, async {
        let (caller, id) = may_change(&request, &state).await?;
        let now = state.now().await;
        state.app.remove_resource_key(&caller, id, now).await?;
        Ok((StatusCode::NO_CONTENT, None))
    })
    .await
}

async fn may_change(request: &HttpRequest, state: &State) -> Result<(Arc<Caller>, ResourceKeyId), ControllerError> {
    auth::caller(&state.app, request)?;
    let found = named(request, state).await?;
    let caller = manager(request, state, Some(&found.instance))?;
    Ok((caller, found.key.id))
}

async fn listed(
    request: &HttpRequest,
    state: &State,
    path: &str,
    belongs: impl Fn(&Shown) -> bool,
) -> Result<Value, ControllerError> {
    let caller = auth::caller(&state.app, request)?;
    let query = Query::of(request);
    let page = Page::of(&query)?;
    let all = state.app.list_resource_keys().await?;
    let visible = |one: &Shown| one.key.removed.is_none() && state.app.may_view(&caller, &one.instance);
    let matches = |one: &Shown| visible(one) && belongs(one) && matches(one, &query, &page);
    Ok(page.render(path, &query, &all, matches, |one| shown(state, &caller, one)))
}

/// Only who may manage the instance sees what is secret.
fn shown(state: &State, caller: &Caller, one: &Shown) -> Value {
    let may = state.app.may_manage(caller, Some(&one.instance));
    render::resource_key(one, if may { render::Secrecy::Told } else { render::Secrecy::Redacted }, &state.info.url)
}

fn matches(one: &Shown, query: &Query<'_>, page: &Page) -> bool {
    let facts = [
        ("guid", one.key.id.to_string()),
        ("name", one.key.name.clone()),
        ("resource_group_id", one.instance.resource_group.clone()),
        ("resource_id", one.instance.service.offering_id().to_owned()),
    ];
    let updated = one.key.updated.as_ref().map_or(one.key.created_at, |(at, _)| *at);
    page.updated.holds(updated) && facts.iter().all(|(name, fact)| query.get(name).is_none_or(|wanted| wanted == fact))
}

/// The key that the path names, by GUID or by its percent-encoded CRN.
async fn named(request: &HttpRequest, state: &State) -> Result<Shown, ControllerError> {
    let segment = request.uri().path().rsplit('/').next().unwrap_or_default();
    let text = percent_decode_str(segment).decode_utf8_lossy();
    let crn = crn::parse(&text);
    let guid = crn.as_ref().map_or(text.as_ref(), |crn| crn.resource);
    let id = ResourceKeyId::parse(guid).ok_or(ResourceKeyRefusal::NotFound)?;
    let found = state.app.get_resource_key(id).await?;
    if crn.is_none() || crn == crn::parse(&crn::of_resource_key(&found.instance, id)) {
        Ok(found)
    } else {
        Err(ResourceKeyRefusal::NotFound.into())
    }
}

/// `parameters.HMAC`: Terraform sends texts.
fn hmac(fields: &Map<String, Value>) -> Result<Hmac, ControllerError> {
    match parameter(fields, "HMAC")? {
        None | Some(Value::Null | Value::Bool(false)) => Ok(Hmac::Without),
        Some(Value::Bool(true)) => Ok(Hmac::With),
        Some(Value::String(word)) if word == "true" => Ok(Hmac::With),
        Some(Value::String(word)) if word == "false" => Ok(Hmac::Without),
        Some(_) => Err(ControllerError::bad_request("`parameters.HMAC` must be true or false")),
    }
}

/// `parameters.serviceid_crn`: a service id of the maker's account.
fn service_id(fields: &Map<String, Value>, caller: &Caller) -> Result<Option<String>, ControllerError> {
    let wrong =
        || ControllerError::bad_request("`parameters.serviceid_crn` must be the CRN of a service id of this account");
    match parameter(fields, "serviceid_crn")? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            let named = crn::parse(text).filter(|named| {
                named.service == "iam-identity" && named.kind == "serviceid" && named.account == caller.account
            });
            let id = named.and_then(|named| named.resource.strip_prefix("ServiceId-"));
            let uuid = id.and_then(|id| uuid::Uuid::try_parse(id).ok()).ok_or_else(wrong)?;
            Ok(Some(uuid.to_string()))
        }
        Some(_) => Err(wrong()),
    }
}

fn parameter<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<&'a Value>, ControllerError> {
    match fields.get("parameters") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(parameters)) => Ok(parameters.get(name)),
        Some(_) => Err(ControllerError::bad_request("`parameters` must be an object")),
    }
}

fn missing(field: &str) -> ControllerError {
    ControllerError::bad_request(format!("`{field}` is needed"))
}
