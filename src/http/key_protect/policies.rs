//! Policies of a key. Source: `docs/contract/policies.md` 2.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::app::key_policies::set_policies;
use crate::app::read_key::get_attached;
use crate::domain::crn;
use crate::domain::instance::Instance;
use crate::domain::key::Key;
use crate::domain::operation::Operation;
use crate::domain::policy::PolicyRecord;
use crate::domain::reason::Reason;
use crate::http::key_protect::entry::{enter, enter_with_body, key_ref};
use crate::http::key_protect::envelope::{self, Collection, POLICY, WhenEmpty};
use crate::http::key_protect::policy_body::{self, Wanted};
use crate::http::key_protect::render::RotationBody;
use crate::http::query::Query;
use crate::http::state::State;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicyBody<'a> {
    #[serde(rename = "type")]
    media_type: &'static str,
    id: String,
    crn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation: Option<RotationBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dual_auth_delete: Option<Enabled>,
    created_by: &'a str,
    creation_date: String,
    updated_by: &'a str,
    last_update_date: String,
}

#[derive(Serialize)]
struct Enabled {
    enabled: bool,
}

/// `GET /keys/{id}/policies`
pub(crate) async fn list(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::GetPolicies, async |cx| {
        let instance = cx.instance.clone();
        let wanted = wanted(&Query::of(&request));
        let key = get_attached(&state.app, cx, key_ref(&request), wanted.clone().map(drop)).await?;
        let policies = render(&instance, &key, wanted?);
        let body = Collection::new(POLICY, policies, WhenEmpty::EmptyArray);
        Ok(envelope::reply(StatusCode::OK, POLICY, &body))
    })
    .await
}

/// `PUT /keys/{id}/policies`: always 200 with what the query names, whatever `prefer` says. Source: go-client.
pub(crate) async fn set(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    enter_with_body(&request, Some(payload), &state, Operation::SetPolicies, async |cx, bytes| {
        let instance = cx.instance.clone();
        let wanted = wanted(&Query::of(&request));
        let changes = wanted.clone().and_then(|wanted| policy_body::read(&bytes, wanted));
        let key = set_policies(&state.app, cx, key_ref(&request), changes).await?;
        let policies = render(&instance, &key, wanted?);
        let body = Collection::new(POLICY, policies, WhenEmpty::EmptyArray);
        Ok(envelope::reply(StatusCode::OK, POLICY, &body))
    })
    .await
}

fn wanted(query: &Query<'_>) -> Result<Wanted, Reason> {
    match query.get("policy") {
        None | Some("") => Ok(Wanted::All),
        Some("rotation") => Ok(Wanted::Rotation),
        Some("dualAuthDelete") => Ok(Wanted::DualAuth),
        Some(_) => Err(Reason::query("policy", "rotation or dualAuthDelete")),
    }
}

fn render<'a>(instance: &Instance, key: &'a Key, wanted: Wanted) -> Vec<PolicyBody<'a>> {
    let mut all = Vec::new();
    if let Some(policy) = key.rotation.as_ref().filter(|_| wanted != Wanted::DualAuth) {
        let rotation = RotationBody { enabled: policy.enabled, interval_month: policy.interval.months() };
        all.push(PolicyBody { rotation: Some(rotation), ..describe(instance, &policy.record) });
    }
    if let Some(policy) = key.dual_auth.as_ref().filter(|_| wanted != Wanted::Rotation) {
        let dual_auth_delete = Some(Enabled { enabled: policy.enabled });
        all.push(PolicyBody { dual_auth_delete, ..describe(instance, &policy.record) });
    }
    all
}

fn describe<'a>(instance: &Instance, record: &'a PolicyRecord) -> PolicyBody<'a> {
    PolicyBody {
        media_type: POLICY,
        id: record.id.to_string(),
        crn: crn::of_policy(instance, record.id),
        rotation: None,
        dual_auth_delete: None,
        created_by: &record.created_by,
        creation_date: record.created_at.rfc3339(),
        updated_by: &record.updated_by,
        last_update_date: record.updated_at.rfc3339(),
    }
}
