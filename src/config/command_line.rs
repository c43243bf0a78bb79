//! The command line: commands, and what they ask for.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::config::{Config, parse_host, parse_port_number};
use crate::domain::duration;

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
        #[arg(value_name = "SPAN", allow_hyphen_values = true, value_parser = check_span)]
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
    #[arg(long, env = "MKP_HOST", default_value = "127.0.0.1", value_name = "ADDRESS", global = true, value_parser = parse_host)]
    pub(crate) host: IpAddr,
    /// Port of the running service, as serve would take it
    #[arg(long, env = "MKP_PORT", default_value = "8490", value_name = "PORT", global = true, value_parser = parse_port_number)]
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
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        let parsed = without_empty_variables(CommandLine::command())
            .try_get_matches_from(&arguments)
            .and_then(|matches| CommandLine::from_arg_matches(&matches));
        match parsed {
            Ok(line) => Self::of(line),
            Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
                Self::Print(error.to_string())
            }
            Err(error) => {
                let text = error.to_string();
                let variable = variable_at_fault(&error, &arguments);
                let text = variable.map_or(text.clone(), |(option, name)| text.replacen(&option, &name, 1));
                Self::Wrong(in_one_line(&text))
            }
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

/// The option that clap names and the variable that its value came from, when the command line has no such option.
fn variable_at_fault(error: &clap::Error, arguments: &[OsString]) -> Option<(String, String)> {
    let Some(ContextValue::String(named)) = error.get(ContextKind::InvalidArg) else { return None };
    let long = named.split([' ', '=']).next()?.strip_prefix("--")?;
    let given = |argument: &OsString| {
        argument.to_str().and_then(|text| text.strip_prefix("--")).and_then(|text| text.split('=').next()) == Some(long)
    };
    if arguments.iter().any(given) {
        return None;
    }
    let name = format!("MKP_{}", long.replace('-', "_").to_uppercase());
    Some((named.clone(), name))
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

fn check_span(text: &str) -> Result<String, String> {
    if text.starts_with('-') {
        return Err(format!("the clock never runs backwards; give {}", duration::FORM));
    }
    duration::parse(text).map(|_| text.to_owned()).ok_or_else(|| duration::FORM.to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{ClockMode, PortChoice};
    use crate::domain::time::Timestamp;

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
            (&["--host", "example.com"], "127.0.0.1"),
            (&["--port", "abc"], "65535"),
            (&["clock", "advance", "-1h"], "backwards"),
        ] {
            let why = serve(arguments).err().unwrap();
            assert!(why.contains(named) && !why.contains('\n'), "{why}");
        }
    }

    #[test]
    fn modes_are_read() {
        let at = Timestamp::parse("2027-01-01T00:00:00Z");
        assert_eq!(serve(&["--clock", "frozen@2027-01-01T00:00:00Z"]).unwrap().clock, Some(ClockMode::Frozen(at)));
        assert_eq!(serve(&["--cos-port", "off"]).unwrap().cos_port, PortChoice::Off);
        let ttl = serve(&["--cos-key-info-ttl", "0"]).unwrap().cos_key_info_ttl;
        assert_eq!(ttl.unwrap().length(), Duration::ZERO);
    }

    #[test]
    fn the_command_line_is_well_formed() {
        CommandLine::command().debug_assert();
    }
}
