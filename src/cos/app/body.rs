//! Bodies: what comes in with an upload, and what goes out with a read. Neither is ever held whole.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;

use crate::cos::app::error::Error;
use crate::cos::domain::checksum::{Algorithm, Checksum};

/// A piece of an upload's body, out of its chunks already.
#[derive(Debug)]
pub(crate) enum Piece {
    Data(Bytes),
    /// Checksums of the trailer, after all data.
    Trailer(Vec<Checksum>),
}

/// An upload's body. An error ends it: `IncompleteBody`, `RequestTimeout`, `SignatureDoesNotMatch` and the like.
pub(crate) type Incoming = Pin<Box<dyn Stream<Item = Result<Piece, Error>>>>;

/// An object's bytes. An error breaks the connection off.
pub(crate) type Outgoing = Pin<Box<dyn Stream<Item = Result<Bytes, Error>>>>;

/// A body with all that it is checked against.
pub(crate) struct Upload {
    pub(crate) body: Incoming,
    /// Bytes announced, without any framing.
    pub(crate) length: Option<u64>,
    pub(crate) checks: Checks,
}

/// What an upload is checked against; two different checksums are both checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checks {
    /// `Content-MD5`
    pub(crate) md5: Option<[u8; 16]>,
    /// `x-amz-content-sha256`, when it is a digest.
    pub(crate) payload_sha256: Option<[u8; 32]>,
    /// `x-amz-checksum-*`
    pub(crate) checksums: Vec<Checksum>,
    /// Algorithms that `x-amz-trailer` announces.
    pub(crate) trailing: Vec<Algorithm>,
    /// Algorithms to compute though nothing is to be compared.
    pub(crate) computed: Vec<Algorithm>,
    /// True for bytes of our own, which are authenticated already.
    pub(crate) trusted: bool,
}

impl Checks {
    /// True when MD5 or a checksum of the client's guards the body: buckets with a retention policy need it.
    pub(crate) fn guard(&self) -> bool {
        self.trusted || self.md5.is_some() || !self.checksums.is_empty() || !self.trailing.is_empty()
    }
}
