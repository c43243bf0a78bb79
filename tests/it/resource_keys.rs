//! Resource keys: credentials of service instances, HMAC pairs among them.

use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::grants::role_crn;
use crate::harness::words::encoded;

async fn made(kp: &Harness, body: Value) -> Value {
    kp.post("/v2/resource_keys").json(&body).send().await.succeeds(201)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {value}"))
}

#[actix_web::test]
async fn a_key_with_an_hmac_pair_shows_it_until_it_is_removed() {
    let kp = Harness::frozen_at("2026-01-01T12:00:00Z").await;
    let source = text(&kp.info, "/cosInstanceCrn");
    let body = json!({ "name": "app", "source": source, "role": "Writer", "parameters": { "HMAC": true } });
    let key = made(&kp, body).await;
    assert_eq!(text(&key, "/credentials/cos_hmac_keys/access_key_id").len(), 32);
    assert_eq!(text(&key, "/credentials/cos_hmac_keys/secret_access_key").len(), 48);
    assert_eq!(text(&key, "/credentials/resource_instance_id"), source);
    assert_eq!(text(&key, "/credentials/iam_role_crn"), "crn:v1:bluemix:public:iam::::serviceRole:Writer");
    assert_eq!(key["created_at"], "2026-01-01T12:00:00.000000000Z");
    for id in [text(&key, "/guid").to_owned(), encoded(text(&key, "/crn"))] {
        let read = kp.get(&format!("/v2/resource_keys/{id}")).send().await.succeeds(200);
        assert_eq!(read, key);
    }
    let path = format!("/v2/resource_keys/{}", encoded(text(&key, "/crn")));
    kp.delete(&path).send().await.succeeds(204);
    let removed = kp.get(&path).send().await.succeeds(200);
    assert_eq!((&removed["state"], &removed["credentials"]), (&json!("removed"), &json!({})));
    assert_eq!(kp.delete(&path).send().await.status, 410);
    assert_eq!(kp.get("/v2/resource_keys").send().await.succeeds(200)["rows_count"], 0);
}

#[actix_web::test]
async fn its_api_key_stands_for_a_service_id_with_the_role_it_was_made_with() {
    let kp = Harness::with(&["--auth", "strict"]).await;
    let root = kp.create_root_key("ledger").await;
    let body = json!({ "name": "reader", "source": text(&kp.info, "/instanceId"), "role": "Reader" });
    let key = made(&kp, body).await;
    let token = kp.token_for(text(&key, "/credentials/apikey")).await;
    let metadata = format!("/api/v2/keys/{root}/metadata");
    kp.get(&metadata).bearer(&token).send().await.succeeds(200);
    kp.post(&format!("/api/v2/keys/{root}/actions/disable")).bearer(&token).send().await.unauthorized();
    let cannot = kp.post("/v2/resource_keys").bearer(&token);
    let cannot = cannot.json(&json!({ "name": "more", "source": text(&kp.info, "/instanceId") }));
    assert_eq!(cannot.send().await.status, 403);
    let iam_id = text(&key, "/credentials/iam_serviceid_crn").rsplit(':').next().unwrap();
    let viewer = json!({
        "type": "access",
        "subjects": [{ "attributes": [{ "name": "iam_id", "value": format!("iam-{iam_id}") }] }],
        "roles": [{ "role_id": role_crn("Viewer") }],
        "resources": [{ "attributes": [{ "name": "accountId", "value": kp.account() }] }],
    });
    kp.post("/v1/policies").json(&viewer).send().await.succeeds(201);
    let seen = kp.get(&format!("/v2/resource_keys/{}", text(&key, "/guid"))).bearer(&token).send().await.succeeds(200);
    assert_eq!(seen["credentials"], json!({ "REDACTED": "REDACTED" }));
    kp.delete(&format!("/v2/resource_keys/{}", text(&key, "/guid"))).send().await.succeeds(204);
    kp.get(&metadata).bearer(&token).send().await.unauthorized();
    assert_eq!(kp.get("/v2/resource_keys").bearer(&token).send().await.status, 401, "the service id went with it");
    let form =
        format!("grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey={}", text(&key, "/credentials/apikey"));
    assert_eq!(kp.post("/identity/token").form(&form).send().await.status, 400);
}

#[actix_web::test]
async fn a_service_id_of_ones_own_gets_the_role_too() {
    let kp = Harness::with(&["--auth", "strict"]).await;
    let root = kp.create_root_key("ledger").await;
    let body = json!({ "account_id": kp.account(), "name": "robot" });
    let robot = kp.post("/v1/serviceids").json(&body).send().await.succeeds(201);
    let body = json!({
        "name": "reader", "source": text(&kp.info, "/instanceId"), "role": "Reader",
        "parameters": { "serviceid_crn": robot["crn"] },
    });
    let key = made(&kp, body).await;
    assert_eq!(key["credentials"]["iam_serviceid_crn"], robot["crn"]);
    let token = kp.token_for(text(&key, "/credentials/apikey")).await;
    let metadata = format!("/api/v2/keys/{root}/metadata");
    kp.get(&metadata).bearer(&token).send().await.succeeds(200);
    kp.delete(&format!("/v2/resource_keys/{}", text(&key, "/guid"))).send().await.succeeds(204);
    kp.get(&metadata).bearer(&token).send().await.unauthorized();
    kp.get(&format!("/v1/serviceids/{}", text(&robot, "/id"))).send().await.succeeds(200);
}

#[actix_web::test]
async fn keys_are_listed_by_name_and_by_instance_and_can_be_renamed() {
    let kp = Harness::frozen_at("2026-01-01T12:00:00Z").await;
    let (cos, kms) = (text(&kp.info, "/cosInstanceId"), text(&kp.info, "/instanceId"));
    for (name, source) in [("one", cos), ("two", cos), ("three", kms)] {
        made(&kp, json!({ "name": name, "source": source, "parameters": { "HMAC": "false" } })).await;
    }
    let names = async |path: &str| {
        let list = kp.get(path).send().await.succeeds(200);
        list["resources"].as_array().unwrap().iter().map(|one| text(one, "/name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("/v2/resource_keys").await, ["one", "two", "three"]);
    assert_eq!(names("/v2/resource_keys?name=two").await, ["two"]);
    assert_eq!(names(&format!("/v2/resource_instances/{kms}/resource_keys")).await, ["three"]);
    let first = kp.get("/v2/resource_keys?limit=1").send().await.succeeds(200);
    assert_eq!(names(text(&first, "/next_url")).await, ["two"]);
    let path = format!("/v2/resource_keys/{}", text(&first, "/resources/0/guid"));
    kp.advance("1h").await;
    let renamed = kp.patch(&path).json(&json!({ "name": "uno" })).send().await.succeeds(200);
    assert_eq!((&renamed["name"], &renamed["updated_at"]), (&json!("uno"), &json!("2026-01-01T13:00:00.000000000Z")));
    assert_eq!(names("/v2/resource_keys").await, ["uno", "two", "three"]);
}

#[actix_web::test]
async fn an_instance_with_credentials_is_removed_with_them_or_not_at_all() {
    let kp = Harness::new().await;
    let path = format!("/v2/resource_instances/{}", text(&kp.info, "/cosInstanceId"));
    let key = made(&kp, json!({ "name": "app", "source": text(&kp.info, "/cosInstanceCrn") })).await;
    assert_eq!(kp.delete(&path).send().await.status, 400);
    kp.delete(&format!("{path}?recursive=true")).send().await.succeeds(204);
    let key = kp.get(&format!("/v2/resource_keys/{}", text(&key, "/guid"))).send().await.succeeds(200);
    assert_eq!(key["state"], "removed");
}

#[actix_web::test]
async fn what_cannot_be_a_resource_key_is_refused_with_the_field_named() {
    let kp = Harness::new().await;
    let source = text(&kp.info, "/cosInstanceId");
    let foreign = "crn:v1:bluemix:public:iam-identity::a/0::serviceid:ServiceId-6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa";
    let table = [
        (json!({ "source": source }), 400, "name"),
        (json!({ "name": "app" }), 400, "source"),
        (json!({ "name": "app", "source": source, "role": "Owner" }), 400, "role"),
        (json!({ "name": "app", "source": source, "parameters": { "HMAC": 1 } }), 400, "HMAC"),
        (json!({ "name": "app", "source": source, "parameters": { "serviceid_crn": "x" } }), 400, "serviceid_crn"),
        (json!({ "name": "app", "source": source, "parameters": { "serviceid_crn": foreign } }), 400, "serviceid_crn"),
        (json!({ "name": "app", "source": "6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa" }), 404, "exist"),
        (json!({ "name": "app", "source": "nowhere" }), 404, "exist"),
    ];
    for (body, status, named) in table {
        let reply = kp.post("/v2/resource_keys").json(&body).send().await;
        assert_eq!(reply.status, status, "{body}");
        let message = String::from_utf8_lossy(&reply.body).into_owned();
        assert!(message.contains(named), "{body}: {message}");
    }
    let reply = kp.get("/v2/resource_keys").without("authorization").send().await;
    assert_eq!(reply.status, 401);
    let reply = kp.get("/v2/resource_keys/6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa").send().await;
    assert_eq!(reply.status, 404);
}

#[actix_web::test]
async fn the_built_in_pair_is_the_same_after_a_restart_and_told_to_nobody_but_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::in_folder(folder.path(), &[]).await;
    let pair = kp.info["cosHmac"].clone();
    assert_eq!(text(&pair, "/accessKeyId").len(), 32);
    assert_eq!(text(&pair, "/secretAccessKey").len(), 48);
    kp.stop().await;
    let again = Harness::in_folder(folder.path(), &[]).await;
    assert_eq!(again.info["cosHmac"], pair);
}
