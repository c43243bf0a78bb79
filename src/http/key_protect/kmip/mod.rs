//! KMIP adapters, their client certificates and their objects. Source: docs, kmip; `docs/contract/policies.md` 8.

mod adapters;
mod certificates;
pub(crate) mod objects;

use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::domain::id::AdapterId;
use crate::domain::kmip::{Name, Page, Reference};
use crate::domain::reason::Reason;
use crate::http::json::Fields;
use crate::http::key_protect::entry;
use crate::http::key_protect::envelope::{self, Collection, WhenEmpty};
use crate::http::query::Query;

/// Things on one page, where nobody asked. Source: API reference.
const PAGE_DEFAULT: i64 = 100;
/// Adapters or certificates on one page. Source: API reference.
const PAGE_MAX: i64 = 200;

/// The routes.
pub(crate) fn configure(routes: &mut ServiceConfig) {
    routes
        .service(
            web::resource("/kmip_adapters")
                .route(web::get().to(adapters::list))
                .route(web::post().to(adapters::create))
                .default_service(web::to(entry::wrong_method)),
        )
        .service(
            web::resource("/kmip_adapters/{adapter}")
                .route(web::get().to(adapters::get))
                .route(web::delete().to(adapters::delete))
                .default_service(web::to(entry::wrong_method)),
        )
        .service(
            web::resource("/kmip_adapters/{adapter}/certificates")
                .route(web::get().to(certificates::list))
                .route(web::post().to(certificates::add))
                .default_service(web::to(entry::wrong_method)),
        )
        .service(
            web::resource("/kmip_adapters/{adapter}/certificates/{certificate}")
                .route(web::get().to(certificates::get))
                .route(web::delete().to(certificates::delete))
                .default_service(web::to(entry::wrong_method)),
        )
        .service(
            web::resource("/kmip_adapters/{adapter}/kmip_objects")
                .route(web::get().to(objects::list))
                .default_service(web::to(entry::wrong_method)),
        )
        .service(
            web::resource("/kmip_adapters/{adapter}/kmip_objects/{object}")
                .route(web::get().to(objects::get))
                .route(web::delete().to(objects::delete))
                .default_service(web::to(entry::wrong_method)),
        );
}

/// The adapter that the path names.
fn adapter_ref(request: &HttpRequest) -> Reference<AdapterId> {
    Reference::parse(request.match_info().get("adapter").unwrap_or_default(), AdapterId::parse)
}

/// The name in a body.
fn name(resource: &Fields) -> Result<Option<Name>, Reason> {
    let Some(text) = resource.text("name")? else { return Ok(None) };
    Name::parse(text).map(Some).ok_or_else(|| Reason::field("name", Name::RULE))
}

/// What part of a list is asked for.
fn page(query: &Query<'_>, most: i64) -> Result<Page, Reason> {
    Ok(Page { limit: query.limit_within(PAGE_DEFAULT, most)?, offset: query.offset()? })
}

/// True when the total is asked for. The Python SDK 2 always says so.
fn counted(query: &Query<'_>) -> Result<bool, Reason> {
    Ok(query.boolean("totalCount")? == Some(true))
}

fn one<T: Serialize>(status: StatusCode, media_type: &'static str, body: T) -> HttpResponse {
    envelope::reply(status, media_type, &Collection::new(media_type, vec![body], WhenEmpty::EmptyArray))
}

fn many<T: Serialize>(media_type: &'static str, bodies: Vec<T>, total: Option<u64>) -> HttpResponse {
    let mut body = Collection::new(media_type, bodies, WhenEmpty::EmptyArray);
    body.metadata.total_count = total;
    envelope::reply(StatusCode::OK, media_type, &body)
}
