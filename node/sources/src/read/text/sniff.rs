//! The delimiter of a text file, and its rows.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _, Seek as _},
    path::Path,
};

use super::{Broken, Dialect, RawRow, Rows, Splitter};
use crate::{
    cell::{Cell, Row},
    clean::encoding::decode,
    layout::{find, heading::Names},
    read::{MAX_COLUMNS, ReadError, Sink},
};

/// Bytes at the start of a file that are looked at before it is read.
const HEAD_BYTES: u64 = 1024 * 1024;
/// Lines by which the delimiter is known: one alone may hold an address with commas.
const LINES: usize = 200;
/// Delimiters, the one of DTSEN first.
const DELIMITERS: [u8; 4] = *b"|;,\t";
/// What a spreadsheet writes for a formula that failed. `#N/A` is left to the columns: many programs write it for nothing.
const FAULTS: [&str; 6] = ["#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!"];
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Reads a text file.
pub fn read(path: &Path, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let io = |cause| ReadError::Io { path: path.to_owned(), cause };
    let head = head(path).map_err(io)?;
    let mut head = head.ok_or_else(|| ReadError::Blank { path: path.to_owned() })?;
    let returns = !head.contains(&b'\n');
    if returns {
        turn(&mut head);
    }
    let (delimiter, expected) = sniff(&head);
    if expected > MAX_COLUMNS {
        return Err(too_wide(path, 1));
    }
    let dialect = Dialect { delimiter, expected, heading: Vec::new(), seed: [0; 32] };
    let file = Lines { file: File::open(path).map_err(io)?, returns };
    let rows = Rows::new(file, dialect, 0).map_err(io)?;
    each(path, rows, expected, delimiter, sink)
}

/// The first bytes of a file from its first line that holds anything; none of a file that holds nothing.
fn head(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let (mut seen, mut line) = (0, 0);
    loop {
        let bytes = file.fill_buf()?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let is_blank = |byte: &u8| byte.is_ascii_whitespace() || BOM.contains(byte);
        let blank = bytes.iter().position(|byte| !is_blank(byte)).unwrap_or(bytes.len());
        if let Some(at) = bytes[..blank].iter().rposition(|byte| matches!(byte, b'\n' | b'\r')) {
            line = seen + at as u64 + 1;
        }
        if blank < bytes.len() {
            break;
        }
        let read = bytes.len();
        seen += read as u64;
        file.consume(read);
    }
    let mut head = Vec::new();
    file.seek(io::SeekFrom::Start(line))?;
    file.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(Some(head))
}

/// A file whose lines end with a newline, whatever ends them on the disk.
struct Lines {
    file: File,
    /// They end with a carriage return alone, as old spreadsheets of the Macintosh write them.
    returns: bool,
}

impl io::Read for Lines {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        if self.returns {
            turn(&mut into[..read]);
        }
        Ok(read)
    }
}

/// Carriage returns into newlines.
fn turn(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
}

fn too_wide(path: &Path, row: u64) -> ReadError {
    ReadError::TooWide { path: path.to_owned(), sheet: None, row, limit: MAX_COLUMNS }
}

fn each(
    path: &Path,
    mut rows: Rows<Lines>,
    expected: usize,
    delimiter: u8,
    sink: &mut Sink<'_>,
) -> Result<(), ReadError> {
    let io = |cause: io::Error| ReadError::Io { path: path.to_owned(), cause };
    let (mut raw, mut again, mut splitter) = (RawRow::new(), RawRow::new(), Splitter::new(delimiter));
    while rows.next_row(&mut raw).map_err(io)? {
        let mut broken = raw.broken;
        let mut from = &raw;
        if let Some(Broken::Fields { .. } | Broken::LastLineCut { .. }) = broken
            && splitter.line(&raw.raw, &mut again)
        {
            from = &again;
        }
        if from.len() > MAX_COLUMNS {
            return Err(too_wide(path, raw.line));
        }
        let mut cells: Vec<Cell> = (0..from.len()).map(|at| cell(from.field(at))).collect();
        let quoted = from.quotes().chain(std::iter::repeat(false)).take(from.len()).collect();
        // Delimiters behind the last field say nothing.
        if cells.len() > expected && cells[expected..].iter().all(Cell::is_empty) {
            cells.truncate(expected);
            broken = None;
        }
        let row = Row { number: raw.line, cells, quoted, broken, ..Row::default() };
        if sink(row).is_break() {
            break;
        }
    }
    Ok(())
}

fn cell(bytes: &[u8]) -> Cell {
    let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
    let (text, _) = decode(bytes);
    match Cell::of_text(&text) {
        Cell::Text(text) if FAULTS.contains(&text.as_str()) => Cell::Fault,
        cell => cell,
    }
}

/// The delimiter under which the heading means most, or else under which most lines have one and the same number of
/// fields; and that number.
fn sniff(head: &[u8]) -> (u8, usize) {
    let head = head.strip_prefix(BOM).unwrap_or(head);
    let judged = DELIMITERS.map(|delimiter| {
        let rows = split(head, delimiter);
        let heading = find::find(&rows, &Names::default());
        let roles = heading.as_ref().map_or(0, find::Heading::worth);
        let (from, named) = heading.map_or((0, 0), |heading| (heading.first, heading.last_named()));
        let (fields, lines) = usual(&rows[from..]);
        // Spreadsheets leave out what is empty at the end of a row, of most rows perhaps.
        ((roles, if fields > 1 { lines } else { 0 }), (delimiter, fields.max(named)))
    });
    // The first of equals.
    let mut best = judged[0];
    for next in judged {
        if next.0 > best.0 {
            best = next;
        }
    }
    best.1
}

/// The first lines, split; what is open at the end of a line is left out here.
fn split(head: &[u8], delimiter: u8) -> Vec<Vec<String>> {
    let (mut row, mut splitter) = (RawRow::new(), Splitter::new(delimiter));
    let mut rows = Vec::new();
    for line in head.split(|byte| *byte == b'\n').take(LINES) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if splitter.line(line, &mut row) {
            let fields =
                (0..row.len().min(MAX_COLUMNS + 1)).map(|at| cell(row.field(at)).text().into_owned());
            rows.push(fields.collect());
        } else {
            rows.push(Vec::new());
        }
    }
    rows
}

/// The most frequent number of fields, and on how many lines it is so.
fn usual(rows: &[Vec<String>]) -> (usize, usize) {
    let mut counts: HashMap<usize, usize> = HashMap::new();
    for row in rows.iter().filter(|row| row.iter().any(|field| !field.is_empty())) {
        *counts.entry(row.len()).or_default() += 1;
    }
    // The wider of equals: titles have one field.
    counts
        .into_iter()
        .map(|(fields, lines)| (lines, fields))
        .max()
        .map_or((1, 0), |(lines, fields)| (fields, lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_seen_over_many_lines() {
        for (text, delimiter, fields) in [
            ("NIK|NAMA|ALAMAT\n1|A|JL, B; C\n2|B|D\n", b'|', 3),
            ("NIK;NAMA;ALAMAT\n1;A;JL. X, NO, 3, RT, 4\n2;B;JL, 3\n", b';', 3),
            ("DAFTAR WARGA, DESA A\n\nNIK,NAMA,ALAMAT\n1,A,\"x;y;z\"\n", b',', 3),
            ("NIK\tNAMA\tALAMAT\n1\tA\tJL, B\n", b'\t', 3),
            ("NIK;NAMA;ALAMAT;KET\n1;A;B\n2;B;C\n3;C;D;pindah\n", b';', 4),
        ] {
            assert_eq!(sniff(text.as_bytes()), (delimiter, fields), "{text}");
        }
    }
}
