//! Two requests at once, and clients that hang up: what was acknowledged stands, and nothing is seen half done.

use futures_util::future::join;
use serde_json::json;

use crate::harness::Harness;
use crate::harness::keys::creation;

const ROUNDS: usize = 20;
const PLAN: &str = "eedd3585-90c6-4c8f-be3d-062069e99fc3";

async fn new_instance(kp: &Harness) -> String {
    let wanted =
        json!({ "name": "short", "target": "us-south", "resource_group": "default", "resource_plan_id": PLAN });
    let made = kp.post("/v2/resource_instances").json(&wanted).send().await.succeeds(201);
    made["guid"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_removed_instance_is_not_brought_back_by_a_change() {
    let kp = Harness::new().await;
    for _ in 0..ROUNDS {
        let path = format!("/v2/resource_instances/{}", new_instance(&kp).await);
        let change = kp.patch(&path).json(&json!({ "name": "longer" })).send();
        let (changed, removed) = join(change, kp.delete(&path).send()).await;
        removed.succeeds(204);
        assert!(matches!(changed.status, 200 | 410), "{}", changed.status);
        assert_eq!(kp.get(&path).send().await.succeeds(200)["state"], "removed");
    }
}

#[actix_web::test]
async fn of_two_changes_of_an_instance_none_is_lost() {
    let kp = Harness::new().await;
    for _ in 0..ROUNDS {
        let path = format!("/v2/resource_instances/{}", new_instance(&kp).await);
        let name = kp.patch(&path).json(&json!({ "name": "longer" })).send();
        let cleanup = kp.patch(&path).json(&json!({ "allow_cleanup": true })).send();
        let (name, cleanup) = join(name, cleanup).await;
        name.succeeds(200);
        cleanup.succeeds(200);
        let now = kp.get(&path).send().await.succeeds(200);
        assert_eq!((&now["name"], &now["allow_cleanup"]), (&json!("longer"), &json!(true)));
    }
}

#[actix_web::test]
async fn an_instance_is_removed_once_and_never_with_a_key_that_was_acknowledged() {
    let kp = Harness::new().await;
    for _ in 0..ROUNDS {
        let instance = new_instance(&kp).await;
        let path = format!("/v2/resource_instances/{instance}");
        let create = kp
            .post("/api/v2/keys")
            .header("bluemix-instance", &instance)
            .json(&creation(&json!({ "name": "late", "extractable": false })))
            .send();
        let removals = join(kp.delete(&path).send(), kp.delete(&path).send());
        let (created, (first, second)) = join(create, removals).await;
        let mut removals = [first.status, second.status];
        removals.sort_unstable();
        match created.status {
            201 => assert!(removals == [409, 409] || removals == [204, 409], "{removals:?}"),
            401 => assert_eq!(removals, [204, 410]),
            other => panic!("create answered {other}"),
        }
        assert!(created.status == 401 || removals == [409, 409], "a key lies in a removed instance: {removals:?}");
    }
}

#[actix_web::test]
async fn two_keys_cannot_get_one_alias() {
    let kp = Harness::new().await;
    for round in 0..ROUNDS {
        let alias = format!("alias-{round}");
        let create = || kp.post("/api/v2/keys").json(&creation(&json!({ "name": "twin", "aliases": [alias] }))).send();
        let (one, two) = join(create(), create()).await;
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409]);
    }
}

#[actix_web::test]
async fn of_two_rotations_at_once_one_is_refused() {
    let kp = Harness::new().await;
    let key = kp.create_root_key("invoices").await;
    let (one, two) = join(kp.rotate(&key), kp.rotate(&key)).await;
    let refused = if one.status == 204 { two } else { one };
    refused.refused(409, "KEY_ROTATION_NOT_PERMITTED");
    let versions = kp.get(&format!("/api/v2/keys/{key}/versions")).send().await.succeeds(200);
    assert_eq!(versions["metadata"]["collectionTotal"], 2);
}

#[actix_web::test]
async fn once_a_key_is_disabled_nothing_is_wrapped_with_it() {
    let kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
    let key = kp.create_root_key("invoices").await;
    for _ in 0..ROUNDS {
        kp.wrap(&key, "aGVsbG8=").await;
        let wrap = kp.action(&key, "wrap").send();
        let (_, disabled) = join(wrap, kp.disable(&key)).await;
        disabled.succeeds(204);
        kp.action(&key, "wrap").send().await.refused(409, "KEY_ACTION_INVALID_STATE_ERR");
        kp.advance("30s").await;
        kp.enable(&key).await.succeeds(204);
    }
}
