//! `/mock/buckets`: what the gateway knows of its buckets beyond IBM's API, and ageing one of them.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use tracing::error;

use crate::cos::app::error::Error as CosError;
use crate::cos::app::inspect::Inspected;
use crate::cos::domain::key_info::Verdict;
use crate::http::admin::errors::{AdminError, respond};
use crate::http::admin::parameters::{ListControl, instant, members, only_known};
use crate::http::query::Query;
use crate::http::state::State;

/// `GET /mock/buckets`
pub(crate) async fn list(request: HttpRequest, state: Data<State>) -> HttpResponse {
    respond(async {
        let query = Query::of(&request);
        only_known(&query, &["limit"])?;
        let control = ListControl::of(&query)?;
        state.now().await;
        let (found, total) = state.cos.inspect_all(control.limit).await?;
        let buckets: Vec<Value> = found.iter().map(render).collect();
        Ok(HttpResponse::Ok().json(json!({ "buckets": buckets, "total": total })))
    })
    .await
}

/// `GET /mock/buckets/{name}`
pub(crate) async fn show(name: Path<String>, state: Data<State>) -> HttpResponse {
    respond(async {
        state.now().await;
        Ok(HttpResponse::Ok().json(render(&state.cos.inspect(&name).await?)))
    })
    .await
}

/// `PATCH /mock/buckets/{name}`: another date of creation.
pub(crate) async fn age(
    request: HttpRequest,
    payload: Payload,
    name: Path<String>,
    state: Data<State>,
) -> HttpResponse {
    respond(async {
        let members = members(&request, payload, &["creationDate"]).await?;
        let created_at = instant(&members, "creationDate")?;
        let created_at = created_at.ok_or_else(|| AdminError::bad_field("creationDate", "is needed"))?;
        let now = state.now().await;
        if created_at > now {
            return Err(AdminError::impossible("creationDate", "must not lie ahead of the clock"));
        }
        Ok(HttpResponse::Ok().json(render(&state.cos.age_bucket(&name, created_at, now).await?)))
    })
    .await
}

/// Source: `docs/contract/interface.md` 3.2.
fn render(inspected: &Inspected) -> Value {
    let Inspected { bucket, usage, key_info } = inspected;
    let key = bucket.key();
    let key_info = key_info.map(|(info, next_check)| {
        let verdict = match info.verdict {
            Verdict::Usable | Verdict::ReadsOnly => "usable",
            Verdict::NotUsable(_) => "not usable",
        };
        json!({
            "verdict": verdict, "fetchedAt": info.fetched_at.rfc3339(), "nextCheck": next_check.rfc3339(),
        })
    });
    json!({
        "name": bucket.name.as_str(),
        "crn": bucket.crn(),
        "cosInstanceId": bucket.instance.to_string(),
        "location": bucket.location.code(),
        "creationDate": bucket.created_at.rfc3339(),
        "registered": key.is_some_and(|key| key.registered),
        "rootKeyCrn": key.map(|key| key.crn.as_str()),
        "keyState": key.map(|key| key.state.name()),
        "keyVersionId": key.map(|key| key.version.to_string()),
        "objectCount": usage.objects,
        "bytesUsed": usage.bytes,
        "keyInfo": key_info,
    })
}

impl From<CosError> for AdminError {
    fn from(failure: CosError) -> Self {
        if failure.is_fault() {
            error!(fault = %failure, "the gateway failed");
        }
        let refusal = failure.refusal();
        match refusal.status {
            404 => Self::plain(StatusCode::NOT_FOUND, "not_found", "no bucket has this name"),
            503 => Self::plain(StatusCode::SERVICE_UNAVAILABLE, "fault", "the request could not be completed"),
            _ => Self::plain(StatusCode::INTERNAL_SERVER_ERROR, "fault", "the request could not be completed"),
        }
    }
}
