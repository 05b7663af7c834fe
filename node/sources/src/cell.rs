//! Cells and rows as every kind of source gives them.

use std::{borrow::Cow, fmt, sync::Arc};

use jiff::civil::Date;

use crate::read::text::Broken;

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

    /// Whether no cell holds anything.
    pub fn is_blank(&self) -> bool {
        self.broken.is_none() && self.cells.iter().all(Cell::is_empty)
    }
}
