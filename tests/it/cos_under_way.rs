//! Uploads and downloads that are under way when the root key goes away.

use std::path::Path;
use std::time::Duration;

use crate::harness::Harness;
use crate::harness::dice::let_pass;
use crate::harness::gateway::element;
use crate::harness::raw::Raw;

const OLD: &str = "what is owed";
const NEW: &str = "what is paid";
/// More than what systems hold between a server and a client that does not read.
const BIG_MEBIBYTES: usize = 24;

async fn ledger(folder: &Path) -> (Harness, String) {
    let kp = Harness::with_gateway_in(folder).await;
    let key = kp.create_root_key("ledger").await;
    for bucket in ["ledger", "journal"] {
        kp.sealed_bucket(bucket, &key).await;
        kp.put_object(&format!("{bucket}/a"), OLD).await.answers(200);
    }
    (kp, key)
}

fn begin(kp: &Harness, method: &str, path: &str, length: usize) -> Raw {
    let mut raw = Raw::connect(kp.info["cosUrl"].as_str().unwrap());
    let token = &kp.token;
    raw.send(format!("{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n"));
    raw.send(format!("content-length: {length}\r\n\r\n"));
    raw
}

/// Waits until so many uploads are under way.
async fn under_way(folder: &Path, uploads: usize) {
    let drafts = folder.join("objects/new");
    for _ in 0..200 {
        if std::fs::read_dir(&drafts).unwrap().count() == uploads {
            return;
        }
        actix_web::web::block(|| let_pass(Duration::from_millis(20))).await.unwrap();
    }
    panic!("the uploads have not begun");
}

/// Ends an upload that has begun, off the thread that the service's clock is on.
async fn end(mut upload: Raw, rest: &'static str) -> (u16, Option<String>) {
    let answered = actix_web::web::block(move || upload.send(rest).answer());
    let answer = answered.await.expect("an answer");
    (answer.status, element(&String::from_utf8_lossy(&answer.body), "Code"))
}

#[actix_web::test]
async fn an_upload_that_ends_after_its_key_was_deleted_is_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    let (kp, key) = ledger(folder.path()).await;
    let mut uploads = Vec::new();
    for path in ["/ledger/a", "/journal/a"] {
        let mut upload = begin(&kp, "PUT", path, NEW.len());
        upload.send(&NEW[..4]);
        uploads.push(upload);
    }
    under_way(folder.path(), 2).await;
    kp.delete(&format!("/api/v2/keys/{key}?force=true")).send().await.succeeds(204);
    kp.advance("90s").await;
    for upload in uploads {
        assert_eq!(end(upload, &NEW[4..]).await, (403, Some("AccessDenied".to_owned())));
    }
    for bucket in ["ledger", "journal"] {
        kp.get_object(&format!("{bucket}/a")).await.refused_with(403, "AccessDenied");
        kp.put_object(&format!("{bucket}/b"), NEW).await.refused_with(403, "AccessDenied");
        assert_eq!(kp.bucket_state(bucket).await["objectCount"], 1);
    }
    kp.restore(&key).await.succeeds(201);
    kp.advance("1s").await;
    for bucket in ["ledger", "journal"] {
        assert_eq!(kp.get_object(&format!("{bucket}/a")).await.answers(200), OLD);
    }
    under_way(folder.path(), 0).await;
}

#[actix_web::test]
async fn an_upload_that_ends_after_its_key_was_rotated_is_stored_and_one_under_a_disabled_key_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (kp, key) = ledger(folder.path()).await;
    let mut rotated = begin(&kp, "PUT", "/ledger/a", NEW.len());
    rotated.send(&NEW[..4]);
    let mut disabled = begin(&kp, "PUT", "/journal/a", NEW.len());
    disabled.send(&NEW[..4]);
    under_way(folder.path(), 2).await;
    kp.rotate(&key).await.succeeds(204);
    kp.advance("1s").await;
    assert_eq!(end(rotated, &NEW[4..]).await.0, 200);
    assert_eq!(kp.get_object("ledger/a").await.answers(200), NEW);
    kp.disable(&key).await.succeeds(204);
    kp.advance("1s").await;
    assert_eq!(end(disabled, &NEW[4..]).await, (403, Some("AccessDenied".to_owned())));
}

#[actix_web::test]
async fn a_download_is_broken_off_when_its_key_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let (kp, key) = ledger(folder.path()).await;
    kp.put_object("ledger/big", vec![b'b'; BIG_MEBIBYTES * 1024 * 1024]).await.answers(200);
    let mut download = begin(&kp, "GET", "/ledger/big", 0);
    let download = actix_web::web::block(move || {
        download.read_slowly(1, Duration::ZERO).expect("the first bytes");
        download
    });
    let mut download = download.await.unwrap();
    kp.delete(&format!("/api/v2/keys/{key}?force=true")).send().await.succeeds(204);
    kp.advance("90s").await;
    let rest = actix_web::web::block(move || download.read_slowly(BIG_MEBIBYTES - 1, Duration::ZERO));
    assert!(rest.await.unwrap().is_err(), "all of it came");
}
