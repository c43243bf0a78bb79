//! Words for access: policies, services with roles, registrations.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Call, Harness, Reply};

/// What a grant is limited to: attribute, operator, value.
pub(crate) type Limit<'l> = (&'l str, &'l str, &'l str);

/// The CRN by which policies name a role.
pub(crate) fn role_crn(name: &str) -> String {
    let own = ["ReaderPlus", "KeyPurge", "KmipAdapterManager"].contains(&name);
    let platform = ["Viewer", "Operator", "Editor", "Administrator"].contains(&name);
    let (service, kind) = if own { ("kms", "serviceRole") } else { ("iam", "serviceRole") };
    format!("crn:v1:bluemix:public:{service}::::{}:{name}", if platform { "role" } else { kind })
}

/// A collection with one registration, as a body.
pub(crate) fn registration(resource: &Value) -> Value {
    let kind = "application/vnd.ibm.kms.registration_input+json";
    json!({ "metadata": { "collectionType": kind, "collectionTotal": 1 }, "resources": [resource] })
}

impl Harness {
    pub(crate) fn account(&self) -> &str {
        self.info["accountId"].as_str().unwrap()
    }

    /// The CRN of an instance of a service that nobody has made: the number tells it from others.
    pub(crate) fn adopter(&self, number: u32) -> String {
        let account = self.account();
        format!("crn:v1:bluemix:public:adopter:us-south:a/{account}:0000{number:04}-0000-4000-8000-000000000000::")
    }

    /// An authorization, version 1: that service instance has the roles on Key Protect within the limits.
    pub(crate) fn authorization(&self, service: &str, roles: &[&str], limits: &[Limit<'_>]) -> Value {
        let segments: Vec<&str> = service.split(':').collect();
        let attribute = |name: &str, value: &str| json!({ "name": name, "value": value });
        let subject = [
            attribute("accountId", self.account()),
            attribute("serviceName", segments[4]),
            attribute("serviceInstance", segments[7]),
        ];
        let mut resource = vec![attribute("accountId", self.account()), attribute("serviceName", "kms")];
        let limits = limits.iter();
        resource.extend(
            limits.map(|(name, operator, value)| json!({ "name": name, "value": value, "operator": operator })),
        );
        json!({
            "type": "authorization",
            "subjects": [{ "attributes": subject }],
            "roles": roles.iter().map(|role| json!({ "role_id": role_crn(role) })).collect::<Vec<_>>(),
            "resources": [{ "attributes": resource }],
        })
    }

    /// Makes such an authorization; its id.
    pub(crate) async fn authorize(&self, service: &str, roles: &[&str], limits: &[Limit<'_>]) -> String {
        let body = self.authorization(service, roles, limits);
        let made = self.post("/v1/policies").json(&body).send().await.succeeds(201);
        made["id"].as_str().expect("an id").to_owned()
    }

    /// A token of a service instance that has the roles within the limits.
    pub(crate) async fn granted(&self, number: u32, roles: &[&str], limits: &[Limit<'_>]) -> String {
        let service = self.adopter(number);
        self.authorize(&service, roles, limits).await;
        self.service_token(&service).await
    }

    /// Makes a ring.
    pub(crate) async fn create_ring(&self, ring: &str) {
        self.post(&format!("/api/v2/key_rings/{ring}")).send().await.succeeds(201);
    }

    /// A generated root key in a ring.
    pub(crate) async fn create_in_ring(&self, name: &str, ring: &str) -> String {
        let body = super::keys::creation(&json!({ "name": name, "extractable": false }));
        let call = self.post("/api/v2/keys").header("x-kms-key-ring", ring).json(&body);
        super::keys::id_of(&call.send().await.succeeds(201))
    }

    /// A bucket of the built-in storage instance.
    pub(crate) fn bucket(&self, name: &str) -> String {
        let instance = self.info["cosInstanceCrn"].as_str().unwrap();
        format!("{}:bucket:{name}", instance.trim_end_matches("::"))
    }

    /// Path of a registration, its CRN encoded once.
    pub(crate) fn registration_path(key: &str, resource: &str) -> String {
        format!("/api/v2/keys/{key}/registrations/{}", utf8_percent_encode(resource, NON_ALPHANUMERIC))
    }

    /// A registration by the storage instance, which is still to be sent.
    pub(crate) async fn registering(&self, key: &str, resource: &str) -> Call<'_> {
        let token = self.reader_token().await;
        self.post(&Self::registration_path(key, resource)).bearer(&token)
    }

    /// Registers a bucket of the storage instance, with these fields; the reply.
    pub(crate) async fn register(&self, key: &str, bucket: &str, fields: &Value) -> Reply {
        let call = self.registering(key, &self.bucket(bucket)).await;
        call.json(&registration(fields)).send().await
    }
}
