//! What other S3 servers trip over: paths that must not be tidied, sub-resources, lengths of what is not sent, bodies that
//! come late or not at all.

use hyper::Method;

use crate::harness::Harness;
use crate::harness::gateway::element;
use crate::harness::raw::{Answer, Raw};

async fn with_bucket(bucket: &str) -> Harness {
    let kp = Harness::with_gateway().await;
    kp.plain_bucket(bucket).await;
    kp
}

fn gateway(kp: &Harness) -> &str {
    kp.info["cosUrl"].as_str().unwrap()
}

/// A request over a socket, as the owner.
fn raw(kp: &Harness, head: &str, body: &str) -> Answer {
    let mut raw = Raw::connect(gateway(kp));
    let method = head.split(' ').next().unwrap();
    let (line, fields) = head.split_once("\r\n").unwrap_or((head, ""));
    let host = if fields.contains("host:") { String::new() } else { "host: 127.0.0.1\r\n".to_owned() };
    raw.send(format!("{line} HTTP/1.1\r\n{host}authorization: Bearer {}\r\n{fields}\r\n{body}", kp.token));
    raw.try_answer(method).expect("an answer")
}

fn code(answer: &Answer) -> String {
    element(&String::from_utf8_lossy(&answer.body), "Code").unwrap_or_default()
}

#[actix_web::test]
async fn paths_are_keys_as_they_stand() {
    let kp = with_bucket("paths").await;
    let keys = [
        "a//b",
        "a/./b",
        "a/../b",
        "/a",
        "a/",
        "a+b",
        "a%20b",
        "%C3%BC",
        "a%2Fb",
        "a%252Fb",
        "..",
        "a?".trim_end_matches('?'),
    ];
    for key in keys {
        let put = raw(&kp, &format!("PUT /paths/{key}\r\ncontent-length: {}\r\n", key.len()), key);
        assert_eq!(put.status, 200, "{key}");
    }
    let mut listed: Vec<String> = Vec::new();
    let list = raw(&kp, "GET /paths?list-type=2", "");
    for part in String::from_utf8_lossy(&list.body).split("<Key>").skip(1) {
        listed.push(part.split("</Key>").next().unwrap().to_owned());
    }
    let mut expected =
        ["a//b", "a/./b", "a/../b", "/a", "a/", "a+b", "a b", "ü", "a/b", "a%2Fb", "..", "a"].map(str::to_owned);
    expected.sort_unstable();
    assert_eq!(listed, expected);
    for key in keys {
        assert_eq!(raw(&kp, &format!("GET /paths/{key}"), "").body, key.as_bytes(), "{key}");
    }
    let long = "k".repeat(1_025);
    assert_eq!(code(&raw(&kp, &format!("PUT /paths/{long}\r\ncontent-length: 0\r\n"), "")), "KeyTooLong");
    let encoded = raw(&kp, "GET /paths?list-type=2&encoding-type=url&prefix=a%20", "");
    let text = String::from_utf8_lossy(&encoded.body).into_owned();
    assert_eq!(element(&text, "Key").as_deref(), Some("a%20b"));
    assert_eq!(element(&text, "EncodingType").as_deref(), Some("url"));
}

#[actix_web::test]
async fn a_bucket_may_be_named_by_the_host_below_localhost() {
    let kp = with_bucket("by.host").await;
    assert_eq!(raw(&kp, "PUT /k\r\nhost: by.host.localhost:8491\r\ncontent-length: 1\r\n", "x").status, 200);
    assert_eq!(raw(&kp, "GET /by.host/k\r\nhost: localhost\r\n", "").body, b"x");
    assert_eq!(raw(&kp, "GET /by.host/k\r\nhost: s3.example.com\r\n", "").body, b"x");
    let list = raw(&kp, "GET /?list-type=2\r\nhost: BY.HOST.localhost\r\n", "");
    assert_eq!(element(&String::from_utf8_lossy(&list.body), "KeyCount").as_deref(), Some("1"));
    for path in ["/v1/b/k", "/v1/key-events"] {
        let host = "host: by.host.localhost\r\n";
        assert_eq!(raw(&kp, &format!("PUT {path}\r\n{host}content-length: 1\r\n"), "y").status, 200, "{path}");
        assert_eq!(raw(&kp, &format!("GET /by.host{path}\r\nhost: localhost\r\n"), "").body, b"y", "{path}");
    }
}

#[actix_web::test]
async fn unknown_parameters_never_fall_to_the_plain_operation() {
    let kp = with_bucket("known").await;
    for (line, status, expected) in [
        ("PUT /fresh?anything", 501, "NotImplemented"),
        ("PUT /fresh?acl&anything=", 501, "NotImplemented"),
        ("PUT /known/k?anything=1", 501, "NotImplemented"),
        ("PUT /known?cors", 501, "NotImplemented"),
        ("PUT /known?website=", 501, "NotImplemented"),
        ("DELETE /known?lifecycle", 501, "NotImplemented"),
        ("GET /known?cors", 404, "NoSuchCORSConfiguration"),
        ("GET /known?lifecycle", 404, "NoSuchLifecycleConfiguration"),
        ("GET /known?website", 404, "NoSuchWebsiteConfiguration"),
        ("GET /known?publicAccessBlock", 404, "NoSuchPublicAccessBlockConfiguration"),
        ("GET /known?replication", 404, "ReplicationConfigurationNotFoundError"),
        ("GET /known?object-lock", 404, "ObjectLockConfigurationNotFoundError"),
        ("GET /known?tagging", 404, "NoSuchTagSet"),
        ("GET /known?policy", 404, "NoSuchBucketPolicy"),
        ("GET /known?logging", 404, "NoSuchConfiguration"),
        ("GET /known?versions", 501, "NotImplemented"),
        ("POST /known/k", 405, "MethodNotAllowed"),
        ("POST /known", 405, "MethodNotAllowed"),
        ("PATCH /known/k", 405, "MethodNotAllowed"),
        ("TRACE /known/k", 405, "MethodNotAllowed"),
        ("GET /unknown-bucket?cors", 404, "NoSuchBucket"),
    ] {
        let answer = raw(&kp, &format!("{line}\r\ncontent-length: 0\r\n"), "");
        assert_eq!((answer.status, code(&answer).as_str()), (status, expected), "{line}");
    }
    assert_eq!(raw(&kp, "HEAD /fresh", "").status, 404);
    assert_eq!(raw(&kp, "HEAD /known/k", "").status, 404);
    assert_eq!(raw(&kp, "GET /known/k\r\nupgrade: websocket\r\nconnection: upgrade\r\n", "").status, 400);
}

#[actix_web::test]
async fn a_head_tells_the_length_of_what_it_does_not_send() {
    let kp = with_bucket("heads").await;
    kp.put_object("heads/k", "seven b").await.answers(200);
    let mut raw = Raw::connect(gateway(&kp));
    let head = |path: &str, fields: &str| {
        format!("HEAD {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n{fields}\r\n", kp.token)
    };
    // One connection: bytes of a body, or a wrong length, would spoil the answer after.
    raw.send(head("/heads/k", ""));
    let answer = raw.try_answer("HEAD").unwrap();
    assert_eq!((answer.status, answer.header("content-length")), (200, Some("7")), "{}", answer.head);
    assert_eq!(answer.header("transfer-encoding"), None);
    raw.send(head("/heads/k", "range: bytes=2-3\r\n"));
    let answer = raw.try_answer("HEAD").unwrap();
    assert_eq!((answer.status, answer.header("content-length")), (206, Some("2")));
    assert_eq!(answer.header("content-range"), Some("bytes 2-3/7"));
    for (path, status) in [("/heads/none", 404), ("/none-such", 404), ("/heads", 200)] {
        raw.send(head(path, ""));
        let answer = raw.try_answer("HEAD").unwrap();
        assert_eq!((answer.status, answer.header("content-length")), (status, Some("0")), "{path}");
    }
    raw.send(head("/heads/k", "").replacen("HEAD", "DELETE", 1));
    let answer = raw.try_answer("DELETE").unwrap();
    assert_eq!((answer.status, answer.header("content-length")), (204, None), "{}", answer.head);
    raw.send(head("/heads/k", "if-none-match: *\r\n"));
    assert_eq!(raw.try_answer("HEAD").unwrap().status, 404);
}

#[actix_web::test]
async fn errors_and_headers_look_as_ibm_prints_them() {
    let kp = with_bucket("looks").await;
    let answer = raw(&kp, "GET /looks/no%20thing", "");
    let id = answer.header("x-clv-request-id").unwrap();
    let expected = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<Error><Code>NoSuchKey</Code>\
         <Message>The specified key does not exist.</Message><Resource>/looks/no thing</Resource>\
         <RequestId>{id}</RequestId><httpStatusCode>404</httpStatusCode></Error>"
    );
    assert_eq!(String::from_utf8_lossy(&answer.body), expected);
    assert_eq!(answer.header("x-amz-request-id"), Some(id));
    assert_eq!(answer.header("server"), Some("Cleversafe/3.15.2.31"));
    assert_eq!(answer.header("x-clv-s3-version"), Some("2.5"));
    assert_eq!(answer.header("accept-ranges"), Some("bytes"));
    assert_eq!(answer.header("content-type"), Some("application/xml"));
    assert!(answer.header("date").is_some_and(|date| date.ends_with(" GMT")));
    let bucket = raw(&kp, "GET /looks?policy", "");
    assert_eq!(element(&String::from_utf8_lossy(&bucket.body), "Resource").as_deref(), Some("/looks/"));
}

#[actix_web::test]
async fn documents_that_are_none_are_refused() {
    let kp = with_bucket("documents").await;
    let put = async |body: &str| {
        let call = kp.s3(Method::PUT, "/documents?versioning").raw(body.to_owned());
        let reply = call.send().await;
        (reply.status, element(&String::from_utf8_lossy(&reply.body), "Code").unwrap_or_default())
    };
    assert_eq!(put("").await, (400, "MissingRequestBodyError".to_owned()));
    let long = format!("<VersioningConfiguration>{}</VersioningConfiguration>", " ".repeat(1024 * 1024));
    let deep = format!("<VersioningConfiguration>{}{}</VersioningConfiguration>", "<a>".repeat(30), "</a>".repeat(30));
    for wrong in [
        "nonsense",
        "<Other/>",
        "<VersioningConfiguration>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><VersioningConfiguration/>",
        "<VersioningConfiguration>&b;</VersioningConfiguration>",
        &long,
        &deep,
    ] {
        let (status, code) = put(wrong).await;
        assert_eq!((status, code.as_str()), (400, "MalformedXML"), "{}", &wrong[..wrong.len().min(80)]);
    }
    let suspended = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
    assert_eq!(put(suspended).await.0, 200);
    let spaced = "<a:VersioningConfiguration xmlns:a=\"http://s3.amazonaws.com/doc/2006-03-01/\"><a:Status>Suspended\
                  </a:Status></a:VersioningConfiguration>";
    assert_eq!(put(spaced).await.0, 200);
    assert_eq!(put(&suspended.replace("Suspended", "Enabled")).await.0, 501);
}

#[actix_web::test]
async fn uploads_are_told_to_go_on_or_turned_away_before_they_come() {
    let kp = with_bucket("uploads").await;
    let head = |path: &str, token: &str, fields: &str| {
        format!("PUT {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{fields}\r\n")
    };
    let mut good = Raw::connect(gateway(&kp));
    good.send(head("/uploads/k", &kp.token, "content-length: 5\r\nexpect: 100-continue\r\n"));
    assert_eq!(good.answer().status, 100);
    good.send("hello");
    assert_eq!(good.answer().status, 200);
    // Five gigabytes are announced, none come: the answer is there all the same, and then the connection ends.
    let announced = "content-length: 5000000000\r\n";
    for (path, token, status) in
        [("/uploads/k", "nonsense", 403), ("/none-such/k", kp.token.as_str(), 404), ("/uploads/k?x", &kp.token, 501)]
    {
        let mut raw = Raw::connect(gateway(&kp));
        raw.send(head(path, token, announced));
        let answer = raw.answer();
        assert_eq!((answer.status, answer.header("connection")), (status, Some("close")), "{path}");
    }
    let mut large = Raw::connect(gateway(&kp));
    large.send(head("/uploads/k", &kp.token, "content-length: 6000000000\r\n"));
    assert_eq!(code(&large.answer()), "EntityTooLarge");
    let mut bare = Raw::connect(gateway(&kp));
    bare.send(head("/uploads/k", &kp.token, ""));
    let answer = bare.answer();
    assert_eq!((answer.status, code(&answer).as_str()), (411, "MissingContentLength"));
    let mut cut = Raw::connect(gateway(&kp));
    cut.send(head("/uploads/cut", &kp.token, "content-length: 50\r\n")).send("half").finish();
    drop(cut.try_answer("PUT"));
    assert_eq!(kp.get_object("uploads/cut").await.status, 404);
    assert_eq!(kp.get_object("uploads/k").await.body, "hello");
}

#[actix_web::test]
async fn a_bearer_names_its_instance_where_that_matters() {
    let kp = with_bucket("named").await;
    let list = async |path: &str, instance: Option<&str>| {
        let call = kp.s3(Method::GET, path).without("ibm-service-instance-id");
        let call = match instance {
            Some(instance) => call.header("ibm-service-instance-id", instance),
            None => call,
        };
        let reply = call.send().await;
        (reply.status, String::from_utf8_lossy(&reply.body).into_owned())
    };
    let crn = kp.info["cosInstanceCrn"].as_str().unwrap();
    let id = kp.info["cosInstanceId"].as_str().unwrap();
    for good in [crn, id, crn.trim_end_matches("::")] {
        assert_eq!(list("/", Some(good)).await.0, 200, "{good}");
    }
    let (status, text) = list("/", None).await;
    assert_eq!((status, element(&text, "Code").as_deref()), (400, Some("InvalidArgument")));
    assert!(element(&text, "Message").unwrap().contains("ibm-service-instance-id"));
    assert_eq!(list("/?extended", None).await.0, 200, "the account has one instance");
    for foreign in ["6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa", kp.instance.as_str(), "nonsense"] {
        assert_eq!(list("/", Some(foreign)).await.0, 403, "{foreign}");
    }
    let create = kp.s3(Method::PUT, "/unnamed").without("ibm-service-instance-id").send().await;
    assert_eq!(create.status, 400);
    let second = serde_json::json!({
        "name": "second", "target": "global", "resource_group": "default",
        "resource_plan_id": "744bfc56-d12c-4866-88d5-dac9139e0e5d",
    });
    kp.post("/v2/resource_instances").json(&second).send().await.succeeds(201);
    assert_eq!(list("/?extended", None).await.0, 400, "now it has two");
    let object = kp.s3(Method::GET, "/named?list-type=2").header("ibm-service-instance-id", "nonsense");
    assert_eq!(object.send().await.status, 200, "names of buckets are global");
}

#[actix_web::test]
async fn replies_can_be_given_other_headers_by_their_address() {
    let kp = with_bucket("overrides").await;
    let put =
        kp.s3(Method::PUT, "/overrides/k").header("content-type", "text/plain").header("cache-control", "no-store");
    put.header("content-language", "de").raw("x").send().await.answers(200);
    let plain = kp.get_object("overrides/k").await;
    assert_eq!(plain.header("content-type"), Some("text/plain"));
    assert_eq!((plain.header("cache-control"), plain.header("content-language")), (Some("no-store"), Some("de")));
    let path = "/overrides/k?response-content-type=image%2Fpng&response-cache-control=max-age%3D5\
                &response-content-disposition=attachment%3B%20filename%3D%22x%22";
    let other = kp.s3(Method::GET, path).send().await;
    assert_eq!((other.header("content-type"), other.header("cache-control")), (Some("image/png"), Some("max-age=5")));
    assert_eq!(other.header("content-disposition"), Some("attachment; filename=\"x\""));
    let broken = kp.s3(Method::GET, "/overrides/k?response-content-type=a%0d%0ab").send().await;
    assert_eq!(broken.status, 400);
}

#[actix_web::test]
async fn an_offer_of_http_2_is_left_and_the_upload_taken() {
    let kp = with_bucket("offers").await;
    let offer = "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n";
    let put = raw(&kp, &format!("PUT /offers/k\r\n{offer}content-length: 5\r\n"), "hello");
    assert_eq!((put.status, put.header("connection")), (200, Some("close")), "{}", put.head);
    assert_eq!(kp.get_object("offers/k").await.answers(200), "hello");
}

/// Who believes in a lock, or in a key that nobody has looked at, would learn of it too late.
#[actix_web::test]
async fn locks_and_keys_of_clients_are_refused_wherever_they_come() {
    let kp = with_bucket("locks").await;
    kp.put_object("locks/k", "x").await.answers(200);
    let begun = kp.s3(Method::POST, "/locks/new?uploads").send().await.answers(200);
    let part = format!("/locks/new?partNumber=1&uploadId={}", element(&begun, "UploadId").unwrap());
    let client = "x-amz-server-side-encryption-customer-algorithm";
    let source = "x-amz-copy-source-server-side-encryption-customer-algorithm";
    for (method, path, name, value) in [
        (Method::PUT, "/locks/new", "x-amz-object-lock-legal-hold", "ON"),
        (Method::PUT, "/locks/new", "x-amz-object-lock-retain-until-date", "2030-01-01T00:00:00Z"),
        (Method::POST, "/locks/new?uploads", "x-amz-object-lock-mode", "COMPLIANCE"),
        (Method::GET, "/locks/k", client, "AES256"),
        (Method::PUT, &part, client, "AES256"),
        (Method::PUT, &part, source, "AES256"),
    ] {
        let body = if method == Method::PUT { "x" } else { "" };
        let mut call = kp.s3(method, path).header(name, value).raw(body);
        if name == source {
            call = call.header("x-amz-copy-source", "locks/k");
        }
        call.send().await.refused_with(501, "NotImplemented");
    }
    kp.get_object("locks/new").await.refused_with(404, "NoSuchKey");
    kp.s3(Method::PUT, "/locks/new").header("x-amz-object-lock-legal-hold", "OFF").raw("x").send().await.answers(200);
    kp.s3(Method::GET, "/locks?prefix=%00").send().await.refused_with(400, "InvalidArgument");
}
