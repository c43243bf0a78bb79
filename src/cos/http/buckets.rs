//! Buckets: made, listed, looked at, deleted; and what is always absent from them.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;

use crate::cos::app::buckets::{BucketsWanted, NewBucket};
use crate::cos::app::error::Error;
use crate::cos::app::request::Access;
use crate::cos::domain::bucket::BucketName;
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::http::call::{Call, Integrity};
use crate::cos::http::{credentials, headers, reply, route, xml};
use crate::domain::instance::{Instance, Service};

/// Buckets on one page of an extended listing. Source: docs, buckets.
const PAGE_MAX: u64 = 1_000;

/// `PUT /{bucket}`
pub(crate) async fn create(mut call: Call<'_>) -> Result<HttpResponse, Error> {
    let name = call.address.bucket().unwrap_or_default();
    if BucketName::parse(name).is_none() {
        return Err(Code::InvalidBucketName.into());
    }
    about_an_instance(&mut call)?;
    if call.cx.instance.is_none() {
        return Err(missing_instance());
    }
    if headers::text(call.headers(), "x-amz-bucket-object-lock-enabled")
        .is_some_and(|on| on.eq_ignore_ascii_case("true"))
    {
        return Err(Refusal::new(Code::NotImplemented, "Object lock is not implemented.").into());
    }
    headers::refuse_public_acl(call.headers())?;
    let document = call.optional_document("CreateBucketConfiguration").await?;
    let header = |name| headers::text(call.headers(), name);
    let wanted = NewBucket {
        location: document.as_ref().and_then(|document| document.text_of("LocationConstraint")).map(str::to_owned),
        algorithm: header("ibm-sse-kp-encryption-algorithm"),
        root_key_crn: header("ibm-sse-kp-customer-root-key-crn"),
    };
    call.cos.create_bucket(&call.cx, name, wanted).await?;
    Ok(HttpResponse::Ok().insert_header((LOCATION, format!("/{name}"))).finish())
}

/// `HEAD /{bucket}`
pub(crate) async fn head(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Read).await?;
    let mut response = reply::done();
    reply::put_root_key(&mut response, &bucket);
    Ok(response)
}

/// `DELETE /{bucket}`
pub(crate) async fn delete(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Write).await?;
    call.cos.delete_bucket(&call.cx, &bucket).await?;
    Ok(reply::gone())
}

/// `GET /`, `GET /?extended`
pub(crate) async fn list(mut call: Call<'_>) -> Result<HttpResponse, Error> {
    let extended = call.query.has("extended");
    about_an_instance(&mut call)?;
    if call.cx.instance.is_none() && extended {
        // The Python SDK sends no header here.
        call.cx.instance = only_instance(&call);
    }
    if call.cx.instance.is_none() {
        return Err(missing_instance());
    }
    let max = call.query.number("max-keys")?.unwrap_or(PAGE_MAX).min(PAGE_MAX);
    let text = |name| call.query.get(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let wanted = BucketsWanted {
        prefix: text("prefix").filter(|_| extended),
        marker: text("marker").filter(|_| extended),
        max: extended.then(|| usize::try_from(max).unwrap_or(usize::MAX)),
    };
    let (prefix, marker) = (wanted.prefix.clone(), wanted.marker.clone());
    let page = call.cos.list_buckets(&call.cx, wanted).await?;
    let mut document = xml::Document::result("ListAllMyBucketsResult");
    document.element("Owner", |owner| {
        owner.text("ID", &page.owner).text("DisplayName", &page.owner);
    });
    if extended {
        document.number("IsTruncated", page.truncated).number("MaxKeys", max);
        document.text("Prefix", prefix.as_deref().unwrap_or_default());
        document.text("Marker", marker.as_deref().unwrap_or_default());
        let last = page.buckets.last().filter(|_| page.truncated);
        document.maybe("NextMarker", last.map(|bucket| bucket.name.as_str()));
    }
    document.element("Buckets", |buckets| {
        for bucket in &page.buckets {
            buckets.element("Bucket", |one| {
                one.text("Name", bucket.name.as_str()).text("CreationDate", &bucket.created_at.rfc3339_millis());
                if extended {
                    one.text("LocationConstraint", bucket.location.code());
                }
            });
        }
    });
    Ok(reply::xml(document))
}

/// `GET /{bucket}?location`
pub(crate) async fn location(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Read).await?;
    let mut document = xml::Document::result("LocationConstraint");
    document.own_text(bucket.location.code());
    Ok(reply::xml(document))
}

/// `GET /{bucket}?versioning`: never enabled.
pub(crate) async fn versioning(call: &Call<'_>) -> Result<HttpResponse, Error> {
    call.enter(Access::Read).await?;
    Ok(reply::xml(xml::Document::result("VersioningConfiguration")))
}

/// `PUT /{bucket}?versioning`: what it is already is taken (ASSUMED).
pub(crate) async fn set_versioning(mut call: Call<'_>) -> Result<HttpResponse, Error> {
    call.enter(Access::Write).await?;
    let document = call.document("VersioningConfiguration", Integrity::Free).await?;
    match document.text_of("Status") {
        Some("Suspended") => Ok(reply::done()),
        _ => Err(Refusal::new(Code::NotImplemented, "Versioning is not implemented.").into()),
    }
}

/// `GET /{bucket}?cors` and its like.
pub(crate) async fn absent(call: &Call<'_>) -> Result<HttpResponse, Error> {
    call.enter(Access::Read).await?;
    Err(route::absent(call.query).unwrap_or(Code::NotImplemented).into())
}

/// `PUT /{bucket}?cors` and its like.
pub(crate) async fn set_absent(call: &Call<'_>) -> Result<HttpResponse, Error> {
    call.enter(Access::Write).await?;
    Err(Code::NotImplemented.into())
}

/// Takes the instance of the header for a request that is about one.
fn about_an_instance(call: &mut Call<'_>) -> Result<(), Error> {
    if call.cx.instance.is_none() {
        call.cx.instance = credentials::instance_of_header(&call.cos.app, call.request, &call.cx.caller)?;
    }
    Ok(())
}

fn only_instance(call: &Call<'_>) -> Option<Arc<Instance>> {
    let all = call.cos.app.memory.instances.all();
    let account = &call.cx.caller.account;
    let mut own = all.into_iter().filter(|instance| {
        instance.is_active() && instance.service == Service::ObjectStorage && instance.account == *account
    });
    own.next().filter(|_| own.next().is_none())
}

fn missing_instance() -> Error {
    let why = "The header ibm-service-instance-id is missing: name the service instance by its CRN or GUID.";
    Refusal::new(Code::InvalidArgument, why).into()
}
