//! aws-chunked bodies, whole and in single bytes; S3's published example of signed chunks; what breaks them.

use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;

use crate::cos::domain::checksum::{Algorithm, Checksum};
use crate::cos::domain::refusal::Refusal;
use crate::cos::http::chunked::{Chain, Decoder, TrailerSigning};
use crate::cos::http::query::Query;
use crate::cos::http::v4::{Claim, Signed};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn decode(mut decoder: Decoder, body: &[u8], step: usize) -> Result<(Vec<u8>, Vec<Checksum>), Refusal> {
    let mut data = Vec::new();
    for piece in body.chunks(step) {
        for bytes in decoder.feed(&Bytes::copy_from_slice(piece))? {
            data.extend_from_slice(&bytes);
        }
    }
    Ok((data, decoder.finish()?))
}

fn unsigned(announced: Option<u64>, body: &str) -> Result<(Vec<u8>, Vec<Checksum>), String> {
    let decoder = || Decoder::new(None, announced, vec![Algorithm::Crc32]);
    let whole = decode(decoder(), body.as_bytes(), usize::MAX);
    let bytewise = decode(decoder(), body.as_bytes(), 1);
    assert_eq!(whole, bytewise);
    whole.map_err(|refusal| refusal.code.into_owned())
}

/// The request that S3's documentation signs, with its seed.
fn chain(trailer: TrailerSigning) -> Chain {
    let rest = "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
        SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;\
        x-amz-decoded-content-length;x-amz-storage-class,\
        Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("host", "s3.amazonaws.com"),
        ("x-amz-date", "20130524T000000Z"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
        ("content-length", "66824"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let claim = Claim::of_header(rest, &headers).unwrap();
    let query = Query::default();
    let raw_path = "/examplebucket/chunkObject.txt";
    let signed = Signed { method: &Method::PUT, raw_path, query: &query, headers: &headers };
    let key = claim.verify(SECRET, &signed, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD").expect("the published seed");
    Chain::new(key, claim.seed(), trailer)
}

fn published_chunks() -> Vec<u8> {
    let mut body = Vec::new();
    for (size, signature) in [
        (65_536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (1_024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    ] {
        body.extend_from_slice(format!("{size:x};chunk-signature={signature}\r\n").as_bytes());
        body.extend(std::iter::repeat_n(b'a', size));
        body.extend_from_slice(b"\r\n");
    }
    body
}

#[test]
fn the_published_example_of_signed_chunks_is_good_and_any_changed_byte_is_not() {
    let body = published_chunks();
    let decoder = || Decoder::new(Some(chain(TrailerSigning::Unsigned)), Some(66_560), Vec::new());
    for step in [1_000, usize::MAX] {
        let (data, _) = decode(decoder(), &body, step).unwrap();
        assert_eq!(data, vec![b'a'; 66_560]);
    }
    let mut changed = body.clone();
    changed[100] = b'b';
    assert_eq!(decode(decoder(), &changed, usize::MAX).unwrap_err().code, "SignatureDoesNotMatch");
    let unsigned = String::from_utf8(body).unwrap().replacen(";chunk-signature=ad80", ";chunk=ad80", 1);
    assert_eq!(decode(decoder(), unsigned.as_bytes(), usize::MAX).unwrap_err().code, "SignatureDoesNotMatch");
}

#[test]
fn a_signed_trailer_must_be_signed() {
    let mut body = published_chunks();
    body.truncate(body.len() - 2);
    body.extend_from_slice(b"x-amz-checksum-crc32:NSRBwg==\r\nx-amz-trailer-signature:00\r\n\r\n");
    let decoder = Decoder::new(Some(chain(TrailerSigning::Signed)), None, vec![Algorithm::Crc32]);
    assert_eq!(decode(decoder, &body, usize::MAX).unwrap_err().code, "SignatureDoesNotMatch");
}

#[test]
fn chunks_are_joined_and_the_trailer_is_read() {
    let body = "4\r\nWiki\r\n5\r\npedia\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n";
    let (data, checksums) = unsigned(Some(9), body).unwrap();
    assert_eq!(data, b"Wikipedia");
    let expected = Checksum { algorithm: Algorithm::Crc32, value: vec![0x35, 0x24, 0x41, 0xc2] };
    assert_eq!(checksums, [expected]);
    let (data, _) = unsigned(None, "0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n").unwrap();
    assert!(data.is_empty());
}

#[test]
fn what_is_not_framed_so_is_refused() {
    const TRAILER: &str = "x-amz-checksum-crc32:NSRBwg==\r\n\r\n";
    let table = [
        ("plain bytes\r\n", "InvalidRequest"),
        ("-4\r\nWiki\r\n", "InvalidRequest"),
        ("\r\n", "InvalidRequest"),
        ("fffffffffffffffff\r\n", "InvalidRequest"),
        ("4\r\nWikipedia\r\n", "InvalidRequest"),
        ("4\r\nWiki\r\n0\r\n", "IncompleteBody"),
        ("4\r\nWi", "IncompleteBody"),
        ("", "IncompleteBody"),
        ("4\r\nWiki\r\n0\r\n\r\n", "InvalidRequest"),
        ("4\r\nWiki\r\n0\r\nx-amz-checksum-sha1:NSRBwg==\r\n\r\n", "InvalidRequest"),
        ("4\r\nWiki\r\n0\r\nx-amz-checksum-crc32:NSRB\r\n\r\n", "InvalidDigest"),
        ("4\r\nWiki\r\n0\r\nnonsense\r\n\r\n", "InvalidRequest"),
    ];
    for (body, expected) in table {
        assert_eq!(unsigned(None, body).unwrap_err(), expected, "{body:?}");
    }
    let whole = format!("4\r\nWiki\r\n0\r\n{TRAILER}");
    assert!(unsigned(Some(4), &whole).is_ok());
    assert_eq!(unsigned(Some(3), &whole).unwrap_err(), "IncompleteBody");
    assert_eq!(unsigned(Some(5), &whole).unwrap_err(), "IncompleteBody");
    assert_eq!(unsigned(Some(4), &format!("{whole}more")).unwrap_err(), "InvalidRequest");
}
