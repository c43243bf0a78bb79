//! Policies that decide which way requests may come: `docs/contract/policies.md` 3.5, 3.6 and 4.

use serde_json::{Value, json};

use crate::harness::policies::collection;
use crate::harness::{Call, Harness};

const NOON: &str = "2026-01-01T12:00:00Z";
const POLICIES: &str = "/api/v2/instance/policies";
const PORT: &str = "/api/v2/instance/allowed_ip_port";
const NOBODY: &str = "6e1ad3f0-91b5-4c8e-a1b4-1f3c25d6b0aa";
const PRIVATE: &str = "private.us-south.kms.cloud.ibm.com";

fn network(enabled: bool, network: &str) -> Value {
    json!({ "enabled": enabled, "attributes": { "allowed_network": network } })
}

fn addresses(ranges: &[&str]) -> Value {
    json!({ "enabled": true, "attributes": { "allowed_ip": ranges } })
}

/// Sets a policy over the private endpoint.
async fn set_in_private(kp: &Harness, kind: &str, data: &Value) {
    let body = collection(&[json!({ "policy_type": kind, "policy_data": data })]);
    kp.put(POLICIES).header("host", PRIVATE).json(&body).send().await.succeeds(204);
}

/// A call of each sort: reads, changes, the data plane, lists, what fits no route.
fn calls<'h>(kp: &'h Harness, key: &str) -> Vec<Call<'h>> {
    vec![
        kp.get(&format!("/api/v2/keys/{key}")),
        kp.get("/api/v2/keys"),
        kp.post("/api/v2/keys").raw("{"),
        kp.action(key, "wrap"),
        kp.action(key, "disable"),
        kp.delete(&format!("/api/v2/keys/{key}")),
        kp.get(&format!("/api/v2/keys/{key}/policies")),
        kp.get(POLICIES),
        kp.get("/api/v2/no_such_path"),
    ]
}

#[actix_web::test]
async fn private_only_shuts_the_public_endpoint_for_everything_at_once() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.wrap(&key, "aGVsbG8=").await;
    kp.instance_policy("allowedNetwork", &network(true, "private-only")).await;
    for call in calls(&kp, &key) {
        call.send().await.unauthorized();
    }
    kp.head("/api/v2/keys").send().await.succeeds(401);
    kp.get(PORT).send().await.unauthorized();
    // Over the private endpoint all is as before.
    kp.action(&key, "wrap").header("host", PRIVATE).send().await.succeeds(200);
    kp.get(POLICIES).header("host", "PRIVATE.localhost:8490").send().await.succeeds(200);
    set_in_private(&kp, "allowedNetwork", &network(true, "public-and-private")).await;
    kp.action(&key, "wrap").send().await.succeeds(200);
    kp.instance_policy("allowedNetwork", &network(true, "private-only")).await;
    set_in_private(&kp, "allowedNetwork", &network(false, "private-only")).await;
    kp.action(&key, "wrap").send().await.succeeds(200);
}

#[actix_web::test]
async fn an_instance_can_be_born_private() {
    let kp = Harness::frozen_at(NOON).await;
    let mut body = json!({
        "name": "second", "target": "us-south", "resource_group": "default",
        "resource_plan_id": "eedd3585-90c6-4c8f-be3d-062069e99fc3",
        "parameters": { "allowed_network": "private-only" },
    });
    let make = async |body: &Value| {
        let made = kp.post("/v2/resource_instances").json(body).send().await.succeeds(201);
        made["guid"].as_str().unwrap().to_owned()
    };
    let private = make(&body).await;
    kp.get("/api/v2/keys").header("bluemix-instance", &private).send().await.unauthorized();
    let list = kp.get(POLICIES).header("bluemix-instance", &private).header("host", PRIVATE).send().await;
    let policy = list.resource(200);
    assert_eq!(policy["policy_type"], "allowedNetwork");
    assert_eq!(policy["policy_data"], network(true, "private-only"));
    assert_eq!((&policy["createdBy"], &policy["creationDate"]), (&json!("IBMid-270005MKP0"), &json!(NOON)));
    body["parameters"]["allowed_network"] = json!("public-and-private");
    let public = make(&body).await;
    let list = kp.get(POLICIES).header("bluemix-instance", &public).send().await.succeeds(200);
    assert_eq!(list["metadata"]["collectionTotal"], 0);
}

#[actix_web::test]
async fn a_list_of_addresses_lets_in_who_is_on_it_and_nobody_else() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.wrap(&key, "aGVsbG8=").await;
    for lets_in in [&["127.0.0.1/32"][..], &["10.0.0.0/8", "127.0.0.0/8"], &["0.0.0.0/0"]] {
        kp.instance_policy("allowedIP", &addresses(lets_in)).await;
        kp.action(&key, "wrap").send().await.succeeds(200);
    }
    kp.instance_policy("allowedIP", &addresses(&["10.0.0.0/8", "2001:db8::/32", "::/0"])).await;
    for call in calls(&kp, &key) {
        call.send().await.unauthorized();
    }
    // No forwarding header is trusted, and the private endpoint is no way around it.
    for (name, value) in [("x-forwarded-for", "10.0.0.1"), ("forwarded", "for=10.0.0.1"), ("host", PRIVATE)] {
        kp.action(&key, "wrap").header(name, value).send().await.unauthorized();
    }
}

#[actix_web::test]
async fn services_pass_both_policies() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    let service = kp.reader_token().await;
    kp.instance_policy("allowedNetwork", &network(true, "private-only")).await;
    set_in_private(&kp, "allowedIP", &addresses(&["10.0.0.0/8"])).await;
    kp.action(&key, "wrap").bearer(&service).send().await.succeeds(200);
    kp.get(&format!("/api/v2/keys/{key}/metadata")).bearer(&service).send().await.succeeds(200);
    // They still need a role.
    kp.action(&key, "rotate").bearer(&service).send().await.unauthorized();
}

#[actix_web::test]
async fn both_policies_have_to_be_satisfied() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.instance_policy("allowedIP", &addresses(&["127.0.0.0/8"])).await;
    kp.instance_policy("allowedNetwork", &network(true, "private-only")).await;
    kp.action(&key, "wrap").send().await.unauthorized();
    kp.action(&key, "wrap").header("host", PRIVATE).send().await.succeeds(200);
    set_in_private(&kp, "allowedIP", &addresses(&["10.0.0.0/8"])).await;
    kp.action(&key, "wrap").header("host", PRIVATE).send().await.unauthorized();
    kp.action(&key, "wrap").send().await.unauthorized();
}

#[actix_web::test]
async fn ipv6_is_matched_and_not_supported_at_the_private_endpoint() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return; // No IPv6 here.
    }
    let kp = Harness::with(&["--host", "::1"]).await;
    let key = kp.create_root_key("invoices").await;
    kp.action(&key, "wrap").header("host", PRIVATE).send().await.succeeds(200);
    kp.instance_policy("allowedIP", &addresses(&["::1/128"])).await;
    kp.action(&key, "wrap").send().await.succeeds(200);
    let reply = kp.action(&key, "wrap").header("host", PRIVATE).send().await;
    reply.refused(403, "FEATURE_RESTRICTED_ERR");
    assert!(
        reply.error_msg().starts_with("Forbidden: Wrap with key could not be performed: "),
        "{}",
        reply.error_msg()
    );
    kp.head("/api/v2/keys").header("host", PRIVATE).send().await.succeeds(403);
    kp.instance_policy("allowedIP", &addresses(&["127.0.0.1/32", "2001:db8::/32"])).await;
    kp.action(&key, "wrap").send().await.unauthorized();
}

#[actix_web::test]
async fn who_is_calling_and_where_comes_before_the_way_and_the_rest_after() {
    let kp = Harness::frozen_at(NOON).await;
    let reader = kp.reader_token().await;
    kp.instance_policy("allowedIP", &addresses(&["10.0.0.0/8"])).await;
    let path = format!("/api/v2/keys/{NOBODY}");
    kp.get(&path).header("authorization", "Basic x").send().await.refused(400, "BEARER_SUB_EXTRACTION_ERR");
    kp.get(&path).without("bluemix-instance").send().await.refused_bare(400);
    kp.get(&path).send().await.unauthorized();
    kp.put(&format!("{path}/policies")).raw("{").send().await.unauthorized();
    kp.get(&format!("{path}/metadata")).bearer(&reader).send().await.refused(404, "KEY_NOT_FOUND_ERR");
}

#[actix_web::test]
async fn another_instance_is_not_concerned() {
    let kp = Harness::frozen_at(NOON).await;
    let body = json!({
        "name": "second", "target": "us-south", "resource_group": "default",
        "resource_plan_id": "eedd3585-90c6-4c8f-be3d-062069e99fc3",
    });
    let second = kp.post("/v2/resource_instances").json(&body).send().await.succeeds(201);
    kp.instance_policy("allowedNetwork", &network(true, "private-only")).await;
    let guid = second["guid"].as_str().unwrap();
    kp.get("/api/v2/keys").header("bluemix-instance", guid).send().await.succeeds(200);
    kp.get(&format!("/v2/resource_instances/{}", kp.instance)).send().await.succeeds(200);
}

#[actix_web::test]
async fn a_refusal_is_recorded_and_the_private_network_is_not_told() {
    let kp = Harness::frozen_at(NOON).await;
    let key = kp.create_root_key("invoices").await;
    kp.instance_policy("allowedNetwork", &network(true, "private-only")).await;
    kp.action(&key, "wrap").header("correlation-id", "from-outside").send().await.unauthorized();
    kp.action(&key, "wrap").header("correlation-id", "from-inside").header("host", PRIVATE).send().await.succeeds(200);
    let outside = kp.audit("correlationId=from-outside").await;
    assert_eq!(outside.len(), 1);
    assert_eq!((&outside[0]["action"], &outside[0]["severity"]), (&json!("kms.secrets.wrap"), &json!("critical")));
    assert_eq!(outside[0]["reason"]["reasonCode"], 401);
    assert_eq!(outside[0]["initiator"]["host"]["address"], "127.0.0.1");
    assert_eq!(outside[0]["initiator"]["id"], "IBMid-270005MKP0");
    assert_eq!(outside[0]["logSourceCRN"], kp.info["instanceCrn"]);
    let inside = kp.audit("correlationId=from-inside").await;
    assert_eq!(inside[0]["reason"]["reasonCode"], 200);
    assert!(inside[0]["initiator"].get("host").is_none());
}

async fn port(kp: &Harness) -> Option<Value> {
    let reply = kp.get(PORT).send().await;
    assert_eq!(reply.header("content-type"), Some("application/vnd.ibm.kms.allowed_ip_metadata+json"));
    let body = reply.succeeds(200);
    let ports = body["resources"].as_array().unwrap();
    assert_eq!(body["metadata"]["collectionTotal"], ports.len());
    ports.first().map(|port| port["private_endpoint_port"].clone())
}

#[actix_web::test]
async fn the_port_comes_with_the_list_and_stays_with_the_instance() {
    let kp = Harness::frozen_at(NOON).await;
    assert_eq!(port(&kp).await, None);
    kp.instance_policy("allowedIP", &json!({ "enabled": false })).await;
    assert_eq!(port(&kp).await, None);
    kp.instance_policy("allowedIP", &addresses(&["127.0.0.0/8"])).await;
    let given = port(&kp).await;
    assert_eq!(given, Some(json!(15_000)));
    kp.instance_policy("allowedIP", &json!({ "enabled": false })).await;
    assert_eq!(port(&kp).await, None);
    // Whoever is locked out may still ask for it.
    kp.instance_policy("allowedIP", &addresses(&["10.0.0.0/8"])).await;
    assert_eq!(port(&kp).await, given);
    assert_eq!(kp.audit("action=kms.instance-allowed-ip-port.read").await.len(), 5);
}

#[actix_web::test]
async fn each_instance_has_a_port_of_its_own() {
    let kp = Harness::frozen_at(NOON).await;
    kp.instance_policy("allowedIP", &addresses(&["127.0.0.0/8"])).await;
    let body = json!({
        "name": "second", "target": "us-south", "resource_group": "default",
        "resource_plan_id": "eedd3585-90c6-4c8f-be3d-062069e99fc3",
    });
    let second = kp.post("/v2/resource_instances").json(&body).send().await.succeeds(201);
    let guid = second["guid"].as_str().unwrap();
    let body = collection(&[json!({ "policy_type": "allowedIP", "policy_data": addresses(&["127.0.0.0/8"]) })]);
    kp.put(POLICIES).header("bluemix-instance", guid).json(&body).send().await.succeeds(204);
    let other = kp.get(PORT).header("bluemix-instance", guid).send().await.resource(200);
    assert_eq!(other["private_endpoint_port"], 15_001);
    assert_eq!(port(&kp).await, Some(json!(15_000)));
}
