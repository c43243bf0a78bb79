//! Plants recognizable secrets and searches all that the program writes. Source: `docs/contract/reliability.md` T-32, T-33.

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::harness::dice::stopwatch;
use crate::harness::files;
use crate::harness::keys::creation;
use crate::harness::program::{Launch, Program};
use crate::harness::raw::Caller;

/// Shows that the search finds what is there: the name of each key.
const CONTROL: &str = "CONTROL-found-in-names";
/// As long as an AES-256 key each.
const ROOT: &[u8] = b"CANARY-root-material-0123456789!";
const ROTATED: &[u8] = b"CANARY-rotated-material-987654!!";
const STANDARD_KEY: &[u8] = b"CANARY-standard-material-with-some-length";
const PLAINTEXT: &[u8] = b"CANARY-plaintext-of-the-caller";
const API_KEY: &str = "CANARY-api-key-0123456789";
const ADMIN_TOKEN: &str = "CANARY-admin-token-0123456789";
const MASTER_KEY: &[u8] = b"CANARY-master-key-0123456789abcd";
/// Sent where it does not belong, so that an error might quote it.
const MISPLACED: &str = "CANARY-misplaced-0123456789";
/// In the query of a path, of which logs show none.
const QUERY: &str = "CANARY-query-0123456789";
/// Longest stay of a purged key's material while others go on reading and writing, real time (ASSUMED).
const GONE_WITHIN: Duration = Duration::from_secs(15);
/// Bytes at the start of each form by which the search looks.
const PREFIX: usize = 6;

/// Secrets by name, in all the forms in which they might be written.
#[derive(Default)]
struct Canaries {
    forms: HashMap<[u8; PREFIX], Vec<(String, Vec<u8>)>>,
}

impl Canaries {
    fn plant(&mut self, name: &str, secret: &[u8]) {
        let list = |separator: &str| secret.iter().map(u8::to_string).collect::<Vec<_>>().join(separator);
        let each = |form: fn(u8) -> String| secret.iter().map(|byte| form(*byte)).collect::<String>();
        let mut forms: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
        forms.insert("raw", secret.to_vec());
        forms.insert("hex", hex::encode(secret).into_bytes());
        forms.insert("HEX", hex::encode_upper(secret).into_bytes());
        forms.insert("decimals", list(",").into_bytes());
        forms.insert("decimals with blanks", list(", ").into_bytes());
        forms.insert("JSON escapes", each(|byte| format!("\\u{byte:04x}")).into_bytes());
        forms.insert("Rust escapes", each(|byte| format!("\\x{byte:02x}")).into_bytes());
        forms.insert("printable with escapes", secret.escape_ascii().to_string().into_bytes());
        for (name, shift) in [("base64", 0), ("base64 from 1", 1), ("base64 from 2", 2)] {
            forms.insert(name, base64_inside(&STANDARD, secret, shift));
        }
        for (name, shift) in [("base64url", 0), ("base64url from 1", 1), ("base64url from 2", 2)] {
            forms.insert(name, base64_inside(&URL_SAFE, secret, shift));
        }
        for (form, bytes) in forms {
            let prefix = bytes.first_chunk().copied().expect("a secret of some length");
            self.forms.entry(prefix).or_default().push((format!("{name} as {form}"), bytes));
        }
    }

    /// What is found in bytes.
    fn found_in(&self, bytes: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        for (place, window) in bytes.windows(PREFIX).enumerate() {
            let candidates = window.first_chunk().and_then(|prefix| self.forms.get(prefix));
            for (name, form) in candidates.into_iter().flatten() {
                if bytes[place..].starts_with(form) {
                    found.push(name.clone());
                }
            }
        }
        found
    }

    #[track_caller]
    fn are_not_in(&self, what: &str, bytes: &[u8]) {
        let found = self.found_in(bytes);
        assert!(found.is_empty(), "{what} shows {found:?}");
    }

    /// Searches the files of a folder, of which there must be some.
    #[track_caller]
    fn are_not_in_files(&self, when: &str, folder: &Path) {
        let files = files(folder);
        assert!(!files.is_empty(), "{when}: no files");
        for (name, bytes) in &files {
            self.are_not_in(&format!("{when}: {name}"), bytes);
        }
        assert!(files.iter().any(|(_, bytes)| contains(bytes, CONTROL)), "{when}: the search finds nothing at all");
    }
}

/// The part of a base64 text that bytes decide alone, whatever stands before and after them.
fn base64_inside(engine: &impl Engine, secret: &[u8], shift: usize) -> Vec<u8> {
    let shifted = [&vec![0; shift][..], secret].concat();
    let text = engine.encode(shifted).into_bytes();
    let first = if shift == 0 { 0 } else { 4 };
    let last = (shift + secret.len()) / 3 * 4;
    text[first..last].to_vec()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = files::below(folder).into_iter();
    files.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap_or_default())).collect()
}

fn launch(data: &Path) -> Launch {
    let options = ["--log", "trace", "--clock", "frozen"];
    let launch = Launch::on(data).with(&options).variable("MKP_ADMIN_TOKEN", ADMIN_TOKEN);
    launch.variable("MKP_MASTER_KEY", &STANDARD.encode(MASTER_KEY))
}

/// The canaries that are known before anything has run.
fn canaries() -> Canaries {
    let mut canaries = Canaries::default();
    canaries.plant("root material", ROOT);
    canaries.plant("rotated material", ROTATED);
    canaries.plant("standard material", STANDARD_KEY);
    canaries.plant("plaintext", PLAINTEXT);
    canaries.plant("API key", API_KEY.as_bytes());
    canaries.plant("admin token", ADMIN_TOKEN.as_bytes());
    canaries.plant("master key", MASTER_KEY);
    canaries.plant("misplaced secret", MISPLACED.as_bytes());
    canaries
}

/// The keys that were made.
struct Planted {
    root: String,
    standard: String,
    caller: Caller,
}

/// Does all that passes secrets through the program; what only then is secret is planted, too.
fn use_secrets(program: &Program, canaries: &mut Canaries) -> Planted {
    let owner = program.info["apiKey"].as_str().unwrap();
    canaries.plant("owner's API key", owner.as_bytes());
    let mut caller = program.caller(API_KEY);
    let token = caller.fields.split_once("Bearer ").unwrap().1.split_once("\r\n").unwrap().0.to_owned();
    canaries.plant("token", token.as_bytes());
    canaries.plant("token's signature", token.rsplit('.').next().unwrap().as_bytes());
    let root = create(&mut caller, &json!({ "extractable": false, "payload": STANDARD.encode(ROOT) }));
    let standard = create(&mut caller, &json!({ "extractable": true, "payload": STANDARD.encode(STANDARD_KEY) }));
    let action = |action: &str| format!("/api/v2/keys/{root}/actions/{action}");
    let body = json!({ "plaintext": STANDARD.encode(PLAINTEXT) }).to_string();
    let wrapped = caller.succeeds(200, "POST", &action("wrap"), &body);
    caller.succeeds(204, "POST", &action("rotate"), &json!({ "payload": STANDARD.encode(ROTATED) }).to_string());
    let body = json!({ "ciphertext": wrapped["ciphertext"] }).to_string();
    let opened = caller.succeeds(200, "POST", &action("unwrap"), &body);
    assert_eq!(opened["plaintext"], STANDARD.encode(PLAINTEXT));
    caller.succeeds(200, "POST", &action("rewrap"), &body);
    let made = caller.succeeds(200, "POST", &action("wrap"), "{}");
    canaries.plant("data key", &STANDARD.decode(made["plaintext"].as_str().unwrap()).unwrap());
    let generated = create(&mut caller, &json!({ "extractable": true }));
    let read = caller.succeeds(200, "GET", &format!("/api/v2/keys/{generated}"), "");
    let material = STANDARD.decode(read["resources"][0]["payload"].as_str().unwrap()).unwrap();
    canaries.plant("generated material", &material);
    caller.succeeds(200, "GET", &format!("/api/v2/keys/{standard}"), "");
    Planted { root, standard, caller }
}

fn create(caller: &mut Caller, resource: &Value) -> String {
    let mut resource = resource.clone();
    resource["name"] = json!(CONTROL);
    let created = caller.succeeds(201, "POST", "/api/v2/keys", &creation(&resource).to_string());
    created["resources"][0]["id"].as_str().unwrap().to_owned()
}

/// Mistakes that put secrets where they do not belong; no refusal may quote them.
fn make_mistakes(program: &Program, planted: &mut Planted, canaries: &Canaries) {
    let root = &planted.root;
    let nowhere = "00000000-0000-4000-8000-000000000000";
    let cases = [
        ("POST", format!("/api/v2/keys/{root}/actions/wrap"), json!({ "plaintext": [MISPLACED] }).to_string()),
        ("POST", format!("/api/v2/keys/{root}/actions/wrap"), json!({ "plaintext": MISPLACED }).to_string()),
        ("POST", format!("/api/v2/keys/{root}/actions/wrap"), format!("{{\"plaintext\":\"{MISPLACED}")),
        ("POST", format!("/api/v2/keys/{nowhere}/actions/wrap"), json!({ "plaintext": MISPLACED }).to_string()),
        ("POST", format!("/api/v2/keys/{root}/actions/unwrap"), json!({ "ciphertext": MISPLACED }).to_string()),
        ("POST", format!("/api/v2/keys/{root}/actions/unwrap"), json!({ "aad": MISPLACED }).to_string()),
        ("POST", format!("/api/v2/keys/{root}/actions/rotate"), json!({ "payload": { MISPLACED: 1 } }).to_string()),
        ("POST", "/api/v2/keys".to_owned(), creation(&json!({ "name": "nn", "payload": MISPLACED })).to_string()),
        ("POST", "/api/v2/keys".to_owned(), creation(&json!({ "name": [MISPLACED] })).to_string()),
        ("POST", "/api/v2/keys".to_owned(), json!({ "metadata": MISPLACED }).to_string()),
        ("POST", "/identity/token".to_owned(), format!("grant_type={MISPLACED}&apikey={MISPLACED}")),
        ("POST", "/identity/token".to_owned(), format!("grant_type=refresh_token&refresh_token={MISPLACED}")),
        ("POST", "/v2/resource_instances".to_owned(), json!({ "name": [MISPLACED] }).to_string()),
        ("POST", "/mock/clock/advance".to_owned(), json!({ "by": MISPLACED }).to_string()),
    ];
    for (method, path, body) in cases {
        let answer = planted.caller.call(method, &path, &body).unwrap();
        assert!((400..500).contains(&answer.status), "{path} {body}: {}", answer.head);
        canaries.are_not_in(&format!("the refusal of {body}"), &answer.body);
    }
    for authorization in [format!("Bearer {MISPLACED}"), format!("Basic {MISPLACED}"), MISPLACED.to_owned()] {
        let instance = program.info["instanceId"].as_str().unwrap();
        let fields = format!("authorization: {authorization}\r\nbluemix-instance: {instance}\r\n");
        for path in ["/api/v2/keys", "/v2/resource_instances", "/mock/clock"] {
            let answer = Caller::new(&program.url, &fields).call("GET", path, "").unwrap();
            canaries.are_not_in("a refusal of a token", &answer.body);
        }
    }
    planted.caller.succeeds(200, "GET", &format!("/api/v2/keys?search={QUERY}"), "");
}

#[test]
fn secrets_are_found_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut canaries = canaries();
    let program = launch(&data).start();
    let mut planted = use_secrets(&program, &mut canaries);
    make_mistakes(&program, &mut planted, &canaries);
    let mut admin = Caller::new(&program.url, &format!("authorization: Bearer {ADMIN_TOKEN}\r\n"));
    let audit = admin.call("GET", "/mock/audit-events?limit=5000", "").unwrap();
    assert!(contains(&audit.body, CONTROL));
    canaries.are_not_in("the audit log", &audit.body);
    canaries.are_not_in_files("while it runs", &data);
    let process = format!("/proc/{}", program.pid().as_raw_nonzero());
    canaries.are_not_in("the command line", &std::fs::read(format!("{process}/cmdline")).unwrap_or_default());
    said_nothing("killed", &canaries, &program.kill());
    canaries.are_not_in_files("after a kill", &data);
    let program = launch(&data).start();
    planted.caller = program.caller(API_KEY);
    planted.caller.succeeds(200, "GET", &format!("/api/v2/keys/{}", planted.standard), "");
    said_nothing("stopped", &canaries, &program.stop());
    canaries.are_not_in_files("after a stop", &data);
}

fn said_nothing(how: &str, canaries: &Canaries, ended: &crate::harness::program::Ended) {
    for (stream, bytes) in [("stdout", &ended.stdout), ("stderr", &ended.stderr)] {
        canaries.are_not_in(&format!("{stream} of the {how} program"), bytes);
        assert!(!contains(bytes, QUERY), "{stream} shows a query");
    }
    assert!(contains(&ended.stderr, "/api/v2/keys"), "from trace on requests are logged");
}

#[test]
fn the_search_finds_each_form() {
    let canaries = canaries();
    for secret in [ROOT, STANDARD_KEY, MASTER_KEY] {
        for shift in 0..3 {
            let padded = [&vec![b'x'; shift][..], secret, b"yz"].concat();
            for text in [STANDARD.encode(&padded), URL_SAFE.encode(&padded), hex::encode(&padded)] {
                assert!(!canaries.found_in(text.as_bytes()).is_empty(), "{text}");
            }
            assert!(!canaries.found_in(format!("{padded:?}").as_bytes()).is_empty(), "a list of decimals");
        }
    }
}

#[test]
fn a_purged_key_leaves_no_material() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let program = launch(&data).start();
    let mut caller = program.caller(API_KEY);
    let root = create(&mut caller, &json!({ "extractable": false, "payload": STANDARD.encode(ROOT) }));
    let body = json!({ "payload": STANDARD.encode(ROTATED) }).to_string();
    caller.succeeds(204, "POST", &format!("/api/v2/keys/{root}/actions/rotate"), &body);
    let other = create(&mut caller, &json!({ "extractable": false }));
    let (sealed, kept) = (sealed(&data, &root), sealed(&data, &other));
    assert_eq!((sealed.len(), kept.len()), (2, 1));
    let present = |blobs: &[Vec<u8>]| {
        let files = files(&data);
        blobs.iter().filter(|blob| files.iter().any(|(_, bytes)| has(bytes, blob))).count()
    };
    assert_eq!((present(&sealed), present(&kept)), (2, 1), "the search finds sealed material");
    caller.succeeds(204, "DELETE", &format!("/api/v2/keys/{root}"), "");
    let mut admin = Caller::new(&program.url, &format!("authorization: Bearer {ADMIN_TOKEN}\r\n"));
    admin.succeeds(200, "POST", "/mock/clock/advance", r#"{"by":"4h"}"#);
    caller.succeeds(204, "DELETE", &format!("/api/v2/keys/{root}/purge"), "");
    assert_eq!((present(&sealed), present(&kept)), (0, 1), "right after the purge");
    // By time alone, too.
    caller.succeeds(204, "DELETE", &format!("/api/v2/keys/{other}"), "");
    admin.succeeds(200, "POST", "/mock/clock/advance", r#"{"by":"91d"}"#);
    assert_eq!(present(&kept), 0, "after ninety days");
    program.kill();
    assert_eq!((present(&sealed), present(&kept)), (0, 0), "after a kill");
}

#[test]
fn a_purge_amid_reads_and_writes_leaves_no_material_for_long() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let program = launch(&data).start();
    let mut caller = program.caller(API_KEY);
    let keys: Vec<String> = (0..150).map(|_| create(&mut caller, &json!({ "extractable": false }))).collect();
    let doomed = &keys[..10];
    let blobs: Vec<Vec<u8>> = doomed.iter().flat_map(|key| sealed(&data, key)).collect();
    for key in doomed {
        caller.succeeds(204, "DELETE", &format!("/api/v2/keys/{key}"), "");
    }
    let mut admin = Caller::new(&program.url, &format!("authorization: Bearer {ADMIN_TOKEN}\r\n"));
    admin.succeeds(200, "POST", "/mock/clock/advance", r#"{"by":"4h"}"#);
    let over = AtomicBool::new(false);
    let (statuses, left) = std::thread::scope(|threads| {
        let _end = SetWhenDropped(&over);
        for n in 0..3 {
            let mut other = Caller::new(&program.url, &caller.fields);
            let over = &over;
            threads.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let body = creation(&json!({ "name": "other", "extractable": false })).to_string();
                    // Whatever goes wrong here, the others must not wait for ever.
                    drop(match n {
                        0 => other.call("POST", "/api/v2/keys", &body),
                        _ => other.call("GET", "/api/v2/keys?sort=-creationDate", ""),
                    });
                }
            });
        }
        let mut purge = |key: &String| caller.call("DELETE", &format!("/api/v2/keys/{key}/purge"), "");
        let statuses: Vec<_> = doomed.iter().map(|key| purge(key).map_or(0, |answer| answer.status)).collect();
        let since = stopwatch();
        let mut left = blobs.len();
        while left > 0 && since.elapsed() < GONE_WITHIN {
            let files = files(&data);
            left = blobs.iter().filter(|blob| files.iter().any(|(_, bytes)| has(bytes, blob))).count();
        }
        (statuses, left)
    });
    assert_eq!(statuses, vec![204; doomed.len()]);
    assert_eq!(left, 0, "keys whose material is left {GONE_WITHIN:?} after their purge");
}

/// Ends those who wait for it, also when a check fails.
struct SetWhenDropped<'a>(&'a AtomicBool);

impl Drop for SetWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    let prefix = &part[..PREFIX];
    bytes.windows(PREFIX).enumerate().any(|(place, window)| window == prefix && bytes[place..].starts_with(part))
}

/// The sealed material of a key's versions.
fn sealed(data: &Path, key: &str) -> Vec<Vec<u8>> {
    let database = Connection::open_with_flags(data.join("state.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut rows = database.prepare("SELECT sealed FROM key_versions WHERE key_id = ?1").unwrap();
    rows.query_map([key], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn files_are_private_and_the_core_stays_at_home() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let program = Launch::by_way_of(r#"umask 000; exec "$@""#, &data).start();
    let mut caller = program.caller("modes");
    create(&mut caller, &json!({ "extractable": false }));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&program.ready_file()), 0o600);
    let files = files::below(&data);
    assert!(files.len() >= 4, "{files:?}");
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", program.pid().as_raw_nonzero())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "{core}");
    program.stop();
    assert!(files::below(&data).iter().all(|file| mode(file) == 0o600), "after a stop");
    assert_eq!(mode(&data.join("objects")), 0o700);
}
