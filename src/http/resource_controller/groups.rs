//! `GET /v2/resource_groups`: the one group, `Default`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::app::builtin;
use crate::app::instances::resource_group_crn;
use crate::http::auth;
use crate::http::resource_controller::errors::ControllerError;
use crate::http::state::State;

/// Lists the groups of the account.
pub(crate) async fn list(request: HttpRequest, state: Data<State>) -> HttpResponse {
    if let Err(reason) = auth::caller(&state.app, &request) {
        return ControllerError::from(reason).render(&request);
    }
    HttpResponse::Ok().json(json!({
        "resources": [{
            "id": builtin::RESOURCE_GROUP,
            "name": "Default",
            "account_id": builtin::ACCOUNT,
            "state": "ACTIVE",
            "default": true,
            "crn": resource_group_crn(builtin::RESOURCE_GROUP),
        }]
    }))
}
