//! What a row says that its record did not: a pure function.

use dtsen_proto::{
    column::{BlockNo, Column},
    record::{Block, Delta, Provenance, Value},
};

/// A row beside its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    /// Everything that the row says, with the values that it takes back.
    pub(super) row: Delta,
    /// The blocks of it that say something new.
    pub(super) changed: Vec<BlockNo>,
    /// Everything that the source states from now on.
    pub(super) content: Delta,
}

/// States every column that the file has and the record had, so that an empty cell takes its value back.
fn take_back(row: &mut Delta, stored: &Delta, states: &dyn Fn(Column) -> bool, provenance: &Provenance) {
    for block in &stored.blocks {
        for (column, _) in &block.cells {
            if states(*column) && row.get(*column).is_none() {
                let cells = &mut row.block_mut(block.number, provenance).cells;
                let at = cells.partition_point(|(before, _)| before < column);
                cells.insert(at, (*column, Value::Cleared));
            }
        }
    }
}

fn says_new(block: &Block, stored: Option<&Block>) -> bool {
    block.cells.iter().any(|(column, value)| stored.and_then(|s| s.get(*column)) != Some(value))
}

/// Compares a row to what its source stated before; `states` tells the columns of which it says something, be it nothing.
pub(super) fn compare(
    mut row: Delta,
    stored: Option<&Delta>,
    states: &dyn Fn(Column) -> bool,
    provenance: &Provenance,
) -> Difference {
    let Some(stored) = stored else {
        let changed = row.blocks.iter().map(|block| block.number).collect();
        return Difference { content: row.clone(), row, changed };
    };
    take_back(&mut row, stored, states, provenance);
    let new = row.blocks.iter().filter(|block| says_new(block, stored.block(block.number)));
    let changed: Vec<BlockNo> = new.map(|block| block.number).collect();
    // What is said otherwise than before is known since today, if it does not say when: an older day would lose to it.
    for block in row.blocks.iter_mut().filter(|block| changed.contains(&block.number)) {
        let before = stored.block(block.number).map(|block| block.provenance.reference);
        if before.is_some_and(|before| block.provenance.reference <= before) {
            block.provenance.reference = provenance.reference;
        }
    }
    let mut content = stored.clone();
    for block in row.blocks.iter().filter(|block| changed.contains(&block.number)) {
        content.state(block);
    }
    Difference { row, changed, content }
}

#[cfg(test)]
mod tests {
    use dtsen_proto::record::{Action, Day, RecordKind};

    use super::*;

    fn provenance(day: i32) -> Provenance {
        Provenance { source: "dtsen".into(), reference: Day(day) }
    }

    fn delta(day: i32, blocks: &[(u8, &[(u16, i64)])]) -> Delta {
        let block = |(number, cells): &(u8, &[(u16, i64)])| Block {
            number: BlockNo(*number),
            provenance: provenance(day),
            cells: cells.iter().map(|(c, n)| (Column(*c), Value::Number(*n))).collect(),
        };
        let blocks = blocks.iter().map(block).collect();
        let (kind, action) = (RecordKind::Keluarga, Action::Upsert);
        Delta::new(kind, action, blocks)
    }

    fn columns(numbers: &[u16]) -> impl Fn(Column) -> bool {
        |column| numbers.contains(&column.0)
    }

    #[test]
    fn only_blocks_that_differ_count_and_come_whole() {
        let stored = delta(1, &[(1, &[(10, 1), (11, 2)]), (4, &[(20, 3)])]);
        let row = delta(2, &[(1, &[(10, 1), (11, 9)]), (4, &[(20, 3)])]);
        let found = compare(row, Some(&stored), &columns(&[10, 11, 20]), &provenance(2));
        assert_eq!(found.changed, [BlockNo(1)]);
        let block = found.row.block(BlockNo(1)).expect("the block");
        assert_eq!(block.cells.len(), 2, "whole");
        assert_eq!(found.content.number(Column(11)), Some(9));
        let day = |number| found.content.block(BlockNo(number)).map(|b| b.provenance.reference.0);
        assert_eq!((day(1), day(4)), (Some(2), Some(1)));
    }

    #[test]
    fn what_changes_is_newer_than_what_it_replaces() {
        let stored = delta(5, &[(3, &[(20, 1)])]);
        for (said, counts) in [(4, 9), (5, 9), (6, 6)] {
            let row = delta(said, &[(3, &[(20, 2)])]);
            let found = compare(row, Some(&stored), &columns(&[20]), &provenance(9));
            let day = |delta: &Delta| delta.block(BlockNo(3)).map(|block| block.provenance.reference.0);
            assert_eq!((day(&found.row), day(&found.content)), (Some(counts), Some(counts)), "{said}");
        }
    }

    #[test]
    fn an_empty_cell_takes_back_and_a_missing_column_does_not() {
        let stored = delta(1, &[(1, &[(10, 1), (11, 2)]), (4, &[(20, 3)])]);
        let row = delta(2, &[(1, &[(10, 1)])]);
        let found = compare(row.clone(), Some(&stored), &columns(&[10, 20]), &provenance(2));
        assert_eq!(found.changed, [BlockNo(4)]);
        assert_eq!(found.content.get(Column(20)), Some(&Value::Cleared));
        assert_eq!(found.content.number(Column(11)), Some(2), "not a column of this file");
        let again = compare(row, Some(&found.content), &columns(&[10, 20]), &provenance(3));
        assert_eq!(again.changed, []);
    }
}
