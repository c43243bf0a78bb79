//! `/mock/deliveries` and `/mock/keys/{id}`: the log, sending again, what lies ahead; load on many and on slow receivers.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::dice::stopwatch;
use crate::harness::receiver::{Answer, Receiver};

const NOON: &str = "2026-01-01T12:00:00Z";

async fn redeliver(kp: &Harness, id: &Value) -> crate::harness::Reply {
    kp.post(&format!("/mock/deliveries/{}/redeliver", id.as_str().unwrap())).send().await
}

#[actix_web::test]
async fn the_log_shows_each_attempt() {
    let kp = Harness::frozen_at(NOON).await;
    let later = Answer::Reply(503, "content-type: text/plain".to_owned(), "l".repeat(2_000));
    let receiver = Receiver::with(&[later, Answer::Status(200)]);
    kp.subscribe("ledger", &receiver.url()).await;
    let key = kp.protecting(&["ledger"]).await;
    kp.action(&key, "disable").header("correlation-id", "off").send().await.succeeds(204);
    kp.settle().await;
    let one = kp.delivery("").await;
    for (member, expected) in [
        ("eventType", json!("disable")),
        ("eventTime", json!(NOON)),
        ("correlationId", json!("off")),
        ("instanceId", json!(kp.instance)),
        ("keyId", json!(key)),
        ("registrationCrn", json!(kp.bucket("ledger"))),
        ("subscriber", json!("ledger")),
        ("url", json!(receiver.url())),
        ("state", json!("pending")),
        ("deadline", json!("2026-01-01T16:00:00Z")),
    ] {
        assert_eq!(one[member], expected, "{member}");
    }
    let next = one["nextAttempt"].as_str().unwrap();
    assert!(("2026-01-01T12:00:01.7"..="2026-01-01T12:00:02.3Z").contains(&next), "{next}");
    let attempt = &one["attempts"][0];
    assert_eq!((&attempt["n"], &attempt["at"], &attempt["cause"]), (&json!(1), &json!(NOON), &json!("schedule")));
    assert_eq!((&attempt["status"], &attempt["error"]), (&json!(503), &Value::Null));
    assert_eq!(attempt["body"], "l".repeat(1_024));
    assert!(attempt["latencyMs"].is_u64());
    kp.advance("3s").await;
    let one = kp.delivery("state=succeeded").await;
    assert_eq!((&one["nextAttempt"], one["attempts"].as_array().unwrap().len()), (&Value::Null, 2));
    assert_eq!(one["attempts"][1]["at"], next);
}

#[actix_web::test]
async fn the_log_is_filtered_by_each_parameter() {
    let kp = Harness::frozen_at(NOON).await;
    let (good, bad) = (Receiver::start(), Receiver::with(&[Answer::Status(500)]));
    kp.subscribe("good", &good.url()).await;
    kp.subscribe("bad", &bad.url()).await;
    let one = kp.protecting(&["a", "b"]).await;
    let two = kp.protecting(&["c"]).await;
    kp.disable(&one).await.succeeds(204);
    kp.disable(&two).await.succeeds(204);
    kp.settle().await;
    let count =
        async |query: &str| kp.get(&format!("/mock/deliveries?{query}")).send().await.succeeds(200)["total"].clone();
    assert_eq!(count("").await, 6);
    assert_eq!(count(&format!("keyId={one}")).await, 4);
    assert_eq!(count(&format!("registrationCrn={}", crate::harness::words::encoded(&kp.bucket("c")))).await, 2);
    assert_eq!(count("subscriber=good").await, 3);
    assert_eq!(count("state=pending").await, 3);
    assert_eq!(count("state=succeeded&subscriber=bad").await, 0);
    assert_eq!(count(&format!("keyId={two}&state=succeeded")).await, 1);
    assert_eq!(count("keyId=nobody").await, 0);
    let page = kp.get("/mock/deliveries?limit=2").send().await.succeeds(200);
    assert_eq!((page["deliveries"].as_array().unwrap().len(), &page["total"]), (2, &json!(6)));
    for (query, path) in [("state=lost", "state"), ("limit=0", "limit"), ("key=x", "key"), ("wait=61s", "wait")] {
        let reply = kp.get(&format!("/mock/deliveries?{query}")).send().await;
        assert_eq!((reply.status, &reply.json()["error"]["path"]), (400, &json!(path)));
    }
    let began = stopwatch();
    assert_eq!(count("state=failed&wait=1s").await, 0);
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(count("state=pending&min=3&wait=30s").await, 3);
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[actix_web::test]
async fn a_redelivery_sends_the_same_again_and_leaves_a_closed_delivery_as_it_is() {
    let kp = Harness::frozen_at(NOON).await;
    let receiver = Receiver::start();
    kp.subscribe("ledger", &receiver.url()).await;
    let key = kp.protecting(&["ledger"]).await;
    kp.disable(&key).await.succeeds(204);
    kp.settle().await;
    let before = kp.delivery("").await;
    receiver.answer(&[Answer::Status(500)]);
    let shown = redeliver(&kp, &before["id"]).await.succeeds(202);
    assert_eq!(shown["id"], before["id"]);
    kp.settle().await;
    let after = kp.delivery("").await;
    assert_eq!((&after["state"], &after["nextAttempt"]), (&json!("succeeded"), &Value::Null));
    let attempt = &after["attempts"][1];
    assert_eq!((&attempt["n"], &attempt["cause"], &attempt["status"]), (&json!(2), &json!("redelivery"), &json!(500)));
    let received = receiver.received();
    assert_eq!(received[0].raw, received[1].raw);
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    assert_eq!(kp.ends().await.len(), 1);
}

#[actix_web::test]
async fn a_redelivery_settles_a_pending_delivery_or_changes_no_plan() {
    let receiver = Receiver::with(&[Answer::Status(500)]);
    let kp = Harness::with_one_event_behind_another(NOON, &receiver).await;
    let all = kp.deliveries("").await;
    redeliver(&kp, &all[0]["id"]).await.succeeds(202);
    kp.settle().await;
    assert_eq!(kp.deliveries("").await[0]["nextAttempt"], all[0]["nextAttempt"]);
    // Past the order: the second one, which waits behind the first.
    receiver.answer(&[Answer::Status(200)]);
    redeliver(&kp, &all[1]["id"]).await.succeeds(202);
    kp.settle().await;
    let after = kp.deliveries("").await;
    assert_eq!((&after[0]["state"], &after[1]["state"]), (&json!("pending"), &json!("succeeded")));
    assert_eq!(receiver.received().pop().unwrap().text("eventType"), "enable");
    kp.advance("5m").await;
    assert_eq!(kp.deliveries("state=succeeded").await.len(), 2);
}

#[actix_web::test]
async fn a_redelivery_that_waits_for_another_does_not_hold_up_the_schedule() {
    let kp = Harness::with(&["--time-scale", "10"]).await;
    let receiver = Receiver::with(&[Answer::Status(200), Answer::Status(500), Answer::Hang, Answer::Status(200)]);
    kp.subscribe("ledger", &receiver.url()).await;
    let key = kp.protecting(&["ledger"]).await;
    kp.rotate(&key).await.succeeds(204);
    receiver.wait_for(1).await;
    kp.get("/mock/deliveries?state=succeeded&wait=5s").send().await.succeeds(200);
    kp.disable(&key).await.succeeds(204);
    receiver.wait_for(2).await;
    let all = kp.deliveries("").await;
    redeliver(&kp, &all[0]["id"]).await.succeeds(202);
    receiver.wait_for(3).await;
    redeliver(&kp, &all[1]["id"]).await.succeeds(202);
    let began = stopwatch();
    let received = receiver.wait_for(4).await;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    let types: Vec<String> = received.iter().map(|one| one.text("eventType")).collect();
    assert_eq!(types[..4], ["rotation", "disable", "rotation", "disable"]);
    kp.get("/mock/deliveries?state=succeeded&min=2&wait=5s").send().await.succeeds(200);
    assert_eq!(kp.deliveries("state=succeeded").await[1]["attempts"][1]["cause"], "schedule");
}

#[actix_web::test]
async fn what_cannot_be_sent_again_is_refused() {
    let kp = Harness::frozen_at(NOON).await;
    let receiver = Receiver::with(&[Answer::Status(500)]);
    let unheard = kp.protecting(&["unheard"]).await;
    kp.disable(&unheard).await.succeeds(204);
    kp.subscribe("ledger", &receiver.url()).await;
    let key = kp.protecting(&["ledger"]).await;
    kp.disable(&key).await.succeeds(204);
    kp.settle().await;
    kp.delete("/mock/subscribers/ledger").send().await.succeeds(204);
    for one in kp.deliveries("").await {
        assert_eq!(redeliver(&kp, &one["id"]).await.status, 409, "{one}");
    }
    for unknown in ["6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa", "nonsense"] {
        let reply = redeliver(&kp, &json!(unknown)).await;
        assert_eq!((reply.status, &reply.json()["error"]["path"]), (404, &json!("id")));
    }
}

#[actix_web::test]
async fn a_recovery_sends_all_that_match_oldest_first() {
    let kp = Harness::frozen_at(NOON).await;
    let receiver = Receiver::with(&[Answer::Drop]);
    kp.subscribe("ledger", &receiver.url()).await;
    let key = kp.protecting(&["ledger"]).await;
    for action in ["disable", "enable", "disable"] {
        kp.action(&key, action).send().await.succeeds(204);
        kp.advance("5h").await;
    }
    receiver.answer(&[Answer::Status(200)]);
    let before = receiver.count();
    let recover = async |body: Value| kp.post("/mock/deliveries/recover").json(&body).send().await;
    assert_eq!(recover(json!({ "state": "succeeded" })).await.succeeds(202), json!({ "redelivered": 0 }));
    let body = json!({ "since": NOON, "until": "2026-01-01T17:00:00Z", "subscriber": "ledger", "state": "failed" });
    assert_eq!(recover(body).await.succeeds(202), json!({ "redelivered": 2 }));
    kp.settle().await;
    assert_eq!(recover(json!({ "state": "failed" })).await.succeeds(202), json!({ "redelivered": 3 }));
    kp.settle().await;
    let types: Vec<String> = receiver.received()[before..].iter().map(|one| one.text("eventTime")).collect();
    let (first, second, third) = (NOON, "2026-01-01T17:00:00Z", "2026-01-01T22:00:00Z");
    assert_eq!(types, [first, second, first, second, third]);
    for one in kp.deliveries("").await {
        assert_eq!(one["state"], "failed", "closed ones stay as they are");
    }
    for (body, status, path) in [
        (json!({ "state": "lost" }), 422, "state"),
        (json!({ "state": "dropped" }), 422, "state"),
        (json!({ "since": "noon" }), 400, "since"),
        (json!({ "key": "x" }), 400, "key"),
    ] {
        let reply = recover(body).await;
        assert_eq!((reply.status, &reply.json()["error"]["path"]), (status, &json!(path)));
    }
}

#[actix_web::test]
async fn a_key_shows_what_lies_ahead() {
    let kp = Harness::frozen_at(NOON).await;
    let receiver = Receiver::with(&[Answer::Status(500)]);
    kp.subscribe("ledger", &receiver.url()).await;
    let key = kp.protecting(&["ledger"]).await;
    let show = async || kp.get(&format!("/mock/keys/{key}")).send().await.succeeds(200);
    let metadata = kp.metadata(&key).await;
    let expected = json!({
        "id": key, "crn": metadata["crn"], "instanceId": kp.instance, "name": "for buckets", "state": 1,
        "imported": false, "extractable": false, "keyRingId": "default",
        "versions": [metadata["keyVersion"]], "registrations": 1, "pendingDeliveries": 0, "due": [],
    });
    assert_eq!(show().await, expected);
    kp.disable(&key).await.succeeds(204);
    kp.settle().await;
    let shown = show().await;
    assert_eq!((&shown["state"], &shown["pendingDeliveries"]), (&json!(2), &json!(1)));
    let next = kp.delivery("").await["nextAttempt"].clone();
    let due = json!([{ "at": next, "what": "attempt" }, { "at": "2026-01-01T16:00:00Z", "what": "give-up" }]);
    assert_eq!(shown["due"], due);
    let clock = kp.get("/mock/clock").send().await.succeeds(200);
    assert_eq!(clock["nextDue"], json!({ "at": next, "what": "attempt" }));
    for unknown in ["6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa", "nonsense"] {
        assert_eq!(kp.get(&format!("/mock/keys/{unknown}")).send().await.status, 404);
    }
}

#[actix_web::test]
async fn a_receiver_that_hangs_holds_four_connections_and_nobody_up() {
    let kp = Harness::new().await;
    let (good, hung) = (Receiver::start(), Receiver::with(&[Answer::Hang]));
    kp.subscribe("good", &good.url()).await;
    kp.subscribe("hung", &hung.url()).await;
    let buckets: Vec<String> = (0..100).map(|n| format!("b{n}")).collect();
    let names: Vec<&str> = buckets.iter().map(String::as_str).collect();
    let key = kp.protecting(&names).await;
    let began = stopwatch();
    kp.disable(&key).await.succeeds(204);
    let reply = kp.get("/mock/deliveries?subscriber=good&state=succeeded&min=100&wait=20s&limit=1").send().await;
    assert_eq!(reply.succeeds(200)["total"], 100);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(hung.connections_most(), 4);
    assert_eq!(hung.count(), 4);
}

#[actix_web::test]
async fn a_subscriber_that_moves_does_not_wait_for_a_receiver_that_hangs() {
    let kp = Harness::new().await;
    let (good, hung) = (Receiver::start(), Receiver::with(&[Answer::Hang]));
    kp.subscribe("ledger", &hung.url()).await;
    let key = kp.protecting(&["a", "b", "c", "d", "e", "f"]).await;
    kp.disable(&key).await.succeeds(204);
    hung.wait_for(4).await;
    let began = stopwatch();
    kp.patch("/mock/subscribers/ledger").json(&json!({ "url": good.url() })).send().await.succeeds(200);
    good.wait_for(2).await;
    // One that takes over the name of another owes nothing to its receiver either.
    kp.patch("/mock/subscribers/ledger").json(&json!({ "url": hung.url() })).send().await.succeeds(200);
    let second = kp.protecting(&["g", "h", "i", "j", "k"]).await;
    kp.disable(&second).await.succeeds(204);
    hung.wait_for(8).await;
    kp.delete("/mock/subscribers/ledger").send().await.succeeds(204);
    kp.subscribe("ledger", &good.url()).await;
    let third = kp.protecting(&["l"]).await;
    kp.disable(&third).await.succeeds(204);
    good.wait_for(3).await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(hung.count(), 8, "what was deleted is not sent");
}

#[actix_web::test]
async fn what_waits_for_a_receiver_that_hangs_goes_with_its_subscriber() {
    let kp = Harness::frozen_at(NOON).await;
    let hung = Receiver::with(&[Answer::Hang]);
    kp.subscribe("hung", &hung.url()).await;
    let key = kp.protecting(&["a", "b", "c", "d", "e", "f", "g", "h"]).await;
    kp.disable(&key).await.succeeds(204);
    hung.wait_for(4).await;
    kp.delete("/mock/subscribers/hung").send().await.succeeds(204);
    kp.settle().await;
    assert_eq!(hung.count(), 4);
    assert_eq!(kp.deliveries("state=dropped").await.len(), 8);
    assert_eq!(kp.get("/mock/clock").send().await.succeeds(200)["nextDue"]["what"], "give-up");
}

#[actix_web::test]
async fn keys_take_turns() {
    let kp = Harness::frozen_at(NOON).await;
    let receiver = Receiver::start();
    let buckets: Vec<String> = (0..600).map(|n| format!("b{n}")).collect();
    let names: Vec<&str> = buckets.iter().map(String::as_str).collect();
    let crowded = kp.protecting(&names).await;
    let other = kp.protecting(&["alone"]).await;
    kp.subscribe("ledger", &receiver.url()).await;
    kp.disable(&crowded).await.succeeds(204);
    kp.disable(&other).await.succeeds(204);
    kp.settle().await;
    let received = receiver.received();
    assert_eq!(received.len(), 601);
    let place = received.iter().position(|one| one.text("keyId") == other).unwrap();
    assert!(place < 400, "{place}");
    let mut ids: Vec<String> = received.iter().map(|one| one.header("webhook-id").to_owned()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 601, "each event once");
}
