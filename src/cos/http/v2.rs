//! Presigned URLs of version 2: what IBM's own example makes for a client without a region. Source: docs, presigned-urls;
//! `docs/contract/cos.md` 3.3.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use actix_web::http::header::HeaderMap;

use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::http::address::Address;
use crate::cos::http::query::{self, Query};
use crate::cos::http::v4::Signed;
use crate::crypto::base64;
use crate::crypto::compare;
use crate::crypto::mac::hmac_sha1;

/// Parameters that are signed with the resource. Source: S3's signatures of version 2.
const SIGNED_PARAMETERS: [&str; 24] = [
    "acl",
    "cors",
    "delete",
    "extendRetention",
    "legalHold",
    "lifecycle",
    "location",
    "logging",
    "notification",
    "partNumber",
    "policy",
    "protection",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "tagging",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "website",
];

/// A signature as a URL brings it.
pub(crate) struct Claim<'a> {
    pub(crate) access_key_id: &'a str,
    signature: &'a str,
    expires: &'a str,
}

impl<'a> Claim<'a> {
    /// Reads the parameters; `None` for a URL without them.
    pub(crate) fn of_query(query: &'a Query) -> Option<Self> {
        let access_key_id = query.get("AWSAccessKeyId")?;
        Some(Self { access_key_id, signature: query.get("Signature")?, expires: query.get("Expires")? })
    }

    /// Refuses a URL that has expired, or whose signature is wrong. `now`: real seconds.
    ///
    /// # Errors
    /// `AccessDenied`, `SignatureDoesNotMatch`.
    pub(crate) fn check(&self, secret: &str, signed: &Signed<'_>, address: &Address, now: i64) -> Result<(), Refusal> {
        let expires = self.expires.parse::<i64>();
        let expires = expires.map_err(|_| Refusal::new(Code::AccessDenied, "Expires must be seconds since 1970."))?;
        if now > expires {
            return Err(Refusal::new(Code::AccessDenied, "Request has expired"));
        }
        let given = base64::decode(self.signature).unwrap_or_default();
        let fits = |resource: &str| {
            compare::equal(&hmac_sha1(secret.as_bytes(), self.text(signed, resource).as_bytes()), &given)
        };
        let recoded = resource(address);
        // SDKs sign a bucket with a slash behind it, whatever the URL has.
        let with_slash = matches!(address, Address::Bucket(_)).then(|| format!("{recoded}/"));
        let good = fits(&recoded) || fits(signed.raw_path) || with_slash.is_some_and(|bucket| fits(&bucket));
        if good { Ok(()) } else { Err(Code::SignatureDoesNotMatch.into()) }
    }

    fn text(&self, signed: &Signed<'_>, resource: &str) -> String {
        let header = |name: &str| joined(signed.headers, name);
        let mut text =
            format!("{}\n{}\n{}\n{}\n", signed.method, header("content-md5"), header("content-type"), self.expires);
        let names = signed.headers.keys().map(|name| name.as_str().to_ascii_lowercase());
        let names: BTreeSet<String> = names.filter(|name| name.starts_with("x-amz-")).collect();
        for name in &names {
            // Writing to a text does not fail.
            let _ = writeln!(text, "{name}:{}", header(name));
        }
        text.push_str(resource);
        let mut separator = '?';
        for name in SIGNED_PARAMETERS {
            let Some(value) = signed.query.get(name) else { continue };
            text.push(separator);
            text.push_str(name);
            if !value.is_empty() {
                text.push('=');
                text.push_str(value);
            }
            separator = '&';
        }
        text
    }
}

/// `/{bucket}/{key}` encoded once, however the bucket was named.
fn resource(address: &Address) -> String {
    match address {
        Address::Service => "/".to_owned(),
        Address::Bucket(bucket) => format!("/{bucket}"),
        Address::Object(bucket, key) => format!("/{bucket}/{}", query::encode_path(key.as_str())),
    }
}

fn joined(headers: &HeaderMap, name: &str) -> String {
    let values: Vec<&str> = headers.get_all(name).filter_map(|value| value.to_str().ok()).map(str::trim).collect();
    values.join(",")
}
