//! Reads the URL of a receiver.

use std::net::{IpAddr, Ipv6Addr};

use crate::domain::webhook_target::{Host, Target, TargetError, URL_CHARACTERS_MAX, is_numeric, literal};

/// Characters of a host's name, dots included. Source: RFC 1035.
const NAME_CHARACTERS_MAX: usize = 253;

/// Reads `http://host[:port][/path][?query]` or the same with https.
///
/// # Errors
/// All but `Address` and `Name`, which [`Target::check`] finds.
pub(crate) fn parse(url: &str) -> Result<Target, TargetError> {
    if url.len() > URL_CHARACTERS_MAX {
        return Err(TargetError::Long);
    }
    if url.bytes().any(|byte| !byte.is_ascii_graphic() || b"\\\"<>^`{|}".contains(&byte)) {
        return Err(TargetError::Character);
    }
    let (scheme, rest) = url.split_once("://").ok_or(TargetError::Scheme)?;
    let standard_port = match scheme.to_ascii_lowercase().as_str() {
        "http" => 80,
        "https" => 443,
        _ => return Err(TargetError::Scheme),
    };
    if rest.contains('#') {
        return Err(TargetError::Fragment);
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, _) = rest.split_at(end);
    if authority.contains('@') {
        return Err(TargetError::Credentials);
    }
    let (host, port) = split_port(authority)?;
    let port = match port {
        None | Some("") => standard_port,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port != 0).ok_or(TargetError::Port)?
        }
        Some(_) => return Err(TargetError::Port),
    };
    Ok(Target { url: url.to_owned(), host: read_host(host)?, port })
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>), TargetError> {
    if authority.starts_with('[') {
        let close = authority.find(']').ok_or(TargetError::Host)?;
        let (host, rest) = authority.split_at(close + 1);
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(TargetError::Host),
        };
    }
    match authority.split_once(':') {
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((authority, None)),
    }
}

fn read_host(host: &str) -> Result<Host, TargetError> {
    if let Some(inner) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        let address: Ipv6Addr = inner.parse().map_err(|_| TargetError::Host)?;
        return Ok(Host::Address(IpAddr::V6(address)));
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    if is_numeric(&name) {
        return literal(&name).map(|address| Host::Address(IpAddr::V4(address))).ok_or(TargetError::Host);
    }
    if is_name(&name) { Ok(Host::Name(name)) } else { Err(TargetError::Host) }
}

/// Letters, digits, hyphens and underscores; the latter are no host names by the book, but container networks use them.
fn is_name(name: &str) -> bool {
    let letters = |label: &str| label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    name.len() <= NAME_CHARACTERS_MAX && name.split('.').all(|label| (1..=63).contains(&label.len()) && letters(label))
}
