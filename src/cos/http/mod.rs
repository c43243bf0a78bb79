//! The wire of the gateway: S3 over HTTP/1.1, by hand. Credentials, then the bucket, then what is asked for.

mod acl;
mod address;
mod body;
mod buckets;
mod call;
mod chunked;
#[cfg(test)]
mod chunked_tests;
mod configuration;
mod copy;
mod credentials;
mod deletion;
mod headers;
mod holds;
mod key_events;
mod listing;
mod multipart;
mod objects;
mod protection;
mod query;
mod reply;
mod route;
pub(crate) mod server;
mod tagging;
mod upload;
mod v2;
mod v4;
#[cfg(test)]
mod v4_tests;
mod xml;

use std::cell::Cell;
use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use actix_web::http::{ConnectionType, Method};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use tracing::{debug, error};

use crate::app::metrics::Api;
use crate::app::time;
use crate::clock;
use crate::cos::app::CosApp;
use crate::cos::app::error::Error;
use crate::cos::app::request::Request;
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::http::address::Address;
use crate::cos::http::body::Body;
use crate::cos::http::call::Call;
use crate::cos::http::query::Query;
use crate::cos::http::route::Operation;
use crate::http::guard;
use crate::http::holding::Holding;
use crate::http::panics;

pub(crate) use crate::cos::http::key_events::PATH as KEY_EVENTS;

/// What requests are called that ask for nothing that is known.
const OTHER: &str = "other";
/// The intake of life cycle events. Source: `docs/contract/interface.md` 3.1.
const KEY_EVENT: &str = "KeyEvent";
const CONFIGURATION: &str = "ResourceConfiguration";

/// What every request can reach.
pub(crate) struct Gateway {
    pub(crate) cos: Arc<CosApp>,
}

/// Answers any request on the port. What has begun goes on when the client hangs up: memory and files have to follow what
/// is in the store by then.
async fn answer(request: HttpRequest, payload: Payload, gateway: Data<Gateway>) -> HttpResponse {
    let answered = actix_web::rt::spawn(carry_out(request, payload, gateway)).await;
    answered.unwrap_or_else(|_| HttpResponse::InternalServerError().finish())
}

async fn carry_out(request: HttpRequest, payload: Payload, gateway: Data<Gateway>) -> HttpResponse {
    let stopwatch = clock::stopwatch();
    let asked = Cell::new(OTHER);
    let body = Body::new(payload, announces_nothing(&request));
    let id = gateway.cos.app.vault.random.array().map(uuid::Builder::from_random_bytes);
    let id = id.map(|id| id.into_uuid().to_string()).unwrap_or_default();
    // Below `.localhost` the whole path is an object's key.
    let host = headers::text(request.headers(), HOST.as_str()).unwrap_or_default();
    let own = address::bucket_of_host(&host).is_none();
    let mut response = if own && request.path() == KEY_EVENTS {
        asked.set(KEY_EVENT);
        key_events::answer(&gateway.cos, &request, &body).await
    } else if own && request.path().starts_with(configuration::PREFIX) {
        asked.set(CONFIGURATION);
        configuration::answer(&gateway.cos, &request, &body, &id).await
    } else {
        let outcome = panics::caught(run(&gateway.cos, &request, &body, &id, &asked)).await;
        let outcome = outcome.unwrap_or_else(|| Err(Code::InternalError.into()));
        outcome.unwrap_or_else(|failure| {
            log(&failure);
            reply::refused(&request, &failure.refusal(), &id)
        })
    };
    if !body.has_ended() {
        // What is left of the body would be taken for the next request.
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    reply::sign(&mut response, &id);
    let status = response.status().as_u16();
    gateway.cos.app.metrics.answered(Api::Cos, asked.get(), status, stopwatch.elapsed());
    match body.into_silent() {
        // For as long as somebody holds what is left of a body, the server does not wait for the rest.
        Some(payload) => response.map_body(|_, reply| BoxBody::new(Holding::new(reply, payload))),
        None => response,
    }
}

async fn run(
    cos: &CosApp,
    request: &HttpRequest,
    body: &Body,
    id: &str,
    asked: &Cell<&'static str>,
) -> Result<HttpResponse, Error> {
    refuse_tunnels(request)?;
    let address = address_of(request)?;
    let query = Query::parse(request.query_string())?;
    let found = credentials::find(&cos.app, request, &query, &address, body.clone()).await?;
    if let Some(bytes) = found.body {
        body.put_back(bytes);
    }
    let copies = request.headers().contains_key(copy::SOURCE);
    let operation = route::operation(request.method(), &address, &query, copies)?;
    asked.set(operation.name());
    headers::refuse_clients_keys(request.headers())?;
    debug!(operation = operation.name(), id, "asked");
    let cx = Request {
        now: time::present(&cos.app).await,
        id: id.to_owned(),
        caller: found.caller,
        instance: found.instance,
        bound_to: found.bound_to,
        uri: uri_of(request),
        peer: request.peer_addr().map(|peer| peer.ip()),
    };
    let call = Call { cos, request, query: &query, address: &address, cx, body: body.clone(), chain: found.chain };
    perform(operation, call).await
}

async fn perform(operation: Operation, mut call: Call<'_>) -> Result<HttpResponse, Error> {
    match operation {
        Operation::ListBuckets => buckets::list(call).await,
        Operation::CreateBucket => buckets::create(call).await,
        Operation::HeadBucket => buckets::head(&call).await,
        Operation::DeleteBucket => buckets::delete(&call).await,
        Operation::GetBucketLocation => buckets::location(&call).await,
        Operation::GetBucketVersioning => buckets::versioning(&call).await,
        Operation::PutBucketVersioning => buckets::set_versioning(call).await,
        Operation::GetAbsentConfiguration => buckets::absent(&call).await,
        Operation::PutAbsentConfiguration => buckets::set_absent(&call).await,
        Operation::GetBucketAcl | Operation::GetObjectAcl => acl::get(&call).await,
        Operation::PutBucketAcl | Operation::PutObjectAcl => acl::put(call).await,
        Operation::GetBucketProtectionConfiguration => protection::get(&call).await,
        Operation::PutBucketProtectionConfiguration => protection::put(call).await,
        Operation::ListObjects => listing::first(&call).await,
        Operation::ListObjectsV2 => listing::second(&call).await,
        Operation::ListMultipartUploads => multipart::list_uploads(&call).await,
        Operation::DeleteObjects => deletion::several(call).await,
        Operation::DeleteObject => deletion::one(&call).await,
        Operation::PutObject => upload::put(call).await,
        Operation::CopyObject => copy::object(&call).await,
        Operation::GetObject => objects::get(&call).await,
        Operation::HeadObject => objects::head(&call).await,
        Operation::GetObjectTagging => tagging::get(&call).await,
        Operation::PutObjectTagging => tagging::put(call).await,
        Operation::DeleteObjectTagging => tagging::delete(&call).await,
        Operation::ListLegalHolds => holds::list(&call).await,
        Operation::ChangeLegalHold => holds::change(&call).await,
        Operation::ExtendObjectRetention => holds::extend(&call).await,
        Operation::CreateMultipartUpload => multipart::start(&call).await,
        Operation::UploadPart => multipart::put_part(&mut call).await,
        Operation::UploadPartCopy => copy::part(&call).await,
        Operation::ListParts => multipart::list_parts(&call).await,
        Operation::CompleteMultipartUpload => multipart::complete(call).await,
        Operation::AbortMultipartUpload => multipart::abort(&call).await,
    }
}

/// The path with what may be shown of the query.
fn uri_of(request: &HttpRequest) -> String {
    let shown = Query::shown(request.query_string());
    let separator = if shown.is_empty() { "" } else { "?" };
    format!("{}{separator}{shown}", request.uri().path())
}

/// Logs what is a fault of ours; a refusal is the client's matter.
fn log(failure: &Error) {
    if failure.is_fault() {
        error!(%failure, "the gateway failed");
    }
}

fn address_of(request: &HttpRequest) -> Result<Address, Refusal> {
    let host = headers::text(request.headers(), HOST.as_str()).unwrap_or_default();
    Address::parse(&host, request.uri().path())
}

/// Source: `docs/contract/reliability.md` T-23: actix would turn these into a body without end.
fn refuse_tunnels(request: &HttpRequest) -> Result<(), Refusal> {
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        return Err(Code::MethodNotAllowed.into());
    }
    if guard::asks_for_a_websocket(request.headers()) {
        return Err(Refusal::new(Code::InvalidRequest, "The protocol cannot be upgraded."));
    }
    Ok(())
}

/// True for a request that has no body.
fn announces_nothing(request: &HttpRequest) -> bool {
    let length = headers::text(request.headers(), CONTENT_LENGTH.as_str());
    !request.headers().contains_key(TRANSFER_ENCODING) && length.is_none_or(|length| length == "0")
}
