//! Deadlines of the wire in real time. Source: `docs/contract/reliability.md` T-18, T-20.
//!
//! They take half a minute, all side by side, and so run only with `MKP_SLOW_TESTS=1`, as in CI.

use std::ops::Range;
use std::thread::{ScopedJoinHandle, scope};
use std::time::Duration;

use crate::harness::dice::{let_pass, stopwatch, variable};
use crate::harness::program::{Launch, Program};
use crate::harness::raw::Raw;

/// More than any deadline.
const PATIENCE: Duration = Duration::from_secs(40);

/// A service and header fields that let a caller in.
struct Scene {
    program: Program,
    fields: String,
}

impl Scene {
    fn new() -> (Self, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let program = Launch::on(&folder.path().join("data")).start();
        let fields = program.caller("slow").fields;
        (Self { program, fields }, folder)
    }

    fn connect(&self) -> Raw {
        Raw::connect(&self.program.url).patient(PATIENCE)
    }

    /// The head of a creation with a body to come.
    fn creation(&self, path: &str, framing: &str) -> String {
        format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n{}{framing}\r\n\r\n", self.fields)
    }
}

/// A deadline by its name, and how it is tried.
type Check = (&'static str, fn(&Scene));

#[test]
fn slow_peers_are_cut_off_in_time_and_no_sooner() {
    if variable("MKP_SLOW_TESTS").is_none() {
        println!("not run: set MKP_SLOW_TESTS=1");
        return;
    }
    let (scene, _folder) = Scene::new();
    let checks: [Check; 9] = [
        ("a body that does not come", a_body_that_does_not_come),
        ("a body that drips", a_body_that_drips),
        ("a chunked body that stops", a_chunked_body_that_stops),
        ("a head that does not come", a_head_that_does_not_come),
        ("a head that drips", a_head_that_drips),
        ("half a second head", half_a_second_head),
        ("an idle connection", an_idle_connection),
        ("a connection in use", a_connection_in_use),
        ("a body without end after its refusal", a_body_without_end),
    ];
    scope(|threads| {
        let running: Vec<(&str, ScopedJoinHandle<()>)> =
            checks.iter().map(|(name, check)| (*name, threads.spawn(|| check(&scene)))).collect();
        let failed: Vec<&str> =
            running.into_iter().filter_map(|(name, check)| check.join().is_err().then_some(name)).collect();
        assert!(failed.is_empty(), "{failed:?}");
    });
    scene.program.stop();
}

/// Asserts that something happened in so many seconds of real time.
#[track_caller]
fn within(seconds: Range<f64>, since: std::time::Instant) {
    let took = since.elapsed().as_secs_f64();
    assert!(seconds.contains(&took), "took {took:.1} s, not {seconds:?}");
}

fn a_body_that_does_not_come(scene: &Scene) {
    let paths = ["/api/v2/keys", "/identity/token", "/v2/resource_instances", "/mock/clock/advance"];
    let since = stopwatch();
    let mut waiting: Vec<Raw> = paths.iter().map(|_| scene.connect()).collect();
    for (raw, path) in waiting.iter_mut().zip(paths) {
        raw.send(scene.creation(path, "content-length: 20")).send("{\"meta");
    }
    for mut raw in waiting {
        raw.answer().is_json_error(408);
        assert!(raw.is_over(), "the connection stays open");
        within(9.5..12.0, since);
    }
}

fn a_body_that_drips(scene: &Scene) {
    let mut raw = scene.connect().patient(Duration::from_millis(500));
    raw.send(scene.creation("/api/v2/keys", "content-length: 1000"));
    let since = stopwatch();
    for _ in 0..60 {
        raw.send(" ");
        match raw.try_answer("POST") {
            Ok(answer) => {
                answer.is_json_error(408);
                return within(9.0..12.5, since);
            }
            Err(error) if is_quiet(&error) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("it may drip for ever");
}

fn a_chunked_body_that_stops(scene: &Scene) {
    let mut raw = scene.connect();
    let since = stopwatch();
    raw.send(scene.creation("/api/v2/keys", "transfer-encoding: chunked")).send("2\r\n{\"\r\n");
    raw.answer().is_json_error(408);
    within(9.5..12.0, since);
}

fn a_head_that_does_not_come(scene: &Scene) {
    for begun in ["", "GET /mock/ready HTTP/1.1\r\nhost: loc"] {
        let mut raw = scene.connect();
        let since = stopwatch();
        raw.send(begun);
        // A connection without a byte may be ended without an answer.
        if let Ok(answer) = raw.try_answer("GET") {
            assert_eq!(answer.status, 408, "{}", answer.head);
        }
        assert!(raw.is_over(), "the connection stays open");
        within(4.5..7.5, since);
    }
}

fn a_head_that_drips(scene: &Scene) {
    let mut raw = scene.connect().patient(Duration::from_millis(500));
    raw.send("GET /mock/ready HTTP/1.1\r\nhost: localhost\r\nx-drip: ");
    let since = stopwatch();
    for _ in 0..40 {
        raw.send("a");
        match raw.try_answer("GET") {
            Ok(answer) => {
                assert_eq!(answer.status, 408, "{}", answer.head);
                return within(4.0..7.5, since);
            }
            Err(error) if is_quiet(&error) => {}
            Err(_) => return within(4.0..7.5, since),
        }
    }
    panic!("it may drip for ever");
}

fn is_quiet(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

fn half_a_second_head(scene: &Scene) {
    let mut raw = scene.connect();
    assert_eq!(raw.send("GET /mock/ready HTTP/1.1\r\nhost: localhost\r\n\r\n").answer().status, 200);
    let since = stopwatch();
    raw.send("GET /mock/ready HTTP/1.1\r\nhost: loc");
    assert!(raw.is_over(), "an answer to half a head");
    within(24.0..28.0, since);
}

fn an_idle_connection(scene: &Scene) {
    let mut raw = scene.connect();
    assert_eq!(raw.send("GET /mock/ready HTTP/1.1\r\nhost: localhost\r\n\r\n").answer().status, 200);
    let since = stopwatch();
    assert!(raw.is_over(), "an answer to nothing");
    within(24.0..28.0, since);
}

/// Used every now and then, and for a request that takes its time, a connection stays.
fn a_connection_in_use(scene: &Scene) {
    let mut raw = scene.connect();
    for _ in 0..3 {
        assert_eq!(raw.send("GET /mock/ready HTTP/1.1\r\nhost: localhost\r\n\r\n").answer().status, 200);
        let_pass(Duration::from_secs(4));
    }
    let held = "GET /mock/audit-events?min=5000&wait=20s HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let since = stopwatch();
    assert_eq!(raw.send(held).answer().status, 200);
    within(19.5..22.0, since);
    assert_eq!(raw.send("GET /mock/ready HTTP/1.1\r\nhost: localhost\r\n\r\n").answer().status, 200);
}

/// Whoever goes on sending after a 413 is cut off at last.
fn a_body_without_end(scene: &Scene) {
    let mut raw = scene.connect();
    raw.send(scene.creation("/api/v2/keys", "transfer-encoding: chunked"));
    let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x10000));
    let since = stopwatch();
    let mut refused = false;
    while !raw.is_cut_off_when_sending(&chunk) {
        if !refused && since.elapsed() > Duration::from_secs(1) {
            raw.answer().is_json_error(413);
            refused = true;
        }
        assert!(since.elapsed() < Duration::from_secs(32), "it may send for ever");
        let_pass(Duration::from_millis(20));
    }
    assert!(refused, "cut off without an answer");
}

#[test]
fn a_stop_waits_for_nobody_longer_than_five_seconds() {
    if variable("MKP_SLOW_TESTS").is_none() {
        println!("not run: set MKP_SLOW_TESTS=1");
        return;
    }
    let (scene, _folder) = Scene::new();
    let idle: Vec<_> = (0..200).map(|_| scene.connect()).collect();
    let mut upload = scene.connect();
    upload.send(scene.creation("/api/v2/keys", "content-length: 1000")).send("{");
    let mut half = scene.connect();
    half.send("GET /mock/rea");
    let mut held = scene.connect();
    held.send("GET /mock/audit-events?min=5000&wait=60s HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let_pass(Duration::from_millis(300));
    let ended = scene.program.stop();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    drop(idle);
}
