//! Lists of policies: filters, order, pages.

use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::grants::role_crn;

const NOON: &str = "2026-01-01T12:00:00Z";

fn access(iam_id: &str, resource: &Value, tags: &Value) -> Value {
    let mut body = json!({
        "type": "access",
        "subjects": [{ "attributes": [{ "name": "iam_id", "value": iam_id }] }],
        "roles": [{ "role_id": role_crn("Viewer") }],
        "resources": [{ "attributes": [resource] }],
    });
    if !tags.is_null() {
        body["resources"][0]["tags"] = json!([tags]);
    }
    body
}

async fn descriptions(kp: &Harness, version: &str, query: &str) -> Vec<String> {
    let path = format!("/{version}/policies?account_id={}&{query}", kp.account());
    let list = kp.get(&path).send().await.succeeds(200);
    let name = |policy: &Value| policy["description"].as_str().unwrap_or("none").to_owned();
    list["policies"].as_array().unwrap().iter().map(name).collect()
}

async fn scene() -> Harness {
    let kp = Harness::frozen_at(NOON).await;
    kp.delete("/v1/policies/d41f7a86-2c95-4b3e-8f10-5e6a9c7b2d34").send().await.succeeds(204);
    let kms = json!({ "name": "serviceName", "value": "kms" });
    let platform = json!({ "name": "serviceType", "value": "platform_service" });
    let tag = json!({ "name": "team", "value": "blue" });
    let group = json!({
        "type": "access",
        "subjects": [{ "attributes": [{ "name": "access_group_id", "value": "AccessGroupId-1" }] }],
        "roles": [{ "role_id": "crn:v1:bluemix:public:cloud-object-storage::::serviceRole:ObjectReader" }],
        "resources": [{ "attributes": [{ "name": "serviceName", "value": "cloud-object-storage" }] }],
    });
    let policies = [
        ("one", access("IBMid-1", &kms, &Value::Null)),
        ("two", access("IBMid-2", &platform, &Value::Null)),
        ("three", access("IBMid-1", &kms, &tag)),
        ("four", group),
        ("five", kp.authorization(&kp.adopter(1), &["Reader"], &[])),
    ];
    for (name, mut body) in policies {
        body["description"] = json!(name);
        kp.advance("1m").await;
        let made = kp.post("/v1/policies").json(&body).send().await.succeeds(201);
        assert_eq!(made["resources"], body["resources"]);
        assert_eq!(made["subjects"], body["subjects"]);
    }
    kp
}

#[actix_web::test]
async fn filters_add_up() {
    let kp = scene().await;
    for (query, expected) in [
        ("", &["one", "two", "three", "four", "five"][..]),
        ("type=authorization", &["five"]),
        ("type=access&iam_id=IBMid-1", &["one", "three"]),
        ("iam_id=IBMid-3", &[]),
        ("access_group_id=AccessGroupId-1", &["four"]),
        ("service_type=platform_service", &["two"]),
        ("service_type=service", &["one", "three", "four", "five"]),
        ("service_name=kms", &["one", "three", "five"]),
        ("tag_name=team", &["three"]),
        ("tag_name=team&tag_value=green", &[]),
        ("format=include_last_permit&state=active", &["one", "two", "three", "four", "five"]),
        ("state=deleted", &["Lets the built-in storage instance use root keys"]),
        ("sort=-created_at", &["five", "four", "three", "two", "one"]),
        ("sort=type", &["one", "two", "three", "four", "five"]),
        ("sort=-type", &["five", "one", "two", "three", "four"]),
    ] {
        for version in ["v1", "v2"] {
            assert_eq!(descriptions(&kp, version, query).await, expected, "{version} {query}");
        }
    }
}

#[actix_web::test]
async fn what_a_list_cannot_be_is_refused() {
    let kp = Harness::frozen_at(NOON).await;
    for path in ["/v1/policies", "/v2/policies?account_id="] {
        let body = kp.get(path).send().await.succeeds(400);
        assert_eq!(body["errors"][0]["code"], "missing_required_query_parameter");
    }
    let foreign = kp.get("/v1/policies?account_id=00000000000000000000000000000001").send().await.succeeds(403);
    assert_eq!(foreign["errors"][0]["code"], "insufficent_permissions");
    for query in ["type=x", "state=x", "limit=0", "limit=101", "limit=x", "start=x", "sort=colour"] {
        let path = format!("/v1/policies?account_id={}&{query}", kp.account());
        assert_eq!(kp.get(&path).send().await.status, 400, "{query}");
    }
}

#[actix_web::test]
async fn pages_follow_one_another_when_they_are_asked_for() {
    let kp = scene().await;
    let mut path = format!("/v1/policies?account_id={}&limit=2&iam_id=IBMid-1", kp.account());
    let whole = kp.get(&path).send().await.succeeds(200);
    assert!(whole.get("next").is_none(), "{whole}");
    path = format!("/v1/policies?account_id={}&limit=2", kp.account());
    let mut sizes = Vec::new();
    loop {
        let page = kp.get(&path).send().await.succeeds(200);
        assert_eq!(page["limit"], 2);
        assert!(page["first"]["href"].as_str().unwrap().starts_with(&kp.url), "{page}");
        sizes.push(page["policies"].as_array().unwrap().len());
        let Some(next) = page.get("next") else { break };
        let href = next["href"].as_str().unwrap();
        assert!(href.contains(&format!("start={}", next["start"].as_str().unwrap())), "{next}");
        href.strip_prefix(&kp.url).unwrap().clone_into(&mut path);
    }
    assert_eq!(sizes, [2, 2, 1]);
}

#[actix_web::test]
async fn a_list_that_is_emptied_page_by_page_loses_no_policy() {
    for sort in ["", "&sort=created_at", "&sort=-last_modified_at", "&sort=type", "&sort=id", "&sort=-created_by_id"] {
        let kp = scene().await;
        let all = descriptions(&kp, "v1", sort).await;
        let mut path = format!("/v1/policies?account_id={}&limit=2{sort}", kp.account());
        let mut seen = Vec::new();
        loop {
            let page = kp.get(&path).send().await.succeeds(200);
            for policy in page["policies"].as_array().unwrap() {
                seen.push(policy["description"].as_str().unwrap_or("none").to_owned());
                kp.delete(&format!("/v1/policies/{}", policy["id"].as_str().unwrap())).send().await.succeeds(204);
            }
            let Some(next) = page.get("next") else { break };
            next["href"].as_str().unwrap().strip_prefix(&kp.url).unwrap().clone_into(&mut path);
        }
        assert_eq!((seen.len(), &seen), (5, &all), "{sort}");
    }
}

#[actix_web::test]
async fn who_deletes_what_a_page_shows_before_asking_for_the_next_leaves_nothing_out() {
    let kp = scene().await;
    let all = format!("/v1/policies?account_id={}", kp.account());
    let mut next = Some(format!("{all}&limit=2"));
    while let Some(path) = next {
        let page = kp.get(&path).send().await.succeeds(200);
        for policy in page["policies"].as_array().unwrap() {
            kp.delete(&format!("/v1/policies/{}", policy["id"].as_str().unwrap())).send().await.succeeds(204);
        }
        let href = page.get("next").map(|next| next["href"].as_str().unwrap().to_owned());
        next = href.map(|href| href.strip_prefix(&kp.url).unwrap().to_owned());
    }
    assert_eq!(kp.get(&all).send().await.succeeds(200)["policies"], json!([]));
}

#[actix_web::test]
async fn tags_limit_a_policy_to_what_nothing_here_carries() {
    let kp = Harness::frozen_at(NOON).await;
    let mut body = kp.authorization(&kp.adopter(1), &["Manager"], &[]);
    body["resources"][0]["tags"] = json!([{ "name": "team", "value": "blue" }]);
    kp.post("/v1/policies").json(&body).send().await.succeeds(201);
    let token = kp.service_token(&kp.adopter(1)).await;
    kp.get("/api/v2/key_rings").bearer(&token).send().await.unauthorized();
}
