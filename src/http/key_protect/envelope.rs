//! Envelopes of collections and of errors. Source: docs, error-messages; go-client.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use tracing::error;

use crate::app::error::Error;
use crate::domain::operation::Operation;
use crate::domain::reason::{Reason, Row, StateFault, Target};
use crate::http::faults::{self, Told};

/// Where every refusal sends its reader.
const MORE_INFO: &str = "https://cloud.ibm.com/apidocs/key-protect";

/// Media type of keys.
pub(crate) const KEY: &str = "application/vnd.ibm.kms.key+json";
/// Media type of the replies of wrap, unwrap and rewrap.
const KEY_ACTION: &str = "application/vnd.ibm.kms.key_action+json";
/// Media type of key versions.
pub(crate) const KEY_VERSION: &str = "application/vnd.ibm.kms.key.version+json";
/// Media type of aliases.
pub(crate) const ALIAS: &str = "application/vnd.ibm.kms.alias+json";
/// Media type of policies.
pub(crate) const POLICY: &str = "application/vnd.ibm.kms.policy+json";
/// Media type of the port that belongs to a list of allowed addresses.
pub(crate) const ALLOWED_IP: &str = "application/vnd.ibm.kms.allowed_ip_metadata+json";
/// Media type of registrations.
pub(crate) const REGISTRATION: &str = "application/vnd.ibm.kms.registration+json";
/// Media type of key rings.
pub(crate) const KEY_RING: &str = "application/vnd.ibm.kms.key_ring+json";
/// Media type of import tokens.
pub(crate) const IMPORT_TOKEN: &str = "application/vnd.ibm.kms.import_token+json";
/// Media type of KMIP adapters.
pub(crate) const KMIP_ADAPTER: &str = "application/vnd.ibm.kms.kmip_adapter+json";
/// Media type of client certificates of KMIP adapters.
pub(crate) const KMIP_CERTIFICATE: &str = "application/vnd.ibm.kms.kmip_client_certificate+json";
/// Media type of KMIP objects.
pub(crate) const KMIP_OBJECT: &str = "application/vnd.ibm.kms.kmip_object+json";
/// Media type of errors.
const ERROR: &str = "application/vnd.ibm.kms.error+json";

/// `metadata` of a collection.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata<'a> {
    pub(crate) collection_type: &'static str,
    /// Resources in this reply.
    pub(crate) collection_total: usize,
    /// All there are, where the query asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) search_query: Option<SearchQuery<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) incomplete_search: bool,
}

/// What was searched for.
#[derive(Serialize)]
pub(crate) struct SearchQuery<'a> {
    pub(crate) query: &'a str,
    pub(crate) scopes: Vec<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) not: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) exact: bool,
}

/// A collection. Whether an empty one shows `resources` depends on its kind.
#[derive(Serialize)]
pub(crate) struct Collection<'a, T: Serialize> {
    pub(crate) metadata: Metadata<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resources: Option<Vec<T>>,
}

/// What an empty collection looks like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenEmpty {
    /// No `resources` at all. Source: docs, ts-unable-to-list-keys-api.
    LeaveOut,
    /// `[]`: policies, registrations, key rings and what belongs to KMIP.
    EmptyArray,
}

impl<T: Serialize> Collection<'_, T> {
    /// A collection with plain metadata.
    pub(crate) fn new(collection_type: &'static str, resources: Vec<T>, empty: WhenEmpty) -> Self {
        let metadata = Metadata {
            collection_type,
            collection_total: resources.len(),
            total_count: None,
            search_query: None,
            incomplete_search: false,
        };
        let leave_out = resources.is_empty() && empty == WhenEmpty::LeaveOut;
        Self { metadata, resources: (!leave_out).then_some(resources) }
    }
}

/// A reply of a media type.
pub(crate) fn reply<T: Serialize>(status: StatusCode, media_type: &'static str, body: &T) -> HttpResponse {
    match serde_json::to_string(body) {
        Ok(text) => reply_text(status, media_type, text),
        Err(fault) => {
            error!(%fault, "a reply could not be rendered");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// A reply whose JSON is at hand.
pub(crate) fn reply_text(status: StatusCode, media_type: &'static str, text: String) -> HttpResponse {
    HttpResponseBuilder::new(status).insert_header((CONTENT_TYPE, HeaderValue::from_static(media_type))).body(text)
}

/// The reply of wrap, unwrap or rewrap. Its media type is checked when this is compiled, not with each request.
pub(crate) fn action_reply(text: String) -> HttpResponse {
    static MEDIA_TYPE: HeaderValue = HeaderValue::from_static(KEY_ACTION);
    HttpResponseBuilder::new(StatusCode::OK).insert_header((CONTENT_TYPE, MEDIA_TYPE.clone())).body(text)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorResource {
    error_msg: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasons: Option<[ErrorReason; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorReason {
    code: &'static str,
    message: String,
    status: u16,
    more_info: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<ErrorTarget>,
}

#[derive(Serialize)]
struct ErrorTarget {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
}

/// An error as it is answered and recorded.
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// `errorMsg`, and `reasonForFailure` of the audit record.
    pub(crate) text: String,
    pub(crate) response: HttpResponse,
}

/// Renders what a use case did not do. A fault is logged with its chain, and told to nobody else.
pub(crate) fn refuse(operation: Operation, failure: &Error) -> Refusal {
    match faults::told(failure, operation.row().id) {
        Told::Refused(reason) => render_reason(operation, reason),
        Told::Fault(status) => render_fault(status),
    }
}

/// A bare 500 or 503.
pub(crate) fn render_fault(status: u16) -> Refusal {
    let text = if status == 503 {
        "Service Unavailable: The service cannot store changes at present, please try again later"
    } else {
        "Internal Server Error: The request could not be completed"
    };
    render(status, text.to_owned(), None)
}

fn render_reason(operation: Operation, reason: &Reason) -> Refusal {
    let Row { code, status, message } = reason.row();
    let Some(code) = code else { return render(status, message.into_owned(), None) };
    let phrase = phrase(status);
    let text = format!("{phrase}: {}: Please see `reasons` for more details ({code})", subject(operation, reason));
    let target = reason.target().map(|target| match target {
        Target::Field(name) => ErrorTarget { kind: "field", name },
        Target::QueryParam(name) => ErrorTarget { kind: "query_param", name },
    });
    let reason = ErrorReason { code, message: message.into_owned(), status, more_info: MORE_INFO, target };
    render(status, text, Some([reason]))
}

/// The subject of `errorMsg`. Source: docs, error-messages; go-client; `docs/contract/keys.md` 3.
fn subject(operation: Operation, reason: &Reason) -> String {
    let subject = operation.row().subject;
    let before = if *reason == Reason::KeyNotFound {
        return "Key could not be retrieved".to_owned();
    } else if let Reason::KeyExpired { at } = reason {
        return format!("The key expired on {}: {subject}", at.go_form());
    } else if *reason == Reason::KeyInvalidState(StateFault::NotActive) {
        "Key is not in active state"
    } else if *reason == Reason::KeyInvalidState(StateFault::NotSuspended) {
        "Key is not in suspended state"
    } else if *reason == Reason::AuthorizationsNotMet {
        "1 prior authorization(s) are required for deletion"
    } else {
        return subject.to_owned();
    };
    format!("{before}: {subject}")
}

fn render(status: u16, text: String, reasons: Option<[ErrorReason; 1]>) -> Refusal {
    let resource = ErrorResource { error_msg: text.clone(), reasons };
    let body = Collection::new(ERROR, vec![resource], WhenEmpty::EmptyArray);
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = reply(code, ERROR, &body);
    if status == 401 {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if status == 408 || status == 413 {
        // What is left of the body is not read, so the connection cannot be used again.
        response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
    }
    Refusal { status, text, response }
}

/// The phrase of an HTTP status.
pub(crate) fn phrase(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error")
}
