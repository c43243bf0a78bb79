//! ACLs: everything is its owner's alone.

use actix_web::HttpResponse;

use crate::cos::app::error::Error;
use crate::cos::app::read::Wanted;
use crate::cos::app::request::Access;
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::http::address::Address;
use crate::cos::http::call::Call;
use crate::cos::http::xml::Element;
use crate::cos::http::{headers, reply, xml};

const FULL_CONTROL: &str = "FULL_CONTROL";

/// `GET ?acl` of a bucket or an object.
pub(crate) async fn get(call: &Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Read).await?;
    object_is_there(call, &bucket).await?;
    let owner = bucket.account.as_str();
    let mut document = xml::Document::result("AccessControlPolicy");
    document.element("Owner", |element| {
        element.text("ID", owner).text("DisplayName", owner);
    });
    document.element("AccessControlList", |list| {
        list.element("Grant", |grant| {
            grant.element(
                "Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"",
                |grantee| {
                    grantee.text("ID", owner).text("DisplayName", owner);
                },
            );
            grant.text("Permission", FULL_CONTROL);
        });
    });
    Ok(reply::xml(document))
}

/// `PUT ?acl`: `private` alone, as it is already.
pub(crate) async fn put(mut call: Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Write).await?;
    object_is_there(&call, &bucket).await?;
    headers::refuse_public_acl(call.headers())?;
    let document = call.optional_document("AccessControlPolicy").await?;
    if document.is_some_and(|document| !is_private(&document, &bucket.account)) {
        return Err(Refusal::new(Code::NotImplemented, "ACLs other than private are not implemented.").into());
    }
    Ok(reply::done())
}

fn is_private(document: &Element, owner: &str) -> bool {
    let grants = document.child("AccessControlList").map(|list| list.all("Grant").collect::<Vec<_>>());
    grants.unwrap_or_default().iter().all(|grant| {
        let grantee = grant.child("Grantee").and_then(|grantee| grantee.text_of("ID"));
        grantee == Some(owner) && grant.text_of("Permission") == Some(FULL_CONTROL)
    })
}

async fn object_is_there(call: &Call<'_>, bucket: &crate::cos::domain::bucket::Bucket) -> Result<(), Error> {
    if let Address::Object(_, key) = call.address {
        call.cos.head_object(&call.cx, bucket, key, &Wanted::default()).await?;
    }
    Ok(())
}
