//! What a workbook would become in memory, before anything of it is kept: zip bombs end here.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

use zip::ZipArchive;

use super::{Format, ReadError};

/// Bytes of the parts of an XLSX that are kept whole: texts, styles, the list of sheets.
pub(super) const MAX_KEPT_BYTES: u64 = 96 * MEGABYTE;
/// Bytes of the one part that holds all of an ODS. Its cells take about twice as much.
const MAX_ODS_BYTES: u64 = 64 * MEGABYTE;
/// Cells that an ODS may repeat without writing them.
const MAX_REPEATED: u64 = 4_000_000;
/// Bytes of all sheets of an XLSX, inflated. They are streamed: this bounds the time.
const MAX_SHEETS_BYTES: u64 = 4_096 * MEGABYTE;
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

/// Inflates, without keeping it, what would be kept; what an archive claims of its sizes proves nothing.
pub(super) fn xlsx(path: &Path) -> Result<(), ReadError> {
    let mut archive = open(path)?;
    let (mut kept, mut sheets) = (0, 0);
    for at in 0..archive.len() {
        let mut part = archive.by_index(at).map_err(|cause| damaged(path, &cause))?;
        let name = part.name().map_err(|cause| damaged(path, &cause))?.to_ascii_lowercase();
        let streamed = ["worksheets/", "media/", "drawings/", "embeddings/"];
        if streamed.iter().any(|folder| name.contains(folder)) {
            sheets += part.size();
            limit(path, "isi lembar", sheets, MAX_SHEETS_BYTES)?;
            continue;
        }
        kept += inflated(path, &mut part, MAX_KEPT_BYTES - kept)?;
        limit(path, "teks di dalam buku kerja", kept, MAX_KEPT_BYTES)?;
    }
    Ok(())
}

/// Inflates the content of an ODS without keeping it, and counts the cells that it would repeat.
pub(super) fn ods(path: &Path) -> Result<(), ReadError> {
    let mut archive = open(path)?;
    let mut part = archive.by_name("content.xml").map_err(|cause| damaged(path, &cause))?;
    let bytes = inflated(path, &mut part, MAX_ODS_BYTES)?;
    limit(path, "buku kerja ODS", bytes, MAX_ODS_BYTES)?;
    drop(part);
    let mut text = String::new();
    let mut part = archive.by_name("content.xml").map_err(|cause| damaged(path, &cause))?;
    part.read_to_string(&mut text).map_err(|cause| damaged(path, &cause))?;
    let repeated = repeated_cells(&text);
    if repeated > MAX_REPEATED {
        return Err(damaged(path, &format!("{repeated} sel yang diulang")));
    }
    Ok(())
}

/// Cells with a value that rows and columns of an ODS repeat; blank ones cost nothing.
fn repeated_cells(text: &str) -> u64 {
    let number = |tag: &str, name: &str| {
        let from = tag.find(name)? + name.len();
        tag[from..].strip_prefix("=\"")?.split('"').next()?.parse::<u64>().ok()
    };
    let (mut rows, mut cells, mut all) = (1_u64, 0_u64, 0_u64);
    for tag in text.split('<') {
        if tag.starts_with("table:table-row") {
            all = all.saturating_add(if rows > 1 { rows.saturating_mul(cells) } else { 0 });
            rows = number(tag, "table:number-rows-repeated").unwrap_or(1);
            cells = 0;
        } else if tag.starts_with("table:table-cell") && tag.contains("office:value-type") {
            let columns = number(tag, "table:number-columns-repeated").unwrap_or(1);
            cells = cells.saturating_add(columns);
            all = all.saturating_add(if columns > 1 { columns } else { 0 });
        }
    }
    all.saturating_add(if rows > 1 { rows.saturating_mul(cells) } else { 0 })
}

/// Length of a part once it is inflated, or one more than `most`.
fn inflated(path: &Path, part: &mut impl Read, most: u64) -> Result<u64, ReadError> {
    io::copy(&mut part.take(most + 1), &mut io::sink()).map_err(|cause| damaged(path, &cause))
}

/// Refuses a file that is too large as it lies on the disk.
pub(super) fn file_size(path: &Path, what: &'static str, most: u64) -> Result<(), ReadError> {
    let io = |cause| ReadError::Io { path: path.to_owned(), cause };
    limit(path, what, std::fs::metadata(path).map_err(io)?.len(), most)
}

fn limit(path: &Path, what: &'static str, bytes: u64, most: u64) -> Result<(), ReadError> {
    if bytes <= most {
        return Ok(());
    }
    let (megabytes, limit) = (bytes / MEGABYTE, most / MEGABYTE);
    Err(ReadError::TooLarge { path: path.to_owned(), what, megabytes, limit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_counted_only_where_they_hold_something() {
        let row = |rows: u64, cells: &str| {
            format!("<table:table-row table:number-rows-repeated=\"{rows}\">{cells}</table:table-row>")
        };
        let full = "<table:table-cell office:value-type=\"string\" table:number-columns-repeated=\"1000\">";
        let blank = "<table:table-cell table:number-columns-repeated=\"16384\"/>";
        assert_eq!(repeated_cells(&row(1_048_576, blank)), 0);
        assert_eq!(repeated_cells(&row(1_000, full)), 1_001_000);
    }
}
