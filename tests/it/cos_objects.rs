//! Objects: what is kept of an upload, ranges and conditions, copies, tags, and replacing under the eyes of readers.

use hyper::Method;
use serde_json::json;

use crate::harness::Harness;
use crate::harness::gateway::element;

const BYTES: &str = "0123456789";

async fn shelf() -> Harness {
    let kp = Harness::with_gateway().await;
    kp.plain_bucket("shelf").await;
    kp
}

/// MD5 of [`BYTES`], base64 and as `ETag`.
const MD5: &str = "eB5eJF1ptWaXm4bijSPyxw==";
const ETAG: &str = "\"781e5e245d69b566979b86e28d23f2c7\"";

#[actix_web::test]
async fn what_came_with_an_upload_comes_back_with_a_read() {
    let kp = shelf().await;
    let headers = [
        ("content-type", "text/plain; charset=UTF-8"),
        ("content-language", "en"),
        ("content-disposition", "attachment"),
        ("cache-control", "no-store"),
        ("x-amz-meta-owner", "ledger"),
        ("x-amz-meta-x-amz-meta-owner", "nobody"),
    ];
    let mut call = kp.s3(Method::PUT, "/shelf/a").raw(BYTES).header("x-amz-tagging", "kind=bill&year=2027");
    for (name, value) in headers {
        call = call.header(name, value);
    }
    assert_eq!(call.send().await.header("etag"), Some(ETAG));
    for reply in [kp.get_object("shelf/a").await, kp.head_object("shelf/a").await] {
        reply.answers(200);
        for (name, value) in headers {
            assert_eq!(reply.header(name), Some(value));
        }
        assert_eq!((reply.header("etag"), reply.header("content-length")), (Some(ETAG), Some("10")));
        assert_eq!(reply.header("x-amz-tagging-count"), Some("2"));
        assert_eq!(reply.header("last-modified"), Some("Fri, 01 Jan 2027 00:00:00 GMT"));
    }
    kp.get_object("shelf/none").await.refused_with(404, "NoSuchKey");
    kp.get_object("nowhere/a").await.refused_with(404, "NoSuchBucket");
    let big = "x".repeat(2_049);
    let call = kp.s3(Method::PUT, "/shelf/b").raw(BYTES).header("x-amz-meta-a", &big);
    call.send().await.refused_with(400, "MetadataTooLarge");
}

#[actix_web::test]
async fn a_digest_that_does_not_fit_keeps_the_old_object() {
    let kp = shelf().await;
    kp.put_object("shelf/a", "old").await.answers(200);
    for (name, wrong, right) in [
        ("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==", MD5),
        ("x-amz-checksum-crc32", "AAAAAA==", "poTHxg=="),
        ("x-amz-checksum-sha1", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "h6zsF82dzSCnFsws9nQXtxyKcBY="),
    ] {
        let put = |value: &str| kp.s3(Method::PUT, "/shelf/a").raw(BYTES).header(name, value);
        put(wrong).send().await.refused_with(400, "BadDigest");
        assert_eq!(kp.get_object("shelf/a").await.answers(200), "old", "{name}");
        put("nonsense").send().await.refused_with(400, "InvalidDigest");
        put(right).send().await.answers(200);
        kp.put_object("shelf/a", "old").await.answers(200);
    }
}

#[actix_web::test]
async fn a_range_is_cut_to_the_object_and_refused_beyond_it() {
    let kp = shelf().await;
    kp.put_object("shelf/a", BYTES).await.answers(200);
    let read = async |range: &str| kp.s3(Method::GET, "/shelf/a").header("range", range).send().await;
    for (range, expected, window) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=5-500", "56789", "bytes 5-9/10"),
    ] {
        let reply = read(range).await;
        assert_eq!(reply.answers(206), expected, "{range}");
        assert_eq!(reply.header("content-range"), Some(window));
    }
    for range in ["bytes=1-2,4-5", "items=1-2", "bytes=4-2"] {
        assert_eq!(read(range).await.answers(200), BYTES, "{range}");
    }
    for range in ["bytes=10-", "bytes=-0"] {
        let reply = read(range).await;
        reply.refused_with(416, "InvalidRange");
        assert_eq!(reply.header("content-range"), Some("bytes */10"));
    }
    let head = kp.s3(Method::HEAD, "/shelf/a").header("range", "bytes=2-4").send().await;
    assert_eq!((head.status, head.header("content-length")), (206, Some("3")));
}

#[actix_web::test]
async fn conditions_decide_whether_an_object_is_sent_or_stored() {
    let kp = shelf().await;
    kp.put_object("shelf/a", BYTES).await.answers(200);
    let read = async |name: &str, value: &str| kp.s3(Method::GET, "/shelf/a").header(name, value).send().await.status;
    let (before, at) = ("Thu, 31 Dec 2026 23:59:59 GMT", "Fri, 01 Jan 2027 00:00:00 GMT");
    for (name, value, status) in [
        ("if-match", ETAG, 200),
        ("if-match", "\"other\"", 412),
        ("if-none-match", ETAG, 304),
        ("if-none-match", "\"other\"", 200),
        ("if-modified-since", at, 304),
        ("if-modified-since", before, 200),
        ("if-unmodified-since", before, 412),
        ("if-unmodified-since", at, 200),
    ] {
        assert_eq!(read(name, value).await, status, "{name}: {value}");
    }
    let put = async |path: &str, name: &str, value: &str| {
        kp.s3(Method::PUT, path).raw("new").header(name, value).send().await.status
    };
    assert_eq!(put("/shelf/a", "if-none-match", "*").await, 412);
    assert_eq!(put("/shelf/a", "if-match", "\"other\"").await, 412);
    assert_eq!(put("/shelf/b", "if-none-match", "*").await, 200);
    assert_eq!(put("/shelf/a", "if-match", ETAG).await, 200);
}

/// A copy is a write as well, and so is a deletion.
#[actix_web::test]
async fn conditions_on_what_is_there_hold_for_copies_and_deletions_too() {
    let kp = shelf().await;
    kp.put_object("shelf/a", BYTES).await.answers(200);
    kp.put_object("shelf/source", "new").await.answers(200);
    let copy = || kp.s3(Method::PUT, "/shelf/a").header("x-amz-copy-source", "shelf/source");
    let delete = |path: &str| kp.s3(Method::DELETE, path).header("if-match", "\"other\"");
    copy().header("if-none-match", "*").send().await.refused_with(412, "PreconditionFailed");
    copy().header("if-match", "\"other\"").send().await.refused_with(412, "PreconditionFailed");
    delete("/shelf/a").send().await.refused_with(412, "PreconditionFailed");
    delete("/shelf/none").send().await.answers(204);
    assert_eq!(kp.get_object("shelf/a").await.answers(200), BYTES);
    copy().header("if-match", ETAG).send().await.answers(200);
    assert_eq!(kp.get_object("shelf/a").await.answers(200), "new");
    delete("/shelf/a").header("if-match", "*").send().await.answers(204);
    kp.get_object("shelf/a").await.refused_with(404, "NoSuchKey");
}

#[actix_web::test]
async fn a_copy_goes_from_one_key_to_another() {
    let kp = shelf().await;
    let key = kp.create_root_key("sealed").await;
    kp.sealed_bucket("sealed", &key).await;
    let call = kp.s3(Method::PUT, "/shelf/a%20b").raw(BYTES).header("x-amz-meta-owner", "ledger");
    call.header("x-amz-tagging", "k=v").send().await.answers(200);
    let copy = |target: &str, source: &str| kp.s3(Method::PUT, target).header("x-amz-copy-source", source);
    let copied = copy("/sealed/c", "/shelf/a%20b").send().await.answers(200);
    assert_eq!(element(&copied, "ETag").as_deref(), Some(ETAG));
    let read = kp.get_object("sealed/c").await;
    assert_eq!((read.answers(200).as_str(), read.header("x-amz-meta-owner")), (BYTES, Some("ledger")));
    assert_eq!(read.header("x-amz-tagging-count"), Some("1"));
    let replaced = copy("/sealed/c", "sealed/c").header("x-amz-metadata-directive", "REPLACE");
    replaced.header("x-amz-meta-owner", "nobody").send().await.answers(200);
    assert_eq!(kp.head_object("sealed/c").await.header("x-amz-meta-owner"), Some("nobody"));
    copy("/sealed/c", "/sealed/c").send().await.refused_with(400, "InvalidRequest");
    copy("/sealed/d", "/shelf/none").send().await.refused_with(404, "NoSuchKey");
    copy("/sealed/d", "/nowhere/a").send().await.refused_with(404, "NoSuchBucket");
    let unlike = copy("/sealed/d", "/shelf/a%20b").header("x-amz-copy-source-if-none-match", ETAG);
    unlike.send().await.refused_with(412, "PreconditionFailed");
    kp.disable(&key).await.succeeds(204);
    kp.advance("1s").await;
    copy("/shelf/e", "/sealed/c").send().await.refused_with(403, "AccessDenied");
    copy("/sealed/e", "/shelf/a%20b").send().await.refused_with(403, "AccessDenied");
}

#[actix_web::test]
async fn several_objects_are_deleted_at_once() {
    let kp = shelf().await;
    for key in ["a", "b", "c"] {
        kp.put_object(&format!("shelf/{key}"), BYTES).await.answers(200);
    }
    let body = "<Delete><Object><Key>a</Key></Object><Object><Key>none</Key></Object><Object><Key>b</Key>\
                <VersionId>null</VersionId></Object><Object><Key>c</Key><VersionId>other</VersionId></Object></Delete>";
    let digest = ring::digest::digest(&ring::digest::SHA256, body.as_bytes());
    let digest = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest);
    let call = kp.s3(Method::POST, "/shelf?delete").raw(body).header("x-amz-checksum-sha256", &digest);
    let deleted = call.send().await.answers(200);
    assert_eq!(deleted.matches("<Deleted>").count(), 3, "{deleted}");
    assert_eq!(element(&deleted, "Code").as_deref(), Some("InvalidArgument"), "there is no such version of c");
    let state = kp.bucket_state("shelf").await;
    assert_eq!((&state["objectCount"], &state["bytesUsed"]), (&json!(1), &json!(10)));
    kp.remove("shelf/c").await.answers(204);
    kp.remove("shelf/c").await.answers(204);
}

#[actix_web::test]
async fn a_reader_sees_the_old_object_or_the_new_one() {
    let kp = shelf().await;
    let (old, new) = (vec![b'o'; 2_000_000], vec![b'n'; 1_500_000]);
    kp.put_object("shelf/a", old.clone()).await.answers(200);
    for _ in 0..3 {
        let reads = (0..4).map(|_| kp.get_object("shelf/a"));
        let reads = futures_util::future::join_all(reads);
        let (put, read) = futures_util::future::join(kp.put_object("shelf/a", new.clone()), reads).await;
        put.answers(200);
        for reply in read {
            assert!(reply.status == 200 && (reply.body == old || reply.body == new), "{} bytes", reply.body.len());
        }
        kp.put_object("shelf/a", old.clone()).await.answers(200);
    }
    let state = kp.bucket_state("shelf").await;
    assert_eq!((&state["objectCount"], &state["bytesUsed"]), (&json!(1), &json!(2_000_000)));
}

#[actix_web::test]
async fn ceilings_of_buckets_and_bytes_hold() {
    let kp = shelf().await;
    kp.set("cosBucketsMax", &json!(1)).await;
    kp.s3(Method::PUT, "/second").send().await.refused_with(400, "TooManyBuckets");
    kp.set("cosStorageBytesMax", &json!(25)).await;
    kp.put_object("shelf/a", BYTES).await.answers(200);
    kp.put_object("shelf/b", BYTES).await.answers(200);
    kp.put_object("shelf/c", BYTES).await.refused_with(503, "ServiceUnavailable");
    kp.remove("shelf/a").await.answers(204);
    kp.put_object("shelf/c", BYTES).await.answers(200);
    kp.set("cosStorageBytesMax", &json!(0)).await;
    let quota = kp.s3(Method::PATCH, "/v1/b/shelf").raw(r#"{"hard_quota":25}"#);
    quota.header("content-type", "application/merge-patch+json").send().await.answers(204);
    kp.put_object("shelf/d", BYTES).await.refused_with(400, "EntityTooLarge");
    // What is replaced makes room for what replaces it.
    kp.put_object("shelf/c", "ten bytes!".repeat(2)).await.refused_with(400, "EntityTooLarge");
    kp.put_object("shelf/c", "less").await.answers(200);
    kp.put_object("shelf/c", "fifteen bytes !").await.answers(200);
    assert_eq!(kp.s3(Method::GET, "/v1/b/shelf").send().await.succeeds(200)["bytes_used"], 25);
}

#[actix_web::test]
async fn changes_of_a_configuration_at_one_time_are_all_made() {
    let kp = shelf().await;
    let crns: Vec<String> = (0..12).map(|number| format!("crn:{number}")).collect();
    let changes = crns.iter().map(|crn| {
        let body = json!({ "metrics_monitoring": { "metrics_monitoring_crn": crn } }).to_string();
        let call = kp.s3(Method::PATCH, "/v1/b/shelf").raw(body);
        call.header("content-type", "application/merge-patch+json").send()
    });
    for reply in futures_util::future::join_all(changes).await {
        reply.answers(204);
    }
    let first = kp.s3(Method::GET, "/v1/b/shelf").send().await;
    let tag = first.header("etag").unwrap().to_owned();
    let patch = async |tag: &str| {
        let call = kp.s3(Method::PATCH, "/v1/b/shelf").raw(r#"{"hard_quota":5}"#).header("if-match", tag);
        call.send().await.status
    };
    assert_eq!((patch(&tag).await, patch(&tag).await), (204, 412));
}

#[actix_web::test]
async fn what_nobody_would_keep_is_refused_by_name() {
    let kp = shelf().await;
    kp.s3(Method::PUT, "/shelf/a%00b").raw(BYTES).send().await.refused_with(400, "InvalidArgument");
    kp.put_object("shelf/a", BYTES).await.answers(200);
    let copied = ("x-amz-copy-source", "shelf/a");
    for (method, extra, name) in [
        (Method::PUT, None, "retention-period"),
        (Method::PUT, None, "x-amz-object-lock-mode"),
        (Method::PUT, None, "x-amz-server-side-encryption-customer-algorithm"),
        (Method::GET, None, "x-amz-server-side-encryption-customer-algorithm"),
        (Method::PUT, Some(copied), "x-amz-copy-source-server-side-encryption-customer-algorithm"),
    ] {
        let body = if method == Method::PUT { BYTES } else { "" };
        let mut call = kp.s3(method, "/shelf/a").header(name, "-1").raw(body);
        if let Some((name, value)) = extra {
            call = call.header(name, value);
        }
        call.send().await.refused_with(501, "NotImplemented");
    }
}

#[actix_web::test]
async fn an_instance_takes_its_buckets_with_it() {
    let kp = Harness::with_gateway().await;
    let key = kp.create_root_key("ledger").await;
    let plan = "744bfc56-d12c-4866-88d5-dac9139e0e5d";
    let body = json!({ "name": "other", "target": "global", "resource_group": "default", "resource_plan_id": plan });
    let made = kp.post("/v2/resource_instances").json(&body).send().await.succeeds(201);
    let (crn, guid) = (made["crn"].as_str().unwrap(), made["guid"].as_str().unwrap());
    kp.authorize(crn, &["Reader"], &[]).await;
    let call = kp.creating("ledger", &kp.key_crn(&key)).header("ibm-service-instance-id", crn);
    call.send().await.answers(200);
    kp.put_object("ledger/a", BYTES).await.answers(200);
    assert_eq!(kp.registrations(&key).await.len(), 1);
    kp.delete(&format!("/v2/resource_instances/{guid}")).send().await.succeeds(204);
    assert_eq!(kp.registrations(&key).await.len(), 0);
    assert_eq!(kp.get("/mock/buckets").send().await.succeeds(200)["total"], 0);
    kp.plain_bucket("ledger").await;
}

#[actix_web::test]
async fn a_deleted_buckets_registration_may_stay_for_a_while() {
    let kp = Harness::with_gateway().await;
    let key = kp.create_root_key("ledger").await;
    kp.set("deregistrationLag", &json!("10m")).await;
    kp.sealed_bucket("ledger", &key).await;
    kp.remove("ledger").await.answers(204);
    assert_eq!(kp.registrations(&key).await.len(), 1);
    kp.delete_key(&key).await.refused(409, "PROTECTED_RESOURCE_ERR");
    kp.sealed_bucket("ledger", &key).await;
    kp.advance("11m").await;
    assert_eq!(kp.registrations(&key).await.len(), 1, "the bucket is there again");
    kp.remove("ledger").await.answers(204);
    let ran = kp.advance("10m").await;
    assert_eq!(ran["ran"][0]["what"], "deregistration");
    assert_eq!(kp.registrations(&key).await.len(), 0);
    kp.delete_key(&key).await.succeeds(204);
}
