//! Buckets from before 2020-02-26: no registration, no notice; two operations an hour apart bring them in step.

use hyper::Method;
use serde_json::json;

use crate::harness::Harness;

const OLD: &str = "2019-06-01T00:00:00Z";

/// A bucket that was aged, with one object.
async fn archive() -> (Harness, String) {
    let kp = Harness::with_gateway().await;
    let key = kp.create_root_key("archive").await;
    kp.sealed_bucket("archive", &key).await;
    kp.put_object("archive/a", "old").await.answers(200);
    let aged = kp.age("archive", OLD).await;
    assert_eq!((&aged["creationDate"], &aged["registered"]), (&json!(OLD), &json!(false)));
    assert!(aged["keyInfo"].is_null());
    (kp, key)
}

#[actix_web::test]
async fn an_old_bucket_shows_its_date_and_is_not_registered() {
    let (kp, key) = archive().await;
    let listed = kp.s3(Method::GET, "/").send().await.answers(200);
    assert!(listed.contains("<CreationDate>2019-06-01T00:00:00.000Z</CreationDate>"), "{listed}");
    assert_eq!(kp.registrations(&key).await.len(), 0);
    kp.age("archive", "2026-01-01T00:00:00Z").await;
    assert_eq!(kp.registrations(&key).await.len(), 0, "once unregistered, always so");
    kp.delete_key(&key).await.succeeds(204);
}

#[actix_web::test]
async fn an_old_bucket_gets_no_notice_and_two_operations_an_hour_apart_bring_it_in_step() {
    let (kp, key) = archive().await;
    assert_eq!(kp.get_object("archive/a").await.answers(200), "old");
    kp.disable(&key).await.succeeds(204);
    kp.advance("30m").await;
    kp.get_object("archive/a").await.answers(200);
    kp.head_object("archive/a").await.answers(200);
    kp.advance("31m").await;
    kp.head_object("archive/a").await.answers(403);
    assert_eq!(kp.bucket_state("archive").await["keyState"], "suspended");
    kp.enable(&key).await.succeeds(204);
    kp.advance("30m").await;
    kp.get_object("archive/a").await.answers(403);
    kp.advance("31m").await;
    kp.get_object("archive/a").await.answers(200);
    assert_eq!(kp.key_records("archive").await.len(), 0);
}

#[actix_web::test]
async fn an_old_buckets_data_key_is_renewed_at_the_next_look_after_a_rotation() {
    let (kp, key) = archive().await;
    kp.get_object("archive/a").await.answers(200);
    kp.rotate(&key).await.succeeds(204);
    kp.advance("30m").await;
    kp.get_object("archive/a").await.answers(200);
    assert_eq!(kp.bucket_state("archive").await["keyVersionId"], key, "nobody told the gateway");
    kp.advance("31m").await;
    kp.get_object("archive/a").await.answers(200);
    let versions = kp.get(&format!("/api/v2/keys/{key}/versions")).send().await.succeeds(200);
    assert_eq!(kp.bucket_state("archive").await["keyVersionId"], versions["resources"][0]["id"]);
}

#[actix_web::test]
async fn ageing_is_refused_for_what_is_no_bucket_and_no_date() {
    let kp = Harness::with_gateway().await;
    kp.plain_bucket("plain").await;
    let age = async |bucket: &str, body: &serde_json::Value| {
        kp.patch(&format!("/mock/buckets/{bucket}")).json(body).send().await.status
    };
    assert_eq!(age("nobody", &json!({ "creationDate": OLD })).await, 404);
    assert_eq!(age("plain", &json!({ "creationDate": "last year" })).await, 400);
    assert_eq!(age("plain", &json!({})).await, 400);
    assert_eq!(age("plain", &json!({ "date": OLD })).await, 400);
    assert_eq!(age("plain", &json!({ "creationDate": "2030-01-01T00:00:00Z" })).await, 422);
    assert_eq!(age("plain", &json!({ "creationDate": OLD })).await, 200);
}
