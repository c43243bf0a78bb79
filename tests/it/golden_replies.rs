//! Whole bodies of a handful of replies, as they stand in `golden/`.

use serde_json::json;

use crate::harness::Harness;
use crate::harness::golden::{STEADY, compare};
use crate::harness::keys::{creation, id_of};
use crate::harness::words::base64_of;

#[actix_web::test]
async fn replies_about_keys_are_what_they_were() {
    let kp = Harness::with(&STEADY).await;
    let root = json!({
        "type": "application/vnd.ibm.kms.key+json", "name": "invoices", "extractable": false, "aliases": ["inv"],
        "description": "signs invoices", "tags": ["team:blue".replace(':', "-")], "expirationDate": "2027-01-01T00:00:00Z",
    });
    let short = kp.try_create(&root).await.succeeds(201);
    compare("key_created_short", &short);
    let standard = json!({ "name": "password", "payload": base64_of("a password") });
    let call = kp.post("/api/v2/keys").header("prefer", "return=representation").json(&creation(&standard));
    compare("key_created_full", &call.send().await.succeeds(201));
    let both = json!({
        "name": "ledger", "extractable": false, "rotation": { "interval_month": 3 }, "dualAuthDelete": { "enabled": true },
    });
    let with_policies = kp.try_create_with_policies(&both).await.succeeds(201);
    compare("key_created_with_policies", &with_policies);
    let ledger = id_of(&with_policies);
    compare("policies", &kp.get(&format!("/api/v2/keys/{ledger}/policies")).send().await.succeeds(200));
    let key = id_of(&short);
    kp.advance("1h").await;
    kp.rotate(&key).await.succeeds(204);
    compare("key_versions", &kp.get("/api/v2/keys/inv/versions?totalCount=true").send().await.succeeds(200));
    compare("key_list", &kp.list("sort=creationDate,id&search=e").await);
    kp.delete_key(&key).await.succeeds(204);
    kp.advance("4h").await;
    compare("key_deleted_metadata", &kp.get("/api/v2/keys/inv/metadata").send().await.succeeds(200));
    let alias = kp.post(&format!("/api/v2/keys/{ledger}/aliases/books")).send().await.succeeds(201);
    compare("alias_created", &alias);
}

#[actix_web::test]
async fn replies_of_wrapping_are_what_they_were() {
    let kp = Harness::with(&STEADY).await;
    let key = kp.import_root_key("invoices", &base64_of([1; 32])).await;
    let wrapped = kp.action(&key, "wrap").json(&json!({ "plaintext": "aGVsbG8=", "aad": ["a"] })).send().await;
    let wrapped = wrapped.succeeds(200);
    compare("wrapped", &wrapped);
    kp.action(&key, "rotate").json(&json!({ "payload": base64_of([2; 32]) })).send().await.succeeds(204);
    let body = json!({ "ciphertext": wrapped["ciphertext"], "aad": ["a"] });
    compare("unwrapped_after_rotation", &kp.action(&key, "unwrap").json(&body).send().await.succeeds(200));
}

#[actix_web::test]
async fn errors_are_what_they_were() {
    let kp = Harness::with(&STEADY).await;
    let key = kp.create_root_key("invoices").await;
    let missing = kp.get("/api/v2/keys/none").send().await;
    compare("error_not_found", &missing.succeeds(404));
    compare("error_unauthorized", &kp.get("/api/v2/keys").without("authorization").send().await.succeeds(401));
    compare("error_instance", &kp.get("/api/v2/keys").without("bluemix-instance").send().await.succeeds(400));
    compare("error_path", &kp.get("/api/v2/nothing").send().await.succeeds(404));
    compare("error_field", &kp.try_create(&json!({ "name": "x" })).await.succeeds(400));
    compare("error_query", &kp.get("/api/v2/keys?limit=0").send().await.succeeds(400));
    kp.delete_key(&key).await.succeeds(204);
    compare("error_purge_too_early", &kp.purge(&key).await.succeeds(409));
}

#[actix_web::test]
async fn audit_records_are_what_they_were() {
    let kp = Harness::with(&STEADY).await;
    let resource = json!({ "name": "invoices", "extractable": false, "expirationDate": "2027-01-01T00:00:00Z" });
    let call = kp.post("/api/v2/keys").header("correlation-id", "golden-1").json(&creation(&resource));
    let key = id_of(&call.send().await.succeeds(201));
    kp.action(&key, "enable").header("correlation-id", "golden-2").send().await.succeeds(409);
    kp.advance("365d").await;
    compare("audit_created", &kp.audit("correlationId=golden-1").await[0]);
    compare("audit_refused", &kp.audit("correlationId=golden-2").await[0]);
    compare("audit_expired", &kp.audit("action=kms.secrets.expire").await[0]);
}
