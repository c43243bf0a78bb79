//! KMIP adapters with their certificates and objects.

pub(crate) mod adapters;
pub(crate) mod certificates;
pub(crate) mod objects;

use rusqlite::OptionalExtension;
use rusqlite::types::FromSql;

use crate::domain::id::{CertificateId, InstanceId};
use crate::domain::kmip::Mark;
use crate::store::Error;
use crate::store::row::Reading;
use crate::store::tx::Tx;

/// Removes all adapters of an instance, with all that is in them.
///
/// # Errors
/// The store's.
pub(crate) fn remove_all(tx: &Tx<'_>, instance: InstanceId) -> Result<(), Error> {
    const IN_INSTANCE: &str = "adapter_id IN (SELECT id FROM kmip_adapters WHERE instance_id = ?1)";
    for table in ["kmip_objects", "kmip_certificates"] {
        tx.prepare(&format!("DELETE FROM {table} WHERE {IN_INSTANCE}"))?.execute([instance.to_string()])?;
    }
    tx.prepare("DELETE FROM kmip_adapters WHERE instance_id = ?1")?.execute([instance.to_string()])?;
    Ok(())
}

/// The columns of a mark.
struct MarkColumns {
    at: &'static str,
    by: &'static str,
    /// Where there is one.
    with: Option<&'static str>,
}

impl MarkColumns {
    fn read(&self, reading: &Reading<'_, '_>) -> Result<Mark, Error> {
        Ok(Mark { at: reading.at(self.at)?, by: reading.get(self.by)?, certificate: self.certificate(reading)? })
    }

    /// A mark that may be absent.
    fn read_opt(&self, reading: &Reading<'_, '_>) -> Result<Option<Mark>, Error> {
        let Some(at) = reading.at_opt(self.at)? else { return Ok(None) };
        Ok(Some(Mark { at, by: reading.get(self.by)?, certificate: self.certificate(reading)? }))
    }

    fn certificate(&self, reading: &Reading<'_, '_>) -> Result<Option<CertificateId>, Error> {
        let Some(column) = self.with else { return Ok(None) };
        let text: Option<String> = reading.get(column)?;
        text.map(|text| CertificateId::parse(&text).ok_or_else(|| reading.inconsistent(column))).transpose()
    }
}

/// A certificate's id, as a column has it.
fn certificate_text(mark: &Mark) -> Option<String> {
    mark.certificate.map(|certificate| certificate.to_string())
}

/// A count.
fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// The first column of the first row, where there is one.
fn first<T: FromSql>(tx: &Tx<'_>, sql: &str, parameters: impl rusqlite::Params) -> Result<Option<T>, Error> {
    Ok(tx.prepare(sql)?.query_row(parameters, |row| row.get(0)).optional()?)
}
