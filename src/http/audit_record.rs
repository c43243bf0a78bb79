//! Audit records as Activity Tracker shows them. Source of the form: docs, at-events.

use serde_json::{Map, Value, json};

use crate::app::builtin;
use crate::domain::audit::{Datum, Record, Side};
use crate::domain::time::Timestamp;
use crate::http::key_protect::envelope::phrase;

/// `success` or `failure`.
pub(crate) fn outcome(record: &Record) -> &'static str {
    if record.succeeded() { "success" } else { "failure" }
}

/// The record as JSON: as it is listed, and a line of the audit file.
pub(crate) fn render(record: &Record) -> Value {
    let mut reason = json!({ "reasonCode": record.status, "reasonType": phrase(record.status) });
    let mut request = json!({ "requestURI": record.uri, "instanceID": record.instance_id });
    let mut response = json!({});
    for detail in &record.details {
        let side = match detail.side {
            Side::Request => &mut request,
            Side::Response => &mut response,
        };
        let value = match &detail.value {
            Datum::Text(text) => json!(text),
            Datum::Number(number) => json!(number),
            Datum::Flag(flag) => json!(flag),
        };
        put(side, &detail.path, value);
    }
    if !record.succeeded() {
        put(&mut reason, "reasonForFailure", json!(record.failure));
        put(&mut response, "reasonForFailure", json!(record.failure));
    }
    // IBM's sample of what Key Protect does itself has `apikey`; callers bring a token.
    let credential = if record.initiator.id == builtin::key_protect().iam_id { "apikey" } else { "token" };
    let mut initiator = json!({
        "id": record.initiator.id, "name": record.initiator.name, "typeURI": record.initiator.type_uri,
        "credential": { "type": credential },
    });
    if !record.initiator.address.is_empty() {
        let kind = if record.initiator.address.contains(':') { "IPv6" } else { "IPv4" };
        put(&mut initiator, "host", json!({ "address": record.initiator.address, "addressType": kind }));
    }
    json!({
        "eventTime": Timestamp::from_millis(record.at).audit_form(),
        "action": record.action,
        "outcome": outcome(record),
        "message": record.message(),
        "severity": record.severity(),
        "initiator": initiator,
        "target": { "id": record.target_crn(), "name": record.target.name, "typeURI": record.target_type() },
        "observer": { "name": "ActivityTracker" },
        "reason": reason,
        "requestData": request,
        "responseData": response,
        "correlationId": record.correlation,
        "dataEvent": false,
        "saveServiceCopy": true,
        "logSourceCRN": record.instance_crn,
    })
}

/// Puts a value at a dotted path.
fn put(place: &mut Value, path: &str, value: Value) {
    let Some(members) = place.as_object_mut() else { return };
    match path.split_once('.') {
        None => {
            members.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            put(members.entry(first).or_insert_with(|| Value::Object(Map::new())), rest, value);
        }
    }
}
