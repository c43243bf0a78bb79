//! `GET /mock/audit-events`: Activity Tracker records, oldest first. Source of the form: docs, at-events.

use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::app::App;
use crate::clock;
use crate::domain::audit::Record;
use crate::domain::time::Timestamp;
use crate::http::admin::errors::{self, AdminError};
use crate::http::admin::parameters::{ListControl, only_known, parse_instant};
use crate::http::audit_record::{outcome, render};
use crate::http::query::Query;
use crate::http::state::State;

const PARAMETERS: [&str; 8] = ["action", "target", "outcome", "correlationId", "since", "limit", "min", "wait"];
/// How often a held reply looks again, real time.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A walk is made again after so many times the time that the last one took.
const WALKS_APART: u32 = 10;

/// Which records are asked for.
#[derive(Clone)]
struct Filter {
    action: Option<String>,
    target: Option<String>,
    outcome: Option<String>,
    correlation: Option<String>,
    since: Option<Timestamp>,
}

/// Records that match: the oldest `limit`, and how many there are.
struct Found {
    records: Vec<Value>,
    total: usize,
}

/// `GET /mock/audit-events`
pub(crate) async fn list(request: HttpRequest, state: Data<State>) -> HttpResponse {
    errors::respond(async {
        let found = answer(&request, &state).await?;
        Ok(HttpResponse::Ok().json(json!({ "auditEvents": found.records, "total": found.total })))
    })
    .await
}

async fn answer(request: &HttpRequest, state: &State) -> Result<Found, AdminError> {
    let query = Query::of(request);
    only_known(&query, &PARAMETERS)?;
    let control = ListControl::of(&query)?;
    let filter = Filter::of(&query)?;
    let waited = clock::stopwatch();
    loop {
        state.now().await;
        let so_far = state.app.records_so_far();
        let walk = clock::stopwatch();
        let found = find(&state.app, filter.clone(), control.limit).await?;
        let left = control.wait.saturating_sub(waited.elapsed());
        if found.total >= control.least || left.is_zero() {
            return Ok(found);
        }
        // A walk over many records is not made more often than it can be afforded, and none without a new record.
        let pause = LOOK_AGAIN.max(walk.elapsed() * WALKS_APART).min(left);
        if state.held(wait_for_news(&state.app, so_far, pause, left)).await.is_none() {
            return Ok(found);
        }
    }
}

async fn wait_for_news(app: &App, so_far: i64, pause: Duration, left: Duration) {
    let waited = clock::stopwatch();
    let mut looks = tokio::time::interval(pause);
    looks.tick().await;
    while waited.elapsed() < left {
        looks.tick().await;
        if app.records_so_far() != so_far {
            return;
        }
    }
}

async fn find(app: &App, filter: Filter, limit: usize) -> Result<Found, AdminError> {
    let (records, total) = app.find_records(limit, move |record| filter.fits(record)).await?;
    Ok(Found { records: records.iter().map(render).collect(), total })
}

impl Filter {
    fn of(query: &Query<'_>) -> Result<Self, AdminError> {
        let text = |name: &str| query.get(name).map(str::to_owned);
        if let Some(outcome) = query.get("outcome")
            && !matches!(outcome, "success" | "failure")
        {
            return Err(AdminError::bad_field("outcome", "must be success or failure"));
        }
        Ok(Self {
            action: text("action"),
            target: text("target"),
            outcome: text("outcome"),
            correlation: text("correlationId"),
            since: query.get("since").map(|text| parse_instant("since", text)).transpose()?,
        })
    }

    fn fits(&self, record: &Record) -> bool {
        let action = self.action.as_deref().is_none_or(|wanted| match wanted.strip_suffix('*') {
            Some(start) => record.action.starts_with(start),
            None => record.action == wanted,
        });
        let outcome = self.outcome.as_deref().is_none_or(|wanted| wanted == outcome(record));
        let correlation = self.correlation.as_deref().is_none_or(|wanted| wanted == record.correlation);
        let since = self.since.is_none_or(|since| record.at >= since.millis());
        action && outcome && correlation && since && self.target.as_deref().is_none_or(|wanted| names(record, wanted))
    }
}

/// A CRN, or the id or name at its end.
fn names(record: &Record, wanted: &str) -> bool {
    let crn = record.target_crn();
    crn == wanted
        || (!record.target.name.is_empty() && record.target.name == wanted)
        || crn.split(':').rfind(|segment| !segment.is_empty()) == Some(wanted)
}
