//! Words for events: subscribers, deliveries, acknowledgements, buckets whose service listens.

use serde_json::{Value, json};

use super::receiver::Receiver;
use super::{Harness, Reply};

/// A key with registered buckets.
impl Harness {
    /// A root key that protects these buckets of the storage instance.
    pub(crate) async fn protecting(&self, buckets: &[&str]) -> String {
        let key = self.create_root_key("for buckets").await;
        for bucket in buckets {
            self.register(&key, bucket, &json!({})).await.succeeds(201);
        }
        key
    }

    /// Tries to make a subscriber.
    pub(crate) async fn try_subscribe(&self, body: &Value) -> Reply {
        self.post("/mock/subscribers").json(body).send().await
    }

    /// A subscriber for all buckets; its secret.
    pub(crate) async fn subscribe(&self, name: &str, url: &str) -> String {
        self.subscribe_with(name, url, json!({ "serviceName": "cloud-object-storage" })).await
    }

    /// A subscriber with these fields; its secret.
    pub(crate) async fn subscribe_with(&self, name: &str, url: &str, mut fields: Value) -> String {
        fields["name"] = json!(name);
        fields["url"] = json!(url);
        let made = self.try_subscribe(&fields).await.succeeds(201);
        made["secret"].as_str().expect("a secret").to_owned()
    }

    /// A key that was disabled and then enabled: the receiver, subscriber `ledger`, refused the first event, and the
    /// second one waits behind it.
    pub(crate) async fn with_one_event_behind_another(instant: &str, receiver: &Receiver) -> Self {
        let kp = Self::frozen_at(instant).await;
        kp.subscribe("ledger", &receiver.url()).await;
        let key = kp.protecting(&["ledger"]).await;
        kp.disable(&key).await.succeeds(204);
        kp.advance("1m").await;
        kp.enable(&key).await.succeeds(204);
        kp.settle().await;
        kp
    }

    /// Waits until nothing due is left and all attempts are answered.
    pub(crate) async fn settle(&self) -> Value {
        self.advance("0s").await
    }

    /// Deliveries that match a query such as `state=failed`, oldest first.
    pub(crate) async fn deliveries(&self, query: &str) -> Vec<Value> {
        let reply = self.get(&format!("/mock/deliveries?{query}")).send().await.succeeds(200);
        reply["deliveries"].as_array().unwrap().clone()
    }

    /// The one delivery that matches.
    pub(crate) async fn delivery(&self, query: &str) -> Value {
        let mut all = self.deliveries(query).await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// Records of how events ended, oldest first.
    pub(crate) async fn ends(&self) -> Vec<Value> {
        self.audit("action=kms.secrets.ack-*&limit=5000").await
    }

    /// Acknowledges as the storage instance.
    pub(crate) async fn acknowledge(&self, fields: &Value) -> Reply {
        let token = self.reader_token().await;
        self.post("/api/v2/event_ack").bearer(&token).json(&acknowledgement(fields)).send().await
    }
}

/// The body of an acknowledgement.
pub(crate) fn acknowledgement(fields: &Value) -> Value {
    let kind = "application/vnd.ibm.kms.event_acknowledge+json";
    let mut resource = json!({ "timestamp": "2026-01-01T12:00:01Z" });
    for (name, value) in fields.as_object().unwrap() {
        resource[name] = value.clone();
    }
    json!({ "metadata": { "collectionType": kind, "collectionTotal": 1 }, "resources": [resource] })
}
