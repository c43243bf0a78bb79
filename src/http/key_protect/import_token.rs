//! Import tokens. Source: `docs/contract/keys.md` 13; replies have no envelope.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Number, Value};

use crate::app::import_token::{create as create_token, retrieve};
use crate::crypto::base64;
use crate::domain::import_token::{
    EXPIRATION_SECONDS, EXPIRATION_SECONDS_DEFAULT, ImportToken, RETRIEVALS, RETRIEVALS_DEFAULT, Wanted,
};
use crate::domain::operation::Operation;
use crate::domain::reason::Reason;
use crate::http::json;
use crate::http::json::Fields;
use crate::http::key_protect::entry::{enter, enter_with_body};
use crate::http::key_protect::envelope::{self, IMPORT_TOKEN};
use crate::http::state::State;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenBody {
    creation_date: String,
    expiration_date: String,
    max_allowed_retrievals: i64,
    remaining_retrievals: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
}

/// `POST /import_token`: 200, not 201.
pub(crate) async fn create(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    enter_with_body(&request, Some(payload), &state, Operation::CreateImportToken, async |cx, bytes| {
        let token = create_token(&state.app, cx, wanted(&bytes)).await?;
        Ok(envelope::reply(StatusCode::OK, IMPORT_TOKEN, &render(&token)))
    })
    .await
}

/// `GET /import_token`
pub(crate) async fn get(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::GetImportToken, async |cx| {
        let token = retrieve(&state.app, cx).await?;
        let payload = Some(base64::encode(&token.public_key));
        let body = TokenBody { payload, nonce: Some(base64::encode(token.challenge)), ..render(&token) };
        Ok(envelope::reply(StatusCode::OK, IMPORT_TOKEN, &body))
    })
    .await
}

fn render(token: &ImportToken) -> TokenBody {
    TokenBody {
        creation_date: token.created_at.rfc3339(),
        expiration_date: token.expires_at.rfc3339(),
        max_allowed_retrievals: token.retrievals_max,
        remaining_retrievals: token.retrievals_left,
        payload: None,
        nonce: None,
    }
}

fn wanted(bytes: &[u8]) -> Result<Wanted, Reason> {
    let fields = json::parse(bytes)?.or_empty();
    let seconds =
        number(&fields, "expiration", "expiration", "an integer between 300 and 86400 (inclusive)", |seconds| {
            EXPIRATION_SECONDS.contains(seconds)
        })?;
    let retrievals = number(
        &fields,
        "maxallowedretrievals",
        "maxAllowedRetrievals",
        "an integer between 1 and 500 (inclusive)",
        |retrievals| RETRIEVALS.contains(retrievals),
    )?;
    let seconds = seconds.unwrap_or(EXPIRATION_SECONDS_DEFAULT);
    let lifetime = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    Ok(Wanted { lifetime, retrievals: retrievals.unwrap_or(RETRIEVALS_DEFAULT) })
}

/// A whole number, `600.0` too: the Java SDK's types are floating.
fn whole(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let text = number.to_string();
        text.strip_suffix(".0").and_then(|whole| whole.parse().ok())
    })
}

fn number(
    fields: &Fields,
    member: &str,
    name: &'static str,
    rule: &'static str,
    fits: impl Fn(&i64) -> bool,
) -> Result<Option<i64>, Reason> {
    let Some(value) = fields.get(member) else { return Ok(None) };
    let number = if let Value::Number(number) = value { whole(number).filter(fits) } else { None };
    number.map(Some).ok_or_else(|| Reason::field(name, rule))
}
