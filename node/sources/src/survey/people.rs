//! Who occurs more than once in a delivery: the same person or family, another one, or one whose number was cut.

use std::collections::{BTreeMap, HashMap};

use dtsen_proto::column;
use jiff::civil::Date;

use super::seen::{Kept, Seen};
use crate::record::Record;

/// Rows of one number that are compared with those of a number that may be the same one: nobody stands there more often,
/// and each is compared with each.
const NAMESAKES: usize = 50;
/// Bytes of a family in memory, with what keeps it.
const FAMILY_BYTES: usize = 48;

/// Which rows of a delivery have a NIK that others have too.
#[derive(Default)]
pub struct People {
    kept: Kept,
    /// By NIK: the row that counts, or none if nobody can say whose it is.
    decided: HashMap<u64, Verdict>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// This row counts, the others are older.
    Newest(u64),
    /// Two people, and the NIK is this row's.
    Owner(u64),
    /// Two people, and nobody knows whose.
    Nobody,
    /// Its last digit is lost: the same person is also there with another one.
    Cut,
}

/// What a row is beside the others with its NIK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The only one, or the one that counts.
    Counts,
    /// Another row of the same person counts.
    Superseded,
    /// The NIK is another person's, or may be.
    NotTheirs,
    /// The NIK has lost its last digit.
    Cut,
}

/// Names at least so alike are one person's, written twice.
const ALIKE: f64 = 0.88;

impl People {
    /// Notes a row that was read.
    pub fn note(&mut self, table: usize, at: u64, record: &Record, superseded: bool, changed: Option<Date>) {
        let Some(nik) = record.text(column::I_NIK) else { return };
        let Ok(number) = nik.parse::<u64>() else { return };
        let born = record.number(column::I_TANGGAL_LAHIR);
        let sex = record.number(column::I_JENIS_KELAMIN);
        let parts = dtsen_proto::nik::parse(nik, dtsen_proto::nik::Number::Nik).ok();
        let day =
            born.and_then(|day| i32::try_from(day).ok()).and_then(|day| dtsen_proto::record::Day(day).date());
        let fits = parts.zip(day).is_some_and(|(parts, day)| {
            parts.matches(day) && sex.is_none_or(|sex| (sex == 2) == parts.female)
        });
        let name = record.text(column::I_NAMA).unwrap_or_default();
        let born = born.and_then(|day| i32::try_from(day).ok());
        self.kept.push(table, number, Seen { at, name, born, fits, superseded, changed });
    }

    /// Bytes that it takes in memory.
    pub fn bytes(&self) -> usize {
        self.kept.bytes()
    }

    /// Decides, after the last row; of a table whose numbers are other people's no row is beside another one.
    pub fn decide(&mut self, is_anothers: impl Fn(usize) -> bool) {
        let decided = &mut self.decided;
        std::mem::take(&mut self.kept).each_ten(is_anothers, |ten| {
            for (number, rows) in ten.numbers() {
                if number.is_multiple_of(10)
                    && is_cut(rows.clone().take(NAMESAKES), || {
                        ten.numbers()
                            .filter(|(other, _)| *other != number)
                            .flat_map(|(_, rows)| rows.take(NAMESAKES))
                    })
                {
                    decided.insert(number, Verdict::Cut);
                } else if rows.clone().nth(1).is_some()
                    && let Some(verdict) = verdict(rows.filter(|seen| !seen.superseded))
                {
                    decided.insert(number, verdict);
                }
            }
        });
    }

    /// What this row is beside the others with its NIK.
    pub fn standing(&self, at: u64, nik: u64) -> Standing {
        match self.decided.get(&nik) {
            None => Standing::Counts,
            Some(Verdict::Newest(row)) if *row == at => Standing::Counts,
            Some(Verdict::Newest(_)) => Standing::Superseded,
            Some(Verdict::Owner(row)) if *row == at => Standing::Counts,
            Some(Verdict::Owner(_) | Verdict::Nobody) => Standing::NotTheirs,
            Some(Verdict::Cut) => Standing::Cut,
        }
    }
}

/// Whether a person whose number ends in 0 is also there with another last digit. Twins have names of their own.
fn is_cut<'a, R: Iterator<Item = Seen<'a>>>(
    mut rows: impl Iterator<Item = Seen<'a>>,
    others: impl Fn() -> R,
) -> bool {
    rows.any(|row| others().any(|other| is_namesake(&row, &other)))
}

fn verdict<'a>(mut rows: impl Iterator<Item = Seen<'a>> + Clone) -> Option<Verdict> {
    let all = rows.clone();
    let first = rows.next()?;
    if rows.all(|row| same_person(&first, &row)) {
        let newest = all.max_by_key(|row| (row.changed, row.at))?;
        return Some(Verdict::Newest(newest.at));
    }
    let mut fitting = all.filter(|row| row.fits);
    match (fitting.next(), fitting.next()) {
        (Some(owner), None) => Some(Verdict::Owner(owner.at)),
        _ => Some(Verdict::Nobody),
    }
}

/// The words of a name, whatever their order.
fn name_words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = name.split_whitespace().map(str::to_owned).collect();
    words.sort_unstable();
    words
}

fn same_day(left: &Seen<'_>, right: &Seen<'_>) -> bool {
    left.born.is_none() || right.born.is_none() || left.born == right.born
}

/// The same name and day of birth.
fn is_namesake(left: &Seen<'_>, right: &Seen<'_>) -> bool {
    !left.name.is_empty() && name_words(left.name) == name_words(right.name) && same_day(left, right)
}

fn same_person(left: &Seen<'_>, right: &Seen<'_>) -> bool {
    let (one, other) = (name_words(left.name), name_words(right.name));
    if one.is_empty() || other.is_empty() || one == other {
        return true;
    }
    let within = |few: &[String], many: &[String]| few.iter().all(|word| many.contains(word));
    let same_day = same_day(left, right);
    if (within(&one, &other) || within(&other, &one)) && same_day {
        return true;
    }
    // Twins differ in one name and share the day: only a slip of the pen is believed then.
    same_day
        && strsim::jaro_winkler(&one.join(" "), &other.join(" ")) >= ALIKE
        && strsim::levenshtein(&one.join(" "), &other.join(" ")) <= 2
}

/// Which rows of a delivery are of a family that a later row of the same table is of too. Tables are kept apart: a
/// questionnaire has several of one family.
#[derive(Default)]
pub struct Families {
    /// By table and No. KK: when the row that counts was changed, and its place in the order of reading.
    newest: BTreeMap<(usize, u64), (Option<Date>, u64)>,
}

impl Families {
    /// Bytes that it takes in memory.
    pub fn bytes(&self) -> usize {
        self.newest.len() * FAMILY_BYTES
    }

    /// Notes a row that was read.
    pub fn note(&mut self, table: usize, at: u64, record: &Record, changed: Option<Date>) {
        let number = record.text(column::K_NOMOR_KARTU_KELUARGA).and_then(|number| number.parse().ok());
        let Some(number) = number else { return };
        let newest = self.newest.entry((table, number)).or_default();
        *newest = (*newest).max((changed, at));
    }

    /// What this row is beside the others with its No. KK.
    pub fn standing(&self, table: usize, at: u64, number: u64) -> Standing {
        match self.newest.get(&(table, number)) {
            Some((_, newest)) if *newest != at => Standing::Superseded,
            _ => Standing::Counts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(at: u64, name: &str, born: i32, fits: bool) -> Seen<'_> {
        Seen { at, name, born: Some(born), fits, superseded: false, changed: None }
    }

    fn judged(rows: &[&Seen<'_>]) -> Option<Verdict> {
        verdict(rows.iter().map(|seen| **seen))
    }

    #[test]
    fn one_person_twice_or_two_people() {
        let (a, b) = (seen(1, "SITI AMINAH", 5, true), seen(2, "SITI AMINA", 5, true));
        assert!(judged(&[&a, &b]) == Some(Verdict::Newest(2)));
        assert!(judged(&[&a, &seen(2, "AMINAH SITI", 6, false)]) == Some(Verdict::Newest(2)));
        assert!(judged(&[&a, &seen(2, "BUDI", 9, false)]) == Some(Verdict::Owner(1)));
        assert!(judged(&[&a, &seen(2, "BUDI", 5, true)]) == Some(Verdict::Nobody), "twins");
        let newer = Seen { changed: Some(jiff::civil::date(2024, 1, 1)), ..a };
        let older = Seen { at: 3, changed: Some(jiff::civil::date(2020, 1, 1)), ..a };
        assert!(judged(&[&newer, &older]) == Some(Verdict::Newest(1)));
    }

    #[test]
    fn a_cut_number_is_seen_beside_the_whole_one() {
        let mut people = People::default();
        let rows = [
            (5_271_014_101_909_010, seen(1, "SITI AMINAH", 5, true)),
            (5_271_014_101_909_013, seen(2, "AMINAH SITI", 5, true)),
            // Twins.
            (5_271_014_101_909_020, seen(3, "SITI FATIMAH", 5, true)),
            (5_271_014_101_909_021, seen(4, "SITI FATMAWATI", 5, true)),
        ];
        for (number, row) in rows {
            people.kept.push(0, number, row);
        }
        people.decide(|_| false);
        let standing = |at: u64, last: u64| people.standing(at, 5_271_014_101_909_000 + last);
        assert_eq!(standing(1, 10), Standing::Cut);
        for (at, last) in [(2_u64, 13_u64), (3, 20), (4, 21)] {
            assert_eq!(standing(at, last), Standing::Counts, "{last}");
        }
    }

    #[test]
    fn many_rows_of_two_numbers_are_decided_at_once() {
        let mut people = People::default();
        for at in 0..200_000 {
            let name = format!("SITI {at}");
            people.kept.push(0, 5_271_014_101_909_010 + at % 2, seen(at, &name, 5, true));
        }
        people.decide(|_| false);
        assert_eq!(people.standing(0, 5_271_014_101_909_010), Standing::NotTheirs);
    }
}
