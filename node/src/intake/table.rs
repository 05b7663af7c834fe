//! A file, opened and understood.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use dtsen_proto::{column, record::RecordKind, rulebook::Rulebook};
use dtsen_sources::{
    clean::{encoding::decode, number, text::clean},
    correction::Cells,
    read::text::{Broken, Dialect, RawRow, Rows, Splitter},
    value::Reading,
};

use super::{
    error::IntakeError,
    finding::FileFinding,
    layout::{Heading, Layout, Twice, heading_name},
};

/// Bytes at the start of a file that are looked at before it is read.
const HEAD_BYTES: u64 = 1024 * 1024;
/// Lines among which the heading is looked for: exports put titles above it.
const HEADING_LINES: usize = 20;
/// Known columns from which a line is believed to be a heading.
const KNOWN_AT_LEAST: usize = 3;
/// Rows at the start that tell how the file writes its numbers.
const SAMPLE_ROWS: usize = 500;
/// Delimiters, the one of DTSEN first.
const DELIMITERS: [u8; 4] = *b"|;,\t";
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// One file opened: delimiter, encoding and heading are understood, rows follow.
pub struct Table {
    path: PathBuf,
    pub(super) layout: Layout,
    heading_line: u64,
    headings: Vec<String>,
    notices: Vec<FileFinding>,
    rows: Rows<File>,
    total: u64,
}

/// Opens a file and understands its heading.
pub fn open(path: &Path, rulebook: &Rulebook) -> Result<Table, IntakeError> {
    let io = |cause| IntakeError::Io { path: path.to_owned(), line: 0, cause };
    let file = File::open(path).map_err(io)?;
    let total = file.metadata().map_err(io)?.len();
    let mut head = Vec::new();
    (&file).take(HEAD_BYTES).read_to_end(&mut head).map_err(io)?;
    is_text(path, &head)?;

    let heading = find_heading(path, &head, rulebook)?;
    let kind = kind_of(path, &heading, rulebook)?;
    let twice = |twice: Twice| IntakeError::DuplicateColumn {
        path: path.to_owned(),
        line: heading.line,
        column: twice.name,
        first: twice.first,
        second: twice.second,
    };
    let (mut layout, notices) = Layout::of(rulebook, kind, &heading).map_err(twice)?;
    missing(path, &layout, &heading, rulebook)?;
    let mut dialect = Dialect {
        delimiter: heading.delimiter,
        expected: heading.fields.len(),
        heading: heading.fields.clone(),
        seed: [0; 32],
    };
    sample(&head, heading.line, &mut dialect, &mut layout).map_err(io)?;
    dialect.seed = layout.seed(rulebook, dialect.delimiter, dialect.expected);
    let headings = heading.fields.iter().map(|field| decode(field).0.into_owned()).collect();
    // Opened anew: the handle stands behind the head.
    let rows = Rows::new(File::open(path).map_err(io)?, dialect, heading.line).map_err(io)?;
    Ok(Table { path: path.to_owned(), layout, heading_line: heading.line, headings, notices, rows, total })
}

impl Table {
    /// What its rows describe.
    pub fn kind(&self) -> RecordKind {
        self.layout.kind
    }

    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Physical line of the heading, from 1.
    pub fn heading_line(&self) -> u64 {
        self.heading_line
    }

    /// Its heading, as the file has it.
    pub fn headings(&self) -> &[String] {
        &self.headings
    }

    /// What is told once for the whole file.
    pub fn notices(&self) -> &[FileFinding] {
        &self.notices
    }

    /// Reads the next row into `row`; `false` after the last one.
    pub fn next_row(&mut self, row: &mut RawRow) -> Result<bool, IntakeError> {
        let read = self.rows.next_row(row);
        read.map_err(|cause| IntakeError::Io { path: self.path.clone(), line: self.rows.line() - 1, cause })
    }

    /// Puts these fields in the place of a row's own.
    pub fn replace(&mut self, row: &mut RawRow, cells: &Cells) {
        self.rows.replace(row, cells);
    }

    /// Bytes read so far.
    pub fn bytes_read(&self) -> u64 {
        self.rows.taken()
    }

    /// Bytes of the file when it was opened.
    pub fn total_bytes(&self) -> u64 {
        self.total
    }
}

/// Refuses what is empty, or plainly no text.
fn is_text(path: &Path, head: &[u8]) -> Result<(), IntakeError> {
    let kinds: [(&[u8], &str); 7] = [
        (b"PK\x03\x04", "buku kerja Excel (.xlsx) atau arsip ZIP"),
        (b"\xD0\xCF\x11\xE0", "buku kerja Excel lama (.xls)"),
        (b"%PDF", "dokumen PDF"),
        (b"\x1F\x8B", "arsip gzip"),
        (b"SQLite format 3", "basis data SQLite"),
        (b"\xFF\xFE", "teks UTF-16"),
        (b"\xFE\xFF", "teks UTF-16"),
    ];
    let path = path.to_owned();
    if head.strip_prefix(BOM).unwrap_or(head).iter().all(u8::is_ascii_whitespace) {
        return Err(IntakeError::EmptyFile { path });
    }
    match kinds.iter().find(|(start, _)| head.starts_with(start)) {
        Some((_, what)) => Err(IntakeError::NotText { path, what }),
        None if head.iter().take(256).all(|byte| *byte == 0) => {
            Err(IntakeError::NotText { path, what: "data nol (berkas rusak atau belum selesai disalin)" })
        }
        None => Ok(()),
    }
}

/// The line with most known columns, and the delimiter that shows them.
fn find_heading(path: &Path, head: &[u8], rulebook: &Rulebook) -> Result<Heading, IntakeError> {
    let lines = head.strip_prefix(BOM).unwrap_or(head).split(|byte| *byte == b'\n').take(HEADING_LINES);
    let mut best: Option<(usize, Heading)> = None;
    let mut row = RawRow::new();
    let mut splitters = DELIMITERS.map(|delimiter| (delimiter, Splitter::new(delimiter)));
    let mut searched = 0;
    for (number, line) in (1..).zip(lines) {
        searched += 1;
        for (delimiter, splitter) in &mut splitters {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !splitter.line(line, &mut row) {
                continue;
            }
            let fields: Vec<Vec<u8>> = (0..row.len()).map(|at| row.field(at).to_vec()).collect();
            let known = known(rulebook, &fields).into_iter().map(|(_, known)| known.len()).max().unwrap_or(0);
            if known > best.as_ref().map_or(0, |(known, _)| *known) {
                best = Some((known, Heading { line: number, delimiter: *delimiter, fields }));
            }
        }
    }
    match best {
        Some((_, heading)) => Ok(heading),
        None => Err(IntakeError::NoHeader { path: path.to_owned(), searched }),
    }
}

/// The columns of either kind among these names.
fn known(rulebook: &Rulebook, fields: &[Vec<u8>]) -> [(RecordKind, Vec<String>); 2] {
    let names: Vec<String> = fields.iter().map(|field| heading_name(field)).collect();
    [RecordKind::Keluarga, RecordKind::Individu].map(|kind| {
        let known = names.iter().filter(|name| rulebook.column_named(kind, name).is_some());
        (kind, known.cloned().collect())
    })
}

/// Families or persons, whichever has more of the columns.
fn kind_of(path: &Path, heading: &Heading, rulebook: &Rulebook) -> Result<RecordKind, IntakeError> {
    let [(_, family), (_, person)] = known(rulebook, &heading.fields);
    let nik = rulebook.column(column::I_NIK).map_or("", |nik| nik.name.as_str());
    let has_nik = person.iter().any(|name| name.eq_ignore_ascii_case(nik));
    let best = if person.len() > family.len() || (person.len() == family.len() && has_nik) {
        (RecordKind::Individu, person)
    } else if family.len() > person.len() {
        (RecordKind::Keluarga, family)
    } else {
        return Err(IntakeError::UnknownLayout { path: path.to_owned(), line: heading.line, known: family });
    };
    if best.1.len() < KNOWN_AT_LEAST {
        return Err(IntakeError::UnknownLayout { path: path.to_owned(), line: heading.line, known: best.1 });
    }
    Ok(best.0)
}

/// Columns without which nobody knows whom a row is about.
fn missing(path: &Path, layout: &Layout, heading: &Heading, rulebook: &Rulebook) -> Result<(), IntakeError> {
    let needed: &[column::Column] = match layout.kind {
        RecordKind::Keluarga => &[column::K_NOMOR_KARTU_KELUARGA],
        RecordKind::Individu => &[column::I_NIK, column::I_NOMOR_KARTU_KELUARGA, column::I_NAMA],
    };
    let name =
        |column: &column::Column| rulebook.column(*column).map_or_else(String::new, |info| info.name.clone());
    let columns: Vec<String> =
        needed.iter().filter(|column| layout.plan(**column).is_none()).map(name).collect();
    if columns.is_empty() {
        return Ok(());
    }
    Err(IntakeError::MissingColumn { path: path.to_owned(), line: heading.line, columns })
}

/// Reads the first rows to learn how the file ends its rows and writes its numbers.
fn sample(head: &[u8], skip: u64, dialect: &mut Dialect, layout: &mut Layout) -> io::Result<()> {
    let mut row = RawRow::new();
    let (mut right, mut one_more) = (0, 0);
    let mut rows = Rows::new(head, dialect.clone(), skip)?;
    while right + one_more < SAMPLE_ROWS && rows.next_row(&mut row)? {
        let trailing = row.raw.last() == Some(&dialect.delimiter);
        match row.broken {
            None => right += 1,
            Some(Broken::Fields { expected, found }) if found == expected + 1 && trailing => one_more += 1,
            Some(_) => {}
        }
    }
    // Rows that all end with a delimiter, under a heading that does not, have one empty field more.
    if one_more > 9 * right {
        dialect.expected += 1;
    }
    let mut samples: Vec<number::Sample> = layout.plans.iter().map(|_| number::Sample::default()).collect();
    let mut rows = Rows::new(head, dialect.clone(), skip)?;
    let mut seen = 0;
    while seen < SAMPLE_ROWS && rows.next_row(&mut row)? {
        seen += 1;
        if row.broken.is_some() {
            continue;
        }
        for (plan, sample) in layout.plans.iter().zip(&mut samples) {
            if matches!(plan.reading, Reading::Number) {
                sample.add(&clean(&decode(row.field(plan.field)).0), row.quoted(plan.field));
            }
        }
    }
    for (plan, sample) in layout.plans.iter_mut().zip(&samples) {
        plan.number = sample.column();
    }
    Ok(())
}
