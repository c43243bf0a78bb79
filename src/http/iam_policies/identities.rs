//! Service ids and API keys: `/v1/serviceids` and `/v1/apikeys`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde_json::{Map, Value, json};

use crate::app::builtin;
use crate::app::iam_identities::{Label, NewApiKey};
use crate::app::iam_policies::PolicyRefusal;
use crate::domain::iam_identity::{ApiKey, ServiceIdentity};
use crate::domain::id::{ApiKeyId, ServiceIdentityId};
use crate::http::body;
use crate::http::iam_policies::errors::PolicyError;
use crate::http::iam_policies::policies::{administrator, respond};
use crate::http::state::State;

/// Characters of a name, and of an API key that the caller brings (ASSUMED).
const NAME_CHARACTERS_MAX: usize = 255;
/// Characters of a description (ASSUMED).
const DESCRIPTION_CHARACTERS_MAX: usize = 1_000;

/// `POST /v1/serviceids`
pub(crate) async fn create_service_id(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    respond(&request, &state, async {
        let caller = administrator(&request, &state)?;
        let fields = members(&request, payload).await?;
        if fields.get("apikey").is_some_and(|given| !given.is_null()) {
            return Err(PolicyError::body("`apikey` is not supported here: make the key by POST /v1/apikeys"));
        }
        of_account(&fields, &caller.account)?.ok_or_else(|| PolicyError::body("`account_id` is needed"))?;
        let label = label(&fields)?;
        let now = state.now().await;
        let made = state.app.create_service_id(&caller, label, now).await?;
        Ok(shown(StatusCode::CREATED, &service_id_body(&made)))
    })
    .await
}

/// `GET /v1/serviceids/{id}`
pub(crate) async fn get_service_id(request: HttpRequest, state: Data<State>) -> HttpResponse {
    respond(&request, &state, async {
        administrator(&request, &state)?;
        let found = state.app.get_service_id(service_id(&request)).await?;
        Ok(shown(StatusCode::OK, &service_id_body(&found)))
    })
    .await
}

/// `DELETE /v1/serviceids/{id}`
pub(crate) async fn delete_service_id(request: HttpRequest, state: Data<State>) -> HttpResponse {
    respond(&request, &state, async {
        let caller = administrator(&request, &state)?;
        let now = state.now().await;
        state.app.delete_service_id(&caller, service_id(&request), now).await?;
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}

/// `POST /v1/apikeys`
pub(crate) async fn create_api_key(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    respond(&request, &state, async {
        let caller = administrator(&request, &state)?;
        let fields = members(&request, payload).await?;
        if fields.get("expires_at").is_some_and(|at| !at.is_null() && at != "") {
            return Err(PolicyError::body("`expires_at` is not supported: API keys are good until they are deleted"));
        }
        of_account(&fields, &caller.account)?;
        let iam_id = text(&fields, "iam_id", NAME_CHARACTERS_MAX)?;
        let iam_id = iam_id.ok_or_else(|| PolicyError::body("`iam_id` is needed: whom the API key is to speak for"))?;
        let wanted = NewApiKey {
            label: label(&fields)?,
            iam_id: iam_id.to_owned(),
            key: text(&fields, "apikey", NAME_CHARACTERS_MAX)?.map(str::to_owned),
        };
        let now = state.now().await;
        let (made, key) = state.app.create_api_key(&caller, wanted, now).await?;
        Ok(shown(StatusCode::CREATED, &api_key_body(&made, &key)))
    })
    .await
}

/// `GET /v1/apikeys/{id}`: without the key itself.
pub(crate) async fn get_api_key(request: HttpRequest, state: Data<State>) -> HttpResponse {
    respond(&request, &state, async {
        administrator(&request, &state)?;
        let found = state.app.get_api_key(api_key_id(&request)).await?;
        Ok(shown(StatusCode::OK, &api_key_body(&found, "")))
    })
    .await
}

/// `DELETE /v1/apikeys/{id}`
pub(crate) async fn delete_api_key(request: HttpRequest, state: Data<State>) -> HttpResponse {
    respond(&request, &state, async {
        administrator(&request, &state)?;
        state.app.delete_api_key(api_key_id(&request)).await?;
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}

fn shown(status: StatusCode, body: &Value) -> HttpResponse {
    HttpResponseBuilder::new(status).json(body)
}

fn service_id(request: &HttpRequest) -> Option<ServiceIdentityId> {
    request.match_info().get("id")?.strip_prefix("ServiceId-").and_then(ServiceIdentityId::parse)
}

fn api_key_id(request: &HttpRequest) -> Option<ApiKeyId> {
    request.match_info().get("id")?.strip_prefix("ApiKey-").and_then(ApiKeyId::parse)
}

async fn members(request: &HttpRequest, payload: Payload) -> Result<Map<String, Value>, PolicyError> {
    let bytes = body::read(request, payload).await?;
    serde_json::from_slice(&bytes).map_err(|_| PolicyError::body("the body must be one JSON object"))
}

/// A text of 1 to so many characters; `None` where there is none.
fn text<'f>(fields: &'f Map<String, Value>, name: &str, most: usize) -> Result<Option<&'f str>, PolicyError> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if (1..=most).contains(&text.chars().count()) && !text.contains('\0') => {
            Ok(Some(text))
        }
        Some(_) => Err(PolicyError::body(format!("`{name}` must be a text of 1 to {most} characters"))),
    }
}

fn label(fields: &Map<String, Value>) -> Result<Label, PolicyError> {
    let name = text(fields, "name", NAME_CHARACTERS_MAX)?.ok_or_else(|| PolicyError::body("`name` is needed"))?;
    // An empty description says as much as none.
    let described = fields.get("description").is_some_and(|description| description != "");
    let description = if described { text(fields, "description", DESCRIPTION_CHARACTERS_MAX)? } else { None };
    Ok(Label { name: name.to_owned(), description: description.map(str::to_owned) })
}

/// The account, which must be the caller's own where one is named.
fn of_account<'f>(fields: &'f Map<String, Value>, own: &str) -> Result<Option<&'f str>, PolicyError> {
    match text(fields, "account_id", NAME_CHARACTERS_MAX)? {
        Some(account) if account != own => Err(PolicyRefusal::Forbidden.into()),
        account => Ok(account),
    }
}

fn service_id_body(one: &ServiceIdentity) -> Value {
    let identity = one.identity();
    let mut body = json!({
        "id": identity.subject,
        "iam_id": identity.iam_id,
        "entity_tag": format!("1-{}", one.id),
        "crn": crn("serviceid", &identity.subject),
        "locked": false,
        "created_at": one.created_at.rfc3339(),
        "modified_at": one.created_at.rfc3339(),
        "account_id": builtin::ACCOUNT,
        "name": one.name,
        "unique_instance_crns": [],
    });
    describe(&mut body, one.description.as_deref());
    body
}

fn api_key_body(one: &ApiKey, key: &str) -> Value {
    let id = format!("ApiKey-{}", one.id);
    let mut body = json!({
        "id": id,
        "entity_tag": format!("1-{}", one.id),
        "crn": crn("apikey", &id),
        "locked": false,
        "disabled": false,
        "created_at": one.created_at.rfc3339(),
        "created_by": one.created_by,
        "modified_at": one.created_at.rfc3339(),
        "name": one.name,
        "iam_id": one.iam_id,
        "account_id": builtin::ACCOUNT,
        "apikey": key,
    });
    describe(&mut body, one.description.as_deref());
    body
}

fn describe(body: &mut Value, description: Option<&str>) {
    if let (Some(body), Some(description)) = (body.as_object_mut(), description) {
        body.insert("description".to_owned(), description.into());
    }
}

fn crn(kind: &str, id: &str) -> String {
    format!("crn:v1:bluemix:public:iam-identity::a/{}::{kind}:{id}", builtin::ACCOUNT)
}
