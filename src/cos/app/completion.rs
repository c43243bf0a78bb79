//! The end of an upload in parts: the object is made of those that are named.

use std::sync::Arc;

use crate::cos::app::CosApp;
use crate::cos::app::audit;
use crate::cos::app::error::Error;
use crate::cos::app::key_state::Need;
use crate::cos::app::multipart::{NamedPart, UploadPlace};
use crate::cos::app::request::Request;
use crate::cos::app::room::Room;
use crate::cos::app::sealing::computed;
use crate::cos::app::write::{self, Stored};
use crate::cos::domain::checksum::{Algorithm, Checksum};
use crate::cos::domain::conditions::Conditions;
use crate::cos::domain::object::{OBJECT_BYTES_MAX, Object, PART_BYTES_MIN, PARTS_MAX};
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::domain::retention::RetentionDraft;
use crate::cos::store::blobs::{self, Blob, Owner};
use crate::cos::store::buckets;
use crate::cos::store::uploads::{self, Completed};
use crate::crypto::{compare, digest};

/// What an upload's end asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Completion {
    pub(crate) parts: Vec<NamedPart>,
    /// On the object that would be replaced.
    pub(crate) conditions: Conditions,
    /// In place of what the upload began with, unless it is empty. Source: Python SDK, `CompleteMultipartUploadRequest`.
    pub(crate) retention: RetentionDraft,
    /// Of the whole object, to be checked against.
    pub(crate) checksums: Vec<Checksum>,
    /// Bytes of the whole object, to be checked against.
    pub(crate) size: Option<u64>,
}

impl Completion {
    /// Compares what the client says of the whole object with what its parts tell.
    fn check(&self, size: u64, joined: Vec<Checksum>) -> Result<Vec<Checksum>, Refusal> {
        if self.size.is_some_and(|announced| announced != size) {
            let why = format!("The parts are {size} bytes together, not what x-amz-mp-object-size says.");
            return Err(Refusal::new(Code::InvalidRequest, why));
        }
        for expected in &self.checksums {
            match joined.iter().find(|one| one.algorithm == expected.algorithm) {
                Some(one) if one == expected => {}
                Some(_) => return Err(Code::BadDigest.into()),
                None => {
                    let header = expected.algorithm.header();
                    let why = format!("{header} cannot be checked: not all parts came with one that can be joined.");
                    return Err(Refusal::new(Code::InvalidRequest, why));
                }
            }
        }
        Ok(joined)
    }
}

impl CosApp {
    /// Makes the object of the parts that are named. The same list again gives the same answer.
    ///
    /// # Errors
    /// `NoSuchUpload`, `InvalidPart`, `InvalidPartOrder`, `EntityTooSmall`, `EntityTooLarge`, `AccessDenied`,
    /// `PreconditionFailed`, `BadDigest`, `InvalidRequest`; `MalformedXML` without parts.
    pub(crate) async fn complete_upload(
        &self,
        cx: &Request,
        place: UploadPlace<'_>,
        wanted: Completion,
    ) -> Result<Stored, Error> {
        if wanted.parts.is_empty() || wanted.parts.len() > PARTS_MAX as usize {
            return Err(Code::MalformedXML.into());
        }
        let named = place.named()?;
        let looked_for = named.clone();
        self.read(move |tx| looked_for.find(tx)).await?;
        self.data_key(cx, place.bucket, Need::Write).await?;
        let stored_id = self.new_stored_id()?;
        let (app, cx, shut) = (Arc::clone(&self.app), cx.clone(), self.shut());
        let most = self.app.settings().cos_storage_bytes_max;
        let (stored, unneeded) = self
            .write(move |tx| {
                let upload = named.find(tx)?;
                let list = digest_of(&wanted.parts);
                if let Some(completed) = upload.completed {
                    if completed.list == list {
                        return Ok((Stored { etag: completed.etag, checksums: Vec::new() }, Vec::new()));
                    }
                    return Err(Code::NoSuchUpload.into());
                }
                let bucket = buckets::get(tx, named.bucket)?.ok_or(Code::NoSuchBucket)?;
                shut.check(&bucket)?;
                let chosen = choose(&wanted.parts, blobs::of(tx, Owner::Upload(upload.id))?)?;
                let size = chosen.iter().map(|blob| blob.size).sum();
                let checksums = wanted.check(size, joined(&chosen))?;
                Room::of(tx, &bucket, &upload.key, most)?.admit_parts(size)?;
                let retention = if wanted.retention.is_empty() { upload.retention } else { wanted.retention };
                let object = Object {
                    id: stored_id,
                    key: upload.key,
                    size,
                    etag: etag(&chosen)?,
                    modified_at: cx.now.whole_seconds(),
                    attributes: upload.attributes,
                    tags: upload.tags,
                    checksums,
                    parts: u32::try_from(chosen.len()).unwrap_or(PARTS_MAX),
                    retention: write::retain(&bucket, &retention, cx.now)?,
                };
                let mut unneeded = write::replace(tx, &bucket, &object, &wanted.conditions, cx.now)?;
                blobs::hand_over(tx, &chosen, object.id)?;
                unneeded.extend(blobs::remove(tx, Owner::Upload(upload.id))?);
                uploads::complete(tx, upload.id, &Completed { etag: object.etag.clone(), list })?;
                app.record(tx, audit::of_object(&cx, &bucket, &object.key, "object-multipart.complete", 200))?;
                Ok((Stored { etag: object.etag, checksums: object.checksums }, unneeded))
            })
            .await?;
        self.files.remove(unneeded);
        Ok(stored)
    }
}

/// Checksums of the whole object: of each algorithm that all parts have a value of, where values can be joined.
fn joined(parts: &[Blob]) -> Vec<Checksum> {
    let whole = |algorithm: Algorithm| {
        let mut whole: Option<Vec<u8>> = None;
        for part in parts {
            let value = &part.checksums.iter().find(|checksum| checksum.algorithm == algorithm)?.value;
            whole = Some(match whole {
                Some(before) => digest::joined(computed(algorithm), &before, value, part.size)?,
                None => value.clone(),
            });
        }
        whole.map(|value| Checksum { algorithm, value })
    };
    Algorithm::ALL.into_iter().filter_map(whole).collect()
}

/// The files of the parts that are named, in their order.
///
/// # Errors
/// `InvalidPartOrder`, `InvalidPart`, `EntityTooSmall`, `EntityTooLarge`.
fn choose(parts: &[NamedPart], mut stored: Vec<Blob>) -> Result<Vec<Blob>, Refusal> {
    let ascending = parts.iter().zip(parts.iter().skip(1)).all(|(one, next)| one.number < next.number);
    if !ascending {
        return Err(Code::InvalidPartOrder.into());
    }
    let named = |blob: &Blob| {
        let part = parts.binary_search_by_key(&blob.number, |part| part.number);
        part.ok().and_then(|index| parts.get(index)).is_some_and(|part| part.is(blob))
    };
    stored.retain(named);
    if stored.len() != parts.len() {
        return Err(Code::InvalidPart.into());
    }
    let but_last = stored.split_last().map_or(&[][..], |(_, rest)| rest);
    if but_last.iter().any(|blob| blob.size < PART_BYTES_MIN) {
        return Err(Code::EntityTooSmall.into());
    }
    let size: u64 = stored.iter().map(|blob| blob.size).sum();
    if size > OBJECT_BYTES_MAX { Err(Code::EntityTooLarge.into()) } else { Ok(stored) }
}

/// Hexadecimal MD5 of the parts' binary MD5s, a dash, their number. Source: S3.
fn etag(parts: &[Blob]) -> Result<String, Error> {
    let mut joined = Vec::with_capacity(parts.len() * 16);
    for part in parts {
        let bytes = hex::decode(&part.etag);
        joined.extend(bytes.map_err(|_| Error::Damaged(format!("part {}: its digest does not decode", part.id)))?);
    }
    Ok(format!("{}-{}", hex::encode(digest::of(digest::Algorithm::Md5, &joined)), parts.len()))
}

fn digest_of(parts: &[NamedPart]) -> String {
    let lines: Vec<String> =
        parts.iter().map(|part| format!("{}:{}", part.number, part.etag.trim_matches('"'))).collect();
    hex::encode(compare::sha256(lines.join("\n").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cos::domain::id::BlobId;
    use crate::domain::time::Timestamp;

    fn blob(number: u32, size: u64) -> Blob {
        Blob {
            id: BlobId::from_random([1; 16]),
            number,
            size,
            etag: format!("{number:032x}"),
            checksums: Vec::new(),
            modified_at: Timestamp::from_millis(0),
        }
    }

    fn part(number: u32) -> NamedPart {
        NamedPart { number, etag: format!("\"{number:032x}\""), checksums: Vec::new() }
    }

    #[test]
    fn parts_are_named_in_order_and_big_enough() {
        let stored = || vec![blob(1, PART_BYTES_MIN), blob(3, PART_BYTES_MIN), blob(7, 1)];
        let chosen = |parts: &[NamedPart]| {
            choose(parts, stored())
                .map(|blobs| blobs.iter().map(|blob| blob.number).collect::<Vec<_>>())
                .map_err(|refusal| refusal.code.into_owned())
        };
        assert_eq!(chosen(&[part(1), part(3), part(7)]), Ok(vec![1, 3, 7]));
        assert_eq!(chosen(&[part(3), part(7)]), Ok(vec![3, 7]));
        assert_eq!(chosen(&[part(7)]), Ok(vec![7]));
        let refused = |code: &str| Err(code.to_owned());
        assert_eq!(chosen(&[part(3), part(1)]), refused("InvalidPartOrder"));
        assert_eq!(chosen(&[part(1), part(1)]), refused("InvalidPartOrder"));
        assert_eq!(chosen(&[part(1), part(2)]), refused("InvalidPart"));
        assert_eq!(chosen(&[NamedPart { etag: "x".to_owned(), ..part(1) }]), refused("InvalidPart"));
        let small = choose(&[part(1), part(2)], vec![blob(1, 5), blob(2, 5)]).unwrap_err();
        assert!(small.is(Code::EntityTooSmall));
    }

    #[test]
    fn a_checksum_is_of_the_whole_object_where_all_parts_have_it() {
        let of = |algorithm, bytes: &[u8]| Checksum { algorithm, value: digest::of(computed(algorithm), bytes) };
        let part = |number, bytes: &[u8], algorithms: &[Algorithm]| {
            let checksums = algorithms.iter().map(|algorithm| of(*algorithm, bytes)).collect();
            Blob { checksums, ..blob(number, bytes.len() as u64) }
        };
        let (crc, other) = (Algorithm::Crc32, Algorithm::Crc64Nvme);
        let parts = [part(1, b"first", &[crc, other]), part(2, b", then", &[crc]), part(3, b"", &[other, crc])];
        let whole = of(crc, b"first, then");
        assert_eq!(joined(&parts), vec![whole.clone()]);
        let wanted = |checksum: Checksum, size| Completion {
            checksums: vec![checksum],
            size: Some(size),
            ..Completion::default()
        };
        assert_eq!(wanted(whole.clone(), 11).check(11, joined(&parts)).unwrap(), vec![whole.clone()]);
        assert!(wanted(of(crc, b"else"), 11).check(11, joined(&parts)).unwrap_err().is(Code::BadDigest));
        assert!(wanted(of(other, b"first, then"), 11).check(11, joined(&parts)).unwrap_err().is(Code::InvalidRequest));
        assert!(wanted(whole.clone(), 12).check(11, vec![whole]).unwrap_err().is(Code::InvalidRequest));
    }

    /// The digest is `md5sum`'s, of two digests of nothing.
    #[test]
    fn an_etag_tells_how_many_parts_there_were() {
        let one = Blob { etag: "d41d8cd98f00b204e9800998ecf8427e".to_owned(), ..blob(1, 0) };
        let tag = etag(&[one.clone(), one]).unwrap();
        assert_eq!(tag, "5873dd45edd01f09c1ef2e7819369e8e-2");
    }
}
