//! Key rings: made, listed, deleted, and lived in.

use serde_json::json;

use crate::harness::Harness;
use crate::harness::keys::{creation, id_of};

const START: &str = "2026-01-01T00:00:00Z";

async fn make(kp: &Harness, ring: &str) {
    let reply = kp.post(&format!("/api/v2/key_rings/{ring}")).send().await;
    reply.succeeds(201);
    assert!(reply.body.is_empty());
}

async fn key_in(kp: &Harness, ring: &str) -> String {
    let resource = json!({ "name": "invoices", "extractable": false });
    let made = kp.post("/api/v2/keys").header("x-kms-key-ring", ring).json(&creation(&resource)).send().await;
    id_of(&made.succeeds(201))
}

#[actix_web::test]
async fn rings_are_listed_with_the_default_one_first() {
    let kp = Harness::frozen_at(START).await;
    make(&kp, "ledger").await;
    make(&kp, "Ledger").await;
    let rings = kp.get("/api/v2/key_rings?totalCount=true").send().await.succeeds(200);
    assert_eq!(rings["metadata"]["totalCount"], 3);
    // As Python spells it.
    assert_eq!(kp.get("/api/v2/key_rings?totalCount=True").send().await.succeeds(200), rings);
    let plain = kp.get("/api/v2/key_rings?totalCount=False").send().await.succeeds(200);
    assert!(plain["metadata"].get("totalCount").is_none(), "{plain}");
    assert_eq!(rings["resources"][0], json!({ "id": "default" }));
    assert_eq!(rings["resources"][1]["id"], "ledger");
    assert_eq!(rings["resources"][1]["creationDate"], START);
    let page = kp.get("/api/v2/key_rings?limit=1&offset=2").send().await.succeeds(200);
    assert_eq!(page["resources"][0]["id"], "Ledger");
    assert_eq!(page["metadata"]["collectionTotal"], 1);
}

#[actix_web::test]
async fn a_ring_has_one_maker_and_fifty_neighbours_at_most() {
    let kp = Harness::frozen_at(START).await;
    make(&kp, "ledger").await;
    for taken in ["ledger", "default"] {
        let path = format!("/api/v2/key_rings/{taken}");
        kp.post(&path).send().await.refused(409, "KEY_RING_NOT_UNIQUE_ERR");
    }
    for wrong in ["x", "with.dot", &"r".repeat(101)] {
        let path = format!("/api/v2/key_rings/{wrong}");
        kp.post(&path).send().await.refused(400, "INVALID_FIELD_ERR");
    }
    for number in 1..50 {
        make(&kp, &format!("ring-{number}")).await;
    }
    kp.post("/api/v2/key_rings/one-more").send().await.refused(409, "KEY_RING_LIMIT_ERR");
}

#[actix_web::test]
async fn a_key_is_found_in_its_ring_only() {
    let kp = Harness::frozen_at(START).await;
    make(&kp, "ledger").await;
    let key = key_in(&kp, "ledger").await;
    let path = format!("/api/v2/keys/{key}");
    assert_eq!(kp.metadata(&key).await["keyRingID"], "ledger");
    kp.get(&path).header("x-kms-key-ring", "ledger").send().await.succeeds(200);
    kp.get(&path).header("x-kms-key-ring", "default").send().await.refused(404, "KEY_NOT_FOUND_ERR");
    let wrap = kp.action(&key, "wrap").header("x-kms-key-ring", "default").send().await;
    wrap.refused(404, "KEY_NOT_FOUND_ERR");
    let listed = kp.get("/api/v2/keys").header("x-kms-key-ring", "ledger").send().await.succeeds(200);
    assert_eq!(listed["metadata"]["collectionTotal"], 1);
    assert_eq!(kp.head("/api/v2/keys").header("x-kms-key-ring", "default").send().await.header("key-total"), Some("0"));
}

#[actix_web::test]
async fn a_key_moves_between_rings_and_what_it_wrapped_still_opens() {
    let kp = Harness::frozen_at(START).await;
    make(&kp, "ledger").await;
    let key = kp.create_root_key("invoices").await;
    let ciphertext = kp.wrap(&key, "aGVsbG8=").await;
    let path = format!("/api/v2/keys/{key}");
    kp.patch(&path).json(&json!({ "keyRingID": "nowhere" })).send().await.refused(404, "KEY_RING_NOT_FOUND_ERR");
    let moved = kp.patch(&path).json(&json!({ "KeyRingID": "ledger" })).send().await.succeeds(200);
    assert_eq!(moved["resources"][0]["keyRingID"], "ledger");
    let opened = kp.action(&key, "unwrap").header("x-kms-key-ring", "ledger");
    let opened = opened.json(&json!({ "ciphertext": ciphertext })).send().await.succeeds(200);
    assert_eq!(opened["plaintext"], "aGVsbG8=");
    kp.action(&key, "wrap").header("x-kms-key-ring", "default").send().await.refused(404, "KEY_NOT_FOUND_ERR");
}

#[actix_web::test]
async fn a_ring_goes_when_no_living_key_is_left_in_it() {
    let kp = Harness::frozen_at(START).await;
    make(&kp, "ledger").await;
    let key = key_in(&kp, "ledger").await;
    let path = "/api/v2/key_rings/ledger";
    let forced = "/api/v2/key_rings/ledger?force=true";
    kp.delete(path).send().await.refused(409, "KEY_RING_NOT_EMPTY_ERR");
    kp.delete(forced).send().await.refused(409, "KEY_RING_NOT_EMPTY_ERR");
    kp.delete_key(&key).await.succeeds(204);
    kp.delete(path).send().await.refused(409, "KEY_RING_NOT_EMPTY_ERR");
    kp.delete(forced).send().await.succeeds(204);
    assert_eq!(kp.metadata(&key).await["keyRingID"], "default");
    kp.delete(path).send().await.refused(404, "KEY_RING_NOT_FOUND_ERR");
    kp.delete("/api/v2/key_rings/default").send().await.refused(409, "KEY_RING_RESERVED_ERR");
}

#[actix_web::test]
async fn a_purged_key_holds_no_ring() {
    let kp = Harness::frozen_at(START).await;
    make(&kp, "ledger").await;
    let key = key_in(&kp, "ledger").await;
    kp.delete_key(&key).await.succeeds(204);
    kp.advance("4h").await;
    kp.purge(&key).await.succeeds(204);
    kp.delete("/api/v2/key_rings/ledger").send().await.succeeds(204);
}

#[actix_web::test]
async fn an_empty_ring_header_is_none() {
    let kp = Harness::frozen_at("2026-01-01T12:00:00Z").await;
    kp.create_ring("blue").await;
    let key = kp.create_in_ring("in blue", "blue").await;
    let path = format!("/api/v2/keys/{key}");
    assert_eq!(kp.get(&path).header("x-kms-key-ring", "").send().await.resource(200)["keyRingID"], "blue");
    let list = kp.get("/api/v2/keys").header("x-kms-key-ring", "").send().await.succeeds(200);
    assert_eq!(list["metadata"]["collectionTotal"], 1);
    let body = creation(&json!({ "name": "plain", "extractable": false }));
    let made = kp.post("/api/v2/keys").header("x-kms-key-ring", "").json(&body).send().await.resource(201);
    assert_eq!(made["keyRingID"], "default");
}
