//! How records are weighed. Source: docs, at-events; `docs/contract/events.md` 5.2.

use super::*;

const CRITICAL: [&str; 2] = ["secrets.delete", "registrations.delete"];
const WARNING: [&str; 8] = [
    "secrets.rotate",
    "secrets.restore",
    "secrets.enable",
    "secrets.disable",
    "secrets.setkeyfordeletion",
    "secrets.unsetkeyfordeletion",
    "policies.write",
    "instance-policies.write",
];
const NORMAL: [&str; 22] = [
    "secrets.create",
    "secrets-with-policy-overrides.create",
    "secrets.list",
    "secrets.head",
    "secrets.read",
    "secrets-metadata.read",
    "secrets-key-versions.list",
    "secrets.wrap",
    "secrets.unwrap",
    "secrets.rewrap",
    "secrets.patch",
    "secrets.purge",
    "secrets.expire",
    "secrets.default",
    "secrets-alias.create",
    "secrets-alias.delete",
    "secrets-event.ack",
    "secrets.ack-rotate",
    "key-rings.create",
    "import-token.create",
    "registrations.create",
    "kmip-management.delete",
];

fn record(action: &str, status: u16) -> Record {
    Record {
        at: 0,
        action: format!("kms.{action}"),
        verb: String::new(),
        status,
        failure: String::new(),
        correlation: String::new(),
        initiator: Initiator::unknown(None),
        instance_crn: String::new(),
        instance_id: String::new(),
        uri: String::new(),
        target: Target::default(),
        details: Vec::new(),
    }
}

#[test]
fn each_action_has_its_weight_unless_the_status_of_a_failure_has_one() {
    let actions = [(&CRITICAL[..], "critical"), (&WARNING[..], "warning"), (&NORMAL[..], "normal")];
    let statuses = [
        (&[200, 201, 204, 404, 405, 410, 412, 413, 422, 429, 500, 501][..], None),
        (&[401, 403, 503, 507][..], Some("critical")),
        (&[400, 408, 409, 424, 502, 504, 505][..], Some("warning")),
    ];
    for (actions, weight) in actions {
        for action in actions {
            for (statuses, outranks) in statuses {
                for status in statuses {
                    let expected = outranks.unwrap_or(weight);
                    assert_eq!(record(action, *status).severity(), expected, "{action} {status}");
                }
            }
        }
    }
}

#[test]
fn each_family_has_its_type() {
    for (action, expected) in [
        ("secrets.create", "kms/secrets"),
        ("secrets-metadata.read", "kms/secrets"),
        ("secrets-key-versions.list", "kms/secrets"),
        ("secrets-with-policy-overrides.create", "kms/secrets"),
        ("secrets-alias.create", "kms/secrets-alias"),
        ("policies.write", "kms/policies"),
        ("registrations.list", "kms/registrations"),
        ("import-token.read", "kms/import-token"),
        ("key-rings.list", "kms/key-rings"),
    ] {
        assert_eq!(record(action, 200).target_type(), expected);
    }
}
