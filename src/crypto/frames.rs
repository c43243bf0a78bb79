//! Files of sealed frames: AES-256-GCM in pieces of 64 KiB, so that a range is opened without the rest.
//!
//! Each file has a key of its own, derived from the bucket's data key and the file's id; a file is written once and its
//! frames are numbered, so no nonce is used twice under one key. Bucket, file, number and whether the frame is the last one
//! are authenticated: frames cannot be swapped, moved or cut off.

use ring::hmac;
use zeroize::Zeroizing;

use crate::crypto::Error;
use crate::crypto::random::NONCE_BYTES;
use crate::crypto::seal_key::{SealKey, TAG_BYTES};

/// Bytes in clear of every frame but the last one.
pub(crate) const FRAME_BYTES: usize = 64 * 1_024;
/// Bytes of such a frame when sealed.
pub(crate) const SEALED_FRAME_BYTES: usize = FRAME_BYTES + TAG_BYTES;
/// Bytes of a data key.
pub(crate) const DATA_KEY_BYTES: usize = 32;
/// Tells keys of files from whatever else may once be derived from a data key.
const PURPOSE: &[u8] = b"mock-key-protect object frames 1";

/// Whether a frame ends its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    More,
    Last,
}

/// The key of one file.
pub(crate) struct FrameKey {
    key: SealKey,
    place: [u8; 32],
}

impl FrameKey {
    /// Derives the key of a file in a bucket; both by the 16 bytes of their ids.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub(crate) fn derive(data_key: &[u8; DATA_KEY_BYTES], bucket: &[u8; 16], file: &[u8; 16]) -> Result<Self, Error> {
        let mut place = [0; 32];
        let (first, second) = place.split_at_mut(16);
        first.copy_from_slice(bucket);
        second.copy_from_slice(file);
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, data_key));
        context.update(PURPOSE);
        context.update(&place);
        let mut material = Zeroizing::new([0; 32]);
        material.copy_from_slice(context.sign().as_ref());
        Ok(Self { key: SealKey::new(material.as_slice())?, place })
    }

    /// Seals a frame in place and appends the tag. Each number is sealed once.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub(crate) fn seal(&self, number: u64, mark: Mark, frame: &mut Vec<u8>) -> Result<(), Error> {
        self.key.seal(nonce(number), &self.context(number, mark), frame)
    }

    /// Opens a frame in place. `None` for one that was not sealed for this place.
    pub(crate) fn open<'a>(&self, number: u64, mark: Mark, sealed: &'a mut [u8]) -> Option<&'a mut [u8]> {
        self.key.open(nonce(number), &self.context(number, mark), sealed)
    }

    fn context(&self, number: u64, mark: Mark) -> [u8; 41] {
        let mut context = [0; 41];
        let (place, rest) = context.split_at_mut(32);
        place.copy_from_slice(&self.place);
        let (count, last) = rest.split_at_mut(8);
        count.copy_from_slice(&number.to_be_bytes());
        last.fill(u8::from(mark == Mark::Last));
        context
    }
}

/// Bytes that a file of so many bytes in clear takes. An empty one has one frame, so that it cannot be made up.
#[cfg(test)]
pub(crate) fn sealed_bytes(clear: u64) -> u64 {
    clear + frames(clear) * TAG_BYTES as u64
}

/// Frames of a file of so many bytes in clear.
pub(crate) fn frames(clear: u64) -> u64 {
    clear.div_ceil(FRAME_BYTES as u64).max(1)
}

fn nonce(number: u64) -> [u8; NONCE_BYTES] {
    let mut nonce = [0; NONCE_BYTES];
    let (_, count) = nonce.split_at_mut(NONCE_BYTES - 8);
    count.copy_from_slice(&number.to_be_bytes());
    nonce
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(data: u8, bucket: u8, file: u8) -> FrameKey {
        FrameKey::derive(&[data; 32], &[bucket; 16], &[file; 16]).unwrap()
    }

    fn seal(key: &FrameKey, number: u64, mark: Mark, clear: &[u8]) -> Vec<u8> {
        let mut frame = clear.to_vec();
        key.seal(number, mark, &mut frame).unwrap();
        frame
    }

    #[test]
    fn a_frame_opens_in_its_place_alone() {
        let home = key(1, 2, 3);
        let sealed = seal(&home, 7, Mark::More, b"object");
        assert_eq!(home.open(7, Mark::More, &mut sealed.clone()).unwrap(), b"object");
        assert!(home.open(8, Mark::More, &mut sealed.clone()).is_none(), "another number");
        assert!(home.open(7, Mark::Last, &mut sealed.clone()).is_none(), "cut off behind it");
        for elsewhere in [key(9, 2, 3), key(1, 9, 3), key(1, 2, 9)] {
            assert!(elsewhere.open(7, Mark::More, &mut sealed.clone()).is_none());
        }
    }

    #[test]
    fn equal_frames_look_different_wherever_they_are() {
        let (one, other) = (key(1, 2, 3), key(1, 2, 4));
        let all = [
            seal(&one, 0, Mark::More, b"same"),
            seal(&one, 1, Mark::More, b"same"),
            seal(&other, 0, Mark::More, b"same"),
        ];
        assert!(all[0] != all[1] && all[0] != all[2] && all[1] != all[2]);
    }

    #[test]
    fn sizes_count_a_tag_for_each_frame() {
        let frame = FRAME_BYTES as u64;
        for (clear, count) in [(0, 1), (1, 1), (frame, 1), (frame + 1, 2), (3 * frame, 3)] {
            assert_eq!((frames(clear), sealed_bytes(clear)), (count, clear + 16 * count));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn no_flipped_bit_passes(clear in prop::collection::vec(any::<u8>(), 0..300), number: u64, bit: prop::sample::Index) {
            let key = key(1, 2, 3);
            let sealed = seal(&key, number, Mark::Last, &clear);
            let mut opened = sealed.clone();
            prop_assert_eq!(key.open(number, Mark::Last, &mut opened).unwrap(), &clear[..]);
            let mut flipped = sealed;
            let bit = bit.index(flipped.len() * 8);
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(key.open(number, Mark::Last, &mut flipped).is_none());
        }
    }
}
