//! Spans as people write them: whole numbers with units, `90s`, `5m`, `4h`, `31d`, also joined, `1h30m`.

use std::time::Duration;

/// What a span must look like, for messages.
pub(crate) const FORM: &str = "whole numbers with units, such as 90s, 5m, 4h, 31d or 1h30m";

/// How long a span may be, for messages.
pub(crate) const RANGE: &str = "10,000 years at most, in 64 characters";

/// Bytes of a span that is kept as it was written.
const SPAN_BYTES_MAX: usize = 64;

/// A span as somebody has written it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    text: String,
    length: Duration,
}

impl Span {
    /// Reads a span. `None` as [`parse`], or when it is longer than 64 bytes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let short = text.len() <= SPAN_BYTES_MAX;
        parse(text).filter(|_| short).map(|length| Self { text: text.to_owned(), length })
    }

    /// A span of whole seconds, in the largest unit that fits it.
    pub(crate) fn new(length: Duration) -> Self {
        let seconds = length.as_secs();
        let unit = [(86_400, 'd'), (3_600, 'h'), (60, 'm')].into_iter();
        let mut fitting = unit.filter(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
        let (unit, letter) = fitting.next().unwrap_or((1, 's'));
        Self { text: format!("{}{letter}", seconds / unit), length: Duration::from_secs(seconds) }
    }

    /// How long it is.
    pub(crate) fn length(&self) -> Duration {
        self.length
    }

    /// As it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

/// Reads a span. `None` when it is empty, has a number without unit, an unknown unit, or is longer than 10,000 years.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    const LONGEST_SECONDS: u64 = 10_000 * 366 * 86_400;
    let mut total: u64 = 0;
    let mut number: Option<u64> = None;
    for character in text.chars() {
        if let Some(digit) = character.to_digit(10) {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(u64::from(digit))?);
        } else {
            let unit = match character {
                's' => 1,
                'm' => 60,
                'h' => 3_600,
                'd' => 86_400,
                _ => return None,
            };
            total = total.checked_add(number.take()?.checked_mul(unit)?)?;
        }
    }
    (number.is_none() && !text.is_empty() && total <= LONGEST_SECONDS).then(|| Duration::from_secs(total))
}

/// True for a text that has the form of a span, however long that is.
pub(crate) fn has_form(text: &str) -> bool {
    let spans = || text.split_inclusive(['s', 'm', 'h', 'd']);
    let fits = |span: &str| {
        let digits = span.strip_suffix(['s', 'm', 'h', 'd']).unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
    };
    !text.is_empty() && spans().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_too_long_to_count_has_the_form_of_one() {
        for (text, form) in [("99999999999d", true), ("1h99999999999999999999s", true), ("1h30m", true)] {
            assert_eq!(has_form(text), form, "{text}");
        }
        for wrong in ["", "5", "h", "1.5h", "-1s", "1w", "1h 30m", "1h5"] {
            assert!(!has_form(wrong), "{wrong}");
        }
    }

    #[test]
    fn joined_units_add_up() {
        assert_eq!(parse("1h30m"), Some(Duration::from_mins(90)));
        assert_eq!(parse("31d"), Some(Duration::from_hours(31 * 24)));
        assert_eq!(parse("0s"), Some(Duration::ZERO));
    }

    #[test]
    fn a_span_keeps_its_text_and_a_made_one_has_the_largest_unit() {
        assert_eq!(Span::parse("90s").map(|span| span.as_str().to_owned()).as_deref(), Some("90s"));
        for (seconds, text) in [(0, "0s"), (15, "15s"), (90, "90s"), (120, "2m"), (3_600, "1h"), (604_800, "7d")] {
            let span = Span::new(Duration::from_secs(seconds));
            assert_eq!((span.as_str(), Span::parse(text)), (text, Some(span.clone())));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in ["", "5", "h", "1.5h", "-1s", "1w", "1h 30m", "99999999999999999999s", "9999999999d"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
