//! Bodies that set policies: the envelope that those of keys and of instances share, and those of keys. Unlike other
//! bodies they may hold nothing unknown. Source: docs, error-messages; `docs/contract/policies.md` 2.1, 2.5, 3.3.

use serde_json::Value;

use crate::domain::policy::{IntervalMonths, PolicyChanges, RotationChange};
use crate::domain::reason::{BodyFault, Reason};
use crate::http::json::{self, Fields, Spellings};
use crate::http::key_protect::envelope::POLICY;

const MALFORMED: Reason = Reason::BadBody(BodyFault::Malformed);
/// Members of a key policy; what a reply adds may be sent back and is not read (ASSUMED).
const RESOURCE: [&str; 9] =
    ["type", "rotation", "dualauthdelete", "id", "crn", "createdby", "creationdate", "updatedby", "lastupdatedate"];

/// Which policies of a key a query asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    All,
    Rotation,
    DualAuth,
}

/// A resource as it is written, before it is known to make sense.
struct Resource {
    rotation: Option<Rotation>,
    dual_auth: Option<DualAuth>,
}

struct Rotation {
    enabled: Option<bool>,
    interval: Option<Value>,
}

struct DualAuth {
    enabled: Option<bool>,
}

/// Opens the envelope. Each resource is read by `read`, which refuses what is unknown in it; only then is the envelope
/// looked at, and last the resources' type.
///
/// # Errors
/// `NoBody`, `BadBody`, `CollectionTotalMismatch`, `InvalidField`.
pub(crate) fn open<T>(bytes: &[u8], read: impl Fn(&Fields, &Spellings) -> Result<T, Reason>) -> Result<Vec<T>, Reason> {
    let (body, spellings) = json::parse_strictly(bytes)?;
    let body = body.required()?;
    spellings.only(&body, &["metadata", "resources"])?;
    let metadata = body.object("metadata")?;
    if let Some(metadata) = &metadata {
        spellings.only(metadata, &["collectiontype", "collectiontotal"])?;
    }
    let resources = body.objects("resources")?.unwrap_or_default();
    let known: Vec<T> = resources.iter().map(|resource| read(resource, &spellings)).collect::<Result<_, _>>()?;
    let metadata = metadata.filter(|metadata| !metadata.is_empty()).ok_or(Reason::BadBody(BodyFault::NoMetadata))?;
    if metadata.text("collectiontype")? != Some(POLICY) {
        return Err(Reason::BadBody(BodyFault::CollectionType));
    }
    if known.is_empty() {
        return Err(Reason::BadBody(BodyFault::NoResources));
    }
    let total = match metadata.get("collectiontotal") {
        None => None,
        Some(Value::Number(total)) => json::whole(total),
        Some(_) => return Err(MALFORMED),
    };
    if total.and_then(|total| usize::try_from(total).ok()) != Some(known.len()) {
        return Err(Reason::CollectionTotalMismatch);
    }
    for resource in &resources {
        if resource.text("type")?.is_some_and(|kind| kind != POLICY) {
            return Err(Reason::field("type", POLICY));
        }
    }
    Ok(known)
}

/// Refuses more than one resource where the query names a policy.
///
/// # Errors
/// `OneResourceAlone`. Source: docs, error-messages.
pub(crate) fn one_alone<T>(resources: &[T]) -> Result<(), Reason> {
    if resources.len() == 1 { Ok(()) } else { Err(Reason::OneResourceAlone) }
}

/// Reads an interval of months.
///
/// # Errors
/// `InvalidField` for what is no whole number from 1 to 12. Source: go-client.
pub(crate) fn interval(value: Option<&Value>) -> Result<Option<IntervalMonths>, Reason> {
    let Some(value) = value else { return Ok(None) };
    let months = if let Value::Number(months) = value { json::whole(months) } else { None };
    let interval = months.and_then(IntervalMonths::new);
    interval.map(Some).ok_or_else(|| Reason::field("interval_month", IntervalMonths::RULE))
}

/// Reads the body of `PUT /keys/{id}/policies`.
///
/// # Errors
/// As [`open`]; `OneResourceAlone`, `BodyQueryMismatch`, `InvalidField`.
pub(crate) fn read(bytes: &[u8], wanted: Wanted) -> Result<PolicyChanges, Reason> {
    let resources = open(bytes, read_resource)?;
    if wanted != Wanted::All {
        one_alone(&resources)?;
    }
    let mut changes = PolicyChanges::default();
    for Resource { rotation, dual_auth } in resources {
        let fits = match wanted {
            Wanted::All => true,
            Wanted::Rotation => rotation.is_some() && dual_auth.is_none(),
            Wanted::DualAuth => rotation.is_none() && dual_auth.is_some(),
        };
        if !fits {
            return Err(Reason::BodyQueryMismatch);
        }
        let none = rotation.is_none() && dual_auth.is_none();
        let twice =
            (rotation.is_some() && changes.rotation.is_some()) || (dual_auth.is_some() && changes.dual_auth.is_some());
        if none || twice {
            return Err(Reason::BadBody(BodyFault::NotOneOfEach));
        }
        if let Some(Rotation { enabled, interval: months }) = rotation {
            changes.rotation = Some(RotationChange { enabled, interval: interval(months.as_ref())? });
        }
        if let Some(DualAuth { enabled }) = dual_auth {
            let enabled = enabled.ok_or_else(|| Reason::field("enabled", "true or false"))?;
            changes.dual_auth = Some(enabled);
        }
    }
    Ok(changes)
}

fn read_resource(resource: &Fields, spellings: &Spellings) -> Result<Resource, Reason> {
    spellings.only(resource, &RESOURCE)?;
    let rotation = match resource.object("rotation")? {
        None => None,
        Some(policy) => {
            spellings.only(&policy, &["enabled", "interval_month"])?;
            Some(Rotation { enabled: policy.boolean("enabled")?, interval: policy.get("interval_month").cloned() })
        }
    };
    let dual_auth = match resource.object("dualauthdelete")? {
        None => None,
        Some(policy) => {
            spellings.only(&policy, &["enabled"])?;
            Some(DualAuth { enabled: policy.boolean("enabled")? })
        }
    };
    Ok(Resource { rotation, dual_auth })
}
