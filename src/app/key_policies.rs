//! Setting the policies of a key.

use std::sync::Arc;

use crate::app::App;
use crate::app::error::Error;
use crate::app::lookup;
use crate::domain::access::Place;
use crate::domain::alias::KeyRef;
use crate::domain::audit::Record;
use crate::domain::context::Context;
use crate::domain::key::Key;
use crate::domain::key::policies::FreshIds;
use crate::domain::policy::PolicyChanges;
use crate::domain::reason::Reason;
use crate::store::{keys, policies};

/// Sets one policy of a key or both: all that is wanted, or nothing.
///
/// # Errors
/// `KeyNotFound`; what query and body break; what [`Key::set_policies`] refuses.
///
/// Source: docs, set-rotation-policy, set-dual-auth-key-policy; go-client `SetPolicies`.
pub(crate) async fn set_policies(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: KeyRef,
    wanted: Result<PolicyChanges, Reason>,
) -> Result<Key, Error> {
    cx.allow(Place::Anywhere)?;
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let mut key = lookup::key(tx, &cx, &reference)?;
        let fresh = FreshIds { rotation: shared.vault.policy_id()?, dual_auth: shared.vault.policy_id()? };
        key.set_policies(wanted?, fresh, cx.caller.iam_id(), cx.now)?;
        if let Some(policy) = &key.rotation {
            policies::set_rotation(tx, key.id, policy)?;
        }
        if let Some(policy) = &key.dual_auth {
            policies::set_dual_auth(tx, key.id, policy)?;
        }
        keys::update(tx, &key)?;
        shared.record(tx, Record::of(&cx, 200).about(&key))?;
        Ok(key)
    })
    .await
}
