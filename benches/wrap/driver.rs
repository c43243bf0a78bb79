//! Drives one server over many connections, each sending its next request when the last reply is in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Outcome;
use crate::connection::Connection;
use crate::machine::cpu_time;
use crate::target::{Operation, Target};

/// How long a reply may take before the server counts as stuck.
const REPLY_TIMEOUT: Duration = Duration::from_secs(10);

/// Room for the latencies of one connection in one slice.
const LATENCIES_CAPACITY: usize = 16 * 1024;

/// How long and how often each side is driven.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) rounds: usize,
    pub(crate) warm_up: Duration,
    pub(crate) slice: Duration,
    /// Pause behind a slice in which work that the server has put off (audit, journal) is still charged to it.
    pub(crate) settle: Duration,
}

/// What one slice gave.
pub(crate) struct Slice {
    pub(crate) requests: u32,
    /// CPU time of all threads of the server.
    pub(crate) cpu: Duration,
    pub(crate) p99: Duration,
}

/// One server with the connections and the request of a setting.
pub(crate) struct Side<'a> {
    target: &'a Target,
    request: Arc<Request>,
    connections: Vec<Connection>,
}

/// What every connection of a side sends and expects.
struct Request {
    operation: Operation,
    bytes: Vec<u8>,
    /// The body of every unwrap reply.
    unwrapped: Vec<u8>,
}

/// A connection's part of a slice: itself again, and its latencies in microseconds.
type Part = (Connection, Vec<u32>);

impl<'a> Side<'a> {
    /// Opens the connections of a setting.
    pub(crate) async fn connect(target: &'a Target, operation: Operation, connections: usize) -> Outcome<Self> {
        let mut open = Vec::with_capacity(connections);
        for _ in 0..connections {
            open.push(Connection::open(target.address).await?);
        }
        let request =
            Request { operation, bytes: target.request(operation).to_vec(), unwrapped: target.unwrapped.clone() };
        Ok(Self { target, request: Arc::new(request), connections: open })
    }

    /// Drives the server for a slice, and reads its CPU time before and after.
    pub(crate) async fn measure(&mut self, pace: Pace) -> Outcome<Slice> {
        let before = cpu_time(self.target.pid)?;
        let mut latencies = self.drive(pace.slice).await?;
        std::thread::sleep(pace.settle);
        let cpu = cpu_time(self.target.pid)?.saturating_sub(before);
        latencies.sort_unstable();
        let p99 = latencies.get(latencies.len() * 99 / 100).copied().unwrap_or_default();
        Ok(Slice { requests: u32::try_from(latencies.len())?, cpu, p99: Duration::from_micros(p99.into()) })
    }

    /// Drives the server for so long; the latencies in microseconds, at least one for each connection.
    pub(crate) async fn drive(&mut self, slice: Duration) -> Outcome<Vec<u32>> {
        let until = Instant::now() + slice;
        let mut parts = JoinSet::new();
        for connection in self.connections.drain(..) {
            parts.spawn(run(connection, Arc::clone(&self.request), until));
        }
        let mut latencies = Vec::new();
        let all = async {
            while let Some(part) = parts.join_next().await {
                let (connection, part) = part??;
                self.connections.push(connection);
                latencies.extend(part);
            }
            Outcome::Ok(())
        };
        match tokio::time::timeout(slice + REPLY_TIMEOUT, all).await {
            Ok(Ok(())) => Ok(latencies),
            Ok(Err(error)) => Err(format!("{}: {error}", self.target.name).into()),
            Err(_) => Err(format!("{} did not answer within 10 s", self.target.name).into()),
        }
    }
}

/// Sends one request after the other until the time has come, and checks every reply.
async fn run(mut connection: Connection, request: Arc<Request>, until: Instant) -> Outcome<Part> {
    let mut latencies = Vec::with_capacity(LATENCIES_CAPACITY);
    let mut last = Vec::new();
    let mut begin = Instant::now();
    loop {
        let reply = connection.exchange(&request.bytes).await?;
        if reply.status != 200 {
            return Err(format!("{} was answered {}: {}", request.operation, reply.status, reply.text()).into());
        }
        match request.operation {
            Operation::Wrap if last == reply.body => {
                return Err("two wraps of one plaintext gave one ciphertext".into());
            }
            Operation::Wrap => {
                last.clear();
                last.extend_from_slice(reply.body);
            }
            Operation::Unwrap if request.unwrapped != reply.body => {
                return Err(format!("unwrap gave another plaintext: {}", reply.text()).into());
            }
            Operation::Unwrap => {}
        }
        let end = Instant::now();
        latencies.push(u32::try_from((end - begin).as_micros())?);
        if end >= until {
            return Ok((connection, latencies));
        }
        begin = end;
    }
}
