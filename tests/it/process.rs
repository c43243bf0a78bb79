//! The program as a process: what it refuses to start with, and what it prints.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::harness::Harness;
use crate::harness::process::{Running, program, run};

/// Asserts exit 2 and one line on stderr; the line.
#[track_caller]
fn refused(output: &Output) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.trim_end().lines().count(), 1, "one line: {stderr}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    stderr
}

fn serving(folder: &Path, options: &[&str]) -> Command {
    let mut command = program(folder);
    command.args(["serve", "--port", "0", "--cos-port", "off", "--data-dir", "data"]).args(options);
    command
}

#[actix_web::test]
async fn a_wrong_option_is_told_in_one_line_that_names_it_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    for (options, named) in [
        (&["--prot", "1"][..], "--prot"),
        (&["--port", "70000"], "--port"),
        (&["--port", "x"], "--port"),
        (&["--host", "localhost:1"], "--host"),
        (&["--cos-port", "on"], "--cos-port"),
        (&["--tls-port", "x"], "--tls-port"),
        (&["--clock", "frozen@noon"], "--clock"),
        (&["--clock", "stopped"], "--clock"),
        (&["--time-scale", "0"], "--time-scale"),
        (&["--time-scale", "1.5"], "--time-scale"),
        (&["--auth", "lax"], "--auth"),
        (&["--deterministic", "x"], "--deterministic"),
        (&["--webhook-targets", "all"], "--webhook-targets"),
        (&["--cos-key-info-ttl", "soon"], "--cos-key-info-ttl"),
        (&["--log", "loud"], "--log"),
        (&["--log-format", "xml"], "--log-format"),
        (&["surprise"], "surprise"),
    ] {
        let line = refused(
            &run({
                let mut command = program(folder.path());
                command.arg("serve").args(["--data-dir", "data"]).args(options);
                command
            })
            .await,
        );
        assert!(line.contains(named), "{options:?}: {line}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing changed");
}

#[actix_web::test]
async fn a_wrong_variable_is_told_like_a_wrong_option() {
    let folder = tempfile::tempdir().unwrap();
    for (variable, value) in [
        ("MKP_PORT", "x"),
        ("MKP_HOST", "nowhere"),
        ("MKP_COS_PORT", "on"),
        ("MKP_TLS_PORT", "on"),
        ("MKP_COS_TLS_PORT", "on"),
        ("MKP_EPHEMERAL", "perhaps"),
        ("MKP_DETERMINISTIC", "x"),
        ("MKP_CLOCK", "x"),
        ("MKP_TIME_SCALE", "0"),
        ("MKP_AUTH", "x"),
        ("MKP_WEBHOOK_TARGETS", "x"),
        ("MKP_COS_KEY_INFO_TTL", "x"),
        ("MKP_LOG", "x"),
        ("MKP_LOG_FORMAT", "x"),
    ] {
        let mut command = program(folder.path());
        command.env(variable, value);
        let line = refused(&run(command).await);
        assert!(line.contains(variable), "{variable}: {line}");
        assert!(!line.contains("invalid digit") && !line.contains("boolean"), "a parser's words: {line}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing changed");
}

#[actix_web::test]
async fn a_port_in_use_is_named_with_the_remedy() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path());
    command.args(["--port", &port, "--cos-port", "off", "--data-dir", "data"]);
    let line = refused(&run(command).await);
    assert!(line.contains(&port) && line.contains("--port"), "{line}");
    assert!(!folder.path().join("data/state.db").exists(), "nothing changed");
}

#[actix_web::test]
async fn files_that_cannot_be_read_or_written_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for option in ["--seed", "--webhook-ca"] {
        let line = refused(&run(serving(folder.path(), &[option, "not-there"])).await);
        assert!(line.contains(option) && line.contains("not-there"), "{line}");
    }
    std::fs::write(folder.path().join("no-ca"), "no certificate").unwrap();
    let line = refused(&run(serving(folder.path(), &["--webhook-ca", "no-ca"])).await);
    assert!(line.contains("--webhook-ca no-ca") && line.contains("PEM"), "{line}");
    let line = refused(&run(serving(folder.path(), &["--ready-file", "no/such/folder/ready.json"])).await);
    assert!(line.contains("--ready-file") && line.contains("no/such/folder/ready.json"), "{line}");
    std::fs::write(folder.path().join("plain"), "a file").unwrap();
    let mut command = program(folder.path());
    command.args(["--port", "0", "--cos-port", "off", "--data-dir", "plain/data"]);
    let line = refused(&run(command).await);
    assert!(line.contains("plain/data") && line.contains("--data-dir"), "{line}");
}

#[actix_web::test]
async fn guessable_keys_are_refused_beyond_this_machine_and_told_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let line = refused(&run(serving(folder.path(), &["--deterministic", "1", "--host", "0.0.0.0"])).await);
    assert!(line.contains("--deterministic") && line.contains("--host"), "{line}");
    let running = Running::serve(&["--deterministic", "1"]).await;
    let (stdout, stderr) = running.written();
    assert!((stdout + &stderr).contains("deterministic"), "it says so at start");
}

#[actix_web::test]
async fn a_seeded_service_makes_the_same_keys_each_time() {
    let mut ids = Vec::new();
    for seed in ["1", "1", "2"] {
        let options = ["--deterministic", seed, "--clock", "frozen@2026-01-01T00:00:00Z"];
        let running = Running::serve(&options).await;
        let kp = Harness::attached(running.info()).await;
        let first = kp.create_root_key("first").await;
        ids.push((first, kp.create_root_key("second").await));
    }
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
    assert_ne!(ids[0].0, ids[0].1);
}

#[actix_web::test]
async fn empty_variables_count_as_not_set() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = serving(folder.path(), &[]);
    for name in [
        "HOST",
        "PORT",
        "COS_PORT",
        "TLS_PORT",
        "COS_TLS_PORT",
        "DATA_DIR",
        "EPHEMERAL",
        "SEED",
        "DETERMINISTIC",
        "CLOCK",
        "TIME_SCALE",
        "AUTH",
        "ADMIN_TOKEN",
        "READY_FILE",
        "MASTER_KEY",
        "WEBHOOK_TARGETS",
        "WEBHOOK_CA",
        "AUDIT_FILE",
        "COS_KEY_INFO_TTL",
        "LOG",
        "LOG_FORMAT",
    ] {
        command.env(format!("MKP_{name}"), "");
    }
    let running = Running::start(command, folder.path()).await;
    let info = running.info();
    assert!(info["url"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    assert!(info.get("adminToken").is_none());
}

#[actix_web::test]
async fn an_option_outranks_its_variable_and_a_variable_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = serving(folder.path(), &["--clock", "frozen@2026-01-01T00:00:00Z"]);
    command.env("MKP_CLOCK", "frozen@2030-01-01T00:00:00Z").env("MKP_TIME_SCALE", "60").env("MKP_PORT", "1");
    command.env("MKP_DATA_DIR", "elsewhere").env("MKP_READY_FILE", "elsewhere.json");
    let running = Running::start(command, folder.path()).await;
    let kp = Harness::attached(running.info()).await;
    let clock = kp.get("/mock/clock").send().await.succeeds(200);
    assert_eq!(clock["now"], "2026-01-01T00:00:00Z");
    assert_eq!(clock["timeScale"], 60);
    assert!(folder.path().join("data").is_dir());
    assert!(!folder.path().join("elsewhere").exists() && !folder.path().join("elsewhere.json").exists());
}

#[actix_web::test]
async fn every_option_of_the_contract_is_taken_and_what_is_not_built_says_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("seed.toml"), "").unwrap();
    std::fs::write(folder.path().join("ca.pem"), include_str!("fixtures/webhooks/ca.pem")).unwrap();
    let mut command = program(folder.path());
    command.args(["serve", "--host", "127.0.0.1", "--port", "0", "--cos-port", "0", "--tls-port", "0"]);
    command.args(["--cos-tls-port", "0", "--data-dir", "data", "--deterministic", "7", "--clock", "running"]);
    command.args(["--seed", "seed.toml", "--time-scale", "1", "--auth", "token", "--admin-token", "t"]);
    command.args(["--webhook-targets", "loopback", "--webhook-ca", "ca.pem", "--audit-file", "audit.log"]);
    command.args(["--cos-key-info-ttl", "0", "--log", "debug", "--log-format", "text", "--ephemeral"]);
    let running = Running::start(command, folder.path()).await;
    let (stdout, stderr) = running.written();
    let told = stdout + &stderr;
    let info = running.info();
    for (option, member) in [("--cos-port", "cosUrl"), ("--tls-port", "tlsUrl"), ("--cos-tls-port", "cosTlsUrl")] {
        assert!(info.get(member).is_some() || told.contains(option), "{option}: neither built nor said so");
    }
    assert!(!folder.path().join("data").exists(), "an ephemeral service leaves no folder");
}

#[actix_web::test]
async fn help_and_version_go_to_stdout() {
    let folder = tempfile::tempdir().unwrap();
    for argument in ["--help", "--version", "-h", "-V", "help"] {
        let mut command = program(folder.path());
        command.arg(argument);
        let output = run(command).await;
        assert_eq!(output.status.code(), Some(0), "{argument}");
        assert!(output.stderr.is_empty(), "{argument}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("mock-key-protect"), "{argument}: {text}");
    }
    let help = |arguments: &[&str]| {
        let mut command = program(folder.path());
        command.args(arguments);
        run(command)
    };
    let text = String::from_utf8(help(&["--help"]).await.stdout).unwrap();
    for word in ["serve", "env", "token", "clock", "healthcheck"] {
        assert!(text.contains(word), "{word}");
    }
    let text = String::from_utf8(help(&["serve", "--help"]).await.stdout).unwrap();
    for option in [
        "--host",
        "--port",
        "--cos-port",
        "--tls-port",
        "--cos-tls-port",
        "--data-dir",
        "--ephemeral",
        "--seed",
        "--deterministic",
        "--clock",
        "--time-scale",
        "--auth",
        "--admin-token",
        "--ready-file",
        "--webhook-targets",
        "--webhook-ca",
        "--audit-file",
        "--cos-key-info-ttl",
        "--log",
        "--log-format",
    ] {
        assert!(text.contains(option), "{option}");
    }
}

#[actix_web::test]
async fn the_version_is_that_of_the_package() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path());
    command.arg("--version");
    let output = run(command).await;
    assert_eq!(output.stdout, format!("mock-key-protect {}\n", env!("CARGO_PKG_VERSION")).into_bytes());
}

#[actix_web::test]
async fn help_does_not_show_secrets_from_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["--help"][..], &["serve", "--help"], &["env", "--help"], &["clock", "--help"]] {
        let mut command = program(folder.path());
        command.args(arguments).env("MKP_ADMIN_TOKEN", "canary-1").env("MKP_MASTER_KEY", "canary-2");
        let output = run(command).await;
        assert!(!String::from_utf8(output.stdout).unwrap().contains("canary"), "{arguments:?}");
    }
}

#[actix_web::test]
async fn the_ready_file_is_private_whole_and_what_info_tells() {
    let running = Running::serve(&[]).await;
    let mode = std::fs::metadata(running.ready_file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let kp = Harness::attached(running.info()).await;
    assert_eq!(kp.get("/mock/info").send().await.succeeds(200), running.info());
    assert_eq!(running.info()["pid"], running.id());
    let beside: Vec<_> = std::fs::read_dir(running.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside.len(), 4, "no draft is left beside data, output and ready file: {beside:?}");
}

#[actix_web::test]
async fn a_start_tells_addresses_and_ids_and_a_line_to_copy() {
    let running = Running::serve(&[]).await;
    let (stdout, _) = running.written();
    let info = running.info();
    for member in ["url", "instanceId", "instanceCrn", "accountId", "region"] {
        assert!(stdout.contains(info[member].as_str().unwrap()), "{member}");
    }
    let copied = stdout.lines().find(|line| line.trim().starts_with("curl ")).expect("a line to copy").trim();
    let output = Command::new("sh").args(["-c", copied]).output().unwrap();
    let reply: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(reply["token_type"], "Bearer", "{copied}");
    assert!(!stdout.contains("Clock "), "a clock that shows the real time is not worth a word");
}

#[actix_web::test]
async fn a_start_tells_of_a_clock_that_is_elsewhere_and_of_strict_access() {
    let ahead = Running::serve(&["--clock", "frozen@2199-01-01T00:00:00Z", "--auth", "strict"]).await;
    let (stdout, _) = ahead.written();
    let clock = stdout.lines().find(|line| line.trim().starts_with("Clock ")).expect("a row for the clock");
    assert!(
        clock.contains("2199-01-01T00:00:00Z") && clock.contains("days ahead") && clock.contains("frozen"),
        "{clock}"
    );
    assert!(stdout.lines().any(|line| line.trim().starts_with("Access ") && line.contains("strict")), "{stdout}");
    let copied = stdout.lines().last().expect("a line to copy").trim();
    assert!(copied.starts_with("mock-key-protect token --url "), "{copied}");
    let hurried = Running::serve(&["--time-scale", "60"]).await;
    assert!(hurried.written().0.contains("60 seconds in each real one"));
}

#[actix_web::test]
async fn nothing_secret_is_printed_or_logged() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = serving(folder.path(), &["--log", "trace", "--admin-token", "canary-admin"]);
    let master_key = "Y2FuYXJ5IGNhbmFyeSBjYW5hcnkgY2FuYXJ5ISEhISE=";
    command.env("MKP_MASTER_KEY", master_key);
    let mut running = Running::start(command, folder.path()).await;
    let kp = Harness::attached(running.info()).await;
    let plaintext = "Y2FuYXJ5LXBsYWludGV4dA==";
    let material = "Y2FuYXJ5LW1hdGVyaWFsIQ==";
    let key = kp.import_root_key("watched", material).await;
    let ciphertext = kp.wrap(&key, plaintext).await;
    kp.unwrap(&key, &ciphertext).await.succeeds(200);
    kp.token_for("canary-api-key").await;
    let bad = kp.post("/api/v2/keys").raw(format!("{{\"resources\":\"{material}\"}}")).send().await;
    assert_eq!(bad.status, 400);
    kp.get(&format!("/api/v2/keys?search={plaintext}")).send().await.succeeds(200);
    running.stop().await;
    let (stdout, stderr) = running.written();
    let api_key = kp.info["apiKey"].as_str().unwrap();
    let told = stdout + &stderr;
    for secret in
        [api_key, &kp.token, "canary-admin", "canary-api-key", master_key, material, plaintext, ciphertext.as_str()]
    {
        assert!(!told.contains(secret), "{secret} in: {told}");
    }
}

#[actix_web::test]
async fn an_admin_token_that_was_made_up_is_printed_and_nothing_else() {
    let running = Running::serve(&["--host", "0.0.0.0"]).await;
    let info = running.info();
    let (stdout, stderr) = running.written();
    let token = info["adminToken"].as_str().unwrap();
    assert!(stdout.contains(token));
    assert!(!stdout.contains(info["apiKey"].as_str().unwrap()));
    assert!(!stderr.contains(info["apiKey"].as_str().unwrap()));
    assert!((stdout + &stderr).contains("beyond this machine"), "a warning at start");
}

#[actix_web::test]
async fn log_lines_are_json_away_from_a_terminal() {
    let mut running = Running::serve(&["--log", "debug"]).await;
    let kp = Harness::attached(running.info()).await;
    kp.get("/api/v2/keys?limit=1").send().await.succeeds(200);
    running.stop().await;
    let (_, stderr) = running.written();
    let lines: Vec<Value> = stderr.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let request = lines.iter().find(|line| line.to_string().contains("/api/v2/keys")).expect("a line for the request");
    assert!(!request.to_string().contains("limit=1"), "the path is logged without its query: {request}");
}
