//! Which way a request came, and which ways there are.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::domain::reason::Reason;

/// Networks that an instance can be reached from. Source: docs, settings-network-policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    PublicAndPrivate,
    PrivateOnly,
}

impl Network {
    /// What a network must be, for messages.
    pub(crate) const RULE: &str = "public-and-private or private-only";

    /// The word of `allowed_network`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PublicAndPrivate => "public-and-private",
            Self::PrivateOnly => "private-only",
        }
    }

    /// Reads the word.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::PublicAndPrivate, Self::PrivateOnly].into_iter().find(|network| network.name() == name)
    }
}

/// Which of the service's endpoints a request was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Public,
    Private,
}

impl Endpoint {
    /// Reads it from the host that the request names: IBM's private endpoints begin with `private.` (ASSUMED).
    pub(crate) fn of_host(host: &str) -> Self {
        const PRIVATE: &[u8] = b"private.";
        let start = host.as_bytes().get(..PRIVATE.len());
        if start.is_some_and(|start| start.eq_ignore_ascii_case(PRIVATE)) { Self::Private } else { Self::Public }
    }
}

/// The way that a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) endpoint: Endpoint,
    /// Address of the peer; no forwarding header is trusted (ASSUMED).
    pub(crate) peer: Option<IpAddr>,
}

impl Route {
    /// Decides whether the peer is within one of the ranges.
    ///
    /// # Errors
    /// `FeatureRestricted`, `Unauthorized`.
    pub(super) fn is_within(self, ranges: &[IpNet]) -> Result<(), Reason> {
        let peer = self.peer.map(|peer| peer.to_canonical());
        if self.endpoint == Endpoint::Private && peer.is_some_and(|peer| peer.is_ipv6()) {
            return Err(Reason::FeatureRestricted);
        }
        let within = peer.is_some_and(|peer| ranges.iter().any(|range| range.contains(&peer)));
        if within { Ok(()) } else { Err(Reason::Unauthorized) }
    }
}
