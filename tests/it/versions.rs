//! Versions of root keys: `docs/contract/keys.md` 8.

use serde_json::{Value, json};

use crate::harness::Harness;

const NOON: &str = "2026-01-01T12:00:00Z";
const VERSION: &str = "application/vnd.ibm.kms.key.version+json";

async fn versions(kp: &Harness, key: &str, query: &str) -> Value {
    kp.get(&format!("/api/v2/keys/{key}/versions?{query}")).send().await.succeeds(200)
}

fn ids(versions: &Value) -> Vec<String> {
    let list = versions["resources"].as_array().cloned().unwrap_or_default();
    assert_eq!(versions["metadata"]["collectionTotal"], list.len());
    list.iter().map(|version| version["id"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn a_fresh_key_has_one_version_whose_id_is_the_keys() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let reply = kp.get(&format!("/api/v2/keys/{key}/versions")).send().await;
    let wanted = json!({
        "metadata": { "collectionType": VERSION, "collectionTotal": 1 },
        "resources": [{ "id": key, "creationDate": NOON }],
    });
    assert_eq!(reply.succeeds(200), wanted);
    assert_eq!(reply.header("content-type"), Some(VERSION));
}

#[actix_web::test]
async fn versions_are_listed_newest_first_and_the_newest_is_the_keys_version() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    for _ in 0..3 {
        kp.rotate(&key).await.succeeds(204);
        kp.advance("1h").await;
    }
    let all = versions(&kp, &key, "").await;
    let dates: Vec<&str> =
        all["resources"].as_array().unwrap().iter().map(|version| version["creationDate"].as_str().unwrap()).collect();
    assert_eq!(dates, ["2026-01-01T14:00:00Z", "2026-01-01T13:00:00Z", NOON, NOON]);
    assert_eq!(ids(&all)[3], key);
    assert_eq!(kp.metadata(&key).await["keyVersion"], all["resources"][0]);
    assert_eq!(kp.metadata(&key).await["id"], *key);
}

#[actix_web::test]
async fn versions_come_in_pages_and_are_counted_when_asked() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    for _ in 0..4 {
        kp.rotate(&key).await.succeeds(204);
        kp.advance("1h").await;
    }
    let all = ids(&versions(&kp, &key, "").await);
    let page = versions(&kp, &key, "limit=2&offset=1&totalCount=true").await;
    assert_eq!(ids(&page), all[1..3]);
    assert_eq!(page["metadata"], json!({ "collectionType": VERSION, "collectionTotal": 2, "totalCount": 5 }));
    assert!(versions(&kp, &key, "totalCount=false").await["metadata"].get("totalCount").is_none());
    let past = versions(&kp, &key, "offset=5&totalCount=true").await;
    assert_eq!(past, json!({ "metadata": { "collectionType": VERSION, "collectionTotal": 0, "totalCount": 5 } }));
}

#[actix_web::test]
async fn parameters_of_versions_are_checked() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let wrong = [
        ("limit=0", "limit"),
        ("limit=5001", "limit"),
        ("offset=-1", "offset"),
        ("totalCount=maybe", "totalCount"),
        ("allKeyStates=1", "allKeyStates"),
    ];
    for (query, name) in wrong {
        let reply = kp.get(&format!("/api/v2/keys/{key}/versions?{query}")).send().await;
        let reason = reply.refused(400, "INVALID_QUERY_PARAM_ERR");
        assert_eq!(reason["target"], json!({ "type": "query_param", "name": name }), "{query}");
        let subject = "Bad Request: KeyVersion(s) could not be retrieved: ";
        assert!(reply.error_msg().starts_with(subject), "{}", reply.error_msg());
    }
}

#[actix_web::test]
async fn versions_of_keys_that_are_not_active_need_all_key_states() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.rotate(&key).await.succeeds(204);
    let all = ids(&versions(&kp, &key, "").await);
    for change in ["disable", "delete"] {
        match change {
            "disable" => kp.disable(&key).await.succeeds(204),
            _ => kp.delete_key(&key).await.succeeds(204),
        };
        for query in ["", "?allKeyStates=false"] {
            let reply = kp.get(&format!("/api/v2/keys/{key}/versions{query}")).send().await;
            reply.refused(409, "KEY_ACTION_INVALID_STATE_ERR");
        }
        assert_eq!(ids(&versions(&kp, &key, "allKeyStates=true").await), all);
    }
}

#[actix_web::test]
async fn versions_survive_deletion_and_restoration() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.rotate(&key).await.succeeds(204);
    let before = kp.metadata(&key).await;
    let all = versions(&kp, &key, "").await;
    kp.delete_key(&key).await.succeeds(204);
    kp.advance("1h").await;
    kp.restore(&key).await.succeeds(201);
    assert_eq!(versions(&kp, &key, "").await, all);
    let after = kp.metadata(&key).await;
    assert_eq!(after["lastRotateDate"], before["lastRotateDate"]);
    assert_eq!(after["keyVersion"], before["keyVersion"]);
    assert_eq!(after["lastUpdateDate"], "2026-01-01T13:00:00Z");
}

#[actix_web::test]
async fn a_reader_may_list_versions() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let reader = kp.reader_token().await;
    kp.get(&format!("/api/v2/keys/{key}/versions")).bearer(&reader).send().await.succeeds(200);
    kp.get(&format!("/api/v2/keys/{key}/metadata")).bearer(&reader).send().await.succeeds(200);
    kp.get(&format!("/api/v2/keys/{key}")).bearer(&reader).send().await.unauthorized();
}
