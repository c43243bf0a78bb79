//! Subscribers: webhook endpoints that events of registrations are delivered to.

use std::time::Duration;

use crate::domain::crn::{self, CrnQuery};
use crate::domain::event::EventKind;
use crate::domain::registration::ResourceCrn;
use crate::domain::time::Timestamp;

/// Subscribers at once (ASSUMED).
pub(crate) const SUBSCRIBERS_MAX: usize = 1_000;
/// Name of the storage gateway's own.
pub(crate) const GATEWAY: &str = "cos-gateway";
/// How long a secret that was replaced signs beside the new one, virtual time.
pub(crate) const FORMER_SECRET: Duration = Duration::from_hours(24);
/// Secrets that sign beside the present one; of more, the oldest end early (ASSUMED).
pub(crate) const FORMER_SECRETS_MAX: usize = 8;
/// Characters of a name.
const NAME_CHARACTERS_MAX: usize = 64;
/// Characters of a service's name.
const SERVICE_CHARACTERS_MAX: usize = 128;

/// How a subscriber acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ack {
    /// By its reply.
    Http,
    /// By `POST /api/v2/event_ack`.
    EventAck,
}

impl Ack {
    /// The word of `/mock/subscribers`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::EventAck => "event_ack",
        }
    }

    /// Reads the word.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Http, Self::EventAck].into_iter().find(|ack| ack.name() == name)
    }
}

/// Whose events a subscriber gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Of all resources of a service: segment 4 of their CRNs.
    Service(String),
    /// Of resources whose CRN fits.
    Resource(CrnQuery),
}

/// A subscriber, its secrets apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subscriber {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) scope: Scope,
    /// In the order of [`EventKind::ALL`].
    pub(crate) events: Vec<EventKind>,
    pub(crate) ack: Ack,
    pub(crate) built_in: bool,
    pub(crate) created_at: Timestamp,
}

impl Subscriber {
    /// What a name must be, for messages.
    pub(crate) const NAME_RULE: &str = "1 to 64 letters, digits, `-`, `_` or `.`";
    /// What a service's name must be, for messages.
    pub(crate) const SERVICE_RULE: &str = "the name of a service as CRNs have it, such as cloud-object-storage";
    /// What a pattern of resources must be, for messages.
    pub(crate) const RESOURCE_RULE: &str = "a CRN of ten segments, in which `*` stands for any characters of a segment";

    /// True when it is to be told of such an event of that resource.
    pub(crate) fn wants(&self, kind: EventKind, resource: &ResourceCrn) -> bool {
        self.events.contains(&kind)
            && match &self.scope {
                Scope::Service(name) => crn::parse(resource.as_str()).is_some_and(|named| named.service == name),
                Scope::Resource(pattern) => pattern.fits(resource.as_str()),
            }
    }
}

/// True for a name that a subscriber can have: it stands in paths.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=NAME_CHARACTERS_MAX).contains(&text.len()) && text.bytes().all(plain) && !matches!(text, "." | "..")
}

/// True for what can be the name of a service in a CRN.
pub(crate) fn is_service(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=SERVICE_CHARACTERS_MAX).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscriber(scope: Scope, events: &[EventKind]) -> Subscriber {
        Subscriber {
            name: "ledger".to_owned(),
            url: "http://127.0.0.1:9000".to_owned(),
            scope,
            events: events.to_vec(),
            ack: Ack::Http,
            built_in: false,
            created_at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn a_subscriber_is_told_what_it_asked_for_of_whom_it_asked_for() {
        let bucket = ResourceCrn::parse("crn:v1:b:p:cloud-object-storage:global:a/1:i:bucket:ledger-1").unwrap();
        let service = |name: &str| subscriber(Scope::Service(name.to_owned()), &EventKind::ALL);
        assert!(service("cloud-object-storage").wants(EventKind::Disable, &bucket));
        assert!(!service("cloud-object").wants(EventKind::Disable, &bucket));
        for (pattern, fits) in [
            ("crn:v1:b:p:cloud-object-storage:global:a/*:*:bucket:ledger-*", true),
            ("crn:v1:b:p:cloud-object-storage:global:a/1:i:bucket:ledger-1", true),
            ("crn:*:*:*:*:*:*:*:*:*", true),
            ("crn:v1:b:p:cloud-object-storage:global:a/1:i:bucket:other-*", false),
            ("crn:v1:b:p:cloud-object-storage:global:a/1:i:bucket:ledger-?", false),
            ("crn:v1:b:p:cloud-object-storage:global:a/1:i:bucket:LEDGER-*", false),
        ] {
            let scope = Scope::Resource(CrnQuery::parse(pattern).unwrap());
            assert_eq!(subscriber(scope, &EventKind::ALL).wants(EventKind::Disable, &bucket), fits, "{pattern}");
        }
        let picky = subscriber(Scope::Service("cloud-object-storage".to_owned()), &[EventKind::Rotation]);
        assert!(picky.wants(EventKind::Rotation, &bucket) && !picky.wants(EventKind::Disable, &bucket));
    }

    #[test]
    fn names_stand_in_paths() {
        assert!(["a", "cos-gateway", "A.b_c-9"].into_iter().all(is_name));
        let long = "n".repeat(65);
        assert!(!["", ".", "..", "a/b", "a b", "ä", &long].into_iter().any(is_name));
    }
}
