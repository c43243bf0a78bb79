//! The gateway as a process of its own: killed under an upload, and with a file that somebody has damaged.
//!
//! `cargo test` does ten kills; `MKP_CRASH_ROUNDS=100` does more. `MKP_CRASH_SEED` sets the seed, which is printed.

use std::path::Path;
use std::time::Duration;

use crate::harness::dice::{Dice, let_pass, number};
use crate::harness::keys::creation;
use crate::harness::program::{Launch, Program};
use crate::harness::raw::Caller;

const OLD_BYTES: usize = 300_000;
const NEW_BYTES: usize = 3_000_000;

fn launch(folder: &Path) -> Program {
    Launch::with_gateway_on(folder).with(&["--clock", "frozen", "--log", "error"]).start()
}

#[track_caller]
fn answers(caller: &mut Caller, status: u16, method: &str, path: &str, body: &str) -> Vec<u8> {
    let answer = caller.call(method, path, body).expect("an answer");
    assert_eq!(answer.status, status, "{method} {path}: {}", String::from_utf8_lossy(&answer.body));
    answer.body
}

fn objects(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder.join("objects")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_file()).collect()
}

#[test]
fn a_kill_leaves_the_old_object_or_the_new_one() {
    let rounds = number("MKP_CRASH_ROUNDS", 10);
    let seed = number("MKP_CRASH_SEED", u64::from(std::process::id()));
    println!("MKP_CRASH_SEED={seed}");
    let mut dice = Dice::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut program = launch(&data);
    let key = program.caller("crash").succeeds(
        201,
        "POST",
        "/api/v2/keys",
        &creation(&serde_json::json!({ "name": "crash", "extractable": false })).to_string(),
    );
    let crn = key["resources"][0]["crn"].as_str().unwrap().to_owned();
    let mut caller = program.storage_caller();
    caller.fields.extend(["ibm-sse-kp-customer-root-key-crn: ", &crn, "\r\n"]);
    answers(&mut caller, 200, "PUT", "/crash", "");
    let mut outcomes = [0, 0];
    for _ in 0..rounds {
        let mut caller = program.storage_caller();
        answers(&mut caller, 200, "PUT", "/crash/a", &"o".repeat(OLD_BYTES));
        let mut uploading = program.storage_caller();
        let thread = std::thread::spawn(move || drop(uploading.call("PUT", "/crash/a", &"n".repeat(NEW_BYTES))));
        let_pass(Duration::from_millis(dice.below(120)));
        program.kill();
        thread.join().expect("the upload ends");
        program = launch(&data);
        let bytes = answers(&mut program.storage_caller(), 200, "GET", "/crash/a", "");
        let old = bytes.len() == OLD_BYTES && bytes.iter().all(|byte| *byte == b'o');
        let new = bytes.len() == NEW_BYTES && bytes.iter().all(|byte| *byte == b'n');
        assert!(old || new, "{} bytes of both", bytes.len());
        outcomes[usize::from(new)] += 1;
        assert_eq!(objects(&data).len(), 1, "nothing is left over");
        assert_eq!(std::fs::read_dir(data.join("objects/new")).unwrap().count(), 0);
    }
    println!("{} old, {} new", outcomes[0], outcomes[1]);
}

#[test]
fn a_damaged_file_is_a_fault_and_never_other_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let program = launch(&data);
    let mut caller = program.storage_caller();
    answers(&mut caller, 200, "PUT", "/plain", "");
    answers(&mut caller, 200, "PUT", "/plain/a", &"x".repeat(OLD_BYTES));
    let file = objects(&data).remove(0);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[70_000] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let refused = answers(&mut caller, 500, "GET", "/plain/a", "");
    assert!(String::from_utf8_lossy(&refused).contains("<Code>InternalError</Code>"));
    let start = caller.call_with("range: bytes=0-99\r\n", "GET", "/plain/a", "").unwrap();
    assert_eq!((start.status, start.body), (206, vec![b'x'; 100]), "frames before it are whole");
    std::fs::remove_file(&file).unwrap();
    answers(&mut caller, 500, "GET", "/plain/a", "");
    answers(&mut caller, 204, "DELETE", "/plain/a", "");
}
