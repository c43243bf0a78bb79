//! `/v1/b/{bucket}`: the resource configuration of a bucket, JSON. Source: Go SDK of that API; `docs/contract/cos.md` 10.

use actix_web::http::header::{CONTENT_TYPE, ETAG, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde_json::{Map, Value, json};
use tracing::error;

use crate::app::time;
use crate::cos::app::CosApp;
use crate::cos::app::configuration::Usage;
use crate::cos::app::error::Error;
use crate::cos::app::request::{Access, Request};
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::http::body::{self, Body};
use crate::cos::http::{headers, query, uri_of};
use crate::http::auth;
use crate::http::panics;

/// Where this API is; no bucket has so short a name.
pub(crate) const PREFIX: &str = "/v1/b/";

/// Objects within the configuration, with the members that each may have and their kinds.
const SECTIONS: [(&str, &[(&str, Kind)]); 3] = [
    ("firewall", &[("allowed_ip", Kind::Texts), ("denied_ip", Kind::Texts), ("allowed_network_type", Kind::Texts)]),
    (
        "activity_tracking",
        &[
            ("read_data_events", Kind::Boolean),
            ("write_data_events", Kind::Boolean),
            ("management_events", Kind::Boolean),
            ("activity_tracker_crn", Kind::Text),
        ],
    ),
    (
        "metrics_monitoring",
        &[
            ("usage_metrics_enabled", Kind::Boolean),
            ("request_metrics_enabled", Kind::Boolean),
            ("metrics_monitoring_crn", Kind::Text),
        ],
    ),
];

#[derive(Clone, Copy)]
enum Kind {
    Boolean,
    Text,
    Texts,
}

/// Why a request is refused here.
struct Refused {
    status: u16,
    code: String,
    message: String,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { status: refusal.status, code: snake_case(&refusal.code), message: refusal.message.into_owned() }
    }
}

impl From<Error> for Refused {
    fn from(failure: Error) -> Self {
        if failure.is_fault() {
            error!(%failure, "the gateway failed");
        }
        failure.refusal().into()
    }
}

/// Answers a request of this API.
pub(crate) async fn answer(cos: &CosApp, request: &HttpRequest, body: &Body, id: &str) -> HttpResponse {
    let outcome = panics::caught(run(cos, request, body, id)).await;
    let refused = match outcome {
        Some(Ok(response)) => return response,
        Some(Err(refused)) => refused,
        None => Refusal::from(Code::InternalError).into(),
    };
    let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponseBuilder::new(status).json(json!({
        "trace": id,
        "errors": [{ "code": refused.code, "message": refused.message }],
        "status_code": refused.status,
    }))
}

async fn run(cos: &CosApp, request: &HttpRequest, body: &Body, id: &str) -> Result<HttpResponse, Refused> {
    let caller = auth::caller(&cos.app, request).map_err(|_| Refused {
        status: 401,
        code: "invalid_token".to_owned(),
        message: "The provided token is missing, invalid or expired".to_owned(),
    })?;
    let cx = Request {
        now: time::present(&cos.app).await,
        id: id.to_owned(),
        caller,
        instance: None,
        bound_to: None,
        uri: uri_of(request),
        peer: request.peer_addr().map(|peer| peer.ip()),
    };
    let name = request.uri().path().strip_prefix(PREFIX).unwrap_or_default();
    let name = query::decode(name.trim_end_matches('/'))?;
    match *request.method() {
        Method::GET => {
            let bucket = cos.enter(&cx, &name, Access::Read).await?;
            let usage = cos.usage(&cx, &bucket).await?;
            Ok(shown(&bucket, usage))
        }
        Method::PATCH => {
            let bucket = cos.enter(&cx, &name, Access::Write).await?;
            let given = headers::joined(request.headers(), "if-match");
            let matches = |tags: String| tags.split(',').any(|tag| ["*", &etag(&bucket)].contains(&tag.trim()));
            let only_at = given.as_ref().map(|_| bucket.revision);
            if given.is_some_and(|tags| !matches(tags)) {
                return Err(Refusal::from(Code::PreconditionFailed).into());
            }
            let upload = body.upload(headers::checks(request.headers())?, None, None);
            let bytes = body::document(upload).await?;
            cos.configure_bucket(&cx, &bucket, only_at, move |present| merged(present, &bytes)).await?;
            Ok(HttpResponse::NoContent().finish())
        }
        _ => Err(Refusal::from(Code::MethodNotAllowed).into()),
    }
}

fn shown(bucket: &Bucket, usage: Usage) -> HttpResponse {
    let mut members = stored(&bucket.configuration);
    let own = json!({
        "name": bucket.name.as_str(), "crn": bucket.crn(),
        "service_instance_id": bucket.instance.to_string(), "service_instance_crn": bucket.instance_crn(),
        "time_created": bucket.created_at.rfc3339_exact(), "time_updated": bucket.updated_at.rfc3339_exact(),
        "object_count": usage.objects, "bytes_used": usage.bytes,
        "noncurrent_object_count": 0, "noncurrent_bytes_used": 0, "delete_marker_count": 0,
    });
    if let Value::Object(own) = own {
        members.extend(own);
    }
    let body = Value::Object(members).to_string();
    let mut response = HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/json")).body(body);
    if let Ok(tag) = HeaderValue::from_str(&etag(bucket)) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

fn etag(bucket: &Bucket) -> String {
    format!("\"{}-{}\"", bucket.revision, bucket.id)
}

fn stored(configuration: &str) -> Map<String, Value> {
    serde_json::from_str(configuration).unwrap_or_default()
}

/// The configuration with a merge patch applied: null takes a member away.
fn merged(configuration: &str, patch: &[u8]) -> Result<String, Refusal> {
    let patch: Map<String, Value> =
        serde_json::from_slice(patch).map_err(|_| invalid("The body must be a JSON object."))?;
    let mut members = stored(configuration);
    for (name, value) in patch {
        if value.is_null() {
            known(&name)?;
            members.remove(&name);
            continue;
        }
        if let Value::Object(section) = value {
            let fields = SECTIONS.iter().find(|(known, _)| *known == name);
            let (_, fields) = fields.ok_or_else(|| unknown(&name))?;
            let mut next = members.get(&name).and_then(Value::as_object).cloned().unwrap_or_default();
            for (field, value) in section {
                set(&mut next, &name, fields, field, value)?;
            }
            members.insert(name, Value::Object(next));
        } else if name == "hard_quota" {
            if value.as_u64().is_none() {
                return Err(invalid("hard_quota must be a whole number of bytes from 0 on."));
            }
            members.insert(name, value);
        } else {
            known(&name)?;
            return Err(invalid(format!("{name} must be an object.")));
        }
    }
    Ok(Value::Object(members).to_string())
}

fn set(
    section: &mut Map<String, Value>,
    name: &str,
    fields: &[(&str, Kind)],
    field: String,
    value: Value,
) -> Result<(), Refusal> {
    let full = format!("{name}.{field}");
    let kind = fields.iter().find(|(known, _)| *known == field).map(|(_, kind)| *kind);
    let kind = kind.ok_or_else(|| unknown(&full))?;
    if value.is_null() {
        section.remove(&field);
        return Ok(());
    }
    let (fits, wanted) = match kind {
        Kind::Boolean => (value.is_boolean(), "true or false"),
        Kind::Text => (value.is_string(), "a text"),
        Kind::Texts => (value.as_array().is_some_and(|all| all.iter().all(Value::is_string)), "a list of texts"),
    };
    if !fits {
        return Err(invalid(format!("{full} must be {wanted}.")));
    }
    section.insert(field, value);
    Ok(())
}

fn known(name: &str) -> Result<(), Refusal> {
    let known = name == "hard_quota" || SECTIONS.iter().any(|(section, _)| *section == name);
    if known { Ok(()) } else { Err(unknown(name)) }
}

fn unknown(name: &str) -> Refusal {
    invalid(format!("{name} is unknown or cannot be changed."))
}

fn invalid(why: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
    Refusal::new(Code::InvalidRequest, why)
}

/// `NoSuchBucket` as `no_such_bucket`.
fn snake_case(code: &str) -> String {
    let mut text = String::new();
    for letter in code.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_is_merged_and_null_takes_away() {
        let next = merged(r#"{"hard_quota":5,"firewall":{"allowed_ip":["10.0.0.1"]}}"#, br#"{"hard_quota":null}"#);
        assert_eq!(next.unwrap(), r#"{"firewall":{"allowed_ip":["10.0.0.1"]}}"#);
        let patch = br#"{"activity_tracking":{"read_data_events":true},"hard_quota":7}"#;
        let next: Value = serde_json::from_str(&merged("{}", patch).unwrap()).unwrap();
        assert_eq!(next, json!({ "activity_tracking": { "read_data_events": true }, "hard_quota": 7 }));
    }

    #[test]
    fn what_cannot_be_set_is_refused_by_its_name() {
        for (patch, named) in [
            (r#"{"name":"x"}"#, "name"),
            (r#"{"kms_root_key_crn":null}"#, "kms_root_key_crn"),
            (r#"{"hard_quota":-1}"#, "hard_quota"),
            (r#"{"firewall":{"blocked":[]}}"#, "firewall.blocked"),
            (r#"{"firewall":{"allowed_ip":[1]}}"#, "firewall.allowed_ip"),
            (r#"{"firewall":1}"#, "firewall"),
            ("[]", "object"),
        ] {
            let refusal = merged("{}", patch.as_bytes()).unwrap_err();
            assert!(refusal.is(Code::InvalidRequest) && refusal.message.contains(named), "{}", refusal.message);
        }
    }

    #[test]
    fn codes_are_written_as_this_api_writes_them() {
        assert_eq!(snake_case("NoSuchBucket"), "no_such_bucket");
    }
}
