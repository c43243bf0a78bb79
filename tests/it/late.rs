//! Time beside requests: bodies that come late, schedules that were missed, the end of the calendar, restarts.

use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::keys::{creation, id_of};
use crate::harness::raw::Raw;

async fn rotating_key(kp: &Harness, months: u8) -> String {
    let resource = json!({ "name": "turns", "extractable": false, "rotation": { "interval_month": months } });
    let made = kp.post("/api/v2/keys_with_policy_overrides").json(&creation(&resource)).send().await;
    id_of(&made.succeeds(201))
}

#[actix_web::test]
async fn a_change_is_dated_when_its_body_has_come() {
    let kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
    let key = kp.create_root_key("invoices").await;
    let head = format!(
        "POST /api/v2/keys/{key}/actions/rotate HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
         bluemix-instance: {}\r\ncontent-length: 2\r\n\r\n",
        kp.token, kp.instance
    );
    let mut raw = Raw::connect(&kp.url);
    raw.send(&head);
    kp.get("/mock/ready").send().await.succeeds(200);
    kp.advance("2h").await;
    assert_eq!(raw.send("{}").answer().status, 204);
    assert_eq!(kp.metadata(&key).await["lastRotateDate"], "2026-01-01T02:00:00Z");
    kp.rotate(&key).await.refused(409, "KEY_ROTATION_NOT_PERMITTED");
}

#[actix_web::test]
async fn a_restored_key_does_not_make_up_for_rotations_that_it_has_missed() {
    let kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
    let key = rotating_key(&kp, 1).await;
    kp.advance("25d").await;
    kp.delete_key(&key).await.succeeds(204);
    kp.advance("20d").await;
    kp.restore(&key).await.succeeds(201);
    assert!(kp.metadata(&key).await.get("lastRotateDate").is_none(), "it was destroyed when the rotation was due");
    let clock = kp.get("/mock/clock").send().await.succeeds(200);
    assert_eq!(clock["nextDue"], json!({ "at": "2026-03-02T00:00:00Z", "what": "rotation" }));
}

#[actix_web::test]
async fn freezing_at_an_instant_stops_exactly_there() {
    let kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
    kp.post("/mock/clock/resume").send().await.succeeds(200);
    let frozen = kp.post("/mock/clock/freeze").json(&json!({ "at": "2026-06-01T00:00:00Z" })).send().await;
    assert_eq!(frozen.succeeds(200)["now"], "2026-06-01T00:00:00Z");
}

#[actix_web::test]
async fn at_the_end_of_the_calendar_requests_are_answered_as_ever() {
    let kp = Harness::frozen_at("9999-12-31T23:59:30Z").await;
    let turning = rotating_key(&kp, 1).await;
    kp.disable(&turning).await.succeeds(204);
    let key = kp.create_root_key("last").await;
    kp.delete_key(&key).await.succeeds(204);
    kp.advance("28s").await;
    kp.post("/mock/clock/advance").json(&json!({ "by": "1d" })).send().await.succeeds(422);
    assert_eq!(kp.metadata(&key).await["state"], 5);
    kp.wrap(&kp.create_root_key("later").await, "aGVsbG8=").await;
}

#[actix_web::test]
async fn an_import_token_is_among_what_falls_due() {
    let kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
    kp.post("/api/v2/import_token").json(&json!({ "expiration": 300 })).send().await.succeeds(200);
    let clock = kp.get("/mock/clock").send().await.succeeds(200);
    assert_eq!(clock["nextDue"], json!({ "at": "2026-01-01T00:05:00Z", "what": "token-expiry" }));
    let journey = kp.advance("5m").await;
    let ran = json!([{ "at": "2026-01-01T00:05:00Z", "what": "token-expiry", "count": 1 }]);
    assert_eq!(journey["ran"], ran);
    kp.get("/api/v2/import_token").send().await.refused(409, "IMPORT_TOKEN_EXPIRED_ERR");
}

#[actix_web::test]
async fn what_fits_no_route_is_recorded_by_its_family() {
    let kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
    let families = [
        ("PUT", "/api/v2/key_rings", "kms.key-rings.request"),
        ("PUT", "/api/v2/import_token", "kms.import-token.request"),
        ("PUT", "/api/v2/keys/one/aliases/two", "kms.secrets-alias.request"),
        ("DELETE", "/api/v2/keys/registrations", "kms.registrations.default"),
        ("POST", "/api/v2/keys/one/policies/two", "kms.policies.default"),
        ("GET", "/api/v2/kmip_adapters/one/two/three/four", "kms.kmip-management.default"),
        ("GET", "/api/v2/nothing", "kms.secrets.default"),
    ];
    for (number, (method, path, action)) in families.into_iter().enumerate() {
        let correlation = format!("stray-{number}");
        let method = hyper::Method::from_bytes(method.as_bytes()).unwrap();
        let reply = kp.call(method, path).header("correlation-id", &correlation).send().await;
        assert!(matches!(reply.status, 404 | 405), "{path}: {}", reply.status);
        let records = kp.audit(&format!("correlationId={correlation}")).await;
        let actions: Vec<&Value> = records.iter().map(|record| &record["action"]).collect();
        assert_eq!(actions, [action], "{path}");
    }
}

#[actix_web::test]
async fn what_is_refused_unread_is_recorded_and_keeps_its_correlation_id() {
    let kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
    let cases = [("TRACE", "", 405), ("GET", "upgrade: websocket\r\nconnection: upgrade\r\n", 400)];
    for (method, extra, status) in cases {
        let mut raw = Raw::connect(&kp.url);
        let head =
            format!("{method} /api/v2/keys HTTP/1.1\r\nhost: localhost\r\ncorrelation-id: odd-{status}\r\n{extra}\r\n");
        let answer = raw.send(&head).answer();
        assert_eq!(answer.status, status);
        assert!(answer.head.contains(&format!("odd-{status}")), "{}", answer.head);
        let records = kp.audit(&format!("correlationId=odd-{status}")).await;
        assert_eq!(records.len(), 1);
        assert_eq!(records[0]["reason"]["reasonCode"], status);
    }
}

#[actix_web::test]
async fn the_legacy_form_without_a_body_does_not_name_its_action() {
    let kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
    let key = kp.create_root_key("invoices").await;
    let reply = kp.post(&format!("/api/v2/keys/{key}?action=unwrap")).send().await;
    reply.refused(400, "NO_BODY_ERR");
    let message = reply.json()["resources"][0]["errorMsg"].as_str().unwrap().to_owned();
    assert!(message.starts_with("Bad Request: Action could not be performed on key: "), "{message}");
}
