//! Bodies on their way out: read and opened frame by frame, no more than what was asked for.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};

use crate::cos::app::body::Outgoing;
use crate::cos::app::error::Error;
use crate::cos::app::key_memory::KeyMemory;
use crate::cos::app::sealing::blocking;
use crate::cos::domain::id::{BlobId, BucketId};
use crate::cos::domain::range::Window;
use crate::cos::domain::refusal::Code;
use crate::cos::key_protect::DataKey;
use crate::cos::store::blobs::Blob;
use crate::cos::store::files::{Lease, ObjectFiles};
use crate::crypto::frames::{self, FRAME_BYTES, FrameKey, Mark, SEALED_FRAME_BYTES};
use crate::crypto::seal_key::TAG_BYTES;

/// Frames that are read and opened at once, 1 MiB: to hand them from thread to thread costs more than to open one.
const FRAMES_AT_ONCE: u64 = 16;
const FRAME: u64 = FRAME_BYTES as u64;

/// A read under way.
pub(super) struct Reading {
    pub(super) files: Arc<ObjectFiles>,
    /// Keeps the files from going.
    pub(super) _lease: Lease,
    pub(super) data_key: Arc<DataKey>,
    pub(super) bucket: BucketId,
    /// Tells when the root key goes away under the read.
    pub(super) memory: Arc<KeyMemory>,
}

/// Bytes of one file that are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slice {
    blob: BlobId,
    /// Bytes of the whole file in clear.
    size: u64,
    window: Window,
}

/// The file that is being read.
struct Opened {
    /// At the next frame.
    file: File,
    key: FrameKey,
    slice: Slice,
    /// Number of the next frame.
    next: u64,
}

/// What moves to a blocking thread and back.
struct Source {
    reading: Reading,
    slices: VecDeque<Slice>,
    opened: Option<Opened>,
}

/// The bytes of `window`, or of the whole object, that lie in `blobs` one behind the other. The first ones are opened before
/// this returns, so that a damaged object is refused and not broken off.
///
/// # Errors
/// `Damaged`; the disk's.
pub(super) async fn open(reading: Reading, blobs: &[Blob], window: Option<Window>) -> Result<Outgoing, Error> {
    let source = Source { reading, slices: slices(blobs, window), opened: None };
    let (source, first) = next(source).await?;
    let rest = stream::try_unfold(source, async |source| {
        let step = next(source).await;
        let (source, frames) = step.inspect_err(broken_off)?;
        Ok::<_, Error>((!frames.is_empty()).then_some((each(frames), source)))
    });
    Ok(Box::pin(each(first).chain(rest.try_flatten())))
}

fn broken_off(why: &Error) {
    if why.is_fault() {
        tracing::error!(fault = %why, "a read is broken off");
    } else {
        tracing::info!(%why, "a read is broken off");
    }
}

fn each(frames: Vec<Bytes>) -> impl Stream<Item = Result<Bytes, Error>> {
    stream::iter(frames.into_iter().map(Ok))
}

/// The next frames; none at the end.
async fn next(mut source: Source) -> Result<(Source, Vec<Bytes>), Error> {
    if source.reading.memory.is_shut(source.reading.bucket) {
        return Err(Code::AccessDenied.into());
    }
    blocking(move || {
        let frames = source.step()?;
        Ok((source, frames))
    })
    .await
}

fn slices(blobs: &[Blob], window: Option<Window>) -> VecDeque<Slice> {
    let mut start = 0;
    let mut found = VecDeque::new();
    for blob in blobs {
        let end = start + blob.size;
        let wanted = window.unwrap_or(Window { first: 0, last: u64::MAX });
        let (first, last) = (wanted.first.max(start), wanted.last.min(end.saturating_sub(1)));
        if blob.size > 0 && first <= last {
            let window = Window { first: first - start, last: last - start };
            found.push_back(Slice { blob: blob.id, size: blob.size, window });
        }
        start = end;
    }
    found
}

impl Source {
    fn step(&mut self) -> Result<Vec<Bytes>, Error> {
        let mut opened = match self.opened.take() {
            Some(opened) => opened,
            None => match self.slices.pop_front() {
                Some(slice) => self.reading.begin(slice)?,
                None => return Ok(Vec::new()),
            },
        };
        let frames = opened.read()?;
        if opened.next <= opened.slice.window.last / FRAME {
            self.opened = Some(opened);
        }
        Ok(frames)
    }
}

impl Reading {
    fn begin(&self, slice: Slice) -> Result<Opened, Error> {
        let file = self.files.read(slice.blob).map_err(|fault| damaged(slice.blob, &fault))?;
        let key = FrameKey::derive(&self.data_key, self.bucket.as_bytes(), slice.blob.as_bytes())?;
        let next = slice.window.first / FRAME;
        (&file).seek(SeekFrom::Start(next * SEALED_FRAME_BYTES as u64)).map_err(|fault| damaged(slice.blob, &fault))?;
        Ok(Opened { file, key, slice, next })
    }
}

impl Opened {
    /// Reads the next frames at once and opens them where they are.
    fn read(&mut self) -> Result<Vec<Bytes>, Error> {
        let Slice { blob, size, window } = self.slice;
        let begin = self.next;
        let end = (begin + FRAMES_AT_ONCE).min(window.last / FRAME + 1);
        let clear = (end * FRAME).min(size) - begin * FRAME;
        let bytes = buffer_bytes(clear, end - begin);
        // Room that is not filled with zeros first.
        let mut sealed = Vec::with_capacity(bytes);
        (&self.file).take(bytes as u64).read_to_end(&mut sealed).map_err(|fault| damaged(blob, &fault))?;
        if sealed.len() < bytes {
            return Err(damaged(blob, &"it is cut short"));
        }
        let last = frames::frames(size) - 1;
        let mut wanted = Vec::new();
        for (index, frame) in sealed.chunks_mut(SEALED_FRAME_BYTES).enumerate() {
            let mark = if self.next == last { Mark::Last } else { Mark::More };
            let opened =
                self.key.open(self.next, mark, frame).ok_or_else(|| damaged(blob, &"does not authenticate"))?;
            let start = self.next * FRAME;
            let from = usize::try_from(window.first.saturating_sub(start)).unwrap_or(0);
            let until = usize::try_from(window.last - start + 1).unwrap_or(usize::MAX).min(opened.len());
            let place = index * SEALED_FRAME_BYTES;
            wanted.push(place + from.min(until)..place + until);
            self.next += 1;
        }
        // No byte is copied: each piece is a part of the one buffer.
        let whole = Bytes::from(sealed);
        Ok(wanted.into_iter().map(|range| whole.slice(range)).collect())
    }
}

fn buffer_bytes(clear: u64, count: u64) -> usize {
    usize::try_from(clear + count * TAG_BYTES as u64).unwrap_or(0)
}

fn damaged(blob: BlobId, why: &dyn std::fmt::Display) -> Error {
    Error::Damaged(format!("file {blob}: {why}"))
}

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;
