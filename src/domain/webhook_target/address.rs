//! Addresses: what range they are in, and the odd ways in which they can be written.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::domain::webhook_target::Range;

/// Where AWS and, over IPv6, Alibaba hand out credentials; the others' are link-local.
const METADATA_V4: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// The range that an address is in. An IPv6 address that stands for an IPv4 one is in that one's range.
pub(crate) fn range_of(address: IpAddr) -> Range {
    match address {
        IpAddr::V4(address) => range_of_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => range_of_v4(mapped),
            None => range_of_v6(address),
        },
    }
}

fn range_of_v4(address: Ipv4Addr) -> Range {
    let [a, b, c, _] = address.octets();
    if address == METADATA_V4 || address.is_link_local() || a == 0 || address.is_multicast() || address.is_broadcast() {
        return Range::Forbidden;
    }
    if address.is_loopback() {
        return Range::Loopback;
    }
    let shared = a == 100 && (64..128).contains(&b);
    let assignments = a == 192 && b == 0 && c == 0;
    let benchmarks = a == 198 && (b == 18 || b == 19);
    let reserved = a >= 240;
    if address.is_private() || shared || assignments || benchmarks || reserved || address.is_documentation() {
        return Range::Private;
    }
    Range::Public
}

fn range_of_v6(address: Ipv6Addr) -> Range {
    let [first, second, ..] = address.segments();
    let link_local = first & 0xffc0 == 0xfe80;
    if address == METADATA_V6 || link_local || address.is_unspecified() || address.is_multicast() {
        return Range::Forbidden;
    }
    if address.is_loopback() {
        return Range::Loopback;
    }
    if let Some(embedded) = embedded(address) {
        // Translators and tunnels lead to it from elsewhere: what is not public there is nobody's business here.
        return match range_of_v4(embedded) {
            Range::Public => Range::Public,
            Range::Loopback | Range::Private | Range::Forbidden => Range::Forbidden,
        };
    }
    let unique_local = first & 0xfe00 == 0xfc00;
    let site_local = first & 0xffc0 == 0xfec0;
    let documentation = first == 0x2001 && second == 0xdb8;
    if unique_local || site_local || documentation { Range::Private } else { Range::Public }
}

/// The IPv4 address within one of IPv4-compatible, NAT64 (RFC 6052) or 6to4 form.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some(of(high, low))
        }
        _ => None,
    }
}

/// True for a host that ends in a number: an address, or nothing at all, but no name.
pub(crate) fn is_numeric(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    !last.is_empty() && (last.bytes().all(|byte| byte.is_ascii_digit()) || number(last).is_some())
}

/// Reads a host that is an IPv4 address in any of the forms that the system's resolver takes: one to four parts, each
/// decimal, octal with a leading 0, or hexadecimal with 0x; the last part fills the bytes that are left.
pub(crate) fn literal(host: &str) -> Option<Ipv4Addr> {
    let parts: Vec<&str> = host.split('.').collect();
    let (last, leading) = parts.split_last().filter(|(_, leading)| leading.len() < 4)?;
    let mut bits: u32 = 0;
    for part in leading {
        let byte = number(part).filter(|byte| *byte <= 0xff)?;
        bits = (bits << 8) | byte;
    }
    let left = 32_u32.checked_sub(u32::try_from(leading.len()).ok()? * 8)?;
    let rest = number(last)?;
    if left < 32 && rest >> left != 0 {
        return None;
    }
    let bits = if left == 32 { rest } else { (bits << left) | rest };
    Some(Ipv4Addr::from(bits))
}

fn number(part: &str) -> Option<u32> {
    if !part.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    if let Some(hex) = part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")) {
        return if hex.is_empty() { Some(0) } else { u32::from_str_radix(hex, 16).ok() };
    }
    match part.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => u32::from_str_radix(octal, 8).ok(),
        Some(_) | None => part.parse().ok(),
    }
}
