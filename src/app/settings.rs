//! Switches that may change while the service runs: one snapshot in memory, replaced before a change is acknowledged.

use std::sync::{Arc, PoisonError, RwLock};

use crate::app::App;
use crate::app::error::Error;
use crate::domain::settings::{Setting, Settings};
use crate::store::settings;

/// The present snapshot.
pub(crate) struct SettingsInForce(RwLock<Arc<Settings>>);

impl SettingsInForce {
    /// As the store tells it.
    pub(crate) fn new(settings: Settings) -> Self {
        Self(RwLock::new(Arc::new(settings)))
    }

    /// Takes them as they are now.
    pub(crate) fn put(&self, settings: Settings) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    fn now(&self) -> Arc<Settings> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl App {
    /// All switches as they stand.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.memory.settings.now()
    }

    /// Turns switches, all at once: those named are taken over from `wanted`.
    ///
    /// # Errors
    /// The store's fault.
    pub(crate) async fn change_settings(&self, changed: Vec<Setting>, wanted: Settings) -> Result<(), Error> {
        self.write(move |tx| {
            for setting in changed {
                settings::keep(tx, setting, &wanted)?;
            }
            Ok(())
        })
        .await
    }
}
