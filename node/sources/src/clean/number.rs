//! NIK and No. KK: the repairs that lose nothing, and the damage that nothing repairs.
//!
//! A number that went through a spreadsheet or a float has lost its last digit for ever, and looks like another
//! person's. It is recognised, never guessed:
//!
//! - scientific notation with either decimal mark (`3,40413E+15`);
//! - a tail `.0` on a number that ends in 0, or that is above 2^53, where a float holds only even numbers;
//! - a number ending in 0 in a column of the file where more of the different numbers end in 0 than chance allows,
//!   or where it is the only number: then nothing shows that last digits survived;
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
/// Digits of a serial, the shortest part that people set apart: fewer behind a single mark are a fraction.
const SERIAL_DIGITS: usize = 4;
/// Share of sound numbers that end in 0, at most: serials are given out one after the other. In lists of real people it
/// is about one in fifty, since few are born in one kecamatan on one day.
const ZERO_SHARE: f64 = 0.1;
/// How probable it may be, at most, that a sound column is taken for one that lost its last digits. That costs a tenth
/// of its numbers and a person's look at them; a cut number that is believed is another person's. With real serials it
/// happens to fewer than one column in two thousand.
const FALSE_ALARM: f64 = 0.02;

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
    if is_scientific(text) {
        return Cell::AsNumber;
    }
    if WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Cell::Placeholder;
    }
    let bare = bare(text);
    let Some(packed) = packed(bare) else {
        return if is_scientific(bare) { Cell::AsNumber } else { Cell::Odd(text.to_owned()) };
    };
    let float = without_zero_fraction(bare).len() < bare.len();
    let digits = packed.as_bytes();
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

/// What is left of `="5271…"` and `NIK 5271…`: words and marks beside a number, not those that stick to it.
fn bare(text: &str) -> &str {
    let bare = text.trim_matches(|c: char| !c.is_ascii_digit());
    let sticks = |c: Option<char>| c.is_some_and(char::is_alphabetic);
    let before = text.find(bare).unwrap_or_default();
    if sticks(text[..before].chars().next_back()) || sticks(text[before + bare.len()..].chars().next()) {
        text
    } else {
        bare
    }
}

/// The digits of a number that has nothing but separators between them, however it is grouped; none if there is
/// something else, or if a separator is a decimal mark, or parts a lone digit from the fifteen of another number.
fn packed(bare: &str) -> Option<Cow<'_, str>> {
    let whole = without_zero_fraction(bare);
    if whole.is_empty() {
        return None;
    }
    if whole.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Cow::Borrowed(whole));
    }
    let digits: String = whole.chars().filter(|c| !SEPARATORS.contains(c)).collect();
    let groups: Vec<&str> = whole.split(SEPARATORS).filter(|group| !group.is_empty()).collect();
    let torn = match groups[..] {
        [first, last] => {
            let decimal = whole.contains(['.', ',']) && last.len() < SERIAL_DIGITS;
            decimal || first.len() == 1
        }
        _ => false,
    };
    (!torn && digits.bytes().all(|b| b.is_ascii_digit())).then_some(Cow::Owned(digits))
}

/// The first fifteen digits of a number whose last one is lost or in doubt.
pub fn prefix(text: &str) -> Option<String> {
    let digits = packed(bare(text)).filter(|_| !is_scientific(text))?;
    (DIGITS - 1..=DIGITS).contains(&digits.len()).then(|| digits[..DIGITS - 1].to_owned())
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
            SourceCell::Whole(number) => self.add(&number.to_string(), quoted),
            // Those of a spreadsheet are judged each by itself.
            _ => {}
        }
    }

    /// What the cells so far tell.
    pub fn column(&self) -> Column {
        let count = |numbers: usize| u32::try_from(numbers).unwrap_or(u32::MAX);
        let zeros = count(self.numbers.iter().filter(|number| number.is_multiple_of(10)).count());
        // One number in many cells is a family's.
        let alone = self.cells == 1 && zeros == 1;
        Column {
            lost: alone || beyond_chance(zeros, count(self.numbers.len())),
            quoted: self.quoted * 2 > self.cells,
        }
    }
}

/// Whether among sound numbers so many end in 0 with less than [`FALSE_ALARM`] probability: the upper tail of the
/// binomial distribution with [`ZERO_SHARE`].
fn beyond_chance(zeros: u32, numbers: u32) -> bool {
    let (few, all) = (f64::from(zeros), f64::from(numbers));
    if few <= all * ZERO_SHARE {
        return false;
    }
    let ways: f64 = (1..=zeros).map(|at| ((all - few + f64::from(at)) / f64::from(at)).ln()).sum();
    let exactly = (ways + few * ZERO_SHARE.ln() + (all - few) * (1.0 - ZERO_SHARE).ln()).exp();
    // Each further one is less probable than the one before, by more and more.
    let (mut tail, mut term) = (0.0, exactly);
    for more in zeros..=numbers {
        tail += term;
        term *= (all - f64::from(more)) / f64::from(more + 1) * ZERO_SHARE / (1.0 - ZERO_SHARE);
    }
    tail < FALSE_ALARM
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
            ("5271014101909001X", odd("5271014101909001X")),
            // What stands beside the digits.
            ("=\"5271014101909001\"", Cell::Sound(SOUND)),
            ("NIK 5271014101909001", Cell::Sound(SOUND)),
            ("NIK: 5271014101909001 (ALM)", Cell::Sound(SOUND)),
            ("5,271,014,101,909,001", Cell::Sound(SOUND)),
            ("527101.410190.9001", Cell::Sound(SOUND)),
            ("527101.4101909001", Cell::Sound(SOUND)),
            ("=\"5,27101E+15\"", Cell::AsNumber),
            ("NIK 5271014101909010.0", Cell::AsNumber),
            ("527101410190900 1", Cell::Sound(SOUND)),
            // A fraction, the number of a line, two numbers.
            ("527101410190900.1", odd("527101410190900.1")),
            ("52710141019090,01", odd("52710141019090,01")),
            ("1. 527101410190900", odd("1. 527101410190900")),
            ("RT 3 527101410190900", odd("RT 3 527101410190900")),
            ("5271014101909001/5271014101909002", odd("52710141019090015271014101909002")),
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
        assert_eq!(read(5_271_014.5), Cell::Odd("5271014.5".into()));
        assert_eq!(read(527_101_410_190_900.1), Cell::Odd("527101410190900.1".into()));
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

    fn lost(cells: &[&str]) -> bool {
        let mut sample = Sample::default();
        for cell in cells {
            sample.add(cell, false);
        }
        sample.column().lost
    }

    #[test]
    fn a_column_is_lost_by_its_different_numbers() {
        let zeros = ["5271014101909010", "5271014101909020", "5271014101909030"];
        let sound = ["5271014101909001", "5271014101909002", "5271014101909003", "5271014101909004"];
        assert!(lost(&zeros) && lost(&zeros[..2]) && lost(&zeros[..1]), "all of a short list");
        assert!(!lost(&[zeros[0]; 20]), "one family of twenty");
        assert!(lost(&[&zeros[..], &sound[..2]].concat()), "three of five");
        assert!(!lost(&[&zeros[..2], &sound[..]].concat()), "two of six");
        assert!(!lost(&[&zeros[..1], &sound[..1]].concat()), "one of two");
        assert!(!lost(&sound) && !lost(&[]));
    }

    /// Probability that so many or more of these numbers end in 0, reckoned number by number.
    fn probability(at_least: u32, numbers: u32, share: f64) -> f64 {
        let mut chances = vec![1.0];
        for _ in 0..numbers {
            let mut next = vec![0.0; chances.len() + 1];
            for (at, chance) in chances.iter().enumerate() {
                next[at] += chance * (1.0 - share);
                next[at + 1] += chance * share;
            }
            chances = next;
        }
        chances.iter().skip(usize::try_from(at_least).expect("small")).sum()
    }

    #[test]
    fn a_sound_column_seldom_loses_its_zeros_and_a_cut_one_is_seen() {
        const REAL_SHARE: f64 = 0.02;
        for numbers in 2..=500 {
            let threshold = (1..=numbers).find(|zeros| beyond_chance(*zeros, numbers)).expect("all of them");
            let sound = probability(threshold, numbers, ZERO_SHARE);
            assert!(sound < FALSE_ALARM, "{numbers}: {sound}");
            let real = probability(threshold, numbers, REAL_SHARE);
            assert!(real < 0.0005, "{numbers}: {real}");
            assert!(threshold * 10 <= numbers * 4 || numbers < 20, "four in ten: {threshold} of {numbers}");
        }
        assert!(beyond_chance(6, 20) && !beyond_chance(5, 20));
        assert!(!beyond_chance(100_000, 1_000_000) && beyond_chance(101_000, 1_000_000));
    }
}
