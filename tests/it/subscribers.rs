//! `/mock/subscribers`: made, shown, changed, removed, refused. Source: `docs/contract/interface.md` 3.1, 3.2.

use serde_json::{Value, json};

use crate::harness::files;
use crate::harness::words::base64_of;
use crate::harness::{Harness, Reply};

const NOON: &str = "2026-01-01T12:00:00Z";

/// Asserts a refusal that names the field.
#[track_caller]
fn refused(reply: &Reply, status: u16, path: &str) {
    assert_eq!(reply.status, status, "{:?}", reply.json());
    let body = reply.json();
    assert_eq!(body["error"]["path"], path, "{body}");
    assert!(body["error"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
}

fn good() -> Value {
    json!({ "name": "ledger", "url": "http://127.0.0.1:9000/hook", "serviceName": "cloud-object-storage" })
}

/// The good one, one member replaced.
fn with(member: &str, value: Value) -> Value {
    let mut body = good();
    body[member] = value;
    body
}

#[actix_web::test]
async fn a_subscriber_is_shown_as_it_was_made() {
    let kp = Harness::frozen_at(NOON).await;
    let list = kp.get("/mock/subscribers").send().await.succeeds(200);
    assert_eq!(list, json!({ "subscribers": [], "total": 0 }));
    let made = kp.try_subscribe(&good()).await.succeeds(201);
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && secret.len() >= 6 + 32, "{}", secret.len());
    let shown = json!({
        "name": "ledger", "url": "http://127.0.0.1:9000/hook", "serviceName": "cloud-object-storage",
        "resourceCrn": null, "events": ["deletion", "restoration", "enable", "disable", "rotation"], "ack": "http",
        "builtIn": false, "createdAt": NOON,
    });
    let mut without = made.clone();
    without.as_object_mut().unwrap().remove("secret");
    assert_eq!(without, shown);
    let pattern = "crn:v1:bluemix:public:cloud-object-storage:global:a/*:*:bucket:ledger-*";
    let body = json!({
        "name": "second", "url": "https://example.com/", "resourceCrn": pattern, "ack": "event_ack",
        "events": ["rotation", "enable", "enable"], "secret": format!("whsec_{}", base64_of([1; 24])),
    });
    let second = kp.try_subscribe(&body).await.succeeds(201);
    assert_eq!(second["events"], json!(["enable", "rotation"]));
    assert_eq!((&second["resourceCrn"], &second["ack"]), (&json!(pattern), &json!("event_ack")));
    let list = kp.get("/mock/subscribers").send().await.succeeds(200);
    assert_eq!(list["total"], 2);
    assert_eq!(list["subscribers"][0], shown, "no secret in a list");
    assert_eq!(kp.get("/mock/subscribers?limit=1").send().await.succeeds(200)["subscribers"], json!([shown]));
}

#[actix_web::test]
async fn what_cannot_be_is_refused_and_named() {
    let kp = Harness::frozen_at(NOON).await;
    let both = {
        let mut body = good();
        body["resourceCrn"] = json!("crn:v1:b:p:s:g:a/1:i:bucket:*");
        body
    };
    let neither = json!({ "name": "ledger", "url": "http://127.0.0.1:9000/" });
    for (body, status, path) in [
        (with("urll", json!("x")), 400, "urll"),
        (with("name", json!(7)), 400, "name"),
        (with("name", Value::Null), 400, "name"),
        (with("url", Value::Null), 400, "url"),
        (with("url", json!(["x"])), 400, "url"),
        (with("events", json!("rotation")), 400, "events"),
        (with("events", json!([1])), 400, "events"),
        (with("ack", json!(true)), 400, "ack"),
        (with("secret", json!(1)), 400, "secret"),
        (with("serviceName", json!({})), 400, "serviceName"),
        (with("name", json!("a/b")), 422, "name"),
        (with("name", json!("")), 422, "name"),
        (with("name", json!("n".repeat(65))), 422, "name"),
        (with("url", json!("ftp://127.0.0.1/")), 422, "url"),
        (with("url", json!("nonsense")), 422, "url"),
        (with("url", json!("http://169.254.169.254/latest")), 422, "url"),
        (with("url", json!("http://user:pass@127.0.0.1/")), 422, "url"),
        (with("secret", json!("whsec_c2hvcnQ=")), 422, "secret"),
        (with("secret", json!("secret")), 422, "secret"),
        (with("secret", json!(format!("whsec_{}", base64_of([1; 65])))), 422, "secret"),
        (with("events", json!(["explosion"])), 422, "events"),
        (with("events", json!([])), 422, "events"),
        (with("ack", json!("perhaps")), 422, "ack"),
        (with("serviceName", json!("a:b")), 422, "serviceName"),
        (both, 422, "resourceCrn"),
        (neither, 422, "serviceName"),
    ] {
        refused(&kp.try_subscribe(&body).await, status, path);
    }
    let mut body = with("resourceCrn", json!("bucket:ledger-*"));
    body.as_object_mut().unwrap().remove("serviceName");
    refused(&kp.try_subscribe(&body).await, 422, "resourceCrn");
    assert_eq!(kp.post("/mock/subscribers").raw("{").send().await.status, 400);
    assert_eq!(kp.get("/mock/subscribers").send().await.succeeds(200)["total"], 0);
}

#[actix_web::test]
async fn a_name_is_taken_once() {
    let kp = Harness::frozen_at(NOON).await;
    kp.try_subscribe(&good()).await.succeeds(201);
    refused(&kp.try_subscribe(&good()).await, 409, "name");
    kp.delete("/mock/subscribers/ledger").send().await.succeeds(204);
    kp.try_subscribe(&good()).await.succeeds(201);
}

#[actix_web::test]
async fn a_change_takes_what_is_given() {
    let kp = Harness::frozen_at(NOON).await;
    kp.try_subscribe(&good()).await.succeeds(201);
    let change = async |body: Value| kp.patch("/mock/subscribers/ledger").json(&body).send().await;
    let changed = change(json!({ "url": "http://127.0.0.1:9001/", "events": ["rotation"] })).await.succeeds(200);
    assert_eq!((&changed["url"], &changed["events"]), (&json!("http://127.0.0.1:9001/"), &json!(["rotation"])));
    assert_eq!(change(json!({ "ack": "event_ack" })).await.succeeds(200)["ack"], "event_ack");
    let unchanged = change(json!({})).await.succeeds(200);
    assert_eq!(unchanged["url"], "http://127.0.0.1:9001/");
    for (body, status, path) in [
        (json!({ "name": "other" }), 400, "name"),
        (json!({ "serviceName": "kms" }), 400, "serviceName"),
        (json!({ "url": 1 }), 400, "url"),
        (json!({ "url": "http://[fe80::1]/" }), 422, "url"),
        (json!({ "secret": "whsec_" }), 422, "secret"),
        (json!({ "events": ["x"] }), 422, "events"),
        (json!({ "ack": "x" }), 422, "ack"),
    ] {
        refused(&change(body).await, status, path);
    }
    assert_eq!(kp.get("/mock/subscribers").send().await.succeeds(200)["subscribers"][0], unchanged);
    let unknown = kp.patch("/mock/subscribers/nobody").json(&json!({})).send().await;
    refused(&unknown, 404, "name");
    refused(&kp.delete("/mock/subscribers/nobody").send().await, 404, "name");
}

#[actix_web::test]
async fn the_gateways_own_is_there_with_a_gateway_alone() {
    let kp = Harness::frozen_at(NOON).await;
    refused(&kp.try_subscribe(&json!({ "name": "cos-gateway" })).await, 422, "name");
    let body = json!({ "name": "cos-gateway", "url": "http://127.0.0.1:1/" });
    refused(&kp.try_subscribe(&body).await, 422, "url");
}

#[actix_web::test]
async fn subscribers_and_their_secrets_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = crate::harness::receiver::Receiver::start();
    let kp = Harness::in_folder(folder.path(), &["--clock", "frozen@2026-01-01T12:00:00Z"]).await;
    let secret = kp.subscribe("ledger", &receiver.url()).await;
    let key = kp.protecting(&["ledger"]).await;
    kp.stop().await;
    let text = secret.trim_start_matches("whsec_");
    for file in files::below(folder.path()) {
        let bytes = std::fs::read(file).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains(text), "a secret in clear");
    }
    let kp = Harness::in_folder(folder.path(), &[]).await;
    kp.disable(&key).await.succeeds(204);
    kp.settle().await;
    let received = receiver.received().pop().unwrap();
    let mut headers = hyper::HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, received.header(name).parse().unwrap());
    }
    standardwebhooks::Webhook::new(&secret).unwrap().verify(&received.raw, &headers).unwrap();
}
