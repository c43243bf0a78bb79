//! Resource keys: credentials of a service instance, as the Resource Controller makes them.

use crate::domain::id::{IamPolicyId, InstanceId, ResourceKeyId};
use crate::domain::role::{Role, SERVICE_ROLES};
use crate::domain::time::Timestamp;

/// A resource key without its secrets. Source: API reference of the Resource Controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResourceKey {
    pub(crate) id: ResourceKeyId,
    pub(crate) instance: InstanceId,
    pub(crate) name: String,
    /// CRN of the role that its service id has on the instance.
    pub(crate) role: String,
    /// UUID of the service id that its API key stands for.
    pub(crate) service_id: String,
    /// The policy that gives the role; `None` where the maker named a service id of their own.
    pub(crate) policy: Option<IamPolicyId>,
    /// 32 hexadecimal digits; `None` without an HMAC pair.
    pub(crate) access_key_id: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
    /// When and by whom it was renamed, if ever.
    pub(crate) updated: Option<(Timestamp, String)>,
    /// When and by whom it was removed, if it was.
    pub(crate) removed: Option<(Timestamp, String)>,
}

/// The role that a caller asks for: its name or its CRN. Without one, Manager (ASSUMED).
pub(crate) fn role(wanted: Option<&str>) -> Option<&'static Role> {
    const KNOWN: [&str; 3] = ["Reader", "Writer", "Manager"];
    let wanted = wanted.unwrap_or("Manager");
    let named = SERVICE_ROLES.iter().find(|role| role.name == wanted);
    named.or_else(|| Role::find(wanted)).filter(|role| KNOWN.contains(&role.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_told_by_name_or_crn() {
        assert_eq!(role(None).unwrap().name, "Manager");
        assert_eq!(role(Some("Writer")).unwrap().name, "Writer");
        assert_eq!(role(Some("crn:v1:bluemix:public:iam::::serviceRole:Reader")).unwrap().name, "Reader");
        assert!(role(Some("Owner")).is_none());
        assert!(role(Some("crn:v1:bluemix:public:iam::::role:Viewer")).is_none());
    }
}
