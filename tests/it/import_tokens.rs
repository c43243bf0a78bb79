//! Import tokens, and keys imported with them, as a client seals them.

use std::path::Path;
use std::time::Duration;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use tokio::time::{interval, timeout};

use crate::harness::Harness;
use crate::harness::keys::id_of;

const START: &str = "2026-01-01T00:00:00Z";
const IV: [u8; 12] = [7; 12];

/// What a client sends of sealed material.
struct Sealed {
    payload: String,
    nonce: String,
    iv: String,
}

async fn make_token(kp: &Harness, wanted: &Value) -> Value {
    kp.post("/api/v2/import_token").json(wanted).send().await.succeeds(200)
}

async fn get_token(kp: &Harness) -> Value {
    kp.get("/api/v2/import_token").send().await.succeeds(200)
}

fn decoded(token: &Value, member: &str) -> Vec<u8> {
    STANDARD.decode(token[member].as_str().unwrap()).unwrap()
}

/// Seals material for a token, and a nonce under the material.
fn seal(token: &Value, material: &[u8], nonce: &[u8]) -> Sealed {
    let pem = String::from_utf8(decoded(token, "payload")).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let key = PublicEncryptingKey::from_der(&STANDARD.decode(body).unwrap()).unwrap();
    let key = OaepPublicEncryptingKey::new(key).unwrap();
    let mut room = vec![0; key.ciphertext_size()];
    let payload = key.encrypt(&OAEP_SHA256_MGF1SHA256, material, &mut room, None).unwrap();
    let algorithm = if material.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
    let aead = LessSafeKey::new(UnboundKey::new(algorithm, material).unwrap());
    let mut sealed = nonce.to_vec();
    aead.seal_in_place_append_tag(Nonce::assume_unique_for_key(IV), Aad::empty(), &mut sealed).unwrap();
    Sealed { payload: STANDARD.encode(payload), nonce: STANDARD.encode(sealed), iv: STANDARD.encode(IV) }
}

fn resource(sealed: &Sealed) -> Value {
    json!({
        "name": "brought", "extractable": false, "payload": sealed.payload,
        "encryptedNonce": sealed.nonce, "iv": sealed.iv, "encryptionAlgorithm": "RSAES_OAEP_SHA_256",
    })
}

#[actix_web::test]
async fn a_token_counts_its_retrievals_and_tells_key_and_nonce() {
    let kp = Harness::frozen_at(START).await;
    let made = make_token(&kp, &json!({ "expiration": 600, "maxAllowedRetrievals": 2 })).await;
    assert_eq!(made["remainingRetrievals"], 2);
    assert_eq!(made["expirationDate"], "2026-01-01T00:10:00Z");
    assert!(made.get("payload").is_none() && made.get("nonce").is_none(), "{made}");
    let got = get_token(&kp).await;
    assert_eq!(got["remainingRetrievals"], 1);
    assert_eq!(decoded(&got, "nonce").len(), 12);
    let pem = String::from_utf8(decoded(&got, "payload")).unwrap();
    let base64 =
        pem.strip_prefix("-----BEGIN PUBLIC KEY-----\n").and_then(|rest| rest.split_once("-----END")).unwrap().0;
    let modulus_and_what_stands_around_it = 512 + 38;
    assert_eq!(STANDARD.decode(base64.replace('\n', "")).unwrap().len(), modulus_and_what_stands_around_it);
    get_token(&kp).await;
    kp.get("/api/v2/import_token").send().await.refused(409, "IMPORT_TOKEN_EXPIRED_ERR");
}

#[actix_web::test]
async fn without_a_token_there_is_none_to_read_and_none_to_import_with() {
    let kp = Harness::frozen_at(START).await;
    kp.get("/api/v2/import_token").send().await.refused(404, "IMPORT_TOKEN_NOT_FOUND_ERR");
    let text = STANDARD.encode([1; 32]);
    let wanted =
        json!({ "name": "brought", "extractable": false, "payload": text, "encryptedNonce": text, "iv": text });
    kp.try_create(&wanted).await.refused(409, "IMPORT_TOKEN_EXPIRED_ERR");
}

#[actix_web::test]
async fn sealed_material_becomes_a_key_that_wraps_as_the_plain_one_does() {
    let kp = Harness::frozen_at(START).await;
    make_token(&kp, &json!({})).await;
    let token = get_token(&kp).await;
    for material in [vec![3; 16], vec![9; 32]] {
        let sealed = seal(&token, &material, &decoded(&token, "nonce"));
        let made = kp.try_create(&resource(&sealed)).await.succeeds(201);
        assert_eq!(made["resources"][0]["imported"], true);
        let plain = kp.import_root_key("plain", &STANDARD.encode(&material)).await;
        let ciphertext = kp.wrap(&plain, "aGVsbG8=").await;
        assert_eq!(kp.unwrap(&id_of(&made), &ciphertext).await.succeeds(200)["plaintext"], "aGVsbG8=");
    }
}

#[actix_web::test]
async fn a_wrong_nonce_and_a_wrong_iv_are_told_apart() {
    let kp = Harness::frozen_at(START).await;
    make_token(&kp, &json!({})).await;
    let token = get_token(&kp).await;
    let foreign = seal(&token, &[9; 32], &[0; 12]);
    kp.try_create(&resource(&foreign)).await.refused(400, "INCORRECT_NONCE_ERR");
    let mut twisted = seal(&token, &[9; 32], &decoded(&token, "nonce"));
    twisted.iv = STANDARD.encode([8; 12]);
    kp.try_create(&resource(&twisted)).await.refused(400, "INCORRECT_NONCE_IV_ERR");
    let mut unsealed = seal(&token, &[9; 32], &decoded(&token, "nonce"));
    unsealed.payload = STANDARD.encode([9; 32]);
    let reason = kp.try_create(&resource(&unsealed)).await.refused(400, "INVALID_FIELD_ERR");
    assert_eq!(reason["target"], json!({ "type": "field", "name": "payload" }));
}

#[actix_web::test]
async fn an_expired_token_imports_nothing_and_a_new_one_replaces_it() {
    let kp = Harness::frozen_at(START).await;
    make_token(&kp, &json!({ "expiration": 300 })).await;
    let token = get_token(&kp).await;
    let sealed = seal(&token, &[9; 32], &decoded(&token, "nonce"));
    kp.advance("5m").await;
    kp.try_create(&resource(&sealed)).await.refused(409, "IMPORT_TOKEN_EXPIRED_ERR");
    make_token(&kp, &json!({})).await;
    kp.try_create(&resource(&sealed)).await.refused(400, "INVALID_FIELD_ERR");
}

#[actix_web::test]
async fn a_key_that_came_with_a_token_rotates_with_one() {
    let kp = Harness::frozen_at(START).await;
    make_token(&kp, &json!({})).await;
    let token = get_token(&kp).await;
    let nonce = decoded(&token, "nonce");
    let key = id_of(&kp.try_create(&resource(&seal(&token, &[9; 32], &nonce))).await.succeeds(201));
    let next = seal(&token, &[4; 16], &nonce);
    let body = json!({ "payload": next.payload, "encryptedNonce": next.nonce, "iv": next.iv });
    kp.action(&key, "rotate").json(&body).send().await.succeeds(204);
    assert_eq!(kp.metadata(&key).await["algorithmBitSize"], 128);
    let generated = kp.create_root_key("own").await;
    kp.action(&generated, "rotate").json(&body).send().await.refused(400, "INVALID_QUERY_PARAM_ERR");
}

#[actix_web::test]
async fn limits_of_a_token_are_refused_by_name() {
    let kp = Harness::frozen_at(START).await;
    let cases = [
        ("expiration", json!(299)),
        ("expiration", json!(86_401)),
        ("expiration", json!("600")),
        ("maxAllowedRetrievals", json!(0)),
        ("maxAllowedRetrievals", json!(501)),
        ("maxAllowedRetrievals", json!(1.5)),
    ];
    for (field, value) in cases {
        let reason = kp.post("/api/v2/import_token").json(&json!({ field: value })).send().await;
        let reason = reason.refused(400, "INVALID_FIELD_ERR");
        assert_eq!(reason["target"]["name"], field);
    }
    let whole = json!({ "expiration": 600.0, "maxAllowedRetrievals": 1.0 });
    assert_eq!(make_token(&kp, &whole).await["maxAllowedRetrievals"], 1);
}

/// Public keys that wait for tokens to come, in the database of a folder.
fn waiting_keys(folder: &Path) -> Vec<String> {
    let database = Connection::open_with_flags(folder.join("state.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = database.prepare("SELECT public_key FROM import_keys ORDER BY seq").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[actix_web::test]
async fn tokens_to_come_find_a_key_that_was_made_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let kp = Harness::in_folder(folder.path(), &[]).await;
    make_token(&kp, &json!({})).await;
    let mut looks = interval(Duration::from_millis(20));
    let made_ahead = timeout(Duration::from_mins(1), async {
        while waiting_keys(folder.path()).is_empty() {
            looks.tick().await;
        }
    });
    made_ahead.await.expect("a key is made ahead once tokens are in use");
    kp.stop().await;
    let waiting = waiting_keys(folder.path());
    // A restart makes none anew, and hands out the one that has waited longest.
    let kp = Harness::in_folder(folder.path(), &[]).await;
    make_token(&kp, &json!({})).await;
    let token = get_token(&kp).await;
    assert_eq!(String::from_utf8(decoded(&token, "payload")).unwrap(), waiting[0]);
    assert!(!waiting_keys(folder.path()).contains(&waiting[0]), "nobody else gets it");
    let sealed = seal(&token, &[9; 32], &decoded(&token, "nonce"));
    kp.try_create(&resource(&sealed)).await.succeeds(201);
}
