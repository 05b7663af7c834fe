//! Whether a file stayed as it was while it was read. What another program writes over it meanwhile gives rows of both
//! versions, or the beginning of one: such a reading is worth nothing, however whole it looks.

use std::{os::unix::fs::MetadataExt as _, path::Path, time::Duration};

/// How often a file is read that changes meanwhile: whoever saves a file has done so by then.
pub const READINGS: u32 = 3;
/// How long it is left alone before it is read again.
pub const PAUSE: Duration = Duration::from_secs(1);
/// The longest tick of the clock that files are stamped with: two writes within one leave the same time.
const TICK: Duration = Duration::from_millis(10);

/// Which version of a file it is, as far as its folder tells. It costs one question, not a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Volume and inode: another file may have come under the same name.
    file: (u64, u64),
    bytes: u64,
    /// When it was last written, in nanoseconds.
    written_ns: i128,
}

impl Version {
    /// Of a file; none if there is no such file.
    pub fn of(path: &Path) -> Option<Self> {
        let told = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let written_ns = i128::from(told.mtime()) * 1_000_000_000 + i128::from(told.mtime_nsec());
        Some(Self { file: (told.dev(), told.ino()), bytes: told.len(), written_ns })
    }

    /// How long to wait until another write of the file gets another time.
    pub fn unsettled(&self, now_ms: i64) -> Duration {
        let age_ns = i128::from(now_ms) * 1_000_000 - self.written_ns;
        let tick_ns = i128::try_from(TICK.as_nanos()).unwrap_or_default();
        // A clock of another machine may be ahead: nothing can be said then. Ours may be by the rest of a millisecond.
        let left = if age_ns < -tick_ns { 0 } else { (tick_ns - age_ns).max(0) };
        Duration::from_nanos(u64::try_from(left).unwrap_or_default())
    }
}

/// The version of a file that will be read, once another write would be seen.
pub async fn settled(path: &Path, now_ms: i64) -> Option<Version> {
    let version = Version::of(path)?;
    let left = version.unsettled(now_ms);
    if left.is_zero() {
        return Some(version);
    }
    tokio::time::sleep(left).await;
    Version::of(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_another_size_time_or_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, beside) = (folder.path().join("warga.csv"), folder.path().join("baru.csv"));
        assert_eq!((Version::of(&path), Version::of(folder.path())), (None, None));
        std::fs::write(&path, "satu").expect("writes");
        let first = Version::of(&path);
        let time = path.metadata().and_then(|told| told.modified()).expect("a time");
        assert!(first.is_some() && first == Version::of(&path));
        let stamped = |path: &Path, time| {
            let file = std::fs::File::options().append(true).open(path).expect("opens");
            file.set_modified(time).expect("stamps");
            Version::of(path)
        };
        std::fs::write(&path, "dua").expect("writes");
        assert_ne!(stamped(&path, time), first, "another size");
        std::fs::write(&path, "tiga").expect("writes");
        assert_ne!(stamped(&path, time + Duration::from_millis(4)), first, "another time");
        std::fs::write(&beside, "satu").expect("writes");
        std::fs::rename(&beside, &path).expect("renames");
        assert_ne!(stamped(&path, time), first, "another file");
    }

    #[test]
    fn a_file_written_just_now_is_waited_for() {
        let version = Version { file: (1, 2), bytes: 3, written_ns: 1_000_000_000 };
        assert_eq!(version.unsettled(1_004), Duration::from_millis(6));
        assert_eq!(version.unsettled(1_010), Duration::ZERO);
        assert_eq!(version.unsettled(900), Duration::ZERO, "a clock that is ahead");
    }
}
