//! What all rows of a table tell together: how its columns write numbers and dates, what its codes mean, who occurs
//! more than once (`survey/people.rs`). Gathered in a first reading, before any row is believed.

pub(crate) mod agreement;
mod people;
mod seen;

use agreement::Agreement;
use dtsen_proto::nik::{self, Number, Parts};
use jiff::civil::Date;
pub use people::{Families, People, Standing};

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
};

/// Women in the place of a spouse, children in the place of a child, and the like, from which a list is believed.
const EVIDENCE: u32 = 3;
/// If one in so many of a code of marriage is a spouse, it means married: nearly every couple has two of them.
const SPOUSES: u32 = 3;
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
    marriage: Marriage,
    status: Status,
    /// Of the NIKs with births and sexes.
    agreement: Agreement,
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

/// What speaks for a list of marriage with one code more: married and registered, married and not.
#[derive(Default, Clone, Copy)]
struct Marriage {
    /// Of code 5, the widowed of that list.
    fifth: u32,
    third: u32,
    /// Of code 3: spouses of a head of family, whom nobody calls divorced.
    third_spouses: u32,
    /// The same, if the relations are Dukcapil's.
    third_wives: u32,
    /// A code that neither list has.
    beyond: bool,
}

/// The lists that numbers of marriage may be of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marriages {
    /// DTSEN's: never, married, divorced, widowed.
    Four,
    /// Never, married and registered, married and not, divorced, widowed.
    Five,
    /// One or the other: only the first two codes mean the same in both.
    Doubtful,
}

impl Table {
    /// Looks at a row's cells.
    pub fn look<'a>(&mut self, cell: impl Fn(Role) -> (&'a Cell, bool), today: Date) {
        let (nik, quoted) = cell(Role::Nik);
        self.nik.add_cell(nik, quoted);
        let (kk, quoted) = cell(Role::NoKk);
        self.kk.add_cell(kk, quoted);
        let parts = parts_of(nik);
        let nik_date = parts.map(date_of);
        let born = self.birth(cell(Role::TanggalLahir).0, nik_date, today);
        let code = |role| cell(role).0.text().trim_end_matches(".0").parse::<i64>();
        let relation = code(Role::Hubungan);
        let sex = words::sex(&cell(Role::JenisKelamin).0.text());
        if let Some(parts) = parts {
            let born = born.or_else(|| day_beside(&cell, parts, today));
            self.agreement.look(parts, born, sex);
        }
        match code(Role::StatusKawin) {
            Ok(3) => {
                let spouse = words::relation(&cell(Role::Hubungan).0.text()) == Some(2);
                self.marriage.third += 1;
                self.marriage.third_spouses += u32::from(spouse || relation == Ok(2));
                self.marriage.third_wives += u32::from(relation == Ok(3) && sex == Some(2));
            }
            Ok(5) => self.marriage.fifth += 1,
            Ok(6..) => self.marriage.beyond = true,
            _ => {}
        }
        self.status.look(&cell(Role::StatusDasar).0.text());
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
        let context = date::Context { nik, ..date::Context::on(today) };
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
            // One byte for both, so that rows of all other tables keep their digest.
            u8::from(nik.lost) | u8::from(self.against_niks().is_some()) << 1,
            u8::from(nik.quoted),
            u8::from(kk.lost),
            u8::from(kk.quoted),
            u8::from(self.month_first()),
            u8::from(self.exchanges()),
            // One byte for both, so that rows of tables without such a column keep their digest.
            self.marriages() as u8 | u8::from(self.status_is_marriage()) << 2,
            self.relations() as u8,
        ]
    }

    /// Why the NIKs of this table are those of somebody else than the people of its rows, if they are.
    pub fn against_niks(&self) -> Option<&'static str> {
        self.agreement.against()
    }

    /// Whether text dates of this table begin with the month.
    pub fn month_first(&self) -> bool {
        self.dates.month_first > self.dates.day_first
    }

    /// Whether a day cell that no NIK confirms may be the wrong way round.
    pub fn exchanges(&self) -> bool {
        self.dates.exchanged > 0
    }

    /// The list that the numbers of marriage are of. A 5 alone may be a slip; where spouses are of code 3, it means married.
    pub fn marriages(&self) -> Marriages {
        let votes = self.marriage;
        let wives = if self.relations() == List::Shdk { votes.third_wives } else { 0 };
        let spouses = votes.third_spouses + wives;
        let married = spouses > 0 && spouses * SPOUSES >= votes.third;
        match votes.fifth {
            _ if votes.beyond => Marriages::Doubtful,
            0 if married && spouses >= EVIDENCE => Marriages::Doubtful,
            0 => Marriages::Four,
            _ if married => Marriages::Five,
            _ => Marriages::Doubtful,
        }
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
        let is_marriage = words::is_of_marriage(text) && words::folded(text) != "belum";
        *(if is_marriage { &mut self.marriages } else { &mut self.others }) += 1;
    }
}

/// The day of birth of a row, wherever it stands, with the help of its NIK.
pub(crate) fn day_beside<'a>(
    cell: &impl Fn(Role) -> (&'a Cell, bool),
    nik: Parts,
    today: Date,
) -> Option<Date> {
    let context = date::Context { nik: Some(date_of(nik)), ..date::Context::on(today) };
    let births = [Role::TanggalLahir, Role::TempatTanggalLahir, Role::TempatLahir];
    births.into_iter().find_map(|role| agreement::day_in(cell(role).0, &context))
}

/// What a sound NIK carries.
fn parts_of(cell: &Cell) -> Option<Parts> {
    let number::Cell::Sound(number) = number::read_cell(cell, number::Column::default(), true) else {
        return None;
    };
    nik::parse(&format!("{number:016}"), Number::Nik).ok()
}

fn date_of(nik: Parts) -> NikDate {
    NikDate { day: nik.day, month: nik.month, year: nik.year }
}

/// The day of birth in a sound NIK.
pub fn nik_date(cell: &Cell) -> Option<NikDate> {
    parts_of(cell).map(date_of)
}

/// The day of birth in a NIK.
pub fn date_in(nik: &str) -> Option<NikDate> {
    nik::parse(nik, Number::Nik).ok().map(date_of)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(table(&["Kawin", "Janda", "Duda", "JANDA/DUDA"]));
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

    #[test]
    fn five_marriages_are_known_by_couples() {
        for (fifth, third, third_spouses, list) in [
            (0, 0, 0, Marriages::Four),
            (0, 20, 1, Marriages::Four),
            (0, 6, 3, Marriages::Doubtful),
            (1, 0, 0, Marriages::Doubtful),
            (1, 20, 1, Marriages::Doubtful),
            (1, 2, 1, Marriages::Five),
        ] {
            let marriage = Marriage { fifth, third, third_spouses, ..Marriage::default() };
            let table = Table { marriage, ..Table::default() };
            assert_eq!(table.marriages(), list, "{fifth} {third} {third_spouses}");
            let marriage = Marriage { beyond: true, ..marriage };
            assert_eq!(Table { marriage, ..table }.marriages(), Marriages::Doubtful);
        }
    }
}
