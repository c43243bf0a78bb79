//! Retention policies of buckets. Source: docs, immutable.

use actix_web::HttpResponse;

use crate::cos::app::error::Error;
use crate::cos::app::request::Access;
use crate::cos::domain::refusal::Refusal;
use crate::cos::domain::retention::Protection;
use crate::cos::http::call::{Call, Integrity};
use crate::cos::http::reply;
use crate::cos::http::xml::{self, Document, Element};

const ROOT: &str = "ProtectionConfiguration";

/// `GET /{bucket}?protection`
pub(crate) async fn get(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Read).await?;
    call.cos.note_protection_read(&call.cx, &bucket).await;
    let mut document = Document::result(ROOT);
    match &bucket.protection {
        None => {
            document.text("Status", "Disabled");
        }
        Some(protection) => {
            document.text("Status", "Retention");
            for (name, days) in [
                ("MinimumRetention", protection.minimum_days),
                ("DefaultRetention", protection.default_days),
                ("MaximumRetention", protection.maximum_days),
            ] {
                document.element(name, |element| {
                    element.number("Days", days);
                });
            }
            if protection.permanent {
                document.text("EnablePermanentRetention", "true");
            }
        }
    }
    Ok(reply::xml(document))
}

/// `PUT /{bucket}?protection`
pub(crate) async fn put(mut call: Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Write).await?;
    let document = call.document(ROOT, Integrity::Needed).await?;
    let wanted = read(&document)?;
    call.cos.set_protection(&call.cx, &bucket, wanted).await?;
    Ok(reply::done())
}

/// `None` for `Disabled`.
fn read(document: &Element) -> Result<Option<Protection>, Refusal> {
    match document.text_of("Status") {
        Some("Disabled") => return Ok(None),
        Some("Retention") => {}
        _ => return Err(xml::malformed()),
    }
    let days = |name: &str| {
        let element = document.child(name).ok_or_else(xml::malformed)?;
        element.number_of("Days")?.ok_or_else(xml::malformed)
    };
    let permanent = match document.text_of("EnablePermanentRetention") {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("true") => true,
        Some(word) if word.eq_ignore_ascii_case("false") => false,
        Some(_) => return Err(xml::malformed()),
    };
    Ok(Some(Protection {
        minimum_days: days("MinimumRetention")?,
        default_days: days("DefaultRetention")?,
        maximum_days: days("MaximumRetention")?,
        permanent,
    }))
}
