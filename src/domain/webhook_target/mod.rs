//! Where webhooks may go: which addresses, and what their URLs look like.
//!
//! Source: `docs/contract/reliability.md` T-29. A receiver's URL is text that somebody else wrote; without these rules
//! it would let them reach, through the service, what they cannot reach themselves.

mod address;
mod url;

use std::net::IpAddr;

use thiserror::Error;

use self::address::{is_numeric, literal, range_of};
pub(crate) use self::url::parse;

/// Characters of a URL.
pub(crate) const URL_CHARACTERS_MAX: usize = 2_048;

/// Which addresses webhooks may reach. In none of them link-local ones, nor those where clouds hand out credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetPolicy {
    /// This machine, private networks and the public one.
    Local,
    /// This machine alone.
    Loopback,
    /// The public network alone.
    Public,
}

/// What an address is, for the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Range {
    Loopback,
    /// Private, shared and reserved ranges: nothing that the public network leads to.
    Private,
    Public,
    /// Link-local and metadata addresses, and those that are no single machine's.
    Forbidden,
}

impl TargetPolicy {
    /// The word of `--webhook-targets`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Loopback => "loopback",
            Self::Public => "public",
        }
    }

    /// True when webhooks may go to the range.
    fn includes(self, range: Range) -> bool {
        match range {
            Range::Forbidden => false,
            Range::Loopback => self != Self::Public,
            Range::Private => self == Self::Local,
            Range::Public => self != Self::Loopback,
        }
    }
}

/// True when webhooks may go to the address. Asked of each address that a name leads to, at connect time.
pub(crate) fn allows(policy: TargetPolicy, address: IpAddr) -> bool {
    policy.includes(range_of(address))
}

/// Whom a URL names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// An address, however it was written.
    Address(IpAddr),
    /// A name, in lower case, without a dot at the end.
    Name(String),
}

/// A URL that a webhook may be posted to, as far as its text tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// As it was written.
    pub(crate) url: String,
    pub(crate) host: Host,
    pub(crate) port: u16,
}

impl Target {
    /// Decides by the URL alone. A name says little: where it leads is looked up for each connection.
    ///
    /// # Errors
    /// `Address`, `Name`.
    pub(crate) fn check(&self, policy: TargetPolicy) -> Result<(), TargetError> {
        match &self.host {
            Host::Address(address) => check_address(policy, *address),
            Host::Name(name) => check_name(policy, name),
        }
    }
}

/// Decides on an address.
///
/// # Errors
/// `Address`.
pub(crate) fn check_address(policy: TargetPolicy, address: IpAddr) -> Result<(), TargetError> {
    if allows(policy, address) { Ok(()) } else { Err(TargetError::Address { address, policy: policy.name() }) }
}

fn check_name(policy: TargetPolicy, name: &str) -> Result<(), TargetError> {
    const METADATA: &str = "metadata.google.internal";
    let local = name == "localhost" || name.ends_with(".localhost");
    if name == METADATA || (local && policy == TargetPolicy::Public) {
        return Err(TargetError::Name { name: name.to_owned(), policy: policy.name() });
    }
    Ok(())
}

/// Why a webhook is not posted to a URL; each message ends with the remedy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum TargetError {
    #[error("the URL is longer than {URL_CHARACTERS_MAX} characters; shorten it")]
    Long,
    #[error(
        "the URL holds a blank, a control character, a backslash or a letter beyond ASCII; percent-encode it, and write \
         an international name in its xn-- form"
    )]
    Character,
    #[error("the URL begins with neither http:// nor https://; write one of them")]
    Scheme,
    #[error("the URL holds a name or a password; leave them out: the signature tells a receiver who sends")]
    Credentials,
    #[error("the URL names no host that can be read; write a name, an IPv4 address or an IPv6 address in brackets")]
    Host,
    #[error("the URL's port is not a number from 1 to 65535; correct it or leave it out")]
    Port,
    #[error("the URL ends in a fragment, which is never sent; leave out what begins with #")]
    Fragment,
    #[error(
        "{address} is an address that webhooks may not reach under --webhook-targets {policy}; link-local and metadata \
         addresses are never reached; name another host, or start the service with another --webhook-targets"
    )]
    Address { address: IpAddr, policy: &'static str },
    #[error(
        "{name} is a host that webhooks may not reach under --webhook-targets {policy}; metadata services are never \
         reached; name another host, or start the service with another --webhook-targets"
    )]
    Name { name: String, policy: &'static str },
}

#[cfg(test)]
mod tests;
