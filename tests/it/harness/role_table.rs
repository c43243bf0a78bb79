//! Which role may do what: the table of `docs/contract/iam.md` 5, with a request for each row.

use serde_json::json;

use super::keys::creation;
use super::{Call, Harness};

/// Key Protect's service roles, one a column.
pub(crate) const ROLES: [&str; 6] = ["Reader", "ReaderPlus", "Writer", "Manager", "KeyPurge", "KmipAdapterManager"];

/// An operation, and `x` where the role of that column may do it.
pub(crate) const TABLE: [(&str, &str); 40] = [
    ("create", "..xx.."),
    ("create with overrides", "...x.."),
    ("get", ".xxx.."),
    ("get metadata", "xxxx.."),
    ("list", "xxxx.x"),
    ("count", "xxxx.x"),
    ("versions", "xxxx.."),
    ("wrap", "xxxx.."),
    ("unwrap", "xxxx.."),
    ("rewrap", "xxxx.."),
    ("rotate", "..xx.."),
    ("setKeyForDeletion", "..xx.."),
    ("unsetKeyForDeletion", "..xx.."),
    ("sync", "..xx.."),
    ("create alias", "..xx.."),
    ("delete alias", "..xx.."),
    ("create ring", "..xx.."),
    ("list rings", "xxxx.x"),
    ("delete ring", "...x.."),
    ("policies", "...x.."),
    ("create import token", "..xx.."),
    ("get import token", "..xx.."),
    ("registrations", "xxxx.."),
    ("all registrations", "xxxx.."),
    ("register", "xxxx.."),
    ("replace registration", "xxxx.."),
    ("update registration", "xxxx.."),
    ("delete registration", "xxxx.."),
    ("acknowledge event", "xxxx.."),
    ("instance policies", "...x.."),
    ("set instance policies", "...x.."),
    ("allowed IP port", "...x.."),
    ("KMIP adapters", "...x.x"),
    ("create KMIP adapter", "...x.x"),
    ("KMIP certificates", "...x.x"),
    ("patch", "...x.."),
    ("restore", "...x.."),
    ("purge", "....x."),
    ("disable and enable", "...x.."),
    ("delete", "...x.."),
];

/// The request of an operation.
pub(crate) fn call<'h>(kp: &'h Harness, operation: &str, key: &str, own: &str) -> Call<'h> {
    let path = format!("/api/v2/keys/{key}");
    let body = creation(&json!({ "name": "made", "extractable": false }));
    let registration = Harness::registration_path(key, own);
    match operation {
        "create" => kp.post("/api/v2/keys").json(&body),
        "create with overrides" => kp.post("/api/v2/keys_with_policy_overrides").json(&body),
        "get" => kp.get(&path),
        "get metadata" => kp.get(&format!("{path}/metadata")),
        "list" => kp.get("/api/v2/keys"),
        "count" => kp.head("/api/v2/keys"),
        "versions" | "policies" | "registrations" => kp.get(&format!("{path}/{operation}")),
        "all registrations" => kp.get("/api/v2/keys/registrations"),
        "create alias" => kp.post(&format!("{path}/aliases/a-{}", &key[..8])),
        "delete alias" => kp.delete(&format!("{path}/aliases/a-{}", &key[..8])),
        "create ring" => kp.post("/api/v2/key_rings/made"),
        "list rings" => kp.get("/api/v2/key_rings"),
        "delete ring" => kp.delete("/api/v2/key_rings/made"),
        "create import token" => kp.post("/api/v2/import_token"),
        "get import token" => kp.get("/api/v2/import_token"),
        "register" => kp.post(&registration),
        "replace registration" => kp.put(&registration),
        "update registration" => kp.patch(&registration),
        "delete registration" => kp.delete(&registration),
        "acknowledge event" => kp.post("/api/v2/event_ack"),
        "instance policies" => kp.get("/api/v2/instance/policies"),
        "set instance policies" => kp.put("/api/v2/instance/policies"),
        "allowed IP port" => kp.get("/api/v2/instance/allowed_ip_port"),
        "KMIP adapters" => kp.get("/api/v2/kmip_adapters"),
        "create KMIP adapter" => kp.post("/api/v2/kmip_adapters"),
        "KMIP certificates" => kp.get("/api/v2/kmip_adapters/none/certificates"),
        "patch" => kp.patch(&path).json(&json!({ "keyRingID": "default" })),
        "restore" => kp.post(&format!("{path}/restore")),
        "purge" => kp.delete(&format!("{path}/purge")),
        "disable and enable" => kp.action(key, "disable"),
        "delete" => kp.delete(&path),
        action => kp.action(key, action),
    }
}

/// True when the caller was let through, whatever came of it.
pub(crate) async fn may(kp: &Harness, operation: &str, key: &str, own: &str, token: &str) -> bool {
    let reply = call(kp, operation, key, own).bearer(token).send().await;
    match operation {
        // Lists are empty for who may see nothing.
        "list" => reply.succeeds(200)["metadata"]["collectionTotal"] != 0,
        "count" => {
            reply.succeeds(200);
            reply.header("key-total") != Some("0")
        }
        _ if reply.status == 401 => {
            reply.unauthorized();
            false
        }
        _ => {
            let status = reply.status;
            assert!(
                ![403, 404, 405, 500, 503].contains(&status)
                    || operation.contains("ring")
                    || operation == "KMIP certificates",
                "{}",
                reply.called
            );
            true
        }
    }
}
