//! Columns from which nothing is taken, though they look as if something could be.

use std::fmt;

use dtsen_proto::nik;
use jiff::civil::Date;

use crate::{
    cell::{Cell, Row},
    clean::{
        date,
        number::{self, Cell as Number},
        text::is_missing,
    },
    layout::spelling,
};

/// Filled cells by which a column is judged: enough to see what it holds, and little beside the reading of a row.
const JUDGED_BY: u32 = 200;
/// Share of them, in percent, that must have a shape.
const MOST: u32 = 80;

/// A column from which nothing is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    /// What stands above it.
    pub heading: String,
    /// Why somebody should look.
    pub why: Why,
}

/// Why somebody should look at a column from which nothing is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Another column for the same counts.
    Passed,
    /// It holds numbers as NIK and No. KK are.
    Numbers,
    /// It holds dates.
    Dates,
    /// Its heading is about something that is read, in words that nobody knows.
    Heading,
}

impl fmt::Display for Unused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.why {
            Why::Passed => "kolom lain untuk hal yang sama dipakai",
            Why::Numbers => {
                "berisi angka seperti NIK atau No. KK, judulnya tidak dikenal atau milik orang lain"
            }
            Why::Dates => "berisi tanggal, judulnya tidak dikenal",
            Why::Heading => "judulnya mirip yang dikenal",
        };
        write!(f, "kolom {:?} tidak dipakai: {why}", self.heading)
    }
}

/// What the unused columns of a table hold.
#[derive(Default)]
pub(crate) struct Columns(Vec<Seen>);

struct Seen {
    at: usize,
    heading: String,
    passed: bool,
    filled: u32,
    numbers: u32,
    dates: u32,
}

impl Columns {
    /// Columns by their places and headings, and whether another one counts in their place.
    pub(crate) fn new(columns: impl IntoIterator<Item = (usize, String, bool)>) -> Self {
        let seen = |(at, heading, passed)| Seen { at, heading, passed, filled: 0, numbers: 0, dates: 0 };
        Self(columns.into_iter().map(seen).collect())
    }

    /// Looks at a row.
    pub(crate) fn look(&mut self, row: &Row, today: Date) {
        for seen in self.0.iter_mut().filter(|seen| seen.filled < JUDGED_BY) {
            let cell = row.cell(seen.at);
            if is_missing(&cell.text()) {
                continue;
            }
            seen.filled += 1;
            seen.numbers += u32::from(is_number(cell));
            seen.dates += u32::from(is_date(cell, today));
        }
    }

    /// Those at which somebody should look.
    pub(crate) fn told(&self) -> Vec<Unused> {
        let told = |seen: &Seen| {
            let heading = seen.heading.clone();
            seen.why().map(|why| Unused { heading, why })
        };
        self.0.iter().filter_map(told).collect()
    }
}

impl Seen {
    fn why(&self) -> Option<Why> {
        let most = |count: u32| self.filled > 0 && count * 100 >= self.filled * MOST;
        let about = || spelling::is_telling(&self.heading) && !spelling::is_of_another(&self.heading);
        if self.filled == 0 {
            None
        } else if self.passed {
            Some(Why::Passed)
        } else if most(self.numbers) {
            Some(Why::Numbers)
        } else if most(self.dates) {
            Some(Why::Dates)
        } else {
            about().then_some(Why::Heading)
        }
    }
}

/// Sixteen digits that may be of a person or a family, or had been before a spreadsheet took the last one.
fn is_number(cell: &Cell) -> bool {
    match number::read_cell(cell, number::Column::default(), true) {
        Number::Sound(number) => [nik::Number::Nik, nik::Number::Kk]
            .iter()
            .any(|which| nik::parse(&format!("{number:016}"), *which).is_ok()),
        other => other == Number::AsNumber,
    }
}

fn is_date(cell: &Cell, today: Date) -> bool {
    let context = date::Context::on(today);
    match cell {
        Cell::Day(_) => true,
        Cell::Text(text) => {
            // A year, or an age, is no date.
            text.chars().any(|c| !c.is_ascii_digit())
                && matches!(date::read(text, &context), date::Reading::Day(_) | date::Reading::Swapped(_))
        }
        _ => false,
    }
}
