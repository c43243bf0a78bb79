//! Uploads and downloads of 64 MiB against a bare server: `cargo bench --bench cos`.
//!
//! The bare server is an actix-web server that streams a body into a synced file, and a file into a body, without
//! credentials, store or audit, in a process of its own. It does so in two ways: plainly, and with what an object
//! cannot do without, its MD5 as `ETag` and AES-256-GCM in frames of 64 KiB. The service stores into a bucket under a
//! root key. All are pinned to one CPU and driven in turn over one connection each with the same bytes. The figure is
//! MiB per second of server CPU; each side's quietest third of the rounds is averaged. The bench reports, it does not
//! judge: it fails only when something does not work. `MKP_BENCH_ROUNDS` sets the rounds.
//!
//! Run by `cargo test`, or with `--test`, it drives each side once with little and prints no figures.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark reports on the terminal")]
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the real clock and environment, and waits for processes"
)]

#[path = "cos/bare_server.rs"]
mod bare_loop;
#[path = "cos/client.rs"]
mod client;
#[path = "wrap/machine.rs"]
mod machine;
#[path = "wrap/process.rs"]
mod process;
#[path = "wrap/service.rs"]
mod service;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use client::Side;
use machine::{Placement, cpu_time};

/// What can go wrong is told to a person and nobody else.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const MEBIBYTE: usize = 1024 * 1024;
/// The object that is measured with, in MiB.
const OBJECT_MEBIBYTES: u16 = 64;
/// The same where it only has to work.
const OBJECT_MEBIBYTES_OF_A_TRIAL: u16 = 1;
/// Requests of each side in each round: `/proc` counts CPU time in steps of 10 ms.
const REQUESTS: u16 = 4;
/// Rounds when `MKP_BENCH_ROUNDS` does not say.
const ROUNDS_DEFAULT: usize = 9;
/// Pause behind a slice in which work that the server has put off is still charged to it.
const SETTLE: Duration = Duration::from_millis(50);

/// What is measured.
#[derive(Clone, Copy)]
enum Direction {
    Put,
    Get,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    let outcome = if has(bare_loop::ARGUMENT) {
        bare_loop::run()
    } else if !Path::new("/proc/self/stat").exists() {
        println!("cos: not measured, for CPU seconds are read from /proc and this machine has none");
        Ok(())
    } else {
        measure(!has("--bench") || has("--test"))
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cos: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Starts both servers, and drives the three sides.
fn measure(trial: bool) -> Outcome<()> {
    let rounds = if trial { 1 } else { rounds()? };
    let mebibytes = if trial { OBJECT_MEBIBYTES_OF_A_TRIAL } else { OBJECT_MEBIBYTES };
    let placement = Placement::choose()?;
    let mut command = placement.server_command(Path::new(service::PROGRAM));
    command.args(["--cos-port", "0"]);
    let service = service::Service::start(command)?;
    let bare = process::BareLoop::start(&placement)?;
    let object = client::object(usize::from(mebibytes) * MEBIBYTE);
    let mut sides = [
        Side::of_bare("plain bare server", &bare, bare_loop::PLAIN, &object)?,
        Side::of_bare("bare server with MD5 and AES-GCM", &bare, bare_loop::SEALED, &object)?,
        Side::of_service("service, bucket under a root key", &service, &object)?,
    ];
    for direction in [Direction::Put, Direction::Get] {
        let mut rates = sides.each_ref().map(|_| Vec::new());
        for side in &mut sides {
            // The first time, what comes back is compared.
            side.exchange(direction)?;
        }
        let (begun, ours) = (Instant::now(), [std::process::id(), bare.pid(), service.pid()]);
        let others_before = placement.used_by_others(&ours)?;
        for round in 0..rounds {
            for step in 0..sides.len() {
                let turn = (round + step) % sides.len();
                let (Some(side), Some(rates)) = (sides.get_mut(turn), rates.get_mut(turn)) else { continue };
                rates.push(slice(side, direction, mebibytes)?);
            }
        }
        if trial {
            println!("{}: works", direction.name());
            continue;
        }
        let others = placement.used_by_others(&ours)?.saturating_sub(others_before);
        println!("{} of {mebibytes} MiB, {rounds} rounds of {REQUESTS}; {placement}", direction.name());
        report(&sides, &rates)?;
        println!(
            "  meanwhile other processes used {:.1} % of a CPU on the same CPUs; the less, the better the figures",
            100.0 * others.as_secs_f64() / begun.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

/// Drives a side for a slice; MiB per second of its server's CPU.
fn slice(side: &mut Side<'_>, direction: Direction, mebibytes: u16) -> Outcome<f64> {
    let before = cpu_time(side.pid)?;
    for _ in 0..REQUESTS {
        side.exchange(direction)?;
    }
    std::thread::sleep(SETTLE);
    // A trial may be too short to be counted.
    let used = cpu_time(side.pid)?.saturating_sub(before).max(Duration::from_millis(1));
    Ok(f64::from(mebibytes) * f64::from(REQUESTS) / used.as_secs_f64())
}

fn report(sides: &[Side<'_>; 3], rates: &[Vec<f64>; 3]) -> Outcome<()> {
    let [plain, sealed, service] = rates.each_ref().map(|rates| quietest_third(rates));
    for (side, rate) in sides.iter().zip([plain, sealed, service]) {
        println!("  {:<34}{rate:>8.0} MiB per CPU second", side.name);
    }
    if [plain, sealed].contains(&0.0) {
        return Err("no round was measured".into());
    }
    println!(
        "  service: {:.2} of the bare server with MD5 and AES-GCM, {:.2} of the plain one",
        service / sealed,
        service / plain
    );
    Ok(())
}

/// The average of the highest third of the rates, of one at least.
fn quietest_third(rates: &[f64]) -> f64 {
    let mut rates = rates.to_vec();
    rates.sort_by(|one, other| other.total_cmp(one));
    rates.truncate(rates.len().div_ceil(3));
    let count = u32::try_from(rates.len()).unwrap_or(u32::MAX).max(1);
    rates.iter().sum::<f64>() / f64::from(count)
}

/// The rounds that `MKP_BENCH_ROUNDS` asks for, at least one.
fn rounds() -> Outcome<usize> {
    match std::env::var("MKP_BENCH_ROUNDS").ok().filter(|text| !text.is_empty()) {
        None => Ok(ROUNDS_DEFAULT),
        Some(text) => match text.parse() {
            Ok(rounds) if rounds > 0 => Ok(rounds),
            _ => Err(format!("MKP_BENCH_ROUNDS must be a whole number from 1 on, not {text:?}").into()),
        },
    }
}

impl Direction {
    fn name(self) -> &'static str {
        match self {
            Self::Put => "PUT",
            Self::Get => "GET",
        }
    }
}
