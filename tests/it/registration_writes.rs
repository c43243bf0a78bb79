//! Registrations as services write them: made, replaced, changed, deleted; entity tags, refusals, records.

use serde_json::{Value, json};

use crate::harness::grants::registration;
use crate::harness::words::encoded;
use crate::harness::{Call, Harness, Reply};

const NOON: &str = "2026-01-01T12:00:00Z";
const NOBODY: &str = "6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa";

/// A key, a token of the storage instance, and the path of a bucket's registration.
struct Scene {
    kp: Harness,
    key: String,
    token: String,
    path: String,
}

impl Scene {
    async fn new() -> Self {
        let kp = Harness::frozen_at(NOON).await;
        let key = kp.create_root_key("for buckets").await;
        let token = kp.reader_token().await;
        let path = Harness::registration_path(&key, &kp.bucket("ledger"));
        Self { kp, key, token, path }
    }

    async fn with(&self, call: Call<'_>, fields: &Value) -> Reply {
        call.bearer(&self.token).json(&registration(fields)).send().await
    }

    fn post(&self) -> Call<'_> {
        self.kp.post(&self.path).bearer(&self.token)
    }

    async fn put(&self, fields: &Value) -> Reply {
        self.with(self.kp.put(&self.path), fields).await
    }

    async fn patch(&self, fields: &Value) -> Reply {
        self.with(self.kp.patch(&self.path), fields).await
    }

    async fn shown(&self) -> Value {
        let list = self.kp.get(&format!("/api/v2/keys/{}/registrations", self.key)).bearer(&self.token).send().await;
        list.resource(200)
    }
}

fn etag(reply: &Reply) -> String {
    reply.header("etag").expect("an ETag").to_owned()
}

#[actix_web::test]
async fn a_body_is_optional_for_a_new_registration() {
    for body in ["", "null", "{}", " "] {
        let scene = Scene::new().await;
        let one = scene.post().raw(body).send().await.resource(201);
        assert_eq!(one["preventKeyDeletion"], false, "{body:?}");
        assert_eq!(one["keyVersion"]["id"], scene.key);
    }
}

#[actix_web::test]
async fn a_new_registration_protects_with_the_newest_version() {
    let scene = Scene::new().await;
    let (kp, key) = (&scene.kp, &scene.key);
    kp.rotate(key).await.succeeds(204);
    let newest = kp.metadata(key).await["keyVersion"].clone();
    assert_eq!(scene.post().send().await.resource(201)["keyVersion"], newest);
    let named = json!({ "keyVersionId": key });
    assert_eq!(kp.register(key, "older", &named).await.resource(201)["keyVersion"]["id"], *key);
}

#[actix_web::test]
async fn the_crn_may_be_encoded_once_or_twice_and_in_either_case() {
    let scene = Scene::new().await;
    let (kp, key) = (&scene.kp, &scene.key);
    let once = |name: &str| encoded(&kp.bucket(name));
    let lower = |text: String| text.replace("%3A", "%3a").replace("%2F", "%2f");
    let forms = [
        ("a", once("a")),
        ("b", lower(once("b"))),
        ("c", encoded(&once("c"))),
        ("d", encoded(&lower(once("d")))),
        ("e", kp.bucket("e").replace('/', "%2F")),
    ];
    for (name, form) in forms {
        let path = format!("/api/v2/keys/{key}/registrations/{form}");
        let one = kp.post(&path).bearer(&scene.token).send().await.resource(201);
        assert_eq!(one["resourceCrn"], kp.bucket(name), "{form}");
        kp.delete(&path).bearer(&scene.token).send().await.succeeds(204);
    }
}

#[actix_web::test]
async fn a_key_may_be_named_by_its_alias() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    kp.post(&format!("/api/v2/keys/{}/aliases/ledgers", scene.key)).send().await.succeeds(201);
    let path = Harness::registration_path("ledgers", &kp.bucket("ledger"));
    let one = kp.post(&path).bearer(&scene.token).send().await.resource(201);
    assert_eq!(one["keyId"], scene.key);
}

#[actix_web::test]
async fn a_replacement_says_all_and_an_update_what_changes() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    let first = json!({ "description": "first", "registrationMetadata": "note", "preventKeyDeletion": true });
    scene.with(kp.post(&scene.path), &first).await.succeeds(201);
    kp.advance("1h").await;
    let updated = scene.patch(&json!({ "description": "second" })).await.resource(200);
    assert_eq!(updated["description"], "second");
    assert_eq!(updated["registrationMetadata"], "note");
    assert_eq!(updated["preventKeyDeletion"], true);
    assert_eq!(updated["creationDate"], "2026-01-01T12:00:00Z");
    assert_eq!(updated["lastUpdated"], "2026-01-01T13:00:00Z");
    let whole = json!({
        "description": "", "registrationMetadata": "", "preventKeyDeletion": false, "keyVersionId": scene.key,
    });
    for missing in ["description", "registrationMetadata", "preventKeyDeletion", "keyVersionId"] {
        let mut part = whole.clone();
        part.as_object_mut().unwrap().remove(missing);
        let reason = scene.put(&part).await.refused(400, "INVALID_FIELD_ERR");
        assert_eq!(reason["target"], json!({ "type": "field", "name": missing }));
    }
    assert_eq!(scene.shown().await, updated);
    let replaced = scene.put(&whole).await.resource(200);
    assert_eq!((&replaced["description"], &replaced["preventKeyDeletion"]), (&json!(""), &json!(false)));
    assert_eq!(scene.shown().await, replaced);
}

#[actix_web::test]
async fn the_registered_version_may_get_newer_but_not_older() {
    let scene = Scene::new().await;
    let (kp, key) = (&scene.kp, &scene.key);
    scene.post().send().await.succeeds(201);
    kp.rotate(key).await.succeeds(204);
    let second = kp.metadata(key).await["keyVersion"]["id"].clone();
    assert_eq!(scene.shown().await["keyVersion"]["id"], *key);
    scene.patch(&json!({ "keyVersionId": key })).await.succeeds(200);
    let moved = scene.patch(&json!({ "keyVersionId": second })).await.resource(200);
    assert_eq!(moved["keyVersion"], kp.metadata(key).await["keyVersion"]);
    scene.patch(&json!({ "keyVersionId": second })).await.succeeds(200);
    for wrong in [json!(key), json!(NOBODY)] {
        let reply = scene.patch(&json!({ "keyVersionId": wrong })).await;
        let reason = reply.refused(422, "KEY_VERSION_INVALID");
        let text = "This request requires that the key version is later than current registration key version";
        assert_eq!(reason["message"], text);
    }
    let other = kp.create_root_key("another").await;
    scene.patch(&json!({ "keyVersionId": other })).await.refused(422, "KEY_VERSION_INVALID");
    assert_eq!(scene.shown().await["keyVersion"]["id"], second);
    let create = kp.register(key, "second", &json!({ "keyVersionId": NOBODY })).await;
    create.refused(422, "KEY_VERSION_INVALID");
}

#[actix_web::test]
async fn entity_tags_guard_changes() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    let made = scene.post().send().await;
    let tag = etag(&made);
    assert!(tag.starts_with("W/\"") && tag.ends_with('"'), "{tag}");
    let list = kp.get(&format!("/api/v2/keys/{}/registrations", scene.key)).bearer(&scene.token).send().await;
    assert_eq!(etag(&list), tag);
    let change = async |tag: &str, text: &str| {
        let call = kp.patch(&scene.path).header("if-match", tag);
        scene.with(call, &json!({ "description": text })).await
    };
    let before = scene.shown().await;
    for wrong in ["\"nothing\"", "W/\"a\", \"b\"", ""] {
        let reply = change(wrong, "changed").await;
        assert!(reply.refused_bare(412).starts_with("Precondition Failed"), "{wrong}");
    }
    assert_eq!(scene.shown().await, before);
    let second = etag(&change(&tag, "changed").await);
    assert_ne!(second, tag);
    let strong = second.trim_start_matches("W/").to_owned();
    let third = etag(&change(&format!("\"x\", {strong}"), "changed").await);
    assert_ne!(third, second, "each change makes another one");
    assert!(change(&second, "late").await.status == 412);
    change("*", "any").await.succeeds(200);
    let whole = json!({
        "description": "", "registrationMetadata": "", "preventKeyDeletion": false, "keyVersionId": scene.key,
    });
    let call = kp.put(&scene.path).header("if-match", &third);
    assert_eq!(scene.with(call, &whole).await.status, 412);
    scene.put(&whole).await.succeeds(200);
}

#[actix_web::test]
async fn deletion_answers_as_preferred() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    let delete = || kp.delete(&scene.path).bearer(&scene.token);
    for (prefer, status) in [("return=minimal", 204), ("other", 204), ("return=representation", 200)] {
        let made = scene.post().send().await;
        let reply = delete().header("prefer", prefer).send().await;
        reply.succeeds(status);
        if status == 200 {
            assert_eq!(reply.json(), made.json());
            assert_eq!(etag(&reply), etag(&made));
        }
    }
    let reply = delete().send().await;
    assert_eq!(
        reply.refused(404, "REGISTRATION_NOT_FOUND_ERR")["message"],
        "The resource is not registered with this key"
    );
    scene.patch(&json!({})).await.refused(404, "REGISTRATION_NOT_FOUND_ERR");
}

#[actix_web::test]
async fn a_resource_is_registered_once_with_a_key_and_with_as_many_keys_as_may_be() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    scene.post().send().await.succeeds(201);
    scene.post().send().await.refused(409, "REGISTRATION_EXISTS_ERR");
    let second = kp.create_root_key("second").await;
    kp.register(&second, "ledger", &json!({})).await.succeeds(201);
    let all = kp.get("/api/v2/keys/registrations").send().await.succeeds(200);
    assert_eq!(all["metadata"]["collectionTotal"], 2);
}

#[actix_web::test]
async fn only_services_write_and_only_for_their_own_resources() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    scene.post().send().await.succeeds(201);
    let other = kp.granted(1, &["Reader"], &[]).await;
    let stranger = kp.service_token(&kp.adopter(2)).await;
    let whole = registration(&json!({
        "description": "", "registrationMetadata": "", "preventKeyDeletion": true, "keyVersionId": scene.key,
    }));
    let calls = || {
        [
            kp.post(&scene.path),
            kp.put(&scene.path).json(&whole),
            kp.patch(&scene.path).json(&whole),
            kp.delete(&scene.path),
        ]
    };
    for call in calls() {
        let reason = call.send().await.refused(403, "SERVICE_ONLY_ERR");
        assert_eq!(reason["message"], "This action can only be done by a service (service to service)");
    }
    for call in calls() {
        let reason = call.bearer(&other).send().await.refused(403, "RESOURCE_OWNER_ERR");
        assert_eq!(reason["message"], "The resource(s) queried does not belong to the service");
    }
    for call in calls() {
        call.bearer(&stranger).send().await.unauthorized();
    }
    assert_eq!(scene.shown().await["preventKeyDeletion"], false);
    let record = &kp.audit("action=kms.registrations.create&outcome=failure").await[0];
    assert_eq!(record["reason"]["reasonCode"], 401, "{record}");
    assert_eq!(record["severity"], "critical");
}

#[actix_web::test]
async fn faults_of_path_and_body_are_the_callers_mistake() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    let bucket = kp.bucket("ledger");
    for crn in ["ledger", "crn:v1:bluemix", &bucket.replace("ledger", "l*"), &format!("{bucket}:more")] {
        let path = Harness::registration_path(&scene.key, crn);
        let reason = kp.post(&path).bearer(&scene.token).send().await.refused(400, "INVALID_FIELD_ERR");
        assert_eq!(reason["target"]["name"], "urlEncodedResourceCRN", "{crn}");
    }
    let kind = "application/vnd.ibm.kms.registration_input+json";
    let body = |metadata: Value, resources: Value| json!({ "metadata": metadata, "resources": resources });
    let metadata = json!({ "collectionType": kind, "collectionTotal": 1 });
    for (body, code) in [
        (json!({ "resources": [{}] }), "BAD_BODY_ERR"),
        (body(json!({ "collectionType": "x", "collectionTotal": 1 }), json!([{}])), "BAD_BODY_ERR"),
        (body(metadata.clone(), json!([])), "BAD_BODY_ERR"),
        (body(metadata.clone(), json!([{}, {}])), "BAD_BODY_ERR"),
        (body(json!({ "collectionType": kind, "collectionTotal": 2 }), json!([{}])), "COLLECTION_TOTAL_MISMATCH_ERR"),
        (body(metadata.clone(), json!([{ "preventKeyDeletion": "yes" }])), "BAD_BODY_ERR"),
        (body(metadata.clone(), json!([{ "description": "x".repeat(1_001) }])), "INVALID_FIELD_ERR"),
        (body(metadata.clone(), json!([{ "registrationMetadata": "\u{0}" }])), "INVALID_FIELD_ERR"),
        (body(metadata.clone(), json!([{ "keyVersionId": "newest" }])), "INVALID_FIELD_ERR"),
    ] {
        scene.post().json(&body).send().await.refused(400, code);
    }
    scene.post().raw("{").send().await.refused(400, "BAD_BODY_ERR");
    scene.post().send().await.succeeds(201);
    for call in [kp.put(&scene.path), kp.patch(&scene.path)] {
        call.bearer(&scene.token).send().await.refused(400, "NO_BODY_ERR");
    }
}

#[actix_web::test]
async fn only_active_root_keys_take_registrations_but_any_lets_them_go() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    let standard = kp.create_standard_key("standard").await;
    for name in ["a", "b"] {
        kp.register(&standard, name, &json!({})).await.refused(422, "KEY_ROOT_REQ_REG_ERR");
    }
    scene.post().send().await.succeeds(201);
    for name in ["a", "b"] {
        kp.register(&scene.key, name, &json!({})).await.succeeds(201);
    }
    let refused = async |state: &str| {
        kp.register(&scene.key, "new", &json!({})).await.refused(422, "KEY_INVALID_STATE_ERR");
        let reply = scene.patch(&json!({ "description": state })).await;
        assert_eq!(reply.refused(422, "KEY_INVALID_STATE_ERR")["message"], "Key is not in a valid state");
    };
    let delete = |name: &str| kp.delete(&Harness::registration_path(&scene.key, &kp.bucket(name))).bearer(&scene.token);
    kp.disable(&scene.key).await.succeeds(204);
    refused("suspended").await;
    delete("a").send().await.succeeds(204);
    kp.delete(&format!("/api/v2/keys/{}?force=true", scene.key)).send().await.succeeds(204);
    refused("destroyed").await;
    delete("b").send().await.succeeds(204);
    assert_eq!(scene.shown().await["resourceCrn"], kp.bucket("ledger"));
    kp.register(NOBODY, "a", &json!({})).await.refused(404, "KEY_NOT_FOUND_ERR");
}

#[actix_web::test]
async fn writes_leave_records_of_what_changed() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    let key = scene.key.as_str();
    scene.with(kp.post(&scene.path), &json!({ "preventKeyDeletion": true })).await.succeeds(201);
    scene.patch(&json!({ "description": "x" })).await.succeeds(200);
    let whole = json!({
        "description": "", "registrationMetadata": "secret note", "preventKeyDeletion": false, "keyVersionId": key,
    });
    scene.put(&whole).await.succeeds(200);
    kp.delete(&scene.path).bearer(&scene.token).send().await.succeeds(204);
    let record = async |action: &str| kp.audit(&format!("action=kms.registrations.{action}")).await[0].clone();
    let created = record("create").await;
    assert_eq!(created["requestData"]["preventKeyDeletion"], true, "{created}");
    assert_eq!(created["responseData"]["keyVersionId"], key);
    assert_eq!(created["reason"]["reasonCode"], 201);
    assert_eq!(created["severity"], "normal");
    assert_eq!(created["initiator"]["id"], format!("crn-{}", kp.info["cosInstanceCrn"].as_str().unwrap()));
    assert!(created["target"]["id"].as_str().unwrap().ends_with(&format!(":key:{key}")));
    let merged = record("merge").await;
    assert_eq!(merged["responseData"]["keyVersionId"], key);
    let written = record("write").await;
    assert_eq!(written["requestData"]["initialValue"], json!({ "preventKeyDeletion": true, "keyVersionId": key }));
    assert_eq!(written["requestData"]["newValue"], json!({ "preventKeyDeletion": false, "keyVersionId": key }));
    let deleted = record("delete").await;
    assert_eq!(deleted["requestData"]["preventKeyDeletion"], false);
    assert_eq!(deleted["severity"], "critical");
    for record in [created, merged, written, deleted] {
        assert!(!record.to_string().contains("secret note"));
    }
}

#[actix_web::test]
async fn the_first_fault_of_a_write_that_has_several_answers() {
    let scene = Scene::new().await;
    let kp = &scene.kp;
    let standard = kp.create_standard_key("standard").await;
    let foreign = kp.granted(1, &["Reader"], &[]).await;
    let call = |key: &str, crn: &str| kp.post(&Harness::registration_path(key, crn));
    let bucket = kp.bucket("ledger");
    call(NOBODY, "nonsense").raw("{").send().await.refused(403, "SERVICE_ONLY_ERR");
    call(NOBODY, "nonsense").bearer(&foreign).raw("{").send().await.refused(404, "KEY_NOT_FOUND_ERR");
    call(&standard, "nonsense").bearer(&foreign).raw("{").send().await.refused(400, "INVALID_FIELD_ERR");
    call(&standard, &bucket).bearer(&foreign).raw("{").send().await.refused(400, "BAD_BODY_ERR");
    call(&standard, &bucket).bearer(&foreign).send().await.refused(403, "RESOURCE_OWNER_ERR");
    call(&standard, &bucket).bearer(&scene.token).send().await.refused(422, "KEY_ROOT_REQ_REG_ERR");
    scene.post().send().await.succeeds(201);
    kp.disable(&scene.key).await.succeeds(204);
    scene.post().send().await.refused(422, "KEY_INVALID_STATE_ERR");
}
