//! Rows of uploads in parts.

use rusqlite::{Row, params};

use crate::cos::domain::attributes::Attributes;
use crate::cos::domain::id::{BucketId, UploadId};
use crate::cos::domain::object::ObjectKey;
use crate::cos::domain::retention::RetentionDraft;
use crate::cos::domain::tags::Tag;
use crate::cos::store::json;
use crate::domain::time::Timestamp;
use crate::store::Error;
use crate::store::row::Reading;
use crate::store::tx::Tx;

/// An upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UploadRow {
    pub(crate) id: UploadId,
    pub(crate) key: ObjectKey,
    pub(crate) initiated_at: Timestamp,
    pub(crate) attributes: Attributes,
    pub(crate) tags: Vec<Tag>,
    pub(crate) retention: RetentionDraft,
    /// `None` while it is under way; of an aborted one with empty texts.
    pub(crate) completed: Option<Completed>,
}

/// What a completed upload answers to the same list of parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Completed {
    pub(crate) etag: String,
    /// Digest of the parts that were named.
    pub(crate) list: String,
}

/// Adds an upload.
///
/// # Errors
/// The store's.
pub(crate) fn insert(tx: &Tx<'_>, bucket: BucketId, upload: &UploadRow) -> Result<(), Error> {
    tx.prepare(
        "INSERT INTO uploads (id, bucket_id, key, initiated_at, attributes, tags, retention)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        upload.id.to_string(),
        bucket.to_string(),
        upload.key.as_str(),
        upload.initiated_at.millis(),
        json::from_attributes(&upload.attributes),
        json::from_tags(&upload.tags),
        json::from_draft(&upload.retention),
    ])?;
    Ok(())
}

/// An upload of that bucket and key.
///
/// # Errors
/// The store's.
pub(crate) fn get(tx: &Tx<'_>, bucket: BucketId, key: &ObjectKey, id: UploadId) -> Result<Option<UploadRow>, Error> {
    let mut statement = tx.prepare("SELECT * FROM uploads WHERE id = ?1 AND bucket_id = ?2 AND key = ?3")?;
    let mut rows = statement.query([id.to_string().as_str(), bucket.to_string().as_str(), key.as_str()])?;
    rows.next()?.map(read).transpose()
}

/// Notes that an upload is complete.
///
/// # Errors
/// The store's.
pub(crate) fn complete(tx: &Tx<'_>, id: UploadId, completed: &Completed) -> Result<(), Error> {
    tx.prepare("UPDATE uploads SET etag = ?2, list = ?3 WHERE id = ?1")?.execute([
        id.to_string().as_str(),
        &completed.etag,
        &completed.list,
    ])?;
    Ok(())
}

/// Notes that an upload is aborted. Its row stays, so that a listing can go on from there.
///
/// # Errors
/// The store's.
pub(crate) fn abort(tx: &Tx<'_>, id: UploadId) -> Result<(), Error> {
    complete(tx, id, &Completed { etag: String::new(), list: String::new() })
}

/// Removes an upload's row.
///
/// # Errors
/// The store's.
pub(crate) fn remove(tx: &Tx<'_>, id: UploadId) -> Result<(), Error> {
    tx.prepare("DELETE FROM uploads WHERE id = ?1")?.execute([id.to_string()])?;
    Ok(())
}

/// All uploads of a bucket, completed ones too.
///
/// # Errors
/// The store's.
pub(crate) fn all_of(tx: &Tx<'_>, bucket: BucketId) -> Result<Vec<UploadId>, Error> {
    let mut statement = tx.prepare("SELECT id FROM uploads WHERE bucket_id = ?1")?;
    let mut rows = statement.query([bucket.to_string()])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(Reading::new("uploads", row, "id").parse("id", UploadId::parse)?);
    }
    Ok(all)
}

/// Where a walk begins: behind the upload of that key and number, which need not be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    pub(crate) key: &'a str,
    seq: i64,
}

impl<'a> Place<'a> {
    /// Before all uploads of that key.
    pub(crate) fn before(key: &'a str) -> Self {
        Self { key, seq: 0 }
    }

    /// Behind all uploads of that key.
    pub(crate) fn behind_all(key: &'a str) -> Self {
        Self { key, seq: i64::MAX }
    }

    /// Behind an upload of that key, whether it is under way or has ended; `None` when there was none.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn behind(tx: &Tx<'_>, bucket: BucketId, key: &'a str, id: &str) -> Result<Option<Self>, Error> {
        let mut statement = tx.prepare("SELECT seq FROM uploads WHERE id = ?1 AND bucket_id = ?2 AND key = ?3")?;
        let mut rows = statement.query([id, bucket.to_string().as_str(), key])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        Ok(Some(Self { key, seq: row.get("seq")? }))
    }
}

/// Hands uploads under way to `take`, by key and then by age, as long as it wants more.
///
/// # Errors
/// The store's.
pub(crate) fn walk(
    tx: &Tx<'_>,
    bucket: BucketId,
    from: Place<'_>,
    mut take: impl FnMut(UploadRow) -> bool,
) -> Result<(), Error> {
    let mut statement = tx.prepare(
        "SELECT * FROM uploads WHERE bucket_id = ?1 AND (key, seq) > (?2, ?3) AND list IS NULL ORDER BY key, seq",
    )?;
    let mut rows = statement.query(params![bucket.to_string(), from.key, from.seq])?;
    while let Some(row) = rows.next()? {
        if !take(read(row)?) {
            break;
        }
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Result<UploadRow, Error> {
    let reading = Reading::new("uploads", row, "id");
    let etag: Option<String> = reading.get("etag")?;
    let list: Option<String> = reading.get("list")?;
    Ok(UploadRow {
        id: reading.parse("id", UploadId::parse)?,
        key: reading.parse("key", |text| ObjectKey::parse(text).ok())?,
        initiated_at: reading.at("initiated_at")?,
        attributes: reading.parse("attributes", json::to_attributes)?,
        tags: reading.parse("tags", json::to_tags)?,
        retention: reading.parse("retention", json::to_draft)?,
        completed: etag.zip(list).map(|(etag, list)| Completed { etag, list }),
    })
}
