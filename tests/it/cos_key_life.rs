//! What becomes of a bucket when its root key is disabled, enabled, rotated, deleted, restored, purged or cut off.

use hyper::Method;
use serde_json::json;

use crate::harness::Harness;

const OBJECT: &str = "ledger/a";
const BYTES: &str = "what is owed";

/// A gateway, a root key, and a bucket under it with one object.
async fn ledger() -> (Harness, String) {
    let kp = Harness::with_gateway().await;
    let key = kp.create_root_key("ledger").await;
    kp.sealed_bucket("ledger", &key).await;
    kp.put_object(OBJECT, BYTES).await.answers(200);
    (kp, key)
}

async fn reads(kp: &Harness) {
    assert_eq!(kp.get_object(OBJECT).await.answers(200), BYTES);
}

async fn is_shut(kp: &Harness, why: &str) {
    let message = kp.get_object(OBJECT).await.refused_with(403, "AccessDenied");
    assert!(message.contains(why), "{message}");
    kp.put_object("ledger/b", "more").await.refused_with(403, "AccessDenied");
    let head = kp.head_object(OBJECT).await;
    assert_eq!((head.status, head.body.len()), (403, 0));
    kp.s3(Method::POST, "/ledger/c?uploads").send().await.refused_with(403, "AccessDenied");
    kp.s3(Method::GET, "/ledger/a?tagging").send().await.refused_with(403, "AccessDenied");
}

async fn delete_by_force(kp: &Harness, key: &str) {
    kp.delete(&format!("/api/v2/keys/{key}?force=true")).send().await.succeeds(204);
}

#[actix_web::test]
async fn a_disabled_key_shuts_the_bucket_and_an_enabled_one_opens_it() {
    let (kp, key) = ledger().await;
    reads(&kp).await;
    kp.disable(&key).await.succeeds(204);
    kp.advance("90s").await;
    is_shut(&kp, "The root key of this bucket is suspended").await;
    assert_eq!(kp.bucket_state("ledger").await["keyState"], "suspended");
    kp.enable(&key).await.succeeds(204);
    kp.advance("62m").await;
    reads(&kp).await;
    kp.put_object("ledger/b", "more").await.answers(200);
    assert_eq!(kp.bucket_state("ledger").await["keyState"], "active");
}

#[actix_web::test]
async fn a_key_that_is_quickly_enabled_again_is_refused_until_the_hour_is_over() {
    let (kp, key) = ledger().await;
    kp.disable(&key).await.succeeds(204);
    kp.advance("5m").await;
    kp.enable(&key).await.succeeds(204);
    kp.advance("0s").await;
    let state = kp.bucket_state("ledger").await;
    assert_eq!((&state["keyState"], &state["keyInfo"]["verdict"]), (&json!("active"), &json!("not usable")));
    assert_eq!(state["keyInfo"]["nextCheck"], "2027-01-01T01:00:00Z");
    let message = kp.get_object(OBJECT).await.refused_with(403, "AccessDenied");
    assert_eq!(
        message,
        "The root key of this bucket was suspended when last checked; the next check is due at 2027-01-01T01:00:00Z \
         (advance the clock, sync the key, or set cosKeyInfoTtl to 0s)"
    );
    kp.advance("54m").await;
    kp.get_object(OBJECT).await.answers(403);
    kp.advance("3m").await;
    reads(&kp).await;
}

#[actix_web::test]
async fn a_key_that_was_enabled_late_opens_the_bucket_at_once() {
    let (kp, key) = ledger().await;
    kp.disable(&key).await.succeeds(204);
    kp.advance("2h").await;
    kp.enable(&key).await.succeeds(204);
    kp.advance("2m").await;
    reads(&kp).await;
}

#[actix_web::test]
async fn with_no_trust_in_memory_an_enabled_key_works_at_the_next_read() {
    let (kp, key) = ledger().await;
    kp.set("cosKeyInfoTtl", &json!("0s")).await;
    kp.disable(&key).await.succeeds(204);
    kp.get_object(OBJECT).await.answers(403);
    kp.advance("30s").await;
    kp.enable(&key).await.succeeds(204);
    reads(&kp).await;
}

#[actix_web::test]
async fn a_sync_ends_the_wait_for_memory_to_be_refreshed() {
    let (kp, key) = ledger().await;
    kp.disable(&key).await.succeeds(204);
    kp.advance("50m").await;
    // This look begins another hour.
    kp.advance("11m").await;
    kp.get_object(OBJECT).await.answers(403);
    kp.enable(&key).await.succeeds(204);
    kp.advance("0s").await;
    kp.get_object(OBJECT).await.answers(403);
    kp.set("cosKeyInfoTtl", &json!("3h")).await;
    kp.advance("61m").await;
    kp.get_object(OBJECT).await.answers(403);
    kp.action(&key, "sync").send().await.succeeds(204);
    kp.advance("0s").await;
    reads(&kp).await;
}

#[actix_web::test]
async fn rotation_touches_no_object_and_leaves_no_gap() {
    let (kp, key) = ledger().await;
    let upload = kp.s3(Method::POST, "/ledger/big?uploads").send().await.answers(200);
    let upload = crate::harness::gateway::element(&upload, "UploadId").unwrap();
    let part = |number: u32| format!("/ledger/big?partNumber={number}&uploadId={upload}");
    let big = vec![7_u8; 5 * 1_024 * 1_024];
    let one = kp.s3(Method::PUT, &part(1)).raw(big.clone()).send().await;
    for number in 1..=5 {
        kp.rotate(&key).await.succeeds(204);
        reads(&kp).await;
        kp.advance("61m").await;
        reads(&kp).await;
        let path = format!("ledger/after-{number}");
        kp.put_object(&path, BYTES).await.answers(200);
    }
    let versions = kp.get(&format!("/api/v2/keys/{key}/versions")).send().await.succeeds(200);
    let newest = &versions["resources"][0]["id"];
    assert_eq!(&kp.bucket_state("ledger").await["keyVersionId"], newest);
    let registrations = kp.registrations(&key).await;
    assert_eq!(registrations.len(), 1);
    assert_eq!(&registrations[0]["keyVersion"]["id"], newest);
    let two = kp.s3(Method::PUT, &part(2)).raw("end").send().await;
    let tags = [one.header("etag").unwrap(), two.header("etag").unwrap()];
    let list = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part><Part><PartNumber>2\
         </PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>",
        tags[0], tags[1]
    );
    kp.s3(Method::POST, &format!("/ledger/big?uploadId={upload}")).raw(list).send().await.answers(200);
    let whole = kp.get_object("ledger/big").await;
    assert!(whole.body.len() == big.len() + 3 && whole.body.ends_with(b"end"));
    for number in 1..=5 {
        assert_eq!(kp.get_object(&format!("ledger/after-{number}")).await.answers(200), BYTES);
    }
    assert_eq!(kp.key_records("ledger").await.len(), 5);
}

#[actix_web::test]
async fn a_deleted_key_shreds_its_buckets_and_their_objects_go_on_taking_space() {
    let (kp, key) = ledger().await;
    kp.plain_bucket("plain").await;
    kp.delete_key(&key).await.refused(409, "PROTECTED_RESOURCE_ERR");
    delete_by_force(&kp, &key).await;
    kp.advance("90s").await;
    is_shut(&kp, "The root key of this bucket is deleted").await;
    for (target, source) in [("/plain/b", "/ledger/a"), ("/ledger/b", "/plain/none")] {
        let copy = kp.s3(Method::PUT, target).header("x-amz-copy-source", source).send().await;
        copy.refused_with(403, "AccessDenied");
    }
    let listed = kp.s3(Method::GET, "/ledger?list-type=2").send().await.answers(200);
    assert!(listed.contains("<Key>a</Key>") && listed.contains("<Size>12</Size>"), "{listed}");
    let state = kp.bucket_state("ledger").await;
    assert_eq!(
        (&state["keyState"], &state["objectCount"], &state["bytesUsed"]),
        (&json!("erased"), &json!(1), &json!(12))
    );
    let configuration = kp.s3(Method::GET, "/v1/b/ledger").send().await.succeeds(200);
    assert_eq!((&configuration["object_count"], &configuration["bytes_used"]), (&json!(1), &json!(12)));
    kp.remove("ledger").await.refused_with(409, "BucketNotEmpty");
    kp.remove(OBJECT).await.answers(204);
    assert_eq!(kp.bucket_state("ledger").await["bytesUsed"], 0);
    kp.remove("ledger").await.answers(204);
    assert_eq!(kp.registrations(&key).await.len(), 0);
}

#[actix_web::test]
async fn a_restored_key_gives_the_data_back() {
    let kp = Harness::with_gateway().await;
    let payload = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let key = kp.import_root_key("ledger", payload).await;
    kp.sealed_bucket("ledger", &key).await;
    let stored = kp.put_object(OBJECT, BYTES).await;
    delete_by_force(&kp, &key).await;
    kp.advance("29d").await;
    is_shut(&kp, "deleted").await;
    kp.restore(&key).await.succeeds(201);
    kp.advance("0s").await;
    reads(&kp).await;
    assert_eq!(kp.head_object(OBJECT).await.header("etag"), stored.header("etag"));
    assert_eq!(kp.bucket_state("ledger").await["keyState"], "active");
    assert_eq!(kp.registrations(&key).await.len(), 1);
    delete_by_force(&kp, &key).await;
    kp.advance("31d").await;
    kp.restore(&key).await.refused(400, "KEY_RESTORE_EXPIRED");
    is_shut(&kp, "deleted").await;
}

#[actix_web::test]
async fn a_purged_key_takes_the_wrapped_data_key_with_it() {
    let (kp, key) = ledger().await;
    delete_by_force(&kp, &key).await;
    kp.advance("4h").await;
    kp.purge(&key).await.succeeds(204);
    assert_eq!(kp.bucket_state("ledger").await["keyState"], "lost");
    is_shut(&kp, "deleted").await;
    kp.remove(OBJECT).await.answers(204);
    kp.remove("ledger").await.answers(204);
}

#[actix_web::test]
async fn ninety_days_after_its_deletion_a_key_is_lost_at_the_next_look() {
    let (kp, key) = ledger().await;
    delete_by_force(&kp, &key).await;
    kp.advance("91d").await;
    kp.get_object(OBJECT).await.answers(403);
    assert_eq!(kp.bucket_state("ledger").await["keyState"], "lost");
}

#[actix_web::test]
async fn a_withdrawn_authorization_shuts_the_bucket_within_the_hour() {
    let (kp, key) = ledger().await;
    let path = format!("/v1/policies?account_id={}&type=authorization", kp.account());
    let all = kp.get(&path).send().await.succeeds(200);
    let id = all["policies"][0]["id"].as_str().unwrap();
    reads(&kp).await;
    kp.delete(&format!("/v1/policies/{id}")).send().await.succeeds(204);
    reads(&kp).await;
    kp.advance("61m").await;
    is_shut(&kp, "could not be reached").await;
    kp.authorize(kp.info["cosInstanceCrn"].as_str().unwrap(), &["Reader"], &[]).await;
    is_shut(&kp, "could not be reached").await;
    kp.advance("61m").await;
    reads(&kp).await;
    delete_by_force(&kp, &key).await;
}

#[actix_web::test]
async fn an_expired_key_opens_and_seals_nothing_new() {
    let kp = Harness::with_gateway().await;
    let resource = json!({ "name": "ledger", "extractable": false, "expirationDate": "2027-01-01T02:00:00Z" });
    let key = kp.create(&resource).await;
    kp.sealed_bucket("ledger", &key).await;
    kp.put_object(OBJECT, BYTES).await.answers(200);
    kp.advance("4h").await;
    reads(&kp).await;
    let message = kp.put_object("ledger/b", "more").await.refused_with(403, "AccessDenied");
    assert!(message.contains("deactivated"), "{message}");
}

#[actix_web::test]
async fn the_refusal_is_what_settings_say() {
    let (kp, key) = ledger().await;
    kp.set("cosKeyUnavailableStatus", &json!(409)).await;
    kp.set("cosKeyUnavailableCode", &json!("KeySuspended")).await;
    kp.disable(&key).await.succeeds(204);
    kp.advance("0s").await;
    kp.get_object(OBJECT).await.refused_with(409, "KeySuspended");
}

#[actix_web::test]
async fn a_bucket_without_a_root_key_does_not_mind() {
    let (kp, key) = ledger().await;
    kp.plain_bucket("plain").await;
    kp.put_object("plain/a", BYTES).await.answers(200);
    kp.disable(&key).await.succeeds(204);
    kp.advance("90s").await;
    assert_eq!(kp.get_object("plain/a").await.answers(200), BYTES);
}
