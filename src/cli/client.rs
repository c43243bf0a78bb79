//! A small HTTP client for the running service.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use thiserror::Error;

use crate::config::Running;

/// Real time for an answer; an advance over many due rows takes longest.
const DEADLINE: Duration = Duration::from_mins(2);
/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Why there is no answer, in one line.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error(
        "no service answers at {url} ({why}); start one with `mock-key-protect`, or name it with --url or --ready-file"
    )]
    Unreachable { url: String, why: String },
    #[error(
        "{url} wants the admin token: give it with --admin-token or MKP_ADMIN_TOKEN, or name the ready file with --ready-file"
    )]
    TokenWanted { url: String },
    #[error("{url} answered {status}: {message}")]
    Refused { url: String, status: u16, message: String },
    #[error("{url} answered something else than a service of mock-key-protect would")]
    Strange { url: String },
}

/// The running service.
pub(crate) struct ServiceClient {
    base: String,
    admin_token: Option<String>,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl ServiceClient {
    /// At `--url`, else where the ready file says, else at the address that `serve` would take.
    ///
    /// # Errors
    /// When the ready file cannot be read, or the address is none of plain HTTP.
    pub(crate) fn new(running: &Running) -> Result<Self, String> {
        let ready = match (&running.url, &running.ready_file) {
            (None, Some(path)) => {
                let unreadable = |why: String| {
                    format!(
                        "no service: the ready file {} cannot be read: {why}; is the service running?",
                        path.display()
                    )
                };
                let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
                Some(serde_json::from_str::<Value>(&text).map_err(|_| unreadable("it holds no JSON".to_owned()))?)
            }
            (Some(_), _) | (None, None) => None,
        };
        let told = |name: &str| ready.as_ref().and_then(|ready| text(ready, &format!("/{name}"))).map(str::to_owned);
        let host = match running.host {
            std::net::IpAddr::V4(host) if host.is_unspecified() => "127.0.0.1".to_owned(),
            std::net::IpAddr::V4(host) => host.to_string(),
            std::net::IpAddr::V6(host) if host.is_unspecified() => "[::1]".to_owned(),
            std::net::IpAddr::V6(host) => format!("[{host}]"),
        };
        let base =
            running.url.clone().or_else(|| told("url")).unwrap_or_else(|| format!("http://{host}:{}", running.port));
        check(&base)?;
        let admin_token = running.admin_token.clone().or_else(|| told("adminToken"));
        let client = Client::builder(TokioExecutor::new()).build_http();
        Ok(Self { base: base.trim_end_matches('/').to_owned(), admin_token, client })
    }

    /// `GET` of a path.
    ///
    /// # Errors
    /// When nobody answers, or with something else than success.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.send(Method::GET, path, None).await
    }

    /// True when the service takes requests. `/mock/ready` may want a token, which a container's health check has not; the
    /// keys that verify tokens are anybody's.
    ///
    /// # Errors
    /// As [`ServiceClient::get`].
    pub(crate) async fn is_ready(&self) -> Result<(), Failure> {
        let reply = match self.get("/mock/ready").await {
            Err(Failure::TokenWanted { .. }) => self.get("/identity/keys").await,
            reply => reply,
        };
        reply.map(|_| ())
    }

    /// `POST` of a JSON body to a path.
    ///
    /// # Errors
    /// As [`ServiceClient::get`].
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.send(Method::POST, path, Some(("application/json", body.to_string()))).await
    }

    /// `POST` of a form to a path.
    ///
    /// # Errors
    /// As [`ServiceClient::get`].
    pub(crate) async fn post_form(&self, path: &str, form: String) -> Result<Value, Failure> {
        self.send(Method::POST, path, Some(("application/x-www-form-urlencoded", form))).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<(&str, String)>) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.base);
        let unreachable = |why: String| Failure::Unreachable { url: self.base.clone(), why };
        let mut request = Request::builder().method(method).uri(&url);
        if let Some(token) = &self.admin_token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = match body {
            None => Full::default(),
            Some((content_type, text)) => {
                request = request.header("content-type", content_type);
                Full::from(text)
            }
        };
        let request = request.body(body).map_err(|error| unreachable(error.to_string()))?;
        let answer = tokio::time::timeout(DEADLINE, self.answer(request)).await;
        let (status, answer) =
            answer.map_err(|_| unreachable("it did not answer in time".to_owned()))?.map_err(unreachable)?;
        let value: Option<Value> = serde_json::from_slice(&answer).ok();
        if (200..300).contains(&status) {
            return value.ok_or(Failure::Strange { url });
        }
        if status == 401 && path.starts_with("/mock/") {
            return Err(Failure::TokenWanted { url });
        }
        let pointers = ["/error/message", "/errorMessage", "/status"];
        let message = value.as_ref().and_then(|value| pointers.into_iter().find_map(|pointer| text(value, pointer)));
        Err(Failure::Refused { url, status, message: message.unwrap_or("no reason given").to_owned() })
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Result<(u16, Bytes), String> {
        let response = self.client.request(request).await.map_err(|error| chain(&error))?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        Ok((status, body.map_err(|error| error.to_string())?.to_bytes()))
    }
}

/// Only plain HTTP is spoken here.
fn check(url: &str) -> Result<(), String> {
    match url.split_once("://") {
        Some(("http", rest)) if !rest.is_empty() => Ok(()),
        Some(("https", _)) => {
            Err(format!("{url}: commands speak http; name the service's http:// address with --url or MKP_URL"))
        }
        Some(_) | None => {
            Err(format!("{url} is no address of a service; --url and MKP_URL need one such as http://127.0.0.1:8490"))
        }
    }
}

/// The text at a JSON pointer.
pub(crate) fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// The innermost cause says most.
fn chain(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}
