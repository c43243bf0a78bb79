//! Operations on adapters, certificates and objects: a part of the table of operations.

use crate::domain::access::Roles;
use crate::domain::operation::Row;

/// An operation below `/api/v2/kmip_adapters`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum KmipOperation {
    ListAdapters,
    CreateAdapter,
    GetAdapter,
    DeleteAdapter,
    ListCertificates,
    AddCertificate,
    GetCertificate,
    DeleteCertificate,
    ListObjects,
    GetObject,
    DeleteObject,
}

/// One family of actions for all three kinds of resources. Source: docs, kmip.
const LIST: &str = "kmip-management.list";
const CREATE: &str = "kmip-management.create";
const READ: &str = "kmip-management.read";
const DELETE: &str = "kmip-management.delete";

/// What could not be done (ASSUMED, `docs/contract/policies.md` 0.1).
const ADAPTER_NOT_CREATED: &str = "KMIP adapter could not be created";
const ADAPTER_NOT_RETRIEVED: &str = "KMIP adapter could not be retrieved";
const ADAPTER_NOT_DELETED: &str = "KMIP adapter could not be deleted";
const CERTIFICATE_NOT_CREATED: &str = "KMIP client certificate could not be created";
const CERTIFICATE_NOT_RETRIEVED: &str = "KMIP client certificate could not be retrieved";
const CERTIFICATE_NOT_DELETED: &str = "KMIP client certificate could not be deleted";
const OBJECT_NOT_RETRIEVED: &str = "KMIP object could not be retrieved";
const OBJECT_NOT_DELETED: &str = "KMIP object could not be deleted";

impl KmipOperation {
    /// The operation's row. Source: API reference, for the ids.
    pub(crate) fn row(self) -> Row {
        match self {
            Self::ListAdapters => row("getKmipAdapters", LIST, "list kmip adapters", ADAPTER_NOT_RETRIEVED),
            Self::CreateAdapter => row("createKmipAdapter", CREATE, "create kmip adapter", ADAPTER_NOT_CREATED),
            Self::GetAdapter => row("getKmipAdapter", READ, "read kmip adapter", ADAPTER_NOT_RETRIEVED),
            Self::DeleteAdapter => row("deleteKmipAdapter", DELETE, "delete kmip adapter", ADAPTER_NOT_DELETED),
            Self::ListCertificates => {
                row("getKmipClientCertificates", LIST, "list kmip client certificates", CERTIFICATE_NOT_RETRIEVED)
            }
            Self::AddCertificate => {
                row("addKmipClientCertificate", CREATE, "create kmip client certificate", CERTIFICATE_NOT_CREATED)
            }
            Self::GetCertificate => {
                row("getKmipClientCertificate", READ, "read kmip client certificate", CERTIFICATE_NOT_RETRIEVED)
            }
            Self::DeleteCertificate => {
                row("deleteKmipClientCertificate", DELETE, "delete kmip client certificate", CERTIFICATE_NOT_DELETED)
            }
            Self::ListObjects => row("getKmipObjects", LIST, "list kmip objects", OBJECT_NOT_RETRIEVED),
            Self::GetObject => row("getKmipObject", READ, "read kmip object", OBJECT_NOT_RETRIEVED),
            Self::DeleteObject => row("deleteKmipObject", DELETE, "delete kmip object", OBJECT_NOT_DELETED),
        }
    }
}

fn row(id: &'static str, audit: &'static str, message: &'static str, subject: &'static str) -> Row {
    // Source: docs, manage-access.
    let roles = Roles::MANAGER.or(Roles::KMIP_ADAPTER_MANAGER);
    Row { id, roles, audit, message, subject }
}
