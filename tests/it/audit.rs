//! Audit records: `docs/contract/events.md` 5.

use serde_json::{Value, json};

use crate::harness::keys::{creation, id_of};
use crate::harness::words::{base64_of, members};
use crate::harness::{Call, Harness};

const NOON: &str = "2026-01-01T12:00:00Z";
const NOBODY: &str = "6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa";

/// Sends a request; the one record that it wrote.
async fn recorded(kp: &Harness, call: Call<'_>, id: &str) -> Value {
    call.header("correlation-id", id).send().await;
    let records = kp.audit(&format!("correlationId={id}")).await;
    assert_eq!(records.len(), 1, "{id}: {records:#?}");
    records[0].clone()
}

/// Sends a request; action, status and severity of its record.
async fn weighed(kp: &Harness, call: Call<'_>, id: &str) -> (String, u64, String) {
    let record = recorded(kp, call, id).await;
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    (text(&record["action"]), record["reason"]["reasonCode"].as_u64().expect("a status"), text(&record["severity"]))
}

#[actix_web::test]
async fn a_record_says_who_did_what_when_and_to_which_key() {
    let kp = Harness::frozen_at("2026-01-01T12:00:00.320Z").await;
    let key = kp.create_root_key("invoices").await;
    let path = format!("/api/v2/keys/{key}/actions/disable");
    let record = recorded(&kp, kp.post(&path), "disable-it").await;
    let account = kp.info["accountId"].as_str().unwrap();
    let instance = format!("crn:v1:bluemix:public:kms:us-south:a/{account}:{}", kp.instance);
    let wanted = json!({
        "eventTime": "2026-01-01T12:00:00.32+0000", "outcome": "success", "action": "kms.secrets.disable",
        "message": "Key Protect: disable secret invoices", "severity": "warning",
        "reason": { "reasonCode": 204, "reasonType": "No Content" },
        "target": { "id": format!("{instance}:key:{key}"), "name": "invoices", "typeURI": "kms/secrets" },
        "observer": { "name": "ActivityTracker" }, "dataEvent": false, "saveServiceCopy": true,
        "correlationId": "disable-it", "logSourceCRN": format!("{instance}::"),
        "requestData": { "requestURI": path, "instanceID": kp.instance },
        "responseData": { "keyRingId": "default" },
    });
    for (name, value) in wanted.as_object().unwrap() {
        assert_eq!(&record[name], value, "{name}");
    }
    let initiator = &record["initiator"];
    assert_eq!(initiator["id"], "IBMid-270005MKP0");
    assert_eq!(initiator["name"], "owner@example.com");
    assert_eq!(initiator["typeURI"], "service/security/account/user");
    assert_eq!(initiator["host"], json!({ "address": "127.0.0.1", "addressType": "IPv4" }));
    assert_eq!(members(&record).len(), wanted.as_object().unwrap().len() + 1);
}

#[actix_web::test]
async fn a_refusal_is_recorded_under_the_key_whether_an_id_or_an_alias_named_it() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create(&json!({ "name": "invoices", "extractable": false, "aliases": ["ledger"] })).await;
    for named in [key.as_str(), "ledger"] {
        let path = format!("/api/v2/keys/{named}/actions/enable");
        let record = recorded(&kp, kp.post(&path), &format!("by-{named}")).await;
        assert_eq!(record["outcome"], "failure");
        assert!(record["target"]["id"].as_str().unwrap().ends_with(&format!(":key:{key}")), "{record}");
        assert_eq!(record["target"]["name"], "invoices");
        assert_eq!(record["message"], "Key Protect: enable secret invoices -failure");
    }
    assert_eq!(kp.audit(&format!("outcome=failure&target={key}")).await.len(), 2);
}

#[actix_web::test]
async fn each_reading_operation_writes_one_record_with_its_action() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let path = format!("/api/v2/keys/{key}");
    let ciphertext = kp.wrap(&key, "aGVsbG8=").await;
    let sealed = json!({ "ciphertext": ciphertext });
    let cases = [
        (kp.get("/api/v2/keys"), "kms.secrets.list"),
        (kp.head("/api/v2/keys"), "kms.secrets.head"),
        (kp.get(&path), "kms.secrets.read"),
        (kp.get(&format!("{path}/metadata")), "kms.secrets-metadata.read"),
        (kp.get(&format!("{path}/versions")), "kms.secrets-key-versions.list"),
        (kp.get(&format!("{path}/policies")), "kms.policies.read"),
        (kp.get(&format!("{path}/registrations")), "kms.registrations.list"),
        (kp.get("/api/v2/keys/registrations"), "kms.registrations.list"),
        (kp.action(&key, "wrap"), "kms.secrets.wrap"),
        (kp.action(&key, "unwrap").json(&sealed), "kms.secrets.unwrap"),
        (kp.action(&key, "rewrap").json(&sealed), "kms.secrets.rewrap"),
        (kp.post(&format!("{path}?action=wrap")), "kms.secrets.wrap"),
    ];
    for (number, (call, action)) in cases.into_iter().enumerate() {
        let weight = weighed(&kp, call, &format!("read-{number}")).await;
        assert_eq!(weight, (action.to_owned(), 200, "normal".to_owned()));
    }
}

#[actix_web::test]
async fn each_changing_operation_writes_one_record_with_its_action_and_severity() {
    let kp = Harness::frozen_at(NOON).await;
    let resource =
        creation(&json!({ "name": "invoices", "extractable": false, "dualAuthDelete": { "enabled": true } }));
    let create = kp.post("/api/v2/keys").json(&resource);
    let weight = weighed(&kp, create, "create").await;
    assert_eq!(weight, ("kms.secrets.create".to_owned(), 201, "normal".to_owned()));
    let create = kp.post("/api/v2/keys_with_policy_overrides").json(&resource);
    let weight = weighed(&kp, create, "create-with").await;
    assert_eq!(weight, ("kms.secrets-with-policy-overrides.create".to_owned(), 201, "normal".to_owned()));
    let dual = kp.create_dual_auth_key("dual").await;
    let key = kp.create_root_key("invoices").await;
    let path = format!("/api/v2/keys/{key}");
    let cases = [
        (kp.action(&dual, "setKeyForDeletion"), "kms.secrets.setkeyfordeletion", 204, "warning"),
        (kp.action(&dual, "unsetKeyForDeletion"), "kms.secrets.unsetkeyfordeletion", 204, "warning"),
        (kp.action(&key, "sync"), "kms.secrets.sync", 204, "normal"),
        (kp.post(&format!("{path}/aliases/inv")), "kms.secrets-alias.create", 201, "normal"),
        (kp.delete(&format!("{path}/aliases/inv")), "kms.secrets-alias.delete", 204, "normal"),
        (kp.patch(&path).json(&json!({ "keyRingID": "default" })), "kms.secrets.patch", 200, "normal"),
        (kp.action(&key, "rotate"), "kms.secrets.rotate", 204, "warning"),
        (kp.action(&key, "disable"), "kms.secrets.disable", 204, "warning"),
        (kp.action(&key, "enable"), "kms.secrets.enable", 204, "warning"),
        (kp.delete(&path), "kms.secrets.delete", 204, "critical"),
        (kp.post(&format!("{path}/restore")), "kms.secrets.restore", 201, "warning"),
        (kp.delete(&path).header("prefer", "return=representation"), "kms.secrets.delete", 200, "critical"),
        (kp.delete(&format!("{path}/purge")), "kms.secrets.purge", 204, "normal"),
    ];
    for (number, (call, action, status, severity)) in cases.into_iter().enumerate() {
        let weight = weighed(&kp, call, &format!("change-{number}")).await;
        assert_eq!(weight, (action.to_owned(), status, severity.to_owned()));
        kp.advance("4h").await;
    }
}

#[actix_web::test]
async fn refusals_are_recorded_and_weighed_by_their_status() {
    let kp = Harness::frozen_at(NOON).await;
    let reader = kp.reader_token().await;
    let key = kp.create_root_key("invoices").await;
    let gone = kp.create_root_key("gone").await;
    kp.delete_key(&gone).await.succeeds(204);
    let tampered = base64_of(
        json!({ "ciphertext": base64_of([1; 32]), "iv": base64_of([1; 12]), "version": "4.0.0", "handle": key })
            .to_string(),
    );
    let unwrap = |body: &Value| kp.action(&key, "unwrap").json(body);
    let nobody = format!("/api/v2/keys/{NOBODY}");
    let cases = [
        (kp.get("/api/v2/keys").without("authorization"), "kms.secrets.list", 401, "critical"),
        (kp.post("/api/v2/keys").without("authorization").raw("{"), "kms.secrets.create", 401, "critical"),
        (kp.delete(&nobody).bearer(&reader), "kms.secrets.delete", 401, "critical"),
        (kp.get("/api/v2/keys").header("authorization", "x"), "kms.secrets.list", 400, "warning"),
        (kp.get("/api/v2/keys").without("bluemix-instance"), "kms.secrets.list", 400, "warning"),
        (kp.get("/api/v2/keys").header("bluemix-instance", NOBODY), "kms.secrets.list", 401, "critical"),
        (kp.post("/api/v2/keys").raw("{"), "kms.secrets.create", 400, "warning"),
        (kp.action(&key, "enable"), "kms.secrets.enable", 409, "warning"),
        (kp.get(&nobody), "kms.secrets.read", 404, "normal"),
        (kp.delete(&nobody), "kms.secrets.delete", 404, "critical"),
        (kp.action(NOBODY, "rotate"), "kms.secrets.rotate", 404, "warning"),
        (kp.delete(&format!("/api/v2/keys/{gone}")), "kms.secrets.delete", 410, "critical"),
        (unwrap(&json!({ "ciphertext": tampered })), "kms.secrets.unwrap", 422, "normal"),
        (unwrap(&json!({})), "kms.secrets.unwrap", 400, "warning"),
        (kp.get("/api/v2/keys?limit=0"), "kms.secrets.list", 400, "warning"),
        (kp.head("/api/v2/keys?state=9"), "kms.secrets.head", 400, "warning"),
        (kp.put("/api/v2/keys"), "kms.secrets.default", 405, "normal"),
        (kp.action(&key, "fly"), "kms.secrets.default", 404, "normal"),
    ];
    for (number, (call, action, status, severity)) in cases.into_iter().enumerate() {
        let id = format!("refusal-{number}");
        let weight = weighed(&kp, call, &id).await;
        assert_eq!(weight, (action.to_owned(), status, severity.to_owned()), "{id}");
        let record = &kp.audit(&format!("correlationId={id}")).await[0];
        assert_eq!(record["outcome"], "failure");
        assert!(record["message"].as_str().unwrap().ends_with(" -failure"), "{}", record["message"]);
        let text = record["reason"]["reasonForFailure"].as_str().unwrap();
        assert!(!text.is_empty());
        assert!(record["requestData"]["requestURI"].as_str().unwrap().starts_with("/api/v2/"));
    }
}

#[actix_web::test]
async fn the_reason_for_a_failure_is_the_text_of_the_error() {
    let kp = Harness::frozen_at(NOON).await;
    let reply = kp.get(&format!("/api/v2/keys/{NOBODY}")).header("correlation-id", "lost").send().await;
    let record = &kp.audit("correlationId=lost").await[0];
    assert_eq!(record["reason"]["reasonForFailure"], reply.error_msg());
    assert_eq!(record["reason"]["reasonType"], "Not Found");
    assert_eq!(record["requestData"]["instanceID"], kp.instance);
}

#[actix_web::test]
async fn records_of_creation_and_reading_describe_the_key() {
    let kp = Harness::frozen_at(NOON).await;
    let resource = json!({ "name": "invoices", "extractable": false, "expirationDate": "2026-01-11T11:00:00Z" });
    let call = kp.post("/api/v2/keys").json(&creation(&resource));
    let created = recorded(&kp, call, "create").await;
    let key = created["responseData"]["keyId"].as_str().unwrap().to_owned();
    assert!(created["requestData"]["keyType"].is_string());
    let wanted = json!({
        "keyId": key, "keyVersionId": key, "keyVersionCreationDate": NOON, "keyState": 1,
        "expirationDate": "2026-01-11T11:00:00Z", "daysToKeyExpire": 9, "keyRingId": "default",
    });
    assert_eq!(created["responseData"], wanted);
    for path in ["", "/metadata"] {
        let call = kp.get(&format!("/api/v2/keys/{key}{path}"));
        let read = recorded(&kp, call, &format!("read{}", path.replace('/', "-"))).await;
        assert_eq!(read["requestData"]["keyType"], created["requestData"]["keyType"]);
        for name in ["keyVersionId", "keyVersionCreationDate", "keyState", "expirationDate", "daysToKeyExpire"] {
            assert_eq!(read["responseData"][name], created["responseData"][name], "{name}");
        }
    }
    kp.advance("9d").await;
    let call = kp.action(&key, "wrap");
    let wrapped = recorded(&kp, call, "wrap").await;
    let days = json!({
        "keyVersionId": key, "expirationDate": "2026-01-11T11:00:00Z", "daysToKeyExpire": 0, "keyRingId": "default",
    });
    assert_eq!(wrapped["responseData"], days);
}

#[actix_web::test]
async fn records_of_lists_tell_how_many_there_were() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("one").await;
    kp.create_root_key("two").await;
    kp.rotate(&key).await.succeeds(204);
    let calls = [
        (kp.get("/api/v2/keys?limit=1"), 1),
        (kp.head("/api/v2/keys?limit=1"), 2),
        (kp.get(&format!("/api/v2/keys/{key}/versions")), 2),
        (kp.get("/api/v2/keys/registrations"), 0),
        (kp.get(&format!("/api/v2/keys/{key}/registrations")), 0),
    ];
    for (number, (call, total)) in calls.into_iter().enumerate() {
        let record = recorded(&kp, call, &format!("list-{number}")).await;
        assert_eq!(record["responseData"]["totalResources"], total, "{record:#}");
    }
}

#[actix_web::test]
async fn records_of_wrapping_name_the_versions() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let ciphertext = kp.wrap(&key, "aGVsbG8=").await;
    kp.rotate(&key).await.succeeds(204);
    let newest = kp.metadata(&key).await["keyVersion"]["id"].clone();
    let body = json!({ "ciphertext": ciphertext });
    let wrap = recorded(&kp, kp.action(&key, "wrap"), "wrap").await;
    assert_eq!(wrap["responseData"]["keyVersionId"], newest);
    let unwrap = recorded(&kp, kp.action(&key, "unwrap").json(&body), "unwrap").await;
    assert_eq!(unwrap["responseData"]["keyVersionId"], key);
    let rewrap = recorded(&kp, kp.action(&key, "rewrap").json(&body), "rewrap").await;
    let wanted = json!({ "keyVersionId": key, "rewrappedKeyVersionId": newest, "keyRingId": "default" });
    assert_eq!(rewrap["responseData"], wanted);
}

#[actix_web::test]
async fn records_of_changes_tell_what_changed() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let path = format!("/api/v2/keys/{key}");
    let patch = kp.patch(&path).json(&json!({ "keyRingID": "default" })).header("x-kms-key-ring", "default");
    let record = recorded(&kp, patch, "patch").await;
    let request = &record["requestData"];
    assert_eq!(request["initialValue"], json!({ "keyRingId": "default" }));
    assert_eq!(request["newValue"], json!({ "keyRingId": "default" }));
    assert_eq!(request["keyRingId"], "default");
    let record = recorded(&kp, kp.post(&format!("{path}/aliases/inv")), "alias").await;
    assert_eq!(record["requestData"]["alias"], "inv");
    assert_eq!(record["target"]["typeURI"], "kms/secrets-alias");
    let record = recorded(&kp, kp.delete(&path), "delete").await;
    assert_eq!(record["responseData"]["keyState"], 5);
    kp.advance("30s").await;
    let record = recorded(&kp, kp.post(&format!("{path}/restore")), "restore").await;
    assert_eq!(record["responseData"]["keyVersionId"], key);
    kp.delete_key(&key).await.succeeds(204);
    kp.advance("4h").await;
    let record = recorded(&kp, kp.delete(&format!("{path}/purge")), "purge").await;
    let told = &record["responseData"];
    assert_eq!(told["deletionDate"], "2026-01-01T12:00:30Z");
    assert_eq!(told["purgeAllowedFrom"], "2026-01-01T16:00:30Z");
    assert_eq!(told["purgeEligibleOn"], "2026-04-01T12:00:30Z");
}

#[actix_web::test]
async fn records_of_the_two_people_rule_tell_before_and_after() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_dual_auth_key("invoices").await;
    let given = json!({ "authID": "IBMid-270005MKP0", "authExpiration": "2026-01-08T12:00:00Z" });
    let set = recorded(&kp, kp.action(&key, "setKeyForDeletion"), "set").await;
    assert_eq!(set["responseData"]["newValue"], given);
    let unset = recorded(&kp, kp.action(&key, "unsetKeyForDeletion"), "unset").await;
    assert_eq!(unset["responseData"]["initialValue"], given);
}

#[actix_web::test]
async fn no_record_holds_a_secret() {
    let kp = Harness::frozen_at(NOON).await;
    let payload = base64_of([0x5a; 32]);
    let key = kp.import_root_key("invoices", &payload).await;
    let ciphertext = kp.wrap(&key, "c2VjcmV0").await;
    kp.unwrap(&key, &ciphertext).await.succeeds(200);
    let next = json!({ "payload": base64_of([0x6b; 32]) });
    kp.action(&key, "rotate").json(&next).send().await.succeeds(204);
    let standard = kp.create(&json!({ "name": "standard", "payload": payload })).await;
    kp.get(&format!("/api/v2/keys/{standard}")).send().await.succeeds(200);
    let records = Value::from(kp.audit("").await).to_string();
    for secret in [payload.as_str(), "c2VjcmV0", next["payload"].as_str().unwrap(), &ciphertext, &kp.token] {
        assert!(!records.contains(secret), "{secret}");
    }
}

#[actix_web::test]
async fn records_are_listed_in_the_order_of_what_happened() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    for number in 0..20 {
        match number % 4 {
            0 => kp.action(&key, "wrap").send().await.succeeds(200),
            1 => kp.action(&key, "sync").send().await.succeeds(204),
            2 => kp.get(&format!("/api/v2/keys/{NOBODY}")).send().await.succeeds(404),
            _ => kp.get("/api/v2/keys").send().await.succeeds(200),
        };
        kp.advance("1h").await;
    }
    let actions: Vec<String> =
        kp.audit("").await.iter().map(|record| record["action"].as_str().unwrap().to_owned()).collect();
    let round = ["kms.secrets.wrap", "kms.secrets.sync", "kms.secrets.read", "kms.secrets.list"];
    let wanted: Vec<&str> = ["kms.secrets.create"].into_iter().chain(round.into_iter().cycle().take(20)).collect();
    assert_eq!(actions, wanted);
}

#[actix_web::test]
async fn records_are_found_by_action_target_outcome_and_time() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.create_root_key("other").await;
    kp.advance("1h").await;
    kp.disable(&key).await.succeeds(204);
    kp.disable(&key).await.refused(409, "KEY_ACTION_INVALID_STATE_ERR");
    kp.get(&format!("/api/v2/keys/{key}/metadata")).send().await.succeeds(200);
    let crn = kp.metadata(&key).await["crn"].as_str().unwrap().to_owned();
    let cases = [
        ("action=kms.secrets.create".to_owned(), 2),
        ("action=kms.secrets.*".to_owned(), 4),
        ("action=kms.secrets*".to_owned(), 6),
        ("action=kms.secrets.creat".to_owned(), 0),
        ("outcome=failure".to_owned(), 1),
        ("outcome=success&action=kms.secrets.disable".to_owned(), 1),
        (format!("target={key}"), 5),
        (format!("target={crn}"), 5),
        (format!("target={key}&action=kms.secrets.create"), 1),
        ("target=other".to_owned(), 1),
        ("since=2026-01-01T13:00:00Z".to_owned(), 4),
        ("since=2026-01-01T13:00:01Z".to_owned(), 0),
        ("since=2026-01-01T12:00:00Z&limit=3".to_owned(), 3),
        ("action=kms.secrets.disable&min=2&wait=5s".to_owned(), 2),
        ("correlationId=none".to_owned(), 0),
    ];
    for (query, found) in cases {
        assert_eq!(kp.audit(&query).await.len(), found, "{query}");
    }
    let reply = kp.get("/mock/audit-events?limit=3").send().await.succeeds(200);
    assert_eq!((reply["auditEvents"].as_array().unwrap().len(), &reply["total"]), (3, &json!(6)));
    for query in ["limit=0", "since=yesterday", "colour=red", "limit=5001", "wait=2m"] {
        kp.get(&format!("/mock/audit-events?{query}")).send().await.succeeds(400);
    }
}

#[actix_web::test]
async fn time_itself_is_recorded_as_the_services_doing() {
    let kp = Harness::frozen_at(NOON).await;
    let resource = json!({
        "name": "invoices", "extractable": false, "expirationDate": "2026-03-01T12:00:00Z",
        "rotation": { "interval_month": 1 },
    });
    let key = id_of(&kp.try_create_with_policies(&resource).await.succeeds(201));
    kp.advance("60d").await;
    let gone = kp.create_root_key("gone").await;
    kp.delete_key(&gone).await.succeeds(204);
    kp.advance("90d").await;
    let rotations = kp.audit("action=kms.secrets.rotate").await;
    let times: Vec<&str> = rotations.iter().map(|record| record["eventTime"].as_str().unwrap()).collect();
    assert_eq!(times, ["2026-01-31T12:00:00.00+0000"], "a deactivated key is not rotated");
    let expired = kp.audit("action=kms.secrets.expire").await;
    assert_eq!(expired.len(), 1);
    let record = &expired[0];
    assert_eq!(record["eventTime"], "2026-03-01T12:00:00.00+0000");
    assert_eq!(record["message"], "Key Protect: expire secret invoices");
    assert_eq!(record["requestData"]["expirationDate"], "2026-03-01T12:00:00Z");
    assert!(record["requestData"]["keyType"].is_string(), "{record:#}");
    let told = &record["responseData"];
    assert_eq!((&told["keyId"], &told["daysToKeyExpire"]), (&json!(key), &json!(0)));
    assert_eq!(told["initialValue"], json!({ "keyState": 1 }));
    assert_eq!(told["newValue"], json!({ "keyState": 3 }));
    let purged = kp.audit("action=kms.secrets.purge").await;
    assert_eq!(purged.len(), 1);
    assert!(purged[0]["target"]["id"].as_str().unwrap().ends_with(&gone));
    for record in rotations.iter().chain(&expired).chain(&purged) {
        assert_eq!(record["outcome"], "success");
        let initiator = &record["initiator"];
        assert!(initiator["id"].as_str().unwrap().starts_with("iam-ServiceId-"), "{initiator}");
        assert_eq!(initiator["name"], "Key Protect");
        assert_eq!(initiator["typeURI"], "service/security/account/serviceid");
        assert!(initiator.get("host").is_none());
    }
    let all = kp.audit("").await;
    assert!(all.iter().map(|record| record["eventTime"].as_str().unwrap()).is_sorted());
}

#[actix_web::test]
async fn a_service_identity_is_named_as_such() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let other = kp.token_for("somebody").await;
    let record = recorded(&kp, kp.action(&key, "wrap").bearer(&other), "service-id").await;
    assert!(record["initiator"]["id"].as_str().unwrap().starts_with("iam-ServiceId-"));
    assert_eq!(record["initiator"]["typeURI"], "service/security/account/serviceid");
    let reader = kp.reader_token().await;
    let record = recorded(&kp, kp.action(&key, "wrap").bearer(&reader), "crn").await;
    let crn = kp.info["cosInstanceCrn"].as_str().unwrap();
    assert!(record["initiator"]["id"].as_str().unwrap().contains(crn), "{record:#}");
}

#[actix_web::test]
async fn what_fits_no_route_is_recorded_with_its_family() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let path = format!("/api/v2/keys/{key}");
    let cases = [
        (kp.get("/api/v2/nothing"), 404, "kms.secrets.default"),
        (kp.delete("/api/v2/keys"), 405, "kms.secrets.default"),
        (kp.get(&format!("{path}/colour")), 404, "kms.secrets.default"),
        (kp.put(&format!("{path}/aliases/inv")), 405, "kms.secrets-alias.request"),
        (kp.delete(&format!("{path}/policies")), 405, "kms.policies.default"),
        (kp.delete(&format!("{path}/registrations")), 405, "kms.registrations.default"),
        (kp.delete("/api/v2/keys/registrations"), 405, "kms.registrations.default"),
        (kp.put("/api/v2/key_rings"), 405, "kms.key-rings.request"),
        (kp.delete("/api/v2/import_token"), 405, "kms.import-token.request"),
    ];
    for (number, (call, status, action)) in cases.into_iter().enumerate() {
        let record = recorded(&kp, call, &format!("family-{number}")).await;
        assert_eq!((&record["reason"]["reasonCode"], &record["action"]), (&json!(status), &json!(action)));
    }
}

#[actix_web::test]
async fn requests_side_by_side_leave_one_record_each() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let calls = (0..200).map(|number| {
        let call = match number % 3 {
            0 => kp.action(&key, "wrap"),
            1 => kp.post(&format!("/api/v2/keys/{NOBODY}/restore")),
            _ => kp.patch(&format!("/api/v2/keys/{key}")).json(&json!({ "keyRingID": "default" })),
        };
        call.header("correlation-id", &format!("busy-{number}")).send()
    });
    futures_util::future::join_all(calls).await;
    let mut seen: Vec<String> = kp
        .audit("limit=1000")
        .await
        .iter()
        .map(|record| record["correlationId"].as_str().unwrap().to_owned())
        .filter(|id| id.starts_with("busy-"))
        .collect();
    assert_eq!(seen.len(), 200);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 200);
}
