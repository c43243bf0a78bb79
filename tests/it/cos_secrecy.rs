//! What lies on the disk: no object in clear, no data key in clear, and nothing readable once the root key is purged.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use crate::harness::Harness;
use crate::harness::files;

const MARKER: &[u8] = b"MARKER-of-an-object-in-clear-0123456789";
/// Shows that the search finds what is there: keys of objects are in clear.
const CONTROL: &str = "CONTROL-key-of-the-object";

/// Files below the folder that hold these bytes.
fn holding(folder: &Path, bytes: &[u8]) -> Vec<PathBuf> {
    let mut all = files::below(folder);
    all.retain(|path| std::fs::read(path).unwrap_or_default().windows(bytes.len()).any(|window| window == bytes));
    all
}

/// The wrapped data key of a bucket, as the store has it.
fn wrapped(folder: &Path, bucket: &str) -> Option<String> {
    let path = folder.join("state.db");
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    database.query_row("SELECT wrapped FROM buckets WHERE name = ?1", [bucket], |row| row.get(0)).unwrap()
}

/// An object of several frames, full of markers.
fn marked() -> Vec<u8> {
    MARKER.repeat(200_000 / MARKER.len())
}

#[actix_web::test]
async fn objects_and_data_keys_are_never_on_disk_in_clear() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::with_gateway_in(folder.path()).await;
    let key = kp.create_root_key("sealed").await;
    kp.sealed_bucket("sealed", &key).await;
    kp.plain_bucket("plain").await;
    for bucket in ["sealed", "plain"] {
        kp.put_object(&format!("{bucket}/{CONTROL}"), marked()).await.answers(200);
    }
    let upload = kp.s3(Method::POST, "/sealed/parts?uploads").send().await.answers(200);
    let upload = crate::harness::gateway::element(&upload, "UploadId").unwrap();
    let part = format!("/sealed/parts?partNumber=1&uploadId={upload}");
    kp.s3(Method::PUT, &part).raw(marked()).send().await.answers(200);
    kp.s3(Method::PUT, "/plain/copy")
        .header("x-amz-copy-source", &format!("/sealed/{CONTROL}"))
        .send()
        .await
        .answers(200);
    let ciphertext = wrapped(folder.path(), "sealed").expect("a wrapped data key");
    let body = json!({ "ciphertext": ciphertext, "aad": [kp.bucket("sealed")] });
    let unwrapped = kp.action(&key, "unwrap").json(&body).send().await.succeeds(200);
    let data_key = STANDARD.decode(unwrapped["plaintext"].as_str().unwrap()).unwrap();
    assert_eq!(data_key.len(), 32);
    kp.stop().await;
    assert!(!holding(folder.path(), CONTROL.as_bytes()).is_empty(), "the search finds what is there");
    let forms = [data_key.clone(), hex::encode(&data_key).into_bytes(), STANDARD.encode(&data_key).into_bytes()];
    for (name, bytes) in [("object", &MARKER.to_vec())].into_iter().chain(forms.iter().map(|form| ("data key", form))) {
        let found = holding(folder.path(), bytes);
        assert!(found.is_empty(), "{name} in clear: {found:?}");
    }
}

#[actix_web::test]
async fn a_purged_key_leaves_bytes_that_nobody_can_read() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::with_gateway_in(folder.path()).await;
    let key = kp.create_root_key("sealed").await;
    kp.sealed_bucket("sealed", &key).await;
    kp.put_object("sealed/a", marked()).await.answers(200);
    let ciphertext = wrapped(folder.path(), "sealed").expect("a wrapped data key");
    kp.delete(&format!("/api/v2/keys/{key}?force=true")).send().await.succeeds(204);
    kp.advance("4h").await;
    assert_eq!(kp.get_object("sealed/a").await.status, 403);
    kp.purge(&key).await.succeeds(204);
    kp.advance("2h").await;
    kp.get_object("sealed/a").await.refused_with(403, "AccessDenied");
    assert_eq!(kp.bucket_state("sealed").await["keyState"], "lost");
    assert_eq!(wrapped(folder.path(), "sealed"), None);
    let body = json!({ "ciphertext": ciphertext, "aad": [kp.bucket("sealed")] });
    kp.action(&key, "unwrap").json(&body).send().await.refused(404, "KEY_NOT_FOUND_ERR");
    kp.stop().await;
    assert_eq!(holding(folder.path(), ciphertext.as_bytes()), Vec::<PathBuf>::new());
    assert_eq!(holding(folder.path(), MARKER), Vec::<PathBuf>::new());
    let again = Harness::with_gateway_in(folder.path()).await;
    again.get_object("sealed/a").await.refused_with(403, "AccessDenied");
    assert_eq!(again.bucket_state("sealed").await["objectCount"], 1);
    again.remove("sealed/a").await.answers(204);
}

#[actix_web::test]
async fn all_that_was_stored_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::with_gateway_in(folder.path()).await;
    let key = kp.create_root_key("sealed").await;
    kp.sealed_bucket("sealed", &key).await;
    kp.put_object("sealed/a", marked()).await.answers(200);
    kp.disable(&key).await.succeeds(204);
    kp.advance("31s").await;
    kp.stop().await;
    let kp = Harness::with_gateway_in(folder.path()).await;
    kp.get_object("sealed/a").await.refused_with(403, "AccessDenied");
    assert_eq!(kp.bucket_state("sealed").await["keyState"], "suspended");
    kp.enable(&key).await.succeeds(204);
    kp.advance("2h").await;
    assert_eq!(kp.get_object("sealed/a").await.body, marked());
    assert_eq!(kp.registrations(&key).await.len(), 1);
}
