//! Kills the program at random moments and looks at what is left. Source: `docs/contract/reliability.md` T-01 to T-03, T-43.
//!
//! `cargo test` does three rounds. The long form:
//!
//! ```sh
//! MKP_CRASH_ROUNDS=100 cargo test --release --test it crash -- --nocapture
//! ```
//!
//! A hundred rounds took 140 s on two cores, with 32,000 acknowledged changes on 11,500 keys.
//!
//! A round: four callers create, wrap and rotate while a fifth moves the clock; the program is killed under their hands,
//! some of the times while it stops on request; now and then the next start is killed too; then everything that was
//! acknowledged must be there. `MKP_CRASH_SEED` sets the seed, which is printed; the moments still differ a little.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::dice::{Dice, let_pass, number, stopwatch};
use crate::harness::keys::creation;
use crate::harness::program::{Launch, Program};
use crate::harness::raw::Caller;

const CALLERS: u64 = 4;
/// Keys of earlier rounds that each round looks at again.
const LOOKED_AT_AGAIN: usize = 20;
/// Largest page of a list.
const PAGE: usize = 5_000;

/// What a caller knows of a key.
struct Known {
    id: String,
    /// Rotations that were acknowledged.
    rotations: usize,
    /// Rotations whose outcome nobody was told.
    open_rotations: usize,
    /// Ciphertexts and what they hold, base64.
    sealed: Vec<(String, String)>,
}

/// What the callers of a round know.
#[derive(Default)]
struct Notes {
    keys: Vec<Known>,
    /// Correlation ids of acknowledged changes.
    changes: Vec<String>,
    /// Creations whose outcome nobody was told.
    open_creations: usize,
    /// The latest instant that an acknowledged move of the clock led to.
    reached: String,
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let rounds = number("MKP_CRASH_ROUNDS", 3);
    let seed = number("MKP_CRASH_SEED", u64::from(std::process::id()));
    println!("MKP_CRASH_SEED={seed}");
    let mut dice = Dice::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut program = launch(&data).start();
    let mut all: Vec<Known> = Vec::new();
    let mut changes = 0;
    let began = stopwatch();
    for round in 0..rounds {
        let since = clock(&program);
        let (dead, notes) = load_and_kill(program, round, &mut dice);
        for _ in 0..dice.below(3) {
            launch(&data).kill_after(Duration::from_millis(dice.below(80)));
        }
        program = launch(&data).start();
        changes += notes.changes.len();
        println!("round {round}, {dead}: {} changes, {} keys", notes.changes.len(), notes.keys.len());
        check(&program, notes, &since, &mut all, &mut dice);
    }
    let fields = program.caller("crash").fields;
    let mut caller = Caller::new(&program.url, &fields);
    for known in &mut all {
        check_key(&mut caller, known);
    }
    println!("{rounds} rounds in {:?}: {changes} acknowledged changes, {} keys, 0 lost", began.elapsed(), all.len());
}

fn launch(data: &Path) -> Launch {
    Launch::on(data).with(&["--clock", "frozen", "--log", "warn"])
}

fn clock(program: &Program) -> String {
    let clock = Caller::new(&program.url, "").succeeds(200, "GET", "/mock/clock", "");
    clock["now"].as_str().unwrap().to_owned()
}

/// Puts the program under load and kills it; how, and what the callers know.
fn load_and_kill(program: Program, round: u64, dice: &mut Dice) -> (&'static str, Notes) {
    let fields = program.caller("crash").fields;
    let mut threads: Vec<_> = (0..CALLERS)
        .map(|n| {
            let caller = Caller::new(&program.url, &fields);
            let dice = Dice::new(dice.next());
            std::thread::spawn(move || use_keys(caller, &format!("{round}-{n}"), dice))
        })
        .collect();
    let mover = Caller::new(&program.url, "");
    threads.push(std::thread::spawn(move || move_clock(mover)));
    let_pass(Duration::from_millis(30 + dice.below(500)));
    let how = if dice.below(4) == 0 {
        program.signal(Signal::TERM);
        let_pass(Duration::from_micros(dice.below(15_000)));
        "killed inside a stop"
    } else {
        "killed"
    };
    program.kill();
    let mut notes = Notes::default();
    for thread in threads {
        let more = thread.join().expect("a caller");
        notes.keys.extend(more.keys);
        notes.changes.extend(more.changes);
        notes.open_creations += more.open_creations;
        notes.reached = notes.reached.max(more.reached);
    }
    (how, notes)
}

/// Creates, wraps, rotates and unwraps until the program is gone.
fn use_keys(mut caller: Caller, tag: &str, mut dice: Dice) -> Notes {
    let mut notes = Notes::default();
    for n in 0.. {
        let correlation = format!("create-{tag}-{n}");
        let body = creation(&json!({ "name": format!("crash-{tag}-{n}"), "extractable": false })).to_string();
        let fields = format!("correlation-id: {correlation}\r\n");
        match caller.call_with(&fields, "POST", "/api/v2/keys", &body) {
            Ok(answer) if answer.status == 201 => {
                let id = answer.json()["resources"][0]["id"].as_str().unwrap().to_owned();
                notes.keys.push(Known { id, rotations: 0, open_rotations: 0, sealed: Vec::new() });
                notes.changes.push(correlation);
            }
            _ => {
                notes.open_creations += 1;
                break;
            }
        }
        let older = usize::try_from(dice.below(notes.keys.len() as u64)).unwrap();
        let used = [notes.keys.len() - 1, older];
        if !used.into_iter().all(|place| {
            let Notes { keys, changes, .. } = &mut notes;
            use_key(&mut caller, &mut keys[place], changes)
        }) {
            break;
        }
    }
    notes
}

/// Wraps, rotates, wraps; false once the program is gone.
fn use_key(caller: &mut Caller, known: &mut Known, changes: &mut Vec<String>) -> bool {
    let path = |action: &str| format!("/api/v2/keys/{}/actions/{action}", known.id);
    let correlation = format!("rotate-{}-{}", known.id, known.sealed.len());
    let Some(before) = wrap(caller, &path("wrap")) else { return false };
    known.sealed.push(before);
    match caller.call_with(&format!("correlation-id: {correlation}\r\n"), "POST", &path("rotate"), "") {
        Ok(answer) if answer.status == 204 => {
            known.rotations += 1;
            changes.push(correlation);
        }
        // Within an hour of the last.
        Ok(answer) if answer.status == 409 => {}
        _ => {
            known.open_rotations += 1;
            return false;
        }
    }
    let Some(after) = wrap(caller, &path("wrap")) else { return false };
    known.sealed.push(after);
    true
}

fn wrap(caller: &mut Caller, path: &str) -> Option<(String, String)> {
    let answer = caller.call("POST", path, "{}").ok().filter(|answer| answer.status == 200)?.json();
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    Some((text("ciphertext"), text("plaintext")))
}

/// An hour again and again, so that keys may be rotated again.
fn move_clock(mut caller: Caller) -> Notes {
    let mut notes = Notes::default();
    while let Ok(answer) = caller.call("POST", "/mock/clock/advance", r#"{"by":"1h"}"#) {
        if answer.status != 200 {
            break;
        }
        answer.json()["to"].as_str().unwrap().clone_into(&mut notes.reached);
        let_pass(Duration::from_millis(10));
    }
    notes
}

/// All that a round's callers were told must be so.
fn check(program: &Program, notes: Notes, since: &str, all: &mut Vec<Known>, dice: &mut Dice) {
    let now = clock(program);
    assert!(now >= notes.reached, "the clock fell from {} to {now}", notes.reached);
    let fields = program.caller("crash").fields;
    let mut caller = Caller::new(&program.url, &fields);
    check_audit(&mut caller, &notes.changes, since);
    let listed = listed(&mut caller);
    let mut found: HashSet<String> = listed.iter().cloned().collect();
    assert_eq!(found.len(), listed.len(), "a key is listed twice");
    for known in notes.keys.iter().chain(all.iter()) {
        assert!(found.remove(&known.id), "key {} is lost", known.id);
    }
    assert!(found.len() <= notes.open_creations, "keys that nobody made: {found:?}");
    let untold = found.into_iter().map(|id| Known { id, rotations: 0, open_rotations: 0, sealed: Vec::new() });
    let mut fresh: Vec<Known> = notes.keys.into_iter().chain(untold).collect();
    for known in &mut fresh {
        check_key(&mut caller, known);
    }
    for _ in 0..LOOKED_AT_AGAIN.min(all.len()) {
        let place = usize::try_from(dice.below(all.len() as u64)).unwrap();
        check_key(&mut caller, &mut all[place]);
    }
    all.append(&mut fresh);
}

/// The record of each acknowledged change is there.
fn check_audit(caller: &mut Caller, changes: &[String], since: &str) {
    let mut recorded: HashSet<String> = HashSet::new();
    for action in ["kms.secrets.create", "kms.secrets.rotate"] {
        let path = format!("/mock/audit-events?action={action}&outcome=success&since={since}&limit={PAGE}");
        let found = caller.succeeds(200, "GET", &path, "");
        let records = found["auditEvents"].as_array().unwrap();
        assert_eq!(found["total"], records.len(), "more records than a page holds");
        recorded.extend(records.iter().map(correlation_of));
    }
    let lost: Vec<_> = changes.iter().filter(|change| !recorded.contains(*change)).collect();
    assert!(lost.is_empty(), "changes without a record: {lost:?}");
}

fn correlation_of(record: &Value) -> String {
    record["correlationId"].as_str().expect("a correlation id").to_owned()
}

fn listed(caller: &mut Caller) -> Vec<String> {
    let mut ids = Vec::new();
    loop {
        let path = format!("/api/v2/keys?limit={PAGE}&offset={}", ids.len());
        let page = caller.succeeds(200, "GET", &path, "");
        let page = page["resources"].as_array().cloned().unwrap_or_default();
        ids.extend(page.iter().map(|key| key["id"].as_str().unwrap().to_owned()));
        if page.len() < PAGE {
            return ids;
        }
    }
}

/// A key is whole: it reads, has a version for each rotation, opens what it sealed before and seals anew.
fn check_key(caller: &mut Caller, known: &mut Known) {
    let path = format!("/api/v2/keys/{}", known.id);
    let key = caller.succeeds(200, "GET", &format!("{path}/metadata"), "")["resources"][0].clone();
    let versions = caller.succeeds(200, "GET", &format!("{path}/versions?limit={PAGE}"), "");
    let versions = versions["resources"].as_array().unwrap();
    assert_eq!(key["state"], 1, "{key}");
    assert_eq!(key["keyVersion"]["id"], versions[0]["id"], "{key}");
    assert_eq!(versions.last().unwrap()["id"], known.id.as_str(), "the first version is the key's own");
    let least = known.rotations + 1;
    let expected = least..=least + known.open_rotations;
    assert!(expected.contains(&versions.len()), "{} versions of {}, not {expected:?}", versions.len(), known.id);
    assert_eq!(key.get("lastRotateDate").is_some(), versions.len() > 1, "{key}");
    (known.rotations, known.open_rotations) = (versions.len() - 1, 0);
    let (ciphertext, plaintext) = wrap(caller, &format!("{path}/actions/wrap")).expect("a wrap");
    known.sealed.push((ciphertext, plaintext));
    for (ciphertext, plaintext) in &known.sealed {
        let body = json!({ "ciphertext": ciphertext }).to_string();
        let opened = caller.succeeds(200, "POST", &format!("{path}/actions/unwrap"), &body);
        assert_eq!(opened["plaintext"], plaintext.as_str(), "{} opens to other bytes", known.id);
    }
    known.sealed.pop();
}

#[test]
fn a_first_start_that_is_killed_can_be_made_again() {
    let seed = number("MKP_CRASH_SEED", u64::from(std::process::id()));
    println!("MKP_CRASH_SEED={seed}");
    let mut dice = Dice::new(seed);
    let whole = tempfile::tempdir().unwrap();
    let began = stopwatch();
    launch(&whole.path().join("data")).start();
    let start = u64::try_from(began.elapsed().as_micros()).unwrap();
    for round in 0..6 {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let killed_after = Duration::from_micros(start * round / 6 + dice.below(start / 6));
        launch(&data).kill_after(killed_after);
        let program = launch(&data).try_start().unwrap_or_else(|ended| {
            panic!("killed after {killed_after:?} of {start} µs: {}", String::from_utf8_lossy(&ended.stderr))
        });
        program.caller("first").succeeds(200, "GET", "/api/v2/keys", "");
    }
}

#[test]
fn a_stop_on_request_cuts_no_answer_short_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for round in 0..3 {
        let program = launch(&data).start();
        let idle: Vec<_> = (0..50).map(|_| crate::harness::raw::Raw::connect(&program.url)).collect();
        let fields = program.caller("stop").fields;
        let threads: Vec<_> = (0..CALLERS)
            .map(|n| {
                let mut caller = Caller::new(&program.url, &fields);
                std::thread::spawn(move || create_until_the_end(&mut caller, &format!("{round}-{n}")))
            })
            .collect();
        let_pass(Duration::from_millis(100));
        let ready = program.ready_file();
        let ended = program.stop();
        assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
        assert!(!ready.exists(), "the ready file stays");
        drop(idle);
        let made: Vec<String> = threads.into_iter().flat_map(|thread| thread.join().expect("a caller")).collect();
        let log = std::fs::metadata(data.join("state.db-wal")).map_or(0, |log| log.len());
        assert_eq!(log, 0, "the log was not folded in");
        let program = launch(&data).start();
        let fields = program.caller("stop").fields;
        let listed: HashSet<String> = listed(&mut Caller::new(&program.url, &fields)).into_iter().collect();
        assert!(made.iter().all(|id| listed.contains(id)), "a key is lost");
        program.stop();
    }
}

fn create_until_the_end(caller: &mut Caller, tag: &str) -> Vec<String> {
    let mut made = Vec::new();
    let body = creation(&json!({ "name": format!("stop-{tag}"), "extractable": false })).to_string();
    loop {
        match caller.call("POST", "/api/v2/keys", &body) {
            Ok(answer) if answer.status == 201 => {
                made.push(answer.json()["resources"][0]["id"].as_str().unwrap().to_owned());
            }
            Ok(answer) => assert_eq!(answer.status, 503, "{}", answer.head),
            Err(error) => {
                assert_ne!(error.kind(), std::io::ErrorKind::InvalidData, "{error}");
                return made;
            }
        }
    }
}
