//! HTTPS on both ports: a local CA that survives, names that it signs, and what is turned away.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::harness::files;
use crate::harness::raw::Raw;
use crate::harness::{Harness, config, tls};

async fn on(folder: &std::path::Path) -> Harness {
    let folder = folder.to_str().unwrap();
    let line =
        ["mock-key-protect", "serve", "--port", "0", "--cos-port", "off", "--tls-port", "0", "--cos-tls-port", "0"];
    Harness::start(config(&[&line[..], &["--data-dir", folder]].concat())).await
}

fn text<'a>(kp: &'a Harness, name: &str) -> &'a str {
    kp.info[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", kp.info))
}

#[actix_web::test]
async fn a_client_that_trusts_the_ca_reaches_both_ports_by_each_name() {
    let folder = tempfile::tempdir().unwrap();
    let kp = on(folder.path()).await;
    assert!(kp.info.get("cosUrl").is_none());
    let ca = fs::read_to_string(text(&kp, "caFile")).unwrap();
    assert_eq!(kp.get("/mock/ca.pem").send().await.body, ca.as_bytes());
    for (url, path, status) in [("tlsUrl", "/mock/ready", 200), ("cosTlsUrl", "/", 403)] {
        for name in ["localhost", "127.0.0.1", "::1", "my-bucket.localhost"] {
            let mut raw = tls::connect(text(&kp, url), name, &ca).expect(name);
            raw.send(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"));
            assert_eq!(raw.answer().status, status, "{url} {name}");
        }
        assert!(tls::connect(text(&kp, url), "example.com", &ca).is_err());
    }
}

/// One request to the gateway over HTTPS, as the owner; the status of its answer.
fn over_https(kp: &Harness, method: &str, path: &str, fields: &str) -> u16 {
    let ca = fs::read_to_string(text(kp, "caFile")).unwrap();
    let mut raw = tls::connect(text(kp, "cosTlsUrl"), "localhost", &ca).expect("a connection");
    let (token, instance) = (&kp.token, text(kp, "cosInstanceCrn"));
    raw.send(format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         ibm-service-instance-id: {instance}\r\ncontent-length: 0\r\n{fields}\r\n"
    ));
    raw.try_answer(method).expect("an answer").status
}

#[actix_web::test]
async fn a_gateway_that_speaks_https_alone_hears_of_its_root_keys() {
    let folder = tempfile::tempdir().unwrap();
    let kp = on(folder.path()).await;
    let key = kp.create_root_key("ledger").await;
    let under_key = format!("ibm-sse-kp-customer-root-key-crn: {}\r\n", kp.key_crn(&key));
    assert_eq!(over_https(&kp, "PUT", "/ledger", &under_key), 200);
    assert_eq!(over_https(&kp, "PUT", "/ledger/a", ""), 200);
    kp.disable(&key).await.succeeds(204);
    kp.advance("0s").await;
    let records = kp.key_records("ledger").await;
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(over_https(&kp, "GET", "/ledger/a", ""), 403);
}

#[actix_web::test]
async fn the_ca_is_the_same_after_a_restart_and_its_key_lies_nowhere_in_clear() {
    let folder = tempfile::tempdir().unwrap();
    let kp = on(folder.path()).await;
    let file = std::path::PathBuf::from(text(&kp, "caFile"));
    let ca = fs::read_to_string(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    kp.stop().await;
    for path in files::below(folder.path()) {
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"PRIVATE KEY"), "{}", path.display());
    }
    let again = on(folder.path()).await;
    assert_eq!(fs::read_to_string(text(&again, "caFile")).unwrap(), ca);
    tls::connect(text(&again, "tlsUrl"), "localhost", &ca).expect("the old CA is trusted still");
}

#[actix_web::test]
async fn strangers_old_clients_and_plain_requests_are_turned_away() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let kp = on(folder.path()).await;
    let foreign = fs::read_to_string(text(&on(other.path()).await, "caFile")).unwrap();
    let (url, ca) = (text(&kp, "tlsUrl"), fs::read_to_string(text(&kp, "caFile")).unwrap());
    assert!(tls::connect(url, "localhost", &foreign).is_err(), "another CA is not ours");
    for versions in [&[&rustls::version::TLS12][..], &[&rustls::version::TLS13]] {
        tls::connect_with(url, "localhost", &ca, versions).expect("a version that is spoken");
    }
    // A hello that offers TLS 1.1 at most is answered with an alert, never with a ServerHello.
    let mut old = Raw::over_plain(url.trim_start_matches("https://"));
    let hello = b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x02";
    let mut bytes = hello.to_vec();
    bytes.extend([7; 32]);
    bytes.extend(b"\x00\x00\x04\x00\x2f\x00\x35\x01\x00");
    assert_eq!(old.send(&bytes).first_byte(), Some(0x15));
    let mut plain = Raw::over_plain(url.trim_start_matches("https://"));
    plain.send("GET /mock/ready HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert_ne!(plain.first_byte(), Some(b'H'), "no HTTP without TLS");
}

#[actix_web::test]
async fn handshakes_that_do_not_go_on_hold_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let kp = on(folder.path()).await;
    let (url, ca) = (text(&kp, "cosTlsUrl"), fs::read_to_string(text(&kp, "caFile")).unwrap());
    let half_open: Vec<Raw> = (0..300).map(|_| Raw::over_plain(url.trim_start_matches("https://"))).collect();
    let mut raw = tls::connect(url, "localhost", &ca).expect("a place");
    raw.send("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert_eq!(raw.answer().status, 403);
    drop(half_open);
}
