//! Claims of access tokens. Source: tokens printed in IBM's documents; `docs/contract/iam.md` 2.

use serde::{Deserialize, Serialize};

use crate::app::builtin;
use crate::crypto::base64;
use crate::crypto::signer::ISSUER;
use crate::domain::caller::{Identity, IdentityKind};
use crate::domain::crn;

/// The claims of an access token. Source: tokens printed in IBM's documents.
#[derive(Serialize, Deserialize)]
pub(crate) struct Claims {
    iam_id: String,
    id: String,
    realmid: String,
    jti: String,
    identifier: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_type: Option<String>,
    authn: Authn,
    pub(crate) account: Account,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
    #[serde(skip_serializing)]
    pub(crate) nbf: Option<i64>,
    iss: String,
    grant_type: String,
    scope: String,
    client_id: String,
    acr: u8,
    amr: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Authn {
    sub: String,
    iam_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_type: Option<String>,
    name: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Account {
    valid: bool,
    pub(crate) bss: String,
    frozen: bool,
}

/// What a token is issued for, and for how long; real seconds.
pub(crate) struct Term {
    pub(crate) now: i64,
    pub(crate) lifetime: i64,
}

/// Three parts of base64url, JSON objects in the first two, and a subject. Source: docs, `BEARER_SUB_EXTRACTION_ERR`.
pub(crate) fn is_readable(token: &str) -> bool {
    #[derive(Deserialize)]
    struct Subject {
        sub: String,
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else { return false };
    let header = base64::decode_url(header);
    let payload = base64::decode_url(payload);
    let signature = base64::decode_url(signature);
    let (Some(header), Some(payload), Some(_)) = (header, payload, signature) else { return false };
    serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&header).is_ok()
        && serde_json::from_slice::<Subject>(&payload).is_ok_and(|subject| !subject.sub.is_empty())
}

/// The word for a kind, as `sub_type` has it.
pub(crate) fn kind_name(kind: IdentityKind) -> &'static str {
    match kind {
        IdentityKind::User => "user",
        IdentityKind::ServiceId => "ServiceId",
        IdentityKind::Profile => "Profile",
        IdentityKind::Service => "CRN",
    }
}

/// Reads the word.
pub(crate) fn parse_kind(name: &str) -> Option<IdentityKind> {
    [IdentityKind::User, IdentityKind::ServiceId, IdentityKind::Profile, IdentityKind::Service]
        .into_iter()
        .find(|kind| kind_name(*kind) == name)
}

/// Whom claims speak for.
pub(crate) fn identity_of_claims(claims: &Claims) -> Identity {
    let kind = claims.sub_type.as_deref().and_then(parse_kind).unwrap_or(IdentityKind::User);
    Identity { kind, iam_id: claims.iam_id.clone(), subject: claims.sub.clone(), name: claims.authn.name.clone() }
}

/// The claims of a new token.
pub(crate) fn claims(identity: &Identity, grant_type: &str, term: &Term, jti: String) -> Claims {
    let service = identity.kind == IdentityKind::Service;
    let user = identity.kind == IdentityKind::User;
    let (realm, identifier) = match identity.kind {
        IdentityKind::User => ("IBMid", identity.iam_id.trim_start_matches("IBMid-")),
        IdentityKind::ServiceId | IdentityKind::Profile => ("iam", identity.subject.as_str()),
        IdentityKind::Service => ("crn", identity.subject.as_str()),
    };
    let sub_type = (!user).then(|| kind_name(identity.kind).to_owned());
    let client_id = match crn::parse(&identity.subject) {
        Some(named) if service => named.service.to_owned(),
        _ => "default".to_owned(),
    };
    Claims {
        iam_id: identity.iam_id.clone(),
        id: identity.iam_id.clone(),
        realmid: realm.to_owned(),
        jti,
        identifier: identifier.to_owned(),
        given_name: user.then(|| "Account".to_owned()),
        family_name: user.then(|| "Owner".to_owned()),
        name: user.then(|| "Account Owner".to_owned()),
        email: user.then(|| identity.subject.clone()),
        sub: identity.subject.clone(),
        sub_type: sub_type.clone(),
        authn: Authn {
            sub: identity.subject.clone(),
            iam_id: identity.iam_id.clone(),
            sub_type,
            name: identity.name.clone(),
        },
        account: Account { valid: true, bss: builtin::ACCOUNT.to_owned(), frozen: true },
        iat: term.now,
        exp: term.now + term.lifetime,
        nbf: None,
        iss: ISSUER.to_owned(),
        grant_type: grant_type.to_owned(),
        scope: "ibm openid".to_owned(),
        client_id,
        acr: u8::from(!service),
        amr: if service { Vec::new() } else { vec!["pwd".to_owned()] },
    }
}
