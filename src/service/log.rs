//! Log lines to stderr. Paths are logged without their query; bodies, tokens and keys never are.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat, LogLevel};

/// Starts to log. A second call changes nothing.
pub(crate) fn start(config: &Config) {
    let level = match config.log {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    // The libraries' own chatter helps nobody below a warning, and what actix calls an error is a client's slip, as HTTPS
    // spoken to a port without it.
    let slips = if matches!(config.log, LogLevel::Debug | LogLevel::Trace) { "warn" } else { "off" };
    let filter = EnvFilter::new(format!("warn,actix_http={slips},mock_key_protect={level}"));
    let terminal = std::io::stderr().is_terminal();
    let format = config.log_format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // It would tell of a line that cannot be written on the very same stderr, and panic there.
    let builder = builder.log_internal_errors(false);
    let started = match format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // Somebody else's subscriber, as in tests, is as good.
    drop(started);
}
