//! Registrations as they are read: forms, filters, pages, queries for CRNs.

use serde_json::{Value, json};

use crate::harness::words::{encoded, members};
use crate::harness::{Harness, Reply};

const NOON: &str = "2026-01-01T12:00:00Z";
const ALL: &str = "/api/v2/keys/registrations";

fn buckets(reply: &Reply) -> Vec<String> {
    let body = reply.succeeds(200);
    let all = body["resources"].as_array().expect("resources");
    assert_eq!(body["metadata"]["collectionTotal"], all.len());
    all.iter().map(|one| one["resourceCrn"].as_str().unwrap().rsplit(':').next().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn people_see_all_but_the_services_own_note() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("for buckets").await;
    let fields = json!({
        "description": "text for people", "registrationMetadata": "text for the adopter", "preventKeyDeletion": true,
    });
    kp.register(&key, "ledger", &fields).await.succeeds(201);
    let service = kp.info["cosInstanceCrn"].as_str().unwrap();
    let mut wanted = json!({
        "keyId": key, "keyName": "for buckets", "resourceCrn": kp.bucket("ledger"), "createdBy": service,
        "creationDate": "2026-01-01T12:00:00Z", "updatedBy": service, "lastUpdated": "2026-01-01T12:00:00Z",
        "description": "text for people", "preventKeyDeletion": true,
        "keyVersion": { "id": key, "creationDate": "2026-01-01T12:00:00Z" },
    });
    let stranger = kp.granted(1, &["Manager"], &[]).await;
    for path in [ALL.to_owned(), format!("/api/v2/keys/{key}/registrations")] {
        let mine = kp.get(&path).send().await;
        assert_eq!(mine.resource(200), wanted);
        assert_eq!(mine.header("etag"), None);
        let other = kp.get(&path).bearer(&stranger).send().await;
        assert_eq!(other.resource(200), wanted, "another service");
    }
    wanted["registrationMetadata"] = json!("text for the adopter");
    let storage = kp.reader_token().await;
    for path in [ALL.to_owned(), format!("/api/v2/keys/{key}/registrations")] {
        let reply = kp.get(&path).bearer(&storage).send().await;
        assert_eq!(reply.resource(200), wanted);
        assert!(reply.header("etag").unwrap().starts_with("W/\""));
    }
    kp.register(&key, "second", &json!({})).await.succeeds(201);
    assert_eq!(kp.get(ALL).bearer(&storage).send().await.header("etag"), None);
}

#[actix_web::test]
async fn a_bare_registration_shows_what_there_is() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("for buckets").await;
    let call = kp.registering(&key, &kp.bucket("ledger")).await;
    let one = call.send().await.resource(201);
    let shown = [
        "createdBy",
        "creationDate",
        "keyId",
        "keyName",
        "keyVersion",
        "lastUpdated",
        "preventKeyDeletion",
        "resourceCrn",
        "updatedBy",
    ];
    assert_eq!(members(&one), shown);
    assert_eq!(one["preventKeyDeletion"], false);
}

#[actix_web::test]
async fn filters_and_pages_work_on_both_lists() {
    let kp = Harness::frozen_at(NOON).await;
    let (key, other) = (kp.create_root_key("first").await, kp.create_root_key("second").await);
    for (name, keep) in [("a", false), ("b", true), ("c", false)] {
        kp.register(&key, name, &json!({ "preventKeyDeletion": keep })).await.succeeds(201);
    }
    kp.register(&other, "a", &json!({ "preventKeyDeletion": true })).await.succeeds(201);
    let of_key = format!("/api/v2/keys/{key}/registrations");
    for (path, query, expected, total) in [
        (of_key.as_str(), "", &["a", "b", "c"][..], 3),
        (ALL, "", &["a", "b", "c", "a"], 4),
        (&of_key, "limit=2", &["a", "b"], 3),
        (&of_key, "limit=2&offset=2", &["c"], 3),
        (&of_key, "offset=9", &[], 3),
        (ALL, "preventKeyDeletion=true", &["b", "a"], 2),
        (&of_key, "preventKeyDeletion=false", &["a", "c"], 2),
        (&of_key, "preventKeyDeletion=true&limit=1&offset=1", &[], 1),
        (ALL, "limit=1&offset=3", &["a"], 4),
    ] {
        let reply = kp.get(&format!("{path}?{query}&totalCount=true")).send().await;
        assert_eq!(buckets(&reply), expected, "{path} {query}");
        assert_eq!(reply.json()["metadata"]["totalCount"], total, "{path} {query}");
        let plain = kp.get(&format!("{path}?{query}")).send().await;
        assert!(plain.json()["metadata"].get("totalCount").is_none());
    }
    for query in ["limit=0", "limit=5001", "offset=-1", "preventKeyDeletion=yes", "totalCount=1"] {
        kp.get(&format!("{ALL}?{query}")).send().await.refused(400, "INVALID_QUERY_PARAM_ERR");
        kp.get(&format!("{of_key}?{query}")).send().await.refused(400, "INVALID_QUERY_PARAM_ERR");
    }
}

#[actix_web::test]
async fn a_query_for_crns_has_wildcards_within_segments() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("for buckets").await;
    for name in ["prod-1", "prod-2", "test-1", "odd[1]?", "pro"] {
        kp.register(&key, name, &json!({})).await.succeeds(201);
    }
    let instance = kp.info["cosInstanceCrn"].as_str().unwrap().trim_end_matches("::").to_owned();
    let of_key = format!("/api/v2/keys/{key}/registrations");
    for (end, expected) in [
        ("bucket:prod-1", &["prod-1"][..]),
        ("bucket:prod*", &["prod-1", "prod-2"]),
        ("bucket:*-1", &["prod-1", "test-1"]),
        ("bucket:p*o*", &["prod-1", "prod-2", "pro"]),
        ("*:*", &["prod-1", "prod-2", "test-1", "odd[1]?", "pro"]),
        ("bucket:odd[1]?", &["odd[1]?"]),
        ("bucket:odd[1-9]?", &[]),
        ("bucket:prod-?", &[]),
        ("bucket:Prod*", &[]),
        ("object:*", &[]),
        (":*", &[]),
    ] {
        let query = format!("{instance}:{end}");
        // As SDKs send it: once encoded, or twice by callers who follow the parameter's name.
        for text in [encoded(&query), encoded(&encoded(&query)), encoded(&encoded(&query).replace("%3A", "%3a"))] {
            for path in [&of_key, ALL] {
                let reply = kp.get(&format!("{path}?urlEncodedResourceCRNQuery={text}")).send().await;
                assert_eq!(buckets(&reply), expected, "{path} {query}");
            }
        }
    }
    for query in ["crn:v1:*:*:*:*:*:*:bucket:prod*", "crn:*:*:*:*:*:*:*:*:prod*"] {
        let path = format!("{of_key}?urlEncodedResourceCRNQuery={}", encoded(query));
        assert_eq!(buckets(&kp.get(&path).send().await), ["prod-1", "prod-2"]);
    }
}

#[actix_web::test]
async fn a_query_that_is_no_crn_is_refused() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("for buckets").await;
    let of_key = format!("/api/v2/keys/{key}/registrations");
    let bucket = kp.bucket("ledger");
    let check = async |path: &str, query: &str| {
        let reply = kp.get(&format!("{path}?urlEncodedResourceCRNQuery={}", encoded(query))).send().await;
        let reason = reply.refused(400, "INVALID_FIELD_ERR");
        assert_eq!(reason["target"], json!({ "type": "field", "name": "urlEncodedResourceCRNQuery" }), "{query}");
    };
    for query in ["*", "ledger", "crn:v1:bluemix", &bucket.replace(":bucket", ""), &format!("{bucket}:more")] {
        check(&of_key, query).await;
        check(ALL, query).await;
    }
    let account = format!("a/{}", kp.account());
    for query in [bucket.replace("global", "*"), bucket.replace(&account, "a/*"), bucket.replace("cloud-", "*")] {
        check(ALL, &query).await;
        kp.get(&format!("{of_key}?urlEncodedResourceCRNQuery={}", encoded(&query))).send().await.succeeds(200);
    }
}

#[actix_web::test]
async fn the_ring_header_narrows_the_list_of_all() {
    let kp = Harness::frozen_at(NOON).await;
    kp.create_ring("blue").await;
    let (plain, blue) = (kp.create_root_key("plain").await, kp.create_in_ring("blue", "blue").await);
    kp.register(&plain, "a", &json!({})).await.succeeds(201);
    kp.register(&blue, "b", &json!({})).await.succeeds(201);
    for (ring, expected) in [("default", &["a"][..]), ("blue", &["b"]), ("none", &[]), ("no ring", &[])] {
        let reply = kp.get(ALL).header("x-kms-key-ring", ring).send().await;
        assert_eq!(buckets(&reply), expected, "{ring}");
    }
    let of_key = format!("/api/v2/keys/{blue}/registrations");
    assert_eq!(buckets(&kp.get(&of_key).header("x-kms-key-ring", "blue").send().await), ["b"]);
    kp.get(&of_key).header("x-kms-key-ring", "default").send().await.refused(404, "KEY_NOT_FOUND_ERR");
}

#[actix_web::test]
async fn registrations_of_another_instance_are_not_shown() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("for buckets").await;
    kp.register(&key, "ledger", &json!({})).await.succeeds(201);
    let body = json!({
        "name": "second", "target": "us-south", "resource_group": "default",
        "resource_plan_id": "eedd3585-90c6-4c8f-be3d-062069e99fc3",
    });
    let second = kp.post("/v2/resource_instances").json(&body).send().await.succeeds(201);
    let guid = second["guid"].as_str().unwrap();
    let none = kp.get(ALL).header("bluemix-instance", guid).send().await;
    assert!(buckets(&none).is_empty());
}

#[actix_web::test]
async fn reading_leaves_a_record_with_the_number_shown() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("for buckets").await;
    kp.register(&key, "a", &json!({})).await.succeeds(201);
    kp.register(&key, "b", &json!({})).await.succeeds(201);
    kp.get(&format!("{ALL}?limit=1")).header("correlation-id", "all").send().await.succeeds(200);
    let of_key = format!("/api/v2/keys/{key}/registrations");
    kp.get(&of_key).header("correlation-id", "one").send().await.succeeds(200);
    for (id, total) in [("all", 1), ("one", 2)] {
        let record: Value = kp.audit(&format!("correlationId={id}")).await[0].clone();
        assert_eq!(record["action"], "kms.registrations.list");
        assert_eq!(record["responseData"]["totalResources"], total);
        assert_eq!(record["target"]["typeURI"], "kms/registrations");
    }
}
