//! Retention policies of buckets, and objects under retention or legal hold. Source: docs, immutable;
//! `docs/contract/cos.md` 8.3, 8.4.

use std::time::Duration;

use crate::cos::domain::refusal::{Code, Refusal};
use crate::domain::time::Timestamp;

const DAY_SECONDS: u64 = 86_400;
/// Days of a retention period at most: one hundred years less some. Source: docs, immutable.
const DAYS_MAX: u64 = 36_135;
/// Legal holds of one object.
const HOLDS_MAX: usize = 100;
const HOLD_CHARACTERS_MAX: usize = 64;

/// A bucket's retention policy: days, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Protection {
    pub(crate) minimum_days: u64,
    pub(crate) default_days: u64,
    pub(crate) maximum_days: u64,
    /// `EnablePermanentRetention`; once true it stays so.
    pub(crate) permanent: bool,
}

/// What an uploader asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RetentionDraft {
    /// `Retention-Period`, seconds.
    pub(crate) period_seconds: Option<u64>,
    /// `Retention-Expiration-Date`.
    pub(crate) expires_at: Option<Timestamp>,
    /// `Retention-Legal-Hold-ID`; a copy may bring several.
    pub(crate) holds: Vec<String>,
}

/// `?extendRetention`: which of its headers came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extension {
    /// `Additional-Retention-Period`, seconds on top of the present period.
    Additional(u64),
    /// `Extend-Retention-From-Current-Time`, seconds from now on.
    FromNow(u64),
    /// `New-Retention-Expiration-Date`
    Until(Timestamp),
    /// `New-Retention-Period`, seconds from the upload on.
    Period(u64),
}

/// A legal hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LegalHold {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
}

/// Retention of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectRetention {
    pub(crate) period_seconds: u64,
    pub(crate) expires_at: Timestamp,
    /// In the order in which they were put on.
    pub(crate) holds: Vec<LegalHold>,
}

impl Protection {
    /// Refuses periods out of order or range.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let ordered = self.minimum_days <= self.default_days
            && self.default_days <= self.maximum_days
            && self.maximum_days <= DAYS_MAX;
        if ordered {
            return Ok(());
        }
        let why =
            "MinimumRetention, DefaultRetention and MaximumRetention must be in that order, from 0 to 36135 days.";
        Err(Refusal::new(Code::InvalidArgument, why))
    }

    /// Weighs a change of a policy that is there.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub(crate) fn check_change(&self, next: &Self) -> Result<(), Refusal> {
        next.check()?;
        if self.permanent && !next.permanent {
            let why = "EnablePermanentRetention cannot be taken back.";
            return Err(Refusal::new(Code::InvalidArgument, why));
        }
        Ok(())
    }

    /// What a new object of the bucket is under.
    ///
    /// # Errors
    /// `InvalidArgument` for two periods, or a hold that is none; `InvalidRequest` for a period out of bounds (ASSUMED).
    pub(crate) fn retain(&self, draft: &RetentionDraft, now: Timestamp) -> Result<ObjectRetention, Refusal> {
        let now = now.whole_seconds();
        let period_seconds = match (draft.period_seconds, draft.expires_at) {
            (Some(_), Some(_)) => {
                let why = "Retention-Period and Retention-Expiration-Date exclude each other.";
                return Err(Refusal::new(Code::InvalidArgument, why));
            }
            (Some(seconds), None) => seconds,
            (None, Some(at)) => at.whole_seconds().since(now).as_secs(),
            (None, None) => self.default_days * DAY_SECONDS,
        };
        self.within(period_seconds)?;
        let hold = |id: &String| Ok(LegalHold { id: hold_id(id)?, at: now });
        let holds = draft.holds.iter().map(hold).collect::<Result<_, Refusal>>()?;
        Ok(ObjectRetention { period_seconds, expires_at: now.plus(Duration::from_secs(period_seconds)), holds })
    }

    fn within(&self, period_seconds: u64) -> Result<(), Refusal> {
        let bounds = self.minimum_days * DAY_SECONDS..=self.maximum_days * DAY_SECONDS;
        if bounds.contains(&period_seconds) {
            return Ok(());
        }
        let why = format!(
            "The retention period must lie between the bucket's MinimumRetention of {} and MaximumRetention of {} days.",
            self.minimum_days, self.maximum_days
        );
        Err(Refusal::new(Code::InvalidRequest, why))
    }
}

impl RetentionDraft {
    /// Asks for the period and the legal holds of an object that is copied.
    pub(crate) fn like(kept: &ObjectRetention) -> Self {
        let holds = kept.holds.iter().map(|hold| hold.id.clone()).collect();
        Self { period_seconds: Some(kept.period_seconds), expires_at: None, holds }
    }

    /// True when the uploader asks for nothing.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl ObjectRetention {
    /// True while the object can be neither replaced nor deleted.
    pub(crate) fn holds_at(&self, now: Timestamp) -> bool {
        now < self.expires_at || !self.holds.is_empty()
    }

    /// Puts a legal hold on.
    ///
    /// # Errors
    /// `InvalidArgument` for an id that is none; `OperationAborted` for one that is there (both ASSUMED); `InvalidRequest`
    /// beyond 100.
    pub(crate) fn add_hold(&mut self, id: &str, now: Timestamp) -> Result<(), Refusal> {
        let id = hold_id(id)?;
        if self.holds.iter().any(|hold| hold.id == id) {
            return Err(Refusal::new(Code::OperationAborted, format!("The legal hold {id} is on the object already.")));
        }
        if self.holds.len() == HOLDS_MAX {
            return Err(Refusal::new(Code::InvalidRequest, "An object has 100 legal holds at most."));
        }
        self.holds.push(LegalHold { id, at: now.whole_seconds() });
        Ok(())
    }

    /// Takes a legal hold off; one that is not there is no fault.
    ///
    /// # Errors
    /// `InvalidArgument` for an id that is none.
    pub(crate) fn remove_hold(&mut self, id: &str) -> Result<(), Refusal> {
        let id = hold_id(id)?;
        self.holds.retain(|hold| hold.id != id);
        Ok(())
    }

    /// Makes the retention longer.
    ///
    /// # Errors
    /// `InvalidRequest` for one that would be shorter, or longer than the bucket allows.
    pub(crate) fn extend(
        &mut self,
        extension: Extension,
        uploaded_at: Timestamp,
        bucket: &Protection,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let so_far = now.since(uploaded_at).as_secs();
        let period_seconds = match extension {
            Extension::Additional(seconds) => self.period_seconds.saturating_add(seconds),
            Extension::FromNow(seconds) => so_far.saturating_add(seconds),
            Extension::Until(at) => at.whole_seconds().since(uploaded_at).as_secs(),
            Extension::Period(seconds) => seconds,
        };
        if period_seconds < self.period_seconds {
            return Err(Refusal::new(Code::InvalidRequest, "A retention period can be extended, not shortened."));
        }
        bucket.within(period_seconds)?;
        self.period_seconds = period_seconds;
        self.expires_at = uploaded_at.plus(Duration::from_secs(period_seconds));
        Ok(())
    }
}

/// The refusal of a change of what is retained (ASSUMED).
pub(crate) fn refusal() -> Refusal {
    Refusal::new(Code::AccessDenied, "The object is under retention or legal hold and cannot be changed or deleted.")
}

/// Source: docs, immutable.
fn hold_id(id: &str) -> Result<String, Refusal> {
    let fits = (1..=HOLD_CHARACTERS_MAX).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!_.*()-'".contains(&byte));
    if fits {
        return Ok(id.to_owned());
    }
    let why = "The id of a legal hold has 1 to 64 letters, digits or characters of !_.*()-'.";
    Err(Refusal::new(Code::InvalidArgument, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Protection = Protection { minimum_days: 1, default_days: 2, maximum_days: 3, permanent: false };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn draft(period: Option<u64>, until: Option<i64>) -> RetentionDraft {
        RetentionDraft { period_seconds: period, expires_at: until.map(at), holds: Vec::new() }
    }

    #[test]
    fn periods_are_in_order_and_a_permanent_policy_stays_so() {
        assert_eq!(POLICY.check(), Ok(()));
        for (minimum_days, default_days, maximum_days) in [(2, 1, 3), (1, 4, 3), (1, 2, 36_136)] {
            let wrong = Protection { minimum_days, default_days, maximum_days, permanent: false };
            assert!(wrong.check().unwrap_err().is(Code::InvalidArgument));
        }
        let permanent = Protection { permanent: true, ..POLICY };
        assert!(permanent.check_change(&POLICY).is_err());
        assert_eq!(POLICY.check_change(&permanent), Ok(()));
    }

    #[test]
    fn an_upload_gets_the_default_or_what_it_asks_for_within_bounds() {
        let day = 86_400;
        let expires = |draft: &RetentionDraft| POLICY.retain(draft, at(100)).map(|kept| kept.expires_at.seconds());
        assert_eq!(expires(&draft(None, None)), Ok(100 + 2 * day));
        assert_eq!(expires(&draft(Some(86_400), None)), Ok(100 + day));
        assert_eq!(expires(&draft(None, Some(100 + 3 * day))), Ok(100 + 3 * day));
        let refused = |draft: &RetentionDraft| expires(draft).unwrap_err().code.into_owned();
        assert_eq!(refused(&draft(Some(1), None)), "InvalidRequest");
        assert_eq!(refused(&draft(None, Some(100 + 4 * day))), "InvalidRequest");
        assert_eq!(refused(&draft(Some(86_400), Some(100 + day))), "InvalidArgument");
    }

    #[test]
    fn retention_ends_with_time_and_a_hold_when_it_is_taken_off() {
        let mut kept = POLICY.retain(&draft(Some(86_400), None), at(0)).unwrap();
        assert!(kept.holds_at(at(86_399)) && !kept.holds_at(at(86_400)));
        kept.add_hold("case-1", at(5)).unwrap();
        assert!(kept.holds_at(at(1_000_000)));
        assert!(kept.add_hold("case-1", at(6)).unwrap_err().status == 409);
        assert!(kept.add_hold("bad id", at(6)).unwrap_err().status == 400);
        kept.remove_hold("case-1").unwrap();
        kept.remove_hold("case-1").unwrap();
        assert!(!kept.holds_at(at(1_000_000)));
    }

    #[test]
    fn retention_gets_longer_and_not_shorter() {
        let extended = |extension| {
            let mut kept = POLICY.retain(&draft(None, None), at(0)).unwrap();
            kept.extend(extension, at(0), &POLICY, at(86_400)).map(|()| kept.expires_at.seconds())
        };
        let day = 86_400_u64;
        assert_eq!(extended(Extension::Additional(day)), Ok(3 * 86_400));
        assert_eq!(extended(Extension::FromNow(2 * day)), Ok(3 * 86_400));
        assert_eq!(extended(Extension::Until(at(250_000))), Ok(250_000));
        assert_eq!(extended(Extension::Period(3 * day)), Ok(3 * 86_400));
        for wrong in [Extension::Period(day), Extension::Additional(2 * day), Extension::FromNow(1)] {
            assert!(extended(wrong).unwrap_err().is(Code::InvalidRequest), "{wrong:?}");
        }
    }
}
