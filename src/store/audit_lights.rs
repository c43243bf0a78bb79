//! Records of the data plane in bytes: a few for each, since every page that a file grows by is paid for by those who wrap.
//!
//! A record is its number, the index of what it shares, its time and its correlation id. Numbers and times are written as
//! the distance from the record before, in seven bits a byte, the last byte below 128. An id is a byte that says how it
//! stands: as the one before, as the 16 bytes of a UUID, or as text behind its length.

use uuid::Uuid;

/// The id of the record before, again.
const SAME: u8 = 0;
/// 16 bytes: a UUID in lower case, with hyphens.
const UUID: u8 = 1;
/// A length, and so many bytes.
const TEXT: u8 = 2;
/// Characters of a UUID with hyphens.
const UUID_CHARACTERS: usize = 36;

/// What a record of the data plane does not share with others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Light {
    pub(super) number: i64,
    /// Index of what it shares.
    pub(super) common: u32,
    /// Virtual time, milliseconds.
    pub(super) at: i64,
    pub(super) correlation: String,
}

/// Writes records down, one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Lights {
    bytes: Vec<u8>,
    number: i64,
    at: i64,
    correlation: String,
}

impl Lights {
    /// Nothing yet, in a buffer that has been used before.
    pub(super) fn new(room: Vec<u8>) -> Self {
        Self { bytes: room, ..Self::default() }
    }

    /// What was written.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The buffer, for the next.
    pub(super) fn into_room(self) -> Vec<u8> {
        self.bytes
    }

    /// Adds a record.
    pub(super) fn push(&mut self, number: i64, common: u32, at: i64, correlation: &str) {
        self.signed(number.wrapping_sub(self.number));
        self.unsigned(u64::from(common));
        self.signed(at.wrapping_sub(self.at));
        (self.number, self.at) = (number, at);
        if self.correlation == correlation {
            self.bytes.push(SAME);
            return;
        }
        if let Some(uuid) = uuid_of(correlation) {
            self.bytes.push(UUID);
            self.bytes.extend_from_slice(uuid.as_bytes());
        } else {
            self.bytes.push(TEXT);
            self.unsigned(u64::try_from(correlation.len()).unwrap_or(u64::MAX));
            self.bytes.extend_from_slice(correlation.as_bytes());
        }
        self.correlation.clear();
        self.correlation.push_str(correlation);
    }

    fn signed(&mut self, value: i64) {
        // The sign goes last, so that small numbers of either sign are short.
        self.unsigned((value << 1 ^ value >> 63).cast_unsigned());
    }

    fn unsigned(&mut self, mut value: u64) {
        while let Some(rest) = Some(value >> 7).filter(|rest| *rest > 0) {
            self.bytes.push(value.to_le_bytes()[0] | 0x80);
            value = rest;
        }
        self.bytes.push(value.to_le_bytes()[0]);
    }
}

/// A text that a UUID gives back to the letter.
fn uuid_of(text: &str) -> Option<Uuid> {
    let lower = text.bytes().fold(true, |so_far, byte| so_far & !byte.is_ascii_uppercase());
    if text.len() == UUID_CHARACTERS && lower { Uuid::try_parse(text).ok() } else { None }
}

/// Reads records back; `None` for bytes that were not written so.
pub(super) fn read(bytes: &[u8]) -> Option<Vec<Light>> {
    let mut reader = Reader(bytes);
    let (mut number, mut at, mut correlation) = (0_i64, 0_i64, String::new());
    let mut all = Vec::new();
    while !reader.0.is_empty() {
        number = number.wrapping_add(reader.signed()?);
        let common = u32::try_from(reader.unsigned()?).ok()?;
        at = at.wrapping_add(reader.signed()?);
        match reader.take(1)?.first().copied()? {
            SAME => {}
            UUID => correlation = Uuid::from_slice(reader.take(16)?).ok()?.to_string(),
            TEXT => {
                let length = usize::try_from(reader.unsigned()?).ok()?;
                std::str::from_utf8(reader.take(length)?).ok()?.clone_into(&mut correlation);
            }
            _ => return None,
        }
        all.push(Light { number, common, at, correlation: correlation.clone() });
    }
    Some(all)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn signed(&mut self) -> Option<i64> {
        let value = self.unsigned()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?.first().copied()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0f6e1c1e-8d2b-4f6a-9c47-1e7b2d9a4c60";

    #[test]
    fn what_is_written_is_read() {
        let mut lights = Lights::new(Vec::new());
        let mut written = Vec::new();
        let ids = [ID, ID, "", "a\"b", &ID.to_uppercase(), &ID.replace('-', ""), &"x".repeat(300), ID];
        let places =
            [(1, 0, 0), (2, 0, 5), (9, 1, 5), (8, 300, 3), (i64::MAX, 0, i64::MIN), (i64::MIN, u32::MAX, i64::MAX)];
        for (n, (number, common, at)) in places.into_iter().cycle().take(24).enumerate() {
            let correlation = ids[n % ids.len()];
            lights.push(number, common, at, correlation);
            written.push(Light { number, common, at, correlation: correlation.to_owned() });
        }
        assert_eq!(read(lights.bytes()), Some(written));
        assert_eq!(read(&[]), Some(Vec::new()));
    }

    #[test]
    fn a_record_of_a_new_uuid_takes_twenty_bytes() {
        let mut lights = Lights::new(Vec::new());
        lights.push(1_000, 0, 1_800_000_000_000, ID);
        let first = lights.bytes().len();
        lights.push(1_001, 0, 1_800_000_000_001, "1f6e1c1e-8d2b-4f6a-9c47-1e7b2d9a4c60");
        assert_eq!(lights.bytes().len() - first, 20);
    }

    #[test]
    fn bytes_that_end_too_early_or_mean_nothing_are_no_records() {
        let mut lights = Lights::new(Vec::new());
        lights.push(1, 2, 3, ID);
        let whole = lights.bytes();
        for length in 1..whole.len() {
            assert_eq!(read(&whole[..length]), None, "{length}");
        }
        assert_eq!(read(&[2, 0, 2, 9]), None, "no such way to write an id");
        assert_eq!(read(&[0x80; 11]), None, "a number without an end");
    }
}
