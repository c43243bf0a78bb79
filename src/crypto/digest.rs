//! Digests and checksums of bytes that come piece by piece.

use crc_fast::CrcAlgorithm;
use md5::{Digest as _, Md5};
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

/// What can be computed over a body. None but SHA-256 keeps anybody from anything: they are what S3 asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Crc32,
    Crc32c,
    Crc64Nvme,
}

impl Algorithm {
    /// Bytes of the result.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
        }
    }
}

/// A computation under way.
pub(crate) struct Running(State);

enum State {
    Md5(Md5),
    Sha(Context),
    Crc(crc_fast::Digest, usize),
}

impl Running {
    /// Over no bytes yet.
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Md5 => State::Md5(Md5::new()),
            Algorithm::Sha1 => State::Sha(Context::new(&SHA1_FOR_LEGACY_USE_ONLY)),
            Algorithm::Sha256 => State::Sha(Context::new(&SHA256)),
            Algorithm::Crc32 => State::Crc(crc_fast::Digest::new(CrcAlgorithm::Crc32IsoHdlc), algorithm.bytes()),
            Algorithm::Crc32c => State::Crc(crc_fast::Digest::new(CrcAlgorithm::Crc32Iscsi), algorithm.bytes()),
            Algorithm::Crc64Nvme => State::Crc(crc_fast::Digest::new(CrcAlgorithm::Crc64Nvme), algorithm.bytes()),
        })
    }

    /// Takes the next bytes in.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Md5(digest) => digest.update(bytes),
            State::Sha(context) => context.update(bytes),
            State::Crc(digest, _) => digest.update(bytes),
        }
    }

    /// The result; of a checksum, big-endian as S3 writes it.
    pub(crate) fn finish(self) -> Vec<u8> {
        match self.0 {
            State::Md5(digest) => digest.finalize().to_vec(),
            State::Sha(context) => context.finish().as_ref().to_vec(),
            State::Crc(digest, bytes) => last_bytes(digest.finalize(), bytes),
        }
    }
}

/// The checksum of bytes that lie one behind the other, from those of both; `next_bytes`: how many the latter are. `None` for
/// algorithms whose results cannot be joined.
pub(crate) fn joined(algorithm: Algorithm, before: &[u8], next: &[u8], next_bytes: u64) -> Option<Vec<u8>> {
    let kind = crc(algorithm)?;
    let number = |value: &[u8]| value.iter().fold(0, |number: u64, byte| (number << 8) | u64::from(*byte));
    let joined = crc_fast::checksum_combine(kind, number(before), number(next), next_bytes);
    Some(last_bytes(joined, algorithm.bytes()))
}

fn crc(algorithm: Algorithm) -> Option<CrcAlgorithm> {
    match algorithm {
        Algorithm::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
        Algorithm::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
        Algorithm::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
        Algorithm::Md5 | Algorithm::Sha1 | Algorithm::Sha256 => None,
    }
}

fn last_bytes(number: u64, bytes: usize) -> Vec<u8> {
    let all = number.to_be_bytes();
    all.iter().skip(all.len() - bytes).copied().collect()
}

/// The result over bytes that are all there.
pub(crate) fn of(algorithm: Algorithm, bytes: &[u8]) -> Vec<u8> {
    let mut running = Running::new(algorithm);
    running.update(bytes);
    running.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The catalogues' check values, over `123456789`.
    #[test]
    fn each_algorithm_gives_its_known_result_however_the_bytes_come() {
        let table = [
            (Algorithm::Md5, "25f9e794323b453885f5181f1b624d0b"),
            (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (Algorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
            (Algorithm::Crc32, "cbf43926"),
            (Algorithm::Crc32c, "e3069283"),
            (Algorithm::Crc64Nvme, "ae8b14860a799888"),
        ];
        for (algorithm, expected) in table {
            assert_eq!(hex::encode(of(algorithm, b"123456789")), expected, "{algorithm:?}");
            let mut running = Running::new(algorithm);
            running.update(b"1234");
            running.update(b"56789");
            let result = running.finish();
            assert_eq!(result.len(), algorithm.bytes());
            assert_eq!(hex::encode(result), expected, "{algorithm:?}");
            let parts = joined(algorithm, &of(algorithm, b"1234"), &of(algorithm, b"56789"), 5);
            assert_eq!(parts.is_some(), crc(algorithm).is_some());
            assert!(parts.is_none_or(|parts| hex::encode(parts) == expected), "{algorithm:?}");
        }
    }
}
