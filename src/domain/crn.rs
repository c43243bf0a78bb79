//! Cloud resource names: ten segments, nine colons.

use crate::domain::id::{InstanceId, KeyId, PolicyId};
use crate::domain::instance::Instance;

/// `crn:v1:bluemix:public:<service>:<region>:a/<account>:<instance>::`
pub(crate) fn of_instance(service: &str, region: &str, account: &str, id: InstanceId) -> String {
    format!("crn:v1:bluemix:public:{service}:{region}:a/{account}:{id}::")
}

/// `…:<instance>:key:<key>`
pub(crate) fn of_key(instance: &Instance, id: KeyId) -> String {
    of_resource(instance, "key", &id.to_string())
}

/// `…:<instance>:policy:<policy>`: Terraform takes the tenth segment for the policy's id.
pub(crate) fn of_policy(instance: &Instance, id: PolicyId) -> String {
    of_resource(instance, "policy", &id.to_string())
}

fn of_resource(instance: &Instance, kind: &str, id: &str) -> String {
    let service = instance.service.name();
    format!("crn:v1:bluemix:public:{service}:{}:a/{}:{}:{kind}:{id}", instance.region, instance.account, instance.id)
}

/// The service (segment 4), account (segment 6 without `a/`) and instance (segment 7) that a CRN of ten segments names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named<'a> {
    pub(crate) service: &'a str,
    pub(crate) account: &'a str,
    pub(crate) instance: &'a str,
}

/// Reads what a CRN names. `None` unless it has ten segments, starts with `crn:v1:` and has an account.
pub(crate) fn parse(text: &str) -> Option<Named<'_>> {
    let segments: Vec<&str> = text.split(':').collect();
    let [scheme, version, _, _, service, _, scope, instance, _, _] = segments.as_slice() else {
        return None;
    };
    if *scheme != "crn" || *version != "v1" || service.is_empty() {
        return None;
    }
    let account = scope.strip_prefix("a/").filter(|account| !account.is_empty())?;
    Some(Named { service, account, instance })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crn_of_ten_segments_tells_service_account_and_instance() {
        let named = parse("crn:v1:staging:public:kms:us-south:a/acc:1-2::");
        assert_eq!(named, Some(Named { service: "kms", account: "acc", instance: "1-2" }));
    }

    #[test]
    fn other_texts_are_not_crns() {
        for wrong in ["", "crn:v1", "crn:v1:bluemix:public:kms:us-south:a/acc:1", "urn:v1:b:p:kms:r:a/acc:1::"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
