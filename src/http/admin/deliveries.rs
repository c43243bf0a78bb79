//! `/mock/deliveries`: the delivery log, and sending again. Source: `docs/contract/interface.md` 3.2.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use tokio::time::{interval, timeout};

use crate::app::delivery_log::{self, Entry, RedeliveryRefusal, Wanted};
use crate::domain::attempt::AttemptError;
use crate::domain::delivery::{Attempt, DeliveryState};
use crate::domain::id::DeliveryId;
use crate::domain::time::Timestamp;
use crate::http::admin::errors::{AdminError, respond_json};
use crate::http::admin::parameters::{ListControl, instant, members, only_known, text};
use crate::http::query::Query;
use crate::http::state::State;

const PARAMETERS: [&str; 7] = ["keyId", "registrationCrn", "subscriber", "state", "limit", "min", "wait"];
/// How often a held reply looks again, real time.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const STATE_RULE: &str = "must be pending, delivered, succeeded, failed or dropped";

/// `GET /mock/deliveries`
pub(crate) async fn list(request: HttpRequest, state: Data<State>) -> HttpResponse {
    respond_json(StatusCode::OK, async {
        let query = Query::of(&request);
        only_known(&query, &PARAMETERS)?;
        let control = ListControl::of(&query)?;
        let given = |name: &str| query.get(name).map(str::to_owned);
        let wanted = Wanted {
            key: given("keyId"),
            resource: given("registrationCrn"),
            subscriber: given("subscriber"),
            state: query.get("state").map(|word| delivery_state(word).ok_or_else(wrong_state)).transpose()?,
            ..Wanted::default()
        };
        state.now().await;
        if !control.wait.is_zero() {
            // When it does not come, what is there is shown.
            state.held(timeout(control.wait, until_there(&state, &wanted, control.least))).await;
        }
        let (entries, total) = delivery_log::list(&state.app, wanted, control.limit).await?;
        let shown: Vec<Value> = entries.iter().map(render).collect();
        Ok(json!({ "deliveries": shown, "total": total }))
    })
    .await
}

/// Ends once so many fit, or the store fails.
async fn until_there(state: &State, wanted: &Wanted, least: usize) {
    let mut looks = interval(LOOK_AGAIN);
    loop {
        looks.tick().await;
        state.now().await;
        match delivery_log::count(&state.app, wanted.clone()).await {
            Ok(count) if count < least => {}
            Ok(_) | Err(_) => return,
        }
    }
}

/// `POST /mock/deliveries/{id}/redeliver`
pub(crate) async fn redeliver(id: Path<String>, state: Data<State>) -> HttpResponse {
    respond_json(StatusCode::ACCEPTED, async {
        let id = DeliveryId::parse(&id).ok_or_else(|| refuse(RedeliveryRefusal::NotFound))?;
        let now = state.now().await;
        let one = delivery_log::redeliver(&state.app, id, now).await.map_err(refuse)?;
        Ok(render(&one))
    })
    .await
}

/// `POST /mock/deliveries/recover`
pub(crate) async fn recover(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    respond_json(StatusCode::ACCEPTED, async {
        let members = members(&request, payload, &["since", "until", "subscriber", "state"]).await?;
        let wanted_state = match text(&members, "state")? {
            None => None,
            Some(word) => match delivery_state(word) {
                None => return Err(AdminError::impossible("state", STATE_RULE)),
                Some(DeliveryState::Dropped) => {
                    return Err(AdminError::impossible("state", "dropped deliveries cannot be sent again"));
                }
                known => known,
            },
        };
        let wanted = Wanted {
            subscriber: text(&members, "subscriber")?.map(str::to_owned),
            state: wanted_state,
            since: instant(&members, "since")?,
            until: instant(&members, "until")?,
            ..Wanted::default()
        };
        let now = state.now().await;
        let redelivered = delivery_log::recover(&state.app, wanted, now).await?;
        Ok(json!({ "redelivered": redelivered }))
    })
    .await
}

fn delivery_state(word: &str) -> Option<DeliveryState> {
    DeliveryState::parse(word)
}

fn wrong_state() -> AdminError {
    AdminError::bad_field("state", STATE_RULE)
}

fn refuse(refusal: RedeliveryRefusal) -> AdminError {
    match refusal {
        RedeliveryRefusal::NotFound => {
            let message = "no delivery has this id";
            AdminError { path: Some("id".to_owned()), ..AdminError::plain(StatusCode::NOT_FOUND, "not_found", message) }
        }
        RedeliveryRefusal::Dropped => {
            let message = "the delivery was dropped: its registration, subscriber or key has gone";
            AdminError::plain(StatusCode::CONFLICT, "conflict", message)
        }
        RedeliveryRefusal::NoSubscriber => {
            let message = "there is no subscriber that the delivery could be sent to";
            AdminError::plain(StatusCode::CONFLICT, "conflict", message)
        }
        RedeliveryRefusal::Fault(fault) => fault.into(),
    }
}

fn render(one: &Entry) -> Value {
    json!({
        "id": one.id.to_string(),
        "eventId": one.event.to_string(),
        "eventType": one.kind,
        "eventTime": one.at.rfc3339_exact(),
        "correlationId": one.correlation,
        "instanceId": one.instance.to_string(),
        "keyId": one.key.to_string(),
        "registrationCrn": one.resource,
        "subscriber": one.subscriber,
        "url": one.url,
        "state": one.state.name(),
        "deadline": one.deadline.rfc3339_exact(),
        "nextAttempt": one.next_at.map(Timestamp::rfc3339_exact),
        "attempts": one.attempts.iter().map(render_attempt).collect::<Vec<_>>(),
    })
}

fn render_attempt(attempt: &Attempt) -> Value {
    json!({
        "n": attempt.n,
        "at": attempt.at.rfc3339_exact(),
        "cause": attempt.cause.name(),
        "status": attempt.answer.status,
        "latencyMs": u64::try_from(attempt.answer.latency.as_millis()).unwrap_or(u64::MAX),
        "error": attempt.answer.error.map(AttemptError::name),
        "body": attempt.answer.body_excerpt,
    })
}
