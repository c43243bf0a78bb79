//! Cloud resource names: ten segments, nine colons.

use crate::domain::id::{InstanceId, KeyId, PolicyId, ResourceKeyId};
use crate::domain::instance::Instance;
use crate::domain::pattern::{fits_stars, star_glob};

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

/// `…:<instance>:resource-key:<key>`
pub(crate) fn of_resource_key(instance: &Instance, id: ResourceKeyId) -> String {
    of_resource(instance, "resource-key", &id.to_string())
}

fn of_resource(instance: &Instance, kind: &str, id: &str) -> String {
    let service = instance.service.name();
    format!("crn:v1:bluemix:public:{service}:{}:a/{}:{}:{kind}:{id}", instance.region, instance.account, instance.id)
}

/// Segments in a CRN.
const SEGMENTS: usize = 10;
/// Segments up to the service instance: they tell whom a resource belongs to.
const OWNER_SEGMENTS: usize = 8;

/// What a CRN of ten segments names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named<'a> {
    /// Segment 4.
    pub(crate) service: &'a str,
    /// Segment 5.
    pub(crate) region: &'a str,
    /// Segment 6 without `a/`.
    pub(crate) account: &'a str,
    /// Segment 7.
    pub(crate) instance: &'a str,
    /// Segment 8.
    pub(crate) kind: &'a str,
    /// Segment 9.
    pub(crate) resource: &'a str,
}

impl<'a> Named<'a> {
    /// What an attribute of a policy's subject is about; an empty segment is nothing.
    pub(crate) fn fact(&self, attribute: &str) -> Option<&'a str> {
        let segment = match attribute {
            "accountId" => self.account,
            "serviceName" => self.service,
            "serviceInstance" => self.instance,
            "region" => self.region,
            "resourceType" => self.kind,
            "resource" => self.resource,
            _ => "",
        };
        Some(segment).filter(|segment| !segment.is_empty())
    }
}

/// Reads what a CRN names. `None` unless it has ten segments, starts with `crn:v1:` and has an account.
pub(crate) fn parse(text: &str) -> Option<Named<'_>> {
    let segments: Vec<&str> = text.split(':').collect();
    let [scheme, version, _, _, service, region, scope, instance, kind, resource] = segments.as_slice() else {
        return None;
    };
    if *scheme != "crn" || *version != "v1" || service.is_empty() {
        return None;
    }
    let account = scope.strip_prefix("a/").filter(|account| !account.is_empty())?;
    Some(Named { service, region, account, instance, kind, resource })
}

/// True when both CRNs agree up to the service instance.
pub(crate) fn same_owner(one: &str, other: &str) -> bool {
    one.split(':').take(OWNER_SEGMENTS).eq(other.split(':').take(OWNER_SEGMENTS))
}

/// The CRN that a parameter named "URL encoded" holds, once the web server has decoded it: callers who follow the name
/// encode it once more. Source: API reference; SDKs encode what they are given.
pub(crate) fn decoded(text: &str, decode: impl Fn(&str) -> String) -> String {
    let twice = text.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("crn%3A"));
    if twice { decode(text) } else { text.to_owned() }
}

/// A query for the CRNs of resources: `*` stands for any run of characters within its segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CrnQuery(String);

impl CrnQuery {
    /// Reads a query; `None` unless it has ten segments and starts with `crn:`. (ASSUMED.)
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let fits = text.split(':').count() == SEGMENTS && text.starts_with("crn:");
        fits.then(|| Self(text.to_owned()))
    }

    /// True when the owner of what is asked for is told without wildcards. Source: docs.
    pub(crate) fn names_owner(&self) -> bool {
        self.0.split(':').take(OWNER_SEGMENTS).all(|segment| !segment.contains('*'))
    }

    /// The query's text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// True when a CRN fits, segment by segment.
    pub(crate) fn fits(&self, crn: &str) -> bool {
        let pairs = || self.0.split(':').zip(crn.split(':'));
        crn.split(':').count() == SEGMENTS && pairs().all(|(pattern, segment)| fits_stars(pattern, segment))
    }

    /// What all that fits begins with.
    pub(crate) fn beginning(&self) -> &str {
        self.0.split('*').next().unwrap_or_default()
    }

    /// As a pattern of `GLOB`. Both sides have nine colons, so no `*` can reach over one.
    pub(crate) fn glob(&self) -> String {
        star_glob(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crn_of_ten_segments_tells_service_account_and_instance() {
        let named = parse("crn:v1:staging:public:kms:us-south:a/acc:1-2::");
        let expected =
            Named { service: "kms", region: "us-south", account: "acc", instance: "1-2", kind: "", resource: "" };
        assert_eq!(named, Some(expected));
    }

    #[test]
    fn other_texts_are_not_crns() {
        for wrong in ["", "crn:v1", "crn:v1:bluemix:public:kms:us-south:a/acc:1", "urn:v1:b:p:kms:r:a/acc:1::"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_text_that_is_still_encoded_is_decoded_once_more() {
        let upper = |text: &str| text.to_ascii_uppercase();
        assert_eq!(decoded("crn%3Av1", upper), "CRN%3AV1");
        assert_eq!(decoded("crn%3av1", upper), "CRN%3AV1");
        assert_eq!(decoded("crn:v1%3a", upper), "crn:v1%3a");
    }

    #[test]
    fn a_query_has_ten_segments_and_may_hide_its_owner() {
        let query = |text: &str| CrnQuery::parse(text);
        assert!(query("crn:v1:b:p:s:g:a/1:i").is_none());
        assert!(query("crn:v1:b:p:s:g:a/1:i:*:*").unwrap().names_owner());
        assert!(!query("crn:v1:b:p:s:g:a/1:*:bucket:x").unwrap().names_owner());
        assert_eq!(query("crn:v1:b:p:s:g:a/1:i:b?:x*").unwrap().glob(), "crn:v1:b:p:s:g:a/1:i:b[?]:x*");
    }

    #[test]
    fn the_owner_is_told_by_eight_segments() {
        assert!(same_owner("crn:v1:b:p:s:g:a/1:i::", "crn:v1:b:p:s:g:a/1:i:bucket:x"));
        assert!(!same_owner("crn:v1:b:p:s:g:a/1:i::", "crn:v1:b:p:s:g:a/1:j:bucket:x"));
    }
}
