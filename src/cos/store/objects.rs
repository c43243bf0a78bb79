//! Objects' rows.

use rusqlite::{Row, params};

use crate::cos::domain::id::{BucketId, StoredId};
use crate::cos::domain::object::{Object, ObjectKey};
use crate::cos::store::json;
use crate::store::Error;
use crate::store::row::Reading;
use crate::store::tx::Tx;

/// An object by its key.
///
/// # Errors
/// The store's.
pub(crate) fn get(tx: &Tx<'_>, bucket: BucketId, key: &ObjectKey) -> Result<Option<Object>, Error> {
    let mut statement = tx.prepare("SELECT * FROM objects WHERE bucket_id = ?1 AND key = ?2")?;
    let mut rows = statement.query([bucket.to_string().as_str(), key.as_str()])?;
    rows.next()?.map(read).transpose()
}

/// Adds an object, for whose key there must be none.
///
/// # Errors
/// The store's.
pub(crate) fn insert(tx: &Tx<'_>, bucket: BucketId, object: &Object) -> Result<(), Error> {
    tx.prepare(
        "INSERT INTO objects (id, bucket_id, key, size, etag, modified_at, attributes, tags, checksums, parts, retention)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        object.id.to_string(),
        bucket.to_string(),
        object.key.as_str(),
        i64::try_from(object.size).unwrap_or(i64::MAX),
        object.etag,
        object.modified_at.millis(),
        json::from_attributes(&object.attributes),
        json::from_tags(&object.tags),
        json::from_checksums(&object.checksums),
        object.parts,
        object.retention.as_ref().map(json::from_retention),
    ])?;
    Ok(())
}

/// Writes what can change of an object: its tags and its retention.
///
/// # Errors
/// The store's.
pub(crate) fn update(tx: &Tx<'_>, object: &Object) -> Result<(), Error> {
    tx.prepare("UPDATE objects SET tags = ?2, retention = ?3 WHERE id = ?1")?.execute(params![
        object.id.to_string(),
        json::from_tags(&object.tags),
        object.retention.as_ref().map(json::from_retention),
    ])?;
    Ok(())
}

/// Removes an object's row.
///
/// # Errors
/// The store's.
pub(crate) fn remove(tx: &Tx<'_>, id: StoredId) -> Result<(), Error> {
    tx.prepare("DELETE FROM objects WHERE id = ?1")?.execute([id.to_string()])?;
    Ok(())
}

/// Hands objects to `take`, in order of their keys from `from` on, as long as they have the prefix and `take` wants more. It
/// says where to go on.
///
/// # Errors
/// The store's.
pub(crate) fn walk(
    tx: &Tx<'_>,
    bucket: BucketId,
    from: String,
    mut take: impl FnMut(Object) -> Go,
) -> Result<(), Error> {
    let mut statement = tx.prepare("SELECT * FROM objects WHERE bucket_id = ?1 AND key >= ?2 ORDER BY key")?;
    let bucket = bucket.to_string();
    let mut from = Some(from);
    while let Some(start) = from.take() {
        let mut rows = statement.query([&bucket, &start])?;
        while let Some(row) = rows.next()? {
            match take(read(row)?) {
                Go::On => {}
                Go::To(place) => {
                    from = Some(place);
                    break;
                }
                Go::NoFurther => return Ok(()),
            }
        }
    }
    Ok(())
}

/// How a walk goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Go {
    On,
    /// With the first key that is not before this text.
    To(String),
    NoFurther,
}

fn read(row: &Row<'_>) -> Result<Object, Error> {
    let reading = Reading::new("objects", row, "id");
    let retention = match reading.get::<Option<String>>("retention")? {
        None => None,
        Some(text) => Some(json::to_retention(&text).ok_or_else(|| reading.inconsistent("retention"))?),
    };
    Ok(Object {
        id: reading.parse("id", StoredId::parse)?,
        key: reading.parse("key", |text| ObjectKey::parse(text).ok())?,
        size: reading.get::<i64>("size")?.unsigned_abs(),
        etag: reading.get("etag")?,
        modified_at: reading.at("modified_at")?,
        attributes: reading.parse("attributes", json::to_attributes)?,
        tags: reading.parse("tags", json::to_tags)?,
        checksums: reading.parse("checksums", json::to_checksums)?,
        parts: reading.get("parts")?,
        retention,
    })
}
