//! Rows out of physical lines: quoted newlines are followed, broken quotes are not.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use crate::correction::Cells;

use super::{
    frame::{Frame, LineEnd},
    raw::{Broken, RawRow, Splitter},
};

/// Physical lines that one row may span. An address seldom has more than three.
const MAX_ROW_LINES: u64 = 8;

/// What a row must look like.
#[derive(Clone)]
pub struct Dialect {
    /// Between two fields.
    pub delimiter: u8,
    /// Fields of every row.
    pub expected: usize,
    /// Fields of the heading, which may be repeated further down.
    pub heading: Vec<Vec<u8>>,
    /// Goes into every digest.
    pub seed: [u8; 32],
}

/// A stream of rows.
pub struct Rows<R> {
    frame: Frame<R>,
    splitter: Splitter,
    dialect: Dialect,
}

impl<R: Read> Rows<R> {
    /// The rows after so many lines.
    pub fn new(reader: R, dialect: Dialect, skip: u64) -> io::Result<Self> {
        let mut frame = Frame::new(reader);
        for _ in 0..skip {
            frame.skip_line()?;
        }
        Ok(Self { frame, splitter: Splitter::new(dialect.delimiter), dialect })
    }

    /// Bytes taken so far.
    pub fn taken(&self) -> u64 {
        self.frame.taken()
    }

    /// Number of the line that comes next.
    pub fn line(&self) -> u64 {
        self.frame.line()
    }

    /// Reads the next row; `false` after the last one.
    pub fn next_row(&mut self, row: &mut RawRow) -> io::Result<bool> {
        loop {
            row.line = self.frame.line();
            let (end, cut) = match self.frame.line_end(0)? {
                LineEnd::None => return Ok(false),
                LineEnd::TooLong => {
                    self.too_long(row)?;
                    return Ok(true);
                }
                LineEnd::At(end) => (end, false),
                LineEnd::Cut(end) => (end, true),
            };
            if self.is_blank(end) {
                self.frame.take(end, 1);
                continue;
            }
            let (end, lines) = self.row(row, end, cut)?;
            Splitter::finish(row, self.frame.window(0, end));
            self.frame.take(end, lines);
            if row.broken.is_none() && self.is_heading(row) {
                continue;
            }
            row.digest = self.digest(&row.raw, None);
            return Ok(true);
        }
    }

    /// Puts these fields in the place of a row's own.
    pub fn replace(&mut self, row: &mut RawRow, cells: &Cells) {
        let mut line = Vec::with_capacity(row.raw.len() + cells.len() * 16);
        for at in 0..row.len() {
            if at > 0 {
                line.push(self.dialect.delimiter);
            }
            let given = cells.get(&at).map(String::as_bytes);
            if given.is_none() && !row.quoted(at) {
                line.extend_from_slice(row.field(at));
                continue;
            }
            line.push(b'"');
            for byte in given.unwrap_or_else(|| row.field(at)) {
                // One line in, one line out.
                line.extend_from_slice(match byte {
                    b'"' => b"\"\"",
                    b'\r' | b'\n' => b" ",
                    byte => std::slice::from_ref(byte),
                });
            }
            line.push(b'"');
        }
        let number = row.line;
        self.splitter.line(&line, row);
        row.line = number;
        row.digest = self.digest(&row.raw, None);
    }

    /// Splits the row at the start of the window; tells its bytes and lines.
    fn row(&mut self, row: &mut RawRow, first: usize, mut cut: bool) -> io::Result<(usize, u64)> {
        let first_cut = cut;
        let (mut end, mut lines) = (first, 1);
        self.splitter.begin(row);
        let mut from = 0;
        let closed = loop {
            let line = self.frame.window(from, end);
            if self.splitter.feed(line, row) || (cut && self.splitter.feed(b"\n", row)) {
                break true;
            }
            if cut || lines == MAX_ROW_LINES {
                break false;
            }
            from = end;
            (end, cut) = match self.frame.line_end(from)? {
                LineEnd::At(next) => (next, false),
                LineEnd::Cut(next) => (next, true),
                LineEnd::TooLong | LineEnd::None => break false,
            };
            lines += 1;
        };
        let (expected, found) = (self.dialect.expected, row.len());
        if closed && found == expected && (lines == 1 || self.is_strict(row, end)) {
            return Ok((end, lines));
        }
        let broken = if first_cut && (!closed || found < expected) {
            Broken::LastLineCut { expected, found: found.max(1) }
        } else if closed && lines == 1 {
            Broken::Fields { expected, found }
        } else {
            Broken::OpenQuote
        };
        Splitter::give_up(row, broken);
        Ok((first, 1))
    }

    /// A row over several lines is believed only if its quotes are right: otherwise one that was cut in the
    /// middle of a field would swallow the row after it.
    fn is_strict(&self, row: &mut RawRow, end: usize) -> bool {
        Splitter::finish(row, self.frame.window(0, end));
        row.strictly_quoted()
    }

    fn too_long(&mut self, row: &mut RawRow) -> io::Result<()> {
        self.splitter.begin(row);
        row.raw.clear();
        let head: Vec<u8> = self.frame.window(0, super::MAX_RECORD_BYTES).to_vec();
        let bytes = self.frame.skip_line()?;
        row.digest = self.digest(&head, Some(bytes));
        Splitter::give_up(row, Broken::TooLong { bytes });
        Ok(())
    }

    /// Nothing but delimiters, quotes and blanks, as spreadsheets leave below a table.
    fn is_blank(&self, end: usize) -> bool {
        let nothing = [self.dialect.delimiter, b'"', b' ', b'\t', b'\r', b'\n'];
        self.frame.window(0, end).iter().all(|byte| nothing.contains(byte))
    }

    /// The heading again, where files were put together.
    fn is_heading(&self, row: &RawRow) -> bool {
        let heading = &self.dialect.heading;
        !heading.is_empty()
            && heading.iter().enumerate().all(|(at, name)| row.field(at).eq_ignore_ascii_case(name))
    }

    fn digest(&self, raw: &[u8], length: Option<u64>) -> [u8; 16] {
        let mut hash = Sha256::new_with_prefix(self.dialect.seed);
        hash.update(raw);
        if let Some(length) = length {
            hash.update(length.to_be_bytes());
        }
        let mut digest = [0; 16];
        digest.copy_from_slice(&hash.finalize()[..16]);
        digest
    }
}
