//! Roles on part of an instance: one instance, a key ring, a key. Lists show what is left.

use serde_json::{Value, json};

use crate::harness::keys::{creation, id_of};
use crate::harness::{Harness, Reply};

const NOON: &str = "2026-01-01T12:00:00Z";
const NOBODY: &str = "6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa";
const EQUALS: &str = "stringEquals";
const MATCH: &str = "stringMatch";

/// Two rings with a key each, and a key in the default ring.
struct Scene {
    kp: Harness,
    blue: String,
    green: String,
    plain: String,
}

impl Scene {
    async fn new() -> Self {
        let kp = Harness::frozen_at(NOON).await;
        kp.create_ring("blue-1").await;
        kp.create_ring("green").await;
        let blue = kp.create_in_ring("in blue", "blue-1").await;
        let green = kp.create_in_ring("in green", "green").await;
        let plain = kp.create_root_key("in default").await;
        Self { kp, blue, green, plain }
    }

    async fn wrap(&self, key: &str, token: &str) -> Reply {
        self.kp.action(key, "wrap").bearer(token).json(&json!({})).send().await
    }

    /// Names of the keys that a list shows, sorted; the count must agree.
    async fn sees(&self, query: &str, token: &str) -> Vec<String> {
        let path = format!("/api/v2/keys?{query}");
        let list = self.kp.get(&path).bearer(token).send().await.succeeds(200);
        let keys = list["resources"].as_array().cloned().unwrap_or_default();
        let mut names: Vec<String> = keys.iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect();
        names.sort_unstable();
        if !query.contains("search") {
            let total = self.kp.head(&path).bearer(token).send().await;
            assert_eq!(total.header("key-total"), Some(names.len().to_string().as_str()));
        }
        names
    }
}

#[actix_web::test]
async fn a_role_on_one_instance_gives_nothing_on_another() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    let body = json!({
        "name": "second", "target": "us-south", "resource_group": "default",
        "resource_plan_id": "eedd3585-90c6-4c8f-be3d-062069e99fc3",
    });
    let second = kp.post("/v2/resource_instances").json(&body).send().await.succeeds(201);
    let guid = second["guid"].as_str().unwrap();
    let body = creation(&json!({ "name": "second", "extractable": false }));
    let create = kp.post("/api/v2/keys").header("bluemix-instance", guid).json(&body);
    let other = id_of(&create.send().await.succeeds(201));
    let token = kp.granted(1, &["Reader"], &[("serviceInstance", EQUALS, guid)]).await;
    let wrap = |key: &str, instance: &str| {
        kp.action(key, "wrap").header("bluemix-instance", instance).bearer(&token).json(&json!({}))
    };
    wrap(&other, guid).send().await.succeeds(200);
    wrap(&scene.plain, &kp.instance).send().await.unauthorized();
    assert!(scene.sees("", &token).await.is_empty());
    let ring = kp.post("/api/v2/key_rings/ring").header("bluemix-instance", guid).bearer(&token);
    ring.send().await.unauthorized();
    kp.get("/api/v2/key_rings").header("bluemix-instance", guid).bearer(&token).send().await.succeeds(200);
}

#[actix_web::test]
async fn a_role_on_a_ring_is_about_the_keys_in_it() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    for (number, limit) in [(1, ("keyRing", EQUALS, "blue-1")), (2, ("keyRing", MATCH, "blue-?"))] {
        let token = kp.granted(number, &["Manager"], &[limit]).await;
        scene.wrap(&scene.blue, &token).await.succeeds(200);
        scene.wrap(&scene.green, &token).await.unauthorized();
        scene.wrap(&scene.plain, &token).await.unauthorized();
        kp.get(&format!("/api/v2/keys/{}/metadata", scene.green)).bearer(&token).send().await.unauthorized();
        assert_eq!(scene.sees("", &token).await, ["in blue"]);
        assert_eq!(scene.sees("search=in", &token).await, ["in blue"]);
        assert!(scene.sees(&format!("search={}", scene.green), &token).await.is_empty());
        let body = creation(&json!({ "name": "more", "extractable": false }));
        let create = || kp.post("/api/v2/keys").bearer(&token).json(&body);
        create().send().await.unauthorized();
        create().header("x-kms-key-ring", "green").send().await.unauthorized();
        create().header("x-kms-key-ring", "none").send().await.unauthorized();
        let made = id_of(&create().header("x-kms-key-ring", "blue-1").send().await.succeeds(201));
        kp.delete(&format!("/api/v2/keys/{made}")).bearer(&token).send().await.succeeds(204);
    }
}

#[actix_web::test]
async fn rings_and_import_tokens_need_the_role_on_the_whole_instance() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    let token = kp.granted(1, &["Manager"], &[("keyRing", EQUALS, "blue-1")]).await;
    for call in [
        kp.get("/api/v2/key_rings"),
        kp.post("/api/v2/key_rings/red"),
        kp.delete("/api/v2/key_rings/blue-1"),
        kp.post("/api/v2/import_token"),
        kp.get("/api/v2/import_token"),
    ] {
        call.bearer(&token).send().await.unauthorized();
    }
}

#[actix_web::test]
async fn a_role_on_a_key_is_about_that_key() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    let upper = scene.blue.to_ascii_uppercase();
    let start = format!("{}*", &scene.blue[..13]);
    let limits = [("resource", EQUALS, scene.blue.as_str()), ("resource", EQUALS, &upper), ("resource", MATCH, &start)];
    for (number, limit) in (1..).zip(limits) {
        let token = kp.granted(number, &["Manager"], &[("resourceType", EQUALS, "key"), limit]).await;
        scene.wrap(&scene.blue, &token).await.succeeds(200);
        scene.wrap(&scene.green, &token).await.unauthorized();
        assert_eq!(scene.sees("", &token).await, ["in blue"]);
        let body = creation(&json!({ "name": "more", "extractable": false }));
        let create = kp.post("/api/v2/keys").header("x-kms-key-ring", "blue-1").bearer(&token).json(&body);
        create.send().await.unauthorized();
    }
}

#[actix_web::test]
async fn limits_to_ring_and_key_hold_together() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    let limits = [("keyRing", EQUALS, "green"), ("resource", EQUALS, scene.blue.as_str())];
    let token = kp.granted(1, &["Reader"], &limits).await;
    scene.wrap(&scene.blue, &token).await.unauthorized();
    assert!(scene.sees("", &token).await.is_empty());
    kp.patch(&format!("/api/v2/keys/{}", scene.blue)).json(&json!({ "keyRingID": "green" })).send().await.succeeds(200);
    scene.wrap(&scene.blue, &token).await.succeeds(200);
    assert_eq!(scene.sees("", &token).await, ["in blue"]);
}

#[actix_web::test]
async fn other_types_of_resources_are_no_keys() {
    let scene = Scene::new().await;
    let token = scene.kp.granted(1, &["Reader"], &[("resourceType", EQUALS, "bucket")]).await;
    scene.wrap(&scene.blue, &token).await.unauthorized();
    let token = scene.kp.granted(2, &["Reader"], &[("resourceType", EQUALS, "key")]).await;
    scene.wrap(&scene.blue, &token).await.succeeds(200);
    let token = scene.kp.granted(3, &["Reader"], &[("nonsense", EQUALS, "key")]).await;
    scene.wrap(&scene.blue, &token).await.unauthorized();
}

#[actix_web::test]
async fn limited_roles_add_up_in_lists_too() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    let token = kp.granted(1, &["Reader"], &[("keyRing", EQUALS, "blue-1")]).await;
    kp.authorize(&kp.adopter(1), &["Writer"], &[("resource", EQUALS, scene.plain.as_str())]).await;
    kp.authorize(&kp.adopter(1), &["KeyPurge"], &[]).await;
    assert_eq!(scene.sees("", &token).await, ["in blue", "in default"]);
    kp.action(&scene.plain, "rotate").bearer(&token).send().await.succeeds(204);
    kp.action(&scene.blue, "rotate").bearer(&token).send().await.unauthorized();
    let header = kp.get("/api/v2/keys").header("x-kms-key-ring", "default").bearer(&token).send().await;
    assert_eq!(header.succeeds(200)["metadata"]["collectionTotal"], 1);
}

#[actix_web::test]
async fn a_list_follows_more_grants_than_sql_can_chain() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    let service = kp.adopter(1);
    for number in 0..1_100 {
        let ring = format!("ring-{number}");
        kp.authorize(&service, &["Reader"], &[("keyRing", EQUALS, &ring)]).await;
    }
    kp.authorize(&service, &["Reader"], &[("keyRing", EQUALS, "green")]).await;
    let token = kp.service_token(&service).await;
    assert_eq!(scene.sees("", &token).await, ["in green"]);
    scene.wrap(&scene.green, &token).await.succeeds(200);
}

#[actix_web::test]
async fn moving_a_key_needs_the_role_on_both_rings() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    let token = kp.granted(1, &["Manager"], &[("keyRing", EQUALS, "blue-1")]).await;
    let to = |ring: &str| {
        kp.patch(&format!("/api/v2/keys/{}", scene.blue)).bearer(&token).json(&json!({ "keyRingID": ring }))
    };
    to("green").send().await.unauthorized();
    to("none").send().await.unauthorized();
    to("no ring at all").send().await.unauthorized();
    to("blue-1").send().await.succeeds(200);
    kp.authorize(&kp.adopter(1), &["Writer"], &[("keyRing", EQUALS, "green")]).await;
    to("green").send().await.unauthorized();
    kp.authorize(&kp.adopter(1), &["Manager"], &[("keyRing", MATCH, "gree*")]).await;
    to("green").send().await.succeeds(200);
    to("green").header("x-kms-key-ring", "blue-1").send().await.refused(404, "KEY_NOT_FOUND_ERR");
}

#[actix_web::test]
async fn who_has_roles_on_parts_is_not_told_which_keys_exist() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    let ring = kp.granted(1, &["Reader"], &[("keyRing", EQUALS, "blue-1")]).await;
    let one = kp.granted(2, &["Reader"], &[("resource", EQUALS, NOBODY)]).await;
    let all = kp.granted(3, &["Reader"], &[]).await;
    for path in [format!("/api/v2/keys/{NOBODY}/metadata"), "/api/v2/keys/no-alias/metadata".to_owned()] {
        kp.get(&path).bearer(&ring).send().await.unauthorized();
        kp.get(&path).bearer(&all).send().await.refused(404, "KEY_NOT_FOUND_ERR");
    }
    scene.wrap(NOBODY, &ring).await.unauthorized();
    scene.wrap(NOBODY, &one).await.refused(404, "KEY_NOT_FOUND_ERR");
    scene.wrap(NOBODY, &all).await.refused(404, "KEY_NOT_FOUND_ERR");
    let elsewhere = kp.action(&scene.blue, "wrap").header("x-kms-key-ring", "green").json(&json!({}));
    elsewhere.bearer(&ring).send().await.refused(404, "KEY_NOT_FOUND_ERR");
}

#[actix_web::test]
async fn a_list_of_all_registrations_shows_those_of_visible_keys() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    for key in [&scene.blue, &scene.green, &scene.plain] {
        kp.register(key, "ledger", &json!({})).await.succeeds(201);
    }
    let token = kp.granted(1, &["Reader"], &[("keyRing", MATCH, "*e*"), ("resource", MATCH, "*")]).await;
    let list = |query: &str| kp.get(&format!("/api/v2/keys/registrations?{query}")).bearer(&token);
    let keys = |list: &Value| -> Vec<String> {
        list["resources"].as_array().unwrap().iter().map(|one| one["keyId"].as_str().unwrap().to_owned()).collect()
    };
    let all = list("totalCount=true").send().await.succeeds(200);
    assert_eq!(keys(&all), [scene.blue.clone(), scene.green.clone(), scene.plain.clone()]);
    let token = kp.granted(2, &["Reader"], &[("keyRing", EQUALS, "green")]).await;
    let list = |query: &str| kp.get(&format!("/api/v2/keys/registrations?{query}")).bearer(&token);
    let some = list("totalCount=true").send().await.succeeds(200);
    assert_eq!(keys(&some), std::slice::from_ref(&scene.green));
    assert_eq!(some["metadata"]["totalCount"], 1);
    let purger = kp.granted(3, &["KeyPurge"], &[]).await;
    kp.get("/api/v2/keys/registrations").bearer(&purger).send().await.unauthorized();
}
