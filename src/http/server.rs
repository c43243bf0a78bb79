//! The HTTP servers: what all ports have in common, and what the main one answers.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::KeepAlive;
use actix_web::web::{Data, PayloadConfig, ServiceConfig};
use actix_web::{App as WebApp, HttpServer};
use rustls::ServerConfig;

use crate::http::guard::Guard;
use crate::http::state::State;
use crate::http::watchdog::{IDLE_MAX, Watchdog};
use crate::http::{admin, docs, iam, iam_policies, key_protect, resource_controller};

/// Connections at once; beyond, accepting waits. Source: `docs/contract/reliability.md` T-21.
const CONNECTIONS_MAX: usize = 4_096;
/// Real time for the head of a connection's first request, and for the handshake before it.
const HEAD_DEADLINE: Duration = Duration::from_secs(5);
/// Real time that requests under way have to end at a stop; whole seconds.
const DRAIN_SECONDS: u64 = 3;

/// The sockets that one server answers on.
pub(crate) struct Listeners {
    pub(crate) plain: Option<TcpListener>,
    pub(crate) tls: Option<(TcpListener, ServerConfig)>,
}

/// Starts to serve the main port.
///
/// # Errors
/// When a socket cannot be listened on.
pub(crate) fn start(listeners: Listeners, state: Data<State>, watchdog: Arc<Watchdog>) -> std::io::Result<Server> {
    let routes = move |routes: &mut ServiceConfig| {
        routes.app_data(state.clone());
        key_protect::configure(routes);
        iam::configure(routes);
        iam_policies::configure(routes);
        resource_controller::configure(routes);
        docs::configure(routes);
        admin::configure(routes);
    };
    serve(listeners, watchdog, routes)
}

/// Serves routes with the limits that hold on every port.
///
/// # Errors
/// When a socket cannot be listened on.
pub(crate) fn serve(
    listeners: Listeners,
    watchdog: Arc<Watchdog>,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> std::io::Result<Server> {
    let factory = move || WebApp::new().app_data(PayloadConfig::new(usize::MAX)).wrap(Guard).configure(routes.clone());
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let mut server = HttpServer::new(factory)
        .workers(workers)
        .max_connections(CONNECTIONS_MAX.div_ceil(workers))
        .max_connection_rate(CONNECTIONS_MAX)
        .keep_alive(KeepAlive::Timeout(IDLE_MAX))
        .client_request_timeout(HEAD_DEADLINE)
        .client_disconnect_timeout(Duration::from_secs(1))
        .tls_handshake_timeout(HEAD_DEADLINE)
        .shutdown_timeout(DRAIN_SECONDS)
        .disable_signals()
        .on_connect(move |io, data| watchdog.watch(io, data));
    if let Some(listener) = listeners.plain {
        server = server.listen(listener)?;
    }
    if let Some((listener, config)) = listeners.tls {
        server = server.listen_rustls_0_23(listener, config)?;
    }
    Ok(server.run())
}
