//! IAM's token service: grants, claims, errors, and who may not have one.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use crate::harness::keys::creation;
use crate::harness::{Harness, Reply};

const API_KEY: &str = "urn:ibm:params:oauth:grant-type:apikey";
const COMPUTE_RESOURCE: &str = "urn:ibm:params:oauth:grant-type:cr-token";
const ASSUME: &str = "urn:ibm:params:oauth:grant-type:assume";
const SERVICE: &str = "urn:ibm:params:oauth:grant-type:iam-authz";
const PROFILE: &str = "Profile-0c6e7c2a-5b1e-4f0d-9d0b-6a1f2e3d4c5b";

async fn grant(kp: &Harness, fields: &[(&str, &str)]) -> Reply {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    kp.post("/identity/token").without("authorization").form(&form).send().await
}

async fn granted(kp: &Harness, fields: &[(&str, &str)]) -> Value {
    grant(kp, fields).await.succeeds(200)
}

/// The claims, read by another library than the service's own checks, with the published key.
async fn claims(kp: &Harness, token: &str) -> Value {
    let keys: JwkSet = serde_json::from_value(kp.get("/identity/keys").send().await.succeeds(200)).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    assert_eq!(header.alg, Algorithm::RS256);
    let key = keys.find(&header.kid.expect("a kid")).expect("the published key");
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&["https://iam.cloud.ibm.com/identity"]);
    validation.validate_aud = false;
    jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap().claims
}

fn access_token(reply: &Value) -> &str {
    reply["access_token"].as_str().expect("an access token")
}

/// Asserts a refusal of the token service; its message.
#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str) -> String {
    let body = reply.succeeds(status);
    assert_eq!(body["errorCode"], code, "{body}");
    let context = body["context"].as_object().expect("a context");
    assert!(context.values().all(Value::is_string), "the Go client reads texts alone: {body}");
    assert!(!context["requestId"].as_str().unwrap().is_empty(), "{body}");
    body["errorMessage"].as_str().expect("a message").to_owned()
}

#[expect(clippy::disallowed_methods, reason = "tokens live by the real clock, and this compares with it")]
fn real_seconds() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

#[actix_web::test]
async fn the_reply_has_what_each_sdk_reads() {
    let kp = Harness::frozen_at("2031-01-01T00:00:00Z").await;
    let reply = grant(&kp, &[("grant_type", API_KEY), ("apikey", "any")]).await;
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let reply = reply.succeeds(200);
    assert_eq!(reply["token_type"], "Bearer");
    assert_eq!(reply["expires_in"], json!(3600));
    assert_eq!(reply["scope"], "ibm openid");
    assert!(!reply["refresh_token"].as_str().unwrap().is_empty());
    let claims = claims(&kp, access_token(&reply)).await;
    assert_eq!(reply["expiration"], claims["exp"]);
    let issued = claims["iat"].as_i64().expect("a number");
    assert_eq!(claims["exp"], issued + 3600);
    assert!((real_seconds() - issued).abs() < 60, "tokens live by the real clock, and not by the virtual one");
}

#[actix_web::test]
async fn both_paths_take_a_slash_at_the_end_and_an_account() {
    let kp = Harness::new().await;
    let form = format!("grant_type={API_KEY}&apikey=any");
    for path in ["/identity/token", "/oidc/token"] {
        for end in ["", "/", "?account=6f1d", "/?account=6f1d"] {
            let reply = kp.post(&format!("{path}{end}")).without("authorization").form(&form).send().await;
            assert!(reply.succeeds(200)["access_token"].is_string(), "{path}{end}");
        }
    }
}

#[actix_web::test]
async fn a_basic_header_and_unknown_fields_are_ignored() {
    let kp = Harness::new().await;
    let form = format!(
        "grant_type={API_KEY}&apikey=any&response_type=cloud_iam%20uaa&uaa_client_id=cf&uaa_client_secret=&scope=x"
    );
    for value in ["Basic Yng6Yng=", "Basic", "Basic !!", "Bearer rubbish"] {
        kp.post("/identity/token").header("authorization", value).form(&form).send().await.succeeds(200);
    }
    kp.post("/identity/token").without("authorization").raw(form).send().await.succeeds(200);
}

#[actix_web::test]
async fn the_same_api_key_is_the_same_identity_and_another_is_another() {
    let kp = Harness::new().await;
    let mut ids = Vec::new();
    for key in ["first", "first", "second"] {
        ids.push(claims(&kp, &kp.token_for(key).await).await["iam_id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
}

#[actix_web::test]
async fn every_key_of_a_service_id_shows_in_its_claims() {
    let kp = Harness::new().await;
    let claims = claims(&kp, &kp.token_for("robot").await).await;
    let iam_id = claims["iam_id"].as_str().unwrap();
    let subject = iam_id.strip_prefix("iam-").expect("a service id").to_owned();
    let uuid = uuid::Uuid::parse_str(subject.strip_prefix("ServiceId-").expect("a service id")).unwrap();
    assert_eq!(uuid.get_version_num(), 5);
    assert_eq!(claims["id"], iam_id);
    for (claim, value) in [
        ("realmid", json!("iam")),
        ("identifier", json!(subject)),
        ("sub", json!(subject)),
        ("sub_type", json!("ServiceId")),
        ("account", json!({ "valid": true, "bss": kp.info["accountId"], "frozen": true })),
        ("grant_type", json!(API_KEY)),
        ("scope", json!("ibm openid")),
        ("client_id", json!("default")),
        ("acr", json!(1)),
        ("amr", json!(["pwd"])),
    ] {
        assert_eq!(claims[claim], value, "{claim}");
    }
    assert_eq!(claims["authn"]["sub"], subject);
    assert_eq!(claims["authn"]["iam_id"], iam_id);
    assert_eq!(claims["authn"]["sub_type"], "ServiceId");
    assert!(!claims["jti"].as_str().unwrap().is_empty());
}

#[actix_web::test]
async fn the_owner_is_a_user_with_an_address() {
    let kp = Harness::new().await;
    let claims = claims(&kp, &kp.token).await;
    let iam_id = claims["iam_id"].as_str().unwrap();
    assert!(iam_id.starts_with("IBMid-27000"), "{iam_id}");
    assert_eq!(claims["id"], iam_id);
    assert_eq!(claims["realmid"], "IBMid");
    assert_eq!(claims["identifier"], iam_id.trim_start_matches("IBMid-"));
    assert_eq!(claims["sub"], claims["email"]);
    assert!(claims["sub"].as_str().unwrap().contains('@'));
    assert!(claims.get("sub_type").is_none(), "a user has no sub_type");
    for name in ["given_name", "family_name", "name"] {
        assert!(claims[name].is_string(), "{name}");
    }
}

#[actix_web::test]
async fn a_trusted_profile_gets_a_token_by_id_name_or_crn_and_may_do_all() {
    let kp = Harness::new().await;
    let account = kp.info["accountId"].as_str().unwrap();
    let crn = format!("crn:v1:bluemix:public:iam-identity::a/{account}::profile:{PROFILE}");
    let by_id = [("profile_id", PROFILE)];
    let by_crn = [("profile_crn", crn.as_str())];
    let by_name = [("profile_name", "builders"), ("account", account)];
    for naming in [&by_id[..], &by_crn, &by_name] {
        let assume = [&[("grant_type", ASSUME), ("access_token", kp.token.as_str())], naming].concat();
        let reply = granted(&kp, &assume).await;
        let token = access_token(&reply);
        let claims = claims(&kp, token).await;
        let subject = claims["sub"].as_str().unwrap();
        assert!(subject.starts_with("Profile-"), "{subject}");
        assert_eq!(claims["iam_id"], format!("iam-{subject}"));
        assert_eq!(claims["id"], claims["iam_id"]);
        assert_eq!(claims["identifier"], subject);
        assert_eq!(claims["realmid"], "iam");
        assert_eq!(claims["sub_type"], "Profile");
        assert_eq!(claims["grant_type"], ASSUME);
        let key = json!({ "name": "by a profile", "extractable": false });
        kp.post("/api/v2/keys").bearer(token).json(&creation(&key)).send().await.succeeds(201);
    }
    for naming in [("profile_id", PROFILE), ("profile_name", "builders")] {
        let fields = [("grant_type", COMPUTE_RESOURCE), ("cr_token", "from a pod"), naming];
        let reply = granted(&kp, &fields).await;
        assert_eq!(claims(&kp, access_token(&reply)).await["sub_type"], "Profile");
    }
}

#[actix_web::test]
async fn a_profile_is_assumed_in_the_account_there_is() {
    let kp = Harness::new().await;
    let account = kp.info["accountId"].as_str().unwrap();
    let foreign = "00000000000000000000000000000000";
    let crn = |account: &str| format!("crn:v1:bluemix:public:iam-identity::a/{account}::profile:{PROFILE}");
    let foreign_crn = crn(foreign);
    let without_id = crn(account).replace(PROFILE, "");
    for (naming, status, code) in [
        (&[("profile_name", "builders")][..], 400, "BXNIM0109E"),
        (&[("profile_name", "builders"), ("account", foreign)], 403, "BXNIM0513E"),
        (&[("profile_crn", foreign_crn.as_str())], 403, "BXNIM0513E"),
        (&[("profile_crn", without_id.as_str())], 400, "BXNIM0109E"),
        (&[("profile_crn", "junk")], 400, "BXNIM0109E"),
    ] {
        let assume = [&[("grant_type", ASSUME), ("access_token", kp.token.as_str())], naming].concat();
        refused(&grant(&kp, &assume).await, status, code);
    }
    let service = format!("crn-crn:v1:bluemix:public:toolchain:us-south:a/{account}:::");
    let fields = [("grant_type", SERVICE), ("access_token", kp.token.as_str()), ("desired_iam_id", service.as_str())];
    refused(&grant(&kp, &fields).await, 400, "BXNIM0109E");
}

#[actix_web::test]
async fn a_named_profile_is_the_one_of_its_id() {
    let kp = Harness::new().await;
    for id in [PROFILE.to_owned(), format!("iam-{PROFILE}")] {
        let reply = granted(&kp, &[("grant_type", COMPUTE_RESOURCE), ("cr_token", "t"), ("profile_id", &id)]).await;
        assert_eq!(claims(&kp, access_token(&reply)).await["iam_id"], format!("iam-{PROFILE}"));
    }
}

#[actix_web::test]
async fn a_refresh_token_gives_the_same_identity_until_tokens_are_expired() {
    let kp = Harness::new().await;
    let first = granted(&kp, &[("grant_type", API_KEY), ("apikey", "robot")]).await;
    let refresh = first["refresh_token"].as_str().unwrap();
    let second = granted(&kp, &[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await;
    let (before, after) = (claims(&kp, access_token(&first)).await, claims(&kp, access_token(&second)).await);
    assert_eq!(before["iam_id"], after["iam_id"]);
    assert_ne!(before["jti"], after["jti"]);
    kp.get("/api/v2/keys").bearer(access_token(&second)).send().await.succeeds(200);
    let third = second["refresh_token"].as_str().unwrap();
    granted(&kp, &[("grant_type", "refresh_token"), ("refresh_token", third)]).await;
    kp.post("/mock/tokens/expire").send().await.succeeds(204);
    for token in [refresh, third] {
        let reply = grant(&kp, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await;
        assert_eq!(refused(&reply, 400, "BXNIM0408E"), "Provided refresh token is expired");
    }
}

#[actix_web::test]
async fn a_refresh_token_that_was_never_given_out_is_refused() {
    let kp = Harness::new().await;
    let other = Harness::new().await;
    let foreign = granted(&other, &[("grant_type", API_KEY), ("apikey", "robot")]).await;
    let foreign = foreign["refresh_token"].as_str().unwrap();
    let own = granted(&kp, &[("grant_type", API_KEY), ("apikey", "robot")]).await;
    let own = own["refresh_token"].as_str().unwrap();
    let cut = &own[..own.len() - 4];
    for token in ["not_supported", "a.b.c", "ü", foreign, cut, access_token(&json!({ "access_token": kp.token }))] {
        let reply = grant(&kp, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await;
        refused(&reply, 400, "BXNIM0407E");
    }
}

#[actix_web::test]
async fn a_grant_that_lacks_something_is_refused() {
    let kp = Harness::new().await;
    let account = kp.account();
    let service_id = format!("crn:v1:bluemix:public:iam-identity::a/{account}::serviceid:{PROFILE}");
    let nowhere = format!("crn-crn:v1:bluemix:public:x:us-south:a/{account}:::");
    for fields in [
        &[][..],
        &[("apikey", "any")],
        &[("grant_type", "")],
        &[("grant_type", API_KEY)],
        &[("grant_type", API_KEY), ("apikey", "")],
        &[("grant_type", "refresh_token")],
        &[("grant_type", COMPUTE_RESOURCE), ("profile_id", PROFILE)],
        &[("grant_type", COMPUTE_RESOURCE), ("cr_token", "t")],
        &[("grant_type", ASSUME), ("profile_id", PROFILE)],
        &[("grant_type", ASSUME), ("access_token", kp.token.as_str())],
        &[("grant_type", ASSUME), ("access_token", kp.token.as_str()), ("profile_name", "builders")],
        &[("grant_type", ASSUME), ("access_token", kp.token.as_str()), ("profile_crn", "junk")],
        &[("grant_type", ASSUME), ("access_token", kp.token.as_str()), ("profile_crn", &service_id)],
        &[("grant_type", SERVICE), ("desired_iam_id", "crn-x")],
        &[("grant_type", SERVICE), ("access_token", kp.token.as_str())],
        &[("grant_type", SERVICE), ("access_token", kp.token.as_str()), ("desired_iam_id", &nowhere)],
        &[("grant_type", "password"), ("username", "a"), ("password", "b")],
        &[("grant_type", "urn:ibm:params:oauth:grant-type:delegated-refresh-token")],
        &[("grant_type", "client_credentials")],
    ] {
        let reply = grant(&kp, fields).await;
        let code = reply.json()["errorCode"].as_str().unwrap_or_default().to_owned();
        assert!(["BXNIM0102E", "BXNIM0109E"].contains(&code.as_str()), "{fields:?}: {code}");
        refused(&reply, 400, &code);
    }
}

#[actix_web::test]
async fn a_grant_on_a_token_that_is_not_good_is_refused() {
    let kp = Harness::new().await;
    let crn = format!("crn-{}", kp.info["cosInstanceCrn"].as_str().unwrap());
    for token in ["rubbish", "a.b.c"] {
        let assume = [("grant_type", ASSUME), ("access_token", token), ("profile_id", PROFILE)];
        refused(&grant(&kp, &assume).await, 400, "BXNIM0407E");
        let service = [("grant_type", SERVICE), ("access_token", token), ("desired_iam_id", &crn)];
        refused(&grant(&kp, &service).await, 400, "BXNIM0407E");
    }
}

#[actix_web::test]
async fn an_api_key_may_ask_for_a_delegated_refresh_token() {
    let kp = Harness::new().await;
    let fields = [
        ("grant_type", API_KEY),
        ("apikey", "any"),
        ("response_type", "delegated_refresh_token"),
        ("receiver_client_ids", "aspera"),
    ];
    let reply = granted(&kp, &fields).await;
    assert!(!reply["delegated_refresh_token"].as_str().unwrap().is_empty());
}

#[actix_web::test]
async fn strict_knows_declared_identities_alone() {
    let kp = Harness::with(&["--auth", "strict"]).await;
    kp.create_root_key("by the owner").await;
    let reply = grant(&kp, &[("grant_type", API_KEY), ("apikey", "any")]).await;
    assert_eq!(refused(&reply, 400, "BXNIM0415E"), "Provided API key could not be found.");
    let profile = [("grant_type", COMPUTE_RESOURCE), ("cr_token", "t"), ("profile_id", PROFILE)];
    assert_eq!(grant(&kp, &profile).await.status, 400);
    let cos = kp.info["cosInstanceCrn"].as_str().unwrap().to_owned();
    granted(&kp, &[("grant_type", SERVICE), ("access_token", &kp.token), ("desired_iam_id", &cos)]).await;
}

#[actix_web::test]
async fn the_published_key_verifies_tokens_before_and_after_they_are_expired() {
    let kp = Harness::new().await;
    let keys = kp.get("/identity/keys").without("authorization").send().await.succeeds(200);
    let key = &keys["keys"][0];
    for (member, value) in [("kty", "RSA"), ("alg", "RS256"), ("use", "sig"), ("e", "AQAB")] {
        assert_eq!(key[member], value);
    }
    claims(&kp, &kp.token).await;
    kp.post("/mock/tokens/expire").send().await.succeeds(204);
    kp.get("/api/v2/keys").send().await.unauthorized();
    let fresh = kp.token_for("any").await;
    claims(&kp, &fresh).await;
    kp.get("/api/v2/keys").bearer(&fresh).send().await.succeeds(200);
}

#[actix_web::test]
async fn the_discovery_document_leads_to_the_endpoints() {
    let kp = Harness::new().await;
    let path = "/identity/.well-known/openid-configuration";
    let found = kp.get(path).without("authorization").send().await.succeeds(200);
    assert_eq!(found["issuer"], claims(&kp, &kp.token).await["iss"]);
    assert_eq!(found["token_endpoint"], format!("{}/identity/token", kp.url));
    assert_eq!(found["jwks_uri"], format!("{}/identity/keys", kp.url));
    assert!(found["authorization_endpoint"].is_string());
    let grants = found["grant_types_supported"].as_array().unwrap();
    for grant in [API_KEY, "refresh_token", COMPUTE_RESOURCE, ASSUME, SERVICE] {
        assert!(grants.contains(&json!(grant)), "{grant}");
    }
    assert!(found["response_types_supported"].as_array().unwrap().contains(&json!("cloud_iam")));
    assert!(found["scopes_supported"].is_array());
}

#[actix_web::test]
async fn another_method_on_the_token_paths_is_refused_in_the_admin_form() {
    let kp = Harness::new().await;
    for path in ["/identity/token", "/oidc/token"] {
        let reply = kp.get(path).send().await;
        assert!(reply.succeeds(405)["error"]["code"].is_string());
    }
    kp.post("/identity/keys").send().await.succeeds(405);
}

#[actix_web::test]
async fn a_service_instance_gets_a_crn_token() {
    let kp = Harness::new().await;
    let crn = kp.info["cosInstanceCrn"].as_str().unwrap().to_owned();
    for wanted in [format!("crn-{crn}"), crn.clone()] {
        let fields = [("grant_type", SERVICE), ("access_token", &kp.token), ("desired_iam_id", &wanted)];
        let reply = granted(&kp, &fields).await;
        let claims = claims(&kp, access_token(&reply)).await;
        for (claim, value) in [
            ("iam_id", json!(format!("crn-{crn}"))),
            ("id", json!(format!("crn-{crn}"))),
            ("realmid", json!("crn")),
            ("identifier", json!(crn)),
            ("sub", json!(crn)),
            ("sub_type", json!("CRN")),
            ("grant_type", json!(SERVICE)),
            ("client_id", json!("cloud-object-storage")),
            ("acr", json!(0)),
            ("amr", json!([])),
        ] {
            assert_eq!(claims[claim], value, "{claim}");
        }
        assert_eq!(claims["account"]["bss"], kp.info["accountId"]);
    }
}

#[actix_web::test]
async fn a_service_instance_of_another_account_gets_no_token() {
    let kp = Harness::new().await;
    let crn = "crn:v1:bluemix:public:cloud-object-storage:global:a/00000000000000000000000000000001:\
               c8e2a7d4-3b61-4e9f-8a05-7f2c6d1b9e38::";
    let fields = [("grant_type", SERVICE), ("access_token", &kp.token), ("desired_iam_id", crn)];
    refused(&grant(&kp, &fields).await, 403, "BXNIM0513E");
}

#[actix_web::test]
async fn a_profile_of_another_account_is_not_assumed() {
    let kp = Harness::new().await;
    let other = "0".repeat(32);
    let crn = format!("crn:v1:bluemix:public:iam-identity::a/{other}::profile:{PROFILE}");
    for naming in [&[("profile_name", "builders"), ("account", other.as_str())][..], &[("profile_crn", crn.as_str())]] {
        let assume = [&[("grant_type", ASSUME), ("access_token", kp.token.as_str())], naming].concat();
        refused(&grant(&kp, &assume).await, 403, "BXNIM0513E");
    }
}

async fn service_token(kp: &Harness, crn: &str) -> String {
    let fields = [("grant_type", SERVICE), ("access_token", kp.token.as_str()), ("desired_iam_id", crn)];
    access_token(&granted(kp, &fields).await).to_owned()
}

#[actix_web::test]
async fn the_cos_instance_may_what_a_reader_may_and_no_more() {
    for mode in ["token", "strict"] {
        let kp = Harness::with(&["--auth", mode]).await;
        let key = kp.create_root_key("for buckets").await;
        let ciphertext = kp.wrap(&key, "aGVsbG8=").await;
        let token = service_token(&kp, kp.info["cosInstanceCrn"].as_str().unwrap()).await;
        let body = json!({ "plaintext": "aGVsbG8=" });
        kp.action(&key, "wrap").bearer(&token).json(&body).send().await.succeeds(200);
        let body = json!({ "ciphertext": ciphertext });
        kp.action(&key, "unwrap").bearer(&token).json(&body).send().await.succeeds(200);
        kp.action(&key, "rewrap").bearer(&token).json(&body).send().await.succeeds(200);
        kp.get(&format!("/api/v2/keys/{key}/metadata")).bearer(&token).send().await.succeeds(200);
        kp.get("/api/v2/keys").bearer(&token).send().await.succeeds(200);
        let wanted = creation(&json!({ "name": "not by a reader", "extractable": false }));
        kp.post("/api/v2/keys").bearer(&token).json(&wanted).send().await.unauthorized();
        kp.get(&format!("/api/v2/keys/{key}")).bearer(&token).send().await.unauthorized();
        for action in ["rotate", "disable", "enable", "setKeyForDeletion", "sync"] {
            kp.action(&key, action).bearer(&token).send().await.unauthorized();
        }
        kp.delete(&format!("/api/v2/keys/{key}")).bearer(&token).send().await.unauthorized();
        kp.delete(&format!("/api/v2/keys/{key}/purge")).bearer(&token).send().await.unauthorized();
        assert_eq!(kp.metadata(&key).await["state"], 1);
    }
}

#[actix_web::test]
async fn a_service_without_an_authorization_may_do_nothing() {
    let kp = Harness::new().await;
    let key = kp.create_root_key("for buckets").await;
    let account = kp.info["accountId"].as_str().unwrap();
    let another = "11111111-2222-4333-8444-555555555555";
    for (service, instance) in
        [("databases-for-redis", another), ("cloud-object-storage", another), ("kms", &kp.instance)]
    {
        let token =
            service_token(&kp, &format!("crn:v1:bluemix:public:{service}:global:a/{account}:{instance}::")).await;
        kp.action(&key, "wrap").bearer(&token).json(&json!({})).send().await.unauthorized();
        kp.get(&format!("/api/v2/keys/{key}/metadata")).bearer(&token).send().await.unauthorized();
    }
}

#[actix_web::test]
async fn a_service_instance_may_not_manage_instances() {
    let kp = Harness::new().await;
    let token = service_token(&kp, kp.info["cosInstanceCrn"].as_str().unwrap()).await;
    let body = json!({
        "name": "mine", "target": "us-south", "resource_group": "default",
        "resource_plan_id": "eedd3585-90c6-4c8f-be3d-062069e99fc3",
    });
    let reply = kp.post("/v2/resource_instances").bearer(&token).json(&body).send().await;
    assert_eq!(reply.status, 403, "{}", reply.json());
    let path = format!("/v2/resource_instances/{}", kp.instance);
    assert_eq!(kp.delete(&path).bearer(&token).send().await.status, 403);
    kp.get(&path).send().await.succeeds(200);
}
