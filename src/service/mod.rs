//! Wiring: opens the store, binds the ports, starts and stops all.

mod audit_file;
mod data_folder;
#[cfg(test)]
mod gateway_tests;
mod log;
mod open;
mod ready_file;
#[cfg(test)]
mod simulation;
mod wake;
mod webhooks;

use std::net::{IpAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use thiserror::Error as ThisError;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle as Task;
use tracing::{info, warn};
use zeroize::Zeroizing;

use crate::app::App;
use crate::app::builtin;
use crate::app::error::Error;
use crate::app::{subscribers, time};
use crate::clock;
use crate::config::Config;
use crate::crypto::random::Random;
use crate::delivery::dispatcher::Dispatcher;
use crate::domain::crn;
use crate::domain::id::InstanceId;
use crate::domain::instance::Service as Kind;
use crate::http::server;
use crate::http::state::{AdminAccess, Info, State};
use crate::http::watchdog::Watchdog;
use crate::service::audit_file::AuditFile;
use crate::service::data_folder::DataFolder;
use crate::service::open::Opened;
use crate::service::wake::Waker;
use crate::store;
use crate::store::file::OpenError;

/// Connections that the system holds until they are accepted.
const BACKLOG: i32 = 2_048;
/// Real time that a connection without a request is left open at a stop.
const IDLE_GRACE: Duration = Duration::from_millis(250);
/// Real time that attempts are still begun in while requests end.
const ATTEMPTS_GRACE: Duration = Duration::from_secs(2);
/// Real time that a stop may take. Source: `docs/contract/reliability.md` T-18.
const STOP_DEADLINE: Duration = Duration::from_secs(5);

/// Why the service does not start: one line that names the thing and the remedy.
#[derive(Debug, ThisError)]
#[error("{0}")]
pub struct StartError(pub(crate) String);

impl From<Error> for StartError {
    fn from(error: Error) -> Self {
        Self(match error {
            Error::Crypto(error) => format!(
                "the data folder does not open: {error}; set the MKP_MASTER_KEY or put back the master.key that it was \
                 made with"
            ),
            Error::Refused(_) | Error::Store(_) => format!("the data folder cannot be used: {error}"),
        })
    }
}

impl From<store::Error> for StartError {
    fn from(error: store::Error) -> Self {
        Error::from(error).into()
    }
}

impl From<OpenError> for StartError {
    fn from(error: OpenError) -> Self {
        Self(error.to_string())
    }
}

/// SIGINT and SIGTERM, listened to from before the service says that it is ready: none is missed.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Starts to listen. Needs an actix or Tokio runtime.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub fn listen() -> Result<Self, StartError> {
        let no_signals = |error: std::io::Error| StartError(format!("signals cannot be waited for: {error}"));
        let terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
        let interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
        Ok(Self { terminate, interrupt })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// A running service.
///
/// Dropped without a stop, it lets go of its port and closes its store, without waiting for anything.
pub struct Service {
    state: Data<State>,
    server: ServerHandle,
    serving: Task<std::io::Result<()>>,
    waker: Option<Waker>,
    /// The store's; the writer is the last one.
    threads: Vec<JoinHandle<()>>,
    audit_file: Option<AuditFile>,
    ready_file: Option<std::path::PathBuf>,
    dispatcher: Option<Dispatcher>,
    /// Goes last: the folder's lock, or the temporary folder itself.
    _folder: DataFolder,
}

impl Service {
    /// Opens the store, binds the port and serves. Needs an actix or Tokio runtime.
    ///
    /// # Errors
    /// When an option, the data folder or a port cannot be used. Nothing is changed then.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        refuse_unsafe(&config)?;
        data_folder::check_master_key(&config)?;
        let clients = webhooks::clients(&config)?;
        let listener = bind(config.host, config.port)?;
        let folder = DataFolder::open(&config)?;
        let Opened { app, threads, owner_key } = open::open(&config, &folder)?;
        // From here on a restart goes on from this clock, whatever ends the process.
        time::keep_course(&app).await?;
        // Without a gateway nobody takes the events of buckets.
        subscribers::place_gateway(&app, None, app.clock.now()).await?;
        let dispatcher = Dispatcher::start(Arc::clone(&app), clients);
        let info = describe(&config, &listener, owner_key, admin_token(&config, &app.vault.random)?)?;
        let admin = AdminAccess { token: info.admin_token.clone(), local: config.host.is_loopback() };
        let audit_file = match &config.audit_file {
            Some(path) => Some(AuditFile::start(Arc::clone(&app), path).await?),
            None => None,
        };
        let ready_file = config.ready_file.clone();
        let state = Data::new(State::new(app, info, admin));
        let watchdog = Arc::new(Watchdog::default());
        let server = server::start(listener, state.clone(), Arc::clone(&watchdog))
            .map_err(|error| StartError(format!("port {} cannot be served: {error}", config.port)))?;
        let handle = server.handle();
        let serving = actix_web::rt::spawn(server);
        let waker = Waker::start(state.clone(), watchdog).await?;
        if let Some(path) = &ready_file {
            ready_file::write(path, &state.info)?;
        }
        info!(url = state.info.url, pid = state.info.pid, "serving");
        Ok(Self {
            state,
            server: handle,
            serving,
            waker: Some(waker),
            threads,
            audit_file,
            ready_file,
            dispatcher: Some(dispatcher),
            _folder: folder,
        })
    }

    /// Serves until a signal comes, then drains; a second one ends it at once.
    pub async fn run_until(self, mut signals: Signals) {
        signals.next().await;
        info!("draining");
        tokio::select! {
            () = self.stop() => {}
            () = signals.next() => warn!("stopped at once by a second signal"),
        }
    }

    /// Drains and closes the store.
    pub async fn stop(mut self) {
        self.state.drain();
        let waker = self.waker.take();
        let drained =
            tokio::time::timeout(STOP_DEADLINE, drain(&self.state.app, self.server.stop(true), waker.as_ref())).await;
        if drained.is_err() {
            warn!("some requests did not end in time");
        }
        self.serving.abort();
        if let Some(waker) = waker {
            waker.stop().await;
        }
        if let Some(dispatcher) = self.dispatcher.take() {
            dispatcher.stop().await;
        }
        self.state.app.flush_audit().await;
        if let Some(file) = self.audit_file.take() {
            file.stop().await;
        }
        // The writer's connection must be the last one: it folds the log in and takes it away.
        let writer = self.threads.pop();
        self.state.app.reader.close();
        self.state.app.archive.close();
        join(std::mem::take(&mut self.threads));
        self.state.app.writer.close();
        join(writer);
        if let Some(path) = &self.ready_file {
            ready_file::remove(path);
        }
    }

    /// The main port's address, `http://127.0.0.1:8490`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.state.info.url
    }

    /// The ready file's content, JSON.
    #[must_use]
    pub fn info(&self) -> String {
        serde_json::to_string_pretty(&self.state.info).unwrap_or_default()
    }

    /// What a start prints: addresses, ids, and a line to copy. Holds no secret but an admin token that was made up.
    #[must_use]
    pub fn banner(&self, config: &Config) -> String {
        ready_file::banner(&self.state.info, config)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.server.stop(false));
        self.serving.abort();
        if let Some(waker) = &self.waker {
            waker.abort();
        }
        if let Some(file) = &self.audit_file {
            file.abort();
        }
        if let Some(dispatcher) = &self.dispatcher {
            dispatcher.abort();
        }
        self.state.app.reader.close();
        self.state.app.archive.close();
        self.state.app.writer.close();
    }
}

/// Starts to log to stderr. Called once, by the program.
pub fn start_log(config: &Config) {
    log::start(config);
}

/// Keeps secrets out of core dumps and other users' files. Called once, by the program.
pub fn harden_process() {
    data_folder::harden_process();
}

/// Waits for the server to stop. Meanwhile connections without a request are ended, but not at once: what a client has
/// sent by now may not have been read yet.
async fn drain(app: &App, stopped: impl Future<Output = ()>, waker: Option<&Waker>) {
    let mut beats = tokio::time::interval(IDLE_GRACE);
    beats.tick().await;
    tokio::pin!(stopped);
    let begun = clock::stopwatch();
    loop {
        tokio::select! {
            () = &mut stopped => return,
            _ = beats.tick() => waker.into_iter().for_each(Waker::end_idle_connections),
        }
        if begun.elapsed() > ATTEMPTS_GRACE {
            // Who moves the clock now waits for no more attempts.
            app.memory.dispatch.stop();
        }
    }
}

/// A thread that panicked has logged it.
fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    for thread in threads {
        drop(thread.join());
    }
}

fn refuse_unsafe(config: &Config) -> Result<(), StartError> {
    if config.deterministic.is_some() && !config.host.is_loopback() {
        let why = "--deterministic makes guessable keys, so it needs a loopback --host such as 127.0.0.1";
        return Err(StartError(why.to_owned()));
    }
    if let Some(path) = &config.seed {
        std::fs::read(path)
            .map_err(|error| StartError(format!("--seed {}: {error}; name a file that can be read", path.display())))?;
    }
    for (option, path) in [("--audit-file", &config.audit_file), ("--ready-file", &config.ready_file)] {
        let Some(path) = path else { continue };
        can_be_written(path).map_err(|why| {
            StartError(format!("{option} {}: {why}; name a file in a folder that can be written", path.display()))
        })?;
    }
    Ok(())
}

/// Looks at the file's folder, and changes nothing.
fn can_be_written(path: &Path) -> Result<(), String> {
    use rustix::fs::{Access, access};
    if path.is_dir() {
        return Err("it is a folder".to_owned());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| format!("its folder: {error}"))
}

fn bind(host: IpAddr, port: u16) -> Result<TcpListener, StartError> {
    let socket = socket2::Socket::new(socket2::Domain::for_address((host, port).into()), socket2::Type::STREAM, None);
    let bound = socket.and_then(|socket| {
        socket.set_reuse_address(true)?;
        socket.bind(&std::net::SocketAddr::from((host, port)).into())?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from(socket))
    });
    bound.map_err(|error| {
        let remedy = "choose another with --port (0 picks a free one) or --host";
        StartError(format!("{host}:{port} cannot be listened on: {error}; {remedy}"))
    })
}

fn admin_token(config: &Config, random: &Random) -> Result<Option<Zeroizing<String>>, StartError> {
    if let Some(token) = &config.admin_token {
        return Ok(Some(Zeroizing::new(token.clone())));
    }
    if config.host.is_loopback() {
        return Ok(None);
    }
    warn!(host = %config.host, "listening beyond this machine: /mock needs the admin token");
    let bytes: [u8; 24] = random.array().map_err(|error| StartError(error.to_string()))?;
    Ok(Some(Zeroizing::new(hex::encode(bytes))))
}

fn describe(
    config: &Config,
    listener: &TcpListener,
    api_key: Zeroizing<String>,
    admin_token: Option<Zeroizing<String>>,
) -> Result<Info, StartError> {
    let address = listener.local_addr().map_err(|error| StartError(format!("the port has no address: {error}")))?;
    let host = if config.host.is_unspecified() {
        if config.host.is_ipv6() { "[::1]".to_owned() } else { "127.0.0.1".to_owned() }
    } else if config.host.is_ipv6() {
        format!("[{}]", config.host)
    } else {
        config.host.to_string()
    };
    let url = format!("http://{host}:{}", address.port());
    let crn_of = |kind: Kind, region: &str, id: &str| {
        InstanceId::parse(id).map(|id| crn::of_instance(kind.name(), region, builtin::ACCOUNT, id)).unwrap_or_default()
    };
    Ok(Info {
        iam_url: url.clone(),
        admin_url: format!("{url}/mock"),
        url,
        region: builtin::REGION.to_owned(),
        account_id: builtin::ACCOUNT.to_owned(),
        api_key,
        instance_id: builtin::KEY_PROTECT_ID.to_owned(),
        instance_crn: crn_of(Kind::KeyProtect, builtin::REGION, builtin::KEY_PROTECT_ID),
        cos_instance_id: builtin::OBJECT_STORAGE_ID.to_owned(),
        cos_instance_crn: crn_of(Kind::ObjectStorage, "global", builtin::OBJECT_STORAGE_ID),
        admin_token,
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}
