//! The admin API, `/mock`: what a tester needs and the real service cannot give.

mod access;
mod audit;
mod buckets;
mod clock;
mod deliveries;
pub(crate) mod errors;
mod fidelity;
mod keys;
mod kmip;
mod parameters;
mod settings;
pub(crate) mod sinks;
mod status;
mod subscribers;

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};

use crate::http::metrics;

use self::errors::{unknown_path, wrong_method};

/// The routes, and what else the main port answers.
pub(crate) fn configure(routes: &mut ServiceConfig) {
    routes
        // Whoever has a sink's address may send to it; the rest of /mock is the tester's.
        .service(web::resource("/mock/sinks/{name}/hook-{token}").to(sinks::receive))
        .service(
            web::scope("/mock")
                .wrap(from_fn(access::check))
                .service(get("/ready", status::ready))
                .service(get("/info", status::info))
                .service(get("/clock", clock::show))
                .service(post("/clock/advance", clock::advance))
                .service(post("/clock/freeze", clock::freeze))
                .service(post("/clock/resume", clock::resume))
                .service(post("/tokens/expire", status::expire_tokens))
                .service(get("/audit-events", audit::list))
                .service(get("/fidelity", fidelity::list))
                .service(post("/kmip-objects", kmip::plant))
                .service(get("/buckets", buckets::list))
                .service(
                    web::resource("/buckets/{name}")
                        .route(web::get().to(buckets::show))
                        .route(web::patch().to(buckets::age))
                        .default_service(web::to(wrong_method)),
                )
                .service(get("/ca.pem", status::ca))
                .service(
                    web::resource("/sinks/{name}")
                        .route(web::post().to(sinks::make))
                        .route(web::get().to(sinks::show))
                        .route(web::delete().to(sinks::remove))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/sinks/{name}/script")
                        .route(web::put().to(sinks::direct))
                        .default_service(web::to(wrong_method)),
                )
                .service(
                    web::resource("/settings")
                        .route(web::get().to(settings::show))
                        .route(web::patch().to(settings::change))
                        .default_service(web::to(wrong_method)),
                )
                .service(get("/keys/{id}", keys::show))
                .configure(events)
                .default_service(web::to(unknown_path)),
        )
        .service(get("/openapi.yaml", status::openapi))
        .service(get("/metrics", metrics::show))
        .default_service(web::to(unknown_path));
}

/// Subscribers and deliveries.
fn events(routes: &mut ServiceConfig) {
    routes
        .service(
            web::resource("/subscribers")
                .route(web::get().to(subscribers::list))
                .route(web::post().to(subscribers::create))
                .default_service(web::to(wrong_method)),
        )
        .service(
            web::resource("/subscribers/{name}")
                .route(web::patch().to(subscribers::change))
                .route(web::delete().to(subscribers::remove))
                .default_service(web::to(wrong_method)),
        )
        .service(get("/deliveries", deliveries::list))
        .service(post("/deliveries/recover", deliveries::recover))
        .service(post("/deliveries/{id}/redeliver", deliveries::redeliver));
}

fn get<F, Args>(path: &str, handler: F) -> actix_web::Resource
where
    F: actix_web::Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    web::resource(path).route(web::get().to(handler)).default_service(web::to(wrong_method))
}

fn post<F, Args>(path: &str, handler: F) -> actix_web::Resource
where
    F: actix_web::Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    web::resource(path).route(web::post().to(handler)).default_service(web::to(wrong_method))
}
