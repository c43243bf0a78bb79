//! The real service as a process of its own, ended with the benchmark.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tempfile::TempDir;

use crate::Outcome;

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_mock-key-protect");

/// How long a server may take to start; making an RSA key may take a second.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// How long the service may take to drain before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a start or an end is looked for.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The real service, with an ephemeral store.
pub(crate) struct Service {
    process: Child,
    pub(crate) ready: Ready,
    /// Where it runs and where the ready file is.
    _folder: TempDir,
}

/// What is needed of the ready file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ready {
    pub(crate) url: String,
    pub(crate) iam_url: String,
    pub(crate) api_key: String,
    pub(crate) instance_id: String,
}

impl Service {
    /// Starts it by a command, which says `--cos-port` and may have other options, and waits for its ready file.
    ///
    /// # Errors
    /// It ended, or was not ready in time.
    pub(crate) fn start(mut command: Command) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("ready.json");
        command
            .args(["--port", "0", "--ephemeral", "--log", "error"])
            .arg("--ready-file")
            .arg(&file)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        forget_settings(&mut command);
        let mut process = command.spawn()?;
        let ready = match wait_until_ready(&mut process, &file) {
            Ok(ready) => ready,
            Err(error) => {
                end(&mut process);
                return Err(error);
            }
        };
        Ok(Self { process, ready, _folder: folder })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

/// Keeps settings of whoever runs the benchmark away from the service.
fn forget_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"MKP_") {
            command.env_remove(name);
        }
    }
}

fn wait_until_ready(process: &mut Child, file: &Path) -> Outcome<Ready> {
    let give_up = Instant::now() + START_TIMEOUT;
    loop {
        if let Some(status) = process.try_wait()? {
            return Err(format!("the service ended at start: {status}").into());
        }
        match fs::read(file) {
            Ok(content) => {
                return serde_json::from_slice(&content)
                    .map_err(|error| format!("the service's ready file cannot be used: {error}").into());
            }
            Err(_) if Instant::now() < give_up => std::thread::sleep(POLL_INTERVAL),
            Err(error) => return Err(format!("the service was not ready within 20 s: {error}").into()),
        }
    }
}

/// Asks the service to stop, so that it removes its folder, and kills it when it does not.
fn end(process: &mut Child) {
    let give_up = Instant::now() + STOP_TIMEOUT;
    // Refused only when the process is gone, which the loop sees.
    let _ = kill_process(Pid::from_child(process), Signal::TERM);
    while let Ok(None) = process.try_wait() {
        if Instant::now() >= give_up {
            let _ = process.kill();
            let _ = process.wait();
            return;
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}
