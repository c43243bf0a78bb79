//! Wrap, unwrap and rewrap: `docs/contract/keys.md` 12.

use serde_json::{Value, json};

use crate::harness::words::{base64_of, bytes_of, members};
use crate::harness::{Harness, Reply};

const NOON: &str = "2026-01-01T12:00:00Z";
const KEY_ACTION: &str = "application/vnd.ibm.kms.key_action+json";
const HELLO: &str = "aGVsbG8=";

async fn act(kp: &Harness, key: &str, action: &str, body: &Value) -> Reply {
    kp.action(key, action).json(body).send().await
}

/// A ciphertext of "hello", bound to AAD.
async fn sealed(kp: &Harness, key: &str, aad: &Value) -> String {
    let reply = act(kp, key, "wrap", &json!({ "plaintext": HELLO, "aad": aad })).await;
    reply.succeeds(200)["ciphertext"].as_str().unwrap().to_owned()
}

/// The JSON within a ciphertext.
fn inner(ciphertext: &str) -> Value {
    serde_json::from_slice(&bytes_of(ciphertext)).expect("JSON in a ciphertext")
}

/// A ciphertext of such JSON.
fn outer(inner: &Value) -> String {
    base64_of(inner.to_string())
}

#[actix_web::test]
async fn wrap_without_a_plaintext_makes_a_data_key_and_shows_it() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    for body in ["", "null", "{}", "{\"plaintext\":\"\"}", "{\"plaintext\":null,\"aad\":null}"] {
        let reply = kp.action(&key, "wrap").raw(body).send().await;
        let wrapped = reply.succeeds(200);
        assert_eq!(members(&wrapped), ["ciphertext", "keyVersion", "plaintext"], "{body}");
        assert_eq!(wrapped["keyVersion"], json!({ "id": key }));
        assert_eq!(bytes_of(wrapped["plaintext"].as_str().unwrap()).len(), 32);
        assert_eq!(reply.header("content-type"), Some(KEY_ACTION));
        let opened = kp.unwrap(&key, wrapped["ciphertext"].as_str().unwrap()).await.succeeds(200);
        assert_eq!(opened["plaintext"], wrapped["plaintext"]);
    }
}

#[actix_web::test]
async fn wrap_shows_a_given_plaintext_to_nobody_and_each_ciphertext_is_new() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let wrapped = act(&kp, &key, "wrap", &json!({ "plaintext": HELLO })).await.succeeds(200);
    assert_eq!(members(&wrapped), ["ciphertext", "keyVersion"]);
    let again = act(&kp, &key, "wrap", &json!({ "plaintext": HELLO })).await.succeeds(200);
    assert_ne!(wrapped["ciphertext"], again["ciphertext"]);
}

#[actix_web::test]
async fn unwrap_shows_the_plaintext_alone_while_the_key_was_not_rotated() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let ciphertext = kp.wrap(&key, HELLO).await;
    let reply = kp.unwrap(&key, &ciphertext).await;
    assert_eq!(reply.succeeds(200), json!({ "plaintext": HELLO, "keyVersion": { "id": key } }));
    assert_eq!(reply.header("content-type"), Some(KEY_ACTION));
}

#[actix_web::test]
async fn a_ciphertext_is_compact_json_in_base64() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let text = String::from_utf8(bytes_of(&kp.wrap(&key, HELLO).await)).unwrap();
    let inner: Value = serde_json::from_str(&text).unwrap();
    let [sealed, iv] = ["ciphertext", "iv"].map(|member| inner[member].as_str().unwrap());
    let wanted = format!("{{\"ciphertext\":\"{sealed}\",\"iv\":\"{iv}\",\"version\":\"4.0.0\",\"handle\":\"{key}\"}}");
    assert_eq!(text, wanted);
    assert_eq!((bytes_of(sealed).len(), bytes_of(iv).len()), ("hello".len() + 16, 12));
}

#[actix_web::test]
async fn plaintexts_have_any_length_up_to_7500_bytes() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    for length in [1, 15, 16, 24, 30, 32, 35, 39, 7_499, 7_500] {
        let plaintext = base64_of(vec![0xa5; length]);
        let ciphertext = kp.wrap(&key, &plaintext).await;
        assert_eq!(kp.unwrap(&key, &ciphertext).await.succeeds(200)["plaintext"], plaintext, "{length}");
    }
    let reply = act(&kp, &key, "wrap", &json!({ "plaintext": base64_of(vec![0xa5; 7_501]) })).await;
    reply.refused(400, "INVALID_FIELD_ERR");
}

#[actix_web::test]
async fn unwrap_returns_the_canonical_base64() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    // Stray bits in the last character: Go's decoder forgives them.
    let ciphertext = kp.wrap(&key, "aGVsbG9=").await;
    assert_eq!(kp.unwrap(&key, &ciphertext).await.succeeds(200)["plaintext"], HELLO);
}

#[actix_web::test]
async fn plaintexts_that_are_not_base64_are_refused() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    for plaintext in ["aGVs bG8=", "aGVsbG8", "_-_-", "*"] {
        let reply = act(&kp, &key, "wrap", &json!({ "plaintext": plaintext })).await;
        let reason = reply.refused(400, "INVALID_FIELD_ERR");
        assert_eq!(reason["target"], json!({ "type": "field", "name": "plaintext" }));
        let start = "The field `plaintext` must be: a base64 encoded key material: illegal base64 data at input byte ";
        assert!(reason["message"].as_str().unwrap().starts_with(start), "{reason}");
        assert!(reply.error_msg().starts_with("Bad Request: Wrap with key could not be performed: "));
    }
    let reply = act(&kp, &key, "wrap", &json!({ "plaintext": "aGVs*bG8=" })).await;
    assert!(reply.refused(400, "INVALID_FIELD_ERR")["message"].as_str().unwrap().ends_with("byte 4"));
}

#[actix_web::test]
async fn ciphertexts_that_the_service_cannot_have_made_are_refused() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let good = kp.wrap(&key, HELLO).await;
    let mut no_iv = inner(&good);
    no_iv.as_object_mut().unwrap().remove("iv");
    let mut short_iv = inner(&good);
    short_iv["iv"] = json!(base64_of([1; 11]));
    let mut bad_text = inner(&good);
    bad_text["ciphertext"] = json!("*");
    let cut = &good[..good.len() - 4];
    let texts = [
        "*".to_owned(),
        "aGVsbG8".to_owned(),
        HELLO.to_owned(),
        base64_of("{}"),
        base64_of("[]"),
        base64_of([0xff, 0xfe]),
        outer(&no_iv),
        outer(&short_iv),
        outer(&bad_text),
        cut.to_owned(),
        String::new(),
    ];
    for (action, subject) in [("unwrap", "Unwrap"), ("rewrap", "Rewrap")] {
        for text in &texts {
            let reply = act(&kp, &key, action, &json!({ "ciphertext": text })).await;
            let reason = reply.refused(400, "INVALID_FIELD_ERR");
            assert_eq!(reason["target"], json!({ "type": "field", "name": "ciphertext" }), "{text}");
            let start =
                "The field `ciphertext` must be: the original base64 encoded ciphertext from the wrap operation";
            assert!(reason["message"].as_str().unwrap().starts_with(start), "{reason}");
            let subject = format!("Bad Request: {subject} with key could not be performed: ");
            assert!(reply.error_msg().starts_with(&subject), "{}", reply.error_msg());
        }
    }
}

#[actix_web::test]
async fn a_ciphertext_that_was_tampered_with_does_not_open() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let good = inner(&kp.wrap(&key, HELLO).await);
    let mut wrong = Vec::new();
    for member in ["ciphertext", "iv"] {
        let bytes = bytes_of(good[member].as_str().unwrap());
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x01;
            let mut tampered = good.clone();
            tampered[member] = json!(base64_of(&flipped));
            wrong.push(tampered);
        }
    }
    let sealed = bytes_of(good["ciphertext"].as_str().unwrap());
    for bytes in [&sealed[1..], &sealed[..sealed.len() - 1], &sealed[..16], &sealed[..0]] {
        let mut shorter = good.clone();
        shorter["ciphertext"] = json!(base64_of(bytes));
        wrong.push(shorter);
    }
    let mut longer_iv = good.clone();
    longer_iv["iv"] = json!(base64_of([7; 16]));
    wrong.push(longer_iv);
    for tampered in wrong {
        for action in ["unwrap", "rewrap"] {
            let reply = act(&kp, &key, action, &json!({ "ciphertext": outer(&tampered) })).await;
            let reason = reply.refused(422, "UNPROCESSABLE_CIPHERTEXT_ERR");
            assert_eq!(reason["message"], "The provided ciphertext is invalid or corrupted", "{tampered}");
        }
    }
    kp.unwrap(&key, &outer(&good)).await.succeeds(200);
}

#[actix_web::test]
async fn members_of_a_ciphertext_may_stand_in_any_order() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let good = inner(&kp.wrap(&key, HELLO).await);
    let text = format!(
        "{{ \"handle\": {}, \"version\": {}, \"iv\": {}, \"ciphertext\": {} }}",
        good["handle"], good["version"], good["iv"], good["ciphertext"]
    );
    assert_eq!(kp.unwrap(&key, &base64_of(text)).await.succeeds(200)["plaintext"], HELLO);
}

#[actix_web::test]
async fn another_key_does_not_open_a_ciphertext() {
    let kp = Harness::frozen_at(NOON).await;
    let [key, other] = [kp.create_root_key("invoices").await, kp.create_root_key("other").await];
    let ciphertext = kp.wrap(&key, HELLO).await;
    kp.unwrap(&other, &ciphertext).await.refused(422, "UNPROCESSABLE_CIPHERTEXT_ERR");
    let mut claimed = inner(&ciphertext);
    claimed["handle"] = json!(other);
    kp.unwrap(&other, &outer(&claimed)).await.refused(422, "UNPROCESSABLE_CIPHERTEXT_ERR");
}

#[actix_web::test]
async fn keys_with_one_material_open_each_others_ciphertexts() {
    let kp = Harness::frozen_at(NOON).await;
    let [one, two] = [base64_of([1; 32]), base64_of([2; 16])];
    let [first, second] = [kp.import_root_key("first", &one).await, kp.import_root_key("second", &one).await];
    let ciphertext = kp.wrap(&first, HELLO).await;
    let opened = kp.unwrap(&second, &ciphertext).await.succeeds(200);
    assert_eq!(opened, json!({ "plaintext": HELLO, "keyVersion": { "id": second } }));
    act(&kp, &second, "rotate", &json!({ "payload": two })).await.succeeds(204);
    let opened = kp.unwrap(&second, &ciphertext).await.succeeds(200);
    assert_eq!(opened["keyVersion"], json!({ "id": second }));
    assert_eq!(opened["rewrappedKeyVersion"], kp_version(&kp, &second).await);
    let third = kp.import_root_key("third", &two).await;
    let renewed = opened["ciphertext"].as_str().unwrap();
    assert_eq!(kp.unwrap(&third, renewed).await.succeeds(200)["plaintext"], HELLO);
    kp.unwrap(&first, renewed).await.refused(422, "UNPROCESSABLE_CIPHERTEXT_ERR");
}

/// The newest version as wrap shows it.
async fn kp_version(kp: &Harness, key: &str) -> Value {
    json!({ "id": kp.metadata(key).await["keyVersion"]["id"] })
}

#[actix_web::test]
async fn after_a_rotation_unwrap_brings_a_new_ciphertext_along() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let old = kp.wrap(&key, HELLO).await;
    kp.rotate(&key).await.succeeds(204);
    let newest = kp_version(&kp, &key).await;
    assert_ne!(newest["id"], key);
    let opened = kp.unwrap(&key, &old).await.succeeds(200);
    assert_eq!(members(&opened), ["ciphertext", "keyVersion", "plaintext", "rewrappedKeyVersion"]);
    assert_eq!(opened["keyVersion"], json!({ "id": key }));
    assert_eq!(opened["rewrappedKeyVersion"], newest);
    let renewed = opened["ciphertext"].as_str().unwrap();
    assert_eq!(inner(renewed)["handle"], newest["id"]);
    let again = kp.unwrap(&key, renewed).await.succeeds(200);
    assert_eq!(again, json!({ "plaintext": HELLO, "keyVersion": newest }));
    let wrapped = act(&kp, &key, "wrap", &json!({ "plaintext": HELLO })).await.succeeds(200);
    assert_eq!(wrapped["keyVersion"], newest);
}

#[actix_web::test]
async fn ciphertexts_of_each_version_open_for_ever() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let mut old = vec![(key.clone(), kp.wrap(&key, HELLO).await)];
    for _ in 0..4 {
        kp.rotate(&key).await.succeeds(204);
        kp.advance("30d").await;
        let version = kp_version(&kp, &key).await["id"].as_str().unwrap().to_owned();
        old.push((version, kp.wrap(&key, HELLO).await));
    }
    let newest = old.last().unwrap().0.clone();
    for (version, ciphertext) in &old {
        let opened = kp.unwrap(&key, ciphertext).await.succeeds(200);
        assert_eq!((&opened["plaintext"], &opened["keyVersion"]["id"]), (&json!(HELLO), &json!(version)));
        let renewed = act(&kp, &key, "rewrap", &json!({ "ciphertext": ciphertext })).await.succeeds(200);
        assert_eq!(renewed["keyVersion"]["id"], *version);
        assert_eq!(renewed["rewrappedKeyVersion"]["id"], newest);
    }
}

#[actix_web::test]
async fn rewrap_tells_both_versions_and_no_plaintext() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let old = kp.wrap(&key, HELLO).await;
    let reply = act(&kp, &key, "rewrap", &json!({ "ciphertext": old })).await;
    let same = reply.succeeds(200);
    assert_eq!(reply.header("content-type"), Some(KEY_ACTION));
    assert_eq!(members(&same), ["ciphertext", "keyVersion", "rewrappedKeyVersion"]);
    assert_eq!(same["keyVersion"], json!({ "id": key }));
    assert_eq!(same["rewrappedKeyVersion"], json!({ "id": key }));
    assert_ne!(same["ciphertext"], json!(old));
    kp.rotate(&key).await.succeeds(204);
    let renewed = act(&kp, &key, "rewrap", &json!({ "ciphertext": old })).await.succeeds(200);
    assert_eq!(renewed["rewrappedKeyVersion"], kp_version(&kp, &key).await);
    let opened = kp.unwrap(&key, renewed["ciphertext"].as_str().unwrap()).await.succeeds(200);
    assert_eq!(members(&opened), ["keyVersion", "plaintext"]);
    assert_eq!(opened["plaintext"], HELLO);
}

#[actix_web::test]
async fn aad_must_match_in_order_number_and_text() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let lists = [
        json!(["a", "b"]),
        json!(["b", "a"]),
        json!(["a"]),
        json!(["ab"]),
        json!(["a", "b", ""]),
        json!(["A", "b"]),
        json!([""]),
        json!(["ü", "b"]),
        json!([]),
    ];
    for used in &lists {
        let ciphertext = sealed(&kp, &key, used).await;
        for given in &lists {
            for action in ["unwrap", "rewrap"] {
                let reply = act(&kp, &key, action, &json!({ "ciphertext": ciphertext, "aad": given })).await;
                if used == given {
                    reply.succeeds(200);
                } else {
                    reply.refused(422, "UNPROCESSABLE_CIPHERTEXT_ERR");
                }
            }
        }
    }
}

#[actix_web::test]
async fn no_aad_an_empty_list_and_null_are_one_value() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    for used in [json!([]), Value::Null] {
        let ciphertext = sealed(&kp, &key, &used).await;
        kp.unwrap(&key, &ciphertext).await.succeeds(200);
        for given in [json!([]), Value::Null] {
            act(&kp, &key, "unwrap", &json!({ "ciphertext": ciphertext, "aad": given })).await.succeeds(200);
        }
    }
}

#[actix_web::test]
async fn the_new_ciphertexts_of_unwrap_and_rewrap_are_bound_to_the_same_aad() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let aad = json!(["tenant-1", "table-2"]);
    let old = sealed(&kp, &key, &aad).await;
    kp.rotate(&key).await.succeeds(204);
    for action in ["unwrap", "rewrap"] {
        let reply = act(&kp, &key, action, &json!({ "ciphertext": old, "aad": aad })).await.succeeds(200);
        let renewed = reply["ciphertext"].as_str().unwrap();
        kp.unwrap(&key, renewed).await.refused(422, "UNPROCESSABLE_CIPHERTEXT_ERR");
        act(&kp, &key, "unwrap", &json!({ "ciphertext": renewed, "aad": aad })).await.succeeds(200);
    }
}

#[actix_web::test]
async fn aad_strings_have_up_to_255_characters() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let ciphertext = kp.wrap(&key, HELLO).await;
    sealed(&kp, &key, &json!(["a".repeat(255), "ü".repeat(255)])).await;
    for action in ["wrap", "unwrap", "rewrap"] {
        let body = json!({ "ciphertext": ciphertext, "aad": ["fine", "a".repeat(256)] });
        let reason = act(&kp, &key, action, &body).await.refused(400, "INVALID_FIELD_ERR");
        assert_eq!(reason["target"], json!({ "type": "field", "name": "aad" }), "{action}");
    }
}

#[actix_web::test]
async fn unwrap_and_rewrap_need_a_body_with_a_ciphertext() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    for path in ["actions/unwrap", "actions/rewrap", "?action=unwrap", "?action=rewrap"] {
        let path = format!("/api/v2/keys/{key}/{path}").replace("/?", "?");
        for body in ["", "null"] {
            let reply = kp.post(&path).raw(body).send().await;
            assert_eq!(reply.refused(400, "NO_BODY_ERR")["message"], "Missing body in request");
        }
        for body in ["{}", "{\"ciphertext\":null}", "{\"plaintext\":\"aGVsbG8=\"}"] {
            let reason = kp.post(&path).raw(body).send().await.refused(400, "INVALID_FIELD_ERR");
            assert_eq!(reason["target"]["name"], "ciphertext", "{body}");
        }
    }
}

#[actix_web::test]
async fn bodies_are_read_in_any_case_and_more_members_are_ignored() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let body = r#"{"PlainText":"aGVsbG8=","AAD":["a"],"aad":["b"],"extra":{"deep":[1,2,{}]}}"#;
    let wrapped = kp.action(&key, "wrap").raw(body).send().await.succeeds(200);
    let body = json!({ "Ciphertext": wrapped["ciphertext"], "Aad": ["b"], "type": "x" });
    assert_eq!(act(&kp, &key, "unwrap", &body).await.succeeds(200)["plaintext"], HELLO);
}

#[actix_web::test]
async fn bodies_of_other_types_are_refused() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    for action in ["wrap", "unwrap", "rewrap"] {
        for body in
            ["[]", "\"a\"", "1", "{", "{}x", "{\"plaintext\":1,\"ciphertext\":1}", "{\"aad\":\"a\"}", "{\"aad\":[1]}"]
        {
            kp.action(&key, action).raw(body).send().await.refused(400, "BAD_BODY_ERR");
        }
    }
}

#[actix_web::test]
async fn the_older_forms_answer_the_same() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let legacy = |action: &str| kp.post(&format!("/api/v2/keys/{key}?action={action}"));
    let reply = legacy("wrap").json(&json!({ "plaintext": HELLO, "aad": ["a"] })).send().await;
    let wrapped = reply.succeeds(200);
    assert_eq!(members(&wrapped), ["ciphertext", "keyVersion"]);
    assert_eq!(reply.header("content-type"), Some(KEY_ACTION));
    let body = json!({ "ciphertext": wrapped["ciphertext"], "aad": ["a"] });
    let opened = legacy("unwrap").json(&body).send().await.succeeds(200);
    assert_eq!(opened, json!({ "plaintext": HELLO, "keyVersion": { "id": key } }));
    let rewrapped = legacy("rewrap").json(&body).send().await.succeeds(200);
    assert_eq!(members(&rewrapped), ["ciphertext", "keyVersion", "rewrappedKeyVersion"]);
    let made = legacy("wrap").send().await.succeeds(200);
    assert_eq!(members(&made), ["ciphertext", "keyVersion", "plaintext"]);
}

#[actix_web::test]
async fn an_alias_stands_for_the_key_and_replies_hold_ids() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create(&json!({ "name": "invoices", "extractable": false, "aliases": ["inv"] })).await;
    let wrapped = act(&kp, "inv", "wrap", &json!({ "plaintext": HELLO })).await.succeeds(200);
    assert_eq!(wrapped["keyVersion"], json!({ "id": key }));
    let opened = kp.unwrap("inv", wrapped["ciphertext"].as_str().unwrap()).await.succeeds(200);
    assert_eq!(opened["keyVersion"], json!({ "id": key }));
    act(&kp, "Inv", "wrap", &json!({})).await.refused(404, "KEY_NOT_FOUND_ERR");
}

#[actix_web::test]
async fn a_reader_may_wrap_and_a_stranger_may_not() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let reader = kp.reader_token().await;
    let wrapped = kp.action(&key, "wrap").bearer(&reader).send().await.succeeds(200);
    let body = json!({ "ciphertext": wrapped["ciphertext"] });
    for action in ["unwrap", "rewrap"] {
        kp.action(&key, action).bearer(&reader).json(&body).send().await.succeeds(200);
    }
    let stranger = kp.info["cosInstanceCrn"].as_str().unwrap().replace("cloud-object-storage", "databases-for-redis");
    let stranger = kp.service_token(&stranger).await;
    for action in ["wrap", "unwrap", "rewrap"] {
        kp.action(&key, action).bearer(&stranger).json(&body).send().await.unauthorized();
    }
}
