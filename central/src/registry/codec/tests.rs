use dtsen_proto::{
    column::Column,
    record::{Provenance, Value},
};
use proptest::{collection::vec, prelude::*};

use super::*;

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::Number),
        ".{0,20}".prop_map(|text| Value::Text(text.into())),
        Just(Value::Cleared),
        ".{0,200}".prop_map(|raw| Value::Unmapped(raw.into())),
    ]
}

fn some_region() -> impl Strategy<Value = Region> {
    prop_oneof![Just("52.71"), Just("11.01")].prop_map(|code| code.parse().expect("a region"))
}

prop_compose! {
    fn stamp()(reference in any::<i32>(), epoch in 0u32..3, sequence in any::<u32>(), index in 0u32..2000) -> Stamp {
        Stamp { reference: Day(reference), epoch, sequence, index }
    }
}

prop_compose! {
    fn claim()(
        block in any::<u8>(),
        region in some_region(),
        source in "[a-z]{0,8}",
        stamps in vec(stamp(), 1..4),
        cells in proptest::collection::btree_map(any::<u16>(), value(), 1..40),
    ) -> Claim {
        let stamps = stamps.into_iter().cycle();
        let cells = cells.into_iter().zip(stamps);
        let cells = cells.map(|((column, value), stamp)| Cell { column: Column(column), value, stamp });
        Claim { block: BlockNo(block), region, source: source.into(), cells: cells.collect() }
    }
}

prop_compose! {
    fn half()(
        incoming in any::<bool>(),
        (region, other) in (some_region(), some_region()),
        at in stamp(),
        day in any::<i32>(),
        claims in vec(claim(), 0..3),
    ) -> Half {
        let position = Position { region, epoch: at.epoch, sequence: at.sequence };
        let blocks = claims.into_iter().map(|claim| Block {
            number: claim.block,
            provenance: Provenance { source: claim.source, reference: Day(day) },
            cells: claim.cells.into_iter().map(|cell| (cell.column, cell.value)).collect(),
        });
        Half {
            direction: if incoming { Direction::In } else { Direction::Out },
            delta: DeltaRef { position, index: at.index },
            other,
            day: Day(day),
            blocks: blocks.collect(),
        }
    }
}

prop_compose! {
    fn record()(
        id in any::<[u8; 16]>(),
        is_family in any::<bool>(),
        stays in vec((some_region(), any::<i32>()), 1..3),
        claims in vec(claim(), 0..5),
        halves in vec(half(), 0..2),
    ) -> Record {
        Record {
            id: RecordId::from_slice(&id).expect("sixteen bytes"),
            kind: if is_family { RecordKind::Keluarga } else { RecordKind::Individu },
            stays: stays.into_iter().map(|(region, from)| Stay { region, from: Day(from) }).collect(),
            claims,
            halves,
        }
    }
}

proptest! {
    /// The hand that writes and the library that reads agree, and the library would have written the same.
    #[test]
    fn what_is_written_is_read(record in record()) {
        let bytes = encode(&record);
        prop_assert_eq!(Stored::decode(bytes.as_slice()).expect("protobuf").encode_to_vec(), bytes.clone());
        prop_assert_eq!(decode(&bytes), Ok(record));
    }
}
