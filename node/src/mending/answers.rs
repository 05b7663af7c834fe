//! The workbook that comes back: which cells were corrected.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::ControlFlow,
    path::Path,
};

use dtsen_sources::{
    cell::{Cell, Row},
    correction::Mark,
    read,
};

use super::{
    MendError, Place,
    columns::{Columns, letters},
    key::{KEY, Key, LINE, OWN},
};
use crate::store::NewCorrection;

/// Digits that a spreadsheet keeps of a number; the others become zeros.
const DIGITS_OF_NUMBERS: usize = 15;

/// A workbook that cannot be taken. None of it is.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// It is another workbook.
    #[error(
        "{0}: bukan berkas dari findings export versi ini (kolom \"{KEY}\" tidak ada). Buat yang baru: dtsen-node findings export BERKAS.xlsx"
    )]
    Foreign(String),
    /// The hidden column of a sheet is gone.
    #[error(
        "lembar {0}: kolom A yang tersembunyi (\"{KEY}\") hilang, atau buku kerja ini dari versi sebelumnya; belum ada yang diambil. Ambil lagi berkas baru dengan findings export"
    )]
    NoKeys(String),
    /// Columns are gone, or called otherwise.
    #[error(
        "lembar {sheet}: kolom {} tidak ada (dihapus, atau judulnya diganti); belum ada yang diambil. Kembalikan judul kolomnya seperti semula, atau ambil berkas baru dengan findings export",
        quoted(.columns)
    )]
    Missing {
        /// Sheet.
        sheet: String,
        /// Headings as they went out.
        columns: Vec<String>,
    },
    /// Two columns have the same heading.
    #[error(
        "lembar {sheet}: judul kolom \"{column}\" ada dua kali; belum ada yang diambil. Hapus atau ganti judul kolom yang ditambahkan"
    )]
    TwoColumns {
        /// Sheet.
        sheet: String,
        /// The heading.
        column: String,
    },
    /// The hidden column was changed.
    #[error(
        "{0}: isi kolom A (tersembunyi) berubah atau terhapus, atau baris ini ditambahkan; belum ada yang diambil. Hapus baris tambahan, atau ambil lagi berkas baru dengan findings export"
    )]
    Key(Place),
    /// A row has the key of another one.
    #[error(
        "{0}: kolom \"{LINE}\" tidak cocok dengan kunci di kolom A, mungkin baris diurutkan tanpa kolom A; belum ada yang diambil. Ambil lagi berkas baru dengan findings export"
    )]
    Moved(Place),
    /// A row stands twice, with different values.
    #[error(
        "{0} dan {1}: baris sumber yang sama dengan isi berbeda; belum ada yang diambil. Hapus salah satunya"
    )]
    Twice(Place, Place),
    /// A long number lost its last digits.
    #[error(
        "{0} kolom {1}: angka panjang tersimpan sebagai bilangan, digit terakhirnya hilang; belum ada yang diambil. Ubah format sel menjadi Teks, lalu ketik ulang 16 angkanya"
    )]
    Cut(Place, String),
    /// An error of the spreadsheet, or a formula that was not reckoned.
    #[error(
        "{0} kolom {1}: berisi kesalahan (misalnya #N/A) atau rumus yang belum dihitung; belum ada yang diambil. Ketik isinya sebagai teks"
    )]
    Fault(Place, String),
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

/// A row of the workbook.
pub(super) struct Answer {
    pub(super) place: Place,
    pub(super) source: String,
    pub(super) new: NewCorrection,
    /// Whether a correction was in force when it went out.
    was_corrected: bool,
}

impl Answer {
    fn says_something(&self) -> bool {
        !(self.new.set.is_empty() && self.new.ended.is_empty())
    }
}

/// Everything that a workbook says.
#[derive(Default)]
pub(super) struct Answers {
    /// Rows that are otherwise than they went out.
    pub(super) changed: Vec<Answer>,
    /// Rows that are as they went out.
    pub(super) unchanged: u64,
    /// Those of them that were not corrected then.
    pub(super) as_source: Vec<Answer>,
    /// Columns that somebody added, by sheet.
    pub(super) added: BTreeSet<(String, String)>,
}

/// Reads a workbook whole: all of it is fit to be taken, or nothing is.
pub(super) fn read(path: &Path) -> Result<Answers, MendError> {
    let mut reading = Reading::default();
    let mut failed = None;
    read::read(path, &mut |row| match reading.row(&row) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    })?;
    match failed {
        Some(error) => Err(error.into()),
        None if !reading.known => Err(AnswerError::Foreign(path.display().to_string()).into()),
        None => Ok(reading.done()),
    }
}

/// A workbook while it is read.
#[derive(Default)]
struct Reading {
    /// The heading above, and the sheet that it is of.
    columns: Option<(String, Columns)>,
    known: bool,
    /// Rows by source and mark, in their order.
    met: HashMap<(String, Mark), usize>,
    answers: Vec<Answer>,
    added: BTreeSet<(String, String)>,
}

impl Reading {
    fn row(&mut self, row: &Row) -> Result<(), AnswerError> {
        let sheet = row.sheet.as_deref().unwrap_or_default().to_owned();
        if let Some(columns) = Columns::of(&sheet, row)? {
            self.known = true;
            self.columns = Some((sheet, columns));
            return Ok(());
        }
        let Some((_, columns)) = self.columns.as_ref().filter(|(of, _)| *of == sheet) else {
            let is_ours = |cell: &Cell| OWN[1..].contains(&&*cell.text());
            // What is left of a sheet of ours without its keys is not passed over.
            let left = row.cells.iter().filter(|cell| is_ours(cell)).count();
            return if left == OWN.len() - 1 { Err(AnswerError::NoKeys(sheet)) } else { Ok(()) };
        };
        if row.is_blank() {
            return Ok(());
        }
        let added = columns.added(row).map(|name| (sheet.clone(), name));
        self.added.extend(added);
        let answer = answer(columns, Place { sheet, row: row.number }, row)?;
        match self.met.entry((answer.source.clone(), answer.new.mark)) {
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(self.answers.len());
                self.answers.push(answer);
            }
            std::collections::hash_map::Entry::Occupied(first) => {
                let first = &self.answers[*first.get()];
                if (&first.new.set, &first.new.ended) != (&answer.new.set, &answer.new.ended) {
                    return Err(AnswerError::Twice(first.place.clone(), answer.place));
                }
            }
        }
        Ok(())
    }

    fn done(self) -> Answers {
        let (changed, same): (Vec<_>, Vec<_>) = self.answers.into_iter().partition(Answer::says_something);
        let unchanged = same.len() as u64;
        let as_source = same.into_iter().filter(|answer| !answer.was_corrected).collect();
        Answers { changed, unchanged, as_source, added: self.added }
    }
}

fn answer(columns: &Columns, place: Place, row: &Row) -> Result<Answer, AnswerError> {
    let Some(key) = Key::parse(&columns.key(row).text()) else { return Err(AnswerError::Key(place)) };
    if columns.line(row).text() != key.line.to_string() {
        return Err(AnswerError::Moved(place));
    }
    let (mut set, mut ended) = (BTreeMap::new(), BTreeSet::new());
    for (at, (name, found)) in columns.own().enumerate() {
        let cell = row.cell(found);
        let now = cell.text();
        let named = || format!("{name} ({}{})", letters(found), place.row);
        if *cell == Cell::Fault {
            return Err(AnswerError::Fault(place.clone(), named()));
        }
        if key.is_as_shown(at, &now) {
            continue;
        }
        let digits = now.chars().filter(char::is_ascii_digit).count();
        if matches!(cell, Cell::Number(_)) && digits > DIGITS_OF_NUMBERS {
            return Err(AnswerError::Cut(place.clone(), named()));
        }
        if key.is_own(at, &now) {
            ended.insert(at);
        } else {
            set.insert(at, now.into_owned());
        }
    }
    let was_corrected = key.was_corrected();
    let Key { source, file, sheet, line, mark, row: key, told, .. } = key;
    let new = NewCorrection { mark, key, set, ended, answers: told.join(","), file, sheet, line };
    Ok(Answer { place, source, new, was_corrected })
}
