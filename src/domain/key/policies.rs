//! Policies of a key that exists: who may have which, and when the next rotation is. Source: docs, set-rotation-policy;
//! `docs/contract/policies.md` 2.

use crate::domain::id::PolicyId;
use crate::domain::key::machine::Action;
use crate::domain::key::{Key, Kind};
use crate::domain::policy::{DualAuthPolicy, IntervalMonths, PolicyChanges, PolicyRecord, RotationPolicy};
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;

/// Ids for policies that the key does not have yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FreshIds {
    pub(crate) rotation: PolicyId,
    pub(crate) dual_auth: PolicyId,
}

impl Key {
    /// Sets the key's policies: all that is wanted, or nothing.
    ///
    /// # Errors
    /// `KeyRootRequiredForRotationPolicy` and `KeyPayloadRequired` for a key that no schedule can rotate; a rotation policy
    /// without an interval; `KeyDeleted`; `DualAuthPolicyLocked`.
    pub(crate) fn set_policies(
        &mut self,
        wanted: PolicyChanges,
        fresh: FreshIds,
        by: &str,
        now: Timestamp,
    ) -> Result<(), Reason> {
        let rotation = match wanted.rotation {
            None => None,
            Some(change) => {
                self.require_generated_root()?;
                Some(change.settle(self.rotation.as_ref())?)
            }
        };
        self.check(Action::SetPolicies, now)?;
        if wanted.dual_auth == Some(false) && self.needs_two_people() {
            return Err(Reason::DualAuthPolicyLocked);
        }
        let at = now.whole_seconds();
        if let Some((enabled, interval)) = rotation {
            let present = self.rotation.as_ref();
            let record = PolicyRecord::set(present.map(|policy| &policy.record), fresh.rotation, by, at);
            let unchanged = present.filter(|policy| enabled && policy.enabled && policy.interval == interval);
            let next_at = unchanged.map_or_else(|| self.next_rotation(interval, at), |policy| policy.next_at);
            self.rotation = Some(RotationPolicy { record, enabled, interval, next_at });
        }
        if let Some(enabled) = wanted.dual_auth {
            let present = self.dual_auth.as_ref().map(|policy| &policy.record);
            self.dual_auth =
                Some(DualAuthPolicy { record: PolicyRecord::set(present, fresh.dual_auth, by, at), enabled });
        }
        self.updated_at = at;
        Ok(())
    }

    /// Source: go-client; docs, set-rotation-policy, for imported keys; their code is ASSUMED.
    fn require_generated_root(&self) -> Result<(), Reason> {
        match self.kind {
            Kind::Standard => Err(Reason::KeyRootRequiredForRotationPolicy),
            Kind::Root if self.imported => Err(Reason::KeyPayloadRequired),
            Kind::Root => Ok(()),
        }
    }

    /// An interval after the last rotation or the creation; when that has passed, after now (ASSUMED: setting a policy
    /// rotates nothing at once).
    fn next_rotation(&self, interval: IntervalMonths, now: Timestamp) -> Timestamp {
        let next = interval.next_after(self.rotated_at.unwrap_or(self.created_at));
        if next > now { next } else { interval.next_after(now) }
    }
}

#[cfg(test)]
#[path = "policies_tests.rs"]
mod tests;
