//! Rotating, disabling, moving, deleting, restoring and purging keys: `docs/contract/keys.md` 9 to 12.

use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::keys::id_of;
use crate::harness::words::{base64_of, members};

const NOON: &str = "2026-01-01T12:00:00Z";
const HELLO: &str = "aGVsbG8=";

fn key_path(key: &str) -> String {
    format!("/api/v2/keys/{key}")
}

async fn rotate_with(kp: &Harness, key: &str, body: &Value) -> crate::harness::Reply {
    kp.action(key, "rotate").json(body).send().await
}

#[actix_web::test]
async fn a_rotation_changes_the_version_and_the_dates_and_not_the_id() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let mut before = kp.metadata(&key).await;
    assert!(before.get("lastRotateDate").is_none());
    kp.advance("1m").await;
    let reply = kp.rotate(&key).await;
    reply.succeeds(204);
    assert_eq!(reply.header("content-type"), None);
    let after = kp.metadata(&key).await;
    let now = "2026-01-01T12:01:00Z";
    assert_ne!(after["keyVersion"]["id"], before["keyVersion"]["id"]);
    before["keyVersion"] = json!({ "id": after["keyVersion"]["id"], "creationDate": now });
    before["lastRotateDate"] = json!(now);
    before["lastUpdateDate"] = json!(now);
    assert_eq!(after, before);
}

#[actix_web::test]
async fn a_generated_key_rotates_without_a_payload_only() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let body = json!({ "payload": base64_of([1; 32]) });
    let reply = rotate_with(&kp, &key, &body).await;
    let reason = reply.refused(400, "INVALID_QUERY_PARAM_ERR");
    assert_eq!(reason["target"], json!({ "type": "query_param", "name": "payload" }));
    assert_eq!(reason["message"], "The query_param `payload` must be: provided only if key is imported");
    assert!(reply.error_msg().starts_with("Bad Request: Key could not be rotated: "), "{}", reply.error_msg());
    for body in ["", "null", "{}"] {
        kp.action(&key, "rotate").raw(body).send().await.succeeds(204);
        kp.advance("1h").await;
    }
}

#[actix_web::test]
async fn an_imported_key_rotates_with_a_payload_only_and_its_length_may_change() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.import_root_key("imported", &base64_of([1; 16])).await;
    let old = kp.wrap(&key, HELLO).await;
    for body in ["", "null", "{}", "{\"payload\":null}"] {
        let reason = kp.action(&key, "rotate").raw(body).send().await.refused(400, "KEY_PAYLOAD_REQ_ERR");
        assert_eq!(reason["target"], json!({ "type": "field", "name": "payload" }));
        let message = "This root key was created with user-supplied key material: Key material is required to perform a \
                       'rotate' action";
        assert_eq!(reason["message"], message);
    }
    let more =
        json!({ "payload": base64_of([2; 32]), "type": "x", "name": "y", "description": "z", "extractable": true });
    rotate_with(&kp, &key, &more).await.succeeds(204);
    let seen = kp.metadata(&key).await;
    assert_eq!(seen["algorithmBitSize"], 256);
    assert_eq!(seen["algorithmMetadata"]["bitLength"], "256");
    assert_eq!(kp.unwrap(&key, &old).await.succeeds(200)["plaintext"], HELLO);
    let same = kp.import_root_key("same", &base64_of([2; 32])).await;
    let new = kp.wrap(&key, HELLO).await;
    assert_eq!(kp.unwrap(&same, &new).await.succeeds(200)["plaintext"], HELLO);
}

#[actix_web::test]
async fn payload_faults_are_found_before_the_hour_is() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.import_root_key("imported", &base64_of([1; 16])).await;
    rotate_with(&kp, &key, &json!({ "payload": base64_of([2; 16]) })).await.succeeds(204);
    kp.rotate(&key).await.refused(400, "KEY_PAYLOAD_REQ_ERR");
    for payload in [base64_of([2; 17]), "*".to_owned()] {
        let reply = rotate_with(&kp, &key, &json!({ "payload": payload })).await;
        assert_eq!(reply.refused(400, "INVALID_FIELD_ERR")["target"]["name"], "payload");
    }
    rotate_with(&kp, &key, &json!({ "payload": "" })).await.refused(400, "BAD_BODY_ERR");
    let fine = json!({ "payload": base64_of([3; 16]) });
    rotate_with(&kp, &key, &fine).await.refused(409, "KEY_ROTATION_NOT_PERMITTED");
    kp.advance("1h").await;
    rotate_with(&kp, &key, &fine).await.succeeds(204);
}

#[actix_web::test]
async fn of_changes_at_once_one_wins_and_the_others_are_told() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let cases = [("rotate", "KEY_ROTATION_NOT_PERMITTED"), ("disable", "KEY_ACTION_INVALID_STATE_ERR")];
    for (action, code) in cases {
        let replies = futures_util::future::join_all((0..20).map(|_| kp.action(&key, action).send())).await;
        let (done, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 204);
        assert_eq!((done.len(), refused.len()), (1, 19), "{action}");
        for reply in refused {
            reply.refused(409, code);
        }
    }
    let versions = kp.get(&format!("{}/versions?allKeyStates=true", key_path(&key))).send().await.succeeds(200);
    assert_eq!(versions["metadata"]["collectionTotal"], 2);
    let replies = futures_util::future::join_all((0..20).map(|_| kp.delete_key(&key))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 204).count(), 1);
    assert_eq!(replies.iter().filter(|reply| reply.status == 410).count(), 19);
}

#[actix_web::test]
async fn a_sealed_rotation_needs_an_import_token() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.import_root_key("imported", &base64_of([1; 16])).await;
    let mut sealed = json!({
        "payload": base64_of(vec![1; 512]), "encryptedNonce": base64_of([2; 28]), "iv": base64_of([3; 12]),
    });
    rotate_with(&kp, &key, &sealed).await.refused(409, "IMPORT_TOKEN_EXPIRED_ERR");
    sealed.as_object_mut().unwrap().remove("iv");
    rotate_with(&kp, &key, &sealed).await.refused(400, "INVALID_FIELD_ERR");
}

#[actix_web::test]
async fn bodies_where_none_is_needed_are_no_trouble() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_dual_auth_key("invoices").await;
    for body in ["", "null", "{}"] {
        for action in ["setKeyForDeletion", "unsetKeyForDeletion", "disable", "enable", "sync"] {
            if action == "sync" {
                kp.advance("1h").await;
            }
            let reply = kp.action(&key, action).raw(body).send().await;
            reply.succeeds(204);
            assert_eq!(reply.header("content-type"), None, "{action}");
            kp.advance("30s").await;
        }
    }
}

#[actix_web::test]
async fn a_disabled_key_neither_wraps_nor_opens_until_it_is_enabled() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let ciphertext = kp.wrap(&key, HELLO).await;
    kp.disable(&key).await.succeeds(204);
    kp.action(&key, "wrap").send().await.refused(409, "KEY_ACTION_INVALID_STATE_ERR");
    kp.unwrap(&key, &ciphertext).await.refused(409, "KEY_ACTION_INVALID_STATE_ERR");
    kp.advance("30s").await;
    kp.enable(&key).await.succeeds(204);
    assert_eq!(kp.unwrap(&key, &ciphertext).await.succeeds(200)["plaintext"], HELLO);
    assert_eq!(kp.metadata(&key).await["lastUpdateDate"], "2026-01-01T12:00:30Z");
}

#[actix_web::test]
async fn a_patch_moves_a_key_to_a_ring_and_answers_with_the_key() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    for field in ["keyRingID", "KeyRingID", "keyringid"] {
        kp.advance("1s").await;
        let reply = kp.patch(&key_path(&key)).json(&json!({ field: "default" })).send().await;
        let seen = reply.resource(200);
        assert_eq!(seen["keyRingID"], "default");
        assert_eq!(seen, kp.metadata(&key).await);
        assert_eq!(reply.header("content-type"), Some("application/vnd.ibm.kms.key+json"));
    }
    let standard = kp.create_standard_key("standard").await;
    let reply = kp.patch(&key_path(&standard)).json(&json!({ "keyRingID": "default" })).send().await;
    assert!(reply.resource(200).get("payload").is_none());
}

#[actix_web::test]
async fn a_patch_needs_a_ring_that_exists() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    for ring in ["no-such-ring", "Default", "a b"] {
        let reply = kp.patch(&key_path(&key)).json(&json!({ "keyRingID": ring })).send().await;
        reply.refused(404, "KEY_RING_NOT_FOUND_ERR");
        assert!(reply.error_msg().starts_with("Not Found: Key could not be updated: "), "{}", reply.error_msg());
    }
    for body in ["", "null"] {
        kp.patch(&key_path(&key)).raw(body).send().await.refused(400, "NO_BODY_ERR");
    }
    for body in ["{}", "{\"name\":\"new\"}", "{\"keyRingID\":null}", "{\"keyRingID\":\"\"}", "{\"keyRingID\":1}", "[]"]
    {
        kp.patch(&key_path(&key)).raw(body).send().await.refused(400, "BAD_BODY_ERR");
    }
    assert_eq!(kp.metadata(&key).await["lastUpdateDate"], NOON);
}

#[actix_web::test]
async fn a_ring_in_the_header_hides_keys_of_other_rings() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let body = json!({ "keyRingID": "default" });
    let path = key_path(&key);
    let calls = |ring: &str| {
        [
            kp.get(&path).header("x-kms-key-ring", ring),
            kp.get(&format!("{path}/metadata")).header("X-Kms-Key-Ring", ring),
            kp.action(&key, "wrap").header("x-kms-key-ring", ring),
            kp.patch(&path).json(&body).header("x-kms-key-ring", ring),
            kp.get(&format!("{path}/versions")).header("x-kms-key-ring", ring),
        ]
    };
    for call in calls("default") {
        call.send().await.succeeds(200);
    }
    for call in calls("another") {
        call.send().await.refused(404, "KEY_NOT_FOUND_ERR");
    }
    kp.delete(&path).header("x-kms-key-ring", "another").send().await.refused(404, "KEY_NOT_FOUND_ERR");
    kp.delete(&path).header("x-kms-key-ring", "default").send().await.succeeds(204);
}

#[actix_web::test]
async fn a_deletion_answers_as_preferred() {
    let kp = Harness::frozen_at(NOON).await;
    let preferences =
        [(None, 204), (Some("return=minimal"), 204), (Some("else"), 204), (Some("return=representation"), 200)];
    for (prefer, status) in preferences {
        let key = kp.create_root_key("invoices").await;
        let mut call = kp.delete(&key_path(&key));
        if let Some(prefer) = prefer {
            call = call.header("prefer", prefer);
        }
        let reply = call.send().await;
        let body = reply.succeeds(status);
        assert_eq!(reply.header("content-type").is_some(), status == 200);
        if status == 200 {
            assert_eq!(body["resources"][0], kp.metadata(&key).await);
        }
    }
}

#[actix_web::test]
async fn a_deleted_key_tells_when_it_can_be_restored_and_purged() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create(&json!({ "name": "invoices", "extractable": false, "aliases": ["inv"] })).await;
    let before = kp.metadata(&key).await;
    kp.advance("1m").await;
    kp.delete_key(&key).await.succeeds(204);
    let after = kp.get("/api/v2/keys/inv").send().await.resource(200);
    let told = json!({
        "state": 5, "deleted": true, "deletionDate": "2026-01-01T12:01:00Z", "deletedBy": "IBMid-270005MKP0",
        "restoreExpirationDate": "2026-01-31T12:01:00Z", "restoreAllowed": true, "purgeAllowed": false,
        "purgeAllowedFrom": "2026-01-01T16:01:00Z", "purgeScheduledOn": "2026-04-01T12:01:00Z",
        "lastUpdateDate": "2026-01-01T12:01:00Z",
    });
    let mut wanted = before;
    for (name, value) in told.as_object().unwrap() {
        wanted[name] = value.clone();
    }
    assert_eq!(after, wanted);
    kp.delete_key(&key).await.refused(410, "KEY_DELETED_ERR");
}

#[actix_web::test]
async fn deleting_a_standard_key_shows_its_material_a_last_time() {
    let kp = Harness::frozen_at(NOON).await;
    let payload = base64_of("a password");
    let key = kp.create(&json!({ "name": "standard", "payload": payload })).await;
    let call = kp.delete(&key_path(&key)).header("prefer", "return=representation");
    assert_eq!(call.send().await.resource(200)["payload"], payload);
    assert!(kp.get(&key_path(&key)).send().await.resource(200).get("payload").is_none());
    kp.advance("30s").await;
    kp.restore(&key).await.succeeds(201);
    assert_eq!(kp.get(&key_path(&key)).send().await.resource(200)["payload"], payload);
}

#[actix_web::test]
async fn a_restored_key_is_what_it_was() {
    let kp = Harness::frozen_at(NOON).await;
    let resource = json!({
        "name": "invoices", "extractable": false, "aliases": ["inv"], "tags": ["a"], "rotation": { "interval_month": 3 },
    });
    let key = id_of(&kp.try_create_with_policies(&resource).await.succeeds(201));
    let ciphertext = kp.wrap(&key, HELLO).await;
    kp.rotate(&key).await.succeeds(204);
    let mut before = kp.metadata(&key).await;
    kp.delete_key(&key).await.succeeds(204);
    kp.advance("30s").await;
    let old_body = json!({ "metadata": {}, "resources": [{ "payload": base64_of([1; 16]) }] });
    let call = kp.post("/api/v2/keys/inv/restore").json(&old_body).header("prefer", "return=minimal");
    let restored = call.send().await.resource(201);
    before["lastUpdateDate"] = json!("2026-01-01T12:00:30Z");
    let mut after = kp.metadata(&key).await;
    for optional in ["deletionDate", "deletedBy"] {
        after.as_object_mut().unwrap().remove(optional);
    }
    assert_eq!(after, before);
    assert_eq!((&restored["id"], &restored["state"], &restored["deleted"]), (&json!(key), &json!(1), &json!(false)));
    assert_eq!(kp.unwrap(&key, &ciphertext).await.succeeds(200)["plaintext"], HELLO);
    let policies = kp.get(&format!("{}/policies", key_path(&key))).send().await.succeeds(200);
    assert_eq!(policies["metadata"]["collectionTotal"], 1);
}

#[actix_web::test]
async fn restoration_works_in_the_older_form_and_with_any_body() {
    let kp = Harness::frozen_at(NOON).await;
    for body in ["", "null", "{}", "not json", "[[[["] {
        let key = kp.import_root_key("imported", &base64_of([1; 16])).await;
        for path in [format!("{}/restore", key_path(&key)), format!("{}?action=restore", key_path(&key))] {
            kp.delete_key(&key).await.succeeds(204);
            kp.advance("30s").await;
            assert_eq!(kp.post(&path).raw(body).send().await.resource(201)["id"], key);
        }
    }
}

#[actix_web::test]
async fn a_purge_answers_as_preferred_and_leaves_nothing() {
    let kp = Harness::frozen_at(NOON).await;
    let resource = json!({ "name": "invoices", "extractable": false, "aliases": ["inv"] });
    let key = kp.create(&resource).await;
    kp.purge(&key).await.refused(409, "KEY_ACTION_INVALID_STATE_ERR");
    kp.delete_key(&key).await.succeeds(204);
    kp.advance("4h").await;
    let last = kp.metadata(&key).await;
    let call = kp.delete("/api/v2/keys/inv/purge").header("prefer", "return=representation");
    let shown = call.send().await.resource(200);
    assert_eq!(shown, last);
    assert_eq!((&shown["state"], &shown["purgeAllowed"]), (&json!(5), &json!(true)));
    let reply = kp.purge(&key).await;
    reply.refused(404, "KEY_NOT_FOUND_ERR");
    assert!(reply.error_msg().starts_with("Not Found: Key could not be retrieved: "), "{}", reply.error_msg());
    kp.restore(&key).await.refused(404, "KEY_NOT_FOUND_ERR");
    kp.get("/api/v2/keys/inv").send().await.refused(404, "KEY_NOT_FOUND_ERR");
    assert_eq!(kp.total("state=5").await, "0");
    let again = kp.create(&resource).await;
    kp.delete_key(&again).await.succeeds(204);
    kp.advance("4h").await;
    let reply = kp.purge(&again).await;
    reply.succeeds(204);
    assert_eq!(reply.header("content-type"), None);
}

#[actix_web::test]
async fn a_key_of_two_people_needs_both_of_them() {
    let kp = Harness::frozen_at(NOON).await;
    let [first, second] = [kp.token_for("first").await, kp.token_for("second").await];
    let key = kp.create_dual_auth_key("invoices").await;
    let refuse = async |token: &str| {
        let reply = kp.delete(&key_path(&key)).bearer(token).send().await;
        let reason = reply.refused(409, "AUTHORIZATIONS_NOT_MET");
        assert_eq!(reason["message"], "Number of authorizations required to delete is not met");
        let wanted = "Conflict: 1 prior authorization(s) are required for deletion: Key could not be deleted: Please see \
                      `reasons` for more details (AUTHORIZATIONS_NOT_MET)";
        assert_eq!(reply.error_msg(), wanted);
    };
    let act = async |token: &str, action: &str| {
        kp.action(&key, action).bearer(token).send().await.succeeds(204);
    };
    refuse(&second).await;
    act(&first, "setKeyForDeletion").await;
    refuse(&first).await;
    kp.wrap(&key, HELLO).await;
    act(&second, "unsetKeyForDeletion").await;
    refuse(&second).await;
    act(&first, "setKeyForDeletion").await;
    kp.advance("1d").await;
    act(&second, "setKeyForDeletion").await;
    let dual = kp.metadata(&key).await["dualAuthDelete"].clone();
    assert_eq!(dual["authExpiration"], "2026-01-09T12:00:00Z");
    refuse(&second).await;
    kp.delete(&key_path(&key)).bearer(&first).send().await.succeeds(204);
}

#[actix_web::test]
async fn a_restored_key_of_two_people_needs_them_again() {
    let kp = Harness::frozen_at(NOON).await;
    let other = kp.token_for("other").await;
    let key = kp.create_dual_auth_key("invoices").await;
    kp.action(&key, "setKeyForDeletion").send().await.succeeds(204);
    kp.delete(&key_path(&key)).bearer(&other).send().await.succeeds(204);
    kp.delete(&key_path(&key)).bearer(&other).send().await.refused(410, "KEY_DELETED_ERR");
    kp.advance("30s").await;
    kp.restore(&key).await.succeeds(201);
    assert_eq!(kp.metadata(&key).await["dualAuthDelete"], json!({ "enabled": true, "keySetForDeletion": false }));
    kp.delete(&key_path(&key)).bearer(&other).send().await.refused(409, "AUTHORIZATIONS_NOT_MET");
}

#[actix_web::test]
async fn a_key_without_the_policy_cannot_be_set_for_deletion() {
    let kp = Harness::frozen_at(NOON).await;
    let root = kp.create_root_key("invoices").await;
    let standard = kp.create_standard_key("standard").await;
    for key in [&root, &standard] {
        for action in ["setKeyForDeletion", "unsetKeyForDeletion"] {
            let reply = kp.action(key, action).send().await;
            let reason = reply.refused(409, "NOT_DUAL_AUTH_ERR");
            assert_eq!(reason["message"], "The key is not dual auth enabled and cannot be set for deletion");
            let subject = "Conflict: Action could not be performed on key: ";
            assert!(reply.error_msg().starts_with(subject), "{}", reply.error_msg());
        }
    }
}

#[actix_web::test]
async fn only_who_manages_keys_may_change_them() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let reader = kp.reader_token().await;
    let path = key_path(&key);
    let before = kp.metadata(&key).await;
    let calls = [
        kp.post("/api/v2/keys").json(&json!({})),
        kp.post("/api/v2/keys_with_policy_overrides").json(&json!({})),
        kp.patch(&path).json(&json!({ "keyRingID": "default" })),
        kp.delete(&path),
        kp.delete(&format!("{path}/purge")),
        kp.post(&format!("{path}/restore")),
        kp.post(&format!("{path}/aliases/spare")),
        kp.delete(&format!("{path}/aliases/spare")),
        kp.get(&path),
        kp.get(&format!("{path}/policies")),
    ];
    for call in calls {
        call.bearer(&reader).send().await.unauthorized();
    }
    for action in ["rotate", "disable", "enable", "sync", "setKeyForDeletion", "unsetKeyForDeletion"] {
        kp.action(&key, action).bearer(&reader).send().await.unauthorized();
    }
    assert_eq!(kp.metadata(&key).await, before);
    assert_eq!(members(&before).len(), 18);
}
