//! Uploads in parts.

use std::fmt::Write as _;

use hyper::Method;
use serde_json::json;

use crate::harness::gateway::element;
use crate::harness::{Call, Harness, Reply};

const PART: usize = 5 * 1_024 * 1_024;

async fn begin(kp: &Harness, path: &str) -> String {
    let reply = kp.s3(Method::POST, &format!("/{path}?uploads")).send().await.answers(200);
    element(&reply, "UploadId").expect("an id")
}

async fn part(kp: &Harness, path: &str, upload: &str, number: u32, bytes: Vec<u8>) -> String {
    let path = format!("/{path}?partNumber={number}&uploadId={upload}");
    let reply = kp.s3(Method::PUT, &path).raw(bytes).send().await;
    reply.answers(200);
    reply.header("etag").expect("a tag").to_owned()
}

async fn complete(kp: &Harness, path: &str, upload: &str, parts: &[(u32, &str)]) -> Reply {
    completion(kp, path, upload, parts).send().await
}

/// A completion, to be sent.
fn completion<'h>(kp: &'h Harness, path: &str, upload: &str, parts: &[(u32, &str)]) -> Call<'h> {
    let mut body = "<CompleteMultipartUpload>".to_owned();
    for (number, etag) in parts {
        let _ = write!(body, "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
    }
    body.push_str("</CompleteMultipartUpload>");
    kp.s3(Method::POST, &format!("/{path}?uploadId={upload}")).raw(body)
}

#[actix_web::test]
async fn a_completion_replaces_only_what_its_conditions_allow() {
    let kp = Harness::with_gateway().await;
    kp.plain_bucket("plain").await;
    let old = kp.put_object("plain/a", "old").await;
    let old = old.header("etag").unwrap();
    let upload = begin(&kp, "plain/a").await;
    let tag = part(&kp, "plain/a", &upload, 1, b"new".to_vec()).await;
    let completion = || completion(&kp, "plain/a", &upload, &[(1, &tag)]);
    completion().header("if-none-match", "*").send().await.refused_with(412, "PreconditionFailed");
    completion().header("if-match", "\"other\"").send().await.refused_with(412, "PreconditionFailed");
    assert_eq!(kp.get_object("plain/a").await.answers(200), "old");
    completion().header("if-match", old).send().await.answers(200);
    assert_eq!(kp.get_object("plain/a").await.answers(200), "new");
}

#[actix_web::test]
async fn parts_become_one_object_that_is_there_at_completion_only() {
    let kp = Harness::with_gateway().await;
    let key = kp.create_root_key("sealed").await;
    kp.sealed_bucket("sealed", &key).await;
    let call = kp.s3(Method::POST, "/sealed/a?uploads").header("x-amz-meta-owner", "ledger");
    let upload = element(&call.header("content-type", "text/plain").send().await.answers(200), "UploadId").unwrap();
    let one = part(&kp, "sealed/a", &upload, 2, vec![b'1'; PART]).await;
    let replaced = part(&kp, "sealed/a", &upload, 5, vec![b'x'; 10]).await;
    let two = part(&kp, "sealed/a", &upload, 5, vec![b'2'; 100]).await;
    part(&kp, "sealed/a", &upload, 9, vec![b'3'; 10]).await;
    assert_ne!(replaced, two);
    kp.get_object("sealed/a").await.refused_with(404, "NoSuchKey");
    let listed = kp.s3(Method::GET, &format!("/sealed/a?uploadId={upload}&max-parts=2")).send().await.answers(200);
    assert_eq!(listed.matches("<PartNumber>").count(), 2, "{listed}");
    assert_eq!(element(&listed, "NextPartNumberMarker").as_deref(), Some("5"));
    let done = complete(&kp, "sealed/a", &upload, &[(2, &one), (5, &two)]).await.answers(200);
    let etag = element(&done, "ETag").unwrap();
    assert!(etag.ends_with("-2\""), "{etag}");
    let read = kp.get_object("sealed/a").await;
    assert_eq!(read.body.len(), PART + 100);
    assert!(read.body[..PART].iter().all(|byte| *byte == b'1') && read.body[PART..].iter().all(|byte| *byte == b'2'));
    assert_eq!((read.header("etag"), read.header("x-amz-meta-owner")), (Some(etag.as_str()), Some("ledger")));
    let across = kp.s3(Method::GET, "/sealed/a").header("range", &format!("bytes={}-{}", PART - 2, PART + 1));
    assert_eq!(across.send().await.answers(206), "1122");
    let second = kp.s3(Method::GET, "/sealed/a?partNumber=2").send().await;
    assert_eq!((second.answers(206).len(), second.header("x-amz-mp-parts-count")), (100, Some("2")));
    let state = kp.bucket_state("sealed").await;
    assert_eq!((&state["objectCount"], &state["bytesUsed"]), (&json!(1), &json!(PART + 100)));
}

/// What SDKs send since they compute checksums by themselves. Source: S3, `CompleteMultipartUpload`.
#[actix_web::test]
async fn the_checksum_at_a_completion_is_the_whole_objects() {
    let kp = Harness::with_gateway().await;
    kp.plain_bucket("plain").await;
    let (one, two) = (vec![b'1'; PART], b"two".to_vec());
    let whole = crc32([one.clone(), two.clone()].concat());
    let upload = begin(&kp, "plain/a").await;
    let mut tags = Vec::new();
    for (number, bytes) in [(1, one), (2, two)] {
        let path = format!("/plain/a?partNumber={number}&uploadId={upload}");
        let call = kp.s3(Method::PUT, &path).header("x-amz-checksum-crc32", &crc32(bytes.clone()));
        tags.push(call.raw(bytes).send().await.header("etag").unwrap().to_owned());
    }
    let parts = [(1, tags[0].as_str()), (2, tags[1].as_str())];
    let completion = || completion(&kp, "plain/a", &upload, &parts);
    completion().header("x-amz-checksum-crc32", "AAAAAA==").send().await.refused_with(400, "BadDigest");
    completion().header("x-amz-checksum-crc32c", "AAAAAA==").send().await.refused_with(400, "InvalidRequest");
    completion().header("x-amz-mp-object-size", "3").send().await.refused_with(400, "InvalidRequest");
    let wrong = "<ETag>TAG</ETag><ChecksumCRC32>AAAAAA==</ChecksumCRC32>".replace("TAG", &tags[1]);
    let wrong =
        format!("<CompleteMultipartUpload><Part><PartNumber>2</PartNumber>{wrong}</Part></CompleteMultipartUpload>");
    let wrong = kp.s3(Method::POST, &format!("/plain/a?uploadId={upload}")).raw(wrong);
    wrong.send().await.refused_with(400, "InvalidPart");
    let right = completion().header("x-amz-checksum-crc32", &whole).header("x-amz-checksum-type", "FULL_OBJECT");
    let done = right.header("x-amz-mp-object-size", &(PART + 3).to_string()).send().await.answers(200);
    assert_eq!(element(&done, "ChecksumCRC32").as_deref(), Some(whole.as_str()), "{done}");
    let head = kp.s3(Method::HEAD, "/plain/a").header("x-amz-checksum-mode", "ENABLED").send().await;
    let told = (head.header("x-amz-checksum-crc32"), head.header("x-amz-checksum-type"));
    assert_eq!(told, (Some(whole.as_str()), Some("FULL_OBJECT")));
}

/// Without any from the client, an object has the one that IBM's service computes, in one piece, in parts and as a copy.
#[actix_web::test]
async fn an_object_has_a_checksum_whoever_made_it() {
    let kp = Harness::with_gateway().await;
    kp.plain_bucket("plain").await;
    let (one, two) = (vec![b'1'; PART], b"two".to_vec());
    kp.put_object("plain/whole", [one.clone(), two.clone()].concat()).await.answers(200);
    let upload = begin(&kp, "plain/parts").await;
    let one = part(&kp, "plain/parts", &upload, 1, one).await;
    let two = part(&kp, "plain/parts", &upload, 2, two).await;
    complete(&kp, "plain/parts", &upload, &[(1, &one), (2, &two)]).await.answers(200);
    kp.s3(Method::PUT, "/plain/copy").header("x-amz-copy-source", "plain/parts").send().await.answers(200);
    let mut told = Vec::new();
    for key in ["whole", "parts", "copy"] {
        let head = kp.s3(Method::HEAD, &format!("/plain/{key}")).header("x-amz-checksum-mode", "ENABLED").send().await;
        told.push(head.header("x-amz-checksum-crc64nvme").expect("a checksum").to_owned());
    }
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
}

/// CRC-32 bit by bit, base64.
fn crc32(bytes: Vec<u8>) -> String {
    let sum = !bytes.into_iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 })
    });
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, sum.to_be_bytes())
}

#[actix_web::test]
async fn a_quota_holds_for_what_its_parts_make_together() {
    let kp = Harness::with_gateway().await;
    kp.plain_bucket("plain").await;
    let quota = json!({ "hard_quota": PART + 10 }).to_string();
    kp.s3(Method::PATCH, "/v1/b/plain").raw(quota).send().await.answers(204);
    let upload = begin(&kp, "plain/a").await;
    let one = part(&kp, "plain/a", &upload, 1, vec![b'1'; PART]).await;
    let two = part(&kp, "plain/a", &upload, 2, vec![b'2'; 11]).await;
    complete(&kp, "plain/a", &upload, &[(1, &one), (2, &two)]).await.refused_with(400, "EntityTooLarge");
    kp.get_object("plain/a").await.refused_with(404, "NoSuchKey");
    complete(&kp, "plain/a", &upload, &[(1, &one)]).await.answers(200);
}

#[actix_web::test]
async fn pages_of_nothing_do_not_ask_for_more() {
    let kp = Harness::with_gateway().await;
    kp.plain_bucket("plain").await;
    let upload = begin(&kp, "plain/a").await;
    part(&kp, "plain/a", &upload, 1, b"part".to_vec()).await;
    for path in [
        "/plain?uploads&max-uploads=0".to_owned(),
        format!("/plain/a?uploadId={upload}&max-parts=0"),
        "/?extended&max-keys=0".to_owned(),
    ] {
        let page = kp.s3(Method::GET, &path).send().await.answers(200);
        assert_eq!(element(&page, "IsTruncated").as_deref(), Some("false"), "{page}");
    }
}

#[actix_web::test]
async fn completing_twice_with_the_same_list_answers_the_same() {
    let kp = Harness::with_gateway().await;
    kp.plain_bucket("shelf").await;
    let upload = begin(&kp, "shelf/a").await;
    let one = part(&kp, "shelf/a", &upload, 1, b"only".to_vec()).await;
    let first = complete(&kp, "shelf/a", &upload, &[(1, &one)]).await.answers(200);
    let second = complete(&kp, "shelf/a", &upload, &[(1, one.trim_matches('"'))]).await.answers(200);
    assert_eq!(element(&first, "ETag"), element(&second, "ETag"));
    complete(&kp, "shelf/a", &upload, &[(2, &one)]).await.refused_with(404, "NoSuchUpload");
    let late = kp.s3(Method::PUT, &format!("/shelf/a?partNumber=1&uploadId={upload}")).raw("late").send().await;
    late.refused_with(404, "NoSuchUpload");
}

#[actix_web::test]
async fn lists_that_do_not_fit_are_refused_and_change_nothing() {
    let kp = Harness::with_gateway().await;
    kp.plain_bucket("shelf").await;
    let upload = begin(&kp, "shelf/a").await;
    let one = part(&kp, "shelf/a", &upload, 1, b"small".to_vec()).await;
    let two = part(&kp, "shelf/a", &upload, 2, b"small too".to_vec()).await;
    let refused = async |parts: &[(u32, &str)], code: &str| {
        complete(&kp, "shelf/a", &upload, parts).await.refused_with(400, code);
    };
    refused(&[(2, &two), (1, &one)], "InvalidPartOrder").await;
    refused(&[(1, &two)], "InvalidPart").await;
    refused(&[(3, &one)], "InvalidPart").await;
    refused(&[(1, &one), (2, &two)], "EntityTooSmall").await;
    refused(&[], "MalformedXML").await;
    complete(&kp, "shelf/a", "nonsense", &[(1, &one)]).await.refused_with(404, "NoSuchUpload");
    complete(&kp, "shelf/b", &upload, &[(1, &one)]).await.refused_with(404, "NoSuchUpload");
    let number = kp.s3(Method::PUT, &format!("/shelf/a?partNumber=10001&uploadId={upload}")).raw("x").send().await;
    number.refused_with(400, "InvalidArgument");
    complete(&kp, "shelf/a", &upload, &[(2, &two)]).await.answers(200);
    assert_eq!(kp.get_object("shelf/a").await.answers(200), "small too");
}

#[actix_web::test]
async fn an_upload_is_dropped_in_any_state_of_the_key() {
    let kp = Harness::with_gateway().await;
    let key = kp.create_root_key("sealed").await;
    kp.sealed_bucket("sealed", &key).await;
    let upload = begin(&kp, "sealed/a").await;
    let other = begin(&kp, "sealed/b").await;
    let one = part(&kp, "sealed/a", &upload, 1, b"part".to_vec()).await;
    kp.disable(&key).await.succeeds(204);
    kp.advance("1s").await;
    complete(&kp, "sealed/a", &upload, &[(1, &one)]).await.refused_with(403, "AccessDenied");
    let path = format!("/sealed/a?uploadId={upload}");
    let listed = kp.s3(Method::GET, &path).send().await.answers(200);
    assert!(listed.contains("<PartNumber>1</PartNumber>"), "{listed}");
    kp.s3(Method::DELETE, &path).send().await.answers(204);
    kp.s3(Method::DELETE, &path).send().await.refused_with(404, "NoSuchUpload");
    kp.remove("sealed").await.answers(204);
    kp.s3(Method::DELETE, &format!("/sealed/b?uploadId={other}")).send().await.refused_with(404, "NoSuchBucket");
}

#[actix_web::test]
async fn a_part_may_be_copied_from_a_range_of_another_object() {
    let kp = Harness::with_gateway().await;
    let key = kp.create_root_key("sealed").await;
    kp.sealed_bucket("sealed", &key).await;
    kp.plain_bucket("shelf").await;
    kp.put_object("shelf/source", "0123456789").await.answers(200);
    let upload = begin(&kp, "sealed/a").await;
    let path = format!("/sealed/a?partNumber=1&uploadId={upload}");
    let copy = kp.s3(Method::PUT, &path).header("x-amz-copy-source", "/shelf/source");
    let copied = copy.header("x-amz-copy-source-range", "bytes=2-5").send().await.answers(200);
    let etag = element(&copied, "ETag").unwrap();
    complete(&kp, "sealed/a", &upload, &[(1, &etag)]).await.answers(200);
    assert_eq!(kp.get_object("sealed/a").await.answers(200), "2345");
}
