//! Reads of objects, and their headers alone.

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use actix_web::{HttpResponse, HttpResponseBuilder};

use crate::cos::app::error::Error;
use crate::cos::app::read::{Found, Wanted};
use crate::cos::app::request::Access;
use crate::cos::domain::attributes::Attributes;
use crate::cos::domain::checksum::Checksum;
use crate::cos::domain::object::Object;
use crate::cos::domain::range::{ByteRange, Window};
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::http::call::Call;
use crate::cos::http::headers::{self, META};
use crate::cos::http::query::Query;
use crate::cos::http::reply;
use crate::crypto::base64;

/// Parameters of a URL that take the place of a reply's headers.
const OVERRIDES: [(&str, &str); 6] = [
    ("response-content-type", "content-type"),
    ("response-content-disposition", "content-disposition"),
    ("response-content-language", "content-language"),
    ("response-content-encoding", "content-encoding"),
    ("response-expires", "expires"),
    ("response-cache-control", "cache-control"),
];

/// `GET /{bucket}/{key}`
pub(crate) async fn get(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Read).await?;
    let wanted = wanted(call)?;
    let found = call.cos.get_object(&call.cx, &bucket, call.key()?, &wanted).await?;
    answer(call, found, wanted.part, |mut builder, bytes, body| builder.body(SizedStream::new(bytes, body)))
}

/// `HEAD /{bucket}/{key}`
pub(crate) async fn head(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Read).await?;
    let wanted = wanted(call)?;
    let found = call.cos.head_object(&call.cx, &bucket, call.key()?, &wanted).await?;
    answer(call, found, wanted.part, |builder, bytes, ()| reply::headless(builder, bytes))
}

fn wanted(call: &Call<'_>) -> Result<Wanted, Refusal> {
    call.only_version()?;
    let part = call.query.number("partNumber")?.map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    let range = headers::text(call.headers(), "range").and_then(|range| ByteRange::parse(&range));
    if part.is_some() && call.headers().contains_key("range") {
        return Err(Refusal::new(
            Code::InvalidRequest,
            "Cannot specify both Range header and partNumber query parameter",
        ));
    }
    Ok(Wanted { conditions: headers::conditions(call.headers(), ""), range, part })
}

fn answer<B>(
    call: &Call<'_>,
    found: Found<B>,
    part: Option<u32>,
    render: impl FnOnce(HttpResponseBuilder, u64, B) -> HttpResponse,
) -> Result<HttpResponse, Error> {
    let (object, window, body) = match found {
        Found::NotModified(object) => {
            let mut response = HttpResponse::NotModified().finish();
            reply::put_etag(&mut response, &object.etag);
            reply::put(&mut response, "last-modified", &reply::http_date(object.modified_at));
            return Ok(response);
        }
        Found::Object { object, window, body } => (object, window, body),
    };
    let status = if window.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let bytes = window.map_or(object.size, Window::len);
    let mut response = render(HttpResponseBuilder::new(status), bytes, body);
    describe(&mut response, &object);
    match window {
        Some(window) => {
            let range = format!("bytes {}-{}/{}", window.first, window.last, object.size);
            reply::put(&mut response, "content-range", &range);
        }
        None if headers::text(call.headers(), "x-amz-checksum-mode")
            .is_some_and(|mode| mode.eq_ignore_ascii_case("ENABLED")) =>
        {
            put_checksums(&mut response, &object.checksums);
        }
        None => {}
    }
    if part.is_some() && object.parts > 0 {
        reply::put(&mut response, "x-amz-mp-parts-count", &object.parts.to_string());
    }
    override_headers(&mut response, call.query)?;
    Ok(response)
}

fn describe(response: &mut HttpResponse, object: &Object) {
    let attributes = &object.attributes;
    reply::put_etag(response, &object.etag);
    reply::put(response, "last-modified", &reply::http_date(object.modified_at));
    reply::put(response, "content-type", attributes.content_type.as_deref().unwrap_or(Attributes::DEFAULT_TYPE));
    let kept = [
        ("content-encoding", &attributes.content_encoding),
        ("content-language", &attributes.content_language),
        ("content-disposition", &attributes.content_disposition),
        ("cache-control", &attributes.cache_control),
        ("expires", &attributes.expires),
        ("x-amz-website-redirect-location", &attributes.website_redirect),
    ];
    for (name, value) in kept {
        if let Some(value) = value {
            reply::put(response, name, value);
        }
    }
    for (name, value) in &attributes.user {
        let name = actix_web::http::header::HeaderName::from_bytes(format!("{META}{name}").as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            response.headers_mut().insert(name, value);
        }
    }
    if attributes.aes256 {
        put_encryption(response);
    }
    if !object.tags.is_empty() {
        reply::put(response, "x-amz-tagging-count", &object.tags.len().to_string());
    }
    if let Some(retention) = &object.retention {
        reply::put(response, "retention-period", &retention.period_seconds.to_string());
        reply::put(response, "retention-expiration-date", &reply::http_date(retention.expires_at));
        reply::put(response, "retention-legal-hold-count", &retention.holds.len().to_string());
    }
}

/// Says that an object is encrypted, to who asked for it.
pub(crate) fn put_encryption(response: &mut HttpResponse) {
    reply::put(response, "x-amz-server-side-encryption", "AES256");
}

/// Puts an object's checksums in.
pub(crate) fn put_checksums(response: &mut HttpResponse, checksums: &[Checksum]) {
    for checksum in checksums {
        reply::put(response, checksum.algorithm.header(), &base64::encode(&checksum.value));
    }
    if !checksums.is_empty() {
        reply::put(response, "x-amz-checksum-type", "FULL_OBJECT");
    }
}

fn override_headers(response: &mut HttpResponse, query: &Query) -> Result<(), Refusal> {
    for (parameter, header) in OVERRIDES {
        let Some(value) = query.get(parameter) else { continue };
        if HeaderValue::from_bytes(value.as_bytes()).is_err() {
            return Err(Refusal::new(Code::InvalidArgument, format!("{parameter} cannot be the value of a header.")));
        }
        reply::put(response, header, value);
    }
    Ok(())
}
