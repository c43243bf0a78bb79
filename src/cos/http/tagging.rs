//! Tags of objects.

use actix_web::HttpResponse;

use crate::cos::app::error::Error;
use crate::cos::app::request::Access;
use crate::cos::domain::refusal::Refusal;
use crate::cos::domain::tags::Tag;
use crate::cos::http::call::{Call, Integrity};
use crate::cos::http::reply;
use crate::cos::http::xml::{self, Document, Element};

/// `GET /{bucket}/{key}?tagging`
pub(crate) async fn get(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Read).await?;
    call.only_version()?;
    let tags = call.cos.get_tags(&call.cx, &bucket, call.key()?).await?;
    let mut document = Document::result("Tagging");
    document.element("TagSet", |set| {
        for tag in &tags {
            set.element("Tag", |element| {
                element.text("Key", &tag.key).text("Value", &tag.value);
            });
        }
    });
    Ok(reply::xml(document))
}

/// `PUT /{bucket}/{key}?tagging`
pub(crate) async fn put(mut call: Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Write).await?;
    call.only_version()?;
    let document = call.document("Tagging", Integrity::Needed).await?;
    let set = document.child("TagSet").ok_or_else(xml::malformed)?;
    let tags = set.all("Tag").map(tag).collect::<Result<Vec<_>, _>>()?;
    call.cos.set_tags(&call.cx, &bucket, call.key()?, tags).await?;
    Ok(reply::done())
}

/// `DELETE /{bucket}/{key}?tagging`
pub(crate) async fn delete(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Write).await?;
    call.only_version()?;
    call.cos.set_tags(&call.cx, &bucket, call.key()?, Vec::new()).await?;
    Ok(reply::gone())
}

fn tag(element: &Element) -> Result<Tag, Refusal> {
    let text = |name: &str| element.child(name).map(|child| child.text.clone()).ok_or_else(xml::malformed);
    Ok(Tag { key: text("Key")?, value: text("Value")? })
}
