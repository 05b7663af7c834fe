//! Codes of areas that a row states beside names: which system they are of, and whether they fit each other.
//!
//! Kemendagri and BPS number the same areas differently, and a code of four digits looks the same in both.

use dtsen_proto::rulebook::{Wilayah, reason};

use super::alike;
use crate::value::area;

/// Lengths of Kemendagri codes with their dots, from the province down to the village.
const LEVELS: [usize; 4] = [2, 5, 8, 13];
/// Digits of BPS codes of a kecamatan and of a village. Kemendagri's kecamatan has six.
const BPS_DISTRICT: usize = 7;
const BPS_VILLAGE: usize = 10;
/// Both number the provinces alike, but for those of Papua, which begin with this digit.
const PAPUA: char = '9';

/// A code and the name beside it. Empty: not stated.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stated<'a> {
    /// As the row has it.
    pub code: &'a str,
    /// Of the same area.
    pub name: &'a str,
}

impl Stated<'_> {
    /// The code, if it has the length of this level.
    pub fn area(self, level: usize) -> Option<String> {
        area(self.code).filter(|code| code.len() == LEVELS[level])
    }

    /// Whether nothing else than Kemendagri writes its codes like this.
    fn is_kemendagri(self, level: usize) -> bool {
        self.area(level).is_some() && (self.code.contains('.') || level == 2)
    }

    fn is_bps(self, level: usize, wilayah: &Wilayah) -> bool {
        let digits = !self.code.is_empty() && self.code.bytes().all(|b| b.is_ascii_digit());
        let known = || self.area(level).is_some_and(|code| wilayah.exists(&code));
        match level {
            2 => digits && self.code.len() == BPS_DISTRICT,
            3 => digits && self.code.len() == BPS_VILLAGE && !known(),
            _ => false,
        }
    }

    /// Whether the code may be of the area that this one is, or lies in: whole, or its last part alone (`NO_KEC`).
    fn may_be(self, level: usize, village: &str) -> bool {
        let own = &village[..LEVELS[level]];
        let part = own.rsplit('.').next().unwrap_or(own);
        let number = |text: &str| text.parse::<u16>().ok();
        area(self.code).as_deref() == Some(own)
            || (number(self.code).is_some() && number(self.code) == number(part))
    }
}

/// Whether any of these codes says for certain that a row is not in this village.
pub(super) fn contradict(stated: &[Stated<'_>], village: &str, wilayah: &Wilayah) -> bool {
    stated.iter().enumerate().any(|(level, stated)| {
        let code = stated.area(level).filter(|code| stated.is_kemendagri(level) && wilayah.exists(code));
        code.is_some_and(|code| !village.starts_with(&code))
    })
}

/// Whether all of these codes may be of this village: only then may it fill what they leave open.
pub(super) fn leave_open(stated: &[Stated<'_>], village: &str) -> bool {
    stated.iter().enumerate().all(|(level, stated)| stated.code.is_empty() || stated.may_be(level, village))
}

/// Why a code cannot be taken for Kemendagri's, by level; the village is the one that the row was found to be in.
pub fn faults(
    stated: &[Stated<'_>; 4],
    village: Option<&str>,
    wilayah: &Wilayah,
) -> [Option<&'static str>; 4] {
    let bps = stated.iter().enumerate().any(|(level, stated)| stated.is_bps(level, wilayah));
    let codes: Vec<Option<String>> =
        stated.iter().enumerate().map(|(level, stated)| stated.area(level)).collect();
    std::array::from_fn(|level| {
        if stated[level].code.is_empty() {
            return None;
        }
        let Some(code) = &codes[level] else { return Some(reason::AREA_FORMAT) };
        let named = agrees(level, code, stated[level].name, wilayah);
        let elsewhere = village.is_some_and(|village| !village.starts_with(code.as_str()));
        let others = codes.iter().flatten().filter(|other| other.len() != code.len());
        let torn = village.is_none()
            && others
                .into_iter()
                .any(|other| !other.starts_with(code.as_str()) && !code.starts_with(other.as_str()));
        let both = level > 0 || code.starts_with(PAPUA);
        if named == Some(false) || elsewhere || torn {
            Some(reason::VILLAGE_AMBIGUOUS)
        } else if bps && both && !stated[level].is_kemendagri(level) && named.is_none() {
            Some(reason::AREA_FORMAT)
        } else {
            None
        }
    })
}

/// Whether an area has this name; none if neither it nor another one of its level has, or nobody knows the code.
fn agrees(level: usize, code: &str, name: &str, wilayah: &Wilayah) -> Option<bool> {
    if name.is_empty() || !wilayah.exists(code) {
        return None;
    }
    if wilayah.name(code).is_some_and(|own| alike(own, name)) {
        return Some(true);
    }
    let another = match level {
        0 => wilayah.provinces().any(|(_, other)| alike(other, name)),
        1 => return wilayah.regency_named(name).map(|region| region.to_string() == code),
        _ => wilayah.children(&code[..LEVELS[level - 1]]).any(|(_, other)| alike(other, name)),
    };
    another.then_some(false)
}

#[cfg(test)]
mod tests {
    use dtsen_proto::rulebook::Rulebook;

    use super::*;

    const AMBIGUOUS: Option<&str> = Some(reason::VILLAGE_AMBIGUOUS);
    const FORMAT: Option<&str> = Some(reason::AREA_FORMAT);

    #[test]
    fn codes_of_two_systems_never_cross() {
        let book = Rulebook::builtin();
        for (codes, names, village, expected) in [
            // BPS: Malinau, which is Bulungan's code at Kemendagri.
            (
                ["65", "6501", "6501060", "6501060001"],
                ["KALIMANTAN UTARA", "MALINAU", "MALINAU KOTA", ""],
                Some("65.02.02.2002"),
                [None, AMBIGUOUS, FORMAT],
            ),
            (["65", "6501", "", ""], ["", "MALINAU", "", ""], None, [None, AMBIGUOUS, None]),
            (["65", "6501", "6501060", ""], [""; 4], None, [None, FORMAT, FORMAT]),
            (["91", "9101", "9101060", ""], [""; 4], None, [FORMAT, FORMAT, FORMAT]),
            // The same in both, as the name says.
            (["52", "5201", "5201061", ""], ["", "LOMBOK BARAT", "", ""], None, [None, None, FORMAT]),
            (["52", "1", "14", ""], [""; 4], None, [None, FORMAT, FORMAT]),
            (["52", "5201", "520114", "5201142006"], ["NTB", "", "", ""], Some("52.01.14.2006"), [None; 3]),
            (["", "65.01", "65.02.02", ""], [""; 4], None, [None, AMBIGUOUS, AMBIGUOUS]),
            (["", "5271", "", ""], ["", "KOTA MATARAM", "", ""], None, [None; 3]),
        ] {
            let stated: [Stated<'_>; 4] =
                std::array::from_fn(|level| Stated { code: codes[level], name: names[level] });
            let faults = faults(&stated, village, book.wilayah());
            assert_eq!(faults[..3], expected, "{codes:?} {names:?}");
        }
    }
}
