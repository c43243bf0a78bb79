//! Keys for import tokens to come. An RSA key takes up to two seconds, so they are made ahead, beside the workers, and wait
//! sealed in the store: a start costs nothing, and a restart makes none anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;
use tracing::warn;

use crate::app::App;
use crate::app::error::Error;
use crate::crypto::Error as CryptoError;
use crate::crypto::import_key::{self, ImportKey};
use crate::store::import_keys::{self, WaitingKey};
use crate::store::tx::Tx;

/// Keys that wait once tokens are in use.
const WAITING_MAX: u64 = 4;
/// Keys that wait before the first token is asked for.
const WAITING_FIRST: u64 = 1;
/// What the keys are sealed for.
const PLACE: &str = "import key to come";

/// Whether keys are being made.
#[derive(Default)]
pub(crate) struct ImportKeyPool {
    filling: AtomicBool,
}

impl App {
    /// Takes a key that waits, if one does.
    ///
    /// # Errors
    /// The store's fault, or a key that does not open.
    pub(crate) fn waiting_import_key(&self, tx: &Tx<'_>) -> Result<Option<ImportKey>, Error> {
        let Some(WaitingKey { public, sealed }) = import_keys::take(tx)? else { return Ok(None) };
        Ok(Some(ImportKey { private: self.vault.open(PLACE, sealed)?, public }))
    }

    /// Tokens are in use: makes keys for the next ones, without waiting for them.
    pub(crate) fn make_import_keys_ahead(self: &Arc<Self>) {
        self.fill_import_keys(WAITING_MAX);
    }

    /// Nobody asks for anything: makes a key for the first token, without waiting for it.
    pub(crate) fn make_first_import_key(self: &Arc<Self>) {
        self.fill_import_keys(WAITING_FIRST);
    }

    fn fill_import_keys(self: &Arc<Self>, wanted: u64) {
        if self.import_keys.filling.swap(true, Ordering::AcqRel) {
            return;
        }
        let app = Arc::clone(self);
        tokio::spawn(async move {
            match fill(&app, wanted).await {
                // The service stops.
                Ok(()) | Err(Error::Store(crate::store::Error::Closed)) => {}
                Err(fault) => warn!(%fault, "no key for import tokens could be made ahead"),
            }
            app.import_keys.filling.store(false, Ordering::Release);
        });
    }
}

async fn fill(app: &Arc<App>, wanted: u64) -> Result<(), Error> {
    while app.read(|tx| Ok(import_keys::count(tx)?)).await? < wanted {
        let ImportKey { private, public } = made_apart().await?;
        let key = WaitingKey { public, sealed: app.vault.seal_apart(PLACE, private.bytes())? };
        app.write(move |tx| Ok(import_keys::add(tx, &key)?)).await?;
    }
    Ok(())
}

/// Makes a key on a thread of its own, which a stop does not wait for and which lets all others go first.
async fn made_apart() -> Result<ImportKey, Error> {
    const DOING: CryptoError = CryptoError::Refused("make an RSA key");
    let (done, key) = oneshot::channel();
    let work = move || {
        go_last();
        // Nobody may be waiting any more.
        drop(done.send(import_key::generate()));
    };
    std::thread::Builder::new().name("import-key".to_owned()).spawn(work).map_err(|_| DOING)?;
    Ok(key.await.map_err(|_| DOING)??)
}

/// Only Linux lowers the priority of a thread alone.
fn go_last() {
    #[cfg(target_os = "linux")]
    // At the usual priority it is made all the same.
    let _ = rustix::process::nice(19);
}
