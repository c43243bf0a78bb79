//! Headers of requests: what they say of an object, what they ask for, what they check.

use actix_web::http::header::{HeaderMap, HeaderValue};

use crate::cos::app::body::Checks;
use crate::cos::app::write::Draft;
use crate::cos::domain::attributes::Attributes;
use crate::cos::domain::checksum::{Algorithm, Checksum};
use crate::cos::domain::conditions::Conditions;
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::domain::retention::RetentionDraft;
use crate::cos::domain::tags::Tag;
use crate::cos::http::query::Query;
use crate::crypto::base64;
use crate::domain::time::Timestamp;

/// What user metadata is called by.
pub(crate) const META: &str = "x-amz-meta-";
/// The coding that is taken off before an object is stored.
const CHUNKED: &str = "aws-chunked";

/// A header as text; bytes that are no UTF-8 are read as Latin-1, as old clients mean them.
pub(crate) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(decoded)
}

/// All values of a header, with commas between them.
pub(crate) fn joined(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<String> = headers.get_all(name).map(decoded).collect();
    if values.is_empty() { None } else { Some(values.join(",")) }
}

fn decoded(value: &HeaderValue) -> String {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.trim().to_owned(),
        Err(_) => value.as_bytes().iter().map(|byte| char::from(*byte)).collect::<String>().trim().to_owned(),
    }
}

/// True when the body is framed as aws-chunked: either sign is enough.
pub(crate) fn is_chunked(headers: &HeaderMap) -> bool {
    let streaming = text(headers, "x-amz-content-sha256").is_some_and(|digest| digest.starts_with("STREAMING-"));
    let coded = joined(headers, "content-encoding")
        .is_some_and(|codings| codings.split(',').any(|coding| coding.trim().eq_ignore_ascii_case(CHUNKED)));
    streaming || coded
}

/// What an uploader says of an object.
///
/// # Errors
/// `NotImplemented` for encryption with keys of another cloud, for object lock, and for ACLs that are not private;
/// `InvalidArgument` for what cannot be read.
pub(crate) fn draft(headers: &HeaderMap) -> Result<Draft, Refusal> {
    refuse_foreign_encryption(headers)?;
    refuse_public_acl(headers)?;
    refuse_object_lock(headers)?;
    let tags = match text(headers, "x-amz-tagging") {
        None => Vec::new(),
        Some(text) => tags_of_query(&text)?,
    };
    Ok(Draft { attributes: attributes(headers), tags, retention: retention(headers)? })
}

/// `Content-Type` and its like, and user metadata.
pub(crate) fn attributes(headers: &HeaderMap) -> Attributes {
    let content_encoding = joined(headers, "content-encoding").and_then(|codings| {
        let kept: Vec<&str> = codings
            .split(',')
            .map(str::trim)
            .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(CHUNKED))
            .collect();
        if kept.is_empty() { None } else { Some(kept.join(",")) }
    });
    let mut user: Vec<(String, String)> = Vec::new();
    let names = headers.keys().map(|name| name.as_str().to_ascii_lowercase()).filter(|name| name.starts_with(META));
    for name in names {
        let value = joined(headers, &name).unwrap_or_default();
        // The name that is left may begin like that again.
        user.push((name.strip_prefix(META).unwrap_or(&name).to_owned(), value));
    }
    user.sort_unstable();
    user.dedup_by(|one, other| one.0 == other.0);
    Attributes {
        content_type: text(headers, "content-type").filter(|kind| !kind.is_empty()),
        content_encoding,
        content_language: text(headers, "content-language"),
        content_disposition: text(headers, "content-disposition"),
        cache_control: joined(headers, "cache-control"),
        expires: text(headers, "expires"),
        website_redirect: text(headers, "x-amz-website-redirect-location"),
        user,
        aes256: text(headers, "x-amz-server-side-encryption").is_some(),
    }
}

/// `Retention-Period` and its like.
///
/// # Errors
/// `InvalidArgument` for what cannot be read; `NotImplemented` for retention without an end.
pub(crate) fn retention(headers: &HeaderMap) -> Result<RetentionDraft, Refusal> {
    if let Some(period @ ("-1" | "-2")) = text(headers, "retention-period").as_deref() {
        let why = format!("Retention-Period {period}, without an end, is not implemented.");
        return Err(Refusal::new(Code::NotImplemented, why));
    }
    Ok(RetentionDraft {
        period_seconds: number(headers, "retention-period")?,
        expires_at: instant(headers, "retention-expiration-date")?,
        holds: text(headers, "retention-legal-hold-id").into_iter().collect(),
    })
}

/// A whole number of a header.
///
/// # Errors
/// `InvalidArgument` for anything else.
pub(crate) fn number(headers: &HeaderMap, name: &str) -> Result<Option<u64>, Refusal> {
    let Some(text) = text(headers, name) else { return Ok(None) };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits { text.parse().ok() } else { None };
    let wrong = || Refusal::new(Code::InvalidArgument, format!("The header {name} must be a whole number from 0 on."));
    number.map(Some).ok_or_else(wrong)
}

/// A time of a header: an HTTP date, RFC 3339, or `yyyymmddThhmmssZ`.
///
/// # Errors
/// `InvalidArgument` for anything else.
pub(crate) fn instant(headers: &HeaderMap, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = text(headers, name) else { return Ok(None) };
    let basic = || {
        let read = chrono::NaiveDateTime::parse_from_str(&text, "%Y%m%dT%H%M%SZ").ok()?;
        Some(Timestamp::from_millis(read.and_utc().timestamp_millis()))
    };
    let read = http_date(&text).or_else(|| Timestamp::parse(&text)).or_else(basic);
    let wrong = || Refusal::new(Code::InvalidArgument, format!("The header {name} must be a date."));
    read.map(Some).ok_or_else(wrong)
}

/// An HTTP date.
pub(crate) fn http_date(text: &str) -> Option<Timestamp> {
    let at = httpdate::parse_http_date(text).ok()?;
    let seconds = at.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    Some(Timestamp::from_millis(i64::try_from(seconds).ok()?.checked_mul(1_000)?))
}

/// `If-Match` and its like; `prefix` is `x-amz-copy-source-` for those on a copy's source.
pub(crate) fn conditions(headers: &HeaderMap, prefix: &str) -> Conditions {
    let header = |name: &str| joined(headers, &format!("{prefix}{name}"));
    let date = |name: &str| text(headers, &format!("{prefix}{name}")).and_then(|text| http_date(&text));
    Conditions {
        if_match: header("if-match"),
        if_none_match: header("if-none-match"),
        if_modified_since: date("if-modified-since"),
        if_unmodified_since: date("if-unmodified-since"),
    }
}

/// What a body is to be checked against.
///
/// # Errors
/// `InvalidDigest` for what is no digest of its algorithm; `InvalidRequest` for a trailer of an unknown one.
pub(crate) fn checks(headers: &HeaderMap) -> Result<Checks, Refusal> {
    let mut checksums = Vec::new();
    for algorithm in Algorithm::ALL {
        if let Some(value) = text(headers, algorithm.header()) {
            checksums.push(checksum(algorithm, &value)?);
        }
    }
    let mut trailing = Vec::new();
    let announced = joined(headers, "x-amz-trailer").unwrap_or_default();
    for name in announced.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let unknown =
            || Refusal::new(Code::InvalidRequest, format!("x-amz-trailer names {name}, which is no checksum."));
        trailing.push(Algorithm::of_header(name).ok_or_else(unknown)?);
    }
    Ok(Checks { checksums, trailing, ..checks_of_bytes(headers)? })
}

/// Of these, what is about the very bytes of the body: `x-amz-checksum-*` may be about an object that it names.
///
/// # Errors
/// `InvalidDigest` for what is no digest of its algorithm.
pub(crate) fn checks_of_bytes(headers: &HeaderMap) -> Result<Checks, Refusal> {
    let md5 = text(headers, "content-md5").map(|text| {
        let bytes = base64::decode(&text).ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
        bytes.ok_or_else(|| Refusal::from(Code::InvalidDigest))
    });
    let digest = text(headers, "x-amz-content-sha256").filter(|digest| is_digest(digest));
    let payload_sha256 = digest.and_then(|digest| <[u8; 32]>::try_from(hex::decode(digest).ok()?).ok());
    Ok(Checks { md5: md5.transpose()?, payload_sha256, ..Checks::default() })
}

/// Checksums of an object of several parts. One of the parts' checksums, such as `AAAAAA==-2`, is left out.
///
/// # Errors
/// `InvalidDigest` for what is no digest of its algorithm.
pub(crate) fn checksums_of_object(headers: &HeaderMap) -> Result<Vec<Checksum>, Refusal> {
    let sent = Algorithm::ALL.into_iter().filter_map(|algorithm| Some((algorithm, text(headers, algorithm.header())?)));
    let of_whole = sent.filter(|(_, value)| !value.contains('-'));
    of_whole.map(|(algorithm, value)| checksum(algorithm, &value)).collect()
}

/// True for SHA-256 in hexadecimal.
pub(crate) fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A checksum's value, base64.
///
/// # Errors
/// `InvalidDigest` for another length, or what is no base64.
pub(crate) fn checksum(algorithm: Algorithm, value: &str) -> Result<Checksum, Refusal> {
    let bytes = base64::decode(value).ok().filter(|bytes| bytes.len() == algorithm.bytes());
    let wrong = || {
        let why = format!("The value of {} must be base64 of {} bytes.", algorithm.header(), algorithm.bytes());
        Refusal::new(Code::InvalidDigest, why)
    };
    bytes.map(|value| Checksum { algorithm, value }).ok_or_else(wrong)
}

/// Refuses encryption with keys of another cloud.
///
/// # Errors
/// `NotImplemented`; `InvalidArgument` for an unknown algorithm.
pub(crate) fn refuse_foreign_encryption(headers: &HeaderMap) -> Result<(), Refusal> {
    match text(headers, "x-amz-server-side-encryption").as_deref() {
        None | Some("AES256") => Ok(()),
        Some("aws:kms" | "aws:kms:dsse") => {
            Err(Refusal::new(Code::NotImplemented, "Encryption with aws:kms is not implemented."))
        }
        Some(_) => Err(Refusal::new(Code::InvalidArgument, "x-amz-server-side-encryption must be AES256.")),
    }
}

/// Refuses keys that the client brings, for an object or for the source of a copy, whatever is asked for.
///
/// # Errors
/// `NotImplemented`.
pub(crate) fn refuse_clients_keys(headers: &HeaderMap) -> Result<(), Refusal> {
    const NAMES: [&str; 2] =
        ["x-amz-server-side-encryption-customer-", "x-amz-copy-source-server-side-encryption-customer-"];
    if !headers.keys().any(|name| NAMES.iter().any(|start| name.as_str().to_ascii_lowercase().starts_with(start))) {
        return Ok(());
    }
    let why = "Encryption with keys that the client brings (SSE-C) is not implemented.";
    Err(Refusal::new(Code::NotImplemented, why))
}

/// Refuses locks, which nobody would keep. A legal hold that is off asks for nothing.
fn refuse_object_lock(headers: &HeaderMap) -> Result<(), Refusal> {
    const HOLD: &str = "x-amz-object-lock-legal-hold";
    let is_off = |name: &str| name == HOLD && text(headers, HOLD).is_some_and(|word| word.eq_ignore_ascii_case("OFF"));
    let locks = ["x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", HOLD];
    match locks.iter().find(|name| headers.contains_key(**name) && !is_off(name)) {
        None => Ok(()),
        Some(name) => Err(Refusal::new(Code::NotImplemented, format!("Object lock ({name}) is not implemented."))),
    }
}

/// Refuses ACLs that let strangers in.
///
/// # Errors
/// `NotImplemented`.
pub(crate) fn refuse_public_acl(headers: &HeaderMap) -> Result<(), Refusal> {
    let granted = headers.keys().any(|name| name.as_str().to_ascii_lowercase().starts_with("x-amz-grant-"));
    match text(headers, "x-amz-acl").as_deref() {
        None | Some("private" | "") if !granted => Ok(()),
        _ => Err(Refusal::new(Code::NotImplemented, "ACLs other than private are not implemented.")),
    }
}

/// Tags in the form of a query string.
fn tags_of_query(text: &str) -> Result<Vec<Tag>, Refusal> {
    let wrong = || Refusal::new(Code::InvalidArgument, "x-amz-tagging must be key=value pairs, URL-encoded.");
    let query = Query::parse(text).map_err(|_| wrong())?;
    Ok(query.pairs().map(|(key, value)| Tag { key: key.to_owned(), value: value.to_owned() }).collect())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn either_sign_of_aws_chunked_is_enough_and_it_is_not_stored() {
        let table = [
            ("content-encoding", "aws-chunked", true, None),
            ("content-encoding", "gzip,aws-chunked", true, Some("gzip")),
            ("content-encoding", "gzip", false, Some("gzip")),
            ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", true, None),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD", false, None),
        ];
        for (name, value, chunked, stored) in table {
            let headers = headers(&[(name, value)]);
            assert_eq!(is_chunked(&headers), chunked, "{value}");
            assert_eq!(attributes(&headers).content_encoding.as_deref(), stored, "{value}");
        }
    }

    #[test]
    fn user_metadata_of_one_name_is_joined() {
        let headers = headers(&[("x-amz-meta-b", "2"), ("x-amz-meta-a", "x"), ("x-amz-meta-b", "3"), ("etag", "y")]);
        let expected = [("a".to_owned(), "x".to_owned()), ("b".to_owned(), "2,3".to_owned())];
        assert_eq!(attributes(&headers).user, expected);
    }

    #[test]
    fn digests_of_the_wrong_kind_are_refused() {
        for (name, value) in [("content-md5", "AAAA"), ("content-md5", "*"), ("x-amz-checksum-crc32", "AAAA")] {
            assert!(checks(&headers(&[(name, value)])).unwrap_err().is(Code::InvalidDigest), "{name}");
        }
        assert!(checks(&headers(&[("x-amz-trailer", "expires")])).unwrap_err().is(Code::InvalidRequest));
        let good = checks(&headers(&[("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-trailer", "x-amz-checksum-sha1")]));
        let good = good.unwrap();
        assert!(good.guard());
        assert_eq!(good.trailing, [Algorithm::Sha1]);
    }

    #[test]
    fn dates_come_in_three_forms() {
        for date in ["Fri, 24 May 2013 00:00:00 GMT", "2013-05-24T00:00:00Z", "20130524T000000Z"] {
            let headers = headers(&[("retention-expiration-date", date)]);
            let read = retention(&headers).unwrap().expires_at.unwrap();
            assert_eq!(read.rfc3339(), "2013-05-24T00:00:00Z", "{date}");
        }
        assert!(retention(&headers(&[("retention-period", "1d")])).is_err());
    }

    #[test]
    fn other_kinds_of_encryption_and_open_acls_are_refused() {
        for (name, value) in [
            ("x-amz-server-side-encryption", "aws:kms"),
            ("x-amz-object-lock-legal-hold", "ON"),
            ("x-amz-acl", "public-read"),
            ("x-amz-grant-read", "id=1"),
        ] {
            assert!(draft(&headers(&[(name, value)])).unwrap_err().is(Code::NotImplemented), "{name}");
        }
        let aes = draft(&headers(&[("x-amz-server-side-encryption", "AES256"), ("x-amz-acl", "private")]));
        assert!(aes.unwrap().attributes.aes256);
    }
}
