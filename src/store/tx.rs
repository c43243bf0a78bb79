//! The boundary that use cases work over: a transaction that only the writer begins and ends.

use std::cell::{Cell, RefCell};

use rusqlite::{CachedStatement, Connection};

use crate::domain::id::{IamPolicyId, InstanceId, KeyId};
use crate::domain::instance::Instance;
use crate::store::Error;

#[cfg(test)]
thread_local! {
    /// Statements that were asked for, for tests that look at their plans.
    pub(crate) static PREPARED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// An open transaction, or a reader's snapshot.
pub(crate) struct Tx<'c> {
    connection: &'c Connection,
    effects: Effects,
}

/// What a group of changes leaves to be done once it is committed.
#[derive(Default)]
pub(crate) struct Effects {
    /// Keys whose snapshots in memory are out of date.
    keys: RefCell<Vec<(InstanceId, KeyId)>>,
    /// Instances as they are now, the later of two being the last word.
    instances: RefCell<Vec<Instance>>,
    /// The generation of tokens that begins.
    token_generation: Cell<Option<i64>>,
    /// True when what is due next may have changed.
    due: Cell<bool>,
    /// Policies of IAM that may have changed.
    policies: RefCell<Vec<IamPolicyId>>,
    /// True when a setting may have changed.
    settings: Cell<bool>,
    /// True when a service id may have come or gone.
    service_ids: Cell<bool>,
    /// True when a subscriber may have changed.
    subscribers: Cell<bool>,
    /// Names of subscribers that are no longer where they were.
    moved: RefCell<Vec<String>>,
    /// True when deleted material should leave the write-ahead log too.
    truncate_log: Cell<bool>,
}

impl Effects {
    /// Keys that changed.
    pub(crate) fn keys(&self) -> Vec<(InstanceId, KeyId)> {
        self.keys.borrow().clone()
    }

    /// Instances that changed.
    pub(crate) fn instances(&self) -> Vec<Instance> {
        self.instances.borrow().clone()
    }

    /// The generation of tokens that begins, if one does.
    pub(crate) fn token_generation(&self) -> Option<i64> {
        self.token_generation.get()
    }

    /// How many instances are noted: a mark to go back to.
    pub(crate) fn mark(&self) -> usize {
        self.instances.borrow().len()
    }

    /// Forgets instances noted since the mark: their changes were undone. Keys noted in vain do no harm.
    pub(crate) fn rewind(&self, mark: usize) {
        self.instances.borrow_mut().truncate(mark);
    }

    /// True when what is due next may have changed.
    pub(crate) fn due_changed(&self) -> bool {
        self.due.get()
    }

    /// Policies of IAM that may have changed. Those noted in vain are found as they were.
    pub(crate) fn policies(&self) -> Vec<IamPolicyId> {
        self.policies.borrow().clone()
    }

    /// True when a setting may have changed.
    pub(crate) fn settings_changed(&self) -> bool {
        self.settings.get()
    }

    /// True when a service id may have come or gone.
    pub(crate) fn service_ids_changed(&self) -> bool {
        self.service_ids.get()
    }

    /// True when a subscriber may have changed.
    pub(crate) fn subscribers_changed(&self) -> bool {
        self.subscribers.get()
    }

    /// Names of subscribers that are no longer where they were. Those noted in vain do no harm.
    pub(crate) fn moved(&self) -> Vec<String> {
        self.moved.borrow().clone()
    }

    /// True when the write-ahead log should be truncated.
    pub(crate) fn truncates_log(&self) -> bool {
        self.truncate_log.get()
    }
}

impl<'c> Tx<'c> {
    /// Over a connection on which a transaction is open.
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self { connection, effects: Effects::default() }
    }

    /// A statement, compiled once per connection.
    pub(crate) fn prepare(&self, sql: &str) -> Result<CachedStatement<'_>, Error> {
        #[cfg(test)]
        PREPARED.with_borrow_mut(|prepared| prepared.push(sql.to_owned()));
        Ok(self.connection.prepare_cached(sql)?)
    }

    /// Runs a job as if it had never been: the transaction stands afterwards as it stood before.
    #[cfg(test)]
    pub(crate) fn undone<T>(&self, job: impl FnOnce(&Self) -> T) -> T {
        self.connection.execute_batch("SAVEPOINT undone").unwrap();
        let value = job(self);
        self.connection.execute_batch("ROLLBACK TO undone; RELEASE undone").unwrap();
        value
    }

    /// Notes that a key changed.
    pub(crate) fn touch(&self, instance: InstanceId, key: KeyId) {
        self.effects.keys.borrow_mut().push((instance, key));
    }

    /// Notes an instance as it is from now on.
    pub(crate) fn touch_instance(&self, instance: Instance) {
        self.effects.instances.borrow_mut().push(instance);
    }

    /// Notes that a generation of tokens begins.
    pub(crate) fn touch_tokens(&self, generation: i64) {
        self.effects.token_generation.set(Some(generation));
    }

    /// Notes that what is due next may have changed.
    pub(crate) fn touch_due(&self) {
        self.effects.due.set(true);
    }

    /// Notes that a policy of IAM changed.
    pub(crate) fn touch_policy(&self, id: IamPolicyId) {
        self.effects.policies.borrow_mut().push(id);
    }

    /// Notes that a setting changed.
    pub(crate) fn touch_settings(&self) {
        self.effects.settings.set(true);
    }

    /// Notes that a service id came or went.
    pub(crate) fn touch_service_ids(&self) {
        self.effects.service_ids.set(true);
    }

    /// Notes that a subscriber changed.
    pub(crate) fn touch_subscribers(&self) {
        self.effects.subscribers.set(true);
    }

    /// Notes that a subscriber is no longer where it was.
    pub(crate) fn touch_place_of(&self, subscriber: &str) {
        self.effects.moved.borrow_mut().push(subscriber.to_owned());
    }

    /// Notes that material was deleted.
    pub(crate) fn forget_deleted_pages(&self) {
        self.effects.truncate_log.set(true);
    }

    /// What is left to be done after the commit.
    pub(crate) fn into_effects(self) -> Effects {
        self.effects
    }

    /// What is left to be done so far.
    pub(crate) fn effects(&self) -> &Effects {
        &self.effects
    }
}
