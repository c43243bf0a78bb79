//! The sinks that there are, and what has arrived in them. They live in memory: what they hold is a test's.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::clock;
use crate::crypto::compare;
use crate::domain::time::Timestamp;
use crate::http::admin::sinks::script::{Answer, Ending, Script};

/// Sinks at a time.
pub(crate) const SINKS_MAX: usize = 1_000;
/// Requests that a sink keeps; the oldest go. Source: `docs/contract/interface.md` 3.2.
const RECEIVED_MAX: usize = 1_000;
/// Bytes of bodies that a sink keeps; the oldest requests go.
const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A request that has arrived.
#[derive(Clone)]
pub(crate) struct Receipt {
    /// Virtual time.
    pub(crate) at: Timestamp,
    /// What it was answered with; `None` when the connection was dropped.
    pub(crate) status: Option<u16>,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Bytes,
}

/// A sink as it stands.
pub(crate) struct View {
    /// The unguessable part of its address.
    pub(crate) token: String,
    pub(crate) script: Vec<serde_json::Value>,
    /// Oldest first.
    pub(crate) received: Vec<Receipt>,
    /// Requests that have arrived since it was made.
    pub(crate) total: usize,
}

struct Sink {
    token: String,
    script: Script,
    received: VecDeque<Receipt>,
    body_bytes: usize,
    total: usize,
}

/// Why there is no new sink.
pub(crate) enum MakeRefusal {
    Taken,
    Full,
}

/// All sinks.
#[derive(Default)]
pub(crate) struct Basin {
    sinks: Mutex<BTreeMap<String, Sink>>,
    /// Told of each arrival.
    arrived: Notify,
}

impl Basin {
    /// Makes a sink.
    ///
    /// # Errors
    /// When the name is taken, or there are too many.
    pub(crate) fn make(&self, name: &str, token: String) -> Result<View, MakeRefusal> {
        let mut sinks = self.lock();
        if sinks.contains_key(name) {
            return Err(MakeRefusal::Taken);
        }
        if sinks.len() >= SINKS_MAX {
            return Err(MakeRefusal::Full);
        }
        let sink = Sink { token, script: Script::default(), received: VecDeque::new(), body_bytes: 0, total: 0 };
        Ok(sinks.entry(name.to_owned()).or_insert(sink).view())
    }

    /// Takes a sink away; false where there is none.
    pub(crate) fn remove(&self, name: &str) -> bool {
        let removed = self.lock().remove(name).is_some();
        self.arrived.notify_waiters();
        removed
    }

    /// Gives a sink a script, from its start.
    pub(crate) fn direct(&self, name: &str, script: Script) -> Option<View> {
        let mut sinks = self.lock();
        let sink = sinks.get_mut(name)?;
        sink.script = script;
        Some(sink.view())
    }

    /// A sink, as soon as `least` requests have arrived, or after `wait` of real time. `None` where there is none.
    pub(crate) async fn look(&self, name: &str, least: usize, wait: Duration) -> Option<View> {
        let waited = clock::stopwatch();
        loop {
            let mut arrival = std::pin::pin!(self.arrived.notified());
            arrival.as_mut().enable();
            let left = wait.saturating_sub(waited.elapsed());
            {
                let sinks = self.lock();
                let sink = sinks.get(name)?;
                if sink.total >= least || left.is_zero() {
                    return Some(sink.view());
                }
            }
            // Whether it arrived or not is looked up again.
            drop(timeout(left, arrival).await);
        }
    }

    /// Takes a request in; what it is answered with. `None` where no sink has this name and token.
    pub(crate) fn receive(&self, name: &str, token: &str, mut receipt: Receipt) -> Option<Answer> {
        let mut sinks = self.lock();
        let sink = sinks.get_mut(name).filter(|sink| compare::equal(sink.token.as_bytes(), token.as_bytes()))?;
        let answer = sink.script.next();
        receipt.status = match answer.ending {
            Ending::Answered => Some(answer.status),
            Ending::Dropped => None,
        };
        sink.keep(receipt);
        drop(sinks);
        self.arrived.notify_waiters();
        Some(answer)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Sink>> {
        self.sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink {
    fn view(&self) -> View {
        View {
            token: self.token.clone(),
            script: self.script.written().to_vec(),
            received: self.received.iter().cloned().collect(),
            total: self.total,
        }
    }

    fn keep(&mut self, receipt: Receipt) {
        self.total = self.total.saturating_add(1);
        self.body_bytes += receipt.body.len();
        self.received.push_back(receipt);
        while self.received.len() > RECEIVED_MAX || self.body_bytes > BODY_BYTES_MAX {
            let Some(gone) = self.received.pop_front() else { return };
            self.body_bytes -= gone.body.len();
        }
    }
}
