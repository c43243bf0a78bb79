//! Access policies and authorizations of IAM: made, read, changed, deleted, brought back.

use std::sync::Arc;

use crate::app::App;
use crate::app::error::Error;
use crate::domain::caller::Caller;
use crate::domain::iam_policy::{IamPolicy, PER_ACCOUNT_MAX, PolicyDraft, PolicyState};
use crate::domain::id::IamPolicyId;
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;
use crate::store::tx::Tx;
use crate::store::{iam_policies, iam_policy_changes};

/// Why a policy was not read or changed.
#[derive(Debug)]
pub(crate) enum PolicyRefusal {
    /// The caller is no Administrator, or the policy is about another account.
    Forbidden,
    NotFound,
    /// A policy that gives the same.
    Conflict(Box<IamPolicy>),
    /// `If-Match` names another `ETag`; the policy as it stands.
    Changed(Box<IamPolicy>),
    /// `type` cannot change.
    OtherKind,
    TooMany,
    Fault(Error),
}

impl From<Error> for PolicyRefusal {
    fn from(fault: Error) -> Self {
        Self::Fault(fault)
    }
}

impl From<Reason> for PolicyRefusal {
    fn from(reason: Reason) -> Self {
        Self::Fault(reason.into())
    }
}

impl From<crate::store::Error> for PolicyRefusal {
    fn from(fault: crate::store::Error) -> Self {
        Self::Fault(fault.into())
    }
}

/// What a policy is to become.
#[derive(Clone, Debug)]
pub(crate) enum PolicyChange {
    Replace(PolicyDraft),
    /// Brings a deleted one back.
    Restore,
}

impl App {
    /// Refuses whoever may not see or change policies.
    ///
    /// # Errors
    /// `Forbidden`.
    pub(crate) fn administer(&self, caller: &Caller) -> Result<(), PolicyRefusal> {
        if self.is_administrator(caller) { Ok(()) } else { Err(PolicyRefusal::Forbidden) }
    }

    /// Makes a policy.
    ///
    /// # Errors
    /// `Forbidden`, `Conflict`, `TooMany`.
    ///
    /// Source: Node integration tests of IAM policies; Terraform provider.
    pub(crate) async fn create_policy(
        &self,
        caller: &Arc<Caller>,
        draft: PolicyDraft,
        now: Timestamp,
    ) -> Result<IamPolicy, PolicyRefusal> {
        of_account(&draft, caller)?;
        let id = self.vault.iam_policy_id().map_err(Error::from)?;
        let by = caller.iam_id().to_owned();
        let in_force_at = self.in_force_at(now);
        self.writer
            .run(move |tx| {
                let policy = IamPolicy {
                    id,
                    draft,
                    state: PolicyState::Active,
                    created_at: now,
                    created_by: by.clone(),
                    updated_at: now,
                    updated_by: by,
                    revision: 1,
                };
                no_other(tx, &policy)?;
                room_for_one(tx)?;
                iam_policies::insert(tx, &policy)?;
                if let Some(at) = in_force_at {
                    iam_policy_changes::add(tx, policy.id, at)?;
                }
                Ok(policy)
            })
            .await
    }

    /// A policy that is in force.
    ///
    /// # Errors
    /// `NotFound`, for a deleted one too.
    pub(crate) async fn get_policy(&self, id: IamPolicyId) -> Result<IamPolicy, PolicyRefusal> {
        self.reader.run(move |tx| in_force(tx, id)).await
    }

    /// All policies of a state, in order of creation, each with its number in that order.
    ///
    /// # Errors
    /// The store's fault.
    pub(crate) async fn list_policies(&self, state: PolicyState) -> Result<Vec<(i64, IamPolicy)>, PolicyRefusal> {
        self.reader.run(move |tx| Ok(iam_policies::numbered(tx, state)?)).await
    }

    /// Changes a policy, if it is still as the caller knows it.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, `Changed`, `OtherKind`, `Conflict`, `TooMany`.
    pub(crate) async fn change_policy(
        &self,
        caller: &Arc<Caller>,
        id: IamPolicyId,
        etag: String,
        change: PolicyChange,
        now: Timestamp,
    ) -> Result<IamPolicy, PolicyRefusal> {
        if let PolicyChange::Replace(draft) = &change {
            of_account(draft, caller)?;
        }
        let by = caller.iam_id().to_owned();
        let in_force_at = self.in_force_at(now);
        self.writer
            .run(move |tx| {
                let mut policy = match &change {
                    PolicyChange::Replace(_) => in_force(tx, id)?,
                    PolicyChange::Restore => iam_policies::get(tx, id)?.ok_or(PolicyRefusal::NotFound)?,
                };
                if etag.trim_start_matches("W/") != policy.etag() {
                    return Err(PolicyRefusal::Changed(Box::new(policy)));
                }
                let draft = match change {
                    PolicyChange::Replace(draft) if draft.kind != policy.draft.kind => {
                        return Err(PolicyRefusal::OtherKind);
                    }
                    PolicyChange::Replace(draft) => draft,
                    PolicyChange::Restore => policy.draft.clone(),
                };
                if policy.state == PolicyState::Deleted {
                    room_for_one(tx)?;
                }
                policy.change(draft, PolicyState::Active, &by, now);
                no_other(tx, &policy)?;
                update(tx, &policy, in_force_at)?;
                Ok(policy)
            })
            .await
    }

    /// Deletes a policy: it gives nothing from the next request on, and can be brought back.
    ///
    /// # Errors
    /// `NotFound`, for one that was deleted before too.
    pub(crate) async fn delete_policy(
        &self,
        caller: &Arc<Caller>,
        id: IamPolicyId,
        now: Timestamp,
    ) -> Result<(), PolicyRefusal> {
        let by = caller.iam_id().to_owned();
        let in_force_at = self.in_force_at(now);
        self.writer
            .run(move |tx| {
                let mut policy = in_force(tx, id)?;
                let draft = policy.draft.clone();
                policy.change(draft, PolicyState::Deleted, &by, now);
                Ok(update(tx, &policy, in_force_at)?)
            })
            .await
    }

    /// When a change that is made now takes effect; `None`: at once.
    fn in_force_at(&self, now: Timestamp) -> Option<Timestamp> {
        let lag = self.settings().iam_propagation.length();
        (!lag.is_zero()).then(|| now.plus(lag))
    }
}

/// Writes a changed policy. What it was goes on to be in force until the change takes effect.
pub(crate) fn update(
    tx: &Tx<'_>,
    policy: &IamPolicy,
    in_force_at: Option<Timestamp>,
) -> Result<(), crate::store::Error> {
    match in_force_at {
        None => {
            iam_policies::update(tx, policy)?;
            iam_policy_changes::remove_all(tx, policy.id)
        }
        Some(at) => {
            iam_policy_changes::keep_present(tx, policy.id)?;
            iam_policies::update(tx, policy)?;
            iam_policy_changes::add(tx, policy.id, at)
        }
    }
}

/// Deletes a policy along with what it was made for; one that is gone already is as good.
///
/// # Errors
/// The store's fault.
pub(crate) fn withdraw(tx: &Tx<'_>, id: IamPolicyId, by: &str, now: Timestamp) -> Result<(), crate::store::Error> {
    let policy = iam_policies::get(tx, id)?.filter(|policy| policy.state == PolicyState::Active);
    let Some(mut policy) = policy else { return Ok(()) };
    let draft = policy.draft.clone();
    policy.change(draft, PolicyState::Deleted, by, now);
    iam_policies::update(tx, &policy)
}

/// A policy gives something in the caller's own account. Without an account it means that one.
fn of_account(draft: &PolicyDraft, caller: &Caller) -> Result<(), PolicyRefusal> {
    let own = draft.resource.get("accountId").is_none_or(|account| account.fits(Some(&caller.account)));
    if own { Ok(()) } else { Err(PolicyRefusal::Forbidden) }
}

fn in_force(tx: &Tx<'_>, id: IamPolicyId) -> Result<IamPolicy, PolicyRefusal> {
    let policy = iam_policies::get(tx, id)?.filter(|policy| policy.state == PolicyState::Active);
    policy.ok_or(PolicyRefusal::NotFound)
}

/// Refuses a second policy that gives the same.
fn no_other(tx: &Tx<'_>, wanted: &IamPolicy) -> Result<(), PolicyRefusal> {
    let same = iam_policies::find_same(tx, wanted)?;
    same.map_or(Ok(()), |same| Err(PolicyRefusal::Conflict(Box::new(same))))
}

/// Refuses one more policy than there may be.
fn room_for_one(tx: &Tx<'_>) -> Result<(), PolicyRefusal> {
    if iam_policies::count_active(tx)? >= PER_ACCOUNT_MAX { Err(PolicyRefusal::TooMany) } else { Ok(()) }
}
