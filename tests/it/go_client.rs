//! What IBM's Go client puts on the wire and expects there, as `docs/contract/keys.md` lists it: header names in lower
//! case, no content type, `null` for a body, fields spelled like Go's, and every success a 200 with JSON, a 201 or a 204.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::keys::{creation, id_of};
use crate::harness::wire::{Answer, exchange};
use crate::harness::words::{base64_of, encoded};

const NOON: &str = "2026-01-01T12:00:00Z";
const CORRELATION: &str = "5b1f0e2c-3d4a-4e5f-8a6b-7c8d9e0f1a2b";

/// The client over a socket: it sends what the Go client would, byte by byte.
struct Go {
    kp: Harness,
    authorization: String,
}

impl Go {
    async fn new() -> Self {
        let kp = Harness::frozen_at(NOON).await;
        let form = format!(
            "apikey={}&grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Aapikey",
            kp.info["apiKey"].as_str().unwrap()
        );
        let head = format!(
            "POST /oidc/token HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        let token: Value = serde_json::from_str(&exchange(&kp.url, &head).await.body).expect("a token");
        // The scheme is whatever the token service calls it.
        let part = |name: &str| token[name].as_str().expect(name).to_owned();
        Self { authorization: format!("{} {}", part("token_type"), part("access_token")), kp }
    }

    /// A request; `body` as it stands, and without one no length either.
    async fn ask(&self, method: &str, path: &str, fields: &[(&str, &str)], body: Option<&str>) -> Answer {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Go-http-client/1.1\r\naccept: application/json\r\n\
             authorization: {}\r\nbluemix-instance: {}\r\ncorrelation-id: {CORRELATION}\r\nAccept-Encoding: gzip\r\n\
             Connection: close\r\n",
            self.authorization, self.kp.instance
        );
        for (name, value) in fields {
            write!(request, "{name}: {value}\r\n").expect("text");
        }
        match body {
            Some(body) => write!(request, "Content-Length: {}\r\n\r\n{body}", body.len()),
            None => write!(request, "\r\n"),
        }
        .expect("text");
        let answer = exchange(&self.kp.url, &request).await;
        assert!(
            answer.head.to_ascii_lowercase().contains(&format!("correlation-id: {CORRELATION}")),
            "{}",
            answer.head
        );
        assert!(!answer.head.to_ascii_lowercase().contains("content-encoding"), "{}", answer.head);
        answer
    }

    /// What the client takes for success: JSON where there is 200, nothing where there is 204.
    async fn succeeds(
        &self,
        status: u16,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: Option<&str>,
    ) -> Value {
        let answer = self.ask(method, path, fields, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        assert!([200, 201, 204].contains(&answer.status));
        if status == 204 {
            assert!(answer.body.is_empty() && !answer.head.to_ascii_lowercase().contains("content-type"));
            return Value::Null;
        }
        if status == 201 && answer.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&answer.body).expect("JSON")
        }
    }

    /// What the client can tell of a refusal: it reads bodies that say `errorMsg`.
    async fn refused(&self, status: u16, code: &str, method: &str, path: &str, body: Option<&str>) -> Value {
        let answer = self.ask(method, path, &[], body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        let body: Value = serde_json::from_str(&answer.body).expect("JSON");
        assert_eq!(body["resources"][0]["reasons"][0]["code"], code, "{body}");
        assert!(body["resources"][0]["errorMsg"].as_str().unwrap().contains(code), "{body}");
        body["resources"][0].clone()
    }

    async fn create(&self, fields: &Value) -> Value {
        let body = creation(fields).to_string();
        self.succeeds(201, "POST", "/api/v2/keys", &[], Some(&body)).await
    }

    async fn root_key(&self) -> String {
        id_of(&self.create(&json!({ "name": "invoices", "extractable": false })).await)
    }
}

fn action(key: &str, name: &str) -> String {
    format!("/api/v2/keys/{key}/actions/{name}")
}

#[actix_web::test]
async fn bodies_come_without_a_content_type() {
    let go = Go::new().await;
    let key = go.root_key().await;
    let body = json!({ "plaintext": base64_of("text"), "aad": ["a"] }).to_string();
    let wrapped = go.succeeds(200, "POST", &action(&key, "wrap"), &[], Some(&body)).await;
    let body = json!({ "ciphertext": wrapped["ciphertext"], "aad": ["a"] }).to_string();
    let opened = go.succeeds(200, "POST", &action(&key, "unwrap"), &[], Some(&body)).await;
    assert_eq!(opened["plaintext"], base64_of("text"));
    // The client looks whether there is a new ciphertext: there must be none before a rotation.
    assert_eq!(opened.get("ciphertext"), None);
    go.succeeds(200, "POST", &action(&key, "rewrap"), &[], Some(&body)).await;
}

#[actix_web::test]
async fn a_body_of_null_is_no_body() {
    let go = Go::new().await;
    let dual = creation(&json!({ "name": "dual", "extractable": false, "dualAuthDelete": { "enabled": true } }));
    let dual = go.succeeds(201, "POST", "/api/v2/keys_with_policy_overrides", &[], Some(&dual.to_string())).await;
    for name in ["setKeyForDeletion", "unsetKeyForDeletion"] {
        go.succeeds(204, "POST", &action(&id_of(&dual), name), &[], Some("null")).await;
    }
    let key = go.root_key().await;
    for name in ["rotate", "disable"] {
        go.succeeds(204, "POST", &action(&key, name), &[], Some("null")).await;
    }
    go.kp.advance("30s").await;
    go.succeeds(204, "POST", &action(&key, "enable"), &[], Some("null")).await;
}

#[actix_web::test]
async fn sync_and_restore_come_without_body_and_length() {
    let go = Go::new().await;
    let key = go.root_key().await;
    go.succeeds(204, "POST", &action(&key, "sync"), &[], None).await;
    go.succeeds(204, "DELETE", &format!("/api/v2/keys/{key}"), &[("Prefer", "return=minimal")], None).await;
    go.kp.advance("30s").await;
    let restored = go.succeeds(201, "POST", &format!("/api/v2/keys/{key}/restore"), &[], None).await;
    // The client takes the first resource without looking whether there is one.
    assert_eq!(restored["resources"][0]["id"], key);
}

#[actix_web::test]
async fn fields_are_spelled_as_go_has_them() {
    let go = Go::new().await;
    let made = go.create(&json!({ "name": "tagged", "extractable": false, "Tags": ["blue", "green"] })).await;
    assert_eq!(made["resources"][0]["tags"], json!(["blue", "green"]));
    go.succeeds(201, "POST", "/api/v2/key_rings/ring-1", &[], None).await;
    let path = format!("/api/v2/keys/{}", id_of(&made));
    let body = json!({ "KeyRingID": "ring-1" }).to_string();
    let moved = go.succeeds(200, "PATCH", &path, &[("x-kms-key-ring", "default")], Some(&body)).await;
    assert_eq!(moved["resources"][0]["keyRingID"], "ring-1");
}

#[actix_web::test]
async fn a_search_ends_with_a_comma() {
    let go = Go::new().await;
    let made = go.create(&json!({ "name": "wanted", "extractable": false, "aliases": ["foo"] })).await;
    go.root_key().await;
    for search in ["alias:foo,", "exact:name:wanted,", "wanted,"] {
        let path = format!("/api/v2/keys?limit=2000&offset=0&search={}", encoded(search));
        let found = go.succeeds(200, "GET", &path, &[], None).await;
        assert_eq!(found["metadata"]["collectionTotal"], 1, "{search}");
        assert_eq!(id_of(&found), id_of(&made), "{search}");
    }
}

#[actix_web::test]
async fn a_filter_begins_with_a_blank_and_has_fractions_of_seconds() {
    let go = Go::new().await;
    let key = go.root_key().await;
    for (filter, count) in [
        (" creationDate=gte:\"2022-07-05T00:00:00.0000001Z\"", 1),
        (" creationDate=lt:\"2026-01-01T14:00:00.5+02:00\" state=1", 1),
        (" extractable=true", 0),
    ] {
        let path = format!("/api/v2/keys?limit=2000&offset=0&filter={}", encoded(filter));
        let found = go.succeeds(200, "GET", &path, &[], None).await;
        assert_eq!(found["metadata"]["collectionTotal"], count, "{filter}");
        assert!(count == 0 || id_of(&found) == key, "{filter}");
    }
}

#[actix_web::test]
async fn a_list_without_a_limit_asks_for_2000() {
    let go = Go::new().await;
    for number in 0..201 {
        go.kp.create_root_key(&format!("key {number}")).await;
    }
    let found = go.succeeds(200, "GET", "/api/v2/keys?limit=2000&offset=0", &[], None).await;
    assert_eq!(found["metadata"]["collectionTotal"], 201);
}

#[actix_web::test]
async fn deletion_and_purge_always_say_what_they_prefer() {
    let go = Go::new().await;
    for (prefer, status) in [("return=minimal", 204), ("return=representation", 200)] {
        let key = go.root_key().await;
        let path = format!("/api/v2/keys/{key}");
        let fields = [("prefer", prefer)];
        go.succeeds(status, "DELETE", &path, &fields, None).await;
        let deleted = go.succeeds(200, "GET", &path, &[], None).await["resources"][0].clone();
        // 90 days less 4 hours, which the client's own test counts.
        let at = |name: &str| deleted[name].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        assert_eq!((at("purgeScheduledOn") - at("purgeAllowedFrom")).num_hours(), 2_156);
        go.kp.advance("4h").await;
        let purged = go.succeeds(status, "DELETE", &format!("{path}/purge"), &fields, None).await;
        assert!(status == 204 || purged["resources"][0]["id"] == key);
    }
}

#[actix_web::test]
async fn an_interval_that_nobody_gave_is_minus_one() {
    let go = Go::new().await;
    let fields = json!({ "name": "x1", "extractable": false, "rotation": { "interval_month": -1 } });
    let body = creation(&fields).to_string();
    let path = "/api/v2/keys_with_policy_overrides";
    let refused = go.refused(400, "INVALID_FIELD_ERR", "POST", path, Some(&body)).await;
    assert_eq!(refused["reasons"][0]["target"]["name"], "interval_month");
}

#[actix_web::test]
async fn dates_are_there_or_not_and_numbers_are_numbers() {
    let go = Go::new().await;
    let key = go.root_key().await;
    let path = format!("/api/v2/keys/{key}");
    let fresh = go.succeeds(200, "GET", &path, &[], None).await["resources"][0].clone();
    assert_eq!(fresh.get("lastRotateDate"), None);
    assert!(fresh["state"].is_u64() && fresh["algorithmBitSize"].is_u64());
    assert_eq!(fresh["algorithmMetadata"]["bitLength"], "256");
    go.succeeds(204, "POST", &action(&key, "rotate"), &[], Some("null")).await;
    let turned = go.succeeds(200, "GET", &path, &[], None).await["resources"][0].clone();
    assert_eq!(turned["lastRotateDate"], NOON);
    let null = serde_json::to_string(&turned).unwrap().contains("null");
    assert!(!null, "{turned}");
}

#[actix_web::test]
async fn what_is_not_set_is_left_out_or_empty() {
    let go = Go::new().await;
    go.succeeds(200, "POST", "/api/v2/import_token", &[], Some("{}")).await;
    let key = go.root_key().await;
    let adapter = json!({
        "metadata": { "collectionType": "application/vnd.ibm.kms.kmip_adapter+json", "collectionTotal": 1 },
        "resources": [{ "profile": "native_1.0", "profile_data": { "crk_id": key }, "description": "" }],
    });
    go.succeeds(201, "POST", "/api/v2/kmip_adapters", &[], Some(&adapter.to_string())).await;
    let data = |kind: &str| json!({ "policy_type": kind, "policy_data": { "enabled": false, "attributes": {} } });
    let policies = json!({
        "metadata": { "collectionType": "application/vnd.ibm.kms.policy+json", "collectionTotal": 1 },
        "resources": [data("allowedIP")],
    });
    go.succeeds(204, "PUT", "/api/v2/instance/policies", &[], Some(&policies.to_string())).await;
}

#[actix_web::test]
async fn refusals_say_what_the_client_looks_for() {
    let go = Go::new().await;
    let key = go.root_key().await;
    let path = format!("/api/v2/keys/{key}");
    let purge = format!("{path}/purge");
    let wrapped = go.succeeds(200, "POST", &action(&key, "wrap"), &[], Some("{}")).await;
    let sealed = json!({ "ciphertext": wrapped["ciphertext"] }).to_string();
    go.refused(409, "KEY_ACTION_INVALID_STATE_ERR", "DELETE", &purge, None).await;
    let expiring = json!({ "name": "expiring", "extractable": false, "expirationDate": "2026-01-01T13:00:00Z" });
    let expiring = id_of(&go.create(&expiring).await);
    for key in [&key, &expiring] {
        go.succeeds(204, "DELETE", &format!("/api/v2/keys/{key}"), &[("prefer", "return=minimal")], None).await;
    }
    go.refused(410, "KEY_DELETED_ERR", "POST", &action(&key, "unwrap"), Some(&sealed)).await;
    let early = go.refused(409, "REQ_TOO_EARLY_ERR", "DELETE", &purge, None).await;
    assert!(early["reasons"][0]["message"].as_str().unwrap().contains("4h0m0s"), "{early}");
    go.kp.advance("2h").await;
    let restore = format!("/api/v2/keys/{expiring}/restore");
    let expired = go.refused(400, "KEY_EXPIRED_ERR", "POST", &restore, None).await;
    // Go's own way to print a time.
    assert!(expired["errorMsg"].as_str().unwrap().contains("expired on 2026-01-01 13:00:00 +0000 UTC"), "{expired}");
    go.kp.advance("2h").await;
    go.succeeds(204, "DELETE", &purge, &[("prefer", "return=minimal")], None).await;
    let gone = go.refused(404, "KEY_NOT_FOUND_ERR", "DELETE", &purge, None).await;
    assert!(gone["errorMsg"].as_str().unwrap().starts_with("Not Found: Key could not be retrieved"), "{gone}");
}

#[actix_web::test]
async fn an_error_of_the_token_service_is_json_with_texts_alone() {
    let kp = Harness::new().await;
    let reply = kp.post("/oidc/token").without("authorization").form("grant_type=nonsense").send().await;
    let body = reply.succeeds(400);
    let context = body["context"].as_object().unwrap();
    assert!(context.values().all(Value::is_string) && context.contains_key("requestId"), "{body}");
    assert!(body["errorCode"].is_string() && body["errorMessage"].is_string(), "{body}");
}
