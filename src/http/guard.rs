//! What every request passes first: no tunnels; offers of other protocols are left; the watchdog is told; a line is
//! logged from `debug` on.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use actix_web::Error;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{HeaderMap, UPGRADE};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::web::Data;
use futures_util::future::{Either, LocalBoxFuture};
use pin_project_lite::pin_project;
use tracing::debug;

use crate::clock;
use crate::domain::reason::Reason;
use crate::http::admin::errors::AdminError;
use crate::http::holding::Holding;
use crate::http::key_protect::entry;
use crate::http::metrics;
use crate::http::state::State;
use crate::http::watchdog::{Connection, UnderWay};

/// Where operations on keys are.
const KEYS: &str = "/api/v2";

/// Bytes of a reply from which on the watchdog is told when it has been sent, not when it is ready.
const LONG_REPLY_BYTES: u64 = 64 * 1024;

/// The check, around all routes of a port.
pub(crate) struct Guard;

impl<S> Transform<S, ServiceRequest> for Guard
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error> + 'static,
{
    type Response = ServiceResponse;
    type Error = Error;
    type Transform = Guarded<S>;
    type InitError = ();
    type Future = Ready<Result<Guarded<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(Guarded { inner }))
    }
}

/// The routes behind the check.
pub(crate) struct Guarded<S> {
    inner: S,
}

impl<S> Service<ServiceRequest> for Guarded<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error> + 'static,
{
    type Response = ServiceResponse;
    type Error = Error;
    /// What neither is refused nor counted here, as wraps, goes without a box.
    type Future = Either<Watched<S::Future>, LocalBoxFuture<'static, Result<ServiceResponse, Error>>>;

    forward_ready!(inner);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let under_way = request.conn_data::<Arc<Connection>>().map(Connection::begin);
        let offer = request.headers().contains_key(UPGRADE);
        if let Some((state, reason)) = refusal(&request, offer) {
            return Either::Right(Box::pin(async move {
                let _under_way = under_way;
                Ok(refuse(request, state, reason).await)
            }));
        }
        // Operations on keys count themselves.
        let counted = !request.path().starts_with(KEYS);
        if !counted && !offer && !tracing::enabled!(tracing::Level::DEBUG) {
            return Either::Left(Watched { inner: self.inner.call(request), under_way });
        }
        let stopwatch = clock::stopwatch();
        let state = request.app_data::<Data<State>>().filter(|_| counted).cloned();
        let (method, path) = (request.method().clone(), request.path().to_owned());
        let answer = self.inner.call(request);
        Either::Right(Box::pin(async move {
            let mut response = held(answer.await?, under_way);
            if offer {
                // Else actix would repeat the word `upgrade`, as if the offer were taken.
                response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
            }
            let (status, took) = (response.status().as_u16(), stopwatch.elapsed());
            debug!(%method, path, status, micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX), "answered");
            if let Some(state) = state {
                metrics::count(&state, method.as_str(), &path, status, took);
            }
            Ok(response)
        }))
    }
}

pin_project! {
    /// An answer in the making, of which the watchdog knows.
    pub(crate) struct Watched<F> {
        #[pin]
        inner: F,
        under_way: Option<UnderWay>,
    }
}

impl<F: Future<Output = Result<ServiceResponse, Error>>> Future for Watched<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.inner.poll(cx).map_ok(|response| held(response, this.under_way.take()))
    }
}

/// Keeps a long reply under way until it has been sent. Source: `docs/contract/reliability.md` T-20: a connection is idle
/// once that is so.
fn held(response: ServiceResponse, under_way: Option<UnderWay>) -> ServiceResponse {
    let long = match response.response().body().size() {
        BodySize::None => false,
        BodySize::Sized(bytes) => bytes >= LONG_REPLY_BYTES,
        BodySize::Stream => true,
    };
    if long { response.map_body(|_, body| BoxBody::new(Holding::new(body, under_way))) } else { response }
}

/// Why a request is not let in. The gateway's port has no state here and decides for itself.
/// Source: `docs/contract/reliability.md` T-23: actix would turn these into a body without end.
fn refusal(request: &ServiceRequest, offer: bool) -> Option<(Data<State>, Reason)> {
    let reason = if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        Reason::MethodNotAllowed
    } else if offer && asks_for_a_websocket(request.headers()) {
        Reason::UpgradeRefused
    } else {
        return None;
    };
    Some((request.app_data::<Data<State>>()?.clone(), reason))
}

/// True for an upgrade that makes a tunnel. Any other, as `h2c`, is an offer that may be left. Source: RFC 9110, 7.8.
pub(crate) fn asks_for_a_websocket(headers: &HeaderMap) -> bool {
    let is_one = |protocol: &str| protocol.trim().eq_ignore_ascii_case("websocket");
    headers.get_all(UPGRADE).filter_map(|value| value.to_str().ok()).any(|value| value.split(',').any(is_one))
}

async fn refuse(request: ServiceRequest, state: Data<State>, reason: Reason) -> ServiceResponse {
    let mut response = if request.path().starts_with(KEYS) {
        entry::refuse_unread(request.request(), &state, reason).await
    } else {
        let row = reason.row();
        let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::BAD_REQUEST);
        AdminError::plain(status, "bad_request", row.message).render()
    };
    response.head_mut().set_connection_type(ConnectionType::Close);
    metrics::count(&state, request.method().as_str(), request.path(), response.status().as_u16(), Duration::ZERO);
    request.into_response(response)
}
