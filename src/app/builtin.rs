//! What every fresh service has: one account, one instance of Key Protect and one of Cloud Object Storage, and the
//! authorization between them. The same ids on every machine.

use crate::domain::access::Roles;
use crate::domain::caller::Identity;
use crate::domain::id::InstanceId;
use crate::domain::instance::{Instance, Presence, Service};
use crate::domain::instance_policy::InstancePolicies;
use crate::domain::time::Timestamp;

/// The one account.
pub(crate) const ACCOUNT: &str = "6f1d9e0b7a3c4c58a2b4d0e8f5a16c27";
/// The one resource group.
pub(crate) const RESOURCE_GROUP: &str = "b3a7c1f09d5e4826a4c0e2d8f6b91357";
/// Region of the built-in Key Protect instance.
pub(crate) const REGION: &str = "us-south";
/// The built-in Key Protect instance.
pub(crate) const KEY_PROTECT_ID: &str = "5a0f3c1e-8d2b-4f6a-9c47-1e7b2d9a4c60";
/// The built-in Cloud Object Storage instance.
pub(crate) const OBJECT_STORAGE_ID: &str = "c8e2a7d4-3b61-4e9f-8a05-7f2c6d1b9e38";
/// IAM id of Key Protect itself, in records of what time brought.
const KEY_PROTECT_SERVICE: &str = "0e5d4c3b-2a19-4f8e-8d7c-6b5a49382716";

/// An instance that a fresh store has.
struct Described {
    id: &'static str,
    service: Service,
    region: &'static str,
    name: &'static str,
    plan_id: &'static str,
}

const INSTANCES: [Described; 2] = [
    Described {
        id: KEY_PROTECT_ID,
        service: Service::KeyProtect,
        region: REGION,
        name: "key-protect",
        plan_id: "eedd3585-90c6-4c8f-be3d-062069e99fc3",
    },
    Described {
        id: OBJECT_STORAGE_ID,
        service: Service::ObjectStorage,
        region: "global",
        name: "object-storage",
        plan_id: "744bfc56-d12c-4866-88d5-dac9139e0e5d",
    },
];

/// The instances of a fresh store.
pub(crate) fn instances(now: Timestamp) -> Vec<Instance> {
    let make = |one: &Described| {
        Some(Instance {
            id: InstanceId::parse(one.id)?,
            service: one.service,
            region: one.region.to_owned(),
            account: ACCOUNT.to_owned(),
            name: one.name.to_owned(),
            plan_id: one.plan_id.to_owned(),
            resource_group: RESOURCE_GROUP.to_owned(),
            parameters: None,
            tags: Vec::new(),
            allow_cleanup: false,
            created_at: now.whole_seconds(),
            created_by: owner().iam_id,
            updated: None,
            presence: Presence::Active,
            policies: InstancePolicies::default(),
        })
    };
    INSTANCES.iter().filter_map(make).collect()
}

/// The account's owner.
pub(crate) fn owner() -> Identity {
    Identity::user("IBMid-270005MKP0", "owner@example.com")
}

/// Key Protect itself: what time brings is done by it.
pub(crate) fn key_protect() -> Identity {
    Identity { name: "Key Protect".to_owned(), ..Identity::service_id(KEY_PROTECT_SERVICE) }
}

/// A service-to-service authorization: which service instance may do what on the account's Key Protect instances.
pub(crate) struct Authorization {
    pub(crate) service: &'static str,
    pub(crate) instance: &'static str,
    pub(crate) roles: Roles,
}

/// The authorizations of a fresh store.
pub(crate) const AUTHORIZATIONS: [Authorization; 1] =
    [Authorization { service: "cloud-object-storage", instance: OBJECT_STORAGE_ID, roles: Roles::READER }];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_described_instance_is_made() {
        assert_eq!(instances(Timestamp::from_millis(0)).len(), INSTANCES.len());
    }
}
