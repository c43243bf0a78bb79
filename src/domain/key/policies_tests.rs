//! The merge rules of `docs/contract/policies.md` 2.2 and 2.3, and when the next rotation is.

use super::*;
use crate::domain::id::{InstanceId, KeyId, RingId};
use crate::domain::key::{State, Version};
use crate::domain::policy::RotationChange;

const T0: i64 = 1_767_225_600_000;
const DAY: i64 = 86_400;
const MAKER: &str = "IBMid-1";
const OTHER: &str = "IBMid-2";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(T0 + seconds * 1_000)
}

fn months(count: i64) -> Option<IntervalMonths> {
    IntervalMonths::new(count)
}

fn key(kind: Kind) -> Key {
    let id = KeyId::from_random([7; 16]);
    Key {
        id,
        instance: InstanceId::from_random([1; 16]),
        ring: RingId::default_ring(),
        kind,
        name: "invoices".to_owned(),
        description: None,
        tags: Vec::new(),
        aliases: Vec::new(),
        imported: false,
        bits: 256,
        state: State::Active,
        expires_at: None,
        created_at: at(0),
        created_by: MAKER.to_owned(),
        updated_at: at(0),
        rotated_at: None,
        notified_at: None,
        version: Version { id: id.first_version(), created_at: at(0) },
        authorization: None,
        rotation: None,
        dual_auth: None,
    }
}

fn fresh() -> FreshIds {
    FreshIds { rotation: PolicyId::from_random([2; 16]), dual_auth: PolicyId::from_random([3; 16]) }
}

fn set(key: &mut Key, wanted: PolicyChanges, by: &str, seconds: i64) -> Result<(), Reason> {
    key.set_policies(wanted, fresh(), by, at(seconds))
}

fn rotation(enabled: Option<bool>, interval: Option<IntervalMonths>) -> PolicyChanges {
    PolicyChanges { rotation: Some(RotationChange { enabled, interval }), dual_auth: None }
}

fn dual_auth(enabled: bool) -> PolicyChanges {
    PolicyChanges { rotation: None, dual_auth: Some(enabled) }
}

/// Enabled and months before, if there is a policy; `enabled` and `interval_month` of the request; both afterwards, or a
/// refusal.
type Case = (Option<(bool, i64)>, Option<bool>, Option<i64>, Option<(bool, i64)>);

const MERGES: [Case; 15] = [
    (None, None, Some(3), Some((true, 3))),
    (None, Some(false), Some(3), Some((false, 3))),
    (None, Some(true), Some(3), Some((true, 3))),
    (None, Some(true), None, None),
    (None, Some(false), None, None),
    (None, None, None, None),
    (Some((true, 2)), Some(false), None, Some((false, 2))),
    (Some((false, 2)), Some(true), None, Some((true, 2))),
    (Some((true, 2)), Some(true), None, Some((true, 2))),
    (Some((true, 2)), None, Some(5), Some((true, 5))),
    (Some((false, 2)), None, Some(5), Some((true, 5))),
    (Some((true, 2)), Some(false), Some(5), Some((false, 5))),
    (Some((false, 2)), Some(true), Some(5), Some((true, 5))),
    (Some((false, 2)), Some(false), Some(5), Some((false, 5))),
    (Some((true, 2)), None, None, None),
];

#[test]
fn a_rotation_policy_merges_as_the_contract_says() {
    for (before, enabled, interval, after) in MERGES {
        let mut key = key(Kind::Root);
        if let Some((enabled, interval)) = before {
            set(&mut key, rotation(Some(enabled), months(interval)), MAKER, 0).unwrap();
        }
        let result = set(&mut key, rotation(enabled, interval.and_then(months)), OTHER, 60);
        let told = key.rotation.as_ref().map(|policy| (policy.enabled, i64::from(policy.interval.months())));
        let case = format!("{before:?}, {enabled:?}, {interval:?}");
        if after.is_some() {
            assert_eq!((result, told), (Ok(()), after), "{case}");
        } else {
            assert_eq!(result, Err(Reason::field("interval_month", IntervalMonths::RULE)), "{case}");
            assert_eq!(told, before, "{case}");
        }
    }
}

#[test]
fn a_policy_keeps_its_id_and_its_first_setting() {
    let mut key = key(Kind::Root);
    set(&mut key, rotation(None, months(3)), MAKER, 10).unwrap();
    let later = FreshIds { rotation: PolicyId::from_random([9; 16]), dual_auth: PolicyId::from_random([9; 16]) };
    key.set_policies(rotation(Some(false), None), later, OTHER, at(20)).unwrap();
    let record = key.rotation.unwrap().record;
    assert_eq!((record.id, record.created_at, record.created_by.as_str()), (fresh().rotation, at(10), MAKER));
    assert_eq!((record.updated_at, record.updated_by.as_str()), (at(20), OTHER));
    assert_eq!(key.updated_at, at(20));
}

#[test]
fn the_next_rotation_counts_from_the_last_one_else_from_the_creation_and_never_lies_behind() {
    let next = |rotated: Option<i64>, days_now: i64| {
        let mut key = key(Kind::Root);
        key.rotated_at = rotated.map(|days| at(days * DAY));
        set(&mut key, rotation(None, months(1)), MAKER, days_now * DAY).unwrap();
        key.rotation.unwrap().next_at
    };
    assert_eq!(next(None, 10), at(30 * DAY));
    assert_eq!(next(None, 30), at(60 * DAY), "due now is not set to rotate at once");
    assert_eq!(next(None, 45), at(75 * DAY));
    assert_eq!(next(Some(20), 45), at(50 * DAY));
    assert_eq!(next(Some(5), 45), at(75 * DAY));
}

#[test]
fn setting_what_is_there_already_does_not_move_the_schedule() {
    let mut key = key(Kind::Root);
    set(&mut key, rotation(None, months(1)), MAKER, 45 * DAY).unwrap();
    set(&mut key, rotation(Some(true), months(1)), MAKER, 50 * DAY).unwrap();
    assert_eq!(key.rotation.as_ref().unwrap().next_at, at(75 * DAY));
    set(&mut key, rotation(None, months(2)), MAKER, 50 * DAY).unwrap();
    assert_eq!(key.rotation.unwrap().next_at, at(60 * DAY));
}

#[test]
fn a_restored_key_has_its_next_rotation_ahead() {
    let mut key = key(Kind::Root);
    set(&mut key, rotation(None, months(1)), MAKER, 0).unwrap();
    key.act(Action::Delete, MAKER, at(29 * DAY)).unwrap();
    key.act(Action::Restore, MAKER, at(40 * DAY)).unwrap();
    assert_eq!(key.rotation.unwrap().next_at, at(60 * DAY));
}

#[test]
fn dual_authorization_is_never_taken_away() {
    let mut key = key(Kind::Standard);
    set(&mut key, dual_auth(false), MAKER, 0).unwrap();
    assert!(!key.needs_two_people());
    set(&mut key, dual_auth(true), MAKER, 1).unwrap();
    set(&mut key, dual_auth(true), MAKER, 2).unwrap();
    assert_eq!(set(&mut key, dual_auth(false), MAKER, 3), Err(Reason::DualAuthPolicyLocked));
    assert!(key.needs_two_people());
    assert_eq!(key.updated_at, at(2));
}

#[test]
fn a_refusal_of_one_policy_leaves_the_other_as_it_was() {
    let mut key = key(Kind::Root);
    set(&mut key, dual_auth(true), MAKER, 0).unwrap();
    let both = PolicyChanges { dual_auth: Some(false), ..rotation(None, months(3)) };
    assert_eq!(set(&mut key, both, MAKER, 1), Err(Reason::DualAuthPolicyLocked));
    assert_eq!(key.rotation, None);
}

#[test]
fn only_living_generated_root_keys_rotate_by_schedule() {
    let wanted = rotation(None, months(3));
    assert_eq!(set(&mut key(Kind::Standard), wanted, MAKER, 1), Err(Reason::KeyRootRequiredForRotationPolicy));
    let mut imported = key(Kind::Root);
    imported.imported = true;
    assert_eq!(set(&mut imported, wanted, MAKER, 1), Err(Reason::KeyPayloadRequired));
    let mut deleted = key(Kind::Root);
    deleted.act(Action::Delete, MAKER, at(1)).unwrap();
    assert_eq!(set(&mut deleted, wanted, MAKER, 2), Err(Reason::KeyDeleted));
    assert_eq!(set(&mut deleted, dual_auth(true), MAKER, 2), Err(Reason::KeyDeleted));
}
