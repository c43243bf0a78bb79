//! Flags and environment: every option with its default and unit. Nothing else reads them.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{BoolishValueParser, Resettable};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::domain::duration;
use crate::domain::time::Timestamp;

/// What `serve` is to do.
#[derive(Args, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Address of all listeners
    #[arg(long, env = "MKP_HOST", default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub(crate) host: IpAddr,
    /// Port of Key Protect, IAM, Resource Controller and the admin API; 0 picks a free one
    #[arg(long, env = "MKP_PORT", default_value_t = 8490, value_name = "PORT")]
    pub(crate) port: u16,
    /// Port of the COS gateway; 0 picks a free one, off runs without it [default: 8491]
    #[arg(long, env = "MKP_COS_PORT", value_name = "PORT|off", value_parser = parse_port)]
    pub(crate) cos_port: Option<PortChoice>,
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
    #[arg(long, env = "MKP_EPHEMERAL", value_parser = BoolishValueParser::new())]
    pub(crate) ephemeral: bool,
    /// Seed file (TOML or JSON) for an empty store
    #[arg(long, env = "MKP_SEED", value_name = "FILE")]
    pub(crate) seed: Option<PathBuf>,
    /// Ids, key material and nonces from a generator seeded with N; for tests only
    #[arg(long, env = "MKP_DETERMINISTIC", value_name = "N")]
    pub(crate) deterministic: Option<u64>,
    /// running, frozen or frozen@<RFC 3339>; where not given, as the data folder has it, else running
    #[arg(long, env = "MKP_CLOCK", value_name = "MODE", value_parser = parse_clock)]
    pub(crate) clock: Option<ClockMode>,
    /// Virtual seconds for each real second
    #[arg(long, env = "MKP_TIME_SCALE", default_value_t = 1, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
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
    /// PEM file of CAs that HTTPS webhooks may have beside the public ones
    #[arg(long, env = "MKP_WEBHOOK_CA", value_name = "FILE")]
    pub(crate) webhook_ca: Option<PathBuf>,
    /// File to append each audit record to, one line of JSON each
    #[arg(long, env = "MKP_AUDIT_FILE", value_name = "FILE")]
    pub(crate) audit_file: Option<PathBuf>,
    /// How long the COS gateway trusts what it knows of a root key
    #[arg(long, env = "MKP_COS_KEY_INFO_TTL", default_value = "1h", value_name = "SPAN", value_parser = parse_span)]
    pub(crate) cos_key_info_ttl: Duration,
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

const AFTER_HELP: &str = "Options outrank their variables; a variable that is set to nothing counts as not set. \
MKP_MASTER_KEY (base64, 32 bytes) seals key material at rest; without it, a file in the data folder does.";

/// Stands in for IBM Key Protect, for tests and development without a cloud account.
#[derive(Parser)]
#[command(name = "mock-key-protect", version, about, args_conflicts_with_subcommands = true, max_term_width = 100, after_help = AFTER_HELP)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Config,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service until SIGINT or SIGTERM (what happens without a command, too)
    Serve(Box<Config>),
    /// Print the variables that clients of the running service need
    Env {
        /// Form of the output
        #[arg(long, default_value = "sh", value_name = "FORM")]
        format: EnvFormat,
        #[command(flatten)]
        service: Running,
    },
    /// Print a bearer token from the running service
    Token {
        /// API key to exchange; else the built-in one
        #[arg(long, value_name = "KEY")]
        api_key: Option<String>,
        #[command(flatten)]
        service: Running,
    },
    /// Read or move the running service's clock
    Clock {
        #[command(subcommand)]
        motion: Option<ClockCommand>,
        #[command(flatten)]
        service: Running,
    },
    /// Exit with 0 when the running service is ready
    Healthcheck {
        #[command(flatten)]
        service: Running,
    },
}

/// What `clock` is to do.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum ClockCommand {
    /// Show the time and what is due next
    Show,
    /// Move the clock forward and do all that falls due on the way
    Advance {
        /// Such as 31d, 4h or 1h30m
        #[arg(value_name = "SPAN", value_parser = check_span)]
        by: String,
    },
    /// Stop time
    Freeze,
    /// Let time pass again
    Resume,
}

/// Form of the output of `env`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EnvFormat {
    Sh,
    Dotenv,
    Json,
}

/// Where the running service is.
#[derive(Args, Clone)]
pub(crate) struct Running {
    /// Address of the running service
    #[arg(long, env = "MKP_URL", value_name = "URL", global = true)]
    pub(crate) url: Option<String>,
    /// Ready file of the running service
    #[arg(long, env = "MKP_READY_FILE", value_name = "FILE", global = true)]
    pub(crate) ready_file: Option<PathBuf>,
    /// Admin token, where one is needed and the ready file is not at hand
    #[arg(long, env = "MKP_ADMIN_TOKEN", value_name = "TOKEN", hide_env_values = true, global = true)]
    pub(crate) admin_token: Option<String>,
    /// Host of the running service, as serve would take it
    #[arg(long, env = "MKP_HOST", default_value = "127.0.0.1", value_name = "ADDRESS", global = true)]
    pub(crate) host: IpAddr,
    /// Port of the running service, as serve would take it
    #[arg(long, env = "MKP_PORT", default_value_t = 8490, value_name = "PORT", global = true)]
    pub(crate) port: u16,
}

/// What the command line asks for.
#[non_exhaustive]
pub enum Invocation {
    /// Run the service.
    Serve(Box<Config>),
    /// Talk to a running one.
    Client(Client),
    /// Print a text (help, version) and be done.
    Print(String),
    /// Say what is wrong, in one line.
    Wrong(String),
}

/// A command for a running service.
pub struct Client {
    pub(crate) command: ClientCommand,
    pub(crate) service: Running,
}

pub(crate) enum ClientCommand {
    Env(EnvFormat),
    Token { api_key: Option<String> },
    Clock(ClockCommand),
    Healthcheck,
}

impl Invocation {
    /// Reads a command line, the program's name first, and the environment.
    pub fn parse<I, T>(arguments: I) -> Self
    where
        I: IntoIterator<Item = T>,
        T: Into<OsString> + Clone,
    {
        let parsed = without_empty_variables(CommandLine::command())
            .try_get_matches_from(arguments)
            .and_then(|matches| CommandLine::from_arg_matches(&matches));
        match parsed {
            Ok(line) => Self::of(line),
            Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
                Self::Print(error.to_string())
            }
            Err(error) => Self::Wrong(in_one_line(&error.to_string())),
        }
    }

    fn of(line: CommandLine) -> Self {
        let client = |command, service| Self::Client(Client { command, service });
        match line.command {
            None => Self::Serve(Box::new(line.serve)),
            Some(Command::Serve(config)) => Self::Serve(config),
            Some(Command::Env { format, service }) => client(ClientCommand::Env(format), service),
            Some(Command::Token { api_key, service }) => client(ClientCommand::Token { api_key }, service),
            Some(Command::Clock { motion, service }) => {
                client(ClientCommand::Clock(motion.unwrap_or(ClockCommand::Show)), service)
            }
            Some(Command::Healthcheck { service }) => client(ClientCommand::Healthcheck, service),
        }
    }
}

/// Variables that are set to nothing count as not set.
fn without_empty_variables(mut command: clap::Command) -> clap::Command {
    let empty: Vec<clap::Id> = command
        .get_arguments()
        .filter(|argument| argument.get_env().is_some_and(is_empty_variable))
        .map(|argument| argument.get_id().clone())
        .collect();
    for id in empty {
        command = command.mut_arg(id, |argument| argument.env(Resettable::Reset));
    }
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        command = command.mut_subcommand(name, without_empty_variables);
    }
    command
}

#[expect(clippy::disallowed_methods, reason = "this is the reader of the environment")]
fn is_empty_variable(name: &std::ffi::OsStr) -> bool {
    std::env::var_os(name).is_some_and(|value| value.is_empty())
}

#[expect(clippy::disallowed_methods, reason = "this is the reader of the environment")]
fn env_secret(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// clap's message without its usage, as one line.
fn in_one_line(message: &str) -> String {
    let lines: Vec<&str> = message
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .filter(|line| !line.is_empty())
        .collect();
    let mut text = String::new();
    for line in lines {
        if !text.is_empty() {
            text.push_str(if text.ends_with(':') { " " } else { "; " });
        }
        text.push_str(line.trim_start_matches('[').trim_end_matches(']'));
    }
    format!("{}; see --help", text.strip_prefix("error: ").unwrap_or(&text))
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

fn parse_span(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    duration::parse(text).ok_or_else(|| duration::FORM.to_owned())
}

fn check_span(text: &str) -> Result<String, String> {
    duration::parse(text).map(|_| text.to_owned()).ok_or_else(|| duration::FORM.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serve(arguments: &[&str]) -> Result<Box<Config>, String> {
        let line = std::iter::once("mock-key-protect").chain(arguments.iter().copied());
        match Invocation::parse(line) {
            Invocation::Serve(config) => Ok(config),
            Invocation::Wrong(why) => Err(why),
            Invocation::Client(_) | Invocation::Print(_) => panic!("not serve"),
        }
    }

    #[test]
    fn the_options_of_serve_stand_with_and_without_the_word() {
        for arguments in [&["--port", "0"][..], &["serve", "--port", "0"]] {
            assert_eq!(serve(arguments).unwrap().port, 0);
        }
    }

    #[test]
    fn a_wrong_option_is_told_in_one_line_that_names_it() {
        for (arguments, named) in [
            (&["--prot", "1"][..], "--prot"),
            (&["--port", "70000"], "--port"),
            (&["--clock", "frozen@noon"], "frozen@"),
            (&["--auth", "lax"], "strict"),
            (&["--time-scale", "0"], "--time-scale"),
            (&["--cos-port", "on"], "off"),
            (&["serve", "--webhook-targets", "all"], "loopback"),
        ] {
            let why = serve(arguments).err().unwrap();
            assert!(why.contains(named) && !why.contains('\n'), "{why}");
        }
    }

    #[test]
    fn modes_are_read() {
        let at = Timestamp::parse("2027-01-01T00:00:00Z");
        assert_eq!(serve(&["--clock", "frozen@2027-01-01T00:00:00Z"]).unwrap().clock, Some(ClockMode::Frozen(at)));
        assert_eq!(serve(&["--cos-port", "off"]).unwrap().cos_port, Some(PortChoice::Off));
        assert_eq!(serve(&["--cos-key-info-ttl", "0"]).unwrap().cos_key_info_ttl, Duration::ZERO);
    }

    #[test]
    fn the_command_line_is_well_formed() {
        CommandLine::command().debug_assert();
    }
}
