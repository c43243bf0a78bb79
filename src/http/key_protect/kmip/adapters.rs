//! `/kmip_adapters`

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::app::kmip::adapters::{AdapterQuery, create_adapter, delete_adapter, get_adapter, list_adapters};
use crate::domain::alias::KeyRef;
use crate::domain::id::KeyId;
use crate::domain::kmip::operation::KmipOperation;
use crate::domain::kmip::{Adapter, AdapterDraft, DESCRIPTION_CHARACTERS_MAX, ExpiringKey, PROFILE};
use crate::domain::operation::Operation;
use crate::domain::reason::{BodyFault, Reason};
use crate::http::json;
use crate::http::key_protect::draft::single_resource;
use crate::http::key_protect::entry::{enter, enter_with_body};
use crate::http::key_protect::envelope::KMIP_ADAPTER;
use crate::http::key_protect::kmip::{PAGE_MAX, adapter_ref, counted, many, name, one, page};
use crate::http::query::Query;
use crate::http::state::State;

#[derive(Serialize)]
struct AdapterBody {
    id: String,
    name: String,
    description: String,
    profile: &'static str,
    profile_data: ProfileData,
    created_at: String,
    created_by: String,
    updated_at: String,
    updated_by: String,
}

#[derive(Serialize)]
struct ProfileData {
    crk_id: String,
}

impl AdapterBody {
    fn of(adapter: Adapter) -> Self {
        Self {
            id: adapter.id.to_string(),
            name: adapter.name.as_str().to_owned(),
            description: adapter.description,
            profile: PROFILE,
            profile_data: ProfileData { crk_id: adapter.root_key.to_string() },
            created_at: adapter.created.at.rfc3339_millis(),
            created_by: adapter.created.by,
            updated_at: adapter.updated.at.rfc3339_millis(),
            updated_by: adapter.updated.by,
        }
    }
}

/// `GET /kmip_adapters`
pub(crate) async fn list(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::Kmip(KmipOperation::ListAdapters), async |cx| {
        let query = Query::of(&request);
        let counted = counted(&query);
        let wanted = adapter_query(&query).and_then(|wanted| counted.clone().map(|_| wanted));
        let listed = list_adapters(&state.app, cx, wanted).await?;
        let bodies = listed.shown.into_iter().map(AdapterBody::of).collect();
        Ok(many(KMIP_ADAPTER, bodies, counted?.then_some(listed.total)))
    })
    .await
}

/// `POST /kmip_adapters`
pub(crate) async fn create(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    let operation = Operation::Kmip(KmipOperation::CreateAdapter);
    enter_with_body(&request, Some(payload), &state, operation, async |cx, bytes| {
        let made = create_adapter(&state.app, cx, draft(&bytes, &Query::of(&request))).await?;
        Ok(one(StatusCode::CREATED, KMIP_ADAPTER, AdapterBody::of(made)))
    })
    .await
}

/// `GET /kmip_adapters/{adapter}`
pub(crate) async fn get(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::Kmip(KmipOperation::GetAdapter), async |cx| {
        let found = get_adapter(&state.app, cx, adapter_ref(&request)).await?;
        Ok(one(StatusCode::OK, KMIP_ADAPTER, AdapterBody::of(found)))
    })
    .await
}

/// `DELETE /kmip_adapters/{adapter}`
pub(crate) async fn delete(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::Kmip(KmipOperation::DeleteAdapter), async |cx| {
        delete_adapter(&state.app, cx, adapter_ref(&request)).await?;
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}

fn adapter_query(query: &Query<'_>) -> Result<AdapterQuery, Reason> {
    let page = page(query, PAGE_MAX)?;
    let root_key = match query.get("crk_id") {
        None | Some("") => None,
        Some(text) => Some(KeyId::parse(text).ok_or_else(|| Reason::query("crk_id", "the UUID of a root key"))?),
    };
    Ok(AdapterQuery { root_key, page })
}

fn draft(bytes: &[u8], query: &Query<'_>) -> Result<AdapterDraft, Reason> {
    let allowed = query.boolean("allowExpiringKey")? == Some(true);
    let body = json::parse(bytes)?.required()?;
    let resource = single_resource(&body, KMIP_ADAPTER, BodyFault::ManyKmipResources)?;
    let name = name(&resource)?;
    let description = resource.text("description")?.unwrap_or_default();
    let fits = description.chars().count() <= DESCRIPTION_CHARACTERS_MAX && !description.chars().any(char::is_control);
    if !fits {
        return Err(Reason::field("description", "up to 240 characters without control characters"));
    }
    if resource.text("profile")? != Some(PROFILE) {
        return Err(Reason::field("profile", PROFILE));
    }
    let data = resource.object("profile_data")?;
    let data = data.ok_or_else(|| Reason::field("profile_data", "an object with a `crk_id`"))?;
    let root_key = data.text("crk_id")?.filter(|text| !text.is_empty());
    let root_key = root_key.ok_or_else(|| Reason::field("crk_id", "the id or an alias of a root key"))?;
    Ok(AdapterDraft {
        name,
        description: description.to_owned(),
        root_key: KeyRef::parse(root_key),
        expiring_key: if allowed { ExpiringKey::Allowed } else { ExpiringKey::Refused },
    })
}
