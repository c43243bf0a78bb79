//! What every request passes first: no tunnels, no upgrades; the watchdog is told; a line is logged from `debug`
//! on.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::UPGRADE;
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpResponse};
use tracing::debug;

use crate::clock;
use crate::domain::reason::Reason;
use crate::http::admin::errors::AdminError;
use crate::http::holding::Holding;
use crate::http::key_protect::entry;
use crate::http::metrics;
use crate::http::state::State;
use crate::http::watchdog::Connection;

/// Where operations on keys are.
const KEYS: &str = "/api/v2";

/// Bytes of a reply from which on the watchdog is told when it has been sent, not when it is ready.
const LONG_REPLY_BYTES: u64 = 64 * 1024;

/// Source: `docs/contract/reliability.md` T-20: a connection is idle once its reply has been sent.
pub(crate) async fn check(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    let under_way = request.conn_data::<Arc<Connection>>().map(Connection::begin);
    let response = pass(request, next).await?;
    let long = match response.response().body().size() {
        BodySize::None => false,
        BodySize::Sized(bytes) => bytes >= LONG_REPLY_BYTES,
        BodySize::Stream => true,
    };
    Ok(if long { response.map_body(|_, body| BoxBody::new(Holding::new(body, under_way))) } else { response })
}

/// Source: `docs/contract/reliability.md` T-23: actix would turn these into a body without end.
async fn pass(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    if let Some(refusal) = refuse(&request).await {
        if let Some(state) = request.app_data::<Data<State>>() {
            metrics::count(state, request.method().as_str(), request.path(), refusal.status().as_u16(), Duration::ZERO);
        }
        return Ok(request.into_response(refusal));
    }
    // Operations on keys count themselves.
    let counted = !request.path().starts_with(KEYS);
    if !counted && !tracing::enabled!(tracing::Level::DEBUG) {
        return next.call(request).await;
    }
    let stopwatch = clock::stopwatch();
    let state = request.app_data::<Data<State>>().filter(|_| counted).cloned();
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let response = next.call(request).await?;
    let (status, took) = (response.status().as_u16(), stopwatch.elapsed());
    debug!(%method, path, status, micros = took.as_micros(), "answered");
    if let Some(state) = state {
        metrics::count(&state, method.as_str(), &path, status, took);
    }
    Ok(response)
}

async fn refuse(request: &ServiceRequest) -> Option<HttpResponse> {
    let reason = if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        Reason::MethodNotAllowed
    } else if request.headers().contains_key(UPGRADE) {
        Reason::UpgradeRefused
    } else {
        return None;
    };
    let state = request.app_data::<Data<State>>()?;
    let mut response = if request.path().starts_with(KEYS) {
        entry::refuse_unread(request.request(), state, reason).await
    } else {
        let row = reason.row();
        let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::BAD_REQUEST);
        AdminError::plain(status, "bad_request", row.message).render()
    };
    response.head_mut().set_connection_type(ConnectionType::Close);
    Some(response)
}
