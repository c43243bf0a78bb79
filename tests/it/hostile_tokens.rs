//! Tokens that must let nobody in.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::harness::{Call, Harness, Reply, wire};

/// What the genuine token and the published key tell an attacker.
struct Spoils {
    kid: String,
    claims: Value,
    /// The genuine token's parts.
    parts: Vec<String>,
    modulus: Vec<u8>,
}

impl Spoils {
    async fn of(kp: &Harness) -> Self {
        let keys = kp.get("/identity/keys").send().await.succeeds(200);
        let parts: Vec<String> = kp.token.split('.').map(str::to_owned).collect();
        let claims = URL_SAFE_NO_PAD.decode(&parts[1]).unwrap();
        Self {
            kid: jsonwebtoken::decode_header(&kp.token).unwrap().kid.unwrap(),
            claims: serde_json::from_slice(&claims).unwrap(),
            parts,
            modulus: URL_SAFE_NO_PAD.decode(keys["keys"][0]["n"].as_str().unwrap()).unwrap(),
        }
    }

    fn unsigned(&self, header: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}", part(header), part(&self.claims))
    }

    fn signed(&self, header: &Value, key: &EncodingKey, algorithm: Algorithm) -> String {
        let message = self.unsigned(header);
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
        format!("{message}.{signature}")
    }

    /// The published key as X.509's `SubjectPublicKeyInfo`.
    fn public_der(&self) -> Vec<u8> {
        let mut modulus = vec![0];
        modulus.extend(&self.modulus);
        let key = der(0x30, &[der(0x02, &modulus), der(0x02, &[1, 0, 1])].concat());
        let rsa = der(0x30, &[der(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]), der(0x05, &[])].concat());
        der(0x30, &[rsa, der(0x03, &[vec![0], key].concat())].concat())
    }
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let length = match content.len() {
        0..128 => vec![length[1]],
        128..256 => vec![0x81, length[1]],
        _ => vec![0x82, length[0], length[1]],
    };
    [vec![tag], length, content.to_vec()].concat()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// A key of the attacker's own, with its modulus as a JSON Web Key shows it.
fn own_key() -> (EncodingKey, String) {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let encoded: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let key = EncodingKey::from_rsa_pem(pem("PRIVATE KEY", encoded.as_ref()).as_bytes()).unwrap();
    let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, Algorithm::RS256).unwrap();
    let jwk = serde_json::to_value(jwk).unwrap();
    (key, jwk["n"].as_str().unwrap().to_owned())
}

/// Asserts that a wrap by that caller is refused with one of the two answers, and that the owner's still works.
async fn kept_out(kp: &Harness, key: &str, what: &str, status: u16, caller: impl Fn(Call<'_>) -> Call<'_>) {
    let wrap = || kp.action(key, "wrap").json(&json!({ "plaintext": "aGVsbG8=" }));
    let reply = caller(wrap()).send().await;
    assert_eq!(reply.status, status, "{what}: {}", reply.json());
    denied(&reply);
    wrap().send().await.succeeds(200);
}

fn denied(reply: &Reply) {
    if reply.status == 400 {
        reply.refused(400, "BEARER_SUB_EXTRACTION_ERR");
    } else {
        reply.unauthorized();
    }
}

#[actix_web::test]
async fn what_is_no_readable_bearer_token_is_told_so() {
    let kp = Harness::new().await;
    let key = kp.create_root_key("guarded").await;
    let Spoils { parts, .. } = Spoils::of(&kp).await;
    let text = |value: &str| URL_SAFE_NO_PAD.encode(value);
    let no_subject = format!("{}.{}.{}", parts[0], text("{\"iss\":\"x\"}"), parts[2]);
    let empty_subject = format!("{}.{}.{}", parts[0], text("{\"sub\":\"\"}"), parts[2]);
    let no_json = format!("{}.{}.{}", text("header"), parts[1], parts[2]);
    let owner = kp.info["apiKey"].as_str().unwrap();
    for header in [
        "Basic Yng6Yng=",
        "Bearer",
        "Bearer ",
        "Token abc",
        &kp.token,
        "Bearer not.a.jwt",
        "Bearer rubbish",
        &format!("Bearer {owner}"),
        &format!("Bearer {}.{}", kp.token, parts[2]),
        &format!("Bearer {}.{}", parts[0], parts[1]),
        &format!("Bearer {}.{}.!", parts[0], parts[1]),
        &format!("Bearer {no_subject}"),
        &format!("Bearer {empty_subject}"),
        &format!("Bearer {no_json}"),
        &format!("Bearer {}", "a".repeat(60 * 1024)),
    ] {
        kept_out(&kp, &key, header, 400, |call| call.header("authorization", header)).await;
    }
}

#[actix_web::test]
async fn a_refresh_token_is_no_bearer_token() {
    let kp = Harness::new().await;
    let key = kp.create_root_key("guarded").await;
    let form = "grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey=any";
    let reply = kp.post("/identity/token").form(form).send().await.succeeds(200);
    let refresh = reply["refresh_token"].as_str().unwrap();
    kept_out(&kp, &key, "refresh token", 400, |call| call.bearer(refresh)).await;
}

#[actix_web::test]
async fn nobody_and_the_expired_get_the_answer_for_no_access() {
    let kp = Harness::new().await;
    let key = kp.create_root_key("guarded").await;
    kept_out(&kp, &key, "no header", 401, |call| call.without("authorization")).await;
    let before = kp.token.clone();
    let remembered = kp.token_for("any").await;
    kp.get("/api/v2/keys").bearer(&remembered).send().await.succeeds(200);
    kp.post("/mock/tokens/expire").send().await.succeeds(204);
    let owner = kp.info["apiKey"].as_str().unwrap();
    let fresh = kp.token_for(owner).await;
    for token in [before, remembered, kp.token.clone()] {
        let reply = kp.action(&key, "wrap").bearer(&token).json(&json!({})).send().await;
        reply.unauthorized();
        kp.action(&key, "wrap").bearer(&fresh).json(&json!({})).send().await.succeeds(200);
    }
}

#[actix_web::test]
async fn an_algorithm_of_the_callers_choice_is_refused() {
    let kp = Harness::new().await;
    let key = kp.create_root_key("guarded").await;
    let spoils = Spoils::of(&kp).await;
    for algorithm in ["none", "None", "NONE", "", "RS512", "HS256"] {
        let message = spoils.unsigned(&json!({ "alg": algorithm, "kid": spoils.kid }));
        let genuine = format!("{message}.{}", spoils.parts[2]);
        kept_out(&kp, &key, algorithm, 401, |call| call.bearer(&genuine)).await;
        let wrap = kp.action(&key, "wrap").bearer(&format!("{message}.")).json(&json!({}));
        denied(&wrap.send().await);
    }
    let secrets = [
        ("PEM", pem("PUBLIC KEY", &spoils.public_der()).into_bytes()),
        ("PEM without its last line end", pem("PUBLIC KEY", &spoils.public_der()).trim_end().as_bytes().to_vec()),
        ("DER", spoils.public_der()),
        ("modulus", spoils.modulus.clone()),
        ("modulus as text", URL_SAFE_NO_PAD.encode(&spoils.modulus).into_bytes()),
    ];
    for (what, secret) in secrets {
        let header = json!({ "alg": "HS256", "kid": spoils.kid });
        let token = spoils.signed(&header, &EncodingKey::from_secret(&secret), Algorithm::HS256);
        kept_out(&kp, &key, what, 401, |call| call.bearer(&token)).await;
    }
    let header = json!({ "alg": "HS256", "kid": "../../dev/null" });
    let token = spoils.signed(&header, &EncodingKey::from_secret(b""), Algorithm::HS256);
    kept_out(&kp, &key, "empty key", 401, |call| call.bearer(&token)).await;
}

#[actix_web::test]
async fn a_key_of_the_callers_own_is_refused_and_none_is_fetched() {
    let kp = Harness::new().await;
    let key = kp.create_root_key("guarded").await;
    let spoils = Spoils::of(&kp).await;
    let (own, modulus) = own_key();
    let own_set = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    own_set.set_nonblocking(true).unwrap();
    let address = format!("http://{}/keys", own_set.local_addr().unwrap());
    let jwk = json!({ "kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": spoils.kid });
    for extra in [
        json!({}),
        json!({ "jwk": jwk }),
        json!({ "jku": address }),
        json!({ "x5u": address }),
        json!({ "kid": "unknown", "jku": address }),
        json!({ "crit": ["exp"] }),
    ] {
        let mut header = json!({ "alg": "RS256", "kid": spoils.kid });
        header.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let token = spoils.signed(&header, &own, Algorithm::RS256);
        kept_out(&kp, &key, &extra.to_string(), 401, |call| call.bearer(&token)).await;
    }
    assert!(own_set.accept().is_err(), "a key was fetched from an address in a token");
}

#[actix_web::test]
async fn a_changed_or_cut_token_is_refused() {
    let kp = Harness::new().await;
    let key = kp.create_root_key("guarded").await;
    let mut spoils = Spoils::of(&kp).await;
    let [header, payload, signature] = spoils.parts.clone().try_into().unwrap();
    spoils.claims["sub"] = json!("somebody@example.com");
    let changed = URL_SAFE_NO_PAD.encode(spoils.claims.to_string());
    let other = kp.token_for("somebody else").await;
    let other_signature = other.rsplit('.').next().unwrap();
    for (what, token) in [
        ("changed payload", format!("{header}.{changed}.{signature}")),
        ("signature cut", format!("{header}.{payload}.{}", &signature[..336])),
        ("half a signature", format!("{header}.{payload}.{}", &signature[..168])),
        ("another's signature", format!("{header}.{payload}.{other_signature}")),
    ] {
        kept_out(&kp, &key, what, 401, |call| call.bearer(&token)).await;
    }
    let wrap = kp.action(&key, "wrap").bearer(&format!("{header}.{payload}.")).json(&json!({}));
    denied(&wrap.send().await);
    let long = URL_SAFE_NO_PAD.encode(json!({ "sub": "a".repeat(45 * 1024) }).to_string());
    let long = format!("{header}.{long}.{signature}");
    assert!(long.len() > 60 * 1024);
    kept_out(&kp, &key, "60 KiB", 401, |call| call.bearer(&long)).await;
}

#[actix_web::test]
async fn a_token_of_another_service_is_refused() {
    let (kp, other) = (Harness::new().await, Harness::new().await);
    let key = kp.create_root_key("guarded").await;
    kept_out(&kp, &key, "another service's", 401, |call| call.bearer(&other.token)).await;
}

#[actix_web::test]
async fn two_authorization_headers_are_refused_in_both_orders() {
    let kp = Harness::new().await;
    let good = format!("Bearer {}", kp.token);
    let owner = kp.info["instanceId"].as_str().unwrap();
    for headers in [[good.as_str(), "Bearer not.a.jwt"], ["Bearer not.a.jwt", &good], [&good, &good]] {
        let request = format!(
            "GET /api/v2/keys HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nAuthorization: {}\r\n\
             Bluemix-Instance: {owner}\r\nConnection: close\r\n\r\n",
            headers[0], headers[1],
        );
        let answer = wire::exchange(&kp.url, &request).await;
        assert!([400, 401].contains(&answer.status), "{}", answer.status);
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body["metadata"]["collectionType"], "application/vnd.ibm.kms.error+json");
        kp.get("/api/v2/keys").send().await.succeeds(200);
    }
}

#[actix_web::test]
async fn the_scheme_may_be_in_any_case() {
    let kp = Harness::new().await;
    for scheme in ["bearer", "BEARER", "Bearer"] {
        let header = format!("{scheme} {}", kp.token);
        kp.get("/api/v2/keys").header("authorization", &header).send().await.succeeds(200);
    }
}
