//! Where people live, from the names that a file has for it.

use std::{collections::HashMap, fmt, sync::Arc};

use dtsen_proto::{
    region::Region,
    rulebook::{Resolution, Rulebook},
};
use dtsen_sources::{clean::text::without_zero_fraction, value::area};

/// Names of places that are remembered. A kab/kota has a few hundred villages; the rest are misspellings.
const REMEMBERED: usize = 8_192;
/// Families that are remembered: 71 MB. The largest kab/kota has 1.7 million.
const MAX_FAMILIES: usize = 3_000_000;
/// Length of a village's code with its dots.
const VILLAGE_CODE: usize = 13;

/// The names that a row has for its place: of the domicile of a family, of the KTP address of a person.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct PlaceNames {
    /// Kab/kota.
    pub kabupaten_kota: Option<String>,
    /// Kecamatan.
    pub kecamatan: Option<String>,
    /// Kelurahan or desa.
    pub kelurahan_desa: Option<String>,
    /// Kemendagri code of the village, with dots, if the row has one.
    pub kode: Option<String>,
}

/// Part of an address: only what is there is printed.
impl fmt::Debug for PlaceNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has =
            [&self.kabupaten_kota, &self.kecamatan, &self.kelurahan_desa, &self.kode].map(Option::is_some);
        write!(f, "PlaceNames{has:?}")
    }
}

/// What a row says of the village where its family lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Domicile {
    /// The village, by its Kemendagri code with dots.
    Village(Arc<str>),
    /// More than one village fits.
    Ambiguous,
    /// A place is named, and no village fits.
    Unresolved,
    /// No place is named.
    Unnamed,
}

impl Domicile {
    /// The village's code.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Village(code) => Some(code),
            Self::Ambiguous | Self::Unresolved | Self::Unnamed => None,
        }
    }
}

/// Resolves names and remembers the answers.
pub(super) struct Villages {
    rulebook: Arc<Rulebook>,
    region: Region,
    known: HashMap<String, Domicile>,
    wanted: String,
}

impl Villages {
    pub(super) fn new(rulebook: Arc<Rulebook>, region: Region) -> Self {
        Self { rulebook, region, known: HashMap::new(), wanted: String::new() }
    }

    /// The village with these names: in the kab/kota that is named, or else in this region.
    pub(super) fn named(&mut self, kabupaten_kota: &str, kecamatan: &str, village: &str) -> Domicile {
        if village.is_empty() {
            return if kecamatan.is_empty() { Domicile::Unnamed } else { Domicile::Unresolved };
        }
        self.wanted.clear();
        for part in [kabupaten_kota, "\u{1f}", kecamatan, "\u{1f}", village] {
            self.wanted.push_str(part);
        }
        if let Some(known) = self.known.get(&self.wanted) {
            return known.clone();
        }
        let wilayah = self.rulebook.wilayah();
        let named = wilayah.regency_named(kabupaten_kota);
        if named.is_none() && !kabupaten_kota.is_empty() && kecamatan.is_empty() {
            // A misspelt kab/kota may be another one, and the name of a village alone proves nothing.
            return self.remember(Domicile::Unresolved);
        }
        let found = match wilayah.village(named.unwrap_or(self.region), kecamatan, village) {
            Resolution::Found(code) => Domicile::Village(code.into()),
            Resolution::Ambiguous => Domicile::Ambiguous,
            Resolution::Unknown => Domicile::Unresolved,
        };
        self.remember(found)
    }

    /// The village with this code, dotted or not, if there is one today.
    pub(super) fn coded(&mut self, code: &str) -> Domicile {
        if code.is_empty() {
            return Domicile::Unnamed;
        }
        self.wanted.clear();
        self.wanted.push_str(code);
        if let Some(known) = self.known.get(&self.wanted) {
            return known.clone();
        }
        let code =
            area(code).filter(|code| code.len() == VILLAGE_CODE && self.rulebook.wilayah().exists(code));
        self.remember(code.map_or(Domicile::Unresolved, |code| Domicile::Village(code.into())))
    }

    /// The village with this BPS code, if the rulebook has a bridge that knows it.
    pub(super) fn bridged(&self, code: &str) -> Option<Arc<str>> {
        let code = self.rulebook.wilayah().from_bps(without_zero_fraction(code))?;
        (code.len() == VILLAGE_CODE).then(|| code.into())
    }

    /// Names of the kab/kota and the kecamatan with this BPS code of a kecamatan, if a bridge knows it.
    pub(super) fn bridged_kecamatan(&self, code: &str) -> Option<(String, String)> {
        let wilayah = self.rulebook.wilayah();
        let code = wilayah.from_bps(without_zero_fraction(code))?;
        let (kabupaten_kota, kecamatan) = (code.get(..5)?, code.get(..8)?);
        Some((wilayah.name(kabupaten_kota)?.to_owned(), wilayah.name(kecamatan)?.to_owned()))
    }

    /// Whether the village lies in this region.
    pub(super) fn is_here(&self, found: &Domicile) -> bool {
        found.code().is_some_and(|code| self.region.contains(code))
    }

    fn remember(&mut self, found: Domicile) -> Domicile {
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(self.wanted.clone(), found.clone());
        found
    }
}

/// The village of every family of the family file, by No. KK, for the members of the same delivery.
#[derive(Default)]
pub struct FamilyPlaces {
    villages: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
    families: HashMap<u64, u32>,
}

impl fmt::Debug for FamilyPlaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FamilyPlaces({} families, {} villages)", self.families.len(), self.villages.len())
    }
}

impl FamilyPlaces {
    /// Of no family yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a family's village; `false` if there is no more room, and its members are placed by their KTP.
    pub fn insert(&mut self, no_kk: u64, village: &Arc<str>) -> bool {
        if self.families.len() >= MAX_FAMILIES && !self.families.contains_key(&no_kk) {
            return false;
        }
        let number = if let Some(number) = self.numbers.get(village) {
            *number
        } else {
            let number = u32::try_from(self.villages.len()).expect("fewer villages than families");
            self.villages.push(Arc::clone(village));
            self.numbers.insert(Arc::clone(village), number);
            number
        };
        self.families.insert(no_kk, number);
        true
    }

    /// The village of a family.
    pub fn get(&self, no_kk: u64) -> Option<&Arc<str>> {
        let number = usize::try_from(*self.families.get(&no_kk)?).expect("32 bits fit");
        self.villages.get(number)
    }

    /// How many families there are.
    pub fn len(&self) -> usize {
        self.families.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.families.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn villages() -> Villages {
        Villages::new(Rulebook::builtin(), "52.71".parse().expect("a region"))
    }

    #[test]
    fn names_lead_to_a_village() {
        let mut villages = villages();
        for (kab, kec, desa, code) in [
            ("KOTA MATARAM", "AMPENAN", "DAYAN PEKEN", Some("52.71.01.1012")),
            ("", "Ampenan", "Dayan Peken", Some("52.71.01.1012")),
            ("", "", "Dayan Peken", Some("52.71.01.1012")),
            ("KOTA MATARAM", "AMPENAN", "TIDAK BERNAMA", None),
            ("KOTA MATARAM", "AMPENAN", "", None),
            ("KOTA MATRAM", "AMPENAN", "DAYAN PEKEN", Some("52.71.01.1012")),
            ("KOTA MATRAM", "", "DAYAN PEKEN", None),
        ] {
            assert_eq!(villages.named(kab, kec, desa).code(), code, "{kab} {kec} {desa}");
            assert_eq!(villages.named(kab, kec, desa).code(), code, "remembered");
        }
        assert_eq!(villages.named("", "", ""), Domicile::Unnamed);
    }

    #[test]
    fn codes_are_villages_of_today() {
        let mut villages = villages();
        for (code, expected) in [
            ("5271011012", Some("52.71.01.1012")),
            ("52.71.01.1012", Some("52.71.01.1012")),
            ("5271019999", None),
            ("527101", None),
            ("5271010001", None),
        ] {
            assert_eq!(villages.coded(code).code(), expected, "{code}");
        }
        let (here, elsewhere) = (villages.coded("5271011012"), villages.coded("11.01.01.2001"));
        assert!(villages.is_here(&here) && elsewhere.code().is_some() && !villages.is_here(&elsewhere));
    }

    #[test]
    fn families_share_their_villages() {
        let mut places = FamilyPlaces::new();
        let (one, other): (Arc<str>, Arc<str>) = ("52.71.01.1012".into(), "52.71.01.1013".into());
        for kk in 0..190_000u64 {
            assert!(places.insert(5_271_010_101_209_001 + kk, if kk % 2 == 0 { &one } else { &other }));
        }
        assert_eq!(places.get(5_271_010_101_209_002), Some(&other));
        assert_eq!(places.get(1), None);
        assert_eq!((places.len(), places.villages.len()), (190_000, 2));
        // Sixteen bytes and one of the table's own, at the load that the map keeps.
        assert!(places.families.capacity() * 8 / 7 * 17 < 10_000_000);
    }
}
