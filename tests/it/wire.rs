//! What a hostile or odd client sends, byte by byte. Source: `docs/contract/reliability.md` T-19, T-22 to T-24.

use std::time::Duration;

use serde_json::json;

use crate::harness::Harness;
use crate::harness::dice::stopwatch;
use crate::harness::program::Launch;
use crate::harness::raw::{Answer, Raw};

/// Bytes of a body that are too many by one.
const TOO_LARGE: usize = 1024 * 1024 + 1;
/// What would be answered next if a connection stayed open after a framing error.
const SMUGGLED: &str = "GET /mock/ready HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// A service and a root key on it.
struct Wire {
    kp: Harness,
    key: String,
}

impl Wire {
    async fn new() -> Self {
        let kp = Harness::new().await;
        let key = kp.create_root_key("wire").await;
        Self { kp, key }
    }

    fn connect(&self) -> Raw {
        Raw::connect(&self.kp.url)
    }

    /// Header fields that let a caller in.
    fn fields(&self) -> String {
        format!("authorization: Bearer {}\r\nbluemix-instance: {}\r\n", self.kp.token, self.kp.instance)
    }

    /// A wrap up to where its framing is said; it would succeed.
    fn wrap_head(&self) -> String {
        format!("POST {} HTTP/1.1\r\nhost: localhost\r\n{}", self.wrap_path(), self.fields())
    }

    fn wrap_path(&self) -> String {
        format!("/api/v2/keys/{}/actions/wrap", self.key)
    }

    /// A whole request with a body.
    fn request(&self, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
        let fields = self.fields();
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{fields}content-length: {length}\r\n\r\n");
        [head.as_bytes(), body].concat()
    }

    /// Sends bytes on a connection of their own; the answer.
    fn exchange(&self, bytes: impl AsRef<[u8]>) -> Answer {
        self.connect().send(bytes).answer()
    }

    /// Asserts that the service still works.
    fn still_works(&self) {
        let answer = self.exchange(self.request("POST", &self.wrap_path(), b"{}"));
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Paths that take a body, with their methods.
    fn taking_bodies(&self, key: &str) -> Vec<(&'static str, String)> {
        let actions = ["wrap", "unwrap", "rewrap", "rotate", "disable", "enable", "sync"];
        let mut all: Vec<_> =
            actions.iter().map(|action| ("POST", format!("/api/v2/keys/{key}/actions/{action}"))).collect();
        let posts = [
            "/api/v2/keys",
            "/api/v2/keys_with_policy_overrides",
            "/api/v2/import_token",
            "/v2/resource_instances",
            "/identity/token",
        ];
        all.extend(posts.iter().map(|path| ("POST", (*path).to_owned())));
        all.push(("POST", format!("/api/v2/keys/{key}?action=unwrap")));
        all.push(("PATCH", format!("/api/v2/keys/{key}")));
        all.push(("PATCH", format!("/v2/resource_instances/{}", self.kp.instance)));
        all.push(("POST", "/mock/clock/advance".to_owned()));
        all.push(("POST", "/mock/clock/freeze".to_owned()));
        all
    }
}

#[actix_web::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let wire = Wire::new().await;
    for path in ["/api/v2/keys", "/identity/token", "/v2/resource_instances", "/mock/clock/advance"] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n{}", wire.fields());
        let mut raw = wire.connect();
        let answer = raw.send(format!("{head}content-length: {TOO_LARGE}\r\n\r\n")).answer();
        answer.is_json_error(413);
        assert!(raw.is_over(), "{path}: the connection stays open");
    }
    wire.still_works();
}

#[actix_web::test]
async fn a_chunked_body_is_counted() {
    let wire = Wire::new().await;
    for path in ["/api/v2/keys", "/identity/token", "/v2/resource_instances", "/mock/clock/advance"] {
        let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n{}", wire.fields());
        let mut raw = wire.connect();
        let chunk = "a".repeat(TOO_LARGE);
        raw.send(format!("{head}transfer-encoding: chunked\r\n\r\n{TOO_LARGE:x}\r\n{chunk}\r\n0\r\n\r\n"));
        raw.answer().is_json_error(413);
    }
    wire.still_works();
}

#[actix_web::test]
async fn a_body_of_just_the_largest_size_is_read() {
    let wire = Wire::new().await;
    let frame = "{\"x\":\"\"}".len();
    let body = format!("{{\"x\":\"{}\"}}", "a".repeat(TOO_LARGE - 1 - frame));
    assert_eq!(wire.exchange(wire.request("POST", &wire.wrap_path(), body.as_bytes())).status, 200);
    let chunked =
        format!("{}transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", wire.wrap_head(), body.len());
    assert_eq!(wire.exchange(chunked).status, 200);
}

#[actix_web::test]
async fn a_head_has_a_largest_size_and_number_of_fields() {
    let wire = Wire::new().await;
    let with = |fields: &str| format!("{}{fields}content-length: 2\r\n\r\n{{}}", wire.wrap_head());
    let many = |count: usize| (0..count).fold(String::new(), |all, n| format!("{all}x-{n}: 1\r\n"));
    // Host, authorization, instance and length are four more.
    assert_eq!(wire.exchange(with(&many(92))).status, 200);
    assert_eq!(wire.exchange(with(&format!("x-long: {}\r\n", "a".repeat(100 * 1024)))).status, 200);
    for fields in [many(93), many(300), format!("x-long: {}\r\n", "a".repeat(132 * 1024))] {
        let mut raw = wire.connect();
        assert_eq!(raw.send(with(&fields)).answer().status, 431);
        assert!(raw.is_over(), "the connection stays open");
    }
    wire.still_works();
}

/// Header fields and bodies whose framing is at odds with itself.
const BAD_FRAMES: [(&str, &str); 21] = [
    ("length and coding", "content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("coding and length", "transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n0\r\n\r\n"),
    ("two equal lengths", "content-length: 2\r\ncontent-length: 2\r\n\r\n{}"),
    ("two lengths", "content-length: 2\r\ncontent-length: 3\r\n\r\n{} "),
    ("a length with plus", "content-length: +2\r\n\r\n{}"),
    ("a length below zero", "content-length: -2\r\n\r\n{}"),
    ("a list of lengths", "content-length: 2, 2\r\n\r\n{}"),
    ("an empty length", "content-length: \r\n\r\n{}"),
    ("a length beyond 64 bits", "content-length: 18446744073709551616\r\n\r\n{}"),
    ("a hexadecimal length", "content-length: 0x2\r\n\r\n{}"),
    ("two codings", "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
    ("an unknown coding", "transfer-encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
    ("chunked twice", "transfer-encoding: chunked, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
    ("identity", "transfer-encoding: identity\r\n\r\n{}"),
    ("identity and chunked", "transfer-encoding: identity, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
    ("a blank before the colon", "transfer-encoding : chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
    ("a blank before the colon of a length", "content-length : 2\r\n\r\n{}"),
    ("a folded field", "x-folded: a\r\n b\r\ncontent-length: 2\r\n\r\n{}"),
    ("a bare CR", "x-bare: a\rb\r\ncontent-length: 2\r\n\r\n{}"),
    ("a NUL", "x-nul: a\0b\r\ncontent-length: 2\r\n\r\n{}"),
    ("a second host", "host: localhost\r\ncontent-length: 2\r\n\r\n{}"),
];

#[actix_web::test]
async fn framing_at_odds_with_itself_gets_one_400_and_the_connection_ends() {
    let wire = Wire::new().await;
    for (case, rest) in BAD_FRAMES {
        refused_and_closed(&wire, case, format!("{}{rest}{SMUGGLED}", wire.wrap_head()).as_bytes());
    }
    let old = wire.wrap_head().replace("HTTP/1.1", "HTTP/1.0");
    let old = format!("{old}transfer-encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n{SMUGGLED}");
    refused_and_closed(&wire, "a coding on HTTP/1.0", old.as_bytes());
    let hostless = wire.wrap_head().replace("host: localhost\r\n", "");
    refused_and_closed(&wire, "no host", format!("{hostless}content-length: 2\r\n\r\n{{}}{SMUGGLED}").as_bytes());
}

#[actix_web::test]
async fn what_is_no_request_gets_one_400_and_the_connection_ends() {
    let wire = Wire::new().await;
    let path = wire.wrap_path();
    let tail = format!("host: localhost\r\n{}content-length: 2\r\n\r\n{{}}", wire.fields());
    let cases: [(&str, Vec<u8>); 8] = [
        ("garbage", b"\x01\x02garbage\r\n\r\n".to_vec()),
        ("words", b"hello there general\r\n\r\n".to_vec()),
        ("no version", format!("POST {path}\r\n{tail}").into_bytes()),
        ("HTTP/0.9", format!("POST {path} HTTP/0.9\r\n{tail}").into_bytes()),
        ("HTTP/2.0", format!("POST {path} HTTP/2.0\r\n{tail}").into_bytes()),
        ("HTTP/2's preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("two blanks in the path", format!("POST {path} x HTTP/1.1\r\n{tail}").into_bytes()),
        ("a TLS hello", b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03\x03\r\n\r\n".to_vec()),
    ];
    for (case, bytes) in cases {
        refused_and_closed(&wire, case, &bytes);
    }
}

/// Asserts one 400, the end of the connection, and that others are none the worse.
#[track_caller]
fn refused_and_closed(wire: &Wire, case: &str, bytes: &[u8]) {
    let mut raw = wire.connect();
    let answer = raw.send(bytes).try_answer("POST").unwrap_or_else(|error| panic!("{case}: no answer: {error}"));
    assert_eq!(answer.status, 400, "{case}: {}", answer.head);
    assert!(raw.is_over(), "{case}: more than one answer, or the connection stays open");
    wire.still_works();
}

#[actix_web::test]
async fn broken_chunks_are_a_bad_body() {
    let wire = Wire::new().await;
    let head = format!("{}transfer-encoding: chunked\r\n\r\n", wire.wrap_head());
    for chunks in ["zz\r\n{}\r\n", "-2\r\n{}\r\n", "2\r\n{}xx0\r\n\r\n", "fffffffffffffffff\r\n{}", "\r\n\r\n"] {
        let mut raw = wire.connect();
        let answer = raw.send(format!("{head}{chunks}")).answer();
        answer.is_json_error(400);
        assert!(raw.is_over(), "{chunks:?}: the connection stays open");
        wire.still_works();
    }
    // A body that is cut off: the client goes away in the middle, or says so.
    let mut raw = wire.connect();
    raw.send(format!("{}content-length: 20\r\n\r\n{{\"plaint", wire.wrap_head())).finish();
    if let Ok(answer) = raw.try_answer("POST") {
        assert_eq!(answer.status, 400, "{}", answer.head);
    }
    wire.still_works();
}

#[actix_web::test]
async fn lines_may_end_with_a_bare_lf() {
    let wire = Wire::new().await;
    let request = format!("{}content-length: 2\r\n\r\n", wire.wrap_head()).replace("\r\n", "\n");
    assert_eq!(wire.exchange(format!("{request}{{}}")).status, 200);
}

#[actix_web::test]
async fn tunnels_and_upgrades_are_refused_at_once() {
    let wire = Wire::new().await;
    let upgrade = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";
    let host = "host: localhost\r\n";
    let cases = [
        format!("CONNECT example.com:443 HTTP/1.1\r\n{host}\r\n"),
        format!("CONNECT /api/v2/keys HTTP/1.1\r\n{host}\r\n"),
        format!("GET /api/v2/keys HTTP/1.1\r\n{host}{}{upgrade}", wire.fields()),
        format!("GET /mock/ready HTTP/1.1\r\n{host}{upgrade}"),
        format!("GET /mock/ready HTTP/1.1\r\n{host}connection: upgrade\r\nupgrade: h2c, WebSocket\r\n\r\n"),
        format!("{}content-length: 2\r\n{upgrade}{{}}", wire.wrap_head()),
    ];
    for case in cases {
        let mut raw = wire.connect();
        let answer = raw.send(&case).answer();
        assert!(matches!(answer.status, 400 | 405), "{case}: {}", answer.head);
        assert!(raw.is_over(), "{case}: the connection stays open");
        wire.still_works();
    }
}

/// Java's client, and curl with `--http2`, offer HTTP/2 with their first request.
#[actix_web::test]
async fn an_offer_of_http_2_is_left_and_the_request_answered() {
    let wire = Wire::new().await;
    let offer = "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n";
    let ready = format!("GET /mock/ready HTTP/1.1\r\nhost: localhost\r\n{offer}\r\n");
    let wrap = format!("{}content-length: 2\r\n{offer}\r\n{{}}", wire.wrap_head());
    for request in [ready, wrap] {
        let mut raw = wire.connect();
        let answer = raw.send(&request).answer();
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")), "{}", answer.head);
        assert!(raw.is_over(), "{request}");
    }
    wire.still_works();
}

#[actix_web::test]
async fn trace_echoes_nothing() {
    let wire = Wire::new().await;
    for path in ["/", "/api/v2/keys", "/mock/ready"] {
        let answer = wire.exchange(format!("TRACE {path} HTTP/1.1\r\nhost: localhost\r\nx-echo: parrot\r\n\r\n"));
        answer.is_json_error(405);
        let text = format!("{}{}", answer.head, String::from_utf8_lossy(&answer.body));
        assert!(!text.contains("parrot"), "{text}");
    }
    wire.still_works();
}

/// Bodies that no route can make sense of.
fn nonsense() -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("nested brackets", "[".repeat(100_000).into_bytes()),
        ("nested objects", "{\"a\":".repeat(100_000).into_bytes()),
        ("no UTF-8", b"{\"name\":\"\xff\xfe\",\"plaintext\":\"\xc0\x80\"}".to_vec()),
        ("a lone surrogate", text(r#"{"name":"\ud800","plaintext":"\ud800"}"#)),
        ("a NUL in a name", text(r#"{"na\u0000me":"x"}"#)),
        ("bytes after the end", text(r#"{"plaintext":"aGVsbG8="} x"#)),
        ("two documents", text("{}{}")),
        ("cut off", text(r#"{"plaintext":"aGVs"#)),
        ("a number beyond all", text(r#"{"x":1e400}"#)),
        ("a list", text("[]")),
        ("a number", text("1")),
        ("a text", text("\"x\"")),
        ("a byte-order mark", b"\xef\xbb\xbf{}".to_vec()),
        ("NULs", vec![0; 64]),
    ]
}

#[actix_web::test]
async fn nonsense_is_the_callers_mistake_on_every_route() {
    let wire = Wire::new().await;
    // Some actions ignore bodies and are done all the same.
    let victim = wire.kp.create_root_key("victim").await;
    for (method, path) in wire.taking_bodies(&victim) {
        let ignores_bodies = ["disable", "enable", "sync"].iter().any(|action| path.ends_with(action));
        for (case, body) in nonsense() {
            let answer = wire.exchange(wire.request(method, &path, &body));
            let fits = answer.status == 400 || ignores_bodies && answer.status < 500;
            assert!(fits, "{case} to {method} {path}: {}", answer.head);
            if answer.status == 400 {
                answer.is_json_error(400);
            }
        }
    }
    wire.still_works();
}

#[actix_web::test]
async fn values_of_a_wrong_type_are_refused() {
    let wire = Wire::new().await;
    let key = format!("/api/v2/keys/{}", wire.key);
    let create = |resource: &str| {
        let kind = "application/vnd.ibm.kms.key+json";
        format!(r#"{{"metadata":{{"collectionType":"{kind}","collectionTotal":1}},"resources":[{resource}]}}"#)
    };
    let cases = [
        (format!("{key}/actions/wrap"), r#"{"plaintext":5}"#.to_owned()),
        (format!("{key}/actions/wrap"), r#"{"plaintext":["aGVsbG8="]}"#.to_owned()),
        (format!("{key}/actions/wrap"), r#"{"plaintext":"no base64!"}"#.to_owned()),
        (format!("{key}/actions/wrap"), r#"{"aad":"a"}"#.to_owned()),
        (format!("{key}/actions/wrap"), r#"{"aad":[1]}"#.to_owned()),
        (format!("{key}/actions/unwrap"), r#"{"ciphertext":{}}"#.to_owned()),
        (format!("{key}/actions/unwrap"), r#"{"ciphertext":"%%%"}"#.to_owned()),
        (format!("{key}/actions/unwrap"), "{}".to_owned()),
        (format!("{key}/actions/unwrap"), String::new()),
        (format!("{key}/actions/rewrap"), "null".to_owned()),
        (format!("{key}/actions/rotate"), r#"{"payload":7}"#.to_owned()),
        ("/api/v2/keys".to_owned(), String::new()),
        ("/api/v2/keys".to_owned(), r#"{"metadata":[],"resources":{}}"#.to_owned()),
        ("/api/v2/keys".to_owned(), create(r#"{"name":1}"#)),
        ("/api/v2/keys".to_owned(), create(r#"{"name":"n\u0000n","extractable":false}"#)),
        ("/api/v2/keys".to_owned(), create(r#"{"name":"nn","extractable":"no"}"#)),
        ("/api/v2/keys".to_owned(), create(r#"{"name":"nn","extractable":false,"payload":"?"}"#)),
        ("/api/v2/keys".to_owned(), create("null")),
        ("/identity/token".to_owned(), String::new()),
        ("/mock/clock/advance".to_owned(), r#"{"by":5}"#.to_owned()),
        ("/mock/clock/advance".to_owned(), r#"{"to":"tomorrow"}"#.to_owned()),
        ("/v2/resource_instances".to_owned(), r#"{"name":5}"#.to_owned()),
    ];
    for (path, body) in cases {
        let answer = wire.exchange(wire.request("POST", &path, body.as_bytes()));
        assert_eq!(answer.status, 400, "{path} {body}: {}", answer.head);
        answer.is_json_error(400);
    }
    wire.still_works();
}

#[actix_web::test]
async fn the_bodies_and_headers_that_sdks_send_work() {
    let wire = Wire::new().await;
    let path = |action: &str| format!("/api/v2/keys/{}/actions/{action}", wire.key);
    // Neither content type nor length, as Go's sync sends it.
    let bare = format!("POST {} HTTP/1.1\r\nhost: localhost\r\n{}\r\n", path("sync"), wire.fields());
    assert_eq!(wire.exchange(bare).status, 204);
    for (action, body) in [("wrap", ""), ("wrap", "null"), ("wrap", "{}"), ("rotate", "null"), ("disable", "null")] {
        let answer = wire.exchange(wire.request("POST", &path(action), body.as_bytes()));
        assert!(matches!(answer.status, 200 | 204), "{action} {body:?}: {}", answer.head);
    }
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "nonsense", "application/json; charset=x"] {
        let body = json!({ "ciphertext": "AAAA" }).to_string();
        let head = format!("POST {} HTTP/1.1\r\nhost: localhost\r\n{}", path("unwrap"), wire.fields());
        let length = body.len();
        let answer =
            wire.exchange(format!("{head}content-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}"));
        assert!(matches!(answer.status, 400 | 409), "{content_type}: {}", answer.head);
    }
}

#[actix_web::test]
async fn a_client_may_wait_for_leave_to_send_its_body() {
    let wire = Wire::new().await;
    let mut raw = wire.connect();
    raw.send(format!("{}expect: 100-continue\r\ncontent-length: 2\r\n\r\n", wire.wrap_head()));
    assert_eq!(raw.answer().status, 100);
    assert_eq!(raw.send("{}").answer().status, 200);
    let mut raw = wire.connect();
    raw.send(format!("{}expect: 100-continue\r\ncontent-length: {TOO_LARGE}\r\n\r\n", wire.wrap_head()));
    let mut answer = raw.answer();
    if answer.status == 100 {
        answer = raw.answer();
    }
    answer.is_json_error(413);
}

#[actix_web::test]
async fn a_connection_serves_many_requests_and_pipelined_ones_in_order() {
    let wire = Wire::new().await;
    let mut raw = wire.connect();
    let request = |n: usize| format!("{}correlation-id: c-{n}\r\ncontent-length: 2\r\n\r\n{{}}", wire.wrap_head());
    for n in 0..50 {
        assert_eq!(raw.send(request(n)).answer().header("correlation-id"), Some(format!("c-{n}").as_str()));
    }
    raw.send((0..40).map(request).collect::<String>());
    for n in 0..40 {
        let answer = raw.answer();
        assert_eq!((answer.status, answer.header("correlation-id")), (200, Some(format!("c-{n}").as_str())));
    }
    let mut last = wire.connect();
    last.send(format!("{}connection: close\r\ncontent-length: 2\r\n\r\n{{}}", wire.wrap_head()));
    assert_eq!(last.answer().status, 200);
    assert!(last.is_over(), "the connection stays open");
}

#[actix_web::test]
async fn bursts_of_connections_are_taken_at_once() {
    let wire = Wire::new().await;
    let began = stopwatch();
    let all: Vec<_> = (0..200).map(|_| wire.connect()).collect();
    // A connection that does not fit into the system's queue is tried again after a second.
    assert!(began.elapsed() < Duration::from_millis(900), "{} connections took {:?}", all.len(), began.elapsed());
    wire.still_works();
}

#[test]
fn connections_that_come_and_go_leave_no_descriptors() {
    let folder = tempfile::tempdir().unwrap();
    let program = Launch::on(&folder.path().join("data")).start();
    let ready = |close: &str| format!("GET /mock/ready HTTP/1.1\r\nhost: localhost\r\n{close}\r\n");
    let cycle = |n: usize| {
        let mut raw = Raw::connect(&program.url);
        match n % 4 {
            0 => {}
            1 => assert_eq!(raw.send(ready("")).answer().status, 200),
            2 => assert_eq!(raw.send(ready("connection: close\r\n")).answer().status, 200),
            _ => drop(raw.send("GET /mock/rea")),
        }
    };
    (0..20).for_each(cycle);
    let before = program.descriptors_when_settled(usize::MAX);
    (0..200).for_each(cycle);
    let after = program.descriptors_when_settled(before);
    assert!(after <= before, "{before} descriptors became {after}");
}
