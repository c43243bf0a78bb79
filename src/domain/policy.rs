//! Key policies: scheduled rotation, and deletion by two people.

use crate::domain::id::PolicyId;
use crate::domain::reason::Reason;
use crate::domain::time::{ROTATION_MONTH, Timestamp};

/// Months between two rotations, 1 to 12; a month is 30 days. Source: docs, set-rotation-policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IntervalMonths(u8);

impl IntervalMonths {
    /// What an interval must be, for messages. Source: go-client.
    pub(crate) const RULE: &str = "an integer between 1 and 12 (inclusive)";

    /// Reads a number of months.
    pub(crate) fn new(months: i64) -> Option<Self> {
        u8::try_from(months).ok().filter(|months| (1..=12).contains(months)).map(Self)
    }

    /// The number of months.
    pub(crate) fn months(self) -> u8 {
        self.0
    }

    /// The next rotation after one at `at`.
    pub(crate) fn next_after(self, at: Timestamp) -> Timestamp {
        at.plus(ROTATION_MONTH * u32::from(self.0))
    }
}

/// Rotation by schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RotationPolicy {
    pub(crate) record: PolicyRecord,
    pub(crate) enabled: bool,
    pub(crate) interval: IntervalMonths,
    /// When the next rotation falls due, while enabled.
    pub(crate) next_at: Timestamp,
}

impl RotationPolicy {
    /// Moves the schedule on by whole intervals until it lies ahead: what was missed is not made up for.
    pub(crate) fn skip_past(&mut self, now: Timestamp) {
        while self.next_at <= now && self.next_at < Timestamp::MAX {
            self.next_at = self.interval.next_after(self.next_at);
        }
    }
}

/// Deletion by two people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DualAuthPolicy {
    pub(crate) record: PolicyRecord,
    pub(crate) enabled: bool,
}

/// What a caller wants of a key's policies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PolicyChanges {
    pub(crate) rotation: Option<RotationChange>,
    /// Whether deletion is to take two people.
    pub(crate) dual_auth: Option<bool>,
}

/// What a caller wants of a rotation policy; what is left out is settled by what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RotationChange {
    pub(crate) enabled: Option<bool>,
    pub(crate) interval: Option<IntervalMonths>,
}

impl RotationChange {
    /// Whether the policy is enabled from now on, and its interval.
    ///
    /// # Errors
    /// `InvalidField` where an interval is missing (ASSUMED code).
    ///
    /// Source: Node and Go integration tests; an interval alone enables a disabled policy (ASSUMED, after the CLI's
    /// text).
    pub(crate) fn settle(self, present: Option<&RotationPolicy>) -> Result<(bool, IntervalMonths), Reason> {
        let missing = || Reason::field("interval_month", IntervalMonths::RULE);
        match (self.enabled, self.interval) {
            (enabled, Some(interval)) => Ok((enabled.unwrap_or(true), interval)),
            (Some(enabled), None) => Ok((enabled, present.ok_or_else(missing)?.interval)),
            (None, None) => Err(missing()),
        }
    }
}

/// Who set a policy, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PolicyRecord {
    pub(crate) id: PolicyId,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: String,
    pub(crate) updated_at: Timestamp,
    pub(crate) updated_by: String,
}

impl PolicyRecord {
    /// The record of a policy that is set at `at`: it keeps its id and its first setting.
    pub(crate) fn set(present: Option<&Self>, fresh: PolicyId, by: &str, at: Timestamp) -> Self {
        let (id, created_at, created_by) =
            present.map_or((fresh, at, by), |record| (record.id, record.created_at, &*record.created_by));
        Self { id, created_at, created_by: created_by.to_owned(), updated_at: at, updated_by: by.to_owned() }
    }
}

/// A first person's permission to delete a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeletionAuthorization {
    /// IAM id of the first person.
    pub(crate) by: String,
    /// Gone after this instant.
    pub(crate) until: Timestamp,
}

impl DeletionAuthorization {
    /// True while a second person may delete. Source: `docs/contract/keys.md` 15: gone at more than 7 days.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        now.whole_seconds() <= self.until
    }
}
