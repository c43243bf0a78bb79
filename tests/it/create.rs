//! Creating and importing keys: `docs/contract/keys.md` 6.

use serde_json::{Value, json};

use crate::harness::Harness;
use crate::harness::keys::{creation, id_of};
use crate::harness::words::{base64_of, is_uuid_v4, members};

const NOON: &str = "2026-01-01T12:00:00Z";
const KEY: &str = "application/vnd.ibm.kms.key+json";
const SHORT: [&str; 9] = ["crn", "deleted", "extractable", "id", "imported", "keyRingID", "name", "state", "type"];
const FULL: [&str; 18] = [
    "algorithmBitSize",
    "algorithmMetadata",
    "algorithmMode",
    "algorithmType",
    "createdBy",
    "creationDate",
    "crn",
    "deleted",
    "dualAuthDelete",
    "extractable",
    "id",
    "imported",
    "keyRingID",
    "keyVersion",
    "lastUpdateDate",
    "name",
    "state",
    "type",
];

fn root(more: &Value) -> Value {
    let mut resource = json!({ "type": KEY, "name": "root-1", "extractable": false });
    for (name, value) in more.as_object().expect("an object") {
        resource[name] = value.clone();
    }
    resource
}

/// Asserts that a resource is refused with a target, and that no key came of it.
async fn refused_field(kp: &Harness, resource: &Value, field: &str) {
    let before = kp.total("").await;
    let reply = kp.try_create(resource).await;
    let reason = reply.refused(400, "INVALID_FIELD_ERR");
    assert_eq!(reason["target"], json!({ "type": "field", "name": field }), "{resource}");
    let message = reason["message"].as_str().unwrap();
    assert!(message.starts_with(&format!("The field `{field}` must be: ")), "{message}");
    assert_eq!(kp.total("").await, before, "{resource}");
}

async fn refused_body(kp: &Harness, body: &Value, detail: &str) {
    let reply = kp.post("/api/v2/keys").json(body).send().await;
    let reason = reply.refused(400, "BAD_BODY_ERR");
    let message = reason["message"].as_str().unwrap();
    assert!(message.starts_with("Invalid body data was passed"), "{message}");
    assert!(message.ends_with(detail), "{body}: {message}");
    assert!(reason.get("target").is_none(), "{reason}");
}

#[actix_web::test]
async fn a_created_key_shows_its_short_form_and_nothing_else() {
    let kp = Harness::frozen_at(NOON).await;
    let reply = kp.try_create(&root(&json!({}))).await;
    let key = reply.resource(201);
    assert_eq!(members(&key), SHORT);
    assert_eq!(reply.json()["metadata"], json!({ "collectionType": KEY, "collectionTotal": 1 }));
    assert_eq!(reply.header("content-type"), Some(KEY));
    assert_eq!(reply.header("location"), None);
    let id = key["id"].as_str().unwrap();
    assert!(is_uuid_v4(id), "{id}");
    let account = kp.info["accountId"].as_str().unwrap();
    let crn = format!("crn:v1:bluemix:public:kms:us-south:a/{account}:{}:key:{id}", kp.instance);
    let wanted = json!({
        "type": KEY, "id": id, "name": "root-1", "state": 1, "extractable": false, "keyRingID": "default",
        "crn": crn, "imported": false, "deleted": false,
    });
    assert_eq!(key, wanted);
}

#[actix_web::test]
async fn what_was_given_shows_in_the_short_form_too() {
    let kp = Harness::frozen_at(NOON).await;
    let given = json!({
        "aliases": ["r1", "R1"], "description": "signs invoices", "tags": ["a", ""], "expirationDate": "2027-01-01T00:00:00Z",
    });
    let key = kp.try_create(&root(&given)).await.resource(201);
    for (name, value) in given.as_object().unwrap() {
        assert_eq!(&key[name], value, "{name}");
    }
    assert_eq!(members(&key).len(), SHORT.len() + 4);
}

#[actix_web::test]
async fn return_representation_shows_the_full_form() {
    let kp = Harness::frozen_at(NOON).await;
    let reply = kp.post("/api/v2/keys").header("prefer", "return=representation").json(&creation(&root(&json!({}))));
    let key = reply.send().await.resource(201);
    assert_eq!(members(&key), FULL);
    assert_eq!(key["creationDate"], NOON);
    assert_eq!(key["lastUpdateDate"], NOON);
    assert_eq!(key["createdBy"], "IBMid-270005MKP0");
    assert_eq!(key["algorithmType"], "Deprecated");
    assert_eq!(key["algorithmMode"], "Deprecated");
    assert_eq!(key["algorithmMetadata"], json!({ "bitLength": "256", "mode": "Deprecated" }));
    assert_eq!(key["algorithmBitSize"], 256);
    assert_eq!(key["dualAuthDelete"], json!({ "enabled": false }));
    assert_eq!(key["keyVersion"], json!({ "id": key["id"], "creationDate": NOON }));
    assert_eq!(kp.metadata(key["id"].as_str().unwrap()).await, key);
}

#[actix_web::test]
async fn other_preferences_show_the_short_form() {
    let kp = Harness::frozen_at(NOON).await;
    for preference in ["return=minimal", "return=everything", "respond-async", ""] {
        let call = kp.post("/api/v2/keys").header("prefer", preference).json(&creation(&root(&json!({}))));
        assert_eq!(members(&call.send().await.resource(201)), SHORT, "{preference}");
    }
}

#[actix_web::test]
async fn a_standard_keys_material_is_shown_where_it_is_asked_for_and_a_root_keys_never() {
    let kp = Harness::frozen_at(NOON).await;
    let payload = base64_of([7; 32]);
    for (extractable, given) in [(true, None), (true, Some(&payload)), (false, None), (false, Some(&payload))] {
        let mut resource = json!({ "name": "material", "extractable": extractable });
        if let Some(given) = given {
            resource["payload"] = json!(given);
        }
        let call = kp.post("/api/v2/keys").header("prefer", "return=representation").json(&creation(&resource));
        let full = call.send().await.resource(201);
        let id = full["id"].as_str().unwrap();
        let got = kp.get(&format!("/api/v2/keys/{id}")).send().await.resource(200);
        assert_eq!(full.get("payload").is_some(), extractable);
        assert_eq!(got.get("payload"), full.get("payload"));
        if let (true, Some(given)) = (extractable, given) {
            assert_eq!(&got["payload"], given);
        }
        assert!(kp.metadata(id).await.get("payload").is_none());
        assert!(kp.try_create(&resource).await.resource(201).get("payload").is_none());
        assert_eq!(full["imported"], given.is_some());
    }
    assert!(!kp.list("").await.to_string().contains("payload"));
}

#[actix_web::test]
async fn a_key_is_a_standard_key_unless_it_says_otherwise_and_its_material_has_32_bytes() {
    let kp = Harness::frozen_at(NOON).await;
    let id = kp.create(&json!({ "name": "untold" })).await;
    let key = kp.get(&format!("/api/v2/keys/{id}")).send().await.resource(200);
    assert_eq!(key["extractable"], true);
    assert_eq!(crate::harness::words::bytes_of(key["payload"].as_str().unwrap()).len(), 32);
    assert_eq!(key["algorithmBitSize"], 256);
    assert!(key.get("keyVersion").is_none());
}

#[actix_web::test]
async fn the_bit_size_of_an_imported_key_is_that_of_its_material() {
    let kp = Harness::frozen_at(NOON).await;
    for (bytes, bits) in [(16, 128), (24, 192), (32, 256)] {
        let key = kp.metadata(&kp.import_root_key("imported", &base64_of(vec![1; bytes])).await).await;
        assert_eq!(key["algorithmBitSize"], bits);
        assert_eq!(key["algorithmMetadata"]["bitLength"], bits.to_string());
        assert_eq!(key["imported"], true);
    }
    let id = kp.create(&json!({ "name": "standard", "payload": base64_of([1; 5]) })).await;
    assert_eq!(kp.metadata(&id).await["algorithmBitSize"], 40);
}

#[actix_web::test]
async fn material_has_the_lengths_that_the_kind_of_key_allows() {
    let kp = Harness::frozen_at(NOON).await;
    for bytes in [1, 15, 17, 23, 25, 31, 33, 64] {
        refused_field(&kp, &root(&json!({ "payload": base64_of(vec![1; bytes]) })), "payload").await;
    }
    for bytes in [1, 15, 7_499, 7_500] {
        kp.create(&json!({ "name": "standard", "payload": base64_of(vec![1; bytes]) })).await;
    }
    refused_field(&kp, &json!({ "name": "standard", "payload": base64_of(vec![1; 7_501]) }), "payload").await;
}

#[actix_web::test]
async fn material_that_is_not_padded_base64_of_the_standard_alphabet_is_refused() {
    let kp = Harness::frozen_at(NOON).await;
    let good = base64_of([0xfb; 16]);
    for wrong in ["not base64!", good.trim_end_matches('='), &good.replace('+', "-"), " ", "===="] {
        refused_field(&kp, &root(&json!({ "payload": wrong })), "payload").await;
        refused_field(&kp, &json!({ "name": "standard", "payload": wrong }), "payload").await;
    }
    kp.create(&root(&json!({ "payload": good }))).await;
}

#[actix_web::test]
async fn an_empty_payload_is_a_bad_body_and_null_is_none() {
    let kp = Harness::frozen_at(NOON).await;
    kp.try_create(&root(&json!({ "payload": "" }))).await.refused(400, "BAD_BODY_ERR");
    let nothing = json!({
        "payload": null, "description": null, "aliases": null, "tags": null, "expirationDate": null, "iv": null,
        "encryptedNonce": null, "encryptionAlgorithm": null,
    });
    let key = kp.try_create(&root(&nothing)).await.resource(201);
    assert_eq!(members(&key), SHORT);
    assert_eq!(key["imported"], false);
}

#[actix_web::test]
async fn names_have_2_to_90_characters_without_control_characters() {
    let kp = Harness::frozen_at(NOON).await;
    let [shortest, longest, wide, long_wide] = ["ab".to_owned(), "n".repeat(90), "ü".repeat(90), "ü".repeat(91)];
    for name in [&shortest, &longest, &wide, "two words", "<&>\"'\\", "🔑🔑"] {
        assert_eq!(kp.try_create(&json!({ "name": name })).await.resource(201)["name"], *name);
    }
    for name in ["", "n", "🔑", &"n".repeat(91), &long_wide, "a\u{0}b", "a\nb", "a\u{7f}b", "a\u{85}b"] {
        refused_field(&kp, &json!({ "name": name }), "name").await;
    }
    refused_field(&kp, &json!({ "extractable": false }), "name").await;
    refused_field(&kp, &json!({ "name": null }), "name").await;
    let reply = kp.try_create(&json!({ "name": "n" })).await;
    let wanted = "Bad Request: Key could not be created: Please see `reasons` for more details (INVALID_FIELD_ERR)";
    assert_eq!(reply.error_msg(), wanted);
}

#[actix_web::test]
async fn two_keys_may_have_one_name() {
    let kp = Harness::frozen_at(NOON).await;
    assert_ne!(kp.create_root_key("twin").await, kp.create_root_key("twin").await);
    assert_eq!(kp.names("").await, ["twin", "twin"]);
}

#[actix_web::test]
async fn descriptions_have_2_to_240_characters() {
    let kp = Harness::frozen_at(NOON).await;
    for description in ["ab", &"d".repeat(240), &"ü".repeat(240)] {
        let key = kp.try_create(&root(&json!({ "description": description }))).await.resource(201);
        assert_eq!(key["description"], *description);
    }
    for description in ["", "d", &"d".repeat(241), "two\nlines"] {
        refused_field(&kp, &root(&json!({ "description": description })), "description").await;
    }
}

#[actix_web::test]
async fn tags_are_up_to_30_of_up_to_30_characters_without_separators() {
    let kp = Harness::frozen_at(NOON).await;
    let many: Vec<String> = (0..30).map(|number| format!("tag {number}")).collect();
    for tags in [json!([]), json!([""]), json!(["t".repeat(30)]), json!(["ü".repeat(30)]), json!(many)] {
        let key = kp.try_create(&root(&json!({ "tags": tags }))).await.resource(201);
        let shown = key.get("tags").cloned().unwrap_or_else(|| json!([]));
        assert_eq!(shown, tags);
    }
    let more: Vec<String> = (0..31).map(|number| format!("tag {number}")).collect();
    for tags in [json!(["t".repeat(31)]), json!(more), json!(["a\u{1}b"])] {
        refused_field(&kp, &root(&json!({ "tags": tags })), "tags").await;
    }
    for forbidden in ['<', '>', ',', ':', '&', '|'] {
        refused_field(&kp, &root(&json!({ "tags": [format!("a{forbidden}b")] })), "tags").await;
    }
}

#[actix_web::test]
async fn fields_are_read_in_any_case_and_the_last_spelling_wins() {
    let kp = Harness::frozen_at(NOON).await;
    let body = r#"{"METADATA":{"CollectionType":"application/vnd.ibm.kms.key+json","collectiontotal":1},
        "Resources":[{"NAME":"first","name":"last","Extractable":false,"Tags":["from go"],"Payload":null,
        "aliases":["one"],"Aliases":["two"],"unknown":{"x":[1]}}]}"#;
    let key = kp.post("/api/v2/keys").raw(body).send().await.resource(201);
    assert_eq!(key["name"], "last");
    assert_eq!(key["tags"], json!(["from go"]));
    assert_eq!(key["aliases"], json!(["two"]));
    assert_eq!(key["extractable"], false);
}

#[actix_web::test]
async fn expiration_dates_are_instants_of_rfc_3339_in_the_future() {
    let kp = Harness::frozen_at(NOON).await;
    let accepted = [
        ("2026-01-01T12:00:01Z", "2026-01-01T12:00:01Z"),
        ("2026-06-01T12:00:00.000Z", "2026-06-01T12:00:00Z"),
        ("2026-06-01T12:00:00.123456789Z", "2026-06-01T12:00:00Z"),
        ("2026-06-01T14:30:00+02:30", "2026-06-01T12:00:00Z"),
        ("2026-06-01T07:00:00.5-05:00", "2026-06-01T12:00:00Z"),
    ];
    for (given, shown) in accepted {
        let key = kp.try_create(&root(&json!({ "expirationDate": given }))).await.resource(201);
        assert_eq!(key["expirationDate"], shown, "{given}");
    }
    let refused = [
        NOON,
        "2026-01-01T11:59:59Z",
        "2026-01-01T13:00:00+02:00",
        "2026-06-01",
        "2026-06-01T12:00:00",
        "2026-13-01T12:00:00Z",
        "1780315200",
        "tomorrow",
    ];
    for given in refused {
        refused_field(&kp, &root(&json!({ "expirationDate": given })), "expirationDate").await;
    }
}

#[actix_web::test]
async fn aliases_have_a_form_and_reserved_words() {
    let kp = Harness::frozen_at(NOON).await;
    let longest = "a".repeat(90);
    let fine = json!({ "aliases": ["ab", "A_b-9", "--", longest, "a.b".replace('.', "-")] });
    let key = kp.try_create(&root(&fine)).await.resource(201);
    assert_eq!(key["aliases"], fine["aliases"]);
    let too_long = "a".repeat(91);
    let wrong = ["", "a", &too_long, "two words", "a.b", "a/b", "ü-ber", "1b4e28ba-2fa1-4d2e-883f-0016d3cca427"];
    for alias in wrong {
        refused_field(&kp, &root(&json!({ "aliases": [alias] })), "aliases").await;
    }
    let reserved = "allowed_ip key keys metadata policy policies registration registrations ring rings rotate wrap unwrap \
                    rewrap version versions";
    for alias in reserved.split(' ') {
        refused_field(&kp, &root(&json!({ "aliases": ["fine", alias] })), "aliases").await;
    }
}

#[actix_web::test]
async fn a_sixth_alias_is_too_many_and_no_key_is_created() {
    let kp = Harness::frozen_at(NOON).await;
    let six = json!({ "aliases": ["a1", "a2", "a3", "a4", "a5", "a6"] });
    kp.try_create(&root(&six)).await.refused(409, "KEY_ALIAS_QUOTA_ERR");
    assert_eq!(kp.total("").await, "0");
    let five = json!({ "aliases": ["a1", "a2", "a3", "a4", "a5"] });
    kp.create(&root(&five)).await;
}

#[actix_web::test]
async fn a_taken_alias_is_refused_and_no_key_is_created() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create(&root(&json!({ "aliases": ["taken"] }))).await;
    for _ in 0..2 {
        let reply = kp.try_create(&root(&json!({ "aliases": ["free", "taken"] }))).await;
        reply.refused(409, "KEY_ALIAS_NOT_UNIQUE_ERR");
        assert!(reply.error_msg().starts_with("Conflict: Key could not be created: "), "{}", reply.error_msg());
    }
    kp.try_create(&root(&json!({ "aliases": ["twice", "twice"] }))).await.refused(409, "KEY_ALIAS_NOT_UNIQUE_ERR");
    assert_eq!(kp.total("").await, "1");
    kp.get("/api/v2/keys/free/metadata").send().await.refused(404, "KEY_NOT_FOUND_ERR");
    kp.create(&root(&json!({ "aliases": ["free", "Taken"] }))).await;
    kp.delete_key(&key).await.succeeds(204);
    kp.try_create(&root(&json!({ "aliases": ["taken"] }))).await.refused(409, "KEY_ALIAS_NOT_UNIQUE_ERR");
    kp.advance("4h").await;
    kp.purge(&key).await.succeeds(204);
    kp.create(&root(&json!({ "aliases": ["taken"] }))).await;
}

#[actix_web::test]
async fn a_missing_body_is_told_apart_from_a_bad_one() {
    let kp = Harness::frozen_at(NOON).await;
    for path in ["/api/v2/keys", "/api/v2/keys_with_policy_overrides"] {
        for body in ["", "null"] {
            let reply = kp.post(path).raw(body).send().await;
            assert_eq!(reply.refused(400, "NO_BODY_ERR")["message"], "Missing body in request");
        }
        for body in ["{", "[]", "1", "\"a\"", "{} {}", "{'a':1}"] {
            kp.post(path).raw(body).send().await.refused(400, "BAD_BODY_ERR");
        }
    }
}

#[actix_web::test]
async fn an_envelope_has_its_metadata_and_one_resource() {
    let kp = Harness::frozen_at(NOON).await;
    let fine = root(&json!({}));
    let metadata = json!({ "collectionType": KEY, "collectionTotal": 1 });
    let empty = ": CollectionMetadata is empty";
    refused_body(&kp, &json!({ "resources": [fine] }), empty).await;
    refused_body(&kp, &json!({ "metadata": {}, "resources": [fine] }), empty).await;
    refused_body(&kp, &json!({ "metadata": null, "resources": [fine] }), empty).await;
    refused_body(&kp, &json!({}), empty).await;
    refused_body(&kp, &json!({ "metadata": metadata }), "").await;
    refused_body(&kp, &json!({ "metadata": metadata, "resources": [] }), "").await;
    refused_body(&kp, &json!({ "metadata": metadata, "resources": null }), "").await;
    let two = json!({ "metadata": { "collectionType": KEY, "collectionTotal": 2 }, "resources": [fine, fine] });
    refused_body(&kp, &two, ": Only creation of one key per request is supported").await;
    let other = json!({ "collectionType": "application/vnd.ibm.kms.policy+json", "collectionTotal": 1 });
    refused_body(&kp, &json!({ "metadata": other, "resources": [fine] }), "").await;
    assert_eq!(kp.total("").await, "0");
}

#[actix_web::test]
async fn a_total_that_does_not_fit_is_refused() {
    let kp = Harness::frozen_at(NOON).await;
    for total in [0, 2, -1] {
        let metadata = json!({ "collectionType": KEY, "collectionTotal": total });
        let body = json!({ "metadata": metadata, "resources": [root(&json!({}))] });
        let reply = kp.post("/api/v2/keys").json(&body).send().await;
        let reason = reply.refused(400, "COLLECTION_TOTAL_MISMATCH_ERR");
        assert_eq!(reason["message"], "Collection total does not match number of resources");
    }
}

#[actix_web::test]
async fn members_of_a_wrong_type_are_a_bad_body() {
    let kp = Harness::frozen_at(NOON).await;
    let wrong = json!({
        "name": 1, "extractable": "false", "description": [], "aliases": "a", "tags": {}, "expirationDate": 1_780_315_200,
        "payload": true, "iv": 1, "encryptedNonce": {}, "type": 1,
    });
    for (name, value) in wrong.as_object().unwrap() {
        kp.try_create(&root(&json!({ name: value }))).await.refused(400, "BAD_BODY_ERR");
    }
    for (name, value) in [("aliases", json!([1])), ("tags", json!([null]))] {
        kp.try_create(&root(&json!({ name: value }))).await.refused(400, "BAD_BODY_ERR");
    }
    assert_eq!(kp.total("").await, "0");
}

#[actix_web::test]
async fn a_sealed_payload_needs_an_import_token_and_all_its_parts() {
    let kp = Harness::frozen_at(NOON).await;
    let sealed = json!({
        "payload": base64_of(vec![1; 512]), "encryptedNonce": base64_of([2; 28]), "iv": base64_of([3; 12]),
        "encryptionAlgorithm": "RSAES_OAEP_SHA_256",
    });
    let reply = kp.try_create(&root(&sealed)).await;
    assert_eq!(reply.refused(409, "IMPORT_TOKEN_EXPIRED_ERR")["message"], "The import token has expired");
    for alone in ["encryptedNonce", "iv"] {
        let half = root(&json!({ "payload": base64_of([1; 16]), alone: base64_of([2; 12]) }));
        kp.try_create(&half).await.refused(400, "INVALID_FIELD_ERR");
    }
    let mut hpcs = sealed.clone();
    hpcs["encryptionAlgorithm"] = json!("RSAES_OAEP_SHA_1");
    refused_field(&kp, &root(&hpcs), "encryptionAlgorithm").await;
    let mut standard = root(&sealed);
    standard["extractable"] = json!(true);
    kp.try_create(&standard).await.refused(400, "INVALID_FIELD_ERR");
    assert_eq!(kp.total("").await, "0");
}

#[actix_web::test]
async fn a_key_is_born_in_the_ring_that_the_header_names() {
    let kp = Harness::frozen_at(NOON).await;
    let fine = creation(&root(&json!({})));
    let reply = kp.post("/api/v2/keys").header("x-kms-key-ring", "default").json(&fine).send().await;
    assert_eq!(reply.resource(201)["keyRingID"], "default");
    let reply = kp.post("/api/v2/keys").header("x-kms-key-ring", "no-such-ring").json(&fine).send().await;
    reply.refused(404, "KEY_RING_NOT_FOUND_ERR");
    assert!(reply.error_msg().starts_with("Not Found: Key could not be created: "), "{}", reply.error_msg());
    assert_eq!(kp.total("").await, "1");
}

#[actix_web::test]
async fn a_key_with_policies_of_its_own_shows_them_at_once() {
    let kp = Harness::frozen_at(NOON).await;
    let both = json!({ "rotation": { "interval_month": 3 }, "dualAuthDelete": { "enabled": true } });
    let key = kp.try_create_with_policies(&root(&both)).await.resource(201);
    let mut wanted: Vec<&str> = SHORT.iter().copied().chain(["dualAuthDelete", "rotation"]).collect();
    wanted.sort_unstable();
    assert_eq!(members(&key), wanted);
    assert_eq!(key["rotation"], json!({ "enabled": true, "interval_month": 3 }));
    assert_eq!(key["dualAuthDelete"], json!({ "enabled": true, "keySetForDeletion": false }));
    let plain = kp.try_create_with_policies(&root(&json!({}))).await.resource(201);
    assert_eq!(members(&plain), SHORT);
    let off = json!({ "rotation": { "enabled": false, "interval_month": 12 }, "dualAuthDelete": { "enabled": false } });
    let key = kp.try_create_with_policies(&root(&off)).await.resource(201);
    assert_eq!(key["rotation"], json!({ "enabled": false, "interval_month": 12 }));
    assert_eq!(key["dualAuthDelete"], json!({ "enabled": false }));
}

#[actix_web::test]
async fn plain_creation_gives_no_policies() {
    let kp = Harness::frozen_at(NOON).await;
    let both = json!({ "rotation": { "interval_month": 3 }, "dualAuthDelete": { "enabled": true } });
    let key = kp.create(&root(&both)).await;
    let seen = kp.metadata(&key).await;
    assert!(seen.get("rotation").is_none(), "{seen}");
    assert_eq!(seen["dualAuthDelete"], json!({ "enabled": false }));
}

#[actix_web::test]
async fn a_policy_that_does_not_fit_the_key_is_refused_and_nothing_is_created() {
    let kp = Harness::frozen_at(NOON).await;
    for interval in [json!(0), json!(-1), json!(13), json!(1.5), json!("3"), Value::Null] {
        let resource = root(&json!({ "rotation": { "interval_month": interval } }));
        let reply = kp.try_create_with_policies(&resource).await;
        let reason = reply.refused(400, "INVALID_FIELD_ERR");
        assert_eq!(reason["target"], json!({ "type": "field", "name": "interval_month" }), "{interval}");
        let message = "The field `interval_month` must be: an integer between 1 and 12 (inclusive)";
        assert_eq!(reason["message"], message);
    }
    let standard = json!({ "name": "standard", "extractable": true, "rotation": { "interval_month": 3 } });
    let reason = kp.try_create_with_policies(&standard).await.refused(400, "KEY_ROOT_REQ_ERR");
    let message =
        "Requested action can only be completed with a root key: Rotation policy cannot be set on a standard key";
    assert_eq!(reason["message"], message);
    let imported = root(&json!({ "payload": base64_of([1; 32]), "rotation": { "interval_month": 3 } }));
    kp.try_create_with_policies(&imported).await.refused(400, "KEY_PAYLOAD_REQ_ERR");
    assert_eq!(kp.total("").await, "0");
    for months in [1, 12] {
        let resource = root(&json!({ "rotation": { "enabled": true, "interval_month": months } }));
        kp.try_create_with_policies(&resource).await.succeeds(201);
    }
}

#[actix_web::test]
async fn a_standard_key_may_take_two_people_to_delete() {
    let kp = Harness::frozen_at(NOON).await;
    let resource = json!({ "name": "standard", "extractable": true, "dualAuthDelete": { "enabled": true } });
    let id = id_of(&kp.try_create_with_policies(&resource).await.succeeds(201));
    kp.delete_key(&id).await.refused(409, "AUTHORIZATIONS_NOT_MET");
}

#[actix_web::test]
async fn a_member_of_the_wrong_type_is_named() {
    let kp = Harness::new().await;
    for (member, value, spelled) in [
        ("extractable", json!("false"), "extractable"),
        ("name", json!(5), "name"),
        ("tags", json!("a,b"), "tags"),
        ("ExpirationDate", json!(1_767_225_600), "expirationDate"),
    ] {
        let mut wanted = json!({ "name": "invoices", "extractable": false });
        wanted[member] = value;
        let reason = kp.try_create(&wanted).await.refused(400, "BAD_BODY_ERR");
        let message = reason["message"].as_str().unwrap();
        assert!(message.contains(&format!("The field `{spelled}` must be: ")), "{message}");
    }
}
