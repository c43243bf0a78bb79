//! A root key's life from creation to purge.

use crate::harness::Harness;

#[actix_web::test]
async fn a_disabled_key_cannot_be_disabled_again() {
    let kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
    let key = kp.create_root_key("invoices").await;
    kp.disable(&key).await.succeeds(204);
    kp.disable(&key).await.refused(409, "KEY_ACTION_INVALID_STATE_ERR");
}

#[actix_web::test]
async fn a_restored_key_opens_what_it_sealed_before_and_a_purged_one_is_gone() {
    let kp = Harness::frozen_at("2026-01-01T00:00:00Z").await;
    let key = kp.create_root_key("invoices").await;
    let ciphertext = kp.wrap(&key, "aGVsbG8=").await;
    kp.delete_key(&key).await.succeeds(204);
    kp.unwrap(&key, &ciphertext).await.refused(410, "KEY_DELETED_ERR");
    kp.advance("30s").await;
    kp.restore(&key).await.succeeds(201);
    assert_eq!(kp.unwrap(&key, &ciphertext).await.succeeds(200)["plaintext"], "aGVsbG8=");
    kp.delete_key(&key).await.succeeds(204);
    kp.advance("4h").await;
    kp.purge(&key).await.succeeds(204);
    kp.unwrap(&key, &ciphertext).await.refused(404, "KEY_NOT_FOUND_ERR");
}
