//! Replies: the headers that all have, documents, and errors.

use actix_web::body::SizedStream;
use actix_web::http::header::{CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, RETRY_AFTER};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use bytes::Bytes;
use futures_util::stream;

use crate::cos::app::error::Error;
use crate::cos::domain::bucket::{Bucket, Encryption};
use crate::cos::domain::refusal::Refusal;
use crate::cos::http::address_of;
use crate::cos::http::xml::Document;
use crate::domain::time::Timestamp;

/// Seconds after which a client may try again. Source: `docs/contract/cos.md` 2.6.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// A document.
pub(crate) fn xml(document: Document) -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/xml")).body(document.finish())
}

/// 200 without a body.
pub(crate) fn done() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// 204.
pub(crate) fn gone() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// The head of a reply that has a body of that many bytes, which is not sent.
pub(crate) fn headless(mut builder: HttpResponseBuilder, bytes: u64) -> HttpResponse {
    builder.body(SizedStream::new(bytes, stream::empty::<Result<Bytes, Error>>()))
}

/// Puts a header in; a value that no header can have is left out.
pub(crate) fn put(response: &mut HttpResponse, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}

/// Puts an `ETag` in, in quotes.
pub(crate) fn put_etag(response: &mut HttpResponse, etag: &str) {
    if let Ok(value) = HeaderValue::from_str(&quoted(etag)) {
        response.headers_mut().insert(ETAG, value);
    }
}

/// An `ETag` in quotes.
pub(crate) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// Headers that tell of a bucket's root key. Both names go out: each is read by SDKs that do not know the other.
pub(crate) fn put_root_key(response: &mut HttpResponse, bucket: &Bucket) {
    let Encryption::KeyProtect(key) = &bucket.encryption else { return };
    put(response, "ibm-sse-kp-enabled", "true");
    put(response, "ibm-sse-kp-customer-root-key-crn", key.crn.as_str());
    put(response, "ibm-sse-kp-crk-id", key.crn.as_str());
}

/// A date of a header.
pub(crate) fn http_date(at: Timestamp) -> String {
    let seconds = u64::try_from(at.seconds()).unwrap_or(0);
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
}

/// The reply to a request that is refused; to `HEAD` no more than its status.
pub(crate) fn refused(request: &HttpRequest, refusal: &Refusal, id: &str) -> HttpResponse {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut builder = HttpResponseBuilder::new(status);
    if let Some(size) = refusal.size {
        builder.insert_header((CONTENT_RANGE, format!("bytes */{size}")));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        builder.insert_header((RETRY_AFTER, RETRY_SECONDS));
    }
    if *request.method() == Method::HEAD {
        return builder.finish();
    }
    let resource = address_of(request).map_or_else(|_| request.path().to_owned(), |address| address.resource());
    let mut document = Document::error();
    document
        .text("Code", &refusal.code)
        .text("Message", &refusal.message)
        .text("Resource", &resource)
        .text("RequestId", id)
        .number("httpStatusCode", refusal.status);
    builder.insert_header((CONTENT_TYPE, "application/xml")).body(document.finish())
}

/// Puts in what every reply has. Source: docs, buckets, objects.
pub(crate) fn sign(response: &mut HttpResponse, id: &str) {
    put(response, "x-clv-request-id", id);
    put(response, "x-amz-request-id", id);
    put(response, "server", "Cleversafe/3.15.2.31");
    put(response, "x-clv-s3-version", "2.5");
    put(response, "accept-ranges", "bytes");
}
