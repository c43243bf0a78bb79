//! The Resource Controller, as far as IBM's SDKs need it. Source: `docs/contract/iam.md` 3.

mod errors;
mod groups;
mod instances;
mod page;
mod render;
mod resource_keys;

use actix_web::web::{self, ServiceConfig};

use crate::http::admin::errors::wrong_method;

/// The routes. An id is a GUID or an encoded CRN: `%2F` does not end a segment.
pub(crate) fn configure(routes: &mut ServiceConfig) {
    routes
        .service(
            web::resource("/v2/resource_instances")
                .route(web::get().to(instances::list))
                .route(web::post().to(instances::create))
                .default_service(web::to(wrong_method)),
        )
        .service(
            web::resource("/v2/resource_instances/{id}")
                .route(web::get().to(instances::get))
                .route(web::patch().to(instances::update))
                .route(web::delete().to(instances::delete))
                .default_service(web::to(wrong_method)),
        )
        .service(
            web::resource("/v2/resource_instances/{id}/lock")
                .route(web::post().to(instances::lock))
                .route(web::delete().to(instances::unlock))
                .default_service(web::to(wrong_method)),
        )
        .service(
            web::resource("/v2/resource_instances/{id}/resource_keys")
                .route(web::get().to(resource_keys::list_of_instance))
                .default_service(web::to(wrong_method)),
        )
        .service(
            web::resource("/v2/resource_keys")
                .route(web::get().to(resource_keys::list))
                .route(web::post().to(resource_keys::create))
                .default_service(web::to(wrong_method)),
        )
        .service(
            web::resource("/v2/resource_keys/{id}")
                .route(web::get().to(resource_keys::get))
                .route(web::patch().to(resource_keys::update))
                .route(web::delete().to(resource_keys::delete))
                .default_service(web::to(wrong_method)),
        )
        .service(
            web::resource("/v2/resource_groups")
                .route(web::get().to(groups::list))
                .default_service(web::to(wrong_method)),
        );
}
