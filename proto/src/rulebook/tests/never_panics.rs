//! No delta makes a check panic, or say two things.

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::{
    id::RecordId,
    record::{Move, Value::*},
};

const TEXTS: &[&str] = &[
    "",
    " ",
    "\0",
    "é",
    "5271014101909001",
    "5271010101209001",
    "0000000000000000",
    "９９９９",
    "52.71.01.1006",
    "52.71",
    "52.03.01.2004",
    "..",
    "....",
    "52.71.01.10é",
    "52.7é",
    "5271010",
    "CONTOH",
];

fn any_day() -> impl Strategy<Value = Day> {
    prop_oneof![any::<i32>(), -60_000..30_000, 20_000..21_000].prop_map(Day)
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Number),
        (-1..30i64).prop_map(Number),
        any_day().prop_map(|day| Number(i64::from(day.0))),
        Just(Cleared),
        any::<String>().prop_map(|raw| Unmapped(raw.into())),
        any::<String>().prop_map(|text| Text(text.into())),
        select(TEXTS).prop_map(text),
    ]
}

fn any_region() -> impl Strategy<Value = Region> {
    prop_oneof![Just(5271), 1_100..10_000u32].prop_map(|n| Region::from_number(n).expect("from 11 to 99"))
}

/// A block as a careless decoder would let it through: any number, columns in any order and twice.
fn any_block() -> impl Strategy<Value = Block> {
    let cells = vec(((0..200u16).prop_map(Column), any_value()), 0..8);
    (0..40u8, any_day(), cells).prop_map(|(number, reference, cells)| Block {
        number: BlockNo(number),
        provenance: Provenance { source: "uji".into(), reference },
        cells,
    })
}

prop_compose! {
    /// Values of one kind of record in their blocks, and some blocks that are anything.
    fn any_delta()(
        kind in select(&[RecordKind::Keluarga, RecordKind::Individu][..]),
        action in select(&[Action::Upsert, Action::MoveIn, Action::MoveOut, Action::Gone][..]),
        known in any::<bool>(),
        transfer in option::of((any_region(), any_day())),
        cells in vec((0..70u16, any_value()), 0..40),
        references in vec(any_day(), 12),
        more in vec(any_block(), 0..2),
    ) -> Delta {
        let first = if kind == RecordKind::Individu { 100 } else { 0 };
        let book = Rulebook::builtin();
        let cells: Vec<_> = cells
            .into_iter()
            .map(|(number, value)| (number + first, value))
            .filter(|(number, _)| book.column(Column(*number)).is_some())
            .collect();
        let mut made = delta(kind, &cells);
        for (block, reference) in made.blocks.iter_mut().zip(references) {
            block.provenance.reference = reference;
        }
        made.blocks.extend(more);
        made.action = action;
        made.record = known.then(|| RecordId::from_slice(&[7; 16])).flatten();
        made.transfer = transfer.map(|(other, day)| Move { other, day });
        made
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn on_any_delta(deltas in vec(any_delta(), 3), region in any_region(), today in any_day()) {
        let book = Rulebook::builtin();
        let ctx = CheckContext { region, today };
        let members: Vec<&Delta> = deltas[1..].iter().collect();
        let mut all: Vec<Finding> =
            book.check_family(deltas.first(), &members, &ctx).into_iter().map(|(_, finding)| finding).collect();
        for delta in &deltas {
            let findings = book.check(delta, &ctx);
            prop_assert_eq!(&findings, &book.check(delta, &ctx));
            prop_assert!(findings.windows(2).all(|w| (w[0].column, &w[0].reason) < (w[1].column, &w[1].reason)));
            all.extend(findings);
        }
        prop_assert!(all.iter().all(|finding| reason::ALL.contains(&&*finding.reason)));
    }
}
