//! Events and time in bulk: `cargo bench --bench events`.
//!
//! First: a key with 10,000 registrations and one subscriber is rotated. How many deliveries a second arrive, how much
//! memory that takes, and how long the rotation of another key waits behind them. Then: 10,000 keys that are rotated
//! each month, and a clock that is moved by a month. The bench reports, it does not judge: it fails only when something
//! does not work. `MKP_BENCH_EVENTS` sets another number than 10,000.
//!
//! Run by `cargo test`, or with `--test`, it does everything with a few and prints no figures.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark reports on the terminal")]
#![expect(clippy::indexing_slicing, reason = "of JSON: a member that is missing is null")]
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the real clock and environment, and waits for processes"
)]

#[path = "events/client.rs"]
mod client;
#[path = "events/memory.rs"]
mod memory;
#[path = "events/receiver.rs"]
mod receiver;
#[path = "wrap/service.rs"]
mod service;

use std::error::Error;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::json;

use client::Client;
use memory::Memory;
use receiver::Receiver;
use service::Service;

/// What can go wrong is told to a person and nobody else.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Registrations and keys when `MKP_BENCH_EVENTS` does not say.
const MANY_DEFAULT: usize = 10_000;
/// The same for a trial.
const FEW: usize = 40;
/// Requests at once while things are made.
const AT_ONCE: usize = 64;
/// Real time for all deliveries.
const PATIENCE: Duration = Duration::from_mins(10);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    let outcome = if has("--bench") && !has("--test") { many().and_then(measure) } else { measure(FEW) };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("events: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The number that `MKP_BENCH_EVENTS` asks for, at least one.
fn many() -> Outcome<usize> {
    match std::env::var("MKP_BENCH_EVENTS") {
        Err(_) => Ok(MANY_DEFAULT),
        Ok(text) if text.is_empty() => Ok(MANY_DEFAULT),
        Ok(text) => match text.parse() {
            Ok(many) if many > 0 => Ok(many),
            _ => Err(format!("MKP_BENCH_EVENTS must be a whole number from 1 on, not {text:?}").into()),
        },
    }
}

fn measure(count: usize) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        rotate_one_of_many_registrations(count).await?;
        advance_a_month(count).await
    })
}

async fn rotate_one_of_many_registrations(count: usize) -> Outcome<()> {
    let service = start(&[])?;
    let client = Client::connect(&service.ready).await?;
    let receiver = Receiver::start()?;
    let subscriber = json!({ "name": "bench", "url": receiver.url(), "serviceName": "cloud-object-storage" });
    client.post("/mock/subscribers", &subscriber).await?;
    let (crowded, quiet) = (client.create_key(false).await?, client.create_key(false).await?);
    each(count, |number| client.register(&crowded, number)).await?;
    client.register(&quiet, count).await?;
    let memory = Memory::of(service.pid())?;
    let began = Instant::now();
    client.rotate(&crowded).await?;
    let acknowledged = began.elapsed();
    let second = Instant::now();
    client.rotate(&quiet).await?;
    receiver.wait_for(count + 1, PATIENCE).await?;
    let last = receiver.last_of(&crowded).ok_or("nothing of the first key arrived")?;
    let whole = last.duration_since(began);
    let behind = receiver.last_of(&quiet).ok_or("nothing of the second key arrived")?.duration_since(second);
    let grown = memory.grown_by(service.pid())?;
    println!(
        "rotation of a key with {count} registrations: answered after {:.2} s, all delivered after {:.2} s, {:.0} a second",
        acknowledged.as_secs_f64(),
        whole.as_secs_f64(),
        figure(count) / whole.as_secs_f64()
    );
    println!("memory meanwhile: {grown:.0} MiB more than before, at most");
    println!("the rotation of another key after it: delivered after {:.3} s", behind.as_secs_f64());
    Ok(())
}

async fn advance_a_month(count: usize) -> Outcome<()> {
    let service = start(&["--clock", "frozen"])?;
    let client = Client::connect(&service.ready).await?;
    each(count, |_| async { client.create_key(true).await.map(drop) }).await?;
    let began = Instant::now();
    let journey = client.post("/mock/clock/advance", &json!({ "by": "30d" })).await?;
    let took = began.elapsed();
    let rows = journey["ran"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ran: u64 = rows.iter().filter_map(|row| row["count"].as_u64()).sum();
    let ran = ran + journey["more"].as_u64().unwrap_or_default();
    if ran != count as u64 {
        return Err(format!("{ran} rotations instead of {count}: {journey}").into());
    }
    println!("30 days of {count} keys that are rotated each month: {:.2} s", took.as_secs_f64());
    Ok(())
}

fn start(options: &[&str]) -> Outcome<Service> {
    let mut command = Command::new(service::PROGRAM);
    command.args(["serve", "--cos-port", "off"]).args(options);
    Service::start(command)
}

/// Does something so many times, some at once.
async fn each<F>(count: usize, run: impl Fn(usize) -> F) -> Outcome<()>
where
    F: Future<Output = Outcome<()>>,
{
    let mut done = futures_util::stream::iter((0..count).map(run)).buffer_unordered(AT_ONCE);
    while let Some(outcome) = done.next().await {
        outcome?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a figure of three digits")]
fn figure(count: usize) -> f64 {
    count as f64
}
