//! Webhooks over HTTPS: whose word is taken for a receiver's certificate. Source: `docs/contract/events.md` 3.2.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::process::{Running, program};
use crate::harness::{Harness, config};

const NOON: &str = "2026-01-01T12:00:00Z";

/// A sink's address over HTTPS.
async fn sink(kp: &Harness, name: &str) -> String {
    let sink = kp.post(&format!("/mock/sinks/{name}")).send().await.succeeds(201);
    sink["tlsUrl"].as_str().unwrap_or_else(|| panic!("no address over HTTPS: {sink}")).to_owned()
}

/// What becomes of the first attempt at an event.
async fn attempt(kp: &Harness, url: &str) -> Value {
    kp.subscribe("ledger", url).await;
    let key = kp.protecting(&["ledger"]).await;
    kp.disable(&key).await.succeeds(204);
    kp.settle().await;
    kp.delivery("subscriber=ledger").await["attempts"][0].clone()
}

#[actix_web::test]
async fn the_services_own_ca_is_trusted() {
    let kp = Harness::with(&["--clock", &format!("frozen@{NOON}"), "--tls-port", "0"]).await;
    let url = sink(&kp, "s1").await;
    assert!(url.starts_with(kp.info["tlsUrl"].as_str().unwrap()), "{url}");
    let attempt = attempt(&kp, &url).await;
    assert_eq!((&attempt["status"], &attempt["error"]), (&json!(200), &Value::Null));
    assert_eq!(kp.get("/mock/sinks/s1").send().await.succeeds(200)["total"], 1);
}

#[actix_web::test]
async fn without_https_a_sink_has_no_such_address() {
    let kp = Harness::frozen_at(NOON).await;
    let sink = kp.post("/mock/sinks/s1").send().await.succeeds(201);
    assert_eq!(sink["tlsUrl"], Value::Null);
}

#[actix_web::test]
async fn a_gateway_that_speaks_https_alone_hears_of_events() {
    let line = ["mock-key-protect", "serve", "--port", "0", "--cos-port", "off", "--cos-tls-port", "0", "--ephemeral"];
    let kp = Harness::start(config(&[&line[..], &["--clock", &format!("frozen@{NOON}")]].concat())).await;
    let own = kp.get("/mock/subscribers").send().await.succeeds(200)["subscribers"][0].clone();
    assert_eq!((&own["name"], &own["builtIn"]), (&json!("cos-gateway"), &json!(true)));
    assert!(own["url"].as_str().unwrap().starts_with(kp.info["cosTlsUrl"].as_str().unwrap()), "{own}");
    let key = kp.protecting(&["ledger"]).await;
    kp.disable(&key).await.succeeds(204);
    kp.settle().await;
    let delivery = kp.delivery("subscriber=cos-gateway").await;
    assert_eq!(delivery["state"], "succeeded", "{delivery}");
}

/// A service that finds its system's roots in a file.
async fn sender(folder: &Path, roots: &Path, options: &[&str]) -> Running {
    let mut command = program(folder);
    command.env("SSL_CERT_FILE", roots).args(["serve", "--port", "0", "--cos-port", "off"]);
    command.args(["--data-dir", "data", "--clock", "frozen", "--log", "debug"]).args(options);
    Running::start(command, folder).await
}

#[actix_web::test]
async fn a_stranger_is_trusted_by_the_systems_roots_or_by_a_named_ca_alone() {
    let stranger = Harness::with(&["--tls-port", "0"]).await;
    let authority = Path::new(stranger.info["caFile"].as_str().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let missing = folder.path().join("missing.pem");
    let named = ["--webhook-ca", authority.to_str().unwrap()];
    let cases: [(&Path, &[&str], bool); 4] =
        [(authority, &[], true), (&empty, &named, true), (&missing, &named, true), (&empty, &[], false)];
    for (place, (roots, options, trusted)) in cases.into_iter().enumerate() {
        let url = sink(&stranger, &format!("s{place}")).await;
        let home = tempfile::tempdir().unwrap();
        let mut running = sender(home.path(), roots, options).await;
        let kp = Harness::attached(running.info()).await;
        let attempt = attempt(&kp, &url).await;
        let expected = if trusted { (json!(200), Value::Null) } else { (Value::Null, json!("tls")) };
        assert_eq!((attempt["status"].clone(), attempt["error"].clone()), expected, "{place}: {attempt}");
        running.stop().await;
        let (_, log) = running.written();
        let told = log.contains("the system has no root certificates");
        assert_eq!(told, roots != authority, "{log}");
    }
}
