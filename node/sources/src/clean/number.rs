//! NIK and No. KK: the repairs that lose nothing, and the damage that nothing repairs.
//!
//! A number that went through a spreadsheet or a float has lost its last digit for ever, and looks like another
//! person's. It is recognised, never guessed:
//!
//! - scientific notation with either decimal mark (`3,40413E+15`);
//! - a tail `.0` on a number that ends in 0, or that is above 2^53, where a float holds only even numbers;
//! - a number ending in 0 in a column of the file where more than 60 % of the different numbers sampled end in 0,
//!   and at least three do: serials begin at 0001, so about one in fifty does in a sound column;
//! - a number ending in 0, without quotes, in a file that puts this column in quotes.
//!
//! Otherwise a number ending in 0 is sound. Fifteen or seventeen digits are never cut or padded: the rulebook
//! refuses them.

use std::{borrow::Cow, collections::HashSet};

use dtsen_proto::nik::DIGITS;

use super::text::{is_missing, is_scientific, without_zero_fraction};
use crate::cell::Cell as SourceCell;

/// Largest number up to which a float holds every whole number.
const FLOAT_EXACT: u64 = 1 << 53;
/// Words that people write instead of a number.
const WORDS: &[&str] = &[
    "TIDAK ADA",
    "TDK ADA",
    "TIDAKADA",
    "BELUM ADA",
    "BLM ADA",
    "BELUM PUNYA",
    "TIDAK PUNYA",
    "KOSONG",
    "TIDAK TAHU",
];
/// What people put between the digits.
const SEPARATORS: &[char] = &[' ', '.', '-', '_', '/', '\'', '’', ',', '`', '"', '*'];
/// Share of numbers ending in 0, in percent, above which a column has lost its last digits.
const LOST_PERCENT: usize = 60;
/// Numbers ending in 0 below which nothing is said of the column.
const LOST_AT_LEAST: usize = 3;

/// What a cell of such a column holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Missing,
    /// Sixteen digits that may be right.
    Sound(u64),
    /// A text that the rulebook will refuse.
    Odd(String),
    /// Digits are lost.
    AsNumber,
    /// Not meant as a number.
    Placeholder,
}

/// What a sample of the file tells of one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Column {
    /// Its numbers have lost their last digit.
    pub lost: bool,
    /// Its numbers stand in quotes.
    pub quoted: bool,
}

/// Reads a cleaned cell; `quoted` is asked only if it matters.
pub fn read(text: &str, column: Column, quoted: impl FnOnce() -> bool) -> Cell {
    if is_missing(text) {
        return Cell::Missing;
    }
    let whole = without_zero_fraction(text);
    let float = whole.len() < text.len();
    let packed: Cow<'_, str> = if whole.bytes().all(|b| b.is_ascii_digit()) {
        Cow::Borrowed(whole)
    } else {
        Cow::Owned(whole.chars().filter(|c| !SEPARATORS.contains(c)).collect())
    };
    if is_scientific(text) || is_scientific(&packed) {
        return Cell::AsNumber;
    }
    if WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Cell::Placeholder;
    }
    let digits = packed.as_bytes();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Cell::Odd(text.to_owned());
    }
    let same = digits.iter().all(|digit| *digit == digits[0]);
    if same || digits.starts_with(b"9999") || (digits.len() == DIGITS && digits[0] == b'0') {
        return Cell::Placeholder;
    }
    let Some(number) = sixteen(digits) else { return Cell::Odd(packed.into_owned()) };
    let ends_in_zero = number.is_multiple_of(10);
    let damaged = (float && (ends_in_zero || number > FLOAT_EXACT))
        || (ends_in_zero && (column.lost || (column.quoted && !quoted())));
    if damaged { Cell::AsNumber } else { Cell::Sound(number) }
}

/// Reads a cell of whatever kind. A spreadsheet's number holds fifteen digits for certain: a sixteenth that is 0 may have
/// been another, and above 2^53 every other number does not exist.
pub fn read_cell(cell: &SourceCell, column: Column, quoted: bool) -> Cell {
    match cell {
        SourceCell::Empty => Cell::Missing,
        SourceCell::Text(text) => read(text, column, || quoted),
        SourceCell::Whole(number) => read(&number.to_string(), column, || true),
        SourceCell::Number(number) => read_float(*number),
        SourceCell::Day(_) | SourceCell::Fault => Cell::Odd(String::new()),
    }
}

fn read_float(number: f64) -> Cell {
    #[expect(clippy::cast_precision_loss, reason = "a power of two")]
    if number.abs() > FLOAT_EXACT as f64 {
        return Cell::AsNumber;
    }
    match read(&number.to_string(), Column::default(), || true) {
        Cell::Sound(number) if number.is_multiple_of(10) => Cell::AsNumber,
        read => read,
    }
}

/// The first fifteen digits of a number whose last one is lost or in doubt.
pub fn prefix(text: &str) -> Option<String> {
    let whole = without_zero_fraction(text);
    let digits: String = whole.chars().filter(|c| !SEPARATORS.contains(c)).collect();
    let fits = !is_scientific(text)
        && (DIGITS - 1..=DIGITS).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| digits[..DIGITS - 1].to_owned())
}

fn sixteen(digits: &[u8]) -> Option<u64> {
    (digits.len() == DIGITS)
        .then(|| digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

/// Collects a sample of one column.
#[derive(Default)]
pub struct Sample {
    /// Different numbers: a family's occurs once for each member.
    numbers: HashSet<u64>,
    quoted: usize,
    cells: usize,
}

impl Sample {
    /// Adds a cleaned cell.
    pub fn add(&mut self, text: &str, quoted: bool) {
        if let Cell::Sound(number) = read(text, Column::default(), || true) {
            self.numbers.insert(number);
            self.cells += 1;
            self.quoted += usize::from(quoted);
        }
    }

    /// Adds a cell of whatever kind.
    pub fn add_cell(&mut self, cell: &SourceCell, quoted: bool) {
        match cell {
            SourceCell::Text(text) => self.add(text, quoted),
            SourceCell::Number(number) => {
                // Damaged ones too: they tell what happened to the column.
                if let Cell::Sound(number) = read(&number.to_string(), Column::default(), || true) {
                    self.numbers.insert(number);
                    self.cells += 1;
                }
            }
            _ => {}
        }
    }

    /// What the cells so far tell.
    pub fn column(&self) -> Column {
        let zeros = self.numbers.iter().filter(|number| number.is_multiple_of(10)).count();
        Column {
            lost: zeros >= LOST_AT_LEAST && zeros * 100 > self.numbers.len() * LOST_PERCENT,
            quoted: self.quoted * 2 > self.cells,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: u64 = 5_271_014_101_909_001;

    #[test]
    fn repairs_and_refusals() {
        let odd = |text: &str| Cell::Odd(text.into());
        for (text, expected) in [
            ("5271014101909001", Cell::Sound(SOUND)),
            ("5271 0141 0190 9001", Cell::Sound(SOUND)),
            ("5271.0141.0190.9001", Cell::Sound(SOUND)),
            ("5271-0141-0190-9001", Cell::Sound(SOUND)),
            ("5271014101909001.0", Cell::Sound(SOUND)),
            ("5271014101909001,00", Cell::Sound(SOUND)),
            ("5271014101909010", Cell::Sound(5_271_014_101_909_010)),
            ("5271014101909010.0", Cell::AsNumber),
            // Papua lies above 2^53: 9001 has become 9000 or 9002, and nobody can tell.
            ("9171014101909002.0", Cell::AsNumber),
            ("9171014101909001", Cell::Sound(9_171_014_101_909_001)),
            ("3,40413E+15", Cell::AsNumber),
            ("3.40413E+15", Cell::AsNumber),
            ("527101410190900", odd("527101410190900")),
            ("52710141019090011", odd("52710141019090011")),
            ("527101410190900X", odd("527101410190900X")),
            ("0", Cell::Placeholder),
            ("0000000000000000", Cell::Placeholder),
            ("9999999999999999", Cell::Placeholder),
            ("9999012345678901", Cell::Placeholder),
            ("1111111111111111", Cell::Placeholder),
            ("tidak ada", Cell::Placeholder),
            ("0527101100100001", Cell::Placeholder),
            ("", Cell::Missing),
            ("-", Cell::Missing),
            ("NaN", Cell::Missing),
        ] {
            assert_eq!(read(text, Column::default(), || true), expected, "{text}");
        }
    }

    #[test]
    fn a_number_of_a_spreadsheet_is_right_to_fifteen_digits() {
        let read = |number: f64| read_cell(&SourceCell::Number(number), Column::default(), false);
        assert_eq!(read(5_271_014_101_909_001.0), Cell::Sound(SOUND));
        assert_eq!(read(5_271_014_101_909_010.0), Cell::AsNumber);
        assert_eq!(read(9_171_014_101_909_002.0), Cell::AsNumber);
        assert_eq!(read(0.0), Cell::Placeholder);
        assert_eq!(read(5_271_014.5), Cell::Odd("52710145".into()));
    }

    #[test]
    fn fifteen_digits_are_certain() {
        for (text, expected) in [
            ("5271014101909010.0", Some("527101410190901")),
            ("527101410190900", Some("527101410190900")),
            ("5271.0141.0190.9010", Some("527101410190901")),
            ("5,27101E+15", None),
            ("52710141019090", None),
            ("52710141019090112", None),
            ("TIDAK ADA", None),
        ] {
            assert_eq!(prefix(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_column_decides_about_a_last_zero() {
        let zero = "5271014101909010";
        let read = |column, quoted| read(zero, column, || quoted);
        assert_eq!(read(Column { lost: true, quoted: false }, true), Cell::AsNumber);
        assert_eq!(read(Column { lost: false, quoted: true }, false), Cell::AsNumber);
        assert_eq!(read(Column { lost: false, quoted: true }, true), Cell::Sound(5_271_014_101_909_010));
    }

    #[test]
    fn a_column_is_lost_by_its_different_numbers() {
        let sample = |numbers: &[&str]| {
            let mut sample = Sample::default();
            for number in numbers {
                sample.add(number, false);
            }
            sample.column().lost
        };
        let lost = ["5271014101909010", "5271014101909020", "5271014101909030"];
        assert!(sample(&lost));
        assert!(!sample(&[lost[0]; 20]), "one family of twenty");
        assert!(
            !sample(&[&lost[..], &["5271014101909001", "5271014101909002"]].concat()),
            "60 % is not more"
        );
        assert!(!sample(&lost[..2]));
    }
}
