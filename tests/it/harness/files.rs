//! What lies in a folder.

use std::path::{Path, PathBuf};

/// All files below a folder, at any depth; none when it is not there. Those that vanish meanwhile may be among them.
pub(crate) fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
}
