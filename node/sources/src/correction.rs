//! Rows that an operator corrected: read in place of the source's own, until the source says something else.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest as _, Sha256};

use crate::{
    cell::{Cell, Row},
    key::KeyBytes,
};

/// Digest of a row as the source has it, by which its correction is found again.
pub type Mark = [u8; 16];

/// Cells that an operator wrote anew, by column.
pub type Cells = BTreeMap<usize, String>;

/// What stands in the place of a row.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Correction {
    /// The key that the row had before.
    pub key: KeyBytes,
    /// The cells that are otherwise.
    pub cells: Cells,
}

/// The corrections of a source.
pub type Corrections = HashMap<Mark, Correction>;

/// Cells hold personal data: only their number is printed.
impl std::fmt::Debug for Correction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Correction({} cells)", self.cells.len())
    }
}

/// Changed if and only if any correction did.
pub fn digest(corrections: &Corrections) -> [u8; 32] {
    let sorted: BTreeMap<_, _> =
        corrections.iter().map(|(mark, correction)| (mark, &correction.cells)).collect();
    let mut hash = Sha256::new();
    for (mark, cells) in sorted {
        hash.update(mark);
        hash.update(serde_json::to_vec(cells).expect("numbers and texts"));
    }
    hash.finalize().into()
}

/// Puts the corrected cells in their places.
pub fn apply(row: &mut Row, cells: &Cells) {
    for (at, text) in cells {
        if row.cells.len() <= *at {
            row.cells.resize(at + 1, Cell::Empty);
        }
        row.cells[*at] = if text.is_empty() { Cell::Empty } else { Cell::Text(text.clone()) };
        // What a person wrote is meant as it stands.
        if let Some(quoted) = row.quoted.get_mut(*at) {
            *quoted = true;
        }
    }
}
