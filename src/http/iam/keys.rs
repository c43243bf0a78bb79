//! The signing key for clients that check tokens themselves, and the discovery document.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::http::state::State;

/// `GET /identity/keys`
pub(crate) async fn list(state: Data<State>) -> HttpResponse {
    let (modulus, exponent) = state.app.tokens.public_parts();
    let kid = state.app.tokens.current_kid();
    HttpResponse::Ok().json(json!({
        "keys": [{ "kty": "RSA", "n": modulus, "e": exponent, "alg": "RS256", "use": "sig", "kid": kid }]
    }))
}

/// `GET /identity/.well-known/openid-configuration`
pub(crate) async fn discover(request: HttpRequest) -> HttpResponse {
    let connection = request.connection_info();
    let base = format!("{}://{}/identity", connection.scheme(), connection.host());
    HttpResponse::Ok().json(json!({
        "issuer": crate::app::tokens::ISSUER,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "jwks_uri": format!("{base}/keys"),
        "response_types_supported": ["cloud_iam"],
        "grant_types_supported": [
            "urn:ibm:params:oauth:grant-type:apikey",
            "refresh_token",
            "urn:ibm:params:oauth:grant-type:cr-token",
            "urn:ibm:params:oauth:grant-type:assume",
            "urn:ibm:params:oauth:grant-type:iam-authz",
        ],
        "scopes_supported": ["openid"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }))
}
