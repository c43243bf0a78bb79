//! Registrations of a key, as they are read. No service can register yet, so there is none to show.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::app::read_key::{get_attached, read_instance};
use crate::domain::operation::Operation;
use crate::domain::reason::Reason;
use crate::http::key_protect::entry::{enter, key_ref};
use crate::http::key_protect::envelope::{self, Collection, REGISTRATION, WhenEmpty};
use crate::http::query::Query;
use crate::http::state::State;

/// `GET /keys/{id}/registrations`
pub(crate) async fn list(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::ListRegistrations, async |cx| {
        let wanted = counted(&Query::of(&request));
        get_attached(&state.app, cx, key_ref(&request), wanted.clone().map(drop)).await?;
        Ok(none(wanted?))
    })
    .await
}

/// `GET /keys/registrations`
pub(crate) async fn list_all(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::ListAllRegistrations, async |cx| {
        let wanted = counted(&Query::of(&request));
        read_instance(&state.app, cx, wanted.clone().map(drop)).await?;
        Ok(none(wanted?))
    })
    .await
}

/// Checks the query; true when the total is asked for.
fn counted(query: &Query<'_>) -> Result<bool, Reason> {
    query.limit()?;
    query.offset()?;
    query.boolean("preventKeyDeletion")?;
    Ok(query.boolean("totalCount")? == Some(true))
}

fn none(counted: bool) -> HttpResponse {
    let mut body: Collection<'_, ()> = Collection::new(REGISTRATION, Vec::new(), WhenEmpty::EmptyArray);
    body.metadata.total_count = counted.then_some(0);
    envelope::reply(StatusCode::OK, REGISTRATION, &body)
}
