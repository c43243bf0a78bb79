//! Aliases, and what hangs on a key: `docs/contract/keys.md` 14, `policies.md` 2.4 and 6, `events.md` 1.2.

use serde_json::{Value, json};

use crate::harness::keys::id_of;
use crate::harness::words::{is_uuid_v4, members};
use crate::harness::{Harness, Reply};

const NOON: &str = "2026-01-01T12:00:00Z";
const ALIAS: &str = "application/vnd.ibm.kms.alias+json";
const POLICY: &str = "application/vnd.ibm.kms.policy+json";
const REGISTRATION: &str = "application/vnd.ibm.kms.registration+json";

async fn add(kp: &Harness, key: &str, alias: &str) -> Reply {
    kp.post(&format!("/api/v2/keys/{key}/aliases/{alias}")).send().await
}

async fn remove(kp: &Harness, key: &str, alias: &str) -> Reply {
    kp.delete(&format!("/api/v2/keys/{key}/aliases/{alias}")).send().await
}

#[actix_web::test]
async fn a_new_alias_is_answered_with_the_keys_id() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.advance("1m").await;
    let reply = add(&kp, &key, "inv").await;
    let wanted = json!({
        "metadata": { "collectionType": ALIAS, "collectionTotal": 1 },
        "resources": [{
            "keyId": key, "alias": "inv", "createdBy": "IBMid-270005MKP0", "creationDate": "2026-01-01T12:01:00Z",
        }],
    });
    assert_eq!(reply.succeeds(201), wanted);
    assert_eq!(reply.header("content-type"), Some(ALIAS));
    assert_eq!(add(&kp, "inv", "inv-2").await.resource(201)["keyId"], key);
    let seen = kp.metadata("inv-2").await;
    assert_eq!((&seen["id"], &seen["aliases"]), (&json!(key), &json!(["inv", "inv-2"])));
    assert_eq!(seen["lastUpdateDate"], "2026-01-01T12:01:00Z");
}

#[actix_web::test]
async fn an_alias_names_the_key_in_every_path() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create(&json!({ "name": "invoices", "extractable": false, "aliases": ["inv"] })).await;
    for path in ["", "/metadata"] {
        assert_eq!(kp.get(&format!("/api/v2/keys/inv{path}")).send().await.resource(200)["id"], key);
    }
    for path in ["/versions", "/policies", "/registrations"] {
        kp.get(&format!("/api/v2/keys/inv{path}")).send().await.succeeds(200);
    }
    kp.rotate("inv").await.succeeds(204);
    kp.disable("inv").await.succeeds(204);
    kp.advance("1h").await;
    kp.enable("inv").await.succeeds(204);
    kp.advance("1h").await;
    kp.action("inv", "sync").send().await.succeeds(204);
    let reply = kp.patch("/api/v2/keys/inv").json(&json!({ "keyRingID": "default" })).send().await;
    assert_eq!(reply.resource(200)["id"], key);
    kp.delete_key("inv").await.succeeds(204);
    kp.advance("4h").await;
    assert_eq!(kp.restore("inv").await.resource(201)["id"], key);
    kp.delete_key("inv").await.succeeds(204);
    kp.advance("4h").await;
    kp.purge("inv").await.succeeds(204);
    kp.get("/api/v2/keys/inv").send().await.refused(404, "KEY_NOT_FOUND_ERR");
}

#[actix_web::test]
async fn aliases_are_case_sensitive() {
    let kp = Harness::frozen_at(NOON).await;
    let [lower, upper] = [kp.create_root_key("lower").await, kp.create_root_key("upper").await];
    add(&kp, &lower, "inv").await.succeeds(201);
    kp.get("/api/v2/keys/INV").send().await.refused(404, "KEY_NOT_FOUND_ERR");
    add(&kp, &upper, "INV").await.succeeds(201);
    assert_eq!(kp.metadata("INV").await["id"], upper);
    assert_eq!(kp.metadata("inv").await["id"], lower);
}

#[actix_web::test]
async fn an_alias_of_a_wrong_form_is_refused() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let too_long = "a".repeat(91);
    let wrong = ["a", &too_long, "a%20b", "a.b", "%C3%BCber", "a%2Fb", "1b4e28ba-2fa1-4d2e-883f-0016d3cca427"];
    let reserved = "allowed_ip key keys metadata policy policies registration registrations ring rings rotate wrap unwrap \
                    rewrap version versions";
    for alias in wrong.into_iter().chain(reserved.split(' ')) {
        let reply = add(&kp, &key, alias).await;
        let reason = reply.refused(400, "INVALID_FIELD_ERR");
        assert_eq!(reason["target"], json!({ "type": "field", "name": "alias" }), "{alias}");
        assert!(reply.error_msg().starts_with("Bad Request: Alias could not be created: "), "{}", reply.error_msg());
    }
    add(&kp, &key, &"a".repeat(90)).await.succeeds(201);
    add(&kp, &key, "A_b-9").await.succeeds(201);
}

#[actix_web::test]
async fn a_key_has_five_aliases_at_most_and_a_removed_one_makes_room() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create(&json!({ "name": "invoices", "aliases": ["a1", "a2", "a3", "a4"] })).await;
    add(&kp, &key, "a5").await.succeeds(201);
    let reply = add(&kp, &key, "a6").await;
    reply.refused(409, "KEY_ALIAS_QUOTA_ERR");
    assert!(reply.error_msg().starts_with("Conflict: Alias could not be created: "), "{}", reply.error_msg());
    remove(&kp, &key, "a2").await.succeeds(204);
    add(&kp, &key, "a6").await.succeeds(201);
    assert_eq!(kp.metadata(&key).await["aliases"], json!(["a1", "a3", "a4", "a5", "a6"]));
}

#[actix_web::test]
async fn an_instance_has_at_least_a_thousand_aliases() {
    let kp = Harness::frozen_at(NOON).await;
    for number in 0..200 {
        let aliases: Vec<String> = (0..5).map(|letter| format!("alias-{number}-{letter}")).collect();
        kp.create(&json!({ "name": "many", "aliases": aliases })).await;
    }
    assert_eq!(kp.names("search=alias:alias-199-4").await.len(), 1);
}

#[actix_web::test]
async fn an_alias_belongs_to_one_key_of_the_instance() {
    let kp = Harness::frozen_at(NOON).await;
    let [first, second] = [kp.create_root_key("first").await, kp.create_standard_key("second").await];
    add(&kp, &first, "inv").await.succeeds(201);
    for key in [&first, &second] {
        add(&kp, key, "inv").await.refused(409, "KEY_ALIAS_NOT_UNIQUE_ERR");
    }
    remove(&kp, &first, "inv").await.succeeds(204);
    add(&kp, &second, "inv").await.succeeds(201);
    assert_eq!(kp.metadata("inv").await["id"], second);
}

#[actix_web::test]
async fn of_several_that_want_one_alias_at_once_one_gets_it() {
    let kp = Harness::frozen_at(NOON).await;
    let resource = json!({ "name": "wanted", "extractable": false, "aliases": ["inv"] });
    let replies = futures_util::future::join_all((0..20).map(|_| kp.try_create(&resource))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
    for reply in replies.iter().filter(|reply| reply.status != 201) {
        reply.refused(409, "KEY_ALIAS_NOT_UNIQUE_ERR");
    }
    assert_eq!(kp.total("").await, "1");
    let key = kp.create_root_key("other").await;
    let replies = futures_util::future::join_all((0..9).map(|number| {
        let alias = format!("other-{number}");
        let (kp, key) = (&kp, key.as_str());
        async move { add(kp, key, &alias).await }
    }))
    .await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 5);
    assert_eq!(kp.metadata(&key).await["aliases"].as_array().unwrap().len(), 5);
}

#[actix_web::test]
async fn removing_an_alias_frees_it_at_once() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create(&json!({ "name": "invoices", "extractable": false, "aliases": ["inv", "spare"] })).await;
    kp.advance("1m").await;
    let reply = remove(&kp, "spare", "inv").await;
    reply.succeeds(204);
    assert_eq!(reply.header("content-type"), None);
    kp.get("/api/v2/keys/inv").send().await.refused(404, "KEY_NOT_FOUND_ERR");
    let seen = kp.metadata(&key).await;
    assert_eq!((&seen["aliases"], &seen["lastUpdateDate"]), (&json!(["spare"]), &json!("2026-01-01T12:01:00Z")));
    remove(&kp, "spare", "spare").await.succeeds(204);
    assert!(kp.metadata(&key).await.get("aliases").is_none());
}

#[actix_web::test]
async fn an_alias_that_the_key_does_not_have_cannot_be_removed() {
    let kp = Harness::frozen_at(NOON).await;
    let [first, second] = [kp.create_root_key("first").await, kp.create_root_key("second").await];
    add(&kp, &first, "inv").await.succeeds(201);
    for alias in ["inv", "none"] {
        remove(&kp, &second, alias).await.refused(404, "KEY_NOT_FOUND_ERR");
    }
    remove(&kp, "none", "none").await.refused(404, "KEY_NOT_FOUND_ERR");
    assert_eq!(kp.metadata("inv").await["id"], first);
}

#[actix_web::test]
async fn a_destroyed_keys_aliases_stay_its_own_until_it_is_purged() {
    let kp = Harness::frozen_at(NOON).await;
    let [key, other] = [kp.create_root_key("first").await, kp.create_root_key("second").await];
    add(&kp, &key, "inv").await.succeeds(201);
    kp.delete_key(&key).await.succeeds(204);
    assert_eq!(kp.metadata("inv").await["state"], 5);
    add(&kp, &other, "inv").await.refused(409, "KEY_ALIAS_NOT_UNIQUE_ERR");
    add(&kp, &key, "more").await.refused(410, "KEY_DELETED_ERR");
    kp.advance("4h").await;
    kp.purge(&key).await.succeeds(204);
    add(&kp, &other, "inv").await.succeeds(201);
}

async fn policies(kp: &Harness, key: &str, query: &str) -> Value {
    let reply = kp.get(&format!("/api/v2/keys/{key}/policies{query}")).send().await;
    assert_eq!(reply.header("content-type"), Some(POLICY));
    let body = reply.succeeds(200);
    assert_eq!(body["metadata"]["collectionTotal"], body["resources"].as_array().unwrap().len());
    body
}

#[actix_web::test]
async fn a_key_without_policies_has_an_empty_list_of_them() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let empty = json!({ "metadata": { "collectionType": POLICY, "collectionTotal": 0 }, "resources": [] });
    for query in ["", "?policy=rotation", "?policy=dualAuthDelete"] {
        assert_eq!(policies(&kp, &key, query).await, empty);
    }
}

#[actix_web::test]
async fn each_policy_is_a_resource_of_its_own() {
    let kp = Harness::frozen_at(NOON).await;
    let both = json!({
        "name": "invoices", "extractable": false, "rotation": { "enabled": false, "interval_month": 2 },
        "dualAuthDelete": { "enabled": true },
    });
    let key = id_of(&kp.try_create_with_policies(&both).await.succeeds(201));
    let all = policies(&kp, &key, "").await;
    assert_eq!(all["metadata"]["collectionTotal"], 2);
    let account = kp.info["accountId"].as_str().unwrap();
    for policy in all["resources"].as_array().unwrap() {
        let own = if policy.get("rotation").is_some() { "rotation" } else { "dualAuthDelete" };
        let mut wanted = vec!["createdBy", "creationDate", "crn", "id", "lastUpdateDate", own, "type", "updatedBy"];
        wanted.sort_unstable();
        assert_eq!(members(policy), wanted);
        let id = policy["id"].as_str().unwrap();
        assert!(is_uuid_v4(id), "{id}");
        let crn = format!("crn:v1:bluemix:public:kms:us-south:a/{account}:{}:policy:{id}", kp.instance);
        assert_eq!(policy["crn"], crn);
        assert_eq!((&policy["type"], &policy["creationDate"]), (&json!(POLICY), &json!(NOON)));
        assert_eq!(policy["createdBy"], "IBMid-270005MKP0");
        let alone = policies(&kp, &key, &format!("?policy={own}")).await;
        assert_eq!(alone["resources"], json!([policy]));
    }
    let rotation = &policies(&kp, &key, "?policy=rotation").await["resources"][0]["rotation"];
    assert_eq!(*rotation, json!({ "enabled": false, "interval_month": 2 }));
    let dual = &policies(&kp, &key, "?policy=dualAuthDelete").await["resources"][0]["dualAuthDelete"];
    assert_eq!(*dual, json!({ "enabled": true }));
}

#[actix_web::test]
async fn an_unknown_policy_is_refused() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    for policy in ["metrics", "Rotation", "rotation,dualAuthDelete"] {
        let reply = kp.get(&format!("/api/v2/keys/{key}/policies?policy={policy}")).send().await;
        let reason = reply.refused(400, "INVALID_QUERY_PARAM_ERR");
        assert_eq!(reason["target"], json!({ "type": "query_param", "name": "policy" }), "{policy}");
        let subject = "Bad Request: Key policy could not be retrieved: ";
        assert!(reply.error_msg().starts_with(subject), "{}", reply.error_msg());
    }
}

#[actix_web::test]
async fn a_key_that_protects_nothing_has_an_empty_list_of_registrations() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    for path in [format!("/api/v2/keys/{key}/registrations"), "/api/v2/keys/registrations".to_owned()] {
        let reply = kp.get(&path).send().await;
        let empty = json!({ "metadata": { "collectionType": REGISTRATION, "collectionTotal": 0 }, "resources": [] });
        assert_eq!(reply.succeeds(200), empty);
        assert_eq!(reply.header("content-type"), Some(REGISTRATION));
        let counted = kp.get(&format!("{path}?totalCount=true&limit=10&offset=0&preventKeyDeletion=true"));
        assert_eq!(counted.send().await.succeeds(200)["metadata"]["totalCount"], 0);
        for (query, name) in [("limit=0", "limit"), ("offset=-1", "offset"), ("totalCount=1", "totalCount")] {
            let reason = kp.get(&format!("{path}?{query}")).send().await.refused(400, "INVALID_QUERY_PARAM_ERR");
            assert_eq!(reason["target"]["name"], name);
        }
    }
}

#[actix_web::test]
async fn registrations_is_a_word_and_not_a_key() {
    let kp = Harness::frozen_at(NOON).await;
    let list = kp.get("/api/v2/keys/registrations").send().await.succeeds(200);
    assert_eq!(list["metadata"]["collectionType"], REGISTRATION);
    let reader = kp.reader_token().await;
    kp.get("/api/v2/keys/registrations").bearer(&reader).send().await.succeeds(200);
}
