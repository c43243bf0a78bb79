//! Words for the storage gateway: buckets, objects, and what `/mock/buckets` knows of them.

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};

use super::{Call, Harness, Reply, config};

/// When the clock of these tests begins.
pub(crate) const START: &str = "2027-01-01T00:00:00Z";

impl Harness {
    /// With the gateway, and a clock that moves by [`Harness::advance`] alone.
    pub(crate) async fn with_gateway() -> Self {
        Self::with_gateway_and(&[]).await
    }

    /// With the gateway and further options of `serve`.
    pub(crate) async fn with_gateway_and(options: &[&str]) -> Self {
        let clock = format!("frozen@{START}");
        let mut line = vec!["mock-key-protect", "serve", "--port", "0", "--cos-port", "0", "--clock", &clock];
        line.extend(["--ephemeral"]);
        line.extend(options);
        Self::start(config(&line)).await
    }

    /// With the gateway, and state in a folder, where it finds what an earlier one has left.
    pub(crate) async fn with_gateway_in(folder: &std::path::Path) -> Self {
        let clock = format!("frozen@{START}");
        let folder = folder.to_str().expect("a path of text");
        let line =
            ["mock-key-protect", "serve", "--port", "0", "--cos-port", "0", "--clock", &clock, "--data-dir", folder];
        Self::start(config(&line)).await
    }

    /// A request to the gateway, as the owner; the built-in storage instance is named.
    pub(crate) fn s3(&self, method: Method, path: &str) -> Call<'_> {
        let gateway = self.info["cosUrl"].as_str().expect("a gateway");
        let instance = self.info["cosInstanceCrn"].as_str().unwrap();
        self.call(method, &format!("{gateway}{path}")).header("ibm-service-instance-id", instance)
    }

    /// The CRN of a root key of the built-in instance.
    pub(crate) fn key_crn(&self, key: &str) -> String {
        let instance = self.info["instanceCrn"].as_str().unwrap();
        format!("{}:key:{key}", instance.trim_end_matches("::"))
    }

    /// The creation of a bucket under a root key, to be sent.
    pub(crate) fn creating(&self, bucket: &str, root_key_crn: &str) -> Call<'_> {
        self.s3(Method::PUT, &format!("/{bucket}"))
            .header("ibm-sse-kp-encryption-algorithm", "AES256")
            .header("ibm-sse-kp-customer-root-key-crn", root_key_crn)
    }

    /// Makes a bucket without a root key.
    pub(crate) async fn plain_bucket(&self, bucket: &str) {
        self.s3(Method::PUT, &format!("/{bucket}")).send().await.answers(200);
    }

    /// Makes a bucket under a root key.
    pub(crate) async fn sealed_bucket(&self, bucket: &str, key: &str) {
        self.creating(bucket, &self.key_crn(key)).send().await.answers(200);
    }

    /// Stores an object; path is `bucket/key`.
    pub(crate) async fn put_object(&self, path: &str, bytes: impl Into<Bytes>) -> Reply {
        self.s3(Method::PUT, &format!("/{path}")).raw(bytes).send().await
    }

    /// Reads an object.
    pub(crate) async fn get_object(&self, path: &str) -> Reply {
        self.s3(Method::GET, &format!("/{path}")).send().await
    }

    /// Reads an object's headers.
    pub(crate) async fn head_object(&self, path: &str) -> Reply {
        self.s3(Method::HEAD, &format!("/{path}")).send().await
    }

    /// Deletes an object or a bucket.
    pub(crate) async fn remove(&self, path: &str) -> Reply {
        self.s3(Method::DELETE, &format!("/{path}")).send().await
    }

    /// What the gateway knows of a bucket beyond S3.
    pub(crate) async fn bucket_state(&self, bucket: &str) -> Value {
        self.get(&format!("/mock/buckets/{bucket}")).send().await.succeeds(200)
    }

    /// Gives a bucket another date of creation.
    pub(crate) async fn age(&self, bucket: &str, date: &str) -> Value {
        let body = json!({ "creationDate": date });
        self.patch(&format!("/mock/buckets/{bucket}")).json(&body).send().await.succeeds(200)
    }

    /// Registrations of a key.
    pub(crate) async fn registrations(&self, key: &str) -> Vec<Value> {
        let reply = self.get(&format!("/api/v2/keys/{key}/registrations")).send().await.succeeds(200);
        reply["resources"].as_array().unwrap().clone()
    }

    /// Turns a switch of the service.
    pub(crate) async fn set(&self, setting: &str, value: &Value) {
        self.patch("/mock/settings").json(&json!({ setting: value })).send().await.succeeds(200);
    }

    /// Records that tell of a root key's events at a bucket.
    pub(crate) async fn key_records(&self, bucket: &str) -> Vec<Value> {
        let target = self.bucket(bucket);
        self.audit(&format!("action=cloud-object-storage.bucket-key-state.update&target={target}")).await
    }
}

/// The text of the first element of that name.
pub(crate) fn element(xml: &str, name: &str) -> Option<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let (_, rest) = xml.split_once(&open)?;
    rest.split_once(&close).map(|(text, _)| text.replace("&quot;", "\"").replace("&amp;", "&"))
}
