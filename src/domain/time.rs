//! Instants of the virtual clock, and the spans that Key Protect's rules are made of.

use std::time::Duration;

use chrono::{DateTime, FixedOffset, SecondsFormat, TimeZone, Utc};

const SECOND: u64 = 1;
const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;

/// Enable after the last change, restore after delete: allowed from this span on. Source: docs, disable-keys, restore-keys.
pub(crate) const SETTLE_AFTER_CHANGE: Duration = Duration::from_secs(30 * SECOND);
/// Rotate after rotate: allowed from this span on. Source: docs, rotate-keys.
pub(crate) const BETWEEN_ROTATIONS: Duration = Duration::from_secs(HOUR);
/// Sync after the last lifecycle event: allowed from this span on. Source: go-client, sync.
pub(crate) const BETWEEN_NOTIFICATIONS: Duration = Duration::from_secs(HOUR);
/// Purge after delete: allowed from this span on. Source: docs, delete-purge-keys.
pub(crate) const PURGE_AFTER_DELETE: Duration = Duration::from_secs(4 * HOUR);
/// How long a first authorization to delete stays valid. Source: docs, manage-dual-auth.
pub(crate) const DELETION_AUTHORIZATION: Duration = Duration::from_secs(7 * DAY);
/// Restore after delete: allowed up to and including this span. Source: docs, restore-keys.
pub(crate) const RESTORABLE: Duration = Duration::from_secs(30 * DAY);
/// A destroyed key is gone once this span has passed. Source: docs, delete-purge-keys.
pub(crate) const PURGED_AFTER_DELETE: Duration = Duration::from_secs(90 * DAY);
/// What a rotation policy calls a month. Source: docs, set-rotation-policy.
pub(crate) const ROTATION_MONTH: Duration = Duration::from_secs(30 * DAY);

/// An instant in UTC, in milliseconds since 1970-01-01; never later than the last second of the year 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Timestamp(i64);

impl Timestamp {
    /// 9999-12-31T23:59:59Z: RFC 3339 has no later second.
    pub(crate) const MAX: Self = Self(253_402_300_799_000);

    /// From milliseconds since 1970-01-01, cut to what RFC 3339 can say.
    pub(crate) fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(0, Self::MAX.0))
    }

    /// Milliseconds since 1970-01-01.
    pub(crate) const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01.
    pub(crate) const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// The same instant without its fraction: what the wire shows of a key's dates, and so what its rules count from.
    pub(crate) fn whole_seconds(self) -> Self {
        Self(self.seconds() * 1_000)
    }

    /// Later by `span`, at most [`Timestamp::MAX`].
    pub(crate) fn plus(self, span: Duration) -> Self {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// How long ago `earlier` was; zero when it lies ahead.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// RFC 3339 in UTC with whole seconds: `2020-03-12T03:37:32Z`.
    pub(crate) fn rfc3339(self) -> String {
        self.calendar().to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// RFC 3339 in UTC, with milliseconds only where there are any.
    pub(crate) fn rfc3339_exact(self) -> String {
        let format = if self.0.rem_euclid(1_000) == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
        self.calendar().to_rfc3339_opts(format, true)
    }

    /// Activity Tracker's form, two fraction digits and `+0000`. Source: docs, sample of `kms.secrets.ack-rotate`.
    pub(crate) fn audit_form(self) -> String {
        let hundredths = self.0.rem_euclid(1_000) / 10;
        format!("{}.{hundredths:02}+0000", self.calendar().format("%Y-%m-%dT%H:%M:%S"))
    }

    /// Go's default form of a time, `2020-08-14 19:33:47 +0000 UTC`, as IBM's restore refusal prints it.
    pub(crate) fn go_form(self) -> String {
        format!("{} +0000 UTC", self.calendar().format("%Y-%m-%d %H:%M:%S"))
    }

    /// Reads RFC 3339 with any offset and fraction; what lies below a millisecond is cut off.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let parsed = parse_strictly(text)?;
        let millis = parsed.timestamp_millis();
        (0..=Self::MAX.0).contains(&millis).then_some(Self(millis))
    }

    fn calendar(self) -> DateTime<Utc> {
        Utc.timestamp_millis_opt(self.0).single().unwrap_or_default()
    }
}

/// RFC 3339 with a `T`: chrono takes a blank there, too.
pub(crate) fn parse_strictly(text: &str) -> Option<DateTime<FixedOffset>> {
    let divided = matches!(text.as_bytes().get(10), Some(b'T' | b't'));
    divided.then(|| DateTime::parse_from_rfc3339(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_and_a_fraction_are_read_into_utc() {
        let read = Timestamp::parse("2022-07-05T02:00:00.0009999+02:00").map(Timestamp::rfc3339_exact);
        assert_eq!(read.as_deref(), Some("2022-07-05T00:00:00Z"));
    }

    #[test]
    fn forms_are_those_of_the_wire() {
        let at = Timestamp::parse("2020-05-13T19:12:13.327Z").unwrap();
        assert_eq!(at.rfc3339(), "2020-05-13T19:12:13Z");
        assert_eq!(at.audit_form(), "2020-05-13T19:12:13.32+0000");
        assert_eq!(at.go_form(), "2020-05-13 19:12:13 +0000 UTC");
    }

    #[test]
    fn adding_never_leaves_the_calendar() {
        assert_eq!(Timestamp::MAX.plus(PURGED_AFTER_DELETE), Timestamp::MAX);
        assert_eq!(Timestamp::from_millis(i64::MAX), Timestamp::MAX);
    }

    #[test]
    fn a_bare_date_is_not_an_instant() {
        assert_eq!(Timestamp::parse("2022-03-16"), None);
        assert_eq!(Timestamp::parse("2022-03-16 00:00:00Z"), None);
    }
}
