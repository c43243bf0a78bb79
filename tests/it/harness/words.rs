//! More words of the key API: lists, texts in base64 and in queries, other callers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::keys::creation;
use super::{Harness, Reply};

/// Base64 of bytes, padded.
pub(crate) fn base64_of(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of a base64 text.
pub(crate) fn bytes_of(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap_or_else(|_| panic!("not base64: {text}"))
}

/// A text as it stands in a query.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// True for a UUID of version 4 in lower case.
pub(crate) fn is_uuid_v4(text: &str) -> bool {
    let form = text.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        14 => byte == b'4',
        19 => matches!(byte, b'8' | b'9' | b'a' | b'b'),
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    });
    text.len() == 36 && form
}

/// Names of the members of an object, sorted.
pub(crate) fn members(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

impl Harness {
    /// Tries to create a key with policies of its own.
    pub(crate) async fn try_create_with_policies(&self, resource: &Value) -> Reply {
        self.post("/api/v2/keys_with_policy_overrides").json(&creation(resource)).send().await
    }

    /// A whole list of keys; `query` without the question mark.
    pub(crate) async fn list(&self, query: &str) -> Value {
        self.get(&format!("/api/v2/keys?{query}")).send().await.succeeds(200)
    }

    /// Names of the keys in a list, in its order.
    pub(crate) async fn names(&self, query: &str) -> Vec<String> {
        let list = self.list(query).await;
        let keys = list["resources"].as_array().cloned().unwrap_or_default();
        assert_eq!(list["metadata"]["collectionTotal"], keys.len());
        keys.iter().map(|key| key["name"].as_str().expect("a name").to_owned()).collect()
    }

    /// What HEAD counts.
    pub(crate) async fn total(&self, query: &str) -> String {
        let reply = self.head(&format!("/api/v2/keys?{query}")).send().await;
        reply.succeeds(200);
        reply.header("key-total").expect("key-total").to_owned()
    }

    /// Token of the Object Storage instance, which is a Reader.
    pub(crate) async fn reader_token(&self) -> String {
        let instance = self.info["cosInstanceCrn"].as_str().expect("cosInstanceCrn").to_owned();
        self.service_token(&instance).await
    }

    /// Token of a service instance, which has the roles of its authorizations and no others.
    pub(crate) async fn service_token(&self, crn: &str) -> String {
        let form = format!(
            "grant_type=urn:ibm:params:oauth:grant-type:iam-authz&access_token={}&desired_iam_id={}",
            self.token,
            encoded(&format!("crn-{crn}"))
        );
        let reply = self.post("/identity/token").form(&form).send().await.succeeds(200);
        reply["access_token"].as_str().expect("access_token").to_owned()
    }
}

impl Reply {
    /// `errorMsg` of a refusal.
    pub(crate) fn error_msg(&self) -> String {
        self.json()["resources"][0]["errorMsg"].as_str().expect("errorMsg").to_owned()
    }

    /// The one resource of a collection.
    #[track_caller]
    pub(crate) fn resource(&self, status: u16) -> Value {
        let body = self.succeeds(status);
        assert_eq!(body["metadata"]["collectionTotal"], 1, "{body}");
        assert_eq!(body["resources"].as_array().map(Vec::len), Some(1), "{body}");
        body["resources"][0].clone()
    }
}
