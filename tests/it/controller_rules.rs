//! The Resource Controller beyond one instance's life: what a CRN names, pages that hold while rows go, locks, dates.

use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::words::encoded;

const NEW_YEAR: &str = "2026-01-01T00:00:00Z";
const ROUTE: &str = "/v2/resource_instances";
const TIERED: &str = "eedd3585-90c6-4c8f-be3d-062069e99fc3";
const CROSS_REGION: &str = "4e853ad3-5820-49c7-8d07-a179fb15b9ee";

async fn made(kp: &Harness, name: &str) -> Value {
    let body = json!({ "name": name, "target": "us-south", "resource_group": "default", "resource_plan_id": TIERED });
    kp.post(ROUTE).json(&body).send().await.succeeds(201)
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}"))
}

/// Names of a page, which are deleted, and of the pages behind it.
async fn emptied(kp: &Harness, path: &str, route: &str) -> Vec<String> {
    let (mut next, mut seen) = (path.to_owned(), Vec::new());
    loop {
        let page = kp.get(&next).send().await.succeeds(200);
        for row in page["resources"].as_array().unwrap() {
            seen.push(text(row, "name").to_owned());
            kp.delete(&format!("{route}/{}", text(row, "guid"))).send().await.succeeds(204);
        }
        match page["next_url"].as_str() {
            Some(url) => url.clone_into(&mut next),
            None => return seen,
        }
    }
}

#[actix_web::test]
async fn a_crn_names_an_instance_only_when_it_is_its_own() {
    let kp = Harness::new().await;
    let instance = made(&kp, "mine").await;
    let (guid, crn) = (text(&instance, "guid"), text(&instance, "crn"));
    let key = kp.post("/v2/resource_keys").json(&json!({ "name": "app", "source": crn })).send().await.succeeds(201);
    let owner = crn.trim_end_matches("::");
    let others = [
        format!("{owner}:key:6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa"),
        text(&key, "crn").to_owned(),
        crn.replace(kp.account(), &"0".repeat(32)),
        crn.replace("us-south", "eu-de"),
        crn.replace(":kms:", ":cloud-object-storage:"),
        crn.replace(":kms:", ":foo:"),
        format!("{owner}:resource-key:{guid}"),
    ];
    for other in &others {
        let path = format!("{ROUTE}/{}", encoded(other));
        assert_eq!(kp.get(&path).send().await.status, 404, "{other}");
        assert_eq!(kp.delete(&format!("{path}?recursive=true")).send().await.status, 404, "{other}");
        assert_eq!(kp.patch(&path).json(&json!({ "name": "n" })).send().await.status, 404, "{other}");
        assert_eq!(kp.get(&format!("{path}/resource_keys")).send().await.status, 404, "{other}");
        assert_eq!(kp.post(&format!("{path}/lock")).send().await.status, 404, "{other}");
        let body = json!({ "name": "app", "source": other });
        assert_eq!(kp.post("/v2/resource_keys").json(&body).send().await.status, 404, "{other}");
    }
    let key_crn = text(&key, "crn");
    for other in [key_crn.replace("us-south", "eu-de"), key_crn.replace(":resource-key:", ":key:")] {
        let path = format!("/v2/resource_keys/{}", encoded(&other));
        assert_eq!(kp.get(&path).send().await.status, 404, "{other}");
        assert_eq!(kp.delete(&path).send().await.status, 404, "{other}");
    }
    let staging = encoded(&crn.replace("bluemix", "staging"));
    assert_eq!(kp.get(&format!("{ROUTE}/{staging}")).send().await.succeeds(200), instance);
}

#[actix_web::test]
async fn a_list_that_is_emptied_page_by_page_loses_no_row() {
    let kp = Harness::frozen_at(NEW_YEAR).await;
    let names = ["a", "b", "c", "d", "e"];
    for name in names {
        made(&kp, name).await;
        let source = text(&kp.info, "cosInstanceId");
        kp.post("/v2/resource_keys").json(&json!({ "name": name, "source": source })).send().await.succeeds(201);
    }
    assert_eq!(emptied(&kp, "/v2/resource_keys?limit=2", "/v2/resource_keys").await, names);
    let own = format!("{ROUTE}?limit=2&updated_from=2026-01-01&resource_plan_id={TIERED}");
    let mut seen = emptied(&kp, &own, ROUTE).await;
    assert_eq!(seen.remove(0), "key-protect");
    assert_eq!(seen, names);
}

#[actix_web::test]
async fn a_span_of_changes_begins_and_ends_with_times_or_days() {
    let kp = Harness::frozen_at("2026-01-01T12:00:00Z").await;
    kp.advance("1d").await;
    made(&kp, "later").await;
    let source = text(&kp.info, "instanceId");
    kp.post("/v2/resource_keys").json(&json!({ "name": "later", "source": source })).send().await.succeeds(201);
    for (query, instances, keys) in [
        ("updated_from=2026-01-01", 3, 1),
        ("updated_from=2026-01-02", 1, 1),
        ("updated_from=2026-01-03", 0, 0),
        ("updated_to=2026-01-02", 3, 1),
        ("updated_to=2026-01-01", 2, 0),
        ("updated_from=2026-01-02&updated_to=2026-01-02T11:59:59Z", 0, 0),
    ] {
        let count =
            async |route: &str| kp.get(&format!("{route}?{query}")).send().await.succeeds(200)["rows_count"].clone();
        assert_eq!(count(ROUTE).await, instances, "{query}");
        assert_eq!(count("/v2/resource_keys").await, keys, "{query}");
    }
    for wrong in ["updated_from=yesterday", "updated_to=2026-13-01", "updated_from=2026-1-1"] {
        kp.get(&format!("{ROUTE}?{wrong}")).send().await.succeeds(400);
    }
}

#[actix_web::test]
async fn a_locked_instance_is_neither_changed_nor_removed() {
    let kp = Harness::frozen_at(NEW_YEAR).await;
    let instance = made(&kp, "mine").await;
    let path = format!("{ROUTE}/{}", encoded(text(&instance, "crn")));
    let lock = format!("{path}/lock");
    for _ in 0..2 {
        let locked = kp.post(&lock).send().await.succeeds(200);
        assert_eq!((&locked["locked"], &locked["last_operation"]["type"]), (&json!(true), &json!("lock")));
        assert_eq!(
            (&locked["last_operation"]["state"], &locked["last_operation"]["async"]),
            (&json!("succeeded"), &json!(false))
        );
    }
    let change = json!({ "name": "yours" });
    let refused = kp.patch(&path).json(&change).send().await.succeeds(422);
    assert_eq!(refused["status_code"], 422);
    kp.delete(&path).send().await.succeeds(422);
    kp.delete(&format!("{path}?recursive=true")).send().await.succeeds(422);
    // What is in it can be changed.
    let guid = text(&instance, "guid");
    kp.post("/api/v2/key_rings/blue").header("bluemix-instance", guid).send().await.succeeds(201);
    kp.post("/v2/resource_keys").json(&json!({ "name": "app", "source": guid })).send().await.succeeds(201);
    let unlocked = kp.delete(&lock).send().await.succeeds(200);
    assert_eq!((&unlocked["locked"], &unlocked["last_operation"]["type"]), (&json!(false), &json!("unlock")));
    assert_eq!(kp.patch(&path).json(&change).send().await.succeeds(200)["name"], "yours");
    kp.delete(&format!("{path}?recursive=true")).send().await.succeeds(204);
    kp.post(&lock).send().await.succeeds(410);
    kp.delete(&lock).send().await.succeeds(410);
    kp.post(&format!("{ROUTE}/6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa/lock")).send().await.succeeds(404);
    kp.post(&lock).without("authorization").send().await.succeeds(401);
}

#[actix_web::test]
async fn a_lock_and_earlier_plans_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::in_folder(folder.path(), &["--clock", &format!("frozen@{NEW_YEAR}")]).await;
    let path = format!("{ROUTE}/{}", text(&made(&kp, "mine").await, "guid"));
    kp.advance("1d").await;
    for plan in [CROSS_REGION, CROSS_REGION] {
        kp.patch(&path).json(&json!({ "resource_plan_id": plan })).send().await.succeeds(200);
        kp.advance("1d").await;
    }
    let locked = kp.post(&format!("{path}/lock")).send().await.succeeds(200);
    let plans = json!([
        { "resource_plan_id": TIERED, "start_date": "2026-01-01T00:00:00.000000000Z" },
        { "resource_plan_id": CROSS_REGION, "start_date": "2026-01-02T00:00:00.000000000Z" },
    ]);
    assert_eq!(locked["plan_history"], plans);
    kp.stop().await;
    let kp = Harness::in_folder(folder.path(), &[]).await;
    let mut expected = locked;
    expected["extensions"] = json!({ "endpoints": { "public": kp.url, "private": kp.url } });
    assert_eq!(kp.get(&path).send().await.succeeds(200), expected);
    kp.delete(&path).send().await.succeeds(422);
}

#[actix_web::test]
async fn a_network_that_there_is_not_is_no_network() {
    let kp = Harness::new().await;
    let mut body =
        json!({ "name": "n", "target": "us-south", "resource_group": "default", "resource_plan_id": TIERED });
    for wrong in [json!("private_only"), json!("x"), json!(true), json!({})] {
        body["parameters"] = json!({ "allowed_network": wrong });
        let refused = kp.post(ROUTE).json(&body).send().await.succeeds(400);
        assert!(text(&refused, "message").contains("`parameters.allowed_network`"), "{refused}");
    }
    for fine in [Value::Null, json!("private-only"), json!("public-and-private")] {
        body["parameters"] = json!({ "allowed_network": fine });
        kp.post(ROUTE).json(&body).send().await.succeeds(201);
    }
}

#[actix_web::test]
async fn a_removal_is_the_last_change_of_an_instance() {
    let kp = Harness::frozen_at(NEW_YEAR).await;
    let path = format!("{ROUTE}/{}", text(&made(&kp, "mine").await, "guid"));
    kp.advance("1d").await;
    kp.delete(&path).send().await.succeeds(204);
    let removed = kp.get(&path).send().await.succeeds(200);
    assert_eq!((&removed["updated_at"], &removed["updated_by"]), (&removed["deleted_at"], &removed["deleted_by"]));
    let since = kp.get(&format!("{ROUTE}?state=removed&updated_from=2026-01-02")).send().await.succeeds(200);
    assert_eq!(since["rows_count"], 1);
}
