//! How much memory a process has used at most, as the system tells it.

use std::fs;

use crate::Outcome;

/// Memory at one moment.
pub(crate) struct Memory {
    resident_kib: f64,
}

impl Memory {
    /// What the process uses now.
    pub(crate) fn of(pid: u32) -> Outcome<Self> {
        Ok(Self { resident_kib: field(pid, "VmRSS:")? })
    }

    /// MiB by which the most that it has ever used is above that.
    pub(crate) fn grown_by(&self, pid: u32) -> Outcome<f64> {
        Ok((field(pid, "VmHWM:")? - self.resident_kib).max(0.0) / 1_024.0)
    }
}

/// A field in KiB; 0 where the system has no such file.
fn field(pid: u32, name: &str) -> Outcome<f64> {
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { return Ok(0.0) };
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such field")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
