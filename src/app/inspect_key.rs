//! A key as a tester sees it: with what lies ahead of it.

use crate::app::App;
use crate::app::error::Error;
use crate::domain::crn;
use crate::domain::due::{Due, DueKind};
use crate::domain::id::KeyId;
use crate::domain::key::{Key, Version};
use crate::store::{delivery_log, key_versions, keys, registrations};

/// All that is shown.
pub(crate) struct Inspected {
    pub(crate) key: Key,
    pub(crate) crn: String,
    /// Newest first.
    pub(crate) versions: Vec<Version>,
    pub(crate) registrations: usize,
    pub(crate) pending_deliveries: i64,
    /// In order of time; 100 of a kind at most.
    pub(crate) due: Vec<Due>,
}

/// Looks at a key of whichever instance; `None` where there is none.
///
/// # Errors
/// The store's fault.
pub(crate) async fn inspect(app: &App, id: KeyId) -> Result<Option<Inspected>, Error> {
    let read = move |tx: &crate::store::tx::Tx<'_>| {
        let Some(key) = keys::get(tx, id)? else { return Ok(None) };
        let versions = key_versions::page(tx, id, -1, 0)?.versions;
        let registrations = registrations::of_key(tx, id)?.len();
        let (pending, ahead) = delivery_log::ahead_of_key(tx, id)?;
        let mut due = key.due();
        due.extend(ahead.attempts.into_iter().map(|at| Due { at, kind: DueKind::Attempt }));
        due.extend(ahead.give_ups.into_iter().map(|at| Due { at, kind: DueKind::GiveUp }));
        due.sort();
        Ok(Some((key, versions, registrations, pending, due)))
    };
    let found: Option<_> = app.read(read).await?;
    Ok(found.map(|(key, versions, registrations, pending_deliveries, due)| {
        let crn = app.memory.instances.get(key.instance).map(|instance| crn::of_key(&instance, key.id));
        Inspected { crn: crn.unwrap_or_default(), key, versions, registrations, pending_deliveries, due }
    }))
}
