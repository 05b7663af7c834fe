//! Rows that are nobody: totals, what stands below a table, lines of a template that nobody filled in.

use std::{collections::BTreeSet, sync::LazyLock};

use serde::Deserialize;

use super::{
    context::titled,
    find::Heading,
    heading::{Role, role},
};
use crate::clean::{
    address,
    words::{self, folded},
};

/// Digits from which a number is somebody's.
const LONG: usize = 10;

/// What the first word of a row makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Footer {
    /// A total, of a table or a part of one.
    Total,
    /// The table is over.
    End,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    totals: BTreeSet<String>,
    ends: BTreeSet<String>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    toml::from_str(include_str!("../../data/footers.toml")).expect("our own table, which a test reads")
});

/// What the first word of a row makes of it, unless a number in it is somebody's, or a running one.
pub fn of(heading: &Heading, line: &[String]) -> Option<Footer> {
    // A head of a family is no head of a village.
    let relation = heading.column(Role::Hubungan);
    let is_head = |at: usize, cell: &str| Some(at) == relation && words::relation(cell).is_some();
    // Nor is somebody's sex a total of men or women.
    let sex = heading.column(Role::JenisKelamin);
    let is_sex = |at: usize, cell: &str| Some(at) == sex && words::sex(cell).is_some();
    let is_words = |at: usize, cell: &str| {
        cell.chars().any(char::is_alphabetic) && !is_head(at, cell) && !is_sex(at, cell)
    };
    let (_, first) = line.iter().enumerate().find(|(at, cell)| is_words(*at, cell))?;
    let numbered = line.iter().find(|cell| !cell.is_empty()).is_some_and(|cell| is_running(cell));
    if numbered || line.iter().any(|cell| is_long(cell)) {
        return None;
    }
    word(first).filter(|word| *word == Footer::End || !tells_of_somebody(heading, line))
}

/// Digits from which a cell of birth dates is no number of people.
const DATE_DIGITS: usize = 5;

/// Whether a row has what no total has: a number of somebody, a birth date or a relation.
pub fn tells_of_somebody(heading: &Heading, line: &[String]) -> bool {
    let cell = |role: Role| heading.column(role).and_then(|at| line.get(at)).map_or("", String::as_str);
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    let born = [Role::TanggalLahir, Role::TempatTanggalLahir].map(cell);
    digits(cell(Role::Nik)) >= LONG
        || born.iter().any(|text| digits(text) >= DATE_DIGITS)
        || words::relation(cell(Role::Hubungan)).is_some()
}

/// What a text makes of a row that begins with it.
pub fn word(text: &str) -> Option<Footer> {
    let text = folded(text);
    let begins = |words: &BTreeSet<String>| {
        let mut words = words.iter().filter_map(|word| text.strip_prefix(word.as_str()));
        words.any(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    if begins(&WORDS.totals) {
        return Some(Footer::Total);
    }
    begins(&WORDS.ends).then_some(Footer::End)
}

/// Whether a row with little in it is nobody: numbers alone, as of a total or of a template, one text that is no name, or
/// another line of a heading.
pub fn is_nobody(line: &[String], name: Option<&str>) -> bool {
    if line.iter().any(|cell| is_long(cell)) {
        return false;
    }
    let texts = line.iter().filter(|cell| cell.chars().any(char::is_alphabetic)).count();
    let written = line.iter().filter(|cell| cell.chars().any(char::is_alphanumeric)).count();
    let headings = line.iter().filter(|cell| role(cell).is_some()).count();
    texts == 0 || headings * 2 > written || (written == 1 && !name.is_some_and(may_be_name))
}

/// Whether a text that stands alone in the column of names may be one, rather than a title for the rows below.
fn may_be_name(text: &str) -> bool {
    let area = address::area(text, true).is_some();
    let odd = |c: char| c.is_ascii_digit() || matches!(c, '(' | ')' | ':');
    !area && titled(text).is_empty() && !text.contains(odd)
}

/// Whether a cell is the running number of a row.
fn is_running(cell: &str) -> bool {
    let digits = cell.trim_end_matches('.').trim_end_matches(".0");
    !digits.is_empty() && digits.len() < LONG && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a cell is a number of somebody: an official's, with `NIP.` in front of it, is a footer's.
fn is_long(cell: &str) -> bool {
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    digits >= LONG && !cell.chars().any(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Vec<String> {
        text.split('|').map(str::to_owned).collect()
    }

    #[test]
    fn every_word_is_folded() {
        for word in WORDS.totals.iter().chain(&WORDS.ends) {
            assert_eq!(*word, folded(word));
        }
    }

    #[test]
    fn totals_templates_and_titles_are_nobody_and_names_are_somebody() {
        for (text, name, nobody) in [
            ("12|||", None, true),
            ("|||7|5", None, true),
            ("|Senggigi, 12 Maret 2016||", Some("Senggigi, 12 Maret 2016"), true),
            ("|DUSUN LOCO||", Some("DUSUN LOCO"), true),
            ("||RECORD|", None, true),
            ("|SITI||", Some("SITI"), false),
            ("12|SITI||", Some("SITI"), false),
            ("|||5201140101109001", None, false),
            ("3||JL MAWAR|", None, false),
            ("|Tempat|Tanggal|Ibu|Ayah", Some("Tempat"), true),
            ("|SITI|KAWIN|", Some("SITI"), false),
            ("||NIP. 198001012005011001|", None, true),
        ] {
            assert_eq!(is_nobody(&line(text), name), nobody, "{text}");
        }
    }
}
