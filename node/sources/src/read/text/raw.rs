//! One row as the file has it, and how its fields are split.

use std::fmt;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};
use dtsen_proto::rulebook::reason;

/// Why a row cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Broken {
    /// Another number of fields than the heading has.
    Fields {
        /// Columns of the heading.
        expected: usize,
        /// Fields of the row.
        found: usize,
    },
    /// A quotation mark that does not close; this line alone is given up.
    OpenQuote,
    /// Longer than [`super::MAX_RECORD_BYTES`].
    TooLong {
        /// Length of the line.
        bytes: u64,
    },
    /// The last line, without newline, ends too early.
    LastLineCut {
        /// Columns of the heading.
        expected: usize,
        /// Fields of the row.
        found: usize,
    },
}

impl Broken {
    /// Its code in the catalogue of reasons.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Fields { .. } | Self::OpenQuote => reason::ROW_BROKEN,
            Self::TooLong { .. } => reason::LINE_TOO_LONG,
            Self::LastLineCut { .. } => reason::LAST_LINE_CUT,
        }
    }
}

/// A row: its bytes, its fields, its digest. Made once and filled again and again.
#[derive(Clone, Default)]
pub struct RawRow {
    /// The physical line where it begins, from 1.
    pub line: u64,
    /// What its reading depends on: the bytes without the newline, the layout, the rulebook's version.
    pub digest: [u8; 16],
    /// Why it has no fields that could be trusted.
    pub broken: Option<Broken>,
    /// The bytes without the newline.
    pub raw: Vec<u8>,
    text: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
    delimiter: u8,
}

/// Rows hold personal data: only line and length are printed.
impl fmt::Debug for RawRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawRow(line {}, {} fields, {:?})", self.line, self.fields, self.broken)
    }
}

impl RawRow {
    /// An empty row to read into.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many fields it has.
    pub fn len(&self) -> usize {
        self.fields
    }

    /// Whether it has no field.
    pub fn is_empty(&self) -> bool {
        self.fields == 0
    }

    /// Bytes of a field without its quotes, by its place; empty if there is no such field.
    pub fn field(&self, at: usize) -> &[u8] {
        if at >= self.fields {
            return &[];
        }
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start..self.ends[at].max(start)]
    }

    /// Whether the file has the field in quotes.
    pub fn quoted(&self, wanted: usize) -> bool {
        self.quotes().nth(wanted).unwrap_or(false)
    }

    /// Whether each field, from the first on, is in quotes.
    pub fn quotes(&self) -> impl Iterator<Item = bool> {
        let mut next = Some(0);
        std::iter::from_fn(move || {
            let at = next?;
            let end = field_end(&self.raw[at..], self.delimiter).map(|(length, _)| at + length);
            next = end.filter(|end| *end < self.raw.len()).map(|end| end + 1);
            Some(self.raw.get(at) == Some(&b'"'))
        })
    }

    /// Whether every closing quote stands before a delimiter or the end.
    pub fn strictly_quoted(&self) -> bool {
        let mut at = 0;
        loop {
            match field_end(&self.raw[at..], self.delimiter) {
                Some((length, true)) if at + length < self.raw.len() => at += length + 1,
                Some((_, strict)) => return strict,
                None => return false,
            }
        }
    }
}

/// Length of the field at the start of these bytes, and whether its quotes follow RFC 4180; `None` if one is open.
fn field_end(bytes: &[u8], delimiter: u8) -> Option<(usize, bool)> {
    let plain = |from: usize| memchr::memchr(delimiter, &bytes[from..]).map_or(bytes.len(), |at| from + at);
    if bytes.first() != Some(&b'"') {
        return Some((plain(0), true));
    }
    let mut at = 1;
    loop {
        at += memchr::memchr(b'"', &bytes[at..])? + 1;
        match bytes.get(at) {
            Some(b'"') => at += 1,
            Some(next) if *next != delimiter => return Some((plain(at), false)),
            _ => return Some((at, true)),
        }
    }
}

/// Splits rows into fields.
pub struct Splitter {
    reader: Reader,
    delimiter: u8,
    written: usize,
}

impl Splitter {
    /// For rows with this delimiter.
    pub fn new(delimiter: u8) -> Self {
        let mut builder = ReaderBuilder::new();
        let reader = builder.delimiter(delimiter).terminator(Terminator::Any(b'\n')).build();
        Self { reader, delimiter, written: 0 }
    }

    /// Begins a row.
    pub fn begin(&mut self, row: &mut RawRow) {
        self.reader.reset();
        self.written = 0;
        row.fields = 0;
        row.delimiter = self.delimiter;
        row.broken = None;
    }

    /// Takes one more line of the row; `false` if a quote is still open after it.
    pub fn feed(&mut self, mut input: &[u8], row: &mut RawRow) -> bool {
        if row.text.len() < self.written + input.len() + 1 {
            row.text.resize(self.written + input.len() + 1, 0);
        }
        loop {
            if row.ends.len() <= row.fields {
                row.ends.resize(row.ends.len() * 2 + 64, 0);
            }
            let (result, read, written, ended) =
                self.reader.read_record(input, &mut row.text[self.written..], &mut row.ends[row.fields..]);
            input = &input[read..];
            self.written += written;
            row.fields += ended;
            match result {
                ReadRecordResult::Record | ReadRecordResult::End => return true,
                // The reader takes no input for the end of its input, which only the caller knows.
                _ if input.is_empty() => return false,
                ReadRecordResult::OutputFull => {
                    let more = row.text.len() * 2;
                    row.text.resize(more, 0);
                }
                ReadRecordResult::OutputEndsFull | ReadRecordResult::InputEmpty => {}
            }
        }
    }

    /// Splits one line, which has no newline; `false` if a quote is open.
    pub fn line(&mut self, line: &[u8], row: &mut RawRow) -> bool {
        self.begin(row);
        row.raw.clear();
        row.raw.extend_from_slice(line);
        // An empty input would be the end of the file.
        if !line.is_empty() {
            self.feed(line, row);
        }
        self.feed(b"\n", row)
    }

    /// Ends a row: keeps its bytes, without the carriage return in front of the newline.
    pub fn finish(row: &mut RawRow, raw: &[u8]) {
        let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
        row.raw.clear();
        row.raw.extend_from_slice(raw.strip_suffix(b"\r").unwrap_or(raw));
        if row.raw.len() < raw.len() && row.field(row.fields.saturating_sub(1)).last() == Some(&b'\r') {
            row.ends[row.fields - 1] -= 1;
        }
    }

    /// Leaves a broken row without fields.
    pub fn give_up(row: &mut RawRow, broken: Broken) {
        row.fields = 0;
        row.broken = Some(broken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(line: &[u8]) -> Option<Vec<String>> {
        let mut row = RawRow::new();
        Splitter::new(b'|')
            .line(line, &mut row)
            .then(|| (0..row.len()).map(|at| String::from_utf8_lossy(row.field(at)).into_owned()).collect())
    }

    #[test]
    fn fields_are_split_as_csv_does() {
        let split = |line: &str| fields(line.as_bytes()).map(|f| f.join("¦"));
        for (line, expected) in [
            ("a|b|c", Some("a¦b¦c")),
            ("a||", Some("a¦¦")),
            (r#""a|b"|"c ""d""""#, Some(r#"a|b¦c "d""#)),
            // Quotes inside a quoted field that nobody doubled: the number of fields stays right.
            (r#""JL "MAWAR" 3"|x"#, Some(r#"JL MAWAR" 3"¦x"#)),
            (r#"a "b|c"#, Some(r#"a "b¦c"#)),
            (r#"a|"b|c"#, None),
        ] {
            assert_eq!(split(line).as_deref(), expected, "{line}");
        }
        assert_eq!(fields(&[b'|'; 5_000]).map(|f| f.len()), Some(5_001));
    }

    #[test]
    fn quotes_of_a_field_are_seen_in_the_raw_row() {
        let mut row = RawRow::new();
        assert!(Splitter::new(b';').line(br#"1;"a;""b";"2";3"#, &mut row));
        assert_eq!((0..5).map(|at| row.quoted(at)).collect::<Vec<_>>(), [false, true, true, false, false]);
        assert!(row.strictly_quoted());
        assert!(Splitter::new(b';').line(br#""a"b;c"#, &mut row));
        assert!(!row.strictly_quoted());
    }
}
