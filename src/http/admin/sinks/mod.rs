//! `/mock/sinks`: built-in receivers to point webhooks at.

pub(crate) mod basin;
mod script;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, RETRY_AFTER};
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::app::error::Error;
use crate::http::admin::errors::AdminError;
use crate::http::admin::parameters::{ListControl, members, only_known, unreadable};
use crate::http::body;
use crate::http::panics;
use crate::http::query::Query;
use crate::http::state::State;
use crate::http::watchdog::Connection;

use self::basin::{MakeRefusal, Receipt, SINKS_MAX, View};
use self::script::{Ending, Script};

/// Characters of a sink's name.
const NAME_CHARACTERS_MAX: usize = 64;

/// `POST /mock/sinks/{name}`
pub(crate) async fn make(
    request: HttpRequest,
    payload: Payload,
    name: Path<String>,
    state: Data<State>,
) -> HttpResponse {
    respond(StatusCode::CREATED, async {
        members(&request, payload, &[]).await?;
        check_name(&name)?;
        let token: [u8; 16] = state.app.vault.random.array().map_err(|fault| AdminError::from(Error::Crypto(fault)))?;
        let made = state.sinks.make(&name, hex::encode(token)).map_err(|refusal| match refusal {
            MakeRefusal::Taken => AdminError {
                path: Some("name".to_owned()),
                ..AdminError::plain(StatusCode::CONFLICT, "taken", "there is a sink of this name; delete it first")
            },
            MakeRefusal::Full => {
                AdminError::impossible("name", format!("there are {SINKS_MAX} sinks; delete some first"))
            }
        })?;
        Ok(render(&state, &name, &made))
    })
    .await
}

/// `GET /mock/sinks/{name}`
pub(crate) async fn show(request: HttpRequest, name: Path<String>, state: Data<State>) -> HttpResponse {
    respond(StatusCode::OK, async {
        let query = Query::of(&request);
        only_known(&query, &["min", "wait"])?;
        let control = ListControl::of(&query)?;
        let found = match state.held(state.sinks.look(&name, control.least, control.wait)).await {
            Some(found) => found,
            None => state.sinks.look(&name, control.least, Duration::ZERO).await,
        };
        Ok(render(&state, &name, &found.ok_or_else(unknown)?))
    })
    .await
}

/// `DELETE /mock/sinks/{name}`
pub(crate) async fn remove(name: Path<String>, state: Data<State>) -> HttpResponse {
    if state.sinks.remove(&name) { HttpResponse::NoContent().finish() } else { unknown().render() }
}

/// `PUT /mock/sinks/{name}/script`
pub(crate) async fn direct(
    request: HttpRequest,
    payload: Payload,
    name: Path<String>,
    state: Data<State>,
) -> HttpResponse {
    respond(StatusCode::OK, async {
        let members = members(&request, payload, &["replies"]).await?;
        let replies = members.get("replies").ok_or_else(|| AdminError::bad_field("replies", "is needed"))?;
        let directed = state.sinks.direct(&name, Script::read(replies)?);
        Ok(render(&state, &name, &directed.ok_or_else(unknown)?))
    })
    .await
}

/// Where a sink's requests arrive. Its address is all that a sender needs to know.
pub(crate) async fn receive(
    request: HttpRequest,
    payload: Payload,
    address: Path<(String, String)>,
    state: Data<State>,
) -> HttpResponse {
    let body = match body::read(&request, payload).await {
        Ok(body) => body,
        Err(reason) => return unreadable(&reason).render(),
    };
    let (name, token) = address.into_inner();
    // What is due is not looked at: it may be what sends this request, and waits for its reply.
    let at = state.app.clock.now();
    let receipt = Receipt { at, status: None, headers: headers(request.headers()), body };
    let Some(answer) = state.sinks.receive(&name, &token, receipt) else { return unknown().render() };
    hold(answer.delay).await;
    if answer.ending == Ending::Dropped
        && let Some(connection) = request.conn_data::<Arc<Connection>>()
    {
        connection.end();
    }
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut reply = HttpResponse::build(status);
    if let Some(seconds) = answer.retry_after {
        reply.insert_header((RETRY_AFTER, seconds));
    }
    reply.finish()
}

/// Lets real time pass.
async fn hold(delay: Duration) {
    if !delay.is_zero() {
        drop(tokio::time::timeout(delay, std::future::pending::<()>()).await);
    }
}

fn headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut told: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        told.entry(name.as_str().to_owned())
            .and_modify(|all| {
                all.push_str(", ");
                all.push_str(&value);
            })
            .or_insert_with(|| value.clone().into_owned());
    }
    told
}

fn check_name(name: &str) -> Result<(), AdminError> {
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if letters && (1..=NAME_CHARACTERS_MAX).contains(&name.len()) {
        return Ok(());
    }
    let rule = format!("must be 1 to {NAME_CHARACTERS_MAX} letters, digits, hyphens, underscores or dots");
    Err(AdminError::impossible("name", rule))
}

fn unknown() -> AdminError {
    AdminError::plain(StatusCode::NOT_FOUND, "not_found", "there is no sink of this name; POST makes one")
}

fn render(state: &State, name: &str, sink: &View) -> Value {
    let received: Vec<Value> = sink
        .received
        .iter()
        .map(|receipt| {
            let raw = String::from_utf8_lossy(&receipt.body);
            let body: Value = serde_json::from_slice(&receipt.body).unwrap_or_else(|_| json!(raw));
            json!({
                "at": receipt.at.rfc3339_exact(), "status": receipt.status, "headers": receipt.headers, "body": body,
                "raw": raw,
            })
        })
        .collect();
    let address = |base: &String| format!("{base}/mock/sinks/{name}/hook-{}", sink.token);
    json!({
        "name": name,
        "url": address(&state.info.url),
        "tlsUrl": state.info.tls_url.as_ref().map(address),
        "script": sink.script,
        "received": received,
        "total": sink.total,
    })
}

async fn respond(status: StatusCode, answer: impl Future<Output = Result<Value, AdminError>>) -> HttpResponse {
    match panics::caught(answer).await {
        Some(Ok(body)) => HttpResponse::build(status).json(body),
        Some(Err(error)) => error.render(),
        None => {
            AdminError::plain(StatusCode::INTERNAL_SERVER_ERROR, "fault", "the request could not be completed").render()
        }
    }
}
