//! Flags and environment: every option with its default and unit. Nothing else reads them.

mod command_line;

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::domain::duration::{self, Span};
use crate::domain::time::Timestamp;

pub use command_line::{Client, Invocation};
pub(crate) use command_line::{ClientCommand, ClockCommand, EnvFormat, Running};

/// What `serve` is to do.
#[derive(Args, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Address of all listeners
    #[arg(long, env = "MKP_HOST", default_value = "127.0.0.1", value_name = "ADDRESS", value_parser = parse_host)]
    pub(crate) host: IpAddr,
    /// Port of Key Protect, IAM, Resource Controller and the admin API; 0 picks a free one
    #[arg(long, env = "MKP_PORT", default_value = "8490", value_name = "PORT", value_parser = parse_port_number)]
    pub(crate) port: u16,
    /// Port of the COS gateway; 0 picks a free one, off runs without it
    #[arg(long, env = "MKP_COS_PORT", default_value = "8491", value_name = "PORT|off", value_parser = parse_port)]
    pub(crate) cos_port: PortChoice,
    /// Port of the same over HTTPS
    #[arg(long, env = "MKP_TLS_PORT", default_value = "off", value_name = "PORT|off", value_parser = parse_port)]
    pub(crate) tls_port: PortChoice,
    /// Port of the COS gateway over HTTPS
    #[arg(long, env = "MKP_COS_TLS_PORT", default_value = "off", value_name = "PORT|off", value_parser = parse_port)]
    pub(crate) cos_tls_port: PortChoice,
    /// Folder where state lives; created with mode 0700
    #[arg(long, env = "MKP_DATA_DIR", default_value = ".mock-key-protect", value_name = "FOLDER")]
    pub(crate) data_dir: PathBuf,
    /// Keep state in a private temporary folder, removed at exit
    #[arg(long, env = "MKP_EPHEMERAL", value_parser = parse_switch)]
    pub(crate) ephemeral: bool,
    /// Seed file (TOML or JSON) for an empty store
    #[arg(long, env = "MKP_SEED", value_name = "FILE")]
    pub(crate) seed: Option<PathBuf>,
    /// Ids, key material and nonces from a generator seeded with N; for tests only
    #[arg(long, env = "MKP_DETERMINISTIC", value_name = "N", value_parser = parse_generator_seed)]
    pub(crate) deterministic: Option<u64>,
    /// running, frozen or frozen@<RFC 3339>; where not given, as the data folder has it, else running
    #[arg(long, env = "MKP_CLOCK", value_name = "MODE", value_parser = parse_clock)]
    pub(crate) clock: Option<ClockMode>,
    /// Virtual seconds for each real second
    #[arg(long, env = "MKP_TIME_SCALE", default_value_t = 1, value_name = "N",
          value_parser = parse_scale)]
    pub(crate) time_scale: u32,
    /// token: any API key is good; strict: only declared identities
    #[arg(long, env = "MKP_AUTH", default_value = "token", value_name = "MODE")]
    pub(crate) auth: AuthChoice,
    /// Token for /mock; needed, and made up if not given, when the host is not loopback
    #[arg(long, env = "MKP_ADMIN_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub(crate) admin_token: Option<String>,
    /// File to write once all listeners accept (JSON, mode 0600)
    #[arg(long, env = "MKP_READY_FILE", value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
    /// Seals key material at rest: base64 of 32 bytes; else a file in the data folder
    #[arg(skip = env_secret("MKP_MASTER_KEY"))]
    pub(crate) master_key: Option<String>,
    /// Addresses that webhooks may reach
    #[arg(long, env = "MKP_WEBHOOK_TARGETS", default_value = "local", value_name = "WHICH")]
    pub(crate) webhook_targets: WebhookTargets,
    /// PEM file of CAs that HTTPS webhooks may have beside the system's and the service's own
    #[arg(long, env = "MKP_WEBHOOK_CA", value_name = "FILE")]
    pub(crate) webhook_ca: Option<PathBuf>,
    /// File to append each audit record to, one line of JSON each
    #[arg(long, env = "MKP_AUDIT_FILE", value_name = "FILE")]
    pub(crate) audit_file: Option<PathBuf>,
    /// How long the COS gateway trusts what it knows of a root key; where not given, as the data folder has it, else 1h
    #[arg(long, env = "MKP_COS_KEY_INFO_TTL", value_name = "SPAN", value_parser = parse_span)]
    pub(crate) cos_key_info_ttl: Option<Span>,
    /// Least severity that is logged, to stderr
    #[arg(long, env = "MKP_LOG", default_value = "info", value_name = "LEVEL")]
    pub(crate) log: LogLevel,
    /// Form of log lines; text on a terminal, else json
    #[arg(long, env = "MKP_LOG_FORMAT", value_name = "FORM")]
    pub(crate) log_format: Option<LogFormat>,
}

/// A port, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PortChoice {
    Off,
    Port(u16),
}

/// How the clock starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockMode {
    Running,
    /// At the instant, or where it stands.
    Frozen(Option<Timestamp>),
}

/// Which identities may have tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuthChoice {
    Token,
    Strict,
}

/// Which addresses webhooks may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WebhookTargets {
    Local,
    Loopback,
    Public,
}

/// Least severity that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[expect(clippy::disallowed_methods, reason = "this is the reader of the environment")]
fn env_secret(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The words of clap's own reader, which tells a person less.
fn parse_switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Ok(false),
        _ => Err("give true or false".to_owned()),
    }
}

fn parse_generator_seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("give a whole number from 0 to {}", u64::MAX))
}

/// Virtual seconds for each real one.
fn parse_scale(text: &str) -> Result<u32, String> {
    let scale = text.parse().ok().filter(|scale| (1..=1_000_000).contains(scale));
    scale.ok_or_else(|| "give a whole number from 1 to 1000000".to_owned())
}

/// An address, not a name: names can mean several. `localhost` means what it always does.
fn parse_host(text: &str) -> Result<IpAddr, String> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(IpAddr::from([127, 0, 0, 1]));
    }
    text.parse()
        .map_err(|_| "needs an IP address: 127.0.0.1 for this machine alone, 0.0.0.0 for all networks".to_owned())
}

fn parse_port_number(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "needs a port from 0 to 65535; 0 picks a free one".to_owned())
}

fn parse_port(text: &str) -> Result<PortChoice, String> {
    if text == "off" {
        return Ok(PortChoice::Off);
    }
    text.parse().map(PortChoice::Port).map_err(|_| "a port from 0 to 65535, or off".to_owned())
}

fn parse_clock(text: &str) -> Result<ClockMode, String> {
    match text {
        "running" => Ok(ClockMode::Running),
        "frozen" => Ok(ClockMode::Frozen(None)),
        _ => text
            .strip_prefix("frozen@")
            .and_then(Timestamp::parse)
            .map(|at| ClockMode::Frozen(Some(at)))
            .ok_or_else(|| "running, frozen, or frozen@ and a time such as 2027-01-01T00:00:00Z".to_owned()),
    }
}

/// A zero needs no unit here.
fn parse_span(text: &str) -> Result<Span, String> {
    let text = if text == "0" { "0s" } else { text };
    Span::parse(text).ok_or_else(|| duration::FORM.to_owned())
}
