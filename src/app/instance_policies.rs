//! Policies of a whole instance: set, read, and the port that belongs to one of them.

use std::sync::Arc;

use crate::app::App;
use crate::app::error::Error;
use crate::domain::access::Place;
use crate::domain::audit::{Datum, Record, Side};
use crate::domain::context::Context;
use crate::domain::instance_policy::key_access::KeyAccessFlag;
use crate::domain::instance_policy::{InstancePolicies, InstancePolicy, InstancePolicyChange, Terms};
use crate::domain::reason::Reason;
use crate::store::{instance_policies, instances};

/// Sets policies: all that are wanted, or none (ASSUMED). They hold for every request that comes after the answer.
///
/// # Errors
/// What query and body break.
///
/// Source: API reference; go-client `SetInstancePolicies`.
pub(crate) async fn set_instance_policies(
    app: &Arc<App>,
    cx: Arc<Context>,
    wanted: Result<Vec<InstancePolicyChange>, Reason>,
) -> Result<(), Error> {
    cx.allow(Place::Whole)?;
    let wanted = wanted?;
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let found = instances::get(tx, cx.instance.id)?.filter(crate::domain::instance::Instance::is_active);
        let mut instance = found.ok_or(Reason::Unauthorized)?;
        let mut record = Record::of(&cx, 204);
        for change in wanted {
            let before = instance.policies.get(change.kind);
            if let Some(before) = before {
                describe(&mut record, "initialValue", before);
            }
            let after = change.settle(before, cx.caller.iam_id(), cx.now);
            describe(&mut record, "newValue", &after);
            instance_policies::set(tx, instance.id, &after)?;
            instance.policies.set(after);
        }
        tx.touch_instance(instance);
        shared.record(tx, record)
    })
    .await
}

/// The instance's policies.
///
/// # Errors
/// What the query breaks.
pub(crate) async fn get_instance_policies(
    app: &Arc<App>,
    cx: Arc<Context>,
    query: Result<(), Reason>,
) -> Result<InstancePolicies, Error> {
    cx.allow(Place::Whole)?;
    query?;
    app.note(Record::of(&cx, 200)).await;
    Ok(cx.instance.policies.clone())
}

/// The port of the private endpoint, while the list of allowed addresses is in force.
///
/// # Errors
/// The store's fault.
///
/// Source: go-client `GetAllowedIPPrivateNetworkPort`.
pub(crate) async fn get_allowed_ip_port(app: &Arc<App>, cx: Arc<Context>) -> Result<Option<u16>, Error> {
    cx.allow(Place::Whole)?;
    let instance = cx.instance.id;
    let port = app.read(move |tx| Ok(instance_policies::port(tx, instance)?)).await?;
    app.note(Record::of(&cx, 200)).await;
    Ok(port)
}

/// Source: docs, at-events; the names for rotation and metrics are ASSUMED.
fn describe(record: &mut Record, which: &str, policy: &InstancePolicy) {
    let mut add = |name: &str, value| record.add(Side::Request, &format!("{which}.{name}"), value);
    let enabled = Datum::Flag(policy.enabled);
    match &policy.terms {
        Terms::AllowedNetwork(network) => {
            add("policyAllowedNetworkEnabled", enabled);
            add("policyAllowedNetworkAttribute", Datum::Text(network.name().to_owned()));
        }
        Terms::DualAuthDelete => add("policyDualAuthDeleteEnabled", enabled),
        Terms::AllowedIp(ranges) => {
            let ranges: Vec<String> = ranges.iter().map(ToString::to_string).collect();
            add("policyAllowedIPAttribute", Datum::Text(ranges.join(",")));
        }
        Terms::KeyCreateImportAccess(access) => {
            add("PolicyKCIAEnabled", enabled);
            for flag in KeyAccessFlag::ALL {
                let name = match flag {
                    KeyAccessFlag::CreateRootKey => "PolicyKCIAAttrCRK",
                    KeyAccessFlag::CreateStandardKey => "PolicyKCIAAttrCSK",
                    KeyAccessFlag::ImportRootKey => "PolicyKCIAAttrIRK",
                    KeyAccessFlag::ImportStandardKey => "PolicyKCIAAttrISK",
                    KeyAccessFlag::EnforceToken => "PolicyKCIAAttrET",
                };
                add(name, Datum::Flag(access.has(flag)));
            }
        }
        Terms::Metrics => add("policyMetricsEnabled", enabled),
        Terms::Rotation(interval) => {
            add("policyRotationEnabled", enabled);
            if let Some(interval) = interval {
                add("policyRotationAttribute", Datum::Number(i64::from(interval.months())));
            }
        }
    }
}
