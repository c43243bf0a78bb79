//! Requests to the service, as its owner and as the storage instance.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::Outcome;
use crate::service::Ready;

/// A client with tokens.
pub(crate) struct Client {
    pool: Pool<HttpConnector, Full<Bytes>>,
    url: String,
    iam_url: String,
    instance: String,
    /// CRN of the storage instance, without its two colons at the end.
    storage: String,
    owner: String,
    service: String,
}

impl Client {
    /// Gets the tokens.
    pub(crate) async fn connect(ready: &Ready) -> Outcome<Self> {
        let mut client = Self {
            pool: Pool::builder(TokioExecutor::new()).build_http(),
            url: ready.url.clone(),
            iam_url: ready.iam_url.clone(),
            instance: ready.instance_id.clone(),
            storage: String::new(),
            owner: String::new(),
            service: String::new(),
        };
        let info = client.send(Method::GET, "/mock/info", "", None).await?;
        let crn = info["cosInstanceCrn"].as_str().ok_or("no cosInstanceCrn")?;
        client.storage = crn.trim_end_matches(':').to_owned();
        let owner = format!("grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey={}", ready.api_key);
        client.owner = client.token(&owner).await?;
        let identity = utf8_percent_encode(&format!("crn-{crn}"), NON_ALPHANUMERIC).to_string();
        let service = format!(
            "grant_type=urn:ibm:params:oauth:grant-type:iam-authz&access_token={}&desired_iam_id={identity}",
            client.owner
        );
        client.service = client.token(&service).await?;
        Ok(client)
    }

    async fn token(&self, form: &str) -> Outcome<String> {
        let body = Some(("application/x-www-form-urlencoded", form.to_owned()));
        let reply = self.send(Method::POST, "/identity/token", "", body).await?;
        Ok(reply["access_token"].as_str().ok_or("no token")?.to_owned())
    }

    /// Posts JSON as the owner.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Outcome<Value> {
        self.send(Method::POST, path, &self.owner, Some(("application/json", body.to_string()))).await
    }

    /// A root key, rotated each month or when asked; its id.
    pub(crate) async fn create_key(&self, monthly: bool) -> Outcome<String> {
        let mut resource = json!({ "name": "bench", "extractable": false });
        let mut path = "/api/v2/keys";
        if monthly {
            resource["rotation"] = json!({ "interval_month": 1 });
            path = "/api/v2/keys_with_policy_overrides";
        }
        let kind = "application/vnd.ibm.kms.key+json";
        let body = json!({ "metadata": { "collectionType": kind, "collectionTotal": 1 }, "resources": [resource] });
        let made = self.post(path, &body).await?;
        Ok(made["resources"][0]["id"].as_str().ok_or("no id")?.to_owned())
    }

    /// Registers a bucket.
    pub(crate) async fn register(&self, key: &str, number: usize) -> Outcome<()> {
        let crn = format!("{}:bucket:bench-{number}", self.storage);
        let path = format!("/api/v2/keys/{key}/registrations/{}", utf8_percent_encode(&crn, NON_ALPHANUMERIC));
        self.send(Method::POST, &path, &self.service, None).await.map(drop)
    }

    /// Rotates a key.
    pub(crate) async fn rotate(&self, key: &str) -> Outcome<()> {
        self.send(Method::POST, &format!("/api/v2/keys/{key}/actions/rotate"), &self.owner, None).await.map(drop)
    }

    async fn send(&self, method: Method, path: &str, token: &str, body: Option<(&str, String)>) -> Outcome<Value> {
        let base = if path.starts_with("/identity") { &self.iam_url } else { &self.url };
        let mut request = Request::builder().method(method).uri(format!("{base}{path}"));
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if path.starts_with("/api/v2") {
            request = request.header("bluemix-instance", &self.instance);
        }
        let mut bytes = Bytes::new();
        if let Some((kind, text)) = body {
            request = request.header("content-type", kind);
            bytes = Bytes::from(text);
        }
        let response = self.pool.request(request.body(Full::new(bytes))?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            return Err(format!("{path}: {status}: {}", String::from_utf8_lossy(&body)).into());
        }
        if body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&body)?) }
    }
}
