//! `/v2/resource_instances`.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::app::builtin;
use crate::app::instances::{InstanceChange, Lock, NewInstance, Reach};
use crate::domain::caller::Caller;
use crate::domain::crn;
use crate::domain::id::InstanceId;
use crate::domain::instance::{Instance, Plan, Service};
use crate::domain::instance_policy::network::Network;
use crate::http::query::Query;
use crate::http::resource_controller::errors::ControllerError;
use crate::http::resource_controller::page::{Page, UpdatedSpan};
use crate::http::resource_controller::render;
use crate::http::state::State;
use crate::http::{auth, body, panics, transaction};

/// Characters of an instance's name. Source: API reference of the Resource Controller.
const NAME_CHARACTERS_MAX: usize = 180;

/// `POST /v2/resource_instances`
pub(crate) async fn create(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    respond(&request, async {
        let caller = auth::caller(&state.app, &request)?;
        let anywhere = state.app.may_manage(&caller, None);
        // Whoever may make some instances has to show that this is one of them.
        let known = |error| if anywhere { error } else { ControllerError::forbidden() };
        let fields = members(&request, payload).await.map_err(known)?;
        let wanted = new_instance(&fields).map_err(known)?;
        let planned = state.app.plan_instance(&caller, wanted, state.now().await)?;
        if !anywhere && !state.app.may_manage(&caller, Some(&planned)) {
            return Err(ControllerError::forbidden());
        }
        let instance = state.app.create_instance(planned).await?;
        Ok((StatusCode::CREATED, Some(render::instance(&instance, &state.info.url))))
    })
    .await
}

/// `GET /v2/resource_instances`: those that the caller may see.
pub(crate) async fn list(request: HttpRequest, state: Data<State>) -> HttpResponse {
    respond(&request, async {
        let caller = auth::caller(&state.app, &request)?;
        let query = Query::of(&request);
        let page = Page::of(&query)?;
        let all = state.app.memory.instances.all();
        let matches = |instance: &Arc<Instance>| {
            matches(instance, &query, &page.updated) && state.app.may_view(&caller, instance)
        };
        let shown = |instance: &Arc<Instance>| render::instance(instance, &state.info.url);
        Ok((StatusCode::OK, Some(page.render("/v2/resource_instances", &query, &all, matches, shown))))
    })
    .await
}

/// `GET /v2/resource_instances/{id}`: removed ones too.
pub(crate) async fn get(request: HttpRequest, state: Data<State>) -> HttpResponse {
    respond(&request, async {
        let caller = auth::caller(&state.app, &request)?;
        let instance = named(&request, &state)?;
        allowed(state.app.may_view(&caller, &instance))?;
        Ok((StatusCode::OK, Some(render::instance(&instance, &state.info.url))))
    })
    .await
}

/// `PATCH /v2/resource_instances/{id}`
pub(crate) async fn update(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    respond(&request, async {
        let found = named(&request, &state);
        let caller = manager(&request, &state, found.as_deref().ok())?;
        let fields = members(&request, payload).await?;
        let id = found?.id;
        let change = InstanceChange {
            name: name(&fields)?,
            plan_id: text(&fields, "resource_plan_id")?.map(str::to_owned),
            parameters: parameters(&fields)?,
            allow_cleanup: boolean(&fields, "allow_cleanup")?,
        };
        let now = state.now().await;
        let instance = state.app.update_instance(&caller, id, change, now).await?;
        Ok((StatusCode::OK, Some(render::instance(&instance, &state.info.url))))
    })
    .await
}

/// `DELETE /v2/resource_instances/{id}`
pub(crate) async fn delete(request: HttpRequest, state: Data<State>) -> HttpResponse {
    respond(&request, async {
        let found = named(&request, &state);
        let caller = manager(&request, &state, found.as_deref().ok())?;
        let id = found?.id;
        let now = state.now().await;
        let recursive = Query::of(&request).get("recursive") == Some("true");
        let reach = if recursive { Reach::WithCredentials } else { Reach::Alone };
        state.app.remove_instance(&caller, id, reach, now).await?;
        // What belongs to the instance goes with it.
        state.cos.reap(now).await;
        Ok((StatusCode::NO_CONTENT, None))
    })
    .await
}

/// `POST /v2/resource_instances/{id}/lock`
pub(crate) async fn lock(request: HttpRequest, state: Data<State>) -> HttpResponse {
    locked(&request, &state, Lock::On).await
}

/// `DELETE /v2/resource_instances/{id}/lock`
pub(crate) async fn unlock(request: HttpRequest, state: Data<State>) -> HttpResponse {
    locked(&request, &state, Lock::Off).await
}

async fn locked(request: &HttpRequest, state: &State, lock: Lock) -> HttpResponse {
    respond(request, async {
        let found = above(request, state);
        let caller = manager(request, state, found.as_deref().ok())?;
        let id = found?.id;
        let now = state.now().await;
        let instance = state.app.lock_instance(&caller, id, lock, now).await?;
        Ok((StatusCode::OK, Some(render::instance(&instance, &state.info.url))))
    })
    .await
}

pub(super) async fn respond(
    request: &HttpRequest,
    answer: impl Future<Output = Result<(StatusCode, Option<Value>), ControllerError>>,
) -> HttpResponse {
    let mut response = match panics::caught(answer).await {
        Some(Ok((status, Some(body)))) => HttpResponseBuilder::new(status).json(body),
        Some(Ok((status, None))) => HttpResponseBuilder::new(status).finish(),
        Some(Err(error)) => error.render(request),
        None => ControllerError::fault().render(request),
    };
    transaction::echo(request, &mut response);
    response
}

/// A caller who may change that instance: an Editor or Administrator, never a service instance. Without an instance one
/// who may change any, so that others are not told which there are.
pub(super) fn manager(
    request: &HttpRequest,
    state: &State,
    instance: Option<&Instance>,
) -> Result<Arc<Caller>, ControllerError> {
    let caller = auth::caller(&state.app, request)?;
    allowed(state.app.may_manage(&caller, instance))?;
    Ok(caller)
}

pub(super) fn allowed(may: bool) -> Result<(), ControllerError> {
    if may { Ok(()) } else { Err(ControllerError::forbidden()) }
}

/// The instance that the last segment of the path names.
fn named(request: &HttpRequest, state: &State) -> Result<Arc<Instance>, ControllerError> {
    named_by(state, request.uri().path().rsplit('/').next().unwrap_or_default())
}

/// The instance that the last but one segment of the path names.
pub(super) fn above(request: &HttpRequest, state: &State) -> Result<Arc<Instance>, ControllerError> {
    named_by(state, request.uri().path().rsplit('/').nth(1).unwrap_or_default())
}

/// An instance by its GUID or by its own CRN, percent-encoded or not: a CRN of something in it is not the instance's.
pub(super) fn named_by(state: &State, text: &str) -> Result<Arc<Instance>, ControllerError> {
    let text = percent_decode_str(text).decode_utf8_lossy();
    let crn = crn::parse(&text);
    let guid = crn.as_ref().map_or(text.as_ref(), |crn| crn.instance);
    let found = InstanceId::parse(guid).and_then(|id| state.app.memory.instances.get(id));
    let meant = |found: &Arc<Instance>| crn.is_none() || crn == crn::parse(&found.crn());
    found.filter(meant).ok_or_else(ControllerError::not_found)
}

fn matches(instance: &Instance, query: &Query<'_>, span: &UpdatedSpan) -> bool {
    let facts = [
        ("guid", instance.id.to_string()),
        ("name", instance.name.clone()),
        ("resource_group_id", instance.resource_group.clone()),
        ("resource_id", instance.service.offering_id().to_owned()),
        ("resource_plan_id", instance.plan_id.clone()),
        ("type", "service_instance".to_owned()),
        ("sub_type", instance.service.sub_type().to_owned()),
    ];
    let (updated, _) = instance.last_change();
    let wanted_state = query.get("state").unwrap_or("active");
    wanted_state == instance.state()
        && span.holds(updated)
        && facts.iter().all(|(name, fact)| query.get(name).is_none_or(|wanted| wanted == fact))
}

pub(super) async fn members(request: &HttpRequest, payload: Payload) -> Result<Map<String, Value>, ControllerError> {
    let bytes = body::read(request, payload).await?;
    let members: Map<String, Value> =
        serde_json::from_slice(&bytes).map_err(|_| ControllerError::bad_request("the body must be a JSON object"))?;
    let wrong = members.keys().any(|name| name.contains('\0'));
    if wrong { Err(ControllerError::bad_request("a member's name must not hold NUL")) } else { Ok(members) }
}

fn new_instance(fields: &Map<String, Value>) -> Result<NewInstance, ControllerError> {
    let missing = |field: &str| ControllerError::bad_request(format!("`{field}` is needed"));
    let plan_id = text(fields, "resource_plan_id")?.ok_or_else(|| missing("resource_plan_id"))?;
    let plan = Plan::find(plan_id).ok_or_else(|| {
        ControllerError::bad_request(format!("`resource_plan_id` is unknown; known are {}", Plan::known()))
    })?;
    let target = text(fields, "target")?.ok_or_else(|| missing("target"))?;
    text(fields, "resource_group")?.ok_or_else(|| missing("resource_group"))?;
    Ok(NewInstance {
        name: name(fields)?.ok_or_else(|| missing("name"))?,
        plan,
        region: region(plan.service, target)?,
        // Any text is taken: an unknown group means the one there is (ASSUMED).
        resource_group: builtin::RESOURCE_GROUP.to_owned(),
        parameters: parameters(fields)?,
        tags: tags(fields)?,
        allow_cleanup: boolean(fields, "allow_cleanup")?.unwrap_or(false),
        private_only: plan.service == Service::KeyProtect && is_private_only(fields)?,
    })
}

/// A region's name, `bluemix-<region>`, or what follows `%3A` in a deployment's CRN. Source: Terraform provider.
fn region(service: Service, target: &str) -> Result<String, ControllerError> {
    if service == Service::ObjectStorage {
        return Ok("global".to_owned());
    }
    let target = percent_decode_str(target).decode_utf8_lossy();
    let named = target.rsplit(':').next().unwrap_or_default();
    let region = named.strip_prefix("bluemix-").unwrap_or(named);
    let fits = (2..=40).contains(&region.len())
        && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fits {
        Ok(region.to_owned())
    } else {
        Err(ControllerError::bad_request("`target` must be a region such as us-south"))
    }
}

pub(super) fn name(fields: &Map<String, Value>) -> Result<Option<String>, ControllerError> {
    let Some(name) = text(fields, "name")? else { return Ok(None) };
    let fits = (1..=NAME_CHARACTERS_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits {
        Ok(Some(name.to_owned()))
    } else {
        Err(ControllerError::bad_request("`name` must have 1 to 180 characters without control characters"))
    }
}

fn parameters(fields: &Map<String, Value>) -> Result<Option<String>, ControllerError> {
    match fields.get("parameters") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(parameters)) => Ok(serde_json::to_string(parameters).ok()),
        Some(_) => Err(ControllerError::bad_request("`parameters` must be an object")),
    }
}

/// Source: docs, provision: the parameter sets Key Protect's network policy.
fn is_private_only(fields: &Map<String, Value>) -> Result<bool, ControllerError> {
    let network = fields.get("parameters").and_then(|parameters| parameters.get("allowed_network"));
    let Some(network) = network.filter(|network| !network.is_null()) else { return Ok(false) };
    let wrong = || ControllerError::bad_request(format!("`parameters.allowed_network` must be {}", Network::RULE));
    Ok(network.as_str().and_then(Network::parse).ok_or_else(wrong)? == Network::PrivateOnly)
}

fn tags(fields: &Map<String, Value>) -> Result<Vec<String>, ControllerError> {
    let wrong = || ControllerError::bad_request("`tags` must be a list of texts without commas");
    match fields.get("tags") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(tags)) => tags
            .iter()
            .map(|tag| tag.as_str().filter(|tag| !tag.contains(',')).map(str::to_owned).ok_or_else(wrong))
            .collect(),
        Some(_) => Err(wrong()),
    }
}

pub(super) fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, ControllerError> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(ControllerError::bad_request(format!("`{name}` must be a text"))),
    }
}

pub(super) fn boolean(fields: &Map<String, Value>, name: &str) -> Result<Option<bool>, ControllerError> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(_) => Err(ControllerError::bad_request(format!("`{name}` must be true or false"))),
    }
}
