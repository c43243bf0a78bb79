//! Rules of the admin API, `/mock`: who may call it, what it answers, how it refuses.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{Call, Harness, Reply, wire};

/// Each call of the admin API that is there.
const CALLS: [(&str, &str); 8] = [
    ("GET", "/mock/ready"),
    ("GET", "/mock/info"),
    ("GET", "/mock/clock"),
    ("POST", "/mock/clock/advance"),
    ("POST", "/mock/clock/freeze"),
    ("POST", "/mock/clock/resume"),
    ("POST", "/mock/tokens/expire"),
    ("GET", "/mock/audit-events"),
];

/// Asserts a refusal in the form of the admin API; its `path`.
#[track_caller]
fn refused(reply: &Reply, status: u16) -> Value {
    let body = reply.succeeds(status);
    let error = body["error"].as_object().unwrap_or_else(|| panic!("{body}"));
    assert!(error["code"].is_string() && error["message"].is_string(), "{body}");
    let path = error.get("path").unwrap_or_else(|| panic!("{body}"));
    assert!(path.is_string() || path.is_null(), "{body}");
    path.clone()
}

fn by_name<'h>(kp: &'h Harness, method: &str, path: &str) -> Call<'h> {
    kp.call(method.parse().unwrap(), path)
}

#[actix_web::test]
async fn ready_tells_the_version() {
    let kp = Harness::new().await;
    let ready = kp.get("/mock/ready").send().await.succeeds(200);
    assert_eq!(ready, json!({ "status": "ready", "version": kp.info["version"] }));
}

#[actix_web::test]
async fn info_has_what_clients_need_and_leaves_out_what_does_not_apply() {
    let kp = Harness::new().await;
    let info = kp.get("/mock/info").send().await.succeeds(200);
    assert_eq!(info, kp.info);
    let url = info["url"].as_str().unwrap();
    assert!(url.starts_with("http://127.0.0.1:") && !url.ends_with('/'), "{url}");
    assert_eq!(info["iamUrl"], url);
    assert_eq!(info["adminUrl"], format!("{url}/mock"));
    assert_eq!(info["region"], "us-south");
    assert_eq!(info["pid"], std::process::id());
    let (account, id) = (info["accountId"].as_str().unwrap(), info["instanceId"].as_str().unwrap());
    assert_eq!(info["instanceCrn"], format!("crn:v1:bluemix:public:kms:us-south:a/{account}:{id}::"));
    let cos = info["cosInstanceId"].as_str().unwrap();
    let crn = format!("crn:v1:bluemix:public:cloud-object-storage:global:a/{account}:{cos}::");
    assert_eq!(info["cosInstanceCrn"], crn);
    assert!(!info["apiKey"].as_str().unwrap().is_empty());
    for absent in ["cosUrl", "tlsUrl", "cosTlsUrl", "caFile", "adminToken"] {
        assert!(info.get(absent).is_none(), "{absent} does not apply");
    }
}

#[actix_web::test]
async fn built_in_ids_are_the_same_on_every_machine_and_secrets_are_not() {
    let (one, other) = (Harness::new().await, Harness::new().await);
    for member in ["accountId", "instanceId", "instanceCrn", "cosInstanceId", "cosInstanceCrn", "region"] {
        assert_eq!(one.info[member], other.info[member], "{member}");
    }
    assert_ne!(one.info["apiKey"], other.info["apiKey"]);
}

#[actix_web::test]
async fn the_openapi_file_is_served_byte_for_byte() {
    let kp = Harness::new().await;
    let reply = kp.get("/openapi.yaml").without("authorization").send().await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body, include_bytes!("../../openapi.yaml").as_slice());
    refused(&kp.post("/openapi.yaml").send().await, 405);
}

#[actix_web::test]
async fn unknown_paths_and_methods_are_refused_in_the_admin_form() {
    let kp = Harness::new().await;
    for path in ["/mock", "/mock/", "/mock/nothing", "/mock/clock/back", "/nothing", "/", "/v3/x", "/identity/x"] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            refused(&by_name(&kp, method, path).send().await, 404);
        }
    }
    for (method, path) in CALLS {
        for other in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if other != method {
                refused(&by_name(&kp, other, path).send().await, 405);
            }
        }
    }
}

#[actix_web::test]
async fn on_loopback_an_authorization_header_is_ignored_whatever_it_holds() {
    let kp = Harness::new().await;
    for header in ["Basic Yng6Yng=", "Bearer rubbish", "nonsense", ""] {
        kp.get("/mock/clock").header("authorization", header).send().await.succeeds(200);
    }
    kp.get("/mock/clock").without("authorization").send().await.succeeds(200);
}

#[actix_web::test]
async fn a_given_admin_token_is_needed_on_loopback_too() {
    let kp = Harness::with(&["--admin-token", "open sesame"]).await;
    assert_eq!(kp.info["adminToken"], "open sesame");
    refused(&kp.get("/mock/clock").without("authorization").send().await, 401);
    kp.get("/mock/clock").bearer("open sesame").send().await.succeeds(200);
}

#[actix_web::test]
async fn beyond_loopback_each_call_needs_the_admin_token() {
    let kp = Harness::with(&["--host", "0.0.0.0", "--admin-token", "s3cret"]).await;
    assert_eq!(kp.info["adminToken"], "s3cret");
    for (method, path) in CALLS {
        refused(&by_name(&kp, method, path).without("authorization").send().await, 401);
        for wrong in ["Bearer wrong", "Bearer s3cre", "Bearer s3crett", "Basic s3cret", "s3cret", "Bearer"] {
            refused(&by_name(&kp, method, path).header("authorization", wrong).send().await, 401);
        }
        refused(&by_name(&kp, method, path).send().await, 401);
    }
    refused(&kp.get("/mock/nothing").without("authorization").send().await, 401);
    for path in ["/mock/ready", "/mock/info", "/mock/clock", "/mock/audit-events"] {
        kp.get(path).bearer("s3cret").send().await.succeeds(200);
        kp.get(path).header("authorization", "bearer s3cret").send().await.succeeds(200);
    }
    kp.get("/api/v2/keys").send().await.succeeds(200);
    kp.get("/openapi.yaml").without("authorization").send().await;
}

#[actix_web::test]
async fn an_admin_token_is_made_up_where_none_was_given() {
    let (one, other) = (Harness::with(&["--host", "0.0.0.0"]).await, Harness::with(&["--host", "0.0.0.0"]).await);
    let token = one.info["adminToken"].as_str().unwrap();
    assert!(token.len() >= 22, "122 bits at least: {token}");
    assert_ne!(one.info["adminToken"], other.info["adminToken"]);
    one.get("/mock/clock").bearer(token).send().await.succeeds(200);
}

async fn with_headers(kp: &Harness, path: &str, headers: &str) -> wire::Answer {
    let token = &kp.token;
    let instance = &kp.instance;
    let request = format!(
        "GET {path} HTTP/1.1\r\n{headers}Authorization: Bearer {token}\r\nBluemix-Instance: {instance}\r\n\
         Connection: close\r\n\r\n"
    );
    wire::exchange(&kp.url, &request).await
}

#[actix_web::test]
async fn pages_of_other_sites_may_not_call_the_admin_api() {
    let kp = Harness::new().await;
    for headers in [
        "Host: evil.example\r\n",
        "Host: localhost.evil.example\r\n",
        "Host: 127.0.0.1.evil.example:80\r\n",
        "Host: 10.0.0.1\r\n",
        "Host: 127.0.0.2\r\n",
        "Host: localhost\r\nOrigin: https://evil.example\r\n",
        "Host: localhost\r\nOrigin: null\r\n",
        "Host: localhost\r\nOrigin: http://localhost.evil.example\r\n",
        "Host: localhost\r\nOrigin: http://localhost@evil.example\r\n",
        "Host: localhost\r\nOrigin: http://localhost:8490\r\nOrigin: https://evil.example\r\n",
    ] {
        for (method, path) in CALLS {
            if method == "GET" {
                let answer = with_headers(&kp, path, headers).await;
                assert_eq!(answer.status, 403, "{headers} {path}");
                let body: Value = serde_json::from_str(&answer.body).unwrap();
                assert!(body["error"]["code"].is_string() && body["error"]["message"].is_string(), "{body}");
            }
        }
    }
    for host in ["evil.example", "us-south.kms.cloud.ibm.com"] {
        let answer = with_headers(&kp, "/api/v2/keys", &format!("Host: {host}\r\n")).await;
        assert_eq!(answer.status, 200, "IBM's paths take any host");
    }
}

#[actix_web::test]
async fn this_machine_may_call_the_admin_api_by_each_of_its_names() {
    let kp = Harness::new().await;
    for headers in [
        "Host: localhost\r\n",
        "Host: LOCALHOST:8490\r\n",
        "Host: 127.0.0.1:1\r\n",
        "Host: [::1]:8490\r\n",
        "Host: localhost\r\nOrigin: http://localhost:3000\r\n",
        "Host: localhost\r\nOrigin: http://127.0.0.1:3000\r\n",
        "Host: localhost\r\nOrigin: http://[::1]:3000\r\n",
    ] {
        assert_eq!(with_headers(&kp, "/mock/clock", headers).await.status, 200, "{headers}");
    }
}

#[actix_web::test]
async fn the_admin_api_offers_no_cors() {
    let kp = Harness::new().await;
    let origin = "Host: localhost\r\nOrigin: http://localhost:3000\r\n";
    let answer = with_headers(&kp, "/mock/clock", origin).await;
    assert!(!answer.head.to_ascii_lowercase().contains("access-control-"), "{}", answer.head);
    let preflight = format!(
        "OPTIONS /mock/clock/advance HTTP/1.1\r\n{origin}Access-Control-Request-Method: POST\r\nConnection: close\r\n\r\n"
    );
    let answer = wire::exchange(&kp.url, &preflight).await;
    assert_eq!(answer.status, 405);
    assert!(!answer.head.to_ascii_lowercase().contains("access-control-"), "{}", answer.head);
}

#[actix_web::test]
async fn expiring_tokens_takes_no_body_and_gives_none() {
    let kp = Harness::new().await;
    for body in ["", "{}"] {
        let reply = kp.post("/mock/tokens/expire").raw(body).send().await;
        reply.succeeds(204);
        assert!(reply.body.is_empty());
    }
}

#[actix_web::test]
async fn a_body_beyond_a_mebibyte_is_refused() {
    let kp = Harness::new().await;
    let body = format!("{{\"by\":\"{}\"}}", "1".repeat(1024 * 1024));
    refused(&kp.post("/mock/clock/advance").raw(body).send().await, 413);
}

#[actix_web::test]
async fn audit_events_are_filtered_by_each_parameter() {
    let kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
    let key = kp.create_root_key("invoices").await;
    kp.action(&key, "wrap").header("correlation-id", "one-of-a-kind").json(&json!({})).send().await.succeeds(200);
    kp.advance("1h").await;
    kp.enable(&key).await.refused(409, "KEY_ACTION_INVALID_STATE_ERR");
    let crn = kp.metadata(&key).await["crn"].as_str().unwrap().to_owned();
    for (query, actions) in [
        ("action=kms.secrets.wrap".to_owned(), &["kms.secrets.wrap"][..]),
        ("action=kms.secrets.c*".to_owned(), &["kms.secrets.create"]),
        ("action=kms.secrets.c".to_owned(), &[]),
        ("outcome=failure".to_owned(), &["kms.secrets.enable"]),
        ("outcome=success&action=kms.secrets.enable".to_owned(), &[]),
        ("correlationId=one-of-a-kind".to_owned(), &["kms.secrets.wrap"]),
        ("correlationId=one-of".to_owned(), &[]),
        ("since=2026-01-01T01:00:00Z".to_owned(), &["kms.secrets.enable", "kms.secrets-metadata.read"]),
        ("since=2026-01-01T01:00:01Z".to_owned(), &[]),
        (
            format!("target={crn}&action=kms.secrets.*"),
            &["kms.secrets.create", "kms.secrets.wrap", "kms.secrets.enable"],
        ),
        (format!("target={key}&action=kms.secrets.wrap"), &["kms.secrets.wrap"]),
        ("target=invoices&action=kms.secrets.create".to_owned(), &["kms.secrets.create"]),
        ("target=invoice".to_owned(), &[]),
    ] {
        let found = kp.audit(&query).await;
        let found: Vec<&str> = found.iter().map(|record| record["action"].as_str().unwrap()).collect();
        assert_eq!(found, actions, "{query}");
    }
}

#[actix_web::test]
async fn audit_events_come_oldest_first_and_total_counts_all_matches() {
    let kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
    for number in 0..5 {
        kp.create_root_key(&format!("number {number}")).await;
        kp.advance("1m").await;
    }
    let path = "/mock/audit-events?action=kms.secrets.create&limit=2";
    let page = kp.get(path).send().await.succeeds(200);
    assert_eq!(page["total"], 5);
    let names: Vec<&str> = page["auditEvents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["target"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["number 0", "number 1"]);
}

#[actix_web::test]
async fn a_wrong_query_of_audit_events_is_refused_and_named() {
    let kp = Harness::new().await;
    for (query, path) in [
        ("limit=0", "limit"),
        ("limit=5001", "limit"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("min=x", "min"),
        ("min=-1", "min"),
        ("wait=5", "wait"),
        ("wait=x", "wait"),
        ("wait=61s", "wait"),
        ("wait=2m", "wait"),
        ("since=yesterday", "since"),
        ("since=2026-01-01", "since"),
        ("outcome=maybe", "outcome"),
        ("actions=kms.secrets.wrap", "actions"),
    ] {
        let reply = kp.get(&format!("/mock/audit-events?{query}")).send().await;
        assert_eq!(refused(&reply, 400), path, "{query}");
    }
    for query in ["limit=1", "limit=5000", "min=0", "wait=60s&min=0", "wait=1m&min=0", "outcome=success"] {
        kp.get(&format!("/mock/audit-events?{query}")).send().await.succeeds(200);
    }
}

#[actix_web::test]
async fn a_listing_waits_until_enough_have_come() {
    let kp = Harness::new().await;
    let path = "/mock/audit-events?action=kms.secrets.create&min=2&wait=30s";
    let listing = timeout(Duration::from_secs(20), kp.get(path).send());
    let creating = async {
        kp.create_root_key("first").await;
        kp.create_root_key("second").await;
    };
    let (listed, ()) = tokio::join!(listing, creating);
    assert_eq!(listed.expect("an answer as soon as two have come").succeeds(200)["total"], 2);
}

#[actix_web::test]
async fn a_listing_answers_with_what_is_there_when_the_wait_is_over() {
    let kp = Harness::new().await;
    kp.create_root_key("only").await;
    let path = "/mock/audit-events?action=kms.secrets.create&min=2&wait=1s";
    let listed = timeout(Duration::from_secs(15), kp.get(path).send()).await;
    assert_eq!(listed.expect("an answer after a second").succeeds(200)["total"], 1);
}

#[actix_web::test]
async fn records_hold_no_secrets() {
    let kp = Harness::new().await;
    let material = "c2l4dGVlbiBieXRlcyEhIQ==";
    let key = kp.create_standard_key("token").await;
    kp.get(&format!("/api/v2/keys/{key}")).send().await.succeeds(200);
    let root = kp.create_root_key("root").await;
    let ciphertext = kp.wrap(&root, material).await;
    kp.unwrap(&root, &ciphertext).await.succeeds(200);
    let records = Value::from(kp.audit("").await).to_string();
    for secret in [material, ciphertext.as_str(), kp.token.as_str(), kp.info["apiKey"].as_str().unwrap()] {
        assert!(!records.contains(secret));
    }
}
