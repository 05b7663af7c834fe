//! What a workbook would become in memory, before anything of it is kept: zip bombs end here.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read},
    path::Path,
};

use zip::ZipArchive;

use super::{
    Format, ReadError, biff,
    spans::Spans,
    xml::{self, MAX_STRETCH_BYTES, Stop, Tag},
};

/// Bytes of the parts of an XLSX that are kept whole: texts, styles, the list of sheets.
pub(super) const MAX_KEPT_BYTES: u64 = 96 * MEGABYTE;
/// Bytes of the one part that holds all of an ODS. Its cells take about twice as much.
const MAX_ODS_BYTES: u64 = 64 * MEGABYTE;
/// Cells that an ODS may repeat without writing them.
const MAX_REPEATED: u64 = 4_000_000;
/// Bytes of all sheets of an XLSX, inflated. They are streamed: this bounds the time.
const MAX_SHEETS_BYTES: u64 = 4_096 * MEGABYTE;
/// Texts in the list of an XLSX: with what keeps them, each takes at least 56 bytes.
const MAX_TEXTS: u64 = 3_000_000;
/// Folders of parts that are streamed or not read at all. What is kept must not stand there.
const STREAMED: [&str; 4] = ["worksheets/", "media/", "drawings/", "embeddings/"];
/// First elements of parts that are kept.
const KEPT: [&str; 3] = ["sst", "styleSheet", "workbook"];
/// Parts of a workbook.
const MAX_PARTS: usize = 10_000;
pub(super) const MEGABYTE: u64 = 1024 * 1024;

fn open(path: &Path) -> Result<ZipArchive<BufReader<File>>, ReadError> {
    let io = |cause| ReadError::Io { path: path.to_owned(), cause };
    let file = File::open(path).map_err(io)?;
    let archive = ZipArchive::new(BufReader::new(file)).map_err(|cause| damaged(path, &cause))?;
    if archive.len() > MAX_PARTS {
        return Err(damaged(path, &format!("{} bagian", archive.len())));
    }
    Ok(archive)
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
    } else if has("content.xml") {
        Ok(Format::Ods)
    } else {
        let what = if has("xl/workbook.bin") { "buku kerja Excel biner (.xlsb)" } else { "arsip ZIP" };
        Err(ReadError::NotATable { path: path.to_owned(), what })
    }
}

/// Inflates all parts without keeping them; what an archive claims of its sizes proves nothing.
pub(super) fn xlsx(path: &Path) -> Result<(), ReadError> {
    let mut archive = open(path)?;
    let (mut kept, mut sheets, mut texts, mut claimed) = (0, 0, 0_u64, 0_u64);
    for at in 0..archive.len() {
        let part = archive.by_index(at).map_err(|cause| damaged(path, &cause))?;
        let name = part.name().map_err(|cause| damaged(path, &cause))?.to_ascii_lowercase();
        let streamed = STREAMED.iter().any(|folder| name.contains(folder));
        let (what, bytes, most) = if streamed {
            ("isi lembar", &mut sheets, MAX_SHEETS_BYTES)
        } else {
            ("teks di dalam buku kerja", &mut kept, MAX_KEPT_BYTES)
        };
        let mut astray = false;
        *bytes += part_of(path, part, what, most - *bytes, |tag| {
            let Tag::Start(start) = tag else { return };
            let name = start.local_name();
            astray |= streamed && KEPT.contains(&name.as_ref());
            texts += u64::from(name.as_ref() == "si");
            // The library makes room for as many as the list claims.
            if name.as_ref() == "sst" {
                claimed = claimed.max(xml::number(start, "uniqueCount").unwrap_or(0));
            }
        })?;
        if astray {
            return Err(damaged(path, &"bagian di tempat yang salah"));
        }
        if texts.max(claimed) > MAX_TEXTS {
            return Err(damaged(path, &format!("{} teks, batasnya {MAX_TEXTS}", texts.max(claimed))));
        }
    }
    Ok(())
}

/// Inflates the content of an ODS without keeping it, counts the cells that it would repeat, and finds its merges.
pub(super) fn ods(path: &Path) -> Result<Spans, ReadError> {
    let mut archive = open(path)?;
    let part = archive.by_name("content.xml").map_err(|cause| damaged(path, &cause))?;
    let mut spans = Spans::default();
    part_of(path, part, "buku kerja ODS", MAX_ODS_BYTES, |tag| spans.tag(&tag))?;
    if spans.repeated() > MAX_REPEATED {
        return Err(damaged(path, &format!("{} sel yang diulang", spans.repeated())));
    }
    Ok(spans)
}

/// Looks at the cells of an XLS, which has no more bytes than `most`.
pub(super) fn xls(path: &Path, most: u64) -> Result<(), ReadError> {
    file_size(path, "buku kerja .xls", most)?;
    let file = std::fs::read(path).map_err(|cause| ReadError::Io { path: path.to_owned(), cause })?;
    biff::check(&file).map_err(|stop| match stop {
        biff::Stop::Chain => damaged(path, &"sektornya tidak dapat diikuti"),
        biff::Stop::Cells(cells) => damaged(path, &format!("{cells} sel")),
    })
}

/// Reads a part, and gives its length.
fn part_of(
    path: &Path,
    part: impl Read,
    what: &'static str,
    most: u64,
    tag: impl FnMut(Tag<'_>),
) -> Result<u64, ReadError> {
    xml::read(BufReader::new(part), most, tag).map_err(|stop| {
        let (what, most) = match stop {
            Stop::Stretch => ("satu baris atau isian", MAX_STRETCH_BYTES),
            Stop::Total => (what, most),
        };
        too_large(path, what, most, most)
    })
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
