//! Tables of URLs and addresses, with what each policy says to them.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;

/// A URL, and whether `local`, `loopback` and `public` let webhooks go there.
const URLS: [(&str, [bool; 3]); 47] = [
    ("http://127.0.0.1/hook", [true, true, false]),
    ("http://127.0.0.1:9000/hook?x=1", [true, true, false]),
    ("http://127.8.9.10/", [true, true, false]),
    ("https://[::1]:8443/", [true, true, false]),
    ("http://localhost:8080", [true, true, false]),
    ("http://LOCALHOST./", [true, true, false]),
    ("http://ledger.localhost/", [true, true, false]),
    ("http://127.1/", [true, true, false]),
    ("http://2130706433/", [true, true, false]),
    ("http://0x7f000001/", [true, true, false]),
    ("http://0x7f.0.0.1/", [true, true, false]),
    ("http://0177.0.0.1/", [true, true, false]),
    ("http://017700000001/", [true, true, false]),
    ("http://[::ffff:127.0.0.1]/", [true, true, false]),
    ("http://[::ffff:7f00:1]/", [true, true, false]),
    ("http://10.1.2.3/", [true, false, false]),
    ("http://172.16.0.1/", [true, false, false]),
    ("http://172.31.255.255/", [true, false, false]),
    ("http://192.168.0.1/", [true, false, false]),
    ("http://100.64.0.1/", [true, false, false]),
    ("http://0xc0a80001/", [true, false, false]),
    ("http://[fd12:3456::1]/", [true, false, false]),
    ("http://[::ffff:10.0.0.1]/", [true, false, false]),
    ("http://8.8.8.8/", [true, false, true]),
    ("https://172.32.0.1/", [true, false, true]),
    ("https://[2606:4700::1111]/", [true, false, true]),
    ("https://[64:ff9b::8.8.8.8]/", [true, false, true]),
    ("http://169.254.169.254/latest/meta-data/", [false; 3]),
    ("http://169.254.0.1/", [false; 3]),
    ("http://2852039166/", [false; 3]),
    ("http://0xa9fea9fe/", [false; 3]),
    ("http://0xA9.0xFE.0xA9.0xFE/", [false; 3]),
    ("http://0251.0376.0251.0376/", [false; 3]),
    ("http://169.254.43518/", [false; 3]),
    ("http://169.16689662/", [false; 3]),
    ("http://169.254.169.254./", [false; 3]),
    ("http://[::ffff:169.254.169.254]/", [false; 3]),
    ("http://[::ffff:a9fe:a9fe]/", [false; 3]),
    ("http://[64:ff9b::a9fe:a9fe]/", [false; 3]),
    ("http://[2002:a9fe:a9fe::1]/", [false; 3]),
    ("http://[::169.254.169.254]/", [false; 3]),
    ("http://[fe80::1]/", [false; 3]),
    ("http://[febf:ffff::1]/", [false; 3]),
    ("http://[fd00:ec2::254]/", [false; 3]),
    ("http://100.100.100.200/", [false; 3]),
    ("http://metadata.google.internal/", [false; 3]),
    ("http://Metadata.Google.Internal.:80/", [false; 3]),
];

#[test]
fn each_policy_has_its_say_on_each_url() {
    for (url, expected) in URLS {
        let target = parse(url).unwrap_or_else(|why| panic!("{url}: {why}"));
        let policies = [TargetPolicy::Local, TargetPolicy::Loopback, TargetPolicy::Public];
        assert_eq!(policies.map(|policy| target.check(policy).is_ok()), expected, "{url}");
    }
}

#[test]
fn a_public_name_is_decided_by_where_it_leads() {
    for policy in [TargetPolicy::Local, TargetPolicy::Loopback, TargetPolicy::Public] {
        assert_eq!(parse("https://hooks.example.com/a").unwrap().check(policy), Ok(()));
    }
}

#[test]
fn what_is_no_single_machine_is_never_reached() {
    for address in ["0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.1", "::", "ff02::1"] {
        let address: IpAddr = address.parse().unwrap();
        for policy in [TargetPolicy::Local, TargetPolicy::Loopback, TargetPolicy::Public] {
            assert!(!allows(policy, address), "{address}");
        }
    }
}

#[test]
fn what_is_wrong_with_a_url_is_told() {
    for (url, expected) in [
        ("ftp://example.com/", TargetError::Scheme),
        ("file:///etc/passwd", TargetError::Scheme),
        ("gopher://127.0.0.1/", TargetError::Scheme),
        ("example.com/hook", TargetError::Scheme),
        ("", TargetError::Scheme),
        ("http://user@example.com/", TargetError::Credentials),
        ("http://user:word@example.com/", TargetError::Credentials),
        ("http://127.0.0.1@169.254.169.254/", TargetError::Credentials),
        ("http://", TargetError::Host),
        ("http:///hook", TargetError::Host),
        ("http://.example.com/", TargetError::Host),
        ("http://a..b/", TargetError::Host),
        ("http://[::1/", TargetError::Host),
        ("http://[fe80::1%25eth0]/", TargetError::Host),
        ("http://256.1.1.1/", TargetError::Host),
        ("http://1.2.3.4.5/", TargetError::Host),
        ("http://4294967296/", TargetError::Host),
        ("http://exa%6dple.com/", TargetError::Host),
        ("http://example.com:0/", TargetError::Port),
        ("http://example.com:65536/", TargetError::Port),
        ("http://example.com:+80/", TargetError::Port),
        ("http://example.com/#part", TargetError::Fragment),
        ("http://example.com\\@169.254.169.254/", TargetError::Character),
        ("http://exam ple.com/", TargetError::Character),
        ("http://example.com/\r\nx: y", TargetError::Character),
        ("http://\u{ff11}27.0.0.1/", TargetError::Character),
        (" http://example.com/", TargetError::Character),
    ] {
        assert_eq!(parse(url), Err(expected), "{url:?}");
    }
    assert_eq!(parse(&format!("http://a/{}", "b".repeat(URL_CHARACTERS_MAX))), Err(TargetError::Long));
}

#[test]
fn port_and_host_are_read() {
    let read = |url: &str| parse(url).map(|target| (target.host, target.port)).unwrap();
    assert_eq!(read("https://Example.com"), (Host::Name("example.com".to_owned()), 443));
    assert_eq!(read("HTTP://example.com:/x"), (Host::Name("example.com".to_owned()), 80));
    assert_eq!(read("http://[::1]:9000/x").1, 9_000);
    assert_eq!(read("http://a_b:8080?x").0, Host::Name("a_b".to_owned()));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(url in "\\PC{0,60}") {
        drop(parse(&url));
    }

    #[test]
    fn a_mapped_address_is_what_it_stands_for(bits in any::<u32>()) {
        let plain = std::net::Ipv4Addr::from(bits);
        let mapped = plain.to_ipv6_mapped();
        prop_assert_eq!(range_of(plain.into()), range_of(mapped.into()));
    }

    #[test]
    fn each_way_to_write_an_address_is_the_same_address(bits in any::<u32>()) {
        let address = std::net::Ipv4Addr::from(bits);
        let [a, b, c, d] = address.octets();
        let ways =
            [format!("{bits}"), format!("0x{bits:x}"), format!("0{bits:o}"), format!("{a}.{b}.{c}.{d}"), format!("{a}.0x{b:X}.{}", u32::from(c) * 256 + u32::from(d))];
        for way in ways {
            prop_assert_eq!(literal(&way), Some(address), "{}", way);
        }
    }
}
