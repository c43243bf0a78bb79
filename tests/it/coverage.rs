//! What must not be forgotten: each operation refuses strangers, each reason code stands in a test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::dice::variable;
use crate::harness::reply::CODES_VARIABLE;
use crate::harness::words::encoded;

const NOBODY: &str = "6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa";

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
                let path = path.replace("{adapter_id}", "vsphere").replace("{certificate_id}", "vcenter");
                let path = path.replace("{object_id}", NOBODY);
                let path = path.replace("{urlEncodedResourceCRN}", &encoded("crn:v1:b:p:adopter:g:a/1:i:bucket:b"));
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

/// Codes in backticks.
fn codes_in(text: &str) -> BTreeSet<String> {
    let codes = text.split('`').skip(1).step_by(2).filter(|code| is_code(code));
    codes.map(str::to_owned).collect()
}

fn is_code(text: &str) -> bool {
    text.contains('_') && text.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
}

/// The first column of the first table of `keys.md` 3.1, and the codes that are never sent.
fn codes_of_the_contract() -> (BTreeSet<String>, BTreeSet<String>) {
    let contract = include_str!("../../docs/contract/keys.md");
    let (_, section) = contract.split_once("### 3.1 Reason codes").expect("keys.md 3.1");
    let rows = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let codes = rows.filter_map(|row| row.strip_prefix("| `")?.split_once('`').map(|(code, _)| code.to_owned()));
    let (_, never) = section.split_once("Never sent by the emulator").expect("the codes that are never sent");
    (codes.collect(), codes_in(never.lines().next().unwrap_or_default()))
}

/// All codes that the service has in its table of reasons.
fn codes_of_the_service() -> BTreeSet<String> {
    let sources = [include_str!("../../src/domain/reason/mod.rs"), include_str!("../../src/domain/kmip/refusal.rs")];
    let literals = sources.iter().flat_map(|source| source.split('"').skip(1).step_by(2));
    literals.filter(|text| is_code(text)).map(str::to_owned).collect()
}

/// Tests that expect refusals, by the codes that stand in them; those that say `.refused(status, "CODE")` come first.
fn tests_by_code(codes: &BTreeSet<String>) -> BTreeMap<String, Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("tests/it") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let source = fs::read_to_string(&path).expect("a source");
        let module = path.file_stem().expect("a name").to_string_lossy().into_owned();
        for item in source.split("#[actix_web::test]\nasync fn ").skip(1) {
            let body = item.split("\n}\n").next().unwrap_or_default();
            let name = body.split('(').next().unwrap_or_default();
            if !body.contains(".refused(") {
                continue;
            }
            for code in codes.iter().filter(|code| body.contains(&format!("\"{code}\""))) {
                let outright = body.contains(&format!(", \"{code}\")"));
                let known = tests.entry(code.clone()).or_default();
                known.insert(if outright { 0 } else { known.len() }, format!("{module}::{name}"));
            }
        }
    }
    tests
}

#[test]
fn every_reason_code_is_of_the_contract_and_has_a_test() {
    let (contract, never) = codes_of_the_contract();
    assert!(contract.len() >= 29 && never.len() >= 5, "{contract:?} {never:?}");
    let service = codes_of_the_service();
    let missing: Vec<&String> = contract.difference(&service).filter(|code| !never.contains(*code)).collect();
    assert!(missing.is_empty(), "the service never says {missing:?}");
    assert!(service.is_disjoint(&never), "never sent: {:?}", service.intersection(&never));
    let pages = [
        include_str!("../../docs/contract/keys.md"),
        include_str!("../../docs/contract/policies.md"),
        include_str!("../../docs/contract/events.md"),
    ];
    let known: BTreeSet<String> = pages.into_iter().flat_map(codes_in).collect();
    assert!(service.is_subset(&known), "in no contract: {:?}", service.difference(&known));
    let tests = tests_by_code(&service);
    let missing: Vec<&String> = service.iter().filter(|code| !tests.contains_key(*code)).collect();
    assert!(missing.is_empty(), "no test expects {missing:?}");
}

/// Runs one test for each code and looks which codes came over the wire.
#[test]
fn every_reason_code_comes_over_the_wire() {
    if variable("MKP_SLOW_TESTS").is_none() {
        println!("not run: set MKP_SLOW_TESTS=1");
        return;
    }
    let service = codes_of_the_service();
    let tests = tests_by_code(&service);
    let chosen: BTreeSet<&String> = service.iter().filter_map(|code| tests.get(code)?.first()).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let told = folder.path().join("codes");
    let this = std::env::current_exe().expect("this program");
    let ran = Command::new(this).args(chosen).arg("--exact").env(CODES_VARIABLE, &told).output().expect("it runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
    let told = fs::read_to_string(told).expect("codes");
    let told: BTreeSet<String> = told.lines().map(str::to_owned).collect();
    assert_eq!(service.difference(&told).collect::<Vec<_>>(), Vec::<&String>::new(), "out of reach");
}
