//! `GET /mock/keys/{id}`: a key beyond what IBM's API shows. Source: `docs/contract/interface.md` 3.2.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use serde_json::{Value, json};

use crate::app::inspect_key::inspect;
use crate::domain::id::KeyId;
use crate::domain::key::Kind;
use crate::http::admin::errors::{AdminError, respond_json};
use crate::http::state::State;

/// `GET /mock/keys/{id}`
pub(crate) async fn show(id: Path<String>, state: Data<State>) -> HttpResponse {
    respond_json(StatusCode::OK, async {
        let unknown = || AdminError {
            path: Some("id".to_owned()),
            ..AdminError::plain(StatusCode::NOT_FOUND, "not_found", "no key has this id")
        };
        let id = KeyId::parse(&id).ok_or_else(unknown)?;
        state.now().await;
        let one = inspect(&state.app, id).await?.ok_or_else(unknown)?;
        let key = &one.key;
        let versions = one.versions.iter();
        let versions = versions
            .map(|version| json!({ "id": version.id.to_string(), "creationDate": version.created_at.rfc3339() }));
        let due = one.due.iter().map(|due| json!({ "at": due.at.rfc3339_exact(), "what": due.kind.name() }));
        Ok(json!({
            "id": key.id.to_string(),
            "crn": one.crn,
            "instanceId": key.instance.to_string(),
            "name": key.name,
            "state": key.state.number(),
            "imported": key.imported,
            "extractable": key.kind == Kind::Standard,
            "keyRingId": key.ring.as_str(),
            "versions": versions.collect::<Vec<Value>>(),
            "registrations": one.registrations,
            "pendingDeliveries": one.pending_deliveries,
            "due": due.collect::<Vec<Value>>(),
        }))
    })
    .await
}
