//! One policy: made, read, replaced, brought back, deleted.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, HeaderValue, IF_MATCH};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde_json::{Map, Value};

use crate::app::iam_policies::{PolicyChange, PolicyRefusal};
use crate::domain::caller::Caller;
use crate::domain::iam_policy::{IamPolicy, PolicyState};
use crate::domain::id::IamPolicyId;
use crate::http::iam_policies::document::Form;
use crate::http::iam_policies::errors::PolicyError;
use crate::http::state::State;
use crate::http::{auth, body, panics, transaction};

/// `POST /v1/policies`, `POST /v2/policies`
pub(crate) async fn create(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    respond(&request, &state, async {
        let caller = administrator(&request, &state)?;
        let bytes = body::read(&request, payload).await?;
        let form = Form::of(&request);
        let draft = form.read(&bytes)?;
        let now = state.now().await;
        let policy = state.app.create_policy(&caller, draft, now).await?;
        Ok(shown(&state, form, StatusCode::CREATED, &policy))
    })
    .await
}

/// `GET /v1/policies/{id}`, `GET /v2/policies/{id}`: a deleted one is not found.
pub(crate) async fn get(request: HttpRequest, state: Data<State>) -> HttpResponse {
    respond(&request, &state, async {
        administrator(&request, &state)?;
        let policy = state.app.get_policy(named(&request)?).await?;
        Ok(shown(&state, Form::of(&request), StatusCode::OK, &policy))
    })
    .await
}

/// `PUT /v1/policies/{id}`, `PUT /v2/policies/{id}`
pub(crate) async fn replace(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    respond(&request, &state, async {
        let caller = administrator(&request, &state)?;
        let bytes = body::read(&request, payload).await?;
        let change = PolicyChange::Replace(Form::of(&request).read(&bytes)?);
        changed(&request, &state, &caller, change).await
    })
    .await
}

/// `PATCH /v1/policies/{id}` with `{"state":"active"}`: brings a deleted policy back.
pub(crate) async fn restore(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    respond(&request, &state, async {
        let caller = administrator(&request, &state)?;
        let bytes = body::read(&request, payload).await?;
        let fields: Option<Map<String, Value>> = serde_json::from_slice(&bytes).ok();
        let wanted = fields.as_ref().and_then(|fields| fields.get("state")?.as_str());
        if wanted != Some(PolicyState::Active.name()) {
            return Err(PolicyError::body("`state` must be active: a policy is deleted by DELETE"));
        }
        changed(&request, &state, &caller, PolicyChange::Restore).await
    })
    .await
}

/// `DELETE /v1/policies/{id}`, `DELETE /v2/policies/{id}`
pub(crate) async fn delete(request: HttpRequest, state: Data<State>) -> HttpResponse {
    respond(&request, &state, async {
        let caller = administrator(&request, &state)?;
        let now = state.now().await;
        state.app.delete_policy(&caller, named(&request)?, now).await?;
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}

async fn changed(
    request: &HttpRequest,
    state: &State,
    caller: &Arc<Caller>,
    change: PolicyChange,
) -> Result<HttpResponse, PolicyError> {
    let id = named(request)?;
    let etag = request.headers().get(IF_MATCH).and_then(|tag| tag.to_str().ok()).ok_or_else(|| {
        let message = "the header If-Match is needed, with the policy's ETag";
        PolicyError::plain(StatusCode::BAD_REQUEST, "request_not_processed", message)
    })?;
    let now = state.now().await;
    let policy = state.app.change_policy(caller, id, etag.trim().to_owned(), change, now).await?;
    Ok(shown(state, Form::of(request), StatusCode::OK, &policy))
}

/// Answers; `Transaction-Id` is taken over from the request.
pub(crate) async fn respond(
    request: &HttpRequest,
    state: &State,
    answer: impl Future<Output = Result<HttpResponse, PolicyError>>,
) -> HttpResponse {
    let mut response = match panics::caught(answer).await {
        Some(Ok(response)) => response,
        Some(Err(error)) => error.render(request, state),
        None => PolicyError::fault().render(request, state),
    };
    transaction::echo(request, &mut response);
    response
}

/// The caller, who must be an Administrator.
///
/// # Errors
/// 401 `invalid_token`, 403 `insufficent_permissions`.
pub(crate) fn administrator(request: &HttpRequest, state: &State) -> Result<Arc<Caller>, PolicyError> {
    let caller = auth::caller(&state.app, request)?;
    state.app.administer(&caller)?;
    Ok(caller)
}

fn named(request: &HttpRequest) -> Result<IamPolicyId, PolicyError> {
    let id = request.match_info().get("id").and_then(IamPolicyId::parse);
    id.ok_or_else(|| PolicyRefusal::NotFound.into())
}

fn shown(state: &State, form: Form, status: StatusCode, policy: &IamPolicy) -> HttpResponse {
    let mut response = HttpResponseBuilder::new(status).json(form.render(policy, &state.info.url));
    if let Ok(tag) = HeaderValue::from_str(&policy.etag()) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}
