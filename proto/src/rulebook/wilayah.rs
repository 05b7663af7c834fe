//! Kemendagri's areas: names of codes, codes of names, and the bridge from BPS codes where the bundle has one.
//!
//! 91,599 areas stay in the one text they came in; a sorted table of 16 bytes each points into it.

use std::borrow::Cow;

use crate::{region::Region, rulebook::bundle::RulebookError};

mod names;

use names::{Query, regency_parts};

/// Keys of a province, kab/kota and kecamatan are this far from the next of their level.
const PROVINCE: u64 = 100_000_000;
const REGENCY: u64 = 1_000_000;
const DISTRICT: u64 = 10_000;

/// The areas.
pub struct Wilayah {
    text: Cow<'static, str>,
    rows: Vec<Row>,
    /// The rows that are kab/kota: names of these are looked up for every line of a file.
    regencies: Vec<Row>,
    /// BPS code as a number, and the row that it means.
    bridge: Vec<(u64, u32)>,
}

/// Where a line is in the text.
#[derive(Clone, Copy)]
struct Row {
    key: u64,
    at: u32,
    code: u8,
    name: u8,
}

/// What the names of a kecamatan and a village lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution<'a> {
    /// One village, by its Kemendagri code.
    Found(&'a str),
    /// More than one village has this name.
    Ambiguous,
    /// None has.
    Unknown,
}

/// A code as a number that sorts as the code does; `None` if it is no dotted Kemendagri code.
pub(super) fn key(code: &str) -> Option<u64> {
    let mut parts = [0u64; 4];
    if !matches!(code.len(), 2 | 5 | 8 | 13) {
        return None;
    }
    for (at, part) in code.split('.').enumerate() {
        let width = if at == 3 { 4 } else { 2 };
        if at > 3 || part.len() != width || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        parts[at] = part.bytes().fold(0, |n, b| n * 10 + u64::from(b - b'0'));
        if parts[at] == 0 {
            return None;
        }
    }
    Some(parts[0] * PROVINCE + parts[1] * REGENCY + parts[2] * DISTRICT + parts[3])
}

/// The key of a village's code; `None` if it is no code or that of a larger area.
pub(super) fn village_key(code: &str) -> Option<u64> {
    key(code).filter(|_| code.len() == 13)
}

/// The key of the kecamatan whose digits a NIK carries.
pub(super) fn district_key(area: [u8; 6]) -> u64 {
    area.iter().fold(0, |n, digit| n * 10 + u64::from(digit - b'0')) * DISTRICT
}

/// The key of a region.
pub(super) fn region_key(region: Region) -> u64 {
    u64::from(region.number()) * REGENCY
}

/// Whether the village with this key lies in the region.
pub(super) fn within(key: u64, region: Region) -> bool {
    let number = u64::from(region.number());
    let regency = key / REGENCY;
    if region.is_regency() { regency == number } else { regency / 100 == number / 100 }
}

/// One past the last key below this one.
fn end_of(key: u64) -> u64 {
    let span = if !key.is_multiple_of(DISTRICT) {
        1
    } else if !key.is_multiple_of(REGENCY) {
        DISTRICT
    } else if !key.is_multiple_of(PROVINCE) {
        REGENCY
    } else {
        PROVINCE
    };
    key + span
}

impl Wilayah {
    /// Reads `code<TAB>name` lines, sorted by code, every parent present.
    pub fn parse(text: impl Into<Cow<'static, str>>) -> Result<Self, RulebookError> {
        let text = text.into();
        let mut rows: Vec<Row> = Vec::with_capacity(text.len() / 23);
        let bad = |line: usize, why| RulebookError::Line { file: "wilayah.tsv", line: line + 1, why };
        let mut at = 0usize;
        for (number, line) in text.split_terminator('\n').enumerate() {
            let (code, name) = line.split_once('\t').ok_or_else(|| bad(number, "no tab"))?;
            let row = Row {
                key: key(code).ok_or_else(|| bad(number, "no Kemendagri code"))?,
                at: u32::try_from(at).map_err(|_| bad(number, "text too long"))?,
                code: u8::try_from(code.len()).expect("at most 13"),
                name: u8::try_from(name.len()).map_err(|_| bad(number, "name too long"))?,
            };
            if name.trim().is_empty() || name.chars().any(char::is_control) {
                return Err(bad(number, "no name"));
            }
            if rows.last().is_some_and(|last| last.key >= row.key) {
                return Err(bad(number, "not sorted"));
            }
            let parent = code.rsplit_once('.').and_then(|(parent, _)| key(parent));
            if parent.is_some_and(|p| rows.binary_search_by_key(&p, |r| r.key).is_err()) {
                return Err(bad(number, "parent missing"));
            }
            rows.push(row);
            at += line.len() + 1;
        }
        let regencies = rows.iter().filter(|row| row.code == 5).copied().collect();
        Ok(Self { text, rows, regencies, bridge: Vec::new() })
    }

    /// Adds the table from BPS codes to Kemendagri codes: CSV with the columns `kode_bps` and `kode_dagri` among others,
    /// as BPS's own bridging table has them (`kode_bps,nama_bps,kode_dagri,nama_dagri`).
    ///
    /// A line whose Kemendagri code is not among the areas is left out: the two are never of the same day.
    pub fn with_bridge(mut self, csv: &str) -> Result<Self, RulebookError> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(csv.as_bytes());
        let heading = reader.headers().map_err(|_| bad_bridge(1, NOT_EVEN))?.clone();
        let column = |name| heading.iter().position(|field| field.trim_start_matches('\u{feff}') == name);
        let (Some(bps), Some(dagri)) = (column("kode_bps"), column("kode_dagri")) else {
            return Err(bad_bridge(1, "no heading kode_bps,kode_dagri"));
        };
        let mut bridge = Vec::new();
        for row in reader.records() {
            let row = row.map_err(|e| bad_bridge(e.position().map_or(1, csv::Position::line), NOT_EVEN))?;
            let bad = |why| bad_bridge(row.position().map_or(1, csv::Position::line), why);
            let bps = bps_number(&row[bps]).ok_or_else(|| bad("no BPS code"))?;
            let dagri = key(&row[dagri]).ok_or_else(|| bad("no Kemendagri code"))?;
            if let Some(row) = self.find(dagri) {
                bridge.push((bps, u32::try_from(row).expect("fewer rows than bytes")));
            }
        }
        bridge.sort_unstable();
        bridge.dedup();
        if bridge.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(RulebookError::Inconsistent("bridge.csv: a BPS code means two areas".into()));
        }
        self.bridge = bridge;
        Ok(self)
    }

    /// How many areas there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Name of an area, as Kemendagri writes it.
    pub fn name(&self, code: &str) -> Option<&str> {
        self.find(key(code)?).map(|row| self.name_of(&self.rows[row]))
    }

    /// Whether there is such an area today.
    pub fn exists(&self, code: &str) -> bool {
        key(code).is_some_and(|key| self.has(key))
    }

    /// Whether a NIK's area, written `52.71.01`, is a kecamatan of today. A retired one is not.
    pub fn area_prefix_known(&self, area: &str) -> bool {
        area.len() == 8 && self.exists(area)
    }

    /// Codes and names of the areas one level below.
    pub fn children(&self, code: &str) -> impl Iterator<Item = (&str, &str)> {
        let below = match code.len() {
            2 => 5,
            5 => 8,
            _ => 13,
        };
        key(code)
            .into_iter()
            .flat_map(|key| self.range(key))
            .filter(move |row| row.code == below)
            .map(|row| (self.code_of(row), self.name_of(row)))
    }

    /// Codes and names of the provinces.
    pub fn provinces(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rows.iter().filter(|row| row.code == 2).map(|row| (self.code_of(row), self.name_of(row)))
    }

    /// The kab/kota with this name. `Bima` is none: it is the name of a kabupaten and of a kota.
    pub fn regency_named(&self, name: &str) -> Option<Region> {
        let (kind, rest) = regency_parts(name);
        // "Kota Baru" is the kabupaten Kotabaru: the first word need not say the kind.
        self.regency(|k, n| kind.is_none_or(|kind| kind == k) && names::same(rest, n))
            .or_else(|| self.regency(|_, n| names::same(name, n)))
    }

    /// The only kab/kota that fits.
    fn regency(&self, fits: impl Fn(names::Kind, &str) -> bool) -> Option<Region> {
        let mut found = self.regencies.iter().filter(|row| {
            let (kind, rest) = regency_parts(self.name_of(row));
            kind.is_some_and(|kind| fits(kind, rest))
        });
        let first = found.next()?;
        found.next().is_none().then(|| self.code_of(first).parse().ok()).flatten()
    }

    /// The village with these names in the region. Without a kecamatan its name must be the only one in the region.
    pub fn village(&self, region: Region, kecamatan: &str, village: &str) -> Resolution<'_> {
        let wanted = Query::village(village);
        let own = region_key(region);
        if kecamatan.trim().is_empty() {
            // No preference among ways of writing here: two kecamatan may each have one of them.
            return self.best(self.range(own), &wanted, false);
        }
        let district = Query::district(kecamatan);
        let fits = |row: &&Row| row.code == 8 && district.rank(self.name_of(row)).is_some();
        let mut districts = self.range(own).iter().filter(fits);
        match (districts.next(), districts.next()) {
            (None, _) => Resolution::Unknown,
            (Some(one), None) => self.best(self.range(one.key), &wanted, true),
            (Some(_), Some(_)) => Resolution::Ambiguous,
        }
    }

    /// The Kemendagri code that a BPS code means, if the bundle has a bridge that says so.
    pub fn from_bps(&self, code: &str) -> Option<&str> {
        let number = bps_number(code)?;
        let at = self.bridge.binary_search_by_key(&number, |(bps, _)| *bps).ok()?;
        let row = usize::try_from(self.bridge[at].1).expect("32 bits fit");
        Some(self.code_of(&self.rows[row]))
    }

    /// Lines of the bridge that are in use.
    pub fn bridge_len(&self) -> usize {
        self.bridge.len()
    }

    /// Whether there is an area with this key.
    pub(super) fn has(&self, key: u64) -> bool {
        self.find(key).is_some()
    }

    fn best<'a>(&'a self, rows: &'a [Row], wanted: &Query<'_>, prefer: bool) -> Resolution<'a> {
        let mut best = None;
        let mut found: Vec<&Row> = Vec::new();
        for row in rows.iter().filter(|row| row.code == 13) {
            let Some(rank) = wanted.rank(self.name_of(row)) else { continue };
            let rank = if prefer { rank } else { 0 };
            if best.is_some_and(|best| rank > best) {
                continue;
            }
            if best != Some(rank) {
                found.clear();
                best = Some(rank);
            }
            found.push(row);
        }
        if found.len() > 1 {
            // A kelurahan and a desa of one name: the word in front of it decides.
            found.retain(|row| wanted.digit().is_none_or(|digit| row.key % DISTRICT / 1_000 == digit));
        }
        match found[..] {
            [] if best.is_none() => Resolution::Unknown,
            [row] => Resolution::Found(self.code_of(row)),
            _ => Resolution::Ambiguous,
        }
    }

    fn find(&self, key: u64) -> Option<usize> {
        self.rows.binary_search_by_key(&key, |row| row.key).ok()
    }

    /// Everything below an area.
    fn range(&self, key: u64) -> &[Row] {
        let start = self.rows.partition_point(|row| row.key <= key);
        let end = self.rows.partition_point(|row| row.key < end_of(key));
        &self.rows[start..end.max(start)]
    }

    fn code_of(&self, row: &Row) -> &str {
        let at = usize::try_from(row.at).expect("32 bits fit");
        &self.text[at..at + usize::from(row.code)]
    }

    fn name_of(&self, row: &Row) -> &str {
        let at = usize::try_from(row.at).expect("32 bits fit") + usize::from(row.code) + 1;
        &self.text[at..at + usize::from(row.name)]
    }
}

/// A line of the bridge with more or fewer columns than its heading.
const NOT_EVEN: &str = "columns unlike the heading";

fn bad_bridge(line: u64, why: &'static str) -> RulebookError {
    RulebookError::Line { file: "bridge.csv", line: usize::try_from(line).unwrap_or(usize::MAX), why }
}

/// A BPS code as a number. Provinces start at 11, so no leading zero is lost.
fn bps_number(code: &str) -> Option<u64> {
    is_bps(code).then(|| code.parse().ok()).flatten()
}

/// Whether this is written as a BPS code: 2, 4, 7 or 10 digits.
pub(super) fn is_bps(code: &str) -> bool {
    matches!(code.len(), 2 | 4 | 7 | 10) && code.bytes().all(|b| b.is_ascii_digit()) && !code.starts_with('0')
}

#[cfg(test)]
mod tests;
