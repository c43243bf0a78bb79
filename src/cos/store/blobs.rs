//! Rows of files: which object or upload each belongs to.

use std::collections::HashSet;

use rusqlite::{Row, params};

use crate::cos::domain::checksum::Checksum;
use crate::cos::domain::id::{BlobId, StoredId, UploadId};
use crate::cos::store::json;
use crate::domain::time::Timestamp;
use crate::store::Error;
use crate::store::row::Reading;
use crate::store::tx::Tx;

/// A file of sealed bytes: an object's, or a part's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blob {
    pub(crate) id: BlobId,
    /// The part's number; 1 for a single upload.
    pub(crate) number: u32,
    /// Bytes in clear.
    pub(crate) size: u64,
    /// Hexadecimal MD5 of the bytes in clear.
    pub(crate) etag: String,
    pub(crate) checksums: Vec<Checksum>,
    /// Whole seconds.
    pub(crate) modified_at: Timestamp,
}

/// Whose bytes they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Object(StoredId),
    Upload(UploadId),
}

impl Owner {
    fn id(self) -> String {
        match self {
            Self::Object(id) => id.to_string(),
            Self::Upload(id) => id.to_string(),
        }
    }
}

/// Adds a file in place of one of the same number; gives the one that is no longer needed.
///
/// # Errors
/// The store's.
pub(crate) fn put(tx: &Tx<'_>, owner: Owner, blob: &Blob) -> Result<Vec<BlobId>, Error> {
    let owner = owner.id();
    let replaced =
        ids(tx, "DELETE FROM blobs WHERE owner = ?1 AND number = ?2 RETURNING id", params![owner, blob.number])?;
    tx.prepare(
        "INSERT INTO blobs (id, owner, number, size, etag, checksums, modified_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        blob.id.to_string(),
        owner,
        blob.number,
        i64::try_from(blob.size).unwrap_or(i64::MAX),
        blob.etag,
        json::from_checksums(&blob.checksums),
        blob.modified_at.millis(),
    ])?;
    Ok(replaced)
}

/// Gives parts of an upload to the object that is made of them.
///
/// # Errors
/// The store's.
pub(crate) fn hand_over(tx: &Tx<'_>, blobs: &[Blob], object: StoredId) -> Result<(), Error> {
    let mut statement = tx.prepare("UPDATE blobs SET owner = ?2 WHERE id = ?1")?;
    for blob in blobs {
        statement.execute([blob.id.to_string(), object.to_string()])?;
    }
    Ok(())
}

/// Removes all files of an owner from the books; they are no longer needed.
///
/// # Errors
/// The store's.
pub(crate) fn remove(tx: &Tx<'_>, owner: Owner) -> Result<Vec<BlobId>, Error> {
    ids(tx, "DELETE FROM blobs WHERE owner = ?1 RETURNING id", params![owner.id()])
}

/// Files of an owner in order of their numbers.
///
/// # Errors
/// The store's.
pub(crate) fn of(tx: &Tx<'_>, owner: Owner) -> Result<Vec<Blob>, Error> {
    page(tx, owner, 0, usize::MAX)
}

/// Files with numbers above `marker`, `limit` at most.
///
/// # Errors
/// The store's.
pub(crate) fn page(tx: &Tx<'_>, owner: Owner, marker: u32, limit: usize) -> Result<Vec<Blob>, Error> {
    let mut statement = tx.prepare("SELECT * FROM blobs WHERE owner = ?1 AND number > ?2 ORDER BY number LIMIT ?3")?;
    let mut rows = statement.query(params![owner.id(), marker, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// All files that something names.
///
/// # Errors
/// The store's.
pub(crate) fn all_ids(tx: &Tx<'_>) -> Result<HashSet<BlobId>, Error> {
    Ok(ids(tx, "SELECT id FROM blobs", [])?.into_iter().collect())
}

fn ids(tx: &Tx<'_>, sql: &str, values: impl rusqlite::Params) -> Result<Vec<BlobId>, Error> {
    let mut statement = tx.prepare(sql)?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Reading::new("blobs", row, "id").parse("id", BlobId::parse)?);
    }
    Ok(found)
}

fn read(row: &Row<'_>) -> Result<Blob, Error> {
    let reading = Reading::new("blobs", row, "id");
    Ok(Blob {
        id: reading.parse("id", BlobId::parse)?,
        number: reading.get("number")?,
        size: reading.get::<i64>("size")?.unsigned_abs(),
        etag: reading.get("etag")?,
        checksums: reading.parse("checksums", json::to_checksums)?,
        modified_at: reading.at("modified_at")?,
    })
}
