//! What instance policies forbid and hand on, as `docs/contract/policies.md` 3 says.

use std::net::IpAddr;

use super::*;
use crate::domain::access::Roles;
use crate::domain::caller::Identity;

fn policies(all: &[(bool, Terms)]) -> InstancePolicies {
    let mut policies = InstancePolicies::default();
    for (enabled, terms) in all {
        let change = InstancePolicyChange { kind: terms.kind(), enabled: *enabled, terms: Some(terms.clone()) };
        policies.set(change.settle(None, "IBMid-1", Timestamp::from_millis(1_500)));
    }
    policies
}

type Flags = &'static [(KeyAccessFlag, bool)];

fn access(flags: Flags) -> InstancePolicies {
    let access = flags.iter().fold(KeyAccess::DEFAULT, |access, (flag, on)| access.with(*flag, *on));
    policies(&[(true, Terms::KeyCreateImportAccess(access))])
}

use crate::domain::instance_policy::key_access::KeyAccessFlag::{
    self, CreateRootKey, CreateStandardKey, EnforceToken, ImportRootKey, ImportStandardKey,
};

const KINDS: [(Kind, Making); 5] = [
    (Kind::Root, Making::Generated),
    (Kind::Standard, Making::Generated),
    (Kind::Root, Making::ImportedPlain),
    (Kind::Root, Making::ImportedSealed),
    (Kind::Standard, Making::ImportedPlain),
];

#[test]
fn each_flag_forbids_what_it_names_and_a_token_outranks_the_flags_of_imports() {
    // For each set of flags: may the five kinds of KINDS be made?
    let table: [(Flags, [bool; 5]); 8] = [
        (&[], [true, true, true, true, true]),
        (&[(CreateRootKey, false)], [false, true, true, true, true]),
        (&[(CreateStandardKey, false)], [true, false, true, true, true]),
        (&[(ImportRootKey, false)], [true, true, false, false, true]),
        (&[(ImportStandardKey, false)], [true, true, true, true, false]),
        (&[(EnforceToken, true)], [true, true, false, true, false]),
        (&[(EnforceToken, true), (ImportRootKey, false)], [true, true, false, true, false]),
        (&[(EnforceToken, true), (CreateRootKey, false)], [false, true, false, true, false]),
    ];
    for (flags, allowed) in table {
        let policies = access(flags);
        for ((kind, making), allowed) in KINDS.into_iter().zip(allowed) {
            let wanted = if allowed { Ok(()) } else { Err(Reason::KeyCreateImportAccess) };
            assert_eq!(policies.allow_new_key(kind, making), wanted, "{flags:?}: {kind:?}, {making:?}");
        }
    }
    let disabled = policies(&[(false, Terms::KeyCreateImportAccess(KeyAccess::NONE))]);
    for (kind, making) in KINDS {
        assert_eq!(disabled.allow_new_key(kind, making), Ok(()));
    }
}

#[test]
fn of_material_only_an_enforced_token_has_a_say() {
    let closed = access(&[(ImportRootKey, false), (CreateRootKey, false)]);
    assert_eq!(closed.allow_material(Making::ImportedPlain), Ok(()));
    let enforced = access(&[(EnforceToken, true)]);
    assert_eq!(enforced.allow_material(Making::ImportedPlain), Err(Reason::KeyCreateImportAccess));
    assert_eq!(enforced.allow_material(Making::ImportedSealed), Ok(()));
    assert_eq!(enforced.allow_material(Making::Generated), Ok(()));
}

#[test]
fn a_new_key_inherits_what_is_enabled_and_imported_ones_no_rotation() {
    let interval = IntervalMonths::new(4);
    let both = policies(&[(true, Terms::Rotation(interval)), (true, Terms::DualAuthDelete)]);
    for (kind, making) in KINDS {
        let inherited = both.for_new_key(kind, making);
        let rotates = (kind, making) == (Kind::Root, Making::Generated);
        assert_eq!(inherited.rotation.map(|rotation| rotation.interval), interval.filter(|_| rotates));
        assert_eq!(inherited.dual_auth, Some(DualAuthOverride { enabled: true }));
    }
    let off = policies(&[(false, Terms::Rotation(None)), (false, Terms::DualAuthDelete)]);
    assert_eq!(off.for_new_key(Kind::Root, Making::Generated), Overrides::default());
}

#[test]
fn a_disabled_network_policy_keeps_its_value_and_every_policy_its_first_setting() {
    let before = policies(&[(true, Terms::AllowedNetwork(Network::PrivateOnly))]);
    let present = before.get(PolicyKind::AllowedNetwork);
    let change = InstancePolicyChange { kind: PolicyKind::AllowedNetwork, enabled: false, terms: None };
    let after = change.clone().settle(present, "IBMid-2", Timestamp::from_millis(9_999));
    assert_eq!(after.terms, Terms::AllowedNetwork(Network::PrivateOnly));
    assert_eq!((after.created_at.millis(), after.created_by.as_str()), (1_000, "IBMid-1"));
    assert_eq!((after.updated_at.millis(), after.updated_by.as_str()), (9_000, "IBMid-2"));
    let never_set = change.settle(None, "IBMid-2", Timestamp::from_millis(9_999));
    assert_eq!(never_set.terms, Terms::AllowedNetwork(Network::PublicAndPrivate));
}

fn person() -> Caller {
    Caller::new(Identity::user("IBMid-1", "a@example.com"), "account", Roles::MANAGER)
}

fn route(endpoint: Endpoint, peer: &str) -> Route {
    Route { endpoint, peer: peer.parse::<IpAddr>().ok() }
}

#[test]
fn private_only_refuses_the_public_endpoint_to_all_but_services() {
    let policies = policies(&[(true, Terms::AllowedNetwork(Network::PrivateOnly))]);
    let (public, private) = (route(Endpoint::Public, "10.0.0.1"), route(Endpoint::Private, "10.0.0.1"));
    assert_eq!(policies.allow_request(&person(), Operation::Wrap, public), Err(Reason::Unauthorized));
    assert_eq!(policies.allow_request(&person(), Operation::GetAllowedIpPort, public), Err(Reason::Unauthorized));
    assert_eq!(policies.allow_request(&person(), Operation::Wrap, private), Ok(()));
    let service = Caller::new(Identity::service("crn:v1"), "account", Roles::READER);
    assert_eq!(policies.allow_request(&service, Operation::Wrap, public), Ok(()));
}

#[test]
fn a_list_of_addresses_lets_its_ranges_through() {
    let ranges = ["192.0.2.0/24", "2001:db8::/32"].map(|range| range.parse().unwrap()).to_vec();
    let policies = policies(&[(true, Terms::AllowedIp(ranges))]);
    let cases = [
        (Endpoint::Public, "192.0.2.255", Ok(())),
        (Endpoint::Public, "192.0.3.0", Err(Reason::Unauthorized)),
        (Endpoint::Public, "::ffff:192.0.2.7", Ok(())),
        (Endpoint::Public, "2001:db8::1", Ok(())),
        (Endpoint::Public, "2001:db9::1", Err(Reason::Unauthorized)),
        (Endpoint::Private, "192.0.2.7", Ok(())),
        (Endpoint::Private, "::ffff:192.0.2.7", Ok(())),
        (Endpoint::Private, "2001:db8::1", Err(Reason::FeatureRestricted)),
        (Endpoint::Public, "no address", Err(Reason::Unauthorized)),
    ];
    for (endpoint, peer, wanted) in cases {
        let route = route(endpoint, peer);
        assert_eq!(policies.allow_request(&person(), Operation::Wrap, route), wanted, "{endpoint:?} {peer}");
        assert_eq!(policies.allow_request(&person(), Operation::GetAllowedIpPort, route), Ok(()));
    }
}

#[test]
fn a_host_is_private_by_its_first_label() {
    for private in ["private.us-south.kms.cloud.ibm.com", "PRIVATE.localhost:8490", "private."] {
        assert_eq!(Endpoint::of_host(private), Endpoint::Private, "{private}");
    }
    for public in ["", "localhost", "us-south.private.kms", "private", "privateer.localhost"] {
        assert_eq!(Endpoint::of_host(public), Endpoint::Public, "{public}");
    }
}
