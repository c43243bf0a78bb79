//! `/mock/ready`, `/mock/info`, `/mock/ca.pem`, `/mock/tokens/expire` and `/openapi.yaml`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::json;

use crate::http::admin::errors::AdminError;
use crate::http::operation_ids;
use crate::http::state::State;

/// `GET /mock/ready`: 200 from the first request on, 503 while draining.
pub(crate) async fn ready(state: Data<State>) -> HttpResponse {
    if state.is_ready() {
        HttpResponse::Ok().json(json!({ "status": "ready", "version": state.info.version }))
    } else {
        HttpResponse::ServiceUnavailable().json(json!({ "status": "draining", "version": state.info.version }))
    }
}

/// `GET /mock/info`: the ready file's content.
pub(crate) async fn info(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(&state.info)
}

/// `POST /mock/tokens/expire`
pub(crate) async fn expire_tokens(state: Data<State>) -> HttpResponse {
    match state.app.expire_tokens().await {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(failure) => AdminError::from(failure).render(),
    }
}

/// `GET /mock/ca.pem`: the local CA, for clients to trust.
pub(crate) async fn ca(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/x-pem-file").body(state.ca_pem.clone())
}

/// `GET /openapi.yaml`: the repository's file, byte for byte.
pub(crate) async fn openapi() -> HttpResponse {
    HttpResponse::Ok().content_type("application/yaml").body(operation_ids::DOCUMENT)
}
