//! Setting the policies of a key: `docs/contract/policies.md` 2.

use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::policies::{POLICY, collection};
use crate::harness::words::base64_of;

const NOON: &str = "2026-01-01T12:00:00Z";

fn path(key: &str) -> String {
    format!("/api/v2/keys/{key}/policies")
}

/// Enabled and months of the one rotation policy in a reply.
fn rotation(reply: &Value) -> &Value {
    &reply["resources"][0]["rotation"]
}

#[actix_web::test]
async fn a_rotation_policy_is_set_and_shown_with_the_key() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    assert!(kp.metadata(&key).await.get("rotation").is_none());
    kp.advance("1m").await;
    let reply = kp.set_policy(&key, "rotation", &json!({ "interval_month": 3 })).await;
    assert_eq!(reply.header("content-type"), Some(POLICY));
    let policy = reply.resource(200);
    let id = policy["id"].as_str().unwrap();
    let account = kp.info["accountId"].as_str().unwrap();
    let wanted = json!({
        "type": POLICY, "id": id,
        "crn": format!("crn:v1:bluemix:public:kms:us-south:a/{account}:{}:policy:{id}", kp.instance),
        "rotation": { "enabled": true, "interval_month": 3 },
        "createdBy": "IBMid-270005MKP0", "creationDate": "2026-01-01T12:01:00Z",
        "updatedBy": "IBMid-270005MKP0", "lastUpdateDate": "2026-01-01T12:01:00Z",
    });
    assert_eq!(policy, wanted);
    assert_eq!(kp.policies(&key).await, [wanted]);
    let shown = kp.metadata(&key).await;
    assert_eq!(shown["rotation"], json!({ "enabled": true, "interval_month": 3 }));
    assert_eq!(shown["lastUpdateDate"], "2026-01-01T12:01:00Z");
    assert_eq!(kp.list("limit=1").await["resources"][0]["rotation"]["interval_month"], 3);
}

#[actix_web::test]
async fn what_is_left_out_of_a_rotation_policy_stays_and_an_interval_alone_enables_it() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let set = async |policy: Value| kp.set_policy(&key, "rotation", &policy).await.succeeds(200);
    for missing in [json!({ "enabled": true }), json!({ "enabled": false }), json!({})] {
        let reason = kp.set_policy(&key, "rotation", &missing).await.refused(400, "INVALID_FIELD_ERR");
        assert_eq!(reason["target"], json!({ "type": "field", "name": "interval_month" }));
    }
    assert_eq!(*rotation(&set(json!({ "enabled": false, "interval_month": 2 })).await), told(false, 2));
    assert_eq!(*rotation(&set(json!({ "enabled": true })).await), told(true, 2));
    assert_eq!(*rotation(&set(json!({ "interval_month": 5 })).await), told(true, 5));
    assert_eq!(*rotation(&set(json!({ "enabled": false })).await), told(false, 5));
    assert_eq!(*rotation(&set(json!({ "interval_month": 1 })).await), told(true, 1));
    assert_eq!(*rotation(&set(json!({ "enabled": false, "interval_month": 12 })).await), told(false, 12));
}

fn told(enabled: bool, months: u8) -> Value {
    json!({ "enabled": enabled, "interval_month": months })
}

#[actix_web::test]
async fn a_change_keeps_the_policys_id_and_tells_who_made_it() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let first = kp.set_policy(&key, "rotation", &json!({ "interval_month": 3 })).await.resource(200);
    kp.advance("1h").await;
    let other = kp.token_for("another").await;
    let body = collection(&[json!({ "rotation": { "enabled": false } })]);
    let call = kp.put(&format!("{}?policy=rotation", path(&key))).bearer(&other).json(&body);
    let second = call.send().await.resource(200);
    for kept in ["id", "crn", "createdBy", "creationDate"] {
        assert_eq!(second[kept], first[kept], "{kept}");
    }
    assert_eq!(second["lastUpdateDate"], "2026-01-01T13:00:00Z");
    assert_ne!(second["updatedBy"], first["updatedBy"]);
}

#[actix_web::test]
async fn a_policy_rotates_an_interval_after_the_creation_or_the_last_rotation() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.advance("10d").await;
    kp.set_policy(&key, "rotation", &json!({ "interval_month": 1 })).await.succeeds(200);
    let due = |clock: &Value| (clock["nextDue"]["at"].as_str().unwrap().to_owned(), clock["nextDue"]["what"].clone());
    let clock = kp.get("/mock/clock").send().await.succeeds(200);
    assert_eq!(due(&clock), ("2026-01-31T12:00:00Z".to_owned(), json!("rotation")));
    kp.rotate(&key).await.succeeds(204);
    let clock = kp.get("/mock/clock").send().await.succeeds(200);
    assert_eq!(due(&clock).0, "2026-02-10T12:00:00Z");
    kp.advance("30d").await;
    assert_eq!(kp.metadata(&key).await["lastRotateDate"], "2026-02-10T12:00:00Z");
    let records = kp.audit("action=kms.secrets.rotate").await;
    assert_eq!(records.len(), 2);
    assert_eq!(records[1]["initiator"]["name"], "Key Protect");
}

#[actix_web::test]
async fn setting_a_policy_on_an_old_key_rotates_nothing_at_once() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.advance("100d").await;
    kp.set_policy(&key, "rotation", &json!({ "interval_month": 1 })).await.succeeds(200);
    assert!(kp.metadata(&key).await.get("lastRotateDate").is_none());
    kp.advance("30d").await;
    assert_eq!(kp.metadata(&key).await["lastRotateDate"], "2026-05-11T12:00:00Z");
}

#[actix_web::test]
async fn a_disabled_policy_rotates_nothing_and_counts_anew_when_enabled() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.set_policy(&key, "rotation", &json!({ "enabled": false, "interval_month": 1 })).await.succeeds(200);
    kp.advance("45d").await;
    assert!(kp.metadata(&key).await.get("lastRotateDate").is_none());
    kp.set_policy(&key, "rotation", &json!({ "enabled": true })).await.succeeds(200);
    kp.advance("29d").await;
    assert!(kp.metadata(&key).await.get("lastRotateDate").is_none());
    kp.advance("1d").await;
    assert_eq!(kp.metadata(&key).await["lastRotateDate"], "2026-03-17T12:00:00Z");
}

#[actix_web::test]
async fn rotations_that_fell_due_while_a_key_was_deleted_are_passed_over() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.set_policy(&key, "rotation", &json!({ "interval_month": 1 })).await.succeeds(200);
    kp.advance("29d").await;
    kp.delete_key(&key).await.succeeds(204);
    kp.advance("10d").await;
    kp.restore(&key).await.succeeds(201);
    assert!(kp.metadata(&key).await.get("lastRotateDate").is_none());
    kp.advance("21d").await;
    assert_eq!(kp.metadata(&key).await["lastRotateDate"], "2026-03-02T12:00:00Z");
}

#[actix_web::test]
async fn an_interval_must_be_a_whole_number_of_one_to_twelve_months() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    for wrong in [json!(0), json!(-1), json!(13), json!(1.5), json!("3"), json!([3]), json!(1e40)] {
        let reason = kp
            .set_policy(&key, "rotation", &json!({ "interval_month": wrong }))
            .await
            .refused(400, "INVALID_FIELD_ERR");
        assert_eq!(reason["message"], "The field `interval_month` must be: an integer between 1 and 12 (inclusive)");
        assert_eq!(reason["target"], json!({ "type": "field", "name": "interval_month" }), "{wrong}");
    }
    for months in [json!(1), json!(12), json!(3.0)] {
        kp.set_policy(&key, "rotation", &json!({ "interval_month": months })).await.succeeds(200);
    }
}

#[actix_web::test]
async fn dual_authorization_is_set_for_good() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_standard_key("config").await;
    let off = kp.set_policy(&key, "dualAuthDelete", &json!({ "enabled": false })).await.resource(200);
    assert_eq!(off["dualAuthDelete"], json!({ "enabled": false }));
    assert_eq!(kp.metadata(&key).await["dualAuthDelete"], json!({ "enabled": false }));
    let on = kp.set_policy(&key, "dualAuthDelete", &json!({ "enabled": true })).await.resource(200);
    assert_eq!((&on["id"], &on["dualAuthDelete"]), (&off["id"], &json!({ "enabled": true })));
    let shown = kp.metadata(&key).await;
    assert_eq!(shown["dualAuthDelete"], json!({ "enabled": true, "keySetForDeletion": false }));
    kp.delete_key(&key).await.refused(409, "AUTHORIZATIONS_NOT_MET");
    let reply = kp.set_policy(&key, "dualAuthDelete", &json!({ "enabled": false })).await;
    reply.refused(409, "DUAL_AUTH_POLICY_LOCKED_ERR");
    assert!(reply.error_msg().starts_with("Conflict: Key policy could not be created: "), "{}", reply.error_msg());
    kp.set_policy(&key, "dualAuthDelete", &json!({ "enabled": true })).await.succeeds(200);
    let missing = kp.set_policy(&key, "dualAuthDelete", &json!({})).await.refused(400, "INVALID_FIELD_ERR");
    assert_eq!(missing["target"]["name"], "enabled");
}

#[actix_web::test]
async fn both_policies_come_in_one_resource_or_in_two() {
    let kp = Harness::frozen_at(NOON).await;
    let one = collection(&[json!({ "rotation": { "interval_month": 2 }, "dualAuthDelete": { "enabled": false } })]);
    let two = collection(&[
        json!({ "type": POLICY, "dualAuthDelete": { "enabled": false } }),
        json!({ "type": POLICY, "rotation": { "interval_month": 2 } }),
    ]);
    for body in [one, two] {
        let key = kp.create_root_key("invoices").await;
        let reply = kp.set_policies(&key, &body).await.succeeds(200);
        assert_eq!(reply["metadata"]["collectionTotal"], 2);
        assert_eq!(reply["resources"], json!(kp.policies(&key).await));
        let holds =
            |kind: &str| reply["resources"].as_array().unwrap().iter().filter(|one| one.get(kind).is_some()).count();
        assert_eq!((holds("rotation"), holds("dualAuthDelete")), (1, 1));
    }
}

#[actix_web::test]
async fn without_a_query_the_reply_has_all_policies_of_the_key() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_dual_auth_key("invoices").await;
    let reply = kp.set_policies(&key, &collection(&[json!({ "rotation": { "interval_month": 2 } })])).await;
    assert_eq!(reply.succeeds(200)["metadata"]["collectionTotal"], 2);
    let alone = kp.set_policy(&key, "rotation", &json!({ "interval_month": 3 })).await.resource(200);
    assert_eq!(alone["rotation"]["interval_month"], 3);
}

#[actix_web::test]
async fn two_policies_are_set_together_or_not_at_all() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_dual_auth_key("invoices").await;
    let before = (kp.metadata(&key).await, kp.policies(&key).await);
    kp.advance("1m").await;
    let both = |months: i64, dual: bool| {
        collection(&[
            json!({ "rotation": { "interval_month": months } }),
            json!({ "dualAuthDelete": { "enabled": dual } }),
        ])
    };
    kp.set_policies(&key, &both(3, false)).await.refused(409, "DUAL_AUTH_POLICY_LOCKED_ERR");
    kp.set_policies(&key, &both(13, true)).await.refused(400, "INVALID_FIELD_ERR");
    assert_eq!((kp.metadata(&key).await, kp.policies(&key).await), before);
}

#[actix_web::test]
async fn query_and_body_must_name_the_same_policy_once() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let rotation = json!({ "rotation": { "interval_month": 2 } });
    let dual = json!({ "dualAuthDelete": { "enabled": true } });
    let both = json!({ "rotation": { "interval_month": 2 }, "dualAuthDelete": { "enabled": true } });
    let cases: [(&str, &[&Value], &str); 9] = [
        ("?policy=rotation", &[&dual], "BODY_QUERY_PARAM_MISMATCH_ERR"),
        ("?policy=dualAuthDelete", &[&rotation], "BODY_QUERY_PARAM_MISMATCH_ERR"),
        ("?policy=rotation", &[&both], "BODY_QUERY_PARAM_MISMATCH_ERR"),
        ("?policy=rotation", &[&rotation, &dual], "NUM_COLLECTION_RESOURCE_ERR"),
        ("?policy=rotation", &[&dual, &dual], "NUM_COLLECTION_RESOURCE_ERR"),
        ("", &[&rotation, &rotation], "BAD_BODY_ERR"),
        ("", &[&both, &dual], "BAD_BODY_ERR"),
        ("", &[&json!({ "type": POLICY })], "BAD_BODY_ERR"),
        ("", &[], "BAD_BODY_ERR"),
    ];
    for (query, resources, code) in cases {
        let resources: Vec<Value> = resources.iter().map(|resource| (*resource).clone()).collect();
        let call = kp.put(&format!("{}{query}", path(&key))).json(&collection(&resources));
        call.send().await.refused(400, code);
    }
    let reply = kp.put(&format!("{}?policy=metrics", path(&key))).json(&collection(&[rotation])).send().await;
    let reason = reply.refused(400, "INVALID_QUERY_PARAM_ERR");
    assert_eq!(reason["target"], json!({ "type": "query_param", "name": "policy" }));
    assert!(kp.policies(&key).await.is_empty());
}

#[actix_web::test]
async fn a_body_with_a_fault_in_its_envelope_is_refused() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let good = collection(&[json!({ "rotation": { "interval_month": 2 } })]);
    let with = |pointer: &str, value: Value| {
        let mut body = good.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let cases = [
        (with("/metadata/collectionTotal", json!(2)), "COLLECTION_TOTAL_MISMATCH_ERR"),
        (with("/metadata/collectionTotal", json!(0)), "COLLECTION_TOTAL_MISMATCH_ERR"),
        (with("/metadata/collectionTotal", Value::Null), "COLLECTION_TOTAL_MISMATCH_ERR"),
        (with("/metadata/collectionTotal", json!("1")), "BAD_BODY_ERR"),
        (with("/metadata/collectionType", json!("application/vnd.ibm.kms.key+json")), "BAD_BODY_ERR"),
        (with("/metadata", json!({})), "BAD_BODY_ERR"),
        (with("/metadata", Value::Null), "BAD_BODY_ERR"),
        (with("/resources", Value::Null), "BAD_BODY_ERR"),
        (with("/resources", json!({})), "BAD_BODY_ERR"),
        (with("/resources/0/rotation", json!(3)), "BAD_BODY_ERR"),
        (with("/resources/0/rotation", json!({ "enabled": "true", "interval_month": 3 })), "BAD_BODY_ERR"),
        (with("/resources/0", json!({ "type": "x", "rotation": { "interval_month": 2 } })), "INVALID_FIELD_ERR"),
    ];
    for (body, code) in cases {
        kp.set_policies(&key, &body).await.refused(400, code);
    }
    for empty in ["", "null", "  "] {
        kp.put(&path(&key)).raw(empty).send().await.refused(400, "NO_BODY_ERR");
    }
    for broken in ["{", "[]", "{} x"] {
        kp.put(&path(&key)).raw(broken).send().await.refused(400, "BAD_BODY_ERR");
    }
    assert!(kp.policies(&key).await.is_empty());
}

#[actix_web::test]
async fn unknown_fields_are_told_by_name_at_every_level() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let good = collection(&[json!({ "rotation": { "interval_month": 2 }, "dualAuthDelete": { "enabled": false } })]);
    for place in ["", "/metadata", "/resources/0", "/resources/0/rotation", "/resources/0/dualAuthDelete"] {
        let mut body = good.clone();
        body.pointer_mut(place).unwrap()["extraField"] = json!(1);
        let reason = kp.set_policies(&key, &body).await.refused(400, "BAD_BODY_ERR");
        let message = reason["message"].as_str().unwrap();
        assert!(message.ends_with(": json: unknown field \"extraField\""), "{place}: {message}");
    }
    // The fault of syntax outranks the one of meaning.
    let mut body = good.clone();
    body["resources"][0]["rotation"] = json!({ "interval_month": 99, "x": 1 });
    kp.set_policies(&key, &body).await.refused(400, "BAD_BODY_ERR");
    let names = json!({ "Metadata": { "CollectionType": POLICY, "COLLECTIONTOTAL": 1 },
        "resources": [{ "Rotation": { "Interval_Month": 2 } }] });
    kp.set_policies(&key, &names).await.succeeds(200);
}

#[actix_web::test]
async fn what_a_reply_holds_may_be_sent_back() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.set_policy(&key, "rotation", &json!({ "interval_month": 2 })).await.succeeds(200);
    let sent = collection(&kp.policies(&key).await);
    kp.set_policies(&key, &sent).await.succeeds(200);
}

#[actix_web::test]
async fn only_living_generated_root_keys_rotate_by_schedule() {
    let kp = Harness::frozen_at(NOON).await;
    let policy = json!({ "interval_month": 3 });
    let standard = kp.create_standard_key("config").await;
    let reason = kp.set_policy(&standard, "rotation", &policy).await.refused(400, "KEY_ROOT_REQ_ERR");
    let wanted =
        "Requested action can only be completed with a root key: Rotation policy cannot be set on a standard key";
    assert_eq!(reason["message"], wanted);
    let imported = kp.import_root_key("imported", &base64_of([7; 32])).await;
    kp.set_policy(&imported, "rotation", &policy).await.refused(400, "KEY_PAYLOAD_REQ_ERR");
    kp.set_policy(&imported, "dualAuthDelete", &json!({ "enabled": true })).await.succeeds(200);
    let deleted = kp.create_root_key("deleted").await;
    kp.delete_key(&deleted).await.succeeds(204);
    kp.set_policy(&deleted, "rotation", &policy).await.refused(410, "KEY_DELETED_ERR");
    kp.set_policy(&deleted, "rotation", &json!({ "interval_month": 99 })).await.refused(400, "INVALID_FIELD_ERR");
    assert!(kp.policies(&deleted).await.is_empty());
}

#[actix_web::test]
async fn policies_can_be_set_in_every_living_state() {
    let kp = Harness::frozen_at(NOON).await;
    let resource = json!({ "name": "a key", "extractable": false, "expirationDate": "2026-01-02T12:00:00Z" });
    let key = kp.create(&resource).await;
    kp.disable(&key).await.succeeds(204);
    kp.set_policy(&key, "rotation", &json!({ "interval_month": 1 })).await.succeeds(200);
    kp.advance("1d").await;
    assert_eq!(kp.metadata(&key).await["state"], 3);
    kp.set_policy(&key, "rotation", &json!({ "interval_month": 2 })).await.succeeds(200);
    kp.advance("61d").await;
    assert!(kp.metadata(&key).await.get("lastRotateDate").is_none(), "only active keys are rotated");
}

#[actix_web::test]
async fn an_unknown_key_or_one_of_another_ring_outranks_a_bad_body() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let nobody = "6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa";
    let reply = kp.put(&format!("{}?policy=wrong", path(nobody))).raw("{").send().await;
    reply.refused(404, "KEY_NOT_FOUND_ERR");
    let call = kp.put(&path(&key)).header("x-kms-key-ring", "another").raw("{");
    call.send().await.refused(404, "KEY_NOT_FOUND_ERR");
    kp.post(&format!("/api/v2/keys/{key}/aliases/inv")).send().await.succeeds(201);
    kp.set_policy("inv", "rotation", &json!({ "interval_month": 3 })).await.succeeds(200);
    assert_eq!(kp.policies(&key).await.len(), 1);
}

#[actix_web::test]
async fn a_reader_may_not_set_policies_and_prefer_changes_nothing() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let reader = kp.reader_token().await;
    let body = collection(&[json!({ "rotation": { "interval_month": 2 } })]);
    kp.put(&path(&key)).bearer(&reader).json(&body).send().await.unauthorized();
    for prefer in ["return=minimal", "return=representation"] {
        let reply = kp.put(&path(&key)).header("prefer", prefer).json(&body).send().await;
        assert_eq!(reply.succeeds(200)["metadata"]["collectionTotal"], 1);
    }
    // The Go client sends no content type.
    kp.put(&path(&key)).raw(body.to_string()).send().await.succeeds(200);
}

#[actix_web::test]
async fn setting_policies_writes_one_record() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.set_policy(&key, "rotation", &json!({ "interval_month": 2 })).await.succeeds(200);
    kp.set_policy(&key, "rotation", &json!({ "interval_month": 99 })).await.refused(400, "INVALID_FIELD_ERR");
    let records = kp.audit("action=kms.policies.write").await;
    assert_eq!(records.len(), 2);
    let told = |record: &Value| (record["reason"]["reasonCode"].clone(), record["severity"].clone());
    assert_eq!(told(&records[0]), (json!(200), json!("warning")));
    assert_eq!(told(&records[1]), (json!(400), json!("warning")));
    assert_eq!(records[0]["message"], "Key Protect: write policies invoices");
    assert_eq!(records[0]["target"]["typeURI"], "kms/policies");
    assert!(records[0]["target"]["id"].as_str().unwrap().ends_with(&format!(":key:{key}")));
}

#[actix_web::test]
async fn policies_survive_a_restart_and_rotate_then() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::in_folder(folder.path(), &["--clock", &format!("frozen@{NOON}")]).await;
    let key = kp.create_root_key("invoices").await;
    kp.set_policy(&key, "rotation", &json!({ "interval_month": 1 })).await.succeeds(200);
    let before = kp.policies(&key).await;
    kp.stop().await;
    let kp = Harness::in_folder(folder.path(), &["--clock", "frozen"]).await;
    assert_eq!(kp.policies(&key).await, before);
    kp.advance("30d").await;
    assert_eq!(kp.metadata(&key).await["lastRotateDate"], "2026-01-31T12:00:00Z");
    kp.stop().await;
}
