//! What a trace says about files and sockets, in order. Pure. A call that changes files in a way that is not modelled
//! is an error, never left out.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use super::line::{self, Call};

/// Calls that strace records: all that change files, all that carry bytes over sockets.
pub const CALLS: &str = "openat,open,creat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,\
fdatasync,sync_file_range,msync,sync,syncfs,rename,renameat,renameat2,link,linkat,symlinkat,unlink,unlinkat,mkdir,\
mkdirat,rmdir,mmap,copy_file_range,sendfile,splice,io_uring_setup,lseek,sendto,sendmsg,recvfrom,recvmsg,read,readv";

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A file was opened for writing.
    Open {
        /// Which.
        path: PathBuf,
        /// Made if it is not there.
        create: bool,
        /// Emptied.
        truncate: bool,
        /// Every write goes to its end.
        append: bool,
    },
    /// Bytes came into a file; without an offset, after what the same file's last such call wrote.
    Write {
        /// Which.
        path: PathBuf,
        /// Where.
        offset: Option<u64>,
        /// What.
        data: Vec<u8>,
    },
    /// A file got another length.
    Truncate {
        /// Which.
        path: PathBuf,
        /// Its length.
        length: u64,
        /// Only if it is shorter.
        grow_only: bool,
    },
    /// A file or folder was flushed to disk.
    Sync(PathBuf),
    /// A flush failed. What it should have flushed is then in memory as if it were on the disk, and never comes there.
    SyncFailed(PathBuf),
    /// A change failed and did nothing.
    Failed(PathBuf),
    /// A name changed.
    Rename(PathBuf, PathBuf),
    /// A name went.
    Unlink(PathBuf),
    /// Bytes went out over a connection.
    Sent(Link, u64),
    /// Bytes came in over a connection.
    Received(Link, u64),
}

/// A connection as one end sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Link {
    /// Own address.
    pub from: String,
    /// The peer's.
    pub to: String,
}

impl Link {
    /// As the other end sees it.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self { from: self.to.clone(), to: self.from.clone() }
    }
}

/// Something that happened, with its place in the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Line at which it may have its effect: the first one for what changes, the last one for what is promised.
    pub at: usize,
    /// Line at which the call began.
    pub began: usize,
    /// Line at which it ended.
    pub ended: usize,
    /// What.
    pub what: What,
}

/// Everything below `folder`, and everything over TCP, in order.
pub fn events(text: &str, folder: &Path) -> anyhow::Result<Vec<Event>> {
    let mut events = Vec::new();
    for call in line::calls(text)? {
        let context = || format!("line {}: {}", call.ended, call.name);
        let what = if call.result < 0 { failed(&call, folder) } else { event(&call, folder) };
        let Some(what) = what.with_context(context)? else { continue };
        let promised = matches!(what, What::Sync(_) | What::SyncFailed(_) | What::Received(..));
        let at = if promised { call.ended } else { call.began };
        events.push(Event { at, began: call.began, ended: call.ended, what });
    }
    events.sort_by_key(|event| event.at);
    Ok(events)
}

/// A failed call on an open file. Others change nothing, and nobody was told that they did.
fn failed(call: &Call, folder: &Path) -> anyhow::Result<Option<What>> {
    let flush = matches!(call.name.as_str(), "fsync" | "fdatasync");
    if !flush && !matches!(call.name.as_str(), "write" | "writev" | "pwrite64" | "ftruncate" | "fallocate") {
        return Ok(None);
    }
    let path = of(call)?.filter(|path| path.starts_with(folder));
    Ok(path.map(if flush { What::SyncFailed } else { What::Failed }))
}

fn argument(call: &Call, at: usize) -> anyhow::Result<&str> {
    call.arguments.get(at).map(String::as_str).with_context(|| format!("argument {at}"))
}

fn number(call: &Call, at: usize) -> anyhow::Result<u64> {
    Ok(argument(call, at)?.parse()?)
}

/// The path that a folder's descriptor and a name make.
fn named(call: &Call, folder: usize, name: usize) -> anyhow::Result<PathBuf> {
    let name = String::from_utf8(line::bytes(argument(call, name)?)?)?;
    let base = line::annotation(argument(call, folder)?)?;
    Ok(Path::new(&base.unwrap_or_default()).join(name))
}

/// What the descriptor in the first argument is of.
fn of(call: &Call) -> anyhow::Result<Option<PathBuf>> {
    let argument = argument(call, 0)?;
    // A file without a name is on no disk after a cut.
    Ok(if argument.ends_with("(deleted)") { None } else { line::annotation(argument)?.map(PathBuf::from) })
}

fn link(call: &Call) -> anyhow::Result<Option<Link>> {
    let of = line::annotation(argument(call, 0)?)?;
    let ends = of.as_deref().and_then(|of| of.strip_prefix("TCP:[")?.strip_suffix(']')?.split_once("->"));
    Ok(ends.map(|(from, to)| Link { from: from.into(), to: to.into() }))
}

fn written(call: &Call) -> anyhow::Result<Vec<u8>> {
    let mut data = line::bytes(argument(call, 1)?)?;
    let length = usize::try_from(call.result)?;
    ensure!(data.len() >= length, "strace shows {} bytes of {length}", data.len());
    data.truncate(length);
    Ok(data)
}

fn event(call: &Call, folder: &Path) -> anyhow::Result<Option<What>> {
    let bytes = u64::try_from(call.result)?;
    match call.name.as_str() {
        "sendto" | "sendmsg" | "recvfrom" | "recvmsg" | "read" | "readv" | "write" | "writev" => {
            if let Some(link) = link(call)? {
                let out = matches!(call.name.as_str(), "sendto" | "sendmsg" | "write" | "writev");
                return Ok(Some(if out { What::Sent(link, bytes) } else { What::Received(link, bytes) }));
            }
            if !call.name.starts_with("write") {
                return Ok(None);
            }
        }
        _ => {}
    }
    let path = match call.name.as_str() {
        "rename" | "unlink" | "mkdir" | "rmdir" | "link" | "truncate" | "open" | "creat" => {
            Some(PathBuf::from(String::from_utf8(line::bytes(argument(call, 0)?)?)?))
        }
        "openat" | "renameat" | "renameat2" | "unlinkat" | "mkdirat" | "linkat" => Some(named(call, 0, 1)?),
        "mmap" => {
            let of = line::annotation(argument(call, 4)?)?;
            of.map(PathBuf::from).filter(|_| call.arguments[3].contains("MAP_SHARED"))
        }
        "sync" | "syncfs" | "io_uring_setup" => bail!("is not modelled"),
        _ => of(call)?,
    };
    match path {
        Some(path) if path.starts_with(folder) => on_file(call, path),
        _ => Ok(None),
    }
}

fn on_file(call: &Call, path: PathBuf) -> anyhow::Result<Option<What>> {
    let has = |at: usize, flag: &str| call.arguments.get(at).is_some_and(|flags| flags.contains(flag));
    Ok(match call.name.as_str() {
        "openat" if has(2, "O_RDONLY") => None,
        "openat" => {
            ensure!(!has(2, "O_TMPFILE") && !has(2, "O_DIRECT"), "flags are not modelled");
            Some(What::Open {
                path,
                create: has(2, "O_CREAT"),
                truncate: has(2, "O_TRUNC"),
                append: has(2, "O_APPEND"),
            })
        }
        "write" | "writev" => Some(What::Write { path, offset: None, data: written(call)? }),
        "pwrite64" | "pwritev" => {
            Some(What::Write { path, offset: Some(number(call, 3)?), data: written(call)? })
        }
        "ftruncate" => Some(What::Truncate { path, length: number(call, 1)?, grow_only: false }),
        "fallocate" => {
            ensure!(call.arguments[1] == "0", "a mode of fallocate is not modelled");
            let length = number(call, 2)? + number(call, 3)?;
            Some(What::Truncate { path, length, grow_only: true })
        }
        "fsync" | "fdatasync" => Some(What::Sync(path)),
        "rename" => {
            let to = String::from_utf8(line::bytes(argument(call, 1)?)?)?;
            Some(What::Rename(path, PathBuf::from(to)))
        }
        "renameat" | "renameat2" => Some(What::Rename(path, named(call, 2, 3)?)),
        "unlink" | "unlinkat" => Some(What::Unlink(path)),
        // A mapping that writes goes past the trace. SQLite's index of its log is one, and is made anew after a cut.
        "mmap" => {
            let harmless = has(2, "PROT_READ") && !has(2, "PROT_WRITE");
            ensure!(harmless || is_index(&path), "{} is mapped for writing", path.display());
            None
        }
        // Only its result would matter, for the next write without an offset.
        "lseek" | "read" | "readv" => None,
        _ => bail!("{} on {} is not modelled", call.name, path.display()),
    })
}

/// Whether a file is SQLite's index of the log ahead of it: shared memory, never trusted after a crash.
pub fn is_index(path: &Path) -> bool {
    path.to_string_lossy().ends_with("-shm")
}
