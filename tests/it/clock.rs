//! The virtual clock: shown and moved over `/mock/clock`, and what falls due on the way.

use serde_json::{Value, json};

use crate::harness::keys::{creation, id_of};
use crate::harness::{Harness, Reply};

const START: &str = "2026-01-01T00:00:00Z";

async fn post(kp: &Harness, what: &str, body: &Value) -> Reply {
    kp.post(&format!("/mock/clock/{what}")).json(body).send().await
}

async fn show(kp: &Harness) -> Value {
    kp.get("/mock/clock").send().await.succeeds(200)
}

/// What ran, as `(at, what, count)`.
fn ran(journey: &Value) -> Vec<(String, String, u64)> {
    let text = |row: &Value, member: &str| row[member].as_str().unwrap().to_owned();
    let rows = journey["ran"].as_array().unwrap();
    rows.iter().map(|row| (text(row, "at"), text(row, "what"), row["count"].as_u64().unwrap())).collect()
}

fn row(at: &str, what: &str, count: u64) -> (String, String, u64) {
    (at.to_owned(), what.to_owned(), count)
}

/// A root key that rotates each `months` times 30 days.
async fn create_rotating(kp: &Harness, months: u64) -> String {
    let resource = json!({
        "name": "turning", "extractable": false, "rotation": { "enabled": true, "interval_month": months },
    });
    id_of(&kp.post("/api/v2/keys_with_policy_overrides").json(&creation(&resource)).send().await.succeeds(201))
}

async fn create_expiring(kp: &Harness, at: &str) -> String {
    kp.create(&json!({ "name": "passing", "extractable": false, "expirationDate": at })).await
}

async fn state(kp: &Harness, key: &str) -> Value {
    kp.metadata(key).await["state"].clone()
}

async fn versions(kp: &Harness, key: &str) -> Vec<Value> {
    let path = format!("/api/v2/keys/{key}/versions?allKeyStates=true");
    kp.get(&path).send().await.succeeds(200)["resources"].as_array().unwrap().clone()
}

/// Asserts a refusal that names the field.
#[track_caller]
fn refused(reply: &Reply, path: &str) {
    let body = reply.succeeds(400);
    assert_eq!(body["error"]["path"], path, "{body}");
    assert!(body["error"]["code"].is_string() && body["error"]["message"].is_string(), "{body}");
}

#[actix_web::test]
async fn a_running_clock_shows_the_real_time() {
    let kp = Harness::new().await;
    let clock = show(&kp).await;
    assert_eq!(clock["frozen"], false);
    assert_eq!(clock["timeScale"], 1);
    assert_eq!(clock["nextDue"], Value::Null);
    let offset = clock["offsetSeconds"].as_i64().unwrap();
    assert!((-1..=1).contains(&offset), "{offset}");
    assert!(clock["now"].as_str().unwrap().ends_with('Z'));
}

#[actix_web::test]
async fn a_frozen_clock_stands_still_until_it_is_advanced() {
    let kp = Harness::frozen_at(START).await;
    let clock = show(&kp).await;
    assert_eq!(clock["now"], START);
    assert_eq!(clock["frozen"], true);
    let journey = kp.advance("31d").await;
    assert_eq!(journey, json!({ "from": START, "to": "2026-02-01T00:00:00Z", "ran": [], "more": 0 }));
    let later = show(&kp).await;
    assert_eq!(later["now"], "2026-02-01T00:00:00Z");
    let passed = later["offsetSeconds"].as_i64().unwrap() - clock["offsetSeconds"].as_i64().unwrap();
    assert!((31 * 86_400 - 60..=31 * 86_400).contains(&passed), "{passed}");
}

#[actix_web::test]
async fn the_clock_goes_by_a_span_or_to_a_time() {
    let kp = Harness::frozen_at(START).await;
    for (body, to) in [
        (json!({ "by": "90s" }), "2026-01-01T00:01:30Z"),
        (json!({ "by": "1h30m" }), "2026-01-01T01:31:30Z"),
        (json!({ "by": "0s" }), "2026-01-01T01:31:30Z"),
        (json!({ "by": "1d1s" }), "2026-01-02T01:31:31Z"),
        (json!({ "to": "2026-01-02T01:31:31Z" }), "2026-01-02T01:31:31Z"),
        (json!({ "to": "2027-01-01T00:00:00Z" }), "2027-01-01T00:00:00Z"),
    ] {
        assert_eq!(post(&kp, "advance", &body).await.succeeds(200)["to"], to, "{body}");
        assert_eq!(kp.now().await, to);
    }
}

#[actix_web::test]
async fn a_target_in_the_past_is_refused() {
    let kp = Harness::frozen_at(START).await;
    refused(&post(&kp, "advance", &json!({ "to": "2025-12-31T23:59:59Z" })).await, "to");
    refused(&post(&kp, "freeze", &json!({ "at": "2025-12-31T23:59:59Z" })).await, "at");
    assert_eq!(kp.now().await, START);
}

#[actix_web::test]
async fn a_refused_freeze_changes_nothing() {
    let kp = Harness::new().await;
    refused(&post(&kp, "freeze", &json!({ "at": "2001-01-01T00:00:00Z" })).await, "at");
    assert_eq!(show(&kp).await["frozen"], false);
}

#[actix_web::test]
async fn a_body_that_cannot_be_is_refused_and_its_field_named() {
    let kp = Harness::frozen_at(START).await;
    for (what, body, path) in [
        ("advance", json!({ "by": "31d", "byy": "1s" }), "byy"),
        ("advance", json!({ "until": "x" }), "until"),
        ("advance", json!({ "by": 31 }), "by"),
        ("advance", json!({ "by": ["31d"] }), "by"),
        ("advance", json!({ "by": "31" }), "by"),
        ("advance", json!({ "by": "1w" }), "by"),
        ("advance", json!({ "by": "-1s" }), "by"),
        ("advance", json!({ "by": "1.5h" }), "by"),
        ("advance", json!({ "by": "" }), "by"),
        ("advance", json!({ "to": 1 }), "to"),
        ("advance", json!({ "to": "tomorrow" }), "to"),
        ("advance", json!({ "to": "2027-01-01" }), "to"),
        ("freeze", json!({ "at": true }), "at"),
        ("freeze", json!({ "at": "noon" }), "at"),
        ("freeze", json!({ "to": "2027-01-01T00:00:00Z" }), "to"),
        ("resume", json!({ "at": "2027-01-01T00:00:00Z" }), "at"),
    ] {
        refused(&post(&kp, what, &body).await, path);
    }
    assert_eq!(kp.now().await, START);
}

#[actix_web::test]
async fn one_move_is_a_hundred_years_at_most() {
    let kp = Harness::frozen_at(START).await;
    for (what, body, path) in [
        ("advance", json!({ "by": "36526d" }), "by"),
        ("advance", json!({ "by": "3650000d" }), "by"),
        ("advance", json!({ "to": "9999-12-31T23:59:59Z" }), "to"),
        ("advance", json!({ "to": "2127-01-01T00:00:00Z" }), "to"),
        ("freeze", json!({ "at": "2127-01-01T00:00:00Z" }), "at"),
    ] {
        let reply = post(&kp, what, &body).await;
        assert_eq!((reply.status, &reply.json()["error"]["path"]), (422, &json!(path)), "{body}");
    }
    assert_eq!(kp.now().await, START);
    kp.advance("36525d").await;
    let kp = Harness::frozen_at("9998-01-01T00:00:00Z").await;
    let reply = post(&kp, "advance", &json!({ "by": "730d" })).await;
    assert_eq!((reply.status, &reply.json()["error"]["path"]), (422, &json!("by")), "the end of the calendar");
    kp.advance("729d").await;
}

#[actix_web::test]
async fn both_targets_or_none_are_refused() {
    let kp = Harness::frozen_at(START).await;
    for body in [json!({}), json!({ "by": "1s", "to": "2027-01-01T00:00:00Z" })] {
        let reply = post(&kp, "advance", &body).await;
        assert!([400, 422].contains(&reply.status), "{body}: {}", reply.status);
        assert!(["by", "to"].contains(&reply.json()["error"]["path"].as_str().unwrap()));
    }
    for text in ["[]", "\"1d\"", "{", "{} {}", "1"] {
        let reply = kp.post("/mock/clock/advance").raw(text).send().await;
        assert!(reply.succeeds(400)["error"]["message"].is_string(), "{text}");
    }
    assert_eq!(kp.now().await, START);
}

#[actix_web::test]
async fn freeze_stops_the_clock_and_resume_lets_it_run() {
    let kp = Harness::new().await;
    let frozen = post(&kp, "freeze", &json!({})).await.succeeds(200);
    assert_eq!(frozen["frozen"], true);
    assert_eq!(show(&kp).await["now"], frozen["now"]);
    let later = post(&kp, "freeze", &json!({ "at": "2100-01-01T00:00:00Z" })).await.succeeds(200);
    assert_eq!(later["now"], "2100-01-01T00:00:00Z");
    let running = post(&kp, "resume", &json!({})).await.succeeds(200);
    assert_eq!(running["frozen"], false);
    assert!(running["now"].as_str().unwrap().starts_with("2100-01-01T00:00:"), "{running}");
    assert!(running["offsetSeconds"].as_i64().unwrap() > 0);
    assert_eq!(kp.post("/mock/clock/freeze").send().await.succeeds(200)["frozen"], true);
    assert_eq!(kp.post("/mock/clock/resume").send().await.succeeds(200)["frozen"], false);
}

#[actix_web::test]
async fn advance_moves_a_running_clock_too() {
    let kp = Harness::new().await;
    let before = kp.now().await;
    kp.advance("31d").await;
    let clock = show(&kp).await;
    assert!(clock["now"].as_str().unwrap()[..19] > before[..19]);
    assert_eq!(clock["frozen"], false);
    let offset = clock["offsetSeconds"].as_i64().unwrap();
    assert!((31 * 86_400 - 2..=31 * 86_400 + 2).contains(&offset), "{offset}");
}

#[actix_web::test]
async fn a_scaled_clock_makes_much_of_a_second() {
    let kp = Harness::with(&["--time-scale", "1000000"]).await;
    let first = show(&kp).await;
    assert_eq!(first["timeScale"], 1_000_000);
    let key = create_expiring(&kp, "2400-01-01T00:00:00Z").await;
    assert_eq!(state(&kp, &key).await, 1);
    let second = show(&kp).await;
    assert!(second["offsetSeconds"].as_i64().unwrap() > first["offsetSeconds"].as_i64().unwrap());
}

#[actix_web::test]
async fn what_is_due_next_is_shown() {
    let kp = Harness::frozen_at(START).await;
    let key = create_expiring(&kp, "2026-03-01T00:00:00Z").await;
    create_rotating(&kp, 1).await;
    assert_eq!(show(&kp).await["nextDue"], json!({ "at": "2026-01-31T00:00:00Z", "what": "rotation" }));
    kp.advance("45d").await;
    assert_eq!(show(&kp).await["nextDue"], json!({ "at": "2026-03-01T00:00:00Z", "what": "expiry" }));
    kp.delete_key(&key).await.succeeds(204);
    assert_eq!(show(&kp).await["nextDue"], json!({ "at": "2026-03-02T00:00:00Z", "what": "rotation" }));
}

#[actix_web::test]
async fn a_key_expires_at_its_date_and_not_before() {
    let kp = Harness::frozen_at(START).await;
    let key = create_expiring(&kp, "2026-01-02T00:00:00Z").await;
    let suspended = create_expiring(&kp, "2026-01-02T00:00:00Z").await;
    kp.disable(&suspended).await.succeeds(204);
    assert!(ran(&kp.advance("23h59m59s").await).is_empty());
    assert_eq!(state(&kp, &key).await, 1);
    assert_eq!(ran(&kp.advance("1s").await), [row("2026-01-02T00:00:00Z", "expiry", 2)]);
    assert_eq!(state(&kp, &key).await, 3);
    assert_eq!(state(&kp, &suspended).await, 3);
    kp.enable(&suspended).await.refused(409, "KEY_ACTION_INVALID_STATE_ERR");
    assert!(ran(&kp.advance("1d").await).is_empty(), "twice equals once");
}

#[actix_web::test]
async fn a_key_is_rotated_by_policy_each_thirty_days_times_its_interval() {
    let kp = Harness::frozen_at(START).await;
    let monthly = create_rotating(&kp, 1).await;
    let bimonthly = create_rotating(&kp, 2).await;
    assert!(ran(&kp.advance("29d23h59m59s").await).is_empty());
    let journey = post(&kp, "advance", &json!({ "to": "2026-05-01T00:00:00Z" })).await.succeeds(200);
    let expected = [
        row("2026-01-31T00:00:00Z", "rotation", 1),
        row("2026-03-02T00:00:00Z", "rotation", 2),
        row("2026-04-01T00:00:00Z", "rotation", 1),
        row("2026-05-01T00:00:00Z", "rotation", 2),
    ];
    assert_eq!(ran(&journey), expected);
    let dates: Vec<Value> =
        versions(&kp, &monthly).await.iter().map(|version| version["creationDate"].clone()).collect();
    let due = ["2026-05-01", "2026-04-01", "2026-03-02", "2026-01-31", "2026-01-01"];
    assert_eq!(dates, due.map(|date| json!(format!("{date}T00:00:00Z"))));
    assert_eq!(versions(&kp, &bimonthly).await.len(), 3);
    assert_eq!(kp.metadata(&monthly).await["lastRotateDate"], "2026-05-01T00:00:00Z");
}

#[actix_web::test]
async fn a_rotation_by_hand_puts_the_next_one_off() {
    let kp = Harness::frozen_at(START).await;
    let key = create_rotating(&kp, 1).await;
    kp.advance("10d").await;
    kp.rotate(&key).await.succeeds(204);
    assert_eq!(ran(&kp.advance("31d").await), [row("2026-02-10T00:00:00Z", "rotation", 1)]);
    kp.rotate(&key).await.succeeds(204);
}

#[actix_web::test]
async fn a_key_that_is_not_active_skips_its_rotation() {
    let kp = Harness::frozen_at(START).await;
    let key = create_rotating(&kp, 1).await;
    kp.disable(&key).await.succeeds(204);
    kp.advance("45d").await;
    assert_eq!(versions(&kp, &key).await.len(), 1);
    kp.enable(&key).await.succeeds(204);
    kp.advance("15d").await;
    let dates: Vec<Value> = versions(&kp, &key).await.iter().map(|version| version["creationDate"].clone()).collect();
    assert_eq!(dates, [json!("2026-03-02T00:00:00Z"), json!(START)]);
}

#[actix_web::test]
async fn a_destroyed_key_vanishes_after_ninety_days() {
    let kp = Harness::frozen_at(START).await;
    let key = kp.create_root_key("going").await;
    kp.delete_key(&key).await.succeeds(204);
    assert!(ran(&kp.advance("89d23h59m59s").await).is_empty());
    assert_eq!(state(&kp, &key).await, 5);
    assert_eq!(ran(&kp.advance("1s").await), [row("2026-04-01T00:00:00Z", "purge", 1)]);
    kp.get(&format!("/api/v2/keys/{key}/metadata")).send().await.refused(404, "KEY_NOT_FOUND_ERR");
}

#[actix_web::test]
async fn a_restored_key_is_not_purged() {
    let kp = Harness::frozen_at(START).await;
    let key = kp.create_root_key("staying").await;
    kp.delete_key(&key).await.succeeds(204);
    kp.advance("30d").await;
    kp.restore(&key).await.succeeds(201);
    assert!(ran(&kp.advance("100d").await).is_empty());
    assert_eq!(state(&kp, &key).await, 1);
}

#[actix_web::test]
async fn a_first_authorization_lapses_after_seven_days() {
    let kp = Harness::frozen_at(START).await;
    let key = kp.create_dual_auth_key("for two").await;
    let other = kp.token_for("second person").await;
    kp.action(&key, "setKeyForDeletion").send().await.succeeds(204);
    kp.advance("7d").await;
    assert_eq!(kp.metadata(&key).await["dualAuthDelete"]["keySetForDeletion"], true, "seven days are not over yet");
    let journey = kp.advance("1s").await;
    let rows = ran(&journey);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((rows[0].1.as_str(), rows[0].2), ("deletion-lapse", 1));
    let path = format!("/api/v2/keys/{key}");
    kp.delete(&path).bearer(&other).send().await.refused(409, "AUTHORIZATIONS_NOT_MET");
    let dual = kp.metadata(&key).await["dualAuthDelete"].clone();
    assert_eq!(dual, json!({ "enabled": true, "keySetForDeletion": false }));
}

#[actix_web::test]
async fn due_work_of_all_kinds_runs_in_order_of_its_time() {
    let kp = Harness::frozen_at(START).await;
    let deleted = kp.create_root_key("going").await;
    kp.delete_key(&deleted).await.succeeds(204);
    kp.advance("1h").await;
    create_expiring(&kp, "2026-03-15T12:00:00Z").await;
    create_rotating(&kp, 1).await;
    let dual = kp.create_dual_auth_key("for two").await;
    kp.action(&dual, "setKeyForDeletion").send().await.succeeds(204);
    let rows = ran(&kp.advance("91d").await);
    let kinds: Vec<&str> = rows.iter().map(|row| row.1.as_str()).collect();
    assert_eq!(kinds, ["deletion-lapse", "rotation", "rotation", "expiry", "purge", "rotation"], "{rows:?}");
    assert!(rows.is_sorted_by(|one, other| one.0 < other.0), "{rows:?}");
}

#[actix_web::test]
async fn each_record_of_due_work_bears_its_own_instant() {
    let kp = Harness::frozen_at(START).await;
    let key = create_rotating(&kp, 1).await;
    let expiring = create_expiring(&kp, "2026-02-15T06:30:00Z").await;
    kp.advance("61d").await;
    let times = |records: &[Value]| records.iter().map(|one| one["eventTime"].clone()).collect::<Vec<_>>();
    let rotations = kp.audit(&format!("action=kms.secrets.rotate&target={key}")).await;
    assert_eq!(times(&rotations), [json!("2026-01-31T00:00:00.00+0000"), json!("2026-03-02T00:00:00.00+0000")]);
    let expiries = kp.audit(&format!("action=kms.secrets.expire&target={expiring}")).await;
    assert_eq!(times(&expiries), [json!("2026-02-15T06:30:00.00+0000")]);
    for record in rotations.iter().chain(&expiries) {
        assert_eq!(record["initiator"]["name"], "Key Protect");
        assert_eq!(record["initiator"]["typeURI"], "service/security/account/serviceid");
    }
}

#[actix_web::test]
async fn runs_beyond_a_thousand_rows_are_counted() {
    let kp = Harness::frozen_at(START).await;
    for _ in 0..3 {
        create_rotating(&kp, 1).await;
    }
    // Rotation rows fall together, so what is left out is counted in runs.
    let journey = kp.advance("31500d").await;
    let rows = ran(&journey);
    assert_eq!(rows.len(), 1_000);
    assert!(rows.iter().all(|row| row.2 == 3));
    assert_eq!(journey["more"], 3 * 50);
}

#[actix_web::test]
async fn a_month_of_virtual_time_logs_nobody_out() {
    let kp = Harness::frozen_at(START).await;
    let key = kp.create_root_key("lasting").await;
    kp.advance("31d").await;
    kp.wrap(&key, "aGVsbG8=").await;
    kp.advance("3650d").await;
    kp.wrap(&key, "aGVsbG8=").await;
}

#[actix_web::test]
async fn two_journeys_at_once_wait_for_each_other() {
    let kp = Harness::frozen_at(START).await;
    create_rotating(&kp, 1).await;
    let (one, other) = tokio::join!(kp.advance("45d"), kp.advance("45d"));
    assert_eq!(ran(&one).len() + ran(&other).len(), 3);
    assert_eq!(kp.now().await, "2026-04-01T00:00:00Z");
}

#[actix_web::test]
async fn a_restart_keeps_a_frozen_clock_where_it_stood() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::in_folder(folder.path(), &["--clock", &format!("frozen@{START}")]).await;
    kp.advance("31d").await;
    kp.stop().await;
    let kp = Harness::in_folder(folder.path(), &[]).await;
    let clock = show(&kp).await;
    assert_eq!(clock["now"], "2026-02-01T00:00:00Z");
    assert_eq!(clock["frozen"], true);
}

#[actix_web::test]
async fn a_restart_keeps_the_offset_and_never_runs_backwards() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::in_folder(folder.path(), &[]).await;
    kp.advance("31d").await;
    let before = show(&kp).await;
    kp.stop().await;
    let kp = Harness::in_folder(folder.path(), &[]).await;
    let after = show(&kp).await;
    let moved = after["offsetSeconds"].as_i64().unwrap() - before["offsetSeconds"].as_i64().unwrap();
    assert!((-1..=1).contains(&moved), "{moved}");
    kp.stop().await;
    let kp = Harness::in_folder(folder.path(), &["--clock", "frozen@2001-01-01T00:00:00Z"]).await;
    assert!(kp.now().await[..19] >= after["now"].as_str().unwrap()[..19], "the clock ran backwards");
    kp.stop().await;
    let kp = Harness::in_folder(folder.path(), &["--clock", "frozen@2100-01-01T00:00:00Z"]).await;
    assert_eq!(kp.now().await, "2100-01-01T00:00:00Z");
}

#[actix_web::test]
async fn what_was_missed_runs_once_at_its_own_instant_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::in_folder(folder.path(), &["--clock", &format!("frozen@{START}")]).await;
    let turning = create_rotating(&kp, 1).await;
    let passing = create_expiring(&kp, "2026-02-10T00:00:00Z").await;
    let going = kp.create_root_key("going").await;
    kp.delete_key(&going).await.succeeds(204);
    kp.stop().await;
    let kp = Harness::in_folder(folder.path(), &["--clock", "frozen@2026-04-15T00:00:00Z"]).await;
    assert_eq!(state(&kp, &passing).await, 3);
    kp.get(&format!("/api/v2/keys/{going}/metadata")).send().await.refused(404, "KEY_NOT_FOUND_ERR");
    assert_eq!(versions(&kp, &turning).await.len(), 4);
    let records = kp.audit("action=kms.secrets.*").await;
    let caught_up: Vec<(&str, &str)> = records
        .iter()
        .map(|record| (record["action"].as_str().unwrap(), record["eventTime"].as_str().unwrap()))
        .filter(|(action, _)| ["kms.secrets.rotate", "kms.secrets.expire", "kms.secrets.purge"].contains(action))
        .collect();
    let expected = [
        ("kms.secrets.rotate", "2026-01-31T00:00:00.00+0000"),
        ("kms.secrets.expire", "2026-02-10T00:00:00.00+0000"),
        ("kms.secrets.rotate", "2026-03-02T00:00:00.00+0000"),
        ("kms.secrets.purge", "2026-04-01T00:00:00.00+0000"),
        ("kms.secrets.rotate", "2026-04-01T00:00:00.00+0000"),
    ];
    let mut sorted = caught_up.clone();
    sorted.sort_by_key(|(action, at)| (*at, *action));
    assert_eq!(sorted, expected);
    assert!(caught_up.windows(2).all(|pair| pair[0].1 <= pair[1].1), "out of order: {caught_up:?}");
    assert!(ran(&kp.advance("1d").await).is_empty(), "nothing runs twice");
}

#[actix_web::test]
async fn the_clock_offers_no_other_methods() {
    let kp = Harness::frozen_at(START).await;
    for call in
        [kp.get("/mock/clock/advance"), kp.post("/mock/clock"), kp.delete("/mock/clock"), kp.get("/mock/clock/resume")]
    {
        assert!(call.send().await.succeeds(405)["error"]["code"].is_string());
    }
}
