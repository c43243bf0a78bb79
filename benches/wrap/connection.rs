//! One keep-alive connection that sends prebuilt requests and reads as little of a reply as it must.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::Pin;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;

use crate::Outcome;

/// The longest reply, head and body, that a connection can hold.
const REPLY_BYTES_MAX: usize = 64 * 1024;

/// The bytes of a POST request as both servers get them: no header tells whom it is for.
pub(crate) fn post(path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut request = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n");
    for (name, value) in headers {
        request.push_str(name);
        request.push_str(": ");
        request.push_str(value);
        request.push_str("\r\n");
    }
    request.push_str("content-length: ");
    request.push_str(&body.len().to_string());
    request.push_str("\r\n\r\n");
    request.push_str(body);
    request.into_bytes()
}

/// An open connection and the last reply that it read.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// Status and body of a reply.
pub(crate) struct Reply<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Reply<'_> {
    /// The body as text, for a message.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(self.body).into_owned()
    }
}

/// What is needed of a reply's head.
struct Head {
    status: u16,
    /// Bytes before the body.
    length: usize,
    /// Bytes of the body.
    content_length: usize,
}

impl Connection {
    /// Connects, without Nagle's delay.
    pub(crate) async fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; REPLY_BYTES_MAX] })
    }

    /// Sends one request and reads its whole reply.
    ///
    /// # Errors
    /// The connection broke, or the reply is not HTTP/1.1 with a `Content-Length`.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Outcome<Reply<'_>> {
        self.send(request).await?;
        let mut filled = 0;
        let head = loop {
            filled = self.receive(filled).await?;
            if let Some(head) = Head::parse(self.buffer.get(..filled).unwrap_or_default())? {
                break head;
            }
        };
        let end = head.length + head.content_length;
        while filled < end {
            filled = self.receive(filled).await?;
        }
        if filled > end {
            return Err("the server sent more than one reply to one request".into());
        }
        let body = self.buffer.get(head.length..end).unwrap_or_default();
        Ok(Reply { status: head.status, body })
    }

    async fn send(&self, mut bytes: &[u8]) -> Outcome<()> {
        while !bytes.is_empty() {
            match self.stream.try_write(bytes) {
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.stream.writable().await?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads what is there behind the first `filled` bytes, waiting for some; the new number of bytes.
    ///
    /// `poll_read` knows that a short read emptied the socket; `try_read` would ask the kernel once more each time.
    async fn receive(&mut self, filled: usize) -> Outcome<usize> {
        let room = self.buffer.get_mut(filled..).unwrap_or_default();
        if room.is_empty() {
            return Err("a reply is longer than 64 KiB".into());
        }
        let mut room = ReadBuf::new(room);
        poll_fn(|context| Pin::new(&mut self.stream).poll_read(context, &mut room)).await?;
        match room.filled().len() {
            0 => Err("the server closed the connection".into()),
            read => Ok(filled + read),
        }
    }
}

impl Head {
    /// Reads the head of a reply; `None` when it is not complete yet.
    fn parse(bytes: &[u8]) -> Outcome<Option<Self>> {
        let mut status = None;
        let mut body = None;
        let mut length = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let Some(text) = line.strip_suffix(b"\r\n") else {
                return Ok(None);
            };
            length += line.len();
            if text.is_empty() {
                return Ok(Some(Self {
                    status: status.ok_or("a reply does not begin with an HTTP/1.1 status line")?,
                    length,
                    content_length: body.ok_or("a reply has no Content-Length, or not a number")?,
                }));
            }
            if length == line.len() {
                status = status_of(text);
            } else if let Some(value) = content_length(text) {
                body = Some(value);
            }
        }
        Ok(None)
    }
}

fn status_of(line: &[u8]) -> Option<u16> {
    let digits = line.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The number of a `Content-Length` line; `None` for any other line.
fn content_length(line: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let (name, value) = line.split_at_checked(NAME.len())?;
    if !name.eq_ignore_ascii_case(NAME) {
        return None;
    }
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}
