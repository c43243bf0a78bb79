//! A disk without room costs writes and nothing else. Source: `docs/contract/reliability.md` T-07.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, prlimit};
use serde_json::json;

use crate::harness::dice::{let_pass, stopwatch};
use crate::harness::keys::creation;
use crate::harness::program::{Launch, Program};
use crate::harness::raw::{Answer, Caller};

/// Creations after which any limit of these tests has been hit.
const CREATIONS_MAX: usize = 5_000;

#[test]
fn a_file_that_may_not_grow_costs_writes_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // The signal that would end the program is ignored, so that it sees the error.
    let program = Launch::by_way_of(r#"trap "" XFSZ; exec "$@""#, &data).start();
    let limit = |bytes| {
        let limit = Rlimit { current: bytes, maximum: None };
        prlimit(Some(program.pid()), Resource::Fsize, limit).expect("a limit");
    };
    let scene = Scene::before(&program);
    limit(Some(largest_file(&data) + 20_000));
    let kept = scene.without_room(&program);
    limit(None);
    scene.with_room_again(&program, kept);
    program.stop();
    check_integrity(&data);
    let program = Launch::on(&data).start();
    scene.holds(&program, kept);
}

#[test]
fn a_file_system_without_room_costs_writes_and_nothing_else() {
    let mounts = Command::new("unshare").args(["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).output();
    if !mounts.is_ok_and(|output| output.status.success()) {
        println!("not run: mounting is not allowed here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mount = folder.path().join("mount");
    std::fs::create_dir(&mount).unwrap();
    let place = mount.display();
    // In a mount namespace of its own, which goes with the process.
    let line = format!(
        "exec unshare -m bash -c 'mount -t tmpfs -o size=4m tmpfs {place} && head -c 1m /dev/zero > {place}/filler && exec \"$@\"' bash \"$@\""
    );
    let program = Launch::by_way_of(&line, &mount.join("data")).start();
    let scene = Scene::before(&program);
    let kept = scene.without_room(&program);
    let inside = format!("/proc/{}/root{place}/filler", program.pid().as_raw_nonzero());
    if std::fs::remove_file(inside).is_err() {
        println!("run in part: the file system cannot be reached from here");
        return;
    }
    scene.with_room_again(&program, kept);
    program.stop();
}

/// What was there while there was room.
struct Scene {
    key: String,
    ciphertext: String,
}

impl Scene {
    fn before(program: &Program) -> Self {
        let mut caller = program.caller("disk");
        let key = create(&mut caller, "before");
        assert_eq!(key.status, 201);
        let key = key.json()["resources"][0]["id"].as_str().unwrap().to_owned();
        let wrapped = caller.succeeds(200, "POST", &format!("/api/v2/keys/{key}/actions/wrap"), PLAINTEXT);
        Self { key, ciphertext: wrapped["ciphertext"].as_str().unwrap().to_owned() }
    }

    /// Fills the disk and looks around; how many keys there are.
    fn without_room(&self, program: &Program) -> usize {
        let mut caller = program.caller("disk");
        let mut kept = 1;
        let refused = (0..CREATIONS_MAX).find_map(|_| {
            let answer = create(&mut caller, "fill");
            kept += usize::from(answer.status == 201);
            (answer.status != 201).then_some(answer)
        });
        refused.expect("the disk is full at last").is_json_error(503);
        let path = format!("/api/v2/keys/{}/actions", self.key);
        for _ in 0..5 {
            // Some room may be left for less than the first refusal needed.
            let answer = create(&mut caller, "more");
            if answer.status == 201 {
                kept += 1;
            } else {
                answer.is_json_error(503);
            }
            caller.succeeds(200, "POST", &format!("{path}/wrap"), "{}");
            self.holds(program, kept);
        }
        caller.succeeds(200, "GET", "/mock/ready", "");
        kept
    }

    /// Keys read and open, and there is none that was refused.
    fn holds(&self, program: &Program, kept: usize) {
        let mut caller = program.caller("disk");
        let path = format!("/api/v2/keys/{}/actions/unwrap", self.key);
        let opened = caller.succeeds(200, "POST", &path, &json!({ "ciphertext": self.ciphertext }).to_string());
        assert_eq!(opened["plaintext"], "aGVsbG8=");
        let keys = caller.succeeds(200, "GET", "/api/v2/keys?limit=5000", "");
        assert_eq!(keys["metadata"]["collectionTotal"], kept, "a refused change shows");
    }

    /// Writes work at once, and the records that had to wait are there.
    fn with_room_again(&self, program: &Program, kept: usize) {
        let mut caller = program.caller("disk");
        caller.succeeds(204, "POST", &format!("/api/v2/keys/{}/actions/rotate", self.key), "");
        self.holds(program, kept);
        let since = stopwatch();
        loop {
            let path = format!("/mock/audit-events?action=kms.secrets.wrap&target={}", self.key);
            let wraps = caller.succeeds(200, "GET", &path, "")["total"].as_u64().unwrap();
            if wraps == 6 {
                return;
            }
            assert!(since.elapsed() < Duration::from_secs(5), "{wraps} records of 6 wraps");
            let_pass(Duration::from_millis(50));
        }
    }
}

const PLAINTEXT: &str = r#"{"plaintext":"aGVsbG8="}"#;

fn create(caller: &mut Caller, name: &str) -> Answer {
    let body = creation(&json!({ "name": name, "extractable": false })).to_string();
    caller.call("POST", "/api/v2/keys", &body).expect("the service is up")
}

fn largest_file(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).max().unwrap_or_default()
}

fn check_integrity(data: &Path) {
    let connection = rusqlite::Connection::open(data.join("state.db")).unwrap();
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}
