//! `PUT /{bucket}/{key}`

use actix_web::HttpResponse;

use crate::cos::app::error::Error;
use crate::cos::app::request::Access;
use crate::cos::http::call::Call;
use crate::cos::http::{headers, objects, reply};

/// Stores an object.
pub(crate) async fn put(mut call: Call<'_>) -> Result<HttpResponse, Error> {
    let bucket = call.enter(Access::Write).await?;
    call.has_length()?;
    let draft = headers::draft(call.headers())?;
    let conditions = headers::conditions(call.headers(), "");
    let upload = call.upload()?;
    let aes256 = draft.attributes.aes256;
    let stored = call.cos.put_object(&call.cx, &bucket, call.key()?, draft, &conditions, upload).await?;
    let mut response = reply::done();
    reply::put_etag(&mut response, &stored.etag);
    objects::put_checksums(&mut response, &stored.checksums);
    if aes256 {
        objects::put_encryption(&mut response);
    }
    Ok(response)
}
