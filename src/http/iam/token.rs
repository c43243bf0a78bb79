//! `POST /identity/token` and `POST /oidc/token`.

use std::collections::HashMap;

use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::app::tokens::{GrantRefusal, Issued, Tokens};
use crate::domain::caller::Identity;
use crate::domain::reason::Reason;
use crate::http::iam::errors::{self, TokenError};
use crate::http::state::State;
use crate::http::{body, panics};

const API_KEY: &str = "urn:ibm:params:oauth:grant-type:apikey";
const REFRESH: &str = "refresh_token";
const COMPUTE_RESOURCE: &str = "urn:ibm:params:oauth:grant-type:cr-token";
const ASSUME: &str = "urn:ibm:params:oauth:grant-type:assume";
const SERVICE: &str = "urn:ibm:params:oauth:grant-type:iam-authz";

#[derive(Serialize)]
struct TokenReply {
    access_token: String,
    refresh_token: String,
    token_type: &'static str,
    expires_in: i64,
    expiration: i64,
    scope: &'static str,
}

#[derive(Serialize)]
struct DelegatedReply {
    delegated_refresh_token: String,
}

/// What a grant leads to.
enum Granted {
    Token(Issued),
    Delegated(Issued),
}

/// The fields of a form; of several with one name the last counts, empty ones are absent.
struct Form(HashMap<String, String>);

impl Form {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn required(&self, name: &str) -> Result<&str, TokenError> {
        self.get(name)
            .ok_or_else(|| TokenError::bad_request("BXNIM0109E", format!("Property missing or empty: {name}")))
    }
}

/// Exchanges what the form holds for tokens. An `Authorization: Basic` header is ignored.
pub(crate) async fn grant(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    let outcome = panics::caught(answer(&request, payload, &state)).await;
    let granted = outcome.unwrap_or_else(|| {
        let status = actix_web::http::StatusCode::INTERNAL_SERVER_ERROR;
        Err(TokenError { status, code: "BXNIM0500E", message: "The token could not be issued".to_owned() })
    });
    let mut response = match granted {
        Ok(Granted::Token(issued)) => HttpResponse::Ok().json(TokenReply {
            access_token: issued.access_token,
            refresh_token: issued.refresh_token,
            token_type: "Bearer",
            expires_in: issued.expires_in,
            expiration: issued.expiration,
            scope: "ibm openid",
        }),
        Ok(Granted::Delegated(issued)) => {
            HttpResponse::Ok().json(DelegatedReply { delegated_refresh_token: issued.refresh_token })
        }
        Err(error) => errors::render(&request, &state, &error),
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn answer(request: &HttpRequest, payload: Payload, state: &State) -> Result<Granted, TokenError> {
    let bytes = body::read(request, payload).await.map_err(|reason| unreadable(&reason))?;
    let form = Form(form_urlencoded::parse(&bytes).into_owned().collect());
    let grant_type = form.get("grant_type").ok_or_else(|| {
        TokenError::bad_request("BXNIM0102E", "Unable to parse the request: property missing or empty: grant_type")
    })?;
    let now = state.app.clock.real_seconds();
    let identity = identity(state, &form, grant_type, now).await?;
    let issued = state.app.tokens.issue(&state.app.vault, &identity, grant_type, now).map_err(GrantRefusal::from)?;
    let delegated = grant_type == API_KEY
        && form
            .get("response_type")
            .is_some_and(|wanted| wanted.split(' ').any(|part| part == "delegated_refresh_token"));
    Ok(if delegated { Granted::Delegated(issued) } else { Granted::Token(issued) })
}

async fn identity(state: &State, form: &Form, grant_type: &str, now: i64) -> Result<Identity, TokenError> {
    match grant_type {
        API_KEY => Ok(state.app.identity_of_api_key(form.required("apikey")?).await?),
        REFRESH => Ok(state.app.identity_of_refresh(form.required("refresh_token")?, now)?),
        COMPUTE_RESOURCE => {
            form.required("cr_token")?;
            profile(state, form)
        }
        ASSUME => {
            state.app.identity_of_access_token(form.required("access_token")?, now)?;
            assumed_profile(state, form)
        }
        SERVICE => {
            state.app.identity_of_access_token(form.required("access_token")?, now)?;
            Ok(state.app.identity_of_service(form.required("desired_iam_id")?)?)
        }
        _ => Err(TokenError::bad_request("BXNIM0102E", "The grant_type is not supported")),
    }
}

fn profile(state: &State, form: &Form) -> Result<Identity, TokenError> {
    let given = ["profile_id", "profile_name"];
    let found = given.into_iter().find_map(|field| form.get(field).map(|value| (field, value)));
    let (field, value) = found.ok_or_else(|| {
        TokenError::bad_request("BXNIM0109E", "Property missing or empty: profile_id or profile_name")
    })?;
    Ok(state.app.identity_of_profile(field, value)?)
}

/// A profile may also be named by its CRN; its name is one within an account.
fn assumed_profile(state: &State, form: &Form) -> Result<Identity, TokenError> {
    if form.get("profile_id").is_some() {
        return profile(state, form);
    }
    if let Some(crn) = form.get("profile_crn") {
        return Ok(state.app.identity_of_profile("profile_crn", Tokens::profile_of_crn(crn)?)?);
    }
    if form.get("profile_name").is_some() {
        Tokens::require_own_account(form.required("account")?)?;
    }
    profile(state, form)
}

fn unreadable(reason: &Reason) -> TokenError {
    let row = reason.row();
    let status = actix_web::http::StatusCode::from_u16(row.status).unwrap_or(actix_web::http::StatusCode::BAD_REQUEST);
    TokenError { status, code: "BXNIM0102E", message: "Unable to read the request".to_owned() }
}
