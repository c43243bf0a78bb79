//! Events as receivers get them: who is told of what, body, headers, signature. Source: `docs/contract/events.md` 2, 3.

use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::golden;
use crate::harness::keys::{creation, id_of};
use crate::harness::receiver::{Answer, Receiver};

const NOON: &str = "2026-01-01T12:00:00Z";
const LATER: &str = "2026-01-01T13:00:00Z";

/// What a receiver was told: event types in order of arrival.
fn types(receiver: &Receiver) -> Vec<String> {
    receiver.received().iter().map(|one| one.text("eventType")).collect()
}

#[actix_web::test]
async fn each_action_on_a_protecting_key_is_told_once() {
    let kp = Harness::frozen_at(NOON).await;
    let receiver = Receiver::start();
    kp.subscribe("ledger", &receiver.url()).await;
    let key = kp.protecting(&["ledger"]).await;
    let forced = format!("/api/v2/keys/{key}?force=true");
    kp.disable(&key).await.succeeds(204);
    kp.advance("1m").await;
    kp.enable(&key).await.succeeds(204);
    kp.rotate(&key).await.succeeds(204);
    kp.settle().await;
    kp.delete(&forced).send().await.succeeds(204);
    kp.advance("1m").await;
    kp.restore(&key).await.succeeds(201);
    kp.settle().await;
    assert_eq!(types(&receiver), ["disable", "enable", "rotation", "deletion", "restoration"]);
    let states: Vec<(Value, Value)> = receiver
        .received()
        .iter()
        .map(|one| (one.body()["keyState"].clone(), one.body()["requestedKeyState"].clone()))
        .collect();
    let expected = [(2, "disabled"), (1, "enabled"), (1, "enabled"), (5, "disabled"), (1, "enabled")];
    assert_eq!(states, expected.map(|(state, asked)| (json!(state), json!(asked))));
    assert_eq!(kp.ends().await.len(), 5);
}

#[actix_web::test]
async fn keys_without_registrations_and_other_changes_tell_nothing() {
    let kp = Harness::frozen_at(NOON).await;
    let receiver = Receiver::start();
    kp.subscribe("ledger", &receiver.url()).await;
    let bare = kp.create_root_key("bare").await;
    kp.disable(&bare).await.succeeds(204);
    let expiring = json!({ "name": "passing", "extractable": false, "expirationDate": "2026-01-02T00:00:00Z" });
    let key = kp.create(&expiring).await;
    kp.register(&key, "ledger", &json!({})).await.succeeds(201);
    kp.create_ring("other").await;
    let body = json!({ "keyRingID": "other" });
    kp.patch(&format!("/api/v2/keys/{key}")).header("x-kms-key-ring", "default").json(&body).send().await.succeeds(200);
    let policy = json!({
        "metadata": { "collectionType": "application/vnd.ibm.kms.policy+json", "collectionTotal": 1 },
        "resources": [{ "type": "application/vnd.ibm.kms.policy+json", "dualAuthDelete": { "enabled": false } }],
    });
    kp.put(&format!("/api/v2/keys/{key}/policies?policy=dualAuthDelete")).json(&policy).send().await.succeeds(200);
    kp.advance("2d").await;
    assert_eq!(kp.metadata(&key).await["state"], 3);
    assert_eq!(kp.deliveries("").await, Vec::<Value>::new());
    assert_eq!(receiver.count(), 0);
    // A deactivated key has no state that could be told again.
    kp.action(&key, "sync").send().await.succeeds(204);
    kp.settle().await;
    assert_eq!(receiver.count(), 0);
}

#[actix_web::test]
async fn each_registration_has_an_event_of_its_own_and_all_share_the_correlation_id() {
    let kp = Harness::frozen_at(NOON).await;
    let (one, two) = (Receiver::start(), Receiver::start());
    kp.subscribe("one", &one.url()).await;
    kp.subscribe("two", &two.url()).await;
    let key = kp.protecting(&["a", "b"]).await;
    kp.action(&key, "disable").header("correlation-id", "mine").send().await.succeeds(204);
    kp.settle().await;
    let told = |receiver: &Receiver| {
        let mut all: Vec<(String, String)> =
            receiver.received().iter().map(|one| (one.text("resourceCrn"), one.text("eventId"))).collect();
        all.sort();
        all
    };
    assert_eq!(told(&one), told(&two), "the id is the event's, not the subscriber's");
    let [(a, a_id), (b, b_id)] = &told(&one)[..] else { panic!("{:?}", told(&one)) };
    assert_eq!((a.as_str(), b.as_str()), (kp.bucket("a").as_str(), kp.bucket("b").as_str()));
    assert_ne!(a_id, b_id);
    for received in one.received().iter().chain(&two.received()) {
        assert_eq!(received.header("correlation-id"), "mine");
        assert_eq!(received.text("correlationId"), "mine");
        assert_eq!(received.header("webhook-id"), received.text("eventId"));
    }
    let ends = kp.audit("action=kms.secrets.ack-disable&correlationId=mine").await;
    assert_eq!(ends.len(), 2, "one record a registration");
}

#[actix_web::test]
async fn bodies_are_as_the_contract_shows_them() {
    let kp = Harness::with(&golden::STEADY).await;
    let receiver = Receiver::start();
    kp.subscribe("ledger", &receiver.url()).await;
    let key = kp.create_root_key("for buckets").await;
    let fields = json!({ "description": "Ledgers", "registrationMetadata": "m", "preventKeyDeletion": false });
    kp.register(&key, "ledger", &fields).await.succeeds(201);
    kp.action(&key, "rotate").header("correlation-id", "turn").send().await.succeeds(204);
    kp.advance("1m").await;
    kp.action(&key, "disable").header("correlation-id", "off").send().await.succeeds(204);
    kp.settle().await;
    let received = receiver.received();
    golden::compare("event_rotation", &received[0].body());
    golden::compare("event_disable", &received[1].body());
    let first = &received[0];
    assert_eq!(first.path, "/hook");
    assert_eq!(first.header("content-type"), "application/json");
    assert_eq!(first.header("user-agent"), concat!("mock-key-protect/", env!("CARGO_PKG_VERSION")));
    let members: Vec<String> = first.body().as_object().unwrap().keys().cloned().collect();
    assert_eq!(members.len(), 16, "{members:?}");
}

#[actix_web::test]
async fn signatures_hold_and_bytes_stay_the_same_over_attempts() {
    let kp = Harness::frozen_at(NOON).await;
    let receiver = Receiver::with(&[Answer::Status(500), Answer::Status(503), Answer::Status(200)]);
    let secret = kp.subscribe("ledger", &receiver.url()).await;
    let key = kp.protecting(&["ledger"]).await;
    kp.disable(&key).await.succeeds(204);
    kp.advance("1m").await;
    let received = receiver.received();
    assert_eq!(received.len(), 3);
    for one in &received {
        assert_eq!(one.raw, received[0].raw);
        assert_eq!(one.header("webhook-id"), received[0].header("webhook-id"));
        verify(&secret, one);
    }
    assert_eq!(kp.delivery("").await["state"], "succeeded");
}

/// As a receiver's library does it, against the real clock.
fn verify(secret: &str, received: &crate::harness::receiver::Received) {
    let mut headers = hyper::HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, received.header(name).parse().unwrap());
    }
    standardwebhooks::Webhook::new(secret).unwrap().verify(&received.raw, &headers).expect("a good signature");
}

/// Signed with each of these, and with no other.
fn signed_by(secrets: &[&str], received: &crate::harness::receiver::Received) {
    assert_eq!(received.header("webhook-signature").split(' ').count(), secrets.len());
    for secret in secrets {
        verify(secret, received);
    }
}

#[actix_web::test]
async fn a_replaced_secret_signs_for_another_day() {
    let kp = Harness::frozen_at(NOON).await;
    let receiver = Receiver::start();
    let first = kp.subscribe("ledger", &receiver.url()).await;
    let key = kp.protecting(&["ledger"]).await;
    let second = format!("whsec_{}", crate::harness::words::base64_of([7; 32]));
    let changed = kp.patch("/mock/subscribers/ledger").json(&json!({ "secret": second })).send().await.succeeds(200);
    assert_eq!(changed.get("secret"), None);
    kp.disable(&key).await.succeeds(204);
    kp.advance("23h59m59s").await;
    kp.enable(&key).await.succeeds(204);
    kp.settle().await;
    for received in receiver.received() {
        signed_by(&[&first, &second], &received);
    }
    kp.advance("1s").await;
    kp.disable(&key).await.succeeds(204);
    kp.settle().await;
    let last = receiver.received().pop().unwrap();
    signed_by(&[&second], &last);
}

#[actix_web::test]
async fn secrets_that_are_replaced_in_a_row_each_sign_to_their_own_end() {
    let kp = Harness::frozen_at(NOON).await;
    let receiver = Receiver::start();
    let first = kp.subscribe("ledger", &receiver.url()).await;
    let key = kp.protecting(&["ledger"]).await;
    let [second, third] = [2, 3].map(|byte| format!("whsec_{}", crate::harness::words::base64_of([byte; 32])));
    let replace = async |secret: &str| {
        kp.patch("/mock/subscribers/ledger").json(&json!({ "secret": secret })).send().await.succeeds(200);
    };
    let signed = async |action: &str| {
        kp.action(&key, action).send().await.succeeds(204);
        kp.settle().await;
        receiver.received().pop().unwrap()
    };
    replace(&second).await;
    // A client that has lost the reply asks once more.
    replace(&second).await;
    let received = signed("disable").await;
    signed_by(&[&first, &second], &received);
    kp.advance("1h").await;
    replace(&third).await;
    let received = signed("enable").await;
    signed_by(&[&first, &second, &third], &received);
    kp.advance("23h").await;
    let received = signed("disable").await;
    signed_by(&[&second, &third], &received);
    // One that comes back signs once.
    replace(&second).await;
    kp.advance("1m").await;
    let received = signed("enable").await;
    signed_by(&[&second, &third], &received);
    for number in 10..30 {
        replace(&format!("whsec_{}", crate::harness::words::base64_of([number; 32]))).await;
    }
    kp.advance("1m").await;
    assert_eq!(signed("disable").await.header("webhook-signature").split(' ').count(), 9, "eight former ones at most");
}

#[actix_web::test]
async fn a_changed_subscriber_gets_what_has_not_been_sent_yet() {
    let kp = Harness::frozen_at(NOON).await;
    kp.patch("/mock/settings").json(&json!({ "webhookTimeout": "1s" })).send().await.succeeds(200);
    let (old, new) = (Receiver::with(&[Answer::Hang]), Receiver::start());
    let first = kp.subscribe("ledger", &old.url()).await;
    let buckets: Vec<String> = (0..20).map(|n| format!("b{n}")).collect();
    let key = kp.protecting(&buckets.iter().map(String::as_str).collect::<Vec<_>>()).await;
    kp.disable(&key).await.succeeds(204);
    old.wait_for(4).await;
    let second = format!("whsec_{}", crate::harness::words::base64_of([7; 32]));
    let body = json!({ "url": new.url(), "secret": second, "ack": "event_ack" });
    kp.patch("/mock/subscribers/ledger").json(&body).send().await.succeeds(200);
    kp.advance("3s").await;
    assert_eq!((old.count(), new.count()), (4, 20), "those under way, and all that were begun later");
    for received in new.received() {
        signed_by(&[&first, &second], &received);
    }
    assert_eq!(kp.deliveries("state=delivered").await.len(), 20, "acknowledged as it is now");
}

#[actix_web::test]
async fn a_rotation_by_policy_is_told_at_its_instant() {
    let kp = Harness::frozen_at(NOON).await;
    let receiver = Receiver::start();
    kp.subscribe("ledger", &receiver.url()).await;
    let resource = json!({
        "name": "turning", "extractable": false, "rotation": { "enabled": true, "interval_month": 1 },
    });
    let made = kp.post("/api/v2/keys_with_policy_overrides").json(&creation(&resource)).send().await;
    let key = id_of(&made.succeeds(201));
    kp.register(&key, "ledger", &json!({})).await.succeeds(201);
    let journey = kp.advance("31d").await;
    let what: Vec<&str> = journey["ran"].as_array().unwrap().iter().map(|row| row["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["rotation", "attempt"], "{journey}");
    let received = receiver.received().pop().unwrap();
    assert_eq!(received.text("eventTime"), "2026-01-31T12:00:00Z");
    assert_eq!(received.text("deadline"), "2026-01-31T16:00:00Z");
    assert_eq!(received.body()["oldKeyVersion"]["id"], key);
    assert_eq!(received.body()["newKeyVersion"], kp.metadata(&key).await["keyVersion"]);
    let correlation = received.text("correlationId");
    let groups: Vec<usize> = correlation.split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12], "a UUID, as after a request: {correlation}");
    let rotated = kp.audit("action=kms.secrets.rotate").await.pop().unwrap();
    let ended = kp.audit("action=kms.secrets.ack-rotate").await.pop().unwrap();
    assert_eq!(ended["correlationId"], rotated["correlationId"]);
}

#[actix_web::test]
async fn a_sync_makes_new_events_of_the_present_state() {
    let kp = Harness::frozen_at(NOON).await;
    let receiver = Receiver::start();
    kp.subscribe("ledger", &receiver.url()).await;
    let key = kp.protecting(&["ledger"]).await;
    kp.disable(&key).await.succeeds(204);
    kp.advance("1h").await;
    kp.action(&key, "sync").send().await.succeeds(204);
    kp.settle().await;
    let received = receiver.received();
    let [first, again] = &received[..] else { panic!("{received:?}") };
    assert_eq!((first.text("eventType"), again.text("eventType")), ("disable".to_owned(), "disable".to_owned()));
    assert_eq!((&first.body()["renotification"], &again.body()["renotification"]), (&json!(false), &json!(true)));
    assert_ne!(first.text("eventId"), again.text("eventId"));
    assert_eq!((again.text("eventTime").as_str(), again.text("deadline").as_str()), (LATER, "2026-01-01T17:00:00Z"));
    kp.advance("1h").await;
    kp.enable(&key).await.succeeds(204);
    kp.advance("1h").await;
    kp.action(&key, "sync").send().await.succeeds(204);
    kp.delete(&format!("/api/v2/keys/{key}?force=true")).send().await.succeeds(204);
    kp.advance("1h").await;
    kp.action(&key, "sync").send().await.succeeds(204);
    kp.settle().await;
    assert_eq!(types(&receiver)[2..], ["enable", "enable", "deletion", "deletion"]);
    assert_eq!(kp.audit("action=kms.secrets.sync&outcome=success").await.len(), 3);
}

#[actix_web::test]
async fn subscribers_get_what_they_asked_for() {
    let kp = Harness::frozen_at(NOON).await;
    let (all, some, other) = (Receiver::start(), Receiver::start(), Receiver::start());
    kp.subscribe("all", &all.url()).await;
    let pattern = kp.bucket("ledger-*");
    let fields = json!({ "resourceCrn": pattern, "events": ["rotation", "enable"] });
    kp.subscribe_with("some", &some.url(), fields).await;
    kp.subscribe_with("other", &other.url(), json!({ "serviceName": "databases-for-redis" })).await;
    let key = kp.protecting(&["ledger-1", "photos"]).await;
    kp.disable(&key).await.succeeds(204);
    kp.advance("1m").await;
    kp.enable(&key).await.succeeds(204);
    kp.settle().await;
    assert_eq!((all.count(), some.count(), other.count()), (4, 1, 0));
    let received = some.received().pop().unwrap();
    assert_eq!(received.text("resourceCrn"), kp.bucket("ledger-1"));
    assert_eq!(received.text("eventType"), "enable");
}

#[actix_web::test]
async fn a_running_clock_tells_at_once() {
    let kp = Harness::new().await;
    let receiver = Receiver::with(&[Answer::Status(500), Answer::Status(200)]);
    kp.subscribe("ledger", &receiver.url()).await;
    let key = kp.protecting(&["ledger"]).await;
    kp.disable(&key).await.succeeds(204);
    let received = receiver.wait_for(2).await;
    assert_eq!(received[0].raw, received[1].raw);
    let reply = kp.get("/mock/deliveries?state=succeeded&wait=5s").send().await.succeeds(200);
    assert_eq!(reply["total"], 1);
    let attempts = reply["deliveries"][0]["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 2);
}

#[actix_web::test]
async fn a_clock_that_runs_fast_brings_retries_fast() {
    let kp = Harness::with(&["--time-scale", "3600"]).await;
    let receiver =
        Receiver::with(&[Answer::Status(500), Answer::Status(500), Answer::Status(500), Answer::Status(200)]);
    kp.subscribe("ledger", &receiver.url()).await;
    let key = kp.protecting(&["ledger"]).await;
    kp.disable(&key).await.succeeds(204);
    receiver.wait_for(4).await;
}
