//! Aliases. Source: docs, create-key-alias; `docs/contract/policies.md` 6.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::app::alias::{create_alias, delete_alias};
use crate::domain::alias::{self, Alias};
use crate::domain::operation::Operation;
use crate::domain::reason::Reason;
use crate::http::key_protect::entry::{enter, key_ref};
use crate::http::key_protect::envelope::{self, ALIAS, Collection, WhenEmpty};
use crate::http::state::State;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AliasBody {
    key_id: String,
    alias: String,
    created_by: String,
    creation_date: String,
}

/// `POST /keys/{id}/aliases/{alias}`
pub(crate) async fn create(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::CreateAlias, async |cx| {
        let (by, at) = (cx.caller.iam_id().to_owned(), cx.now);
        let wanted = named(&request);
        let text = wanted.as_ref().map(|alias| alias.as_str().to_owned()).unwrap_or_default();
        let key = create_alias(&state.app, cx, key_ref(&request), wanted).await?;
        let alias = AliasBody { key_id: key.id.to_string(), alias: text, created_by: by, creation_date: at.rfc3339() };
        let body = Collection::new(ALIAS, vec![alias], WhenEmpty::LeaveOut);
        Ok(envelope::reply(StatusCode::CREATED, ALIAS, &body))
    })
    .await
}

/// `DELETE /keys/{id}/aliases/{alias}`
pub(crate) async fn delete(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::DeleteAlias, async |cx| {
        delete_alias(&state.app, cx, key_ref(&request), named(&request)).await?;
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}

fn named(request: &HttpRequest) -> Result<Alias, Reason> {
    let text = request.match_info().get("alias").unwrap_or_default();
    Alias::parse(text).ok_or_else(|| Reason::field("alias", alias::RULE))
}
