//! The HTTP server of the gateway's port. Nothing is routed by actix: its router would normalize paths.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::KeepAlive;
use actix_web::web::{self, Data, PayloadConfig};
use actix_web::{App as WebApp, HttpServer};

use crate::cos::http::{Gateway, answer};
use crate::http::watchdog::{IDLE_MAX, Watchdog};

/// Connections at once; beyond, accepting waits. Source: `docs/contract/reliability.md` T-21.
const CONNECTIONS_MAX: usize = 4_096;
/// Real time for the head of a connection's first request.
const HEAD_DEADLINE: Duration = Duration::from_secs(5);
/// Real time that requests under way have to end at a stop; whole seconds.
const DRAIN_SECONDS: u64 = 3;

/// Starts to serve on a bound socket.
///
/// # Errors
/// When the socket cannot be listened on.
pub(crate) fn start(listener: TcpListener, gateway: Data<Gateway>, watchdog: Arc<Watchdog>) -> std::io::Result<Server> {
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let server = HttpServer::new(move || {
        WebApp::new()
            .app_data(gateway.clone())
            .app_data(PayloadConfig::new(usize::MAX))
            .default_service(web::to(answer))
    })
    .workers(workers)
    .max_connections(CONNECTIONS_MAX.div_ceil(workers))
    .keep_alive(KeepAlive::Timeout(IDLE_MAX))
    .client_request_timeout(HEAD_DEADLINE)
    .client_disconnect_timeout(Duration::from_secs(1))
    .shutdown_timeout(DRAIN_SECONDS)
    .disable_signals()
    .on_connect(move |io, data| watchdog.watch(io, data))
    .listen(listener)?;
    Ok(server.run())
}
