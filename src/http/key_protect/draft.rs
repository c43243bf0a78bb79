//! Bodies of create. Source: API reference; `docs/contract/keys.md` 6.

use serde_json::Value;

use crate::domain::alias::{self, Alias, PER_KEY_MAX};
use crate::domain::key::Kind;
use crate::domain::key::draft::{Draft, DualAuthOverride, Origin, Overrides, RotationOverride};
use crate::domain::policy::IntervalMonths;
use crate::domain::reason::{BodyFault, Reason};
use crate::domain::text;
use crate::domain::time::Timestamp;
use crate::http::json::{self, Fields};
use crate::http::key_protect::envelope::KEY;
use crate::http::key_protect::payload::{self, Payload};
use crate::http::key_protect::policy_body;

/// Whether policies may stand in the body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policies {
    Ignored,
    Read,
}

/// Reads the body of create.
///
/// # Errors
/// `NoBody`, `BadBody`, `CollectionTotalMismatch`, `InvalidField`, `KeyAliasQuota`.
pub(crate) fn read(bytes: &[u8], now: Timestamp, policies: Policies) -> Result<Draft, Reason> {
    let body = json::parse(bytes)?.required()?;
    let resource = single_resource(&body, KEY, BodyFault::ManyResources)?;
    if resource.text("type")?.is_some_and(|kind| kind != KEY) {
        return Err(Reason::field("type", KEY));
    }
    let kind = match resource.boolean("extractable")? {
        Some(false) => Kind::Root,
        Some(true) | None => Kind::Standard,
    };
    let name = resource.text("name")?.filter(|name| text::is_name(name));
    let name = name.ok_or_else(|| Reason::field("name", "2 to 90 characters without control characters"))?.to_owned();
    let description = match resource.text("description")? {
        None => None,
        Some(given) if text::is_description(given) => Some(given.to_owned()),
        Some(_) => return Err(Reason::field("description", "2 to 240 characters without control characters")),
    };
    Ok(Draft {
        kind,
        name,
        description,
        tags: tags(&resource)?,
        aliases: aliases(&resource)?,
        expires_at: expiration(&resource, now)?,
        origin: match payload::read(&resource, kind)? {
            Payload::None => Origin::Generated,
            Payload::Plain(material) => Origin::Imported(material),
            Payload::Sealed(sealed) => Origin::Sealed(sealed),
        },
        overrides: match policies {
            Policies::Ignored => Overrides::default(),
            Policies::Read => overrides(&resource)?,
        },
    })
}

/// The one resource of an envelope of a type, after the envelope itself was checked; `many` tells of several.
///
/// # Errors
/// `BadBody`, `CollectionTotalMismatch`.
pub(crate) fn single_resource(body: &Fields, collection_type: &str, many: BodyFault) -> Result<Fields, Reason> {
    let metadata = body.object("metadata")?.filter(|metadata| !metadata.is_empty());
    let metadata = metadata.ok_or(Reason::BadBody(BodyFault::NoMetadata))?;
    if metadata.text("collectiontype")? != Some(collection_type) {
        return Err(Reason::BadBody(BodyFault::CollectionType));
    }
    let mut resources = body.objects("resources")?.ok_or(Reason::BadBody(BodyFault::NoResources))?;
    let resource = resources.pop().ok_or(Reason::BadBody(BodyFault::NoResources))?;
    if !resources.is_empty() {
        return Err(Reason::BadBody(many));
    }
    match metadata.get("collectiontotal") {
        Some(Value::Number(total)) if total.as_i64() == Some(1) => {}
        Some(Value::Number(_)) | None => return Err(Reason::CollectionTotalMismatch),
        Some(_) => return Err(Reason::BadBody(BodyFault::Malformed)),
    }
    Ok(resource)
}

fn tags(resource: &Fields) -> Result<Vec<String>, Reason> {
    let tags = resource.texts("tags")?;
    let fit = tags.len() <= text::TAGS_MAX && tags.iter().all(|tag| text::is_tag(tag));
    if !fit {
        return Err(Reason::field(
            "tags",
            "up to 30 tags of up to 30 characters, none of them `<`, `>`, `,`, `:`, `&`, `|`",
        ));
    }
    Ok(tags.into_iter().map(str::to_owned).collect())
}

fn aliases(resource: &Fields) -> Result<Vec<Alias>, Reason> {
    let given = resource.texts("aliases")?;
    let aliases: Option<Vec<Alias>> = given.iter().map(|text| Alias::parse(text)).collect();
    let aliases = aliases.ok_or_else(|| Reason::field("aliases", alias::RULE))?;
    if aliases.len() > PER_KEY_MAX { Err(Reason::KeyAliasQuota) } else { Ok(aliases) }
}

fn expiration(resource: &Fields, now: Timestamp) -> Result<Option<Timestamp>, Reason> {
    let Some(text) = resource.text("expirationdate")? else { return Ok(None) };
    let at = Timestamp::parse(text).map(Timestamp::whole_seconds).filter(|at| *at > now);
    at.map(Some).ok_or_else(|| Reason::field("expirationDate", "a date and time of RFC 3339 in the future"))
}

fn overrides(resource: &Fields) -> Result<Overrides, Reason> {
    let rotation = match resource.object("rotation")? {
        None => None,
        Some(policy) => {
            let interval = policy_body::interval(policy.get("interval_month"))?;
            let interval = interval.ok_or_else(|| Reason::field("interval_month", IntervalMonths::RULE))?;
            Some(RotationOverride { enabled: policy.boolean("enabled")?.unwrap_or(true), interval })
        }
    };
    let dual_auth = match resource.object("dualauthdelete")? {
        None => None,
        Some(policy) => {
            let enabled = policy.boolean("enabled")?.ok_or_else(|| Reason::field("enabled", "true or false"))?;
            Some(DualAuthOverride { enabled })
        }
    };
    Ok(Overrides { rotation, dual_auth })
}
