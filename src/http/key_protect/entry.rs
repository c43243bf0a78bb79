//! The way into each operation: correlation id, caller, instance, then the use case; and the record of what it refused.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::http::header::{HOST, HeaderName, HeaderValue};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use tracing::debug;

use crate::app::delete_key::Reply;
use crate::app::error::Error;
use crate::app::lookup;
use crate::clock::RealTime;
use crate::domain::alias::KeyRef;
use crate::domain::audit::{Detail, Initiator, Record, Side, Target};
use crate::domain::caller::Caller;
use crate::domain::context::{Context, RingScope, Trace};
use crate::domain::id::{InstanceId, KeyId};
use crate::domain::instance::Instance;
use crate::domain::instance_policy::network::{Endpoint, Route};
use crate::domain::operation::{Family, Operation};
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;
use crate::http::key_protect::envelope::{self, Refusal};
use crate::http::state::State;
use crate::http::{auth, body, panics};

const CORRELATION_ID: HeaderName = HeaderName::from_static("correlation-id");
const INSTANCE: HeaderName = HeaderName::from_static("bluemix-instance");
const RING: HeaderName = HeaderName::from_static("x-kms-key-ring");
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Bytes of path and query that records keep.
const URI_BYTES_MAX: usize = 2_048;
/// Characters of a correlation id that are echoed (ASSUMED).
const CORRELATION_CHARACTERS_MAX: usize = 256;

/// Runs an operation that reads no body, for whoever may call it.
pub(crate) async fn enter<F>(request: &HttpRequest, state: &State, operation: Operation, run: F) -> HttpResponse
where
    F: AsyncFnOnce(Arc<Context>) -> Result<HttpResponse, Error>,
{
    enter_with_body(request, None, state, operation, async |cx, _| run(cx).await).await
}

/// Runs an operation for whoever may call it, once its body is there. The clock is read after that: a slow body does not
/// make a change any older.
pub(crate) async fn enter_with_body<F>(
    request: &HttpRequest,
    payload: Option<Payload>,
    state: &State,
    operation: Operation,
    run: F,
) -> HttpResponse
where
    F: AsyncFnOnce(Arc<Context>, Bytes) -> Result<HttpResponse, Error>,
{
    let began = state.app.clock.real();
    let response = answer(request, payload, state, operation, began, run).await;
    let took = state.app.clock.real().since(began);
    state.app.metrics.served(operation, response.status().as_u16(), took);
    response
}

async fn answer<F>(
    request: &HttpRequest,
    payload: Option<Payload>,
    state: &State,
    operation: Operation,
    began: RealTime,
    run: F,
) -> HttpResponse
where
    F: AsyncFnOnce(Arc<Context>, Bytes) -> Result<HttpResponse, Error>,
{
    let (trace, correlation) = trace(request, state);
    let identified = match identify(request, state, began) {
        Ok((caller, instance)) => match admit(request, payload, operation, &caller, &instance).await {
            Ok(bytes) => Ok((caller, instance, bytes)),
            Err(reason) => Err(Unidentified { caller: Some(caller), reason }),
        },
        Err(refused) => Err(refused),
    };
    let now = state.now().await;
    let (caller, instance, bytes) = match identified {
        Ok(identified) => identified,
        Err(refused) => {
            let response = Box::pin(turn_away(request, state, operation, now, &trace, &refused)).await;
            return with_correlation(response, correlation);
        }
    };
    let rights = state.app.rights(&caller, &instance);
    let cx = Arc::new(Context { now, caller, rights, instance, operation, ring: ring(request), trace });
    // Boxed: the future of this function, which actix moves about, stays small.
    let response = match panics::caught(Box::pin(run(Arc::clone(&cx), bytes))).await {
        Some(Ok(response)) => response,
        failed => Box::pin(fail(request, state, &cx, failed.and_then(Result::err))).await,
    };
    with_correlation(response, correlation)
}

/// Answers a request that nobody may have made, and records that.
async fn turn_away(
    request: &HttpRequest,
    state: &State,
    operation: Operation,
    now: Timestamp,
    trace: &Trace,
    refused: &Unidentified,
) -> HttpResponse {
    let refusal = envelope::refuse(operation, &refused.reason.clone().into());
    debug!(operation = operation.row().id, status = refusal.status, why = refused.why(), "not let in");
    let record = record_unidentified(request, state, operation, now, trace, refused, &refusal);
    state.app.note(record).await;
    refusal.response
}

/// Answers what a use case refused, or a panic where there is no error, and records it.
async fn fail(request: &HttpRequest, state: &State, cx: &Context, failure: Option<Error>) -> HttpResponse {
    let refusal = match failure {
        Some(failure) => envelope::refuse(named_operation(request, cx.operation, &failure), &failure),
        None => envelope::render_fault(500),
    };
    let mut record = Record::of(cx, recorded(refusal.status));
    record.failure.clone_from(&refusal.text);
    record.target.key = named_key(request);
    if key_text(request).is_some()
        && let Some((key, name)) = lookup::target(&state.app, cx.instance.id, key_ref(request)).await
    {
        record.target = Target { key: Some(key), name, ..record.target };
    }
    debug!(operation = cx.operation.row().id, status = refusal.status, why = refusal.text, "refused");
    state.app.note(record).await;
    refusal.response
}

/// The status that a record tells. Source: docs, at-events: 401 for forbidden requests too.
fn recorded(status: u16) -> u16 {
    if status == 403 { 401 } else { status }
}

/// The instance's network policies have their say before anything of the body is read.
async fn admit(
    request: &HttpRequest,
    payload: Option<Payload>,
    operation: Operation,
    caller: &Caller,
    instance: &Instance,
) -> Result<Bytes, Reason> {
    if !instance.policies.is_empty() {
        let route = Route { endpoint: endpoint(request), peer: request.peer_addr().map(|peer| peer.ip()) };
        instance.policies.allow_request(caller, operation, route)?;
    }
    match payload {
        None => Ok(Bytes::new()),
        Some(payload) => body::read(request, payload).await,
    }
}

/// The operation that `errorMsg` names: the legacy form without a body does not say which one it was. Source: docs,
/// error-messages.
fn named_operation(request: &HttpRequest, operation: Operation, failure: &Error) -> Operation {
    let path = request.match_info();
    let legacy = path.get("id").is_some() && path.get("action").is_none() && request.method() == Method::POST;
    let bodiless = matches!(failure, Error::Refused(Reason::NoBody));
    if legacy && bodiless { Operation::UnknownAction } else { operation }
}

/// Refuses a request before anything of it is read: it asks for a tunnel or for another protocol.
pub(crate) async fn refuse_unread(request: &HttpRequest, state: &State, reason: Reason) -> HttpResponse {
    let operation = Operation::Unrouted(Family::of(request.path()));
    let (trace, correlation) = trace(request, state);
    let refused = Unidentified { caller: None, reason };
    let response = turn_away(request, state, operation, state.now().await, &trace, &refused).await;
    with_correlation(response, correlation)
}

/// A path that the API does not have.
pub(crate) async fn unknown_path(request: HttpRequest, _: Payload, state: Data<State>) -> HttpResponse {
    unrouted(&request, &state, Reason::UnknownPath).await
}

/// A method that the path does not have.
pub(crate) async fn wrong_method(request: HttpRequest, _: Payload, state: Data<State>) -> HttpResponse {
    unrouted(&request, &state, Reason::MethodNotAllowed).await
}

async fn unrouted(request: &HttpRequest, state: &State, reason: Reason) -> HttpResponse {
    let operation = Operation::Unrouted(Family::of(request.path()));
    enter(request, state, operation, async |_| Err(reason.into())).await
}

/// The key that the path names.
pub(crate) fn key_ref(request: &HttpRequest) -> KeyRef {
    KeyRef::parse(key_text(request).unwrap_or_default())
}

/// Id and action of `/{id}/actions/{wrap, unwrap or rewrap}`.
pub(crate) fn of_data_plane(path: &str) -> Option<(&str, &str)> {
    // From its end, which compares a few bytes, where to look for a slash would be to read them all.
    let is_end = |action: &&&str| path.strip_suffix(**action).is_some_and(|path| path.ends_with('/'));
    let action = ["unwrap", "rewrap", "wrap"].iter().find(is_end)?;
    let id = path.strip_suffix(action)?.strip_suffix("/actions/")?.strip_prefix('/')?;
    (!id.is_empty() && !id.as_bytes().contains(&b'/')).then_some((id, action))
}

/// The path's part for the key, from its pattern or where there is none.
fn key_text(request: &HttpRequest) -> Option<&str> {
    let path = request.match_info();
    path.get("id").or_else(|| of_data_plane(path.unprocessed()).map(|(id, _)| id))
}

/// The path's part for the action, likewise.
pub(crate) fn action_text(request: &HttpRequest) -> Option<&str> {
    let path = request.match_info();
    path.get("action").or_else(|| of_data_plane(path.unprocessed()).map(|(_, action)| action))
}

/// How the caller wants a change to be answered.
pub(crate) fn reply_wanted(request: &HttpRequest) -> Reply {
    if wants_representation(request) { Reply::Representation } else { Reply::Minimal }
}

/// What `prefer` asks for; other values than the two are ignored (ASSUMED).
pub(crate) fn wants_representation(request: &HttpRequest) -> bool {
    let mut preferences = request.headers().get_all(PREFER).filter_map(|value| value.to_str().ok());
    preferences.any(|value| {
        value.split([',', ';']).any(|preference| preference.trim().eq_ignore_ascii_case("return=representation"))
    })
}

/// A refusal before the use case, with the caller where one was found.
struct Unidentified {
    caller: Option<Arc<Caller>>,
    reason: Reason,
}

impl Unidentified {
    /// What the caller is not told: the API answers all of these alike.
    fn why(&self) -> &'static str {
        match (&self.caller, &self.reason) {
            (None, Reason::BearerSubject) => "the Authorization header is no `Bearer` and one readable token",
            (None, _) => "no token, or one that is expired, of another service or not valid",
            (Some(_), Reason::Unauthorized) => {
                "no instance of this id in the caller's account, or none that may be called so"
            }
            (Some(_), _) => "the instance's header, its network policy or the body",
        }
    }
}

/// Source: `docs/contract/keys.md` 1, check order: authorization, then instance.
fn identify(
    request: &HttpRequest,
    state: &State,
    began: RealTime,
) -> Result<(Arc<Caller>, Arc<Instance>), Unidentified> {
    let caller = auth::caller_at(&state.app, request, began.seconds())
        .map_err(|reason| Unidentified { caller: None, reason })?;
    let header = request.headers().get(INSTANCE).and_then(|id| id.to_str().ok()).map(str::trim);
    let found = match header.and_then(InstanceId::parse) {
        None => Err(Reason::InstanceHeader),
        Some(id) => state.app.key_protect_instance(id, &caller).ok_or(Reason::Unauthorized),
    };
    match found {
        Ok(instance) => Ok((caller, instance)),
        Err(reason) => Err(Unidentified { caller: Some(caller), reason }),
    }
}

/// How to tell the request again, and the correlation id as the reply's header.
fn trace(request: &HttpRequest, state: &State) -> (Trace, HeaderValue) {
    let (correlation, header) = given_correlation(request).unwrap_or_else(|| made_correlation(state));
    let uri = request.uri().path_and_query().map_or("", |uri| uri.as_str());
    // Bytes of a URI are ASCII, so a cut never splits a character.
    let uri = uri.get(..URI_BYTES_MAX).unwrap_or(uri).to_owned();
    // Records of requests over the private network do not tell where they came from. Source: docs, at-events.
    let peer = match endpoint(request) {
        Endpoint::Public => request.peer_addr().map(|peer| peer.ip()),
        Endpoint::Private => None,
    };
    (Trace { correlation, uri, peer }, header)
}

fn endpoint(request: &HttpRequest) -> Endpoint {
    let header = || request.headers().get(HOST).and_then(|host| host.to_str().ok());
    Endpoint::of_host(request.uri().host().or_else(header).unwrap_or_default())
}

fn given_correlation(request: &HttpRequest) -> Option<(String, HeaderValue)> {
    let header = request.headers().get(CORRELATION_ID)?;
    let bytes = header.as_bytes();
    // Without a way out of the loop, so that it takes many bytes at a time.
    let graphic = bytes.iter().fold(true, |so_far, byte| so_far & byte.is_ascii_graphic());
    let fits = graphic && (1..=CORRELATION_CHARACTERS_MAX).contains(&bytes.len());
    let text = std::str::from_utf8(bytes).ok().filter(|_| fits)?;
    Some((text.to_owned(), header.clone()))
}

fn made_correlation(state: &State) -> (String, HeaderValue) {
    let bytes = state.app.vault.random.pooled().unwrap_or_default();
    let text = uuid::Builder::from_random_bytes(bytes).into_uuid().to_string();
    let header = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("none"));
    (text, header)
}

fn named_key(request: &HttpRequest) -> Option<KeyId> {
    key_text(request).and_then(KeyId::parse)
}

fn record_unidentified(
    request: &HttpRequest,
    state: &State,
    operation: Operation,
    now: Timestamp,
    trace: &Trace,
    refused: &Unidentified,
    refusal: &Refusal,
) -> Record {
    let row = operation.row();
    let initiator = match &refused.caller {
        Some(caller) => Initiator::of(&caller.identity, trace.peer),
        None => Initiator::unknown(trace.peer),
    };
    let instance_id = request.headers().get(INSTANCE).and_then(|id| id.to_str().ok()).and_then(InstanceId::parse);
    let instance = instance_id.and_then(|id| state.app.memory.instances.get(id));
    let details = ring(request).map(|ring| Detail::of_ring(Side::Request, ring.text()));
    Record {
        at: now.millis(),
        action: format!("kms.{}", row.audit),
        verb: row.message.to_owned(),
        status: recorded(refusal.status),
        failure: refusal.text.clone(),
        correlation: trace.correlation.clone(),
        initiator,
        instance_crn: instance.map(|instance| instance.crn()).unwrap_or_default(),
        instance_id: instance_id.map(|id| id.to_string()).unwrap_or_default(),
        uri: trace.uri.clone(),
        target: Target { key: named_key(request), ..Target::default() },
        details: details.into_iter().collect(),
    }
}

/// What `x-kms-key-ring` asks for. An empty header asks for nothing (ASSUMED).
fn ring(request: &HttpRequest) -> Option<RingScope> {
    let header = request.headers().get(RING).filter(|ring| !ring.is_empty())?;
    Some(RingScope::parse(&String::from_utf8_lossy(header.as_bytes())))
}

fn with_correlation(mut response: HttpResponse, correlation: HeaderValue) -> HttpResponse {
    response.headers_mut().insert(CORRELATION_ID, correlation);
    response
}

#[cfg(test)]
mod tests {
    use super::of_data_plane;

    #[test]
    fn wrap_unwrap_and_rewrap_of_one_segment_are_the_data_plane() {
        for action in ["wrap", "unwrap", "rewrap"] {
            assert_eq!(of_data_plane(&format!("/an-alias/actions/{action}")), Some(("an-alias", action)));
        }
        for other in ["/a/actions/rotate", "/a/actions/xwrap", "/actions/wrap", "//actions/wrap", "/a/b/actions/wrap"] {
            assert_eq!(of_data_plane(other), None, "{other}");
        }
        for other in ["a/actions/wrap", "/a/actions/wrap/", "/a/action/wrap", "/a/actionswrap", "/a/wrap", ""] {
            assert_eq!(of_data_plane(other), None, "{other}");
        }
    }
}
