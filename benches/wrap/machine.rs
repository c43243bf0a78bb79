//! What is asked of the kernel: where a process may run and how much CPU time it has used.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Outcome;

/// `/proc` counts CPU time in hundredths of a second on every Linux that Rust runs on (`USER_HZ`).
const TICK_MILLISECONDS: u64 = 10;

/// Which CPU the servers share and which one the driver has.
pub(crate) enum Placement {
    /// Pinned; the driver has a CPU of its own when there is one.
    Pinned { servers: u32, driver: u32 },
    /// `taskset` is missing or refused.
    Free,
}

impl Placement {
    /// Takes the first two CPUs that this process may use, and pins the process to the second. It must have one thread
    /// yet, for only that one is pinned.
    pub(crate) fn choose() -> Outcome<Self> {
        let allowed = allowed_cpus()?;
        let servers = *allowed.first().ok_or("/proc/self/status names no CPU")?;
        let driver = allowed.get(1).copied().unwrap_or(servers);
        let pinned = Command::new("taskset")
            .args(["--pid", "--cpu-list", &driver.to_string()])
            .arg(std::process::id().to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match pinned {
            Ok(status) if status.success() => Ok(Self::Pinned { servers, driver }),
            Ok(_) | Err(_) => Ok(Self::Free),
        }
    }

    /// A command that runs the program where servers run. `taskset` becomes the program, so that the process id stays.
    pub(crate) fn server_command(&self, program: &Path) -> Command {
        match self {
            Self::Pinned { servers, .. } => {
                let mut command = Command::new("taskset");
                command.args(["--cpu-list", &servers.to_string()]).arg(program);
                command
            }
            Self::Free => Command::new(program),
        }
    }

    /// CPU time that anybody but these processes has used on the CPUs in question, since the machine started: all of
    /// them when nothing is pinned.
    pub(crate) fn used_by_others(&self, ours: &[u32]) -> Outcome<Duration> {
        let names = match self {
            Self::Pinned { servers, driver } => vec![format!("cpu{servers}"), format!("cpu{driver}")],
            Self::Free => vec!["cpu".to_owned()],
        };
        let mut ticks = 0;
        for line in fs::read_to_string("/proc/stat")?.lines() {
            let mut fields = line.split_whitespace();
            if fields.next().is_some_and(|name| names.iter().any(|wanted| wanted == name)) {
                // user, nice, system, idle, iowait, irq, softirq, steal; guests are within user.
                for (index, field) in fields.take(8).enumerate() {
                    if !matches!(index, 3 | 4) {
                        ticks += field.parse::<u64>()?;
                    }
                }
            }
        }
        let mut used = Duration::from_millis(ticks.saturating_mul(TICK_MILLISECONDS));
        for pid in ours {
            used = used.saturating_sub(cpu_time(*pid)?);
        }
        Ok(used)
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pinned { servers, driver } if servers == driver => {
                write!(f, "servers and driver share CPU {servers}, the only one")
            }
            Self::Pinned { servers, driver } => write!(f, "servers on CPU {servers}, driver on CPU {driver}"),
            Self::Free => f.write_str("NOT PINNED to CPUs, for `taskset` does not work here: read with care"),
        }
    }
}

/// CPU time of all threads of a process, those that have ended too, in the kernel and outside.
pub(crate) fn cpu_time(pid: u32) -> Outcome<Duration> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).map_err(|error| format!("a server is gone: {path}: {error}"))?;
    // The name in parentheses may hold anything; behind it comes the state, and utime and stime as 12th and 13th field.
    let (_, fields) = stat.rsplit_once(')').ok_or_else(|| format!("{path} has no name"))?;
    let mut ticks: u64 = 0;
    for field in fields.split_whitespace().skip(11).take(2) {
        ticks += field.parse::<u64>()?;
    }
    Ok(Duration::from_millis(ticks.saturating_mul(TICK_MILLISECONDS)))
}

/// The CPUs of `Cpus_allowed_list`, such as `0-3,8`.
fn allowed_cpus() -> Outcome<Vec<u32>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let allowed = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .ok_or("/proc/self/status has no Cpus_allowed_list")?;
    let mut cpus = Vec::new();
    for range in allowed.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        cpus.extend(first.parse::<u32>()?..=last.parse::<u32>()?);
    }
    Ok(cpus)
}
