//! Deadlines of the gateway's wire in real time: they take half a minute, and so run only with `MKP_SLOW_TESTS=1`.

use std::fs;
use std::thread::scope;
use std::time::Duration;

use serde_json::Value;

use crate::harness::Harness;
use crate::harness::dice::{let_pass, stopwatch, variable};
use crate::harness::gateway::element;
use crate::harness::raw::Raw;
use crate::harness::tls;

/// More than any deadline.
const PATIENCE: Duration = Duration::from_secs(45);

/// What a peer knows of the service.
struct Peer {
    info: Value,
    token: String,
}

fn put(kp: &Peer, key: &str) -> Raw {
    let mut raw = Raw::connect(kp.info["cosUrl"].as_str().unwrap()).patient(PATIENCE);
    raw.send(format!(
        "PUT /slow/{key} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 20\r\n\r\n",
        kp.token
    ));
    raw
}

fn a_body_that_falls_silent(kp: &Peer) {
    let mut raw = put(kp, "silent");
    raw.send("half of it");
    let watch = stopwatch();
    let answer = raw.answer();
    assert!((29.0..35.0).contains(&watch.elapsed().as_secs_f64()), "{:?}", watch.elapsed());
    let code = element(&String::from_utf8_lossy(&answer.body), "Code");
    assert_eq!((answer.status, code.as_deref()), (400, Some("RequestTimeout")));
    assert!(raw.is_over());
}

fn a_body_that_drips(kp: &Peer) {
    let mut raw = put(kp, "dripping");
    for _ in 0..19 {
        raw.send("x");
        let_pass(Duration::from_secs(2));
    }
    raw.send("x");
    assert_eq!(raw.answer().status, 200, "no deadline on the whole");
}

fn an_idle_connection_over_tls(kp: &Peer) {
    let ca = fs::read_to_string(kp.info["caFile"].as_str().unwrap()).unwrap();
    let raw = tls::connect(kp.info["cosTlsUrl"].as_str().unwrap(), "localhost", &ca).expect("a connection");
    let mut raw = raw.patient(PATIENCE);
    raw.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    assert_eq!(raw.answer().status, 403);
    // Half a second head: actix times the first one alone.
    raw.send("GET / HTTP/1.1\r\nhost:");
    let watch = stopwatch();
    assert!(raw.is_over());
    assert!((20.0..32.0).contains(&watch.elapsed().as_secs_f64()), "{:?}", watch.elapsed());
}

#[actix_web::test]
async fn silence_ends_a_connection_and_patience_does_not() {
    if variable("MKP_SLOW_TESTS").is_none() {
        println!("not run: set MKP_SLOW_TESTS=1");
        return;
    }
    let kp = Harness::with_gateway_and(&["--cos-tls-port", "0"]).await;
    kp.plain_bucket("slow").await;
    let peer = Peer { info: kp.info.clone(), token: kp.token.clone() };
    // Not on the test's own thread: the service's beat is there.
    let checks = actix_web::web::block(move || {
        let peer = &peer;
        scope(|threads| {
            for check in [a_body_that_falls_silent, a_body_that_drips, an_idle_connection_over_tls] {
                threads.spawn(move || check(peer));
            }
        });
    });
    checks.await.expect("all checks pass");
    assert_eq!(kp.get_object("slow/silent").await.status, 404);
    assert_eq!(kp.get_object("slow/dripping").await.body.len(), 20);
}
