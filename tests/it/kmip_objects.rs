//! Objects of KMIP adapters: `docs/contract/policies.md` 8, `interface.md` 3.

use serde_json::{Value, json};

use crate::harness::kmip::{OBJECT, certificate, ids};
use crate::harness::words::{is_uuid_v4, members};
use crate::harness::{Harness, Reply};

const NOON: &str = "2026-01-01T12:00:00.250Z";
const LATER: &str = "2026-01-01T12:01:00.250Z";
const NOBODY: &str = "6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa";
const OWNER: &str = "IBMid-270005MKP0";

fn path(below: &str) -> String {
    format!("/api/v2/kmip_adapters/vsphere/kmip_objects{below}")
}

async fn planted(kp: &Harness, state: u8) -> String {
    kp.plant("vsphere", state).await["id"].as_str().unwrap().to_owned()
}

async fn get(kp: &Harness, id: &str) -> Value {
    let reply = kp.get(&path(&format!("/{id}"))).send().await;
    assert_eq!(reply.header("content-type"), Some(OBJECT));
    reply.resource(200)
}

async fn list(kp: &Harness, query: &str) -> Value {
    let reply = kp.get(&path(&format!("?{query}"))).send().await;
    assert_eq!(reply.header("content-type"), Some(OBJECT));
    reply.succeeds(200)
}

async fn delete(kp: &Harness, id: &str) -> Reply {
    kp.delete(&path(&format!("/{id}"))).send().await
}

#[actix_web::test]
async fn a_planted_object_was_made_with_the_oldest_certificate() {
    let kp = Harness::with_adapter(NOON).await;
    let other = kp.token_for("another-key").await;
    let brought = json!({ "name": "vcenter", "certificate": certificate(1) });
    let body = crate::harness::kmip::envelope(crate::harness::kmip::CERTIFICATE, &brought);
    let call = kp.post("/api/v2/kmip_adapters/vsphere/certificates").json(&body).bearer(&other);
    let oldest = call.send().await.resource(201);
    kp.add_certificate("vsphere", "newer", &certificate(2)).await;
    kp.advance("1m").await;
    let object = kp.plant("vsphere", 2).await;
    let id = object["id"].as_str().unwrap();
    assert!(is_uuid_v4(id), "{id}");
    let wanted = json!({
        "id": id, "kmip_object_type": 2, "state": 2, "recoverable": false,
        "created_at": LATER, "created_by": oldest["created_by"], "created_by_kmip_client_cert_id": oldest["id"],
        "updated_at": LATER, "updated_by": oldest["created_by"], "updated_by_kmip_client_cert_id": oldest["id"],
    });
    assert_eq!(object, wanted);
    assert_eq!(get(&kp, id).await, wanted);
    assert_eq!(list(&kp, "").await["resources"], json!([wanted]));
    let adapter = kp.adapter("vsphere").await;
    assert_eq!((&adapter["updated_at"], &adapter["updated_by"]), (&json!(LATER), &oldest["created_by"]));
}

#[actix_web::test]
async fn an_object_of_an_adapter_without_certificates_names_one_that_is_gone() {
    let kp = Harness::with_adapter(NOON).await;
    let object = kp.plant("vsphere", 1).await;
    let certificate = object["created_by_kmip_client_cert_id"].as_str().unwrap();
    assert!(is_uuid_v4(certificate), "{certificate}");
    assert_eq!(object["created_by"], OWNER);
    let path = format!("/api/v2/kmip_adapters/vsphere/certificates/{certificate}");
    kp.get(&path).send().await.refused(404, "KMIP_CERT_NOT_FOUND_ERR");
}

#[actix_web::test]
async fn an_object_planted_as_destroyed_tells_when_and_by_whom() {
    let kp = Harness::with_adapter(NOON).await;
    for state in 1..=6 {
        let object = kp.plant("vsphere", state).await;
        assert_eq!(object["state"], state);
        let names = members(&object);
        for name in ["destroyed_at", "destroyed_by", "destroyed_by_kmip_client_cert_id"] {
            assert_eq!(names.contains(&name), state >= 5, "{state}: {name}");
        }
        if state >= 5 {
            assert_eq!((&object["destroyed_at"], &object["destroyed_by"]), (&json!(NOON), &json!(OWNER)));
        }
        assert_eq!(get(&kp, object["id"].as_str().unwrap()).await, object);
    }
}

#[actix_web::test]
async fn planting_without_a_state_gives_an_active_object() {
    let kp = Harness::with_adapter(NOON).await;
    let adapter = kp.adapter("vsphere").await["id"].clone();
    let body = json!({ "instanceId": kp.instance, "adapter": adapter });
    assert_eq!(kp.post("/mock/kmip-objects").json(&body).send().await.succeeds(201)["state"], 2);
}

#[actix_web::test]
async fn planting_says_what_is_wrong() {
    let kp = Harness::with_adapter(NOON).await;
    let instance = kp.instance.clone();
    let cases = [
        (json!({ "instanceId": instance, "adapter": "vsphere", "state": "2" }), 400, json!("state")),
        (json!({ "instanceId": instance, "adapter": "vsphere", "state": 1.5 }), 400, json!("state")),
        (json!({ "instanceId": instance, "adapter": 7, "state": 2 }), 400, json!("adapter")),
        (json!({ "instanceId": instance, "state": 2 }), 400, json!("adapter")),
        (json!({ "adapter": "vsphere", "state": 2 }), 400, json!("instanceId")),
        (json!({ "instanceId": instance, "adapter": "vsphere", "states": 2 }), 400, json!("states")),
        (json!([]), 400, Value::Null),
        (json!({ "instanceId": NOBODY, "adapter": "vsphere", "state": 2 }), 404, json!("instanceId")),
        (json!({ "instanceId": "default", "adapter": "vsphere", "state": 2 }), 404, json!("instanceId")),
        (json!({ "instanceId": kp.info["cosInstanceId"], "adapter": "vsphere", "state": 2 }), 404, json!("instanceId")),
        (json!({ "instanceId": instance, "adapter": "other", "state": 2 }), 404, json!("adapter")),
        (json!({ "instanceId": instance, "adapter": NOBODY, "state": 2 }), 404, json!("adapter")),
        (json!({ "instanceId": instance, "adapter": "vsphere", "state": 0 }), 422, json!("state")),
        (json!({ "instanceId": instance, "adapter": "vsphere", "state": 7 }), 422, json!("state")),
        (json!({ "instanceId": instance, "adapter": "vsphere", "state": -1 }), 422, json!("state")),
    ];
    for (body, status, path) in cases {
        let error = kp.post("/mock/kmip-objects").json(&body).send().await.succeeds(status)["error"].clone();
        assert_eq!(error["path"], path, "{body}");
        assert!(error["code"].is_string() && error["message"].is_string(), "{error}");
    }
    kp.get("/mock/kmip-objects").send().await.succeeds(405);
    assert!(ids(&list(&kp, "state=1,2,3,4,5,6").await).is_empty());
}

#[actix_web::test]
async fn a_list_leaves_out_destroyed_objects_unless_asked() {
    let kp = Harness::with_adapter(NOON).await;
    let mut all = Vec::new();
    for state in 1..=6 {
        all.push(planted(&kp, state).await);
    }
    assert_eq!(ids(&list(&kp, "").await), all[..4]);
    assert_eq!(ids(&list(&kp, "state=").await), all[..4]);
    assert_eq!(ids(&list(&kp, "state=5").await), all[4..5]);
    assert_eq!(ids(&list(&kp, "state=6,2").await), [&all[1], &all[5]]);
    assert_eq!(ids(&list(&kp, "state=1,1").await), all[..1]);
    assert_eq!(ids(&list(&kp, "state=3&state=5&state=6").await), [&all[2], &all[4], &all[5]]);
    let counted = list(&kp, "state=5,6&limit=1&totalCount=true").await;
    assert_eq!((ids(&counted).len(), &counted["metadata"]["totalCount"]), (1, &json!(2)));
    assert_eq!(list(&kp, "totalCount=true").await["metadata"]["totalCount"], 4);
    assert_eq!(list(&kp, "totalCount=True").await["metadata"]["totalCount"], 4);
    assert!(list(&kp, "totalCount=False").await["metadata"].get("totalCount").is_none());
    assert_eq!(ids(&list(&kp, "offset=1&limit=2").await), all[1..3]);
    assert_eq!(list(&kp, "offset=4").await["resources"], json!([]));
}

#[actix_web::test]
async fn a_list_has_a_hundred_objects_and_up_to_five_thousand_when_asked() {
    let kp = Harness::with_adapter(NOON).await;
    for _ in 0..101 {
        kp.plant("vsphere", 2).await;
    }
    assert_eq!(ids(&list(&kp, "").await).len(), 100);
    assert_eq!(ids(&list(&kp, "limit=5000").await).len(), 101);
}

#[actix_web::test]
async fn query_parameters_out_of_their_rules_are_named() {
    let kp = Harness::with_adapter(NOON).await;
    let id = planted(&kp, 2).await;
    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=5001", "limit"),
        ("offset=-1", "offset"),
        ("totalCount=TRUE", "totalCount"),
        ("state=1&state=", "state"),
        ("state=0", "state"),
        ("state=7", "state"),
        ("state=1,", "state"),
        ("state=1,%202", "state"),
        ("state=active", "state"),
    ] {
        let reply = kp.get(&path(&format!("?{query}"))).send().await;
        let reason = reply.refused(400, "INVALID_QUERY_PARAM_ERR");
        assert_eq!(reason["target"], json!({ "type": "query_param", "name": name }), "{query}");
        let subject = "Bad Request: KMIP object could not be retrieved: ";
        assert!(reply.error_msg().starts_with(subject), "{}", reply.error_msg());
    }
    let reason = delete(&kp, &format!("{id}?force=1")).await.refused(400, "INVALID_QUERY_PARAM_ERR");
    assert_eq!(reason["target"]["name"], "force");
}

#[actix_web::test]
async fn deleting_destroys_an_object_that_is_not_active() {
    let kp = Harness::with_adapter(NOON).await;
    for (state, end) in [(1, 5), (3, 5), (4, 6)] {
        let id = planted(&kp, state).await;
        let before = get(&kp, &id).await;
        kp.advance("1m").await;
        let now = kp.now().await;
        let reply = delete(&kp, &id).await;
        reply.succeeds(204);
        assert_eq!(reply.header("content-type"), None);
        let mut wanted = before;
        wanted["state"] = json!(end);
        for name in ["updated", "destroyed"] {
            wanted[format!("{name}_at")] = json!(now);
            wanted[format!("{name}_by")] = json!(OWNER);
        }
        wanted.as_object_mut().unwrap().remove("updated_by_kmip_client_cert_id");
        assert_eq!(get(&kp, &id).await, wanted, "{state}");
        assert_eq!(kp.adapter("vsphere").await["updated_at"], now);
    }
    assert!(ids(&list(&kp, "").await).is_empty());
    assert_eq!(ids(&list(&kp, "state=5,6").await).len(), 3);
}

#[actix_web::test]
async fn an_active_object_is_destroyed_by_force_alone() {
    let kp = Harness::with_adapter(NOON).await;
    let id = planted(&kp, 2).await;
    let before = get(&kp, &id).await;
    for query in ["", "?force=false"] {
        let reply = delete(&kp, &format!("{id}{query}")).await;
        reply.refused(409, "KMIP_OBJECT_ACTIVE_ERR");
        let subject = "Conflict: KMIP object could not be deleted: ";
        assert!(reply.error_msg().starts_with(subject), "{}", reply.error_msg());
    }
    assert_eq!(get(&kp, &id).await, before);
    delete(&kp, &format!("{id}?force=true")).await.succeeds(204);
    assert_eq!(get(&kp, &id).await["state"], 5);
}

#[actix_web::test]
async fn a_destroyed_object_cannot_be_deleted_again() {
    let kp = Harness::with_adapter(NOON).await;
    for state in [5, 6] {
        let id = planted(&kp, state).await;
        let before = get(&kp, &id).await;
        for query in ["", "?force=true"] {
            delete(&kp, &format!("{id}{query}")).await.refused(410, "KMIP_OBJECT_DELETED_ERR");
        }
        assert_eq!(get(&kp, &id).await, before);
    }
}

#[actix_web::test]
async fn an_object_that_is_not_there_is_told() {
    let kp = Harness::with_adapter(NOON).await;
    let key = kp.create_root_key("payments").await;
    kp.create_adapter("second", &key).await;
    let elsewhere = kp.plant("second", 3).await["id"].as_str().unwrap().to_owned();
    for id in [NOBODY, "vsphere", &elsewhere] {
        for call in [kp.get(&path(&format!("/{id}"))), kp.delete(&path(&format!("/{id}")))] {
            call.send().await.refused(404, "KMIP_OBJECT_NOT_FOUND_ERR");
        }
    }
}
