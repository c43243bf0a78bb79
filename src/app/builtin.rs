//! What every fresh service has: one account, one instance of Key Protect and one of Cloud Object Storage, and the
//! authorization between them. The same ids on every machine.

use crate::domain::caller::Identity;
use crate::domain::iam_policy::{Attribute, Conditions, IamPolicy, Operator, PolicyDraft, PolicyKind, PolicyState};
use crate::domain::id::{IamPolicyId, InstanceId};
use crate::domain::instance::{Instance, LastOperation, Presence, Service};
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
/// The built-in authorization.
const AUTHORIZATION_ID: &str = "d41f7a86-2c95-4b3e-8f10-5e6a9c7b2d34";
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
            plans_before: Vec::new(),
            plan_since: now.whole_seconds(),
            resource_group: RESOURCE_GROUP.to_owned(),
            parameters: None,
            tags: Vec::new(),
            allow_cleanup: false,
            created_at: now.whole_seconds(),
            created_by: owner().iam_id,
            updated: None,
            last_operation: LastOperation::Create,
            locked: false,
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

/// The authorization of a fresh store: the built-in Cloud Object Storage instance reads keys of the account's Key Protect
/// instances. `None` never: its id is a constant.
pub(crate) fn authorization(now: Timestamp) -> Option<IamPolicy> {
    let attribute = |name: &str, value: &str| {
        let operator = Some(Operator::Equals);
        Attribute { name: name.to_owned(), operator, value: value.to_owned() }
    };
    let conditions = |attributes| Conditions { attributes, tags: Vec::new() };
    Some(IamPolicy {
        id: IamPolicyId::parse(AUTHORIZATION_ID)?,
        draft: PolicyDraft {
            kind: PolicyKind::Authorization,
            description: Some("Lets the built-in storage instance use root keys".to_owned()),
            subject: conditions(vec![
                attribute("accountId", ACCOUNT),
                attribute("serviceName", Service::ObjectStorage.name()),
                attribute("serviceInstance", OBJECT_STORAGE_ID),
            ]),
            resource: conditions(vec![
                attribute("accountId", ACCOUNT),
                attribute("serviceName", Service::KeyProtect.name()),
            ]),
            roles: vec!["crn:v1:bluemix:public:iam::::serviceRole:Reader".to_owned()],
        },
        state: PolicyState::Active,
        created_at: now.whole_seconds(),
        created_by: owner().iam_id,
        updated_at: now.whole_seconds(),
        updated_by: owner().iam_id,
        revision: 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_described_is_made() {
        assert_eq!(instances(Timestamp::from_millis(0)).len(), INSTANCES.len());
        assert!(authorization(Timestamp::from_millis(0)).is_some());
    }
}
