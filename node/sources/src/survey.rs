//! What all rows of a table tell together: how its columns write numbers and dates, what its codes mean, who occurs
//! more than once. Gathered in a first reading, before any row is believed.

use std::collections::HashMap;

use dtsen_proto::column;
use jiff::civil::Date;

use crate::{
    cell::Cell,
    clean::{
        date::{self, NikDate},
        number::{self, Sample},
        text::is_missing,
        words,
    },
    layout::heading::Role,
    preset::List,
    record::Record,
};

/// Women in the place of a spouse, or children in the place of a child, from which a list is believed.
const EVIDENCE: u32 = 3;
/// So many words of marriage there are at least for one that is none, in a column that tells of it.
const OTHERS_FOR_ONE: u32 = 9;
/// The highest code of relation that DTSEN has.
const HIGHEST_DTSEN: i64 = 8;
/// Below this age a member of a family is a child or grandchild.
const CHILD_YEARS: i16 = 15;

/// What is known of one table.
#[derive(Default)]
pub struct Table {
    nik: Sample,
    kk: Sample,
    dates: Dates,
    relation: Relation,
    five_marriages: bool,
    status: Status,
    number: Option<(number::Column, number::Column)>,
}

/// Votes for the order of day and month.
#[derive(Default, Clone, Copy)]
struct Dates {
    day_first: u32,
    month_first: u32,
    /// Day cells that the NIK confirms exchanged.
    exchanged: u32,
}

/// What a column that is called `STATUS` and nothing else says.
#[derive(Default, Clone, Copy)]
struct Status {
    /// Words of marriage.
    marriages: u32,
    /// Anything else.
    others: u32,
}

/// What speaks for either list of relations.
#[derive(Default, Clone, Copy)]
struct Relation {
    beyond_dtsen: bool,
    /// Of code 3: men, who are nobody's wife.
    third_men: u32,
    third_women: u32,
    /// Of code 3 and of code 4: children by their age.
    third_children: u32,
    fourth_children: u32,
}

impl Table {
    /// Looks at a row's cells.
    pub fn look<'a>(&mut self, cell: impl Fn(Role) -> (&'a Cell, bool), today: Date) {
        let (nik, quoted) = cell(Role::Nik);
        self.nik.add_cell(nik, quoted);
        let (kk, quoted) = cell(Role::NoKk);
        self.kk.add_cell(kk, quoted);
        let nik_date = nik_date(nik);
        let born = self.birth(cell(Role::TanggalLahir).0, nik_date, today);
        if cell(Role::StatusKawin).0.text().trim_end_matches(".0") == "5" {
            self.five_marriages = true;
        }
        self.status.look(&cell(Role::StatusDasar).0.text());
        let relation = cell(Role::Hubungan).0.text().trim_end_matches(".0").parse::<i64>();
        let sex = words::sex(&cell(Role::JenisKelamin).0.text());
        let votes = &mut self.relation;
        let child = born.is_some_and(|born| today.year() - born.year() < CHILD_YEARS);
        match relation {
            Ok(code) if code > HIGHEST_DTSEN => votes.beyond_dtsen = true,
            Ok(3) => {
                votes.third_men += u32::from(sex == Some(1));
                votes.third_women += u32::from(sex == Some(2));
                votes.third_children += u32::from(child);
            }
            Ok(4) => votes.fourth_children += u32::from(child),
            _ => {}
        }
    }

    fn birth(&mut self, cell: &Cell, nik: Option<NikDate>, today: Date) -> Option<Date> {
        let context = date::Context { today, nik, adult: false, month_first: false };
        match cell {
            Cell::Day(day) => {
                if let Some(nik) = nik
                    && day.day() <= 12
                    && day.day() != day.month()
                    && day.year() % 100 == nik.year
                {
                    self.dates.exchanged += u32::from((day.month(), day.day()) == (nik.day, nik.month));
                }
                Some(*day)
            }
            Cell::Text(text) => {
                if let Some((first, second)) = date::first_two(text) {
                    let fits = |day: i16, month: i16| {
                        nik.is_some_and(|nik| (i16::from(nik.day), i16::from(nik.month)) == (day, month))
                    };
                    let different = first != second;
                    self.dates.day_first +=
                        u32::from(first > 12 || (different && second <= 12 && fits(first, second)));
                    self.dates.month_first +=
                        u32::from(second > 12 || (different && first <= 12 && fits(second, first)));
                }
                match date::read(text, &context) {
                    date::Reading::Day(day) | date::Reading::Swapped(day) => Some(day),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// How the NIK column and the KK column write numbers.
    pub fn numbers(&mut self) -> (number::Column, number::Column) {
        *self.number.get_or_insert_with(|| (self.nik.column(), self.kk.column()))
    }

    /// What of it the reading of a row depends on, in bytes.
    pub fn habits(&mut self) -> [u8; 8] {
        let (nik, kk) = self.numbers();
        [
            u8::from(nik.lost),
            u8::from(nik.quoted),
            u8::from(kk.lost),
            u8::from(kk.quoted),
            u8::from(self.month_first()),
            u8::from(self.exchanges()),
            // One byte for both, so that rows of tables without such a column keep their digest.
            u8::from(self.five_marriages) | u8::from(self.status_is_marriage()) << 1,
            self.relations() as u8,
        ]
    }

    /// Whether text dates of this table begin with the month.
    pub fn month_first(&self) -> bool {
        self.dates.month_first > self.dates.day_first
    }

    /// Whether a day cell that no NIK confirms may be the wrong way round.
    pub fn exchanges(&self) -> bool {
        self.dates.exchanged > 0
    }

    /// Whether marriage has five codes: the second and the third both mean married.
    pub fn five_marriages(&self) -> bool {
        self.five_marriages
    }

    /// Whether the column of being there tells of marriage.
    pub fn status_is_marriage(&self) -> bool {
        self.status.marriages > self.status.others * OTHERS_FOR_ONE
    }

    /// The list that the numbers of relations are of, as far as the values show it.
    pub fn relations(&self) -> List {
        let votes = self.relation;
        let shdk = votes.beyond_dtsen || votes.fourth_children >= EVIDENCE;
        let dtsen = votes.third_men >= EVIDENCE || votes.third_children >= EVIDENCE;
        match (shdk, dtsen) {
            (true, false) => List::Shdk,
            (false, true) => List::Dtsen,
            (false, false)
                if votes.third_women >= EVIDENCE && votes.fourth_children > 0 && votes.third_men == 0 =>
            {
                List::Shdk
            }
            _ => List::Unknown,
        }
    }
}

impl Status {
    fn look(&mut self, text: &str) {
        if is_missing(text) || !text.chars().any(char::is_alphabetic) {
            return;
        }
        // "Belum" and "Sudah" are said of everything.
        let is_marriage = words::marriage(text).is_some() && words::folded(text) != "belum";
        *(if is_marriage { &mut self.marriages } else { &mut self.others }) += 1;
    }
}

/// The day of birth in a sound NIK.
pub fn nik_date(cell: &Cell) -> Option<NikDate> {
    let number::Cell::Sound(number) = number::read_cell(cell, number::Column::default(), true) else {
        return None;
    };
    date_in(&format!("{number:016}"))
}

/// The day of birth in a NIK.
pub fn date_in(nik: &str) -> Option<NikDate> {
    let parts = dtsen_proto::nik::parse(nik, dtsen_proto::nik::Number::Nik).ok()?;
    Some(NikDate { day: parts.day, month: parts.month, year: parts.year })
}

/// Which rows of a delivery have a NIK that others have too.
#[derive(Default)]
pub struct People {
    first: HashMap<u64, Seen>,
    again: HashMap<u64, Vec<Seen>>,
    /// By NIK: the row that counts, or none if nobody can say whose it is.
    decided: HashMap<u64, Verdict>,
}

/// A row that has a NIK.
#[derive(Clone)]
struct Seen {
    /// Place in the order of reading.
    at: u64,
    name: Box<str>,
    born: Option<i64>,
    /// The NIK was issued for this birth date and sex.
    fits: bool,
    /// The row says that it is not in force.
    superseded: bool,
    /// When it was changed, if the source says it.
    changed: Option<Date>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// This row counts, the others are older.
    Newest(u64),
    /// Two people, and the NIK is this row's.
    Owner(u64),
    /// Two people, and nobody knows whose.
    Nobody,
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
}

/// Names at least so alike are one person's, written twice.
const ALIKE: f64 = 0.88;

impl People {
    /// Notes a row that was read.
    pub fn note(&mut self, at: u64, record: &Record, superseded: bool, changed: Option<Date>) {
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
        let name = record.text(column::I_NAMA).unwrap_or_default().into();
        let seen = Seen { at, name, born, fits, superseded, changed };
        match self.first.entry(number) {
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(seen);
            }
            std::collections::hash_map::Entry::Occupied(_) => {
                self.again.entry(number).or_default().push(seen);
            }
        }
    }

    /// Decides, after the last row.
    pub fn decide(&mut self) {
        for (number, others) in std::mem::take(&mut self.again) {
            let Some(first) = self.first.get(&number) else { continue };
            let mut all = vec![first.clone()];
            all.extend(others);
            all.retain(|seen| !seen.superseded);
            if let Some(verdict) = verdict(&all) {
                self.decided.insert(number, verdict);
            }
        }
        self.first = HashMap::new();
    }

    /// What this row is beside the others with its NIK.
    pub fn standing(&self, at: u64, nik: u64) -> Standing {
        match self.decided.get(&nik) {
            None => Standing::Counts,
            Some(Verdict::Newest(row)) if *row == at => Standing::Counts,
            Some(Verdict::Newest(_)) => Standing::Superseded,
            Some(Verdict::Owner(row)) if *row == at => Standing::Counts,
            Some(Verdict::Owner(_) | Verdict::Nobody) => Standing::NotTheirs,
        }
    }
}

fn verdict(rows: &[Seen]) -> Option<Verdict> {
    let first = rows.first()?;
    if rows.iter().all(|row| same_person(first, row)) {
        let newest = rows.iter().max_by_key(|row| (row.changed, row.at))?;
        return Some(Verdict::Newest(newest.at));
    }
    let mut fitting = rows.iter().filter(|row| row.fits);
    match (fitting.next(), fitting.next()) {
        (Some(owner), None) => Some(Verdict::Owner(owner.at)),
        _ => Some(Verdict::Nobody),
    }
}

fn same_person(left: &Seen, right: &Seen) -> bool {
    let words = |name: &str| {
        let mut words: Vec<String> = name.split_whitespace().map(str::to_owned).collect();
        words.sort_unstable();
        words
    };
    let (one, other) = (words(&left.name), words(&right.name));
    if one.is_empty() || other.is_empty() || one == other {
        return true;
    }
    let within = |few: &[String], many: &[String]| few.iter().all(|word| many.contains(word));
    let same_day = left.born.is_none() || right.born.is_none() || left.born == right.born;
    if (within(&one, &other) || within(&other, &one)) && same_day {
        return true;
    }
    // Twins differ in one name and share the day: only a slip of the pen is believed then.
    same_day
        && strsim::jaro_winkler(&one.join(" "), &other.join(" ")) >= ALIKE
        && strsim::levenshtein(&one.join(" "), &other.join(" ")) <= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(at: u64, name: &str, born: i64, fits: bool) -> Seen {
        Seen { at, name: name.into(), born: Some(born), fits, superseded: false, changed: None }
    }

    #[test]
    fn one_person_twice_or_two_people() {
        let (a, b) = (seen(1, "SITI AMINAH", 5, true), seen(2, "SITI AMINA", 5, true));
        assert!(verdict(&[a.clone(), b]) == Some(Verdict::Newest(2)));
        assert!(verdict(&[a.clone(), seen(2, "AMINAH SITI", 6, false)]) == Some(Verdict::Newest(2)));
        assert!(verdict(&[a.clone(), seen(2, "BUDI", 9, false)]) == Some(Verdict::Owner(1)));
        assert!(verdict(&[a.clone(), seen(2, "BUDI", 5, true)]) == Some(Verdict::Nobody), "twins");
        let newer = Seen { changed: Some(jiff::civil::date(2024, 1, 1)), ..a.clone() };
        let older = Seen { at: 3, changed: Some(jiff::civil::date(2020, 1, 1)), ..a };
        assert!(verdict(&[newer, older]) == Some(Verdict::Newest(1)));
    }

    #[test]
    fn a_status_is_of_marriage_if_its_words_are() {
        let table = |words: &[&str]| {
            let mut status = Status::default();
            for word in words {
                status.look(word);
            }
            Table { status, ..Table::default() }.status_is_marriage()
        };
        assert!(table(&["Kawin", "BELUM KAWIN", "-", "", "CERAI MATI"]));
        assert!(!table(&["Hidup", "Mati"]) && !table(&["Tetap", "K"]) && !table(&["Belum", "Sudah"]));
        assert!(!table(&[]));
    }

    #[test]
    fn relations_are_known_by_who_has_them() {
        let table = |relation| Table { relation, ..Table::default() }.relations();
        assert_eq!(table(Relation { beyond_dtsen: true, ..Relation::default() }), List::Shdk);
        assert_eq!(table(Relation { fourth_children: 3, third_women: 5, ..Relation::default() }), List::Shdk);
        assert_eq!(table(Relation { third_men: 3, third_children: 9, ..Relation::default() }), List::Dtsen);
        assert_eq!(table(Relation::default()), List::Unknown);
    }
}
