//! Signatures of version 4, in the `Authorization` header or in the URL. Source: docs, hmac-signature, presigned-urls;
//! `docs/contract/cos.md` 3.2, 3.3.

use actix_web::http::Method;
use actix_web::http::header::HeaderMap;
use chrono::NaiveDateTime;
use zeroize::Zeroizing;

use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::http::headers::http_date;
use crate::cos::http::query::{self, Query};
use crate::crypto::compare;
use crate::crypto::digest::{self, Algorithm};
use crate::crypto::mac::hmac_sha256;

/// The one algorithm of header and URL.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Stands for the digest of a body that is not signed.
pub(crate) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
/// SHA-256 of nothing.
pub(crate) const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// Seconds that a signing date may be off the real time.
const SKEW_SECONDS: i64 = 15 * 60;
/// `yyyymmddThhmmssZ`
const FORM: &str = "%Y%m%dT%H%M%SZ";

/// What is signed of a request, apart from its body.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a Method,
    /// As it came.
    pub(crate) raw_path: &'a str,
    pub(crate) query: &'a Query,
    pub(crate) headers: &'a HeaderMap,
}

/// A signature as a request brings it. Nothing of it is known to be true yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) access_key_id: String,
    /// `yyyymmdd`
    day: String,
    region: String,
    signed_headers: Vec<String>,
    signature: Vec<u8>,
    /// `yyyymmddThhmmssZ`
    date: String,
    /// Where the signature is in the URL: seconds that it holds.
    expires: Option<u64>,
}

/// The key of a day, a region and a secret. Has no `Debug`.
pub(crate) struct SigningKey {
    key: Zeroizing<[u8; 32]>,
    /// `yyyymmddThhmmssZ`
    pub(crate) date: String,
    /// `{day}/{region}/s3/aws4_request`
    pub(crate) scope: String,
}

impl SigningKey {
    /// Signs a text: 32 bytes.
    pub(crate) fn sign(&self, text: &str) -> [u8; 32] {
        hmac_sha256(&*self.key, text.as_bytes())
    }
}

impl Claim {
    /// Reads `Authorization: AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`, `rest` being what follows the
    /// algorithm.
    ///
    /// # Errors
    /// `AccessDenied` for a header that lacks something, or has no date with it.
    pub(crate) fn of_header(rest: &str, headers: &HeaderMap) -> Result<Self, Refusal> {
        let part = |name: &str| {
            let mut parts = rest.split(',').map(str::trim);
            parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        let date = match text(headers, "x-amz-date") {
            Some(date) => date.to_owned(),
            None => text(headers, "date")
                .and_then(basic_form)
                .ok_or_else(|| malformed("a signed request needs the header x-amz-date, or Date"))?,
        };
        Self::new(Parts {
            credential: part("Credential"),
            signed_headers: part("SignedHeaders"),
            signature: part("Signature"),
            date,
            expires: None,
        })
    }

    /// Reads the parameters of a presigned URL.
    ///
    /// # Errors
    /// `AccessDenied` when one is missing or is not what it should be.
    pub(crate) fn of_query(query: &Query) -> Result<Self, Refusal> {
        if query.get("X-Amz-Algorithm") != Some(ALGORITHM) {
            return Err(malformed("X-Amz-Algorithm must be AWS4-HMAC-SHA256"));
        }
        let expires = query.get("X-Amz-Expires").and_then(|text| text.parse().ok()).filter(|seconds| *seconds > 0);
        let expires = expires.ok_or_else(|| malformed("X-Amz-Expires must be a number of seconds above 0"))?;
        Self::new(Parts {
            credential: query.get("X-Amz-Credential"),
            signed_headers: query.get("X-Amz-SignedHeaders"),
            signature: query.get("X-Amz-Signature"),
            date: query.get("X-Amz-Date").unwrap_or_default().to_owned(),
            expires: Some(expires),
        })
    }

    fn new(parts: Parts<'_>) -> Result<Self, Refusal> {
        let missing = |what: &'static str| malformed(what);
        let credential = parts.credential.ok_or_else(|| missing("Credential is missing"))?;
        // An id may hold slashes; what follows it has four parts.
        let mut scope = credential.rsplitn(5, '/');
        let (terminator, service, region, day, id) =
            (scope.next(), scope.next(), scope.next(), scope.next(), scope.next());
        let (Some(region), Some(day), Some(id)) = (region, day, id) else {
            return Err(malformed("Credential must be {id}/{yyyymmdd}/{region}/s3/aws4_request"));
        };
        if service != Some("s3") || terminator != Some("aws4_request") {
            return Err(malformed("Credential must end in /s3/aws4_request"));
        }
        let signed = parts.signed_headers.ok_or_else(|| missing("SignedHeaders is missing"))?;
        let signature = parts.signature.ok_or_else(|| missing("Signature is missing"))?;
        let signature = hex::decode(signature).map_err(|_| Refusal::from(Code::SignatureDoesNotMatch))?;
        Ok(Self {
            access_key_id: id.to_owned(),
            day: day.to_owned(),
            region: region.to_owned(),
            signed_headers: signed.split(';').map(str::to_ascii_lowercase).collect(),
            signature,
            date: parts.date,
            expires: parts.expires,
        })
    }

    /// Refuses a signature that is not for now. `now`: real seconds.
    ///
    /// # Errors
    /// `RequestTimeTooSkewed`; `AccessDenied` for a URL that has expired.
    pub(crate) fn check_time(&self, now: i64) -> Result<(), Refusal> {
        let signed_at = NaiveDateTime::parse_from_str(&self.date, FORM);
        let signed_at = signed_at.map_err(|_| malformed("the signing date must be yyyymmddThhmmssZ"))?;
        let signed_at = signed_at.and_utc().timestamp();
        if !self.date.starts_with(&self.day) {
            return Err(malformed("the signing date is not the day of Credential"));
        }
        let Some(expires) = self.expires else {
            return if (now - signed_at).abs() > SKEW_SECONDS {
                Err(Code::RequestTimeTooSkewed.into())
            } else {
                Ok(())
            };
        };
        if signed_at - now > SKEW_SECONDS {
            return Err(Refusal::new(Code::AccessDenied, "Request is not yet valid"));
        }
        let ends = signed_at.saturating_add(i64::try_from(expires).unwrap_or(i64::MAX));
        if now > ends { Err(Refusal::new(Code::AccessDenied, "Request has expired")) } else { Ok(()) }
    }

    /// True when one of the bodies' digests gives the signature; the key is then good for the chunks of a body too.
    pub(crate) fn verify(&self, secret: &str, signed: &Signed<'_>, digest: &str) -> Option<SigningKey> {
        let scope = format!("{}/{}/s3/aws4_request", self.day, self.region);
        let start = Zeroizing::new(format!("AWS4{secret}"));
        let key = Zeroizing::new(hmac_sha256(start.as_bytes(), self.day.as_bytes()));
        let key = Zeroizing::new(hmac_sha256(&*key, self.region.as_bytes()));
        let key = Zeroizing::new(hmac_sha256(&*key, b"s3"));
        let key = Zeroizing::new(hmac_sha256(&*key, b"aws4_request"));
        let key = SigningKey { key, date: self.date.clone(), scope };
        let recoded = query::decode(signed.raw_path).map(|path| query::encode_path(&path)).ok();
        // Clients encode the path in one way; what some of them leave as it is, they sign as they send it.
        let paths = recoded.iter().map(String::as_str).chain([signed.raw_path]);
        let fits = |path: &str| {
            let request = self.canonical(signed, path, digest);
            let digest = hex::encode(digest::of(Algorithm::Sha256, &request));
            let text = format!("{ALGORITHM}\n{}\n{}\n{digest}", key.date, key.scope);
            compare::equal(&key.sign(&text), &self.signature)
        };
        paths.into_iter().any(fits).then_some(key)
    }

    /// The signature's bytes: the seed of those of chunks.
    pub(crate) fn seed(&self) -> String {
        hex::encode(&self.signature)
    }

    /// True when the header is one of those that were signed.
    pub(crate) fn signs(&self, header: &str) -> bool {
        self.signed_headers.iter().any(|signed| signed == header)
    }

    fn canonical(&self, signed: &Signed<'_>, path: &str, digest: &str) -> Vec<u8> {
        let mut text = format!("{}\n{path}\n{}\n", signed.method, signed.query.canonical()).into_bytes();
        for name in &self.signed_headers {
            text.extend_from_slice(name.as_bytes());
            text.push(b':');
            for (number, value) in signed.headers.get_all(name.as_str()).enumerate() {
                if number > 0 {
                    text.push(b',');
                }
                fold(value.as_bytes(), &mut text);
            }
            text.push(b'\n');
        }
        text.extend_from_slice(format!("\n{}\n{digest}", self.signed_headers.join(";")).as_bytes());
        text
    }
}

struct Parts<'a> {
    credential: Option<&'a str>,
    signed_headers: Option<&'a str>,
    signature: Option<&'a str>,
    date: String,
    expires: Option<u64>,
}

/// A header's value without blanks around it, inner runs of blanks being one.
fn fold(value: &[u8], text: &mut Vec<u8>) {
    let words = value.split(|byte| *byte == b' ' || *byte == b'\t').filter(|word| !word.is_empty());
    for (number, word) in words.enumerate() {
        if number > 0 {
            text.push(b' ');
        }
        text.extend_from_slice(word);
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// An HTTP date in the form of signatures.
fn basic_form(date: &str) -> Option<String> {
    Some(http_date(date)?.rfc3339().replace(['-', ':'], ""))
}

fn malformed(why: &'static str) -> Refusal {
    Refusal::new(Code::AccessDenied, format!("The signature cannot be read: {why}."))
}
