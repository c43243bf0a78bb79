//! Receivers of all sorts, good and bad, on this machine.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::domain::webhook_target::TargetPolicy;

const CA: &[u8] = include_bytes!("../../tests/it/fixtures/webhooks/ca.pem");
const CERTIFICATE: &[u8] = include_bytes!("../../tests/it/fixtures/webhooks/receiver.pem");
const KEY: &[u8] = include_bytes!("../../tests/it/fixtures/webhooks/receiver_key.pem");

fn local() -> Client {
    Client::new(Receivers::new(TargetPolicy::Local), Trust::nobody()).unwrap()
}

async fn post(client: &Client, url: &str, timeout: Duration) -> Answer {
    let headers = vec![("webhook-id", "a3af".to_owned())];
    let outgoing = Outgoing { url: url.to_owned(), headers, body: Bytes::from_static(b"{}"), timeout };
    client.post(outgoing, &Clock::start(None, 1, None, None)).await
}

const ENOUGH: Duration = Duration::from_secs(5);

/// What a receiver does with each connection.
#[derive(Clone, Copy)]
enum Conduct {
    /// Answers with these bytes and keeps the connection.
    Answers(&'static str),
    /// Answers with these bytes, then drips one more each 20 ms.
    Drips(&'static str),
    /// Answers with these bytes, then pours out zeros for ever.
    Pours(&'static str),
    /// Reads and says nothing.
    Hangs,
    /// Ends the connection once it has read.
    Ends,
}

/// A receiver, its address, and how many bytes it could send beside its answers.
async fn receiver(conduct: Conduct) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(behave(stream, conduct));
        }
    });
    format!("http://{address}/hook")
}

async fn behave(mut stream: TcpStream, conduct: Conduct) {
    let mut request = [0; 4_096];
    while stream.read(&mut request).await.is_ok_and(|count| count > 0) {
        match conduct {
            Conduct::Answers(reply) => stream.write_all(reply.as_bytes()).await.unwrap(),
            Conduct::Drips(reply) => {
                stream.write_all(reply.as_bytes()).await.unwrap();
                let mut beats = tokio::time::interval(Duration::from_millis(20));
                while stream.write_all(b"x").await.is_ok() {
                    beats.tick().await;
                }
            }
            Conduct::Pours(reply) => {
                stream.write_all(reply.as_bytes()).await.unwrap();
                while stream.write_all(&[b'0'; 8_192]).await.is_ok() {}
            }
            Conduct::Hangs => {}
            Conduct::Ends => return,
        }
    }
}

#[tokio::test]
async fn a_reply_is_told_as_it_came() {
    let url = receiver(Conduct::Answers("HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 5\r\n\r\nlater")).await;
    let client = local();
    for _ in 0..3 {
        let answer = post(&client, &url, ENOUGH).await;
        assert_eq!((answer.status, answer.error, answer.success()), (Some(503), None, None));
        assert_eq!((answer.retry_after, answer.body_excerpt.as_str()), (Some(Duration::from_secs(7)), "later"));
    }
    let url = receiver(Conduct::Answers("HTTP/1.1 204 No Content\r\n\r\n")).await;
    assert_eq!(post(&client, &url, ENOUGH).await.success(), Some(204));
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let reply = "HTTP/1.1 307 Elsewhere\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let answer = post(&local(), &receiver(Conduct::Answers(reply)).await, ENOUGH).await;
    assert_eq!((answer.status, answer.error), (Some(307), Some(AttemptError::Redirect)));
}

#[tokio::test]
async fn the_time_limit_holds_for_the_whole_exchange() {
    let short = Duration::from_millis(200);
    let answer = post(&local(), &receiver(Conduct::Hangs).await, short).await;
    assert_eq!((answer.status, answer.error), (None, Some(AttemptError::Timeout)));
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
    let answer = post(&local(), &receiver(Conduct::Drips(head)).await, short).await;
    assert_eq!((answer.status, answer.error, answer.success()), (Some(200), Some(AttemptError::Timeout), None));
    assert!(answer.latency < Duration::from_secs(2) && answer.body_excerpt.starts_with('x'));
    let answer = post(&local(), &receiver(Conduct::Drips("HTTP/1.1 200 O")).await, short).await;
    assert_eq!((answer.status, answer.error), (None, Some(AttemptError::Timeout)));
}

#[tokio::test]
async fn a_reply_without_an_end_is_read_up_to_its_limit() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n";
    let answer = post(&local(), &receiver(Conduct::Pours(head)).await, ENOUGH).await;
    assert_eq!((answer.success(), answer.body_excerpt.len()), (Some(200), EXCERPT_BYTES));
    assert!(answer.latency < ENOUGH);
}

#[tokio::test]
async fn a_connection_that_ends_early_is_a_reset() {
    for conduct in [
        Conduct::Ends,
        Conduct::Answers("this is no HTTP\r\n\r\n"),
        Conduct::Answers("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
    ] {
        let answer = post(&local(), &receiver(conduct).await, ENOUGH).await;
        assert_eq!((answer.error, answer.success()), (Some(AttemptError::Reset), None));
    }
}

#[tokio::test]
async fn nobody_there_is_a_refusal() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let answer = post(&local(), &format!("http://{address}/"), ENOUGH).await;
    assert_eq!((answer.status, answer.error), (None, Some(AttemptError::Refused)));
}

#[tokio::test]
async fn a_forbidden_address_is_never_connected_to() {
    let url = receiver(Conduct::Answers("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).await;
    let public = Client::new(Receivers::new(TargetPolicy::Public), Trust::nobody()).unwrap();
    let by_name = url.replace("127.0.0.1", "localhost");
    let by_number = url.replace("127.0.0.1", "2130706433");
    for url in [&url, &by_name, &by_number, "http://169.254.169.254/", "ftp://example.com/"] {
        assert_eq!(post(&public, url, ENOUGH).await.error, Some(AttemptError::Target), "{url}");
        assert!(public.receivers.check(url).await.is_err(), "{url}");
    }
    assert_eq!(post(&local(), &by_number, ENOUGH).await.success(), Some(200));
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_later_gains_nothing() {
    let url = receiver(Conduct::Answers("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")).await;
    let url = url.replace("127.0.0.1", "ledger.example.com");
    let [good, bad] = ["127.0.0.1", "169.254.169.254"].map(|address| address.parse().unwrap());
    let answers = vec![vec![good], vec![good], vec![bad], vec![good, bad], vec![]];
    let client = Client::new(Receivers::in_turn(TargetPolicy::Local, answers), Trust::nobody()).unwrap();
    assert_eq!(client.receivers.check(&url).await, Ok(()));
    assert_eq!(post(&client, &url, ENOUGH).await.success(), Some(200));
    assert_eq!(post(&client, &url, ENOUGH).await.error, Some(AttemptError::Target));
    assert_eq!(post(&client, &url, ENOUGH).await.error, Some(AttemptError::Target));
    assert_eq!(post(&client, &url, ENOUGH).await.error, Some(AttemptError::Dns));
}

/// A receiver over TLS that answers 200.
async fn tls_receiver() -> u16 {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()],
            PrivateKeyDer::from_pem_slice(KEY).unwrap(),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut request = [0; 4_096];
                while stream.read(&mut request).await.is_ok_and(|count| count > 0) {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn a_certificate_is_trusted_by_a_named_ca_alone() {
    let port = tls_receiver().await;
    let trust = Trust::nobody().and(CA).unwrap();
    let trusting = Client::new(Receivers::new(TargetPolicy::Local), trust).unwrap();
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("https://{host}:{port}/");
        assert_eq!(post(&trusting, &url, ENOUGH).await.success(), Some(200), "{host}");
        assert_eq!(post(&local(), &url, ENOUGH).await.error, Some(AttemptError::Tls), "{host}");
    }
    let other_name = format!("https://127.0.0.2:{port}/");
    assert!(post(&trusting, &other_name, ENOUGH).await.error.is_some());
    let plain = receiver(Conduct::Answers("HTTP/1.1 400 Bad\r\n\r\n")).await.replace("http:", "https:");
    assert_eq!(post(&trusting, &plain, ENOUGH).await.error, Some(AttemptError::Tls));
}

#[test]
fn a_file_without_certificates_is_refused() {
    for file in [&b""[..], b"no PEM at all", KEY, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(Trust::nobody().and(file).is_err());
    }
}

#[test]
fn a_letter_that_is_cut_in_two_is_left_out() {
    assert_eq!(text_of("aé".as_bytes().get(..2).unwrap()), "a");
    assert_eq!(text_of(b"a\xffb"), "a\u{fffd}b");
}
