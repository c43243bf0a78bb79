//! From slices to figures: each side's quietest third of the rounds, averaged.

use std::time::Duration;

use crate::Outcome;
use crate::driver::Slice;
use crate::target::Operation;

/// One operation over so many connections, and what its rounds gave.
pub(crate) struct Setting {
    operation: Operation,
    connections: usize,
    pub(crate) bare: Vec<Slice>,
    pub(crate) service: Vec<Slice>,
}

impl Setting {
    /// The line above the rows.
    pub(crate) const HEADING: &str = "operation  connections | requests per CPU second: bare loop  service  ratio \
         | p99, µs: bare loop  service  ratio";

    pub(crate) fn new(operation: Operation, connections: usize) -> Self {
        Self { operation, connections, bare: Vec::new(), service: Vec::new() }
    }

    /// The setting as a line under the heading.
    pub(crate) fn row(&self) -> Outcome<String> {
        let (bare, service) = (p99(&self.bare)?, p99(&self.service)?);
        Ok(format!(
            "{:<9}  {:>11} |                    {:>15.0}  {:>7.0}  {:>5.2} |          {:>9.0}  {:>7.0}  {:>5.2}",
            self.operation.to_string(),
            self.connections,
            requests_per_cpu_second(&self.bare)?,
            requests_per_cpu_second(&self.service)?,
            self.ratio()?,
            bare * 1e6,
            service * 1e6,
            service / bare,
        ))
    }

    /// The service's requests per CPU second, as a part of the bare loop's.
    fn ratio(&self) -> Outcome<f64> {
        Ok(requests_per_cpu_second(&self.service)? / requests_per_cpu_second(&self.bare)?)
    }
}

/// The closing line of an operation; its first figure is the worst of its settings.
pub(crate) fn summary(operation: Operation, settings: &[Setting]) -> Outcome<String> {
    let mut worst = f64::INFINITY;
    let mut parts = Vec::new();
    for setting in settings.iter().filter(|setting| setting.operation == operation) {
        let ratio = setting.ratio()?;
        worst = worst.min(ratio);
        parts.push(format!("{} connections {ratio:.2}", setting.connections));
    }
    Ok(format!("{operation}: {worst:.2} of the bare loop ({})", parts.join(", ")))
}

fn requests_per_cpu_second(slices: &[Slice]) -> Outcome<f64> {
    if slices.iter().any(|slice| slice.cpu.is_zero()) {
        return Err("a server seems to have used no CPU for a whole round".into());
    }
    let rates = slices.iter().map(|slice| f64::from(slice.requests) / slice.cpu.as_secs_f64());
    // Ascending by what disturbs: the highest rate is the quietest round.
    average_of_third(rates.map(|rate| -rate)).map(|rate| -rate)
}

/// The 99th percentile of the latency, in seconds.
fn p99(slices: &[Slice]) -> Outcome<f64> {
    average_of_third(slices.iter().map(|slice| slice.p99.max(Duration::from_micros(1)).as_secs_f64()))
}

/// The average of the lowest third of the values, of one at least.
fn average_of_third(values: impl Iterator<Item = f64>) -> Outcome<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.truncate(values.len().div_ceil(3));
    if values.is_empty() {
        return Err("no round was measured".into());
    }
    Ok(values.iter().sum::<f64>() / f64::from(u32::try_from(values.len())?))
}
