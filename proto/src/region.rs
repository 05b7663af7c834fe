//! A region: the government of a province or kab/kota, by its Kemendagri code.

use std::{fmt, str::FromStr};

/// Kemendagri code of a kab/kota (`52.71`) or a province (`52`), never a BPS code.
///
/// Kept as the number `province * 100 + kab/kota` (province alone: `* 100`), which sorts as the code does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(u16);

/// Why a text is no region code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a region is a Kemendagri code such as 52.71 (kab/kota) or 52 (province), with the dot")]
pub struct NotARegion;

impl Region {
    /// The region as a number, for keys and ids.
    pub fn number(self) -> u16 {
        self.0
    }

    /// The region with this number, if it is one.
    pub fn from_number(number: u32) -> Option<Self> {
        let (province, regency) = (number / 100, number % 100);
        (11..=99)
            .contains(&province)
            .then_some(())
            .and_then(|()| u16::try_from(province * 100 + regency).ok())
            .map(Self)
    }

    /// Whether this is a kab/kota, which writes; a province only reads.
    pub fn is_regency(self) -> bool {
        !self.0.is_multiple_of(100)
    }

    /// Whether a Kemendagri area code with dots (`52.71.01.1001`) lies in this region.
    pub fn contains(self, code: &str) -> bool {
        let own = self.to_string();
        code == own || (code.starts_with(&own) && code.as_bytes().get(own.len()) == Some(&b'.'))
    }
}

impl FromStr for Region {
    type Err = NotARegion;

    fn from_str(text: &str) -> Result<Self, NotARegion> {
        let two_digits = |part: &str| -> Option<u32> {
            (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok()).flatten()
        };
        let number = match text.split_once('.') {
            Some((province, regency)) => {
                let regency = two_digits(regency).filter(|r| *r != 0);
                two_digits(province).zip(regency).map(|(p, r)| p * 100 + r)
            }
            None => two_digits(text).map(|p| p * 100),
        };
        number.and_then(Self::from_number).ok_or(NotARegion)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (province, regency) = (self.0 / 100, self.0 % 100);
        if regency == 0 { write!(f, "{province:02}") } else { write!(f, "{province:02}.{regency:02}") }
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_kemendagri_codes_only() {
        let mataram: Region = "52.71".parse().expect("a kota");
        assert_eq!(mataram.to_string(), "52.71");
        assert!(mataram.is_regency() && !"52".parse::<Region>().expect("a province").is_regency());
        for wrong in ["5271", "52.7", "52.711", "52.00", "", "aa.bb", "5", "52.71.01"] {
            assert_eq!(wrong.parse::<Region>(), Err(NotARegion), "{wrong}");
        }
    }

    #[test]
    fn contains_its_own_areas_only() {
        let mataram: Region = "52.71".parse().expect("a kota");
        assert!(mataram.contains("52.71.01.1001") && mataram.contains("52.71"));
        assert!(!mataram.contains("52.7") && !mataram.contains("52.72.01") && !mataram.contains("52.711"));
        assert!("52".parse::<Region>().expect("a province").contains("52.71.01.1001"));
    }
}
