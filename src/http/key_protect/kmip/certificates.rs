//! `/kmip_adapters/{adapter}/certificates`

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::app::kmip::certificates::{add_certificate, delete_certificate, get_certificate, list_certificates};
use crate::domain::id::CertificateId;
use crate::domain::kmip::Reference;
use crate::domain::kmip::certificate::{Certificate, CertificateDraft, RULE};
use crate::domain::kmip::operation::KmipOperation;
use crate::domain::operation::Operation;
use crate::domain::reason::{BodyFault, Reason};
use crate::http::json;
use crate::http::key_protect::draft::single_resource;
use crate::http::key_protect::entry::{enter, enter_with_body};
use crate::http::key_protect::envelope::KMIP_CERTIFICATE;
use crate::http::key_protect::kmip::{PAGE_MAX, adapter_ref, counted, many, name, one, page};
use crate::http::query::Query;
use crate::http::state::State;

#[derive(Serialize)]
struct CertificateBody {
    id: String,
    name: String,
    /// Left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    created_at: String,
    created_by: String,
}

impl CertificateBody {
    fn of(certificate: Certificate) -> Self {
        Self {
            id: certificate.id.to_string(),
            name: certificate.name.as_str().to_owned(),
            certificate: Some(certificate.pem),
            created_at: certificate.created.at.rfc3339_millis(),
            created_by: certificate.created.by,
        }
    }

    fn in_list(certificate: Certificate) -> Self {
        Self { certificate: None, ..Self::of(certificate) }
    }
}

/// `GET /kmip_adapters/{adapter}/certificates`
pub(crate) async fn list(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::Kmip(KmipOperation::ListCertificates), async |cx| {
        let query = Query::of(&request);
        let counted = counted(&query);
        let wanted = page(&query, PAGE_MAX).and_then(|page| counted.clone().map(|_| page));
        let listed = list_certificates(&state.app, cx, adapter_ref(&request), wanted).await?;
        let bodies = listed.shown.into_iter().map(CertificateBody::in_list).collect();
        Ok(many(KMIP_CERTIFICATE, bodies, counted?.then_some(listed.total)))
    })
    .await
}

/// `POST /kmip_adapters/{adapter}/certificates`
pub(crate) async fn add(request: HttpRequest, payload: Payload, state: Data<State>) -> HttpResponse {
    let operation = Operation::Kmip(KmipOperation::AddCertificate);
    enter_with_body(&request, Some(payload), &state, operation, async |cx, bytes| {
        let added = add_certificate(&state.app, cx, adapter_ref(&request), draft(&bytes)).await?;
        Ok(one(StatusCode::CREATED, KMIP_CERTIFICATE, CertificateBody::of(added)))
    })
    .await
}

/// `GET /kmip_adapters/{adapter}/certificates/{certificate}`
pub(crate) async fn get(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::Kmip(KmipOperation::GetCertificate), async |cx| {
        let found = get_certificate(&state.app, cx, adapter_ref(&request), named(&request)).await?;
        Ok(one(StatusCode::OK, KMIP_CERTIFICATE, CertificateBody::of(found)))
    })
    .await
}

/// `DELETE /kmip_adapters/{adapter}/certificates/{certificate}`
pub(crate) async fn delete(request: HttpRequest, state: Data<State>) -> HttpResponse {
    enter(&request, &state, Operation::Kmip(KmipOperation::DeleteCertificate), async |cx| {
        delete_certificate(&state.app, cx, adapter_ref(&request), named(&request)).await?;
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}

fn named(request: &HttpRequest) -> Reference<CertificateId> {
    Reference::parse(request.match_info().get("certificate").unwrap_or_default(), CertificateId::parse)
}

/// What the certificate itself says is looked at later.
fn draft(bytes: &[u8]) -> Result<CertificateDraft, Reason> {
    let body = json::parse(bytes)?.required()?;
    let resource = single_resource(&body, KMIP_CERTIFICATE, BodyFault::ManyKmipResources)?;
    let name = name(&resource)?;
    let pem = resource.text("certificate")?.ok_or_else(|| Reason::field("certificate", RULE))?;
    Ok(CertificateDraft { name, pem: pem.to_owned() })
}
