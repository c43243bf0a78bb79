//! Who may do what, as policies stand at this instant.

use std::sync::{Arc, PoisonError, RwLock};

use crate::app::App;
use crate::domain::access::Roles;
use crate::domain::caller::{Caller, Identity, IdentityKind};
use crate::domain::crn;
use crate::domain::grant::{Grants, Rights};
use crate::domain::iam_policy::IamPolicy;
use crate::domain::id::InstanceId;
use crate::domain::instance::Instance;

/// Who may make, change and remove service instances. Source: docs, manage-access.
const MANAGERS: Roles = Roles::EDITOR.or(Roles::ADMINISTRATOR);

/// The present snapshot of all grants. The writer puts another one in its place before a change of policies is
/// acknowledged, so the next request sees it.
pub(crate) struct GrantsInForce(RwLock<Arc<Grants>>);

impl GrantsInForce {
    /// What policies give.
    pub(crate) fn new(policies: &[IamPolicy]) -> Self {
        Self(RwLock::new(Arc::new(Grants::of(policies))))
    }

    /// Takes policies as they are now.
    pub(crate) fn change(&self, changed: &[IamPolicy]) {
        if changed.is_empty() {
            return;
        }
        let mut grants = Grants::clone(&self.now());
        for policy in changed {
            grants.put(policy);
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(grants);
    }

    /// True when an access policy names that identity.
    pub(crate) fn names(&self, iam_id: &str) -> bool {
        self.now().names(iam_id)
    }

    fn now(&self) -> Arc<Grants> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl App {
    /// What a caller may do on an instance.
    pub(crate) fn rights(&self, caller: &Caller, instance: &Instance) -> Rights {
        // Every operation on keys asks for one of the two, and whoever has both by standing is an Administrator too: policies
        // can add nothing.
        if caller.standing.contains(Roles::MANAGER.or(Roles::KEY_PURGE).or(Roles::ADMINISTRATOR)) {
            return Rights::whole(caller.standing);
        }
        let service = caller.identity.kind == IdentityKind::Service;
        let own = if service { self.instance_of(&caller.identity) } else { None };
        // An instance that was removed does nothing any more, whatever its service may.
        if own.as_ref().is_some_and(|own| !own.is_active()) {
            return Rights::whole(Roles::NONE);
        }
        let group = own.as_ref().map(|own| own.resource_group.as_str());
        self.memory.grants.now().rights(caller, group, instance)
    }

    /// True when the caller may read and write access policies: an Administrator of the account.
    pub(crate) fn is_administrator(&self, caller: &Caller) -> bool {
        self.memory.grants.now().everywhere(caller).meets(Roles::ADMINISTRATOR)
    }

    /// True when the caller may make, change and remove that service instance, or any: an Editor or Administrator.
    ///
    /// Source: docs, manage-access.
    pub(crate) fn may_manage(&self, caller: &Caller, instance: Option<&Instance>) -> bool {
        let roles = match instance {
            Some(instance) => self.rights(caller, instance).whole,
            None => self.memory.grants.now().everywhere(caller),
        };
        roles.meets(MANAGERS)
    }

    /// True when the caller may see an instance at the Resource Controller: any platform role will do.
    ///
    /// Source: docs, manage-access.
    pub(crate) fn may_view(&self, caller: &Caller, instance: &Instance) -> bool {
        self.rights(caller, instance).whole.meets(MANAGERS.or(Roles::VIEWER).or(Roles::OPERATOR))
    }

    /// False for a service instance that its owner has removed.
    pub(crate) fn is_service_there(&self, identity: &Identity) -> bool {
        self.instance_of(identity).is_none_or(|own| own.is_active())
    }

    fn instance_of(&self, identity: &Identity) -> Option<Arc<Instance>> {
        let named = crn::parse(&identity.subject)?;
        self.memory.instances.get(InstanceId::parse(named.instance)?)
    }
}
