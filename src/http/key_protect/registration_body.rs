//! Bodies of the calls that write registrations. Source: Node client of services; `docs/contract/events.md` 1.3.

use crate::domain::id::VersionId;
use crate::domain::reason::{BodyFault, Reason};
use crate::domain::registration::{RegistrationDraft, is_text};
use crate::http::json::{self, Body, Fields};
use crate::http::key_protect::envelope::REGISTRATION;
use crate::http::key_protect::single::{Expected, single_resource};

/// Media type of a registration on its way in; that of replies is taken too (ASSUMED).
const REGISTRATION_INPUT: &str = "application/vnd.ibm.kms.registration_input+json";
const EXPECTED: Expected<'_> =
    Expected { kinds: &[REGISTRATION_INPUT, REGISTRATION], many: BodyFault::ManyRegistrations };
const TEXT_RULE: &str = "up to 1000 characters without control characters";

/// What a call needs of its body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: the body may be left out.
    Nothing,
    /// A body, with what is to be changed.
    Some,
    /// A body with all four fields.
    All,
}

/// Reads a body.
///
/// # Errors
/// `NoBody`, `BadBody`, `CollectionTotalMismatch`, `InvalidField`.
pub(crate) fn read(bytes: &[u8], needs: Needs) -> Result<RegistrationDraft, Reason> {
    let body = json::parse(bytes)?;
    let fields = match (body, needs) {
        (Body::Absent, Needs::Nothing) => return Ok(RegistrationDraft::default()),
        (Body::Absent, Needs::Some | Needs::All) => return Err(Reason::NoBody),
        (Body::Fields(fields), Needs::Nothing) if fields.is_empty() => return Ok(RegistrationDraft::default()),
        (Body::Fields(fields), _) => fields,
    };
    let resource = single_resource(&fields, EXPECTED)?;
    let draft = RegistrationDraft {
        prevent_deletion: resource.boolean("preventkeydeletion")?,
        description: text(&resource, "description", "description")?,
        metadata: text(&resource, "registrationmetadata", "registrationMetadata")?,
        version: version(&resource)?,
    };
    if needs == Needs::All { whole(draft) } else { Ok(draft) }
}

fn text(resource: &Fields, member: &'static str, name: &'static str) -> Result<Option<String>, Reason> {
    let Some(text) = resource.text(member)? else { return Ok(None) };
    if is_text(text) { Ok(Some(text.to_owned())) } else { Err(Reason::field(name, TEXT_RULE)) }
}

fn version(resource: &Fields) -> Result<Option<VersionId>, Reason> {
    let Some(text) = resource.text("keyversionid")? else { return Ok(None) };
    VersionId::parse(text).map(Some).ok_or_else(|| Reason::field("keyVersionId", "the id of a key version, a UUID"))
}

/// A replacement leaves nothing as it was.
fn whole(draft: RegistrationDraft) -> Result<RegistrationDraft, Reason> {
    const RULE: &str = "present when a registration is replaced";
    let present = [
        ("preventKeyDeletion", draft.prevent_deletion.is_some()),
        ("description", draft.description.is_some()),
        ("registrationMetadata", draft.metadata.is_some()),
        ("keyVersionId", draft.version.is_some()),
    ];
    let missing = present.into_iter().find(|(_, present)| !present);
    missing.map_or(Ok(draft), |(name, _)| Err(Reason::field(name, RULE)))
}
