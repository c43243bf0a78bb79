//! Words of the KMIP routes, and certificates to bring there.

use serde_json::{Value, json};

use super::words::{base64_of, bytes_of};
use super::{Harness, Reply};

pub(crate) const ADAPTER: &str = "application/vnd.ibm.kms.kmip_adapter+json";
pub(crate) const CERTIFICATE: &str = "application/vnd.ibm.kms.kmip_client_certificate+json";
pub(crate) const OBJECT: &str = "application/vnd.ibm.kms.kmip_object+json";

const ELLIPTIC: &str = include_str!("../fixtures/kmip/ec.pem");

/// Where a certificate has the last eight bytes of its serial number.
const SERIAL_NUMBER_END: std::ops::Range<usize> = 27..35;

/// A certificate of its own for each number. Nobody checks the signature, which fits the number of the fixture alone.
pub(crate) fn certificate(number: u64) -> String {
    let text: String = ELLIPTIC.lines().filter(|line| !line.starts_with('-')).collect();
    let mut der = bytes_of(&text);
    der[SERIAL_NUMBER_END].copy_from_slice(&number.to_be_bytes());
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", base64_of(der))
}

/// An envelope with one resource.
pub(crate) fn envelope(collection_type: &str, resource: &Value) -> Value {
    json!({ "metadata": { "collectionType": collection_type, "collectionTotal": 1 }, "resources": [resource] })
}

/// The body for an adapter on a key.
pub(crate) fn native(name: &str, key: &str) -> Value {
    json!({ "name": name, "description": "", "profile": "native_1.0", "profile_data": { "crk_id": key } })
}

/// Ids of the resources of a list.
pub(crate) fn ids(list: &Value) -> Vec<&str> {
    let resources = list["resources"].as_array().expect("resources");
    assert_eq!(list["metadata"]["collectionTotal"], resources.len());
    resources.iter().map(|resource| resource["id"].as_str().expect("an id")).collect()
}

impl Harness {
    /// A service with an adapter named `vsphere`, at that time.
    pub(crate) async fn with_adapter(instant: &str) -> Self {
        let kp = Self::frozen_at(instant).await;
        let key = kp.create_root_key("invoices").await;
        kp.create_adapter("vsphere", &key).await;
        kp
    }

    /// Tries to create an adapter.
    pub(crate) async fn try_create_adapter(&self, resource: &Value) -> Reply {
        self.post("/api/v2/kmip_adapters").json(&envelope(ADAPTER, resource)).send().await
    }

    /// The id of a new adapter on a key.
    pub(crate) async fn create_adapter(&self, name: &str, key: &str) -> String {
        let made = self.try_create_adapter(&native(name, key)).await.resource(201);
        made["id"].as_str().expect("an id").to_owned()
    }

    /// A whole adapter.
    pub(crate) async fn adapter(&self, name: &str) -> Value {
        self.get(&format!("/api/v2/kmip_adapters/{name}")).send().await.resource(200)
    }

    /// Tries to delete an adapter.
    pub(crate) async fn delete_adapter(&self, name: &str) -> Reply {
        self.delete(&format!("/api/v2/kmip_adapters/{name}")).send().await
    }

    /// Tries to add a certificate to an adapter.
    pub(crate) async fn try_add_certificate(&self, adapter: &str, resource: &Value) -> Reply {
        let path = format!("/api/v2/kmip_adapters/{adapter}/certificates");
        self.post(&path).json(&envelope(CERTIFICATE, resource)).send().await
    }

    /// The id of a new certificate of an adapter.
    pub(crate) async fn add_certificate(&self, adapter: &str, name: &str, pem: &str) -> String {
        let added = self.try_add_certificate(adapter, &json!({ "name": name, "certificate": pem })).await;
        added.resource(201)["id"].as_str().expect("an id").to_owned()
    }

    /// An object planted in an adapter of the built-in instance.
    pub(crate) async fn plant(&self, adapter: &str, state: u8) -> Value {
        let body = json!({ "instanceId": self.instance, "adapter": adapter, "state": state });
        self.post("/mock/kmip-objects").json(&body).send().await.succeeds(201)
    }

    /// The GUID of a further Key Protect instance.
    pub(crate) async fn create_instance(&self, region: &str) -> String {
        let body = json!({
            "name": "another", "target": region, "resource_group": "default",
            "resource_plan_id": "eedd3585-90c6-4c8f-be3d-062069e99fc3",
        });
        let made = self.post("/v2/resource_instances").json(&body).send().await.succeeds(201);
        made["guid"].as_str().expect("a guid").to_owned()
    }
}
