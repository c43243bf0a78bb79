//! How events end: acknowledged by an answer, not in time, dropped; retries until then, order, several subscribers.
//! Source: `docs/contract/events.md` 2.1, 3.2, 5.4; `docs/contract/reliability.md` T-13 to T-15.

use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::dice::stopwatch;
use crate::harness::receiver::{Answer, Receiver};

const NOON: &str = "2026-01-01T12:00:00Z";
const GIVE_UP: &str = "2026-01-01T16:00:00Z";
const LAST_ATTEMPT: &str = "2026-01-01T15:59:30Z";

/// A disabled key with a bucket, told to a receiver.
struct Scene {
    kp: Harness,
    key: String,
    receiver: Receiver,
}

impl Scene {
    async fn new(script: &[Answer]) -> Self {
        let kp = Harness::frozen_at(NOON).await;
        let receiver = Receiver::with(script);
        kp.subscribe("ledger", &receiver.url()).await;
        let key = kp.protecting(&["ledger"]).await;
        kp.disable(&key).await.succeeds(204);
        kp.settle().await;
        Self { kp, key, receiver }
    }

    async fn delivery(&self) -> Value {
        self.kp.delivery("").await
    }
}

#[actix_web::test]
async fn a_receiver_that_fails_for_hours_and_then_answers_gets_its_event() {
    let began = stopwatch();
    let scene = Scene::new(&[Answer::Status(500)]).await;
    let kp = &scene.kp;
    kp.advance("3h59m").await;
    assert_eq!(scene.delivery().await["state"], "pending");
    assert_eq!(kp.ends().await, Vec::<Value>::new());
    scene.receiver.answer(&[Answer::Status(200)]);
    kp.advance("1h").await;
    let delivery = scene.delivery().await;
    assert_eq!(delivery["state"], "succeeded");
    let attempts = delivery["attempts"].as_array().unwrap();
    assert!((17..=19).contains(&attempts.len()), "{}", attempts.len());
    let last = attempts.last().unwrap();
    assert_eq!((&last["at"], &last["status"]), (&json!(LAST_ATTEMPT), &json!(200)));
    let ends = kp.ends().await;
    assert_eq!(ends.len(), 1);
    let end = &ends[0];
    assert_eq!((&end["action"], &end["outcome"]), (&json!("kms.secrets.ack-disable"), &json!("success")));
    assert_eq!(end["reason"], json!({ "reasonCode": 200, "reasonType": "OK" }));
    assert_eq!(end["responseData"]["eventAckData"]["eventId"], delivery["eventId"]);
    assert_eq!(end["responseData"]["eventAckData"]["keyState"], 2);
    assert!(began.elapsed().as_secs() < 2, "{:?}", began.elapsed());
}

#[actix_web::test]
async fn a_receiver_that_never_answers_leads_to_one_failure_at_the_fourth_hour() {
    let began = stopwatch();
    let kp = Harness::frozen_at(NOON).await;
    let receiver = Receiver::with(&[Answer::Drop]);
    kp.subscribe("ledger", &receiver.url()).await;
    let key = kp.protecting(&["a", "b"]).await;
    kp.action(&key, "disable").header("correlation-id", "off").send().await.succeeds(204);
    kp.advance("3h59m59s").await;
    assert_eq!(kp.ends().await.len(), 0);
    let journey = kp.advance("1s").await;
    assert_eq!(journey["ran"], json!([{ "at": GIVE_UP, "what": "give-up", "count": 2 }]));
    kp.advance("31d").await;
    let ends = kp.ends().await;
    assert_eq!(ends.len(), 2, "{ends:?}");
    let resources: Vec<&Value> = ends.iter().map(|end| &end["responseData"]["resourceCRN"]).collect();
    assert_eq!(resources, [&json!(kp.bucket("a")), &json!(kp.bucket("b"))]);
    for end in &ends {
        assert_eq!(end["action"], "kms.secrets.ack-disable");
        assert_eq!((&end["outcome"], &end["severity"]), (&json!("failure"), &json!("warning")));
        assert_eq!(
            (&end["reason"]["reasonCode"], &end["reason"]["reasonType"]),
            (&json!(408), &json!("Request Timeout"))
        );
        assert_eq!(end["reason"]["reasonForFailure"], end["responseData"]["reasonForFailure"]);
        assert_eq!((&end["eventTime"], &end["correlationId"]), (&json!("2026-01-01T16:00:00.00+0000"), &json!("off")));
        assert_eq!(end["initiator"]["name"], "Key Protect");
        assert_eq!(end["initiator"]["credential"], json!({ "type": "apikey" }));
        assert_eq!(end["initiator"]["typeURI"], "service/security/account/serviceid");
        assert_eq!(end["target"]["typeURI"], "kms/secrets");
        assert!(end["target"]["id"].as_str().unwrap().ends_with(&key), "{end}");
    }
    for delivery in kp.deliveries("").await {
        assert_eq!((&delivery["state"], &delivery["nextAttempt"]), (&json!("failed"), &Value::Null));
        assert_eq!(delivery["attempts"].as_array().unwrap().last().unwrap()["error"], "reset");
    }
    assert!(began.elapsed().as_secs() < 2, "{:?}", began.elapsed());
}

#[actix_web::test]
async fn retries_follow_the_schedule() {
    let scene = Scene::new(&[Answer::Status(500)]).await;
    scene.kp.advance("4h").await;
    let delivery = scene.delivery().await;
    let attempts = delivery["attempts"].as_array().unwrap();
    let at: Vec<u64> = attempts.iter().map(|attempt| millis(attempt["at"].as_str().unwrap()) - millis(NOON)).collect();
    assert_eq!(at[0], 0);
    for (place, pair) in at.windows(2).enumerate().take(at.len() - 2) {
        let middle = if place < 10 { 2_000 << place } else { 1_800_000 };
        let delay = pair[1] - pair[0];
        assert!((middle * 85 / 100..=middle * 115 / 100).contains(&delay), "{place}: {delay}");
    }
    assert_eq!(*at.last().unwrap(), 14_370_000);
    for (place, attempt) in attempts.iter().enumerate() {
        assert_eq!((&attempt["n"], &attempt["cause"]), (&json!(place + 1), &json!("schedule")));
    }
    assert_eq!(scene.receiver.count(), attempts.len());
}

/// Milliseconds of a day.
fn millis(time: &str) -> u64 {
    let (clock, fraction) = time.trim_end_matches('Z').split_once('.').unwrap_or((time.trim_end_matches('Z'), "0"));
    let clock = clock.split('T').nth(1).unwrap();
    let seconds = clock.split(':').fold(0, |sum, part| sum * 60 + part.parse::<u64>().unwrap());
    seconds * 1_000 + fraction.parse::<u64>().unwrap()
}

#[actix_web::test]
async fn a_receiver_may_ask_for_time() {
    let asked = Answer::Reply(503, "retry-after: 600".to_owned(), "later".to_owned());
    let scene = Scene::new(&[asked, Answer::Status(200)]).await;
    let delivery = scene.delivery().await;
    assert_eq!(delivery["nextAttempt"], "2026-01-01T12:10:00Z");
    assert_eq!(delivery["attempts"][0]["body"], "later");
    scene.kp.advance("9m59s").await;
    assert_eq!(scene.receiver.count(), 1);
    scene.kp.advance("1s").await;
    assert_eq!(scene.delivery().await["state"], "succeeded");
    // As long as it may be: the last attempt stays where it is.
    let asked = Answer::Reply(503, "retry-after: 99999".to_owned(), String::new());
    let scene = Scene::new(&[asked, Answer::Status(200)]).await;
    assert_eq!(scene.delivery().await["nextAttempt"], LAST_ATTEMPT);
    scene.kp.advance("4h").await;
    assert_eq!(scene.delivery().await["state"], "succeeded");
    // On a success it means nothing, as on a redirect that nobody follows it is heard.
    let moved = Answer::Reply(302, "location: /\r\nretry-after: 60".to_owned(), String::new());
    assert_eq!(Scene::new(&[moved]).await.delivery().await["nextAttempt"], "2026-01-01T12:01:00Z");
}

#[actix_web::test]
async fn what_is_no_success_is_tried_again() {
    for (answer, status, error) in [
        (Answer::Status(400), json!(400), Value::Null),
        (Answer::Status(410), json!(410), Value::Null),
        (Answer::Reply(302, "location: http://127.0.0.1:1/".to_owned(), String::new()), json!(302), json!("redirect")),
        (Answer::Drop, Value::Null, json!("reset")),
    ] {
        let scene = Scene::new(&[answer.clone(), Answer::Status(204)]).await;
        let delivery = scene.delivery().await;
        assert_eq!(delivery["state"], "pending", "{answer:?}");
        let attempt = &delivery["attempts"][0];
        assert_eq!((&attempt["status"], &attempt["error"]), (&status, &error), "{answer:?}");
        scene.kp.advance("3s").await;
        assert_eq!(scene.delivery().await["state"], "succeeded", "{answer:?}");
    }
    let kp = Harness::frozen_at(NOON).await;
    kp.subscribe("ledger", "http://127.0.0.1:1/").await;
    let key = kp.protecting(&["ledger"]).await;
    kp.disable(&key).await.succeeds(204);
    kp.settle().await;
    assert_eq!(kp.delivery("").await["attempts"][0]["error"], "refused");
}

#[actix_web::test]
async fn a_receiver_that_hangs_costs_an_advance_two_seconds_an_attempt() {
    let began = stopwatch();
    let scene = Scene::new(&[Answer::Hang]).await;
    scene.kp.advance("3s").await;
    let delivery = scene.delivery().await;
    assert_eq!(delivery["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(delivery["attempts"][1]["error"], "timeout");
    assert!((4..8).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[actix_web::test]
async fn a_receiver_that_hangs_on_many_deliveries_costs_little_more_than_on_one() {
    let kp = Harness::frozen_at(NOON).await;
    kp.patch("/mock/settings").json(&json!({ "webhookTimeout": "1s" })).send().await.succeeds(200);
    let receiver = Receiver::with(&[Answer::Hang]);
    kp.subscribe("ledger", &receiver.url()).await;
    let buckets: Vec<String> = (0..20).map(|n| format!("b{n}")).collect();
    let key = kp.protecting(&buckets.iter().map(String::as_str).collect::<Vec<_>>()).await;
    kp.disable(&key).await.succeeds(204);
    // Twenty in five rounds of four, then each at its own instant: a second for each would be twenty.
    let began = stopwatch();
    kp.advance("3s").await;
    assert!((4..12).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    for delivery in kp.deliveries("").await {
        let attempts = delivery["attempts"].as_array().unwrap();
        assert_eq!((attempts.len(), &attempts[1]["error"]), (2, &json!("timeout")));
        assert!(attempts[1]["latencyMs"].as_u64().unwrap() < 900, "{delivery}");
    }
    // The next advance begins with all the time again.
    receiver.answer(&[Answer::Status(200)]);
    kp.advance("1m").await;
    assert_eq!(kp.deliveries("state=succeeded").await.len(), 20);
}

#[actix_web::test]
async fn a_receiver_that_hangs_leads_to_one_failure_at_the_fourth_hour() {
    // Four hours in half a second: the attempt is under way when the window ends.
    let began = stopwatch();
    let kp = Harness::with(&["--time-scale", "28800"]).await;
    let receiver = Receiver::with(&[Answer::Hang]);
    kp.subscribe("ledger", &receiver.url()).await;
    let key = kp.protecting(&["a", "b"]).await;
    kp.disable(&key).await.succeeds(204);
    let path = "/mock/audit-events?action=kms.secrets.ack-*&min=2&wait=5s";
    let ends = kp.get(path).send().await.succeeds(200)["auditEvents"].clone();
    let ends = ends.as_array().unwrap();
    assert_eq!(ends.len(), 2, "{ends:?}");
    for (end, delivery) in ends.iter().zip(kp.deliveries("").await) {
        assert_eq!(end["reason"]["reasonCode"], 408);
        assert_eq!(end["responseData"]["resourceCRN"], delivery["registrationCrn"]);
        let deadline = delivery["deadline"].as_str().unwrap().trim_end_matches('Z').to_owned();
        assert_eq!(end["eventTime"], format!("{deadline}.00+0000"));
        assert_eq!(delivery["state"], "failed");
    }
    assert_eq!(receiver.count(), 2);
    assert!(began.elapsed().as_secs() < 2, "{:?}", began.elapsed());
}

#[actix_web::test]
async fn an_event_waits_for_the_one_before_and_goes_at_once_when_that_is_through() {
    let scene = Scene::new(&[Answer::Status(500)]).await;
    let (kp, key) = (&scene.kp, &scene.key);
    let other = kp.protecting(&["other"]).await;
    kp.advance("1m").await;
    kp.enable(key).await.succeeds(204);
    kp.rotate(key).await.succeeds(204);
    kp.disable(&other).await.succeeds(204);
    kp.settle().await;
    let waiting: Vec<Value> = kp.deliveries(&format!("keyId={key}")).await.split_off(1);
    for one in &waiting {
        assert_eq!((&one["state"], &one["nextAttempt"]), (&json!("pending"), &Value::Null));
        assert_eq!(one["attempts"], json!([]));
    }
    assert_eq!(kp.deliveries(&format!("keyId={other}")).await[0]["attempts"].as_array().unwrap().len(), 1);
    scene.receiver.answer(&[Answer::Status(200)]);
    let before = scene.receiver.count();
    kp.advance("3m").await;
    let arrived: Vec<String> = scene.receiver.received()[before..]
        .iter()
        .filter(|one| one.text("keyId") == *key)
        .map(|one| one.text("eventType"))
        .collect();
    assert_eq!(arrived, ["disable", "enable", "rotation"]);
    let at: Vec<Value> = kp
        .deliveries(&format!("keyId={key}"))
        .await
        .iter()
        .map(|one| one["attempts"].as_array().unwrap().last().unwrap()["at"].clone())
        .collect();
    assert_eq!((&at[0], &at[0]), (&at[1], &at[2]), "released at once");
}

#[actix_web::test]
async fn giving_up_lets_the_next_event_go_and_it_keeps_its_own_window() {
    let scene = Scene::new(&[Answer::Status(500)]).await;
    let (kp, key) = (&scene.kp, &scene.key);
    kp.advance("1h").await;
    kp.enable(key).await.succeeds(204);
    kp.advance("2h59m59s").await;
    assert_eq!(kp.deliveries("").await[1]["attempts"], json!([]));
    scene.receiver.answer(&[Answer::Status(200)]);
    kp.advance("1s").await;
    let all = kp.deliveries("").await;
    assert_eq!((&all[0]["state"], &all[1]["state"]), (&json!("failed"), &json!("succeeded")));
    assert_eq!(all[1]["attempts"][0]["at"], GIVE_UP);
    assert_eq!(all[1]["deadline"], "2026-01-01T17:00:00Z");
    let codes: Vec<Value> = kp.ends().await.iter().map(|end| end["reason"]["reasonCode"].clone()).collect();
    assert_eq!(codes, [json!(408), json!(200)]);
}

#[actix_web::test]
async fn an_accepted_event_waits_for_its_acknowledgement_and_holds_up_nothing() {
    let scene = Scene::new(&[Answer::Status(202)]).await;
    let (kp, key) = (&scene.kp, &scene.key);
    assert_eq!(scene.delivery().await["state"], "delivered");
    kp.advance("1m").await;
    kp.enable(key).await.succeeds(204);
    kp.settle().await;
    assert_eq!(scene.receiver.count(), 2);
    kp.advance("4h").await;
    assert_eq!(scene.receiver.count(), 2, "no more attempts");
    let codes: Vec<Value> = kp.ends().await.iter().map(|end| end["reason"]["reasonCode"].clone()).collect();
    assert_eq!(codes, [json!(408), json!(408)]);
}

#[actix_web::test]
async fn an_event_that_nobody_listens_to_fails_like_any_other() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.protecting(&["ledger"]).await;
    kp.disable(&key).await.succeeds(204);
    let delivery = kp.delivery("").await;
    assert_eq!((&delivery["subscriber"], &delivery["url"]), (&Value::Null, &Value::Null));
    assert_eq!((&delivery["attempts"], &delivery["nextAttempt"]), (&json!([]), &Value::Null));
    assert_eq!((&delivery["state"], &delivery["deadline"]), (&json!("pending"), &json!(GIVE_UP)));
    let clock = kp.get("/mock/clock").send().await.succeeds(200);
    assert_eq!(clock["nextDue"], json!({ "at": GIVE_UP, "what": "give-up" }));
    let receiver = Receiver::start();
    kp.subscribe("late", &receiver.url()).await;
    kp.advance("4h").await;
    assert_eq!(receiver.count(), 0, "a subscriber gets nothing of older events");
    assert_eq!(kp.ends().await[0]["reason"]["reasonCode"], 408);
    assert_eq!(kp.delivery("").await["state"], "failed");
}

/// A disabled key with a bucket, told to subscriber `good`, and to `bad`, which refused it.
struct Pair {
    kp: Harness,
    key: String,
    good: Receiver,
    bad: Receiver,
}

impl Pair {
    async fn new() -> Self {
        let kp = Harness::frozen_at(NOON).await;
        let (good, bad) = (Receiver::start(), Receiver::with(&[Answer::Status(500)]));
        kp.subscribe("good", &good.url()).await;
        kp.subscribe("bad", &bad.url()).await;
        let key = kp.protecting(&["ledger"]).await;
        kp.disable(&key).await.succeeds(204);
        kp.settle().await;
        Self { kp, key, good, bad }
    }
}

#[actix_web::test]
async fn of_several_subscribers_all_must_be_content() {
    let Pair { kp, key, good: _good, bad } = Pair::new().await;
    assert_eq!(kp.delivery("subscriber=good").await["state"], "succeeded");
    assert_eq!(kp.ends().await.len(), 0);
    bad.answer(&[Answer::Status(200)]);
    kp.advance("1m").await;
    let ends = kp.ends().await;
    assert_eq!((ends.len(), &ends[0]["reason"]["reasonCode"]), (1, &json!(200)));
    bad.answer(&[Answer::Status(500)]);
    kp.enable(&key).await.succeeds(204);
    kp.advance("4h").await;
    let ends = kp.ends().await;
    assert_eq!((ends.len(), &ends[1]["reason"]["reasonCode"]), (2, &json!(408)));
    let states: Vec<Value> =
        kp.deliveries("").await.iter().map(|one| json!([one["subscriber"], one["state"]])).collect();
    assert_eq!(states[2..], [json!(["good", "succeeded"]), json!(["bad", "failed"])]);
}

#[actix_web::test]
async fn a_subscriber_that_goes_takes_its_open_deliveries_along() {
    let Pair { kp, key, good: _good, bad } = Pair::new().await;
    kp.delete("/mock/subscribers/bad").send().await.succeeds(204);
    assert_eq!(kp.delivery("subscriber=bad").await["state"], "dropped");
    let ends = kp.ends().await;
    assert_eq!((ends.len(), &ends[0]["reason"]["reasonCode"]), (1, &json!(200)), "the others are content");
    // With no subscriber left, the window ends as if there had been none.
    kp.patch("/mock/subscribers/good").json(&json!({ "url": bad.url() })).send().await.succeeds(200);
    kp.advance("1m").await;
    kp.enable(&key).await.succeeds(204);
    kp.settle().await;
    kp.delete("/mock/subscribers/good").send().await.succeeds(204);
    assert_eq!(kp.ends().await.len(), 1);
    kp.advance("4h").await;
    let ends = kp.ends().await;
    assert_eq!((ends.len(), &ends[1]["reason"]["reasonCode"]), (2, &json!(408)));
}

#[actix_web::test]
async fn a_registration_or_key_that_goes_takes_its_events_along() {
    let scene = Scene::new(&[Answer::Status(500)]).await;
    let (kp, key) = (&scene.kp, &scene.key);
    let path = Harness::registration_path(key, &kp.bucket("ledger"));
    let token = kp.reader_token().await;
    kp.delete(&path).bearer(&token).send().await.succeeds(204);
    assert_eq!(scene.delivery().await["state"], "dropped");
    let before = scene.receiver.count();
    kp.advance("5h").await;
    assert_eq!((scene.receiver.count(), kp.ends().await.len()), (before, 0));
    let second = kp.protecting(&["second"]).await;
    kp.delete(&format!("/api/v2/keys/{second}?force=true")).send().await.succeeds(204);
    kp.advance("3h").await;
    kp.action(&second, "sync").send().await.succeeds(204);
    kp.advance("1h").await;
    kp.purge(&second).await.succeeds(204);
    let states: Vec<Value> =
        kp.deliveries(&format!("keyId={second}")).await.iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, [json!("failed"), json!("dropped")]);
    kp.advance("4h").await;
    assert_eq!(kp.ends().await.len(), 1, "the deletion's own");
}
