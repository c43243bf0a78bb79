//! Lags on purpose: what the real service does late is done late where a setting says so.

use serde_json::{Value, json};

use crate::harness::keys::id_of;
use crate::harness::{Harness, Reply};

const START: &str = "2026-01-01T00:00:00Z";
const PLAN: &str = "eedd3585-90c6-4c8f-be3d-062069e99fc3";
const RING: &str = "/api/v2/key_rings/ledger";

async fn set(kp: &Harness, name: &str, value: &str) {
    kp.patch("/mock/settings").json(&json!({ name: value })).send().await.succeeds(200);
}

/// What a caller gets for reading a key.
async fn reading(kp: &Harness, key: &str, token: &str) -> u16 {
    kp.get(&format!("/api/v2/keys/{key}/metadata")).bearer(token).send().await.status
}

async fn in_ledger(kp: &Harness, key: &str) -> Reply {
    kp.patch(&format!("/api/v2/keys/{key}")).json(&json!({ "keyRingID": "ledger" })).send().await
}

async fn move_to_default(kp: &Harness, key: &str) {
    kp.patch(&format!("/api/v2/keys/{key}")).json(&json!({ "keyRingID": "default" })).send().await.succeeds(200);
}

#[actix_web::test]
async fn an_authorization_and_its_removal_take_effect_late() {
    let kp = Harness::frozen_at(START).await;
    let key = kp.create_root_key("invoices").await;
    set(&kp, "iamPropagation", "5m").await;
    let service = kp.adopter(1);
    let policy = kp.authorize(&service, &["Reader"], &[]).await;
    let token = kp.service_token(&service).await;
    kp.get(&format!("/v1/policies/{policy}")).send().await.succeeds(200);
    assert_eq!(reading(&kp, &key, &token).await, 401);
    kp.advance("4m").await;
    assert_eq!(reading(&kp, &key, &token).await, 401);
    assert_eq!(kp.advance("1m").await["ran"][0]["what"], "propagation");
    assert_eq!(reading(&kp, &key, &token).await, 200);
    kp.delete(&format!("/v1/policies/{policy}")).send().await.succeeds(204);
    assert_eq!(reading(&kp, &key, &token).await, 200);
    kp.advance("5m").await;
    assert_eq!(reading(&kp, &key, &token).await, 401);
}

#[actix_web::test]
async fn changes_take_effect_one_after_the_other() {
    let kp = Harness::frozen_at(START).await;
    let key = kp.create_root_key("invoices").await;
    let service = kp.adopter(1);
    let policy = kp.authorize(&service, &["Reader"], &[]).await;
    let token = kp.service_token(&service).await;
    assert_eq!(reading(&kp, &key, &token).await, 200);
    set(&kp, "iamPropagation", "10m").await;
    let path = format!("/v1/policies/{policy}");
    kp.delete(&path).send().await.succeeds(204);
    kp.advance("5m").await;
    kp.authorize(&service, &["Reader"], &[]).await;
    for (minutes, status) in [(0, 200), (4, 200), (1, 401), (4, 401), (1, 200)] {
        kp.advance(&format!("{minutes}m")).await;
        assert_eq!(reading(&kp, &key, &token).await, status, "{}", kp.now().await);
    }
}

#[actix_web::test]
async fn a_change_made_without_a_lag_overtakes_those_on_their_way() {
    let kp = Harness::frozen_at(START).await;
    let key = kp.create_root_key("invoices").await;
    set(&kp, "iamPropagation", "1h").await;
    let service = kp.adopter(1);
    let policy = kp.authorize(&service, &["Reader"], &[]).await;
    let token = kp.service_token(&service).await;
    set(&kp, "iamPropagation", "0s").await;
    kp.delete(&format!("/v1/policies/{policy}")).send().await.succeeds(204);
    assert_eq!(kp.advance("2h").await["ran"], json!([]));
    assert_eq!(reading(&kp, &key, &token).await, 401);
}

#[actix_web::test]
async fn what_is_on_its_way_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let clock = format!("frozen@{START}");
    let kp = Harness::in_folder(folder.path(), &["--clock", &clock]).await;
    let key = kp.create_root_key("invoices").await;
    let (old, new) = (kp.adopter(1), kp.adopter(2));
    let policy = kp.authorize(&old, &["Reader"], &[]).await;
    set(&kp, "iamPropagation", "10m").await;
    kp.delete(&format!("/v1/policies/{policy}")).send().await.succeeds(204);
    kp.authorize(&new, &["Reader"], &[]).await;
    kp.stop().await;
    let kp = Harness::in_folder(folder.path(), &[]).await;
    let (old, new) = (kp.service_token(&old).await, kp.service_token(&new).await);
    assert_eq!((reading(&kp, &key, &old).await, reading(&kp, &key, &new).await), (200, 401));
    kp.advance("10m").await;
    assert_eq!((reading(&kp, &key, &old).await, reading(&kp, &key, &new).await), (401, 200));
}

#[actix_web::test]
async fn a_key_that_has_left_a_ring_counts_in_it_for_a_while() {
    let kp = Harness::frozen_at(START).await;
    kp.create_ring("ledger").await;
    set(&kp, "ringCountLag", "60s").await;
    let key = kp.create_in_ring("invoices", "ledger").await;
    move_to_default(&kp, &key).await;
    kp.delete(&format!("{RING}?force=true")).send().await.refused(409, "KEY_RING_NOT_EMPTY_ERR");
    kp.advance("59s").await;
    kp.delete(RING).send().await.refused(409, "KEY_RING_NOT_EMPTY_ERR");
    kp.advance("1s").await;
    kp.delete(RING).send().await.succeeds(204);
}

#[actix_web::test]
async fn a_purged_key_counts_for_a_while_as_a_destroyed_one() {
    let kp = Harness::frozen_at(START).await;
    kp.create_ring("ledger").await;
    set(&kp, "ringCountLag", "1h").await;
    let key = kp.create_in_ring("invoices", "ledger").await;
    kp.delete_key(&key).await.succeeds(204);
    kp.advance("4h").await;
    kp.purge(&key).await.succeeds(204);
    kp.delete(RING).send().await.refused(409, "KEY_RING_NOT_EMPTY_ERR");
    kp.delete(&format!("{RING}?force=true")).send().await.succeeds(204);
    kp.create_ring("ledger").await;
    kp.delete(RING).send().await.succeeds(204);
}

#[actix_web::test]
async fn a_key_that_never_left_counts_once_it_is_gone_from_there() {
    let kp = Harness::frozen_at(START).await;
    kp.create_ring("ledger").await;
    set(&kp, "ringCountLag", "1h").await;
    let key = kp.create_root_key("invoices").await;
    in_ledger(&kp, &key).await.succeeds(200);
    in_ledger(&kp, &key).await.succeeds(200);
    kp.advance("2h").await;
    kp.delete(RING).send().await.refused(409, "KEY_RING_NOT_EMPTY_ERR");
    move_to_default(&kp, &key).await;
    kp.advance("1h").await;
    kp.delete(RING).send().await.succeeds(204);
}

async fn second_instance(kp: &Harness) -> Value {
    let body = json!({
        "name": "second", "target": "us-south", "resource_group": "default", "resource_plan_id": PLAN,
    });
    kp.post("/v2/resource_instances").json(&body).send().await.succeeds(201)
}

#[actix_web::test]
async fn a_deleted_instance_is_pending_before_it_is_gone() {
    let kp = Harness::frozen_at(START).await;
    set(&kp, "instanceReclamation", "7d").await;
    let made = second_instance(&kp).await;
    let guid = made["guid"].as_str().unwrap();
    let path = format!("/v2/resource_instances/{guid}");
    kp.delete(&path).send().await.succeeds(204);
    let shown = kp.get(&path).send().await.succeeds(200);
    assert_eq!(shown["state"], "pending_reclamation");
    assert_eq!(shown["deleted_at"], "2026-01-01T00:00:00.000000000Z");
    assert_eq!(shown["scheduled_reclaim_at"], "2026-01-08T00:00:00.000000000Z");
    assert_eq!(shown["last_operation"]["state"], "succeeded");
    kp.delete(&path).send().await.succeeds(410);
    kp.get("/api/v2/keys").header("bluemix-instance", guid).send().await.unauthorized();
    let list = |state: &str| kp.get(&format!("/v2/resource_instances?guid={guid}&state={state}")).send();
    assert_eq!(list("pending_reclamation").await.succeeds(200)["rows_count"], 1);
    assert_eq!(list("active").await.succeeds(200)["rows_count"], 0);
    let ran = kp.advance("7d").await;
    assert_eq!(ran["ran"][0], json!({ "at": "2026-01-08T00:00:00Z", "what": "reclamation", "count": 1 }));
    let shown = kp.get(&path).send().await.succeeds(200);
    assert_eq!(shown["state"], "removed");
    assert_eq!(shown["deleted_at"], "2026-01-01T00:00:00.000000000Z");
    assert_eq!(shown["scheduled_reclaim_at"], Value::Null);
    kp.delete(&path).send().await.succeeds(410);
}

#[actix_web::test]
async fn what_is_in_a_pending_instance_goes_with_it_and_not_before() {
    let kp = Harness::frozen_at(START).await;
    set(&kp, "instanceReclamation", "1d").await;
    let made = second_instance(&kp).await;
    let guid = made["guid"].as_str().unwrap();
    let body = crate::harness::keys::creation(&json!({ "name": "invoices", "extractable": false }));
    let created = kp.post("/api/v2/keys").header("bluemix-instance", guid).json(&body).send().await;
    let key = id_of(&created.succeeds(201));
    let key_path = format!("/api/v2/keys/{key}");
    kp.delete(&key_path).header("bluemix-instance", guid).send().await.succeeds(204);
    kp.post("/api/v2/import_token").header("bluemix-instance", guid).json(&json!({})).send().await.succeeds(200);
    let due = kp.get("/mock/clock").send().await.succeeds(200);
    assert_eq!(due["nextDue"], json!({ "at": "2026-01-01T00:10:00Z", "what": "token-expiry" }));
    let path = format!("/v2/resource_instances/{guid}");
    kp.delete(&path).send().await.succeeds(204);
    let ran = kp.advance("90d").await["ran"].clone();
    let what: Vec<&str> = ran.as_array().unwrap().iter().map(|row| row["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["token-expiry", "reclamation"], "the key's purge went with it: {ran}");
}
