//! What a source lost without losing rows: a joined table that was emptied, a column that says nothing any more, people who
//! all left at once. Half of it would be imported as if it were true.

use dtsen_sources::filled::{Counts, Filled};

use crate::import::GONE_PERCENT;

/// So many rows may be emptied at once however small the source is: a large family that moves, say.
const ROWS_AT_MOST: u64 = 10;
/// So many rows must have said something for their all being empty to mean more than one person's correction.
const WHOLE_AT_LEAST: u64 = 3;

/// A heading under which rows say nothing any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emptied {
    /// The heading.
    pub heading: String,
    /// Rows that said something before and do not now.
    pub rows: u64,
    /// Rows that said something before.
    pub before: u64,
}

/// The headings that lost more than a source loses from one reading to the next. Rows that are gone are not among it:
/// those are counted one by one, and withdrawn or not.
pub(super) fn emptied(before: &Counts, now: &Counts) -> Vec<Emptied> {
    let lost = before.iter().filter_map(|(heading, before)| {
        let now = now.get(heading).copied().unwrap_or_default();
        let rows = lost(*before, now).filter(|rows| is_much(*rows, *before, now))?;
        Some(Emptied { heading: heading.clone(), rows, before: before.filled })
    });
    lost.collect()
}

fn lost(before: Filled, now: Filled) -> Option<u64> {
    if now.rows == 0 {
        return Some(before.filled);
    }
    let (filled, empty) =
        (before.filled.saturating_sub(now.filled), now.empty().saturating_sub(before.empty()));
    Some(filled.min(empty)).filter(|rows| *rows > 0)
}

fn is_much(rows: u64, before: Filled, now: Filled) -> bool {
    let share = rows > ROWS_AT_MOST && rows * 100 > before.rows * GONE_PERCENT;
    let whole = now.filled == 0 && before.filled >= WHOLE_AT_LEAST && before.filled * 2 > before.rows;
    share || whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(before: (u64, u64), now: (u64, u64)) -> u64 {
        let counts = |(rows, filled)| Counts::from([("alamat".to_owned(), Filled { rows, filled })]);
        emptied(&counts(before), &counts(now)).iter().map(|emptied| emptied.rows).sum()
    }

    #[test]
    fn a_share_of_the_rows_or_all_of_a_column_that_most_had() {
        assert_eq!(found((255, 255), (255, 120)), 135);
        assert_eq!(found((255, 255), (255, 245)), 0, "a family of ten");
        assert_eq!(found((562_000, 500_000), (562_000, 489_000)), 0, "below two in a hundred");
        assert_eq!(found((562_000, 500_000), (562_000, 488_000)), 12_000);
        assert_eq!(found((6, 6), (6, 0)), 6, "small, but all");
        assert_eq!(found((255, 4), (255, 0)), 0, "few ever had it");
    }

    #[test]
    fn rows_that_come_or_go_empty_nothing() {
        assert_eq!(found((3_000, 3_000), (1_500, 1_500)), 0, "gone is not emptied");
        assert_eq!(found((3_000, 3_000), (4_000, 3_000)), 0, "new ones without it");
        assert_eq!(found((3_000, 3_000), (1_500, 0)), 1_500, "both at once");
        assert_eq!(found((60, 60), (0, 0)), 60, "a table of several");
    }
}
