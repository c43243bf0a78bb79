//! `GET /v2/roles`: what Terraform asks to turn a role's name into its CRN.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::domain::role::{PLATFORM_ROLES, Role, SERVICE_ROLES};
use crate::http::auth;
use crate::http::iam_policies::policies::respond;
use crate::http::query::Query;
use crate::http::state::State;

/// Roles that every service has beside the platform's: Reader, Writer, Manager.
const GENERAL_ROLES: usize = 3;

/// Lists roles. Key Protect has roles of its own; other services have the general ones; without a service there are
/// platform roles alone (ASSUMED).
pub(crate) async fn list(request: HttpRequest, state: Data<State>) -> HttpResponse {
    respond(&request, &state, async {
        auth::caller(&state.app, &request)?;
        let service = match Query::of(&request).get("service_name") {
            None | Some("") => Vec::new(),
            Some("kms") => SERVICE_ROLES.iter().map(|role| render(role, Actions::Known)).collect(),
            Some(_) => SERVICE_ROLES.iter().take(GENERAL_ROLES).map(|role| render(role, Actions::Unknown)).collect(),
        };
        let system: Vec<Value> = PLATFORM_ROLES.iter().map(|role| render(role, Actions::Known)).collect();
        Ok(HttpResponse::Ok().json(json!({ "custom_roles": [], "service_roles": service, "system_roles": system })))
    })
    .await
}

/// Whether a role's actions can be told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Actions {
    Known,
    /// Those of another service.
    Unknown,
}

fn render(role: &Role, actions: Actions) -> Value {
    let actions: Vec<&str> = if actions == Actions::Known { role.actions().collect() } else { Vec::new() };
    json!({ "display_name": role.name, "description": role.description, "actions": actions, "crn": role.crn })
}
