//! The built program as a process of its own, killed when its test is done.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{interval, timeout};

/// Real time for a start, an end or an answer.
const DEADLINE: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Variables that would reach the program from the tests' own environment.
const KEPT: [&str; 3] = ["PATH", "HOME", "TMPDIR"];

/// The program, without the environment of whoever runs the tests.
pub(crate) fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mock-key-protect"));
    command.env_clear().current_dir(folder).stdin(Stdio::null());
    for name in KEPT {
        command.envs(std::env::vars_os().filter(|(known, _)| known == name));
    }
    command
}

/// Runs the program to its end, which must come soon.
pub(crate) async fn run(mut command: Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    Running { child, folder: None, ready: PathBuf::new() }.output().await
}

/// A process. Dropped, it is killed.
pub(crate) struct Running {
    child: Child,
    /// Where it lives, when that is its own.
    folder: Option<TempDir>,
    ready: PathBuf,
}

impl Running {
    /// Serves from a new folder, with options beside those for ports; waits until it is ready.
    pub(crate) async fn serve(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut running = Self::serve_in(folder.path(), options).await;
        running.folder = Some(folder);
        running
    }

    /// Serves with its state below a folder.
    pub(crate) async fn serve_in(folder: &Path, options: &[&str]) -> Self {
        let mut command = program(folder);
        command.args(["serve", "--port", "0", "--cos-port", "off", "--data-dir", "data"]).args(options);
        Self::start(command, folder).await
    }

    /// Starts a command that serves, its output in files of the folder; waits for its ready file there.
    pub(crate) async fn start(command: Command, folder: &Path) -> Self {
        let stderr = std::fs::File::create(folder.join("stderr")).expect("a file for output");
        Self::start_with_stderr(command, folder, stderr).await
    }

    /// As [`Running::start`], with its log lines elsewhere.
    pub(crate) async fn start_with_stderr(mut command: Command, folder: &Path, stderr: std::fs::File) -> Self {
        let ready = folder.join("ready.json");
        // A stop at once leaves the file of the last run.
        drop(std::fs::remove_file(&ready));
        let stdout = std::fs::File::create(folder.join("stdout")).expect("a file for output");
        command.arg("--ready-file").arg(&ready).stdout(stdout).stderr(stderr);
        let mut running = Self { child: command.spawn().expect("the program starts"), folder: None, ready };
        let ready = timeout(DEADLINE, running.until_ready()).await;
        let errors = || std::fs::read_to_string(folder.join("stderr")).unwrap_or_default();
        assert!(ready == Ok(true), "not ready ({ready:?}): {}", errors());
        running
    }

    async fn until_ready(&mut self) -> bool {
        let mut looks = interval(LOOK_AGAIN);
        while !self.ready.exists() && self.runs() {
            looks.tick().await;
        }
        self.ready.exists()
    }

    /// The ready file's content.
    pub(crate) fn info(&self) -> Value {
        let text = std::fs::read_to_string(&self.ready).expect("a ready file");
        serde_json::from_str(&text).expect("a ready file of JSON")
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        self.info()["url"].as_str().expect("an address").to_owned()
    }

    /// The ready file's place.
    pub(crate) fn ready_file(&self) -> &Path {
        &self.ready
    }

    /// Where it lives.
    pub(crate) fn folder(&self) -> &Path {
        self.ready.parent().expect("a folder")
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// True while it runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a process to ask for").is_none()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = Pid::from_child(&self.child);
        kill_process(id, signal).expect("the process takes a signal");
    }

    /// Waits for the end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let mut looks = interval(LOOK_AGAIN);
        let wait = async {
            loop {
                looks.tick().await;
                if let Some(status) = self.child.try_wait().expect("a process to ask for") {
                    return status;
                }
            }
        };
        timeout(DEADLINE, wait).await.expect("it ends in time")
    }

    /// A clean stop.
    pub(crate) async fn stop(&mut self) {
        self.signal(Signal::TERM);
        assert_eq!(self.ended().await.code(), Some(0));
    }

    /// Ends it without a chance to tidy up.
    pub(crate) async fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.ended().await;
    }

    /// What it has written to stdout and to stderr so far.
    pub(crate) fn written(&self) -> (String, String) {
        let read = |name: &str| std::fs::read_to_string(self.folder().join(name)).expect("output");
        (read("stdout"), read("stderr"))
    }

    async fn output(mut self) -> Output {
        let status = self.ended().await;
        let mut output = Output { status, stdout: Vec::new(), stderr: Vec::new() };
        let (out, err) = (self.child.stdout.take(), self.child.stderr.take());
        out.expect("a pipe").read_to_end(&mut output.stdout).expect("output");
        err.expect("a pipe").read_to_end(&mut output.stderr).expect("output");
        output
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended before.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
