//! The house holds its order: doors open one way, files stay small, nothing of the workshop is left lying about.

use std::path::{Path, PathBuf};

/// Rooms and the rooms that each may name besides itself.
const DOORS: [(&str, &[&str]); 12] = [
    ("domain", &[]),
    ("crypto", &["domain"]),
    ("store", &["domain"]),
    ("app", &["domain", "crypto", "store", "clock"]),
    ("http", &["app", "domain", "clock", "config"]),
    ("delivery", &["app", "domain", "clock", "config"]),
    ("scheduler", &["app", "domain", "clock", "config"]),
    ("cos", &["app", "clock", "config", "crypto", "domain", "store"]),
    ("cli", &["config"]),
    ("config", &["domain"]),
    ("clock", &["domain"]),
    ("service", &["app", "clock", "config", "cos", "crypto", "delivery", "domain", "http", "scheduler", "store"]),
];

/// Exceptions by decision: a room, and what it may name though the door is shut.
/// `docs/decisions/0006-encodings-at-the-edge.md` gives the reason.
/// What all ports have in common stands in `http`.
const DECIDED: [(&str, &str); 13] = [
    ("http", "crate::crypto::base64"),
    ("http", "crate::crypto::compare"),
    ("http", "crate::crypto::envelope"),
    ("http", "crate::cos::app::CosApp"),
    ("http", "crate::cos::app::error"),
    ("http", "crate::cos::app::inspect"),
    ("http", "crate::cos::domain::key_info"),
    ("cos", "crate::http::auth"),
    ("cos", "crate::http::guard"),
    ("cos", "crate::http::holding"),
    ("cos", "crate::http::panics"),
    ("cos", "crate::http::server"),
    ("cos", "crate::http::watchdog"),
];

/// What the gateway may name of rooms that also hold keys: those it reaches through its trait `KeyProtect` alone.
/// `docs/decisions/0007-the-gateway-and-keys.md` gives the reason.
const GATEWAY_DOORS: [&str; 20] = [
    "crate::app::App",
    "crate::app::builtin",
    "crate::app::error",
    "crate::app::metrics",
    "crate::app::resource_keys",
    "crate::app::subscribers",
    "crate::app::time",
    "crate::domain::access",
    "crate::domain::audit",
    "crate::domain::caller",
    "crate::domain::crn",
    "crate::domain::id",
    "crate::domain::instance",
    "crate::domain::time",
    "crate::store::Error",
    "crate::store::row",
    "crate::store::secrets::SealedRow",
    "crate::store::tx",
    "crate::clock",
    "crate::config",
];

/// The gateway's own rooms: doors open one way there too.
const GATEWAY_ROOMS: [(&str, &[&str]); 4] = [
    ("domain", &[]),
    ("store", &["domain"]),
    ("app", &["domain", "store", "key_protect"]),
    ("http", &["domain", "app"]),
];

/// Crates and the rooms that alone may name them; `main` starts the runtime, `service` wires it.
const CRATES: [(&str, &[&str]); 21] = [
    ("ring", &["crypto"]),
    ("aws_lc_rs", &["crypto"]),
    ("jsonwebtoken", &["crypto"]),
    ("x509_cert", &["crypto"]),
    ("md5", &["crypto"]),
    ("crc_fast", &["crypto"]),
    ("rcgen", &["crypto"]),
    ("rustls", &["delivery", "http", "service"]),
    ("actix_tls", &["http"]),
    ("quick_xml", &["cos"]),
    ("httpdate", &["cos", "delivery"]),
    ("rusqlite", &["store", "cos"]),
    ("actix_web", &["http", "cos", "service", "main"]),
    ("hyper", &["cli", "delivery", "cos"]),
    ("hyper_util", &["cli", "delivery", "cos"]),
    ("hyper_rustls", &["delivery"]),
    ("rustls_native_certs", &["delivery"]),
    ("tower_service", &["delivery"]),
    ("clap", &["config"]),
    ("prometheus_client", &["http"]),
    ("tokio_cron_scheduler", &["scheduler"]),
];

/// Crates that the domain may name. `zeroize` is for secrets, which live in types of their own.
const DOMAIN_CRATES: [&str; 10] =
    ["std", "core", "thiserror", "uuid", "chrono", "zeroize", "ipnet", "crate", "super", "self"];

/// Words of the workshop, cut in two so that this file is not found itself.
const WORKSHOP: [&str; 14] = [
    concat!("/wo", "rk/"),
    concat!("/tmp/", "wt"),
    concat!("/tmp/", "tgt"),
    concat!("/ro", "ot/"),
    concat!(".lib", "rary"),
    concat!("crates.io", "/api"),
    concat!("static.", "crates.io"),
    concat!("pypi", ".org"),
    concat!("registry.", "npmjs"),
    concat!("proxy.", "golang.org"),
    concat!("Cla", "ude"),
    concat!("Anthro", "pic"),
    concat!("language ", "model"),
    concat!("sub", "agent"),
];

const SOURCE_LINES_MAX: usize = 399;
const TEST_LINES_MAX: usize = 599;

struct File {
    /// Below the repository's top.
    path: String,
    text: String,
}

impl File {
    /// The first folder or file below `src`.
    fn room(&self) -> &str {
        let below = self.path.strip_prefix("src/").expect("a source file");
        below.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_str().expect("a name of text");
        let built = ["target", "node_modules", "__pycache__"].contains(&name);
        let hidden = name.starts_with('.') && ![".github", ".gitignore", ".dockerignore"].contains(&name);
        if built || hidden {
            continue;
        }
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
}

/// Text files of a folder below the top, or of the whole repository.
fn files(folder: &str) -> Vec<File> {
    let mut found = Vec::new();
    walk(&top().join(folder), &mut found);
    let read = |path: PathBuf| {
        let text = String::from_utf8(std::fs::read(&path).unwrap()).ok()?;
        Some(File { path: path.strip_prefix(top()).unwrap().to_str().unwrap().to_owned(), text })
    };
    found.into_iter().filter_map(read).collect()
}

fn rust(folder: &str) -> Vec<File> {
    files(folder)
        .into_iter()
        .filter(|file| Path::new(&file.path).extension().is_some_and(|kind| kind == "rs"))
        .collect()
}

/// Asserts that a search has found nothing.
#[track_caller]
fn none(found: &[String]) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// The paths that a line names from `crate::` on.
fn named(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("crate::").map(|(start, _)| {
        let path = &line[start..];
        let end = path.find(|letter: char| !(letter.is_alphanumeric() || "_:".contains(letter)));
        &path[..end.unwrap_or(path.len())]
    })
}

#[test]
fn doors_between_rooms_open_one_way() {
    let mut found = Vec::new();
    for file in rust("src").iter().filter(|file| !["main", "lib"].contains(&file.room())) {
        let room = file.room();
        let doors = DOORS.iter().find(|(name, _)| *name == room);
        let (_, open) = doors.unwrap_or_else(|| panic!("{}: no such room", file.path));
        for (number, line) in file.lines() {
            for path in named(line) {
                let other = path.split("::").nth(1).unwrap_or_default();
                let decided = DECIDED.iter().any(|(from, what)| *from == room && path.starts_with(what));
                if other != room && !open.contains(&other) && !decided {
                    found.push(format!("{}:{number}: {room} may not name {path}", file.path));
                }
            }
        }
    }
    none(&found);
}

#[test]
fn the_gateway_reaches_keys_through_its_trait_alone() {
    let held = ["crate::app::", "crate::domain::", "crate::store::"];
    let mut found = Vec::new();
    for file in rust("src/cos") {
        for (number, line) in file.lines() {
            for path in named(line).filter(|path| held.iter().any(|room| path.starts_with(room))) {
                // A list in braces is checked where its modules are named.
                let open = GATEWAY_DOORS.iter().any(|door| path.starts_with(door));
                if !open && !path.ends_with("::") {
                    found.push(format!("{}:{number}: cos may not name {path}", file.path));
                }
            }
        }
    }
    none(&found);
}

#[test]
fn doors_within_the_gateway_open_one_way() {
    let mut found = Vec::new();
    for (room, open) in GATEWAY_ROOMS {
        for file in rust(&format!("src/cos/{room}")) {
            for (number, line) in file.lines() {
                for path in named(line).filter_map(|path| path.strip_prefix("crate::cos::")) {
                    let other = path.split("::").next().unwrap_or_default();
                    if other != room && !open.contains(&other) {
                        found.push(format!("{}:{number}: {room} may not name {path}", file.path));
                    }
                }
            }
        }
    }
    none(&found);
}

/// True when the line names the crate in a path.
fn names_crate(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = &line[start + name.len()..];
        !before.is_some_and(|letter| letter.is_alphanumeric() || "_:.".contains(letter)) && after.starts_with("::")
    })
}

#[test]
fn each_library_stays_in_the_rooms_that_may_name_it() {
    let mut found = Vec::new();
    for file in rust("src") {
        for (number, line) in file.lines() {
            for (name, rooms) in CRATES {
                if names_crate(line, name) && !rooms.contains(&file.room()) {
                    found.push(format!("{}:{number}: only {rooms:?} may name {name}", file.path));
                }
            }
        }
    }
    none(&found);
}

#[test]
fn the_domain_knows_neither_formats_nor_waiting() {
    let mut found = Vec::new();
    for file in rust("src/domain").iter().chain(&rust("src/cos/domain")) {
        for (number, line) in file.lines() {
            let root = line.trim_start().strip_prefix("use ").and_then(|path| Some(path.split_once("::")?.0));
            let foreign = root.is_some_and(|root| !DOMAIN_CRATES.contains(&root));
            let test = root == Some("proptest");
            let waits = line.contains("async ") || line.contains(".await") || line.contains("serde");
            if (foreign && !test) || waits {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    none(&found);
}

#[test]
fn paths_are_written_so_that_a_search_finds_them() {
    let forbidden = [concat!("crate", "::{"), concat!("super", "::super"), concat!("use crate", "::*")];
    let mut found = Vec::new();
    for file in rust("src").iter().chain(&rust("tests")) {
        for (number, line) in file.lines() {
            found.extend(
                forbidden
                    .iter()
                    .filter(|text| line.contains(*text))
                    .map(|text| format!("{}:{number}: {text}", file.path)),
            );
        }
    }
    none(&found);
}

#[test]
fn only_service_is_named_by_main_and_no_room_names_service() {
    let mut found = Vec::new();
    for file in rust("src") {
        if !["main", "lib", "service"].contains(&file.room()) && file.text.contains(concat!("crate::", "service")) {
            found.push(file.path);
        }
    }
    none(&found);
}

#[test]
fn each_file_opens_with_what_it_is_for() {
    let all = rust("src").into_iter().chain(rust("tests")).chain(rust("benches"));
    let found: Vec<String> = all.filter(|file| !file.text.starts_with("//! ")).map(|file| file.path).collect();
    none(&found);
}

#[test]
fn files_end_before_they_are_too_long() {
    let mut found = Vec::new();
    for (folder, most) in [("src", SOURCE_LINES_MAX), ("tests", TEST_LINES_MAX), ("benches", TEST_LINES_MAX)] {
        for file in rust(folder) {
            let count = file.text.lines().count();
            if count > most {
                found.push(format!("{}: {count} lines, {most} at most", file.path));
            }
        }
    }
    let main = std::fs::read_to_string(top().join("src/main.rs")).unwrap();
    if main.lines().count() >= 60 {
        found.push("src/main.rs: 60 lines or more".to_owned());
    }
    none(&found);
}

#[test]
fn nothing_is_named_for_being_left_over() {
    let names = ["util", "utils", "helper", "helpers", "common", "misc", "shared"];
    let mut found = Vec::new();
    for file in files("src").iter().chain(&files("tests")) {
        let parts = file.path.split('/').map(|part| part.split('.').next().unwrap_or_default());
        found.extend(parts.filter(|part| names.contains(part)).map(|_| file.path.clone()));
    }
    none(&found);
}

#[test]
fn nothing_is_put_off() {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:"), concat!("HA", "CK:")];
    let ignored = [concat!("#[ign", "ore"), concat!("#[should_", "panic")];
    let mut found = Vec::new();
    for file in rust("src").iter().chain(&rust("tests")).chain(&rust("benches")) {
        for (number, line) in file.lines() {
            if marks.iter().chain(&ignored).any(|mark| line.contains(mark)) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    none(&found);
}

#[test]
fn nothing_of_the_workshop_is_left_in_the_repository() {
    let mut found = Vec::new();
    for file in files("") {
        for (number, line) in file.lines() {
            found.extend(
                WORKSHOP
                    .iter()
                    .filter(|word| line.contains(*word))
                    .map(|word| format!("{}:{number}: {word}", file.path)),
            );
        }
    }
    none(&found);
}

#[test]
fn tests_hand_in_no_sleeps() {
    let sleeps = [concat!("thread::", "sleep"), concat!("time::", "sleep"), concat!("sleep", "(")];
    let mut found = Vec::new();
    for file in rust("src").iter().chain(&rust("tests")) {
        for (number, line) in file.lines() {
            if sleeps.iter().any(|sleep| line.contains(sleep)) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    none(&found);
}

#[test]
fn all_sql_is_in_the_store() {
    let words = ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", "PRAGMA "];
    let mut found = Vec::new();
    for file in rust("src").iter().filter(|file| !["store", "cos"].contains(&file.room())) {
        for (number, line) in file.lines() {
            if words.iter().any(|word| line.contains(&format!("\"{word}"))) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    none(&found);
}

#[test]
fn reason_codes_are_written_in_one_place() {
    let mut found = Vec::new();
    let written = |file: &&File| {
        ["src/domain/reason/mod.rs", "src/domain/kmip/refusal.rs"].contains(&file.path.as_str())
            || file.path.ends_with("_tests.rs")
    };
    for file in rust("src").iter().filter(|file| !written(file) && file.room() != "cos") {
        for (number, line) in file.lines() {
            let code = line.split('"').skip(1).step_by(2).any(|text| {
                text.ends_with("_ERR") && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
            });
            if code {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    none(&found);
}
