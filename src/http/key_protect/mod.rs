//! Key Protect's API, `/api/v2`.

mod actions;
mod aliases;
mod draft;
pub(crate) mod entry;
pub(crate) mod envelope;
mod event_ack;
mod import_token;
mod instance_policies;
mod instance_policy_body;
mod keys;
pub(crate) mod kmip;
mod lists;
mod payload;
mod policies;
mod policy_body;
mod registration_body;
mod registrations;
mod render;
mod rings;
mod single;
mod wrapping;

use actix_web::guard::fn_guard;
use actix_web::web::{self, ServiceConfig};

/// Where keys are.
const KEYS: &str = "/api/v2/keys";

/// The routes. Wrap, unwrap and rewrap come first, and without a pattern: a regular expression costs 0.4 µs.
pub(crate) fn configure(routes: &mut ServiceConfig) {
    let data_plane = web::scope(KEYS).guard(fn_guard(actions::is_of_data_plane)).default_service(web::to(actions::act));
    let actions = web::resource("/api/v2/keys/{id}/actions/{action}")
        .route(web::post().to(actions::act))
        .default_service(web::to(entry::wrong_method));
    routes.service(data_plane).service(actions).service(
        web::scope("/api/v2")
            .service(
                web::resource("/keys")
                    .route(web::get().to(lists::list))
                    .route(web::head().to(lists::count))
                    .route(web::post().to(keys::create))
                    .default_service(web::to(entry::wrong_method)),
            )
            .service(
                web::resource("/keys_with_policy_overrides")
                    .route(web::post().to(keys::create_with_policies))
                    .default_service(web::to(entry::wrong_method)),
            )
            .service(
                web::resource("/keys/registrations")
                    .route(web::get().to(registrations::list_all))
                    .default_service(web::to(entry::wrong_method)),
            )
            .service(
                web::resource("/keys/{id}")
                    .route(web::get().to(keys::get))
                    .route(web::post().to(actions::act_by_query))
                    .route(web::patch().to(keys::patch))
                    .route(web::delete().to(keys::delete))
                    .default_service(web::to(entry::wrong_method)),
            )
            .configure(below_a_key)
            .configure(beside_keys)
            .configure(kmip::configure)
            .default_service(web::to(entry::unknown_path)),
    );
}

fn beside_keys(routes: &mut ServiceConfig) {
    routes
        .service(
            web::resource("/key_rings").route(web::get().to(rings::list)).default_service(web::to(entry::wrong_method)),
        )
        .service(
            web::resource("/key_rings/{ring}")
                .route(web::post().to(rings::create))
                .route(web::delete().to(rings::delete))
                .default_service(web::to(entry::wrong_method)),
        )
        .service(
            web::resource("/event_ack")
                .route(web::post().to(event_ack::acknowledge_event))
                .default_service(web::to(entry::wrong_method)),
        )
        .service(
            web::resource("/import_token")
                .route(web::get().to(import_token::get))
                .route(web::post().to(import_token::create))
                .default_service(web::to(entry::wrong_method)),
        )
        .service(
            web::resource("/instance/policies")
                .route(web::get().to(instance_policies::list))
                .route(web::put().to(instance_policies::set))
                .default_service(web::to(entry::wrong_method)),
        )
        .service(
            web::resource("/instance/allowed_ip_port")
                .route(web::get().to(instance_policies::port))
                .default_service(web::to(entry::wrong_method)),
        );
}

fn below_a_key(routes: &mut ServiceConfig) {
    routes
        .service(
            web::resource("/keys/{id}/metadata")
                .route(web::get().to(keys::get_metadata))
                .default_service(web::to(entry::wrong_method)),
        )
        .service(
            web::resource("/keys/{id}/restore")
                .route(web::post().to(keys::restore))
                .default_service(web::to(entry::wrong_method)),
        )
        .service(
            web::resource("/keys/{id}/purge")
                .route(web::delete().to(keys::purge))
                .default_service(web::to(entry::wrong_method)),
        )
        .service(
            web::resource("/keys/{id}/versions")
                .route(web::get().to(lists::versions))
                .default_service(web::to(entry::wrong_method)),
        )
        .service(
            web::resource("/keys/{id}/policies")
                .route(web::get().to(policies::list))
                .route(web::put().to(policies::set))
                .default_service(web::to(entry::wrong_method)),
        )
        .service(
            web::resource("/keys/{id}/registrations")
                .route(web::get().to(registrations::list))
                .default_service(web::to(entry::wrong_method)),
        )
        .service(
            web::resource("/keys/{id}/registrations/{crn}")
                .route(web::post().to(registrations::create))
                .route(web::put().to(registrations::replace))
                .route(web::patch().to(registrations::update))
                .route(web::delete().to(registrations::delete))
                .default_service(web::to(entry::wrong_method)),
        )
        .service(
            web::resource("/keys/{id}/aliases/{alias}")
                .route(web::post().to(aliases::create))
                .route(web::delete().to(aliases::delete))
                .default_service(web::to(entry::wrong_method)),
        );
}
