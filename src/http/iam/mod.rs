//! IAM's token service. Source: `docs/contract/iam.md` 1 and 2.

mod errors;
mod keys;
mod token;

use actix_web::web::{self, ServiceConfig};

use crate::http::admin::errors::wrong_method;

/// The routes; a trailing slash is tolerated.
pub(crate) fn configure(routes: &mut ServiceConfig) {
    for path in ["/identity/token", "/identity/token/", "/oidc/token", "/oidc/token/"] {
        routes.service(web::resource(path).route(web::post().to(token::grant)).default_service(web::to(wrong_method)));
    }
    routes
        .service(
            web::resource("/identity/keys").route(web::get().to(keys::list)).default_service(web::to(wrong_method)),
        )
        .service(
            web::resource("/identity/.well-known/openid-configuration")
                .route(web::get().to(keys::discover))
                .default_service(web::to(wrong_method)),
        );
}
