//! How many rows of a delivery say something under each heading: what a source lost without losing rows shows in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cell::Cell;

/// Rows under one heading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filled {
    /// All of them.
    pub rows: u64,
    /// Those that say something; under a heading that tells whether somebody is there, those who are.
    pub filled: u64,
}

impl Filled {
    /// Rows that say nothing.
    pub fn empty(self) -> u64 {
        self.rows.saturating_sub(self.filled)
    }
}

/// By heading, whatever the sheet: an export may call its sheet by the month.
pub type Counts = BTreeMap<String, Filled>;

/// Whether a cell says something: more than signs and zeros, as in `-`, `0` and `0000-00-00`.
pub(crate) fn says(cell: &Cell) -> bool {
    match cell {
        Cell::Empty | Cell::Fault => false,
        Cell::Text(text) => {
            text.bytes().any(|byte| !byte.is_ascii() || byte.is_ascii_alphanumeric() && byte != b'0')
        }
        Cell::Number(number) => *number != 0.0,
        Cell::Whole(number) => *number != 0,
        Cell::Day(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_and_signs_say_nothing() {
        for (text, expected) in [
            ("0", false),
            ("-", false),
            ("0000-00-00", false),
            ("00/00", false),
            ("RT 0", true),
            ("2010-01-01", true),
        ] {
            assert_eq!(says(&Cell::Text(text.into())), expected, "{text}");
        }
        assert!(!says(&Cell::Empty) && !says(&Cell::Whole(0)) && says(&Cell::Whole(3)));
    }
}
