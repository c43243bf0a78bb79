//! What must not be forgotten: each operation refuses strangers, each reason code stands in a test.

use std::fs;
use std::path::Path;

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::words::encoded;

const NOBODY: &str = "6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa";

/// Codes of `keys.md` 3.1 that nothing built so far can send.
const NOT_YET_SENT: [&str; 5] = [
    "INCORRECT_NONCE_ERR",
    "INCORRECT_NONCE_IV_ERR",
    "KEY_CREATE_IMPORT_ACCESS_ERR",
    "PREV_KEY_DEL_ERR",
    "PROTECTED_RESOURCE_ERR",
];
/// Codes of `keys.md` 3.1 that are never sent.
const NEVER_SENT: [&str; 1] = ["KEY_IMPT_REQ_ERR"];

/// Method and path of each operation of `openapi.yaml` below `/api/v2`, for a key that is given.
fn operations(key: &str) -> Vec<(Method, String)> {
    let document: Value = serde_yaml_ng::from_str(include_str!("../../openapi.yaml")).expect("openapi.yaml");
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        if !path.starts_with("/api/v2") {
            continue;
        }
        for method in ["get", "head", "post", "put", "patch", "delete"] {
            if item.get(method).is_some() {
                let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).expect("a method");
                let path = path.replace("{id}", key).replace("{alias}", "inv").replace("{key-ring-id}", "ring");
                assert!(!path.contains('{'), "say what stands for the parameter in {path}");
                found.push((method, path));
            }
        }
    }
    found
}

#[actix_web::test]
async fn every_operation_is_refused_without_a_token_and_to_strangers() {
    let kp = Harness::frozen_at("2026-01-01T12:00:00Z").await;
    let key = kp.create_root_key("invoices").await;
    let stranger = kp.info["cosInstanceCrn"].as_str().unwrap().replace("cloud-object-storage", "databases-for-redis");
    let stranger = kp.service_token(&stranger).await;
    let cos = kp.info["cosInstanceId"].as_str().unwrap();
    let before = kp.metadata(&key).await;
    let operations = operations(&key);
    assert!(operations.len() >= 26, "{}", operations.len());
    for (method, path) in &operations {
        let call = || kp.call(method.clone(), path);
        let refused = [
            call().without("authorization").send().await,
            call().header("bluemix-instance", NOBODY).send().await,
            call().header("bluemix-instance", cos).send().await,
        ];
        for reply in refused {
            assert_eq!(reply.status, 401, "{}", reply.called);
            assert_eq!(reply.header("www-authenticate"), Some("Bearer"), "{}", reply.called);
            if *method != Method::HEAD {
                reply.unauthorized();
            }
        }
        let reply = call().bearer(&stranger).send().await;
        // Lists are empty for who may see nothing.
        let wanted = if path == "/api/v2/keys" && matches!(*method, Method::GET | Method::HEAD) { 200 } else { 401 };
        if path.ends_with(&key) && *method == Method::POST {
            // Without a name it is no action yet; whether that or the caller is refused first is left open.
            assert!(matches!(reply.status, 400 | 401), "{}", reply.called);
        } else {
            assert_eq!(reply.status, wanted, "{}", reply.called);
        }
    }
    assert_eq!(kp.metadata(&key).await, before);
    for (method, path) in &operations {
        let status = kp.call(method.clone(), path).send().await.status;
        assert!(!matches!(status, 401 | 405 | 500..), "{method} {path}: {status}");
    }
}

#[actix_web::test]
async fn every_operation_is_refused_for_an_instance_that_was_removed() {
    let kp = Harness::frozen_at("2026-01-01T12:00:00Z").await;
    let body = json!({
        "name": "second", "target": "us-south", "resource_group": "default",
        "resource_plan_id": "eedd3585-90c6-4c8f-be3d-062069e99fc3",
    });
    let second = kp.post("/v2/resource_instances").json(&body).send().await.succeeds(201);
    let guid = second["guid"].as_str().unwrap();
    kp.get("/api/v2/keys").header("bluemix-instance", guid).send().await.succeeds(200);
    let path = format!("/v2/resource_instances/{}", encoded(second["crn"].as_str().unwrap()));
    kp.delete(&path).send().await.succeeds(204);
    for (method, path) in operations(NOBODY) {
        let reply = kp.call(method, &path).header("bluemix-instance", guid).send().await;
        assert_eq!(reply.status, 401, "{}", reply.called);
    }
}

/// The first column of the first table of `keys.md` 3.1.
fn codes_of_the_contract() -> Vec<String> {
    let contract = include_str!("../../docs/contract/keys.md");
    let (_, section) = contract.split_once("### 3.1 Reason codes").expect("keys.md 3.1");
    let rows = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let codes = rows.filter_map(|row| row.strip_prefix("| `")?.split_once('`').map(|(code, _)| code.to_owned()));
    codes.collect()
}

/// True when a test expects a refusal with the code.
fn is_expected_somewhere(sources: &[String], code: &str) -> bool {
    let literal = format!("\"{code}\"");
    let refused = |source: &String| {
        source.match_indices(&literal).any(|(at, _)| {
            let line = source[..at].rsplit('\n').next().unwrap_or_default();
            line.contains(".refused(")
        })
    };
    sources.iter().any(refused)
}

#[test]
fn every_reason_code_stands_in_a_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder).expect("tests/it") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(fs::read_to_string(path).expect("a source"));
        }
    }
    let codes = codes_of_the_contract();
    assert!(codes.len() >= 29, "{codes:?}");
    let left_out = |code: &&String| NOT_YET_SENT.contains(&code.as_str()) || NEVER_SENT.contains(&code.as_str());
    assert_eq!(codes.iter().filter(left_out).count(), NOT_YET_SENT.len() + NEVER_SENT.len());
    let missing: Vec<&String> =
        codes.iter().filter(|code| !left_out(code) && !is_expected_somewhere(&sources, code)).collect();
    assert!(missing.is_empty(), "no test expects {missing:?}");
}
