//! Rows of a source, kept in one private file while they are worked on: the source is read once, quickly and whole, or
//! nothing of it is taken over.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    sync::Arc,
};

use dtsen_proto::record::Day;
use prost::Message;

use crate::{
    cell::{Cell, Row},
    read::text::Broken,
};

/// Bytes of the largest row; more is damage.
const MAX_ROW_BYTES: usize = 8 * 1024 * 1024;
/// Rows of a source: thrice those of the largest Kabupaten. A view of a database may have no end.
const MAX_ROWS: u64 = 20_000_000;
/// Bytes of a source on the disk. The largest survey of a Kabupaten takes two thirds of it.
const MAX_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// Why a row is not kept.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The file cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// There are too many rows.
    #[error("lebih dari {MAX_ROWS} baris")]
    Rows,
    /// They are too long together.
    #[error("lebih dari {} GB", MAX_BYTES >> 30)]
    Bytes,
}

/// A row as it is kept.
#[derive(Message)]
struct Kept {
    #[prost(string, optional, tag = "1")]
    sheet: Option<String>,
    #[prost(uint64, tag = "2")]
    number: u64,
    #[prost(message, repeated, tag = "3")]
    cells: Vec<KeptCell>,
    #[prost(message, optional, tag = "4")]
    broken: Option<KeptBroken>,
    #[prost(bool, tag = "5")]
    since_1904: bool,
}

#[derive(Message)]
struct KeptCell {
    #[prost(bool, tag = "1")]
    unquoted: bool,
    #[prost(oneof = "KeptValue", tags = "2, 3, 4, 5, 6")]
    value: Option<KeptValue>,
}

/// What a cell holds; nothing in an empty one.
#[derive(prost::Oneof)]
enum KeptValue {
    #[prost(string, tag = "2")]
    Text(String),
    #[prost(double, tag = "3")]
    Number(f64),
    #[prost(sint64, tag = "4")]
    Whole(i64),
    /// Since 1970-01-01.
    #[prost(sint32, tag = "5")]
    Day(i32),
    #[prost(bool, tag = "6")]
    Fault(bool),
}

/// Why a row is broken; the figures are those of [`Broken`].
#[derive(Message)]
struct KeptBroken {
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(uint64, tag = "2")]
    first: u64,
    #[prost(uint64, tag = "3")]
    second: u64,
}

/// Writes rows.
pub struct Spool {
    out: BufWriter<File>,
    rows: u64,
    written: u64,
    bytes: Vec<u8>,
}

/// Reads rows.
pub struct Spooled {
    file: File,
    rows: u64,
}

/// One reading of the rows.
pub struct Rows<'a> {
    input: BufReader<&'a File>,
    /// The sheet of the row before: its rows share the name.
    sheet: Option<Arc<str>>,
    left: u64,
    bytes: Vec<u8>,
}

impl Spool {
    /// Into a file that nobody else can open, best one without a name.
    pub fn new(file: File) -> Self {
        Self { out: BufWriter::new(file), rows: 0, written: 0, bytes: Vec::new() }
    }

    /// Adds a row.
    pub fn push(&mut self, row: &Row) -> Result<(), SpoolError> {
        self.bytes.clear();
        Kept::of(row).encode(&mut self.bytes).map_err(io::Error::other)?;
        let length = u32::try_from(self.bytes.len()).map_err(io::Error::other)?;
        self.rows += 1;
        self.written += 4 + u64::from(length);
        if self.rows > MAX_ROWS {
            return Err(SpoolError::Rows);
        }
        if self.written > MAX_BYTES || self.bytes.len() > MAX_ROW_BYTES {
            return Err(SpoolError::Bytes);
        }
        self.out.write_all(&length.to_le_bytes())?;
        Ok(self.out.write_all(&self.bytes)?)
    }

    /// Ends the writing.
    pub fn done(self) -> io::Result<Spooled> {
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Spooled { file, rows: self.rows })
    }
}

impl Spooled {
    /// So many rows that were written to a file before.
    pub fn new(file: File, rows: u64) -> Self {
        Self { file, rows }
    }

    /// Copies the rows, as they are kept, so that they can be read from there again.
    pub fn write_to(&mut self, out: &mut File) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        io::copy(&mut self.file, out).map(drop)
    }

    /// How many rows there are.
    pub fn len(&self) -> u64 {
        self.rows
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows from the first on.
    pub fn rows(&mut self) -> io::Result<Rows<'_>> {
        self.file.seek(SeekFrom::Start(0))?;
        let input = BufReader::with_capacity(1 << 16, &self.file);
        Ok(Rows { input, sheet: None, left: self.rows, bytes: Vec::new() })
    }
}

impl Rows<'_> {
    /// The next row; `None` after the last one.
    pub fn next_row(&mut self) -> io::Result<Option<Row>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut length = [0; 4];
        self.input.read_exact(&mut length)?;
        let length = usize::try_from(u32::from_le_bytes(length)).map_err(io::Error::other)?;
        if length > MAX_ROW_BYTES {
            return Err(damaged());
        }
        self.bytes.resize(length, 0);
        self.input.read_exact(&mut self.bytes)?;
        let kept = Kept::decode(&self.bytes[..]).map_err(io::Error::other)?;
        if kept.sheet.as_deref() != self.sheet.as_deref() {
            self.sheet = kept.sheet.as_deref().map(Arc::from);
        }
        kept.row(self.sheet.clone()).ok_or_else(damaged).map(Some)
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "berkas sementara rusak")
}

impl Kept {
    fn of(row: &Row) -> Self {
        let cells = row.cells.iter().enumerate().map(|(at, cell)| KeptCell {
            unquoted: !row.is_quoted(at),
            value: match cell {
                Cell::Empty => None,
                Cell::Text(text) => Some(KeptValue::Text(text.clone())),
                Cell::Number(number) => Some(KeptValue::Number(*number)),
                Cell::Whole(number) => Some(KeptValue::Whole(*number)),
                Cell::Day(day) => Some(KeptValue::Day(Day::from_date(*day).0)),
                Cell::Fault => Some(KeptValue::Fault(true)),
            },
        });
        let broken = row.broken.map(|broken| {
            let (kind, first, second) = match broken {
                Broken::Fields { expected, found } => (1, expected as u64, found as u64),
                Broken::OpenQuote => (2, 0, 0),
                Broken::TooLong { bytes } => (3, bytes, 0),
                Broken::LastLineCut { expected, found } => (4, expected as u64, found as u64),
            };
            KeptBroken { kind, first, second }
        });
        let sheet = row.sheet.as_ref().map(ToString::to_string);
        Self { sheet, number: row.number, cells: cells.collect(), broken, since_1904: row.since_1904 }
    }

    /// The row again; `None` if no row was ever kept like this.
    fn row(self, sheet: Option<Arc<str>>) -> Option<Row> {
        let size = |number: u64| usize::try_from(number).ok();
        let broken = match self.broken {
            None => None,
            Some(KeptBroken { kind: 1, first, second }) => {
                Some(Broken::Fields { expected: size(first)?, found: size(second)? })
            }
            Some(KeptBroken { kind: 2, .. }) => Some(Broken::OpenQuote),
            Some(KeptBroken { kind: 3, first, .. }) => Some(Broken::TooLong { bytes: first }),
            Some(KeptBroken { kind: 4, first, second }) => {
                Some(Broken::LastLineCut { expected: size(first)?, found: size(second)? })
            }
            Some(_) => return None,
        };
        let quoted = self.cells.iter().map(|cell| !cell.unquoted).collect();
        let cells = self.cells.into_iter().map(|cell| {
            Some(match cell.value {
                None => Cell::Empty,
                Some(KeptValue::Text(text)) => Cell::Text(text),
                Some(KeptValue::Number(number)) => Cell::Number(number),
                Some(KeptValue::Whole(number)) => Cell::Whole(number),
                Some(KeptValue::Day(day)) => Cell::Day(Day(day).date()?),
                Some(KeptValue::Fault(_)) => Cell::Fault,
            })
        });
        Some(Row {
            sheet,
            number: self.number,
            cells: cells.collect::<Option<_>>()?,
            quoted,
            broken,
            since_1904: self.since_1904,
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_source_without_end_is_refused() {
        let row = Row { number: 1, ..Row::default() };
        let mut spool = Spool::new(tempfile::tempfile().expect("a file"));
        spool.rows = MAX_ROWS - 1;
        assert!(spool.push(&row).is_ok());
        assert!(matches!(spool.push(&row), Err(SpoolError::Rows)));
        let mut spool = Spool::new(tempfile::tempfile().expect("a file"));
        spool.written = MAX_BYTES - 5;
        assert!(matches!(spool.push(&row), Err(SpoolError::Bytes)));
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let cells = vec![
            Cell::Empty,
            Cell::Text("SITI".into()),
            Cell::Text("é".into()),
            Cell::Number(-1.5),
            Cell::Whole(i64::MIN),
            Cell::Day(date(1980, 8, 17)),
            Cell::Fault,
        ];
        let quoted = vec![true, true, false, true, true, true, true];
        let rows = [
            Row {
                sheet: Some("A".into()),
                number: 300,
                cells: cells.clone(),
                quoted,
                broken: None,
                since_1904: true,
            },
            Row {
                sheet: None,
                number: u64::MAX,
                broken: Some(Broken::Fields { expected: 3, found: 9 }),
                ..Row::default()
            },
        ];
        let mut spool = Spool::new(tempfile::tempfile().expect("a file"));
        for row in &rows {
            spool.push(row).expect("writes");
        }
        let mut spooled = spool.done().expect("writes");
        for _ in 0..2 {
            let mut read = spooled.rows().expect("reads");
            for row in &rows {
                let found = read.next_row().expect("reads").expect("a row");
                assert_eq!(
                    (&found.sheet, found.number, &found.cells, found.broken, found.since_1904),
                    (&row.sheet, row.number, &row.cells, row.broken, row.since_1904)
                );
                assert_eq!(found.quoted, row.quoted);
            }
            assert!(read.next_row().expect("reads").is_none());
        }
    }
}
