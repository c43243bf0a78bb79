//! Keys that protect resources: what their deletion asks, and what becomes of registrations.

use serde_json::{Value, json};

use crate::harness::{Harness, Reply};

const NOON: &str = "2026-01-01T12:00:00Z";

async fn delete(kp: &Harness, key: &str, query: &str) -> Reply {
    kp.delete(&format!("/api/v2/keys/{key}{query}")).send().await
}

async fn registered(kp: &Harness, key: &str) -> Value {
    let list = kp.get(&format!("/api/v2/keys/{key}/registrations")).send().await;
    list.succeeds(200)["metadata"]["collectionTotal"].clone()
}

#[actix_web::test]
async fn a_key_that_protects_a_resource_is_deleted_by_force_alone() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("for buckets").await;
    kp.register(&key, "ledger", &json!({})).await.succeeds(201);
    for query in ["", "?force=false"] {
        let reply = delete(&kp, &key, query).await;
        let reason = reply.refused(409, "PROTECTED_RESOURCE_ERR");
        assert_eq!(reason["target"], json!({ "type": "query_param", "name": "force" }));
        assert_eq!(reason["message"], "Key is protecting one or more cloud resources");
        let text = reply.json()["resources"][0]["errorMsg"].clone();
        assert!(text.as_str().unwrap().starts_with("Conflict: Key could not be deleted: "), "{text}");
    }
    let bad = delete(&kp, &key, "?force=yes").await.refused(400, "INVALID_QUERY_PARAM_ERR");
    assert_eq!(bad["target"]["name"], "force");
    assert_eq!(kp.metadata(&key).await["state"], 1);
    delete(&kp, &key, "?force=true").await.succeeds(204);
    assert_eq!(kp.metadata(&key).await["state"], 5);
}

#[actix_web::test]
async fn a_resource_can_forbid_the_deletion_even_by_force() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("for buckets").await;
    kp.register(&key, "plain", &json!({})).await.succeeds(201);
    kp.register(&key, "worm", &json!({ "preventKeyDeletion": true })).await.succeeds(201);
    for query in ["", "?force=true"] {
        let reason = delete(&kp, &key, query).await.refused(409, "PREV_KEY_DEL_ERR");
        assert!(reason["message"].as_str().unwrap().contains("has a retention policy: Before you delete"), "{reason}");
        assert!(reason.get("target").is_none());
    }
    let token = kp.reader_token().await;
    let path = Harness::registration_path(&key, &kp.bucket("worm"));
    kp.delete(&path).bearer(&token).send().await.succeeds(204);
    delete(&kp, &key, "").await.refused(409, "PROTECTED_RESOURCE_ERR");
    let path = Harness::registration_path(&key, &kp.bucket("plain"));
    kp.delete(&path).bearer(&token).send().await.succeeds(204);
    delete(&kp, &key, "").await.succeeds(204);
}

#[actix_web::test]
async fn deletion_asks_for_the_second_person_before_the_resources() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_dual_auth_key("for two").await;
    kp.register(&key, "worm", &json!({ "preventKeyDeletion": true })).await.succeeds(201);
    delete(&kp, &key, "?force=true").await.refused(409, "AUTHORIZATIONS_NOT_MET");
    let other = kp.token_for("the other").await;
    kp.action(&key, "setKeyForDeletion").bearer(&other).send().await.succeeds(204);
    delete(&kp, &key, "?force=true").await.refused(409, "PREV_KEY_DEL_ERR");
    let token = kp.reader_token().await;
    let path = Harness::registration_path(&key, &kp.bucket("worm"));
    let body = crate::harness::grants::registration(&json!({ "preventKeyDeletion": false }));
    kp.patch(&path).bearer(&token).json(&body).send().await.succeeds(200);
    delete(&kp, &key, "").await.refused(409, "PROTECTED_RESOURCE_ERR");
    delete(&kp, &key, "?force=true").await.succeeds(204);
    delete(&kp, &key, "").await.refused(410, "KEY_DELETED_ERR");
}

#[actix_web::test]
async fn registrations_outlive_deletion_and_restoration_and_go_with_the_purge() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("for buckets").await;
    kp.register(&key, "ledger", &json!({ "description": "stays" })).await.succeeds(201);
    let before = kp.get("/api/v2/keys/registrations").send().await.succeeds(200);
    delete(&kp, &key, "?force=true").await.succeeds(204);
    let destroyed = kp.get("/api/v2/keys/registrations").send().await.succeeds(200);
    assert_eq!(destroyed, before);
    assert_eq!(registered(&kp, &key).await, 1);
    kp.advance("30s").await;
    kp.restore(&key).await.succeeds(201);
    assert_eq!(kp.get("/api/v2/keys/registrations").send().await.succeeds(200), before);
    delete(&kp, &key, "").await.refused(409, "PROTECTED_RESOURCE_ERR");
    delete(&kp, &key, "?force=true").await.succeeds(204);
    kp.advance("4h").await;
    kp.purge(&key).await.succeeds(204);
    let none = kp.get("/api/v2/keys/registrations").send().await.succeeds(200);
    assert_eq!(none["metadata"]["collectionTotal"], 0);
    let path = format!("/api/v2/keys/{key}/registrations");
    kp.get(&path).send().await.refused(404, "KEY_NOT_FOUND_ERR");
}

#[actix_web::test]
async fn time_purges_registrations_too() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("for buckets").await;
    kp.register(&key, "ledger", &json!({})).await.succeeds(201);
    delete(&kp, &key, "?force=true").await.succeeds(204);
    kp.advance("90d").await;
    let none = kp.get("/api/v2/keys/registrations").send().await.succeeds(200);
    assert_eq!(none["metadata"]["collectionTotal"], 0);
}

#[actix_web::test]
async fn disabling_and_rotating_keep_registrations() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("for buckets").await;
    kp.register(&key, "ledger", &json!({})).await.succeeds(201);
    let before = kp.get("/api/v2/keys/registrations").send().await.succeeds(200);
    kp.rotate(&key).await.succeeds(204);
    kp.disable(&key).await.succeeds(204);
    assert_eq!(kp.get("/api/v2/keys/registrations").send().await.succeeds(200), before);
}

#[actix_web::test]
async fn registrations_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::in_folder(folder.path(), &[]).await;
    let key = kp.create_root_key("for buckets").await;
    let fields = json!({ "description": "kept", "registrationMetadata": "note" });
    let made = kp.register(&key, "ledger", &fields).await;
    let tag = made.header("etag").unwrap().to_owned();
    kp.stop().await;
    let kp = Harness::in_folder(folder.path(), &[]).await;
    let token = kp.reader_token().await;
    let list = kp.get(&format!("/api/v2/keys/{key}/registrations")).bearer(&token).send().await;
    assert_eq!(list.succeeds(200), made.json());
    assert_eq!(list.header("etag"), Some(tag.as_str()));
    delete(&kp, &key, "").await.refused(409, "PROTECTED_RESOURCE_ERR");
}

#[actix_web::test]
async fn sync_needs_no_registration_and_takes_any() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("for buckets").await;
    kp.action(&key, "sync").send().await.succeeds(204);
    kp.register(&key, "ledger", &json!({})).await.succeeds(201);
    kp.action(&key, "sync").send().await.refused(409, "REQ_TOO_EARLY_ERR");
    kp.advance("1h").await;
    kp.action(&key, "sync").send().await.succeeds(204);
}
