//! The ports: bound before anything else is done, so that one in use changes nothing; and the servers on them.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::{Server, ServerHandle};
use actix_web::web::Data;
use tokio::task::JoinHandle as Task;

use crate::config::{Config, PortChoice};
use crate::cos::http::{Gateway, KEY_EVENTS, server as gateway_server};
use crate::crypto::local_ca::LocalCa;
use crate::http::server::{self, Listeners};
use crate::http::state::State;
use crate::http::watchdog::Watchdog;
use crate::service::{StartError, tls};

/// Connections that the system holds until they are accepted.
const BACKLOG: i32 = 2_048;

/// All listeners that the options ask for.
pub(crate) struct Ports {
    pub(crate) main: TcpListener,
    pub(crate) main_tls: Option<TcpListener>,
    pub(crate) cos: Option<TcpListener>,
    pub(crate) cos_tls: Option<TcpListener>,
}

/// Where clients reach them: without a path, without a slash at the end.
pub(crate) struct Addresses {
    pub(crate) url: String,
    pub(crate) tls_url: Option<String>,
    pub(crate) cos_url: Option<String>,
    pub(crate) cos_tls_url: Option<String>,
}

impl Ports {
    /// Binds them.
    ///
    /// # Errors
    /// For one that is in use; names its option.
    pub(crate) fn bind(config: &Config) -> Result<Self, StartError> {
        let chosen = |choice: PortChoice, option: &str| match choice {
            PortChoice::Off => Ok(None),
            PortChoice::Port(port) => bind(config.host, port, option).map(Some),
        };
        Ok(Self {
            main: bind(config.host, config.port, "--port")?,
            main_tls: chosen(config.tls_port, "--tls-port")?,
            cos: chosen(config.cos_port, "--cos-port")?,
            cos_tls: chosen(config.cos_tls_port, "--cos-tls-port")?,
        })
    }

    /// Their addresses.
    ///
    /// # Errors
    /// When the system does not tell one.
    pub(crate) fn addresses(&self, config: &Config) -> Result<Addresses, StartError> {
        let host = if config.host.is_unspecified() {
            if config.host.is_ipv6() { "[::1]".to_owned() } else { "127.0.0.1".to_owned() }
        } else if config.host.is_ipv6() {
            format!("[{}]", config.host)
        } else {
            config.host.to_string()
        };
        let address = |scheme: &str, listener: &TcpListener| {
            let address = listener.local_addr();
            let address = address.map_err(|error| StartError(format!("a port has no address: {error}")))?;
            Ok::<_, StartError>(format!("{scheme}://{host}:{}", address.port()))
        };
        let maybe = |scheme: &str, listener: &Option<TcpListener>| {
            listener.as_ref().map(|listener| address(scheme, listener)).transpose()
        };
        Ok(Addresses {
            url: address("http", &self.main)?,
            tls_url: maybe("https", &self.main_tls)?,
            cos_url: maybe("http", &self.cos)?,
            cos_tls_url: maybe("https", &self.cos_tls)?,
        })
    }
}

impl Addresses {
    /// Where the gateway takes life cycle events: over HTTPS where it has no other port. `None` without a gateway.
    pub(crate) fn key_events(&self) -> Option<String> {
        let url = self.cos_url.as_ref().or(self.cos_tls_url.as_ref())?;
        Some(format!("{url}{KEY_EVENTS}"))
    }
}

fn bind(host: IpAddr, port: u16, option: &str) -> Result<TcpListener, StartError> {
    let socket = socket2::Socket::new(socket2::Domain::for_address((host, port).into()), socket2::Type::STREAM, None);
    let bound = socket.and_then(|socket| {
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::from((host, port)).into())?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from(socket))
    });
    bound.map_err(|error| {
        let remedy = format!("choose another with {option} (0 picks a free one) or --host");
        StartError(format!("{host}:{port} cannot be listened on: {error}; {remedy}"))
    })
}

/// A running server.
pub(crate) struct Serving {
    pub(crate) handle: ServerHandle,
    pub(crate) task: Task<std::io::Result<()>>,
}

/// Starts the servers: the main one, and the gateway's where it has a port.
///
/// # Errors
/// When HTTPS cannot be served, or a socket cannot be listened on.
pub(crate) fn serve(
    ports: Ports,
    config: &Config,
    ca: &Arc<LocalCa>,
    state: &Data<State>,
    watchdog: &Arc<Watchdog>,
) -> Result<Vec<Serving>, StartError> {
    let encrypted = |listener: Option<TcpListener>| match listener {
        Some(listener) => tls::server_config(ca, config, &state.app).map(|tls| Some((listener, tls))),
        None => Ok(None),
    };
    let main = Listeners { plain: Some(ports.main), tls: encrypted(ports.main_tls)? };
    let mut servers = vec![server::start(main, state.clone(), Arc::clone(watchdog))];
    let cos = Listeners { plain: ports.cos, tls: encrypted(ports.cos_tls)? };
    if cos.plain.is_some() || cos.tls.is_some() {
        let gateway = Data::new(Gateway { cos: Arc::clone(&state.cos) });
        servers.push(gateway_server::start(cos, gateway, Arc::clone(watchdog)));
    }
    let running = |server: std::io::Result<Server>| {
        let server = server.map_err(|error| StartError(format!("the ports cannot be served: {error}")))?;
        Ok(Serving { handle: server.handle(), task: actix_web::rt::spawn(server) })
    };
    servers.into_iter().map(running).collect()
}
