//! The workbook that comes back: which cells were corrected.

use std::{collections::BTreeMap, ops::ControlFlow, path::Path};

use dtsen_sources::{
    cell::{Cell, Row},
    correction::Correction,
    read,
};

use super::{
    MendError,
    book::{BEFORE, BETWEEN, KEY, digest},
};
use crate::store::NewCorrection;

/// Digits that a spreadsheet keeps of a number; the others become zeros.
const DIGITS_OF_NUMBERS: usize = 15;

/// A row of the workbook that cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// It is another workbook.
    #[error(
        "{0}: bukan berkas dari findings export (kolom \"{KEY}\" tidak ada). Buat yang baru: dtsen-node findings export BERKAS.xlsx"
    )]
    Foreign(String),
    /// The hidden column was changed.
    #[error(
        "lembar {sheet} baris {row}: isi kolom A (tersembunyi) berubah atau terhapus; belum ada yang diambil. Ambil lagi berkas baru dengan findings export"
    )]
    Key {
        /// Sheet.
        sheet: String,
        /// Row.
        row: u64,
    },
    /// A long number lost its last digits.
    #[error(
        "lembar {sheet} baris {row} kolom {column}: angka panjang tersimpan sebagai bilangan, digit terakhirnya hilang; belum ada yang diambil. Ubah format sel menjadi Teks, lalu ketik ulang 16 angkanya"
    )]
    Cut {
        /// Sheet.
        sheet: String,
        /// Row.
        row: u64,
        /// Heading of the column.
        column: String,
    },
}

/// Everything that a workbook says.
#[derive(Default)]
pub(super) struct Answers {
    pub(super) by_source: BTreeMap<String, Vec<NewCorrection>>,
    pub(super) unchanged: u64,
}

/// Reads a workbook whole: all of it is fit to be taken, or nothing is.
pub(super) fn read(path: &Path) -> Result<Answers, MendError> {
    let (mut answers, mut failed) = (Answers::default(), None);
    let mut heading: Option<Row> = None;
    let mut known = false;
    read::read(path, &mut |row| {
        let is_heading = row.cell(0).text() == KEY;
        if is_heading || heading.as_ref().is_some_and(|heading| heading.sheet != row.sheet) {
            known |= is_heading;
            heading = is_heading.then_some(row);
            return ControlFlow::Continue(());
        }
        let Some(heading) = &heading else { return ControlFlow::Continue(()) };
        match answer(heading, &row) {
            Ok((source, answer)) if !answer.correction.cells.is_empty() => {
                answers.by_source.entry(source).or_default().push(answer);
            }
            Ok(_) => answers.unchanged += 1,
            Err(error) => {
                failed = Some(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    match failed {
        Some(error) => Err(error.into()),
        None if !known => Err(AnswerError::Foreign(path.display().to_string()).into()),
        None => Ok(answers),
    }
}

fn answer(heading: &Row, row: &Row) -> Result<(String, NewCorrection), AnswerError> {
    let sheet = || row.sheet.as_deref().unwrap_or_default().to_owned();
    let text = row.cell(0).text();
    let parsed = parse(&text).ok_or_else(|| AnswerError::Key { sheet: sheet(), row: row.number })?;
    let (source, digests, mut answer) = parsed;
    for (at, before) in digests.iter().enumerate() {
        let cell = row.cell(BEFORE + at);
        let now = cell.text();
        if digest(&now) == *before {
            continue;
        }
        let digits = now.chars().filter(char::is_ascii_digit).count();
        if matches!(cell, Cell::Number(_)) && digits > DIGITS_OF_NUMBERS {
            let column = heading.cell(BEFORE + at).text().into_owned();
            return Err(AnswerError::Cut { sheet: sheet(), row: row.number, column });
        }
        answer.correction.cells.insert(at, now.into_owned());
    }
    Ok((source, answer))
}

/// The parts of a key: the source, what the cells held, and the row.
fn parse(key: &str) -> Option<(String, Vec<&str>, NewCorrection)> {
    let [source, mark, row_key, answers, digests] = key.split(BETWEEN).collect::<Vec<_>>().try_into().ok()?;
    let (answers, correction) = (answers.to_owned(), Correction::default());
    let mut answer = NewCorrection { mark: [0; 16], correction, answers };
    hex::decode_to_slice(mark, &mut answer.mark).ok()?;
    hex::decode_to_slice(row_key, &mut answer.correction.key).ok()?;
    let whole = digests.len() % 8 == 0 && digests.is_ascii() && dtsen_proto::record::is_source_name(source);
    let digests = (0..digests.len() / 8).map(|at| &digests[at * 8..at * 8 + 8]).collect();
    whole.then(|| (source.to_owned(), digests, answer))
}
