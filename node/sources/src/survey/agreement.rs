//! Whether the numbers of a column are the NIKs of the people beside them: what is born and of which sex they carry.

use dtsen_proto::{nik::Parts, rulebook::reason};
use jiff::civil::Date;

use crate::{
    cell::Cell,
    clean::date::{self, Context},
};

/// Share, in percent, from which what is compared is as good as always so.
pub(crate) const MOST: usize = 80;
/// Share below which most of it is otherwise.
pub(crate) const HALF: usize = 50;
/// Share below which it says that the people are others.
pub(crate) const PERSONS: usize = 70;
/// Rows that two columns are compared in at least: fewer agree by chance.
pub(crate) const PAIRS_AT_LEAST: usize = 3;
/// Rows that speak against a whole column of NIKs at least: in a small table one wrong date among three is no evidence.
const NIKS_AT_LEAST: usize = 5;

/// How many rows agree, of those where both columns say something.
#[derive(Default, Clone, Copy)]
pub(crate) struct Pairs {
    all: usize,
    fits: usize,
}

impl Pairs {
    pub(crate) fn add(&mut self, fits: bool) {
        self.all += 1;
        self.fits += usize::from(fits);
    }

    /// In percent, if there are enough to say so.
    pub(crate) fn share(self) -> Option<usize> {
        self.share_of(PAIRS_AT_LEAST)
    }

    fn share_of(self, at_least: usize) -> Option<usize> {
        (self.all >= at_least).then(|| self.fits * 100 / self.all)
    }
}

impl FromIterator<bool> for Pairs {
    fn from_iter<I: IntoIterator<Item = bool>>(rows: I) -> Self {
        let mut pairs = Self::default();
        rows.into_iter().for_each(|fits| pairs.add(fits));
        pairs
    }
}

/// How the NIKs of a table agree with the birth dates and sexes of their rows.
#[derive(Default, Clone, Copy)]
pub(super) struct Agreement {
    born: Pairs,
    sex: Pairs,
    men: bool,
    women: bool,
}

impl Agreement {
    pub(super) fn look(&mut self, nik: Parts, born: Option<Date>, sex: Option<i64>) {
        self.men |= !nik.female;
        self.women |= nik.female;
        if let Some(born) = born {
            self.born.add(is_near(nik, born));
        }
        if let Some(sex) = sex {
            self.sex.add((sex == 2) == nik.female);
        }
    }

    /// Why the whole column is somebody else's, if it is. Where all are women, as mothers are, agreement of the sex says
    /// nothing.
    pub(super) fn against(self) -> Option<&'static str> {
        match (self.born.share_of(NIKS_AT_LEAST), self.sex.share_of(NIKS_AT_LEAST)) {
            (Some(..HALF), Some(MOST..)) if self.men && self.women => None,
            (Some(..HALF), _) => Some(reason::NIK_BIRTH_DIFFERS),
            (None, Some(..PERSONS)) => Some(reason::NIK_SEX_DIFFERS),
            _ => None,
        }
    }
}

/// Whether a date may be that of a NIK, written wrongly: the day and the month, or the year. Lists whose every year is one
/// off are known.
fn is_near(nik: Parts, born: Date) -> bool {
    let same_day = (born.day(), born.month()) == (nik.day, nik.month);
    same_day || born.year().rem_euclid(100) == nik.year
}

/// The day that a cell tells, alone or behind a place.
pub(crate) fn day_in(cell: &Cell, context: &Context) -> Option<Date> {
    let reading = match cell {
        Cell::Day(day) => date::read_cell(*day, context),
        Cell::Text(text) => match date::read(text, context) {
            date::Reading::Unreadable => date::split_place(text, context).1,
            read => read,
        },
        Cell::Number(number) => date::read_serial(*number, context),
        _ => return None,
    };
    match reading {
        date::Reading::Day(day) | date::Reading::Swapped(day) => Some(day),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use dtsen_proto::nik::{Number, parse};
    use jiff::civil::date;

    use super::*;

    fn against(rows: &[(&str, Option<Date>, Option<i64>)]) -> Option<&'static str> {
        let mut agreement = Agreement::default();
        for (nik, born, sex) in rows {
            agreement.look(parse(nik, Number::Nik).expect("a NIK"), *born, *sex);
        }
        agreement.against()
    }

    #[test]
    fn a_column_is_anothers_if_most_of_it_disagrees() {
        let (mother, own) = ("5201145406779001", "5201140306079002");
        let child = Some(date(2007, 6, 3));
        let of_mothers = [1, 2, 1, 1, 1].map(|sex| (mother, child, Some(sex)));
        assert_eq!(against(&of_mothers), Some(reason::NIK_BIRTH_DIFFERS));
        assert_eq!(against(&of_mothers[..4]), None, "too few");
        assert_eq!(against(&of_mothers.map(|(nik, _, sex)| (nik, None, sex))), Some(reason::NIK_SEX_DIFFERS));
        // Daughters: their mothers' sex says nothing. Of both sexes, it does.
        let daughters = of_mothers.map(|(nik, born, _)| (nik, born, Some(2)));
        assert_eq!(against(&daughters), Some(reason::NIK_BIRTH_DIFFERS));
        let late = Some(date(1950, 1, 1));
        let (man, woman) = ((own, late, Some(1)), (mother, late, Some(2)));
        assert_eq!(against(&[man, man, woman, man, woman]), None);
        // Two in five, and a year too much everywhere.
        let (his, hers) = ((own, child, None), (mother, child, None));
        assert_eq!(against(&[his, his, his, hers, hers]), None);
        let year_off = Some(date(2008, 6, 3));
        assert_eq!(against(&[(own, year_off, None); NIKS_AT_LEAST]), None);
    }
}
