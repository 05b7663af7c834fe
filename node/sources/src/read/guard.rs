//! What a workbook would become in memory, before anything of it is kept: zip bombs end here.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    ops::ControlFlow,
    path::Path,
};

use zip::{ZipArchive, result::ZipError};

use super::{
    Format, ReadError, biff,
    xml::{self, MAX_STRETCH_BYTES, Piece, Stop},
};

/// Bytes of the parts of an XLSX that are kept whole: texts, styles, the list of sheets.
pub(super) const MAX_KEPT_BYTES: u64 = 96 * MEGABYTE;
/// Bytes of all sheets of a workbook, inflated. They are streamed: this bounds the time.
pub(super) const MAX_SHEETS_BYTES: u64 = 4_096 * MEGABYTE;
/// Parts of a workbook.
const MAX_PARTS: usize = 10_000;
pub(super) const MEGABYTE: u64 = 1024 * 1024;

pub(super) fn open(path: &Path) -> Result<ZipArchive<BufReader<File>>, ReadError> {
    let io = |cause| ReadError::Io { path: path.to_owned(), cause };
    let file = File::open(path).map_err(io)?;
    let archive = ZipArchive::new(BufReader::new(file)).map_err(|cause| of_archive(path, &cause))?;
    if archive.len() > MAX_PARTS {
        return Err(damaged(path, &format!("{} bagian", archive.len())));
    }
    Ok(archive)
}

/// What an archive cannot be read for.
pub(super) fn of_archive(path: &Path, cause: &ZipError) -> ReadError {
    match cause {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => {
            ReadError::Locked { path: path.to_owned() }
        }
        cause => damaged(path, cause),
    }
}

pub(super) fn damaged(path: &Path, cause: &dyn std::fmt::Display) -> ReadError {
    ReadError::Damaged { path: path.to_owned(), cause: cause.to_string() }
}

/// Refuses a workbook since 2007 that is encrypted: it stands in a container as those before 2007 do.
pub(super) fn unlocked(path: &Path) -> Result<(), ReadError> {
    // The names of a container's parts, in UTF-16.
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let io = |cause| ReadError::Io { path: path.to_owned(), cause };
    let mut file = BufReader::new(File::open(path).map_err(io)?);
    let mut last = Vec::new();
    loop {
        let bytes = file.fill_buf().map_err(io)?;
        if bytes.is_empty() {
            return Ok(());
        }
        last.extend_from_slice(bytes);
        let read = bytes.len();
        file.consume(read);
        if last.windows(name.len()).any(|part| part == name) {
            return Err(ReadError::Locked { path: path.to_owned() });
        }
        last.drain(..last.len().saturating_sub(name.len()));
    }
}

/// Whether this archive is an XLSX or an ODS.
pub(super) fn zip_kind(path: &Path) -> Result<Format, ReadError> {
    let archive = open(path)?;
    let has = |name: &str| archive.file_names().flatten().any(|found| found.eq_ignore_ascii_case(name));
    if has("xl/workbook.xml") {
        Ok(Format::Xlsx)
    } else if has("encrypted-package") {
        Err(ReadError::Locked { path: path.to_owned() })
    } else if has("content.xml") {
        of_document(path, archive)
    } else {
        let what = if has("xl/workbook.bin") { "buku kerja Excel biner (.xlsb)" } else { "arsip ZIP" };
        Err(ReadError::NotATable { path: path.to_owned(), what })
    }
}

/// Whether what is written as OpenDocument is a workbook, and no letter.
fn of_document(path: &Path, mut archive: ZipArchive<BufReader<File>>) -> Result<Format, ReadError> {
    let mut kind = String::new();
    if let Ok(part) = archive.by_name("mimetype") {
        // What is no text says nothing.
        let _ = part.take(128).read_to_string(&mut kind);
    }
    if kind.is_empty() || kind.contains("spreadsheet") {
        return Ok(Format::Ods);
    }
    Err(ReadError::NotATable { path: path.to_owned(), what: "dokumen OpenDocument tanpa lembar kerja" })
}

/// Reads the part that holds all of an ODS, piece by piece.
pub(super) fn ods(path: &Path, each: impl FnMut(Piece<'_>) -> ControlFlow<()>) -> Result<(), ReadError> {
    let mut archive = open(path)?;
    let mut locked = false;
    if let Ok(part) = archive.by_name("META-INF/manifest.xml") {
        // What is wrong in it is no matter.
        let _ = xml::read(BufReader::new(part), MAX_KEPT_BYTES, |piece| {
            locked |=
                matches!(piece, Piece::Start(start) if start.local_name().as_ref() == "encryption-data");
            ControlFlow::Continue(())
        });
    }
    if locked {
        return Err(ReadError::Locked { path: path.to_owned() });
    }
    let part = archive.by_name("content.xml").map_err(|cause| of_archive(path, &cause))?;
    xml::read(BufReader::new(part), MAX_SHEETS_BYTES, each).map_err(|stop| match stop {
        Stop::Damaged(_, cause) => damaged(path, &cause),
        stop => too_long(path, &stop, "isi lembar", MAX_SHEETS_BYTES),
    })?;
    Ok(())
}

/// Looks at the cells of an XLS, which has no more bytes than `most`.
pub(super) fn xls(path: &Path, most: u64) -> Result<(), ReadError> {
    file_size(path, "buku kerja .xls", most)?;
    let file = std::fs::read(path).map_err(|cause| ReadError::Io { path: path.to_owned(), cause })?;
    biff::check(&file).map_err(|stop| match stop {
        biff::Stop::Chain => damaged(path, &"sektornya tidak dapat diikuti"),
        biff::Stop::Overlap => damaged(path, &"lembarnya saling menumpuk"),
        biff::Stop::Cells(cells) => damaged(path, &format!("{cells} sel")),
        biff::Stop::Bytes(bytes, most) => too_large(path, "isi buku kerja .xls di memori", bytes, most),
    })
}

/// Refuses a part that is too long, or has too long a piece.
pub(super) fn too_long(path: &Path, stop: &Stop, what: &'static str, most: u64) -> ReadError {
    match stop {
        Stop::Stretch => too_large(path, "satu baris atau isian", MAX_STRETCH_BYTES, MAX_STRETCH_BYTES),
        _ => too_large(path, what, most, most),
    }
}

/// Refuses a file that is too large as it lies on the disk.
fn file_size(path: &Path, what: &'static str, most: u64) -> Result<(), ReadError> {
    let io = |cause| ReadError::Io { path: path.to_owned(), cause };
    limit(path, what, std::fs::metadata(path).map_err(io)?.len(), most)
}

fn limit(path: &Path, what: &'static str, bytes: u64, most: u64) -> Result<(), ReadError> {
    if bytes <= most { Ok(()) } else { Err(too_large(path, what, bytes, most)) }
}

fn too_large(path: &Path, what: &'static str, bytes: u64, most: u64) -> ReadError {
    let (megabytes, limit) = (bytes / MEGABYTE, most / MEGABYTE);
    ReadError::TooLarge { path: path.to_owned(), what, megabytes, limit }
}
