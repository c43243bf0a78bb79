//! A socket and bytes: requests that no decent client would send, and a small keep-alive client for threads.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use serde_json::Value;

use super::dice::let_pass;

/// Longest wait for an answer, real time, unless a test says otherwise.
const PATIENCE: Duration = Duration::from_secs(8);

/// Bytes both ways, perhaps encrypted.
pub(crate) trait Duplex: Read + Write + Send {}

impl<T: Read + Write + Send> Duplex for T {}

/// A connection.
pub(crate) struct Raw {
    stream: Box<dyn Duplex>,
    /// The socket below.
    socket: TcpStream,
    /// Bytes that came after the answers read so far.
    kept: Vec<u8>,
}

/// A whole answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Status line and header fields.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Raw {
    /// Connects to `http://127.0.0.1:8490`.
    pub(crate) fn connect(url: &str) -> Self {
        Self::try_connect(url).expect("a connection")
    }

    /// Connects, or tells why not.
    pub(crate) fn try_connect(url: &str) -> Result<Self> {
        let socket = Self::socket(url.trim_start_matches("http://"))?;
        Ok(Self { stream: Box::new(socket.try_clone()?), socket, kept: Vec::new() })
    }

    /// A socket with our patience.
    pub(crate) fn socket(address: &str) -> Result<TcpStream> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(socket)
    }

    /// Over something that speaks on a socket.
    pub(crate) fn over(stream: impl Duplex + 'static, socket: TcpStream) -> Self {
        Self { stream: Box::new(stream), socket, kept: Vec::new() }
    }

    /// Without TLS, whatever the other side speaks.
    pub(crate) fn over_plain(address: &str) -> Self {
        let socket = Self::socket(address).expect("a connection");
        Self::over(socket.try_clone().expect("a second handle"), socket)
    }

    /// The first byte of what comes, if anything does.
    pub(crate) fn first_byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        self.stream.read_exact(&mut byte).ok().map(|()| byte[0])
    }

    /// Waits that long for answers, real time.
    pub(crate) fn patient(self, patience: Duration) -> Self {
        self.socket.set_read_timeout(Some(patience)).expect("a timeout");
        self
    }

    /// Sends bytes. That the other side has hung up already shows when the answer is read.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        drop(self.stream.write_all(bytes.as_ref()));
        self
    }

    /// Sends bytes; true when the other side takes no more.
    pub(crate) fn is_cut_off_when_sending(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_err()
    }

    /// Says that no more will be sent.
    pub(crate) fn finish(&mut self) -> &mut Self {
        drop(self.socket.shutdown(Shutdown::Write));
        self
    }

    /// The next answer; there must be one.
    #[track_caller]
    pub(crate) fn answer(&mut self) -> Answer {
        self.try_answer("GET").expect("an answer")
    }

    /// The next answer, to a request by `method`. An answer that does not come whole is `InvalidData`; any other error
    /// means that none of it came.
    pub(crate) fn try_answer(&mut self, method: &str) -> Result<Answer> {
        let mut begun = !self.kept.is_empty();
        let answer = self.read_answer(method, &mut begun);
        answer.map_err(
            |error| if begun { Error::new(ErrorKind::InvalidData, format!("cut short: {error}")) } else { error },
        )
    }

    fn read_answer(&mut self, method: &str, begun: &mut bool) -> Result<Answer> {
        let end = loop {
            if let Some(end) = position(&self.kept, b"\r\n\r\n") {
                break end;
            }
            self.more()?;
            *begun = true;
        };
        let head = String::from_utf8_lossy(&self.kept[..end]).into_owned();
        self.kept.drain(..end + 4);
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status: u16 = status.ok_or_else(|| Error::new(ErrorKind::InvalidData, head.clone()))?;
        let mut answer = Answer { status, head, body: Vec::new() };
        let no_body = method == "HEAD" || status < 200 || status == 204 || status == 304;
        if no_body {
            return Ok(answer);
        }
        if answer.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
            answer.body = self.chunks()?;
        } else if let Some(length) = answer.header("content-length").and_then(|length| length.parse().ok()) {
            answer.body = self.take(length)?;
        }
        Ok(answer)
    }

    /// True when the other side says nothing more and hangs up.
    pub(crate) fn is_over(&mut self) -> bool {
        if !self.kept.is_empty() {
            return false;
        }
        match self.stream.read(&mut [0; 64]) {
            Ok(read) => read == 0,
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }

    /// Reads that many whole MiB as they come, with a pause of real time after each.
    pub(crate) fn read_slowly(&mut self, mebibytes: usize, pause: Duration) -> Result<()> {
        let mut mebibyte = vec![0; 1024 * 1024];
        for _ in 0..mebibytes {
            self.stream.read_exact(&mut mebibyte)?;
            let_pass(pause);
        }
        Ok(())
    }

    fn more(&mut self) -> Result<()> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer)? {
            0 => Err(Error::new(ErrorKind::UnexpectedEof, "hung up")),
            read => {
                self.kept.extend_from_slice(&buffer[..read]);
                Ok(())
            }
        }
    }

    fn take(&mut self, length: usize) -> Result<Vec<u8>> {
        while self.kept.len() < length {
            self.more()?;
        }
        Ok(self.kept.drain(..length).collect())
    }

    fn chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                match position(&self.kept, b"\r\n") {
                    Some(end) => break end,
                    None => self.more()?,
                }
            };
            let line = self.take(end + 2)?;
            let size = String::from_utf8_lossy(&line[..end]).into_owned();
            let size = usize::from_str_radix(size.trim(), 16).map_err(|_| Error::new(ErrorKind::InvalidData, size))?;
            body.append(&mut self.take(size)?);
            self.take(2)?;
            if size == 0 {
                return Ok(body);
            }
        }
    }
}

impl Answer {
    /// A header field's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("not JSON: {}\n{}", self.head, String::from_utf8_lossy(&self.body)))
    }

    /// Asserts an error of Key Protect's envelope, or of our own APIs.
    #[track_caller]
    pub(crate) fn is_json_error(&self, status: u16) {
        assert_eq!(self.status, status, "{}\n{}", self.head, String::from_utf8_lossy(&self.body));
        let body = self.json();
        let key_protect = body["resources"][0]["errorMsg"].is_string();
        let ours = body["error"]["message"].is_string();
        let iam = body["errorCode"].is_string() || body["error_code"].is_string() || body["errors"].is_array();
        assert!(key_protect || ours || iam, "no error of ours: {body}");
    }
}

/// Where a part begins.
fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// A caller on one keep-alive connection, for threads. It connects anew when the connection has gone.
pub(crate) struct Caller {
    url: String,
    raw: Option<Raw>,
    /// Header fields of each request, with line ends.
    pub(crate) fields: String,
}

impl Caller {
    /// Without a connection yet.
    pub(crate) fn new(url: &str, fields: &str) -> Self {
        Self { url: url.to_owned(), raw: None, fields: fields.to_owned() }
    }

    /// One request and its whole answer. An error says nothing about whether the request was carried out.
    pub(crate) fn call(&mut self, method: &str, path: &str, body: &str) -> Result<Answer> {
        self.call_with("", method, path, body)
    }

    /// The same with more header fields.
    pub(crate) fn call_with(&mut self, fields: &str, method: &str, path: &str, body: &str) -> Result<Answer> {
        let mut raw = match self.raw.take() {
            Some(raw) => raw,
            None => Raw::try_connect(&self.url)?,
        };
        let host = self.url.trim_start_matches("http://");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\n{}{fields}content-length: {}\r\n\r\n{body}",
            self.fields,
            body.len()
        );
        raw.stream.write_all(request.as_bytes())?;
        let answer = raw.try_answer(method)?;
        if answer.header("connection").is_none_or(|connection| !connection.eq_ignore_ascii_case("close")) {
            self.raw = Some(raw);
        }
        Ok(answer)
    }

    /// A request that must succeed; its JSON, or null.
    #[track_caller]
    pub(crate) fn succeeds(&mut self, status: u16, method: &str, path: &str, body: &str) -> Value {
        let answer = self.call(method, path, body).expect("an answer");
        assert_eq!(answer.status, status, "{method} {path}: {}", String::from_utf8_lossy(&answer.body));
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }
}
