//! Private files, written whole or not at all.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// A file operation that failed, with its file. Operators read it: what the system said is told in their language.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {path} gagal: {}", reason(.cause))]
pub struct FileError {
    operation: &'static str,
    path: PathBuf,
    cause: io::Error,
}

/// What the system said, and what to do.
pub fn reason(cause: &io::Error) -> String {
    let text = match cause.kind() {
        io::ErrorKind::NotFound => "berkas atau folder itu tidak ada; periksa nama dan foldernya",
        io::ErrorKind::PermissionDenied => "tidak diizinkan; periksa pemilik dan izinnya",
        io::ErrorKind::IsADirectory => "itu folder, bukan berkas; sebut berkasnya",
        io::ErrorKind::NotADirectory => {
            "bagian namanya yang seharusnya folder adalah berkas; periksa namanya"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "cakram penuh; kosongkan lalu ulangi",
        io::ErrorKind::ReadOnlyFilesystem => "cakram hanya dapat dibaca; periksa pemasangannya",
        io::ErrorKind::AddrInUse => "alamat sudah dipakai proses lain; hentikan dulu atau pilih yang lain",
        io::ErrorKind::AddrNotAvailable => "bukan alamat komputer ini; pilih yang lain",
        _ => return format!("kesalahan sistem ({cause}); periksa cakram dan ulangi"),
    };
    text.to_owned()
}

fn at(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |cause| FileError { operation, path, cause }
}

/// Makes a folder that only its owner can read; an existing one is left as it is.
pub fn private_folder(path: &Path) -> Result<(), FileError> {
    if path.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(at("membuat folder", path))
}

/// Writes a file that only its owner can read: beside it, flushed to disk, then renamed over it.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)
        .map_err(at("membuat", &temporary))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).map_err(at("menulis", &temporary));
    let written = written.and_then(|()| fs::rename(&temporary, path).map_err(at("mengganti", path)));
    if written.is_err() {
        // Half a file may hold somebody's data, and takes the room that was lacking.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|f| f.sync_all()).map_err(at("menyimpan folder", folder))
}

/// Reads a file.
pub fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(at("membaca", path))
}

/// Removes a file. One that is not there is gone already.
pub fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(at("menghapus", path)(cause)),
        _ => Ok(()),
    }
}

/// A lock on a home folder, held for as long as the process lives.
#[derive(Debug)]
pub struct HomeLock(#[expect(dead_code, reason = "held, not read")] File);

/// Takes a lock of a home folder; `None` if another process holds it.
pub fn lock_home(home: &Path, name: &str) -> Result<Option<HomeLock>, FileError> {
    let path = home.join(name);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(at("membuka", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(HomeLock(file))),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(e)) => Err(at("mengunci", &path)(e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("temuan.xlsx");
        write_private(&path, b"satu").expect("writes");
        assert_eq!(fs::read(&path).expect("reads"), b"satu");
        fs::create_dir(folder.path().join("irisan.csv")).expect("a folder");
        assert!(
            write_private(&folder.path().join("irisan.csv"), b"dua").is_err(),
            "a folder is in its place"
        );
        let mut left: Vec<_> =
            fs::read_dir(&folder).expect("reads").flatten().map(|entry| entry.file_name()).collect();
        left.sort();
        assert_eq!(left, ["irisan.csv", "temuan.xlsx"]);
    }

    #[test]
    fn what_cannot_be_removed_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lokal.toml");
        fs::write(&path, "").expect("writes");
        assert!(remove(&path).is_ok() && remove(&path).is_ok() && !path.exists());
        assert!(remove(folder.path()).expect_err("no file").to_string().contains("menghapus"));
    }
}
