//! Service ids and API keys of IAM: made, read, refused.

use serde_json::{Value, json};

use crate::harness::{Harness, Reply};

const NOON: &str = "2026-01-01T12:00:00Z";
const NOBODY: &str = "ServiceId-6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa";

#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str) -> String {
    let body = reply.succeeds(status);
    assert_eq!(body["errors"][0]["code"], code, "{body}");
    body["errors"][0]["message"].as_str().expect("a message").to_owned()
}

async fn made(kp: &Harness, path: &str, body: &Value) -> Value {
    kp.post(path).json(body).send().await.succeeds(201)
}

#[actix_web::test]
async fn what_was_made_is_read_again_but_for_the_key() {
    let kp = Harness::frozen_at(NOON).await;
    let body =
        json!({ "account_id": kp.account(), "name": "robot", "description": "counts", "unique_instance_crns": [] });
    // Older SDKs end the path with a slash.
    let service = made(&kp, "/v1/serviceids/", &body).await;
    assert_eq!(service["name"], "robot");
    assert_eq!(service["description"], "counts");
    assert_eq!(service["created_at"], NOON);
    let path = format!("/v1/serviceids/{}", service["id"].as_str().unwrap());
    assert_eq!(kp.get(&path).send().await.succeeds(200), service);
    let body =
        json!({ "name": "first", "iam_id": service["iam_id"], "account_id": kp.account(), "store_value": false });
    let mut key = made(&kp, "/v1/apikeys", &body).await;
    assert_ne!(key["apikey"], "");
    let path = format!("/v1/apikeys/{}", key["id"].as_str().unwrap());
    key["apikey"] = json!("");
    assert_eq!(kp.get(&path).send().await.succeeds(200), key);
}

#[actix_web::test]
async fn an_api_key_speaks_for_whom_it_was_made() {
    let kp = Harness::frozen_at(NOON).await;
    let service = made(&kp, "/v1/serviceids", &json!({ "account_id": kp.account(), "name": "robot" })).await;
    let owner = kp.create_root_key("by owner").await;
    let owner = kp.metadata(&owner).await["createdBy"].clone();
    for iam_id in [&service["iam_id"], &owner] {
        let chosen = format!("chosen-{}", iam_id.as_str().unwrap());
        let key = made(&kp, "/v1/apikeys", &json!({ "name": "x", "iam_id": iam_id, "apikey": chosen })).await;
        assert_eq!(key["apikey"], chosen);
        let token = kp.token_for(&chosen).await;
        let body = crate::harness::keys::creation(&json!({ "name": "by it", "extractable": false }));
        let made = kp.post("/api/v2/keys").bearer(&token).json(&body).send().await.succeeds(201);
        assert_eq!(kp.metadata(&crate::harness::keys::id_of(&made)).await["createdBy"], *iam_id);
    }
}

#[actix_web::test]
async fn bad_bodies_are_refused_by_the_field() {
    let kp = Harness::frozen_at(NOON).await;
    let account = kp.account().to_owned();
    let services = [
        (json!({ "account_id": account }), "name"),
        (json!({ "account_id": account, "name": "" }), "name"),
        (json!({ "account_id": account, "name": 1 }), "name"),
        (json!({ "name": "robot" }), "account_id"),
        (json!({ "account_id": account, "name": "robot", "description": "x".repeat(1_001) }), "description"),
        (json!({ "account_id": account, "name": "robot", "apikey": { "name": "x" } }), "apikey"),
    ];
    for (body, field) in services {
        let message = refused(&kp.post("/v1/serviceids").json(&body).send().await, 400, "invalid_body");
        assert!(message.contains(&format!("`{field}`")), "{message}");
    }
    let keys = [
        (json!({ "name": "x" }), "iam_id"),
        (json!({ "name": "x", "iam_id": format!("iam-{NOBODY}") }), "iam_id"),
        (json!({ "name": "x", "iam_id": "IBMid-1" }), "iam_id"),
        (json!({ "iam_id": "IBMid-270005MKP0" }), "name"),
        (json!({ "name": "x", "iam_id": "IBMid-270005MKP0", "apikey": "" }), "apikey"),
        (json!({ "name": "x", "iam_id": "IBMid-270005MKP0", "expires_at": NOON }), "expires_at"),
    ];
    for (body, field) in keys {
        let message = refused(&kp.post("/v1/apikeys").json(&body).send().await, 400, "invalid_body");
        assert!(message.contains(&format!("`{field}`")), "{message}");
    }
    for path in ["/v1/serviceids", "/v1/apikeys"] {
        refused(&kp.post(path).raw("[]").send().await, 400, "invalid_body");
        let body = json!({ "account_id": "0".repeat(32), "name": "x", "iam_id": "IBMid-270005MKP0" });
        refused(&kp.post(path).json(&body).send().await, 403, "insufficent_permissions");
        refused(&kp.post(path).without("authorization").json(&body).send().await, 401, "invalid_token");
        refused(&kp.get(&format!("{path}/{NOBODY}")).send().await, 404, "not_found");
        refused(&kp.delete(&format!("{path}/{NOBODY}")).send().await, 404, "not_found");
    }
}

#[actix_web::test]
async fn an_api_key_is_one_persons_alone() {
    let kp = Harness::frozen_at(NOON).await;
    let body = |apikey: &str| json!({ "name": "x", "iam_id": "IBMid-270005MKP0", "apikey": apikey });
    made(&kp, "/v1/apikeys", &body("mine")).await;
    let owners = kp.info["apiKey"].as_str().unwrap();
    for taken in ["mine", owners] {
        let message = refused(&kp.post("/v1/apikeys").json(&body(taken)).send().await, 409, "unable_to_process");
        assert!(message.contains("`apikey`") && !message.contains(taken), "{message}");
    }
    // Whoever administers the account does not become its owner.
    let robot = kp.token_for("robot").await;
    let theirs = kp.post("/v1/apikeys").bearer(&robot).json(&body("theirs")).send().await;
    refused(&theirs, 403, "insufficent_permissions");
    for number in 1..20 {
        made(&kp, "/v1/apikeys", &body(&format!("mine {number}"))).await;
    }
    let message = refused(&kp.post("/v1/apikeys").json(&body("more")).send().await, 409, "unable_to_process");
    assert!(message.contains("`iam_id`"), "{message}");
}
