//! Each kind of credentials, over HTTP and HTTPS, with plain and with chunked bodies: what goes in comes out.

use std::fs;

use crate::harness::Harness;
use crate::harness::gateway::element;
use crate::harness::raw::{Answer, Raw};
use crate::harness::signing::{Pair, Signing, chunks, sha256};
use crate::harness::tls;
use crate::harness::words::base64_of;

const BUCKET: &str = "matrix";
/// Longer than a chunk, and not a multiple of it.
const CHUNK: usize = 8 * 1024;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Bearer,
    Header,
    Link,
    OldLink,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Framing {
    Plain,
    /// Chunks without signatures, a checksum behind them.
    Chunked,
    /// Chunks that are signed each.
    SignedChunks,
}

/// One way to reach the gateway.
struct Way<'a> {
    kp: &'a Harness,
    url: String,
    ca: Option<String>,
}

impl Way<'_> {
    fn host(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }

    fn connect(&self) -> Raw {
        match &self.ca {
            Some(ca) => tls::connect(&self.url, "127.0.0.1", ca).expect("a trusted peer"),
            None => Raw::connect(&self.url),
        }
    }

    /// Sends a request with those credentials and that framing.
    fn call(&self, kind: Kind, framing: Framing, method: &str, path: &str, body: &[u8]) -> Answer {
        let pair = Pair::built_in(&self.kp.info);
        let amz = match framing {
            Framing::Plain | Framing::SignedChunks => String::new(),
            Framing::Chunked => {
                format!("x-amz-decoded-content-length:{}\nx-amz-trailer:x-amz-checksum-crc32\n", body.len())
            }
        };
        let of = Signing { method, host: self.host(), path, skew: 0, region: "anywhere", amz: &amz };
        let trailer = format!("x-amz-checksum-crc32:{}\r\n", base64_of(crc32(body).to_be_bytes()));
        let mut fields = String::new();
        let mut target = path.to_owned();
        let mut sent = match framing {
            Framing::Plain => body.to_vec(),
            Framing::Chunked => {
                fields.push_str("content-encoding: gzip,aws-chunked\r\nx-amz-trailer: x-amz-checksum-crc32\r\n");
                chunks(body, CHUNK, &trailer)
            }
            Framing::SignedChunks => Vec::new(),
        };
        if framing != Framing::Plain {
            fields.extend(["x-amz-decoded-content-length: ", &body.len().to_string(), "\r\n"]);
        }
        match kind {
            Kind::Bearer => fields.extend(["authorization: bearer ", self.kp.token.as_str(), "\r\n"]),
            Kind::Header => {
                let payload = match framing {
                    Framing::Plain => sha256(body),
                    Framing::Chunked => "STREAMING-UNSIGNED-PAYLOAD-TRAILER".to_owned(),
                    Framing::SignedChunks => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD".to_owned(),
                };
                let signed = pair.header(&of, &payload);
                if framing == Framing::SignedChunks {
                    sent = signed.chunks(body, CHUNK);
                }
                fields.push_str(&signed.text);
            }
            Kind::Link => target = format!("{path}?{}", pair.link(&of, 60)),
            Kind::OldLink => target = format!("{path}?{}", pair.old_link(&of, 60)),
        }
        // The chunks of HTTP have nothing to do with those within: one of these ends in the middle of one of those.
        let (first, second) = sent.split_at(sent.len() / 3);
        let head = format!("{method} {target} HTTP/1.1\r\nhost: {}\r\n{fields}", self.host());
        let mut raw = self.connect();
        if framing == Framing::Plain {
            raw.send(format!("{head}content-length: {}\r\n\r\n", sent.len())).send(first).send(second);
        } else {
            raw.send(format!("{head}transfer-encoding: chunked\r\n\r\n"));
            for piece in [first, second] {
                if !piece.is_empty() {
                    raw.send(format!("{:x}\r\n", piece.len())).send(piece).send("\r\n");
                }
            }
            raw.send("0\r\n\r\n");
        }
        raw.try_answer(method).unwrap_or_else(|error| panic!("{kind:?} {framing:?} {method} {path}: {error}"))
    }
}

/// CRC-32 bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

fn framings(kind: Kind) -> &'static [Framing] {
    match kind {
        Kind::Header => &[Framing::Plain, Framing::Chunked, Framing::SignedChunks],
        Kind::Bearer | Kind::Link | Kind::OldLink => &[Framing::Plain, Framing::Chunked],
    }
}

async fn gateway() -> Harness {
    let kp = Harness::with_gateway_and(&["--cos-tls-port", "0"]).await;
    let key = kp.create_root_key("matrix").await;
    kp.sealed_bucket(BUCKET, &key).await;
    kp
}

fn ways(kp: &Harness) -> [Way<'_>; 2] {
    let text = |name: &str| kp.info[name].as_str().unwrap().to_owned();
    let ca = fs::read_to_string(text("caFile")).unwrap();
    [Way { kp, url: text("cosUrl"), ca: None }, Way { kp, url: text("cosTlsUrl"), ca: Some(ca) }]
}

#[actix_web::test]
async fn whatever_the_way_in_an_object_comes_out_as_it_went_in() {
    let kp = gateway().await;
    let body: Vec<u8> = (0..100_000_u32).map(|number| number.to_le_bytes()[0] ^ number.to_le_bytes()[1]).collect();
    let mut tried = 0;
    for way in ways(&kp) {
        for kind in [Kind::Bearer, Kind::Header, Kind::Link, Kind::OldLink] {
            for framing in framings(kind) {
                let case = format!("{kind:?} {framing:?} {}", way.url);
                let path = format!("/{BUCKET}/{kind:?}%20{framing:?}");
                let put = way.call(kind, *framing, "PUT", &path, &body);
                assert_eq!(put.status, 200, "{case}: {}", String::from_utf8_lossy(&put.body));
                let got = way.call(kind, Framing::Plain, "GET", &path, b"");
                assert_eq!((got.status, got.body == body), (200, true), "{case}");
                assert_eq!(got.header("etag"), put.header("etag"), "{case}");
                let stored = if *framing == Framing::Chunked { Some("gzip") } else { None };
                assert_eq!(got.header("content-encoding"), stored, "{case}");
                let head = way.call(kind, Framing::Plain, "HEAD", &path, b"");
                assert_eq!((head.status, head.header("content-length")), (200, Some("100000")), "{case}");
                assert_eq!(way.call(kind, Framing::Plain, "DELETE", &path, b"").status, 204, "{case}");
                assert_eq!(way.call(kind, Framing::Plain, "GET", &path, b"").status, 404, "{case}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 18);
}

#[actix_web::test]
async fn what_breaks_on_the_way_is_refused_and_nothing_is_stored() {
    let kp = gateway().await;
    let [way, _] = ways(&kp);
    let pair = Pair::built_in(&kp.info);
    let host = way.host().to_owned();
    let path = format!("/{BUCKET}/broken");
    let of = Signing { method: "PUT", host: &host, path: &path, skew: 0, region: "us-south", amz: "" };
    let put = |fields: &str, body: &[u8]| {
        let mut raw = way.connect();
        let head = format!("PUT {path} HTTP/1.1\r\nhost: {host}\r\n{fields}content-length: {}\r\n\r\n", body.len());
        raw.send(head).send(body);
        let answer = raw.answer();
        (answer.status, element(&String::from_utf8_lossy(&answer.body), "Code").unwrap_or_default())
    };
    let bearer = format!("authorization: Bearer {}\r\n", kp.token);
    let signed = pair.header(&of, &sha256(b"other bytes"));
    assert_eq!(put(&signed.text, b"bytes"), (400, "BadDigest".to_owned()));
    let chunked =
        |length: usize| format!("{bearer}content-encoding: aws-chunked\r\nx-amz-decoded-content-length: {length}\r\n");
    assert_eq!(put(&chunked(4), &chunks(b"bytes", 2, "")), (400, "IncompleteBody".to_owned()));
    assert_eq!(put(&chunked(6), &chunks(b"bytes", 2, "")), (400, "IncompleteBody".to_owned()));
    assert_eq!(put(&chunked(5), b"bytes"), (400, "InvalidRequest".to_owned()));
    let trailer = format!("{}x-amz-trailer: x-amz-checksum-crc32\r\n", chunked(5));
    let wrong = chunks(b"bytes", 9, "x-amz-checksum-crc32:AAAAAA==\r\n");
    assert_eq!(put(&trailer, &wrong), (400, "BadDigest".to_owned()));
    assert_eq!(put(&trailer, &chunks(b"bytes", 9, "")), (400, "InvalidRequest".to_owned()));
    let signed = pair.header(&of, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    let mut body = signed.chunks(b"bytes of a chunk", 5);
    let at = body.windows(5).position(|window| window == b"bytes").unwrap();
    body[at] = b'B';
    assert_eq!(put(&signed.text, &body), (403, "SignatureDoesNotMatch".to_owned()));
    let md5 = format!("{bearer}content-md5: {}\r\n", base64_of([0; 16]));
    assert_eq!(put(&md5, b"bytes"), (400, "BadDigest".to_owned()));
    assert_eq!(put(&format!("{bearer}content-md5: AAAA\r\n"), b"bytes"), (400, "InvalidDigest".to_owned()));
    let sum = format!("{bearer}x-amz-checksum-sha256: {}\r\n", base64_of([0; 32]));
    assert_eq!(put(&sum, b"bytes"), (400, "BadDigest".to_owned()));
    assert_eq!(kp.get_object(&format!("{BUCKET}/broken")).await.status, 404);
}

#[actix_web::test]
async fn credentials_that_are_not_good_are_refused_each_in_its_way() {
    let kp = gateway().await;
    let [way, _] = ways(&kp);
    let host = way.host().to_owned();
    let path = format!("/{BUCKET}/k");
    let pair = Pair::built_in(&kp.info);
    let of = |skew: i64| Signing { method: "GET", host: &host, path: &path, skew, region: "us-south", amz: "" };
    let ask = |target: &str, fields: &str| {
        let mut raw = way.connect();
        raw.send(format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n{fields}\r\n"));
        let answer = raw.answer();
        (answer.status, element(&String::from_utf8_lossy(&answer.body), "Code").unwrap_or_default())
    };
    let refused = |status: u16, code: &str| (status, code.to_owned());
    let unknown = Pair { id: "0".repeat(32), secret: pair.secret.clone() };
    let wrong = Pair { id: pair.id.clone(), secret: "wrong".to_owned() };
    let empty = sha256(b"");
    let good = format!("{path}?{}", pair.link(&of(0), 60));
    assert_eq!(ask(&good, ""), refused(404, "NoSuchKey"));
    assert_eq!(ask(&path, ""), refused(403, "AccessDenied"));
    assert_eq!(ask(&path, "authorization: Bearer x.y.z\r\n"), refused(403, "AccessDenied"));
    assert_eq!(ask(&path, "authorization: Basic Yng6Yng=\r\n"), refused(403, "AccessDenied"));
    assert_eq!(ask(&path, "authorization: AWS id:signature\r\n"), refused(400, "InvalidRequest"));
    assert_eq!(ask(&path, &unknown.header(&of(0), &empty).text), refused(403, "InvalidAccessKeyId"));
    assert_eq!(ask(&path, &wrong.header(&of(0), &empty).text), refused(403, "SignatureDoesNotMatch"));
    assert_eq!(ask(&path, &pair.header(&of(-1_000), &empty).text), refused(403, "RequestTimeTooSkewed"));
    assert_eq!(ask(&path, &pair.header(&of(1_000), &empty).text), refused(403, "RequestTimeTooSkewed"));
    assert_eq!(ask(&format!("{path}?{}", pair.link(&of(-120), 60)), ""), refused(403, "AccessDenied"));
    assert_eq!(ask(&format!("{path}?{}", pair.link(&of(-800_000), 900_000)), ""), refused(404, "NoSuchKey"));
    assert_eq!(ask(&format!("{path}?{}", pair.old_link(&of(0), -1)), ""), refused(403, "AccessDenied"));
    assert_eq!(ask(&format!("{path}?{}", wrong.old_link(&of(0), 60)), ""), refused(403, "SignatureDoesNotMatch"));
    let both = format!("authorization: Bearer {}\r\n", kp.token);
    assert_eq!(ask(&good, &both), refused(400, "InvalidArgument"));
    let elsewhere = format!("{}ibm-service-instance-id: {}\r\n", pair.header(&of(0), &empty).text, kp.instance);
    assert_eq!(ask(&path, &elsewhere), refused(403, "AccessDenied"));
    // Clients compare with their own clocks: moving the virtual one locks nobody out.
    kp.advance("31d").await;
    assert_eq!(ask(&path, &pair.header(&of(0), &empty).text), refused(404, "NoSuchKey"));
    assert_eq!(ask(&good, ""), refused(404, "NoSuchKey"));
}

/// What IBM's own SDKs make without a region. The headers that a link is for are repeated in it.
#[actix_web::test]
async fn links_of_version_2_work_for_buckets_and_for_bodies_of_a_type() {
    let kp = gateway().await;
    let [way, _] = ways(&kp);
    let pair = Pair::built_in(&kp.info);
    let of = |method, path| Signing { method, host: way.host(), path, skew: 0, region: "", amz: "" };
    let call = |line: String, fields: &str, body: &str| {
        let mut raw = way.connect();
        let length = body.len();
        raw.send(format!("{line} HTTP/1.1\r\nhost: x\r\n{fields}content-length: {length}\r\n\r\n{body}"));
        raw.answer().status
    };
    let put = pair.old_link_for(&of("PUT", "/matrix/typed"), "text/x", 60);
    let put = format!("PUT /matrix/typed?content-type=text%2Fx&{put}");
    assert_eq!(call(put.clone(), "content-type: text/y\r\n", "typed"), 403, "another type");
    assert_eq!(call(put, "content-type: text/x\r\n", "typed"), 200);
    let signed_bucket = format!("/{BUCKET}/");
    let list = pair.old_link(&of("GET", &signed_bucket), 60);
    assert_eq!(call(format!("GET /{BUCKET}?prefix=t&{list}"), "", ""), 200);
    assert_eq!(call(format!("GET /other?prefix=t&{list}"), "", ""), 403);
}

/// Whoever reads the records shall not be able to send the request again.
#[actix_web::test]
async fn no_record_holds_a_signature() {
    let kp = gateway().await;
    let [way, _] = ways(&kp);
    for kind in [Kind::Link, Kind::OldLink] {
        assert_eq!(way.call(kind, Framing::Plain, "PUT", "/matrix/signed", b"x").status, 200);
        assert_eq!(way.call(kind, Framing::Plain, "GET", "/matrix/signed", b"").status, 200);
    }
    let records = kp.audit("action=cloud-object-storage.*").await;
    let text = serde_json::to_string(&records).unwrap();
    assert!(text.contains("/matrix/signed"), "{text}");
    for secret in ["Signature=", "X-Amz-Credential", "AWSAccessKeyId"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}
