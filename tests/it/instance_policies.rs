//! Policies of a whole instance, and what they do to new keys: `docs/contract/policies.md` 3.1 to 3.4.

use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::keys::id_of;
use crate::harness::policies::{POLICY, collection};
use crate::harness::words::base64_of;

const NOON: &str = "2026-01-01T12:00:00Z";
const PATH: &str = "/api/v2/instance/policies";
const KINDS: [&str; 6] =
    ["allowedNetwork", "dualAuthDelete", "allowedIP", "keyCreateImportAccess", "metrics", "rotation"];

fn resource(kind: &str, data: &Value) -> Value {
    json!({ "policy_type": kind, "policy_data": data })
}

/// Data that each kind is enabled with, none of which locks anybody out.
fn enabled(kind: &str) -> Value {
    match kind {
        "allowedNetwork" => json!({ "enabled": true, "attributes": { "allowed_network": "public-and-private" } }),
        "allowedIP" => json!({ "enabled": true, "attributes": { "allowed_ip": ["127.0.0.0/8", "2001:DB8::/32"] } }),
        "keyCreateImportAccess" => json!({ "enabled": true, "attributes": { "create_standard_key": false } }),
        "rotation" => json!({ "enabled": true, "attributes": { "interval_month": 3 } }),
        _ => json!({ "enabled": true }),
    }
}

async fn put(kp: &Harness, query: &str, resources: &[Value]) -> crate::harness::Reply {
    kp.put(&format!("{PATH}{query}")).json(&collection(resources)).send().await
}

/// `policy_data` of the one policy of a kind.
async fn data(kp: &Harness, kind: &str) -> Value {
    let policies = kp.instance_policies(&format!("?policy={kind}")).await;
    assert_eq!(policies.len(), 1, "{policies:?}");
    policies[0]["policy_data"].clone()
}

#[actix_web::test]
async fn an_instance_has_no_policies_at_first() {
    let kp = Harness::frozen_at(NOON).await;
    let empty = json!({ "metadata": { "collectionType": POLICY, "collectionTotal": 0 }, "resources": [] });
    assert_eq!(kp.get(PATH).send().await.succeeds(200), empty);
    for kind in KINDS {
        assert_eq!(kp.get(&format!("{PATH}?policy={kind}")).send().await.succeeds(200), empty);
    }
}

#[actix_web::test]
async fn a_policy_once_set_stays_and_tells_who_set_and_changed_it() {
    let kp = Harness::frozen_at(NOON).await;
    kp.instance_policy("metrics", &json!({ "enabled": true })).await;
    let mut wanted = json!({
        "creationDate": NOON, "createdBy": "IBMid-270005MKP0", "updatedBy": "IBMid-270005MKP0", "lastUpdated": NOON,
        "policy_type": "metrics", "policy_data": { "enabled": true },
    });
    assert_eq!(kp.instance_policies("").await, [wanted.clone()]);
    kp.advance("1h").await;
    let other = kp.token_for("another").await;
    let body = collection(&[resource("metrics", &json!({ "enabled": false }))]);
    kp.put(PATH).bearer(&other).json(&body).send().await.succeeds(204);
    let shown = kp.instance_policies("").await;
    wanted["lastUpdated"] = json!("2026-01-01T13:00:00Z");
    wanted["updatedBy"] = shown[0]["updatedBy"].clone();
    wanted["policy_data"] = json!({ "enabled": false });
    assert_eq!(shown, [wanted]);
    assert_ne!(shown[0]["updatedBy"], shown[0]["createdBy"]);
}

#[actix_web::test]
async fn each_kind_shows_its_attributes_enabled_and_disabled() {
    let kp = Harness::frozen_at(NOON).await;
    let access = |standard: bool| {
        json!({ "create_root_key": true, "create_standard_key": standard, "import_root_key": true,
            "import_standard_key": true, "enforce_token": false })
    };
    let table = [
        ("allowedNetwork", enabled("allowedNetwork"), json!({ "allowed_network": "public-and-private" })),
        ("dualAuthDelete", json!({ "enabled": true }), Value::Null),
        ("allowedIP", enabled("allowedIP"), json!({ "allowed_ip": [] })),
        ("keyCreateImportAccess", json!({ "enabled": true, "attributes": access(false) }), access(true)),
        ("metrics", json!({ "enabled": true }), Value::Null),
        ("rotation", enabled("rotation"), Value::Null),
    ];
    for (kind, mut on, off) in table {
        kp.instance_policy(kind, &enabled(kind)).await;
        if kind == "allowedIP" {
            on["attributes"]["allowed_ip"] = json!(["127.0.0.0/8", "2001:db8::/32"]);
        }
        assert_eq!(data(&kp, kind).await, on, "{kind}");
        kp.instance_policy(kind, &json!({ "enabled": false })).await;
        let shown = data(&kp, kind).await;
        assert_eq!(shown["enabled"], false);
        assert_eq!(shown.get("attributes").cloned().unwrap_or_default(), off, "{kind}");
    }
    assert_eq!(kp.instance_policies("").await.len(), 6);
}

#[actix_web::test]
async fn several_policies_are_set_at_once_or_none() {
    let kp = Harness::frozen_at(NOON).await;
    let all: Vec<Value> = KINDS.iter().map(|kind| resource(kind, &enabled(kind))).collect();
    let mut faulty = all.clone();
    faulty[5]["policy_data"]["attributes"]["interval_month"] = json!(13);
    put(&kp, "", &faulty).await.refused(400, "INVALID_FIELD_ERR");
    assert!(kp.instance_policies("").await.is_empty());
    put(&kp, "", &all).await.succeeds(204);
    let kinds: Vec<Value> = kp.instance_policies("").await.iter().map(|one| one["policy_type"].clone()).collect();
    assert_eq!(json!(kinds), json!(KINDS));
}

#[actix_web::test]
async fn a_disabled_network_policy_keeps_its_value_unless_told_another() {
    let kp = Harness::frozen_at(NOON).await;
    let network = async || data(&kp, "allowedNetwork").await["attributes"]["allowed_network"].clone();
    kp.instance_policy("allowedNetwork", &json!({ "enabled": false, "attributes": {} })).await;
    assert_eq!(network().await, "public-and-private");
    let private = json!({ "allowed_network": "private-only" });
    kp.instance_policy("allowedNetwork", &json!({ "enabled": false, "attributes": private })).await;
    for keeps in [
        json!({ "enabled": false }),
        json!({ "enabled": false, "attributes": {} }),
        // What IBM's Go client sends along with other policies when nobody names a network.
        json!({ "enabled": false, "attributes": { "allowed_network": "" } }),
    ] {
        kp.instance_policy("allowedNetwork", &keeps).await;
        assert_eq!(network().await, "private-only");
    }
}

#[actix_web::test]
async fn attributes_are_needed_to_enable_and_not_allowed_to_disable() {
    let kp = Harness::frozen_at(NOON).await;
    for (kind, field) in [
        ("allowedNetwork", "allowed_network"),
        ("allowedIP", "allowed_ip"),
        ("rotation", "interval_month"),
        ("keyCreateImportAccess", "attributes"),
    ] {
        let reason = kp.set_instance_policy(kind, &json!({ "enabled": true })).await.refused(400, "INVALID_FIELD_ERR");
        assert_eq!(reason["target"], json!({ "type": "field", "name": field }));
        kp.instance_policy(kind, &json!({ "enabled": false, "attributes": {} })).await;
        let content = json!({ "enabled": false, "attributes": enabled(kind)["attributes"] });
        let reply = kp.set_instance_policy(kind, &content).await;
        if kind == "allowedNetwork" {
            reply.succeeds(204)
        } else {
            reply.refused(400, "BAD_BODY_ERR")
        };
    }
    // Terraform enables with no attribute, Python disables with an empty list.
    kp.instance_policy("keyCreateImportAccess", &json!({ "enabled": true, "attributes": {} })).await;
    let shown = data(&kp, "keyCreateImportAccess").await;
    let defaults = json!({ "create_root_key": true, "create_standard_key": true, "import_root_key": true,
        "import_standard_key": true, "enforce_token": false });
    assert_eq!(shown, json!({ "enabled": true, "attributes": defaults }));
    kp.instance_policy("allowedIP", &json!({ "enabled": false, "attributes": { "allowed_ip": [] } })).await;
}

#[actix_web::test]
async fn an_attribute_left_out_has_its_default_again() {
    let kp = Harness::frozen_at(NOON).await;
    let first = json!({ "enabled": true, "attributes": { "create_root_key": false, "enforce_token": true } });
    kp.instance_policy("keyCreateImportAccess", &first).await;
    let second = json!({ "enabled": true, "attributes": { "import_root_key": false } });
    kp.instance_policy("keyCreateImportAccess", &second).await;
    let shown = data(&kp, "keyCreateImportAccess").await["attributes"].clone();
    let wanted = json!({ "create_root_key": true, "create_standard_key": true, "import_root_key": false,
        "import_standard_key": true, "enforce_token": false });
    assert_eq!(shown, wanted);
}

#[actix_web::test]
async fn attributes_that_make_no_sense_are_refused() {
    let kp = Harness::frozen_at(NOON).await;
    let many: Vec<String> = (0..1_001).map(|number| format!("10.0.{}.{}/32", number / 256, number % 256)).collect();
    let cases = [
        ("allowedNetwork", "allowed_network", json!("public-only"), "INVALID_FIELD_ERR"),
        ("allowedNetwork", "allowed_network", json!(1), "INVALID_FIELD_ERR"),
        ("allowedIP", "allowed_ip", json!([]), "INVALID_FIELD_ERR"),
        ("allowedIP", "allowed_ip", json!("127.0.0.1/32"), "INVALID_FIELD_ERR"),
        ("allowedIP", "allowed_ip", json!(["127.0.0.1"]), "INVALID_FIELD_ERR"),
        ("allowedIP", "allowed_ip", json!(["127.0.0.1/33"]), "INVALID_FIELD_ERR"),
        ("allowedIP", "allowed_ip", json!(["127.0.0.0/8", "example.com/8"]), "INVALID_FIELD_ERR"),
        ("allowedIP", "allowed_ip", json!([1]), "INVALID_FIELD_ERR"),
        ("allowedIP", "allowed_ip", json!(many), "INVALID_FIELD_ERR"),
        ("rotation", "interval_month", json!(0), "INVALID_FIELD_ERR"),
        ("rotation", "interval_month", json!(13), "INVALID_FIELD_ERR"),
        ("rotation", "interval_month", json!("3"), "INVALID_FIELD_ERR"),
        ("keyCreateImportAccess", "create_root_key", json!("no"), "BAD_BODY_ERR"),
    ];
    for (kind, name, value, code) in cases {
        let data = json!({ "enabled": true, "attributes": { name: value } });
        let reason = kp.set_instance_policy(kind, &data).await.refused(400, code);
        if code == "INVALID_FIELD_ERR" {
            assert_eq!(reason["target"], json!({ "type": "field", "name": name }));
        }
    }
    let most = json!({ "enabled": true, "attributes": { "allowed_ip": many[..1_000] } });
    kp.set_instance_policy("allowedIP", &json!({ "enabled": "yes" })).await.refused(400, "BAD_BODY_ERR");
    let missing = kp.set_instance_policy("metrics", &json!({})).await.refused(400, "INVALID_FIELD_ERR");
    assert_eq!(missing["target"]["name"], "enabled");
    assert!(kp.instance_policies("").await.is_empty());
    // A thousand are not too many; they lock us out, though.
    kp.instance_policy("allowedIP", &most).await;
    kp.get(PATH).send().await.unauthorized();
}

#[actix_web::test]
async fn query_and_body_must_name_the_same_policy_once() {
    let kp = Harness::frozen_at(NOON).await;
    let metrics = resource("metrics", &json!({ "enabled": true }));
    let dual = resource("dualAuthDelete", &json!({ "enabled": true }));
    let unknown = resource("ipWhitelist", &json!({ "enabled": true, "what": "ever" }));
    let cases: [(&str, Vec<Value>, &str); 7] = [
        ("?policy=metrics", vec![dual.clone()], "BODY_QUERY_PARAM_MISMATCH_ERR"),
        ("?policy=metrics", vec![unknown.clone()], "BODY_QUERY_PARAM_MISMATCH_ERR"),
        ("?policy=metrics", vec![metrics.clone(), dual.clone()], "NUM_COLLECTION_RESOURCE_ERR"),
        ("?policy=metrics", vec![dual.clone(), dual.clone()], "NUM_COLLECTION_RESOURCE_ERR"),
        ("", vec![metrics.clone(), metrics.clone()], "BAD_BODY_ERR"),
        ("", vec![unknown], "INVALID_FIELD_ERR"),
        ("", vec![], "BAD_BODY_ERR"),
    ];
    for (query, resources, code) in cases {
        put(&kp, query, &resources).await.refused(400, code);
    }
    for call in [kp.put(&format!("{PATH}?policy=Rotation")).raw("{"), kp.get(&format!("{PATH}?policy=Rotation"))] {
        let reason = call.send().await.refused(400, "INVALID_QUERY_PARAM_ERR");
        assert_eq!(reason["target"], json!({ "type": "query_param", "name": "policy" }));
    }
    assert!(kp.instance_policies("").await.is_empty());
}

#[actix_web::test]
async fn a_body_with_a_fault_in_its_envelope_is_refused() {
    let kp = Harness::frozen_at(NOON).await;
    let good = collection(&[resource("metrics", &json!({ "enabled": true }))]);
    let cases = [
        ("/metadata/collectionTotal", json!(2), "COLLECTION_TOTAL_MISMATCH_ERR"),
        ("/metadata/collectionType", json!("x"), "BAD_BODY_ERR"),
        ("/metadata", Value::Null, "BAD_BODY_ERR"),
        ("/resources", Value::Null, "BAD_BODY_ERR"),
        ("/resources/0/policy_type", json!(1), "BAD_BODY_ERR"),
        ("/resources/0/policy_data", json!([]), "BAD_BODY_ERR"),
        ("/resources/0/policy_type", Value::Null, "INVALID_FIELD_ERR"),
        ("/resources/0/policy_data", Value::Null, "INVALID_FIELD_ERR"),
    ];
    for (place, value, code) in cases {
        let mut body = good.clone();
        *body.pointer_mut(place).unwrap() = value;
        let reply = kp.put(PATH).json(&body).send().await;
        let reason = reply.refused(400, code);
        assert!(reply.error_msg().starts_with("Bad Request: Instance policy could not be created: "));
        if code == "COLLECTION_TOTAL_MISMATCH_ERR" {
            assert_eq!(reason["message"], "Collection total does not match number of resources");
        }
    }
    kp.put(PATH).send().await.refused(400, "NO_BODY_ERR");
    kp.put(PATH).raw("[]").send().await.refused(400, "BAD_BODY_ERR");
}

#[actix_web::test]
async fn unknown_fields_are_told_by_name_at_every_level() {
    let kp = Harness::frozen_at(NOON).await;
    let good = collection(&[resource("rotation", &enabled("rotation"))]);
    let places = ["", "/metadata", "/resources/0", "/resources/0/policy_data", "/resources/0/policy_data/attributes"];
    for place in places {
        let mut body = good.clone();
        body.pointer_mut(place).unwrap()["extra_Field"] = json!({});
        let reason = kp.put(PATH).json(&body).send().await.refused(400, "BAD_BODY_ERR");
        let message = reason["message"].as_str().unwrap();
        assert!(message.ends_with(": json: unknown field \"extra_Field\""), "{place}: {message}");
    }
    for kind in ["dualAuthDelete", "metrics"] {
        for enabled in [true, false] {
            let data = json!({ "enabled": enabled, "attributes": {} });
            let reason = kp.set_instance_policy(kind, &data).await.refused(400, "BAD_BODY_ERR");
            assert!(reason["message"].as_str().unwrap().ends_with("json: unknown field \"attributes\""));
        }
    }
}

#[actix_web::test]
async fn the_older_form_is_taken_for_two_kinds() {
    let kp = Harness::frozen_at(NOON).await;
    for kind in ["dualAuthDelete", "metrics"] {
        kp.instance_policy(kind, &json!({ "enabled": true })).await;
        let old = json!({ "type": POLICY, kind: { "enabled": false } });
        put(&kp, &format!("?policy={kind}"), std::slice::from_ref(&old)).await.succeeds(204);
        assert_eq!(data(&kp, kind).await, json!({ "enabled": false }));
        put(&kp, "?policy=rotation", &[old]).await.refused(400, "BODY_QUERY_PARAM_MISMATCH_ERR");
    }
    let old = json!({ "type": POLICY, "rotation": { "enabled": false } });
    put(&kp, "", &[old]).await.refused(400, "BAD_BODY_ERR");
}

#[actix_web::test]
async fn new_root_keys_rotate_by_the_instances_policy_and_old_ones_keep_what_they_have() {
    let kp = Harness::frozen_at(NOON).await;
    let old = kp.create_root_key("old").await;
    kp.instance_policy("rotation", &json!({ "enabled": true, "attributes": { "interval_month": 2 } })).await;
    let key = kp.create_root_key("invoices").await;
    let policies = kp.policies(&key).await;
    assert_eq!((policies.len(), &policies[0]["rotation"]), (1, &json!({ "enabled": true, "interval_month": 2 })));
    let standard = kp.create_standard_key("config").await;
    let imported = kp.import_root_key("imported", &base64_of([7; 32])).await;
    let own = json!({ "name": "own", "extractable": false });
    let own = id_of(&kp.try_create_with_policies(&own).await.succeeds(201));
    kp.instance_policy("rotation", &json!({ "enabled": false })).await;
    let late = kp.create_root_key("late").await;
    for without in [&old, &standard, &imported, &own, &late] {
        assert!(kp.policies(without).await.is_empty());
    }
    kp.advance("60d").await;
    assert_eq!(kp.metadata(&key).await["lastRotateDate"], "2026-03-02T12:00:00Z");
    assert!(kp.metadata(&old).await.get("lastRotateDate").is_none());
}

#[actix_web::test]
async fn new_keys_of_every_kind_take_two_people_by_the_instances_policy() {
    let kp = Harness::frozen_at(NOON).await;
    let old = kp.create_root_key("old").await;
    kp.instance_policy("dualAuthDelete", &json!({ "enabled": true })).await;
    let keys = [
        kp.create_root_key("root").await,
        kp.create_standard_key("standard").await,
        kp.import_root_key("imported", &base64_of([7; 16])).await,
    ];
    for key in &keys {
        assert_eq!(kp.metadata(key).await["dualAuthDelete"]["enabled"], true);
        kp.delete_key(key).await.refused(409, "AUTHORIZATIONS_NOT_MET");
    }
    let own = json!({ "name": "own", "extractable": false });
    let own = id_of(&kp.try_create_with_policies(&own).await.succeeds(201));
    kp.delete_key(&own).await.succeeds(204);
    kp.delete_key(&old).await.succeeds(204);
    kp.instance_policy("dualAuthDelete", &json!({ "enabled": false })).await;
    kp.delete_key(&keys[0]).await.refused(409, "AUTHORIZATIONS_NOT_MET");
    assert_eq!(kp.metadata(&kp.create_root_key("late").await).await["dualAuthDelete"]["enabled"], false);
}

/// The five ways to make a key, and the name of the flag that forbids each.
fn ways() -> [(&'static str, Value); 4] {
    let material = base64_of([7; 32]);
    [
        ("create_root_key", json!({ "name": "invoices", "extractable": false })),
        ("create_standard_key", json!({ "name": "invoices", "extractable": true })),
        ("import_root_key", json!({ "name": "invoices", "extractable": false, "payload": material })),
        ("import_standard_key", json!({ "name": "invoices", "extractable": true, "payload": material })),
    ]
}

#[actix_web::test]
async fn each_flag_of_the_access_policy_forbids_one_way_to_make_a_key() {
    let kp = Harness::frozen_at(NOON).await;
    for (flag, _) in ways() {
        kp.instance_policy("keyCreateImportAccess", &json!({ "enabled": true, "attributes": { flag: false } })).await;
        for (way, resource) in ways() {
            for reply in [kp.try_create(&resource).await, kp.try_create_with_policies(&resource).await] {
                if way == flag {
                    let reason = reply.refused(409, "KEY_CREATE_IMPORT_ACCESS_ERR");
                    assert_eq!(reason["message"], "KeyCreateImportAccess instance policy does not allow this action");
                } else {
                    reply.succeeds(201);
                }
            }
        }
    }
    kp.instance_policy("keyCreateImportAccess", &json!({ "enabled": false })).await;
    for (_, resource) in ways() {
        kp.try_create(&resource).await.succeeds(201);
    }
}

/// A payload that claims to be sealed: without an import token it is refused for that, and not by the policy.
fn sealed() -> Value {
    json!({ "payload": base64_of([1; 512]), "encryptedNonce": base64_of([2; 28]), "iv": base64_of([3; 12]) })
}

#[actix_web::test]
async fn imports_need_a_token_where_one_is_enforced() {
    let kp = Harness::frozen_at(NOON).await;
    let attributes = json!({ "enforce_token": true, "import_root_key": false });
    kp.instance_policy("keyCreateImportAccess", &json!({ "enabled": true, "attributes": attributes })).await;
    for (way, resource) in ways() {
        let reply = kp.try_create(&resource).await;
        if way.starts_with("import") {
            reply.refused(409, "KEY_CREATE_IMPORT_ACCESS_ERR");
        } else {
            reply.succeeds(201);
        }
    }
    let mut resource = sealed();
    resource["name"] = json!("invoices");
    resource["extractable"] = json!(false);
    kp.try_create(&resource).await.refused(409, "IMPORT_TOKEN_EXPIRED_ERR");
}

#[actix_web::test]
async fn an_enforced_token_holds_for_rotation_and_restoration_of_imported_keys_too() {
    let kp = Harness::frozen_at(NOON).await;
    let imported = kp.import_root_key("imported", &base64_of([7; 32])).await;
    let deleted = kp.import_root_key("deleted", &base64_of([8; 32])).await;
    let generated = kp.create_root_key("generated").await;
    for key in [&deleted, &generated] {
        kp.delete_key(key).await.succeeds(204);
    }
    let attributes = json!({ "enabled": true, "attributes": { "enforce_token": true } });
    kp.instance_policy("keyCreateImportAccess", &attributes).await;
    kp.advance("1m").await;
    let plain = json!({ "payload": base64_of([9; 32]) });
    let rotate = async |body: &Value| kp.action(&imported, "rotate").json(body).send().await;
    rotate(&plain).await.refused(409, "KEY_CREATE_IMPORT_ACCESS_ERR");
    rotate(&json!({})).await.refused(400, "KEY_PAYLOAD_REQ_ERR");
    rotate(&sealed()).await.refused(409, "IMPORT_TOKEN_EXPIRED_ERR");
    kp.restore(&deleted).await.refused(409, "KEY_CREATE_IMPORT_ACCESS_ERR");
    assert_eq!(kp.metadata(&deleted).await["state"], 5);
    kp.restore(&generated).await.succeeds(201);
    kp.rotate(&generated).await.succeeds(204);
    kp.disable(&imported).await.succeeds(204);
    rotate(&plain).await.refused(409, "KEY_ACTION_INVALID_STATE_ERR");
    let open = json!({ "enabled": true, "attributes": { "import_root_key": false, "create_root_key": false } });
    kp.instance_policy("keyCreateImportAccess", &open).await;
    kp.restore(&deleted).await.succeeds(201);
    kp.action(&deleted, "rotate").json(&plain).send().await.succeeds(204);
}

#[actix_web::test]
async fn a_key_that_a_policy_forbids_leaves_nothing_behind() {
    let kp = Harness::frozen_at(NOON).await;
    let attributes = json!({ "enabled": true, "attributes": { "create_root_key": false } });
    kp.instance_policy("keyCreateImportAccess", &attributes).await;
    let resource = json!({ "name": "invoices", "extractable": false, "aliases": ["inv"] });
    kp.try_create(&resource).await.refused(409, "KEY_CREATE_IMPORT_ACCESS_ERR");
    assert_eq!(kp.total("").await, "0");
    kp.get("/api/v2/keys/inv/metadata").send().await.refused(404, "KEY_NOT_FOUND_ERR");
    // What is wrong with the body comes first.
    kp.try_create(&json!({ "name": "x", "extractable": false })).await.refused(400, "INVALID_FIELD_ERR");
}

#[actix_web::test]
async fn policies_belong_to_their_instance_and_end_with_it() {
    let kp = Harness::frozen_at(NOON).await;
    let body = json!({
        "name": "second", "target": "us-south", "resource_group": "default",
        "resource_plan_id": "eedd3585-90c6-4c8f-be3d-062069e99fc3",
    });
    let second = kp.post("/v2/resource_instances").json(&body).send().await.succeeds(201);
    let guid = second["guid"].as_str().unwrap();
    kp.instance_policy("metrics", &json!({ "enabled": true })).await;
    let list = kp.get(PATH).header("bluemix-instance", guid).send().await.succeeds(200);
    assert_eq!(list["metadata"]["collectionTotal"], 0);
    let patched = json!({ "name": "renamed" });
    kp.patch(&format!("/v2/resource_instances/{}", kp.instance)).json(&patched).send().await.succeeds(200);
    assert_eq!(kp.instance_policies("").await.len(), 1, "a change of the instance leaves its policies alone");
    kp.delete(&format!("/v2/resource_instances/{}", kp.instance)).send().await.succeeds(204);
    kp.get(PATH).send().await.unauthorized();
}

#[actix_web::test]
async fn policies_of_an_instance_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::in_folder(folder.path(), &["--clock", &format!("frozen@{NOON}")]).await;
    let all: Vec<Value> = KINDS.iter().map(|kind| resource(kind, &enabled(kind))).collect();
    put(&kp, "", &all).await.succeeds(204);
    let before = kp.instance_policies("").await;
    kp.stop().await;
    let kp = Harness::in_folder(folder.path(), &["--clock", "frozen"]).await;
    assert_eq!(kp.instance_policies("").await, before);
    kp.try_create(&json!({ "name": "config" })).await.refused(409, "KEY_CREATE_IMPORT_ACCESS_ERR");
    kp.stop().await;
}

#[actix_web::test]
async fn setting_policies_writes_one_record_with_what_was_and_what_is() {
    let kp = Harness::frozen_at(NOON).await;
    kp.instance_policy("rotation", &enabled("rotation")).await;
    let all: Vec<Value> = KINDS.iter().map(|kind| resource(kind, &enabled(kind))).collect();
    put(&kp, "", &all).await.succeeds(204);
    kp.instance_policy("allowedIP", &json!({ "enabled": false })).await;
    let records = kp.audit("action=kms.instance-policies.write").await;
    assert_eq!(records.len(), 3);
    assert!(records[0]["requestData"].get("initialValue").is_none());
    let rotation = json!({ "policyRotationEnabled": true, "policyRotationAttribute": 3 });
    assert_eq!(records[0]["requestData"]["newValue"], rotation);
    assert_eq!(records[1]["requestData"]["initialValue"], rotation);
    let wanted = json!({
        "policyAllowedNetworkEnabled": true, "policyAllowedNetworkAttribute": "public-and-private",
        "policyDualAuthDeleteEnabled": true, "policyAllowedIPAttribute": "127.0.0.0/8,2001:db8::/32",
        "PolicyKCIAEnabled": true, "PolicyKCIAAttrCRK": true, "PolicyKCIAAttrCSK": false, "PolicyKCIAAttrIRK": true,
        "PolicyKCIAAttrISK": true, "PolicyKCIAAttrET": false, "policyMetricsEnabled": true,
        "policyRotationEnabled": true, "policyRotationAttribute": 3,
    });
    assert_eq!(records[1]["requestData"]["newValue"], wanted);
    assert_eq!(records[2]["requestData"]["newValue"], json!({ "policyAllowedIPAttribute": "" }));
    assert_eq!((&records[0]["severity"], &records[0]["reason"]["reasonCode"]), (&json!("warning"), &json!(204)));
    assert_eq!(records[0]["target"]["typeURI"], "kms/instance-policies");
    assert_eq!(records[0]["target"]["id"], kp.info["instanceCrn"]);
    kp.instance_policies("").await;
    assert_eq!(kp.audit("action=kms.instance-policies.read").await.len(), 1);
}

#[actix_web::test]
async fn only_a_manager_sets_and_reads_them() {
    let kp = Harness::frozen_at(NOON).await;
    let reader = kp.reader_token().await;
    let body = collection(&[resource("metrics", &json!({ "enabled": true }))]);
    kp.put(PATH).bearer(&reader).json(&body).send().await.unauthorized();
    kp.get(PATH).bearer(&reader).send().await.unauthorized();
    kp.get("/api/v2/instance/allowed_ip_port").bearer(&reader).send().await.unauthorized();
}
