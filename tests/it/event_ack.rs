//! `POST /event_ack`: the whole table of `docs/contract/events.md` 4, and the records that follow.

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::events::acknowledgement;
use crate::harness::receiver::{Answer, Receiver};

const NOON: &str = "2026-01-01T12:00:00Z";
const NOBODY: &str = "6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa";
const PATH: &str = "/api/v2/event_ack";

/// A service with a bucket that acknowledges by call.
struct Scene {
    kp: Harness,
    key: String,
    /// Held so that it goes on listening.
    _receiver: Receiver,
}

impl Scene {
    async fn new() -> Self {
        let kp = Harness::frozen_at(NOON).await;
        let receiver = Receiver::start();
        let fields = json!({ "serviceName": "cloud-object-storage", "ack": "event_ack" });
        kp.subscribe_with("ledger", &receiver.url(), fields).await;
        let key = kp.protecting(&["ledger"]).await;
        Self { kp, key, _receiver: receiver }
    }

    /// Does something to the key; the id of the event.
    async fn event(&self, action: &str) -> String {
        let kp = &self.kp;
        match action {
            "delete" => kp.delete(&format!("/api/v2/keys/{}?force=true", self.key)).send().await.succeeds(204),
            "restore" => kp.restore(&self.key).await.succeeds(201),
            _ => kp.action(&self.key, action).send().await.succeeds(204),
        };
        kp.settle().await;
        kp.deliveries("").await.last().unwrap()["eventId"].as_str().unwrap().to_owned()
    }

    /// Whether the state, with the first version where one is needed, fits.
    async fn says(&self, event: &str, state: &str) -> u16 {
        let fields = json!({
            "eventId": event, "adopterKeyState": state, "keyStateData": { "rewrappedKeyVersion": self.key },
        });
        self.kp.acknowledge(&fields).await.status
    }

    async fn last_end(&self) -> Value {
        self.kp.ends().await.pop().expect("an end")
    }
}

#[actix_web::test]
async fn a_state_that_fits_ends_the_event_as_a_success() {
    let scene = Scene::new().await;
    for (action, state, number) in [
        ("disable", "DEK_DISABLED", 2),
        ("enable", "DEK_ENABLED", 1),
        ("delete", "DEK_DELETED", 5),
        ("restore", "DEK_ENABLED", 1),
        ("delete", "DEK_DISABLED", 5),
    ] {
        scene.kp.advance("1m").await;
        let event = scene.event(action).await;
        assert_eq!(scene.kp.deliveries("").await.last().unwrap()["state"], "delivered");
        assert_eq!(scene.says(&event, state).await, 204, "{action}");
        assert_eq!(scene.kp.deliveries("").await.last().unwrap()["state"], "succeeded");
        let end = scene.last_end().await;
        assert_eq!(end["action"], format!("kms.secrets.ack-{action}"));
        assert_eq!((&end["outcome"], &end["reason"]["reasonCode"]), (&json!("success"), &json!(200)));
        let data = &end["responseData"]["eventAckData"];
        assert_eq!((&data["eventId"], &data["keyState"]), (&json!(event), &json!(number)));
        assert_eq!(data["eventAckTimeStamp"], "2026-01-01T12:00:01Z");
    }
    scene.kp.advance("5h").await;
    assert_eq!(scene.kp.ends().await.len(), 5);
}

#[actix_web::test]
async fn a_rotation_is_acknowledged_with_its_version_which_the_registration_takes_over() {
    let scene = Scene::new().await;
    let (kp, key) = (&scene.kp, &scene.key);
    let event = scene.event("rotate").await;
    let newest = kp.metadata(key).await["keyVersion"].clone();
    let fields = json!({
        "eventId": event, "adopterKeyState": "DEK_ENABLED", "keyStateData": { "rewrappedKeyVersion": newest["id"] },
        "resourceCrn": kp.bucket("ledger"),
    });
    assert_eq!(kp.acknowledge(&fields).await.succeeds(204), Value::Null);
    let shown = kp.get(&format!("/api/v2/keys/{key}/registrations")).send().await.resource(200);
    assert_eq!(shown["keyVersion"], newest);
    let end = scene.last_end().await;
    let data = &end["responseData"]["eventAckData"];
    assert_eq!((&data["eventType"], &data["keyState"]), (&json!("rotation"), &json!("DEK_ENABLED")));
    assert_eq!((&data["newKeyVersionId"], &data["oldKeyVersionId"]), (&newest["id"], &json!(key)));
    assert_eq!(data["newKeyVersionCreationDate"], newest["creationDate"]);
    assert_eq!(end["message"], "Key Protect: ack-rotate secret for buckets");
    assert_eq!(end["severity"], "normal");
}

#[actix_web::test]
async fn a_newer_version_fits_an_older_rotation_and_the_registration_never_goes_back() {
    let scene = Scene::new().await;
    let (kp, key) = (&scene.kp, &scene.key);
    let first = scene.event("rotate").await;
    kp.advance("1h").await;
    let second = scene.event("rotate").await;
    let newest = kp.metadata(key).await["keyVersion"]["id"].clone();
    for event in [&first, &second] {
        let data = json!({ "rewrappedKeyVersion": newest });
        let fields = json!({ "eventId": event, "adopterKeyState": "DEK_ENABLED", "keyStateData": data });
        kp.acknowledge(&fields).await.succeeds(204);
        let shown = kp.get(&format!("/api/v2/keys/{key}/registrations")).send().await.resource(200);
        assert_eq!(shown["keyVersion"]["id"], newest);
    }
    let outcomes: Vec<Value> = kp.ends().await.iter().map(|end| end["outcome"].clone()).collect();
    assert_eq!(outcomes, [json!("success"), json!("success")]);
}

#[actix_web::test]
async fn any_version_of_the_key_fits_when_it_is_enabled_again() {
    let scene = Scene::new().await;
    let (kp, key) = (&scene.kp, &scene.key);
    kp.rotate(key).await.succeeds(204);
    for (action, state) in [("disable", "DEK_DISABLED"), ("enable", "DEK_ENABLED")] {
        kp.advance("1m").await;
        let event = scene.event(action).await;
        assert_eq!(scene.says(&event, state).await, 204, "{action}, with the version before the rotation");
    }
    let codes: Vec<Value> = kp.ends().await.iter().map(|end| end["reason"]["reasonCode"].clone()).collect();
    assert_eq!(codes, [json!(200), json!(200)]);
    let shown = kp.get(&format!("/api/v2/keys/{key}/registrations")).send().await.resource(200);
    assert_eq!(shown["keyVersion"]["id"], *key, "which a rotation's acknowledgement alone moves");
}

#[actix_web::test]
async fn a_webhooks_success_says_nothing_of_versions_and_services_name_the_type_of_their_body() {
    let scene = Scene::new().await;
    let (kp, key) = (&scene.kp, &scene.key);
    kp.patch("/mock/subscribers/ledger").json(&json!({ "ack": "http" })).send().await.succeeds(200);
    let event = scene.event("rotate").await;
    assert_eq!(scene.last_end().await["reason"]["reasonCode"], 200);
    let shown = kp.get(&format!("/api/v2/keys/{key}/registrations")).send().await.resource(200);
    assert_eq!(shown["keyVersion"]["id"], *key);
    // The adopter's own content type, and none.
    let token = kp.reader_token().await;
    let newest = kp.metadata(key).await["keyVersion"]["id"].clone();
    let data = json!({ "rewrappedKeyVersion": newest });
    let body = acknowledgement(&json!({ "eventId": event, "adopterKeyState": "DEK_ENABLED", "keyStateData": data }))
        .to_string();
    for kind in [Some("application/vnd.ibm.kms.event_acknowledge+json"), None] {
        let call = kp.post(PATH).bearer(&token).raw(body.clone()).without("content-type");
        let call = if let Some(kind) = kind { call.header("content-type", kind) } else { call };
        assert_eq!(call.send().await.succeeds(204), Value::Null, "{kind:?}");
    }
    assert_eq!(kp.ends().await.len(), 1, "no second record");
}

#[actix_web::test]
async fn a_state_at_odds_ends_the_event_as_a_failure() {
    for (action, state) in [
        ("disable", "DEK_ENABLED"),
        ("disable", "DEK_DELETED"),
        ("delete", "DEK_ENABLED"),
        ("rotate", "DEK_DISABLED"),
        // The version before the rotation.
        ("rotate", "DEK_ENABLED"),
    ] {
        let scene = Scene::new().await;
        let event = scene.event(action).await;
        assert_eq!(scene.says(&event, state).await, 204, "{action} {state}");
        let end = scene.last_end().await;
        assert_eq!(end["action"], format!("kms.secrets.ack-{action}"));
        assert_eq!((&end["outcome"], &end["severity"]), (&json!("failure"), &json!("warning")));
        assert_eq!((&end["reason"]["reasonCode"], &end["reason"]["reasonType"]), (&json!(409), &json!("Conflict")));
        assert_eq!(end["responseData"]["resourceCRN"], scene.kp.bucket("ledger"));
        assert_eq!(scene.kp.delivery("").await["state"], "failed");
        let again = json!({ "eventId": event, "adopterKeyState": "DEK_DISABLED" });
        scene.kp.acknowledge(&again).await.refused(409, "EVENT_EXPIRED_ERR");
        scene.kp.advance("5h").await;
        assert_eq!(scene.kp.ends().await.len(), 1, "one record");
    }
}

#[actix_web::test]
async fn an_event_can_be_acknowledged_for_four_hours() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    let event = scene.event("disable").await;
    kp.advance("3h59m59s").await;
    assert_eq!(scene.says(&event, "DEK_DISABLED").await, 204);
    kp.enable(&scene.key).await.succeeds(204);
    let event = kp.deliveries("").await[1]["eventId"].clone();
    kp.advance("4h").await;
    let fields = json!({
        "eventId": event, "adopterKeyState": "DEK_ENABLED", "keyStateData": { "rewrappedKeyVersion": scene.key },
    });
    kp.acknowledge(&fields).await.refused(409, "EVENT_EXPIRED_ERR");
    let codes: Vec<Value> = kp.ends().await.iter().map(|end| end["reason"]["reasonCode"].clone()).collect();
    assert_eq!(codes, [json!(200), json!(408)]);
}

#[actix_web::test]
async fn what_has_succeeded_may_be_acknowledged_again() {
    let scene = Scene::new().await;
    let event = scene.event("disable").await;
    for _ in 0..2 {
        assert_eq!(scene.says(&event, "DEK_DISABLED").await, 204);
    }
    assert_eq!(scene.kp.ends().await.len(), 1);
    // By a reply of the webhook.
    let kp = &scene.kp;
    kp.patch("/mock/subscribers/ledger").json(&json!({ "ack": "http" })).send().await.succeeds(200);
    kp.advance("1m").await;
    let event = scene.event("enable").await;
    assert_eq!(kp.ends().await.len(), 2);
    assert_eq!(scene.says(&event, "DEK_ENABLED").await, 204);
    assert_eq!(kp.ends().await.len(), 2);
}

#[actix_web::test]
async fn an_acknowledgement_settles_open_deliveries_too_and_lets_the_next_event_go() {
    let receiver = Receiver::with(&[Answer::Status(500)]);
    let kp = Harness::with_one_event_behind_another(NOON, &receiver).await;
    let event = kp.deliveries("").await[0]["eventId"].clone();
    receiver.answer(&[Answer::Status(200)]);
    kp.acknowledge(&json!({ "eventId": event, "adopterKeyState": "DEK_DISABLED" })).await.succeeds(204);
    kp.settle().await;
    let all = kp.deliveries("").await;
    assert_eq!((&all[0]["state"], &all[0]["nextAttempt"]), (&json!("succeeded"), &Value::Null));
    assert_eq!(all[1]["state"], "succeeded");
    assert_eq!(receiver.received().pop().unwrap().text("eventType"), "enable");
}

#[actix_web::test]
async fn an_event_without_subscribers_can_be_acknowledged() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.protecting(&["ledger"]).await;
    kp.disable(&key).await.succeeds(204);
    let event = kp.delivery("").await["eventId"].clone();
    kp.acknowledge(&json!({ "eventId": event, "adopterKeyState": "DEK_DISABLED" })).await.succeeds(204);
    assert_eq!(kp.delivery("").await["state"], "succeeded");
    kp.advance("4h").await;
    assert_eq!(kp.ends().await.len(), 1);
}

#[actix_web::test]
async fn unknown_events_and_those_of_others_are_not_found() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    let event = scene.event("disable").await;
    for unknown in [NOBODY, "nonsense", ""] {
        let fields = json!({ "eventId": unknown, "adopterKeyState": "DEK_DISABLED" });
        kp.acknowledge(&fields).await.refused(404, "EVENT_NOT_FOUND_ERR");
    }
    let body = acknowledgement(&json!({ "eventId": event, "adopterKeyState": "DEK_DISABLED" }));
    let stranger = kp.granted(7, &["Reader"], &[]).await;
    kp.post(PATH).bearer(&stranger).json(&body).send().await.refused(404, "EVENT_NOT_FOUND_ERR");
    let token = kp.reader_token().await;
    kp.create_ring("other").await;
    let elsewhere = kp.post(PATH).bearer(&token).header("x-kms-key-ring", "other").json(&body).send().await;
    elsewhere.refused(404, "EVENT_NOT_FOUND_ERR");
    kp.post(PATH).json(&body).send().await.refused(403, "SERVICE_ONLY_ERR");
    assert_eq!(kp.ends().await.len(), 0);
    let path = Harness::registration_path(&scene.key, &kp.bucket("ledger"));
    kp.delete(&path).bearer(&token).send().await.succeeds(204);
    kp.post(PATH).bearer(&token).json(&body).send().await.refused(404, "EVENT_NOT_FOUND_ERR");
}

#[actix_web::test]
async fn a_body_that_cannot_be_leaves_the_event_open() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    let event = scene.event("rotate").await;
    let good = json!({
        "eventId": event, "adopterKeyState": "DEK_ENABLED", "keyStateData": { "rewrappedKeyVersion": scene.key },
    });
    for (member, value, named) in [
        ("eventId", Value::Null, "eventId"),
        ("eventId", json!(7), "eventId"),
        ("adopterKeyState", Value::Null, "adopterKeyState"),
        ("adopterKeyState", json!("enabled"), "adopterKeyState"),
        ("adopterKeyState", json!("dek_enabled"), "adopterKeyState"),
        ("timestamp", Value::Null, "timestamp"),
        ("timestamp", json!("today"), "timestamp"),
        ("timestamp", json!("2026-01-01"), "timestamp"),
        ("keyStateData", Value::Null, "rewrappedKeyVersion"),
        ("keyStateData", json!({}), "rewrappedKeyVersion"),
        ("keyStateData", json!({ "rewrappedKeyVersion": "newest" }), "rewrappedKeyVersion"),
        ("resourceCrn", json!(kp.bucket("other")), "resourceCrn"),
    ] {
        let mut fields = good.clone();
        fields[member] = value;
        let reason = kp.acknowledge(&fields).await.refused(400, "INVALID_FIELD_ERR");
        assert_eq!(reason["target"], json!({ "type": "field", "name": named }), "{fields}");
    }
    let mut unknown = good.clone();
    unknown["keyStateData"]["rewrappedKeyVersion"] = json!(NOBODY);
    kp.acknowledge(&unknown).await.refused(422, "KEY_VERSION_INVALID");
    let token = kp.reader_token().await;
    let raw = async |body: &str| kp.post(PATH).bearer(&token).raw(body.to_owned()).send().await;
    raw("").await.refused(400, "NO_BODY_ERR");
    let mut two = acknowledgement(&good);
    two["resources"] = json!([good, good]);
    let mut wrong_total = acknowledgement(&good);
    wrong_total["metadata"]["collectionTotal"] = json!(2);
    raw(&wrong_total.to_string()).await.refused(400, "COLLECTION_TOTAL_MISMATCH_ERR");
    for wrong in ["{", "[]", "{}", r#"{"metadata":{}}"#, &two.to_string()] {
        raw(wrong).await.refused(400, "BAD_BODY_ERR");
    }
    assert_eq!((kp.ends().await.len(), &kp.delivery("").await["state"]), (0, &json!("delivered")));
}

#[actix_web::test]
async fn the_call_itself_is_recorded() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    let event = scene.event("disable").await;
    assert_eq!(scene.says(&event, "DEK_DISABLED").await, 204);
    let record = kp.audit("action=kms.secrets-event.ack").await.pop().unwrap();
    assert_eq!((&record["outcome"], &record["reason"]["reasonCode"]), (&json!("success"), &json!(204)));
    assert!(record["target"]["id"].as_str().unwrap().ends_with(&scene.key), "{record}");
    assert_eq!(record["initiator"]["typeURI"], "service/security/account/service");
    assert_eq!(scene.says(NOBODY, "DEK_DISABLED").await, 404);
    assert_eq!(kp.audit("action=kms.secrets-event.ack&outcome=failure").await.len(), 1);
    assert_eq!(kp.call(Method::GET, PATH).send().await.status, 405);
}
