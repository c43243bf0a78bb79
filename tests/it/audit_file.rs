//! `--audit-file`: each record is a line of it, once and in order, whatever ends the process.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::dice::{Dice, let_pass, number};
use crate::harness::keys::creation;
use crate::harness::program::Launch;
use crate::harness::raw::Caller;

/// The file's lines as JSON.
#[track_caller]
fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("an audit file");
    assert!(text.is_empty() || text.ends_with('\n'), "the last line is whole");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"))).collect()
}

async fn harness(folder: &Path, path: &Path) -> Harness {
    Harness::in_folder(&folder.join("data"), &["--audit-file", path.to_str().unwrap()]).await
}

async fn use_keys(kp: &Harness) {
    let key = kp.create_root_key("ledger").await;
    for _ in 0..3 {
        kp.post(&format!("/api/v2/keys/{key}/actions/wrap")).send().await.succeeds(200);
    }
    kp.get("/api/v2/keys/00000000-0000-4000-8000-000000000000").send().await;
    kp.post(&format!("/api/v2/keys/{key}/actions/disable")).send().await.succeeds(204);
}

#[actix_web::test]
async fn each_record_is_a_line_as_it_is_listed_and_a_restart_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    let mut expected = Vec::new();
    for _ in 0..3 {
        let kp = harness(folder.path(), &path).await;
        use_keys(&kp).await;
        expected = kp.audit("").await;
        kp.stop().await;
        assert_eq!(lines(&path), expected);
    }
    assert_eq!(expected.len(), 18);
}

#[actix_web::test]
async fn a_line_is_there_soon_after_its_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    let kp = harness(folder.path(), &path).await;
    kp.create_root_key("ledger").await;
    // A reply that is held back lets time pass: nothing fits, so it comes when the wait is over.
    for _ in 0..20 {
        if lines(&path).len() == 1 {
            return;
        }
        kp.get("/mock/audit-events?action=none&wait=1s").send().await.succeeds(200);
    }
    panic!("no line");
}

#[actix_web::test]
async fn what_was_in_the_file_stays_and_what_came_before_the_option_is_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::in_folder(&folder.path().join("data"), &[]).await;
    kp.create_root_key("early").await;
    kp.stop().await;
    let path = folder.path().join("audit.log");
    std::fs::write(&path, "somebody else's line without an end").unwrap();
    let kp = harness(folder.path(), &path).await;
    kp.create_root_key("late").await;
    kp.stop().await;
    let text = std::fs::read_to_string(&path).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    assert_eq!(first, "somebody else's line without an end");
    assert_eq!(rest.lines().count(), 1, "{rest}");
    assert!(rest.contains("create secret late"), "{rest}");
}

#[actix_web::test]
async fn a_file_that_was_moved_away_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    let kp = harness(folder.path(), &path).await;
    use_keys(&kp).await;
    kp.stop().await;
    std::fs::rename(&path, folder.path().join("audit.log.1")).unwrap();
    let kp = harness(folder.path(), &path).await;
    kp.create_root_key("late").await;
    kp.stop().await;
    assert_eq!(lines(&folder.path().join("audit.log.1")).len(), 6);
    assert_eq!(lines(&path).len(), 1);
}

/// Of a creation.
fn body(n: usize) -> String {
    creation(&json!({ "name": format!("k{n}"), "type": "application/vnd.ibm.kms.key+json", "extractable": false }))
        .to_string()
}

/// Creates and wraps until the service is gone.
fn load(mut caller: Caller) {
    for n in 0.. {
        let Ok(made) = caller.call("POST", "/api/v2/keys", &body(n)) else { return };
        let id = made.json()["resources"][0]["id"].as_str().unwrap().to_owned();
        for _ in 0..5 {
            if caller.call("POST", &format!("/api/v2/keys/{id}/actions/wrap"), "{}").is_err() {
                return;
            }
        }
    }
}

#[test]
fn after_a_kill_no_line_is_missing_torn_or_there_twice() {
    let seed = number("MKP_CRASH_SEED", u64::from(std::process::id()));
    println!("MKP_CRASH_SEED={seed}");
    let mut dice = Dice::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    let launch =
        || Launch::on(&folder.path().join("data")).with(&["--log", "warn", "--audit-file", path.to_str().unwrap()]);
    for _ in 0..number("MKP_CRASH_ROUNDS", 4) {
        let program = launch().start();
        let threads: Vec<_> = (0..2)
            .map(|n| {
                let caller = program.caller(&format!("caller-{n}"));
                std::thread::spawn(move || load(caller))
            })
            .collect();
        let_pass(Duration::from_millis(30 + dice.below(1_500)));
        program.kill();
        for thread in threads {
            thread.join().unwrap();
        }
        if dice.below(2) == 0 {
            // What a crash amid a write leaves.
            let mut half = std::fs::read(&path).unwrap();
            half.extend(b"{\"eventTime\":\"20");
            std::fs::write(&path, half).unwrap();
        }
        let program = launch().start();
        let listed = Caller::new(&program.url, "").succeeds(200, "GET", "/mock/audit-events?limit=5000", "");
        program.stop();
        let expected = listed["auditEvents"].as_array().unwrap();
        let found = lines(&path);
        assert_eq!(found.len(), usize::try_from(listed["total"].as_u64().unwrap()).unwrap());
        assert!(found.iter().zip(expected).all(|(found, expected)| found == expected), "in order");
    }
}

#[test]
fn a_full_disk_costs_no_request_and_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let program = Launch::on(&folder.path().join("data")).with(&["--audit-file", "/dev/full"]).start();
    let mut caller = program.caller("full");
    for n in 0..5 {
        caller.succeeds(201, "POST", "/api/v2/keys", &body(n));
        let_pass(Duration::from_millis(100));
    }
    let ended = program.stop();
    assert!(ended.status.success());
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    let lines: Vec<&str> = told.lines().filter(|line| line.contains("/dev/full")).collect();
    assert_eq!(lines.len(), 1, "{told}");
    assert!(lines[0].contains("No space left"), "{told}");
}

#[test]
fn a_file_that_cannot_be_written_is_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["no/such/folder/audit.log", "."] {
        let ended = Launch::on(&folder.path().join("data")).with(&["--audit-file", path]).try_start().err().unwrap();
        assert_eq!(ended.status.code(), Some(2));
        let told = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(told.contains("--audit-file") && told.contains(path), "{told}");
    }
    assert_eq!(json!(folder.path().join("data").exists()), json!(false), "nothing changed");
}
