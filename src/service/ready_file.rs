//! What a start tells: the ready file for programs, a few lines for people.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::clock::Reading;
use crate::config::{AuthChoice, Config};
use crate::http::state::Info;
use crate::service::StartError;

/// Writes the ready file under another name and gives it its own: whoever sees it sees all of it.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write(path: &Path, info: &Info) -> Result<(), StartError> {
    let unusable = |error: std::io::Error| {
        StartError(format!(
            "--ready-file {} cannot be written: {error}; name a file in a folder that can be",
            path.display()
        ))
    };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", info.pid));
    let draft = path.with_file_name(name);
    let text = serde_json::to_string_pretty(info).unwrap_or_default();
    let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft);
    opened
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&draft, path))
        .map_err(unusable)
}

/// Takes the ready file away at a clean stop: what it names is gone.
pub(crate) fn remove(path: &Path) {
    // Somebody may have done so before.
    drop(std::fs::remove_file(path));
}

/// The table of a start.
pub(crate) fn banner(info: &Info, config: &Config, clock: &Reading) -> String {
    let mut text =
        format!("mock-key-protect {}: stands in for IBM Key Protect; not a place for secrets\n\n", info.version);
    let mut row = |name: &str, value: &str| {
        // Writing to a text does not fail.
        let _ = writeln!(text, "  {name:<22}{value}");
    };
    row("Key Protect, IAM", &info.url);
    let maybe = [
        ("the same over HTTPS", &info.tls_url),
        ("COS gateway", &info.cos_url),
        ("the same over HTTPS", &info.cos_tls_url),
    ];
    for (name, value) in maybe {
        if let Some(value) = value {
            row(name, value);
        }
    }
    if let Some(path) = &info.ca_file {
        row("CA of HTTPS", &path.display().to_string());
    }
    row("Admin API", &info.admin_url);
    row("Region", &info.region);
    row("Account", &info.account_id);
    row("Instance", &info.instance_id);
    row("Instance CRN", &info.instance_crn);
    row("COS instance", &info.cos_instance_id);
    if let Some(told) = clock_told(clock) {
        row("Clock", &told);
    }
    if config.auth == AuthChoice::Strict {
        row("Access", "strict: identities that were made or that policies name, and the account's owner");
    }
    if config.ephemeral {
        row("Data folder", "a temporary one, removed at exit");
    } else {
        row("Data folder", &config.data_dir.display().to_string());
    }
    if let Some(token) = info.admin_token.as_ref().filter(|_| config.admin_token.is_none()) {
        row("Admin token", token);
    }
    for note in notes(config) {
        row("Note", &note);
    }
    let _ = writeln!(
        text,
        "\nThe API key is not printed; `{}` tells it. Try, in another terminal:\n",
        command("env", info, config)
    );
    let _ = match config.auth {
        AuthChoice::Token => writeln!(
            text,
            "  curl -s {}/identity/token -d grant_type=urn:ibm:params:oauth:grant-type:apikey -d apikey=any",
            info.url
        ),
        AuthChoice::Strict => writeln!(text, "  {}", command("token", info, config)),
    };
    text
}

/// What a reader should know of the clock: nothing when it shows the real time.
fn clock_told(clock: &Reading) -> Option<String> {
    let mut told = Vec::new();
    let days = clock.offset_seconds / 86_400;
    match clock.offset_seconds {
        -1..=1 => {}
        ahead if ahead > 0 && days > 0 => told.push(format!("{days} days ahead")),
        ahead if ahead > 0 => told.push(format!("{ahead} seconds ahead")),
        behind => told.push(format!("{} seconds behind", behind.unsigned_abs())),
    }
    if clock.frozen {
        told.push("frozen".to_owned());
    } else if clock.scale != 1 {
        told.push(format!("{} seconds in each real one", clock.scale));
    }
    (!told.is_empty()).then(|| format!("{}, {}", clock.now.rfc3339(), told.join(", ")))
}

/// A command that asks this very service.
fn command(name: &str, info: &Info, config: &Config) -> String {
    let usual = config.port == 8490 && config.host == std::net::IpAddr::from([127, 0, 0, 1]);
    let url = if usual { String::new() } else { format!(" --url {}", info.url) };
    format!("mock-key-protect {name}{url}")
}

/// Options that are set and whose part is not built yet, and what else a reader should know.
fn notes(config: &Config) -> Vec<String> {
    const LATER: &str = "is idle: this release has no";
    let mut notes = Vec::new();
    let given = [("--seed", config.seed.is_some(), "seed files")];
    for (option, set, part) in given {
        if set {
            notes.push(format!("{option} {LATER} {part} yet"));
        }
    }
    if let Some(seed) = config.deterministic {
        notes.push(format!("--deterministic {seed}: keys and ids can be guessed; for tests only"));
    }
    notes
}
