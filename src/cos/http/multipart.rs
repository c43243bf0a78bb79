//! Uploads in parts.

use actix_web::HttpResponse;
use actix_web::http::header::HOST;

use crate::cos::app::completion::Completion;
use crate::cos::app::error::Error;
use crate::cos::app::multipart::{NamedPart, PartPlace, UploadPlace, UploadsWanted};
use crate::cos::app::request::Access;
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::checksum::{Algorithm, Checksum};
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::http::call::Call;
use crate::cos::http::listing::Encoding;
use crate::cos::http::xml::{self, Document, Element};
use crate::cos::http::{headers, objects, query, reply};
use crate::crypto::base64;

/// Parts and uploads on one page. Source: docs, objects.
const PAGE_MAX: u64 = 1_000;

/// `POST /{bucket}/{key}?uploads`
pub(crate) async fn start(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Write).await?;
    let draft = headers::draft(call.headers())?;
    let aes256 = draft.attributes.aes256;
    let key = call.key()?;
    let id = call.cos.start_upload(&call.cx, &bucket, key, draft).await?;
    let mut document = Document::result("InitiateMultipartUploadResult");
    document.text("Bucket", bucket.name.as_str()).text("Key", key.as_str()).text("UploadId", &id);
    let mut response = reply::xml(document);
    if aes256 {
        objects::put_encryption(&mut response);
    }
    Ok(response)
}

/// `PUT /{bucket}/{key}?partNumber&uploadId`
pub(crate) async fn put_part(call: &mut Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Write).await?;
    call.has_length()?;
    let upload = call.upload()?;
    let stored = call.cos.put_part(&call.cx, part_place(call, &bucket)?, upload).await?;
    let mut response = reply::done();
    reply::put_etag(&mut response, &stored.etag);
    objects::put_checksums(&mut response, &stored.checksums);
    Ok(response)
}

/// `GET /{bucket}/{key}?uploadId`
pub(crate) async fn list_parts(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Read).await?;
    let max = call.query.number("max-parts")?.unwrap_or(PAGE_MAX).min(PAGE_MAX);
    let marker = call.query.number("part-number-marker")?.unwrap_or(0);
    let encoding = Encoding::of(call.query)?;
    let place = upload_place(call, &bucket)?;
    let from = u32::try_from(marker).unwrap_or(u32::MAX);
    let page = call.cos.list_parts(&call.cx, place, from, usize::try_from(max).unwrap_or(usize::MAX)).await?;
    let mut document = Document::result("ListPartsResult");
    document.text("Bucket", bucket.name.as_str()).text("Key", &encoding.write(place.key.as_str()));
    document.text("UploadId", place.upload);
    encoding.tell(&mut document);
    for role in ["Initiator", "Owner"] {
        person(&mut document, role, &bucket.account);
    }
    document.text("StorageClass", "STANDARD").number("PartNumberMarker", marker);
    if let Some(last) = page.parts.last().filter(|_| page.truncated) {
        document.number("NextPartNumberMarker", last.number);
    }
    document.number("MaxParts", max).number("IsTruncated", page.truncated);
    for part in &page.parts {
        document.element("Part", |element| {
            element
                .number("PartNumber", part.number)
                .text("LastModified", &part.modified_at.rfc3339_millis())
                .text("ETag", &reply::quoted(&part.etag))
                .number("Size", part.size);
            put_checksums(element, &part.checksums);
        });
    }
    Ok(reply::xml(document))
}

/// `GET /{bucket}?uploads`
pub(crate) async fn list_uploads(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Read).await?;
    let encoding = Encoding::of(call.query)?;
    let max = call.query.number("max-uploads")?.unwrap_or(PAGE_MAX).min(PAGE_MAX);
    let text = |name| call.query.get(name).unwrap_or_default().to_owned();
    let wanted = UploadsWanted {
        prefix: text("prefix"),
        delimiter: text("delimiter"),
        key_marker: text("key-marker"),
        upload_id_marker: text("upload-id-marker"),
        max: usize::try_from(max).unwrap_or(usize::MAX),
    };
    let page = call.cos.list_uploads(&call.cx, &bucket, wanted.clone()).await?;
    let mut document = Document::result("ListMultipartUploadsResult");
    document.text("Bucket", bucket.name.as_str()).text("KeyMarker", &encoding.write(&wanted.key_marker));
    document.text("UploadIdMarker", &wanted.upload_id_marker);
    if let Some((key, id)) = &page.next {
        document.text("NextKeyMarker", &encoding.write(key)).text("NextUploadIdMarker", id);
    }
    document.text("Prefix", &encoding.write(&wanted.prefix));
    if !wanted.delimiter.is_empty() {
        document.text("Delimiter", &encoding.write(&wanted.delimiter));
    }
    encoding.tell(&mut document);
    document.number("MaxUploads", max).number("IsTruncated", page.next.is_some());
    for upload in &page.uploads {
        document.element("Upload", |element| {
            element.text("Key", &encoding.write(upload.key.as_str())).text("UploadId", &upload.id);
            for role in ["Initiator", "Owner"] {
                person(element, role, &bucket.account);
            }
            element.text("StorageClass", "STANDARD").text("Initiated", &upload.initiated_at.rfc3339_millis());
        });
    }
    for prefix in &page.prefixes {
        document.element("CommonPrefixes", |common| {
            common.text("Prefix", &encoding.write(prefix));
        });
    }
    Ok(reply::xml(document))
}

/// `POST /{bucket}/{key}?uploadId`
pub(crate) async fn complete(mut call: Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Write).await?;
    let checksums = headers::checksums_of_object(call.headers())?;
    let size = headers::number(call.headers(), "x-amz-mp-object-size")?;
    let document = call.document_about_object("CompleteMultipartUpload").await?;
    let wanted = Completion {
        checksums,
        size,
        parts: document.all("Part").map(named).collect::<Result<_, _>>()?,
        conditions: headers::conditions(call.headers(), ""),
        retention: headers::retention(call.headers())?,
    };
    let place = upload_place(&call, &bucket)?;
    let stored = call.cos.complete_upload(&call.cx, place, wanted).await?;
    let host = headers::text(call.headers(), HOST.as_str()).unwrap_or_default();
    let scheme = if call.request.app_config().secure() { "https" } else { "http" };
    let location = format!("{scheme}://{host}/{}/{}", bucket.name.as_str(), query::encode_path(place.key.as_str()));
    let mut document = Document::result("CompleteMultipartUploadResult");
    document
        .text("Location", &location)
        .text("Bucket", bucket.name.as_str())
        .text("Key", place.key.as_str())
        .text("ETag", &reply::quoted(&stored.etag));
    if !stored.checksums.is_empty() {
        put_checksums(&mut document, &stored.checksums);
        document.text("ChecksumType", "FULL_OBJECT");
    }
    Ok(reply::xml(document))
}

/// `DELETE /{bucket}/{key}?uploadId`
pub(crate) async fn abort(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Write).await?;
    call.cos.abort_upload(&call.cx, upload_place(call, &bucket)?).await?;
    Ok(reply::gone())
}

fn upload_place<'a>(call: &'a Call<'_>, bucket: &'a Bucket) -> Result<UploadPlace<'a>, Refusal> {
    Ok(UploadPlace { bucket, key: call.key()?, upload: call.query.get("uploadId").unwrap_or_default() })
}

/// The part that a request names.
///
/// # Errors
/// `InvalidArgument` without a number.
pub(crate) fn part_place<'a>(call: &'a Call<'_>, bucket: &'a Bucket) -> Result<PartPlace<'a>, Refusal> {
    let number = call.query.number("partNumber")?;
    let wrong = || Refusal::new(Code::InvalidArgument, "partNumber must be between 1 and 10000, inclusive.");
    let number = number.and_then(|number| u32::try_from(number).ok()).ok_or_else(wrong)?;
    Ok(PartPlace { upload: upload_place(call, bucket)?, number })
}

fn named(part: &Element) -> Result<NamedPart, Refusal> {
    let number = part.number_of("PartNumber")?.and_then(|number| u32::try_from(number).ok());
    let (number, etag) = number.zip(part.text_of("ETag")).ok_or_else(xml::malformed)?;
    let mut checksums = Vec::new();
    for algorithm in Algorithm::ALL {
        if let Some(value) = part.text_of(&format!("Checksum{}", algorithm.name())) {
            checksums.push(headers::checksum(algorithm, value)?);
        }
    }
    Ok(NamedPart { number, etag: etag.to_owned(), checksums })
}

fn put_checksums(document: &mut Document, checksums: &[Checksum]) {
    for checksum in checksums {
        document.text(&format!("Checksum{}", checksum.algorithm.name()), &base64::encode(&checksum.value));
    }
}

fn person(document: &mut Document, role: &str, id: &str) {
    document.element(role, |element| {
        element.text("ID", id).text("DisplayName", id);
    });
}
