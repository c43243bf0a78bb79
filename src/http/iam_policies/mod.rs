//! IAM's access policies, authorizations and roles, in both versions of the API. Source: `docs/contract/iam.md` 4.

mod document;
mod errors;
mod list;
mod policies;
mod roles;

use actix_web::web::{self, ServiceConfig};

use crate::http::admin::errors::wrong_method;

/// The routes. Both versions show the same policies.
pub(crate) fn configure(routes: &mut ServiceConfig) {
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
