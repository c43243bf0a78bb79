//! `/mock/clock`: reading and moving the virtual clock.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::app::time::{self, MoveRefusal, Target};
use crate::domain::due::Due;
use crate::http::admin::errors::{self, AdminError};
use crate::http::admin::parameters::{instant, members, span};
use crate::http::state::State;

/// `GET /mock/clock`
pub(crate) async fn show(state: Data<State>) -> HttpResponse {
    respond(read(&state)).await
}

/// `POST /mock/clock/advance`
pub(crate) async fn advance(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    respond(async {
        let members = members(&request, payload, &["by", "to"]).await?;
        let target = match (span(&members, "by")?, instant(&members, "to")?) {
            (Some(by), None) => Target::By(by),
            (None, Some(to)) => Target::To(to),
            (None, None) => return Err(AdminError::bad_field("by", "one of `by` and `to` is needed")),
            (Some(_), Some(_)) => return Err(AdminError::bad_field("to", "only one of `by` and `to` may be given")),
        };
        let field = if matches!(target, Target::By(_)) { "by" } else { "to" };
        let journey = time::advance(&state.app, target).await.map_err(|refusal| refuse(refusal, field))?;
        state.cos.reap(journey.to).await;
        let ran: Vec<Value> = journey
            .ran
            .iter()
            .map(|ran| json!({ "at": ran.due.at.rfc3339_exact(), "what": ran.what(), "count": ran.count }))
            .collect();
        Ok(json!({
            "from": journey.from.rfc3339_exact(), "to": journey.to.rfc3339_exact(), "ran": ran, "more": journey.more,
        }))
    })
    .await
}

/// `POST /mock/clock/freeze`
pub(crate) async fn freeze(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    respond(async {
        let members = members(&request, payload, &["at"]).await?;
        let at = instant(&members, "at")?;
        time::freeze(&state.app, at).await.map_err(|refusal| refuse(refusal, "at"))?;
        read(&state).await
    })
    .await
}

/// `POST /mock/clock/resume`
pub(crate) async fn resume(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    respond(async {
        members(&request, payload, &[]).await?;
        time::resume(&state.app).await?;
        read(&state).await
    })
    .await
}

async fn read(state: &State) -> Result<Value, AdminError> {
    state.now().await;
    let (reading, next) = time::show(&state.app).await?;
    let next_due = next.map(|Due { at, kind }| json!({ "at": at.rfc3339_exact(), "what": kind.name() }));
    Ok(json!({
        "now": reading.now.rfc3339_exact(),
        "frozen": reading.frozen,
        "offsetSeconds": reading.offset_seconds,
        "timeScale": reading.scale,
        "nextDue": next_due,
    }))
}

async fn respond(answer: impl Future<Output = Result<Value, AdminError>>) -> HttpResponse {
    errors::respond(async { Ok(HttpResponse::Ok().json(answer.await?)) }).await
}

fn refuse(refusal: MoveRefusal, field: &str) -> AdminError {
    match refusal {
        MoveRefusal::Backwards(now) => AdminError::bad_field(
            field,
            format!("the clock never runs backwards, and it is {} now", now.rfc3339_exact()),
        ),
        MoveRefusal::TooFar => AdminError::impossible(field, "the clock ends with the year 9999"),
        MoveRefusal::TooLong => {
            AdminError::impossible(field, "one move of the clock is 100 years at most; make several")
        }
        MoveRefusal::Fault(fault) => fault.into(),
    }
}
