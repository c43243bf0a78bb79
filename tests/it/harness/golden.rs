//! Whole replies in files: `UPDATE_GOLDEN=1` rewrites them.

use std::path::PathBuf;

use serde_json::Value;

/// Options of a service whose replies are the same in every run.
pub(crate) const STEADY: [&str; 4] = ["--deterministic", "7", "--clock", "frozen@2026-01-01T00:00:00Z"];

/// Asserts that a body is what `tests/it/golden/<name>.json` holds, member for member.
#[track_caller]
pub(crate) fn compare(name: &str, body: &Value) {
    let mut text = serde_json::to_string_pretty(body).expect("JSON");
    text.push('\n');
    compare_file(&format!("tests/it/golden/{name}.json"), &text);
}

/// Asserts that a file of the repository holds a text.
#[track_caller]
pub(crate) fn compare_file(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
    if wants_update() {
        std::fs::write(&path, text).expect("a golden file that can be written");
        return;
    }
    let kept = std::fs::read_to_string(&path);
    let kept = kept.unwrap_or_else(|_| panic!("no {}: UPDATE_GOLDEN=1 makes it", path.display()));
    assert_eq!(text, kept, "{name} has changed; UPDATE_GOLDEN=1 accepts it");
}

#[expect(clippy::disallowed_methods, reason = "the tests' own switch, not a setting of the service")]
fn wants_update() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}
