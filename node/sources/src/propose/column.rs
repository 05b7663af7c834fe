//! What the cells of one column look like, whatever stands above them.

use std::collections::HashSet;

use dtsen_proto::nik::{self, Number, Parts};
use jiff::civil::Date;

use super::words::{self, WORDS};
use crate::{
    cell::Cell,
    clean::{
        date::{self, NikDate},
        number::{self, Cell as Read},
        text::is_missing,
        words::{folded, marriage, relation, sex, standing},
    },
    layout::heading::Role,
    survey::agreement::{Pairs, day_in},
    value,
};

/// Years from which dates of birth are spread over generations.
pub(super) const DECADES: i16 = 20;
/// Years back from today in which a date may as well be one of an event.
const RECENT: i16 = 2;
/// Places of a NIK among which the first two are the province.
const AREA: usize = 6;

/// A column and its cells, as far as they hold anything; in the order of the rows, which all columns share.
pub(super) struct Cells<'a> {
    pub(super) cells: Vec<&'a Cell>,
    today: Date,
}

impl<'a> Cells<'a> {
    pub(super) fn new(cells: Vec<&'a Cell>, today: Date) -> Self {
        Self { cells, today }
    }

    pub(super) fn filled(&self) -> impl Iterator<Item = &'a Cell> + '_ {
        self.cells.iter().copied().filter(|cell| !cell.is_empty() && !is_missing(&cell.text()))
    }

    /// How many of the filled cells are so, in percent.
    pub(super) fn share(&self, fits: impl Fn(&Cell) -> bool) -> usize {
        let all = self.filled().count();
        self.filled().filter(|cell| fits(cell)).count() * 100 / all.max(1)
    }

    /// How many of the filled cells are different, in percent.
    pub(super) fn different(&self) -> usize {
        let texts: HashSet<String> = self.filled().map(|cell| cell.text().into_owned()).collect();
        texts.len() * 100 / self.filled().count().max(1)
    }

    fn context(&self, nik: Option<Parts>) -> date::Context {
        let nik = nik.map(|nik| NikDate { day: nik.day, month: nik.month, year: nik.year });
        date::Context { nik, ..date::Context::on(self.today) }
    }

    /// The day that a cell tells, alone or behind a place; a NIK says which number is the month.
    fn day(&self, cell: &Cell, nik: Option<Parts>) -> Option<Date> {
        day_in(cell, &self.context(nik))
    }

    pub(super) fn days(&self) -> Vec<Date> {
        self.filled().filter_map(|cell| self.day(cell, None)).collect()
    }

    /// Whether a cell is a date by itself: a number may be anything.
    pub(super) fn is_day(&self, cell: &Cell) -> bool {
        match cell {
            Cell::Text(text) => !matches!(
                date::read(text, &self.context(None)),
                date::Reading::Unreadable | date::Reading::Missing | date::Reading::YearOnly(_)
            ),
            other => matches!(other, Cell::Day(_)),
        }
    }

    pub(super) fn is_place_and_day(&self, cell: &Cell) -> bool {
        let text = cell.text();
        let (place, day) = date::split_place(&text, &self.context(None));
        place.chars().any(char::is_alphabetic) && !matches!(day, date::Reading::Missing)
    }

    /// Whether nearly all days are of the last years.
    pub(super) fn is_recent(&self) -> bool {
        let days = self.days();
        let recent = days.iter().filter(|day| self.today.year() - day.year() < RECENT).count();
        recent * 100 >= days.len() * super::MOST
    }

    /// Whether nearly all numbers carry a date of the last years.
    pub(super) fn is_numbered_lately(&self) -> bool {
        let all: Vec<Parts> = self.niks().into_iter().flatten().collect();
        let year = |nik: &&Parts| (self.today.year() % 100 - nik.year).rem_euclid(100) < RECENT;
        all.iter().filter(year).count() * 100 >= all.len() * super::MOST
    }

    /// The parts of the numbers that may be a NIK, row by row.
    pub(super) fn niks(&self) -> Vec<Option<Parts>> {
        self.cells.iter().map(|cell| parts(cell, Number::Nik)).collect()
    }

    /// Of the rows where both say something, how many of the dates here are that of the NIK there, in percent.
    pub(super) fn agrees(&self, niks: &[Option<Parts>]) -> Option<usize> {
        let pairs = self.cells.iter().zip(niks).filter_map(|(cell, nik)| {
            let nik = (*nik)?;
            self.day(cell, Some(nik)).map(|day| nik.matches(day))
        });
        pairs.collect::<Pairs>().share()
    }

    /// The same of the sex.
    pub(super) fn agrees_in_sex(&self, niks: &[Option<Parts>]) -> Option<usize> {
        let pairs = self.cells.iter().zip(niks).filter_map(|(cell, nik)| {
            let nik = (*nik)?;
            sex(&cell.text()).map(|sex| (sex == 2) == nik.female)
        });
        pairs.collect::<Pairs>().share()
    }

    /// How many of the filled cells are as those of a role are, in percent; all where nobody can tell.
    pub(super) fn like(&self, role: Role) -> usize {
        let number = |cell: &Cell, most: i64| {
            cell.text().trim_end_matches(".0").parse::<i64>().is_ok_and(|number| (0..=most).contains(&number))
        };
        let letters = |cell: &Cell| cell.text().chars().filter(|c| c.is_alphabetic()).count();
        let digits = |cell: &Cell| cell.text().chars().filter(char::is_ascii_digit).count();
        self.share(|cell| match role {
            Role::Nik => is_number(cell, Number::Nik),
            Role::NoKk => is_number(cell, Number::Kk),
            Role::Nama | Role::NamaKepala => is_name(cell),
            Role::JenisKelamin => sex(&cell.text()).is_some(),
            Role::TanggalLahir => {
                self.is_day(cell) || self.day(cell, None).is_some() || is_year(cell) || digits(cell) == 8
            }
            Role::TempatTanggalLahir => digits(cell) >= 4 || self.is_day(cell),
            Role::TempatLahir | Role::Desa | Role::Kecamatan | Role::Kabupaten | Role::Provinsi => {
                letters(cell) > 2
            }
            Role::Hubungan => number(cell, 99) || relation(&bare(cell)).is_some(),
            Role::StatusKawin => number(cell, 9) || is_marriage(cell),
            Role::StatusDasar => !is_marriage(cell) || standing(&cell.text()).is_some(),
            Role::Rt | Role::Rw => matches!(digits(cell), 1..=6),
            Role::RtRw | Role::RwRt => digits(cell) > 0 || matches!(cell, Cell::Day(_)),
            Role::KodeDesa => value::area(&cell.text()).is_some(),
            Role::JumlahAnggota => number(cell, 99),
            _ => true,
        })
    }
}

/// The parts of the cell's number, if it may be one of this kind.
pub(super) fn parts(cell: &Cell, which: Number) -> Option<Parts> {
    let Read::Sound(number) = number::read_cell(cell, number::Column::default(), true) else {
        // Its last digit is lost; what stands before it is not.
        let digits = cell.text().trim_end_matches(".0").to_owned();
        let lost = matches!(cell, Cell::Number(_)) && digits.len() == nik::DIGITS;
        return if lost { nik::parse(&format!("{}1", &digits[..nik::DIGITS - 1]), which).ok() } else { None };
    };
    nik::parse(&format!("{number:016}"), which).ok()
}

/// Whether a cell holds such a number, or one that was damaged or made up.
fn is_number(cell: &Cell, which: Number) -> bool {
    match number::read_cell(cell, number::Column::default(), true) {
        Read::AsNumber => true,
        Read::Placeholder => cell.text().len() == nik::DIGITS,
        _ => parts(cell, which).is_some(),
    }
}

/// Whether the area that a number begins with may be one: provinces have two digits from 11.
pub(super) fn is_of_area(nik: &Parts) -> bool {
    let code: String = nik.area.map(char::from)[..AREA].iter().collect();
    code.get(..2).is_some_and(|province| ("11"..="97").contains(&province))
}

fn is_year(cell: &Cell) -> bool {
    cell.text().trim_end_matches(".0").parse::<i16>().is_ok_and(|year| (1900..2100).contains(&year))
}

/// Words without the number of a list before them.
fn bare(cell: &Cell) -> String {
    cell.text().trim_start_matches(|c: char| !c.is_alphabetic()).to_owned()
}

pub(super) fn is_name(cell: &Cell) -> bool {
    let text = cell.text();
    let street = words::first(&WORDS.streets, folded(&text).split(' ').next().unwrap_or_default());
    let digits = text.chars().filter(char::is_ascii_digit).count();
    text.chars().filter(|c| c.is_alphabetic()).count() > 1 && digits < 2 && street.is_none()
}

pub(super) fn is_marriage(cell: &Cell) -> bool {
    let words = bare(cell);
    !words.is_empty() && (marriage(&words).is_some() || words::first(&WORDS.ended, &folded(&words)).is_some())
}

/// Whether a cell is a word, not a number, and means something.
pub(super) fn is_word(cell: &Cell, read: fn(&str) -> Option<i64>) -> bool {
    let text = cell.text();
    text.chars().any(char::is_alphabetic) && read(&text).is_some()
}
