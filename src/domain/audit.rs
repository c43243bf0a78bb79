//! Activity Tracker records: what is kept of each request, and how it is weighed. Source: docs, at-events.

use crate::domain::caller::{Identity, IdentityKind};
use crate::domain::context::Context;
use crate::domain::id::KeyId;
use crate::domain::key::{Key, Kind, Version};

/// A value in `requestData` or `responseData`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Datum {
    Text(String),
    Number(i64),
    Flag(bool),
}

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Response,
}

/// A value with its place: a dotted path below `requestData` or `responseData`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Detail {
    pub(crate) side: Side,
    pub(crate) path: String,
    pub(crate) value: Datum,
}

impl Detail {
    /// The ring that a request named, or that its key is in.
    pub(crate) fn of_ring(side: Side, ring: &str) -> Self {
        Self { side, path: "keyRingId".to_owned(), value: Datum::Text(ring.to_owned()) }
    }
}

/// What a record is about.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Target {
    /// The key, when the request named one that exists.
    pub(crate) key: Option<KeyId>,
    /// The key's name, where the use case knows it; or the resource's.
    pub(crate) name: String,
    /// Something of another service than Key Protect.
    pub(crate) resource: Option<Resource>,
}

/// A cloud resource that a record is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) crn: String,
    /// `typeURI`: `cloud-object-storage/bucket` and the like.
    pub(crate) kind: String,
}

impl Target {
    /// A resource of another service, by its name.
    pub(crate) fn resource(name: &str, resource: Resource) -> Self {
        Self { key: None, name: name.to_owned(), resource: Some(resource) }
    }
}

/// One record, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Virtual time, milliseconds.
    pub(crate) at: i64,
    /// `kms.secrets.create` and the like.
    pub(crate) action: String,
    /// `create secret`: what the message says was done.
    pub(crate) verb: String,
    pub(crate) status: u16,
    /// Text of the refusal; empty for a success.
    pub(crate) failure: String,
    pub(crate) correlation: String,
    pub(crate) initiator: Initiator,
    /// CRN of the Key Protect instance; empty where the request named none that exists.
    pub(crate) instance_crn: String,
    pub(crate) instance_id: String,
    pub(crate) uri: String,
    pub(crate) target: Target,
    pub(crate) details: Vec<Detail>,
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Initiator {
    pub(crate) id: String,
    pub(crate) name: String,
    /// `service/security/account/serviceid` and the like.
    pub(crate) type_uri: String,
    /// Address of the peer; empty for the service itself.
    pub(crate) address: String,
}

impl Initiator {
    /// The caller of a request.
    pub(crate) fn of(identity: &Identity, address: Option<std::net::IpAddr>) -> Self {
        let type_uri = match identity.kind {
            IdentityKind::User => "service/security/account/user",
            IdentityKind::ServiceId => "service/security/account/serviceid",
            IdentityKind::Profile => "service/security/account/profile",
            IdentityKind::Service => "service/security/account/service",
        };
        Self {
            id: identity.iam_id.clone(),
            name: identity.name.clone(),
            type_uri: type_uri.to_owned(),
            address: address.map(|address| address.to_string()).unwrap_or_default(),
        }
    }

    /// Nobody that the service knows: the token was missing or not valid.
    pub(crate) fn unknown(address: Option<std::net::IpAddr>) -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            type_uri: "service/security/account/user".to_owned(),
            address: address.map(|address| address.to_string()).unwrap_or_default(),
        }
    }
}

impl Record {
    /// The record of a request that was answered with `status`.
    pub(crate) fn of(cx: &Context, status: u16) -> Self {
        let row = cx.operation.row();
        let mut record = Self {
            at: cx.now.millis(),
            action: format!("kms.{}", row.audit),
            verb: row.message.to_owned(),
            status,
            failure: String::new(),
            correlation: cx.trace.correlation.clone(),
            initiator: Initiator::of(&cx.caller.identity, cx.trace.peer),
            instance_crn: cx.instance.crn(),
            instance_id: cx.instance.id.to_string(),
            uri: cx.trace.uri.clone(),
            target: Target::default(),
            details: Vec::new(),
        };
        if let Some(ring) = &cx.ring {
            record.details.push(Detail::of_ring(Side::Request, ring.text()));
            record.details.push(Detail::of_ring(Side::Response, ring.text()));
        }
        record
    }

    /// Adds a value.
    pub(crate) fn add(&mut self, side: Side, path: &str, value: Datum) {
        self.details.push(Detail { side, path: path.to_owned(), value });
    }

    /// Adds a text to `responseData`.
    pub(crate) fn respond(&mut self, path: &str, value: impl Into<String>) {
        self.add(Side::Response, path, Datum::Text(value.into()));
    }

    /// Names the key that the record is about, and its ring.
    pub(crate) fn about(mut self, key: &Key) -> Self {
        self.target = Target { key: Some(key.id), name: key.name.clone(), resource: None };
        // The key's own ring says more than the one that the request named.
        self.details.retain(|detail| detail.side == Side::Request || detail.path != "keyRingId");
        self.details.push(Detail::of_ring(Side::Response, key.ring.as_str()));
        self
    }

    /// The word for a key's kind (ASSUMED).
    pub(crate) fn key_type(key: &Key) -> &'static str {
        match key.kind {
            Kind::Root => "root_key",
            Kind::Standard => "standard_key",
        }
    }

    /// Adds what records of creation and reading tell of a key.
    pub(crate) fn describe(&mut self, key: &Key) {
        self.add(Side::Request, "keyType", Datum::Text(Self::key_type(key).to_owned()));
        self.add(Side::Response, "keyState", Datum::Number(i64::from(key.state.number())));
        if key.kind == Kind::Root {
            self.version("keyVersion", &key.version);
        }
        self.expiry(key);
    }

    /// Adds the expiration date and the whole days that are left. Source: docs, key-states.
    pub(crate) fn expiry(&mut self, key: &Key) {
        if let Some(at) = key.expires_at {
            self.respond("expirationDate", at.rfc3339());
            let days = (at.millis() - self.at).max(0) / 86_400_000;
            self.add(Side::Response, "daysToKeyExpire", Datum::Number(days));
        }
    }

    /// Adds a key version's id and date.
    pub(crate) fn version(&mut self, prefix: &str, version: &Version) {
        self.respond(&format!("{prefix}Id"), version.id.to_string());
        self.respond(&format!("{prefix}CreationDate"), version.created_at.rfc3339());
    }

    /// True for a success.
    pub(crate) fn succeeded(&self) -> bool {
        self.status < 400
    }

    /// `normal`, `warning` or `critical`. Source: docs, at-events; `docs/contract/events.md` 5.2.
    pub(crate) fn severity(&self) -> &'static str {
        match self.status {
            401 | 403 | 503 | 507 => return "critical",
            400 | 408 | 409 | 424 | 502 | 504 | 505 => return "warning",
            _ => {}
        }
        match self.action.strip_prefix("kms.").unwrap_or_default() {
            "secrets.delete" | "registrations.delete" => "critical",
            "secrets.rotate"
            | "secrets.restore"
            | "secrets.enable"
            | "secrets.disable"
            | "secrets.setkeyfordeletion"
            | "secrets.unsetkeyfordeletion"
            | "policies.write"
            | "instance-policies.write" => "warning",
            _ => "normal",
        }
    }

    /// `kms/secrets` and the like: the family is the word after `kms.`.
    pub(crate) fn target_type(&self) -> String {
        if let Some(resource) = &self.target.resource {
            return resource.kind.clone();
        }
        let family = self.action.split('.').nth(1).unwrap_or("secrets");
        let family = match family {
            "secrets-metadata" | "secrets-key-versions" | "secrets-with-policy-overrides" => "secrets",
            other => other,
        };
        format!("kms/{family}")
    }

    /// What the record is about, as a CRN: the resource's or the key's, else the instance's.
    pub(crate) fn target_crn(&self) -> String {
        if let Some(resource) = &self.target.resource {
            return resource.crn.clone();
        }
        let Some(key) = self.target.key else { return self.instance_crn.clone() };
        self.instance_crn.strip_suffix("::").map_or_else(String::new, |prefix| format!("{prefix}:key:{key}"))
    }

    /// `Key Protect: create secret my-key`, with ` -failure` after a failure (ASSUMED, IBM's general rule).
    pub(crate) fn message(&self) -> String {
        let ending = if self.succeeded() { "" } else { " -failure" };
        let service = if self.action.starts_with("kms.") { "Key Protect" } else { "Cloud Object Storage" };
        format!("{service}: {} {}{ending}", self.verb, self.target.name)
    }
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
