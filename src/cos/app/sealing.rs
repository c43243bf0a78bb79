//! Bodies on their way in: hashed once, sealed and written in one stream, in constant memory and off the workers.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::cos::app::CosApp;
use crate::cos::app::body::{Checks, Piece, Upload};
use crate::cos::app::error::Error;
use crate::cos::app::room::Room;
use crate::cos::domain::bucket::Bucket;
use crate::cos::domain::checksum::{Algorithm, Checksum};
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::key_protect::DataKey;
use crate::cos::store::files::DraftFile;
use crate::crypto::digest::{self, Running};
use crate::crypto::frames::{FRAME_BYTES, FrameKey, Mark, SEALED_FRAME_BYTES};

/// Frames that are hashed, sealed and written at once.
const FRAMES_AT_ONCE: usize = 4;

/// A body that is on disk; no row names it yet.
pub(super) struct SealedBody {
    pub(super) draft: DraftFile,
    /// Bytes in clear.
    pub(super) size: u64,
    /// Hexadecimal MD5 of the bytes in clear.
    pub(super) etag: String,
    /// The client's own, or CRC64NVME where it sent none. Source: docs, objects.
    pub(super) checksums: Vec<Checksum>,
}

/// What is hashed, sealed and written; moves to a blocking thread and back.
struct Sealing {
    key: FrameKey,
    file: File,
    number: u64,
    md5: Running,
    sha256: Option<Running>,
    checksums: Vec<(Algorithm, Running)>,
}

impl CosApp {
    /// Takes a body in, checks it, and puts it on disk.
    ///
    /// # Errors
    /// `EntityTooLarge`, `ServiceUnavailable`, `IncompleteBody`, `BadDigest`, `InvalidRequest`; what ends the body.
    pub(super) async fn seal_body(
        &self,
        bucket: &Bucket,
        data_key: &DataKey,
        upload: Upload,
        room: Room,
    ) -> Result<SealedBody, Error> {
        room.admit(upload.length.unwrap_or(0))?;
        let id = self.new_blob_id()?;
        let key = FrameKey::derive(data_key, bucket.id.as_bytes(), id.as_bytes())?;
        let files = Arc::clone(&self.files);
        let (mut draft, file) = blocking(move || Ok(files.draft(id)?)).await?;
        let sealing = Sealing::new(key, file, &upload.checks);
        let Upload { body, length, checks } = upload;
        let mut pipe = Pipe { work: Work::Idle(Box::new(sealing)), full: Vec::new(), frame: new_frame(), size: 0 };
        let trailer = pipe.take_in(body, room).await?;
        let (sealing, size) = pipe.end().await?;
        if length.is_some_and(|announced| announced != size) {
            return Err(Code::IncompleteBody.into());
        }
        let (file, etag, checksums) = sealing.check(&checks, &trailer)?;
        let draft = blocking(move || {
            draft.publish(&file)?;
            Ok(draft)
        })
        .await?;
        Ok(SealedBody { draft, size, etag, checksums })
    }
}

/// Runs work with files on a thread that may wait.
pub(super) async fn blocking<T, F>(work: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Error> + Send + 'static,
{
    match spawn_blocking(work).await {
        Ok(result) => result,
        Err(fault) => Err(std::io::Error::other(fault).into()),
    }
}

fn new_frame() -> Vec<u8> {
    Vec::with_capacity(SEALED_FRAME_BYTES)
}

/// Collects frames while the ones before are written.
struct Pipe {
    work: Work,
    /// Full frames that wait; more bytes follow each.
    full: Vec<Vec<u8>>,
    frame: Vec<u8>,
    size: u64,
}

enum Work {
    Idle(Box<Sealing>),
    Running(JoinHandle<Result<Box<Sealing>, Error>>),
    /// Between the two; seen after a fault alone.
    Lost,
}

impl Pipe {
    async fn take_in(&mut self, mut body: crate::cos::app::body::Incoming, room: Room) -> Result<Vec<Checksum>, Error> {
        let mut trailer = Vec::new();
        while let Some(piece) = body.next().await {
            match piece? {
                Piece::Data(bytes) => {
                    self.size += bytes.len() as u64;
                    room.admit(self.size)?;
                    self.push(bytes).await?;
                }
                Piece::Trailer(checksums) => trailer.extend(checksums),
            }
        }
        Ok(trailer)
    }

    async fn push(&mut self, mut bytes: Bytes) -> Result<(), Error> {
        while bytes.has_remaining() {
            if self.frame.len() == FRAME_BYTES {
                self.full.push(std::mem::replace(&mut self.frame, new_frame()));
                if self.full.len() == FRAMES_AT_ONCE {
                    self.start(Mark::More).await?;
                }
            }
            let taken = bytes.split_to(bytes.len().min(FRAME_BYTES - self.frame.len()));
            self.frame.extend_from_slice(&taken);
        }
        Ok(())
    }

    /// Hands what waits to a blocking thread, once the work before is done.
    async fn start(&mut self, last: Mark) -> Result<(), Error> {
        let mut sealing = self.settle().await?;
        let frames = std::mem::take(&mut self.full);
        self.work = Work::Running(spawn_blocking(move || {
            sealing.write(frames, last)?;
            Ok(sealing)
        }));
        Ok(())
    }

    async fn settle(&mut self) -> Result<Box<Sealing>, Error> {
        let lost = || Error::from(std::io::Error::other("the writer of an upload is gone"));
        match std::mem::replace(&mut self.work, Work::Lost) {
            Work::Idle(sealing) => Ok(sealing),
            Work::Running(running) => running.await.unwrap_or_else(|_| Err(lost())),
            Work::Lost => Err(lost()),
        }
    }

    /// Writes the rest; the last frame is marked as such.
    async fn end(mut self) -> Result<(Box<Sealing>, u64), Error> {
        self.full.push(std::mem::take(&mut self.frame));
        self.start(Mark::Last).await?;
        Ok((self.settle().await?, self.size))
    }
}

impl Sealing {
    fn new(key: FrameKey, file: File, checks: &Checks) -> Self {
        let mut wanted: Vec<Algorithm> = checks.checksums.iter().map(|one| one.algorithm).collect();
        wanted.extend(checks.trailing.iter().chain(&checks.computed));
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.is_empty() {
            wanted.push(Algorithm::Crc64Nvme);
        }
        Self {
            key,
            file,
            number: 0,
            md5: Running::new(digest::Algorithm::Md5),
            sha256: checks.payload_sha256.map(|_| Running::new(digest::Algorithm::Sha256)),
            checksums: wanted.into_iter().map(|algorithm| (algorithm, Running::new(computed(algorithm)))).collect(),
        }
    }

    fn write(&mut self, frames: Vec<Vec<u8>>, last: Mark) -> Result<(), Error> {
        let count = frames.len();
        for (index, mut frame) in frames.into_iter().enumerate() {
            self.md5.update(&frame);
            self.sha256.iter_mut().for_each(|running| running.update(&frame));
            self.checksums.iter_mut().for_each(|(_, running)| running.update(&frame));
            let mark = if index + 1 == count { last } else { Mark::More };
            self.key.seal(self.number, mark, &mut frame)?;
            self.number += 1;
            self.file.write_all(&frame)?;
        }
        Ok(())
    }

    /// Compares what was computed with what the client says.
    fn check(self, checks: &Checks, trailer: &[Checksum]) -> Result<(File, String, Vec<Checksum>), Refusal> {
        let md5 = self.md5.finish();
        let sha256 = self.sha256.map(Running::finish);
        let differs = checks.md5.is_some_and(|expected| expected.as_slice() != md5)
            || checks.payload_sha256.is_some_and(|expected| Some(expected.as_slice()) != sha256.as_deref());
        if differs {
            return Err(Code::BadDigest.into());
        }
        let computed = self.checksums.into_iter();
        let computed: Vec<Checksum> =
            computed.map(|(algorithm, running)| Checksum { algorithm, value: running.finish() }).collect();
        for expected in checks.checksums.iter().chain(trailer) {
            match computed.iter().find(|one| one.algorithm == expected.algorithm) {
                Some(one) if one == expected => {}
                Some(_) => return Err(Code::BadDigest.into()),
                None => {
                    let why =
                        format!("The trailer {} was not announced by x-amz-trailer.", expected.algorithm.header());
                    return Err(Refusal::new(Code::InvalidRequest, why));
                }
            }
        }
        let came = |algorithm: &Algorithm| trailer.iter().any(|one| one.algorithm == *algorithm);
        if let Some(missing) = checks.trailing.iter().find(|algorithm| !came(algorithm)) {
            let why = format!("The trailer {} was announced and did not come.", missing.header());
            return Err(Refusal::new(Code::InvalidRequest, why));
        }
        Ok((self.file, hex::encode(md5), computed))
    }
}

/// How an algorithm of S3's is computed.
pub(super) fn computed(algorithm: Algorithm) -> digest::Algorithm {
    match algorithm {
        Algorithm::Crc32 => digest::Algorithm::Crc32,
        Algorithm::Crc32c => digest::Algorithm::Crc32c,
        Algorithm::Crc64Nvme => digest::Algorithm::Crc64Nvme,
        Algorithm::Sha1 => digest::Algorithm::Sha1,
        Algorithm::Sha256 => digest::Algorithm::Sha256,
    }
}
