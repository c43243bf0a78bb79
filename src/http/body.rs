//! Reading request bodies: bounded in size and in time.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, StreamExt};
use tokio::time::timeout;

use crate::domain::reason::{BodyFault, Reason};

/// Bytes of a body on the main port.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Real time from the first wait for the body to its end.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// The whole body; empty when there is none.
///
/// # Errors
/// `BodyTooLarge`, known from `Content-Length` before anything is read; `BodyTimeout`; `BadBody` for broken framing.
pub(crate) async fn read(request: &HttpRequest, mut payload: Payload) -> Result<Bytes, Reason> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > BODY_BYTES_MAX) {
        return Err(Reason::BodyTooLarge);
    }
    // A body that came with the head needs no timer.
    let start = match payload.next().now_or_never() {
        Some(None) => return Ok(Bytes::new()),
        Some(Some(Err(_))) => return Err(Reason::BadBody(BodyFault::Malformed)),
        Some(Some(Ok(first))) if announced == Some(first.len()) => return Ok(first),
        Some(Some(Ok(first))) => BytesMut::from(first.as_ref()),
        None => BytesMut::new(),
    };
    timeout(BODY_DEADLINE, gather(&mut payload, start)).await.unwrap_or(Err(Reason::BodyTimeout))
}

async fn gather(payload: &mut Payload, mut all: BytesMut) -> Result<Bytes, Reason> {
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Reason::BadBody(BodyFault::Malformed))?;
        if all.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(Reason::BodyTooLarge);
        }
        all.extend_from_slice(&chunk);
    }
    Ok(all.freeze())
}
