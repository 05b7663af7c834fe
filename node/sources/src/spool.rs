//! Rows of a source, kept in one private file while they are worked on: the source is read once, quickly and whole, or
//! nothing of it is taken over.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    sync::Arc,
};

use jiff::civil::Date;

use crate::{
    cell::{Cell, Row},
    read::text::Broken,
};

/// Bytes of the largest row; more is damage.
const MAX_ROW_BYTES: usize = 8 * 1024 * 1024;

/// Writes rows.
pub struct Spool {
    out: BufWriter<File>,
    sheet: Option<Arc<str>>,
    rows: u64,
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
    sheet: Option<Arc<str>>,
    left: u64,
    bytes: Vec<u8>,
}

impl Spool {
    /// Into a file that nobody else can open, best one without a name.
    pub fn new(file: File) -> Self {
        Self { out: BufWriter::new(file), sheet: None, rows: 0, bytes: Vec::new() }
    }

    /// Adds a row.
    pub fn push(&mut self, row: &Row) -> io::Result<()> {
        self.bytes.clear();
        let new_sheet = row.sheet != self.sheet;
        let out = &mut self.bytes;
        out.push(u8::from(new_sheet));
        if new_sheet {
            self.sheet.clone_from(&row.sheet);
            out.push(u8::from(row.sheet.is_some()));
            put_text(out, row.sheet.as_deref().unwrap_or_default());
        }
        put_number(out, row.number);
        put_broken(out, row.broken);
        put_number(out, row.cells.len() as u64);
        for (at, cell) in row.cells.iter().enumerate() {
            let quoted = row.quoted.get(at).copied().unwrap_or(true);
            put_cell(out, cell, quoted);
        }
        self.rows += 1;
        let length = u32::try_from(self.bytes.len()).map_err(io::Error::other)?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(&self.bytes)
    }

    /// Ends the writing.
    pub fn done(self) -> io::Result<Spooled> {
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Spooled { file, rows: self.rows })
    }
}

impl Spooled {
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
        Ok(Rows {
            input: BufReader::with_capacity(1 << 16, &self.file),
            sheet: None,
            left: self.rows,
            bytes: Vec::new(),
        })
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
        let mut from = &self.bytes[..];
        if take(&mut from)? == 1 {
            let named = take(&mut from)? == 1;
            let name = take_text(&mut from)?;
            self.sheet = named.then(|| name.as_str().into());
        }
        let number = take_number(&mut from)?;
        let broken = take_broken(&mut from)?;
        let cells = usize::try_from(take_number(&mut from)?).map_err(io::Error::other)?;
        let mut row = Row { sheet: self.sheet.clone(), number, broken, ..Row::default() };
        for _ in 0..cells.min(length) {
            let (cell, quoted) = take_cell(&mut from)?;
            row.cells.push(cell);
            row.quoted.push(quoted);
        }
        Ok(Some(row))
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "berkas sementara rusak")
}

/// Seven bits a byte, the last without the highest bit.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    out.push((number & 0x7F) as u8);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn put_cell(out: &mut Vec<u8>, cell: &Cell, quoted: bool) {
    match cell {
        Cell::Empty => out.push(0),
        Cell::Text(text) => {
            out.push(if quoted { 1 } else { 2 });
            put_text(out, text);
        }
        Cell::Number(number) => {
            out.push(3);
            out.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        Cell::Whole(number) => {
            out.push(4);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Cell::Day(day) => {
            out.push(5);
            out.extend_from_slice(&day.year().to_le_bytes());
            out.extend_from_slice(&day.month().to_le_bytes());
            out.extend_from_slice(&day.day().to_le_bytes());
        }
        Cell::Fault => out.push(6),
    }
}

fn put_broken(out: &mut Vec<u8>, broken: Option<Broken>) {
    let (kind, first, second) = match broken {
        None => (0, 0, 0),
        Some(Broken::Fields { expected, found }) => (1, expected as u64, found as u64),
        Some(Broken::OpenQuote) => (2, 0, 0),
        Some(Broken::TooLong { bytes }) => (3, bytes, 0),
        Some(Broken::LastLineCut { expected, found }) => (4, expected as u64, found as u64),
    };
    out.push(kind);
    if kind > 0 {
        put_number(out, first);
        put_number(out, second);
    }
}

fn take(from: &mut &[u8]) -> io::Result<u8> {
    let (first, rest) = from.split_first().ok_or_else(damaged)?;
    *from = rest;
    Ok(*first)
}

fn take_bytes<'a>(from: &mut &'a [u8], length: usize) -> io::Result<&'a [u8]> {
    let (taken, rest) = from.split_at_checked(length).ok_or_else(damaged)?;
    *from = rest;
    Ok(taken)
}

fn take_array<const N: usize>(from: &mut &[u8]) -> io::Result<[u8; N]> {
    take_bytes(from, N)?.try_into().map_err(|_| damaged())
}

fn take_number(from: &mut &[u8]) -> io::Result<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(from)?;
        number |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(damaged())
}

fn take_text(from: &mut &[u8]) -> io::Result<String> {
    let length = usize::try_from(take_number(from)?).map_err(io::Error::other)?;
    String::from_utf8(take_bytes(from, length)?.to_vec()).map_err(|_| damaged())
}

fn take_cell(from: &mut &[u8]) -> io::Result<(Cell, bool)> {
    let kind = take(from)?;
    let cell = match kind {
        0 => Cell::Empty,
        1 | 2 => Cell::Text(take_text(from)?),
        3 => Cell::Number(f64::from_bits(u64::from_le_bytes(take_array(from)?))),
        4 => Cell::Whole(i64::from_le_bytes(take_array(from)?)),
        5 => {
            let year = i16::from_le_bytes(take_array(from)?);
            let month = i8::from_le_bytes(take_array(from)?);
            let day = i8::from_le_bytes(take_array(from)?);
            Cell::Day(Date::new(year, month, day).map_err(|_| damaged())?)
        }
        6 => Cell::Fault,
        _ => return Err(damaged()),
    };
    Ok((cell, kind != 2))
}

fn take_broken(from: &mut &[u8]) -> io::Result<Option<Broken>> {
    let kind = take(from)?;
    if kind == 0 {
        return Ok(None);
    }
    let (first, second) = (take_number(from)?, take_number(from)?);
    let size = |number: u64| usize::try_from(number).map_err(io::Error::other);
    Ok(Some(match kind {
        1 => Broken::Fields { expected: size(first)?, found: size(second)? },
        2 => Broken::OpenQuote,
        3 => Broken::TooLong { bytes: first },
        4 => Broken::LastLineCut { expected: size(first)?, found: size(second)? },
        _ => return Err(damaged()),
    }))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

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
            Row { sheet: Some("A".into()), number: 300, cells: cells.clone(), quoted, broken: None },
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
                    (&found.sheet, found.number, &found.cells, found.broken),
                    (&row.sheet, row.number, &row.cells, row.broken)
                );
                assert_eq!(found.quoted, row.quoted);
            }
            assert!(read.next_row().expect("reads").is_none());
        }
    }
}
