//! One connection to a server, with the requests made ready for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::process::BareLoop;
use crate::service::{Ready, Service};
use crate::{Direction, Outcome};

/// How long a server may do nothing before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(20);
const BUCKET: &str = "measured";

/// A server, and a place in it for one object.
pub(crate) struct Side<'o> {
    pub(crate) name: &'static str,
    pub(crate) pid: u32,
    object: &'o [u8],
    put: String,
    get: String,
    stream: TcpStream,
    buffer: Vec<u8>,
    /// True once what came back was compared with the object.
    compared: bool,
}

/// An object without a pattern that anything could be quicker with.
pub(crate) fn object(bytes: usize) -> Vec<u8> {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut object = Vec::with_capacity(bytes + 8);
    while object.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        object.extend_from_slice(&state.to_le_bytes());
    }
    object.truncate(bytes);
    object
}

impl<'o> Side<'o> {
    /// The bare server; `path` says whether it seals.
    pub(crate) fn of_bare(name: &'static str, bare: &BareLoop, path: &str, object: &'o [u8]) -> Outcome<Self> {
        Self::connect(name, bare.pid(), bare.address, path, "", object)
    }

    /// The service, with a bucket under a root key.
    pub(crate) fn of_service(name: &'static str, service: &Service, object: &'o [u8]) -> Outcome<Self> {
        let (address, fields) = bucket(&service.ready)?;
        Self::connect(name, service.pid(), address, &format!("/{BUCKET}/object"), &fields, object)
    }

    fn connect(
        name: &'static str,
        pid: u32,
        address: SocketAddr,
        path: &str,
        fields: &str,
        object: &'o [u8],
    ) -> Outcome<Self> {
        let stream = connect(address)?;
        let head = |method: &str, bytes: usize| {
            format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{fields}content-length: {bytes}\r\n\r\n")
        };
        let (put, get) = (head("PUT", object.len()), head("GET", 0));
        Ok(Self { name, pid, object, put, get, stream, buffer: vec![0; 256 * 1024], compared: false })
    }

    /// One request and its reply.
    pub(crate) fn exchange(&mut self, direction: Direction) -> Outcome<()> {
        let told = |error: Box<dyn std::error::Error + Send + Sync>| format!("{}: {error}", self.name);
        let outcome = match direction {
            Direction::Put => put(&mut self.stream, &self.put, self.object),
            Direction::Get => {
                let expected = (!self.compared).then_some(self.object);
                get(&mut self.stream, &self.get, self.object.len(), expected, &mut self.buffer)
            }
        };
        outcome.map_err(told)?;
        self.compared |= matches!(direction, Direction::Get);
        Ok(())
    }
}

fn connect(address: SocketAddr) -> Outcome<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn put(stream: &mut TcpStream, head: &str, object: &[u8]) -> Outcome<()> {
    stream.write_all(head.as_bytes())?;
    stream.write_all(object)?;
    let (length, _) = reply(stream)?;
    if length == 0 { Ok(()) } else { Err("a reply to PUT has a body".into()) }
}

fn get(stream: &mut TcpStream, head: &str, bytes: usize, expected: Option<&[u8]>, buffer: &mut [u8]) -> Outcome<()> {
    stream.write_all(head.as_bytes())?;
    let (length, rest) = reply(stream)?;
    if length != bytes {
        return Err(format!("{length} bytes came instead of {bytes}").into());
    }
    let mut read = rest.len();
    let same = |from: usize, part: &[u8]| expected.is_none_or(|all| all.get(from..from + part.len()) == Some(part));
    let mut good = same(0, &rest);
    while read < bytes {
        let part = match stream.read(buffer)? {
            0 => return Err("the server closed the connection".into()),
            part => part,
        };
        good &= same(read, buffer.get(..part).unwrap_or_default());
        read += part;
    }
    if good { Ok(()) } else { Err("other bytes came back".into()) }
}

/// Reads the head of a reply that must be 200: bytes of its body, and what came of it already.
fn reply(stream: &mut TcpStream) -> Outcome<(usize, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let good = line.starts_with("HTTP/1.1 200");
    let status = line.trim().to_owned();
    let mut length = 0;
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Err("the server closed the connection".into());
        }
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    if good { Ok((length, reader.buffer().to_vec())) } else { Err(format!("answered {status}").into()) }
}

/// Makes a root key and a bucket under it; the gateway's address, and header fields that let in.
fn bucket(ready: &Ready) -> Outcome<(SocketAddr, String)> {
    let form = format!("grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey={}", ready.api_key);
    let typed = "content-type: application/x-www-form-urlencoded\r\n";
    let token = json(&ready.iam_url, "POST", "/identity/token", typed, &form)?;
    let token = token.get("access_token").and_then(serde_json::Value::as_str).ok_or("no token")?;
    let bearer = format!("authorization: Bearer {token}\r\n");
    let key = serde_json::json!({
        "metadata": { "collectionType": "application/vnd.ibm.kms.key+json", "collectionTotal": 1 },
        "resources": [{ "type": "application/vnd.ibm.kms.key+json", "name": "measured", "extractable": false }],
    });
    let fields = format!("{bearer}bluemix-instance: {}\r\n", ready.instance_id);
    let key = json(&ready.url, "POST", "/api/v2/keys", &fields, &key.to_string())?;
    let crn = key.pointer("/resources/0/crn").and_then(serde_json::Value::as_str).ok_or("no root key")?;
    let info = json(&ready.url, "GET", "/mock/info", "", "")?;
    let told = |name: &str| info.get(name).and_then(serde_json::Value::as_str).ok_or("the service has no gateway");
    let address = address_of(told("cosUrl")?)?;
    let instance = format!("ibm-service-instance-id: {}\r\n", told("cosInstanceCrn")?);
    let head = format!(
        "PUT /{BUCKET} HTTP/1.1\r\nhost: localhost\r\n{bearer}{instance}\
         ibm-sse-kp-customer-root-key-crn: {crn}\r\ncontent-length: 0\r\n\r\n"
    );
    put(&mut connect(address)?, &head, &[])?;
    Ok((address, bearer))
}

/// One request of JSON or a form, and its reply as JSON.
fn json(url: &str, method: &str, path: &str, fields: &str, body: &str) -> Outcome<serde_json::Value> {
    let mut stream = connect(address_of(url)?)?;
    let length = body.len();
    stream.write_all(
        format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{fields}content-length: {length}\r\n\r\n{body}")
            .as_bytes(),
    )?;
    let mut all = String::new();
    stream.read_to_string(&mut all)?;
    let (head, body) = all.split_once("\r\n\r\n").ok_or("half a reply")?;
    serde_json::from_str(body).map_err(|_| format!("{path} was answered: {head}").into())
}

fn address_of(url: &str) -> Outcome<SocketAddr> {
    let address = url.strip_prefix("http://").ok_or("the service is not where it says")?;
    Ok(address.parse()?)
}
