//! Bodies with one resource in an envelope, of any kind but keys.

use serde_json::Value;

use crate::domain::reason::{BodyFault, Reason};
use crate::http::json::Fields;

/// What the envelope of a body with one resource holds.
pub(crate) struct Expected<'a> {
    /// Media types that are taken.
    pub(crate) kinds: &'a [&'a str],
    /// What is told of a second resource.
    pub(crate) many: BodyFault,
}

/// The one resource of a body.
///
/// # Errors
/// `BadBody`, `CollectionTotalMismatch`.
pub(crate) fn single_resource(body: &Fields, expected: Expected<'_>) -> Result<Fields, Reason> {
    let metadata = body.object("metadata")?.filter(|metadata| !metadata.is_empty());
    let metadata = metadata.ok_or(Reason::BadBody(BodyFault::NoMetadata))?;
    let kind = metadata.text("collectiontype")?;
    if !kind.is_some_and(|kind| expected.kinds.contains(&kind)) {
        return Err(Reason::BadBody(BodyFault::CollectionType));
    }
    let mut resources = body.objects("resources")?.ok_or(Reason::BadBody(BodyFault::NoResources))?;
    let resource = resources.pop().ok_or(Reason::BadBody(BodyFault::NoResources))?;
    if !resources.is_empty() {
        return Err(Reason::BadBody(expected.many));
    }
    match metadata.get("collectiontotal") {
        Some(Value::Number(total)) if total.as_i64() == Some(1) => Ok(resource),
        Some(Value::Number(_)) | None => Err(Reason::CollectionTotalMismatch),
        Some(_) => Err(Reason::BadBody(BodyFault::Malformed)),
    }
}
