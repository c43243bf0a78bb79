//! The bare loop as a process of its own, started where servers run and ended with the benchmark.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Stdio};

use crate::machine::Placement;
use crate::{Outcome, bare_loop};

/// The bare loop: this binary once more, with its hidden argument.
pub(crate) struct BareLoop {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl BareLoop {
    /// Starts it and reads its port.
    pub(crate) fn start(placement: &Placement) -> Outcome<Self> {
        let mut process = placement
            .server_command(&std::env::current_exe()?)
            .arg(bare_loop::ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let port = line.trim().parse().map_err(|_| "the bare loop did not start")?;
        Ok(Self { process, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for BareLoop {
    fn drop(&mut self) {
        // A process that cannot be killed is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
