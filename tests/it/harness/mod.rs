//! A real service on port 0 with a temporary folder, and words to talk to it.

pub(crate) mod dice;
pub(crate) mod events;
pub(crate) mod faults;
pub(crate) mod files;
pub(crate) mod gateway;
pub(crate) mod golden;
pub(crate) mod grants;
pub(crate) mod keys;
pub(crate) mod kmip;
pub(crate) mod policies;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod raw;
pub(crate) mod receiver;
pub(crate) mod reply;
pub(crate) mod role_table;
pub(crate) mod signing;
pub(crate) mod spec;
pub(crate) mod tls;
pub(crate) mod wire;
pub(crate) mod words;

use std::collections::BTreeMap;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use mock_key_protect::{Config, Invocation, Service};
use serde_json::{Value, json};

pub(crate) use reply::Reply;

/// A running service with a caller who may do everything. Dropped, it asserts that no fault was logged.
pub(crate) struct Harness {
    /// None when it is a process of its own.
    service: Option<Service>,
    client: Client<HttpConnector, Full<Bytes>>,
    pub(crate) url: String,
    pub(crate) info: Value,
    /// Bearer token of the account's owner.
    pub(crate) token: String,
    pub(crate) instance: String,
}

/// A request that is being put together.
pub(crate) struct Call<'h> {
    harness: &'h Harness,
    method: Method,
    path: String,
    headers: BTreeMap<String, String>,
    body: Bytes,
}

impl Harness {
    /// With the real time.
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With a clock that moves by [`Harness::advance`] alone.
    pub(crate) async fn frozen_at(instant: &str) -> Self {
        Self::with(&["--clock", &format!("frozen@{instant}")]).await
    }

    /// With options of `serve`.
    pub(crate) async fn with(options: &[&str]) -> Self {
        let mut line = vec!["mock-key-protect", "serve", "--port", "0", "--cos-port", "off", "--ephemeral"];
        line.extend(options);
        Self::start(config(&line)).await
    }

    /// With a whole configuration.
    pub(crate) async fn start(config: Box<Config>) -> Self {
        faults::watch();
        let service = Service::start(*config).await.expect("the service starts");
        let info: Value = serde_json::from_str(&service.info()).expect("info is JSON");
        Self::of(info, Some(service)).await
    }

    /// With state in a folder, where it finds what an earlier one has left.
    pub(crate) async fn in_folder(folder: &std::path::Path, options: &[&str]) -> Self {
        let folder = folder.to_str().expect("a path of text");
        let mut line = vec!["mock-key-protect", "serve", "--port", "0", "--cos-port", "off", "--data-dir", folder];
        line.extend(options);
        Self::start(config(&line)).await
    }

    /// For a service that runs as a process of its own; `info` is its ready file's content.
    pub(crate) async fn attached(info: Value) -> Self {
        Self::of(info, None).await
    }

    async fn of(info: Value, service: Option<Service>) -> Self {
        let mut harness = Self {
            url: info["url"].as_str().unwrap().to_owned(),
            service,
            client: Client::builder(TokioExecutor::new()).build_http(),
            instance: info["instanceId"].as_str().unwrap().to_owned(),
            info,
            token: String::new(),
        };
        let owner = harness.info["apiKey"].as_str().unwrap().to_owned();
        harness.token = harness.token_for(&owner).await;
        harness
    }

    /// A clean stop.
    pub(crate) async fn stop(mut self) {
        self.service.take().expect("a service of this process").stop().await;
    }

    /// A token for an API key: another key is another person.
    pub(crate) async fn token_for(&self, api_key: &str) -> String {
        let form = format!("grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey={api_key}");
        let reply = self.post("/identity/token").form(&form).send().await.succeeds(200);
        reply["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path)
    }

    pub(crate) fn head(&self, path: &str) -> Call<'_> {
        self.call(Method::HEAD, path)
    }

    pub(crate) fn post(&self, path: &str) -> Call<'_> {
        self.call(Method::POST, path)
    }

    pub(crate) fn put(&self, path: &str) -> Call<'_> {
        self.call(Method::PUT, path)
    }

    pub(crate) fn patch(&self, path: &str) -> Call<'_> {
        self.call(Method::PATCH, path)
    }

    pub(crate) fn delete(&self, path: &str) -> Call<'_> {
        self.call(Method::DELETE, path)
    }

    /// A request as the owner, to the built-in instance where the path is of Key Protect.
    pub(crate) fn call(&self, method: Method, path: &str) -> Call<'_> {
        let mut headers = BTreeMap::new();
        if !self.token.is_empty() {
            headers.insert("authorization".to_owned(), format!("Bearer {}", self.token));
        }
        if path.starts_with("/api/v2") {
            headers.insert("bluemix-instance".to_owned(), self.instance.clone());
        }
        Call { harness: self, method, path: path.to_owned(), headers, body: Bytes::new() }
    }

    /// Moves the virtual clock; what ran on the way.
    pub(crate) async fn advance(&self, by: &str) -> Value {
        self.post("/mock/clock/advance").json(&json!({ "by": by })).send().await.succeeds(200)
    }

    /// The virtual time.
    pub(crate) async fn now(&self) -> String {
        let clock = self.get("/mock/clock").send().await.succeeds(200);
        clock["now"].as_str().unwrap().to_owned()
    }

    /// Audit records that match a query such as `action=kms.secrets.wrap`.
    pub(crate) async fn audit(&self, query: &str) -> Vec<Value> {
        let reply = self.get(&format!("/mock/audit-events?{query}")).send().await.succeeds(200);
        reply["auditEvents"].as_array().unwrap().clone()
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            faults::none_logged();
        }
    }
}

impl Call<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// As another caller.
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = Bytes::from(body.to_string());
        self.header("content-type", "application/json")
    }

    pub(crate) fn form(mut self, body: &str) -> Self {
        self.body = Bytes::from(body.to_owned());
        self.header("content-type", "application/x-www-form-urlencoded")
    }

    /// A body as it is, without a content type.
    pub(crate) fn raw(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends the request; the reply is checked against `openapi.yaml` where that describes the path.
    pub(crate) async fn send(self) -> Reply {
        // The gateway's paths come with their address.
        let elsewhere = self.path.starts_with("http://");
        let address = if elsewhere { "" } else { &self.harness.url };
        let mut request = Request::builder().method(self.method.clone()).uri(format!("{address}{}", self.path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::from(self.body)).expect("a request");
        let response = self.harness.client.request(request).await.expect("an answer");
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        let reply = Reply {
            called: format!("{} {}", self.method, self.path),
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        };
        if !elsewhere {
            spec::check(self.method.as_str(), &self.path, &reply);
        }
        reply
    }
}

/// The configuration of a command line.
pub(crate) fn config(line: &[&str]) -> Box<Config> {
    let Invocation::Serve(config) = Invocation::parse(line) else { panic!("{line:?} does not serve") };
    config
}
