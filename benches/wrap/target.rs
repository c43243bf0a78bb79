//! What is sent to whom: a token and a root key of the service, and the requests that both servers get.

use std::fmt;
use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Outcome;
use crate::connection::{Connection, post};
use crate::process::BareLoop;
use crate::service::{Ready, Service};

/// What is wrapped.
const PLAINTEXT: [u8; 32] = *b"a data key of two and thirty byt";

const CORRELATION_ID: &str = "6f1c1f0e-5d0b-4f6c-9a52-0f2a5c9d7b11";

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Wrap,
    Unwrap,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wrap => "wrap",
            Self::Unwrap => "unwrap",
        })
    }
}

/// One of the two servers, with the requests made ready for it.
///
/// Wrap requests are the same bytes for both. Unwrap requests are equally long and differ in the ciphertext alone, for
/// each server opens only its own.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) pid: u32,
    wrap: Vec<u8>,
    unwrap: Vec<u8>,
    /// The body of a wrap reply: its length is what it is kept for.
    wrapped: Vec<u8>,
    /// The body of every unwrap reply.
    pub(crate) unwrapped: Vec<u8>,
}

impl Target {
    pub(crate) fn request(&self, operation: Operation) -> &[u8] {
        match operation {
            Operation::Wrap => &self.wrap,
            Operation::Unwrap => &self.unwrap,
        }
    }
}

/// Key and headers of the requests to both servers.
struct Access {
    key_id: String,
    instance_id: String,
    authorization: String,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

#[derive(Deserialize)]
struct Keys {
    resources: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    id: String,
}

#[derive(Deserialize)]
struct Wrapped {
    ciphertext: String,
}

#[derive(Deserialize)]
struct Unwrapped {
    plaintext: String,
}

/// Gets a token and a root key, and tries wrap and unwrap on the bare loop and on the service.
pub(crate) async fn prepare(bare: &BareLoop, service: &Service) -> Outcome<(Target, Target)> {
    let access = obtain_access(&service.ready).await?;
    let address = address_of(&service.ready.url)?;
    let bare = rehearse("the bare loop", bare.address, bare.pid(), &access).await?;
    let service = rehearse("the service", address, service.pid(), &access).await?;
    if bare.unwrap.len() != service.unwrap.len() {
        return Err(format!(
            "ciphertexts differ in size, so that the work would too: unwrap requests have {} bytes for the bare loop, \
             {} for the service",
            bare.unwrap.len(),
            service.unwrap.len()
        )
        .into());
    }
    Ok((bare, service))
}

/// One line about the sizes, which should be the same for both.
pub(crate) fn sizes(bare: &Target, service: &Target) -> String {
    format!(
        "bytes of a request: wrap {}, unwrap {}; of a reply's body, bare loop and service: wrap {} and {}, \
         unwrap {} and {}",
        service.wrap.len(),
        service.unwrap.len(),
        bare.wrapped.len(),
        service.wrapped.len(),
        bare.unwrapped.len(),
        service.unwrapped.len(),
    )
}

async fn obtain_access(ready: &Ready) -> Outcome<Access> {
    let form = format!(
        "grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey={}",
        percent_encoding::utf8_percent_encode(&ready.api_key, percent_encoding::NON_ALPHANUMERIC)
    );
    let request = post("/identity/token", &[("content-type", "application/x-www-form-urlencoded")], &form);
    let mut iam = Connection::open(address_of(&ready.iam_url)?).await?;
    let token: Token = call("token", &mut iam, &request, 200).await?;

    let mut access = Access {
        key_id: String::new(),
        instance_id: ready.instance_id.clone(),
        authorization: format!("Bearer {}", token.access_token),
    };
    let request = access.post(
        "/api/v2/keys",
        concat!(
            r#"{"metadata":{"collectionType":"application/vnd.ibm.kms.key+json","collectionTotal":1},"#,
            r#""resources":[{"type":"application/vnd.ibm.kms.key+json","name":"benchmark","extractable":false}]}"#
        ),
    );
    let mut key_protect = Connection::open(address_of(&ready.url)?).await?;
    let keys: Keys = call("create key", &mut key_protect, &request, 201).await?;
    access.key_id = keys.resources.into_iter().next().ok_or("the created key is not in the reply")?.id;
    Ok(access)
}

impl Access {
    fn post(&self, path: &str, body: &str) -> Vec<u8> {
        let headers = [
            ("authorization", self.authorization.as_str()),
            ("bluemix-instance", &self.instance_id),
            ("correlation-id", CORRELATION_ID),
            ("content-type", "application/json"),
        ];
        post(path, &headers, body)
    }

    fn action(&self, operation: Operation, body: &str) -> Vec<u8> {
        self.post(&format!("/api/v2/keys/{}/actions/{operation}", self.key_id), body)
    }
}

/// Wraps twice and unwraps, and keeps the requests of both.
///
/// # Errors
/// A status other than 200, one ciphertext twice, or another plaintext than was wrapped.
async fn rehearse(name: &'static str, address: SocketAddr, pid: u32, access: &Access) -> Outcome<Target> {
    let plaintext = STANDARD.encode(PLAINTEXT);
    let wrap = access.action(Operation::Wrap, &format!(r#"{{"plaintext":"{plaintext}"}}"#));
    let mut connection = Connection::open(address).await?;
    let first: Wrapped = call(name, &mut connection, &wrap, 200).await?;
    let wrapped = body(name, &mut connection, &wrap, 200).await?;
    let second: Wrapped = parse(name, &wrapped)?;
    if first.ciphertext == second.ciphertext {
        return Err(format!("{name}: two wraps of one plaintext gave one ciphertext").into());
    }
    let ciphertext = second.ciphertext;
    let unwrap = access.action(Operation::Unwrap, &format!(r#"{{"ciphertext":"{ciphertext}"}}"#));
    let unwrapped = body(name, &mut connection, &unwrap, 200).await?;
    let opened: Unwrapped = parse(name, &unwrapped)?;
    if opened.plaintext != plaintext {
        return Err(format!("{name}: unwrap gave {}, wrapped was {plaintext}", opened.plaintext).into());
    }
    Ok(Target { name, address, pid, wrap, unwrap, wrapped, unwrapped })
}

async fn call<T: DeserializeOwned>(what: &str, connection: &mut Connection, request: &[u8], status: u16) -> Outcome<T> {
    parse(what, &body(what, connection, request, status).await?)
}

async fn body(what: &str, connection: &mut Connection, request: &[u8], status: u16) -> Outcome<Vec<u8>> {
    let reply = connection.exchange(request).await.map_err(|error| format!("{what}: {error}"))?;
    if reply.status != status {
        return Err(format!("{what}: expected {status}, got {}: {}", reply.status, reply.text()).into());
    }
    Ok(reply.body.to_vec())
}

fn parse<T: DeserializeOwned>(what: &str, body: &[u8]) -> Outcome<T> {
    serde_json::from_slice(body).map_err(|error| format!("{what}: the reply cannot be used: {error}").into())
}

fn address_of(url: &str) -> Outcome<SocketAddr> {
    url.strip_prefix("http://")
        .and_then(|address| address.parse().ok())
        .ok_or_else(|| format!("the ready file's address should be http://<ip>:<port>, not {url}").into())
}
