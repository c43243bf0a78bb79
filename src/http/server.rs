//! The HTTP server of the main port.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::KeepAlive;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, PayloadConfig};
use actix_web::{App as WebApp, HttpServer};

use crate::http::state::State;
use crate::http::watchdog::{IDLE_MAX, Watchdog};
use crate::http::{admin, docs, guard, iam, iam_policies, key_protect, resource_controller};

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
pub(crate) fn start(listener: TcpListener, state: Data<State>, watchdog: Arc<Watchdog>) -> std::io::Result<Server> {
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let server = HttpServer::new(move || {
        WebApp::new()
            .app_data(state.clone())
            .app_data(PayloadConfig::new(usize::MAX))
            .wrap(from_fn(guard::check))
            .configure(key_protect::configure)
            .configure(iam::configure)
            .configure(iam_policies::configure)
            .configure(resource_controller::configure)
            .configure(docs::configure)
            .configure(admin::configure)
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
