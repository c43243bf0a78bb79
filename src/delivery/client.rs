//! The HTTP client of webhooks: a connection for each attempt, no redirects, no proxies, and an end to everything.

use std::error::Error as StdError;
use std::io::ErrorKind;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::rt::TokioExecutor;

use crate::app::receivers::{Receivers, ResolveError};
use crate::clock;
use crate::clock::Clock;
use crate::delivery::connector::{self, Connector};
use crate::delivery::resolver::Resolver;
use crate::delivery::retry_after;
use crate::delivery::trust::Trust;
use crate::domain::attempt::{Answer, AttemptError};

/// Bytes of a reply that are read; the connection is closed on what is longer. Source: `reliability.md` T-16.
const REPLY_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a reply that are kept, for the delivery log.
const EXCERPT_BYTES: usize = 1_024;
const AGENT: &str = concat!("mock-key-protect/", env!("CARGO_PKG_VERSION"));

/// What is posted.
pub(crate) struct Outgoing {
    pub(crate) url: String,
    /// Beside `Content-Type` and `User-Agent`.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// JSON.
    pub(crate) body: Bytes,
    /// Real time for the whole exchange.
    pub(crate) timeout: Duration,
}

/// Posts webhooks.
pub(crate) struct Client {
    receivers: Receivers,
    pool: Pool<Connector, Full<Bytes>>,
}

impl Client {
    /// Posts where webhooks may go, to HTTPS receivers whose certificates come from these authorities.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(crate) fn new(receivers: Receivers, trust: Trust) -> Result<Self, rustls::Error> {
        let connector = connector::new(Resolver(receivers.clone()), trust)?;
        let pool = Pool::builder(TokioExecutor::new())
            // Each attempt has a connection of its own: one that is kept may be closed by its receiver at the moment when it
            // is used again, and nobody could tell that from a receiver that hangs up on what it was sent.
            .pool_max_idle_per_host(0)
            .build(connector);
        Ok(Self { receivers, pool })
    }

    /// Posts once. `clock` tells the real time that a `Retry-After` date is read against.
    pub(crate) async fn post(&self, outgoing: Outgoing, clock: &Clock) -> Answer {
        let started = clock::stopwatch();
        let mut heard = Answer::failed(AttemptError::Timeout);
        let ended = tokio::time::timeout(outgoing.timeout, self.exchange(outgoing, clock, &mut heard)).await;
        heard.error = match ended {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error),
            Err(_) => Some(AttemptError::Timeout),
        };
        heard.latency = started.elapsed();
        heard
    }

    /// Notes what it hears as it comes, so that an exchange that is cut off leaves what there was.
    async fn exchange(&self, outgoing: Outgoing, clock: &Clock, heard: &mut Answer) -> Result<(), AttemptError> {
        self.receivers.read(&outgoing.url).map_err(|_| AttemptError::Target)?;
        let request = request(outgoing).map_err(|_| AttemptError::Target)?;
        let response = self.pool.request(request).await.map_err(|error| kind_of(&error))?;
        let status = response.status();
        heard.status = Some(status.as_u16());
        heard.retry_after = wait(response.headers(), clock);
        read(response, heard).await?;
        if status.is_redirection() { Err(AttemptError::Redirect) } else { Ok(()) }
    }
}

fn request(outgoing: Outgoing) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let mut request = Request::post(&outgoing.url).header(CONTENT_TYPE, "application/json").header(USER_AGENT, AGENT);
    request = request.header(CONNECTION, "close");
    for (name, value) in outgoing.headers {
        request = request.header(name, value);
    }
    request.body(Full::new(outgoing.body))
}

fn wait(headers: &HeaderMap, clock: &Clock) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    retry_after::parse(value, clock.real_seconds())
}

/// Reads a body up to its end or to what is read of one at most.
async fn read(response: Response<Incoming>, heard: &mut Answer) -> Result<(), AttemptError> {
    let mut body = response.into_body();
    let mut excerpt = BytesMut::new();
    let mut length = 0_usize;
    let mut ended = Ok(());
    while length < REPLY_BYTES_MAX {
        match body.frame().await {
            None => break,
            Some(Err(error)) => {
                ended = Err(kind_of(&error));
                break;
            }
            Some(Ok(frame)) => {
                let Some(data) = frame.data_ref() else { continue };
                length = length.saturating_add(data.len());
                let room = EXCERPT_BYTES.saturating_sub(excerpt.len());
                if room > 0 {
                    excerpt.extend(data.iter().take(room));
                    heard.body_excerpt = text_of(&excerpt);
                }
            }
        }
    }
    ended
}

/// The bytes as text. A letter that the limit has cut in two is left out.
fn text_of(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => {
            String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default()).into_owned()
        }
        Ok(_) | Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Finds the cause that says most.
fn kind_of(error: &(dyn StdError + 'static)) -> AttemptError {
    let mut found = AttemptError::Reset;
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(resolved) = error.downcast_ref::<ResolveError>() {
            return match resolved {
                ResolveError::Nowhere { .. } => AttemptError::Dns,
                ResolveError::Forbidden(_) => AttemptError::Target,
            };
        }
        if error.is::<rustls::Error>() {
            return AttemptError::Tls;
        }
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            found = kind_of_io(io.kind());
            // Its own source is that of the error within, which would pass that one over.
            if let Some(within) = io.get_ref() {
                cause = Some(within);
                continue;
            }
        }
        cause = error.source();
    }
    found
}

fn kind_of_io(kind: ErrorKind) -> AttemptError {
    const NO_WAY: [ErrorKind; 4] = [
        ErrorKind::ConnectionRefused,
        ErrorKind::HostUnreachable,
        ErrorKind::NetworkUnreachable,
        ErrorKind::AddrNotAvailable,
    ];
    if NO_WAY.contains(&kind) {
        AttemptError::Refused
    } else if kind == ErrorKind::TimedOut {
        AttemptError::Timeout
    } else {
        AttemptError::Reset
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
