//! aws-chunked bodies: data in chunks, each perhaps signed, then perhaps a trailer with checksums. The chunks have nothing
//! to do with those of HTTP. Source: `docs/contract/cos.md` 3.4.

use std::fmt::Write as _;

use bytes::{Buf, Bytes, BytesMut};

use crate::cos::domain::checksum::{Algorithm as ChecksumKind, Checksum};
use crate::cos::domain::refusal::{Code, Refusal};
use crate::cos::http::headers;
use crate::cos::http::v4::{EMPTY, SigningKey};
use crate::crypto::compare;
use crate::crypto::digest::{self, Algorithm, Running};

/// Bytes of a line, without its end: a chunk's head or a field of the trailer.
const LINE_BYTES_MAX: usize = 1_024;
/// Fields of a trailer.
const TRAILER_FIELDS_MAX: usize = 16;

/// Checks the chain of chunk signatures.
pub(crate) struct Chain {
    key: SigningKey,
    /// The signature before, hexadecimal: at first the request's.
    before: String,
    /// Whether the trailer is signed too.
    trailer: TrailerSigning,
}

/// Whether a trailer bears a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrailerSigning {
    Signed,
    Unsigned,
}

impl Chain {
    /// Begins with the request's own signature.
    pub(crate) fn new(key: SigningKey, seed: String, trailer: TrailerSigning) -> Self {
        Self { key, before: seed, trailer }
    }

    fn check_chunk(&mut self, given: &str, digest: &str) -> Result<(), Refusal> {
        let text = format!(
            "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{}\n{EMPTY}\n{digest}",
            self.key.date, self.key.scope, self.before
        );
        self.check(given, &text)
    }

    fn check_trailer(&mut self, given: &str, fields: &str) -> Result<(), Refusal> {
        let digest = hex::encode(digest::of(Algorithm::Sha256, fields.as_bytes()));
        let text =
            format!("AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{}\n{digest}", self.key.date, self.key.scope, self.before);
        self.check(given, &text)
    }

    fn check(&mut self, given: &str, text: &str) -> Result<(), Refusal> {
        let expected = hex::encode(self.key.sign(text));
        if compare::equal(expected.as_bytes(), given.as_bytes()) {
            self.before = expected;
            return Ok(());
        }
        let why = "The signature of a chunk does not match its bytes.";
        Err(Refusal::new(Code::SignatureDoesNotMatch, why))
    }
}

/// Takes a body out of its chunks, as the bytes come.
pub(crate) struct Decoder {
    state: State,
    chain: Option<Chain>,
    /// Bytes announced by `x-amz-decoded-content-length`.
    announced: Option<u64>,
    /// Bytes of data so far.
    decoded: u64,
    /// Algorithms that the trailer is to bring.
    expected: Vec<ChecksumKind>,
    waiting: BytesMut,
    trailer: Trailer,
}

enum State {
    /// A chunk's head is next.
    Head,
    Data {
        left: u64,
        signature: Option<String>,
        digest: Option<Box<Running>>,
    },
    /// The line end behind a chunk's data.
    DataEnd,
    Trailer,
    End,
}

#[derive(Default)]
struct Trailer {
    /// `name:value` and a line feed each, as they are signed.
    text: String,
    fields: usize,
    checksums: Vec<Checksum>,
    signature: Option<String>,
}

impl Decoder {
    /// Over no bytes yet.
    pub(crate) fn new(chain: Option<Chain>, announced: Option<u64>, expected: Vec<ChecksumKind>) -> Self {
        Self {
            state: State::Head,
            chain,
            announced,
            decoded: 0,
            expected,
            waiting: BytesMut::new(),
            trailer: Trailer::default(),
        }
    }

    /// Takes the next bytes, and gives the data in them.
    ///
    /// # Errors
    /// `InvalidRequest` for what is no such framing, `SignatureDoesNotMatch`, `IncompleteBody` for more data than
    /// announced, `InvalidDigest`.
    pub(crate) fn feed(&mut self, bytes: &Bytes) -> Result<Vec<Bytes>, Refusal> {
        self.waiting.extend_from_slice(bytes);
        let mut data = Vec::new();
        while !self.waiting.is_empty() && self.step(&mut data)? {}
        Ok(data)
    }

    /// The checksums of the trailer, once all bytes have come.
    ///
    /// # Errors
    /// `IncompleteBody` when something is missing.
    pub(crate) fn finish(self) -> Result<Vec<Checksum>, Refusal> {
        if matches!(self.state, State::Head) && !self.begins_with_a_size() {
            return Err(framing());
        }
        if !matches!(self.state, State::End) || self.announced.is_some_and(|announced| announced != self.decoded) {
            return Err(Code::IncompleteBody.into());
        }
        let brought = |kind: &ChecksumKind| self.trailer.checksums.iter().any(|sum| sum.algorithm == *kind);
        match self.expected.iter().find(|kind| !brought(kind)) {
            None => Ok(self.trailer.checksums),
            Some(kind) => {
                let why = format!("The trailer lacks {}, which x-amz-trailer announces.", kind.header());
                Err(Refusal::new(Code::InvalidRequest, why))
            }
        }
    }

    /// True while what waits can be the start of a chunk's head.
    fn begins_with_a_size(&self) -> bool {
        let size = self.waiting.iter().take_while(|byte| !matches!(byte, b';' | b'\r'));
        size.into_iter().all(u8::is_ascii_hexdigit)
    }

    /// One step on; false when more bytes are needed.
    fn step(&mut self, data: &mut Vec<Bytes>) -> Result<bool, Refusal> {
        match &mut self.state {
            State::Head => {
                let Some(line) = self.line()? else { return Ok(false) };
                self.begin_chunk(&line)?;
            }
            State::Data { left, digest, .. } => {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(self.waiting.len());
                let piece = self.waiting.split_to(take).freeze();
                *left -= piece.len() as u64;
                if let Some(digest) = digest {
                    digest.update(&piece);
                }
                data.push(piece);
                if *left == 0 {
                    self.end_chunk()?;
                }
            }
            State::DataEnd => {
                if self.waiting.len() < 2 {
                    return Ok(false);
                }
                if !self.waiting.starts_with(b"\r\n") {
                    return Err(framing());
                }
                self.waiting.advance(2);
                self.state = State::Head;
            }
            State::Trailer => {
                let Some(line) = self.line()? else { return Ok(false) };
                if line.is_empty() { self.end()? } else { self.field(&line)? }
            }
            State::End => return Err(framing()),
        }
        Ok(true)
    }

    /// The next line without its end, if it is all there.
    fn line(&mut self) -> Result<Option<String>, Refusal> {
        let Some(end) = self.waiting.windows(2).position(|pair| pair == b"\r\n") else {
            return if self.waiting.len() > LINE_BYTES_MAX { Err(framing()) } else { Ok(None) };
        };
        if end > LINE_BYTES_MAX {
            return Err(framing());
        }
        let line = self.waiting.split_to(end);
        self.waiting.advance(2);
        String::from_utf8(line.to_vec()).map(Some).map_err(|_| framing())
    }

    fn begin_chunk(&mut self, line: &str) -> Result<(), Refusal> {
        let (size, extension) = line.split_once(';').map_or((line, None), |(size, rest)| (size, Some(rest)));
        let digits = !size.is_empty() && size.len() <= 16 && size.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = if digits { u64::from_str_radix(size, 16).map_err(|_| framing())? } else { return Err(framing()) };
        let signature = extension.and_then(|extension| extension.trim().strip_prefix("chunk-signature="));
        if let Some(chain) = &mut self.chain {
            let signature = signature.ok_or_else(|| {
                Refusal::new(Code::SignatureDoesNotMatch, "A chunk lacks its signature, chunk-signature.")
            })?;
            if size == 0 {
                chain.check_chunk(signature, EMPTY)?;
            }
        }
        self.decoded = self.decoded.saturating_add(size);
        if self.announced.is_some_and(|announced| self.decoded > announced) {
            return Err(Code::IncompleteBody.into());
        }
        self.state = if size == 0 {
            State::Trailer
        } else {
            let digest = self.chain.is_some().then(|| Box::new(Running::new(Algorithm::Sha256)));
            State::Data { left: size, signature: signature.map(str::to_owned), digest }
        };
        Ok(())
    }

    fn end_chunk(&mut self) -> Result<(), Refusal> {
        if let State::Data { signature, digest: Some(digest), .. } = std::mem::replace(&mut self.state, State::DataEnd)
            && let Some(chain) = &mut self.chain
        {
            chain.check_chunk(&signature.unwrap_or_default(), &hex::encode(digest.finish()))?;
        }
        Ok(())
    }

    fn field(&mut self, line: &str) -> Result<(), Refusal> {
        let (name, value) = line.split_once(':').ok_or_else(framing)?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        self.trailer.fields += 1;
        if self.trailer.fields > TRAILER_FIELDS_MAX {
            return Err(framing());
        }
        if name == "x-amz-trailer-signature" {
            self.trailer.signature = Some(value.to_owned());
            return Ok(());
        }
        // Writing to a text does not fail.
        let _ = writeln!(self.trailer.text, "{name}:{value}");
        let Some(kind) = ChecksumKind::of_header(&name) else { return Ok(()) };
        if !self.expected.contains(&kind) {
            let why = format!("The trailer has {name}, which x-amz-trailer does not announce.");
            return Err(Refusal::new(Code::InvalidRequest, why));
        }
        self.trailer.checksums.push(headers::checksum(kind, value)?);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Refusal> {
        self.state = State::End;
        let Some(chain) = &mut self.chain else { return Ok(()) };
        if chain.trailer == TrailerSigning::Unsigned {
            return Ok(());
        }
        let signature = self.trailer.signature.take().ok_or_else(|| {
            Refusal::new(Code::SignatureDoesNotMatch, "The trailer lacks its signature, x-amz-trailer-signature.")
        })?;
        chain.check_trailer(&signature, &self.trailer.text)
    }
}

fn framing() -> Refusal {
    Refusal::new(Code::InvalidRequest, "The body is not framed as aws-chunked.")
}
