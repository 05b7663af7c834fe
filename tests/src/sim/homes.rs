//! Folders on the simulated disks. A home that comes back from a copy is a new folder: whoever still closes the old
//! database does not touch the files of the new one.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// All homes of a simulation.
#[derive(Debug, Clone)]
pub(super) struct Homes {
    folder: PathBuf,
    made: Arc<AtomicU64>,
}

impl Homes {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), made: Arc::default() }
    }

    /// Where a computer's home is in the beginning.
    pub(super) fn first(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A copy of a home under a new name. The process may run: nothing is being written between two steps of the
    /// simulation, and what is only in the log beside the database is copied with it.
    pub(super) fn copy(&self, of: &Path) -> io::Result<PathBuf> {
        let name = of.file_stem().unwrap_or_default();
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.join(name).with_extension(number.to_string());
        copy_folder(of, &path)?;
        Ok(path)
    }
}

/// Keys of one home in the place of another's, if it has any: a home whose disk was emptied may have none yet.
pub(super) fn keep_keys(from: &Path, to: &Path) -> io::Result<()> {
    if !from.join("keys/signing.pem").is_file() {
        return Ok(());
    }
    let keys = to.join("keys");
    fs::remove_dir_all(&keys)?;
    copy_folder(&from.join("keys"), &keys)
}

/// Copies a folder with everything in it but what SQLite makes again and locks.
pub(super) fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let path = entry.path();
        let made_again =
            path.extension().is_some_and(|e| e == "lock") || path.to_string_lossy().ends_with("-shm");
        if entry.file_type()?.is_dir() {
            copy_folder(&path, &target)?;
        } else if !made_again {
            fs::copy(path, target)?;
        }
    }
    Ok(())
}
