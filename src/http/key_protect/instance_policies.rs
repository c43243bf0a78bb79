//! Policies of a whole instance. Source: `docs/contract/policies.md` 3, 4.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::app::instance_policies::{get_allowed_ip_port, get_instance_policies, set_instance_policies};
use crate::domain::instance_policy::key_access::KeyAccessFlag;
use crate::domain::instance_policy::{InstancePolicy, PolicyKind, Terms};
use crate::domain::operation::Operation;
use crate::domain::reason::Reason;
use crate::http::key_protect::entry::{enter, enter_with_body};
use crate::http::key_protect::envelope::{self, ALLOWED_IP, Collection, POLICY, WhenEmpty};
use crate::http::key_protect::instance_policy_body;
use crate::http::query::Query;
use crate::http::state::State;

#[derive(Serialize)]
struct PolicyBody<'a> {
    #[serde(rename = "creationDate")]
    creation_date: String,
    #[serde(rename = "createdBy")]
    created_by: &'a str,
    #[serde(rename = "updatedBy")]
    updated_by: &'a str,
    /// `lastUpdateDate` in policies of keys.
    #[serde(rename = "lastUpdated")]
    last_updated: String,
    policy_type: &'static str,
    policy_data: PolicyData,
}

#[derive(Serialize)]
struct PolicyData {
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Value>,
}

#[derive(Serialize)]
struct PortBody {
    private_endpoint_port: u16,
}

/// `PUT /instance/policies`: 204 without a body.
pub(crate) async fn set(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    enter_with_body(&request, Some(payload), &state, Operation::SetInstancePolicies, async |cx, bytes| {
        let wanted = wanted(&Query::of(&request)).and_then(|wanted| instance_policy_body::read(&bytes, wanted));
        set_instance_policies(&state.app, cx, wanted).await?;
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}

/// `GET /instance/policies`
pub(crate) async fn list(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::GetInstancePolicies, async |cx| {
        let wanted = wanted(&Query::of(&request));
        let policies = get_instance_policies(&state.app, cx, wanted.clone().map(drop)).await?;
        let wanted = wanted?;
        let fits = |policy: &&InstancePolicy| wanted.is_none_or(|kind| policy.terms.kind() == kind);
        let shown = policies.all().filter(fits).map(render).collect();
        let body = Collection::new(POLICY, shown, WhenEmpty::EmptyArray);
        Ok(envelope::reply(StatusCode::OK, POLICY, &body))
    })
    .await
}

/// `GET /instance/allowed_ip_port`
pub(crate) async fn port(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::GetAllowedIpPort, async |cx| {
        let port = get_allowed_ip_port(&state.app, cx).await?;
        let ports = port.map(|private_endpoint_port| PortBody { private_endpoint_port }).into_iter().collect();
        let body = Collection::new(ALLOWED_IP, ports, WhenEmpty::EmptyArray);
        Ok(envelope::reply(StatusCode::OK, ALLOWED_IP, &body))
    })
    .await
}

/// The policy that the query names; an empty name is none.
fn wanted(query: &Query<'_>) -> Result<Option<PolicyKind>, Reason> {
    let Some(name) = query.get("policy").filter(|name| !name.is_empty()) else { return Ok(None) };
    PolicyKind::parse(name).map(Some).ok_or_else(|| Reason::query("policy", PolicyKind::RULE))
}

fn render(policy: &InstancePolicy) -> PolicyBody<'_> {
    PolicyBody {
        creation_date: policy.created_at.rfc3339(),
        created_by: &policy.created_by,
        updated_by: &policy.updated_by,
        last_updated: policy.updated_at.rfc3339(),
        policy_type: policy.terms.kind().name(),
        policy_data: PolicyData { enabled: policy.enabled, attributes: attributes(&policy.terms) },
    }
}

fn attributes(terms: &Terms) -> Option<Value> {
    match terms {
        Terms::AllowedNetwork(network) => Some(json!({ "allowed_network": network.name() })),
        Terms::AllowedIp(ranges) => {
            let ranges: Vec<String> = ranges.iter().map(ToString::to_string).collect();
            Some(json!({ "allowed_ip": ranges }))
        }
        Terms::KeyCreateImportAccess(access) => {
            let flags = KeyAccessFlag::ALL.into_iter().map(|flag| (flag.name().to_owned(), json!(access.has(flag))));
            Some(Value::Object(flags.collect::<Map<_, _>>()))
        }
        Terms::Rotation(interval) => interval.map(|interval| json!({ "interval_month": interval.months() })),
        Terms::DualAuthDelete | Terms::Metrics => None,
    }
}
