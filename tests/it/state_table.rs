//! What each operation does to a key in each state: the table of `docs/contract/keys.md` 5, over HTTP.

use serde_json::json;

use crate::harness::keys::id_of;
use crate::harness::{Call, Harness, Reply};

const NOON: &str = "2026-01-01T12:00:00Z";
const STATES: [&str; 5] = ["active", "suspended", "deactivated", "destroyed", "purged"];

/// An operation, and its answers for a root key that is active, suspended, deactivated, destroyed, purged.
type Row = (&'static str, [&'static str; 5]);

const ROOT_KEYS: [Row; 24] = [
    ("get", ["200", "200", "200", "200", "NF"]),
    ("get metadata", ["200", "200", "200", "200", "NF"]),
    ("versions", ["200", "INV", "INV", "INV", "NF"]),
    ("versions of all states", ["200", "200", "200", "200", "NF"]),
    ("registrations", ["200", "200", "200", "200", "NF"]),
    ("policies", ["200", "200", "200", "200", "NF"]),
    ("wrap", ["200", "INV", "INV", "GONE", "NF"]),
    ("unwrap", ["200", "INV", "200", "GONE", "NF"]),
    ("rewrap", ["200", "INV", "200", "GONE", "NF"]),
    ("rotate", ["204", "INV", "204", "GONE", "NF"]),
    ("disable", ["204", "INV", "INV", "GONE", "NF"]),
    ("enable", ["INV", "204", "INV", "GONE", "NF"]),
    ("setKeyForDeletion", ["204", "INV", "INV", "GONE", "NF"]),
    ("unsetKeyForDeletion", ["204", "INV", "INV", "GONE", "NF"]),
    ("sync", ["204", "204", "204", "204", "NF"]),
    ("patch", ["200", "200", "200", "GONE", "NF"]),
    ("add alias", ["201", "201", "201", "GONE", "NF"]),
    ("delete", ["204", "204", "204", "GONE", "NF"]),
    ("delete and show", ["200", "200", "200", "GONE", "NF"]),
    ("restore", ["INV", "INV", "INV", "201", "NF"]),
    ("purge", ["INV", "INV", "INV", "204", "NF"]),
    ("purge and show", ["INV", "INV", "INV", "200", "NF"]),
    ("wrap without a plaintext", ["200", "INV", "INV", "GONE", "NF"]),
    ("delete by force", ["204", "204", "204", "GONE", "NF"]),
];

/// The same for a standard key, which is never suspended.
const STANDARD_KEYS: [Row; 21] = [
    ("get", ["200", "", "200", "200", "NF"]),
    ("get metadata", ["200", "", "200", "200", "NF"]),
    ("versions", ["ROOT", "", "ROOT", "ROOT", "NF"]),
    ("versions of all states", ["ROOT", "", "ROOT", "ROOT", "NF"]),
    ("registrations", ["200", "", "200", "200", "NF"]),
    ("policies", ["200", "", "200", "200", "NF"]),
    ("wrap", ["ROOT", "", "ROOT", "ROOT", "NF"]),
    ("unwrap", ["ROOT", "", "ROOT", "ROOT", "NF"]),
    ("rewrap", ["ROOT", "", "ROOT", "ROOT", "NF"]),
    ("rotate", ["ROOT", "", "ROOT", "ROOT", "NF"]),
    ("disable", ["ROOT", "", "ROOT", "ROOT", "NF"]),
    ("enable", ["ROOT", "", "ROOT", "ROOT", "NF"]),
    ("setKeyForDeletion", ["204", "", "INV", "GONE", "NF"]),
    ("unsetKeyForDeletion", ["204", "", "INV", "GONE", "NF"]),
    ("sync", ["ROOT", "", "ROOT", "ROOT", "NF"]),
    ("patch", ["200", "", "200", "GONE", "NF"]),
    ("add alias", ["201", "", "201", "GONE", "NF"]),
    ("delete", ["204", "", "204", "GONE", "NF"]),
    ("delete and show", ["200", "", "200", "GONE", "NF"]),
    ("restore", ["INV", "", "INV", "201", "NF"]),
    ("purge", ["INV", "", "INV", "204", "NF"]),
];

/// What `errorMsg` says when a state does not fit.
const SUBJECTS: [(&str, &str); 15] = [
    ("versions", "KeyVersion(s) could not be retrieved"),
    ("wrap", "Wrap with key could not be performed"),
    ("unwrap", "Unwrap with key could not be performed"),
    ("rewrap", "Rewrap with key could not be performed"),
    ("rotate", "Key could not be rotated"),
    ("disable", "Key is not in active state: Key could not be disabled"),
    ("enable", "Key is not in suspended state: Key could not be enabled"),
    ("setKeyForDeletion", "Action could not be performed on key"),
    ("unsetKeyForDeletion", "Action could not be performed on key"),
    ("sync", "Could not initiate sync requests to associated resources"),
    ("patch", "Key could not be updated"),
    ("add alias", "Alias could not be created"),
    ("delete", "Key could not be deleted"),
    ("restore", "Key could not be restored"),
    ("purge", "Key could not be purged"),
];

const ACTIONS: [&str; 10] = [
    "wrap",
    "unwrap",
    "rewrap",
    "rotate",
    "disable",
    "enable",
    "setKeyForDeletion",
    "unsetKeyForDeletion",
    "sync",
    "wrap without a plaintext",
];

/// A key, and a ciphertext for what wants one.
struct Subject {
    id: String,
    ciphertext: String,
}

fn call<'h>(kp: &'h Harness, operation: &str, subject: &Subject) -> Call<'h> {
    let key = format!("/api/v2/keys/{}", subject.id);
    match operation {
        "get" => kp.get(&key),
        "get metadata" => kp.get(&format!("{key}/metadata")),
        "versions" => kp.get(&format!("{key}/versions")),
        "versions of all states" => kp.get(&format!("{key}/versions?allKeyStates=true")),
        "registrations" | "policies" => kp.get(&format!("{key}/{operation}")),
        "patch" => kp.patch(&key).json(&json!({ "keyRingID": "default" })),
        "add alias" => kp.post(&format!("{key}/aliases/alias-{}", &subject.id[..8])),
        "delete" => kp.delete(&key),
        "delete and show" => kp.delete(&key).header("prefer", "return=representation"),
        "delete by force" => kp.delete(&format!("{key}?force=true")),
        "restore" => kp.post(&format!("{key}/restore")),
        "purge" => kp.delete(&format!("{key}/purge")),
        "purge and show" => kp.delete(&format!("{key}/purge")).header("prefer", "return=representation"),
        action => {
            let word = action.split(' ').next().unwrap();
            with_body(kp.post(&format!("{key}/actions/{word}")), operation, subject)
        }
    }
}

/// The older form of an action; restore has one too, sync has none.
fn legacy_call<'h>(kp: &'h Harness, operation: &str, subject: &Subject) -> Option<Call<'h>> {
    let offered = operation == "restore" || (ACTIONS.contains(&operation) && operation != "sync");
    let word = operation.split(' ').next()?;
    let path = format!("/api/v2/keys/{}?action={word}", subject.id);
    offered.then(|| with_body(kp.post(&path), operation, subject))
}

fn with_body<'h>(call: Call<'h>, operation: &str, subject: &Subject) -> Call<'h> {
    match operation {
        "wrap" => call.json(&json!({ "plaintext": "aGVsbG8=" })),
        "unwrap" | "rewrap" => call.json(&json!({ "ciphertext": subject.ciphertext })),
        _ => call,
    }
}

#[track_caller]
fn answers(reply: &Reply, expected: &str, operation: &str, state: &str) {
    let cell = format!("{operation} of a key that is {state}: {}", String::from_utf8_lossy(&reply.body));
    let (status, code) = match expected {
        "INV" => (409, "KEY_ACTION_INVALID_STATE_ERR"),
        "GONE" => (410, "KEY_DELETED_ERR"),
        "NF" => (404, "KEY_NOT_FOUND_ERR"),
        "ROOT" => (400, "KEY_ROOT_REQ_ERR"),
        status => {
            assert_eq!(reply.status.to_string(), status, "{cell}");
            return;
        }
    };
    assert_eq!(reply.status, status, "{cell}");
    let reason = reply.refused(status, code);
    let message = match expected {
        "INV" => "Key is not in a valid state",
        "GONE" => "Key has already been deleted: Please delete references to this key",
        "NF" => "key does not exist",
        _ => "Requested action can only be completed with a root key",
    };
    assert_eq!(reason["message"], message, "{cell}");
    let phrase = match expected {
        "INV" => "Conflict",
        "GONE" => "Gone",
        "NF" => "Not Found",
        _ => "Bad Request",
    };
    let subject = SUBJECTS.iter().find(|(known, _)| operation.starts_with(known)).map(|(_, subject)| *subject);
    let subject = match expected {
        "NF" => "Key could not be retrieved",
        // Only a wrong state is told before the subject.
        "GONE" | "ROOT" => subject.map_or("", |subject| subject.rsplit(": ").next().unwrap()),
        _ => subject.unwrap_or_default(),
    };
    let wanted = format!("{phrase}: {subject}: Please see `reasons` for more details ({code})");
    assert_eq!(reply.error_msg(), wanted, "{cell}");
}

/// Makes keys, brings them into a state, and leaves the clock where no time rule is in the way.
async fn subjects(kp: &Harness, rows: &[Row], column: usize, root: bool) -> Vec<Subject> {
    let other = kp.token_for("the-other-person").await;
    let opener = kp.create_root_key("makes ciphertexts").await;
    let mut subjects = Vec::new();
    for (operation, _) in rows {
        let expiry = (STATES[column] == "deactivated").then_some("2026-01-01T13:00:00Z");
        let dual = operation.ends_with("KeyForDeletion");
        let mut resource = json!({ "name": "subject", "extractable": !root, "expirationDate": expiry });
        if dual {
            resource["dualAuthDelete"] = json!({ "enabled": true });
        }
        let id = id_of(&kp.try_create_with_policies(&resource).await.succeeds(201));
        let ciphertext = kp.wrap(if root { &id } else { &opener }, "aGVsbG8=").await;
        match STATES[column] {
            "suspended" => drop(kp.disable(&id).await.succeeds(204)),
            "destroyed" | "purged" if dual => {
                kp.action(&id, "setKeyForDeletion").bearer(&other).send().await.succeeds(204);
                kp.delete_key(&id).await.succeeds(204);
            }
            "destroyed" | "purged" => drop(kp.delete_key(&id).await.succeeds(204)),
            _ => {}
        }
        subjects.push(Subject { id, ciphertext });
    }
    kp.advance(if STATES[column] == "purged" { "90d" } else { "4h" }).await;
    subjects
}

async fn column_holds(rows: &[Row], column: usize, root: bool) {
    let kp = Harness::frozen_at(NOON).await;
    let state = STATES[column];
    let now_forms = subjects(&kp, rows, column, root).await;
    for ((operation, cells), subject) in rows.iter().zip(&now_forms) {
        let reply = call(&kp, operation, subject).send().await;
        answers(&reply, cells[column], operation, state);
    }
    let kp = Harness::frozen_at(NOON).await;
    let old_forms = subjects(&kp, rows, column, root).await;
    for ((operation, cells), subject) in rows.iter().zip(&old_forms) {
        if let Some(call) = legacy_call(&kp, operation, subject) {
            let reply = call.send().await;
            answers(&reply, cells[column], operation, state);
        }
    }
}

#[actix_web::test]
async fn an_active_root_key_answers_as_the_table_says() {
    column_holds(&ROOT_KEYS, 0, true).await;
}

#[actix_web::test]
async fn a_suspended_root_key_answers_as_the_table_says() {
    column_holds(&ROOT_KEYS, 1, true).await;
}

#[actix_web::test]
async fn a_deactivated_root_key_answers_as_the_table_says() {
    column_holds(&ROOT_KEYS, 2, true).await;
}

#[actix_web::test]
async fn a_destroyed_root_key_answers_as_the_table_says() {
    column_holds(&ROOT_KEYS, 3, true).await;
}

#[actix_web::test]
async fn a_purged_root_key_answers_as_the_table_says() {
    column_holds(&ROOT_KEYS, 4, true).await;
}

#[actix_web::test]
async fn an_active_standard_key_answers_as_the_table_says() {
    column_holds(&STANDARD_KEYS, 0, false).await;
}

#[actix_web::test]
async fn a_deactivated_standard_key_answers_as_the_table_says() {
    column_holds(&STANDARD_KEYS, 2, false).await;
}

#[actix_web::test]
async fn a_destroyed_standard_key_answers_as_the_table_says() {
    column_holds(&STANDARD_KEYS, 3, false).await;
}

#[actix_web::test]
async fn a_purged_standard_key_answers_as_the_table_says() {
    column_holds(&STANDARD_KEYS, 4, false).await;
}

/// The state that a key's representation tells.
async fn state_of(kp: &Harness, key: &str) -> i64 {
    kp.metadata(key).await["state"].as_i64().unwrap()
}

#[actix_web::test]
async fn each_state_has_its_number_and_only_destroyed_keys_are_not_listed() {
    let kp = Harness::frozen_at(NOON).await;
    let active = kp.create_root_key("active").await;
    let suspended = kp.create_root_key("suspended").await;
    kp.disable(&suspended).await.succeeds(204);
    let soon = json!({ "name": "deactivated", "extractable": false, "expirationDate": "2026-01-01T13:00:00Z" });
    let deactivated = kp.create(&soon).await;
    let destroyed = kp.create_root_key("destroyed").await;
    kp.delete_key(&destroyed).await.succeeds(204);
    kp.advance("1h").await;
    for (key, number) in [(&active, 1), (&suspended, 2), (&deactivated, 3), (&destroyed, 5)] {
        assert_eq!(state_of(&kp, key).await, number);
    }
    let mut listed = kp.names("").await;
    listed.sort();
    assert_eq!(listed, ["active", "deactivated", "suspended"]);
}

#[actix_web::test]
async fn an_expiration_date_deactivates_active_and_suspended_keys_at_its_instant() {
    let kp = Harness::frozen_at(NOON).await;
    let resource = json!({ "name": "short-lived", "extractable": false, "expirationDate": "2026-01-01T12:10:00Z" });
    let active = kp.create(&resource).await;
    let suspended = kp.create(&resource).await;
    kp.disable(&suspended).await.succeeds(204);
    kp.advance("9m59s").await;
    assert_eq!((state_of(&kp, &active).await, state_of(&kp, &suspended).await), (1, 2));
    let ran = kp.advance("1s").await;
    assert_eq!(ran["ran"], json!([{ "at": "2026-01-01T12:10:00Z", "what": "expiry", "count": 2 }]));
    assert_eq!((state_of(&kp, &active).await, state_of(&kp, &suspended).await), (3, 3));
}

#[actix_web::test]
async fn a_key_that_was_suspended_is_active_once_restored() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.disable(&key).await.succeeds(204);
    kp.delete_key(&key).await.succeeds(204);
    kp.advance("30s").await;
    assert_eq!(kp.restore(&key).await.resource(201)["state"], 1);
    assert_eq!(state_of(&kp, &key).await, 1);
}

#[actix_web::test]
async fn rotating_a_deactivated_key_neither_moves_its_date_nor_wakes_it_up() {
    let kp = Harness::frozen_at(NOON).await;
    let resource = json!({ "name": "short-lived", "extractable": false, "expirationDate": "2026-01-01T12:10:00Z" });
    let key = kp.create(&resource).await;
    kp.advance("10m").await;
    kp.rotate(&key).await.succeeds(204);
    let seen = kp.metadata(&key).await;
    assert_eq!((&seen["state"], &seen["expirationDate"]), (&json!(3), &json!("2026-01-01T12:10:00Z")));
}
