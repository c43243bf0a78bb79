//! A receiver that takes everything and notes when the last event of each key came.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Outcome;

#[derive(Default)]
struct Kept {
    count: usize,
    last: HashMap<String, Instant>,
}

/// The receiver.
pub(crate) struct Receiver {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
}

impl Receiver {
    /// Listens on a port of its own.
    pub(crate) fn start() -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let kept = Arc::<Mutex<Kept>>::default();
        let shared = Arc::clone(&kept);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // A sender that goes away ends its connection.
                std::thread::spawn(move || drop(serve(&stream, &shared)));
            }
        });
        Ok(Self { address, kept })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// When the last event of a key came.
    pub(crate) fn last_of(&self, key: &str) -> Option<Instant> {
        lock(&self.kept).last.get(key).copied()
    }

    /// Waits until so many have come.
    pub(crate) async fn wait_for(&self, count: usize, patience: Duration) -> Outcome<()> {
        let began = Instant::now();
        let mut looks = tokio::time::interval(Duration::from_millis(10));
        while lock(&self.kept).count < count {
            if began.elapsed() > patience {
                let came = lock(&self.kept).count;
                return Err(format!("{came} of {count} deliveries came within {patience:?}").into());
            }
            looks.tick().await;
        }
        Ok(())
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: &TcpStream, kept: &Mutex<Kept>) -> Outcome<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut out = stream;
    loop {
        let mut length = 0;
        let mut line = String::new();
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            match line.split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse()?,
                None if line.trim().is_empty() => break,
                Some(_) | None => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let event: Value = serde_json::from_slice(&body)?;
        let key = event["keyId"].as_str().unwrap_or_default().to_owned();
        {
            let mut kept = lock(kept);
            kept.count += 1;
            kept.last.insert(key, Instant::now());
        }
        out.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
    }
}
