//! Errors of the token service. All values of `context` are texts: the Go client cannot read numbers there.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue, USER_AGENT};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::app::tokens::GrantRefusal;
use crate::http::state::State;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody {
    error_code: &'static str,
    error_message: String,
    context: Context,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    request_id: String,
    request_type: &'static str,
    user_agent: String,
    url: String,
    instance_id: &'static str,
    thread_id: &'static str,
    host: String,
    start_time: String,
    end_time: String,
    elapsed_time: &'static str,
    locale: &'static str,
    cluster_name: &'static str,
}

/// A refusal of the token endpoint: what and why.
pub(crate) struct TokenError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl TokenError {
    /// A 400.
    pub(crate) fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, message: message.into() }
    }
}

impl From<GrantRefusal> for TokenError {
    /// Source: samples of the real service for `BXNIM0415E`, `BXNIM0408E`, `BXNIM0407E`; the others are ASSUMED.
    fn from(refusal: GrantRefusal) -> Self {
        match refusal {
            GrantRefusal::UnknownApiKey => Self::bad_request("BXNIM0415E", "Provided API key could not be found."),
            GrantRefusal::RefreshExpired => Self::bad_request("BXNIM0408E", "Provided refresh token is expired"),
            GrantRefusal::RefreshUnknown => Self::bad_request("BXNIM0407E", "Provided refresh token is invalid"),
            GrantRefusal::TokenInvalid => Self::bad_request("BXNIM0407E", "Provided token is invalid"),
            GrantRefusal::Malformed(field) => Self::bad_request(
                "BXNIM0109E",
                format!("Property {field} is not valid: nothing is known by that value"),
            ),
            GrantRefusal::ForeignAccount => Self {
                status: StatusCode::FORBIDDEN,
                code: "BXNIM0513E",
                message: "You are not authorized to use this API: the account is another one".to_owned(),
            },
            GrantRefusal::Fault(fault) => {
                fault.report("a token could not be issued");
                Self {
                    status: StatusCode::INTERNAL_SERVER_ERROR,
                    code: "BXNIM0500E",
                    message: "The token could not be issued".to_owned(),
                }
            }
        }
    }
}

/// Renders a refusal.
pub(crate) fn render(request: &HttpRequest, state: &State, error: &TokenError) -> HttpResponse {
    let bytes = state.app.vault.random.pooled().unwrap_or_default();
    let request_id = uuid::Builder::from_random_bytes(bytes).into_uuid().to_string();
    let user_agent =
        request.headers().get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned());
    let now = DateTime::<Utc>::from_timestamp(state.app.clock.real_seconds(), 0).unwrap_or_default();
    let time = now.format("%d.%m.%Y %H:%M:%S:000 UTC").to_string();
    let body = ErrorBody {
        error_code: error.code,
        error_message: error.message.clone(),
        context: Context {
            request_id,
            request_type: "incoming.Identity_Token",
            user_agent: user_agent.unwrap_or_default(),
            url: "https://iam.cloud.ibm.com".to_owned(),
            instance_id: "iamid",
            thread_id: "1",
            host: request.connection_info().host().to_owned(),
            start_time: time.clone(),
            end_time: time,
            elapsed_time: "0",
            locale: "en_US",
            cluster_name: "mock",
        },
    };
    HttpResponseBuilder::new(error.status)
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .json(&body)
}
