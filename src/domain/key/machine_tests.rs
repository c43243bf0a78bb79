//! One row for each cell of the state table, and a walk beside a naive model.

use proptest::prelude::*;

use super::*;

const T0: i64 = 1_767_225_600_000;
const DAY: i64 = 86_400;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(T0 + seconds * 1_000)
}

fn destroyed_at(seconds: i64) -> State {
    State::Destroyed { at: at(seconds), by: "IBMid-1".to_owned() }
}

fn quiet() -> Moments {
    Moments { updated: at(0), rotated: None, notified: None, expires: None }
}

/// Short words for outcomes, as `docs/contract/keys.md` 5 has them.
fn outcome(result: &Result<Next, Reason>) -> &'static str {
    match result {
        Ok(Next::Same) => "ok",
        Ok(Next::Active) => "1",
        Ok(Next::Suspended) => "2",
        Ok(Next::Deactivated) => "3",
        Ok(Next::Destroyed) => "5",
        Ok(Next::Gone) => "gone",
        Err(reason) => match reason.row().code {
            Some("KEY_ACTION_INVALID_STATE_ERR") => "INV",
            Some("KEY_DELETED_ERR") => "GONE",
            other => panic!("no cell answers {other:?} when nothing is too early"),
        },
    }
}

/// Action, then the cell for a key that is active, suspended, deactivated, destroyed for a day.
const CELLS: [(Action, [&str; 4]); 20] = [
    (Action::Read, ["ok", "ok", "ok", "ok"]),
    (Action::ListVersions, ["ok", "INV", "INV", "INV"]),
    (Action::ListVersionsInAnyState, ["ok", "ok", "ok", "ok"]),
    (Action::Wrap, ["ok", "INV", "INV", "GONE"]),
    (Action::Unwrap, ["ok", "INV", "ok", "GONE"]),
    (Action::Rewrap, ["ok", "INV", "ok", "GONE"]),
    (Action::Rotate, ["ok", "INV", "ok", "GONE"]),
    (Action::Disable, ["2", "INV", "INV", "GONE"]),
    (Action::Enable, ["INV", "1", "INV", "GONE"]),
    (Action::SetForDeletion, ["ok", "INV", "INV", "GONE"]),
    (Action::UnsetForDeletion, ["ok", "INV", "INV", "GONE"]),
    (Action::Sync, ["ok", "ok", "ok", "ok"]),
    (Action::Patch, ["ok", "ok", "ok", "GONE"]),
    (Action::SetPolicies, ["ok", "ok", "ok", "GONE"]),
    (Action::AddAlias, ["ok", "ok", "ok", "GONE"]),
    (Action::RemoveAlias, ["ok", "ok", "ok", "GONE"]),
    (Action::Delete, ["5", "5", "5", "GONE"]),
    (Action::Restore, ["INV", "INV", "INV", "1"]),
    (Action::Purge, ["INV", "INV", "INV", "gone"]),
    (Action::Expire, ["3", "3", "ok", "ok"]),
];

#[test]
fn every_cell_of_the_state_table_answers_as_the_contract_says() {
    let states = [State::Active, State::Suspended, State::Deactivated, destroyed_at(0)];
    let mut seen = Vec::new();
    for (action, cells) in CELLS {
        for (state, cell) in states.iter().zip(cells) {
            let result = transition(state, action, &quiet(), at(DAY));
            assert_eq!(outcome(&result), cell, "{action:?} in {state:?}");
        }
        seen.push(action);
    }
    assert_eq!(seen, Action::ALL, "the table has each action once");
}

#[test]
fn the_two_texts_of_a_wrong_state_are_told_apart() {
    let fault = |state: &State, action| match transition(state, action, &quiet(), at(DAY)) {
        Err(Reason::KeyInvalidState(fault)) => fault,
        other => panic!("{other:?}"),
    };
    assert_eq!(fault(&State::Suspended, Action::Disable), StateFault::NotActive);
    assert_eq!(fault(&State::Active, Action::Enable), StateFault::NotSuspended);
    assert_eq!(fault(&State::Suspended, Action::Wrap), StateFault::Other);
}

#[test]
fn enable_waits_thirty_seconds_to_the_second() {
    let early = Err(Reason::RequestTooEarly(TooEarly::Change));
    assert_eq!(transition(&State::Suspended, Action::Enable, &quiet(), at(29)), early);
    assert_eq!(transition(&State::Suspended, Action::Enable, &quiet(), at(30)), Ok(Next::Active));
}

#[test]
fn restore_is_open_from_thirty_seconds_to_thirty_days() {
    let restore = |moments: &Moments, seconds| transition(&destroyed_at(0), Action::Restore, moments, at(seconds));
    assert_eq!(restore(&quiet(), 29), Err(Reason::RequestTooEarly(TooEarly::Change)));
    assert_eq!(restore(&quiet(), 30), Ok(Next::Active));
    assert_eq!(restore(&quiet(), 30 * DAY), Ok(Next::Active));
    assert_eq!(restore(&quiet(), 30 * DAY + 1), Err(Reason::KeyRestoreExpired));
    let expiring = Moments { expires: Some(at(100)), ..quiet() };
    assert_eq!(restore(&expiring, 99), Ok(Next::Active));
    assert_eq!(restore(&expiring, 100), Err(Reason::KeyExpired { at: at(100) }));
    assert_eq!(restore(&expiring, 31 * DAY), Err(Reason::KeyRestoreExpired), "the 30 days are looked at first");
}

#[test]
fn purge_is_open_from_four_hours_on() {
    let purge = |seconds| transition(&destroyed_at(0), Action::Purge, &quiet(), at(seconds));
    assert_eq!(purge(4 * 3_600 - 1), Err(Reason::RequestTooEarly(TooEarly::Purge)));
    assert_eq!(purge(4 * 3_600), Ok(Next::Gone));
}

#[test]
fn an_hour_lies_between_two_rotations() {
    let rotated = Moments { rotated: Some(at(0)), ..quiet() };
    for state in [State::Active, State::Deactivated] {
        let rotate = |seconds| transition(&state, Action::Rotate, &rotated, at(seconds));
        assert_eq!(rotate(3_599), Err(Reason::KeyRotationNotPermitted));
        assert_eq!(rotate(3_600), Ok(Next::Same));
    }
}

#[test]
fn a_sync_waits_an_hour_after_the_last_event_in_every_state() {
    let notified = Moments { notified: Some(at(0)), ..quiet() };
    for state in [State::Active, State::Suspended, State::Deactivated, destroyed_at(0)] {
        let sync = |seconds| transition(&state, Action::Sync, &notified, at(seconds));
        assert_eq!(sync(3_599), Err(Reason::RequestTooEarly(TooEarly::Sync(at(3_600)))));
        assert_eq!(sync(3_600), Ok(Next::Same));
    }
}

/// The same rules, told as a person would: no instants compared but those of one sentence each.
#[expect(clippy::match_same_arms, reason = "the order of the sentences matters")]
fn naive(state: u8, action: Action, last: &Last, now: i64) -> String {
    use Action as A;
    let word = match (state, action) {
        (_, A::Read | A::ListVersionsInAnyState) => "ok",
        (_, A::Sync) if last.notified.is_some_and(|then| now - then < 3_600) => "REQ_TOO_EARLY_ERR",
        (_, A::Sync) | (1, A::ListVersions | A::Wrap | A::SetForDeletion | A::UnsetForDeletion) => "ok",
        (1 | 3, A::Unwrap | A::Rewrap) => "ok",
        (1 | 3, A::Rotate) if last.rotated.is_some_and(|then| now - then < 3_600) => "KEY_ROTATION_NOT_PERMITTED",
        (1 | 3, A::Rotate) | (1..=3, A::Patch | A::SetPolicies | A::AddAlias | A::RemoveAlias) | (3 | 5, A::Expire) => {
            "ok"
        }
        (1, A::Disable) => "2",
        (2, A::Enable) if now - last.updated < 30 => "REQ_TOO_EARLY_ERR",
        (2, A::Enable) => "1",
        (1..=3, A::Delete) => "5",
        (1 | 2, A::Expire) => "3",
        (5, A::Restore) if now - last.deleted < 30 => "REQ_TOO_EARLY_ERR",
        (5, A::Restore) if now - last.deleted > 30 * DAY => "KEY_RESTORE_EXPIRED",
        (5, A::Restore) if last.expires.is_some_and(|then| then <= now) => "KEY_EXPIRED_ERR",
        (5, A::Restore) => "1",
        (5, A::Purge) if now - last.deleted < 4 * 3_600 => "REQ_TOO_EARLY_ERR",
        (5, A::Purge) => "gone",
        (5, action) if action != A::ListVersions => "KEY_DELETED_ERR",
        _ => "KEY_ACTION_INVALID_STATE_ERR",
    };
    word.to_owned()
}

struct Last {
    updated: i64,
    rotated: Option<i64>,
    notified: Option<i64>,
    deleted: i64,
    expires: Option<i64>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_machine_agrees_with_a_naive_model(
        state in prop::sample::select(vec![1_u8, 2, 3, 5]),
        index in 0..Action::ALL.len(),
        times in prop::array::uniform5(0_i64..40 * DAY),
        had in prop::array::uniform3(any::<bool>()),
        edge in prop::sample::select(vec![0_i64, 29, 30, 31, 3_599, 3_600, 14_399, 14_400, 30 * DAY, 30 * DAY + 1]),
    ) {
        let action = Action::ALL[index];
        let last = Last {
            updated: times[0],
            rotated: had[0].then_some(times[1]),
            notified: had[1].then_some(times[2]),
            deleted: times[3],
            expires: had[2].then_some(times[4]),
        };
        let now = times[index % 4] + edge;
        let moments = Moments {
            updated: at(last.updated),
            rotated: last.rotated.map(at),
            notified: last.notified.map(at),
            expires: last.expires.map(at),
        };
        let from = match state {
            1 => State::Active,
            2 => State::Suspended,
            3 => State::Deactivated,
            _ => destroyed_at(last.deleted),
        };
        let decided = match transition(&from, action, &moments, at(now)) {
            Err(reason) => reason.row().code.unwrap().to_owned(),
            ok => outcome(&ok).to_owned(),
        };
        // A deletion in the future cannot happen; `since` answers zero for it, the model a negative number: the same.
        prop_assert_eq!(decided, naive(state, action, &last, now));
    }
}
