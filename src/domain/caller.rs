//! Who is calling, as a token tells it.

use crate::domain::access::Roles;

/// Kinds of identity that IAM issues tokens for. Source: samples of tokens in IBM's documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdentityKind {
    /// A person: `IBMid-…`.
    User,
    /// `iam-ServiceId-…`
    ServiceId,
    /// A trusted profile, `iam-Profile-…`.
    Profile,
    /// A service instance acting for itself, `crn-…`: the only service caller.
    Service,
}

/// An IAM identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) kind: IdentityKind,
    /// `IBMid-27000…`, `iam-ServiceId-<uuid>`, `iam-Profile-<uuid>`, `crn-<crn>`
    pub(crate) iam_id: String,
    /// Subject of its tokens: e-mail, `ServiceId-<uuid>`, `Profile-<uuid>`, CRN.
    pub(crate) subject: String,
    /// What people call it.
    pub(crate) name: String,
}

impl Identity {
    /// A person with an IBMid.
    pub(crate) fn user(iam_id: &str, email: &str) -> Self {
        Self { kind: IdentityKind::User, iam_id: iam_id.to_owned(), subject: email.to_owned(), name: email.to_owned() }
    }

    /// A service id, by its UUID.
    pub(crate) fn service_id(uuid: &str) -> Self {
        let subject = format!("ServiceId-{uuid}");
        Self { kind: IdentityKind::ServiceId, iam_id: format!("iam-{subject}"), name: subject.clone(), subject }
    }

    /// A trusted profile, by its UUID.
    pub(crate) fn profile(uuid: &str) -> Self {
        let subject = format!("Profile-{uuid}");
        Self { kind: IdentityKind::Profile, iam_id: format!("iam-{subject}"), name: subject.clone(), subject }
    }

    /// A service instance, by its CRN.
    pub(crate) fn service(crn: &str) -> Self {
        Self {
            kind: IdentityKind::Service,
            iam_id: format!("crn-{crn}"),
            subject: crn.to_owned(),
            name: crn.to_owned(),
        }
    }
}

/// An identity with what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) identity: Identity,
    /// 32 hexadecimal digits.
    pub(crate) account: String,
    /// Roles on all that the account holds, whatever policies say.
    pub(crate) standing: Roles,
}

impl Caller {
    /// Puts a caller together.
    pub(crate) fn new(identity: Identity, account: &str, standing: Roles) -> Self {
        Self { identity, account: account.to_owned(), standing }
    }

    /// The caller's IAM id, as `createdBy` shows it.
    pub(crate) fn iam_id(&self) -> &str {
        &self.identity.iam_id
    }
}
