//! Bodies that set an instance's policies. Source: `docs/contract/policies.md` 3.

use ipnet::IpNet;
use serde_json::Value;

use crate::domain::instance_policy::key_access::{KeyAccess, KeyAccessFlag};
use crate::domain::instance_policy::network::Network;
use crate::domain::instance_policy::{InstancePolicyChange, PolicyKind, RANGES_MAX, Terms};
use crate::domain::policy::IntervalMonths;
use crate::domain::reason::{BodyFault, Reason};
use crate::http::json::{Fields, Spellings};
use crate::http::key_protect::policy_body::{interval, one_alone, open};

/// Members of an instance policy; what a reply adds may be sent back and is not read (ASSUMED).
const RESOURCE: [&str; 7] =
    ["policy_type", "policy_data", "type", "createdby", "creationdate", "updatedby", "lastupdated"];
/// The same in the older form, which IBM's documents print for two kinds.
const OLD_RESOURCE: [&str; 3] = ["type", "dualauthdelete", "metrics"];
const RANGES_RULE: &str = "a list of 1 to 1000 IPv4 or IPv6 subnets in CIDR notation";

/// A resource as it is written, before it is known to make sense.
struct Resource {
    /// `None` for a word that is no kind.
    kind: Option<PolicyKind>,
    enabled: Option<bool>,
    attributes: Option<Fields>,
}

/// Reads the body of `PUT /instance/policies`; `wanted` is the policy that the query names.
///
/// # Errors
/// `NoBody`, `BadBody`, `CollectionTotalMismatch`, `OneResourceAlone`, `BodyQueryMismatch`, `InvalidField`.
pub(crate) fn read(bytes: &[u8], wanted: Option<PolicyKind>) -> Result<Vec<InstancePolicyChange>, Reason> {
    let resources = open(bytes, read_resource)?;
    if let Some(wanted) = wanted {
        one_alone(&resources)?;
        if resources.iter().any(|resource| resource.kind != Some(wanted)) {
            return Err(Reason::BodyQueryMismatch);
        }
    }
    let mut changes: Vec<InstancePolicyChange> = Vec::new();
    for resource in resources {
        let kind = resource.kind.ok_or_else(|| Reason::field("policy_type", PolicyKind::RULE))?;
        if changes.iter().any(|change| change.kind == kind) {
            return Err(Reason::BadBody(BodyFault::NotOneOfEach));
        }
        let enabled = resource.enabled.ok_or_else(|| Reason::field("enabled", "true or false"))?;
        let attributes = resource.attributes.as_ref();
        let terms = if enabled { terms_of_enabled(kind, attributes)? } else { terms_of_disabled(kind, attributes)? };
        changes.push(InstancePolicyChange { kind, enabled, terms });
    }
    Ok(changes)
}

fn read_resource(resource: &Fields, spellings: &Spellings) -> Result<Resource, Reason> {
    let old = [("dualauthdelete", PolicyKind::DualAuthDelete), ("metrics", PolicyKind::Metrics)];
    for (name, kind) in old {
        let Some(policy) = resource.object(name)? else { continue };
        spellings.only(resource, &OLD_RESOURCE)?;
        spellings.only(&policy, &["enabled"])?;
        return Ok(Resource { kind: Some(kind), enabled: policy.boolean("enabled")?, attributes: None });
    }
    spellings.only(resource, &RESOURCE)?;
    let kind = resource.text("policy_type")?.and_then(PolicyKind::parse);
    let Some(data) = resource.object("policy_data")? else {
        return Ok(Resource { kind, enabled: None, attributes: None });
    };
    match kind {
        Some(PolicyKind::DualAuthDelete | PolicyKind::Metrics) => spellings.only(&data, &["enabled"])?,
        Some(_) => spellings.only(&data, &["enabled", "attributes"])?,
        // What a kind that is none may hold, nobody knows.
        None => {}
    }
    let attributes = data.object("attributes")?;
    if let (Some(kind), Some(attributes)) = (kind, &attributes) {
        spellings.only(attributes, known_attributes(kind))?;
    }
    Ok(Resource { kind, enabled: data.boolean("enabled")?, attributes })
}

fn known_attributes(kind: PolicyKind) -> &'static [&'static str] {
    match kind {
        PolicyKind::AllowedNetwork => &["allowed_network"],
        PolicyKind::AllowedIp => &["allowed_ip"],
        PolicyKind::KeyCreateImportAccess => {
            &["create_root_key", "create_standard_key", "import_root_key", "import_standard_key", "enforce_token"]
        }
        PolicyKind::Rotation => &["interval_month"],
        PolicyKind::DualAuthDelete | PolicyKind::Metrics => &[],
    }
}

/// Attributes are needed where a kind has any; what they leave out has its default again.
fn terms_of_enabled(kind: PolicyKind, attributes: Option<&Fields>) -> Result<Option<Terms>, Reason> {
    let get = |name| attributes.and_then(|attributes| attributes.get(name));
    Ok(Some(match kind {
        PolicyKind::DualAuthDelete => Terms::DualAuthDelete,
        PolicyKind::Metrics => Terms::Metrics,
        PolicyKind::AllowedNetwork => {
            let network = get("allowed_network").and_then(Value::as_str).and_then(Network::parse);
            Terms::AllowedNetwork(network.ok_or_else(|| Reason::field("allowed_network", Network::RULE))?)
        }
        PolicyKind::AllowedIp => {
            let ranges = get("allowed_ip").and_then(read_ranges);
            Terms::AllowedIp(ranges.ok_or_else(|| Reason::field("allowed_ip", RANGES_RULE))?)
        }
        PolicyKind::KeyCreateImportAccess => {
            let attributes = attributes.ok_or_else(|| Reason::field("attributes", "there for an enabled policy"))?;
            let mut access = KeyAccess::DEFAULT;
            for flag in KeyAccessFlag::ALL {
                if let Some(on) = attributes.boolean(flag.name())? {
                    access = access.with(flag, on);
                }
            }
            Terms::KeyCreateImportAccess(access)
        }
        PolicyKind::Rotation => {
            let interval = interval(get("interval_month"))?;
            let missing = || Reason::field("interval_month", IntervalMonths::RULE);
            Terms::Rotation(Some(interval.ok_or_else(missing)?))
        }
    }))
}

/// Only the network may be named while it is disabled. `None`: what was said so far stays. Source for the empty text:
/// go-client, whose setting of several policies has no way to leave the network out.
fn terms_of_disabled(kind: PolicyKind, attributes: Option<&Fields>) -> Result<Option<Terms>, Reason> {
    if kind == PolicyKind::AllowedNetwork {
        let value = attributes.and_then(|attributes| attributes.get("allowed_network"));
        let Some(value) = value.filter(|value| value.as_str() != Some("")) else { return Ok(None) };
        let network = value.as_str().and_then(Network::parse);
        let network = network.ok_or_else(|| Reason::field("allowed_network", Network::RULE))?;
        return Ok(Some(Terms::AllowedNetwork(network)));
    }
    let says_something = |value: &Value| value.as_array().is_none_or(|list| !list.is_empty());
    let given = |name: &&str| attributes.and_then(|attributes| attributes.get(name)).is_some_and(says_something);
    if known_attributes(kind).iter().any(given) {
        return Err(Reason::BadBody(BodyFault::AttributesOfDisabled));
    }
    Ok(Some(Terms::blank(kind)))
}

fn read_ranges(value: &Value) -> Option<Vec<IpNet>> {
    let list = value.as_array().filter(|list| (1..=RANGES_MAX).contains(&list.len()))?;
    list.iter().map(|range| range.as_str()?.parse().ok()).collect()
}
