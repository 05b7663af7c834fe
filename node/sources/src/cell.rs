//! Cells and rows as every kind of source gives them.

use std::{borrow::Cow, fmt, sync::Arc};

use jiff::civil::Date;

use crate::{
    clean::text::clean,
    read::text::{Broken, MAX_RECORD_BYTES},
};

/// Bytes of the longest text of a cell, twice the letters that Excel holds. A workbook writes a longer one once and has
/// it in every cell, as often as it likes.
pub const MAX_CELL_BYTES: usize = 64 * 1024;

/// What a cell holds, before anybody asks what it means.
#[derive(Clone, PartialEq, Default)]
pub enum Cell {
    /// Nothing.
    #[default]
    Empty,
    /// Text, cleaned of blanks around it and of what nobody sees.
    Text(String),
    /// A number of a spreadsheet, of which sixteen digits may be wrong.
    Number(f64),
    /// A whole number of a database.
    Whole(i64),
    /// A day that the source keeps as one.
    Day(Date),
    /// `#REF!` and the like, or a formula that was never reckoned.
    Fault,
}

/// From here on a number has sixteen digits, of which a spreadsheet keeps fifteen for certain.
const LONG_NUMBER: f64 = 1e15;

/// The cell of a column that there is not.
pub(crate) static EMPTY: Cell = Cell::Empty;

/// Cells hold personal data: only their kind is printed.
impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "Empty",
            Self::Text(_) => "Text",
            Self::Number(_) => "Number",
            Self::Whole(_) => "Whole",
            Self::Day(_) => "Day",
            Self::Fault => "Fault",
        })
    }
}

impl Cell {
    /// A text as a source has it; a fault if it is longer than a cell can be.
    pub fn of_text(text: &str) -> Self {
        if text.len() > MAX_CELL_BYTES {
            return Self::Fault;
        }
        match clean(text) {
            text if text.is_empty() => Self::Empty,
            text => Self::Text(text.into_owned()),
        }
    }

    /// As a person would read it on the screen.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Empty | Self::Fault => Cow::Borrowed(""),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Whole(number) => Cow::Owned(number.to_string()),
            Self::Day(day) => Cow::Owned(day.to_string()),
        }
    }

    /// As it is said for other rows, where nothing but the text is left: a spreadsheet's number that may have lost its last
    /// digit shows by its fraction that it is one.
    pub fn said(&self) -> Cow<'_, str> {
        match self {
            Self::Number(number) if number.fract() == 0.0 && number.abs() >= LONG_NUMBER => {
                Cow::Owned(format!("{number:.1}"))
            }
            _ => self.text(),
        }
    }

    /// Whether there is nothing in it, or only blanks.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) => text.is_empty(),
            _ => false,
        }
    }
}

/// A row of a source.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// The sheet or table; none in a text file.
    pub sheet: Option<Arc<str>>,
    /// From 1: the row of the sheet, the physical line where the record begins, the place in the table.
    pub number: u64,
    /// Its cells, from the first column.
    pub cells: Vec<Cell>,
    /// The cells that stand in quotes, for sources that have such.
    pub quoted: Vec<bool>,
    /// Why its cells mean nothing.
    pub broken: Option<Broken>,
    /// Numbers of days count from 1904, as its workbook has it, rather than from 1900.
    pub since_1904: bool,
}

/// Days between the calendars of 1900 and of 1904 of spreadsheets.
const DAYS_TO_1904: u16 = 1462;

impl Row {
    /// Days to be added to a number of days before it counts from 1900.
    pub fn days_more(&self) -> u16 {
        if self.since_1904 { DAYS_TO_1904 } else { 0 }
    }

    /// A cell, empty if the row is shorter.
    pub fn cell(&self, at: usize) -> &Cell {
        self.cells.get(at).unwrap_or(&EMPTY)
    }

    /// Whether a cell stands in quotes; sources without such have every cell as it was meant.
    pub fn is_quoted(&self, at: usize) -> bool {
        self.quoted.get(at).copied().unwrap_or(true)
    }

    /// The row, or a broken one if its texts together are longer than any record.
    #[must_use]
    pub fn bounded(self) -> Self {
        let length = |cell: &Cell| if let Cell::Text(text) = cell { text.len() } else { 0 };
        let bytes: usize = self.cells.iter().map(length).sum();
        if bytes <= MAX_RECORD_BYTES {
            return self;
        }
        let bytes = u64::try_from(bytes).expect("64 bits");
        Self { broken: Some(Broken::TooLong { bytes }), cells: Vec::new(), quoted: Vec::new(), ..self }
    }

    /// Whether no cell holds anything.
    pub fn is_blank(&self) -> bool {
        self.broken.is_none() && self.cells.iter().all(Cell::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_told_and_not_kept() {
        assert_eq!(Cell::of_text(" SITI "), Cell::Text("SITI".into()));
        assert_eq!(Cell::of_text("  "), Cell::Empty);
        assert_eq!(Cell::of_text(&"A".repeat(MAX_CELL_BYTES + 1)), Cell::Fault);
        let row = |cells: usize| {
            let cells = vec![Cell::of_text(&"A".repeat(MAX_CELL_BYTES)); cells];
            Row { number: 7, cells, ..Row::default() }.bounded()
        };
        let whole = MAX_RECORD_BYTES / MAX_CELL_BYTES;
        assert!(row(whole).broken.is_none());
        let broken = row(whole + 1);
        assert!(broken.cells.is_empty() && broken.number == 7);
        assert!(matches!(broken.broken, Some(Broken::TooLong { .. })));
    }
}
