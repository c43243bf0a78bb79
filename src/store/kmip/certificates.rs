//! Client certificates of KMIP adapters.

use rusqlite::params;

use crate::domain::id::{AdapterId, CertificateId};
use crate::domain::kmip::certificate::Certificate;
use crate::domain::kmip::{Listed, Name, Page, Reference};
use crate::store::Error;
use crate::store::kmip::{MarkColumns, first, unsigned};
use crate::store::row::Reading;
use crate::store::tx::Tx;

const CREATED: MarkColumns = MarkColumns { at: "created_at", by: "created_by", with: None };

/// The certificate of an adapter that a request names.
///
/// # Errors
/// The store's.
pub(crate) fn find(
    tx: &Tx<'_>,
    adapter: AdapterId,
    certificate: &Reference<CertificateId>,
) -> Result<Option<Certificate>, Error> {
    let (column, text) = match certificate {
        Reference::Id(id) => ("id", id.to_string()),
        Reference::Name(name) => ("name", name.as_str().to_owned()),
        Reference::Nothing => return Ok(None),
    };
    let mut statement =
        tx.prepare(&format!("SELECT * FROM kmip_certificates WHERE adapter_id = ?1 AND {column} = ?2"))?;
    let mut rows = statement.query([adapter.to_string(), text])?;
    rows.next()?.map(read).transpose()
}

/// An adapter's oldest certificate.
///
/// # Errors
/// The store's.
pub(crate) fn oldest(tx: &Tx<'_>, adapter: AdapterId) -> Result<Option<Certificate>, Error> {
    let page = Page { limit: 1, offset: 0 };
    Ok(list(tx, adapter, page)?.shown.pop())
}

/// Certificates of an adapter.
///
/// # Errors
/// The store's.
pub(crate) fn count(tx: &Tx<'_>, adapter: AdapterId) -> Result<u64, Error> {
    let count = first(tx, "SELECT count(*) FROM kmip_certificates WHERE adapter_id = ?1", [adapter.to_string()])?;
    Ok(unsigned(count.unwrap_or_default()))
}

/// True when a certificate of the adapter has the name.
///
/// # Errors
/// The store's.
pub(crate) fn is_taken(tx: &Tx<'_>, adapter: AdapterId, name: &Name) -> Result<bool, Error> {
    let mut statement = tx.prepare("SELECT 1 FROM kmip_certificates WHERE adapter_id = ?1 AND name = ?2")?;
    Ok(statement.exists([adapter.to_string().as_str(), name.as_str()])?)
}

/// True when an adapter of any instance of the region has the certificate.
///
/// # Errors
/// The store's.
pub(crate) fn is_known(tx: &Tx<'_>, region: &str, fingerprint: &[u8; 32]) -> Result<bool, Error> {
    let mut statement = tx.prepare(
        "SELECT 1 FROM kmip_certificates c
         JOIN kmip_adapters a ON a.id = c.adapter_id
         JOIN instances i ON i.id = a.instance_id
         WHERE c.fingerprint = ?1 AND i.region = ?2",
    )?;
    Ok(statement.exists(params![fingerprint, region])?)
}

/// Certificates of an adapter, in order of creation.
///
/// # Errors
/// The store's.
pub(crate) fn list(tx: &Tx<'_>, adapter: AdapterId, page: Page) -> Result<Listed<Certificate>, Error> {
    let total = count(tx, adapter)?;
    let mut statement =
        tx.prepare("SELECT * FROM kmip_certificates WHERE adapter_id = ?1 ORDER BY seq LIMIT ?2 OFFSET ?3")?;
    let mut rows = statement.query(params![adapter.to_string(), page.limit, page.offset])?;
    let mut shown = Vec::new();
    while let Some(row) = rows.next()? {
        shown.push(read(row)?);
    }
    Ok(Listed { shown, total })
}

/// Adds a certificate.
///
/// # Errors
/// The store's.
pub(crate) fn insert(
    tx: &Tx<'_>,
    adapter: AdapterId,
    certificate: &Certificate,
    fingerprint: &[u8; 32],
) -> Result<(), Error> {
    tx.prepare(
        "INSERT INTO kmip_certificates (id, adapter_id, name, pem, fingerprint, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        certificate.id.to_string(),
        adapter.to_string(),
        certificate.name.as_str(),
        certificate.pem,
        fingerprint,
        certificate.created.at.millis(),
        certificate.created.by,
    ])?;
    Ok(())
}

/// Removes a certificate.
///
/// # Errors
/// The store's.
pub(crate) fn remove(tx: &Tx<'_>, certificate: CertificateId) -> Result<(), Error> {
    tx.prepare("DELETE FROM kmip_certificates WHERE id = ?1")?.execute([certificate.to_string()])?;
    Ok(())
}

fn read(row: &rusqlite::Row<'_>) -> Result<Certificate, Error> {
    let reading = Reading::new("kmip_certificates", row, "id");
    Ok(Certificate {
        id: reading.parse("id", CertificateId::parse)?,
        name: reading.parse("name", Name::parse)?,
        pem: reading.get("pem")?,
        created: CREATED.read(&reading)?,
    })
}
