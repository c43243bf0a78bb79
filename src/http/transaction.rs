//! `Transaction-Id`, by which the platform's APIs tell one request from another.

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

/// Characters that are sent back (ASSUMED, as for `Correlation-Id`).
const CHARACTERS_MAX: usize = 256;
const NAME: HeaderName = HeaderName::from_static("transaction-id");

/// What the request brought, if it is one header of 1 to 256 printable ASCII characters.
pub(crate) fn given(request: &HttpRequest) -> Option<&str> {
    let mut headers = request.headers().get_all(NAME);
    let header = headers.next().filter(|_| headers.next().is_none())?;
    let text = header.to_str().ok()?;
    let fits = (1..=CHARACTERS_MAX).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    fits.then_some(text)
}

/// Sends it back.
pub(crate) fn echo(request: &HttpRequest, response: &mut HttpResponse) {
    if let Some(value) = given(request).and_then(|text| HeaderValue::from_str(text).ok()) {
        response.headers_mut().insert(NAME, value);
    }
}
