//! Buckets under root keys: how they are made and refused, what they show, and their registrations.

use hyper::Method;
use serde_json::json;

use crate::harness::Harness;
use crate::harness::gateway::START;

const NOT_FOUND: &str = "The Key CRN could not be found";

#[actix_web::test]
async fn a_bucket_is_made_with_the_crn_of_a_root_key_in_a_header() {
    let kp = Harness::with_gateway().await;
    let key = kp.create_root_key("invoices").await;
    kp.sealed_bucket("invoices", &key).await;
    let state = kp.bucket_state("invoices").await;
    assert_eq!(state["rootKeyCrn"], kp.key_crn(&key));
    assert_eq!((&state["keyState"], &state["registered"]), (&json!("active"), &json!(true)));
    assert_eq!(state["keyVersionId"], key);
    let quoted = kp.s3(Method::PUT, "/quoted").header("ibm-sse-kp-encryption-algorithm", "\"AES256\"");
    quoted.header("ibm-sse-kp-customer-root-key-crn", &kp.key_crn(&key)).send().await.answers(200);
    let alone = kp.s3(Method::PUT, "/alone").header("ibm-sse-kp-customer-root-key-crn", &kp.key_crn(&key));
    alone.send().await.answers(200);
}

#[actix_web::test]
async fn headers_that_do_not_fit_are_refused() {
    let kp = Harness::with_gateway().await;
    let key = kp.create_root_key("invoices").await;
    let crn = kp.key_crn(&key);
    let algorithm = kp.creating("invoices", &crn).header("ibm-sse-kp-encryption-algorithm", "AES128");
    algorithm.send().await.refused_with(400, "InvalidArgument");
    let lonely = kp.s3(Method::PUT, "/invoices").header("ibm-sse-kp-encryption-algorithm", "AES256");
    lonely.send().await.refused_with(400, "InvalidArgument");
    let instance = kp.info["instanceCrn"].as_str().unwrap();
    let message = kp.creating("invoices", instance).send().await.refused_with(400, "InvalidArgument");
    assert_eq!(message, "The resource type is missing or the specified value is not valid. Supported value: \"key\".");
    let message = kp.creating("invoices", &crn.replace(":kms:", ":hs-crypto:")).send().await;
    assert_eq!(message.refused_with(400, "InvalidRequest"), "Server Side Encryption with hs-crypto is not enabled.");
    kp.creating("invoices", "nonsense").send().await.refused_with(400, "InvalidArgument");
    assert_eq!(kp.registrations(&key).await.len(), 0);
}

#[actix_web::test]
async fn a_key_that_cannot_be_had_is_never_told_from_one_that_may_not() {
    let kp = Harness::with_gateway().await;
    let key = kp.create_root_key("invoices").await;
    let crn = kp.key_crn(&key);
    let refused = async |crn: &str| {
        let message = kp.creating("invoices", crn).send().await.refused_with(400, "InvalidRequest");
        assert_eq!(message, NOT_FOUND, "{crn}");
        kp.s3(Method::HEAD, "/invoices").send().await.answers(404);
    };
    let standard = kp.create_standard_key("standard").await;
    refused(&kp.key_crn("02fd6835-6001-4482-a892-13bd2085f75d")).await;
    refused(&kp.key_crn("no-key")).await;
    refused(&kp.key_crn(&standard)).await;
    refused(&crn.replace(":us-south:", ":eu-de:")).await;
    refused(&crn.replace(&kp.instance, "02fd6835-6001-4482-a892-13bd2085f75d")).await;
    refused(&crn.replace(kp.account(), "11111111111111111111111111111111")).await;
    kp.disable(&key).await.succeeds(204);
    refused(&crn).await;
    kp.advance("31s").await;
    kp.enable(&key).await.succeeds(204);
    let authorization = builtin_authorization(&kp).await;
    kp.delete(&format!("/v1/policies/{authorization}")).send().await.succeeds(204);
    refused(&crn).await;
    let service = kp.info["cosInstanceCrn"].as_str().unwrap();
    kp.authorize(service, &["Reader"], &[("resource", "stringEquals", &key)]).await;
    kp.creating("invoices", &crn).send().await.answers(200);
    kp.delete(&format!("/api/v2/keys/{key}?force=true")).send().await.succeeds(204);
    kp.creating("others", &crn).send().await.refused_with(400, "InvalidRequest");
}

async fn builtin_authorization(kp: &Harness) -> String {
    let path = format!("/v1/policies?account_id={}&type=authorization", kp.account());
    let all = kp.get(&path).send().await.succeeds(200);
    all["policies"][0]["id"].as_str().expect("an authorization").to_owned()
}

#[actix_web::test]
async fn a_refused_creation_leaves_nothing_behind() {
    let kp = Harness::with_gateway().await;
    let key = kp.create_root_key("invoices").await;
    kp.creating("invoices", &kp.key_crn("no-key")).send().await.refused_with(400, "InvalidRequest");
    assert_eq!(kp.get("/mock/buckets").send().await.succeeds(200)["total"], 0);
    assert_eq!(kp.registrations(&key).await.len(), 0);
    kp.plain_bucket("invoices").await;
}

#[actix_web::test]
async fn a_cross_region_bucket_takes_a_key_of_the_nearest_region_with_high_availability() {
    let kp = Harness::with_gateway().await;
    let key = kp.create_root_key("invoices").await;
    let create = async |bucket: &str, location: &str| {
        let body = format!(
            "<CreateBucketConfiguration><LocationConstraint>{location}</LocationConstraint></CreateBucketConfiguration>"
        );
        kp.creating(bucket, &kp.key_crn(&key)).raw(body).send().await
    };
    for (bucket, location) in [("cross", "us-standard"), ("regional", "eu-de-smart"), ("single", "ams03-vault")] {
        create(bucket, location).await.answers(200);
        assert_eq!(kp.bucket_state(bucket).await["location"], location);
    }
    for (location, region) in [("eu-standard", "eu-de"), ("ap-cold", "jp-tok")] {
        let message = create("far-away", location).await.refused_with(400, "InvalidRequest");
        assert!(message.contains(location) && message.contains(region), "{message}");
    }
}

#[actix_web::test]
async fn a_bucket_shows_its_root_key_and_never_another_one() {
    let kp = Harness::with_gateway().await;
    let key = kp.create_root_key("invoices").await;
    let crn = kp.key_crn(&key);
    kp.sealed_bucket("invoices", &key).await;
    kp.plain_bucket("plain").await;
    for path in ["/invoices", "/invoices?list-type=2"] {
        let method = if path == "/invoices" { Method::HEAD } else { Method::GET };
        let reply = kp.s3(method, path).send().await;
        reply.answers(200);
        assert_eq!(reply.header("ibm-sse-kp-enabled"), Some("true"));
        assert_eq!(reply.header("ibm-sse-kp-customer-root-key-crn"), Some(crn.as_str()));
        assert_eq!(reply.header("ibm-sse-kp-crk-id"), Some(crn.as_str()));
    }
    let plain = kp.s3(Method::HEAD, "/plain").send().await;
    for header in ["ibm-sse-kp-enabled", "ibm-sse-kp-customer-root-key-crn", "ibm-sse-kp-crk-id"] {
        assert_eq!(plain.header(header), None);
    }
    let other = kp.create_root_key("other").await;
    for bucket in ["invoices", "plain"] {
        kp.creating(bucket, &kp.key_crn(&other)).send().await.refused_with(409, "BucketAlreadyExists");
    }
    assert_eq!(kp.bucket_state("invoices").await["rootKeyCrn"], crn);
    assert!(kp.bucket_state("plain").await["rootKeyCrn"].is_null());
}

#[actix_web::test]
async fn a_creation_registers_the_bucket_and_a_deletion_takes_it_back() {
    let kp = Harness::with_gateway().await;
    let key = kp.create_root_key("invoices").await;
    kp.sealed_bucket("invoices", &key).await;
    let registrations = kp.registrations(&key).await;
    assert_eq!(registrations.len(), 1);
    let one = &registrations[0];
    assert_eq!(one["keyId"], key);
    assert_eq!(one["resourceCrn"], kp.bucket("invoices"));
    assert_eq!(one["createdBy"], kp.info["cosInstanceCrn"]);
    assert_eq!(one["preventKeyDeletion"], false);
    assert_eq!(one["keyVersion"]["id"], key);
    assert_eq!(one["creationDate"], START);
    kp.delete_key(&key).await.refused(409, "PROTECTED_RESOURCE_ERR");
    kp.remove("invoices").await.answers(204);
    assert_eq!(kp.registrations(&key).await.len(), 0);
    kp.delete_key(&key).await.succeeds(204);
}

#[actix_web::test]
async fn what_the_gateway_does_on_keys_stands_in_their_records_as_the_storage_instance() {
    let kp = Harness::with_gateway().await;
    let key = kp.create_root_key("invoices").await;
    kp.sealed_bucket("invoices", &key).await;
    kp.put_object("invoices/a", "body").await.answers(200);
    let service = format!("crn-{}", kp.info["cosInstanceCrn"].as_str().unwrap());
    let created = kp.audit("action=cloud-object-storage.bucket.create").await;
    for action in ["kms.secrets.wrap", "kms.registrations.create", "kms.secrets.unwrap"] {
        let records = kp.audit(&format!("action={action}&target={key}")).await;
        assert_eq!(records.len(), 1, "{action}");
        assert_eq!(records[0]["initiator"]["id"], service, "{action}");
    }
    let wrapped = kp.audit("action=kms.secrets.wrap").await;
    assert_eq!(wrapped[0]["correlationId"], created[0]["correlationId"]);
}

#[actix_web::test]
async fn the_etag_is_the_md5_of_the_plain_object_whatever_the_key_does() {
    const MD5: &str = "\"5eb63bbbe01eeed093cb22bb8f5acdc3\"";
    let kp = Harness::with_gateway().await;
    let key = kp.create_root_key("invoices").await;
    kp.sealed_bucket("invoices", &key).await;
    kp.plain_bucket("plain").await;
    for path in ["invoices/a", "plain/a"] {
        assert_eq!(kp.put_object(path, "hello world").await.header("etag"), Some(MD5));
    }
    kp.rotate(&key).await.succeeds(204);
    kp.advance("2h").await;
    for path in ["invoices/a", "plain/a"] {
        assert_eq!(kp.head_object(path).await.header("etag"), Some(MD5));
        assert_eq!(kp.get_object(path).await.header("etag"), Some(MD5));
    }
    let copied = kp.s3(Method::PUT, "/plain/b").header("x-amz-copy-source", "/invoices/a").send().await.answers(200);
    assert!(copied.contains("5eb63bbbe01eeed093cb22bb8f5acdc3"), "{copied}");
}
