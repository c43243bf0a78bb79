//! Lists at 1,000 and at 100,000 keys: `cargo bench --bench lists`.
//!
//! A service in this process serves a folder that was filled by SQL, since making so many keys one by one says nothing
//! about lists. Each form of list is asked for its first page again and again, on both sizes in turn; the figure is
//! the median, and the ratio of the two is what should stay below 5. `MKP_BENCH_ROUNDS` sets how often, `MKP_BENCH_KEYS`
//! another size of the large folder.
//!
//! Run by `cargo test`, or with `--test`, it asks once and prints no figures.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark reports on the terminal")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the real clock and environment")]

#[path = "lists/filling.rs"]
mod filling;
#[path = "lists/forms.rs"]
mod forms;

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use mock_key_protect::{Invocation, Service};
use serde_json::Value;
use tempfile::TempDir;

use filling::Filled;
use forms::Form;

/// What can go wrong is told to a person and nobody else.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Keys of the small and of the large folder.
const SIZES: [u32; 2] = [1_000, 100_000];
/// The same where it only has to work.
const SIZES_OF_A_TRIAL: [u32; 2] = [100, 1_000];
/// How often each form is asked for when `MKP_BENCH_ROUNDS` does not say.
const ROUNDS_DEFAULT: u32 = 25;
/// What the ratio should stay below.
const RATIO_WANTED: f64 = 5.0;

/// A service on a filled folder, with one connection to it.
struct Side {
    _service: Service,
    _folder: TempDir,
    filled: Filled,
    client: Client<HttpConnector, Full<Bytes>>,
    url: String,
    token: String,
    instance: String,
}

#[actix_web::main]
async fn main() -> ExitCode {
    let trial = !std::env::args().any(|argument| argument == "--bench");
    match compare(trial).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lists: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn compare(trial: bool) -> Outcome<()> {
    let [small, large] = if trial { SIZES_OF_A_TRIAL } else { SIZES };
    let set = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok()).filter(|_| !trial);
    let large = set("MKP_BENCH_KEYS").unwrap_or(large);
    let rounds = set("MKP_BENCH_ROUNDS").unwrap_or(if trial { 1 } else { ROUNDS_DEFAULT });
    let (small, large) = (Side::start(small).await?, Side::start(large).await?);
    if !trial {
        println!("first page, median of {rounds}, in milliseconds\n");
        println!("{:<66}{:>9}{:>9}{:>8}", "form", small.filled.keys, large.filled.keys, "ratio");
    }
    let mut worst: f64 = 0.0;
    for form in forms::all() {
        let (mut few, mut many) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            few.push(small.time(&form).await?);
            many.push(large.time(&form).await?);
        }
        let (few, many) = (median(few), median(many));
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        worst = worst.max(ratio);
        if !trial {
            let mark = if ratio < RATIO_WANTED { "" } else { "  !" };
            println!("{:<66}{:>9.2}{:>9.2}{ratio:>8.2}{mark}", form.name(), millis(few), millis(many));
        }
    }
    if !trial {
        println!("\nthe largest ratio is {worst:.2}; it should be below {RATIO_WANTED}");
    }
    Ok(())
}

impl Side {
    async fn start(keys: u32) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        // The first start makes the schema and the built-in instance.
        let info: Value = serde_json::from_str(&serve(&folder).await?.stopped().await)?;
        let instance = text(&info, "instanceId")?;
        let filled = filling::fill(&folder.path().join("state.db"), &instance, keys)?;
        let Started(service) = serve(&folder).await?;
        let url = service.url().to_owned();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let mut side = Self { _service: service, _folder: folder, filled, client, url, token: String::new(), instance };
        let form = "grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey=lists";
        let reply = side.send("POST", "/identity/token", None, form).await?;
        side.token = text(&serde_json::from_slice(&reply)?, "access_token")?;
        Ok(side)
    }

    async fn time(&self, form: &Form) -> Outcome<Duration> {
        let path = form.path(&self.filled);
        let started = Instant::now();
        self.send(form.method, &path, form.ring, "").await?;
        Ok(started.elapsed())
    }

    async fn send(&self, method: &str, path: &str, ring: Option<&str>, body: &str) -> Outcome<Bytes> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        if let Some(ring) = ring {
            request = request.header("x-kms-key-ring", ring);
        }
        let request = request.header("bluemix-instance", &self.instance).body(Full::from(body.to_owned()))?;
        let response = self.client.request(request).await?;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await?.to_bytes();
        // A search over too many keys is refused, which is an answer too.
        if matches!(status, 200 | 400) {
            Ok(bytes)
        } else {
            Err(format!("{method} {path}: {status} {}", String::from_utf8_lossy(&bytes)).into())
        }
    }
}

struct Started(Service);

impl Started {
    /// Stops it; what its ready file would say.
    async fn stopped(self) -> String {
        let info = self.0.info();
        self.0.stop().await;
        info
    }
}

async fn serve(folder: &TempDir) -> Outcome<Started> {
    let folder = folder.path().to_str().ok_or("a temporary folder without a name in text")?;
    let line = ["mock-key-protect", "serve", "--port", "0", "--cos-port", "off", "--data-dir", folder];
    let Invocation::Serve(config) = Invocation::parse(line) else { return Err("the command line was refused".into()) };
    Ok(Started(Service::start(*config).await?))
}

fn text(object: &Value, member: &str) -> Outcome<String> {
    Ok(object.get(member).and_then(Value::as_str).ok_or_else(|| format!("no {member} in {object}"))?.to_owned())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
