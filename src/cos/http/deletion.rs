//! Deletion of objects, one or many.

use actix_web::HttpResponse;

use crate::cos::app::error::Error;
use crate::cos::app::request::Access;
use crate::cos::domain::object::ObjectKey;
use crate::cos::domain::refusal::Refusal;
use crate::cos::http::call::{self, Call, Integrity};
use crate::cos::http::xml::{self, Document, Element};
use crate::cos::http::{headers, reply};

/// Keys of one request. Source: docs, objects.
const KEYS_MAX: usize = 1_000;

/// `DELETE /{bucket}/{key}`
pub(crate) async fn one(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Write).await?;
    call.only_version()?;
    let conditions = headers::conditions(call.headers(), "");
    call.cos.delete_object(&call.cx, &bucket, call.key()?, &conditions).await?;
    Ok(reply::gone())
}

/// `POST /{bucket}?delete`
pub(crate) async fn several(mut call: Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Write).await?;
    let document = call.document("Delete", Integrity::Needed).await?;
    let named: Vec<Named<'_>> = document.all("Object").map(named).collect::<Result<_, _>>()?;
    if named.is_empty() || named.len() > KEYS_MAX {
        return Err(xml::malformed().into());
    }
    let quiet = document.text_of("Quiet").is_some_and(|quiet| quiet.eq_ignore_ascii_case("true"));
    let mut wrong: Vec<(&str, Refusal)> = Vec::new();
    let mut keys = Vec::new();
    for (text, version) in named {
        match call::only_version(version).and_then(|()| ObjectKey::parse(text)) {
            Ok(key) => keys.push(key),
            Err(refusal) => wrong.push((text, refusal)),
        }
    }
    let deleted = call.cos.delete_objects(&call.cx, &bucket, keys).await?;
    let mut document = Document::result("DeleteResult");
    for (key, outcome) in &deleted {
        match outcome {
            Ok(()) if quiet => {}
            Ok(()) => {
                document.element("Deleted", |element| {
                    element.text("Key", key.as_str());
                });
            }
            Err(refusal) => refused(&mut document, key.as_str(), refusal),
        }
    }
    for (key, refusal) in &wrong {
        refused(&mut document, key, refusal);
    }
    Ok(reply::xml(document))
}

/// A key, and the version of it.
type Named<'a> = (&'a str, Option<&'a str>);

/// A key keeps the blanks that it has.
fn named(object: &Element) -> Result<Named<'_>, Refusal> {
    let key = object.child("Key").map(|key| key.text.as_str());
    let key = key.filter(|key| !key.is_empty()).ok_or_else(xml::malformed)?;
    Ok((key, object.text_of("VersionId")))
}

fn refused(document: &mut Document, key: &str, refusal: &Refusal) {
    document.element("Error", |element| {
        element.text("Key", key).text("Code", &refusal.code).text("Message", &refusal.message);
    });
}
