//! Errors of our own APIs: `{"error":{"code","message","path"}}`.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use serde_json::Value;

use crate::app::error::Error;
use crate::http::faults::{self, Told};
use crate::http::panics;

/// A refusal of the admin API.
#[derive(Debug)]
pub(crate) struct AdminError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// The field at fault, `match.status` for one within another.
    pub(crate) path: Option<String>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorDetail<'a>,
}

#[derive(Serialize)]
struct ErrorDetail<'a> {
    code: &'a str,
    message: &'a str,
    path: Option<&'a str>,
}

impl AdminError {
    /// A 400 about a field.
    pub(crate) fn bad_field(path: &str, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "bad_request",
            message: message.into(),
            path: Some(path.to_owned()),
        }
    }

    /// A 422 about a field: well-formed, and not possible.
    pub(crate) fn impossible(path: &str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, code: "impossible", ..Self::bad_field(path, message) }
    }

    /// A 400 about the body as a whole.
    pub(crate) fn bad_body(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "bad_request", message: message.into(), path: None }
    }

    /// Any other status without a field.
    pub(crate) fn plain(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), path: None }
    }

    /// A failure of the service itself that no retry mends.
    pub(crate) fn failed() -> Self {
        Self::fault(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn fault(status: StatusCode) -> Self {
        Self::plain(status, "fault", "the request could not be completed")
    }

    /// The reply.
    pub(crate) fn render(&self) -> HttpResponse {
        let error = ErrorDetail { code: self.code, message: &self.message, path: self.path.as_deref() };
        let mut response = HttpResponseBuilder::new(self.status).json(ErrorBody { error });
        if matches!(self.status, StatusCode::REQUEST_TIMEOUT | StatusCode::PAYLOAD_TOO_LARGE) {
            response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
        }
        response
    }
}

impl From<Error> for AdminError {
    fn from(failure: Error) -> Self {
        match faults::told(&failure, "admin API") {
            Told::Refused(reason) => {
                let row = reason.row();
                let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::BAD_REQUEST);
                Self::plain(status, "refused", row.message)
            }
            Told::Fault(status) => {
                Self::fault(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
            }
        }
    }
}

/// The reply of a call; a panic costs that call and nothing else.
pub(crate) async fn respond(answer: impl Future<Output = Result<HttpResponse, AdminError>>) -> HttpResponse {
    match panics::caught(answer).await {
        Some(Ok(response)) => response,
        Some(Err(error)) => error.render(),
        None => AdminError::failed().render(),
    }
}

/// The same, for a call whose success has one status and a body, or none where it is `null`.
pub(crate) async fn respond_json(
    status: StatusCode,
    answer: impl Future<Output = Result<Value, AdminError>>,
) -> HttpResponse {
    respond(async {
        let body = answer.await?;
        let mut response = HttpResponseBuilder::new(status);
        Ok(if body.is_null() { response.finish() } else { response.json(body) })
    })
    .await
}

/// For whoever is lost.
const LOST: &str = "nothing answers on this path; /docs shows the API, and /mock/info tells addresses and ids";

/// A path that nothing answers on.
pub(crate) async fn unknown_path() -> HttpResponse {
    AdminError::plain(StatusCode::NOT_FOUND, "not_found", LOST).render()
}

/// A method that the path does not have.
pub(crate) async fn wrong_method() -> HttpResponse {
    AdminError::plain(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "the path does not offer this method")
        .render()
}
