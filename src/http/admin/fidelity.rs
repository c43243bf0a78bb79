//! `GET /mock/fidelity`: what each operation does in each case, where that comes from, and the test that shows it.

use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::http::admin::errors::AdminError;
use crate::http::admin::parameters::{ListControl, only_known};
use crate::http::query::Query;

const PARAMETERS: [&str; 5] = ["operation", "status", "limit", "min", "wait"];

/// The repository's file. That it parses is tested.
static ROWS: LazyLock<Vec<Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../docs/fidelity.json")).unwrap_or_default());

/// Rows in the order of the file; `operation` may end in `*`. There is nothing to wait for: `min` and `wait` are taken.
pub(crate) async fn list(request: HttpRequest) -> HttpResponse {
    match answer(&Query::of(&request)) {
        Ok(body) => HttpResponse::Ok().json(body),
        Err(error) => error.render(),
    }
}

fn answer(query: &Query<'_>) -> Result<Value, AdminError> {
    only_known(query, &PARAMETERS)?;
    let control = ListControl::of(query)?;
    if !matches!(query.get("status"), None | Some("sourced" | "assumed")) {
        return Err(AdminError::bad_field("status", "must be sourced or assumed"));
    }
    let fits = |row: &&Value| {
        let operation = row["operation"].as_str().unwrap_or_default();
        let named = query.get("operation").is_none_or(|wanted| match wanted.strip_suffix('*') {
            Some(start) => operation.starts_with(start),
            None => operation == wanted,
        });
        named && query.get("status").is_none_or(|wanted| row["status"] == wanted)
    };
    let found: Vec<&Value> = ROWS.iter().filter(fits).collect();
    Ok(json!({ "fidelity": found.iter().take(control.limit).collect::<Vec<_>>(), "total": found.len() }))
}
