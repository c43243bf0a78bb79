//! The rules of time at their boundaries: `docs/contract/keys.md` 15.

use serde_json::json;

use crate::harness::Harness;

const NOON: &str = "2026-01-01T12:00:00Z";
/// The same second: instants of keys are whole seconds, wherever in a second a request comes.
const LATE_IN_THE_SECOND: &str = "2026-01-01T12:00:00.936Z";

#[actix_web::test]
async fn a_key_is_enabled_thirty_seconds_after_it_was_disabled_and_not_earlier() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.disable(&key).await.succeeds(204);
    for step in ["0s", "29s"] {
        kp.advance(step).await;
        let reply = kp.enable(&key).await;
        let reason = reply.refused(409, "REQ_TOO_EARLY_ERR");
        assert_eq!(reason["message"], "The key was updated recently: Please wait and try again");
        assert!(reply.error_msg().starts_with("Conflict: Key could not be enabled: "), "{}", reply.error_msg());
    }
    kp.advance("1s").await;
    kp.enable(&key).await.succeeds(204);
    kp.wrap(&key, "aGVsbG8=").await;
}

#[actix_web::test]
async fn any_change_of_a_suspended_key_starts_the_thirty_seconds_anew() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.disable(&key).await.succeeds(204);
    kp.advance("20s").await;
    kp.post(&format!("/api/v2/keys/{key}/aliases/spare")).send().await.succeeds(201);
    kp.advance("29s").await;
    kp.enable(&key).await.refused(409, "REQ_TOO_EARLY_ERR");
    kp.advance("1s").await;
    kp.enable(&key).await.succeeds(204);
}

#[actix_web::test]
async fn enabling_an_active_key_is_a_wrong_state_even_at_once() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.enable(&key).await.refused(409, "KEY_ACTION_INVALID_STATE_ERR");
}

#[actix_web::test]
async fn a_key_can_be_disabled_as_soon_as_it_is_enabled() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.disable(&key).await.succeeds(204);
    kp.advance("30s").await;
    kp.enable(&key).await.succeeds(204);
    kp.disable(&key).await.succeeds(204);
    kp.delete_key(&key).await.succeeds(204);
}

#[actix_web::test]
async fn a_key_is_rotated_at_once_and_then_once_an_hour() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.rotate(&key).await.succeeds(204);
    for step in ["0s", "59m59s"] {
        kp.advance(step).await;
        let reply = kp.rotate(&key).await;
        let reason = reply.refused(409, "KEY_ROTATION_NOT_PERMITTED");
        let message = "This root key has been rotated within the last hour: Only one 'rotate' action per hour is \
                       permitted";
        assert_eq!(reason["message"], message);
        assert!(reply.error_msg().starts_with("Conflict: Key could not be rotated: "), "{}", reply.error_msg());
    }
    kp.advance("1s").await;
    kp.rotate(&key).await.succeeds(204);
}

#[actix_web::test]
async fn a_rotation_by_policy_counts_for_the_hour() {
    let kp = Harness::frozen_at(NOON).await;
    let resource = json!({ "name": "invoices", "extractable": false, "rotation": { "interval_month": 1 } });
    let key = crate::harness::keys::id_of(&kp.try_create_with_policies(&resource).await.succeeds(201));
    kp.advance("30d").await;
    kp.rotate(&key).await.refused(409, "KEY_ROTATION_NOT_PERMITTED");
    kp.advance("1h").await;
    kp.rotate(&key).await.succeeds(204);
}

#[actix_web::test]
async fn a_fresh_key_syncs_at_once_and_then_an_hour_later() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.action(&key, "sync").send().await.succeeds(204);
    kp.advance("59m59s").await;
    let reply = kp.action(&key, "sync").send().await;
    let reason = reply.refused(409, "REQ_TOO_EARLY_ERR");
    let message = "The key was updated recently: Please wait and try again: Sync cannot be performed until at least \
                   2026-01-01T13:00:00Z";
    assert_eq!(reason["message"], message);
    let subject = "Conflict: Could not initiate sync requests to associated resources: ";
    assert!(reply.error_msg().starts_with(subject), "{}", reply.error_msg());
    kp.advance("1s").await;
    kp.action(&key, "sync").send().await.succeeds(204);
}

#[actix_web::test]
async fn each_lifecycle_event_holds_a_sync_back_for_an_hour() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    for event in ["rotate", "disable", "enable", "delete", "restore"] {
        let done = match event {
            "delete" => kp.delete_key(&key).await,
            "restore" => kp.restore(&key).await,
            action => kp.action(&key, action).send().await,
        };
        assert!(done.status < 300, "{event}: {}", done.status);
        kp.advance("59m59s").await;
        kp.action(&key, "sync").send().await.refused(409, "REQ_TOO_EARLY_ERR");
        kp.advance("1s").await;
        kp.action(&key, "sync").send().await.succeeds(204);
        kp.advance("1h").await;
    }
}

#[actix_web::test]
async fn what_is_no_lifecycle_event_does_not_hold_a_sync_back() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.wrap(&key, "aGVsbG8=").await;
    kp.post(&format!("/api/v2/keys/{key}/aliases/spare")).send().await.succeeds(201);
    kp.action(&key, "sync").send().await.succeeds(204);
}

#[actix_web::test]
async fn a_key_is_restored_thirty_seconds_after_its_deletion_and_not_earlier() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.delete_key(&key).await.succeeds(204);
    for step in ["0s", "29s"] {
        kp.advance(step).await;
        let reply = kp.restore(&key).await;
        reply.refused(409, "REQ_TOO_EARLY_ERR");
        assert!(reply.error_msg().starts_with("Conflict: Key could not be restored: "), "{}", reply.error_msg());
    }
    kp.advance("1s").await;
    kp.restore(&key).await.succeeds(201);
}

#[actix_web::test]
async fn a_key_can_be_restored_for_thirty_days_to_the_second() {
    for start in [NOON, LATE_IN_THE_SECOND] {
        let kp = Harness::frozen_at(start).await;
        let [last, late] = [kp.create_root_key("last").await, kp.create_root_key("late").await];
        kp.delete_key(&last).await.succeeds(204);
        kp.delete_key(&late).await.succeeds(204);
        kp.advance("30d").await;
        assert_eq!(kp.metadata(&late).await["restoreAllowed"], true);
        kp.restore(&last).await.succeeds(201);
        kp.advance("1s").await;
        let reply = kp.restore(&late).await;
        let reason = reply.refused(400, "KEY_RESTORE_EXPIRED");
        assert_eq!(reason["message"], "Key restoration has expired");
        assert!(reply.error_msg().starts_with("Bad Request: Key could not be restored: "), "{}", reply.error_msg());
        assert_eq!(kp.metadata(&late).await["restoreAllowed"], false);
    }
}

#[actix_web::test]
async fn a_key_whose_expiration_date_has_passed_cannot_be_restored() {
    let kp = Harness::frozen_at("2020-08-14T19:00:00Z").await;
    let resource = json!({ "name": "short-lived", "extractable": false, "expirationDate": "2020-08-14T19:33:47Z" });
    let key = kp.create(&resource).await;
    kp.delete_key(&key).await.succeeds(204);
    kp.advance("33m46s").await;
    assert_eq!(kp.metadata(&key).await["restoreAllowed"], true);
    kp.advance("1s").await;
    let reply = kp.restore(&key).await;
    let reason = reply.refused(400, "KEY_EXPIRED_ERR");
    assert_eq!(reason["message"], "The action could not be performed on the key because the key is expired");
    let wanted = "Bad Request: The key expired on 2020-08-14 19:33:47 +0000 UTC: Key could not be restored: Please see \
                  `reasons` for more details (KEY_EXPIRED_ERR)";
    assert_eq!(reply.error_msg(), wanted);
    assert_eq!(kp.metadata(&key).await["restoreAllowed"], false);
}

#[actix_web::test]
async fn a_restoration_is_refused_for_the_first_rule_it_breaks() {
    let kp = Harness::frozen_at(NOON).await;
    let resource = json!({ "name": "short-lived", "extractable": false, "expirationDate": "2026-01-01T12:00:10Z" });
    let key = kp.create(&resource).await;
    kp.restore(&key).await.refused(409, "KEY_ACTION_INVALID_STATE_ERR");
    kp.delete_key(&key).await.succeeds(204);
    kp.advance("20s").await;
    kp.restore(&key).await.refused(409, "REQ_TOO_EARLY_ERR");
    kp.advance("10s").await;
    kp.restore(&key).await.refused(400, "KEY_EXPIRED_ERR");
    kp.advance("31d").await;
    kp.restore(&key).await.refused(400, "KEY_RESTORE_EXPIRED");
}

#[actix_web::test]
async fn a_key_is_purged_four_hours_after_its_deletion_and_not_earlier() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.delete_key(&key).await.succeeds(204);
    for step in ["0s", "3h59m59s"] {
        kp.advance(step).await;
        let reply = kp.purge(&key).await;
        let reason = reply.refused(409, "REQ_TOO_EARLY_ERR");
        let message = "The key was updated recently: Please wait and try again: Purge operation is allowed 4h0m0s after \
                       key is deleted";
        assert_eq!(reason["message"], message);
        let wanted = "Conflict: Key could not be purged: Please see `reasons` for more details (REQ_TOO_EARLY_ERR)";
        assert_eq!(reply.error_msg(), wanted);
        assert_eq!(kp.metadata(&key).await["purgeAllowed"], false);
    }
    kp.advance("1s").await;
    assert_eq!(kp.metadata(&key).await["purgeAllowed"], true);
    kp.purge(&key).await.succeeds(204);
    kp.purge(&key).await.refused(404, "KEY_NOT_FOUND_ERR");
}

#[actix_web::test]
async fn a_deleted_key_vanishes_after_ninety_days() {
    let kp = Harness::frozen_at(NOON).await;
    let resource = json!({ "name": "invoices", "extractable": false, "aliases": ["invoices"] });
    let key = kp.create(&resource).await;
    kp.delete_key(&key).await.succeeds(204);
    kp.advance("89d23h59m59s").await;
    assert_eq!(kp.metadata(&key).await["state"], 5);
    kp.try_create(&resource).await.refused(409, "KEY_ALIAS_NOT_UNIQUE_ERR");
    let ran = kp.advance("1s").await;
    assert_eq!(ran["ran"], json!([{ "at": "2026-04-01T12:00:00Z", "what": "purge", "count": 1 }]));
    kp.get(&format!("/api/v2/keys/{key}")).send().await.refused(404, "KEY_NOT_FOUND_ERR");
    kp.create(&resource).await;
}

#[actix_web::test]
async fn a_restored_key_does_not_vanish() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.delete_key(&key).await.succeeds(204);
    kp.advance("30d").await;
    kp.restore(&key).await.succeeds(201);
    kp.advance("90d").await;
    assert_eq!(kp.metadata(&key).await["state"], 1);
}

#[actix_web::test]
async fn a_first_persons_permission_lasts_seven_days_to_the_second() {
    for start in [NOON, LATE_IN_THE_SECOND] {
        let kp = Harness::frozen_at(start).await;
        let other = kp.token_for("the-other-person").await;
        let [last, late] = [kp.create_dual_auth_key("last").await, kp.create_dual_auth_key("late").await];
        kp.action(&last, "setKeyForDeletion").bearer(&other).send().await.succeeds(204);
        kp.action(&late, "setKeyForDeletion").bearer(&other).send().await.succeeds(204);
        let dual = &kp.metadata(&late).await["dualAuthDelete"];
        let live = json!({ "enabled": true, "keySetForDeletion": true, "authExpiration": "2026-01-08T12:00:00Z" });
        assert_eq!(*dual, live);
        kp.advance("7d").await;
        kp.delete_key(&last).await.succeeds(204);
        kp.advance("1s").await;
        kp.delete_key(&late).await.refused(409, "AUTHORIZATIONS_NOT_MET");
        let dual = &kp.metadata(&late).await["dualAuthDelete"];
        assert_eq!(*dual, json!({ "enabled": true, "keySetForDeletion": false }));
    }
}

#[actix_web::test]
async fn a_rotation_policy_turns_the_key_each_thirty_days_from_its_creation_or_last_rotation() {
    let kp = Harness::frozen_at(NOON).await;
    let resource = json!({ "name": "invoices", "extractable": false, "rotation": { "interval_month": 1 } });
    let key = crate::harness::keys::id_of(&kp.try_create_with_policies(&resource).await.succeeds(201));
    kp.advance("29d23h59m59s").await;
    assert!(kp.metadata(&key).await.get("lastRotateDate").is_none());
    kp.advance("1s").await;
    assert_eq!(kp.metadata(&key).await["lastRotateDate"], "2026-01-31T12:00:00Z");
    kp.advance("1d").await;
    kp.rotate(&key).await.succeeds(204);
    kp.advance("29d").await;
    assert_eq!(kp.metadata(&key).await["lastRotateDate"], "2026-02-01T12:00:00Z");
    kp.advance("1d").await;
    assert_eq!(kp.metadata(&key).await["lastRotateDate"], "2026-03-03T12:00:00Z");
}

#[actix_web::test]
async fn a_policy_skips_a_key_that_is_not_active_and_waits_another_interval() {
    let kp = Harness::frozen_at(NOON).await;
    let resource = json!({ "name": "invoices", "extractable": false, "rotation": { "interval_month": 1 } });
    let key = crate::harness::keys::id_of(&kp.try_create_with_policies(&resource).await.succeeds(201));
    kp.disable(&key).await.succeeds(204);
    kp.advance("31d").await;
    kp.enable(&key).await.succeeds(204);
    assert!(kp.metadata(&key).await.get("lastRotateDate").is_none());
    kp.advance("28d").await;
    assert!(kp.metadata(&key).await.get("lastRotateDate").is_none());
    kp.advance("1d").await;
    assert_eq!(kp.metadata(&key).await["lastRotateDate"], "2026-03-02T12:00:00Z");
}
