//! The machine of key information against a literal table: each state and memory with each event, answer and request.

use super::*;

const TTL: Duration = Duration::from_hours(1);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1_000)
}

const STATES: [KeyState; 4] = [KeyState::Active, KeyState::Suspended, KeyState::Erased, KeyState::Lost];
const SHUT: Verdict = Verdict::NotUsable(Why::Suspended);
const GONE: Verdict = Verdict::NotUsable(Why::Deleted);

fn known(state: KeyState, verdict: Option<Verdict>, fetched: i64) -> Known {
    Known { state, info: verdict.map(|verdict| KeyInfo { verdict, fetched_at: at(fetched) }) }
}

/// What is remembered: nothing; a young and an old "usable"; a young and an old "not usable".
fn memories() -> [Option<(Verdict, i64)>; 5] {
    [None, Some((Verdict::Usable, 0)), Some((Verdict::Usable, -3_601)), Some((SHUT, 0)), Some((SHUT, -3_601))]
}

#[test]
fn a_request_acts_on_young_memory_and_asks_without_it() {
    for state in STATES {
        for memory in memories() {
            let before = known(state, memory.map(|(verdict, _)| verdict), memory.map_or(0, |(_, fetched)| fetched));
            let expected = match (state, memory) {
                (KeyState::Lost, _) => Step::Act(GONE),
                (_, Some((verdict, 0))) => Step::Act(verdict),
                _ => Step::Ask,
            };
            assert_eq!(on_operation(&before, TTL, at(60)), expected, "{before:?}");
        }
    }
}

#[test]
fn memory_is_trusted_to_the_second() {
    let before = known(KeyState::Active, Some(Verdict::Usable), 0);
    assert_eq!(on_operation(&before, TTL, at(3_599)), Step::Act(Verdict::Usable));
    assert_eq!(on_operation(&before, TTL, at(3_600)), Step::Ask);
    assert_eq!(on_operation(&before, Duration::ZERO, at(0)), Step::Ask);
}

#[test]
fn each_answer_is_believed_save_where_all_is_lost() {
    let unreachable = Verdict::NotUsable(Why::Unreachable);
    let other = Verdict::NotUsable(Why::OtherMaterial);
    let table = [
        (Answer::Active, Some(KeyState::Active), Verdict::Usable),
        (Answer::Deactivated, Some(KeyState::Active), Verdict::ReadsOnly),
        (Answer::Suspended, Some(KeyState::Suspended), SHUT),
        (Answer::Deleted, Some(KeyState::Erased), GONE),
        (Answer::Gone, Some(KeyState::Lost), GONE),
        (Answer::Refused, None, unreachable),
        (Answer::OtherMaterial, None, other),
    ];
    for state in STATES {
        for (answer, next, verdict) in table {
            let before = known(state, Some(SHUT), -9_000);
            let expected = match state {
                KeyState::Lost => before,
                KeyState::Active | KeyState::Suspended | KeyState::Erased => {
                    known(next.unwrap_or(state), Some(verdict), 60)
                }
            };
            assert_eq!(on_answer(&before, answer, at(60)), expected, "{state:?} {answer:?}");
        }
    }
}

#[test]
fn each_event_meets_each_state_and_memory() {
    let now = 60;
    for state in STATES {
        for memory in memories() {
            let before = known(state, memory.map(|(verdict, _)| verdict), memory.map_or(0, |(_, fetched)| fetched));
            let on = |kind, cause| on_event(&before, kind, cause, TTL, at(now));
            for cause in [Cause::Action, Cause::Sync] {
                let (disabled, deleted, restored) = match state {
                    KeyState::Lost => (before, before, before),
                    KeyState::Active | KeyState::Suspended | KeyState::Erased => (
                        known(KeyState::Suspended, Some(SHUT), now),
                        known(KeyState::Erased, Some(GONE), now),
                        known(KeyState::Active, None, 0),
                    ),
                };
                assert_eq!(on(EventKind::Disable, cause), disabled, "{before:?}");
                assert_eq!(on(EventKind::Deletion, cause), deleted, "{before:?}");
                assert_eq!(on(EventKind::Restoration, cause), restored, "{before:?}");
            }
            let enabled = match (state, memory) {
                (KeyState::Lost, _) => before,
                // What is young stays, also a "not usable": statement 10 of the page.
                (_, Some((verdict, 0))) => known(KeyState::Active, Some(verdict), 0),
                _ => known(KeyState::Active, None, 0),
            };
            assert_eq!(on(EventKind::Enable, Cause::Action), enabled, "{before:?}");
            let synced = if state == KeyState::Lost { before } else { known(KeyState::Active, None, 0) };
            assert_eq!(on(EventKind::Enable, Cause::Sync), synced, "{before:?}");
            let rotated = match state {
                KeyState::Active | KeyState::Lost => before,
                KeyState::Suspended | KeyState::Erased => known(KeyState::Active, None, 0),
            };
            assert_eq!(on(EventKind::Rotation, Cause::Action), rotated, "{before:?}");
        }
    }
}

#[test]
fn disabled_and_quickly_enabled_stays_shut_for_an_hour_after_the_disable() {
    let opened = known(KeyState::Active, Some(Verdict::Usable), 0);
    let disabled = on_event(&opened, EventKind::Disable, Cause::Action, TTL, at(100));
    let enabled = on_event(&disabled, EventKind::Enable, Cause::Action, TTL, at(400));
    assert_eq!(enabled.state, KeyState::Active);
    assert_eq!(on_operation(&enabled, TTL, at(3_699)), Step::Act(SHUT));
    assert_eq!(on_operation(&enabled, TTL, at(3_700)), Step::Ask);
    let late = on_event(&disabled, EventKind::Enable, Cause::Action, TTL, at(100 + 7_200));
    assert_eq!(on_operation(&late, TTL, at(7_301)), Step::Ask);
}

#[test]
fn a_refusal_tells_why_and_what_ends_it() {
    let form = Unavailable { code: "AccessDenied".to_owned(), status: 403 };
    let text = |known: &Known, why| refusal(known, why, TTL, &form).message.into_owned();
    let shut = known(KeyState::Suspended, Some(SHUT), 0);
    assert_eq!(text(&shut, Why::Suspended), "The root key of this bucket is suspended");
    assert_eq!(text(&known(KeyState::Erased, Some(GONE), 0), Why::Deleted), "The root key of this bucket is deleted");
    assert_eq!(
        text(&known(KeyState::Active, None, 0), Why::Unreachable),
        "The root key of this bucket could not be reached"
    );
    let enabled = known(KeyState::Active, Some(SHUT), 0);
    assert_eq!(
        text(&enabled, Why::Suspended),
        "The root key of this bucket was suspended when last checked; the next check is due at 2023-11-14T23:13:20Z \
         (advance the clock, sync the key, or set cosKeyInfoTtl to 0s)"
    );
}

#[test]
fn words_are_read_as_they_are_written() {
    for state in STATES {
        assert_eq!(KeyState::parse(state.name()), Some(state));
    }
    for kind in EventKind::ALL {
        assert_eq!(EventKind::parse(kind.name()), Some(kind));
    }
    assert_eq!(EventKind::parse("purge"), None);
}
