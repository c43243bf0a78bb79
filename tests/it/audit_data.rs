//! What records tell beside who did what: `docs/contract/events.md` 5.3, and rings, networks and waiting.

use serde_json::{Value, json};

use crate::harness::keys::{creation, id_of};
use crate::harness::{Call, Harness};

const NOON: &str = "2026-01-01T12:00:00Z";

/// Sends a request; the one record that it wrote.
async fn recorded(kp: &Harness, call: Call<'_>, id: &str) -> Value {
    call.header("correlation-id", id).send().await;
    let records = kp.audit(&format!("correlationId={id}")).await;
    assert_eq!(records.len(), 1, "{id}: {records:#?}");
    records[0].clone()
}

#[actix_web::test]
async fn a_key_that_will_expire_is_counted_down_in_each_record_that_says_so() {
    let kp = Harness::frozen_at(NOON).await;
    let resource = json!({
        "name": "invoices", "extractable": false, "expirationDate": "2026-01-11T11:00:00Z",
        "rotation": { "interval_month": 1 },
    });
    let created = kp.post("/api/v2/keys_with_policy_overrides").json(&creation(&resource));
    let created = recorded(&kp, created, "create").await;
    assert_eq!(created["action"], "kms.secrets-with-policy-overrides.create");
    let key = created["responseData"]["keyId"].as_str().unwrap().to_owned();
    let sealed = json!({ "ciphertext": kp.wrap(&key, "aGVsbG8=").await });
    let path = format!("/api/v2/keys/{key}");
    let mut told = vec![created];
    for (call, id) in [
        (kp.get(&path), "read"),
        (kp.get(&format!("{path}/metadata")), "metadata"),
        (kp.action(&key, "wrap"), "wrap"),
        (kp.action(&key, "unwrap").json(&sealed), "unwrap"),
        (kp.action(&key, "rewrap").json(&sealed), "rewrap"),
    ] {
        told.push(recorded(&kp, call, id).await);
    }
    for record in &told {
        let told = &record["responseData"];
        assert_eq!(told["expirationDate"], "2026-01-11T11:00:00Z", "{record:#}");
        assert_eq!(told["daysToKeyExpire"], 9, "{record:#}");
    }
    for call in [kp.action(&key, "rotate"), kp.action(&key, "disable")] {
        let record = recorded(&kp, call, &format!("change-{}", told.len())).await;
        assert!(record["responseData"].get("daysToKeyExpire").is_none(), "{record:#}");
        told.push(record);
        kp.advance("1h").await;
    }
    let lasting = kp.create_root_key("lasting").await;
    let record = recorded(&kp, kp.action(&lasting, "wrap"), "lasting").await;
    assert!(record["responseData"].get("expirationDate").is_none(), "{record:#}");
}

#[actix_web::test]
async fn the_ring_of_a_request_is_in_its_record() {
    let kp = Harness::frozen_at(NOON).await;
    kp.post("/api/v2/key_rings/ledger").send().await.succeeds(201);
    let resource = json!({ "name": "invoices", "extractable": false });
    let made = kp.post("/api/v2/keys").header("x-kms-key-ring", "ledger").json(&creation(&resource));
    let key = id_of(&made.send().await.succeeds(201));
    let named = [
        (kp.get("/api/v2/keys"), "list", 200),
        (kp.get(&format!("/api/v2/keys/{key}")), "read", 200),
        (kp.get("/api/v2/keys").without("authorization"), "stranger", 401),
        (kp.get("/api/v2/keys?limit=0"), "refused", 400),
    ];
    for (call, id, status) in named {
        let record = recorded(&kp, call.header("x-kms-key-ring", "ledger"), id).await;
        assert_eq!(record["reason"]["reasonCode"], status);
        assert_eq!(record["requestData"]["keyRingId"], "ledger", "{record:#}");
    }
    let listed = &kp.audit("correlationId=list").await[0];
    assert_eq!(listed["responseData"], json!({ "keyRingId": "ledger", "totalResources": 1 }));
    let unnamed = recorded(&kp, kp.get(&format!("/api/v2/keys/{key}")), "unnamed").await;
    assert!(unnamed["requestData"].get("keyRingId").is_none());
    assert_eq!(unnamed["responseData"]["keyRingId"], "ledger", "the path names a key");
}

#[actix_web::test]
async fn rings_and_import_tokens_are_recorded_with_what_they_have() {
    let kp = Harness::frozen_at(NOON).await;
    let cases = [
        (kp.post("/api/v2/key_rings/ledger"), "kms.key-rings.create", 201, json!({ "keyRingId": "ledger" })),
        (kp.get("/api/v2/key_rings"), "kms.key-rings.list", 200, json!({ "totalResources": 2 })),
        (kp.delete("/api/v2/key_rings/ledger"), "kms.key-rings.delete", 204, json!({ "keyRingId": "ledger" })),
        (
            kp.post("/api/v2/import_token").json(&json!({ "expiration": 600, "maxAllowedRetrievals": 5 })),
            "kms.import-token.create",
            200,
            json!({ "expirationDate": "2026-01-01T12:10:00Z", "maxAllowedRetrievals": 5 }),
        ),
        (
            kp.get("/api/v2/import_token"),
            "kms.import-token.read",
            200,
            json!({ "maxAllowedRetrievals": 5, "remainingRetrievals": 4 }),
        ),
    ];
    for (number, (call, action, status, data)) in cases.into_iter().enumerate() {
        let record = recorded(&kp, call, &format!("case-{number}")).await;
        assert_eq!((&record["action"], &record["reason"]["reasonCode"]), (&json!(action), &json!(status)));
        assert_eq!((&record["severity"], &record["responseData"]), (&json!("normal"), &data));
    }
}

#[actix_web::test]
async fn forbidden_is_told_as_unauthorized() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let path = Harness::registration_path(&key, &kp.bucket("ledger"));
    let record = recorded(&kp, kp.post(&path), "forbidden").await;
    assert_eq!(record["reason"]["reasonCode"], 401);
    assert_eq!((&record["reason"]["reasonType"], &record["severity"]), (&json!("Unauthorized"), &json!("critical")));
}

#[actix_web::test]
async fn a_listing_waits_until_enough_has_happened() {
    let kp = Harness::frozen_at(NOON).await;
    let waiting = kp.get("/mock/audit-events?action=kms.secrets.create&min=2&wait=30s").send();
    let happening = async {
        kp.create_root_key("one").await;
        kp.create_root_key("two").await;
    };
    let (reply, ()) = tokio::join!(waiting, happening);
    assert_eq!(reply.succeeds(200)["total"], 2);
}
