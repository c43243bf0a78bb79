//! Which role may do what: the table of `docs/contract/iam.md` 5, over HTTP, by services that authorizations name.

use serde_json::json;

use crate::harness::Harness;
use crate::harness::keys::creation;
use crate::harness::role_table::{ROLES, TABLE, call, may};

const NOON: &str = "2026-01-01T12:00:00Z";

#[actix_web::test]
async fn each_role_may_do_what_ibms_table_says_and_nothing_else() {
    let kp = Harness::frozen_at(NOON).await;
    for (column, role) in (1..).zip(ROLES) {
        let token = kp.granted(column, &[role], &[]).await;
        let own = format!("{}:thing:x", kp.adopter(column).trim_end_matches("::"));
        let key = kp.create_root_key(role).await;
        let wanted = |row: &str| row.as_bytes()[column as usize - 1] == b'x';
        for (operation, row) in TABLE {
            if operation == "delete alias" || operation == "get import token" {
                let first = if operation == "delete alias" { "create alias" } else { "create import token" };
                call(&kp, first, &key, &own).send().await;
            }
            let found = may(&kp, operation, &key, &own, &token).await;
            assert_eq!(found, wanted(row), "{operation} as {role}");
        }
        kp.delete("/api/v2/key_rings/made").send().await;
    }
}

#[actix_web::test]
async fn roles_add_up() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let token = kp.granted(1, &["KeyPurge"], &[]).await;
    kp.get(&format!("/api/v2/keys/{key}/metadata")).bearer(&token).send().await.unauthorized();
    kp.delete(&format!("/api/v2/keys/{key}")).bearer(&token).send().await.unauthorized();
    kp.authorize(&kp.adopter(1), &["Manager"], &[]).await;
    kp.delete(&format!("/api/v2/keys/{key}")).bearer(&token).send().await.succeeds(204);
    kp.advance("4h").await;
    kp.delete(&format!("/api/v2/keys/{key}/purge")).bearer(&token).send().await.succeeds(204);
}

#[actix_web::test]
async fn a_purge_needs_the_role_for_it_and_that_alone() {
    let kp = Harness::frozen_at(NOON).await;
    let manager = kp.granted(1, &["Manager"], &[]).await;
    let purger = kp.granted(2, &["KeyPurge"], &[]).await;
    let key = kp.create_root_key("invoices").await;
    kp.delete_key(&key).await.succeeds(204);
    kp.advance("4h").await;
    let purge = || kp.delete(&format!("/api/v2/keys/{key}/purge"));
    purge().bearer(&manager).send().await.unauthorized();
    purge().bearer(&purger).send().await.succeeds(204);
}

#[actix_web::test]
async fn platform_roles_give_a_service_nothing() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let token = kp.granted(1, &["Administrator", "Editor"], &[]).await;
    kp.action(&key, "wrap").bearer(&token).json(&json!({})).send().await.unauthorized();
    let path = format!("/v2/resource_instances/{}", kp.instance);
    assert_eq!(kp.delete(&path).bearer(&token).send().await.status, 403);
    let list = kp.get(&format!("/v1/policies?account_id={}", kp.account())).bearer(&token).send().await;
    assert_eq!(list.succeeds(403)["errors"][0]["code"], "insufficent_permissions");
}

#[actix_web::test]
async fn an_authorization_names_the_service_and_its_instance() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.authorize(&kp.adopter(1), &["Reader"], &[]).await;
    let wrap = async |crn: &str| {
        let token = kp.service_token(crn).await;
        kp.action(&key, "wrap").bearer(&token).json(&json!({})).send().await.status
    };
    assert_eq!(wrap(&kp.adopter(1)).await, 200);
    assert_eq!(wrap(&kp.adopter(2)).await, 401);
    assert_eq!(wrap(&kp.adopter(1).replace(":adopter:", ":other:")).await, 401);
    let any = json!({
        "type": "authorization",
        "subjects": [{ "attributes": [{ "name": "accountId", "value": kp.account() },
            { "name": "serviceName", "value": "adopter" }, { "name": "region", "value": "us-*", "operator": "stringMatch" }] }],
        "roles": [{ "role_id": crate::harness::grants::role_crn("Reader") }],
        "resources": [{ "attributes": [{ "name": "accountId", "value": kp.account() }] }],
    });
    kp.post("/v1/policies").json(&any).send().await.succeeds(201);
    assert_eq!(wrap(&kp.adopter(2)).await, 200);
    assert_eq!(wrap(&kp.adopter(2).replace("us-south", "eu-de")).await, 401);
}

#[actix_web::test]
async fn a_resource_group_can_stand_for_its_instances() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let groups = kp.get("/v2/resource_groups").send().await.succeeds(200);
    let group = groups["resources"][0]["id"].as_str().unwrap().to_owned();
    let body = json!({
        "type": "authorization",
        "subjects": [{ "attributes": [{ "name": "accountId", "value": kp.account() },
            { "name": "resourceGroupId", "value": group }] }],
        "roles": [{ "role_id": crate::harness::grants::role_crn("Writer") }],
        "resources": [{ "attributes": [{ "name": "accountId", "value": kp.account() }] }],
    });
    kp.post("/v1/policies").json(&body).send().await.succeeds(201);
    let storage = kp.reader_token().await;
    kp.action(&key, "rotate").bearer(&storage).send().await.succeeds(204);
    let stranger = kp.service_token(&kp.adopter(1)).await;
    kp.action(&key, "wrap").bearer(&stranger).json(&json!({})).send().await.unauthorized();
}

#[actix_web::test]
async fn strict_gives_an_identity_what_policies_give_it() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::in_folder(folder.path(), &[]).await;
    let robot = kp.token_for("robot").await;
    let key = kp.create_root_key("invoices").await;
    let made = crate::harness::keys::id_of(
        &kp.post("/api/v2/keys")
            .bearer(&robot)
            .json(&creation(&json!({ "name": "by robot" })))
            .send()
            .await
            .succeeds(201),
    );
    let iam_id = kp.metadata(&made).await["createdBy"].as_str().unwrap().to_owned();
    kp.stop().await;
    let kp = Harness::in_folder(folder.path(), &["--auth", "strict"]).await;
    let wrap = || kp.action(&key, "wrap").bearer(&robot).json(&json!({}));
    wrap().send().await.unauthorized();
    assert_eq!(kp.get("/v1/policies?account_id=x").bearer(&robot).send().await.status, 403);
    let access = |role: &str, service: &str| {
        json!({
            "type": "access",
            "subjects": [{ "attributes": [{ "name": "iam_id", "value": iam_id }] }],
            "roles": [{ "role_id": crate::harness::grants::role_crn(role) }],
            "resources": [{ "attributes": [{ "name": "accountId", "value": kp.account() },
                { "name": "serviceName", "value": service }] }],
        })
    };
    let other = kp.post("/v1/policies").json(&access("Manager", "cloud-object-storage")).send().await;
    other.succeeds(201);
    wrap().send().await.unauthorized();
    kp.post("/v1/policies").json(&access("Reader", "kms")).send().await.succeeds(201);
    wrap().send().await.succeeds(200);
    kp.action(&key, "rotate").bearer(&robot).send().await.unauthorized();
    kp.action(&key, "rotate").send().await.succeeds(204);
    let instances = json!({
        "name": "more", "target": "us-south", "resource_group": "default",
        "resource_plan_id": "eedd3585-90c6-4c8f-be3d-062069e99fc3",
    });
    let make = || kp.post("/v2/resource_instances").bearer(&robot).json(&instances);
    assert_eq!(make().send().await.status, 403);
    let mut everywhere = access("Administrator", "kms");
    everywhere["resources"][0]["attributes"] = json!([{ "name": "accountId", "value": kp.account() }]);
    kp.post("/v1/policies").json(&everywhere).send().await.succeeds(201);
    make().send().await.succeeds(201);
    let list = kp.get(&format!("/v1/policies?account_id={}", kp.account())).bearer(&robot).send().await;
    assert_eq!(list.succeeds(200)["policies"].as_array().unwrap().len(), 4);
    kp.action(&key, "rotate").bearer(&robot).send().await.unauthorized();
}

#[actix_web::test]
async fn access_policies_add_roles_to_any_api_key_too() {
    let kp = Harness::frozen_at(NOON).await;
    let robot = kp.token_for("robot").await;
    let claims = robot.split('.').nth(1).unwrap();
    let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    let body = json!({
        "type": "access",
        "subject": { "attributes": [{ "key": "iam_id", "operator": "stringEquals", "value": claims["iam_id"] }] },
        "control": { "grant": { "roles": [{ "role_id": crate::harness::grants::role_crn("KmipAdapterManager") }] } },
        "resource": { "attributes": [{ "key": "serviceName", "operator": "stringEquals", "value": "kms" }] },
    });
    kp.post("/v2/policies").json(&body).send().await.succeeds(201);
    let key = kp.create_root_key("invoices").await;
    kp.action(&key, "rotate").bearer(&robot).send().await.succeeds(204);
}
