//! Silence on the gateway's wire, plain and over TLS. Source: `docs/contract/cos.md` 2.4; `reliability.md` T-20.
//!
//! It takes three quarters of a minute, all side by side, and so runs only with `MKP_SLOW_TESTS=1`, as in CI.

use std::io::{Error, ErrorKind};
use std::ops::Range;
use std::thread::{ScopedJoinHandle, scope};
use std::time::{Duration, Instant};

use crate::harness::dice::{let_pass, stopwatch, variable};
use crate::harness::gateway::element;
use crate::harness::program::{Launch, Program};
use crate::harness::raw::Raw;
use crate::harness::tls;

/// More than any deadline, and the longest wait for a byte.
const PATIENCE: Duration = Duration::from_secs(50);
/// More than what systems hold between a server and a client that does not read.
const BIG_MEBIBYTES: usize = 48;
const BIG: usize = BIG_MEBIBYTES * 1024 * 1024;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    Plain,
    Tls,
}

struct Scene {
    program: Program,
    /// PEM
    ca: String,
    /// Header fields that let a caller in, with line ends.
    fields: String,
}

impl Scene {
    fn new(folder: &std::path::Path) -> Self {
        let program = Launch::with_gateway_on(folder).with(&["--cos-tls-port", "0"]).start();
        let fields = format!("host: x\r\n{}", program.storage_caller().fields);
        let ca = std::fs::read_to_string(program.info["caFile"].as_str().unwrap()).unwrap();
        Self { program, ca, fields }
    }

    fn connect(&self, wire: Wire) -> Raw {
        let raw = match wire {
            Wire::Plain => Raw::connect(self.program.info["cosUrl"].as_str().unwrap()),
            Wire::Tls => {
                let url = self.program.info["cosTlsUrl"].as_str().unwrap();
                tls::connect(url, "localhost", &self.ca).expect("a connection")
            }
        };
        raw.patient(PATIENCE)
    }

    fn head(&self, method: &str, path: &str, framing: &str) -> String {
        format!("{method} {path} HTTP/1.1\r\n{}{framing}\r\n", self.fields)
    }

    fn status_of(&self, method: &str, path: &str) -> u16 {
        let mut raw = self.connect(Wire::Plain);
        raw.send(self.head(method, path, "content-length: 0\r\n"));
        raw.try_answer(method).expect("an answer").status
    }
}

/// A deadline by its name, and how it is tried.
type Check = (&'static str, fn(&Scene, Wire));

#[test]
fn silence_ends_a_connection_and_patience_does_not() {
    if variable("MKP_SLOW_TESTS").is_none() {
        println!("not run: set MKP_SLOW_TESTS=1");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new(&folder.path().join("data"));
    assert_eq!(scene.status_of("PUT", "/slow"), 200);
    let mut raw = scene.connect(Wire::Plain);
    raw.send(scene.head("PUT", "/slow/big", &format!("content-length: {BIG}\r\n"))).send(vec![b'b'; BIG]);
    assert_eq!(raw.answer().status, 200);
    let checks: [Check; 6] = [
        ("an upload that falls silent", an_upload_that_falls_silent),
        ("a chunked upload that falls silent", a_chunked_upload_that_falls_silent),
        ("an upload that drips", an_upload_that_drips),
        ("half a second head", half_a_second_head),
        ("a download that takes its time", a_download_that_takes_its_time),
        ("a download that nobody reads", a_download_that_nobody_reads),
    ];
    scope(|threads| {
        let scene = &scene;
        let mut running: Vec<(&str, ScopedJoinHandle<()>)> = Vec::new();
        for wire in [Wire::Plain, Wire::Tls] {
            running.extend(checks.map(|(name, check)| (name, threads.spawn(move || check(scene, wire)))));
        }
        let failed: Vec<&str> =
            running.into_iter().filter_map(|(name, check)| check.join().is_err().then_some(name)).collect();
        assert!(failed.is_empty(), "{failed:?}");
    });
    assert_eq!(scene.status_of("GET", "/slow/silent"), 404);
    assert_eq!(scene.status_of("GET", "/slow/dripping"), 200);
    scene.program.stop();
}

/// Asserts that something happened in so many seconds of real time.
#[track_caller]
fn within(seconds: Range<f64>, since: Instant) {
    let took = since.elapsed().as_secs_f64();
    assert!(seconds.contains(&took), "took {took:.1} s, not {seconds:?}");
}

#[track_caller]
fn is_cut_off(mut raw: Raw, since: Instant) {
    let answer = raw.answer();
    let code = element(&String::from_utf8_lossy(&answer.body), "Code");
    assert_eq!((answer.status, code.as_deref()), (400, Some("RequestTimeout")));
    assert!(raw.is_over());
    within(29.0..36.0, since);
}

fn an_upload_that_falls_silent(scene: &Scene, wire: Wire) {
    let mut raw = scene.connect(wire);
    let since = stopwatch();
    raw.send(scene.head("PUT", "/slow/silent", "content-length: 20\r\n")).send("half of it");
    is_cut_off(raw, since);
}

fn a_chunked_upload_that_falls_silent(scene: &Scene, wire: Wire) {
    let mut raw = scene.connect(wire);
    let since = stopwatch();
    raw.send(scene.head("PUT", "/slow/silent", "transfer-encoding: chunked\r\n")).send("4\r\nhalf\r\n");
    is_cut_off(raw, since);
}

/// No deadline on the whole.
fn an_upload_that_drips(scene: &Scene, wire: Wire) {
    let mut raw = scene.connect(wire);
    raw.send(scene.head("PUT", "/slow/dripping", "content-length: 18\r\n"));
    for _ in 0..17 {
        raw.send("x");
        let_pass(Duration::from_secs(2));
    }
    raw.send("x");
    assert_eq!(raw.answer().status, 200);
}

/// actix times the first head of a connection alone.
fn half_a_second_head(scene: &Scene, wire: Wire) {
    let mut raw = scene.connect(wire);
    raw.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    assert_eq!(raw.answer().status, 403);
    let since = stopwatch();
    raw.send("GET / HTTP/1.1\r\nhost:");
    assert!(raw.is_over());
    within(20.0..30.0, since);
}

fn a_download_that_takes_its_time(scene: &Scene, wire: Wire) {
    let mut raw = scene.connect(wire);
    raw.send(scene.head("GET", "/slow/big", ""));
    let since = stopwatch();
    raw.read_slowly(BIG_MEBIBYTES, Duration::from_millis(750)).expect("all of it");
    within(30.0..50.0, since);
}

fn a_download_that_nobody_reads(scene: &Scene, wire: Wire) {
    let mut raw = scene.connect(wire);
    raw.send(scene.head("GET", "/slow/big", ""));
    let_pass(Duration::from_secs(44));
    let read = raw.read_slowly(BIG_MEBIBYTES, Duration::ZERO);
    assert!(read.as_ref().is_err_and(is_end), "{read:?}");
}

fn is_end(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset)
}
