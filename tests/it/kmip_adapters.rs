//! KMIP adapters: `docs/contract/policies.md` 8.

use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::kmip::{ADAPTER, certificate, envelope, ids, native};
use crate::harness::words::{encoded, is_uuid_v4, members};

const NOON: &str = "2026-01-01T12:00:00.250Z";
const NOBODY: &str = "6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa";
const OWNER: &str = "IBMid-270005MKP0";
const ADAPTERS: &str = "/api/v2/kmip_adapters";

async fn list(kp: &Harness, query: &str) -> Value {
    let reply = kp.get(&format!("{ADAPTERS}?{query}")).send().await;
    assert_eq!(reply.header("content-type"), Some(ADAPTER));
    reply.succeeds(200)
}

#[actix_web::test]
async fn a_new_adapter_shows_all_its_fields() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let resource = json!({
        "name": "vsphere", "description": "Keys of the cluster", "profile": "native_1.0",
        "profile_data": { "crk_id": key },
    });
    let reply = kp.try_create_adapter(&resource).await;
    let made = reply.resource(201);
    let id = made["id"].as_str().unwrap();
    assert!(is_uuid_v4(id), "{id}");
    let wanted = json!({
        "id": id, "name": "vsphere", "description": "Keys of the cluster", "profile": "native_1.0",
        "profile_data": { "crk_id": key }, "created_at": NOON, "created_by": OWNER, "updated_at": NOON,
        "updated_by": OWNER,
    });
    assert_eq!(made, wanted);
    assert_eq!(reply.header("content-type"), Some(ADAPTER));
    assert_eq!(reply.json()["metadata"], json!({ "collectionType": ADAPTER, "collectionTotal": 1 }));
    assert_eq!(kp.adapter(id).await, wanted);
    assert_eq!(kp.adapter("vsphere").await, wanted);
}

#[actix_web::test]
async fn an_adapter_without_a_name_gets_one() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let resource = json!({ "profile": "native_1.0", "profile_data": { "crk_id": key } });
    let mut names = Vec::new();
    for _ in 0..2 {
        let made = kp.try_create_adapter(&resource).await.resource(201);
        assert_eq!(made["description"], "");
        let name = made["name"].as_str().unwrap().to_owned();
        assert!(name.starts_with("kmip_adapter_") && name.len() <= 40, "{name}");
        assert_eq!(kp.adapter(&name).await["id"], made["id"]);
        names.push(name);
    }
    assert_ne!(names[0], names[1]);
}

#[actix_web::test]
async fn the_root_key_may_be_named_by_an_alias() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create(&json!({ "name": "invoices", "extractable": false, "aliases": ["inv"] })).await;
    let made = kp.try_create_adapter(&native("vsphere", "inv")).await.resource(201);
    assert_eq!(made["profile_data"], json!({ "crk_id": key }));
}

#[actix_web::test]
async fn only_an_active_root_key_carries_an_adapter() {
    let kp = Harness::frozen_at(NOON).await;
    let standard = kp.create_standard_key("standard").await;
    let suspended = kp.create_root_key("suspended").await;
    kp.disable(&suspended).await.succeeds(204);
    let destroyed = kp.create_root_key("destroyed").await;
    kp.delete_key(&destroyed).await.succeeds(204);
    let expiring = json!({ "name": "expiring", "extractable": false, "expirationDate": "2026-01-02T00:00:00Z" });
    let expired = kp.create(&expiring).await;
    kp.advance("1d").await;
    for key in [&standard, &suspended, &destroyed, &expired] {
        let reply = kp.try_create_adapter(&native("vsphere", key)).await;
        reply.refused(400, "NATIVE_INVALID_CRK_ERR");
        let subject = "Bad Request: KMIP adapter could not be created: ";
        assert!(reply.error_msg().starts_with(subject), "{}", reply.error_msg());
    }
    let call = kp.post(&format!("{ADAPTERS}?allowExpiringKey=true"));
    call.json(&envelope(ADAPTER, &native("a2", &expired))).send().await.refused(400, "NATIVE_INVALID_CRK_ERR");
    kp.enable(&suspended).await.succeeds(204);
    kp.create_adapter("vsphere", &suspended).await;
}

#[actix_web::test]
async fn a_root_key_that_will_expire_carries_an_adapter_when_that_is_allowed() {
    let kp = Harness::frozen_at(NOON).await;
    let expiring = json!({ "name": "expiring", "extractable": false, "expirationDate": "2026-02-01T00:00:00Z" });
    let key = kp.create(&expiring).await;
    let body = envelope(ADAPTER, &native("vsphere", &key));
    for query in ["", "?allowExpiringKey=false"] {
        let reply = kp.post(&format!("{ADAPTERS}{query}")).json(&body).send().await;
        reply.refused(400, "NATIVE_INVALID_CRK_ERR");
    }
    let reply = kp.post(&format!("{ADAPTERS}?allowExpiringKey=maybe")).json(&body).send().await;
    assert_eq!(reply.refused(400, "INVALID_QUERY_PARAM_ERR")["target"]["name"], "allowExpiringKey");
    // What the query lacks is told before what the body lacks.
    let reply = kp.post(&format!("{ADAPTERS}?allowExpiringKey=maybe")).raw("{").send().await;
    reply.refused(400, "INVALID_QUERY_PARAM_ERR");
    kp.post(&format!("{ADAPTERS}?allowExpiringKey=True")).json(&body).send().await.succeeds(201);
    let body = envelope(ADAPTER, &native("vcenter", &key));
    kp.post(&format!("{ADAPTERS}?allowExpiringKey=true")).json(&body).send().await.succeeds(201);
}

#[actix_web::test]
async fn a_root_key_that_is_not_there_is_told() {
    let kp = Harness::frozen_at(NOON).await;
    let elsewhere = kp.create_instance("us-south").await;
    let body = crate::harness::keys::creation(&json!({ "name": "foreign", "extractable": false }));
    let foreign = kp.post("/api/v2/keys").header("bluemix-instance", &elsewhere).json(&body).send().await;
    let foreign = foreign.resource(201)["id"].as_str().unwrap().to_owned();
    for key in [NOBODY, "no-such-alias", "no key at all", &foreign] {
        let reply = kp.try_create_adapter(&native("vsphere", key)).await;
        reply.refused(404, "NATIVE_CRK_ID_NOT_FOUND_ERR");
        let subject = "Not Found: KMIP adapter could not be created: ";
        assert!(reply.error_msg().starts_with(subject), "{}", reply.error_msg());
    }
}

#[actix_web::test]
async fn fields_out_of_their_rules_are_named() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let data = json!({ "crk_id": key });
    let (long, wide) = ("n".repeat(41), "d".repeat(241));
    let mut cases: Vec<(Value, &str)> = ["", "a", "a b", "a.b", "ümlaut", &long, NOBODY]
        .iter()
        .map(|name| (json!({ "name": name, "profile": "native_1.0", "profile_data": data }), "name"))
        .collect();
    for description in [wide.as_str(), "two\nlines"] {
        let resource = json!({ "description": description, "profile": "native_1.0", "profile_data": data });
        cases.push((resource, "description"));
    }
    cases.extend([
        (json!({ "profile_data": data }), "profile"),
        (json!({ "profile": "native_2.0", "profile_data": data }), "profile"),
        (json!({ "profile": "native_1.0" }), "profile_data"),
        (json!({ "profile": "native_1.0", "profile_data": {} }), "crk_id"),
        (json!({ "profile": "native_1.0", "profile_data": { "crk_id": "" } }), "crk_id"),
    ]);
    for (resource, field) in cases {
        let reason = kp.try_create_adapter(&resource).await.refused(400, "INVALID_FIELD_ERR");
        assert_eq!(reason["target"], json!({ "type": "field", "name": field }), "{resource}");
    }
    let widest = json!({
        "name": "n".repeat(40), "description": "ü".repeat(240), "profile": "native_1.0", "profile_data": data,
    });
    kp.try_create_adapter(&widest).await.succeeds(201);
    kp.create_adapter("A-1_z", &key).await;
}

#[actix_web::test]
async fn an_envelope_out_of_its_rules_is_refused() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let adapter = native("vsphere", &key);
    let good = envelope(ADAPTER, &adapter);
    let with = |member: &str, value: Value| {
        let mut body = good.clone();
        body[member] = value;
        body
    };
    let cases = [
        (with("metadata", json!({})), "BAD_BODY_ERR"),
        (with("metadata", json!({ "collectionType": "application/vnd.ibm.kms.key+json" })), "BAD_BODY_ERR"),
        (with("resources", Value::Null), "BAD_BODY_ERR"),
        (with("resources", json!([])), "BAD_BODY_ERR"),
        (with("resources", json!([adapter, adapter])), "BAD_BODY_ERR"),
        (with("resources", json!([7])), "BAD_BODY_ERR"),
        (with("resources", json!([{ "name": 7 }])), "BAD_BODY_ERR"),
        (with("metadata", json!({ "collectionType": ADAPTER, "collectionTotal": 2 })), "COLLECTION_TOTAL_MISMATCH_ERR"),
    ];
    for (body, code) in cases {
        kp.post(ADAPTERS).json(&body).send().await.refused(400, code);
    }
    kp.post(ADAPTERS).send().await.refused(400, "NO_BODY_ERR");
    kp.post(ADAPTERS).raw("{").send().await.refused(400, "BAD_BODY_ERR");
    assert!(ids(&list(&kp, "").await).is_empty());
    kp.post(ADAPTERS).raw(good.to_string()).send().await.succeeds(201);
}

#[actix_web::test]
async fn a_name_belongs_to_one_adapter_of_the_instance() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.create_adapter("vsphere", &key).await;
    let reply = kp.try_create_adapter(&native("vsphere", &key)).await;
    reply.refused(409, "KMIP_ADAPTER_DUPLICATE_NAME_ERR");
    kp.create_adapter("vSphere", &key).await;
    kp.delete_adapter("vsphere").await.succeeds(204);
    kp.create_adapter("vsphere", &key).await;
}

#[actix_web::test]
async fn an_instance_has_two_hundred_adapters_at_most() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    for number in 0..200 {
        kp.create_adapter(&format!("adapter-{number}"), &key).await;
    }
    kp.try_create_adapter(&native("one-more", &key)).await.refused(409, "KMIP_ADAPTER_LIMIT_ERR");
    let whole = list(&kp, "limit=200&totalCount=true").await;
    assert_eq!((ids(&whole).len(), &whole["metadata"]["totalCount"]), (200, &json!(200)));
    kp.delete_adapter("adapter-7").await.succeeds(204);
    kp.create_adapter("one-more", &key).await;
}

#[actix_web::test]
async fn a_list_is_paged_in_order_of_creation() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let mut made = Vec::new();
    for number in 0..103 {
        made.push(kp.create_adapter(&format!("adapter-{number}"), &key).await);
    }
    let first = list(&kp, "").await;
    assert_eq!(ids(&first), made[..100]);
    assert_eq!(first["metadata"], json!({ "collectionType": ADAPTER, "collectionTotal": 100 }));
    assert_eq!(members(&first["resources"][0]), members(&kp.adapter("adapter-0").await));
    assert_eq!(ids(&list(&kp, "offset=100").await), made[100..]);
    let page = list(&kp, "offset=10&limit=5&totalCount=true").await;
    assert_eq!(ids(&page), made[10..15]);
    assert_eq!(page["metadata"]["totalCount"], 103);
    let past = list(&kp, "offset=200&totalCount=true").await;
    assert_eq!(past["resources"], json!([]));
    assert_eq!(past["metadata"]["totalCount"], 103);
}

#[actix_web::test]
async fn a_list_can_be_limited_to_one_root_key() {
    let kp = Harness::frozen_at(NOON).await;
    let [red, blue] = [kp.create_root_key("red").await, kp.create_root_key("blue").await];
    let first = kp.create_adapter("first", &red).await;
    kp.create_adapter("second", &blue).await;
    let third = kp.create_adapter("third", &red).await;
    let found = list(&kp, &format!("crk_id={red}&totalCount=true")).await;
    assert_eq!(ids(&found), [first, third]);
    assert_eq!(found["metadata"]["totalCount"], 2);
    let counted = list(&kp, &format!("crk_id={red}&totalCount=true&limit=1")).await;
    assert_eq!((ids(&counted).len(), &counted["metadata"]["totalCount"]), (1, &json!(2)));
    assert!(ids(&list(&kp, &format!("crk_id={NOBODY}")).await).is_empty());
    let reason = kp.get(&format!("{ADAPTERS}?crk_id=red")).send().await.refused(400, "INVALID_QUERY_PARAM_ERR");
    assert_eq!(reason["target"], json!({ "type": "query_param", "name": "crk_id" }));
}

#[actix_web::test]
async fn query_parameters_out_of_their_rules_are_named() {
    let kp = Harness::frozen_at(NOON).await;
    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("offset=-1", "offset"),
        ("totalCount=1", "totalCount"),
    ] {
        let reply = kp.get(&format!("{ADAPTERS}?{query}")).send().await;
        let reason = reply.refused(400, "INVALID_QUERY_PARAM_ERR");
        assert_eq!(reason["target"], json!({ "type": "query_param", "name": name }), "{query}");
        if query == "limit=201" {
            assert_eq!(reason["message"], "The query_param `limit` must be: an integer between 1 and 200 (inclusive)");
        }
        let subject = "Bad Request: KMIP adapter could not be retrieved: ";
        assert!(reply.error_msg().starts_with(subject), "{}", reply.error_msg());
    }
}

#[actix_web::test]
async fn an_adapter_that_is_not_there_is_told() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let elsewhere = kp.create_instance("us-south").await;
    let id = kp.create_adapter("vsphere", &key).await;
    let there = kp.get(&format!("{ADAPTERS}/{id}")).header("bluemix-instance", &elsewhere);
    there.send().await.refused(404, "KMIP_ADAPTER_NOT_FOUND_ERR");
    for name in [NOBODY, "VSPHERE", "a", "a%20b", &key] {
        let path = format!("{ADAPTERS}/{name}");
        for call in [
            kp.get(&path),
            kp.delete(&path),
            kp.get(&format!("{path}/certificates")),
            kp.post(&format!("{path}/certificates")),
            kp.get(&format!("{path}/certificates/{NOBODY}")),
            kp.delete(&format!("{path}/certificates/{NOBODY}")),
            kp.get(&format!("{path}/kmip_objects")),
            kp.get(&format!("{path}/kmip_objects/{NOBODY}")),
            kp.delete(&format!("{path}/kmip_objects/{NOBODY}")),
        ] {
            call.send().await.refused(404, "KMIP_ADAPTER_NOT_FOUND_ERR");
        }
    }
}

#[actix_web::test]
async fn deleting_an_adapter_takes_its_certificates_along() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let id = kp.create_adapter("vsphere", &key).await;
    kp.add_certificate("vsphere", "vcenter", &certificate(1)).await;
    let reply = kp.delete_adapter(&id).await;
    reply.succeeds(204);
    assert_eq!(reply.header("content-type"), None);
    kp.delete_adapter(&id).await.refused(404, "KMIP_ADAPTER_NOT_FOUND_ERR");
    kp.create_adapter("vsphere", &key).await;
    let path = format!("{ADAPTERS}/vsphere/certificates");
    assert!(ids(&kp.get(&path).send().await.succeeds(200)).is_empty());
    kp.add_certificate("vsphere", "vcenter", &certificate(1)).await;
}

#[actix_web::test]
async fn an_adapter_goes_once_all_its_objects_are_destroyed() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    for state in 1..=4 {
        let name = format!("adapter-{state}");
        kp.create_adapter(&name, &key).await;
        let object = kp.plant(&name, state).await;
        for destroyed in [5, 6] {
            kp.plant(&name, destroyed).await;
        }
        let reply = kp.delete_adapter(&name).await;
        reply.refused(409, "KMIP_OBJECTS_EXIST_ERR");
        assert!(reply.error_msg().starts_with("Conflict: KMIP adapter could not be deleted: "), "{state}");
        let path = format!("{ADAPTERS}/{name}/kmip_objects/{}?force=true", object["id"].as_str().unwrap());
        kp.delete(&path).send().await.succeeds(204);
        kp.delete_adapter(&name).await.succeeds(204);
    }
}

#[actix_web::test]
async fn a_root_key_with_an_adapter_is_deleted_by_force_alone() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let id = kp.create_adapter("vsphere", &key).await;
    let path = format!("/api/v2/keys/{key}");
    for query in ["", "?force=false"] {
        let reply = kp.delete(&format!("{path}{query}")).send().await;
        let reason = reply.refused(409, "PROTECTED_RESOURCE_ERR");
        assert_eq!(reason["target"], json!({ "type": "query_param", "name": "force" }));
        assert_eq!(reason["message"], "Key is protecting one or more cloud resources");
        assert!(reply.error_msg().starts_with("Conflict: Key could not be deleted: "), "{}", reply.error_msg());
    }
    let reason = kp.delete(&format!("{path}?force=yes")).send().await.refused(400, "INVALID_QUERY_PARAM_ERR");
    assert_eq!(reason["target"]["name"], "force");
    assert_eq!(kp.metadata(&key).await["state"], 1);
    kp.delete(&format!("{path}?force=true")).send().await.succeeds(204);
    assert_eq!(kp.adapter(&id).await["profile_data"]["crk_id"], key);
    kp.delete(&format!("{path}?force=true")).send().await.refused(410, "KEY_DELETED_ERR");
}

#[actix_web::test]
async fn a_root_key_whose_adapters_are_gone_is_deleted_without_force() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    for name in ["first", "second"] {
        kp.create_adapter(name, &key).await;
    }
    kp.delete_adapter("first").await.succeeds(204);
    kp.delete_key(&key).await.refused(409, "PROTECTED_RESOURCE_ERR");
    kp.delete_adapter("second").await.succeeds(204);
    kp.delete_key(&key).await.succeeds(204);
}

#[actix_web::test]
async fn an_instance_takes_its_adapters_along() {
    let kp = Harness::frozen_at(NOON).await;
    let instance = kp.create_instance("us-south").await;
    let body = crate::harness::keys::creation(&json!({ "name": "invoices", "extractable": false }));
    let key = kp.post("/api/v2/keys").header("bluemix-instance", &instance).json(&body).send().await;
    let key = key.resource(201)["id"].as_str().unwrap().to_owned();
    let body = envelope(ADAPTER, &native("vsphere", &key));
    kp.post(ADAPTERS).header("bluemix-instance", &instance).json(&body).send().await.succeeds(201);
    let brought = json!({ "name": "vcenter", "certificate": certificate(1) });
    let body = envelope(crate::harness::kmip::CERTIFICATE, &brought);
    let path = format!("{ADAPTERS}/vsphere/certificates");
    kp.post(&path).header("bluemix-instance", &instance).json(&body).send().await.succeeds(201);
    let planted = json!({ "instanceId": instance, "adapter": "vsphere", "state": 2 });
    kp.post("/mock/kmip-objects").json(&planted).send().await.succeeds(201);
    let path = format!("/api/v2/keys/{key}?force=true");
    kp.delete(&path).header("bluemix-instance", &instance).send().await.succeeds(204);
    let account = kp.info["accountId"].as_str().unwrap();
    let crn = format!("crn:v1:bluemix:public:kms:us-south:a/{account}:{instance}::");
    kp.delete(&format!("/v2/resource_instances/{}", encoded(&crn))).send().await.succeeds(204);
    kp.get(ADAPTERS).header("bluemix-instance", &instance).send().await.unauthorized();
    kp.post("/mock/kmip-objects").json(&planted).send().await.succeeds(404);
    let root = kp.create_root_key("invoices").await;
    kp.create_adapter("vsphere", &root).await;
    kp.add_certificate("vsphere", "vcenter", &certificate(1)).await;
}

#[actix_web::test]
async fn adapters_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (adapter, certificates, objects) = {
        let kp = Harness::in_folder(folder.path(), &["--clock", &format!("frozen@{NOON}")]).await;
        let key = kp.create_root_key("invoices").await;
        kp.create_adapter("vsphere", &key).await;
        kp.add_certificate("vsphere", "vcenter", &certificate(1)).await;
        kp.plant("vsphere", 6).await;
        let seen = seen(&kp).await;
        kp.stop().await;
        seen
    };
    let kp = Harness::in_folder(folder.path(), &[]).await;
    assert_eq!(seen(&kp).await, (adapter, certificates, objects));
    kp.stop().await;
}

async fn seen(kp: &Harness) -> (Value, Value, Value) {
    let path = format!("{ADAPTERS}/vsphere");
    let certificate = kp.get(&format!("{path}/certificates/vcenter")).send().await.succeeds(200);
    let objects = kp.get(&format!("{path}/kmip_objects?state=6")).send().await.succeeds(200);
    assert_eq!(ids(&objects).len(), 1);
    (kp.adapter("vsphere").await, certificate, objects)
}

#[actix_web::test]
async fn a_reader_may_do_nothing_with_adapters() {
    let kp = Harness::frozen_at(NOON).await;
    let reader = kp.reader_token().await;
    kp.get(ADAPTERS).bearer(&reader).send().await.unauthorized();
    kp.post(ADAPTERS).bearer(&reader).raw("{").send().await.unauthorized();
    kp.get(&format!("{ADAPTERS}/{NOBODY}")).bearer(&reader).send().await.unauthorized();
    kp.delete(&format!("{ADAPTERS}/{NOBODY}/kmip_objects/{NOBODY}")).bearer(&reader).send().await.unauthorized();
}

#[actix_web::test]
async fn what_the_paths_do_not_offer_is_refused_and_recorded() {
    let kp = Harness::frozen_at(NOON).await;
    let calls = [
        kp.patch(ADAPTERS),
        kp.post(&format!("{ADAPTERS}/vsphere")),
        kp.put(&format!("{ADAPTERS}/vsphere/certificates/vcenter")),
        kp.post(&format!("{ADAPTERS}/vsphere/kmip_objects")),
    ];
    for call in calls {
        call.send().await.refused_bare(405);
    }
    kp.get(&format!("{ADAPTERS}/vsphere/keys")).send().await.refused_bare(404);
    assert_eq!(kp.audit("action=kms.kmip-management.default").await.len(), 5);
}

#[actix_web::test]
async fn each_request_is_recorded_with_its_action() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let id = kp.create_adapter("vsphere", &key).await;
    kp.adapter(&id).await;
    list(&kp, "").await;
    let certificate = kp.add_certificate("vsphere", "vcenter", &certificate(1)).await;
    let object = kp.plant("vsphere", 3).await["id"].as_str().unwrap().to_owned();
    kp.delete(&format!("{ADAPTERS}/vsphere/kmip_objects/{object}")).send().await.succeeds(204);
    kp.delete_adapter(NOBODY).await.refused(404, "KMIP_ADAPTER_NOT_FOUND_ERR");
    let records = kp.audit("action=kms.kmip-management.*").await;
    let told: Vec<(&str, &str, u64)> = records
        .iter()
        .map(|record| {
            assert_eq!(record["target"]["typeURI"], "kms/kmip-management");
            assert_eq!(record["severity"], "normal");
            let text = |name: &str| record[name].as_str().unwrap();
            (text("action"), text("message"), record["reason"]["reasonCode"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("kms.kmip-management.create", "Key Protect: create kmip adapter vsphere", 201),
            ("kms.kmip-management.read", "Key Protect: read kmip adapter vsphere", 200),
            ("kms.kmip-management.list", "Key Protect: list kmip adapters ", 200),
            ("kms.kmip-management.create", "Key Protect: create kmip client certificate vcenter", 201),
            ("kms.kmip-management.delete", "Key Protect: delete kmip object vsphere", 204),
            ("kms.kmip-management.delete", "Key Protect: delete kmip adapter  -failure", 404),
        ]
    );
    assert_eq!(records[0]["responseData"], json!({ "adapterId": id, "keyId": key }));
    assert_eq!(records[2]["responseData"], json!({ "totalResources": 1 }));
    assert_eq!(records[3]["responseData"], json!({ "adapterId": id, "certificateId": certificate }));
    assert_eq!(records[4]["responseData"], json!({ "adapterId": id, "objectId": object, "objectState": 5 }));
    let crn = kp.info["instanceCrn"].as_str().unwrap();
    assert_eq!(records[0]["target"]["id"], crn);
}
