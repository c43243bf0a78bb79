//! `--auth strict`: who gets a token, and what access policies let an identity do.

use serde_json::{Value, json};

use crate::harness::grants::{Limit, role_crn};
use crate::harness::role_table::{ROLES, TABLE, call, may};
use crate::harness::{Harness, Reply};

const NOON: &str = "2026-01-01T12:00:00Z";
const API_KEY: &str = "urn:ibm:params:oauth:grant-type:apikey";

/// A service id with an API key.
struct Robot {
    id: String,
    iam_id: String,
    api_key: String,
    api_key_id: String,
}

fn text(body: &Value, member: &str) -> String {
    body[member].as_str().expect(member).to_owned()
}

async fn strict() -> Harness {
    Harness::with(&["--auth", "strict", "--clock", &format!("frozen@{NOON}")]).await
}

async fn robot(kp: &Harness, name: &str) -> Robot {
    let body = json!({ "account_id": kp.account(), "name": name, "description": "a program" });
    let made = kp.post("/v1/serviceids").json(&body).send().await.succeeds(201);
    let iam_id = text(&made, "iam_id");
    assert_eq!(iam_id, format!("iam-{}", text(&made, "id")));
    let key = kp.post("/v1/apikeys").json(&json!({ "name": "first", "iam_id": iam_id })).send().await.succeeds(201);
    let (api_key, api_key_id) = (text(&key, "apikey"), text(&key, "id"));
    assert_eq!(api_key.len(), 44);
    Robot { id: text(&made, "id"), iam_id, api_key, api_key_id }
}

/// Gives roles on Key Protect within limits to an identity; the policy's id.
async fn give(kp: &Harness, iam_id: &str, roles: &[&str], limits: &[Limit<'_>]) -> String {
    let mut resource = vec![json!({ "name": "accountId", "value": kp.account() })];
    resource.push(json!({ "name": "serviceName", "value": "kms" }));
    resource.extend(limits.iter().map(|(name, how, value)| json!({ "name": name, "operator": how, "value": value })));
    let body = json!({
        "type": "access",
        "subjects": [{ "attributes": [{ "name": "iam_id", "value": iam_id }] }],
        "roles": roles.iter().map(|role| json!({ "role_id": role_crn(role) })).collect::<Vec<_>>(),
        "resources": [{ "attributes": resource }],
    });
    text(&kp.post("/v1/policies").json(&body).send().await.succeeds(201), "id")
}

async fn grant(kp: &Harness, fields: &[(&str, &str)]) -> Reply {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    kp.post("/identity/token").without("authorization").form(&form).send().await
}

async fn by_api_key(kp: &Harness, api_key: &str) -> Reply {
    grant(kp, &[("grant_type", API_KEY), ("apikey", api_key)]).await
}

fn code(reply: &Reply, status: u16) -> String {
    text(&reply.succeeds(status), "errorCode")
}

#[actix_web::test]
async fn only_the_owner_and_who_was_made_get_a_token() {
    let kp = strict().await;
    let owner = kp.info["apiKey"].as_str().unwrap().to_owned();
    by_api_key(&kp, &owner).await.succeeds(200);
    for unknown in ["robot", "0", &owner[1..]] {
        let refused = by_api_key(&kp, unknown).await.succeeds(400);
        assert_eq!(refused["errorCode"], "BXNIM0415E", "{unknown}");
        assert_eq!(refused["errorMessage"], "Provided API key could not be found.");
    }
    let robot = robot(&kp, "robot").await;
    by_api_key(&kp, &robot.api_key).await.succeeds(200);
    kp.delete(&format!("/v1/apikeys/{}", robot.api_key_id)).send().await.succeeds(204);
    assert_eq!(code(&by_api_key(&kp, &robot.api_key).await, 400), "BXNIM0415E");
}

#[actix_web::test]
async fn without_a_policy_an_identity_may_do_nothing() {
    let kp = strict().await;
    let key = kp.create_root_key("invoices").await;
    let own = kp.adopter(1);
    let token = kp.token_for(&robot(&kp, "robot").await.api_key).await;
    for (operation, _) in TABLE {
        assert!(!may(&kp, operation, &key, &own, &token).await, "{operation}");
    }
    let list = kp.get(&format!("/v1/policies?account_id={}", kp.account())).bearer(&token).send().await;
    assert_eq!(list.succeeds(403)["errors"][0]["code"], "insufficent_permissions");
    kp.post("/v1/serviceids").bearer(&token).json(&json!({})).send().await.succeeds(403);
    kp.post("/v1/apikeys").bearer(&token).json(&json!({})).send().await.succeeds(403);
}

#[actix_web::test]
async fn each_role_may_do_what_ibms_table_says_and_nothing_else() {
    let kp = strict().await;
    for (column, role) in ROLES.into_iter().enumerate() {
        let robot = robot(&kp, role).await;
        give(&kp, &robot.iam_id, &[role], &[("serviceInstance", "stringEquals", &kp.instance)]).await;
        let token = kp.token_for(&robot.api_key).await;
        let key = kp.create_root_key(role).await;
        let own = format!("{}:thing:x", kp.adopter(1).trim_end_matches("::"));
        for (operation, row) in TABLE {
            if operation == "delete alias" || operation == "get import token" {
                let first = if operation == "delete alias" { "create alias" } else { "create import token" };
                call(&kp, first, &key, &own).send().await;
            }
            if operation.contains("register")
                || operation.starts_with("acknowledge")
                || operation.ends_with(" registration")
            {
                // Only services register, whatever a person's roles are.
                let reply = call(&kp, operation, &key, &own).bearer(&token).send().await;
                if row.as_bytes()[column] == b'x' {
                    reply.refused(403, "SERVICE_ONLY_ERR");
                } else {
                    reply.unauthorized();
                }
                continue;
            }
            let found = may(&kp, operation, &key, &own, &token).await;
            assert_eq!(found, row.as_bytes()[column] == b'x', "{operation} as {role}");
        }
        kp.delete("/api/v2/key_rings/made").send().await;
    }
}

#[actix_web::test]
async fn a_policy_counts_for_its_instance_ring_and_key() {
    let kp = strict().await;
    let plan = "eedd3585-90c6-4c8f-be3d-062069e99fc3";
    let body = json!({ "name": "b", "target": "us-south", "resource_group": "default", "resource_plan_id": plan });
    let second = kp.post("/v2/resource_instances").json(&body).send().await.succeeds(201);
    let second = second["guid"].as_str().unwrap();
    kp.create_ring("blue").await;
    let in_blue = kp.create_in_ring("in blue", "blue").await;
    let keys = [kp.create_root_key("elsewhere").await, in_blue];
    let cases: [(&[Limit<'_>], [bool; 3]); 4] = [
        (&[("serviceInstance", "stringEquals", &kp.instance)], [true, true, false]),
        (&[("serviceInstance", "stringEquals", second)], [false, false, true]),
        (&[("keyRing", "stringEquals", "blue")], [false, true, false]),
        (&[("resourceType", "stringEquals", "key"), ("resource", "stringEquals", &keys[0])], [true, false, false]),
    ];
    for (number, (limits, expected)) in cases.into_iter().enumerate() {
        let robot = robot(&kp, &format!("robot {number}")).await;
        give(&kp, &robot.iam_id, &["Reader"], limits).await;
        let token = kp.token_for(&robot.api_key).await;
        for (key, allowed) in keys.iter().zip(expected) {
            let reply = kp.action(key, "wrap").bearer(&token).json(&json!({})).send().await;
            if allowed { drop(reply.succeeds(200)) } else { reply.unauthorized() }
        }
        let rings = kp.get("/api/v2/key_rings").bearer(&token).header("bluemix-instance", second).send().await;
        assert_eq!(rings.status, if expected[2] { 200 } else { 401 }, "{limits:?}");
        let listed = kp.get("/api/v2/keys").bearer(&token).send().await.succeeds(200);
        let visible = expected[..2].iter().filter(|allowed| **allowed).count();
        assert_eq!(listed["metadata"]["collectionTotal"], visible, "{limits:?}");
    }
}

#[actix_web::test]
async fn policies_come_and_go_while_a_token_lives() {
    let kp = strict().await;
    let key = kp.create_root_key("invoices").await;
    let robot = robot(&kp, "robot").await;
    let token = kp.token_for(&robot.api_key).await;
    let wrap = async || kp.action(&key, "wrap").bearer(&token).json(&json!({})).send().await.status;
    assert_eq!(wrap().await, 401);
    let policy = give(&kp, &robot.iam_id, &["Reader"], &[]).await;
    assert_eq!(wrap().await, 200);
    kp.delete(&format!("/v1/policies/{policy}")).send().await.succeeds(204);
    assert_eq!(wrap().await, 401);
    give(&kp, &robot.iam_id, &["Writer"], &[]).await;
    assert_eq!(wrap().await, 200);
}

#[actix_web::test]
async fn a_deleted_service_id_is_nobody() {
    let kp = strict().await;
    let key = kp.create_root_key("invoices").await;
    let robot = robot(&kp, "robot").await;
    let policy = give(&kp, &robot.iam_id, &["Manager"], &[]).await;
    let granted = by_api_key(&kp, &robot.api_key).await.succeeds(200);
    let (token, refresh) = (text(&granted, "access_token"), text(&granted, "refresh_token"));
    let again = async || grant(&kp, &[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await;
    again().await.succeeds(200);
    kp.action(&key, "rotate").bearer(&token).send().await.succeeds(204);
    kp.delete(&format!("/v1/serviceids/{}", robot.id)).send().await.succeeds(204);
    kp.action(&key, "wrap").bearer(&token).json(&json!({})).send().await.unauthorized();
    assert_eq!(code(&again().await, 400), "BXNIM0407E");
    assert_eq!(code(&by_api_key(&kp, &robot.api_key).await, 400), "BXNIM0415E");
    for gone in ["serviceids", "apikeys", "policies"] {
        let id = [&robot.id, &robot.api_key_id, &policy]
            [usize::from(gone != "serviceids") + usize::from(gone == "policies")];
        kp.get(&format!("/v1/{gone}/{id}")).send().await.succeeds(404);
    }
    kp.delete(&format!("/v1/serviceids/{}", robot.id)).send().await.succeeds(404);
    kp.delete(&format!("/v1/apikeys/{}", robot.api_key_id)).send().await.succeeds(404);
}

#[actix_web::test]
async fn who_a_policy_names_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::in_folder(folder.path(), &[]).await;
    let token = kp.token_for("robot").await;
    let made = kp.post("/api/v2/keys").bearer(&token);
    let made = made.json(&crate::harness::keys::creation(&json!({ "name": "by robot" }))).send().await.succeeds(201);
    let key = crate::harness::keys::id_of(&made);
    let iam_id = kp.metadata(&key).await["createdBy"].as_str().unwrap().to_owned();
    let refresh = text(&by_api_key(&kp, "robot").await.succeeds(200), "refresh_token");
    kp.stop().await;
    let kp = Harness::in_folder(folder.path(), &["--auth", "strict"]).await;
    let profile = [
        ("grant_type", "urn:ibm:params:oauth:grant-type:cr-token"),
        ("cr_token", "x"),
        ("profile_id", "iam-Profile-0c6e7c2a-5b1e-4f0d-9d0b-6a1f2e3d4c5b"),
    ];
    let again = async || grant(&kp, &[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await;
    assert_eq!(code(&by_api_key(&kp, "robot").await, 400), "BXNIM0415E");
    assert_eq!(code(&again().await, 400), "BXNIM0407E");
    assert_eq!(code(&grant(&kp, &profile).await, 400), "BXNIM0109E");
    let policy = give(&kp, &iam_id, &["Reader"], &[]).await;
    give(&kp, profile[2].1, &["ReaderPlus"], &[]).await;
    again().await.succeeds(200);
    let robot = kp.token_for("robot").await;
    kp.get(&format!("/api/v2/keys/{key}/metadata")).bearer(&robot).send().await.succeeds(200);
    kp.get(&format!("/api/v2/keys/{key}")).bearer(&robot).send().await.unauthorized();
    let profile = text(&grant(&kp, &profile).await.succeeds(200), "access_token");
    kp.get(&format!("/api/v2/keys/{key}")).bearer(&profile).send().await.succeeds(200);
    kp.delete(&format!("/v1/policies/{policy}")).send().await.succeeds(204);
    assert_eq!(code(&by_api_key(&kp, "robot").await, 400), "BXNIM0415E");
}

#[actix_web::test]
async fn an_editor_of_a_service_in_a_region_makes_its_instances_there() {
    const TIERED: &str = "eedd3585-90c6-4c8f-be3d-062069e99fc3";
    let kp = strict().await;
    let robot = robot(&kp, "robot").await;
    let token = text(&by_api_key(&kp, &robot.api_key).await.succeeds(200), "access_token");
    let create = async |region: &str| {
        let body = json!({
            "name": "more", "target": region, "resource_group": "Default", "resource_plan_id": TIERED,
        });
        kp.post("/v2/resource_instances").bearer(&token).json(&body).send().await.status
    };
    assert_eq!(create("eu-de").await, 403);
    give(&kp, &robot.iam_id, &["Viewer"], &[]).await;
    assert_eq!(create("eu-de").await, 403);
    give(&kp, &robot.iam_id, &["Editor"], &[("region", "stringEquals", "eu-de")]).await;
    assert_eq!(create("eu-de").await, 201);
    assert_eq!(create("us-south").await, 403);
    let nothing = kp.post("/v2/resource_instances").bearer(&token).json(&json!({})).send().await;
    assert_eq!(nothing.status, 403);
}
