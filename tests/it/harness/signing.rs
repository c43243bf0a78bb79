//! Signatures as S3's clients make them, written a second time: these tests do not borrow the service's own.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ring::{digest, hmac};
use serde_json::Value;

use super::dice::seconds;

const CODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An HMAC pair.
pub(crate) struct Pair {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// A request to be signed.
pub(crate) struct Signing<'a> {
    pub(crate) method: &'a str,
    pub(crate) host: &'a str,
    /// As it goes over the wire.
    pub(crate) path: &'a str,
    /// Seconds that the date is off.
    pub(crate) skew: i64,
    pub(crate) region: &'a str,
    /// Lines of the headers that begin with `x-amz-`, sorted: signed in version 2 alone.
    pub(crate) amz: &'a str,
}

/// A signature of version 4, with what goes on from it.
pub(crate) struct Signed {
    /// Header fields with line ends, or a query string.
    pub(crate) text: String,
    key: Vec<u8>,
    date: String,
    scope: String,
    signature: String,
}

impl Pair {
    /// The pair of the ready file.
    pub(crate) fn built_in(info: &Value) -> Self {
        let text = |name: &str| info["cosHmac"][name].as_str().expect("a pair").to_owned();
        Self { id: text("accessKeyId"), secret: text("secretAccessKey") }
    }

    /// Header fields that sign a request; `payload` stands for the body.
    pub(crate) fn header(&self, of: &Signing<'_>, payload: &str) -> Signed {
        let (date, scope, key) = self.scope(of);
        let names = "host;x-amz-content-sha256;x-amz-date";
        let request = format!(
            "{}\n{}\n\nhost:{}\nx-amz-content-sha256:{payload}\nx-amz-date:{date}\n\n{names}\n{payload}",
            of.method, of.path, of.host
        );
        let signature = sign(&key, &date, &scope, &request);
        let text = format!(
            "authorization: AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}\r\n\
             x-amz-date: {date}\r\nx-amz-content-sha256: {payload}\r\n",
            self.id
        );
        Signed { text, key, date, scope, signature }
    }

    /// A query string that signs a request.
    pub(crate) fn link(&self, of: &Signing<'_>, expires: i64) -> String {
        let (date, scope, key) = self.scope(of);
        let mut query = String::new();
        for (name, value) in [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", &format!("{}/{scope}", self.id)),
            ("X-Amz-Date", &date),
            ("X-Amz-Expires", &expires.to_string()),
            ("X-Amz-SignedHeaders", "host"),
        ] {
            write!(query, "{name}={}&", utf8_percent_encode(value, CODED)).expect("a text");
        }
        let canonical = query.trim_end_matches('&');
        let request = format!("{}\n{}\n{canonical}\nhost:{}\n\nhost\nUNSIGNED-PAYLOAD", of.method, of.path, of.host);
        let signature = sign(&key, &date, &scope, &request);
        format!("{canonical}&X-Amz-Signature={signature}")
    }

    /// A query string of version 2.
    pub(crate) fn old_link(&self, of: &Signing<'_>, expires: i64) -> String {
        self.old_link_for(of, "", expires)
    }

    /// The same for a body of that content type.
    pub(crate) fn old_link_for(&self, of: &Signing<'_>, content_type: &str, expires: i64) -> String {
        let expires = seconds() + expires;
        let text = format!("{}\n\n{content_type}\n{expires}\n{}{}", of.method, of.amz, of.path);
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.secret.as_bytes());
        let signature = STANDARD.encode(hmac::sign(&key, text.as_bytes()));
        let signature = utf8_percent_encode(&signature, CODED);
        format!("AWSAccessKeyId={}&Signature={signature}&Expires={expires}", self.id)
    }

    fn scope(&self, of: &Signing<'_>) -> (String, String, Vec<u8>) {
        let at: DateTime<Utc> = DateTime::from_timestamp(seconds() + of.skew, 0).expect("a time");
        let date = at.format("%Y%m%dT%H%M%SZ").to_string();
        let day = &date[..8];
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for part in [day, of.region, "s3", "aws4_request"] {
            key = mac(&key, part);
        }
        let scope = format!("{day}/{}/s3/aws4_request", of.region);
        (date, scope, key)
    }
}

impl Signed {
    /// A body in signed chunks.
    pub(crate) fn chunks(&self, body: &[u8], size: usize) -> Vec<u8> {
        let mut framed = Vec::new();
        let mut before = self.signature.clone();
        for chunk in body.chunks(size).chain([&[][..]]) {
            let text = format!(
                "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{before}\n{}\n{}",
                self.date,
                self.scope,
                sha256(b""),
                sha256(chunk)
            );
            before = hex::encode(mac(&self.key, &text));
            framed.extend_from_slice(format!("{:x};chunk-signature={before}\r\n", chunk.len()).as_bytes());
            framed.extend_from_slice(chunk);
            framed.extend_from_slice(b"\r\n");
        }
        framed
    }
}

/// A body in chunks without signatures, with a trailer of whole lines.
pub(crate) fn chunks(body: &[u8], size: usize, trailer: &str) -> Vec<u8> {
    let mut framed = Vec::new();
    for chunk in body.chunks(size) {
        framed.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        framed.extend_from_slice(chunk);
        framed.extend_from_slice(b"\r\n");
    }
    framed.extend_from_slice(format!("0\r\n{trailer}\r\n").as_bytes());
    framed
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

fn sign(key: &[u8], date: &str, scope: &str, request: &str) -> String {
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256(request.as_bytes()));
    hex::encode(mac(key, &text))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}
