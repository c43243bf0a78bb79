//! Who is calling the gateway: a bearer token, or a signature with an HMAC pair in the header or in the URL. There is no
//! anonymous access. Source: `docs/contract/cos.md` 3.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use bytes::Bytes;

use crate::app::App;
use crate::app::resource_keys::HmacOwner;
use crate::cos::app::error::Error;
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::http::address::Address;
use crate::cos::http::chunked::{Chain, TrailerSigning};
use crate::cos::http::query::Query;
use crate::cos::http::v4::{self, Signed, SigningKey};
use crate::cos::http::{headers, v2};
use crate::crypto::digest::{self, Algorithm};
use crate::domain::caller::Caller;
use crate::domain::crn;
use crate::domain::id::InstanceId;
use crate::domain::instance::{Instance, Service};
use crate::http::auth;

/// Which service instance a request is about.
const INSTANCE: &str = "ibm-service-instance-id";
const DIGEST: &str = "x-amz-content-sha256";
const CHUNKS: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const CHUNKS_AND_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const UNSIGNED_CHUNKS: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

/// A caller whose credentials are good.
pub(crate) struct Credentials {
    pub(crate) caller: Arc<Caller>,
    /// The instance of the header, or of the HMAC pair.
    pub(crate) instance: Option<Arc<Instance>>,
    /// Where the credentials are an HMAC pair: its instance.
    pub(crate) bound_to: Option<InstanceId>,
    /// How the body's chunks are signed, where they are.
    pub(crate) chain: Option<Chain>,
    /// What has been read of the body to find out whether the signature is good.
    pub(crate) body: Option<Bytes>,
}

/// How a request says who it is from.
enum Scheme<'a> {
    Bearer,
    Header(&'a str),
    Url,
    OldUrl(v2::Claim<'a>),
}

/// Reads the whole body of a request whose signature cannot be checked without it.
pub(crate) trait ReadBody {
    /// The body, bounded.
    ///
    /// # Errors
    /// What ends the body; `SignatureDoesNotMatch` for one that is too long to be read first.
    fn read(self) -> impl Future<Output = Result<Bytes, Error>>;
}

/// Finds out who is calling.
///
/// # Errors
/// `AccessDenied`, `InvalidAccessKeyId`, `SignatureDoesNotMatch`, `RequestTimeTooSkewed`; `InvalidRequest` for signatures
/// of version 2 in the header; `InvalidArgument` for two kinds at once.
pub(crate) async fn find(
    app: &App,
    request: &HttpRequest,
    query: &Query,
    address: &Address,
    body: impl ReadBody,
) -> Result<Credentials, Error> {
    match scheme(request, query)? {
        Scheme::Bearer => bearer(app, request),
        Scheme::Header(rest) => {
            let claim = v4::Claim::of_header(rest, request.headers())?;
            let digest = headers::text(request.headers(), DIGEST);
            signed(app, request, query, &claim, digest, body).await
        }
        Scheme::Url => {
            let claim = v4::Claim::of_query(query)?;
            let digest = headers::text(request.headers(), DIGEST).filter(|_| claim.signs(DIGEST));
            let digest = digest.or_else(|| query.get("X-Amz-Content-Sha256").map(str::to_owned));
            signed(app, request, query, &claim, Some(digest.unwrap_or_else(|| v4::UNSIGNED.to_owned())), body).await
        }
        Scheme::OldUrl(claim) => {
            let owner = owner(app, claim.access_key_id).await?;
            let signed = of_request(request, query);
            claim.check(&owner.secret, &signed, address, app.clock.real_seconds())?;
            of_owner(app, request, owner, None, None)
        }
    }
}

fn scheme<'a>(request: &'a HttpRequest, query: &'a Query) -> Result<Scheme<'a>, Error> {
    let mut all = request.headers().get_all(AUTHORIZATION);
    let header = all.next();
    let in_url = query.has("X-Amz-Algorithm") || query.has("X-Amz-Signature");
    let old = v2::Claim::of_query(query);
    let Some(header) = header else {
        return match old {
            _ if in_url => Ok(Scheme::Url),
            Some(claim) => Ok(Scheme::OldUrl(claim)),
            None => Err(Code::AccessDenied.into()),
        };
    };
    if all.next().is_some() {
        return Err(Code::AccessDenied.into());
    }
    if in_url || old.is_some() {
        let why = "Only one kind of credentials is allowed: the Authorization header or a signature in the URL.";
        return Err(Refusal::new(Code::InvalidArgument, why).into());
    }
    let text = header.to_str().map_err(|_| Code::AccessDenied)?;
    let (scheme, rest) = text.split_once(' ').ok_or(Code::AccessDenied)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(Scheme::Bearer);
    }
    if scheme == v4::ALGORITHM {
        return Ok(Scheme::Header(rest));
    }
    if scheme == "AWS" {
        // Source: docs, common-headers-errors.
        return Err(Refusal::new(Code::InvalidRequest, "Please use AWS4-HMAC-SHA256.").into());
    }
    Err(Code::AccessDenied.into())
}

fn bearer(app: &App, request: &HttpRequest) -> Result<Credentials, Error> {
    let caller = auth::caller(app, request).map_err(|_| Code::AccessDenied)?;
    Ok(Credentials { caller, instance: None, bound_to: None, chain: None, body: None })
}

/// The instance that the header names; for requests that are about one.
///
/// # Errors
/// `AccessDenied` for one that is not there or of another account.
pub(crate) fn instance_of_header(
    app: &App,
    request: &HttpRequest,
    caller: &Caller,
) -> Result<Option<Arc<Instance>>, Error> {
    let Some(text) = headers::text(request.headers(), INSTANCE).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let known = instance_id(&text).and_then(|id| app.memory.instances.get(id));
    let usable = known.filter(|instance| {
        instance.is_active() && instance.service == Service::ObjectStorage && instance.account == caller.account
    });
    usable.map(Some).ok_or_else(|| Code::AccessDenied.into())
}

/// The GUID, or the one in a CRN; IBM's documents also show CRNs whose ending is left out.
fn instance_id(text: &str) -> Option<InstanceId> {
    let guid = match crn::parse(text) {
        Some(named) => named.instance,
        None => text.strip_prefix("crn:").and_then(|rest| rest.split(':').nth(6)).unwrap_or(text),
    };
    InstanceId::parse(guid)
}

async fn owner(app: &App, access_key_id: &str) -> Result<HmacOwner, Error> {
    Ok(app.owner_of_hmac(access_key_id).await?.ok_or(Code::InvalidAccessKeyId)?)
}

fn of_request<'a>(request: &'a HttpRequest, query: &'a Query) -> Signed<'a> {
    Signed { method: request.method(), raw_path: request.uri().path(), query, headers: request.headers() }
}

async fn signed(
    app: &App,
    request: &HttpRequest,
    query: &Query,
    claim: &v4::Claim,
    digest: Option<String>,
    body: impl ReadBody,
) -> Result<Credentials, Error> {
    let owner = owner(app, &claim.access_key_id).await?;
    let signed = of_request(request, query);
    let mut read = None;
    let verify = |digest: &str| claim.verify(&owner.secret, &signed, digest);
    let key = match &digest {
        Some(digest) => verify(digest),
        // Older versions of curl sign the files that they upload as if they were empty.
        None => match [v4::UNSIGNED, v4::EMPTY].into_iter().find_map(verify) {
            None => {
                let bytes = body.read().await?;
                let key = verify(&hex::encode(digest::of(Algorithm::Sha256, &bytes)));
                read = Some(bytes);
                key
            }
            found => found,
        },
    };
    let key = key.ok_or(Code::SignatureDoesNotMatch)?;
    claim.check_time(app.clock.real_seconds())?;
    let chain = chain(digest.as_deref().unwrap_or(v4::UNSIGNED), key, claim)?;
    of_owner(app, request, owner, chain, read)
}

/// How chunks are signed, from what stands in place of the body's digest.
fn chain(digest: &str, key: SigningKey, claim: &v4::Claim) -> Result<Option<Chain>, Refusal> {
    match digest {
        CHUNKS => Ok(Some(Chain::new(key, claim.seed(), TrailerSigning::Unsigned))),
        CHUNKS_AND_TRAILER => Ok(Some(Chain::new(key, claim.seed(), TrailerSigning::Signed))),
        v4::UNSIGNED | UNSIGNED_CHUNKS => Ok(None),
        digest if headers::is_digest(digest) => Ok(None),
        _ => Err(Refusal::new(Code::InvalidArgument, "x-amz-content-sha256 is neither a digest nor a known word.")),
    }
}

fn of_owner(
    app: &App,
    request: &HttpRequest,
    owner: HmacOwner,
    chain: Option<Chain>,
    body: Option<Bytes>,
) -> Result<Credentials, Error> {
    let named = instance_of_header(app, request, &owner.caller)?;
    if named.is_some_and(|named| named.id != owner.instance.id) {
        let why = "ibm-service-instance-id names another instance than the HMAC credentials belong to.";
        return Err(Refusal::new(Code::AccessDenied, why).into());
    }
    let bound_to = Some(owner.instance.id);
    Ok(Credentials { caller: owner.caller, instance: Some(owner.instance), bound_to, chain, body })
}
