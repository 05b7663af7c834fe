//! What a disk may hold after a power cut. Pure: operations and a seed in, files out.
//!
//! The disk is one like ext4 in its default mode, made harsher where that costs nothing: what was flushed is there; of
//! what was written since, any sectors may be there or not, in any order; a file's length may have grown without its
//! bytes. Names (made, renamed, removed) reach the disk in their order, up to any point, and at the latest when their
//! file or folder is flushed. Not modelled: sectors half written, a disk that lies about a flush, folders that
//! vanish (all of them are made before a trace begins).

use std::{
    collections::{BTreeMap, VecDeque},
    path::{Path, PathBuf},
};

use rand::{Rng, RngExt as _};

use super::trace::{Event, What, is_index};

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// A change that is not certain to survive.
#[derive(Debug, Clone)]
enum Change {
    Write { offset: usize, data: Vec<u8> },
    Truncate(usize),
}

#[derive(Debug, Clone)]
struct Pending {
    /// Line at which its call ended: only a flush that began later covers it.
    ended: usize,
    change: Change,
}

/// A file, whatever its names.
#[derive(Debug, Default, Clone)]
struct Inode {
    flushed: Vec<u8>,
    pending: VecDeque<Pending>,
    /// As programs see it.
    length: usize,
    /// Where the next write without an offset goes: a file has one such writer at a time.
    cursor: usize,
}

#[derive(Debug, Clone)]
enum Name {
    Made(PathBuf, usize),
    Renamed(PathBuf, PathBuf),
    Removed(PathBuf),
}

impl Name {
    fn is_in(&self, folder: &Path) -> bool {
        match self {
            Self::Made(path, _) | Self::Removed(path) => path.parent() == Some(folder),
            Self::Renamed(from, to) => [from, to].iter().any(|path| path.parent() == Some(folder)),
        }
    }

    fn apply(self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Made(path, inode) => {
                names.insert(path, inode);
            }
            Self::Renamed(from, to) => {
                if let Some(inode) = names.remove(&from) {
                    names.insert(to, inode);
                }
            }
            Self::Removed(path) => {
                names.remove(&path);
            }
        }
    }
}

/// How much of what was not flushed is there.
#[derive(Debug, Clone, Copy)]
enum Style {
    Nothing,
    Everything,
    /// The first ones.
    Prefix,
    /// The first ones, and of the next one some sectors.
    Torn,
    /// Any sectors.
    Sectors,
}

const STYLES: [Style; 5] = [Style::Nothing, Style::Everything, Style::Prefix, Style::Torn, Style::Sectors];

/// A disk at work.
#[derive(Debug, Default)]
pub struct Disk {
    inodes: Vec<Inode>,
    seen: BTreeMap<PathBuf, usize>,
    flushed: BTreeMap<PathBuf, usize>,
    journal: VecDeque<Name>,
    deaf_to: Option<&'static str>,
}

impl Disk {
    /// An empty disk. Flushes of files whose names end so do nothing: the control.
    pub fn deaf_to(end: Option<&'static str>) -> Self {
        Self { deaf_to: end, ..Self::default() }
    }

    /// A file that was there, flushed, when the trace began.
    pub fn put(&mut self, path: PathBuf, bytes: Vec<u8>) {
        let length = bytes.len();
        self.inodes.push(Inode { flushed: bytes, length, ..Inode::default() });
        let inode = self.inodes.len() - 1;
        self.seen.insert(path.clone(), inode);
        self.flushed.insert(path, inode);
    }

    /// Takes the next event.
    pub fn apply(&mut self, event: &Event) {
        match &event.what {
            What::Open { path, create, truncate, append } => {
                let Some(inode) = self.seen.get(path).copied().or_else(|| create.then(|| self.make(path)))
                else {
                    return;
                };
                self.inodes[inode].cursor = if *append { self.inodes[inode].length } else { 0 };
                if *truncate && self.inodes[inode].length > 0 {
                    self.change(inode, event.ended, Change::Truncate(0));
                }
            }
            What::Write { path, offset, data } => {
                let Some(inode) = self.seen.get(path).copied() else { return };
                let end = self.inodes[inode].cursor;
                let offset = offset.map_or(end, |offset| usize::try_from(offset).expect("a short file"));
                self.inodes[inode].cursor = offset + data.len();
                self.change(inode, event.ended, Change::Write { offset, data: data.clone() });
            }
            What::Truncate { path, length, grow_only } => {
                let Some(inode) = self.seen.get(path).copied() else { return };
                let length = usize::try_from(*length).expect("a short file");
                if !grow_only || length > self.inodes[inode].length {
                    self.change(inode, event.ended, Change::Truncate(length));
                }
            }
            What::Sync(path) => self.sync(path, event.began),
            What::SyncFailed(path) => {
                if let Some(inode) = self.seen.get(path) {
                    self.inodes[*inode].pending.retain(|pending| pending.ended >= event.began);
                }
            }
            What::Rename(from, to) => self.name(Name::Renamed(from.clone(), to.clone())),
            What::Unlink(path) => self.name(Name::Removed(path.clone())),
            What::Failed(_) | What::Sent(..) | What::Received(..) => {}
        }
    }

    fn make(&mut self, path: &Path) -> usize {
        self.inodes.push(Inode::default());
        let inode = self.inodes.len() - 1;
        self.name(Name::Made(path.to_owned(), inode));
        inode
    }

    fn name(&mut self, name: Name) {
        name.clone().apply(&mut self.seen);
        self.journal.push_back(name);
    }

    fn change(&mut self, inode: usize, ended: usize, change: Change) {
        let inode = &mut self.inodes[inode];
        inode.length = match &change {
            Change::Write { offset, data } => inode.length.max(offset + data.len()),
            Change::Truncate(length) => *length,
        };
        inode.pending.push_back(Pending { ended, change });
    }

    fn sync(&mut self, path: &Path, began: usize) {
        if self.deaf_to.is_some_and(|end| path.to_string_lossy().ends_with(end)) {
            return;
        }
        let inode = self.seen.get(path).copied();
        if let Some(inode) = inode {
            let inode = &mut self.inodes[inode];
            let (covered, left) =
                std::mem::take(&mut inode.pending).into_iter().partition(|p| p.ended < began);
            inode.pending = left;
            let covered: VecDeque<Pending> = covered;
            for pending in covered {
                write(&mut inode.flushed, &pending.change);
            }
        }
        let concerns = |name: &Name| match name {
            Name::Made(_, made) => inode == Some(*made) || (inode.is_none() && name.is_in(path)),
            Name::Renamed(_, to) if inode.is_some() => to == path,
            Name::Renamed(..) | Name::Removed(_) => inode.is_none() && name.is_in(path),
        };
        let upto = self.journal.iter().rposition(concerns).map_or(0, |at| at + 1);
        for name in self.journal.drain(..upto) {
            name.apply(&mut self.flushed);
        }
    }

    /// What is there after a cut now.
    pub fn after_cut(&self, rng: &mut impl Rng) -> Vec<(PathBuf, Vec<u8>)> {
        let mut names = self.flushed.clone();
        let upto = rng.random_range(0..=self.journal.len());
        self.journal.iter().take(upto).for_each(|name| name.clone().apply(&mut names));
        let mut files = Vec::new();
        for (path, inode) in names {
            let bytes = if is_index(&path) { garbage(rng) } else { Some(self.inodes[inode].after_cut(rng)) };
            files.extend(bytes.map(|bytes| (path, bytes)));
        }
        files
    }
}

/// What is found where the log's index was: nothing, or anything.
fn garbage(rng: &mut impl Rng) -> Option<Vec<u8>> {
    const INDEX: usize = 32 * 1024;
    let mut bytes = vec![0; INDEX];
    match rng.random_range(0..3) {
        0 => return None,
        1 => rng.fill_bytes(&mut bytes),
        _ => {}
    }
    Some(bytes)
}

impl Inode {
    fn after_cut(&self, rng: &mut impl Rng) -> Vec<u8> {
        let mut bytes = self.flushed.clone();
        if self.pending.is_empty() {
            return bytes;
        }
        let style = STYLES[rng.random_range(0..STYLES.len())];
        let whole = match style {
            Style::Nothing | Style::Sectors => 0,
            Style::Everything => self.pending.len(),
            Style::Prefix | Style::Torn => rng.random_range(0..=self.pending.len()),
        };
        self.pending.iter().take(whole).for_each(|pending| write(&mut bytes, &pending.change));
        let sectors = match style {
            Style::Sectors => self.pending.len(),
            Style::Torn => 1,
            _ => 0,
        };
        for pending in self.pending.iter().skip(whole).take(sectors) {
            match &pending.change {
                Change::Truncate(_) if rng.random() => write(&mut bytes, &pending.change),
                Change::Truncate(_) => {}
                Change::Write { offset, data } => some_sectors(&mut bytes, *offset, data, rng),
            }
        }
        bytes
    }
}

/// Writes some sectors of a write; sectors are where the file has them, not where the write begins.
fn some_sectors(bytes: &mut Vec<u8>, offset: usize, data: &[u8], rng: &mut impl Rng) {
    let mut from = 0;
    while from < data.len() {
        let to = data.len().min(from + SECTOR - (offset + from) % SECTOR);
        if rng.random() {
            place(bytes, offset + from, &data[from..to]);
        }
        from = to;
    }
}

fn write(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { offset, data } => place(bytes, *offset, data),
        Change::Truncate(length) => bytes.resize(*length, 0),
    }
}

fn place(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(data);
}

#[cfg(test)]
mod tests;
