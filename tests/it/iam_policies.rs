//! IAM's policies and authorizations: made, read, replaced, deleted, brought back; what they change at once.

use serde_json::{Value, json};

use crate::harness::grants::role_crn;
use crate::harness::words::members;
use crate::harness::{Harness, Reply};

const NOON: &str = "2026-01-01T12:00:00Z";
/// The authorization of the built-in storage instance, the same on every machine.
const BUILT_IN: &str = "d41f7a86-2c95-4b3e-8f10-5e6a9c7b2d34";
const NOBODY: &str = "6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa";

#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str) -> Value {
    let body = reply.succeeds(status);
    assert_eq!(body["errors"][0]["code"], code, "{body}");
    assert_eq!(body["status_code"], status, "{body}");
    assert!(!body["trace"].as_str().unwrap().is_empty(), "{body}");
    body["errors"][0].clone()
}

fn etag(reply: &Reply) -> String {
    reply.header("etag").expect("an ETag").to_owned()
}

fn authorization_v2(kp: &Harness) -> Value {
    let attribute = |key: &str, value: &str| json!({ "key": key, "operator": "stringEquals", "value": value });
    json!({
        "type": "authorization", "description": "buckets use root keys",
        "subject": { "attributes": [attribute("serviceName", "adopter"), attribute("accountId", kp.account())] },
        "resource": { "attributes": [attribute("serviceName", "kms"), attribute("accountId", kp.account())] },
        "control": { "grant": { "roles": [{ "role_id": role_crn("Reader") }] } },
    })
}

#[actix_web::test]
async fn subjects_and_resources_come_back_exactly_as_sent() {
    let kp = Harness::frozen_at(NOON).await;
    let sent = kp.authorization(&kp.adopter(1), &["Reader", "KeyPurge"], &[("keyRing", "stringEquals", "default")]);
    let reply = kp.post("/v1/policies").json(&sent).send().await;
    let made = reply.succeeds(201);
    assert_eq!(made["subjects"], sent["subjects"]);
    assert_eq!(made["resources"], sent["resources"]);
    assert_eq!(
        members(&made),
        [
            "created_at",
            "created_by_id",
            "href",
            "id",
            "last_modified_at",
            "last_modified_by_id",
            "resources",
            "roles",
            "state",
            "subjects",
            "type"
        ]
    );
    assert_eq!(made["roles"][0]["role_id"], role_crn("Reader"));
    assert_eq!(made["roles"][0]["display_name"], "Reader");
    assert_eq!((&made["state"], &made["created_at"]), (&json!("active"), &json!("2026-01-01T12:00:00Z")));
    let path = format!("/v1/policies/{}", made["id"].as_str().unwrap());
    assert_eq!(made["href"], format!("{}{path}", kp.url));
    let read = kp.get(&path).send().await;
    assert_eq!(read.succeeds(200), made);
    assert_eq!(etag(&read), etag(&reply));
}

#[actix_web::test]
async fn terraforms_way_through_version_2_works() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("for buckets").await;
    let token = kp.service_token(&kp.adopter(1)).await;
    let wrap = || kp.action(&key, "wrap").bearer(&token).json(&json!({}));
    wrap().send().await.unauthorized();
    let query =
        format!("service_name=kms&source_service_name=adopter&policy_type=authorization&account_id={}", kp.account());
    let roles = kp.get(&format!("/v2/roles?{query}")).send().await.succeeds(200);
    let named = |name: &str| -> Value {
        let all = roles["service_roles"].as_array().unwrap();
        all.iter().find(|role| role["display_name"] == name).unwrap_or_else(|| panic!("no {name}")).clone()
    };
    let mut sent = authorization_v2(&kp);
    sent["control"]["grant"]["roles"] = json!([{ "role_id": named("Reader")["crn"] }]);
    let made = kp.post("/v2/policies").json(&sent).send().await.succeeds(201);
    for member in ["subject", "resource", "type", "description"] {
        assert_eq!(made[member], sent[member]);
    }
    wrap().send().await.succeeds(200);
    let path = format!("/v2/policies/{}", made["id"].as_str().unwrap());
    assert_eq!(kp.get(&path).send().await.succeeds(200), made);
    kp.delete(&path).send().await.succeeds(204);
    wrap().send().await.unauthorized();
    refused(&kp.get(&path).send().await, 404, "policy_not_found");
    refused(&kp.delete(&path).send().await, 404, "policy_not_found");
}

#[actix_web::test]
async fn both_versions_show_the_same_policies() {
    let kp = Harness::frozen_at(NOON).await;
    let mut sent = authorization_v2(&kp);
    let region = json!({ "key": "region", "operator": "stringExists", "value": true });
    sent["resource"]["attributes"].as_array_mut().unwrap().push(region);
    let made = kp.post("/v2/policies").json(&sent).send().await.succeeds(201);
    let id = made["id"].as_str().unwrap();
    let first = kp.get(&format!("/v1/policies/{id}")).send().await.succeeds(200);
    assert_eq!(
        first["resources"][0]["attributes"][2],
        json!({ "name": "region", "operator": "stringExists", "value": "true" })
    );
    assert_eq!(first["roles"], made["control"]["grant"]["roles"]);
    let plain = kp.authorize(&kp.adopter(1), &["Writer"], &[]).await;
    let second = kp.get(&format!("/v2/policies/{plain}")).send().await.succeeds(200);
    assert_eq!(
        second["subject"]["attributes"][1],
        json!({ "key": "serviceName", "operator": "stringEquals", "value": "adopter" })
    );
    let token = kp.service_token(&kp.adopter(9)).await;
    kp.get("/api/v2/key_rings").bearer(&token).send().await.succeeds(200);
}

#[actix_web::test]
async fn a_replacement_needs_the_present_etag() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let token = kp.granted(1, &["Reader"], &[]).await;
    let list = kp.get(&format!("/v1/policies?account_id={}", kp.account())).send().await.succeeds(200);
    let id = list["policies"].as_array().unwrap().iter().find(|one| one["id"] != BUILT_IN).unwrap()["id"].clone();
    let path = format!("/v1/policies/{}", id.as_str().unwrap());
    let before = etag(&kp.get(&path).send().await);
    let body = kp.authorization(&kp.adopter(1), &["Writer"], &[]);
    refused(&kp.put(&path).json(&body).send().await, 400, "request_not_processed");
    let other = kp.put(&path).header("if-match", "\"1-00\"").json(&body).send().await;
    let conflict = refused(&other, 409, "policy_conflict_error");
    assert_eq!(conflict["details"]["conflicts_with"]["etag"], before);
    kp.action(&key, "rotate").bearer(&token).send().await.unauthorized();
    kp.advance("1m").await;
    let replaced = kp.put(&path).header("if-match", &before).json(&body).send().await;
    let after = replaced.succeeds(200);
    assert_eq!(after["roles"][0]["display_name"], "Writer");
    assert_eq!(after["last_modified_at"], "2026-01-01T12:01:00Z");
    assert_eq!(after["created_at"], "2026-01-01T12:00:00Z");
    assert_ne!(etag(&replaced), before);
    kp.action(&key, "rotate").bearer(&token).send().await.succeeds(204);
    refused(&kp.put(&path).header("if-match", &before).json(&body).send().await, 409, "policy_conflict_error");
    let mut access = body.clone();
    access["type"] = json!("access");
    access["subjects"] = json!([{ "attributes": [{ "name": "iam_id", "value": "IBMid-1" }] }]);
    let other = kp.put(&path).header("if-match", &etag(&replaced)).json(&access).send().await;
    refused(&other, 400, "invalid_body");
    let path = format!("/v2/policies/{}", id.as_str().unwrap());
    let second = kp.put(&path).header("if-match", &etag(&replaced)).json(&authorization_v2(&kp)).send().await;
    assert_eq!(second.succeeds(200)["description"], "buckets use root keys");
}

#[actix_web::test]
async fn the_same_authorization_again_is_a_conflict() {
    let kp = Harness::frozen_at(NOON).await;
    let id = kp.authorize(&kp.adopter(1), &["Reader", "Writer"], &[]).await;
    let mut again = kp.authorization(&kp.adopter(1), &["Writer", "Reader"], &[]);
    again["subjects"][0]["attributes"].as_array_mut().unwrap().reverse();
    let conflict = refused(&kp.post("/v1/policies").json(&again).send().await, 409, "policy_conflict_error");
    assert_eq!(conflict["details"]["conflicts_with"]["policy"], id);
    kp.authorize(&kp.adopter(1), &["Reader"], &[]).await;
    kp.delete(&format!("/v1/policies/{id}")).send().await.succeeds(204);
    kp.post("/v1/policies").json(&again).send().await.succeeds(201);
}

#[actix_web::test]
async fn a_deleted_policy_can_be_brought_back() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let token = kp.granted(1, &["Reader"], &[]).await;
    let wrap = || kp.action(&key, "wrap").bearer(&token).json(&json!({}));
    let account = kp.account().to_owned();
    let listed = async |state: &str| {
        let list = kp.get(&format!("/v1/policies?account_id={account}&state={state}")).send().await.succeeds(200);
        list["policies"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let id = listed("active").await.into_iter().find(|id| id != BUILT_IN).unwrap();
    let path = format!("/v1/policies/{id}");
    let tag = etag(&kp.get(&path).send().await);
    wrap().send().await.succeeds(200);
    kp.delete(&path).send().await.succeeds(204);
    wrap().send().await.unauthorized();
    assert_eq!(listed("deleted").await, std::slice::from_ref(&id));
    assert_eq!(listed("active").await, [BUILT_IN]);
    let active = json!({ "state": "active" });
    refused(&kp.patch(&path).json(&active).send().await, 400, "request_not_processed");
    let stale =
        refused(&kp.patch(&path).header("if-match", &tag).json(&active).send().await, 409, "policy_conflict_error");
    let tag = stale["details"]["conflicts_with"]["etag"].as_str().unwrap().to_owned();
    let wrong = kp.patch(&path).header("if-match", &tag).json(&json!({ "state": "deleted" })).send().await;
    refused(&wrong, 400, "invalid_body");
    let same = kp.authorize(&kp.adopter(1), &["Reader"], &[]).await;
    let clash = kp.patch(&path).header("if-match", &tag).json(&active).send().await;
    refused(&clash, 409, "policy_conflict_error");
    kp.delete(&format!("/v1/policies/{same}")).send().await.succeeds(204);
    let back = kp.patch(&path).header("if-match", &tag).json(&active).send().await;
    assert_eq!(back.succeeds(200)["state"], "active");
    wrap().send().await.succeeds(200);
}

#[actix_web::test]
async fn the_built_in_authorization_is_a_policy_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::in_folder(folder.path(), &[]).await;
    let key = kp.create_root_key("for buckets").await;
    let path = format!("/v1/policies/{BUILT_IN}");
    let shown = kp.get(&path).send().await.succeeds(200);
    assert_eq!(shown["type"], "authorization");
    assert_eq!(shown["roles"][0]["role_id"], role_crn("Reader"));
    let instance = json!({
        "name": "serviceInstance", "operator": "stringEquals", "value": kp.info["cosInstanceId"],
    });
    assert!(shown["subjects"][0]["attributes"].as_array().unwrap().contains(&instance), "{shown}");
    let token = kp.reader_token().await;
    kp.action(&key, "wrap").bearer(&token).json(&json!({})).send().await.succeeds(200);
    kp.delete(&path).send().await.succeeds(204);
    for _ in 0..20 {
        kp.action(&key, "wrap").bearer(&token).json(&json!({})).send().await.unauthorized();
    }
    kp.stop().await;
    let kp = Harness::in_folder(folder.path(), &[]).await;
    kp.action(&key, "wrap").bearer(&token).json(&json!({})).send().await.unauthorized();
    refused(&kp.get(&path).send().await, 404, "policy_not_found");
    kp.authorize(kp.info["cosInstanceCrn"].as_str().unwrap(), &["Reader"], &[]).await;
    kp.action(&key, "wrap").bearer(&token).json(&json!({})).send().await.succeeds(200);
    kp.stop().await;
    let kp = Harness::in_folder(folder.path(), &[]).await;
    kp.action(&key, "wrap").bearer(&token).json(&json!({})).send().await.succeeds(200);
}

/// A change to a good policy that makes it a bad one.
type Spoil = (&'static str, Value);

fn spoilt() -> Vec<Spoil> {
    let attributes = |list: Value| json!([{ "attributes": list }]);
    let account = json!({ "name": "accountId", "value": "a" });
    vec![
        ("type", json!("other")),
        ("type", Value::Null),
        ("subjects", json!([])),
        ("subjects", json!([{ "attributes": [] }, { "attributes": [] }])),
        ("subjects", attributes(json!([account]))),
        ("subjects", attributes(json!([{ "name": "serviceName", "value": "x" }]))),
        (
            "subjects",
            attributes(json!([account, { "name": "serviceName", "value": "x" }, { "name": "colour", "value": "x" }])),
        ),
        ("subjects", attributes(json!([account, account, { "name": "serviceName", "value": "x" }]))),
        ("resources", json!("kms")),
        ("resources", attributes(json!([{ "name": "serviceName", "value": "kms" }]))),
        ("resources", attributes(json!([{ "name": "accountId", "value": "" }]))),
        ("resources", attributes(json!([{ "name": "accountId", "value": "x".repeat(1_001) }]))),
        ("resources", attributes(json!([{ "name": "accountId", "value": 1 }]))),
        ("resources", attributes(json!([{ "name": "accountId", "value": "a", "operator": "like" }]))),
        ("resources", attributes(json!([{ "name": "accountId", "value": "a", "more": 1 }]))),
        ("resources", attributes(json!([{ "name": "accountId", "value": "maybe", "operator": "stringExists" }]))),
        ("resources", attributes(json!([{ "key": "accountId", "value": "a" }]))),
        ("roles", json!([])),
        ("roles", json!([{}])),
        ("rule", json!({ "key": "{{environment.attributes.day_of_week}}" })),
        ("pattern", json!("time-based-conditions:weekly:all-day")),
        ("description", json!("x".repeat(301))),
    ]
}

#[actix_web::test]
async fn bodies_with_a_fault_are_refused() {
    let kp = Harness::frozen_at(NOON).await;
    for (member, value) in spoilt() {
        let mut body = kp.authorization(&kp.adopter(1), &["Reader"], &[]);
        body[member] = value.clone();
        let reply = kp.post("/v1/policies").json(&body).send().await;
        assert_eq!(reply.status, 400, "{member} {value}");
        refused(&reply, 400, "invalid_body");
    }
    for body in ["", "{", "[]", "null", "\u{fe}", "{\"type\":\"access\"}"] {
        refused(&kp.post("/v1/policies").raw(body).send().await, 400, "invalid_body");
        refused(&kp.post("/v2/policies").raw(body).send().await, 400, "invalid_body");
    }
    for role in
        ["Reader", "crn:v1:bluemix:public:iam::::serviceRole:Nobody", "crn:v1:bluemix:public:iam::::role:Reader"]
    {
        let mut body = kp.authorization(&kp.adopter(1), &["Reader"], &[]);
        body["roles"] = json!([{ "role_id": role }]);
        refused(&kp.post("/v1/policies").json(&body).send().await, 400, "role_not_found");
    }
    let mut body = authorization_v2(&kp);
    body["subject"]["attributes"][0].as_object_mut().unwrap().remove("operator");
    refused(&kp.post("/v2/policies").json(&body).send().await, 400, "invalid_body");
    let list = kp.get(&format!("/v1/policies?account_id={}", kp.account())).send().await.succeeds(200);
    assert_eq!(list["policies"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn only_administrators_of_the_account_see_and_change_policies() {
    let kp = Harness::frozen_at(NOON).await;
    let service = kp.granted(1, &["Manager"], &[]).await;
    let body = kp.authorization(&kp.adopter(2), &["Reader"], &[]);
    let path = format!("/v1/policies/{BUILT_IN}");
    let calls = || {
        [
            kp.get(&format!("/v1/policies?account_id={}", kp.account())),
            kp.get(&path),
            kp.post("/v1/policies").json(&body),
            kp.put(&path).header("if-match", "\"1\"").json(&body),
            kp.patch(&path).header("if-match", "\"1\"").json(&json!({ "state": "active" })),
            kp.delete(&path),
        ]
    };
    for call in calls() {
        refused(&call.without("authorization").send().await, 401, "invalid_token");
    }
    for call in calls() {
        refused(&call.bearer("not.a.jwt").send().await, 401, "invalid_token");
    }
    for call in calls() {
        refused(&call.bearer(&service).send().await, 403, "insufficent_permissions");
    }
    let mut foreign = body.clone();
    foreign["resources"][0]["attributes"][0]["value"] = json!("00000000000000000000000000000001");
    refused(&kp.post("/v1/policies").json(&foreign).send().await, 403, "insufficent_permissions");
    refused(&kp.get("/v2/roles").without("authorization").send().await, 401, "invalid_token");
    kp.get("/v2/roles").bearer(&service).send().await.succeeds(200);
    kp.get(&path).send().await.succeeds(200);
}

#[actix_web::test]
async fn unknown_policies_and_methods_are_refused() {
    let kp = Harness::frozen_at(NOON).await;
    for id in [NOBODY, "nothing", "%2F"] {
        for version in ["v1", "v2"] {
            let path = format!("/{version}/policies/{id}");
            refused(&kp.get(&path).send().await, 404, "policy_not_found");
            refused(&kp.delete(&path).send().await, 404, "policy_not_found");
        }
    }
    let path = format!("/v2/policies/{BUILT_IN}");
    assert!(kp.patch(&path).send().await.succeeds(405)["error"]["code"].is_string());
    assert!(kp.post("/v2/roles").send().await.succeeds(405)["error"]["code"].is_string());
    let traced = kp.get(&format!("/v1/policies/{NOBODY}")).header("transaction-id", "find-me").send().await;
    assert_eq!(traced.succeeds(404)["trace"], "find-me");
    assert_eq!(traced.header("transaction-id"), Some("find-me"));
}

#[actix_web::test]
async fn roles_are_listed_with_what_they_may_do() {
    let kp = Harness::new().await;
    let roles = kp.get("/v2/roles?service_name=kms").send().await.succeeds(200);
    let names = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|role| role["display_name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(roles["custom_roles"], json!([]));
    let service = ["Reader", "Writer", "Manager", "ReaderPlus", "KeyPurge", "KmipAdapterManager"];
    assert_eq!(names(&roles["service_roles"]), service);
    assert_eq!(names(&roles["system_roles"]), ["Viewer", "Operator", "Editor", "Administrator"]);
    for role in roles["service_roles"].as_array().unwrap() {
        let name = role["display_name"].as_str().unwrap();
        assert_eq!(role["crn"], role_crn(name));
        let may = |action: &str| role["actions"].as_array().unwrap().contains(&json!(action));
        assert_eq!(may("kms.secrets.purge"), name == "KeyPurge");
        assert_eq!(may("kms.secrets.delete"), name == "Manager");
        assert_eq!(may("kms.secrets.list"), name != "KeyPurge");
    }
    let other = kp.get("/v2/roles?service_name=cloud-object-storage").send().await.succeeds(200);
    assert_eq!(names(&other["service_roles"]), ["Reader", "Writer", "Manager"]);
    let none = kp.get("/v2/roles").send().await.succeeds(200);
    assert_eq!(none["service_roles"], json!([]));
}
