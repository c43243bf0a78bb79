//! Errors of the Resource Controller. Source: `docs/contract/iam.md` 3.3 and 6; most of the form is ASSUMED.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde_json::json;

use crate::app::error::Error;
use crate::app::instances::InstanceRefusal;
use crate::app::resource_keys::ResourceKeyRefusal;
use crate::domain::reason::Reason;
use crate::http::faults::{self, Told};
use crate::http::transaction;

/// A refusal.
#[derive(Debug)]
pub(crate) struct ControllerError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl ControllerError {
    /// A 400 that names the field and the remedy.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "RC-InvalidRequest", message: message.into() }
    }

    /// No such instance.
    pub(crate) fn not_found() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: "RC-InstanceNotFound",
            message: "The resource instance does not exist".to_owned(),
        }
    }

    /// A caller without the platform role.
    pub(crate) fn forbidden() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            code: "insufficent_permissions",
            message: "You are not authorized to do this with resource instances".to_owned(),
        }
    }

    /// A failure of the service itself.
    pub(crate) fn fault() -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "RC-InternalError",
            message: "The request could not be completed".to_owned(),
        }
    }

    /// The reply; `Transaction-Id` is taken over from the request.
    pub(crate) fn render(&self, request: &HttpRequest) -> HttpResponse {
        let transaction = transaction::given(request).unwrap_or_default();
        if matches!(self.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return HttpResponseBuilder::new(self.status).json(json!({
                "trace": transaction,
                "errors": [{ "code": self.code, "message": self.message }],
                "status_code": self.status.as_u16(),
            }));
        }
        let mut response = HttpResponseBuilder::new(self.status).json(json!({
            "message": self.message,
            "status_code": self.status.as_u16(),
            "transaction_id": transaction,
            "error_code": self.code,
        }));
        if matches!(self.status, StatusCode::REQUEST_TIMEOUT | StatusCode::PAYLOAD_TOO_LARGE) {
            response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
        }
        response
    }
}

impl From<Reason> for ControllerError {
    fn from(reason: Reason) -> Self {
        let row = reason.row();
        let unauthorized = matches!(reason, Reason::Unauthorized | Reason::BearerSubject);
        if unauthorized {
            return Self {
                status: StatusCode::UNAUTHORIZED,
                code: "invalid_token",
                message: "The provided token is missing, invalid or expired".to_owned(),
            };
        }
        let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::BAD_REQUEST);
        Self { status, code: "RC-InvalidRequest", message: row.message.into_owned() }
    }
}

impl From<Error> for ControllerError {
    fn from(failure: Error) -> Self {
        match faults::told(&failure, "Resource Controller") {
            Told::Refused(reason) => reason.clone().into(),
            Told::Fault(status) => Self {
                status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                ..Self::fault()
            },
        }
    }
}

impl From<InstanceRefusal> for ControllerError {
    fn from(refusal: InstanceRefusal) -> Self {
        match refusal {
            InstanceRefusal::NotFound => Self::not_found(),
            InstanceRefusal::Gone => Self {
                status: StatusCode::GONE,
                code: "RC-InstanceGone",
                message: "The resource instance was removed before".to_owned(),
            },
            InstanceRefusal::HasKeys(keys) => Self {
                status: StatusCode::CONFLICT,
                code: "RC-ServiceBrokerErrorResponse",
                message: format!(
                    "[409, Conflict] Conflict: Instance contains {keys} active keys. Remove all keys before de-provisioning"
                ),
            },
            InstanceRefusal::HasCredentials(left) => Self::bad_request(format!(
                "The instance has {left} resource keys: delete them first, or set `recursive=true`"
            )),
            InstanceRefusal::Locked => Self {
                status: StatusCode::UNPROCESSABLE_ENTITY,
                code: "RC-InstanceLocked",
                message: "The resource instance is locked: unlock it first".to_owned(),
            },
            InstanceRefusal::WrongPlan => Self::bad_request("`resource_plan_id` must be a plan of the same service"),
            InstanceRefusal::Fault(fault) => fault.into(),
        }
    }
}

impl From<ResourceKeyRefusal> for ControllerError {
    fn from(refusal: ResourceKeyRefusal) -> Self {
        match refusal {
            ResourceKeyRefusal::NotFound => Self {
                status: StatusCode::NOT_FOUND,
                code: "RC-ResourceKeyNotFound",
                message: "The resource key does not exist".to_owned(),
            },
            ResourceKeyRefusal::Gone => Self {
                status: StatusCode::GONE,
                code: "RC-ResourceKeyGone",
                message: "The resource key was removed before".to_owned(),
            },
            ResourceKeyRefusal::NoInstance => Self::not_found(),
            ResourceKeyRefusal::NoServiceId => {
                Self::bad_request("`parameters.serviceid_crn` must be the CRN of a service id that there is")
            }
            ResourceKeyRefusal::Fault(fault) => fault.into(),
        }
    }
}
