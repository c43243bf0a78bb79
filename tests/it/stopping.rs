//! How the service ends: it drains, in time, and says so to whoever asks.

use std::time::Duration;

use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::Harness;
use crate::harness::process::{Running, program};
use crate::harness::wire;

/// Real time that a stop may take (T-18), and a little for a machine that is busy with other tests.
const STOP_DEADLINE: Duration = Duration::from_millis(5_900);
/// What a server says to a client that asked whether its body is wanted.
const LEAVE_TO_GO_ON: &[u8; 25] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A wrap under way: its head has been read, which the leave to go on proves, and half of its body is still to come.
async fn slow_upload(kp: &Harness, key: &str) -> TcpStream {
    let head = format!(
        "POST /api/v2/keys/{key}/actions/wrap HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Bluemix-Instance: {}\r\nExpect: 100-continue\r\nContent-Length: 26\r\n\r\n",
        kp.token, kp.instance
    );
    let mut stream = wire::connect(&kp.url).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut leave = [0; LEAVE_TO_GO_ON.len()];
    timeout(STOP_DEADLINE, stream.read_exact(&mut leave)).await.expect("leave in time").unwrap();
    assert_eq!(&leave, LEAVE_TO_GO_ON);
    stream.write_all(b"{\"plaintext\":").await.unwrap();
    stream
}

async fn idle_connections(url: &str, count: usize) -> Vec<TcpStream> {
    let mut all = Vec::new();
    for _ in 0..count {
        let mut stream = wire::connect(url).await;
        stream.write_all(b"GET /mock/ready HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        assert_eq!(&start, b"HTTP/1.1 200");
        all.push(stream);
    }
    all
}

#[actix_web::test]
async fn either_signal_ends_it_cleanly_and_takes_the_ready_file_away() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut running = Running::serve(&[]).await;
        running.signal(signal);
        let status = timeout(STOP_DEADLINE, running.ended()).await.expect("a stop in time");
        assert_eq!(status.code(), Some(0));
        assert!(!running.ready_file().exists(), "what it names is gone");
        let data = running.folder().join("data");
        assert!(!data.join("state.db-wal").exists(), "the log was folded into the database");
    }
}

#[actix_web::test]
async fn a_log_that_nobody_takes_costs_no_request_and_no_clean_stop() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path());
    command.args(["serve", "--port", "0", "--cos-port", "off", "--data-dir", "data", "--log", "debug"]);
    let mut running =
        Running::start_with_stderr(command, folder.path(), std::fs::File::create("/dev/full").unwrap()).await;
    let kp = Harness::attached(running.info()).await;
    kp.create_root_key("told to nobody").await;
    running.signal(Signal::TERM);
    let status = timeout(STOP_DEADLINE, running.ended()).await.expect("a stop in time");
    assert_eq!(status.code(), Some(0));
}

#[actix_web::test]
async fn idle_connections_and_a_slow_upload_do_not_hold_up_a_stop() {
    let mut running = Running::serve(&[]).await;
    let kp = Harness::attached(running.info()).await;
    let key = kp.create_root_key("busy").await;
    let idle = idle_connections(&kp.url, 200).await;
    let slow = slow_upload(&kp, &key).await;
    running.signal(Signal::TERM);
    let status = timeout(STOP_DEADLINE, running.ended()).await.expect("a stop in time");
    assert_eq!(status.code(), Some(0));
    drop((idle, slow));
    let (_, stderr) = running.written();
    assert!(!stderr.contains("ERROR") && !stderr.contains("panicked"), "{stderr}");
}

#[actix_web::test]
async fn a_request_under_way_is_answered_in_full_and_new_connections_are_not() {
    let mut running = Running::serve(&[]).await;
    let kp = Harness::attached(running.info()).await;
    let key = kp.create_root_key("busy").await;
    let mut slow = slow_upload(&kp, &key).await;
    running.signal(Signal::TERM);
    until_refused(&kp.url).await;
    slow.write_all(b"\"aGVsbG8=\"}  ").await.unwrap();
    let mut bytes = Vec::new();
    timeout(STOP_DEADLINE, slow.read_to_end(&mut bytes)).await.expect("an answer in time").unwrap();
    let answer = wire::parse(&bytes);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("ciphertext"));
    assert_eq!(timeout(STOP_DEADLINE, running.ended()).await.expect("a stop in time").code(), Some(0));
}

/// Waits until the port takes no more connections.
async fn until_refused(url: &str) {
    let address = url.strip_prefix("http://").unwrap();
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    let waited = timeout(STOP_DEADLINE, async {
        while TcpStream::connect(address).await.is_ok() {
            looks.tick().await;
        }
    });
    waited.await.expect("new connections are refused while it drains");
}

#[actix_web::test]
async fn while_it_drains_it_is_not_ready() {
    let mut running = Running::serve(&[]).await;
    let kp = Harness::attached(running.info()).await;
    let key = kp.create_root_key("busy").await;
    let _slow = slow_upload(&kp, &key).await;
    let mut asking = wire::connect(&kp.url).await;
    asking.write_all(b"GET /mock/ready HTTP/1.1\r\nHost: localhost\r\n").await.unwrap();
    kp.get("/mock/ready").send().await.succeeds(200);
    running.signal(Signal::TERM);
    until_refused(&kp.url).await;
    // A connection without a whole head counts as idle and may be shut, or reset, at any time; an answer must be the truth.
    drop(asking.write_all(b"Connection: close\r\n\r\n").await);
    let mut bytes = Vec::new();
    drop(timeout(STOP_DEADLINE, asking.read_to_end(&mut bytes)).await.expect("an end in time"));
    if !bytes.is_empty() {
        assert_eq!(wire::parse(&bytes).status, 503);
    }
    timeout(STOP_DEADLINE, running.ended()).await.expect("a stop in time");
}

#[actix_web::test]
async fn a_reply_that_is_held_back_comes_when_it_drains() {
    let mut running = Running::serve(&[]).await;
    let kp = Harness::attached(running.info()).await;
    kp.post("/mock/sinks/s1").send().await.succeeds(201);
    let mut held = Vec::new();
    for path in ["audit-events?action=never&wait=30s", "deliveries?wait=30s", "sinks/s1?min=1&wait=30s"] {
        let mut stream = wire::connect(&kp.url).await;
        // The answer to the first request proves that the second one was read: they come in one piece.
        let both = format!(
            "GET /mock/ready HTTP/1.1\r\nHost: localhost\r\n\r\nGET /mock/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        );
        stream.write_all(both.as_bytes()).await.unwrap();
        let mut start = Vec::new();
        while !start.ends_with(b"}") {
            start.push(stream.read_u8().await.unwrap());
        }
        held.push((path, stream));
    }
    running.signal(Signal::TERM);
    for (path, mut stream) in held {
        let mut bytes = Vec::new();
        timeout(STOP_DEADLINE, stream.read_to_end(&mut bytes)).await.expect("an answer in time").unwrap();
        let answer = wire::parse(&bytes);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert!(answer.body.contains("\"total\":0"), "{path}: {}", answer.body);
    }
    timeout(STOP_DEADLINE, running.ended()).await.expect("a stop in time");
}

#[actix_web::test]
async fn a_second_signal_ends_it_at_once() {
    let mut running = Running::serve(&[]).await;
    let kp = Harness::attached(running.info()).await;
    let key = kp.create_root_key("busy").await;
    let _slow = slow_upload(&kp, &key).await;
    running.signal(Signal::TERM);
    until_refused(&kp.url).await;
    running.signal(Signal::TERM);
    timeout(Duration::from_millis(1_500), running.ended()).await.expect("an end at once");
}

#[actix_web::test]
async fn what_was_acknowledged_before_a_stop_is_there_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut keys: Vec<String> = Vec::new();
    for _ in 0..3 {
        let mut running = Running::serve_in(folder.path(), &[]).await;
        let kp = Harness::attached(running.info()).await;
        for key in &keys {
            kp.wrap(key, "aGVsbG8=").await;
        }
        let creating = async {
            let mut made = Vec::new();
            for number in 0..30 {
                made.push(kp.create_root_key(&format!("number {number}")).await);
            }
            made
        };
        keys.extend(creating.await);
        running.signal(Signal::TERM);
        let status = timeout(STOP_DEADLINE, running.ended()).await.expect("a stop in time");
        assert_eq!(status.code(), Some(0));
    }
}
