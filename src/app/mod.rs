//! Use cases: each loads, lets the domain decide, and saves the change with its audit record in one transaction.

pub(crate) mod alias;
pub(crate) mod audit;
pub(crate) mod builtin;
mod claims;
pub(crate) mod create_key;
pub(crate) mod delete_key;
pub(crate) mod deliveries;
pub(crate) mod delivery_log;
pub(crate) mod dispatch;
pub(crate) mod error;
pub(crate) mod event_ack;
mod event_body;
pub(crate) mod iam_identities;
pub(crate) mod iam_policies;
pub(crate) mod identities;
pub(crate) mod import_key_pool;
pub(crate) mod import_token;
pub(crate) mod inspect_key;
pub(crate) mod instance_policies;
pub(crate) mod instances;
pub(crate) mod itself;
pub(crate) mod key_policies;
pub(crate) mod key_state;
pub(crate) mod keys_in_use;
pub(crate) mod kmip;
pub(crate) mod list_keys;
pub(crate) mod lookup;
pub(crate) mod metrics;
pub(crate) mod outbox;
pub(crate) mod patch_key;
pub(crate) mod read_key;
pub(crate) mod receivers;
pub(crate) mod registrations;
pub(crate) mod resource_keys;
pub(crate) mod rights;
pub(crate) mod rings;
pub(crate) mod rotate_key;
pub(crate) mod service_ids;
pub(crate) mod settings;
pub(crate) mod settle;
pub(crate) mod subscribers;
pub(crate) mod tick;
pub(crate) mod time;
pub(crate) mod tokens;
pub(crate) mod vault;
pub(crate) mod wrap;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::Mutex;

use crate::app::audit::AuditQueue;
use crate::app::dispatch::Dispatch;
use crate::app::error::Error;
use crate::app::import_key_pool::ImportKeyPool;
use crate::app::instances::Instances;
use crate::app::keys_in_use::KeysInUse;
use crate::app::metrics::Metrics;
use crate::app::receivers::Receivers;
use crate::app::rights::GrantsInForce;
use crate::app::settings::SettingsInForce;
use crate::app::subscribers::Gateway;
use crate::app::time::Journal;
use crate::app::tokens::Tokens;
use crate::app::vault::Vault;
use crate::clock::Clock;
use crate::domain::iam_policy::IamPolicy;
use crate::domain::instance::Instance;
use crate::domain::settings::Settings;
use crate::store::due::Ahead;
use crate::store::reader::Reader;
use crate::store::tx::Tx;
use crate::store::writer::{Committed, NextDue, Writer};

/// Everything that use cases work with. One per process, shared.
pub(crate) struct App {
    pub(crate) clock: Clock,
    pub(crate) vault: Vault,
    pub(crate) memory: Arc<Memory>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) audit: AuditQueue,
    pub(crate) receivers: Receivers,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) writer: Writer,
    pub(crate) reader: Reader,
    /// Reads audit records: a walk over many must not hold up those who read keys.
    pub(crate) archive: Reader,
    /// Keys for import tokens to come.
    pub(crate) import_keys: ImportKeyPool,
    /// Held by whoever runs what is due: it runs in order.
    pub(crate) ticking: Mutex<()>,
    /// Held by whoever moves the clock: a second one waits.
    pub(crate) moving: Mutex<()>,
    /// What runs while the clock is moved.
    pub(crate) journal: Journal,
    /// Where the storage gateway takes events, when there is one.
    pub(crate) gateway: Gateway,
}

/// What is remembered of the store, brought up to date by the writer before a change is acknowledged.
pub(crate) struct Memory {
    pub(crate) keys: KeysInUse,
    pub(crate) grants: GrantsInForce,
    pub(crate) instances: Instances,
    pub(crate) dispatch: Dispatch,
    settings: SettingsInForce,
    tokens: Arc<Tokens>,
    /// When something is due next, attempts apart, in milliseconds; `i64::MAX` when nothing is.
    next_due: AtomicI64,
}

impl Memory {
    /// No key in use yet; the rest as the store tells it.
    pub(crate) fn new(
        instances: Vec<Instance>,
        policies: &[IamPolicy],
        settings: Settings,
        tokens: Arc<Tokens>,
        ahead: Ahead,
    ) -> Self {
        Self {
            keys: KeysInUse::new(),
            grants: GrantsInForce::new(policies),
            instances: Instances::new(instances),
            dispatch: Dispatch::new(ahead),
            settings: SettingsInForce::new(settings),
            tokens,
            next_due: AtomicI64::new(ahead.work.unwrap_or(i64::MAX)),
        }
    }

    /// Takes notice of a commit.
    pub(crate) fn on_commit(&self, committed: &Committed) {
        self.keys.forget(&committed.effects.keys());
        self.grants.change(&committed.policies);
        for instance in committed.effects.instances() {
            self.instances.put(instance);
        }
        if let Some(settings) = &committed.settings {
            self.settings.put(settings.clone());
        }
        if let Some(living) = &committed.service_ids {
            self.tokens.service_ids.put(living.clone());
        }
        if let Some(generation) = committed.effects.token_generation() {
            self.tokens.begin_generation(generation);
        }
        if committed.effects.subscribers_changed() {
            self.dispatch.subscribers_changed(committed.effects.moved());
        }
        if let NextDue::Changed(ahead) = &committed.next_due {
            self.next_due.store(ahead.work.unwrap_or(i64::MAX), Ordering::Release);
            self.dispatch.on_commit(ahead);
        }
    }

    /// When something is due next, attempts apart, in milliseconds.
    pub(crate) fn next_due(&self) -> i64 {
        self.next_due.load(Ordering::Acquire)
    }
}

impl App {
    /// Runs a use case's change in a transaction: all of it is on disk when this returns `Ok`, nothing after an `Err`.
    ///
    /// # Errors
    /// What the use case refuses, or the store's fault.
    pub(crate) async fn write<T, F>(&self, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        self.writer.run(job).await
    }

    /// Runs a read over one snapshot.
    ///
    /// # Errors
    /// What the use case refuses, or the store's fault.
    pub(crate) async fn read<T, F>(&self, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        self.reader.run(job).await
    }
}
