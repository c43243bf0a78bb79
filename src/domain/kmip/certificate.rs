//! Client certificates of adapters. Source: docs, kmip; API reference.

use crate::domain::id::CertificateId;
use crate::domain::kmip::{Mark, Name};

/// What a certificate must be, for messages. Source: go-client, comment on `CreateKMIPClientCertificate`.
pub(crate) const RULE: &str = "one X.509 certificate in PEM form, with its BEGIN CERTIFICATE and END CERTIFICATE lines";

/// A certificate that KMIP clients may come with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    pub(crate) id: CertificateId,
    pub(crate) name: Name,
    /// PEM, as it was brought.
    pub(crate) pem: String,
    pub(crate) created: Mark,
}

/// A certificate as its maker wants it.
#[derive(Clone, Debug)]
pub(crate) struct CertificateDraft {
    pub(crate) name: Option<Name>,
    /// Not looked into yet.
    pub(crate) pem: String,
}
