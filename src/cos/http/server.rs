//! The HTTP server of the gateway's port. Nothing is routed by actix: its router would normalize paths.

use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::web::{self, Data, ServiceConfig};

use crate::cos::http::{Gateway, answer};
use crate::http::server::{self, Listeners};
use crate::http::watchdog::Watchdog;

/// Starts to serve.
///
/// # Errors
/// When a socket cannot be listened on.
pub(crate) fn start(listeners: Listeners, gateway: Data<Gateway>, watchdog: Arc<Watchdog>) -> std::io::Result<Server> {
    let routes = move |routes: &mut ServiceConfig| {
        routes.app_data(gateway.clone()).default_service(web::to(answer));
    };
    server::serve(listeners, watchdog, routes)
}
