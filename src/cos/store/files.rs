//! Files of sealed bytes. One is written under a temporary name, synced, renamed, and only then named by a row; what no row
//! names is removed at start. While anybody reads, files that are no longer needed stay until the reads that may need them
//! are over.

use std::collections::{BTreeSet, HashSet};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::{info, warn};

use crate::cos::domain::id::BlobId;

/// Bytes of the disk that uploads leave free, so that the store can note what is deleted.
const RESERVED_BYTES: u64 = 1024 * 1024;
/// Folder of files that are being written.
const DRAFTS: &str = "new";

/// The folder of objects' bytes.
pub(crate) struct ObjectFiles {
    folder: PathBuf,
    leases: Mutex<Leases>,
}

#[derive(Default)]
struct Leases {
    next: u64,
    /// Reads under way.
    open: BTreeSet<u64>,
    /// Files that are no longer needed, each with the first lease that cannot need it.
    unneeded: Vec<(u64, BlobId)>,
}

/// Keeps files that are there now readable, until it is dropped.
pub(crate) struct Lease {
    files: Arc<ObjectFiles>,
    number: u64,
}

/// A file that is being written; dropped without [`DraftFile::publish`], it is gone.
pub(crate) struct DraftFile {
    files: Arc<ObjectFiles>,
    id: BlobId,
    /// Where it is now; `None` once it is kept.
    path: Option<PathBuf>,
}

impl ObjectFiles {
    /// Opens the folder, and makes it if need be. What was being written when the last process ended is removed.
    ///
    /// # Errors
    /// When it cannot be made or read.
    pub(crate) fn open(folder: PathBuf) -> io::Result<Self> {
        let drafts = folder.join(DRAFTS);
        DirBuilder::new().recursive(true).mode(0o700).create(&drafts)?;
        for entry in std::fs::read_dir(&drafts)? {
            std::fs::remove_file(entry?.path())?;
        }
        sync_folder(&folder)?;
        Ok(Self { folder, leases: Mutex::default() })
    }

    /// Removes files that no row names.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(crate) fn sweep(&self, named: &HashSet<BlobId>) -> io::Result<()> {
        let mut removed = 0_usize;
        for entry in std::fs::read_dir(&self.folder)? {
            let entry = entry?;
            let id = entry.file_name().to_str().and_then(BlobId::parse);
            if id.is_some_and(|id| !named.contains(&id)) {
                std::fs::remove_file(entry.path())?;
                removed += 1;
            }
        }
        if removed > 0 {
            info!(removed, "files of uploads that were not completed are gone");
        }
        Ok(())
    }

    /// Begins a file.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn draft(self: &Arc<Self>, id: BlobId) -> io::Result<(DraftFile, File)> {
        let path = self.folder.join(DRAFTS).join(id.to_string());
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok((DraftFile { files: Arc::clone(self), id, path: Some(path) }, file))
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn read(&self, id: BlobId) -> io::Result<File> {
        File::open(self.path(id))
    }

    /// Keeps files that are there now from going. To be taken before the rows are read.
    pub(crate) fn lease(self: &Arc<Self>) -> Lease {
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let number = leases.next;
        leases.next += 1;
        leases.open.insert(number);
        Lease { files: Arc::clone(self), number }
    }

    /// Removes files that no row names any more, as soon as nobody can be reading them.
    pub(crate) fn remove(&self, ids: Vec<BlobId>) {
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let next = leases.next;
        leases.unneeded.extend(ids.into_iter().map(|id| (next, id)));
        let ready = leases.take_ready();
        drop(leases);
        self.unlink(ready);
    }

    fn unlink(&self, ids: Vec<BlobId>) {
        for id in ids {
            // What stays is removed at the next start.
            if let Err(fault) = std::fs::remove_file(self.path(id)) {
                warn!(%fault, %id, "a file of a deleted object stays");
            }
        }
    }

    fn path(&self, id: BlobId) -> PathBuf {
        self.folder.join(id.to_string())
    }
}

impl Leases {
    /// Files that no open read can need.
    fn take_ready(&mut self) -> Vec<BlobId> {
        let oldest = self.open.first().copied().unwrap_or(u64::MAX);
        let (ready, rest) = self.unneeded.drain(..).partition(|(before, _)| *before <= oldest);
        self.unneeded = rest;
        let ready: Vec<(u64, BlobId)> = ready;
        ready.into_iter().map(|(_, id)| id).collect()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut leases = self.files.leases.lock().unwrap_or_else(PoisonError::into_inner);
        leases.open.remove(&self.number);
        let ready = leases.take_ready();
        drop(leases);
        self.files.unlink(ready);
    }
}

impl DraftFile {
    /// The file's id.
    pub(crate) fn id(&self) -> BlobId {
        self.id
    }

    /// Syncs the file and gives it its name. It is gone all the same unless [`DraftFile::keep`] follows.
    ///
    /// # Errors
    /// The disk's; `StorageFull` when too little of it is left.
    pub(crate) fn publish(&mut self, file: &File) -> io::Result<()> {
        file.sync_all()?;
        let disk = rustix::fs::fstatvfs(file)?;
        // A file system without a size does not tell how much is left.
        if disk.f_blocks > 0 && disk.f_bavail.saturating_mul(disk.f_frsize) < RESERVED_BYTES {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let name = self.files.path(self.id);
        if let Some(path) = &mut self.path {
            std::fs::rename(&*path, &name)?;
            *path = name;
        }
        sync_folder(&self.files.folder)
    }

    /// Keeps the file: a row is to name it.
    pub(crate) fn keep(mut self) -> BlobId {
        self.path = None;
        self.id
    }
}

impl Drop for DraftFile {
    fn drop(&mut self) {
        if let Some(path) = &self.path
            && let Err(fault) = std::fs::remove_file(path)
        {
            warn!(%fault, id = %self.id, "a file of an upload that failed stays until the next start");
        }
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn id(number: u8) -> BlobId {
        BlobId::from_random([number; 16])
    }

    fn stored(files: &Arc<ObjectFiles>, number: u8) -> BlobId {
        let (mut draft, mut file) = files.draft(id(number)).unwrap();
        file.write_all(&[number]).unwrap();
        draft.publish(&file).unwrap();
        draft.keep();
        id(number)
    }

    #[test]
    fn a_file_that_is_not_kept_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let files = Arc::new(ObjectFiles::open(folder.path().to_owned()).unwrap());
        drop(files.draft(id(1)).unwrap());
        let (mut draft, file) = files.draft(id(2)).unwrap();
        draft.publish(&file).unwrap();
        assert!(files.read(id(2)).is_ok());
        drop(draft);
        assert!(files.read(id(2)).is_err());
        assert_eq!(std::fs::read_dir(folder.path().join(DRAFTS)).unwrap().count(), 0);
    }

    #[test]
    fn files_stay_for_reads_that_began_before_they_were_removed() {
        let folder = tempfile::tempdir().unwrap();
        let files = Arc::new(ObjectFiles::open(folder.path().to_owned()).unwrap());
        let one = stored(&files, 1);
        let early = files.lease();
        files.remove(vec![one]);
        let late = files.lease();
        assert!(files.read(one).is_ok());
        drop(early);
        assert!(files.read(one).is_err(), "the later read cannot know it");
        let other = stored(&files, 2);
        files.remove(vec![other]);
        assert!(files.read(other).is_ok());
        drop(late);
        assert!(files.read(other).is_err());
    }

    #[test]
    fn a_start_removes_what_no_row_names() {
        let folder = tempfile::tempdir().unwrap();
        let files = Arc::new(ObjectFiles::open(folder.path().to_owned()).unwrap());
        let (named, lost) = (stored(&files, 1), stored(&files, 2));
        std::fs::write(folder.path().join(DRAFTS).join("half"), "x").unwrap();
        let again = ObjectFiles::open(folder.path().to_owned()).unwrap();
        again.sweep(&HashSet::from([named])).unwrap();
        assert!(again.read(named).is_ok());
        assert!(again.read(lost).is_err());
        assert!(!folder.path().join(DRAFTS).join("half").exists());
    }
}
