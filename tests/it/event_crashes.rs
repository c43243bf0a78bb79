//! Kills the program around deliveries: no event is lost, and each keeps its id and its plan. Source:
//! `docs/contract/reliability.md` T-04 to T-06, T-14.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::dice::{Dice, let_pass, number};
use crate::harness::process::Running;
use crate::harness::receiver::{Answer, Receiver};

const FROZEN: [&str; 2] = ["--clock", "frozen@2026-01-01T12:00:00Z"];

/// A service of its own with a key for some buckets, told to a receiver.
struct Scene {
    folder: tempfile::TempDir,
    running: Running,
    kp: Harness,
    key: String,
}

impl Scene {
    async fn new(receiver: &Receiver, buckets: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let running = Running::serve_in(folder.path(), &FROZEN).await;
        let kp = Harness::attached(running.info()).await;
        kp.subscribe("ledger", &receiver.url()).await;
        let key = kp.protecting(buckets).await;
        Self { folder, running, kp, key }
    }

    /// Kills the program and starts it again.
    async fn crash(&mut self) {
        self.running.kill().await;
        self.start(&["--clock", "frozen"]).await;
    }

    async fn start(&mut self, options: &[&str]) {
        self.running = Running::serve_in(self.folder.path(), options).await;
        self.kp = Harness::attached(self.running.info()).await;
    }
}

#[actix_web::test]
async fn an_event_survives_a_kill_at_any_moment_after_its_change() {
    let seed = number("MKP_CRASH_SEED", u64::from(std::process::id()));
    println!("MKP_CRASH_SEED={seed}");
    let mut dice = Dice::new(seed);
    let receiver = Receiver::start();
    let buckets: Vec<String> = (0..20).map(|n| format!("b{n}")).collect();
    let names: Vec<&str> = buckets.iter().map(String::as_str).collect();
    let mut scene = Scene::new(&receiver, &names).await;
    for round in 0..usize::try_from(number("MKP_CRASH_ROUNDS", 3)).unwrap() {
        scene.kp.rotate(&scene.key).await.succeeds(204);
        let_pass(Duration::from_micros(dice.below(20_000)));
        scene.crash().await;
        scene.kp.advance("1h").await;
        let told: Vec<Value> = scene.kp.deliveries("state=succeeded&limit=5000").await;
        assert_eq!(told.len(), (round + 1) * names.len());
        let received = receiver.received();
        for one in &told {
            let mine: Vec<_> = received.iter().filter(|sent| sent.header("webhook-id") == one["eventId"]).collect();
            assert!(!mine.is_empty(), "{one} is lost");
            assert!(mine.iter().all(|sent| sent.raw == mine[0].raw), "a repeat differs");
        }
        assert_eq!(scene.kp.ends().await.len(), told.len(), "each event ends once");
    }
}

#[actix_web::test]
async fn an_answer_that_was_not_recorded_is_asked_for_again_with_the_same_id() {
    let receiver = Receiver::with(&[Answer::Hang]);
    let mut scene = Scene::new(&receiver, &["ledger"]).await;
    scene.kp.disable(&scene.key).await.succeeds(204);
    receiver.wait_for(1).await;
    receiver.answer(&[Answer::Status(200)]);
    scene.crash().await;
    scene.kp.settle().await;
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    assert_eq!(received[0].raw, received[1].raw);
    let delivery = scene.kp.delivery("state=succeeded").await;
    assert_eq!(delivery["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(scene.kp.ends().await.len(), 1);
}

#[actix_web::test]
async fn a_redelivery_that_a_kill_cut_off_goes_out_at_once_after_it() {
    let receiver = Receiver::with(&[Answer::Status(500)]);
    let mut scene = Scene::new(&receiver, &["ledger"]).await;
    scene.kp.disable(&scene.key).await.succeeds(204);
    scene.kp.advance("1h").await;
    let one = scene.kp.delivery("").await;
    let count = receiver.count();
    receiver.answer(&[Answer::Hang]);
    let path = format!("/mock/deliveries/{}/redeliver", one["id"].as_str().unwrap());
    scene.kp.post(&path).send().await.succeeds(202);
    receiver.wait_for(count + 1).await;
    receiver.answer(&[Answer::Status(500)]);
    scene.crash().await;
    scene.kp.settle().await;
    let after = scene.kp.delivery("").await;
    let last = after["attempts"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["cause"], &last["at"]), (&json!("redelivery"), &json!("2026-01-01T13:00:00Z")));
    assert_eq!(after["nextAttempt"], one["nextAttempt"], "its own plan stands");
}

#[actix_web::test]
async fn the_schedule_goes_on_after_a_kill() {
    let receiver = Receiver::with(&[Answer::Status(500)]);
    let mut scene = Scene::new(&receiver, &["ledger"]).await;
    scene.kp.disable(&scene.key).await.succeeds(204);
    scene.kp.advance("8s").await;
    let before = scene.kp.delivery("").await;
    assert_eq!(before["attempts"].as_array().unwrap().len(), 3);
    scene.crash().await;
    assert_eq!(scene.kp.delivery("").await, before);
    scene.kp.advance("10s").await;
    let after = scene.kp.delivery("").await;
    assert_eq!((&after["attempts"][3]["n"], &after["attempts"][3]["at"]), (&json!(4), &before["nextAttempt"]));
}

#[actix_web::test]
async fn a_window_that_ended_while_the_service_was_down_ends_once() {
    let receiver = Receiver::with(&[Answer::Status(500)]);
    let mut scene = Scene::new(&receiver, &["a", "b"]).await;
    scene.kp.disable(&scene.key).await.succeeds(204);
    scene.kp.advance("1m").await;
    scene.running.kill().await;
    scene.start(&["--clock", "frozen@2026-01-03T00:00:00Z"]).await;
    for _ in 0..2 {
        let ends = scene.kp.ends().await;
        assert_eq!(ends.len(), 2);
        for end in &ends {
            assert_eq!(
                (&end["reason"]["reasonCode"], &end["eventTime"]),
                (&json!(408), &json!("2026-01-01T16:00:00.00+0000"))
            );
        }
        scene.crash().await;
    }
}

#[actix_web::test]
async fn a_stop_does_not_wait_for_a_receiver_that_hangs() {
    let receiver = Receiver::with(&[Answer::Hang]);
    let mut scene = Scene::new(&receiver, &["ledger"]).await;
    scene.kp.disable(&scene.key).await.succeeds(204);
    receiver.wait_for(1).await;
    let began = crate::harness::dice::stopwatch();
    scene.running.signal(Signal::TERM);
    assert_eq!(scene.running.ended().await.code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    receiver.answer(&[Answer::Status(200)]);
    scene.start(&["--clock", "frozen"]).await;
    scene.kp.settle().await;
    assert_eq!(scene.kp.delivery("").await["state"], "succeeded");
}
