//! By what the rows and columns of a workbook are found again, whatever was done with it meanwhile.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use dtsen_sources::{clean::text::clean, correction::Mark, key::KeyBytes};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Row;

/// Beginning of the heading of the column that holds the keys. The names of the source's columns follow it.
pub(super) const KEY: &str = "Kunci (jangan diubah)";
/// Heading of the column that says in which sheet or table of its source a row stands.
pub(super) const SHEET: &str = "Lembar di sumber";
/// Heading of the column that says where it stands there.
pub(super) const LINE: &str = "Baris di sumber";
/// The workbook's own columns, before those of the source.
pub(super) const OWN: [&str; 5] = [KEY, "Masalah", "Perbaikan", SHEET, LINE];
/// Letters of all names together: a cell takes 32,767, and quotes in JSON are two.
const NAMES: usize = 14_000;
/// Letters of the digest of a cell.
const DIGEST: usize = 8;

/// What a row of the workbook says of itself in a hidden cell.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    pub(super) source: String,
    /// The file or database, as it is shown.
    pub(super) file: String,
    pub(super) sheet: Option<String>,
    /// Its place there.
    pub(super) line: u64,
    pub(super) mark: Mark,
    /// Of the row, by which its record is known.
    pub(super) row: KeyBytes,
    /// Codes of what was told of it.
    pub(super) told: Vec<String>,
    /// What its cells held when it went out, with the corrections in force.
    shown: String,
    /// What they hold in the source, where that is something else.
    own: BTreeMap<usize, String>,
}

impl Key {
    /// Of a row that goes out.
    pub(super) fn of(row: &Row) -> Self {
        let told: BTreeSet<String> = row.told.iter().map(|(told, _)| told.reason.clone()).collect();
        Self {
            source: row.source.clone(),
            file: row.file.clone(),
            sheet: row.sheet.clone(),
            line: row.number,
            mark: row.mark,
            row: row.key,
            told: told.into_iter().collect(),
            shown: row.cells.iter().map(|cell| digest(cell)).collect(),
            own: row.own.iter().map(|(at, cell)| (*at, digest(cell))).collect(),
        }
    }

    /// As it stands in its cell.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers")
    }

    /// Out of its cell; `None` if somebody changed it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let key: Self = serde_json::from_str(text).ok()?;
        let whole = key.shown.len().is_multiple_of(DIGEST)
            && key.shown.is_ascii()
            && dtsen_proto::record::is_source_name(&key.source);
        whole.then_some(key)
    }

    /// Whether a cell holds what it held when it went out.
    pub(super) fn is_as_shown(&self, at: usize, cell: &str) -> bool {
        // A cell behind the last one was empty.
        let shown = self.shown.get(at * DIGEST..(at + 1) * DIGEST);
        shown.map_or_else(|| cell.is_empty(), |shown| shown == digest(cell))
    }

    /// Whether a corrected cell holds again what its source has.
    pub(super) fn is_own(&self, at: usize, cell: &str) -> bool {
        self.own.get(&at).is_some_and(|own| *own == digest(cell))
    }

    /// Whether a correction was in force when it went out.
    pub(super) fn was_corrected(&self) -> bool {
        !self.own.is_empty()
    }
}

/// What a cell holds, in eight digits: whether it was changed shows without a second copy of it.
fn digest(cell: &str) -> String {
    hex::encode(&Sha256::digest(clean(cell).as_bytes())[..DIGEST / 2])
}

/// The headings of so many columns of a source as the workbook has them: none is empty, none stands twice.
pub(super) fn names(headings: &[String], columns: usize) -> Vec<String> {
    let longest = NAMES / columns.max(1);
    let mut taken: HashSet<String> = OWN.map(str::to_owned).into();
    (0..columns)
        .map(|at| {
            let words = headings.get(at).map_or("", String::as_str).split_whitespace().collect::<Vec<_>>();
            let cut: String = words.join(" ").chars().take(longest).collect();
            // As it will be read: what stands in two pairs of quotes loses both.
            let mut plain = clean(&clean(&cut)).into_owned();
            if plain.is_empty() {
                plain = format!("Kolom {}", at + 1);
            }
            let mut all = std::iter::once(plain.clone()).chain((2..).map(|n| format!("{plain} ({n})")));
            all.find(|name| taken.insert(name.clone())).expect("there is always another number")
        })
        .collect()
}

/// The heading of the column of keys.
pub(super) fn heading(names: &[String]) -> String {
    format!("{KEY} {}", serde_json::to_string(names).expect("texts"))
}

/// The names in the heading of the column of keys; `None` if it is another heading.
pub(super) fn named(heading: &str) -> Option<Vec<String>> {
    serde_json::from_str(heading.strip_prefix(KEY)?.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_empty_or_stands_twice() {
        let headings = ["NIK", "", "NIK", " NAMA\n \"LENGKAP\" ", "Masalah"].map(str::to_owned);
        let found = names(&headings, 6);
        assert_eq!(found, ["NIK", "Kolom 2", "NIK (2)", "NAMA \"LENGKAP\"", "Masalah (2)", "Kolom 6"]);
        assert_eq!(named(&heading(&found)), Some(found));
        assert_eq!(named("NIK"), None);
    }

    #[test]
    fn the_widest_heading_fits_a_cell() {
        let long = vec!["\"".repeat(500); dtsen_sources::read::MAX_COLUMNS];
        assert!(heading(&names(&long, long.len())).len() < 32_767);
    }

    #[test]
    fn a_row_knows_what_was_shown_and_what_its_source_has() {
        let row = Row {
            source: "lokal-warga".into(),
            file: "warga.csv".into(),
            sheet: None,
            headings: Vec::new(),
            number: 3,
            mark: [1; 16],
            key: [2; 16],
            cells: vec!["A".into(), "B".into()],
            own: [(1, "C".to_owned())].into(),
            told: Vec::new(),
        };
        let key = Key::of(&row);
        assert!(key.is_as_shown(0, "A") && key.is_as_shown(1, "B") && key.is_as_shown(2, ""));
        assert!(!key.is_as_shown(1, "C") && key.is_own(1, "C") && !key.is_own(0, "A"));
        assert_eq!(Key::parse(&key.text()), Some(key));
        assert_eq!(Key::parse("lokal|00"), None);
    }
}
