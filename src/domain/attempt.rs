//! One attempt to deliver an event: what came of it.

use std::time::Duration;

/// Why an attempt got no answer, or none that counts. The words are those of the delivery log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptError {
    /// The whole exchange took too long, connecting and a reply that drips included.
    Timeout,
    /// Nobody listens there, or no way leads there.
    Refused,
    /// The connection ended, or what came over it was no HTTP, before the reply was complete.
    Reset,
    /// The name leads nowhere.
    Dns,
    /// The receiver's certificate is not trusted, or no TLS is spoken there.
    Tls,
    /// The address is one that webhooks may not reach.
    Target,
    /// The receiver points elsewhere; that is not followed.
    Redirect,
}

impl AttemptError {
    const ALL: [Self; 7] =
        [Self::Timeout, Self::Refused, Self::Reset, Self::Dns, Self::Tls, Self::Target, Self::Redirect];

    /// The word of the delivery log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::Dns => "dns",
            Self::Tls => "tls",
            Self::Target => "target",
            Self::Redirect => "redirect",
        }
    }

    /// Reads the word.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|error| error.name() == name)
    }
}

/// What a receiver answered to one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// HTTP status, as soon as the head of a reply has come.
    pub(crate) status: Option<u16>,
    /// Why the attempt is a failure whatever the status.
    pub(crate) error: Option<AttemptError>,
    /// The span that the receiver wants to be left alone for, from its reply on.
    pub(crate) retry_after: Option<Duration>,
    /// Real time from the start to the end of the exchange.
    pub(crate) latency: Duration,
    /// The first KiB of the reply's body, as text.
    pub(crate) body_excerpt: String,
}

impl Answer {
    /// No answer.
    pub(crate) fn failed(error: AttemptError) -> Self {
        Self {
            status: None,
            error: Some(error),
            retry_after: None,
            latency: Duration::ZERO,
            body_excerpt: String::new(),
        }
    }

    /// The status of a complete reply with success, 2xx.
    pub(crate) fn success(&self) -> Option<u16> {
        if self.error.is_some() {
            return None;
        }
        self.status.filter(|status| (200..300).contains(status))
    }
}
