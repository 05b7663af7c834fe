use dtsen_proto::{
    column::{BlockNo, Column},
    id::{Position, RecordId},
    record::{Block, Provenance, RecordKind},
};
use proptest::prelude::*;

use super::*;
use crate::registry::{codec, record::Stay};

fn region(number: u32) -> Region {
    Region::from_number(number).expect("a region")
}

fn empty() -> Record {
    let position = Position { region: region(5271), epoch: 1, sequence: 1 };
    let mut record = Record::new(RecordId::new(position, 0), RecordKind::Individu, region(5271));
    record.stays.push(Stay { region: region(5203), from: Day(50) });
    record
}

/// A statement: region, source, reference day, sequence in the region's chain, values.
type Said = (u32, u8, i32, Vec<(u16, i64)>);

fn statements() -> impl Strategy<Value = Vec<Said>> {
    let cells = proptest::collection::btree_map(1u16..5, 0i64..3, 1..4).prop_map(|m| m.into_iter().collect());
    proptest::collection::vec((prop_oneof![Just(5271u32), Just(5203)], 0u8..2, 0i32..100, cells), 1..12)
}

fn say(record: &mut Record, sequence: usize, said: &Said) -> Folded {
    let (from, source, day, cells) = said;
    let block = Block {
        number: BlockNo(24),
        provenance: Provenance { source: format!("s{source}").into(), reference: Day(*day) },
        cells: cells.iter().map(|(c, v)| (Column(*c), Value::Number(*v))).collect(),
    };
    let sequence = u32::try_from(sequence).expect("few");
    fold(record, region(*from), &block, Stamp { reference: Day(*day), epoch: 1, sequence, index: 0 })
}

proptest! {
    /// The contents do not depend on how the regions' chains interleave, nor on the order of arrival at all.
    #[test]
    fn any_order_gives_the_same_record(said in statements(), seed in any::<u64>()) {
        let mut in_order = empty();
        for (sequence, statement) in said.iter().enumerate() {
            say(&mut in_order, sequence, statement);
        }
        let mut order: Vec<usize> = (0..said.len()).collect();
        order.sort_by_key(|i| (*i as u64).wrapping_mul(seed | 1).wrapping_add(seed));
        let mut shuffled = empty();
        for sequence in order {
            say(&mut shuffled, sequence, &said[sequence]);
        }
        prop_assert_eq!(codec::encode(&in_order), codec::encode(&shuffled));
        prop_assert_eq!(codec::decode(&codec::encode(&in_order)), Ok(in_order));
    }

    /// Saying the same again changes nothing.
    #[test]
    fn repeating_is_stale(said in statements()) {
        let mut record = empty();
        for (sequence, statement) in said.iter().enumerate() {
            say(&mut record, sequence, statement);
        }
        let before = record.clone();
        for (sequence, statement) in said.iter().enumerate() {
            prop_assert_eq!(say(&mut record, sequence, statement), Folded::Stale);
        }
        prop_assert_eq!(record, before);
    }

    /// Only a region that was the domicile on the day described is ever shown.
    #[test]
    fn only_the_domicile_of_the_day_is_shown(said in statements()) {
        let mut record = empty();
        for (sequence, statement) in said.iter().enumerate() {
            say(&mut record, sequence, statement);
        }
        for shown in shown(&record) {
            let day = shown.claim.stamp().expect("a claim has values").reference;
            prop_assert_eq!(shown.claim.region, record.domicile_on(day));
        }
    }
}

#[test]
fn a_correction_of_the_same_day_wins_and_an_older_day_loses() {
    let mut record = empty();
    assert_eq!(say(&mut record, 1, &(5271, 0, 10, vec![(1, 1)])), Folded::Newer);
    assert_eq!(say(&mut record, 2, &(5271, 0, 10, vec![(1, 2)])), Folded::Newer);
    assert_eq!(say(&mut record, 3, &(5271, 0, 9, vec![(1, 3)])), Folded::Stale);
    assert_eq!(shown_value(&record, Column(1)), Some(&Value::Number(2)));
}

#[test]
fn equals_that_differ_are_contested() {
    let mut record = empty();
    say(&mut record, 1, &(5271, 0, 10, vec![(1, 1)]));
    say(&mut record, 2, &(5271, 1, 10, vec![(1, 1)]));
    assert!(!shown(&record)[0].contested);
    say(&mut record, 3, &(5271, 1, 10, vec![(1, 2)]));
    assert!(shown(&record)[0].contested);
    assert_eq!(shown_value(&record, Column(1)), Some(&Value::Number(1)), "the first in a fixed order");
    say(&mut record, 4, &(5271, 0, 11, vec![(1, 2)]));
    assert!(!shown(&record)[0].contested);
}

#[test]
fn gone_withdraws_what_its_source_said_until_then() {
    let mut record = empty();
    say(&mut record, 1, &(5271, 0, 10, vec![(1, 1)]));
    say(&mut record, 2, &(5271, 1, 10, vec![(2, 1)]));
    let until = Stamp { reference: Day(20), epoch: 1, sequence: 3, index: 0 };
    assert!(withdraw(&mut record, region(5271), "s0", until));
    assert!(!withdraw(&mut record, region(5271), "s0", until));
    assert_eq!(record.claims.len(), 1);
}
