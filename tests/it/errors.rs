//! Headers, check order and errors: `docs/contract/keys.md` 1 to 3.

use hyper::Method;
use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::keys::creation;
use crate::harness::words::{base64_of, is_uuid_v4, members};

const NOON: &str = "2026-01-01T12:00:00Z";
const ERROR: &str = "application/vnd.ibm.kms.error+json";
const NOBODY: &str = "6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa";

#[actix_web::test]
async fn a_correlation_id_comes_back_on_every_reply() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let longest = "x".repeat(256);
    for id in ["0d8c8e5a-9f0b-4c56-8b52-7f6f2a3f1c11", "any-text_at/all!", "!", "~", &longest] {
        let calls = [
            kp.get("/api/v2/keys"),
            kp.head("/api/v2/keys"),
            kp.get(&format!("/api/v2/keys/{NOBODY}")),
            kp.get("/api/v2/keys").without("authorization"),
            kp.get("/api/v2/keys").without("bluemix-instance"),
            kp.get("/api/v2/no/such/path"),
            kp.put("/api/v2/keys"),
            kp.post("/api/v2/keys").raw("{"),
            kp.action(&key, "wrap"),
            kp.action(&key, "disable"),
        ];
        for call in calls {
            let reply = call.header("correlation-id", id).send().await;
            assert_eq!(reply.header("correlation-id"), Some(id), "{}", reply.called);
        }
    }
}

#[actix_web::test]
async fn a_correlation_id_is_made_where_none_can_be_echoed() {
    let kp = Harness::frozen_at(NOON).await;
    let too_long = "x".repeat(257);
    let mut seen = Vec::new();
    for id in [None, Some(""), Some("two words"), Some("tab\there"), Some("ü"), Some(too_long.as_str())] {
        for path in ["/api/v2/keys", "/api/v2/no/such/path"] {
            let mut call = kp.get(path);
            if let Some(id) = id {
                call = call.header("Correlation-Id", id);
            }
            let reply = call.send().await;
            let made = reply.header("correlation-id").expect("a correlation id").to_owned();
            assert!(is_uuid_v4(&made), "{id:?}: {made}");
            assert!(!seen.contains(&made), "{made} twice");
            seen.push(made);
        }
    }
}

#[actix_web::test]
async fn the_scheme_of_the_token_is_compared_without_case() {
    let kp = Harness::frozen_at(NOON).await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let call = kp.get("/api/v2/keys").header("authorization", &format!("{scheme} {}", kp.token));
        call.send().await.succeeds(200);
    }
}

#[actix_web::test]
async fn a_missing_or_invalid_token_is_401_without_reasons() {
    let kp = Harness::frozen_at(NOON).await;
    let reply = kp.get("/api/v2/keys").without("authorization").send().await;
    reply.unauthorized();
    assert_eq!(reply.header("content-type"), Some(ERROR));
    let parts: Vec<&str> = kp.token.split('.').collect();
    let other = kp.token_for("somebody-else").await;
    let signature = other.rsplit('.').next().unwrap();
    kp.get("/api/v2/keys").bearer(&format!("{}.{}.{signature}", parts[0], parts[1])).send().await.unauthorized();
    kp.get("/api/v2/keys").bearer(&format!("{}.{}.", parts[0], parts[1])).send().await.unauthorized();
    kp.post("/mock/tokens/expire").send().await.succeeds(204);
    kp.get("/api/v2/keys").send().await.unauthorized();
}

#[actix_web::test]
async fn a_header_that_is_no_bearer_token_is_told_so() {
    let kp = Harness::frozen_at(NOON).await;
    let parts: Vec<&str> = kp.token.split('.').collect();
    let two_parts = format!("Bearer {}.{}", parts[0], parts[1]);
    let four_parts = format!("Bearer {}.x", kp.token);
    let no_json = format!("Bearer {}.bm8ganNvbg.{}", parts[0], parts[2]);
    let no_subject = format!("Bearer {}.e30.{}", parts[0], parts[2]);
    let basic = format!("Basic {}", base64_of("user:password"));
    let bare = kp.token.as_str();
    let wrong =
        ["Bearer not.a.jwt", "Bearer", "Bearer ", "", bare, &basic, &two_parts, &four_parts, &no_json, &no_subject];
    for header in wrong {
        let reply = kp.get("/api/v2/keys").header("authorization", header).send().await;
        let reason = reply.refused(400, "BEARER_SUB_EXTRACTION_ERR");
        let message = "Extracting the subject from the bearer token failed: Make sure the bearer token passed is the \
                       correct one (and correct format) and is allowed to perform requested actions";
        assert_eq!(reason["message"], message, "{header}");
    }
}

#[actix_web::test]
async fn an_instance_that_is_no_uuid_is_told_so() {
    let kp = Harness::frozen_at(NOON).await;
    let crn = kp.info["instanceCrn"].as_str().unwrap().to_owned();
    let wrong = [None, Some(""), Some(crn.as_str()), Some("my-instance"), Some("5a0f3c1e8d2b4f6a9c471e7b2d9a4c6")];
    for header in wrong {
        let mut call = kp.get("/api/v2/keys").without("bluemix-instance");
        if let Some(header) = header {
            call = call.header("Bluemix-Instance", header);
        }
        let text = call.send().await.refused_bare(400);
        let wanted = "Bad Request: Request requires valid Bluemix-Instance Header containing a valid UUID";
        assert_eq!(text, wanted, "{header:?}");
    }
}

#[actix_web::test]
async fn an_instance_that_is_not_there_is_401() {
    let kp = Harness::frozen_at(NOON).await;
    let cos = kp.info["cosInstanceId"].as_str().unwrap();
    for instance in [NOBODY, cos] {
        kp.get("/api/v2/keys").header("bluemix-instance", instance).send().await.unauthorized();
    }
}

/// A request with several faults answers for the first in the order of checks.
#[actix_web::test]
async fn of_two_faults_the_earlier_check_answers() {
    let kp = Harness::frozen_at(NOON).await;
    let reader = kp.reader_token().await;
    let standard = kp.create_standard_key("standard").await;
    let standard_gone = kp.create_standard_key("deleted").await;
    kp.delete_key(&standard_gone).await.succeeds(204);
    let root_gone = kp.create_root_key("deleted").await;
    kp.delete_key(&root_gone).await.succeeds(204);
    let rotated = kp.create_root_key("rotated").await;
    kp.rotate(&rotated).await.succeeds(204);
    kp.disable(&rotated).await.succeeds(204);
    let rotate = |key: &str| kp.action(key, "rotate");

    let reply = rotate(NOBODY).header("authorization", "nonsense").without("bluemix-instance").send().await;
    reply.refused(400, "BEARER_SUB_EXTRACTION_ERR");
    rotate(NOBODY).without("authorization").without("bluemix-instance").raw("{").send().await.unauthorized();
    rotate(NOBODY).header("bluemix-instance", "none").raw("{").send().await.refused_bare(400);
    rotate(NOBODY).bearer(&reader).header("bluemix-instance", "none").send().await.refused_bare(400);
    rotate(NOBODY).bearer(&reader).raw("{").send().await.unauthorized();
    rotate(NOBODY).raw("{").send().await.refused(404, "KEY_NOT_FOUND_ERR");
    kp.action(NOBODY, "unwrap").send().await.refused(404, "KEY_NOT_FOUND_ERR");
    rotate(&standard).header("x-kms-key-ring", "other").raw("{").send().await.refused(404, "KEY_NOT_FOUND_ERR");
    rotate(&standard_gone).raw("{").send().await.refused(400, "BAD_BODY_ERR");
    kp.action(&standard_gone, "unwrap").send().await.refused(400, "NO_BODY_ERR");
    rotate(&standard_gone).send().await.refused(400, "KEY_ROOT_REQ_ERR");
    kp.action(&root_gone, "unwrap").json(&json!({})).send().await.refused(400, "INVALID_FIELD_ERR");
    rotate(&root_gone).send().await.refused(410, "KEY_DELETED_ERR");
    rotate(&rotated).send().await.refused(409, "KEY_ACTION_INVALID_STATE_ERR");
    let versions = format!("/api/v2/keys/{standard_gone}/versions?limit=0");
    kp.get(&versions).send().await.refused(400, "INVALID_QUERY_PARAM_ERR");
    kp.get("/api/v2/keys/none/versions?limit=0").send().await.refused(404, "KEY_NOT_FOUND_ERR");
    let ring = kp.post("/api/v2/keys").header("x-kms-key-ring", "none").raw("{").send().await;
    ring.refused(404, "KEY_RING_NOT_FOUND_ERR");
}

#[actix_web::test]
async fn the_first_fault_of_a_body_that_has_several_answers() {
    let kp = Harness::frozen_at(NOON).await;
    kp.create(&json!({ "name": "taken", "aliases": ["taken"] })).await;
    let taken = json!({ "name": "x", "aliases": ["taken"] });
    kp.try_create(&taken).await.refused(400, "INVALID_FIELD_ERR");
    let standard = json!({ "name": "fine", "aliases": ["taken"], "rotation": { "interval_month": 1 } });
    kp.try_create_with_policies(&standard).await.refused(400, "KEY_ROOT_REQ_ERR");
}

#[actix_web::test]
async fn a_refusal_has_one_resource_with_one_reason() {
    let kp = Harness::frozen_at(NOON).await;
    let reply = kp.get(&format!("/api/v2/keys/{NOBODY}")).send().await;
    let wanted = json!({
        "metadata": { "collectionType": ERROR, "collectionTotal": 1 },
        "resources": [{
            "errorMsg":
                "Not Found: Key could not be retrieved: Please see `reasons` for more details (KEY_NOT_FOUND_ERR)",
            "reasons": [{
                "code": "KEY_NOT_FOUND_ERR", "message": "key does not exist", "status": 404,
                "moreInfo": "https://cloud.ibm.com/apidocs/key-protect",
            }],
        }],
    });
    assert_eq!(reply.succeeds(404), wanted);
    assert_eq!(reply.header("content-type"), Some(ERROR));
    let reason = kp.get("/api/v2/keys?limit=0").send().await.refused(400, "INVALID_QUERY_PARAM_ERR");
    assert_eq!(members(&reason), ["code", "message", "moreInfo", "status", "target"]);
}

#[actix_web::test]
async fn each_operation_says_what_could_not_be_done() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_standard_key("standard").await;
    let path = format!("/api/v2/keys/{key}");
    let cases = [
        (kp.post("/api/v2/keys"), "Key could not be created"),
        (kp.post("/api/v2/keys_with_policy_overrides"), "Key could not be created"),
        (kp.get("/api/v2/keys?limit=0"), "Keys could not be retrieved"),
        (kp.get(&format!("{path}/versions")), "KeyVersion(s) could not be retrieved"),
        (kp.action(&key, "wrap"), "Wrap with key could not be performed"),
        (kp.action(&key, "unwrap"), "Unwrap with key could not be performed"),
        (kp.action(&key, "rewrap"), "Rewrap with key could not be performed"),
        (kp.action(&key, "rotate"), "Key could not be rotated"),
        (kp.action(&key, "disable"), "Key could not be disabled"),
        (kp.action(&key, "enable"), "Key could not be enabled"),
        (kp.action(&key, "setKeyForDeletion"), "Action could not be performed on key"),
        (kp.action(&key, "unsetKeyForDeletion"), "Action could not be performed on key"),
        (kp.action(&key, "sync"), "Could not initiate sync requests to associated resources"),
        (kp.post(&format!("{path}?action=fly")), "Action could not be performed on key"),
        (kp.patch(&path), "Key could not be updated"),
        (kp.delete(&format!("{path}/purge")), "Key could not be purged"),
        (kp.post(&format!("{path}/restore")), "Key could not be restored"),
        (kp.post(&format!("{path}/aliases/key")), "Alias could not be created"),
        (kp.get(&format!("{path}/policies?policy=x")), "Key policy could not be retrieved"),
        (kp.get(&format!("{path}/registrations?limit=0")), "Registration could not be retrieved"),
    ];
    for (call, subject) in cases {
        let reply = call.send().await;
        let message = reply.error_msg();
        assert!(message.contains(&format!(": {subject}: Please see `reasons`")), "{}: {message}", reply.called);
    }
    for call in [kp.delete(&format!("/api/v2/keys/{NOBODY}/purge")), kp.action(NOBODY, "rotate"), kp.restore_call()] {
        let message = call.send().await.error_msg();
        assert!(message.starts_with("Not Found: Key could not be retrieved: "), "{message}");
    }
}

impl Harness {
    fn restore_call(&self) -> crate::harness::Call<'_> {
        self.post(&format!("/api/v2/keys/{NOBODY}/restore"))
    }
}

#[actix_web::test]
async fn an_older_action_without_a_name_that_fits_is_a_bad_query() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    for query in ["", "?action=", "?action=fly", "?action=sync", "?action=Wrap", "?action=purge", "?Action=wrap"] {
        for body in ["", "{\"plaintext\":\"aGVsbG8=\"}"] {
            let reply = kp.post(&format!("/api/v2/keys/{key}{query}")).raw(body).send().await;
            let reason = reply.refused(400, "INVALID_QUERY_PARAM_ERR");
            assert_eq!(reason["target"], json!({ "type": "query_param", "name": "action" }), "{query}");
        }
        let reply = kp.post(&format!("/api/v2/keys/{NOBODY}{query}")).send().await;
        reply.refused(404, "KEY_NOT_FOUND_ERR");
    }
}

#[actix_web::test]
async fn unknown_paths_answer_404_with_a_bare_envelope() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let paths = [
        (Method::GET, "/api/v2".to_owned()),
        (Method::GET, "/api/v2/nothing".to_owned()),
        (Method::GET, "/api/v2/keyring".to_owned()),
        (Method::POST, format!("/api/v2/keys/{key}/actions/fly")),
        (Method::POST, format!("/api/v2/keys/{key}/actions/Wrap")),
        (Method::POST, format!("/api/v2/keys/{key}/actions/restore")),
        (Method::POST, format!("/api/v2/keys/{key}/actions/purge")),
        (Method::POST, format!("/api/v2/keys/{NOBODY}/actions/fly")),
        (Method::GET, format!("/api/v2/keys/{key}/colour")),
        (Method::DELETE, format!("/api/v2/keys/{key}/metadata/more")),
    ];
    for (method, path) in paths {
        let reply = kp.call(method, &path).send().await;
        let text = reply.refused_bare(404);
        assert!(text.starts_with("Not Found"), "{}: {text}", reply.called);
        assert_eq!(reply.header("content-type"), Some(ERROR));
        assert_eq!(members(&reply.json()["resources"][0]), ["errorMsg"]);
    }
}

#[actix_web::test]
async fn wrong_methods_answer_405_with_a_bare_envelope() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let paths = [
        (Method::PUT, "/api/v2/keys".to_owned()),
        (Method::DELETE, "/api/v2/keys".to_owned()),
        (Method::GET, "/api/v2/keys_with_policy_overrides".to_owned()),
        (Method::POST, "/api/v2/keys/registrations".to_owned()),
        (Method::PUT, format!("/api/v2/keys/{key}")),
        (Method::POST, format!("/api/v2/keys/{key}/metadata")),
        (Method::GET, format!("/api/v2/keys/{key}/restore")),
        (Method::POST, format!("/api/v2/keys/{key}/purge")),
        (Method::GET, format!("/api/v2/keys/{key}/actions/wrap")),
        (Method::PATCH, format!("/api/v2/keys/{key}/versions")),
        (Method::GET, format!("/api/v2/keys/{key}/aliases/inv")),
        (Method::OPTIONS, "/api/v2/keys".to_owned()),
    ];
    for (method, path) in paths {
        let reply = kp.call(method, &path).send().await;
        let text = reply.refused_bare(405);
        assert!(text.starts_with("Method Not Allowed"), "{}: {text}", reply.called);
        assert_eq!(reply.header("content-type"), Some(ERROR));
    }
}

#[actix_web::test]
async fn outside_the_api_errors_have_the_services_own_shape() {
    let kp = Harness::frozen_at(NOON).await;
    for path in ["/", "/nothing", "/api/v1/keys", "/mock/nothing"] {
        let reply = kp.get(path).send().await;
        let body = reply.succeeds(404);
        assert_eq!(members(&body), ["error"], "{path}");
        assert_eq!(members(&body["error"]), ["code", "message", "path"], "{path}");
    }
    kp.delete("/mock/clock").send().await.succeeds(405);
}

#[actix_web::test]
async fn no_media_type_is_refused_and_none_is_needed() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let body = creation(&json!({ "name": "typed", "extractable": false })).to_string();
    let types = [
        "application/json",
        "application/vnd.ibm.kms.key+json",
        "application/vnd.ibm.kms.key_action+json",
        "application/vnd.ibm.kms.key_action_wrap+json",
        "text/plain",
        "application/xml; charset=utf-16",
        "nonsense",
        "",
    ];
    for media_type in types {
        for name in ["content-type", "accept"] {
            kp.post("/api/v2/keys").header(name, media_type).raw(body.clone()).send().await.succeeds(201);
            let call = kp.action(&key, "wrap").header(name, media_type).raw("{\"plaintext\":\"aGVsbG8=\"}");
            call.send().await.succeeds(200);
            kp.get(&format!("/api/v2/keys/{key}")).header(name, media_type).send().await.succeeds(200);
            kp.get(&format!("/api/v2/keys/{NOBODY}"))
                .header(name, media_type)
                .send()
                .await
                .refused(404, "KEY_NOT_FOUND_ERR");
        }
    }
    kp.post("/api/v2/keys").without("accept").raw(body).send().await.succeeds(201);
}

#[actix_web::test]
async fn if_match_is_ignored() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let reply = kp.delete(&format!("/api/v2/keys/{key}")).header("if-match", "\"nothing\"").send().await;
    reply.succeeds(204);
    assert_eq!(reply.header("etag"), None);
}

/// Source: `docs/contract/reliability.md` T-24.
fn hostile_bodies() -> Vec<Vec<u8>> {
    let nested = |open: &str, close: &str| [open.repeat(100_000), close.repeat(100_000)].concat().into_bytes();
    let mut bodies = vec![nested("[", "]"), nested("{\"a\":", "}"), "[".repeat(100_000).into_bytes()];
    bodies.extend([
        b"\xff\xfe".to_vec(),
        b"{\"plaintext\":\"\xc3\x28\",\"ciphertext\":\"\xc3\x28\",\"payload\":\"\xff\",\"keyRingID\":\"\xff\"}"
            .to_vec(),
        b"{\"plaintext\":1e400,\"ciphertext\":1e400,\"payload\":1e400,\"keyRingID\":1e400}".to_vec(),
        b"{\"plaintext\":[],\"ciphertext\":{},\"payload\":true,\"keyRingID\":[1]}".to_vec(),
        b"{\"plaintext\":\"aGVsbG8=\"} trailing".to_vec(),
        b"{\"plaintext\":\"aGVs".to_vec(),
        b"{\"plaintext\":\"\\ud800\",\"ciphertext\":\"\\ud800\",\"payload\":\"\\ud800\",\"keyRingID\":\"\\ud800\"}"
            .to_vec(),
        b"{\"plaintext\":\"***\",\"ciphertext\":\"***\",\"payload\":\"***\"}".to_vec(),
        b"\0".to_vec(),
        b"nullnull".to_vec(),
        b"\xef\xbb\xbf{}".to_vec(),
        b"true".to_vec(),
    ]);
    bodies
}

#[actix_web::test]
async fn hostile_bodies_are_refused_as_the_callers_mistake() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.import_root_key("invoices", &base64_of([1; 32])).await;
    let path = format!("/api/v2/keys/{key}");
    for body in hostile_bodies() {
        let calls = [
            kp.post("/api/v2/keys"),
            kp.post("/api/v2/keys_with_policy_overrides"),
            kp.action(&key, "wrap"),
            kp.action(&key, "unwrap"),
            kp.action(&key, "rewrap"),
            kp.action(&key, "rotate"),
            kp.post(&format!("{path}?action=unwrap")),
            kp.patch(&path),
        ];
        for call in calls {
            let reply = call.raw(body.clone()).send().await;
            let start = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            assert_eq!(reply.status, 400, "{} {start}", reply.called);
            assert!(reply.json()["resources"][0]["reasons"][0]["code"].is_string(), "{start}");
        }
    }
    assert_eq!(kp.total("").await, "1");
}

#[actix_web::test]
async fn hostile_members_of_a_creation_are_refused_as_the_callers_mistake() {
    let kp = Harness::frozen_at(NOON).await;
    let values = [
        json!(1e300),
        json!([[[[]]]]),
        json!({ "a": {} }),
        json!(true),
        json!("\u{0}"),
        json!("\u{202e}\u{0}x"),
        json!(["\u{0}"]),
        json!(-1),
        json!("***"),
    ];
    for name in ["name", "description", "tags", "aliases", "expirationDate", "payload", "encryptedNonce", "iv"] {
        for value in &values {
            let mut resource = json!({ "name": "fine", "extractable": false });
            resource[name] = value.clone();
            let status = kp.try_create(&resource).await.status;
            let may_pass = matches!((name, value), ("name" | "description", Value::String(text)) if text == "***");
            assert_eq!(status, if may_pass { 201 } else { 400 }, "{name} {value}");
        }
    }
}

#[actix_web::test]
async fn bodies_above_a_mebibyte_are_too_large() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let mut body = json!({ "plaintext": "aGVsbG8=" }).to_string();
    body.push_str(&" ".repeat(1_048_576 - body.len()));
    kp.action(&key, "wrap").raw(body.clone()).send().await.succeeds(200);
    body.push(' ');
    for call in [kp.action(&key, "wrap"), kp.post("/api/v2/keys")] {
        let text = call.raw(body.clone()).send().await.refused_bare(413);
        assert!(text.starts_with("Payload Too Large"), "{text}");
    }
}

#[actix_web::test]
async fn odd_paths_and_queries_are_no_trouble() {
    let kp = Harness::frozen_at(NOON).await;
    for id in [
        "%00",
        "%FF",
        "%2e%2e",
        "..%2f..",
        "%25",
        "a".repeat(2_000).as_str(),
        "key with spaces".replace(' ', "+").as_str(),
    ] {
        let reply = kp.get(&format!("/api/v2/keys/{id}/metadata")).send().await;
        assert_eq!(reply.status, 404, "{id}");
    }
    for query in ["search=%FF%FE", "search=%00", "sort=%00", "filter=%FF", "state=%00", "&&&=&=", "limit=1&limit=0"] {
        let reply = kp.get(&format!("/api/v2/keys?{query}")).send().await;
        assert!(matches!(reply.status, 200 | 400), "{query}: {}", reply.status);
    }
}
