//! Wiring: opens the store, binds the ports, starts and stops all.

mod audit_file;
mod data_folder;
#[cfg(test)]
mod gateway_tests;
mod info;
mod key_protect;
mod listeners;
mod log;
mod open;
mod ready_file;
#[cfg(test)]
mod simulation;
mod tls;
mod wake;
mod webhooks;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::web::Data;
use thiserror::Error as ThisError;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

use crate::app::App;
use crate::app::error::Error;
use crate::app::{subscribers, time};
use crate::clock;
use crate::config::Config;
use crate::cos::app::CosApp;
use crate::delivery::dispatcher::Dispatcher;
use crate::http::state::{AdminAccess, State};
use crate::http::watchdog::Watchdog;
use crate::service::audit_file::AuditFile;
use crate::service::data_folder::DataFolder;
use crate::service::info::{Secrets, admin_token, describe};
use crate::service::key_protect::WithinTheHouse;
use crate::service::listeners::{Ports, Serving, serve};
use crate::service::open::Opened;
use crate::service::wake::Waker;
use crate::store;
use crate::store::file::OpenError;

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
    /// The main one, then the gateway's, if there is one.
    servers: Vec<Serving>,
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
        let named = webhooks::named(&config)?;
        let ports = Ports::bind(&config)?;
        let folder = DataFolder::open(&config)?;
        let Opened { app, threads, owner_key, cos_hmac, ca } = open::open(&config, &folder)?;
        // From here on a restart goes on from this clock, whatever ends the process.
        time::keep_course(&app).await?;
        let cos = open_gateway(&app, &folder).await?;
        let addresses = ports.addresses(&config)?;
        subscribers::place_gateway(&app, addresses.key_events(), app.clock.now()).await?;
        let dispatcher = Dispatcher::start(Arc::clone(&app), webhooks::clients(&config, named, &ca)?);
        let admin_token = admin_token(&config, &app.vault.random)?;
        let ca_file = if tls::is_wanted(&config) { Some(tls::write_ca(folder.path(), &ca)?) } else { None };
        let info = describe(addresses, ca_file, Secrets { owner_key, cos_hmac, admin_token });
        let admin = AdminAccess { token: info.admin_token.clone(), local: config.host.is_loopback() };
        let audit_file = match &config.audit_file {
            Some(path) => Some(AuditFile::start(Arc::clone(&app), path).await?),
            None => None,
        };
        let ready_file = config.ready_file.clone();
        let state = Data::new(State::new(app, cos, info, admin, ca.certificate_pem.clone()));
        let watchdog = Arc::new(Watchdog::default());
        let servers = serve(ports, &config, &Arc::new(ca), &state, &watchdog)?;
        let waker = Waker::start(state.clone(), watchdog).await?;
        if let Some(path) = &ready_file {
            ready_file::write(path, &state.info)?;
        }
        info!(url = state.info.url, pid = state.info.pid, "serving");
        Ok(Self {
            state,
            servers,
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
        let stopped = futures_util::future::join_all(self.servers.iter().map(|server| server.handle.stop(true)));
        let drained = tokio::time::timeout(STOP_DEADLINE, drain(&self.state.app, stopped, waker.as_ref())).await;
        if drained.is_err() {
            warn!("some requests did not end in time");
        }
        self.servers.iter().for_each(|server| server.task.abort());
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
        ready_file::banner(&self.state.info, config, &self.state.app.clock.reading())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        for server in &self.servers {
            drop(server.handle.stop(false));
            server.task.abort();
        }
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

/// Opens the storage gateway's rooms: they are there without its port, too.
async fn open_gateway(app: &Arc<App>, folder: &DataFolder) -> Result<Arc<CosApp>, StartError> {
    let keys = Arc::new(WithinTheHouse(Arc::clone(app)));
    let opened = CosApp::open(Arc::clone(app), keys, folder.objects()).await;
    let cannot = |error| {
        StartError(format!("{} cannot be used: {error}; make it readable and writable", folder.objects().display()))
    };
    opened.map(Arc::new).map_err(cannot)
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
async fn drain<T>(app: &App, stopped: impl Future<Output = T>, waker: Option<&Waker>) {
    let mut beats = tokio::time::interval(IDLE_GRACE);
    beats.tick().await;
    tokio::pin!(stopped);
    let begun = clock::stopwatch();
    loop {
        tokio::select! {
            _ = &mut stopped => return,
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
