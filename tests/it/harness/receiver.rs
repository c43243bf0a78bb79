//! A receiver of webhooks: a small HTTP server of its own that answers as it is told and keeps what it was sent.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::dice::stopwatch;

/// Longest wait for what must come, real time.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// How a request is answered.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Status(u16),
    /// With a header and a body.
    Reply(u16, String, String),
    /// With a status, after so long.
    Late(u16, Duration),
    /// With a status; then the connection is closed without having said so.
    HangUp(u16),
    /// Never: the connection stays open.
    Hang,
    /// The connection is closed without a word.
    Drop,
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) raw: Vec<u8>,
}

impl Received {
    pub(crate) fn body(&self) -> Value {
        serde_json::from_slice(&self.raw).expect("a body of JSON")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }

    pub(crate) fn text(&self, member: &str) -> String {
        self.body()[member].as_str().unwrap_or_else(|| panic!("no {member}")).to_owned()
    }
}

#[derive(Default)]
struct Kept {
    script: VecDeque<Answer>,
    received: Vec<Received>,
}

struct Inner {
    kept: Mutex<Kept>,
    open: AtomicBool,
    connections: AtomicUsize,
    connections_most: AtomicUsize,
}

/// The receiver; it stops listening when it is dropped.
pub(crate) struct Receiver {
    address: std::net::SocketAddr,
    inner: Arc<Inner>,
}

impl Receiver {
    /// Answers with 200.
    pub(crate) fn start() -> Self {
        Self::with(&[Answer::Status(200)])
    }

    /// Answers as the script says; its last answer goes on for ever.
    pub(crate) fn with(script: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let kept = Mutex::new(Kept { script: script.to_vec().into(), received: Vec::new() });
        let (open, connections) = (AtomicBool::new(true), AtomicUsize::new(0));
        let inner = Arc::new(Inner { kept, open, connections, connections_most: AtomicUsize::new(0) });
        let shared = Arc::clone(&inner);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if !shared.open.load(Ordering::SeqCst) {
                    return;
                }
                let one = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let now = one.connections.fetch_add(1, Ordering::SeqCst) + 1;
                    one.connections_most.fetch_max(now, Ordering::SeqCst);
                    one.serve(&stream);
                    one.connections.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, inner }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers otherwise from now on.
    pub(crate) fn answer(&self, script: &[Answer]) {
        self.inner.kept.lock().unwrap().script = script.to_vec().into();
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.inner.kept.lock().unwrap().received.clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.inner.kept.lock().unwrap().received.len()
    }

    /// Connections at once, at most so far.
    pub(crate) fn connections_most(&self) -> usize {
        self.inner.connections_most.load(Ordering::SeqCst)
    }

    /// Waits until so many requests have come.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        let waited = stopwatch();
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        while self.count() < count && waited.elapsed() < WAIT_MAX {
            looks.tick().await;
        }
        let received = self.received();
        assert!(received.len() >= count, "{} requests, not {count}", received.len());
        received
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.inner.open.store(false, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
    }
}

impl Inner {
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some(received) = read(&mut reader) {
            let answer = {
                let mut kept = self.kept.lock().unwrap();
                kept.received.push(received);
                if kept.script.len() > 1 { kept.script.pop_front() } else { kept.script.front().cloned() }
            };
            let text = match answer.unwrap_or(Answer::Status(200)) {
                Answer::Status(status) => format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n"),
                Answer::Reply(status, header, body) => {
                    format!("HTTP/1.1 {status} x\r\n{header}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
                }
                Answer::Late(status, wait) => {
                    // Nothing more comes: what ends is the wait.
                    drop(stream.set_read_timeout(Some(wait)));
                    drop(reader.read(&mut [0]));
                    drop(stream.set_read_timeout(None));
                    format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n")
                }
                Answer::HangUp(status) => {
                    let mut out = stream;
                    drop(out.write_all(format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n").as_bytes()));
                    drop(stream.shutdown(Shutdown::Both));
                    return;
                }
                Answer::Hang => {
                    // Ends when the other side gives up.
                    drop(reader.read(&mut [0]));
                    return;
                }
                Answer::Drop => {
                    drop(stream.shutdown(Shutdown::Both));
                    return;
                }
            };
            let mut out = stream;
            if out.write_all(text.as_bytes()).is_err() {
                return;
            }
        }
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Received> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut raw = vec![0; length];
    reader.read_exact(&mut raw).ok()?;
    Some(Received { path, headers, raw })
}
