//! Service instances: made, changed and removed through the Resource Controller, and found by each key request.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::app::App;
use crate::app::builtin;
use crate::app::error::Error;
use crate::app::resource_keys;
use crate::app::settle;
use crate::domain::caller::Caller;
use crate::domain::id::InstanceId;
use crate::domain::instance::{Instance, LastOperation, Plan, Presence, Service};
use crate::domain::instance_policy::network::Network;
use crate::domain::instance_policy::{InstancePolicies, InstancePolicyChange, Terms};
use crate::domain::time::Timestamp;
use crate::store::tx::Tx;
use crate::store::{
    import_tokens, instance_policies, instances, keys, kmip, resource_keys as stored_credentials, rings,
};

/// All instances, removed ones too: few and small, so they are kept in memory.
pub(crate) struct Instances {
    all: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    in_order: Vec<Arc<Instance>>,
    /// Sorted, since they are few: found with less work than hashing an id takes.
    by_id: BTreeMap<InstanceId, Arc<Instance>>,
}

impl Known {
    fn put(&mut self, instance: Instance) {
        let instance = Arc::new(instance);
        match self.in_order.iter_mut().find(|known| known.id == instance.id) {
            Some(place) => *place = Arc::clone(&instance),
            None => self.in_order.push(Arc::clone(&instance)),
        }
        self.by_id.insert(instance.id, instance);
    }
}

/// A new instance as its maker wants it.
#[derive(Clone, Debug)]
pub(crate) struct NewInstance {
    pub(crate) name: String,
    pub(crate) plan: &'static Plan,
    pub(crate) region: String,
    pub(crate) resource_group: String,
    /// JSON text.
    pub(crate) parameters: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) allow_cleanup: bool,
    /// True when Key Protect shall be reached over its private endpoint alone.
    pub(crate) private_only: bool,
}

/// What is to be changed of an instance.
#[derive(Clone, Debug, Default)]
pub(crate) struct InstanceChange {
    pub(crate) name: Option<String>,
    pub(crate) plan_id: Option<String>,
    /// JSON text.
    pub(crate) parameters: Option<String>,
    pub(crate) allow_cleanup: Option<bool>,
}

/// Whether an instance can be changed and removed from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lock {
    On,
    Off,
}

/// What goes when an instance is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Alone,
    /// `recursive=true`: its credentials too.
    WithCredentials,
}

/// Why an instance was not changed.
#[derive(Debug)]
pub(crate) enum InstanceRefusal {
    NotFound,
    /// It was removed before.
    Gone,
    /// Keys that are not destroyed are left in it.
    HasKeys(i64),
    /// Credentials of it are left, and it was not to be removed with all that it has.
    HasCredentials(usize),
    /// A plan of another service.
    WrongPlan,
    /// It was locked against changes.
    Locked,
    Fault(Error),
}

impl From<Error> for InstanceRefusal {
    fn from(fault: Error) -> Self {
        Self::Fault(fault)
    }
}

impl From<crate::store::Error> for InstanceRefusal {
    fn from(fault: crate::store::Error) -> Self {
        Self::Fault(fault.into())
    }
}

impl Instances {
    /// What the store holds.
    pub(crate) fn new(all: Vec<Instance>) -> Self {
        let mut known = Known::default();
        for instance in all {
            known.put(instance);
        }
        Self { all: RwLock::new(known) }
    }

    /// An instance, removed or not.
    pub(crate) fn get(&self, id: InstanceId) -> Option<Arc<Instance>> {
        self.all.read().unwrap_or_else(PoisonError::into_inner).by_id.get(&id).cloned()
    }

    /// All instances in order of creation.
    pub(crate) fn all(&self) -> Vec<Arc<Instance>> {
        self.all.read().unwrap_or_else(PoisonError::into_inner).in_order.clone()
    }

    /// How many are known.
    pub(crate) fn len(&self) -> usize {
        self.all.read().unwrap_or_else(PoisonError::into_inner).in_order.len()
    }

    /// Takes an instance as it is now.
    pub(crate) fn put(&self, instance: Instance) {
        self.all.write().unwrap_or_else(PoisonError::into_inner).put(instance);
    }
}

impl App {
    /// An instance as it would be made.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn plan_instance(
        &self,
        caller: &Caller,
        wanted: NewInstance,
        now: Timestamp,
    ) -> Result<Instance, Error> {
        let mut instance = Instance {
            id: self.vault.instance_id()?,
            service: wanted.plan.service,
            region: wanted.region,
            account: caller.account.clone(),
            name: wanted.name,
            plan_id: wanted.plan.id.to_owned(),
            plans_before: Vec::new(),
            plan_since: now,
            resource_group: wanted.resource_group,
            parameters: wanted.parameters,
            tags: wanted.tags,
            allow_cleanup: wanted.allow_cleanup,
            created_at: now,
            created_by: caller.iam_id().to_owned(),
            updated: None,
            last_operation: LastOperation::Create,
            locked: false,
            presence: Presence::Active,
            policies: InstancePolicies::default(),
        };
        if wanted.private_only && instance.service == Service::KeyProtect {
            let terms = Terms::AllowedNetwork(Network::PrivateOnly);
            let wanted = InstancePolicyChange { kind: terms.kind(), enabled: true, terms: Some(terms) };
            instance.policies.set(wanted.settle(None, caller.iam_id(), now));
        }
        Ok(instance)
    }

    /// Makes a planned instance.
    ///
    /// # Errors
    /// The store's fault.
    pub(crate) async fn create_instance(&self, planned: Instance) -> Result<Instance, Error> {
        let stored = planned.clone();
        self.write(move |tx| Ok(instances::insert(tx, &stored)?)).await?;
        Ok(planned)
    }

    /// Changes an instance's name, plan or parameters.
    ///
    /// # Errors
    /// `NotFound`, `Gone`, `Locked`, `WrongPlan`.
    pub(crate) async fn update_instance(
        &self,
        caller: &Caller,
        id: InstanceId,
        change: InstanceChange,
        now: Timestamp,
    ) -> Result<Arc<Instance>, InstanceRefusal> {
        let by = caller.iam_id().to_owned();
        self.writer
            .run(move |tx| {
                let mut instance = unlocked(tx, id)?;
                if let Some(plan_id) = change.plan_id {
                    let fits = Plan::find(&plan_id).is_some_and(|plan| plan.service == instance.service);
                    if !fits {
                        return Err(InstanceRefusal::WrongPlan);
                    }
                    instance.change_plan(plan_id, now);
                }
                instance.name = change.name.unwrap_or(instance.name);
                instance.parameters = change.parameters.or(instance.parameters);
                instance.allow_cleanup = change.allow_cleanup.unwrap_or(instance.allow_cleanup);
                instance.updated = Some((now, by));
                instance.last_operation = LastOperation::Update;
                instances::update(tx, &instance)?;
                Ok(Arc::new(instance))
            })
            .await
    }

    /// Locks an instance against changes and removal, or lifts that; what is in it can be changed all the same.
    ///
    /// # Errors
    /// `NotFound`, `Gone`.
    ///
    /// Source: API reference of the Resource Controller; live tests of the Python platform SDK.
    pub(crate) async fn lock_instance(
        &self,
        caller: &Caller,
        id: InstanceId,
        lock: Lock,
        now: Timestamp,
    ) -> Result<Arc<Instance>, InstanceRefusal> {
        let by = caller.iam_id().to_owned();
        self.writer
            .run(move |tx| {
                let mut instance = living(tx, id)?;
                (instance.locked, instance.last_operation) = match lock {
                    Lock::On => (true, LastOperation::Lock),
                    Lock::Off => (false, LastOperation::Unlock),
                };
                instance.updated = Some((now, by));
                instances::update(tx, &instance)?;
                Ok(Arc::new(instance))
            })
            .await
    }

    /// Removes an instance; destroyed keys and KMIP adapters go with it for good, at once or when it is reclaimed.
    ///
    /// # Errors
    /// `NotFound`, `Gone`, `Locked`, `HasKeys`, `HasCredentials`.
    ///
    /// Source: docs, provision, FAQs; `docs/contract/iam.md` 3.3.
    pub(crate) async fn remove_instance(
        &self,
        caller: &Caller,
        id: InstanceId,
        reach: Reach,
        now: Timestamp,
    ) -> Result<(), InstanceRefusal> {
        let by = caller.iam_id().to_owned();
        let reclamation = self.settings().instance_reclamation.length();
        self.writer
            .run(move |tx| {
                let mut instance = unlocked(tx, id)?;
                let keys_left = keys::count_living(tx, id)?;
                if keys_left > 0 {
                    return Err(InstanceRefusal::HasKeys(keys_left));
                }
                let credentials = stored_credentials::living(tx, id)?.len();
                if credentials > 0 && reach == Reach::Alone {
                    return Err(InstanceRefusal::HasCredentials(credentials));
                }
                resource_keys::remove_all(tx, id, &by, now)?;
                if reclamation.is_zero() {
                    return Ok(empty(tx, instance, Presence::Removed { at: now, by })?);
                }
                instance.presence = Presence::Pending { at: now, by, until: now.plus(reclamation) };
                Ok(instances::update(tx, &instance)?)
            })
            .await
    }

    /// The Key Protect instance that a key request names, of the caller's account.
    pub(crate) fn key_protect_instance(&self, id: InstanceId, caller: &Caller) -> Option<Arc<Instance>> {
        let found = self.memory.instances.get(id)?;
        let usable = found.is_active() && found.service == Service::KeyProtect && found.account == caller.account;
        usable.then_some(found)
    }
}

/// Ends the time in which a deleted instance is still there.
///
/// # Errors
/// The store's.
pub(crate) fn reclaim(tx: &Tx<'_>, id: InstanceId) -> Result<(), Error> {
    let Some(instance) = instances::get(tx, id)? else { return Ok(()) };
    match instance.presence.clone() {
        Presence::Pending { at, by, .. } => empty(tx, instance, Presence::Removed { at, by }),
        Presence::Active | Presence::Removed { .. } => Ok(instances::update(tx, &instance)?),
    }
}

/// Removes all that is in an instance.
fn empty(tx: &Tx<'_>, mut instance: Instance, presence: Presence) -> Result<(), Error> {
    let id = instance.id;
    for key in keys::all_of(tx, id)? {
        settle::drop_events(tx, key.id, None)?;
        keys::purge(tx, &key)?;
    }
    rings::remove_all(tx, id)?;
    import_tokens::remove(tx, id)?;
    instance_policies::remove_all(tx, id)?;
    instance.policies = InstancePolicies::default();
    kmip::remove_all(tx, id)?;
    instance.presence = presence;
    Ok(instances::update(tx, &instance)?)
}

fn living(tx: &Tx<'_>, id: InstanceId) -> Result<Instance, InstanceRefusal> {
    let known = instances::get(tx, id)?.ok_or(InstanceRefusal::NotFound)?;
    if known.is_active() { Ok(known) } else { Err(InstanceRefusal::Gone) }
}

fn unlocked(tx: &Tx<'_>, id: InstanceId) -> Result<Instance, InstanceRefusal> {
    let known = living(tx, id)?;
    if known.locked { Err(InstanceRefusal::Locked) } else { Ok(known) }
}

/// The resource group's CRN.
pub(crate) fn resource_group_crn(id: &str) -> String {
    format!("crn:v1:bluemix:public:resource-controller::a/{}::resource-group:{id}", builtin::ACCOUNT)
}
