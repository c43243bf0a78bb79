//! Client certificates of KMIP adapters: `docs/contract/policies.md` 8.

use serde_json::{Value, json};

use crate::harness::kmip::{ADAPTER, CERTIFICATE, certificate, envelope, ids, native};
use crate::harness::words::{is_uuid_v4, members};
use crate::harness::{Harness, Reply};

const NOON: &str = "2026-01-01T12:00:00.250Z";
const NOBODY: &str = "6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa";
const OWNER: &str = "IBMid-270005MKP0";

fn path(below: &str) -> String {
    format!("/api/v2/kmip_adapters/vsphere/certificates{below}")
}

async fn add(kp: &Harness, name: &str, pem: &str) -> Reply {
    kp.try_add_certificate("vsphere", &json!({ "name": name, "certificate": pem })).await
}

async fn list(kp: &Harness, query: &str) -> Value {
    let reply = kp.get(&path(&format!("?{query}"))).send().await;
    assert_eq!(reply.header("content-type"), Some(CERTIFICATE));
    reply.succeeds(200)
}

#[actix_web::test]
async fn a_new_certificate_is_answered_with_what_it_says() {
    let kp = Harness::with_adapter(NOON).await;
    let pem = include_str!("fixtures/kmip/rsa.pem");
    let reply = add(&kp, "vcenter", pem).await;
    let added = reply.resource(201);
    let id = added["id"].as_str().unwrap();
    assert!(is_uuid_v4(id), "{id}");
    let wanted = json!({ "id": id, "name": "vcenter", "certificate": pem, "created_at": NOON, "created_by": OWNER });
    assert_eq!(added, wanted);
    assert_eq!(reply.header("content-type"), Some(CERTIFICATE));
    for name in [id, "vcenter"] {
        assert_eq!(kp.get(&path(&format!("/{name}"))).send().await.resource(200), wanted);
    }
    let adapter = kp.adapter("vsphere").await["id"].as_str().unwrap().to_owned();
    let by_id = format!("/api/v2/kmip_adapters/{adapter}/certificates/{id}");
    assert_eq!(kp.get(&by_id).send().await.resource(200), wanted);
}

#[actix_web::test]
async fn a_list_leaves_out_what_certificates_say() {
    let kp = Harness::with_adapter(NOON).await;
    add(&kp, "vcenter", &certificate(1)).await.succeeds(201);
    let listed = list(&kp, "").await;
    assert_eq!(members(&listed["resources"][0]), ["created_at", "created_by", "id", "name"]);
    assert_eq!(listed["metadata"], json!({ "collectionType": CERTIFICATE, "collectionTotal": 1 }));
}

#[actix_web::test]
async fn all_usual_kinds_of_certificates_are_taken() {
    let kp = Harness::with_adapter(NOON).await;
    let kinds = [
        ("rsa", include_str!("fixtures/kmip/rsa.pem")),
        ("ec", include_str!("fixtures/kmip/ec.pem")),
        ("ed25519", include_str!("fixtures/kmip/ed25519.pem")),
        ("version-1", include_str!("fixtures/kmip/version_1.pem")),
        ("expired", include_str!("fixtures/kmip/expired.pem")),
    ];
    for (name, pem) in kinds {
        add(&kp, name, pem).await.succeeds(201);
    }
    let spread = format!("\n  {}\n\n", certificate(1).replace('\n', "\r\n"));
    assert_eq!(add(&kp, "spread", &spread).await.resource(201)["certificate"], spread);
}

#[actix_web::test]
async fn a_text_that_is_no_certificate_is_refused() {
    let kp = Harness::with_adapter(NOON).await;
    let good = certificate(1);
    let wrong = [
        "invalidPEM".to_owned(),
        String::new(),
        good.replace("BEGIN CERTIFICATE", "BEGIN PUBLIC KEY").replace("END CERTIFICATE", "END PUBLIC KEY"),
        good.replace("-----BEGIN CERTIFICATE-----\n", ""),
        good.replace("-----END CERTIFICATE-----\n", ""),
        format!("{good}{good}"),
        good.replacen("MII", "MI!", 1),
        good.replacen("MII", "AAA", 1),
        "-----BEGIN CERTIFICATE-----\naGVsbG8gd29ybGQ=\n-----END CERTIFICATE-----".to_owned(),
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----".to_owned(),
    ];
    for pem in &wrong {
        let reply = add(&kp, "vcenter", pem).await;
        let reason = reply.refused(400, "INVALID_FIELD_ERR");
        assert_eq!(reason["target"], json!({ "type": "field", "name": "certificate" }), "{pem}");
        let subject = "Bad Request: KMIP client certificate could not be created: ";
        assert!(reply.error_msg().starts_with(subject), "{}", reply.error_msg());
    }
    let missing = kp.try_add_certificate("vsphere", &json!({ "name": "vcenter" })).await;
    assert_eq!(missing.refused(400, "INVALID_FIELD_ERR")["target"]["name"], "certificate");
    let number = kp.try_add_certificate("vsphere", &json!({ "certificate": 7 })).await;
    number.refused(400, "BAD_BODY_ERR");
    assert!(ids(&list(&kp, "").await).is_empty());
    // Lines around it are no part of it.
    let told = format!("Certificate:\n    Data:\n{good}");
    add(&kp, "vcenter", &told).await.succeeds(201);
    add(&kp, "another", &good).await.refused(409, "KMIP_CERT_DUPLICATE_ERR");
}

#[actix_web::test]
async fn a_certificate_without_a_name_gets_one() {
    let kp = Harness::with_adapter(NOON).await;
    let added = kp.try_add_certificate("vsphere", &json!({ "certificate": certificate(1) })).await.resource(201);
    let name = added["name"].as_str().unwrap();
    assert!(name.starts_with("kmip_cert_") && name.len() <= 40, "{name}");
    assert_eq!(kp.get(&path(&format!("/{name}"))).send().await.resource(200)["id"], added["id"]);
}

#[actix_web::test]
async fn a_name_out_of_its_rules_is_refused() {
    let kp = Harness::with_adapter(NOON).await;
    for name in ["", "a", "a b", "a.b", &"n".repeat(41), NOBODY] {
        let reason = add(&kp, name, &certificate(1)).await.refused(400, "INVALID_FIELD_ERR");
        assert_eq!(reason["target"], json!({ "type": "field", "name": "name" }), "{name}");
    }
}

#[actix_web::test]
async fn an_envelope_of_another_kind_is_refused() {
    let kp = Harness::with_adapter(NOON).await;
    let brought = json!({ "name": "vcenter", "certificate": certificate(1) });
    kp.post(&path("")).json(&envelope(ADAPTER, &brought)).send().await.refused(400, "BAD_BODY_ERR");
    let mut several = envelope(CERTIFICATE, &brought);
    several["resources"] = json!([brought, brought]);
    kp.post(&path("")).json(&several).send().await.refused(400, "BAD_BODY_ERR");
    kp.post(&path("")).send().await.refused(400, "NO_BODY_ERR");
}

#[actix_web::test]
async fn a_certificate_is_in_one_adapter_of_a_region() {
    let kp = Harness::with_adapter(NOON).await;
    let key = kp.create_root_key("payments").await;
    kp.create_adapter("second", &key).await;
    add(&kp, "vcenter", &certificate(1)).await.succeeds(201);
    let again = certificate(1).replace('\n', "\r\n");
    for (adapter, name) in [("vsphere", "vcenter"), ("vsphere", "other"), ("second", "vcenter")] {
        let body = json!({ "name": name, "certificate": again });
        let reply = kp.try_add_certificate(adapter, &body).await;
        reply.refused(409, "KMIP_CERT_DUPLICATE_ERR");
        let subject = "Conflict: KMIP client certificate could not be created: ";
        assert!(reply.error_msg().starts_with(subject), "{}", reply.error_msg());
    }
    kp.delete(&path("/vcenter")).send().await.succeeds(204);
    kp.add_certificate("second", "vcenter", &again).await;
}

#[actix_web::test]
async fn other_regions_know_nothing_of_a_certificate() {
    let kp = Harness::with_adapter(NOON).await;
    add(&kp, "vcenter", &certificate(1)).await.succeeds(201);
    for (region, status) in [("us-south", 409), ("eu-de", 201)] {
        let instance = kp.create_instance(region).await;
        let body = crate::harness::keys::creation(&json!({ "name": "invoices", "extractable": false }));
        let key = kp.post("/api/v2/keys").header("bluemix-instance", &instance).json(&body).send().await;
        let adapter = native("vsphere", key.resource(201)["id"].as_str().unwrap());
        let call = kp.post("/api/v2/kmip_adapters").header("bluemix-instance", &instance);
        call.json(&envelope(ADAPTER, &adapter)).send().await.succeeds(201);
        let body = envelope(CERTIFICATE, &json!({ "name": "vcenter", "certificate": certificate(1) }));
        let reply = kp.post(&path("")).header("bluemix-instance", &instance).json(&body).send().await;
        assert_eq!(reply.status, status, "{region}");
    }
}

#[actix_web::test]
async fn a_name_belongs_to_one_certificate_of_the_adapter() {
    let kp = Harness::with_adapter(NOON).await;
    let key = kp.create_root_key("payments").await;
    kp.create_adapter("second", &key).await;
    add(&kp, "vcenter", &certificate(1)).await.succeeds(201);
    add(&kp, "vcenter", &certificate(2)).await.refused(409, "KMIP_CERT_DUPLICATE_NAME_ERR");
    kp.add_certificate("second", "vcenter", &certificate(2)).await;
    add(&kp, "vCenter", &certificate(3)).await.succeeds(201);
}

#[actix_web::test]
async fn an_adapter_has_two_hundred_certificates_at_most() {
    let kp = Harness::with_adapter(NOON).await;
    for number in 0..200 {
        add(&kp, &format!("c-{number}"), &certificate(number)).await.succeeds(201);
    }
    add(&kp, "one-more", &certificate(200)).await.refused(409, "KMIP_CERT_LIMIT_ERR");
    let page = list(&kp, "offset=198&limit=200&totalCount=true").await;
    let names: Vec<&str> =
        page["resources"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["c-198", "c-199"]);
    assert_eq!(page["metadata"]["totalCount"], 200);
    assert_eq!(ids(&list(&kp, "").await).len(), 100);
    kp.delete(&path("/c-7")).send().await.succeeds(204);
    add(&kp, "one-more", &certificate(200)).await.succeeds(201);
}

#[actix_web::test]
async fn query_parameters_out_of_their_rules_are_named() {
    let kp = Harness::with_adapter(NOON).await;
    for (query, name) in
        [("limit=0", "limit"), ("limit=201", "limit"), ("offset=x", "offset"), ("totalCount=yes", "totalCount")]
    {
        let reason = kp.get(&path(&format!("?{query}"))).send().await.refused(400, "INVALID_QUERY_PARAM_ERR");
        assert_eq!(reason["target"], json!({ "type": "query_param", "name": name }));
    }
}

#[actix_web::test]
async fn a_certificate_that_is_not_there_is_told() {
    let kp = Harness::with_adapter(NOON).await;
    let key = kp.create_root_key("payments").await;
    kp.create_adapter("second", &key).await;
    let id = kp.add_certificate("second", "vcenter", &certificate(1)).await;
    for name in [NOBODY, "vcenter", "a", &id] {
        for call in [kp.get(&path(&format!("/{name}"))), kp.delete(&path(&format!("/{name}")))] {
            call.send().await.refused(404, "KMIP_CERT_NOT_FOUND_ERR");
        }
    }
}

#[actix_web::test]
async fn a_change_of_certificates_is_a_change_of_the_adapter() {
    let kp = Harness::with_adapter(NOON).await;
    let other = kp.token_for("another-key").await;
    kp.advance("1m").await;
    let brought = json!({ "name": "vcenter", "certificate": certificate(1) });
    let call = kp.post(&path("")).json(&envelope(CERTIFICATE, &brought)).bearer(&other);
    let by = call.send().await.resource(201)["created_by"].clone();
    assert_ne!(by, OWNER);
    let seen = kp.adapter("vsphere").await;
    assert_eq!((&seen["updated_at"], &seen["updated_by"]), (&json!("2026-01-01T12:01:00.250Z"), &by));
    assert_eq!((&seen["created_at"], &seen["created_by"]), (&json!(NOON), &json!(OWNER)));
    kp.advance("1m").await;
    kp.delete(&path("/vcenter")).send().await.succeeds(204);
    let seen = kp.adapter("vsphere").await;
    assert_eq!((&seen["updated_at"], &seen["updated_by"]), (&json!("2026-01-01T12:02:00.250Z"), &json!(OWNER)));
}
