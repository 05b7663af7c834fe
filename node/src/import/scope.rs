//! The scope for which a file is complete.

use std::{fmt, sync::Arc};

use dtsen_proto::{region::Region, rulebook::Rulebook};

/// The word for every row of the source.
const ALL: &str = "semua";
/// Digits of a village's code.
const VILLAGE_DIGITS: u32 = 10;

/// A scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    text: String,
    /// First and last village that lies in it; `None`: all, also rows whose village is not known.
    villages: Option<(i64, i64)>,
}

/// Why a text is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "--complete {text}: bukan cakupan. Tulis kode Kemendagri wilayah ini ({region}), salah satu kecamatan atau \
     desanya (misalnya {region}.01), atau kata semua"
)]
pub struct NotAScope {
    text: String,
    region: Region,
}

impl Scope {
    /// Reads a scope inside a region.
    pub fn parse(text: &str, region: Region, rulebook: &Rulebook) -> Result<Self, NotAScope> {
        let wrong = || NotAScope { text: text.to_owned(), region };
        if text.eq_ignore_ascii_case(ALL) {
            return Ok(Self { text: ALL.to_owned(), villages: None });
        }
        if !region.contains(text) || !rulebook.wilayah().exists(text) {
            return Err(wrong());
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let code: i64 = digits.parse().map_err(|_| wrong())?;
        let missing = u32::try_from(digits.len()).ok().and_then(|have| VILLAGE_DIGITS.checked_sub(have));
        let span = 10i64.pow(missing.ok_or_else(wrong)?);
        Ok(Self { text: text.to_owned(), villages: Some((code * span, code * span + span - 1)) })
    }

    /// Whether a known row with this village is in the scope.
    pub(super) fn holds(&self, place: Option<i64>) -> bool {
        self.villages.is_none_or(|(first, last)| place.is_some_and(|place| (first..=last).contains(&place)))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A village's code as digits.
pub(super) fn place_number(code: &str) -> Option<i64> {
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    (digits.len() == VILLAGE_DIGITS as usize).then(|| digits.parse().ok()).flatten()
}

/// A village's code with its dots.
pub(super) fn place_code(number: i64) -> Arc<str> {
    let digits = format!("{number:010}");
    format!("{}.{}.{}.{}", &digits[..2], &digits[2..4], &digits[4..6], &digits[6..]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_areas_of_the_region() {
        let (region, rulebook) = ("52.71".parse().expect("a region"), Rulebook::builtin());
        let scope = |text: &str| Scope::parse(text, region, &rulebook);
        let ampenan = place_number("52.71.01.1012");
        assert_eq!(ampenan.map(place_code).as_deref(), Some("52.71.01.1012"));
        for holding in ["52.71", "52.71.01", "52.71.01.1012", "semua", "SEMUA"] {
            assert!(scope(holding).expect("a scope").holds(ampenan), "{holding}");
        }
        for other in ["52.71.02", "52.71.01.1005"] {
            assert!(!scope(other).expect("a scope").holds(ampenan), "{other}");
        }
        assert!(
            scope("semua").expect("a scope").holds(None) && !scope("52.71").expect("a scope").holds(None)
        );
        for wrong in ["52.03", "52", "5271", "52.71.99", ""] {
            let told = scope(wrong).expect_err("no scope").to_string();
            assert!(told.contains("52.71"), "{told}");
        }
    }
}
