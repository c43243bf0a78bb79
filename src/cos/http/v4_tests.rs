//! Signatures of version 4 against S3's published example, and what breaks them.

use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::cos::http::query::Query;
use crate::cos::http::v4::{Claim, Signed, UNSIGNED};

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// 2013-05-24T00:00:00Z
const SIGNED_AT: i64 = 1_369_353_600;
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn get_object() -> (String, HeaderMap) {
    let rest = format!(
        "Credential={ID}/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, \
         Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    );
    let headers = headers(&[
        ("host", "examplebucket.s3.amazonaws.com"),
        ("range", "bytes=0-9"),
        ("x-amz-content-sha256", EMPTY),
        ("x-amz-date", "20130524T000000Z"),
    ]);
    (rest, headers)
}

#[test]
fn the_published_example_of_a_header_is_good() {
    let (rest, headers) = get_object();
    let claim = Claim::of_header(&rest, &headers).unwrap();
    assert_eq!(claim.access_key_id, ID);
    let query = Query::default();
    let signed = Signed { method: &Method::GET, raw_path: "/test.txt", query: &query, headers: &headers };
    assert!(claim.verify(SECRET, &signed, EMPTY).is_some());
    assert!(claim.verify("another secret", &signed, EMPTY).is_none());
    assert!(claim.verify(SECRET, &signed, UNSIGNED).is_none());
    let moved = Signed { raw_path: "/test.txt2", ..signed };
    assert!(claim.verify(SECRET, &moved, EMPTY).is_none());
}

#[test]
fn the_published_example_of_a_url_is_good_while_it_lasts() {
    let query = format!(
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={ID}%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&\
         X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&\
         X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
    let query = Query::parse(&query).unwrap();
    let headers = headers(&[("host", "examplebucket.s3.amazonaws.com")]);
    let claim = Claim::of_query(&query).unwrap();
    let signed = Signed { method: &Method::GET, raw_path: "/test.txt", query: &query, headers: &headers };
    assert!(claim.verify(SECRET, &signed, UNSIGNED).is_some());
    assert!(claim.check_time(SIGNED_AT + 86_400).is_ok());
    let refused = claim.check_time(SIGNED_AT + 86_401).unwrap_err();
    assert_eq!((refused.code.as_ref(), refused.message.as_ref()), ("AccessDenied", "Request has expired"));
    assert!(claim.check_time(SIGNED_AT - 901).is_err());
}

#[test]
fn a_header_is_good_for_a_quarter_of_an_hour_around_its_date() {
    let (rest, headers) = get_object();
    let claim = Claim::of_header(&rest, &headers).unwrap();
    for good in [-900, 0, 900] {
        assert!(claim.check_time(SIGNED_AT + good).is_ok(), "{good}");
    }
    for skewed in [-901, 901] {
        assert_eq!(claim.check_time(SIGNED_AT + skewed).unwrap_err().code, "RequestTimeTooSkewed");
    }
}

#[test]
fn the_date_header_stands_in_for_that_of_signatures() {
    let (rest, mut headers) = get_object();
    headers.remove("x-amz-date");
    assert_eq!(Claim::of_header(&rest, &headers).unwrap_err().code, "AccessDenied");
    headers.insert(HeaderName::from_static("date"), HeaderValue::from_static("Fri, 24 May 2013 00:00:00 GMT"));
    assert!(Claim::of_header(&rest, &headers).unwrap().check_time(SIGNED_AT).is_ok());
}

#[test]
fn what_is_no_signature_is_refused() {
    let (rest, headers) = get_object();
    let table = [
        rest.replace("Credential=", "Credentials="),
        rest.replace("SignedHeaders=", "Headers="),
        rest.replace("Signature=", "Sig="),
        rest.replace("/s3/", "/iam/"),
        rest.replace("aws4_request", "aws5_request"),
        rest.replace("/20130524/us-east-1", ""),
        String::new(),
    ];
    for wrong in table {
        assert_eq!(Claim::of_header(&wrong, &headers).unwrap_err().code, "AccessDenied", "{wrong}");
    }
    let cut = rest.replace("f0e8", "xyz!");
    assert_eq!(Claim::of_header(&cut, &headers).unwrap_err().code, "SignatureDoesNotMatch");
    let other_day = rest.replace("20130524", "20130525");
    assert!(Claim::of_header(&other_day, &headers).unwrap().check_time(SIGNED_AT).is_err());
}
