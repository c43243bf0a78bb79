//! Copies: of whole objects, and of ranges as parts of an upload.

use actix_web::HttpResponse;

use crate::cos::app::copy::{Changes, Copied, Source};
use crate::cos::app::error::Error;
use crate::cos::app::request::Access;
use crate::cos::domain::object::ObjectKey;
use crate::cos::domain::range::ByteRange;
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::http::call::{self, Call};
use crate::cos::http::xml::Document;
use crate::cos::http::{headers, multipart, query, reply};

/// The header that makes an upload a copy.
pub(crate) const SOURCE: &str = "x-amz-copy-source";

/// `PUT /{bucket}/{key}` with `x-amz-copy-source`
pub(crate) async fn object(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Write).await?;
    let (source_bucket, source_key) = source(call)?;
    let source_bucket = call.cos.enter(&call.cx, &source_bucket, Access::Read).await?;
    let draft = headers::draft(call.headers())?;
    let changes = Changes {
        conditions: headers::conditions(call.headers(), ""),
        attributes: replaced(call, "x-amz-metadata-directive")?.then_some(draft.attributes),
        tags: replaced(call, "x-amz-tagging-directive")?.then_some(draft.tags),
        retention: draft.retention,
        keeps_retention: keeps_retention(call)?,
    };
    let conditions = headers::conditions(call.headers(), "x-amz-copy-source-");
    let source = Source { bucket: &source_bucket, key: &source_key, conditions: &conditions };
    let copied = call.cos.copy_object(&call.cx, source, &bucket, call.key()?, changes).await?;
    Ok(answer("CopyObjectResult", &copied))
}

/// `PUT /{bucket}/{key}?partNumber&uploadId` with `x-amz-copy-source`
pub(crate) async fn part(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Write).await?;
    let (source_bucket, source_key) = source(call)?;
    let source_bucket = call.cos.enter(&call.cx, &source_bucket, Access::Read).await?;
    let range = match headers::text(call.headers(), "x-amz-copy-source-range") {
        None => None,
        Some(text) => Some(first_to_last(&text)?),
    };
    let conditions = headers::conditions(call.headers(), "x-amz-copy-source-");
    let source = Source { bucket: &source_bucket, key: &source_key, conditions: &conditions };
    let place = multipart::part_place(call, &bucket)?;
    let copied = call.cos.copy_part(&call.cx, source, range, place).await?;
    Ok(answer("CopyPartResult", &copied))
}

fn answer(root: &'static str, copied: &Copied) -> HttpResponse {
    let mut document = Document::result(root);
    document.text("LastModified", &copied.modified_at.rfc3339_millis()).text("ETag", &reply::quoted(&copied.etag));
    reply::xml(document)
}

/// `[/]{bucket}/{key}`, encoded, perhaps with the one version that there is.
fn source(call: &Call<'_>) -> Result<(String, ObjectKey), Refusal> {
    let wrong = || Refusal::new(Code::InvalidArgument, "x-amz-copy-source must be {bucket}/{key}, URL-encoded.");
    let text = headers::text(call.headers(), SOURCE).unwrap_or_default();
    let (path, version) = text.split_once("?versionId=").map_or((text.as_str(), None), |(path, id)| (path, Some(id)));
    call::only_version(version)?;
    let path = query::decode(path).map_err(|_| wrong())?;
    let path = path.strip_prefix('/').unwrap_or(&path);
    let (bucket, key) =
        path.split_once('/').filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty()).ok_or_else(wrong)?;
    Ok((bucket.to_owned(), ObjectKey::parse(key)?))
}

/// True for `REPLACE`.
fn replaced(call: &Call<'_>, header: &'static str) -> Result<bool, Refusal> {
    match headers::text(call.headers(), header).as_deref() {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(_) => Err(Refusal::new(Code::InvalidArgument, format!("{header} must be COPY or REPLACE."))),
    }
}

/// True for `COPY`; IBM's examples write `Copy`.
fn keeps_retention(call: &Call<'_>) -> Result<bool, Refusal> {
    match headers::text(call.headers(), "retention-directive").map(|word| word.to_ascii_uppercase()).as_deref() {
        None | Some("REPLACE") => Ok(false),
        Some("COPY") => Ok(true),
        Some(_) => Err(Refusal::new(Code::InvalidArgument, "Retention-Directive must be COPY or REPLACE.")),
    }
}

/// A range of a copy has both ends.
fn first_to_last(text: &str) -> Result<ByteRange, Refusal> {
    match ByteRange::parse(text) {
        Some(range @ ByteRange::FromTo(..)) => Ok(range),
        _ => Err(Refusal::new(Code::InvalidArgument, "x-amz-copy-source-range must be bytes={first}-{last}.")),
    }
}
