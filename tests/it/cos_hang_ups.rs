//! Clients of the gateway that hang up before they are answered.

use std::time::Duration;

use crate::harness::Harness;
use crate::harness::dice::let_pass;
use crate::harness::gateway::element;
use crate::harness::raw::Raw;

const BYTES: usize = 100_000;
const UPLOADS: u32 = 160;
const KEYS: u32 = 20;

/// Uploads whose client is gone within 30 ms of the last byte, onto objects that are there already.
fn uploads_that_nobody_waits_for(url: &str, token: &str) {
    for number in 0..UPLOADS {
        let mut raw = Raw::connect(url);
        let head = format!("PUT /ledger/{} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}", number % KEYS);
        raw.send(format!("{head}\r\ncontent-length: {BYTES}\r\n\r\n")).send(vec![b'n'; BYTES]);
        let_pass(Duration::from_micros(u64::from(number) * 7_919 % 30_000));
    }
}

#[actix_web::test]
async fn a_client_that_hangs_up_leaves_the_old_object_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::with_gateway_in(folder.path()).await;
    kp.plain_bucket("ledger").await;
    for number in 0..KEYS {
        kp.put_object(&format!("ledger/{number}"), vec![b'o'; BYTES]).await.answers(200);
    }
    let (url, token) = (kp.info["cosUrl"].as_str().unwrap().to_owned(), kp.token.clone());
    actix_web::web::block(move || uploads_that_nobody_waits_for(&url, &token)).await.unwrap();
    for number in 0..KEYS {
        let bytes = kp.get_object(&format!("ledger/{number}")).await.answers(200);
        let whole = bytes.len() == BYTES && (bytes.bytes().all(|b| b == b'o') || bytes.bytes().all(|b| b == b'n'));
        assert!(whole, "{number} is a mix or a part");
    }
    // What is no longer needed goes, too.
    let files = || std::fs::read_dir(folder.path().join("objects")).unwrap().count();
    let mut looks = 0;
    // The folder of drafts is there beside the objects.
    while files() != KEYS as usize + 1 && looks < 100 {
        actix_web::web::block(|| let_pass(Duration::from_millis(50))).await.unwrap();
        looks += 1;
    }
    assert_eq!(files(), KEYS as usize + 1, "files that no row names");
}

/// Half an upload, and then the end of the connection: nothing is stored, and nothing stays on disk.
#[actix_web::test]
async fn half_an_upload_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::with_gateway_in(folder.path()).await;
    kp.plain_bucket("ledger").await;
    let (url, token) = (kp.info["cosUrl"].as_str().unwrap().to_owned(), kp.token.clone());
    let answered = actix_web::web::block(move || {
        let mut raw = Raw::connect(&url);
        let head = format!("PUT /ledger/half HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}");
        raw.send(format!("{head}\r\ncontent-length: {}\r\n\r\n", 2 * BYTES)).send(vec![b'n'; BYTES]).finish();
        raw.try_answer("PUT")
    });
    if let Ok(answer) = answered.await.unwrap() {
        let code = element(&String::from_utf8_lossy(&answer.body), "Code");
        assert_eq!((answer.status, code.as_deref()), (400, Some("IncompleteBody")));
    }
    kp.get_object("ledger/half").await.refused_with(404, "NoSuchKey");
    let drafts = || std::fs::read_dir(folder.path().join("objects/new")).unwrap().count();
    let mut looks = 0;
    while drafts() > 0 && looks < 100 {
        actix_web::web::block(|| let_pass(Duration::from_millis(50))).await.unwrap();
        looks += 1;
    }
    assert_eq!(drafts(), 0);
}
