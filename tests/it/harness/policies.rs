//! Words of policies.

use serde_json::{Value, json};

use super::{Harness, Reply};

/// Media type of policies.
pub(crate) const POLICY: &str = "application/vnd.ibm.kms.policy+json";

/// The body that sets policies.
pub(crate) fn collection(resources: &[Value]) -> Value {
    json!({ "metadata": { "collectionType": POLICY, "collectionTotal": resources.len() }, "resources": resources })
}

impl Harness {
    /// `PUT /keys/{id}/policies` with one policy that the query names.
    pub(crate) async fn set_policy(&self, key: &str, kind: &str, policy: &Value) -> Reply {
        let body = collection(&[json!({ "type": POLICY, kind: policy })]);
        self.put(&format!("/api/v2/keys/{key}/policies?policy={kind}")).json(&body).send().await
    }

    /// `PUT /keys/{id}/policies` without a query.
    pub(crate) async fn set_policies(&self, key: &str, body: &Value) -> Reply {
        self.put(&format!("/api/v2/keys/{key}/policies")).json(body).send().await
    }

    /// Policies of a key, in the order of the reply.
    pub(crate) async fn policies(&self, key: &str) -> Vec<Value> {
        let body = self.get(&format!("/api/v2/keys/{key}/policies")).send().await.succeeds(200);
        assert_eq!(body["metadata"]["collectionTotal"], body["resources"].as_array().unwrap().len());
        body["resources"].as_array().unwrap().clone()
    }

    /// `PUT /instance/policies` with one policy that the query names.
    pub(crate) async fn set_instance_policy(&self, kind: &str, data: &Value) -> Reply {
        let body = collection(&[json!({ "policy_type": kind, "policy_data": data })]);
        self.put(&format!("/api/v2/instance/policies?policy={kind}")).json(&body).send().await
    }

    /// The same, which must be accepted.
    pub(crate) async fn instance_policy(&self, kind: &str, data: &Value) {
        let reply = self.set_instance_policy(kind, data).await;
        assert_eq!(reply.succeeds(204), Value::Null);
    }

    /// Policies of the built-in instance, in the order of the reply.
    pub(crate) async fn instance_policies(&self, query: &str) -> Vec<Value> {
        let reply = self.get(&format!("/api/v2/instance/policies{query}")).send().await;
        assert_eq!(reply.header("content-type"), Some(POLICY));
        let body = reply.succeeds(200);
        assert_eq!(body["metadata"]["collectionTotal"], body["resources"].as_array().unwrap().len());
        body["resources"].as_array().unwrap().clone()
    }
}
