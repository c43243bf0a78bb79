//! The resource instance as JSON. Source: Node integration tests of the platform SDK; Terraform indexes
//! `extensions.endpoints` unchecked.

use serde_json::{Value, json};

use crate::app::instances::resource_group_crn;
use crate::app::resource_keys::Shown;
use crate::domain::crn;
use crate::domain::instance::{Instance, Presence, Service};
use crate::domain::time::Timestamp;

/// An instance; `base` is the service's own address.
pub(crate) fn instance(instance: &Instance, base: &str) -> Value {
    let guid = instance.id.to_string();
    let url = format!("/v2/resource_instances/{guid}");
    let crn = instance.crn();
    let (operation, deleted, reclaimed_at) = match &instance.presence {
        Presence::Active => (instance.last_operation.name(), None, None),
        Presence::Pending { at, by, until } => ("delete", Some((at, by)), Some(nanoseconds(*until))),
        Presence::Removed { at, by } => ("delete", Some((at, by)), None),
    };
    let deleted_at = deleted.map(|(at, _)| nanoseconds(*at));
    let deleted_by = deleted.map_or("", |(_, by)| by);
    let (updated_at, updated_by) = instance.last_change();
    let mut body = json!({
        "id": crn, "guid": guid, "url": url, "crn": crn,
        "created_at": nanoseconds(instance.created_at), "created_by": instance.created_by,
        "updated_at": nanoseconds(updated_at), "updated_by": updated_by,
        "deleted_at": deleted_at, "deleted_by": deleted_by,
        "scheduled_reclaim_at": reclaimed_at, "restored_at": null,
        "name": instance.name, "region_id": instance.region, "account_id": instance.account,
        "reseller_channel_id": "", "resource_plan_id": instance.plan_id,
        "resource_group_id": instance.resource_group,
        "resource_group_crn": resource_group_crn(&instance.resource_group),
        "target_crn": format!(
            "crn:v1:bluemix:public:globalcatalog::::deployment:{}%3A{}", instance.plan_id, instance.region
        ),
        "onetime_credentials": false, "allow_cleanup": instance.allow_cleanup,
        "state": instance.state(), "type": "service_instance", "sub_type": instance.service.sub_type(),
        "resource_id": instance.service.offering_id(), "dashboard_url": null,
        "last_operation": {
            "type": operation, "state": "succeeded", "async": false,
            "description": format!("Completed {operation} instance operation"), "cancelable": false, "poll": false,
        },
        "resource_aliases_url": format!("{url}/resource_aliases"),
        "resource_bindings_url": format!("{url}/resource_bindings"),
        "resource_keys_url": format!("{url}/resource_keys"),
        "plan_history": plan_history(instance),
        "migrated": false, "controlled_by": "", "locked": instance.locked,
    });
    let Some(members) = body.as_object_mut() else { return body };
    if instance.service == Service::KeyProtect {
        members.insert("extensions".to_owned(), json!({ "endpoints": { "public": base, "private": base } }));
    }
    if let Some(parameters) = instance.parameters.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok()) {
        members.insert("parameters".to_owned(), parameters);
    }
    body
}

/// Oldest first, the present one last (ASSUMED).
fn plan_history(instance: &Instance) -> Vec<Value> {
    let shown = |plan_id: &str, at| json!({ "resource_plan_id": plan_id, "start_date": nanoseconds(at) });
    let before = instance.plans_before.iter().map(|plan| shown(&plan.plan_id, plan.at));
    before.chain([shown(&instance.plan_id, instance.plan_since)]).collect()
}

/// Whether what is secret is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrecy {
    Told,
    Redacted,
}

/// A resource key; `base` is the service's own address.
pub(crate) fn resource_key(one: &Shown, secrecy: Secrecy, base: &str) -> Value {
    let Shown { key, instance, .. } = one;
    let guid = key.id.to_string();
    let crn = crn::of_resource_key(instance, key.id);
    let moment = |moment: &Option<(Timestamp, String)>| match moment {
        Some((at, by)) => (Some(nanoseconds(*at)), by.clone()),
        None => (None, String::new()),
    };
    let (updated_at, updated_by) = moment(&key.updated);
    let (deleted_at, deleted_by) = moment(&key.removed);
    json!({
        "id": crn, "guid": guid, "url": format!("/v2/resource_keys/{guid}"), "crn": crn,
        "created_at": nanoseconds(key.created_at), "created_by": key.created_by,
        "updated_at": updated_at.unwrap_or_else(|| nanoseconds(key.created_at)), "updated_by": updated_by,
        "deleted_at": deleted_at, "deleted_by": deleted_by,
        "source_crn": instance.crn(), "name": key.name, "role": key.role,
        "state": if key.removed.is_some() { "removed" } else { "active" },
        "account_id": instance.account, "resource_group_id": instance.resource_group,
        "resource_id": instance.service.offering_id(),
        "onetime_credentials": false, "credentials": credentials(one, secrecy, base),
        "iam_compatible": true, "migrated": false,
        "resource_instance_url": format!("/v2/resource_instances/{}", instance.id),
        "resource_alias_url": null,
    })
}

fn credentials(one: &Shown, secrecy: Secrecy, base: &str) -> Value {
    let Shown { key, instance, secrets } = one;
    let Some(secrets) = secrets else { return json!({}) };
    if secrecy == Secrecy::Redacted {
        return json!({ "REDACTED": "REDACTED" });
    }
    let service_id = format!("ServiceId-{}", key.service_id);
    let mut credentials = json!({
        "apikey": secrets.api_key.as_str(),
        "iam_apikey_description": format!("Auto-generated for key {}", crn::of_resource_key(instance, key.id)),
        "iam_apikey_name": key.name,
        "iam_role_crn": key.role,
        "iam_serviceid_crn":
            format!("crn:v1:bluemix:public:iam-identity::a/{}::serviceid:{service_id}", instance.account),
        "resource_instance_id": instance.crn(),
    });
    let Some(members) = credentials.as_object_mut() else { return credentials };
    if instance.service == Service::ObjectStorage {
        members.insert("endpoints".to_owned(), json!(format!("{base}/v2/endpoints")));
    }
    if let (Some(id), Some(secret)) = (&key.access_key_id, &secrets.hmac_secret) {
        let pair = json!({ "access_key_id": id, "secret_access_key": secret.as_str() });
        members.insert("cos_hmac_keys".to_owned(), pair);
    }
    credentials
}

/// RFC 3339 with nine fraction digits, as this API prints its dates.
fn nanoseconds(at: Timestamp) -> String {
    let seconds = at.rfc3339();
    let fraction = at.millis().rem_euclid(1_000);
    format!("{}.{fraction:03}000000Z", seconds.trim_end_matches('Z'))
}
