//! The village that an address names: by its Kemendagri code or by names, narrowed down by what the operator said.

use std::{collections::HashMap, sync::Arc};

use dtsen_proto::{
    region::Region,
    rulebook::{Resolution, Rulebook, Wilayah, reason},
};

use crate::value::area;

mod stated;

pub use stated::{Stated, faults};

/// Places that are remembered. A kab/kota has a few hundred villages; the rest are misspellings.
const REMEMBERED: usize = 8_192;
/// Lengths of Kemendagri codes with their dots.
const DISTRICT: usize = 8;
const VILLAGE: usize = 13;

/// What an address has for its place. Empty: not named.
#[derive(Debug, Clone, Copy, Default)]
pub struct Named<'a> {
    /// Kemendagri code.
    pub code: &'a str,
    /// BPS code.
    pub bps: &'a str,
    /// Province.
    pub provinsi: &'a str,
    /// Kab/kota.
    pub kabupaten: &'a str,
    /// Kecamatan.
    pub kecamatan: &'a str,
    /// Desa or kelurahan.
    pub desa: &'a str,
    /// Codes of province, kab/kota and kecamatan, of whichever system.
    pub above: [&'a str; 3],
}

impl<'a> Named<'a> {
    /// The codes by level, the village's last.
    fn stated(&self) -> [Stated<'a>; 4] {
        let [provinsi, kabupaten, kecamatan] = self.above;
        let code = if self.code.is_empty() { self.bps } else { self.code };
        [provinsi, kabupaten, kecamatan, code].map(|code| Stated { code, name: "" })
    }
}

/// A village, or the reason why it is not known; neither if none is named.
pub type Found = Result<Option<Arc<str>>, &'static str>;

/// Finds villages.
pub struct Places {
    rulebook: Arc<Rulebook>,
    /// Kemendagri code of any level, with dots: where the data is from.
    hint: Option<String>,
    known: HashMap<String, Found>,
}

/// A code that is none of Kemendagri's areas.
#[derive(Debug, thiserror::Error)]
#[error("--wilayah {0}: tidak ada dalam daftar Kemendagri. Contoh: 52, 52.71, 52.71.01, atau 52.71.01.1012")]
pub struct NotAnArea(String);

impl Places {
    /// For data from an area, if it is known.
    pub fn new(rulebook: Arc<Rulebook>, hint: Option<&str>) -> Result<Self, NotAnArea> {
        let hint = hint.map(|code| {
            let dotted = area(code).filter(|code| rulebook.wilayah().exists(code));
            dotted.ok_or_else(|| NotAnArea(code.to_owned()))
        });
        Ok(Self { hint: hint.transpose()?, rulebook, known: HashMap::new() })
    }

    /// The region that the hint lies in.
    pub fn region(&self) -> Option<Region> {
        self.hint.as_deref().and_then(|code| code.get(..5)).and_then(|code| code.parse().ok())
    }

    /// The areas.
    pub fn wilayah(&self) -> &Wilayah {
        self.rulebook.wilayah()
    }

    /// The village of an address.
    pub fn find(&mut self, named: &Named<'_>) -> Found {
        let [a, b, c] = named.above;
        let parts =
            [named.code, named.bps, named.provinsi, named.kabupaten, named.kecamatan, named.desa, a, b, c];
        let key = parts.join("\u{1f}");
        if let Some(found) = self.known.get(&key) {
            return found.clone();
        }
        let found = self.resolve(named).and_then(|found| {
            let torn = found
                .as_deref()
                .is_some_and(|code| stated::contradict(&named.stated(), code, self.wilayah()));
            if torn { Err(reason::VILLAGE_AMBIGUOUS) } else { Ok(found) }
        });
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(key, found.clone());
        found
    }

    fn resolve(&self, named: &Named<'_>) -> Found {
        let wilayah = self.rulebook.wilayah();
        if let Some(code) = self.coded(named) {
            // A code and a name that contradict each other: a BPS code in the wrong column, perhaps.
            let agrees = named.desa.is_empty() || self.within(&code[..DISTRICT], named.desa, &code);
            return if agrees { Ok(Some(code.into())) } else { Err(reason::VILLAGE_AMBIGUOUS) };
        }
        if let Some(code) = wilayah.from_bps(named.bps).filter(|code| code.len() == VILLAGE) {
            return Ok(Some(code.into()));
        }
        if named.desa.is_empty() {
            return self.by_hint(named);
        }
        match self.by_names(named) {
            Err(reason::VILLAGE_UNRESOLVED) if self.hint_is(named.desa) => {
                Ok(self.hint.as_deref().map(Arc::from))
            }
            found => found,
        }
    }

    fn coded(&self, named: &Named<'_>) -> Option<String> {
        area(named.code).filter(|code| code.len() == VILLAGE && self.rulebook.wilayah().exists(code))
    }

    /// Whether a village of this name in the district is the one with the code.
    fn within(&self, district: &str, desa: &str, code: &str) -> bool {
        let wilayah = self.rulebook.wilayah();
        let Some((region, name)) =
            district.get(..5).and_then(|code| code.parse().ok()).zip(wilayah.name(district))
        else {
            return false;
        };
        wilayah.village(region, name, desa) == Resolution::Found(code)
    }

    fn hint_is(&self, desa: &str) -> bool {
        self.hint
            .as_deref()
            .filter(|hint| hint.len() == VILLAGE)
            .is_some_and(|hint| self.within(&hint[..DISTRICT], desa, hint))
    }

    /// A village that the operator named fills what an address leaves open, unless it says it is elsewhere.
    fn by_hint(&self, named: &Named<'_>) -> Found {
        let Some(hint) = self.hint.as_deref().filter(|hint| hint.len() == VILLAGE) else {
            let anything = !named.kecamatan.is_empty() || !named.code.is_empty();
            return if anything { Err(reason::VILLAGE_UNRESOLVED) } else { Ok(None) };
        };
        let wilayah = self.rulebook.wilayah();
        let same_region =
            wilayah.regency_named(named.kabupaten).is_none_or(|region| Some(region) == self.region());
        let district = wilayah.name(&hint[..DISTRICT]).unwrap_or_default();
        let same_district = named.kecamatan.is_empty() || alike(district, named.kecamatan);
        let open = stated::leave_open(&named.stated(), hint);
        if same_region && same_district && open {
            Ok(Some(hint.into()))
        } else {
            Err(reason::VILLAGE_UNRESOLVED)
        }
    }

    fn by_names(&self, named: &Named<'_>) -> Found {
        let wilayah = self.rulebook.wilayah();
        let stated = wilayah.regency_named(named.kabupaten);
        if let Some(region) = stated.or_else(|| self.region()) {
            // Without a kecamatan of its own, the one that the operator named.
            let hinted = self
                .hint
                .as_deref()
                .and_then(|hint| hint.get(..DISTRICT))
                .filter(|_| stated.is_none_or(|region| Some(region) == self.region()));
            let district = hinted.and_then(|code| wilayah.name(code)).filter(|_| named.kecamatan.is_empty());
            let found = wilayah.village(region, district.unwrap_or(named.kecamatan), named.desa);
            return match found {
                Resolution::Found(code) => Ok(Some(code.into())),
                Resolution::Ambiguous => Err(reason::VILLAGE_AMBIGUOUS),
                // The name may stand in another kecamatan, if it is the only one.
                Resolution::Unknown if district.is_some() => self.only_in(&[region], "", named.desa),
                Resolution::Unknown => Err(reason::VILLAGE_UNRESOLVED),
            };
        }
        if named.kecamatan.is_empty() {
            return Err(reason::VILLAGE_UNRESOLVED);
        }
        self.only_in(&self.candidates(named.provinsi), named.kecamatan, named.desa)
    }

    /// The kab/kota of the province that is hinted at or named, or all.
    fn candidates(&self, provinsi: &str) -> Vec<Region> {
        let wilayah = self.rulebook.wilayah();
        let hinted = self.hint.as_deref().and_then(|hint| hint.get(..2));
        let named = || wilayah.provinces().find(|(_, name)| alike(name, provinsi)).map(|(code, _)| code);
        let provinces: Vec<&str> = match hinted.or_else(named) {
            Some(code) => vec![code],
            None => wilayah.provinces().map(|(code, _)| code).collect(),
        };
        let regions = provinces.into_iter().flat_map(|code| wilayah.children(code));
        regions.filter_map(|(code, _)| code.parse().ok()).collect()
    }

    /// The one village of these names in any of the regions.
    fn only_in(&self, regions: &[Region], kecamatan: &str, desa: &str) -> Found {
        let mut found: Option<&str> = None;
        for region in regions {
            match self.rulebook.wilayah().village(*region, kecamatan, desa) {
                Resolution::Found(code) if found.is_none() => found = Some(code),
                Resolution::Unknown => {}
                Resolution::Found(_) | Resolution::Ambiguous => return Err(reason::VILLAGE_AMBIGUOUS),
            }
        }
        found.map(|code| Some(code.into())).ok_or(reason::VILLAGE_UNRESOLVED)
    }
}

/// Whether two names of areas differ in case, blanks, punctuation and the word for their level only.
fn alike(left: &str, right: &str) -> bool {
    let bare = |name: &str| -> String {
        let upper = name.to_uppercase();
        let words = upper.split(|c: char| !c.is_alphanumeric()).filter(|word| {
            !matches!(
                *word,
                "" | "KECAMATAN"
                    | "KEC"
                    | "PROVINSI"
                    | "PROPINSI"
                    | "PROV"
                    | "DAERAH"
                    | "ISTIMEWA"
                    | "DI"
                    | "DKI"
            )
        });
        words.collect()
    };
    !bare(left).is_empty() && bare(left) == bare(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_codes_and_hints() {
        let book = Rulebook::builtin();
        let village = Some("52.71.01.1012");
        let named = |kabupaten, kecamatan, desa| Named { kabupaten, kecamatan, desa, ..Named::default() };
        for (hint, named, expected) in [
            (None, named("KOTA MATARAM", "AMPENAN", "DAYAN PEKEN"), village),
            (None, named("", "Kec. Ampenan", "Kel. Dayan Peken"), village),
            (None, named("", "", "DAYAN PEKEN"), None),
            (Some("52"), named("", "AMPENAN", "DAYAN PEKEN"), village),
            (Some("5271"), named("", "", "DAYAN PEKEN"), village),
            (Some("52.71.01"), named("", "", "DAYAN PEKEN"), village),
            (Some("52.71.01.1012"), named("", "", ""), village),
            (Some("52.71.01.1012"), named("", "CAKRANEGARA", ""), None),
            (Some("52.71.01.1012"), named("KABUPATEN LOMBOK BARAT", "", ""), None),
            (Some("52.71"), named("", "", "TIDAK BERNAMA"), None),
            (None, Named { code: "5271011012", ..Named::default() }, village),
            (None, Named { code: "52.71.01.1012", desa: "DAYAN PEKEN", ..Named::default() }, village),
            (None, Named { code: "5271011012", desa: "AMPENAN UTARA", ..Named::default() }, None),
            // A BPS code is no Kemendagri code.
            (None, Named { code: "5271010001", ..Named::default() }, None),
            // What is stated of the areas above.
            (village, Named { above: ["52", "5271", "527101"], ..Named::default() }, village),
            (village, Named { above: ["52", "71", "1"], ..Named::default() }, village),
            (village, Named { above: ["", "32.01", "32.01.01"], ..Named::default() }, None),
            (village, Named { above: ["52", "5271", "5271020"], ..Named::default() }, None),
            (village, Named { bps: "5271020001", ..Named::default() }, None),
            (
                None,
                Named { above: ["", "32.01", ""], ..named("KOTA MATARAM", "AMPENAN", "DAYAN PEKEN") },
                None,
            ),
        ] {
            let mut places = Places::new(Arc::clone(&book), hint).expect("an area");
            assert_eq!(places.find(&named).ok().flatten().as_deref(), expected, "{hint:?} {named:?}");
        }
        assert!(Places::new(book, Some("99.99")).is_err());
    }
}
