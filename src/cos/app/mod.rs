//! The gateway's use cases: each asks for permission, then for the root key, then does what it is for.

mod audit;
pub(crate) mod body;
pub(crate) mod buckets;
pub(crate) mod completion;
pub(crate) mod configuration;
pub(crate) mod copy;
pub(crate) mod delete;
pub(crate) mod error;
pub(crate) mod inspect;
pub(crate) mod key_events;
pub(crate) mod key_memory;
pub(crate) mod key_state;
pub(crate) mod list;
pub(crate) mod multipart;
pub(crate) mod opening;
pub(crate) mod protection;
pub(crate) mod read;
pub(crate) mod reaping;
pub(crate) mod request;
mod room;
mod sealing;
pub(crate) mod tagging;
pub(crate) mod write;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::cos::app::error::Error;
use crate::cos::app::key_memory::KeyMemory;
use crate::cos::domain::id::{BlobId, BucketId, StoredId, UploadId};
use crate::cos::domain::key_info::Unavailable;
use crate::cos::key_protect::KeyProtect;
use crate::cos::store::blobs;
use crate::cos::store::files::ObjectFiles;
use crate::domain::time::Timestamp;
use crate::store::tx::Tx;

/// Everything that the gateway's use cases work with. One per process, shared.
pub(crate) struct CosApp {
    /// The store, tokens, instances and audit records.
    pub(crate) app: Arc<App>,
    keys: Arc<dyn KeyProtect>,
    files: Arc<ObjectFiles>,
    memory: Arc<KeyMemory>,
}

impl CosApp {
    /// Opens the folder of objects' bytes, and removes from it what no row names.
    ///
    /// # Errors
    /// When the folder cannot be used, or the store's.
    pub(crate) async fn open(app: Arc<App>, keys: Arc<dyn KeyProtect>, folder: PathBuf) -> Result<Self, Error> {
        let files = ObjectFiles::open(folder)?;
        let named = app.reader.run(|tx| Ok::<_, Error>(blobs::all_ids(tx)?)).await?;
        files.sweep(&named)?;
        Ok(Self { app, keys, files: Arc::new(files), memory: Arc::default() })
    }

    /// Runs a change in a transaction, as [`App::write`] does.
    ///
    /// # Errors
    /// What the change refuses, or the store's fault.
    async fn write<T, F>(&self, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        self.app.writer.run(job).await
    }

    /// Runs a read over one snapshot, as [`App::read`] does.
    ///
    /// # Errors
    /// What the use case refuses, or the store's fault.
    async fn read<T, F>(&self, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        self.app.reader.run(job).await
    }

    /// How long what is known of a root key is trusted.
    fn key_info_ttl(&self) -> Duration {
        self.app.settings().cos_key_info_ttl.length()
    }

    /// How the refusal of a data operation looks.
    fn unavailable(&self) -> Unavailable {
        let settings = self.app.settings();
        Unavailable { code: settings.cos_key_unavailable_code.clone(), status: settings.cos_key_unavailable_status }
    }

    /// Wipes unwrapped data keys whose time is over.
    pub(crate) fn wipe_stale(&self, now: Timestamp) {
        self.memory.wipe_stale(self.key_info_ttl(), now);
    }

    fn new_bucket_id(&self) -> Result<BucketId, Error> {
        Ok(BucketId::from_random(self.app.vault.random.array()?))
    }

    fn new_blob_id(&self) -> Result<BlobId, Error> {
        Ok(BlobId::from_random(self.app.vault.random.array()?))
    }

    fn new_stored_id(&self) -> Result<StoredId, Error> {
        Ok(StoredId::from_random(self.app.vault.random.array()?))
    }

    fn new_upload_id(&self) -> Result<UploadId, Error> {
        Ok(UploadId::from_random(self.app.vault.random.array()?))
    }
}
