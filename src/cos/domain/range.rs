//! Parts of an object. Source: RFC 9110, 14; `docs/contract/cos.md` 5.3.

use crate::cos::domain::refusal::{Code, Refusal};

/// One range of bytes, as a client asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteRange {
    /// `a-b`, both included.
    FromTo(u64, u64),
    /// `a-`
    From(u64),
    /// `-n`: the last n bytes.
    Last(u64),
}

/// Bytes of an object, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl Window {
    /// How many bytes it has.
    pub(crate) fn len(self) -> u64 {
        self.last - self.first + 1
    }
}

impl ByteRange {
    /// Reads a `Range` header; `None` for what is to be ignored: several ranges, other units, nonsense.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let (start, end) = header.trim().strip_prefix("bytes=")?.trim().split_once('-')?;
        let number = |text: &str| -> Option<u64> {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            if digits { Some(text.parse().unwrap_or(u64::MAX)) } else { None }
        };
        match (start, end) {
            ("", end) => number(end).map(Self::Last),
            (start, "") => number(start).map(Self::From),
            (start, end) => {
                let (first, last) = (number(start)?, number(end)?);
                (first <= last).then_some(Self::FromTo(first, last))
            }
        }
    }

    /// The bytes that are meant of an object of `size` bytes; an end beyond it is cut.
    ///
    /// # Errors
    /// `InvalidRange` when there are none.
    pub(crate) fn window(self, size: u64) -> Result<Window, Refusal> {
        let none = || Refusal { size: Some(size), ..Code::InvalidRange.into() };
        let end = size.checked_sub(1).ok_or_else(none)?;
        let (first, last) = match self {
            Self::FromTo(first, last) => (first, last.min(end)),
            Self::From(first) => (first, end),
            Self::Last(0) => return Err(none()),
            Self::Last(count) => (size.saturating_sub(count), end),
        };
        if first > end { Err(none()) } else { Ok(Window { first, last }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_of_bytes_is_read_and_the_rest_ignored() {
        let table = [
            ("bytes=0-9", Some(ByteRange::FromTo(0, 9))),
            ("bytes=5-", Some(ByteRange::From(5))),
            ("bytes=-3", Some(ByteRange::Last(3))),
            ("bytes=99999999999999999999-", Some(ByteRange::From(u64::MAX))),
            ("bytes=3-1", None),
            ("bytes=0-1,3-4", None),
            ("bytes=-", None),
            ("bytes=a-b", None),
            ("items=0-1", None),
            ("bytes=+1-2", None),
        ];
        for (header, expected) in table {
            assert_eq!(ByteRange::parse(header), expected, "{header}");
        }
    }

    #[test]
    fn a_window_lies_in_the_object_or_is_refused_with_its_size() {
        let of = |range: ByteRange, size| range.window(size).map(|window| (window.first, window.last));
        assert_eq!(of(ByteRange::FromTo(2, 100), 10), Ok((2, 9)));
        assert_eq!(of(ByteRange::From(9), 10), Ok((9, 9)));
        assert_eq!(of(ByteRange::Last(3), 10), Ok((7, 9)));
        assert_eq!(of(ByteRange::Last(30), 10), Ok((0, 9)));
        for (range, size) in [(ByteRange::From(10), 10), (ByteRange::Last(0), 10), (ByteRange::FromTo(0, 0), 0)] {
            let refused = range.window(size).unwrap_err();
            assert!(refused.is(Code::InvalidRange));
            assert_eq!(refused.size, Some(size));
        }
    }
}
