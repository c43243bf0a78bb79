//! The intake of Key Protect's life cycle events: a webhook like any other's, with a signature. Source:
//! `docs/contract/events.md` 3; Standard Webhooks specification.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;
use tracing::warn;

use crate::app::subscribers;
use crate::cos::app::CosApp;
use crate::cos::app::body::Checks;
use crate::cos::app::key_events::KeyEvent;
use crate::cos::domain::key_info::{Cause, EventKind};
use crate::cos::http::body::{self, Body};
use crate::cos::http::headers;
use crate::crypto::{compare, webhook_signature};
use crate::domain::id::VersionId;
use crate::domain::time::Timestamp;

/// Where events are taken; no bucket can be called `v1`.
pub(crate) const PATH: &str = "/v1/key-events";
/// Real seconds by which a signature's time may be off.
const SKEW_SECONDS: i64 = 300;

/// Why an event is not taken.
enum Refused {
    /// Not signed by who shares the secret.
    Signature,
    Malformed,
    /// To be sent again.
    Fault,
}

/// Takes an event. 200 acknowledges it, whatever it changed.
pub(super) async fn answer(cos: &CosApp, request: &HttpRequest, body: &Body) -> HttpResponse {
    if request.method() != Method::POST {
        return HttpResponse::MethodNotAllowed().finish();
    }
    match take(cos, request, body).await {
        Ok(()) => HttpResponse::Ok().finish(),
        Err(Refused::Signature) => HttpResponse::Unauthorized().finish(),
        Err(Refused::Malformed) => HttpResponse::BadRequest().finish(),
        Err(Refused::Fault) => HttpResponse::ServiceUnavailable().finish(),
    }
}

async fn take(cos: &CosApp, request: &HttpRequest, body: &Body) -> Result<(), Refused> {
    let text = |name: &str| headers::text(request.headers(), name);
    let signed = (text("webhook-id"), text("webhook-timestamp"), text("webhook-signature"));
    let (Some(id), Some(timestamp), Some(signatures)) = signed else { return Err(Refused::Signature) };
    let bytes = body::document(body.upload(Checks::default(), None, None)).await.map_err(|_| Refused::Malformed)?;
    let now = cos.app.clock.now();
    let secrets = subscribers::gateway_secrets(&cos.app, now).await.map_err(|fault| {
        fault.report("the secret of the gateway's subscriber could not be read");
        Refused::Fault
    })?;
    let timestamp: i64 = timestamp.parse().map_err(|_| Refused::Signature)?;
    let timely = (cos.app.clock.real_seconds() - timestamp).abs() <= SKEW_SECONDS;
    let good = secrets.iter().any(|secret| {
        let expected = webhook_signature::sign(std::slice::from_ref(secret), &id, timestamp, &bytes);
        signatures.split(' ').any(|one| compare::equal(one.as_bytes(), expected.as_bytes()))
    });
    if !timely || !good {
        return Err(Refused::Signature);
    }
    let event = read(&bytes).filter(|event| event.id == id).ok_or(Refused::Malformed)?;
    match cos.handle_key_event(event, now).await {
        Ok(_) => Ok(()),
        Err(failure) => {
            warn!(%failure, "an event of a root key was not taken: it will come again");
            Err(Refused::Fault)
        }
    }
}

/// Source: `docs/contract/events.md` 3.1.
fn read(bytes: &[u8]) -> Option<KeyEvent> {
    let body: Value = serde_json::from_slice(bytes).ok()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let new_version = match body.get("newKeyVersion").and_then(|version| version.get("id")).and_then(Value::as_str) {
        Some(id) => Some(VersionId::parse(id)?),
        None => None,
    };
    Some(KeyEvent {
        id: text("eventId")?.to_owned(),
        kind: EventKind::parse(text("eventType")?)?,
        cause: if body.get("renotification")?.as_bool()? { Cause::Sync } else { Cause::Action },
        at: Timestamp::parse(text("eventTime")?)?,
        correlation: text("correlationId")?.to_owned(),
        resource: text("resourceCrn")?.to_owned(),
        key_crn: text("keyCrn")?.to_owned(),
        new_version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_read_whole_or_not_at_all() {
        let good = r#"{"specVersion":"1","eventId":"e","eventType":"rotation","renotification":false,
            "eventTime":"2027-01-01T00:00:00Z","deadline":"2027-01-01T04:00:00Z","correlationId":"c","instanceId":"i",
            "keyId":"k","keyCrn":"crn:k","keyState":1,"requestedKeyState":"enabled",
            "newKeyVersion":{"id":"02fd6835-6001-4482-a892-13bd2085f75d","creationDate":"2027-01-01T00:00:00Z"},
            "oldKeyVersion":null,"resourceCrn":"crn:b","registration":{}}"#;
        let event = read(good.as_bytes()).unwrap();
        assert_eq!((event.kind, event.cause), (EventKind::Rotation, Cause::Action));
        assert_eq!(event.new_version.unwrap().to_string(), "02fd6835-6001-4482-a892-13bd2085f75d");
        for (part, other) in
            [("rotation", "purge"), ("00:00:00Z\",\"dead", "\",\"dead"), ("02fd", "zz"), ("false", "1")]
        {
            assert!(read(good.replace(part, other).as_bytes()).is_none(), "{other}");
        }
        assert!(read(b"{}").is_none() && read(b"[").is_none());
    }
}
