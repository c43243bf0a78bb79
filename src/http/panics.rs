//! A panic costs one request: it is logged and answered, and the worker goes on.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tracing::error;

/// Runs a handler; `None` when it panicked. No `async fn`: that would hold the handler twice.
pub(crate) fn caught<T>(handler: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
    let caught = AssertUnwindSafe(handler).catch_unwind();
    caught.map(|done| done.inspect_err(|_| error!("a request ended in a panic")).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_panic_ends_in_nothing_and_a_result_passes() {
        assert_eq!(caught(async { 7 }).await, Some(7));
        assert_eq!(caught(async { std::hint::black_box(None::<u8>).expect("planted") }).await, None);
    }
}
