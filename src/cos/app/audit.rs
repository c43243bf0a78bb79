//! The gateway's own audit records. Source: docs, at-events of Cloud Object Storage; `docs/contract/cos.md` 9.

use crate::cos::app::request::Request;
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::object::ObjectKey;
use crate::domain::audit::{Datum, Initiator, Record, Resource, Side, Target};
use crate::domain::instance::Instance;

/// A record of a request about a bucket that succeeded. `action` is without the leading `cloud-object-storage.`.
pub(super) fn of_bucket(cx: &Request, bucket: &Bucket, action: &str, status: u16) -> Record {
    let target = Target::resource(bucket.name.as_str(), resource(bucket));
    let mut record = record(cx, action, status, target);
    record.instance_crn = bucket.instance_crn();
    record.instance_id = bucket.instance.to_string();
    record.add(Side::Request, "bucketLocation", Datum::Text(bucket.location.code().to_owned()));
    record
}

/// A record of a request about an object that succeeded.
pub(super) fn of_object(cx: &Request, bucket: &Bucket, key: &ObjectKey, action: &str, status: u16) -> Record {
    let mut record = of_bucket(cx, bucket, action, status);
    key.as_str().clone_into(&mut record.target.name);
    if let Some(resource) = &mut record.target.resource {
        "cloud-object-storage/bucket/object".clone_into(&mut resource.kind);
    }
    record
}

/// A record of a request about an instance that succeeded.
pub(super) fn of_instance(cx: &Request, instance: &Instance, action: &str, status: u16) -> Record {
    let resource = Resource { crn: instance.crn(), kind: "cloud-object-storage/instance".to_owned() };
    let mut record = record(cx, action, status, Target::resource(&instance.name, resource));
    record.instance_crn = instance.crn();
    record.instance_id = instance.id.to_string();
    record
}

/// A bucket as a record's target (type ASSUMED).
pub(super) fn resource(bucket: &Bucket) -> Resource {
    Resource { crn: bucket.crn(), kind: "cloud-object-storage/bucket".to_owned() }
}

fn record(cx: &Request, action: &str, status: u16, target: Target) -> Record {
    Record {
        at: cx.now.millis(),
        action: format!("cloud-object-storage.{action}"),
        verb: verb(action),
        status,
        failure: String::new(),
        correlation: cx.id.clone(),
        initiator: Initiator::of(&cx.caller.identity, cx.peer),
        instance_crn: String::new(),
        instance_id: String::new(),
        uri: cx.uri.clone(),
        target,
        details: Vec::new(),
    }
}

/// `create bucket` for `bucket.create`.
pub(super) fn verb(action: &str) -> String {
    let (subject, verb) = action.rsplit_once('.').unwrap_or(("", action));
    format!("{verb} {}", subject.replace('-', " "))
}
