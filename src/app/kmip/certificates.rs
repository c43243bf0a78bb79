//! Client certificates of KMIP adapters: added, listed, read, deleted.

use std::sync::Arc;

use crate::app::App;
use crate::app::error::Error;
use crate::app::kmip::{about, adapter, look_into, note_list};
use crate::crypto::certificate;
use crate::domain::access::Place;
use crate::domain::audit::Record;
use crate::domain::context::Context;
use crate::domain::id::{AdapterId, CertificateId};
use crate::domain::kmip::certificate::{Certificate, CertificateDraft, RULE};
use crate::domain::kmip::refusal::Refusal;
use crate::domain::kmip::{Adapter, CERTIFICATES_PER_ADAPTER_MAX, Listed, Mark, Name, Page, Reference};
use crate::domain::reason::Reason;
use crate::store::kmip::{adapters, certificates};
use crate::store::tx::Tx;

/// What a name begins with that was made up. Source: API reference.
const NAME_PREFIX: &str = "kmip_cert_";

/// Adds a certificate to an adapter. One that has expired, or is not yet valid, is taken as well (ASSUMED).
///
/// # Errors
/// `AdapterNotFound`; what the body breaks, a text that is no certificate included; `CertificateTaken` when an adapter
/// of the region has it; `CertificateNameTaken`; `CertificateLimit`.
///
/// Source: docs, kmip; Terraform provider for the codes.
pub(crate) async fn add_certificate(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: Reference<AdapterId>,
    draft: Result<CertificateDraft, Reason>,
) -> Result<Certificate, Error> {
    cx.allow(Place::Whole)?;
    let id = app.vault.certificate_id()?;
    let random = app.vault.random.array()?;
    let checked = draft.and_then(|draft| match certificate::fingerprint(&draft.pem) {
        Some(fingerprint) => Ok((draft, fingerprint)),
        None => Err(Reason::field("certificate", RULE)),
    });
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let adapter = adapter(tx, &cx, &reference)?;
        let (draft, fingerprint) = checked?;
        let name = draft.name.unwrap_or_else(|| Name::made_up(NAME_PREFIX, random));
        if certificates::is_known(tx, &cx.instance.region, &fingerprint)? {
            return Err(Refusal::CertificateTaken.into());
        }
        if certificates::is_taken(tx, adapter.id, &name)? {
            return Err(Refusal::CertificateNameTaken.into());
        }
        if certificates::count(tx, adapter.id)? >= CERTIFICATES_PER_ADAPTER_MAX {
            return Err(Refusal::CertificateLimit.into());
        }
        let added = Certificate { id, name, pem: draft.pem, created: Mark::of(cx.now, cx.caller.iam_id()) };
        certificates::insert(tx, adapter.id, &added, &fingerprint)?;
        adapters::mark_updated(tx, adapter.id, &added.created)?;
        shared.record(tx, of(&cx, 201, &adapter, &added))?;
        Ok(added)
    })
    .await
}

/// Certificates of an adapter, in order of creation.
///
/// # Errors
/// `AdapterNotFound`; what the query breaks.
pub(crate) async fn list_certificates(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: Reference<AdapterId>,
    page: Result<Page, Reason>,
) -> Result<Listed<Certificate>, Error> {
    let look = move |tx: &Tx<'_>, adapter| Ok(certificates::list(tx, adapter, page?)?);
    let (adapter, listed) = look_into(app, &cx, reference, look).await?;
    note_list(app, &cx, &adapter, &listed).await;
    Ok(listed)
}

/// One certificate.
///
/// # Errors
/// `AdapterNotFound`; `CertificateNotFound`.
pub(crate) async fn get_certificate(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: Reference<AdapterId>,
    certificate: Reference<CertificateId>,
) -> Result<Certificate, Error> {
    let look = move |tx: &Tx<'_>, adapter| {
        Ok(certificates::find(tx, adapter, &certificate)?.ok_or(Refusal::CertificateNotFound)?)
    };
    let (adapter, found) = look_into(app, &cx, reference, look).await?;
    app.note(of(&cx, 200, &adapter, &found)).await;
    Ok(found)
}

/// Takes a certificate away from an adapter, at once. What was done with it stays.
///
/// # Errors
/// `AdapterNotFound`; `CertificateNotFound`.
pub(crate) async fn delete_certificate(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: Reference<AdapterId>,
    certificate: Reference<CertificateId>,
) -> Result<(), Error> {
    cx.allow(Place::Whole)?;
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let adapter = adapter(tx, &cx, &reference)?;
        let found = certificates::find(tx, adapter.id, &certificate)?.ok_or(Refusal::CertificateNotFound)?;
        certificates::remove(tx, found.id)?;
        adapters::mark_updated(tx, adapter.id, &Mark::of(cx.now, cx.caller.iam_id()))?;
        shared.record(tx, of(&cx, 204, &adapter, &found))
    })
    .await
}

fn of(cx: &Context, status: u16, adapter: &Adapter, certificate: &Certificate) -> Record {
    let mut record = about(cx, status, adapter);
    certificate.name.as_str().clone_into(&mut record.target.name);
    record.respond("certificateId", certificate.id.to_string());
    record
}
