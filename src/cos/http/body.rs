//! Bodies of requests: streamed, out of their chunks, with a limit on silence; small ones read whole and checked.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, StreamExt};
use tokio::time::timeout;

use crate::cos::app::body::{Checks, Incoming, Piece, Upload};
use crate::cos::app::error::Error;
use crate::cos::domain::checksum::Algorithm as ChecksumKind;
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::http::chunked::Decoder;
use crate::cos::http::credentials::ReadBody;
use crate::crypto::digest::{self, Algorithm};

/// Real time without a byte that a body may take. Source: `docs/contract/cos.md` 2.4.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Bytes of a document that is read whole. Source: `docs/contract/cos.md` 2.5.
const DOCUMENT_BYTES_MAX: usize = 1024 * 1024;
/// Bytes that are read to check a signature which comes without the body's digest.
const SIGNED_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A request's body as it comes over the wire.
#[derive(Clone)]
pub(crate) struct Body {
    source: Rc<Cell<Option<Source>>>,
    /// True once all of it has come.
    ended: Rc<Cell<bool>>,
}

enum Source {
    Wire(Payload),
    Memory(Bytes),
    /// No more bytes have come for too long.
    Silent(Payload),
}

impl Body {
    /// Nothing of it has been read. `empty`: true for a request that announces no body.
    pub(crate) fn new(payload: Payload, empty: bool) -> Self {
        Self { source: Rc::new(Cell::new(Some(Source::Wire(payload)))), ended: Rc::new(Cell::new(empty)) }
    }

    /// True once all bytes have come: the connection can be used again.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.get()
    }

    /// What is left of a body that has fallen silent.
    pub(crate) fn into_silent(self) -> Option<Payload> {
        match self.source.take() {
            Some(Source::Silent(payload)) => Some(payload),
            Some(Source::Wire(_) | Source::Memory(_)) | None => None,
        }
    }

    /// Puts back what has been read for a signature's sake.
    pub(crate) fn put_back(&self, bytes: Bytes) {
        self.source.set(Some(Source::Memory(bytes)));
    }

    /// The bytes, which can be taken once.
    fn bytes(&self) -> impl futures_util::Stream<Item = Result<Bytes, Error>> + use<> {
        let body = self.clone();
        stream::unfold(self.source.take(), move |source| {
            let body = body.clone();
            async move {
                match source? {
                    Source::Memory(bytes) => Some((Ok(bytes), None)),
                    Source::Silent(_) => Some((Err(Code::RequestTimeout.into()), None)),
                    Source::Wire(mut payload) => match timeout(SILENCE_MAX, payload.next()).await {
                        Ok(Some(Ok(bytes))) => Some((Ok(bytes), Some(Source::Wire(payload)))),
                        Ok(Some(Err(_))) => Some((Err(Code::IncompleteBody.into()), None)),
                        Ok(None) => {
                            body.ended.set(true);
                            None
                        }
                        Err(_) => {
                            body.source.set(Some(Source::Silent(payload)));
                            Some((Err(Code::RequestTimeout.into()), None))
                        }
                    },
                }
            }
        })
    }

    /// As an upload. `decoder`: for a body in chunks.
    pub(crate) fn upload(&self, checks: Checks, length: Option<u64>, decoder: Option<Decoder>) -> Upload {
        let body = match decoder {
            Some(decoder) => self.decoded(decoder),
            None => self.bytes().map(|piece| piece.map(Piece::Data)).boxed_local(),
        };
        Upload { body, length, checks }
    }

    fn decoded(&self, decoder: Decoder) -> Incoming {
        let start = (self.bytes().boxed_local(), Some(decoder));
        let pieces = stream::unfold(start, |(mut bytes, decoder)| async move {
            let mut decoder = decoder?;
            match bytes.next().await {
                Some(Ok(piece)) => match decoder.feed(&piece) {
                    Ok(data) => {
                        let data: Vec<_> = data.into_iter().map(|data| Ok(Piece::Data(data))).collect();
                        Some((data, (bytes, Some(decoder))))
                    }
                    Err(refusal) => Some((vec![Err(refusal.into())], (bytes, None))),
                },
                Some(Err(error)) => Some((vec![Err(error)], (bytes, None))),
                None => {
                    let last = decoder.finish().map(Piece::Trailer).map_err(Error::from);
                    Some((vec![last], (bytes, None)))
                }
            }
        });
        pieces.flat_map(stream::iter).boxed_local()
    }
}

impl ReadBody for Body {
    async fn read(self) -> Result<Bytes, Error> {
        let mut bytes = std::pin::pin!(self.bytes());
        let mut all = BytesMut::new();
        while let Some(piece) = bytes.next().await {
            let piece = piece?;
            if all.len() + piece.len() > SIGNED_BYTES_MAX {
                let why =
                    "A request without x-amz-content-sha256 must be short enough to be read before it is checked.";
                return Err(Refusal::new(Code::SignatureDoesNotMatch, why).into());
            }
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }
}

/// Reads a document whole and checks it.
///
/// # Errors
/// `MalformedXML` for one that is too long; `BadDigest`; what ends the body.
pub(crate) async fn document(upload: Upload) -> Result<Bytes, Error> {
    let Upload { mut body, length, mut checks } = upload;
    if length.is_some_and(|length| length > DOCUMENT_BYTES_MAX as u64) {
        return Err(too_long().into());
    }
    let mut all = BytesMut::new();
    while let Some(piece) = body.next().await {
        match piece? {
            Piece::Data(bytes) => {
                if all.len() + bytes.len() > DOCUMENT_BYTES_MAX {
                    return Err(too_long().into());
                }
                all.extend_from_slice(&bytes);
            }
            Piece::Trailer(checksums) => checks.checksums.extend(checksums),
        }
    }
    check(&checks, &all)?;
    Ok(all.freeze())
}

fn check(checks: &Checks, bytes: &[u8]) -> Result<(), Refusal> {
    let fits = |algorithm: Algorithm, expected: &[u8]| digest::of(algorithm, bytes) == expected;
    let good = checks.md5.is_none_or(|expected| fits(Algorithm::Md5, &expected))
        && checks.payload_sha256.is_none_or(|expected| fits(Algorithm::Sha256, &expected))
        && checks.checksums.iter().all(|sum| fits(algorithm(sum.algorithm), &sum.value));
    if good { Ok(()) } else { Err(Code::BadDigest.into()) }
}

fn algorithm(kind: ChecksumKind) -> Algorithm {
    match kind {
        ChecksumKind::Crc32 => Algorithm::Crc32,
        ChecksumKind::Crc32c => Algorithm::Crc32c,
        ChecksumKind::Crc64Nvme => Algorithm::Crc64Nvme,
        ChecksumKind::Sha1 => Algorithm::Sha1,
        ChecksumKind::Sha256 => Algorithm::Sha256,
    }
}

fn too_long() -> Refusal {
    Refusal::new(Code::MalformedXML, "The document is longer than 1 MiB.")
}
