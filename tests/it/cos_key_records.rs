//! The gateway's records of root keys' events, and what becomes of events that it does not take.

use serde_json::{Value, json};

use crate::harness::Harness;

async fn ledger() -> (Harness, String) {
    let kp = Harness::with_gateway().await;
    let key = kp.create_root_key("ledger").await;
    kp.sealed_bucket("ledger", &key).await;
    (kp, key)
}

fn kinds(records: &[Value]) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    records
        .iter()
        .map(|record| {
            let (request, response) = (&record["requestData"], &record["responseData"]);
            let kind = (text(&request["eventType"]), text(&request["requestedKeyState"]));
            (kind.0, kind.1, text(&response["adopterKeyState"]))
        })
        .collect()
}

#[actix_web::test]
async fn each_event_leaves_one_record_of_the_bucket() {
    let (kp, key) = ledger().await;
    kp.rotate(&key).await.succeeds(204);
    kp.disable(&key).await.succeeds(204);
    kp.advance("31s").await;
    kp.enable(&key).await.succeeds(204);
    kp.delete(&format!("/api/v2/keys/{key}?force=true")).send().await.succeeds(204);
    kp.advance("31s").await;
    kp.restore(&key).await.succeeds(201);
    kp.advance("5h").await;
    let records = kp.key_records("ledger").await;
    let expected = [
        ("rotation", "enabled", "enabled"),
        ("disable", "disabled", "disabled"),
        ("enable", "enabled", "enabled"),
        ("deletion", "disabled", "disabled"),
        ("restoration", "enabled", "enabled"),
    ];
    let expected = expected.map(|(kind, asked, noted)| (kind.to_owned(), asked.to_owned(), noted.to_owned()));
    assert_eq!(kinds(&records), expected);
    for action in ["rotate", "disable", "enable", "delete", "restore"] {
        let acknowledged = kp.audit(&format!("action=kms.secrets.ack-{action}&target={key}")).await;
        assert_eq!(acknowledged.len(), 1, "{action}");
        assert_eq!(acknowledged[0]["outcome"], "success", "{action}");
    }
}

#[actix_web::test]
async fn a_record_names_bucket_key_version_and_event() {
    let (kp, key) = ledger().await;
    let rotated = kp.rotate(&key).await;
    rotated.succeeds(204);
    kp.advance("0s").await;
    let records = kp.key_records("ledger").await;
    let record = &records[0];
    let versions = kp.get(&format!("/api/v2/keys/{key}/versions")).send().await.succeeds(200);
    let newest = &versions["resources"][0]["id"];
    assert_eq!(record["target"]["id"], kp.bucket("ledger"));
    assert_eq!(record["target"]["name"], "ledger");
    assert_eq!(record["target"]["typeURI"], "cloud-object-storage/bucket");
    assert_eq!(record["initiator"]["id"], kp.info["instanceCrn"]);
    assert_eq!((&record["outcome"], &record["reason"]["reasonCode"]), (&json!("success"), &json!(200)));
    assert_eq!(&record["requestData"]["requestKeyVersion"], newest);
    assert_eq!(record["requestData"]["bucketLocation"], "us-south-standard");
    assert_eq!(&record["responseData"]["adopterKeyVersion"], newest);
    let delivery = &kp.get(&format!("/mock/deliveries?keyId={key}")).send().await.succeeds(200)["deliveries"][0];
    assert_eq!(record["responseData"]["eventID"], delivery["eventId"]);
    assert_eq!((&delivery["subscriber"], &delivery["state"]), (&json!("cos-gateway"), &json!("succeeded")));
    let asked = kp.audit(&format!("action=kms.secrets.rotate&target={key}")).await;
    assert_eq!(record["correlationId"], asked[0]["correlationId"]);
}

#[actix_web::test]
async fn an_event_that_comes_twice_counts_once() {
    let (kp, key) = ledger().await;
    kp.disable(&key).await.succeeds(204);
    kp.advance("31s").await;
    let deliveries = kp.get(&format!("/mock/deliveries?keyId={key}")).send().await.succeeds(200);
    let id = deliveries["deliveries"][0]["id"].as_str().unwrap().to_owned();
    kp.enable(&key).await.succeeds(204);
    kp.advance("2h").await;
    kp.post(&format!("/mock/deliveries/{id}/redeliver")).send().await.succeeds(202);
    kp.advance("0s").await;
    assert_eq!(kp.bucket_state("ledger").await["keyState"], "active");
    assert_eq!(kp.key_records("ledger").await.len(), 2);
    kp.put_object("ledger/a", "open").await.answers(200);
}

#[actix_web::test]
async fn a_gateway_that_is_cut_off_keeps_silent_and_key_protect_tells_of_the_failure_after_four_hours() {
    let (kp, key) = ledger().await;
    kp.put_object("ledger/a", "open").await.answers(200);
    kp.delete("/mock/subscribers/cos-gateway").send().await.succeeds(204);
    kp.disable(&key).await.succeeds(204);
    kp.advance("30m").await;
    // Nobody has told the gateway: what it remembers holds for the rest of the hour.
    kp.get_object("ledger/a").await.answers(200);
    kp.advance("31m").await;
    kp.get_object("ledger/a").await.refused_with(403, "AccessDenied");
    kp.advance("4h").await;
    assert_eq!(kp.key_records("ledger").await.len(), 0);
    let records = kp.audit(&format!("action=kms.secrets.ack-disable&target={key}")).await;
    assert_eq!(records.len(), 1);
    assert_eq!((&records[0]["outcome"], &records[0]["reason"]["reasonCode"]), (&json!("failure"), &json!(408)));
    assert_eq!(records[0]["responseData"]["resourceCRN"], kp.bucket("ledger"));
}

#[actix_web::test]
async fn an_event_without_a_good_signature_is_not_taken() {
    let (kp, key) = ledger().await;
    kp.put_object("ledger/a", "open").await.answers(200);
    let body = json!({
        "specVersion": "1", "eventId": "e1", "eventType": "deletion", "renotification": false,
        "eventTime": "2027-01-01T00:00:00Z", "deadline": "2027-01-01T04:00:00Z", "correlationId": "c",
        "instanceId": kp.instance, "keyId": key, "keyCrn": kp.key_crn(&key), "keyState": 5,
        "requestedKeyState": "disabled", "newKeyVersion": null, "oldKeyVersion": null,
        "resourceCrn": kp.bucket("ledger"), "registration": {},
    });
    let forged = kp.s3(hyper::Method::POST, "/v1/key-events").json(&body);
    forged.send().await.answers(401);
    let forged = kp.s3(hyper::Method::POST, "/v1/key-events").json(&body).header("webhook-id", "e1");
    let forged = forged.header("webhook-timestamp", "1700000000").header("webhook-signature", "v1,AAAA");
    forged.send().await.answers(401);
    kp.get_object("ledger/a").await.answers(200);
    assert_eq!(kp.key_records("ledger").await.len(), 0);
}
