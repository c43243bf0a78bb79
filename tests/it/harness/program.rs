//! The program itself as a process of its own, for what cannot be seen from inside: crashes, signals, output, files.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::dice::{let_pass, stopwatch};
use super::raw::Caller;

const PROGRAM: &str = env!("CARGO_BIN_EXE_mock-key-protect");
/// Longest start on a machine that is busy with other tests, real time.
const START_MAX: Duration = Duration::from_mins(1);
/// Longest stop, real time. Source: `docs/contract/reliability.md` T-18; a second more for a busy machine.
const STOP_MAX: Duration = Duration::from_secs(6);

/// How to start it.
pub(crate) struct Launch {
    command: Command,
    /// Holds the ready file, apart from the data folder.
    place: TempDir,
}

/// A started program. Dropped, it is killed.
pub(crate) struct Program {
    child: Child,
    place: TempDir,
    stdout: Output,
    stderr: Output,
    pub(crate) url: String,
    pub(crate) info: Value,
}

/// What a stream has told; a thread of its own reads it.
struct Output(Option<JoinHandle<Vec<u8>>>);

/// How a program ended and what it said.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Output {
    /// Also where its first line will arrive.
    fn of(stream: impl Read + Send + 'static) -> (Self, Receiver<String>) {
        let (told, first_line) = channel();
        let reader = std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut all = Vec::new();
            // The streams of a killed program end as any others.
            drop(stream.read_until(b'\n', &mut all));
            drop(told.send(String::from_utf8_lossy(&all).into_owned()));
            drop(stream.read_to_end(&mut all));
            all
        });
        (Self(Some(reader)), first_line)
    }

    fn all(&mut self) -> Vec<u8> {
        self.0.take().map(|reader| reader.join().expect("output")).unwrap_or_default()
    }
}

/// A line of bash with the program as its arguments' first.
fn bash(line: &str) -> Command {
    let mut command = Command::new("bash");
    command.args(["-c", line, "bash", PROGRAM]);
    command
}

impl Launch {
    /// On a data folder, on any port.
    pub(crate) fn on(folder: &Path) -> Self {
        Self::through(Command::new(PROGRAM), folder, "off")
    }

    /// On a data folder, on any ports, with the storage gateway.
    pub(crate) fn with_gateway_on(folder: &Path) -> Self {
        Self::through(Command::new(PROGRAM), folder, "0")
    }

    /// By way of a line of bash, in which `"$@"` is the program with its arguments.
    pub(crate) fn by_way_of(line: &str, folder: &Path) -> Self {
        Self::through(bash(line), folder, "off")
    }

    /// The same with the storage gateway.
    pub(crate) fn with_gateway_by_way_of(line: &str, folder: &Path) -> Self {
        Self::through(bash(line), folder, "0")
    }

    fn through(mut command: Command, folder: &Path, cos_port: &str) -> Self {
        let place = tempfile::tempdir().expect("a temporary folder");
        let path = std::env::vars_os().find(|(name, _)| name == "PATH").map(|(_, path)| path);
        command.env_clear().env("PATH", path.unwrap_or_default());
        command.args(["serve", "--port", "0", "--cos-port", cos_port, "--data-dir"]).arg(folder);
        command.arg("--ready-file").arg(place.path().join("ready.json"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own: a shell on the way is killed with the program.
        command.process_group(0);
        Self { command, place }
    }

    pub(crate) fn with(mut self, options: &[&str]) -> Self {
        self.command.args(options);
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Starts it and kills it after a span of real time.
    pub(crate) fn kill_after(mut self, span: Duration) {
        let mut child = self.command.spawn().expect("the program starts");
        let_pass(span);
        kill_group(&child);
        child.wait().expect("it ends");
    }

    /// Starts it; it must become ready.
    #[track_caller]
    pub(crate) fn start(self) -> Program {
        self.try_start().unwrap_or_else(|ended| {
            panic!("it did not start, {}: {}", ended.status, String::from_utf8_lossy(&ended.stderr))
        })
    }

    /// Starts it, or tells how it ended.
    pub(crate) fn try_start(mut self) -> Result<Program, Ended> {
        let mut child = self.command.spawn().expect("the program starts");
        let (mut stdout, first_line) = Output::of(child.stdout.take().expect("stdout"));
        let (mut stderr, _) = Output::of(child.stderr.take().expect("stderr"));
        // The table of a start is printed once all listeners accept.
        let line = first_line.recv_timeout(START_MAX).unwrap_or_default();
        if line.is_empty() {
            kill_group(&child);
            let status = child.wait().expect("it ends");
            return Err(Ended { status, stdout: stdout.all(), stderr: stderr.all() });
        }
        let ready = std::fs::read_to_string(self.place.path().join("ready.json")).expect("a ready file");
        let info: Value = serde_json::from_str(&ready).expect("JSON");
        let url = info["url"].as_str().expect("an address").to_owned();
        Ok(Program { child, place: self.place, stdout, stderr, url, info })
    }
}

impl Program {
    /// A caller with a token for an API key, to the built-in instance.
    pub(crate) fn caller(&self, api_key: &str) -> Caller {
        let mut caller = Caller::new(&self.url, "");
        let form = format!("grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey={api_key}");
        let token = caller.succeeds(200, "POST", "/identity/token", &form);
        let token = token["access_token"].as_str().expect("a token");
        let instance = self.info["instanceId"].as_str().expect("an instance");
        caller.fields = format!("authorization: Bearer {token}\r\nbluemix-instance: {instance}\r\n");
        caller
    }

    /// A caller of the gateway, as the owner; the built-in storage instance is named.
    pub(crate) fn storage_caller(&self) -> Caller {
        let caller = self.caller("storage").fields;
        let (token, _) = caller.split_once("\r\n").expect("a header of its own");
        let instance = self.info["cosInstanceCrn"].as_str().expect("an instance");
        let fields = format!("{token}\r\nibm-service-instance-id: {instance}\r\n");
        Caller::new(self.info["cosUrl"].as_str().expect("a gateway"), &fields)
    }

    /// Its number: the program's own, also behind a shell.
    pub(crate) fn pid(&self) -> Pid {
        let pid = self.info["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok());
        pid.and_then(Pid::from_raw).expect("a pid")
    }

    /// Where its ready file is.
    pub(crate) fn ready_file(&self) -> PathBuf {
        self.place.path().join("ready.json")
    }

    /// Descriptors that it holds, once there are no more than so many or 5 s of real time are over: closing takes a while.
    /// Where others' descriptors are hidden, its sockets are counted instead.
    pub(crate) fn descriptors_when_settled(&self, most: usize) -> usize {
        let since = stopwatch();
        loop {
            let_pass(Duration::from_millis(100));
            let count = self.descriptors();
            if count <= most || since.elapsed() > Duration::from_secs(5) {
                return count;
            }
        }
    }

    fn descriptors(&self) -> usize {
        let pid = self.pid().as_raw_nonzero();
        if let Ok(folder) = std::fs::read_dir(format!("/proc/{pid}/fd")) {
            return folder.count();
        }
        // State 06 is TIME_WAIT, which belongs to nobody.
        let port = self.url.rsplit(':').next().and_then(|port| port.parse::<u16>().ok()).expect("a port");
        let local = format!("0100007F:{port:04X}");
        let table = std::fs::read_to_string("/proc/net/tcp").expect("the system's sockets");
        let rows = table.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
        rows.filter(|row| row.get(1) == Some(&local.as_str()) && row.get(3) != Some(&"06")).count()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).ok();
    }

    /// Kills it as a power cut would: nothing is tidied up.
    pub(crate) fn kill(mut self) -> Ended {
        kill_group(&self.child);
        self.ended()
    }

    /// Asks it to stop and waits; it must end by itself within 5 s of real time.
    #[track_caller]
    pub(crate) fn stop(mut self) -> Ended {
        let stopped = stopwatch();
        self.signal(Signal::TERM);
        while self.child.try_wait().expect("a child").is_none() {
            assert!(stopped.elapsed() < STOP_MAX, "it has not stopped after {STOP_MAX:?}");
            let_pass(Duration::from_millis(2));
        }
        self.ended()
    }

    fn ended(&mut self) -> Ended {
        let status = self.child.wait().expect("it ends");
        Ended { status, stdout: self.stdout.all(), stderr: self.stderr.all() }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            kill_group(&self.child);
            drop(self.child.wait());
        }
    }
}

fn kill_group(child: &Child) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    // It may have ended by itself.
    pid.and_then(|pid| rustix::process::kill_process_group(pid, Signal::KILL).ok());
}
