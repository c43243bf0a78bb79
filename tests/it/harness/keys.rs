//! Words of Key Protect's API.

use serde_json::{Value, json};

use super::{Call, Harness, Reply};

const KEY: &str = "application/vnd.ibm.kms.key+json";

/// The body of create for one resource.
pub(crate) fn creation(resource: &Value) -> Value {
    json!({ "metadata": { "collectionType": KEY, "collectionTotal": 1 }, "resources": [resource] })
}

impl Harness {
    /// A generated root key's id.
    pub(crate) async fn create_root_key(&self, name: &str) -> String {
        self.create(&json!({ "type": KEY, "name": name, "extractable": false })).await
    }

    /// An imported root key's id; `payload` is base64.
    pub(crate) async fn import_root_key(&self, name: &str, payload: &str) -> String {
        self.create(&json!({ "type": KEY, "name": name, "extractable": false, "payload": payload })).await
    }

    /// A generated standard key's id.
    pub(crate) async fn create_standard_key(&self, name: &str) -> String {
        self.create(&json!({ "type": KEY, "name": name, "extractable": true })).await
    }

    /// A root key's id that takes two people to delete.
    pub(crate) async fn create_dual_auth_key(&self, name: &str) -> String {
        let resource = json!({ "name": name, "extractable": false, "dualAuthDelete": { "enabled": true } });
        let reply = self.post("/api/v2/keys_with_policy_overrides").json(&creation(&resource)).send().await;
        id_of(&reply.succeeds(201))
    }

    /// Creates a key that must be accepted; its id.
    pub(crate) async fn create(&self, resource: &Value) -> String {
        id_of(&self.try_create(resource).await.succeeds(201))
    }

    /// Tries to create a key.
    pub(crate) async fn try_create(&self, resource: &Value) -> Reply {
        self.post("/api/v2/keys").json(&creation(resource)).send().await
    }

    /// `POST /keys/{id}/actions/{action}`
    pub(crate) fn action(&self, key: &str, action: &str) -> Call<'_> {
        self.post(&format!("/api/v2/keys/{key}/actions/{action}"))
    }

    pub(crate) async fn disable(&self, key: &str) -> Reply {
        self.action(key, "disable").send().await
    }

    pub(crate) async fn enable(&self, key: &str) -> Reply {
        self.action(key, "enable").send().await
    }

    pub(crate) async fn rotate(&self, key: &str) -> Reply {
        self.action(key, "rotate").send().await
    }

    pub(crate) async fn delete_key(&self, key: &str) -> Reply {
        self.delete(&format!("/api/v2/keys/{key}")).send().await
    }

    pub(crate) async fn restore(&self, key: &str) -> Reply {
        self.post(&format!("/api/v2/keys/{key}/restore")).send().await
    }

    pub(crate) async fn purge(&self, key: &str) -> Reply {
        self.delete(&format!("/api/v2/keys/{key}/purge")).send().await
    }

    /// The key's full form.
    pub(crate) async fn metadata(&self, key: &str) -> Value {
        let reply = self.get(&format!("/api/v2/keys/{key}/metadata")).send().await;
        reply.succeeds(200)["resources"][0].clone()
    }

    /// A ciphertext of base64 plaintext.
    pub(crate) async fn wrap(&self, key: &str, plaintext: &str) -> String {
        let reply = self.action(key, "wrap").json(&json!({ "plaintext": plaintext })).send().await;
        reply.succeeds(200)["ciphertext"].as_str().unwrap().to_owned()
    }

    /// Tries to open a ciphertext.
    pub(crate) async fn unwrap(&self, key: &str, ciphertext: &str) -> Reply {
        self.action(key, "unwrap").json(&json!({ "ciphertext": ciphertext })).send().await
    }
}

/// The id of the one key in a collection.
pub(crate) fn id_of(collection: &Value) -> String {
    collection["resources"][0]["id"].as_str().expect("an id").to_owned()
}
