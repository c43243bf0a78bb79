//! Who may what at the Resource Controller under `--auth strict`, and what is left of identities that are gone.

use serde_json::{Value, json};

use crate::harness::grants::role_crn;
use crate::harness::{Harness, Reply};

const ROUTE: &str = "/v2/resource_instances";
const TIERED: &str = "eedd3585-90c6-4c8f-be3d-062069e99fc3";
const COS_STANDARD: &str = "744bfc56-d12c-4866-88d5-dac9139e0e5d";
const API_KEY: &str = "urn:ibm:params:oauth:grant-type:apikey";
const SERVICE: &str = "urn:ibm:params:oauth:grant-type:iam-authz";

fn text(body: &Value, member: &str) -> String {
    body[member].as_str().unwrap_or_else(|| panic!("no {member} in {body}")).to_owned()
}

async fn strict() -> Harness {
    Harness::with(&["--auth", "strict"]).await
}

/// A service id and a token of it.
async fn robot(kp: &Harness, name: &str) -> (Value, String) {
    let body = json!({ "account_id": kp.account(), "name": name });
    let made = kp.post("/v1/serviceids").json(&body).send().await.succeeds(201);
    let body = json!({ "name": "first", "iam_id": made["iam_id"] });
    let key = kp.post("/v1/apikeys").json(&body).send().await.succeeds(201);
    let token = kp.token_for(&text(&key, "apikey")).await;
    (made, token)
}

/// Gives a role to an identity on what fits the attributes.
async fn give(kp: &Harness, iam_id: &str, role: &str, attributes: &[(&str, &str)]) {
    let account = json!({ "name": "accountId", "value": kp.account() });
    let limits = attributes.iter().map(|(name, value)| json!({ "name": name, "value": value }));
    let body = json!({
        "type": "access",
        "subjects": [{ "attributes": [{ "name": "iam_id", "value": iam_id }] }],
        "roles": [{ "role_id": role_crn(role) }],
        "resources": [{ "attributes": std::iter::once(account).chain(limits).collect::<Vec<_>>() }],
    });
    kp.post("/v1/policies").json(&body).send().await.succeeds(201);
}

fn instance(plan: &str, region: &str) -> Value {
    json!({ "name": "mine", "target": region, "resource_group": "default", "resource_plan_id": plan })
}

async fn grant(kp: &Harness, fields: &[(&str, &str)]) -> Reply {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    kp.post("/identity/token").without("authorization").form(&form).send().await
}

fn code(reply: &Reply, status: u16) -> String {
    text(&reply.succeeds(status), "errorCode")
}

#[actix_web::test]
async fn who_edits_a_service_makes_instances_of_it_where_the_policy_says() {
    let kp = strict().await;
    for role in ["Editor", "Administrator"] {
        let (id, token) = robot(&kp, role).await;
        give(&kp, &text(&id, "iam_id"), role, &[("serviceName", "kms"), ("region", "us-south")]).await;
        let make = async |body: &Value| kp.post(ROUTE).bearer(&token).json(body).send().await;
        make(&instance(TIERED, "us-south")).await.succeeds(201);
        make(&instance(TIERED, "eu-de")).await.succeeds(403);
        make(&instance(COS_STANDARD, "global")).await.succeeds(403);
        make(&json!({ "name": "mine" })).await.succeeds(403);
    }
    let (id, token) = robot(&kp, "viewer").await;
    give(&kp, &text(&id, "iam_id"), "Viewer", &[("serviceName", "kms")]).await;
    kp.post(ROUTE).bearer(&token).json(&instance(TIERED, "us-south")).send().await.succeeds(403);
    kp.post(ROUTE).bearer(&token).json(&json!({})).send().await.succeeds(403);
}

#[actix_web::test]
async fn instances_and_their_keys_are_shown_to_those_with_a_platform_role_on_them() {
    let kp = strict().await;
    let other = kp.post(ROUTE).json(&instance(TIERED, "us-south")).send().await.succeeds(201);
    let other = text(&other, "guid");
    let body = json!({ "name": "app", "source": other });
    let key = kp.post("/v2/resource_keys").json(&body).send().await.succeeds(201);
    let key = format!("/v2/resource_keys/{}", text(&key, "guid"));
    let own = format!("{ROUTE}/{}", kp.instance);
    for (role, sees) in [("Reader", false), ("Manager", false), ("Viewer", true), ("Operator", true), ("Editor", true)]
    {
        let (id, token) = robot(&kp, role).await;
        give(&kp, &text(&id, "iam_id"), role, &[("serviceName", "kms"), ("serviceInstance", &other)]).await;
        let (shown, hidden) = (if sees { 200 } else { 403 }, usize::from(sees));
        let status = async |path: &str| kp.get(path).bearer(&token).send().await.status;
        assert_eq!(status(&format!("{ROUTE}/{other}")).await, shown, "{role}");
        assert_eq!(status(&format!("{ROUTE}/{other}/resource_keys")).await, shown, "{role}");
        assert_eq!(status(&key).await, shown, "{role}");
        assert_eq!(status(&own).await, 403, "{role}");
        for list in [ROUTE, "/v2/resource_keys"] {
            let list = kp.get(list).bearer(&token).send().await.succeeds(200);
            assert_eq!(list["rows_count"], hidden, "{role}");
        }
    }
    let refused = kp.get(&own).bearer(&robot(&kp, "nobody").await.1).send().await.succeeds(403);
    assert_eq!(refused["errors"][0]["code"], "insufficent_permissions");
}

#[actix_web::test]
async fn a_resource_key_gives_its_role_to_the_service_id_that_it_was_made_for() {
    let kp = strict().await;
    let root = kp.create_root_key("ledger").await;
    let (id, token) = robot(&kp, "robot").await;
    let make = async |crn: &Value| {
        let parameters = json!({ "serviceid_crn": crn });
        let body = json!({ "name": "w", "source": kp.instance, "role": "Writer", "parameters": parameters });
        kp.post("/v2/resource_keys").json(&body).send().await
    };
    let made = make(&id["crn"]).await.succeeds(201);
    assert_eq!(made["credentials"]["iam_serviceid_crn"], id["crn"]);
    let by_key = kp.token_for(made["credentials"]["apikey"].as_str().unwrap()).await;
    let read = async |token: &str| kp.get(&format!("/api/v2/keys/{root}")).bearer(token).send().await.status;
    assert_eq!((read(&by_key).await, read(&token).await), (200, 200));
    let second = make(&id["crn"]).await.succeeds(201);
    let remove = async |key: &Value| kp.delete(&format!("/v2/resource_keys/{}", text(key, "guid"))).send().await;
    remove(&made).await.succeeds(204);
    assert_eq!(read(&token).await, 200, "the second key gives the same");
    remove(&second).await.succeeds(204);
    assert_eq!(read(&token).await, 401);
    let crn = text(&id, "crn");
    let uuid = text(&id, "id").replace("ServiceId-", "");
    for wrong in [
        crn.replace(&uuid, "6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa"),
        crn.replace(kp.account(), &"0".repeat(32)),
        crn.replace("iam-identity", "kms"),
        crn.replace(":serviceid:", ":profile:"),
    ] {
        let refused = make(&json!(wrong)).await.succeeds(400);
        assert!(text(&refused, "message").contains("`parameters.serviceid_crn`"), "{refused}");
    }
    // The service id that another key was made with will do too.
    let first = kp.post("/v2/resource_keys").json(&json!({ "name": "a", "source": kp.instance })).send().await;
    make(&first.succeeds(201)["credentials"]["iam_serviceid_crn"]).await.succeeds(201);
}

#[actix_web::test]
async fn a_deleted_service_id_leaves_nothing_that_works_in_either_mode() {
    for mode in ["token", "strict"] {
        let kp = Harness::with(&["--auth", mode]).await;
        let (id, token) = robot(&kp, "robot").await;
        give(&kp, &text(&id, "iam_id"), "Manager", &[("serviceName", "kms")]).await;
        let parameters = json!({ "serviceid_crn": id["crn"] });
        let body = json!({ "name": "w", "source": kp.instance, "parameters": parameters });
        let key = kp.post("/v2/resource_keys").json(&body).send().await.succeeds(201);
        let api_key = key["credentials"]["apikey"].as_str().unwrap().to_owned();
        let issued = grant(&kp, &[("grant_type", API_KEY), ("apikey", &api_key)]).await.succeeds(200);
        let (second, refresh) = (text(&issued, "access_token"), text(&issued, "refresh_token"));
        kp.get("/api/v2/keys").bearer(&token).send().await.succeeds(200);
        kp.delete(&format!("/v1/serviceids/{}", text(&id, "id"))).send().await.succeeds(204);
        for token in [&token, &second] {
            kp.get("/api/v2/keys").bearer(token).send().await.unauthorized();
            kp.get(ROUTE).bearer(token).send().await.succeeds(401);
            kp.get(&format!("/v1/policies?account_id={}", kp.account())).bearer(token).send().await.succeeds(401);
            let cos = text(&kp.info, "cosInstanceCrn");
            let service = [("grant_type", SERVICE), ("access_token", token.as_str()), ("desired_iam_id", &cos)];
            assert_eq!(code(&grant(&kp, &service).await, 400), "BXNIM0407E", "{mode}");
        }
        let again = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        assert_eq!(code(&grant(&kp, &again).await, 400), "BXNIM0407E", "{mode}");
        let shown = kp.get(&format!("/v2/resource_keys/{}", text(&key, "guid"))).send().await.succeeds(200);
        assert_eq!(shown["state"], "removed");
        if mode == "strict" {
            assert_eq!(code(&grant(&kp, &[("grant_type", API_KEY), ("apikey", &api_key)]).await, 400), "BXNIM0415E");
        }
    }
}

#[actix_web::test]
async fn who_no_policy_names_any_more_gets_no_token_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::in_folder(folder.path(), &[]).await;
    let token = kp.token_for("robot").await;
    kp.stop().await;
    let kp = Harness::in_folder(folder.path(), &["--auth", "strict"]).await;
    kp.get("/api/v2/key_rings").bearer(&token).send().await.unauthorized();
    assert_eq!(kp.get(ROUTE).bearer(&token).send().await.succeeds(200)["rows_count"], 0);
    let cos = text(&kp.info, "cosInstanceCrn");
    let service = [("grant_type", SERVICE), ("access_token", token.as_str()), ("desired_iam_id", &cos)];
    assert_eq!(code(&grant(&kp, &service).await, 400), "BXNIM0407E");
}

#[actix_web::test]
async fn a_removed_service_instance_may_nothing_and_gets_no_token() {
    let kp = Harness::new().await;
    let root = kp.create_root_key("ledger").await;
    let cos = text(&kp.post(ROUTE).json(&instance(COS_STANDARD, "global")).send().await.succeeds(201), "crn");
    kp.authorize(&cos, &["Reader"], &[]).await;
    let service = [("grant_type", SERVICE), ("access_token", kp.token.as_str()), ("desired_iam_id", &cos)];
    let issued = grant(&kp, &service).await.succeeds(200);
    let (token, refresh) = (text(&issued, "access_token"), text(&issued, "refresh_token"));
    let wrap = async || kp.action(&root, "wrap").bearer(&token).json(&json!({})).send().await;
    wrap().await.succeeds(200);
    kp.delete(&format!("{ROUTE}/{}", crate::harness::words::encoded(&cos))).send().await.succeeds(204);
    wrap().await.unauthorized();
    assert_eq!(code(&grant(&kp, &service).await, 400), "BXNIM0109E");
    let again = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    assert_eq!(code(&grant(&kp, &again).await, 400), "BXNIM0407E");
}
