//! Errors of the policies API. Source: Node client, its list of codes; which status goes with which is ASSUMED but for 409.

use actix_web::http::{ConnectionType, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde_json::{Value, json};

use crate::app::error::Error;
use crate::app::iam_identities::IdentityRefusal;
use crate::app::iam_policies::PolicyRefusal;
use crate::domain::iam_policy::IamPolicy;
use crate::domain::reason::Reason;
use crate::http::faults::{self, Told};
use crate::http::state::State;
use crate::http::transaction;

/// Where errors send their reader.
const MORE_INFO: &str = "https://cloud.ibm.com/apidocs/iam-policy-management";

/// A refusal.
#[derive(Debug)]
pub(crate) struct PolicyError {
    status: StatusCode,
    code: &'static str,
    message: String,
    details: Option<Value>,
}

impl PolicyError {
    /// Any refusal without details.
    pub(crate) fn plain(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: None }
    }

    /// A 400 about the body.
    pub(crate) fn body(message: impl Into<String>) -> Self {
        Self::plain(StatusCode::BAD_REQUEST, "invalid_body", message)
    }

    /// A failure of the service itself.
    pub(crate) fn fault() -> Self {
        let message = "The request could not be completed";
        Self::plain(StatusCode::INTERNAL_SERVER_ERROR, "request_not_processed", message)
    }

    /// The reply; `trace` is the caller's `Transaction-Id`, or made up.
    pub(crate) fn render(&self, request: &HttpRequest, state: &State) -> HttpResponse {
        let given = transaction::given(request).map(str::to_owned);
        let trace = given.unwrap_or_else(|| {
            let bytes = state.app.vault.random.pooled().unwrap_or_default();
            uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
        });
        let mut error = json!({ "code": self.code, "message": self.message, "more_info": MORE_INFO });
        if let (Some(details), Some(error)) = (&self.details, error.as_object_mut()) {
            error.insert("details".to_owned(), details.clone());
        }
        let mut response = HttpResponseBuilder::new(self.status)
            .json(json!({ "trace": trace, "errors": [error], "status_code": self.status.as_u16() }));
        if matches!(self.status, StatusCode::REQUEST_TIMEOUT | StatusCode::PAYLOAD_TOO_LARGE) {
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        response
    }

    fn conflict(message: &str, with: &IamPolicy) -> Self {
        let role = with.draft.roles.first();
        let details = json!({ "conflicts_with": { "etag": with.etag(), "role": role, "policy": with.id.to_string() } });
        Self { details: Some(details), ..Self::plain(StatusCode::CONFLICT, "policy_conflict_error", message) }
    }
}

impl From<Reason> for PolicyError {
    fn from(reason: Reason) -> Self {
        if matches!(reason, Reason::Unauthorized | Reason::BearerSubject) {
            let message = "The provided token is missing, invalid or expired";
            return Self::plain(StatusCode::UNAUTHORIZED, "invalid_token", message);
        }
        let row = reason.row();
        let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::BAD_REQUEST);
        Self::plain(status, "request_not_processed", row.message)
    }
}

impl From<PolicyRefusal> for PolicyError {
    fn from(refusal: PolicyRefusal) -> Self {
        match refusal {
            PolicyRefusal::Forbidden => Self::plain(
                StatusCode::FORBIDDEN,
                "insufficent_permissions",
                "You are not authorized to manage who may do what in the account",
            ),
            PolicyRefusal::NotFound => {
                Self::plain(StatusCode::NOT_FOUND, "policy_not_found", "The policy does not exist")
            }
            PolicyRefusal::Conflict(with) => {
                Self::conflict("A policy that gives the same roles on the same resource exists already", &with)
            }
            PolicyRefusal::Changed(with) => {
                Self::conflict("The policy was changed since: If-Match names another ETag", &with)
            }
            PolicyRefusal::OtherKind => Self::body("`type` of a policy can not be changed"),
            PolicyRefusal::TooMany => {
                Self::plain(StatusCode::CONFLICT, "unable_to_process", "The account has as many policies as it can")
            }
            PolicyRefusal::Fault(fault) => fault.into(),
        }
    }
}

impl From<IdentityRefusal> for PolicyError {
    /// ASSUMED throughout: IBM documents the form of these errors and few of their codes.
    fn from(refusal: IdentityRefusal) -> Self {
        let not_found = |message: &str| Self::plain(StatusCode::NOT_FOUND, "not_found", message);
        let conflict = |message: &str| Self::plain(StatusCode::CONFLICT, "unable_to_process", message);
        match refusal {
            IdentityRefusal::ServiceIdNotFound => not_found("The service id does not exist"),
            IdentityRefusal::ApiKeyNotFound => not_found("The API key does not exist"),
            IdentityRefusal::OwnersOwn => Self::plain(
                StatusCode::FORBIDDEN,
                "insufficent_permissions",
                "An API key of the account's owner can be made by the owner alone",
            ),
            IdentityRefusal::NobodyByThatId => {
                Self::body("`iam_id` must be the account owner's or that of a service id made by POST /v1/serviceids")
            }
            IdentityRefusal::KeyIsTaken => conflict("`apikey` is an API key already: choose another one"),
            IdentityRefusal::TooManyServiceIds => conflict("The account has as many service ids as it can"),
            IdentityRefusal::TooManyApiKeys => conflict("`iam_id` has as many API keys as it can: delete one of them"),
            IdentityRefusal::Fault(fault) => fault.into(),
        }
    }
}

impl From<Error> for PolicyError {
    fn from(fault: Error) -> Self {
        match faults::told(&fault, "IAM policies") {
            Told::Refused(reason) => reason.clone().into(),
            Told::Fault(status) => Self {
                status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                ..Self::fault()
            },
        }
    }
}
