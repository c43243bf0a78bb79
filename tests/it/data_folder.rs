//! The data folder: one process at a time, damage refused, and what survives a restart.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tokio::time::timeout;

use crate::harness::Harness;
use crate::harness::files;
use crate::harness::process::{Running, program, run};

const MASTER_KEY: &str = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=";
const OTHER_MASTER_KEY: &str = "YWJjZGVmQUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=";

fn serving(folder: &Path) -> Command {
    let mut command = program(folder);
    command.args(["serve", "--port", "0", "--cos-port", "off", "--data-dir", "data"]);
    command
}

/// Starts in vain: exit 2 within a deadline and one line, which is returned. Nothing in the folder changes.
async fn refused(command: Command, folder: &Path) -> String {
    let before = contents(&folder.join("data"));
    let output = run(command).await;
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.trim_end().lines().count(), 1, "one line: {stderr}");
    assert!(output.stdout.is_empty());
    let after = contents(&folder.join("data"));
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "{stderr}");
    for (path, bytes) in &before {
        // Who holds the lock is noted in it; it holds no state.
        assert!(path.ends_with("lock") || after[path] == *bytes, "{} was changed", path.display());
    }
    stderr
}

fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files::below(folder).into_iter().map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect()
}

/// A folder with the state of a service that has stopped, a key's id and a ciphertext of it.
async fn used_folder() -> (TempDir, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::serve_in(folder.path(), &[]).await;
    let kp = Harness::attached(running.info()).await;
    let key = kp.create_root_key("kept").await;
    let ciphertext = kp.wrap(&key, "aGVsbG8=").await;
    running.stop().await;
    (folder, key, ciphertext)
}

fn database(folder: &Path) -> PathBuf {
    folder.join("data/state.db")
}

#[actix_web::test]
async fn folder_and_files_are_private_whatever_the_umask() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    let binary = env!("CARGO_BIN_EXE_mock-key-protect");
    let line = format!("umask 000; exec {binary} serve --port 0 --cos-port off --data-dir data \"$@\"");
    command.args(["-c", &line, "sh"]).current_dir(folder.path());
    let running = Running::start(command, folder.path()).await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.path().join("data")), 0o700);
    for path in contents(&folder.path().join("data")).keys() {
        assert_eq!(mode(path), 0o600, "{}", path.display());
    }
    drop(running);
}

#[actix_web::test]
async fn a_second_process_is_refused_at_once_and_told_who_holds_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Running::serve_in(folder.path(), &[]).await;
    let kp = Harness::attached(first.info()).await;
    let key = kp.create_root_key("kept").await;
    for _ in 0..2 {
        let mut command = program(folder.path());
        command.args(["--port", "0", "--cos-port", "off", "--data-dir", "data"]);
        let output = timeout(Duration::from_secs(5), run(command)).await.expect("an end at once");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
        assert!(stderr.contains(&first.id().to_string()), "{stderr}");
        assert!(stderr.contains("data") && stderr.contains("--data-dir"), "{stderr}");
    }
    kp.wrap(&key, "aGVsbG8=").await;
    assert!(first.runs() && first.ready_file().exists());
    first.kill().await;
    let second = Running::serve_in(folder.path(), &[]).await;
    Harness::attached(second.info()).await.wrap(&key, "aGVsbG8=").await;
}

#[actix_web::test]
async fn state_survives_a_clean_stop_and_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::serve_in(folder.path(), &["--clock", "frozen@2026-01-01T00:00:00Z"]).await;
    let kp = Harness::attached(running.info()).await;
    let key = kp.create_root_key("kept").await;
    let ciphertext = kp.wrap(&key, "aGVsbG8=").await;
    kp.rotate(&key).await.succeeds(204);
    kp.advance("31d").await;
    let body = json!({
        "name": "mine", "target": "eu-de", "resource_group": "default",
        "resource_plan_id": "eedd3585-90c6-4c8f-be3d-062069e99fc3",
    });
    let instance = kp.post("/v2/resource_instances").json(&body).send().await.succeeds(201);
    let metadata = kp.metadata(&key).await;
    for clean in [true, false] {
        if clean {
            running.stop().await;
        } else {
            running.kill().await;
        }
        running = Running::serve_in(folder.path(), &[]).await;
        let again = Harness::attached(running.info()).await;
        assert_eq!(again.info["apiKey"], kp.info["apiKey"]);
        assert_eq!(again.now().await, "2026-02-01T00:00:00Z");
        assert_eq!(again.metadata(&key).await, metadata);
        assert_eq!(again.unwrap(&key, &ciphertext).await.succeeds(200)["plaintext"], "aGVsbG8=");
        again.get("/api/v2/keys").bearer(&kp.token).send().await.succeeds(200);
        let path = format!("/v2/resource_instances/{}", instance["guid"].as_str().unwrap());
        assert_eq!(again.get(&path).send().await.succeeds(200)["name"], "mine");
    }
}

#[actix_web::test]
async fn expired_tokens_stay_expired_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::serve_in(folder.path(), &[]).await;
    let kp = Harness::attached(running.info()).await;
    kp.post("/mock/tokens/expire").send().await.succeeds(204);
    running.stop().await;
    let running = Running::serve_in(folder.path(), &[]).await;
    let again = Harness::attached(running.info()).await;
    again.get("/api/v2/keys").bearer(&kp.token).send().await.unauthorized();
}

#[actix_web::test]
async fn an_ephemeral_service_leaves_nothing_behind() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut command = serving(folder.path());
    command.arg("--ephemeral").env("TMPDIR", temporary.path());
    let mut running = Running::start(command, folder.path()).await;
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 1);
    let kp = Harness::attached(running.info()).await;
    kp.create_root_key("passing").await;
    running.stop().await;
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
    assert!(!folder.path().join("data").exists());
}

#[actix_web::test]
async fn damage_is_refused_and_every_file_left_as_it_was() {
    let (folder, ..) = used_folder().await;
    let path = database(folder.path());
    let whole = std::fs::read(&path).unwrap();
    let mut header = whole.clone();
    header.iter_mut().take(16).for_each(|byte| *byte ^= 0xff);
    let mut page = whole.clone();
    page[4096..8192].fill(0xa5);
    let mut schema = whole.clone();
    schema[100..600].fill(0x5a);
    for (what, bytes) in [
        ("header flipped", header),
        ("page overwritten", page),
        ("schema overwritten", schema),
        ("cut in half", whole[..whole.len() / 2].to_vec()),
        ("cut within the header", whole[..50].to_vec()),
        ("emptied", Vec::new()),
        ("a text", b"this is no database at all, however long the text may be".to_vec()),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let line = refused(serving(folder.path()), folder.path()).await;
        assert!(line.contains("state.db"), "{what}: {line}");
    }
    std::fs::write(&path, whole).unwrap();
    Running::serve_in(folder.path(), &[]).await;
}

#[actix_web::test]
async fn a_foreign_database_is_refused() {
    let (folder, ..) = used_folder().await;
    let path = database(folder.path());
    std::fs::remove_file(&path).unwrap();
    let foreign = rusqlite::Connection::open(&path).unwrap();
    foreign.execute_batch("CREATE TABLE addresses (name TEXT); INSERT INTO addresses VALUES ('somebody')").unwrap();
    foreign.close().unwrap();
    let line = refused(serving(folder.path()), folder.path()).await;
    assert!(line.contains("state.db"), "{line}");
}

#[actix_web::test]
async fn a_newer_schema_is_refused() {
    let (folder, ..) = used_folder().await;
    let database = rusqlite::Connection::open(database(folder.path())).unwrap();
    database.pragma_update(None, "user_version", 9_999).unwrap();
    database.close().unwrap();
    let line = refused(serving(folder.path()), folder.path()).await;
    assert!(line.contains("later version"), "{line}");
}

#[actix_web::test]
async fn a_torn_end_of_the_write_ahead_log_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::serve_in(folder.path(), &[]).await;
    let kp = Harness::attached(running.info()).await;
    let key = kp.create_root_key("kept").await;
    running.kill().await;
    let log = folder.path().join("data/state.db-wal");
    let mut bytes = std::fs::read(&log).unwrap();
    assert!(!bytes.is_empty(), "a kill leaves the log");
    bytes.extend([0xa5; 700]);
    std::fs::write(&log, bytes).unwrap();
    let running = Running::serve_in(folder.path(), &[]).await;
    Harness::attached(running.info()).await.wrap(&key, "aGVsbG8=").await;
}

#[actix_web::test]
async fn a_master_key_that_others_can_read_is_refused() {
    let (folder, ..) = used_folder().await;
    let path = folder.path().join("data/master.key");
    for mode in [0o640, 0o604, 0o666] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let line = refused(serving(folder.path()), folder.path()).await;
        assert!(line.contains("master.key") && line.contains("chmod 600"), "{line}");
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    Running::serve_in(folder.path(), &[]).await;
}

#[actix_web::test]
async fn a_missing_wrong_or_damaged_master_key_is_refused() {
    let (folder, key, ciphertext) = used_folder().await;
    let path = folder.path().join("data/master.key");
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let line = refused(serving(folder.path()), folder.path()).await;
    assert!(line.contains("master.key"), "{line}");
    for text in [OTHER_MASTER_KEY, "", "not base64", "c2hvcnQ="] {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let line = refused(serving(folder.path()), folder.path()).await;
        assert!(line.contains("master.key"), "{text}: {line}");
    }
    std::fs::write(&path, &whole).unwrap();
    let mut wrong = serving(folder.path());
    wrong.env("MKP_MASTER_KEY", OTHER_MASTER_KEY);
    let line = refused(wrong, folder.path()).await;
    assert!(line.contains("MKP_MASTER_KEY"), "{line}");
    let mut right = serving(folder.path());
    right.env("MKP_MASTER_KEY", whole.trim());
    let running = Running::start(right, folder.path()).await;
    let kp = Harness::attached(running.info()).await;
    assert_eq!(kp.unwrap(&key, &ciphertext).await.succeeds(200)["plaintext"], "aGVsbG8=");
}

#[actix_web::test]
async fn a_master_key_of_the_environment_is_not_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let serving_with = |key: &str| {
        let mut command = serving(folder.path());
        command.env("MKP_MASTER_KEY", key);
        command
    };
    for text in ["not base64", "c2hvcnQ=", &MASTER_KEY[..40]] {
        let line = refused(serving_with(text), folder.path()).await;
        assert!(line.contains("MKP_MASTER_KEY") && !line.contains(text), "{line}");
        assert!(!database(folder.path()).exists());
    }
    let mut running = Running::start(serving_with(MASTER_KEY), folder.path()).await;
    let kp = Harness::attached(running.info()).await;
    let key = kp.create_root_key("kept").await;
    running.stop().await;
    assert!(!folder.path().join("data/master.key").exists());
    refused(serving(folder.path()), folder.path()).await;
    refused(serving_with(OTHER_MASTER_KEY), folder.path()).await;
    let running = Running::start(serving_with(MASTER_KEY), folder.path()).await;
    Harness::attached(running.info()).await.wrap(&key, "aGVsbG8=").await;
}

#[actix_web::test]
async fn a_swapped_secret_is_an_error_and_never_another_keys_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::serve_in(folder.path(), &[]).await;
    let kp = Harness::attached(running.info()).await;
    let one = kp.create_root_key("one").await;
    let other = kp.create_root_key("other").await;
    let ciphertext = kp.wrap(&one, "aGVsbG8=").await;
    running.stop().await;
    let database = rusqlite::Connection::open(database(folder.path())).unwrap();
    let sealed = |key: &str| -> Vec<u8> {
        let sql = "SELECT sealed FROM key_versions WHERE key_id = ?1";
        database.query_row(sql, [key], |row| row.get(0)).expect("a sealed version")
    };
    let theirs = sealed(&other);
    let sql = "UPDATE key_versions SET sealed = ?1 WHERE key_id = ?2";
    assert_eq!(database.execute(sql, rusqlite::params![theirs, one]).unwrap(), 1);
    database.close().unwrap();
    let running = Running::serve_in(folder.path(), &[]).await;
    let kp = Harness::attached(running.info()).await;
    let reply = kp.unwrap(&one, &ciphertext).await;
    assert_eq!(reply.status, 500, "{}", reply.json());
    let reply = kp.action(&one, "wrap").json(&json!({ "plaintext": "aGVsbG8=" })).send().await;
    assert_eq!(reply.status, 500, "{}", reply.json());
    kp.wrap(&other, "aGVsbG8=").await;
}
