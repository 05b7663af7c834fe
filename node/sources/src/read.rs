//! Reading of files, row by row: delimited text, XLSX, XLS, ODS. Memory stays bounded whatever a file holds.

pub mod text;

mod biff;
mod error;
mod guard;
mod guarded;
mod merged;
mod ods;
mod parts;
mod workbook;
mod xml;

use std::{fs::File, io::Read as _, ops::ControlFlow, path::Path};

pub use error::ReadError;

use crate::cell::Row;

/// Columns of the widest table that is read. The questionnaire of Regsosek has 138.
pub const MAX_COLUMNS: usize = 512;
/// Bytes at the start of a file by which its kind is known.
const MAGIC_BYTES: u64 = 512;

/// Takes one row after the other, until it has had enough.
pub type Sink<'a> = dyn FnMut(Row) -> ControlFlow<()> + 'a;

/// What kind of file it is, by its first bytes: the ending of a name proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Delimited text.
    Text,
    /// Excel since 2007.
    Xlsx,
    /// Excel 97 to 2004.
    Xls,
    /// OpenDocument.
    Ods,
    /// A SQLite database.
    Sqlite,
}

/// Tells what kind of file this is.
pub fn format(path: &Path) -> Result<Format, ReadError> {
    let io = |cause| ReadError::Io { path: path.to_owned(), cause };
    let kind = path.metadata().map_err(io)?.file_type();
    if !kind.is_file() {
        let what = if kind.is_dir() { "folder" } else { "pipa atau perangkat" };
        return Err(ReadError::NotAFile { path: path.to_owned(), what });
    }
    let mut head = Vec::new();
    File::open(path).map_err(io)?.take(MAGIC_BYTES).read_to_end(&mut head).map_err(io)?;
    let kinds: [(&[u8], &'static str); 5] = [
        (b"%PDF", "dokumen PDF"),
        (b"\x1F\x8B", "arsip gzip"),
        (b"\xFF\xFE", "teks UTF-16"),
        (b"\xFE\xFF", "teks UTF-16"),
        (b"Rar!", "arsip RAR"),
    ];
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head).trim_ascii_start();
    if head.is_empty() {
        return Err(ReadError::Empty { path: path.to_owned() });
    }
    let not = |what| Err(ReadError::NotATable { path: path.to_owned(), what });
    if let Some((_, what)) = kinds.iter().find(|(magic, _)| head.starts_with(magic)) {
        return not(what);
    }
    if head.starts_with(b"SQLite format 3\0") {
        let bytes = path.metadata().map_err(io)?.len();
        return match sqlite_bytes(&head) {
            Some(whole) if bytes < whole => Err(ReadError::Cut { path: path.to_owned(), bytes, whole }),
            _ => Ok(Format::Sqlite),
        };
    }
    if head.starts_with(b"\xD0\xCF\x11\xE0") {
        return Ok(Format::Xls);
    }
    if head.starts_with(b"PK") {
        return guard::zip_kind(path);
    }
    if text.starts_with(b"<") {
        return not("halaman HTML atau XML (sering bernama .xls)");
    }
    if head.iter().all(|byte| *byte == 0) {
        return not("data nol (berkas rusak atau belum selesai disalin)");
    }
    if is_wide(&head) {
        return not("teks UTF-16");
    }
    Ok(Format::Text)
}

/// Bytes of a whole SQLite database, if its header says so: what is cut would be read as if it had no rows.
fn sqlite_bytes(head: &[u8]) -> Option<u64> {
    let four = |at: usize| head.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    let page = u16::from_be_bytes(head.get(16..18)?.try_into().ok()?);
    // Old programs leave the number of pages as it was.
    let holds = four(24)? == four(92)?;
    let page = match page {
        1 => 65_536,
        512..=32_768 if page.is_power_of_two() => u64::from(page),
        // Nothing that stands beside it is to be believed either.
        _ => return None,
    };
    holds.then_some(u64::from(four(28)?) * page)
}

/// Whether letters take two bytes or four, although nothing says so: of a heading every other byte is 0.
fn is_wide(head: &[u8]) -> bool {
    let zeros = |from: usize| head.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (most, least) = (zeros(0).max(zeros(1)), zeros(0).min(zeros(1)));
    head.len() >= 16 && most >= head.len() * 2 / 5 && least <= head.len() / 3
}

/// Reads a file from its first row to its last, or until the sink has had enough.
pub fn read(path: &Path, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let sink: &mut Sink<'_> = &mut |row| sink(row.bounded());
    match format(path)? {
        Format::Text => text::read(path, sink),
        Format::Xlsx => whatever_comes(path, sink, workbook::xlsx),
        Format::Xls => whatever_comes(path, sink, workbook::xls),
        Format::Ods => ods::read(path, sink),
        Format::Sqlite => Err(ReadError::NotATable { path: path.to_owned(), what: "basis data SQLite" }),
    }
}

/// Reads with the library that panics on some damaged workbooks.
fn whatever_comes(
    path: &Path,
    sink: &mut Sink<'_>,
    read: fn(&Path, &mut Sink<'_>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let read = guarded::guarded(sink, |sink| read(path, sink));
    read.unwrap_or_else(|| Err(guard::damaged(path, &"susunan di dalamnya tidak dapat diikuti")))
}
