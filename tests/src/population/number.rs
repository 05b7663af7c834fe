//! NIK and No. KK that cannot collide, by construction.
//!
//! A serial says who issued it: 9001..=9799 a kecamatan to families of its own region, 9800..=9999 a kecamatan
//! of another region of the province, in bands of five per region of origin. Inside the first band the serial
//! is a block of three: first and second of a family (same-sex twins), and a visitor from the kecamatan before.
//! Day and block together are the family's position in its kecamatan, turned by a permutation of the year, so
//! two families never share (kecamatan, date, sex, serial), whatever their members' ages are.

use std::fmt;

use super::{dice::Dice, village::Kecamatan};

const FIRST: u64 = 9001;
/// Blocks of three serials below 9799.
const BLOCKS: u64 = 266;
/// First serial that is issued to a family of another region.
const OUTSIDE: u64 = 9800;
/// Serials per region of origin.
const BAND: u64 = 5;
/// One family in so many has a member whose NIK was issued in another region.
const OUTSIDE_EVERY: u64 = 104;
/// Families that one kecamatan can number.
pub(super) const FAMILIES_PER_KECAMATAN: u64 = BLOCKS * 365;

/// Two kab/kota of every province that have a kecamatan 01.
const NEIGHBOURS: [(u16, u16); 38] = [
    (1101, 1102),
    (1201, 1202),
    (1301, 1304),
    (1401, 1402),
    (1501, 1502),
    (1603, 1604),
    (1701, 1703),
    (1802, 1803),
    (1901, 1902),
    (2102, 2104),
    (3101, 3171),
    (3201, 3202),
    (3301, 3302),
    (3401, 3402),
    (3501, 3502),
    (3601, 3602),
    (5101, 5102),
    (5201, 5202),
    (5302, 5303),
    (6101, 6102),
    (6201, 6202),
    (6301, 6302),
    (6401, 6402),
    (6501, 6502),
    (7102, 7104),
    (7201, 7202),
    (7301, 7302),
    (7401, 7402),
    (7501, 7502),
    (7601, 7602),
    (8101, 8102),
    (8201, 8202),
    (9103, 9105),
    (9203, 9206),
    (9301, 9302),
    (9401, 9402),
    (9501, 9502),
    (9601, 9602),
];

/// A day between 1900 and 2099.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    /// Year.
    pub year: i16,
    /// Month, from 1.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
}

impl Day {
    fn days_in(year: i16) -> u64 {
        if year % 4 == 0 && year != 1900 { 366 } else { 365 }
    }

    /// The day of a year, from 0.
    pub(super) fn of_year(year: i16, mut day: u64) -> Self {
        let february = Self::days_in(year) - 337;
        for (month, days) in (1..).zip([31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
            if day < days {
                return Self { year, month, day: u8::try_from(day + 1).expect("a day of a month") };
            }
            day -= days;
        }
        unreachable!("a year has no more days")
    }

    /// `YYYY-MM-DD` without the cost of formatting.
    pub(super) fn iso(self) -> String {
        let mut text = String::with_capacity(10);
        push_digits(&mut text, u64::try_from(self.year).expect("after Christ"), 4);
        text.push('-');
        push_digits(&mut text, self.month.into(), 2);
        text.push('-');
        push_digits(&mut text, self.day.into(), 2);
        text
    }

    fn yymmdd(self, plus: u8) -> [(u64, usize); 3] {
        let year = u64::try_from(self.year % 100).expect("after Christ");
        [((self.day + plus).into(), 2), (self.month.into(), 2), (year, 2)]
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iso())
    }
}

fn push_digits(text: &mut String, number: u64, width: usize) {
    let mut unit = (1..width).fold(1, |unit, _| unit * 10);
    while unit > 0 {
        text.push(char::from(b'0' + u8::try_from(number / unit % 10).expect("a digit")));
        unit /= 10;
    }
}

fn number(prefix: u64, day: Day, plus: u8, serial: u64) -> String {
    let mut text = String::with_capacity(16);
    push_digits(&mut text, prefix, 6);
    for (digits, width) in day.yymmdd(plus) {
        push_digits(&mut text, digits, width);
    }
    push_digits(&mut text, serial, 4);
    text
}

/// Where family n stands: among all of its region and among those of its kecamatan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    pub(super) region: u16,
    pub(super) family: u64,
    pub(super) in_kecamatan: u64,
    pub(super) kecamatan: usize,
}

/// Who issued a person's NIK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Issuer {
    /// The family's kecamatan.
    Home,
    /// The region's next kecamatan.
    Next,
    /// A kecamatan of another region of the province.
    Outside,
}

/// Draws who issued the NIK of a member; `first` is true for the head, the only one that may come from outside.
pub(super) fn issuer(dice: &mut Dice, at: Position, kecamatan: usize, first: bool) -> Issuer {
    let fits = at.family / OUTSIDE_EVERY < BAND * 365;
    if first && at.family % OUTSIDE_EVERY == 7 && fits {
        Issuer::Outside
    } else if kecamatan > 1 && dice.chance(80) {
        Issuer::Next
    } else {
        Issuer::Home
    }
}

/// The position turned into a day of this year and a block of serials; one to one for every year.
fn day_and_block(position: u64, year: i16) -> (Day, u64) {
    let days = Day::days_in(year);
    let (block, rest) = (position / days, position % days);
    let mixed = (u64::from(year.unsigned_abs()) << 16 | block).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    // Neither 365 nor 366 has a factor in common with these.
    let factor = [7, 11, 13, 17, 19, 23, 29, 31][usize::try_from(mixed % 8).expect("below 8")];
    (Day::of_year(year, (rest * factor + mixed / 8) % days), block)
}

/// The birth date and NIK of a member born in this year; `second` for the second of same-sex twins.
pub(super) fn nik(
    at: Position,
    all: &[Kecamatan],
    issuer: Issuer,
    year: i16,
    female: bool,
    second: bool,
) -> (Day, String) {
    let (position, prefix, first, step) = match issuer {
        Issuer::Home => (at.in_kecamatan, all[at.kecamatan].prefix, FIRST + u64::from(second), 3),
        Issuer::Next => (at.in_kecamatan, all[(at.kecamatan + 1) % all.len()].prefix, FIRST + 2, 3),
        Issuer::Outside => {
            let regency = u64::from(at.region % 100);
            let slot = if regency > 70 { 29 + regency - 71 } else { regency - 1 };
            assert!(slot < 40, "no region of {} is numbered so", at.region);
            (at.family / OUTSIDE_EVERY, neighbour(at.region), OUTSIDE + slot * BAND, 1)
        }
    };
    let (day, block) = day_and_block(position, year);
    (day, number(prefix, day, if female { 40 } else { 0 }, first + block * step))
}

/// Kecamatan 01 of another region of the province.
fn neighbour(region: u16) -> u64 {
    let (first, second) =
        NEIGHBOURS.into_iter().find(|(first, _)| first / 100 == region / 100).expect("a province");
    u64::from(if first == region { second } else { first }) * 100 + 1
}

/// The No. KK of a family, registered on some day of twenty years.
pub(super) fn kk(at: Position, all: &[Kecamatan]) -> String {
    let turned = at.in_kecamatan * 2_477 % 7_300;
    let year = 2005 + i16::try_from(turned / 365).expect("one of twenty years");
    number(all[at.kecamatan].prefix, Day::of_year(year, turned % 365), 0, FIRST + at.in_kecamatan / 7_300)
}
