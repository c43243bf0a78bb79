//! The data folder: one process at a time, private, and its master key.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::config::Config;
use crate::crypto::master_key::MasterKey;
use crate::crypto::random::Random;
use crate::service::StartError;

const LOCK: &str = "lock";
const DATABASE: &str = "state.db";
const OBJECTS: &str = "objects";
const MASTER_KEY: &str = "master.key";
const MASTER_KEY_DRAFT: &str = "master.key.new";

/// A folder that this process alone uses. Dropped, the lock is free; a temporary folder is removed.
pub(crate) struct DataFolder {
    path: PathBuf,
    _lock: File,
    _temporary: Option<TempDir>,
}

impl DataFolder {
    /// Makes the folder if need be, and locks it.
    ///
    /// # Errors
    /// When it cannot be made or written, or another process has it.
    pub(crate) fn open(config: &Config) -> Result<Self, StartError> {
        if config.ephemeral {
            let temporary = tempfile::Builder::new().prefix("mock-key-protect-").tempdir();
            let temporary = temporary.map_err(|error| {
                StartError(format!(
                    "no temporary folder can be made: {error}; set TMPDIR to a folder that can be written"
                ))
            })?;
            let lock = lock(temporary.path())?;
            return Ok(Self { path: temporary.path().to_owned(), _lock: lock, _temporary: Some(temporary) });
        }
        let path = config.data_dir.clone();
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(|error| unusable(&path, &error))?;
        let lock = lock(&path)?;
        Ok(Self { path, _lock: lock, _temporary: None })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the database is.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Where the bytes of objects are.
    pub(crate) fn objects(&self) -> PathBuf {
        self.path.join(OBJECTS)
    }

    /// The master key: from the environment, else from its file, which a fresh folder gets.
    ///
    /// # Errors
    /// For a key that is none, a file that others can read, or a used folder without one.
    pub(crate) fn master_key(&self, config: &Config, random: &Random) -> Result<MasterKey, StartError> {
        if let Some(key) = key_of_environment(config)? {
            return Ok(key);
        }
        let path = self.path.join(MASTER_KEY);
        if path.exists() {
            return read_key(&path);
        }
        if self.database().exists() {
            let why = format!(
                "{} is missing, and without it {} cannot be read; put the file back or set MKP_MASTER_KEY",
                path.display(),
                self.database().display()
            );
            return Err(StartError(why));
        }
        let text = MasterKey::generate_base64(random).map_err(|error| StartError(error.to_string()))?;
        // Under a name of its own until it is whole: a crash leaves no half-written key.
        let draft = self.path.join(MASTER_KEY_DRAFT);
        let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft);
        written
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()?;
                std::fs::rename(&draft, &path)?;
                File::open(&self.path)?.sync_all()
            })
            .map_err(|error| unusable(&path, &error))?;
        read_key(&path)
    }
}

/// Refuses a master key of the environment that is none, before anything is made.
///
/// # Errors
/// When it is no base64 of 32 bytes.
pub(crate) fn check_master_key(config: &Config) -> Result<(), StartError> {
    key_of_environment(config).map(drop)
}

fn key_of_environment(config: &Config) -> Result<Option<MasterKey>, StartError> {
    let Some(text) = &config.master_key else { return Ok(None) };
    let why = "MKP_MASTER_KEY must be base64 of 32 bytes; `openssl rand -base64 32` makes one";
    MasterKey::from_base64(text).map(Some).ok_or_else(|| StartError(why.to_owned()))
}

/// No core dumps, as many descriptors as the system allows, and files that only their owner can read.
pub(crate) fn harden_process() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};
    umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    // Where the system does not allow it, the service runs all the same.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let files = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: files.maximum, maximum: files.maximum });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

fn unusable(path: &Path, error: &std::io::Error) -> StartError {
    let remedy = "name a folder that can be written with --data-dir, or use --ephemeral";
    StartError(format!("{} cannot be used: {error}; {remedy}", path.display()))
}

fn lock(folder: &Path) -> Result<File, StartError> {
    let path = folder.join(LOCK);
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let mut file = opened.map_err(|error| unusable(folder, &error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // The holder's number is a help, no more.
            drop(file.read_to_string(&mut holder));
            let why = format!(
                "{} is in use by process {}; stop it or name another folder with --data-dir",
                folder.display(),
                holder.trim()
            );
            return Err(StartError(why));
        }
        Err(TryLockError::Error(error)) => return Err(unusable(folder, &error)),
    }
    let noted = file.set_len(0).and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
    noted.map_err(|error| unusable(folder, &error))?;
    Ok(file)
}

fn read_key(path: &Path) -> Result<MasterKey, StartError> {
    let metadata = std::fs::metadata(path).map_err(|error| unusable(path, &error))?;
    let owner = rustix::process::geteuid().as_raw();
    if metadata.uid() != owner {
        return Err(StartError(format!("{} belongs to another user; take it over with chown", path.display())));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(StartError(format!("{} can be read by others; mend it with chmod 600", path.display())));
    }
    let text = std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| unusable(path, &error))?;
    MasterKey::from_base64(&text).ok_or_else(|| {
        StartError(format!("{} is damaged: it must be base64 of 32 bytes; put a copy back", path.display()))
    })
}
