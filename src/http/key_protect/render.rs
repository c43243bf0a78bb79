//! The key resource, in its short and its full form. Source: API reference; `docs/contract/keys.md` 4.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use crate::crypto::base64;
use crate::domain::crn;
use crate::domain::instance::Instance;
use crate::domain::key::{Key, Kind, State, Version};
use crate::domain::material::Material;
use crate::domain::time::Timestamp;
use crate::http::key_protect::envelope::{self, Collection, KEY, WhenEmpty};

/// How much of a key is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Source: docs, error-messages, transcripts of create.
    Short,
    /// As [`Form::Short`], with the policies that the key was born with.
    ShortWithPolicies,
    Full,
}

/// A key as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyBody<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    name: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    state: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_date: Option<String>,
    extractable: bool,
    #[serde(rename = "keyRingID")]
    key_ring_id: &'a str,
    crn: String,
    imported: bool,
    deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    #[serde(flatten)]
    policies: Policies,
    #[serde(flatten)]
    full: Option<Full<'a>>,
    #[serde(flatten)]
    deletion: Option<EndBody<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Full<'a> {
    creation_date: String,
    created_by: &'a str,
    algorithm_type: &'static str,
    algorithm_metadata: AlgorithmMetadata,
    algorithm_bit_size: u32,
    algorithm_mode: &'static str,
    last_update_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_rotate_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_version: Option<VersionBody>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AlgorithmMetadata {
    /// A string, unlike `algorithmBitSize`.
    bit_length: String,
    mode: &'static str,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Policies {
    #[serde(skip_serializing_if = "Option::is_none")]
    dual_auth_delete: Option<DualAuthBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation: Option<RotationBody>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DualAuthBody {
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_set_for_deletion: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_expiration: Option<String>,
}

/// A rotation policy as a key shows it.
#[derive(Serialize)]
pub(crate) struct RotationBody {
    pub(crate) enabled: bool,
    pub(crate) interval_month: u8,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EndBody<'a> {
    deletion_date: String,
    deleted_by: &'a str,
    restore_expiration_date: String,
    restore_allowed: bool,
    purge_allowed: bool,
    purge_allowed_from: String,
    purge_scheduled_on: String,
}

/// A key version as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionBody {
    id: String,
    creation_date: String,
}

impl VersionBody {
    /// Renders a version.
    pub(crate) fn new(version: &Version) -> Self {
        Self { id: version.id.to_string(), creation_date: version.created_at.rfc3339() }
    }
}

/// Where and when a key is shown.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) instance: &'a Instance,
    pub(crate) now: Timestamp,
}

/// Renders a key. `material` is a standard key's, where it is to be shown.
pub(crate) fn key<'a>(scene: Scene<'_>, key: &'a Key, form: Form, material: Option<&Material>) -> KeyBody<'a> {
    let policies = match form {
        Form::Short => Policies::default(),
        Form::ShortWithPolicies => {
            let mut policies = policies(key, scene.now);
            policies.dual_auth_delete = policies.dual_auth_delete.filter(|_| key.dual_auth.is_some());
            policies
        }
        Form::Full => policies(key, scene.now),
    };
    KeyBody {
        kind: KEY,
        id: key.id.to_string(),
        name: &key.name,
        aliases: key.aliases.iter().map(crate::domain::alias::Alias::as_str).collect(),
        description: key.description.as_deref(),
        tags: &key.tags,
        state: key.state.number(),
        expiration_date: key.expires_at.map(Timestamp::rfc3339),
        extractable: key.kind == Kind::Standard,
        crn: crn::of_key(scene.instance, key.id),
        imported: key.imported,
        key_ring_id: key.ring.as_str(),
        deleted: matches!(key.state, State::Destroyed { .. }),
        payload: material.map(|material| base64::encode(material.bytes())),
        policies,
        full: (form == Form::Full).then(|| full(key)),
        deletion: if form == Form::Full { deletion(key, scene.now) } else { None },
    }
}

/// A collection of one key.
pub(crate) fn one(status: StatusCode, body: KeyBody<'_>) -> HttpResponse {
    envelope::reply(status, KEY, &Collection::new(KEY, vec![body], WhenEmpty::LeaveOut))
}

fn full(key: &Key) -> Full<'_> {
    Full {
        creation_date: key.created_at.rfc3339(),
        created_by: &key.created_by,
        algorithm_type: "Deprecated",
        algorithm_metadata: AlgorithmMetadata { bit_length: key.bits.to_string(), mode: "Deprecated" },
        algorithm_bit_size: key.bits,
        algorithm_mode: "Deprecated",
        last_update_date: key.updated_at.rfc3339(),
        last_rotate_date: key.rotated_at.map(Timestamp::rfc3339),
        key_version: (key.kind == Kind::Root).then(|| VersionBody::new(&key.version)),
    }
}

fn policies(key: &Key, now: Timestamp) -> Policies {
    let enabled = key.needs_two_people();
    let live = key.authorization.as_ref().filter(|first| enabled && first.is_live(now));
    let rotation = key
        .rotation
        .as_ref()
        .map(|policy| RotationBody { enabled: policy.enabled, interval_month: policy.interval.months() });
    let dual_auth_delete = DualAuthBody {
        enabled,
        key_set_for_deletion: enabled.then_some(live.is_some()),
        auth_expiration: live.map(|first| first.until.rfc3339()),
    };
    Policies { dual_auth_delete: Some(dual_auth_delete), rotation }
}

fn deletion(key: &Key, now: Timestamp) -> Option<EndBody<'_>> {
    let State::Destroyed { at, by } = &key.state else { return None };
    let afterlife = key.afterlife(now)?;
    Some(EndBody {
        deletion_date: at.rfc3339(),
        deleted_by: by,
        restore_expiration_date: afterlife.restore_until.rfc3339(),
        restore_allowed: afterlife.restore_allowed,
        purge_allowed: afterlife.purge_allowed,
        purge_allowed_from: afterlife.purge_from.rfc3339(),
        purge_scheduled_on: afterlife.purged_at.rfc3339(),
    })
}
