//! `env`, `token`, `clock` and `healthcheck`: commands that talk to a running service.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::process::{Running, program, run};

fn command(running: &Running, arguments: &[&str]) -> Command {
    let mut command = program(running.folder());
    command.args(arguments).arg("--url").arg(running.url());
    command
}

/// Runs a command that must succeed; what it prints, without the line's end.
async fn told(command: Command) -> String {
    let output = run(command).await;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// Runs a command that must end with exit 1 and one line on stderr; the line.
async fn refused(command: Command) -> String {
    let output = run(command).await;
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
    assert!(output.stdout.is_empty());
    stderr
}

/// What a client reads, with the member of the ready file that it comes from.
const VARIABLES: [(&str, &str); 12] = [
    ("KP_URL", "url"),
    ("KP_INSTANCE_ID", "instanceId"),
    ("KP_INSTANCE_CRN", "instanceCrn"),
    ("IAM_URL", "iamUrl"),
    ("IBMCLOUD_API_KEY", "apiKey"),
    ("COS_INSTANCE_CRN", "cosInstanceCrn"),
    ("KEY_PROTECT_URL", "url"),
    ("KEY_PROTECT_AUTH_URL", "iamUrl"),
    ("KEY_PROTECT_APIKEY", "apiKey"),
    ("IBMCLOUD_KP_API_ENDPOINT", "url"),
    ("IBMCLOUD_IAM_API_ENDPOINT", "iamUrl"),
    ("IBMCLOUD_RESOURCE_CONTROLLER_API_ENDPOINT", "url"),
];

#[actix_web::test]
async fn env_prints_what_clients_read_in_each_form() {
    let running = Running::serve(&[]).await;
    let info = running.info();
    let json: Value = serde_json::from_str(&told(command(&running, &["env", "--format", "json"])).await).unwrap();
    let dotenv = told(command(&running, &["env", "--format", "dotenv"])).await;
    let shell = told(command(&running, &["env"])).await;
    assert_eq!(told(command(&running, &["env", "--format", "sh"])).await, shell);
    for (name, member) in VARIABLES {
        let value = info[member].as_str().unwrap();
        assert_eq!(json[name], value, "{name}");
        assert!(dotenv.lines().any(|line| line == format!("{name}={value}")), "{name}: {dotenv}");
        let script = format!("{shell}\nprintf %s \"${name}\"");
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), value, "{name}");
    }
    let child = format!("{shell}\nsh -c 'printf %s \"$KP_URL\"'");
    let output = Command::new("sh").args(["-c", &child]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), info["url"], "variables are exported");
    assert!(json.get("COS_ENDPOINT").is_none(), "there is no gateway");
    for text in [&dotenv, &shell] {
        assert!(!text.contains("COS_ENDPOINT"));
    }
}

#[actix_web::test]
async fn env_names_the_gateway_that_there_is() {
    let running = Running::serve(&["--cos-tls-port", "0"]).await;
    let info = running.info();
    let json: Value = serde_json::from_str(&told(command(&running, &["env", "--format", "json"])).await).unwrap();
    assert_eq!(json["COS_ENDPOINT"], info["cosTlsUrl"], "HTTPS alone");
    assert!(info.get("cosUrl").is_none());
}

#[actix_web::test]
async fn token_prints_one_that_works() {
    let running = Running::serve(&[]).await;
    let kp = Harness::attached(running.info()).await;
    let token = told(command(&running, &["token"])).await;
    kp.get("/api/v2/keys").bearer(&token).send().await.succeeds(200);
    let other = told(command(&running, &["token", "--api-key", "a b&c=d"])).await;
    let listed = kp.get("/api/v2/keys").bearer(&other).send().await;
    listed.succeeds(200);
    assert_eq!(other.split('.').count(), 3);
}

#[actix_web::test]
async fn token_tells_why_there_is_none() {
    let running = Running::serve(&["--auth", "strict"]).await;
    let line = refused(command(&running, &["token", "--api-key", "unknown"])).await;
    assert!(line.contains("could not be found"), "{line}");
    told(command(&running, &["token"])).await;
}

#[actix_web::test]
async fn clock_shows_and_moves_the_running_service() {
    let running = Running::serve(&["--clock", "frozen@2026-01-01T00:00:00Z"]).await;
    let kp = Harness::attached(running.info()).await;
    let key = json!({ "name": "passing", "extractable": false, "expirationDate": "2026-01-15T00:00:00Z" });
    kp.create(&key).await;
    for arguments in [&["clock"][..], &["clock", "show"]] {
        let shown = told(command(&running, arguments)).await;
        assert!(shown.contains("2026-01-01T00:00:00Z") && shown.contains("frozen"), "{shown}");
        assert!(shown.contains("2026-01-15T00:00:00Z") && shown.contains("expiry"), "{shown}");
    }
    let moved = told(command(&running, &["clock", "advance", "31d"])).await;
    assert!(moved.contains("2026-02-01T00:00:00Z") && moved.contains("expiry"), "{moved}");
    assert_eq!(kp.now().await, "2026-02-01T00:00:00Z");
    assert!(told(command(&running, &["clock", "resume"])).await.contains("running"));
    assert!(told(command(&running, &["clock", "freeze"])).await.contains("frozen"));
}

#[actix_web::test]
async fn a_wrong_span_is_refused_before_anything_is_sent() {
    let running = Running::serve(&["--clock", "frozen@2026-01-01T00:00:00Z"]).await;
    for span in ["31", "1w", "-1d", "soon"] {
        let output = run(command(&running, &["clock", "advance", span])).await;
        assert_eq!(output.status.code(), Some(2), "{span}");
        assert_eq!(String::from_utf8(output.stderr).unwrap().trim_end().lines().count(), 1);
    }
    let kp = Harness::attached(running.info()).await;
    assert_eq!(kp.now().await, "2026-01-01T00:00:00Z");
}

#[actix_web::test]
async fn healthcheck_succeeds_while_the_service_is_ready() {
    let mut running = Running::serve(&[]).await;
    told(command(&running, &["healthcheck"])).await;
    let mut after = program(running.folder());
    after.args(["healthcheck", "--url", &running.url()]);
    running.stop().await;
    refused(after).await;
}

#[actix_web::test]
async fn the_service_is_found_by_url_ready_file_or_port() {
    let running = Running::serve(&[]).await;
    let url = running.url();
    let port = url.rsplit(':').next().unwrap();
    let ready = running.ready_file().to_str().unwrap();
    for (option, value, variable) in [("--url", url.as_str(), "MKP_URL"), ("--ready-file", ready, "MKP_READY_FILE")] {
        let mut by_option = program(running.folder());
        by_option.args(["healthcheck", option, value]);
        told(by_option).await;
        let mut by_variable = program(running.folder());
        by_variable.arg("healthcheck").env(variable, value);
        told(by_variable).await;
    }
    let mut by_port = program(running.folder());
    by_port.arg("healthcheck").env("MKP_PORT", port);
    told(by_port).await;
    let mut url_outranks = program(running.folder());
    url_outranks.args(["healthcheck", "--url", &url]).env("MKP_READY_FILE", "not-there").env("MKP_PORT", "1");
    told(url_outranks).await;
    let mut empty = program(running.folder());
    empty.arg("healthcheck").env("MKP_URL", "").env("MKP_READY_FILE", "").env("MKP_PORT", port);
    told(empty).await;
    let mut slash = program(running.folder());
    slash.args(["healthcheck", "--url", &format!("{url}/")]);
    told(slash).await;
}

#[actix_web::test]
async fn without_a_service_each_command_says_so_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", closed.local_addr().unwrap())
    };
    for arguments in [&["env"][..], &["token"], &["clock"], &["clock", "advance", "1d"], &["healthcheck"]] {
        let mut by_url = program(folder.path());
        by_url.args(arguments).args(["--url", &nobody]);
        let line = refused(by_url).await;
        assert!(line.contains(&nobody), "{line}");
        let mut by_file = program(folder.path());
        by_file.args(arguments).args(["--ready-file", "not-there.json"]);
        assert!(refused(by_file).await.contains("not-there.json"));
    }
    for wrong in ["not a url", "https://127.0.0.1:1", "127.0.0.1:8490", "http://"] {
        let mut nonsense = program(folder.path());
        nonsense.args(["healthcheck", "--url", wrong]);
        let line = refused(nonsense).await;
        assert!(line.contains(wrong) && line.contains("--url") && line.contains("http://"), "{line}");
    }
}

#[actix_web::test]
async fn where_an_admin_token_is_needed_commands_take_it() {
    let running = Running::serve(&["--host", "0.0.0.0", "--admin-token", "s3cret"]).await;
    told(command(&running, &["healthcheck"])).await;
    for arguments in [&["env"][..], &["token"], &["clock"]] {
        let line = refused(command(&running, arguments)).await;
        assert!(line.contains("--admin-token") && line.contains("MKP_ADMIN_TOKEN"), "{line}");
        let mut by_option = command(&running, arguments);
        by_option.args(["--admin-token", "s3cret"]);
        told(by_option).await;
        let mut by_variable = command(&running, arguments);
        by_variable.env("MKP_ADMIN_TOKEN", "s3cret");
        told(by_variable).await;
        let mut by_file = program(running.folder());
        by_file.args(arguments).arg("--ready-file").arg(running.ready_file());
        told(by_file).await;
    }
}
