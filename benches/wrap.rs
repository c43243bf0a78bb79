//! Wrap and unwrap of 32 bytes against the bare loop: `cargo bench --bench wrap`.
//!
//! The bare loop (the ceiling) is an actix-web server without authentication, store or audit, in a process of
//! its own. It and the release binary are pinned to one CPU and driven in turn, a second each, with the same
//! requests. The figure is requests per second of server CPU; each side's quietest third of the rounds is
//! averaged. The bench reports, it does not judge: it fails only when something does not work.
//! `MKP_BENCH_ROUNDS` sets the rounds of each setting.
//!
//! Run by `cargo test`, or with `--test`, it drives each setting for a moment and prints no figures.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark reports on the terminal")]
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the real clock and environment, and waits for processes"
)]

#[path = "wrap/bare_loop.rs"]
mod bare_loop;
#[path = "wrap/connection.rs"]
mod connection;
#[path = "wrap/driver.rs"]
mod driver;
#[path = "wrap/figures.rs"]
mod figures;
#[path = "wrap/machine.rs"]
mod machine;
#[path = "wrap/process.rs"]
mod process;
#[path = "wrap/service.rs"]
mod service;
#[path = "wrap/target.rs"]
mod target;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use driver::{Pace, Side};
use figures::Setting;
use machine::Placement;
use target::{Operation, Target};

/// What can go wrong is told to a person and nobody else.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// What is measured, in this order.
const OPERATIONS: [Operation; 2] = [Operation::Wrap, Operation::Unwrap];

/// Keep-alive connections of each setting.
const CONNECTIONS: [usize; 2] = [16, 64];

/// Rounds of each setting when `MKP_BENCH_ROUNDS` does not say.
const ROUNDS_DEFAULT: usize = 12;

/// How much is measured.
#[derive(Clone, Copy)]
enum Extent {
    /// Every round, with figures.
    Whole,
    /// One short round, to see that it works.
    Trial,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    let outcome = if has(bare_loop::ARGUMENT) {
        bare_loop::run()
    } else if !Path::new("/proc/self/stat").exists() {
        println!("wrap: not measured, for CPU seconds are read from /proc and this machine has none");
        Ok(())
    } else if has("--bench") && !has("--test") {
        measure(Extent::Whole)
    } else {
        measure(Extent::Trial)
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wrap: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Starts both servers and drives every setting.
fn measure(extent: Extent) -> Outcome<()> {
    let pace = pace(extent)?;
    let placement = Placement::choose()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut command = placement.server_command(Path::new(service::PROGRAM));
    command.args(["--cos-port", "off"]);
    let service = service::Service::start(command)?;
    let bare = process::BareLoop::start(&placement)?;
    let (bare, service) = runtime.block_on(target::prepare(&bare, &service))?;
    match extent {
        Extent::Whole => runtime.block_on(report(&bare, &service, &placement, pace)),
        Extent::Trial => runtime.block_on(async {
            for (operation, connections) in settings() {
                drive([&bare, &service], operation, connections, pace).await?;
                println!("{operation} over {connections} connections: works");
            }
            Ok(())
        }),
    }
}

/// Measures every setting and prints what came out.
async fn report(bare: &Target, service: &Target, placement: &Placement, pace: Pace) -> Outcome<()> {
    println!("wrap and unwrap of 32 bytes, {} rounds of 1 s for each side; {placement}", pace.rounds);
    println!("{}", target::sizes(bare, service));
    println!("{}", Setting::HEADING);
    let ours = [std::process::id(), bare.pid, service.pid];
    let begin = Instant::now();
    let others_before = placement.used_by_others(&ours)?;
    let mut done = Vec::new();
    for (operation, connections) in settings() {
        let setting = drive([bare, service], operation, connections, pace).await?;
        println!("{}", setting.row()?);
        done.push(setting);
    }
    let others = placement.used_by_others(&ours)?.saturating_sub(others_before);
    println!(
        "meanwhile other processes used {:.1} % of a CPU on the same CPUs; the less, the better the figures",
        100.0 * others.as_secs_f64() / begin.elapsed().as_secs_f64()
    );
    for operation in OPERATIONS {
        println!("{}", figures::summary(operation, &done)?);
    }
    Ok(())
}

/// Every operation over every number of connections.
fn settings() -> impl Iterator<Item = (Operation, usize)> {
    OPERATIONS.into_iter().flat_map(|operation| CONNECTIONS.map(|connections| (operation, connections)))
}

fn pace(extent: Extent) -> Outcome<Pace> {
    Ok(match extent {
        Extent::Whole => Pace {
            rounds: rounds()?,
            warm_up: Duration::from_millis(500),
            slice: Duration::from_secs(1),
            settle: Duration::from_millis(50),
        },
        Extent::Trial => {
            Pace { rounds: 1, warm_up: Duration::ZERO, slice: Duration::from_millis(50), settle: Duration::ZERO }
        }
    })
}

/// Drives one setting, round by round, the bare loop first in one round and the service first in the next.
async fn drive(
    [bare, service]: [&Target; 2],
    operation: Operation,
    connections: usize,
    pace: Pace,
) -> Outcome<Setting> {
    // Each side is used as soon as it is connected: both servers give a new connection five seconds for its first head.
    let mut bare = Side::connect(bare, operation, connections).await?;
    bare.drive(pace.warm_up).await?;
    let mut service = Side::connect(service, operation, connections).await?;
    service.drive(pace.warm_up).await?;
    let mut setting = Setting::new(operation, connections);
    for round in 0..pace.rounds {
        if round % 2 == 0 {
            setting.bare.push(bare.measure(pace).await?);
            setting.service.push(service.measure(pace).await?);
        } else {
            setting.service.push(service.measure(pace).await?);
            setting.bare.push(bare.measure(pace).await?);
        }
    }
    Ok(setting)
}

/// The rounds that `MKP_BENCH_ROUNDS` asks for, at least one.
fn rounds() -> Outcome<usize> {
    match std::env::var("MKP_BENCH_ROUNDS") {
        Err(_) => Ok(ROUNDS_DEFAULT),
        Ok(text) if text.is_empty() => Ok(ROUNDS_DEFAULT),
        Ok(text) => match text.parse() {
            Ok(rounds) if rounds > 0 => Ok(rounds),
            _ => Err(format!("MKP_BENCH_ROUNDS must be a whole number from 1 on, not {text:?}").into()),
        },
    }
}
