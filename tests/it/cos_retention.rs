//! Buckets with retention policies: what they keep from being deleted, and the root key that cannot be deleted either.

use base64::Engine;
use hyper::Method;
use serde_json::json;

use crate::harness::gateway::element;
use crate::harness::{Call, Harness, Reply};

const POLICY: &str = "<ProtectionConfiguration><Status>Retention</Status><MinimumRetention><Days>1</Days>\
                      </MinimumRetention><DefaultRetention><Days>2</Days></DefaultRetention><MaximumRetention><Days>10\
                      </Days></MaximumRetention></ProtectionConfiguration>";

/// Adds the digest that such bodies need.
fn guarded<'h>(call: Call<'h>, body: &str) -> Call<'h> {
    let digest = ring::digest::digest(&ring::digest::SHA256, body.as_bytes());
    let digest = base64::engine::general_purpose::STANDARD.encode(digest);
    call.header("x-amz-checksum-sha256", &digest).raw(body.to_owned())
}

async fn protect(kp: &Harness, bucket: &str, policy: &str) -> Reply {
    guarded(kp.s3(Method::PUT, &format!("/{bucket}?protection")), policy).send().await
}

async fn put(kp: &Harness, path: &str) -> Reply {
    guarded(kp.s3(Method::PUT, &format!("/{path}")), "kept").send().await
}

#[actix_web::test]
async fn the_root_key_of_a_protected_bucket_cannot_be_deleted_even_by_force() {
    let kp = Harness::with_gateway().await;
    let key = kp.create_root_key("records").await;
    kp.sealed_bucket("records", &key).await;
    protect(&kp, "records", POLICY).await.answers(200);
    assert_eq!(kp.registrations(&key).await[0]["preventKeyDeletion"], true);
    put(&kp, "records/a").await.answers(200);
    let by_force = format!("/api/v2/keys/{key}?force=true");
    kp.delete_key(&key).await.refused(409, "PREV_KEY_DEL_ERR");
    kp.delete(&by_force).send().await.refused(409, "PREV_KEY_DEL_ERR");
    kp.rotate(&key).await.succeeds(204);
    kp.advance("3d").await;
    assert_eq!(kp.registrations(&key).await[0]["preventKeyDeletion"], true);
    kp.remove("records/a").await.answers(204);
    kp.delete(&by_force).send().await.refused(409, "PREV_KEY_DEL_ERR");
    kp.remove("records").await.answers(204);
    kp.delete_key(&key).await.succeeds(204);
}

#[actix_web::test]
async fn a_policy_is_shown_as_it_was_set_and_cannot_be_taken_away() {
    let kp = Harness::with_gateway().await;
    kp.plain_bucket("records").await;
    let shown = async || kp.s3(Method::GET, "/records?protection").send().await.answers(200);
    assert!(shown().await.contains("<Status>Disabled</Status>"));
    protect(&kp, "records", POLICY).await.answers(200);
    let document = shown().await;
    assert!(document.contains("<DefaultRetention><Days>2</Days></DefaultRetention>"), "{document}");
    let none = "<ProtectionConfiguration><Status>Disabled</Status></ProtectionConfiguration>";
    protect(&kp, "records", none).await.refused_with(400, "InvalidArgument");
    protect(&kp, "records", &POLICY.replace(">10<", ">1<")).await.refused_with(400, "InvalidArgument");
    protect(&kp, "records", &POLICY.replace(">10<", ">20<")).await.answers(200);
    kp.s3(Method::PUT, "/records?protection").raw(POLICY).send().await.refused_with(400, "InvalidRequest");
}

#[actix_web::test]
async fn the_first_policy_needs_an_empty_bucket_and_an_active_key() {
    let kp = Harness::with_gateway().await;
    let key = kp.create_root_key("records").await;
    kp.sealed_bucket("records", &key).await;
    kp.put_object("records/a", "x").await.answers(200);
    protect(&kp, "records", POLICY).await.refused_with(409, "InvalidBucketState");
    kp.remove("records/a").await.answers(204);
    kp.disable(&key).await.succeeds(204);
    protect(&kp, "records", POLICY).await.refused_with(409, "InvalidBucketState");
    assert_eq!(kp.registrations(&key).await[0]["preventKeyDeletion"], false);
    kp.advance("31s").await;
    kp.enable(&key).await.succeeds(204);
    protect(&kp, "records", POLICY).await.answers(200);
}

#[actix_web::test]
async fn retained_objects_are_neither_replaced_nor_deleted_until_their_time_is_over() {
    let kp = Harness::with_gateway().await;
    kp.plain_bucket("records").await;
    protect(&kp, "records", POLICY).await.answers(200);
    kp.put_object("records/a", "unguarded").await.refused_with(400, "InvalidRequest");
    put(&kp, "records/a").await.answers(200);
    let head = kp.head_object("records/a").await;
    assert_eq!(head.header("retention-period"), Some("172800"));
    put(&kp, "records/a").await.refused_with(403, "AccessDenied");
    kp.remove("records/a").await.refused_with(403, "AccessDenied");
    kp.remove("records").await.refused_with(409, "BucketNotEmpty");
    kp.advance("47h").await;
    kp.remove("records/a").await.refused_with(403, "AccessDenied");
    kp.advance("2h").await;
    kp.remove("records/a").await.answers(204);
    let short = guarded(kp.s3(Method::PUT, "/records/b"), "kept").header("retention-period", "60");
    short.send().await.refused_with(400, "InvalidRequest");
}

/// Source: Python SDK, `CompleteMultipartUploadRequest`; docs, immutable.
#[actix_web::test]
async fn parts_are_guarded_and_their_end_says_how_long_the_object_is_kept() {
    let kp = Harness::with_gateway().await;
    kp.plain_bucket("records").await;
    protect(&kp, "records", POLICY).await.answers(200);
    let begun = kp.s3(Method::POST, "/records/a?uploads").send().await.answers(200);
    let upload = element(&begun, "UploadId").unwrap();
    let part = || kp.s3(Method::PUT, &format!("/records/a?partNumber=1&uploadId={upload}"));
    part().raw("kept").send().await.refused_with(400, "InvalidRequest");
    let etag = guarded(part(), "kept").send().await.header("etag").unwrap().to_owned();
    let list = format!("<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>");
    let list = format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>");
    let completion = || kp.s3(Method::POST, &format!("/records/a?uploadId={upload}")).raw(list.clone());
    completion().header("retention-period", "60").send().await.refused_with(400, "InvalidRequest");
    let end = completion().header("retention-period", "90000").header("retention-legal-hold-id", "case-1");
    end.send().await.answers(200);
    let head = kp.head_object("records/a").await;
    assert_eq!(
        (head.header("retention-period"), head.header("retention-legal-hold-count")),
        (Some("90000"), Some("1"))
    );
    let copy = |target: &str| kp.s3(Method::PUT, target).header("x-amz-copy-source", "records/a");
    copy("/records/like").header("retention-directive", "Copy").send().await.answers(200);
    copy("/records/fresh").send().await.answers(200);
    let both = copy("/records/both").header("retention-directive", "COPY").header("retention-period", "90000");
    both.send().await.refused_with(400, "InvalidRequest");
    for (path, period, holds) in [("records/like", "90000", "1"), ("records/fresh", "172800", "0")] {
        let head = kp.head_object(path).await;
        let kept = (head.header("retention-period"), head.header("retention-legal-hold-count"));
        assert_eq!(kept, (Some(period), Some(holds)), "{path}");
    }
}

#[actix_web::test]
async fn a_legal_hold_outlasts_retention() {
    let kp = Harness::with_gateway().await;
    kp.plain_bucket("records").await;
    protect(&kp, "records", POLICY).await.answers(200);
    put(&kp, "records/a").await.answers(200);
    let hold = async |query: &str| kp.s3(Method::POST, &format!("/records/a?legalHold&{query}")).send().await.status;
    assert_eq!(hold("add=case-1").await, 200);
    assert_eq!(hold("add=case-1").await, 409);
    kp.advance("3d").await;
    assert_eq!(kp.head_object("records/a").await.header("retention-legal-hold-count"), Some("1"));
    kp.remove("records/a").await.refused_with(403, "AccessDenied");
    assert_eq!(hold("remove=case-1").await, 200);
    kp.remove("records/a").await.answers(204);
    kp.set("cosReserveDeletedNames", &json!(true)).await;
    kp.remove("records").await.answers(204);
    kp.s3(Method::PUT, "/records").send().await.refused_with(409, "BucketAlreadyExists");
    kp.advance("5m").await;
    kp.plain_bucket("records").await;
}
