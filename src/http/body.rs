//! Reading request bodies: bounded in size and in time.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::error::PayloadError;
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
    // A body that comes with its head needs no timer; actix reads it just after the handler has first asked for it.
    let first = match payload.next().now_or_never() {
        Some(first) => first,
        None => match poll_soon(&mut payload).await {
            Some(first) => first,
            None => return Box::pin(in_time(payload, BytesMut::new())).await,
        },
    };
    match first {
        None => Ok(Bytes::new()),
        Some(Err(_)) => Err(Reason::BadBody(BodyFault::Malformed)),
        Some(Ok(first)) if announced == Some(first.len()) => Ok(first),
        Some(Ok(first)) => Box::pin(in_time(payload, BytesMut::from(first.as_ref()))).await,
    }
}

/// The next chunk, if it is there when this task gets its next turn.
async fn poll_soon(payload: &mut Payload) -> Option<Option<Result<Bytes, PayloadError>>> {
    let mut asked = false;
    poll_fn(|cx| match payload.poll_next_unpin(cx) {
        Poll::Ready(chunk) => Poll::Ready(Some(chunk)),
        Poll::Pending if asked => Poll::Ready(None),
        Poll::Pending => {
            asked = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

async fn in_time(mut payload: Payload, start: BytesMut) -> Result<Bytes, Reason> {
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
