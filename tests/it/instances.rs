//! The Resource Controller: service instances, and that they keep apart.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::keys::{creation, id_of};
use crate::harness::{Harness, Reply};

const TIERED: &str = "eedd3585-90c6-4c8f-be3d-062069e99fc3";
const CROSS_REGION: &str = "4e853ad3-5820-49c7-8d07-a179fb15b9ee";
const COS_STANDARD: &str = "744bfc56-d12c-4866-88d5-dac9139e0e5d";
const ROUTE: &str = "/v2/resource_instances";

fn wanted(name: &str, target: &str, plan: &str) -> Value {
    json!({ "name": name, "target": target, "resource_group": "default", "resource_plan_id": plan })
}

async fn create(kp: &Harness, body: &Value) -> Value {
    kp.post(ROUTE).json(body).send().await.succeeds(201)
}

async fn create_key_protect(kp: &Harness, name: &str) -> String {
    let instance = create(kp, &wanted(name, "us-south", TIERED)).await;
    instance["guid"].as_str().unwrap().to_owned()
}

async fn get(kp: &Harness, guid: &str) -> Reply {
    kp.get(&format!("{ROUTE}/{guid}")).send().await
}

async fn remove(kp: &Harness, guid: &str) -> Reply {
    kp.delete(&format!("{ROUTE}/{guid}")).send().await
}

/// Asserts a refusal of the Resource Controller; its `error_code`.
#[track_caller]
fn refused(reply: &Reply, status: u16) -> String {
    let body = reply.succeeds(status);
    assert_eq!(body["status_code"], status, "{body}");
    assert!(body["message"].is_string() && body["transaction_id"].is_string(), "{body}");
    body["error_code"].as_str().expect("error_code").to_owned()
}

fn encoded(crn: &str) -> String {
    crn.replace(':', "%3A").replace('/', "%2F")
}

#[actix_web::test]
async fn an_instance_shows_all_that_sdks_and_terraform_index() {
    let kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
    let account = kp.info["accountId"].as_str().unwrap();
    let made = create(&kp, &wanted("mine", "eu-de", TIERED)).await;
    let guid = made["guid"].as_str().unwrap();
    assert_eq!(made["id"], format!("crn:v1:bluemix:public:kms:eu-de:a/{account}:{guid}::"));
    let group = made["resource_group_id"].as_str().unwrap();
    let crn_of_group = format!("crn:v1:bluemix:public:resource-controller::a/{account}::resource-group:{group}");
    let target = format!("crn:v1:bluemix:public:globalcatalog::::deployment:{TIERED}%3Aeu-de");
    for (member, value) in [
        ("crn", made["id"].clone()),
        ("name", json!("mine")),
        ("url", json!(format!("{ROUTE}/{guid}"))),
        ("region_id", json!("eu-de")),
        ("account_id", json!(account)),
        ("state", json!("active")),
        ("type", json!("service_instance")),
        ("sub_type", json!("kms")),
        ("locked", json!(false)),
        ("resource_plan_id", json!(TIERED)),
        ("resource_id", json!("ee41347f-b18e-4ca6-bf80-b5467c63f9a6")),
        ("resource_group_crn", json!(crn_of_group)),
        ("target_crn", json!(target)),
        ("created_at", json!("2026-01-01T00:00:00.000000000Z")),
        ("updated_at", json!("2026-01-01T00:00:00.000000000Z")),
        ("deleted_at", Value::Null),
        ("extensions", json!({ "endpoints": { "public": kp.url, "private": kp.url } })),
        ("resource_keys_url", json!(format!("{ROUTE}/{guid}/resource_keys"))),
    ] {
        assert_eq!(made[member], value, "{member}");
    }
    assert_eq!(made["last_operation"]["type"], "create");
    assert_eq!(made["last_operation"]["state"], "succeeded");
    assert_eq!(made["plan_history"][0]["resource_plan_id"], TIERED);
    assert_eq!(get(&kp, guid).await.succeeds(200), made);
}

#[actix_web::test]
async fn the_target_is_a_region_in_any_of_its_forms() {
    let kp = Harness::new().await;
    let deployment = |text: &str| format!("crn:v1:bluemix:public:globalcatalog::::deployment:{text}");
    for (target, region) in [
        ("us-south".to_owned(), "us-south"),
        ("jp-tok".to_owned(), "jp-tok"),
        ("bluemix-us-south".to_owned(), "us-south"),
        ("bluemix-eu-gb".to_owned(), "eu-gb"),
        (deployment(&format!("{TIERED}%3Aus-east")), "us-east"),
        (deployment(&format!("{CROSS_REGION}%3Aau-syd")), "au-syd"),
    ] {
        let made = create(&kp, &wanted("anywhere", &target, TIERED)).await;
        assert_eq!(made["region_id"], region, "{target}");
        assert!(made["crn"].as_str().unwrap().contains(&format!(":kms:{region}:a/")), "{target}");
    }
    let deployment = deployment(&format!("{COS_STANDARD}%3Aglobal"));
    for target in ["global", "us-south", &deployment] {
        let made = create(&kp, &wanted("buckets", target, COS_STANDARD)).await;
        assert!(made["crn"].as_str().unwrap().contains(":cloud-object-storage:global:a/"), "{target}");
        assert_eq!(made["resource_id"], "dff97f5c-bc5e-4455-b470-411c3edbe49c");
    }
}

#[actix_web::test]
async fn each_plan_of_the_contract_makes_its_service() {
    let kp = Harness::new().await;
    for (plan, service) in [
        (TIERED, "kms"),
        (CROSS_REGION, "kms"),
        ("2fdf0c08-2d32-4f46-84b5-32e0c92fffd8", "cloud-object-storage"),
        (COS_STANDARD, "cloud-object-storage"),
        ("1e4e33e4-cfa6-4f12-9016-be594a6d5f87", "cloud-object-storage"),
    ] {
        let made = create(&kp, &wanted("one", "us-south", plan)).await;
        assert_eq!(made["crn"].as_str().unwrap().split(':').nth(4), Some(service));
    }
}

#[actix_web::test]
async fn any_resource_group_means_the_one_there_is() {
    let kp = Harness::new().await;
    let groups = kp.get("/v2/resource_groups").send().await.succeeds(200);
    let group = &groups["resources"][0];
    assert_eq!(groups["resources"].as_array().unwrap().len(), 1);
    assert_eq!(group["name"], "Default");
    assert_eq!(group["default"], true);
    assert_eq!(group["state"], "ACTIVE");
    assert_eq!(group["account_id"], kp.info["accountId"]);
    let id = group["id"].as_str().unwrap();
    for text in ["default", "Default", id, "another"] {
        let mut body = wanted("grouped", "us-south", TIERED);
        body["resource_group"] = json!(text);
        assert_eq!(create(&kp, &body).await["resource_group_id"], id, "{text}");
    }
}

#[actix_web::test]
async fn an_instance_is_found_by_guid_and_by_encoded_crn() {
    let kp = Harness::new().await;
    for crn in ["instanceCrn", "cosInstanceCrn"] {
        let crn = kp.info[crn].as_str().unwrap();
        let guid = crn.split(':').nth(7).unwrap();
        let by_guid = get(&kp, guid).await.succeeds(200);
        assert_eq!(by_guid["crn"], crn);
        assert_eq!(get(&kp, &encoded(crn)).await.succeeds(200), by_guid);
        assert_eq!(get(&kp, &encoded(crn).to_lowercase()).await.succeeds(200), by_guid);
    }
    let made = create(&kp, &wanted("mine", "us-south", TIERED)).await;
    let by_crn = encoded(made["crn"].as_str().unwrap());
    let path = format!("{ROUTE}/{by_crn}");
    assert_eq!(kp.patch(&path).json(&json!({ "name": "yours" })).send().await.succeeds(200)["name"], "yours");
    kp.delete(&path).send().await.succeeds(204);
    assert_eq!(get(&kp, &by_crn).await.succeeds(200)["state"], "removed");
}

#[actix_web::test]
async fn an_unknown_instance_is_not_found() {
    let kp = Harness::new().await;
    let unknown = "11111111-2222-4333-8444-555555555555";
    for id in [unknown, "nonsense", &encoded(&kp.info["instanceCrn"].as_str().unwrap().replace(&kp.instance, unknown))]
    {
        refused(&get(&kp, id).await, 404);
        refused(&remove(&kp, id).await, 404);
        refused(&kp.patch(&format!("{ROUTE}/{id}")).json(&json!({ "name": "n" })).send().await, 404);
    }
}

#[actix_web::test]
async fn an_update_changes_name_plan_parameters_and_clean_up() {
    let kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
    let guid = create_key_protect(&kp, "mine").await;
    kp.advance("1h").await;
    let body = json!({
        "name": "yours", "resource_plan_id": CROSS_REGION, "allow_cleanup": true,
        "parameters": { "allowed_network": "private-only" },
    });
    let changed = kp.patch(&format!("{ROUTE}/{guid}")).json(&body).send().await.succeeds(200);
    for member in ["name", "resource_plan_id", "allow_cleanup", "parameters"] {
        assert_eq!(changed[member], body[member], "{member}");
    }
    assert_eq!(changed["last_operation"]["type"], "update");
    assert_eq!(changed["last_operation"]["state"], "succeeded");
    assert_eq!(changed["updated_at"], "2026-01-01T01:00:00.000000000Z");
    assert!(!changed["updated_by"].as_str().unwrap().is_empty());
    assert_eq!(changed["created_at"], "2026-01-01T00:00:00.000000000Z");
    assert_eq!(get(&kp, &guid).await.succeeds(200), changed);
}

#[actix_web::test]
async fn what_cannot_be_made_is_refused() {
    let kp = Harness::new().await;
    let unknown = wanted("mine", "us-south", "11111111-2222-4333-8444-555555555555");
    refused(&kp.post(ROUTE).json(&unknown).send().await, 400);
    for member in ["name", "target", "resource_group", "resource_plan_id"] {
        for wrong in [None, Some(json!(5)), Some(json!({}))] {
            let mut body = wanted("mine", "us-south", TIERED);
            match wrong {
                None => drop(body.as_object_mut().unwrap().remove(member)),
                Some(wrong) => body[member] = wrong,
            }
            refused(&kp.post(ROUTE).json(&body).send().await, 400);
        }
    }
    for text in ["", "[]", "null", "{", "{\"name\":\"mine\"} trailing"] {
        refused(&kp.post(ROUTE).raw(text).send().await, 400);
    }
    for wrong in [json!("private_only"), json!(true)] {
        let mut body = wanted("mine", "us-south", TIERED);
        body["parameters"] = json!({ "allowed_network": wrong });
        refused(&kp.post(ROUTE).json(&body).send().await, 400);
    }
    let path = format!("{ROUTE}/{}", kp.instance);
    for body in [json!({ "name": "" }), json!({ "name": 1 }), json!({ "resource_plan_id": COS_STANDARD })] {
        refused(&kp.patch(&path).json(&body).send().await, 400);
    }
    assert_eq!(list(&kp, "").await.len(), 2, "nothing was made");
}

#[actix_web::test]
async fn the_content_type_of_a_body_does_not_matter() {
    let kp = Harness::new().await;
    let body = wanted("mine", "us-south", TIERED).to_string();
    kp.post(ROUTE).raw(body).header("entity-lock", "false").send().await.succeeds(201);
}

#[actix_web::test]
async fn a_bad_token_is_told_in_the_form_of_the_platform() {
    let kp = Harness::new().await;
    let path = format!("{ROUTE}/{}", kp.instance);
    for call in
        [kp.get(ROUTE), kp.post(ROUTE), kp.get(&path), kp.patch(&path), kp.delete(&path), kp.get("/v2/resource_groups")]
    {
        let body = call.without("authorization").send().await.succeeds(401);
        assert_eq!(body["errors"][0]["code"], "invalid_token");
    }
    for header in ["Basic Yng6Yng=", "Bearer not.a.jwt", "Bearer rubbish"] {
        let body = kp.get(ROUTE).header("authorization", header).send().await.succeeds(401);
        assert_eq!(body["errors"][0]["code"], "invalid_token");
    }
}

/// All pages of a list.
async fn list(kp: &Harness, query: &str) -> Vec<Value> {
    let mut next = format!("{ROUTE}?{query}");
    let mut found = Vec::new();
    loop {
        let page = kp.get(&next).send().await.succeeds(200);
        let resources = page["resources"].as_array().unwrap();
        assert_eq!(page["rows_count"], resources.len());
        found.extend(resources.iter().cloned());
        match page["next_url"].as_str() {
            None => return found,
            Some(url) => {
                assert!(url.starts_with(&format!("{ROUTE}?")) && url.contains("start="), "{url}");
                url.clone_into(&mut next);
            }
        }
    }
}

#[actix_web::test]
async fn a_list_goes_page_by_page_over_next_url() {
    let kp = Harness::new().await;
    for number in 0..5 {
        create_key_protect(&kp, &format!("number {number}")).await;
    }
    let first = kp.get(&format!("{ROUTE}?limit=2")).send().await.succeeds(200);
    assert_eq!(first["rows_count"], 2);
    assert!(first["next_url"].as_str().unwrap().contains("limit=2"));
    for limit in [1, 2, 7, 100] {
        let found = list(&kp, &format!("limit={limit}")).await;
        let mut guids: Vec<&Value> = found.iter().map(|instance| &instance["guid"]).collect();
        assert_eq!(guids.len(), 7);
        guids.sort_by_key(ToString::to_string);
        guids.dedup();
        assert_eq!(guids.len(), 7, "an instance stands on two pages");
    }
    for query in ["limit=0", "limit=101", "limit=-1", "limit=x", "limit=", "start=nonsense"] {
        refused(&kp.get(&format!("{ROUTE}?{query}")).send().await, 400);
    }
}

#[actix_web::test]
async fn who_removes_what_a_page_shows_before_asking_for_the_next_leaves_nothing_out() {
    let kp = Harness::new().await;
    for _ in 0..6 {
        create_key_protect(&kp, "passing").await;
    }
    let mut next = Some(format!("{ROUTE}?name=passing&limit=2"));
    while let Some(url) = next {
        let page = kp.get(&url).send().await.succeeds(200);
        for instance in page["resources"].as_array().unwrap() {
            remove(&kp, instance["guid"].as_str().unwrap()).await.succeeds(204);
        }
        next = page["next_url"].as_str().map(str::to_owned);
    }
    assert!(list(&kp, "name=passing").await.is_empty());
}

#[actix_web::test]
async fn a_list_is_filtered_by_each_parameter() {
    let kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
    let guid = create_key_protect(&kp, "mine").await;
    let removed = create_key_protect(&kp, "gone").await;
    remove(&kp, &removed).await.succeeds(204);
    let cos = "dff97f5c-bc5e-4455-b470-411c3edbe49c";
    for (query, count) in [
        (String::new(), 3),
        (format!("guid={guid}"), 1),
        ("name=mine".to_owned(), 1),
        ("name=other".to_owned(), 0),
        (format!("resource_id={cos}"), 1),
        (format!("resource_plan_id={TIERED}"), 2),
        (format!("name=mine&resource_id={cos}"), 0),
        ("type=service_instance".to_owned(), 3),
        ("type=other".to_owned(), 0),
        ("resource_group_id=00000000000000000000000000000000".to_owned(), 0),
        ("state=removed".to_owned(), 1),
        ("state=active".to_owned(), 3),
        ("state=failed".to_owned(), 0),
        (format!("guid={removed}"), 0),
    ] {
        assert_eq!(list(&kp, &query).await.len(), count, "{query}");
    }
}

#[actix_web::test]
async fn a_list_is_filtered_by_sub_type_and_time_of_change() {
    let kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
    kp.advance("1d").await;
    create_key_protect(&kp, "later").await;
    for (query, count) in [
        ("sub_type=kms", 2),
        ("sub_type=", 1),
        ("sub_type=other", 0),
        ("updated_from=2026-01-01T12:00:00Z", 1),
        ("updated_to=2026-01-01T12:00:00Z", 2),
        ("updated_from=2026-01-03T00:00:00Z", 0),
        ("updated_from=2026-01-01T00:00:00Z&updated_to=2026-01-03T00:00:00Z", 3),
        ("updated_from=2026-01-02", 1),
        ("updated_from=2026-01-01&updated_to=2026-01-02", 3),
        ("updated_to=2026-01-01", 2),
    ] {
        assert_eq!(list(&kp, query).await.len(), count, "{query}");
    }
}

#[actix_web::test]
async fn the_next_page_of_a_filtered_list_is_filtered_too() {
    let kp = Harness::new().await;
    for name in ["mine", "yours", "mine", "yours", "mine"] {
        create_key_protect(&kp, name).await;
    }
    let found = list(&kp, "name=mine&limit=1").await;
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|instance| instance["name"] == "mine"));
}

#[actix_web::test]
async fn a_removed_instance_is_shown_once_more_and_gone_for_all_else() {
    let kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
    let guid = create_key_protect(&kp, "mine").await;
    let path = format!("{ROUTE}/{guid}?recursive=true");
    let reply = kp.delete(&path).send().await;
    reply.succeeds(204);
    assert!(reply.body.is_empty());
    let removed = get(&kp, &guid).await.succeeds(200);
    assert_eq!(removed["state"], "removed");
    assert_eq!(removed["deleted_at"], "2026-01-01T00:00:00.000000000Z");
    assert!(!removed["deleted_by"].as_str().unwrap().is_empty());
    assert_eq!(removed["last_operation"]["type"], "delete");
    refused(&remove(&kp, &guid).await, 410);
    refused(&kp.patch(&format!("{ROUTE}/{guid}")).json(&json!({ "name": "n" })).send().await, 410);
    kp.get("/api/v2/keys").header("bluemix-instance", &guid).send().await.unauthorized();
    let body = creation(&json!({ "name": "late", "extractable": false }));
    kp.post("/api/v2/keys").header("bluemix-instance", &guid).json(&body).send().await.unauthorized();
}

#[actix_web::test]
async fn an_instance_with_living_keys_stays() {
    let mut kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
    let guid = create_key_protect(&kp, "mine").await;
    let built_in = std::mem::replace(&mut kp.instance, guid.clone());
    let active = kp.create_root_key("active").await;
    let suspended = kp.create_root_key("suspended").await;
    kp.disable(&suspended).await.succeeds(204);
    for query in ["", "?recursive=true", "?recursive=false"] {
        let reply = kp.delete(&format!("{ROUTE}/{guid}{query}")).send().await;
        assert_eq!(refused(&reply, 409), "RC-ServiceBrokerErrorResponse");
        let message =
            "[409, Conflict] Conflict: Instance contains 2 active keys. Remove all keys before de-provisioning";
        assert_eq!(reply.json()["message"], message);
    }
    assert_eq!(get(&kp, &guid).await.succeeds(200)["state"], "active");
    kp.delete_key(&active).await.succeeds(204);
    refused(&remove(&kp, &guid).await, 409);
    kp.delete_key(&suspended).await.succeeds(204);
    remove(&kp, &guid).await.succeeds(204);
    kp.metadata_of(&active).await.unauthorized();
    kp.restore(&active).await.unauthorized();
    kp.instance = built_in;
    kp.metadata_of(&active).await.refused(404, "KEY_NOT_FOUND_ERR");
    assert!(kp.advance("91d").await["ran"].as_array().unwrap().is_empty(), "its keys went with it");
}

#[actix_web::test]
async fn keys_work_in_a_new_instance_and_carry_its_crn() {
    let mut kp = Harness::new().await;
    let made = create(&kp, &wanted("mine", "eu-de", TIERED)).await;
    kp.instance = made["guid"].as_str().unwrap().to_owned();
    let key = kp.create_root_key("abroad").await;
    let crn = made["crn"].as_str().unwrap().strip_suffix("::").unwrap();
    assert_eq!(kp.metadata(&key).await["crn"], format!("{crn}:key:{key}"));
    let ciphertext = kp.wrap(&key, "aGVsbG8=").await;
    assert_eq!(kp.unwrap(&key, &ciphertext).await.succeeds(200)["plaintext"], "aGVsbG8=");
}

#[actix_web::test]
async fn a_cos_instance_holds_no_keys() {
    let kp = Harness::new().await;
    let cos = kp.info["cosInstanceId"].as_str().unwrap();
    kp.get("/api/v2/keys").header("bluemix-instance", cos).send().await.unauthorized();
}

impl Harness {
    async fn metadata_of(&self, key: &str) -> Reply {
        self.get(&format!("/api/v2/keys/{key}/metadata")).send().await
    }
}

/// Each route that names a key, with what it is called with.
fn key_routes(key: &str, ciphertext: &str) -> Vec<(hyper::Method, String, Value)> {
    use hyper::Method;
    let path = format!("/api/v2/keys/{key}");
    let mut routes = vec![
        (Method::GET, path.clone(), Value::Null),
        (Method::PATCH, path.clone(), json!({ "keyRingID": "default" })),
        (Method::DELETE, path.clone(), Value::Null),
        (Method::DELETE, format!("{path}?force=true"), Value::Null),
        (Method::DELETE, format!("{path}/purge"), Value::Null),
        (Method::POST, format!("{path}/restore"), Value::Null),
        (Method::POST, format!("{path}?action=wrap"), json!({})),
        (Method::POST, format!("{path}/aliases/elsewhere"), Value::Null),
        (Method::DELETE, format!("{path}/aliases/here"), Value::Null),
    ];
    for below in ["metadata", "versions", "policies", "registrations"] {
        routes.push((Method::GET, format!("{path}/{below}"), Value::Null));
    }
    for action in ["wrap", "unwrap", "rewrap", "rotate", "disable", "enable", "sync"] {
        routes.push((Method::POST, format!("{path}/actions/{action}"), json!({ "ciphertext": ciphertext })));
    }
    for action in ["setKeyForDeletion", "unsetKeyForDeletion"] {
        routes.push((Method::POST, format!("{path}/actions/{action}"), Value::Null));
    }
    routes
}

async fn send(kp: &Harness, method: &hyper::Method, path: &str, body: &Value) -> Reply {
    let call = kp.call(method.clone(), path);
    if body.is_null() { call.send().await } else { call.json(body).send().await }
}

/// `connection` tells whether the body was read in time, no more.
fn header_names(reply: &Reply) -> BTreeSet<String> {
    reply.headers.keys().map(ToString::to_string).filter(|name| name != "connection").collect()
}

#[actix_web::test]
async fn a_key_of_another_instance_answers_like_one_that_never_was() {
    let mut kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
    let resource = json!({ "name": "foreign", "extractable": false, "aliases": ["here"] });
    let foreign = id_of(&kp.try_create(&resource).await.succeeds(201));
    let gone = kp.create_root_key("foreign and destroyed").await;
    kp.delete_key(&gone).await.succeeds(204);
    let ciphertext = kp.wrap(&foreign, "aGVsbG8=").await;
    let before = kp.metadata(&foreign).await;
    let owner = kp.instance.clone();
    kp.instance = create_key_protect(&kp, "neighbour").await;
    let unknown = "11111111-2222-4333-8444-555555555555";
    for (name, stand_in) in [(foreign.as_str(), unknown), (&gone, unknown), ("here", "nowhere")] {
        let routes = key_routes(name, &ciphertext).into_iter().zip(key_routes(stand_in, &ciphertext));
        for ((method, path, body), (_, unknown_path, _)) in routes {
            let reply = send(&kp, &method, &path, &body).await;
            let expected = send(&kp, &method, &unknown_path, &body).await;
            assert_eq!(reply.status, expected.status, "{method} {path}");
            assert_eq!(reply.json(), expected.json(), "{method} {path}");
            assert_eq!(header_names(&reply), header_names(&expected), "{method} {path}");
            assert_eq!(reply.status, 404, "{method} {path}");
        }
    }
    let listed = kp.get("/api/v2/keys?state=0,1,2,3,5").send().await.succeeds(200);
    assert_eq!(listed["metadata"]["collectionTotal"], 0);
    assert_eq!(kp.head("/api/v2/keys").send().await.header("key-total"), Some("0"));
    kp.instance = owner;
    assert_eq!(kp.metadata(&foreign).await, before, "nothing was changed from outside");
}

#[actix_web::test]
async fn an_unknown_instance_is_unauthorized_on_every_route() {
    let mut kp = Harness::new().await;
    let key = kp.create_root_key("guarded").await;
    let ciphertext = kp.wrap(&key, "aGVsbG8=").await;
    kp.instance = "11111111-2222-4333-8444-555555555555".to_owned();
    for (method, path, body) in key_routes(&key, &ciphertext) {
        send(&kp, &method, &path, &body).await.unauthorized();
    }
}

#[actix_web::test]
async fn a_ciphertext_does_not_open_in_another_instance() {
    let mut kp = Harness::new().await;
    let here = kp.create_root_key("mine").await;
    let ciphertext = kp.wrap(&here, "aGVsbG8=").await;
    kp.instance = create_key_protect(&kp, "neighbour").await;
    let theirs = kp.create_root_key("theirs").await;
    kp.unwrap(&theirs, &ciphertext).await.refused(422, "UNPROCESSABLE_CIPHERTEXT_ERR");
}

#[actix_web::test]
async fn an_alias_may_stand_in_two_instances() {
    let mut kp = Harness::new().await;
    let resource = json!({ "name": "one", "extractable": false, "aliases": ["shared"] });
    kp.try_create(&resource).await.succeeds(201);
    kp.instance = create_key_protect(&kp, "neighbour").await;
    kp.try_create(&resource).await.succeeds(201);
}

#[actix_web::test]
async fn the_transaction_id_comes_back_in_errors() {
    let kp = Harness::new().await;
    let unknown = format!("{ROUTE}/11111111-2222-4333-8444-555555555555");
    let reply = kp.get(&unknown).header("transaction-id", "abc-1").send().await;
    assert_eq!(reply.succeeds(404)["transaction_id"], "abc-1");
}
