//! Bytes on a socket, for requests that no HTTP client would send.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Real time for a whole answer.
const ANSWER_DEADLINE: Duration = Duration::from_secs(20);

/// Status and body of an answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// A connection to a service.
pub(crate) async fn connect(url: &str) -> TcpStream {
    let address = url.strip_prefix("http://").expect("an address of HTTP");
    TcpStream::connect(address).await.expect("a connection")
}

/// Sends a request as it stands and reads the answer until the connection ends; it should ask for `Connection: close`.
pub(crate) async fn exchange(url: &str, request: &str) -> Answer {
    parse(&answered(url, request).await)
}

/// All that comes back until the connection ends, however it ends.
pub(crate) async fn all_of(url: &str, request: &str) -> String {
    String::from_utf8_lossy(&answered(url, request).await).into_owned()
}

async fn answered(url: &str, request: &str) -> Vec<u8> {
    let mut stream = connect(url).await;
    stream.write_all(request.as_bytes()).await.expect("the request is taken");
    let mut bytes = Vec::new();
    let read = timeout(ANSWER_DEADLINE, stream.read_to_end(&mut bytes)).await;
    read.expect("an answer in time").expect("an answer");
    bytes
}

/// Splits an answer into its parts.
pub(crate) fn parse(bytes: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("not a whole answer: {text:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Answer {
        status: status.unwrap_or_else(|| panic!("no status: {head}")),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}
