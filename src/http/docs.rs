//! `/docs`: `openapi.yaml` in a browser, by Swagger UI. All that it needs is in the program: it works without a network.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY};
use actix_web::web::{self, ServiceConfig};

use crate::http::admin::errors::wrong_method;

/// Nothing from elsewhere. Swagger UI sets styles and draws its icons from `data:`.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:";

/// A file of the page.
struct Part {
    path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    /// True when it lies here packed, as every browser takes it.
    packed: bool,
}

const PARTS: [Part; 5] = [
    Part {
        path: "/docs",
        kind: "text/html; charset=utf-8",
        bytes: include_bytes!("../../assets/docs/index.html"),
        packed: false,
    },
    Part {
        path: "/docs/page.js",
        kind: "text/javascript; charset=utf-8",
        bytes: include_bytes!("../../assets/docs/page.js"),
        packed: false,
    },
    Part {
        path: "/docs/page.css",
        kind: "text/css; charset=utf-8",
        bytes: include_bytes!("../../assets/docs/page.css"),
        packed: false,
    },
    Part {
        path: "/docs/swagger-ui.js",
        kind: "text/javascript; charset=utf-8",
        bytes: include_bytes!("../../assets/swagger-ui/swagger-ui-bundle.js.gz"),
        packed: true,
    },
    Part {
        path: "/docs/swagger-ui.css",
        kind: "text/css; charset=utf-8",
        bytes: include_bytes!("../../assets/swagger-ui/swagger-ui.css.gz"),
        packed: true,
    },
];

/// The routes.
pub(crate) fn configure(routes: &mut ServiceConfig) {
    for part in &PARTS {
        let show = move || async move { reply(part) };
        routes.service(
            web::resource([part.path.to_owned(), format!("{}/", part.path)])
                .route(web::get().to(show))
                .route(web::head().to(show))
                .default_service(web::to(wrong_method)),
        );
    }
}

fn reply(part: &'static Part) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.content_type(part.kind);
    response.insert_header((CONTENT_SECURITY_POLICY, POLICY));
    // Another release may have other files under these names.
    response.insert_header((CACHE_CONTROL, "no-cache"));
    if part.packed {
        response.insert_header((CONTENT_ENCODING, "gzip"));
    }
    response.body(part.bytes)
}
