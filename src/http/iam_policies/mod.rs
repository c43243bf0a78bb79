//! IAM's access policies, authorizations and roles, in both versions of the API, and the service ids and API keys that
//! policies are for. Source: `docs/contract/iam.md` 1.4 and 4.

mod document;
mod errors;
mod identities;
mod list;
mod policies;
mod roles;

use actix_web::web::{self, ServiceConfig};

use crate::http::admin::errors::wrong_method;

/// The routes. Both versions show the same policies.
pub(crate) fn configure(routes: &mut ServiceConfig) {
    configure_identities(routes);
    for path in ["/v1/policies", "/v2/policies"] {
        routes.service(
            web::resource(path)
                .route(web::get().to(list::list))
                .route(web::post().to(policies::create))
                .default_service(web::to(wrong_method)),
        );
    }
    routes
        .service(
            web::resource("/v1/policies/{id}")
                .route(web::get().to(policies::get))
                .route(web::put().to(policies::replace))
                .route(web::patch().to(policies::restore))
                .route(web::delete().to(policies::delete))
                .default_service(web::to(wrong_method)),
        )
        .service(
            web::resource("/v2/policies/{id}")
                .route(web::get().to(policies::get))
                .route(web::put().to(policies::replace))
                .route(web::delete().to(policies::delete))
                .default_service(web::to(wrong_method)),
        )
        .service(web::resource("/v2/roles").route(web::get().to(roles::list)).default_service(web::to(wrong_method)));
}

/// A trailing slash after a collection is tolerated: older SDKs send it.
fn configure_identities(routes: &mut ServiceConfig) {
    for end in ["", "/"] {
        routes
            .service(
                web::resource(format!("/v1/serviceids{end}"))
                    .route(web::post().to(identities::create_service_id))
                    .default_service(web::to(wrong_method)),
            )
            .service(
                web::resource(format!("/v1/apikeys{end}"))
                    .route(web::post().to(identities::create_api_key))
                    .default_service(web::to(wrong_method)),
            );
    }
    routes
        .service(
            web::resource("/v1/serviceids/{id}")
                .route(web::get().to(identities::get_service_id))
                .route(web::delete().to(identities::delete_service_id))
                .default_service(web::to(wrong_method)),
        )
        .service(
            web::resource("/v1/apikeys/{id}")
                .route(web::get().to(identities::get_api_key))
                .route(web::delete().to(identities::delete_api_key))
                .default_service(web::to(wrong_method)),
        );
}
