//! No delta makes a check panic, and none makes it say two things. Seeded: a failure names its seed.

use super::*;
use crate::{
    id::RecordId,
    record::{Move, Value::*},
};

/// SplitMix64: enough to reach every branch, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.below(all.len() as u64)).expect("below the length")]
    }

    fn day(&mut self) -> Day {
        let any = i32::try_from(self.below(1 << 31)).expect("31 bits") - (1 << 30);
        *self.one(&[
            Day(i32::MIN),
            Day(i32::MAX),
            Day(0),
            today(),
            Day(any),
            Day(any / 50_000),
            Day(-719_528),
        ])
    }

    fn value(&mut self) -> Value {
        const TEXTS: &[&str] = &[
            "",
            " ",
            "\0",
            "é",
            "5271014101909001",
            "0000000000000000",
            "９９９９",
            "52.71.01.1006",
            "52.71",
            "..",
            "....",
            "52.71.01.10é",
            "5271010",
            "CONTOH",
            "é2.71",
            "52.7é",
        ];
        match self.below(6) {
            0 => Number(*self.one(&[i64::MIN, i64::MAX, i64::from(i32::MIN), -1, 0])),
            1 => Number(i64::try_from(self.below(30)).expect("small")),
            2 => Number(i64::from(self.day().0)),
            3 => Cleared,
            4 => Unmapped((*self.one(TEXTS)).into()),
            _ => Text(self.one(TEXTS).repeat(usize::try_from(self.below(3)).expect("small") + 1)),
        }
    }

    /// Mostly of the table, at times with columns in the wrong block, unsorted or twice.
    fn delta(&mut self) -> Delta {
        let book = Rulebook::builtin();
        let kind = *self.one(&[RecordKind::Keluarga, RecordKind::Individu]);
        let mut made = delta(kind, &[]);
        made.action =
            *self.one(&[Action::Upsert, Action::Upsert, Action::MoveIn, Action::MoveOut, Action::Gone]);
        made.record = (self.below(2) == 0).then(|| RecordId::from_slice(&[7; 16])).flatten();
        let other = region(u32::try_from(self.below(10_000)).expect("small"));
        made.transfer = other.map(|other| Move { other, day: self.day() });
        let columns: Vec<&ColumnInfo> = book.columns(kind).collect();
        for _ in 0..self.below(60) {
            let column = *self.one(&columns);
            let codes = book.codes(column.number);
            let value =
                if codes.is_empty() || self.below(3) == 0 { self.value() } else { Number(self.one(codes).0) };
            put(&mut made, column.block, column.number, value);
        }
        if self.below(4) == 0 {
            let block = BlockNo(u8::try_from(self.below(256)).expect("a byte"));
            let cells = (0..self.below(8)).map(|_| {
                let column = Column(u16::try_from(self.below(200)).expect("small"));
                (column, self.value())
            });
            let cells = cells.collect();
            let provenance = Provenance { source: "uji".into(), reference: self.day() };
            made.blocks.push(Block { number: block, provenance, cells });
        }
        for block in &mut made.blocks {
            if self.below(3) == 0 {
                block.provenance.reference = self.day();
            }
        }
        made
    }
}

fn region(number: u32) -> Option<Region> {
    Region::from_number(number)
}

#[test]
fn on_any_delta() {
    let book = Rulebook::builtin();
    let mut reached = BTreeSet::new();
    for seed in 0..20_000 {
        let mut random = Random(seed);
        let deltas: Vec<Delta> = (0..3).map(|_| random.delta()).collect();
        let ctx = CheckContext {
            region: region(u32::try_from(random.below(10_000)).expect("small")).unwrap_or(ctx().region),
            today: random.day(),
        };
        let checked = std::panic::catch_unwind(|| {
            let members: Vec<&Delta> = deltas[1..].iter().collect();
            let family = book.check_family(deltas.first(), &members, &ctx);
            let singles: Vec<_> = deltas.iter().map(|delta| book.check(delta, &ctx)).collect();
            for (delta, findings) in deltas.iter().zip(&singles) {
                assert_eq!(&book.check(delta, &ctx), findings, "the same twice");
            }
            (family, singles)
        });
        let Ok((family, singles)) = checked else { panic!("seed {seed}") };
        let all = singles.into_iter().flatten().chain(family.into_iter().map(|(_, finding)| finding));
        reached.extend(all.map(|finding| finding.reason.into_owned()));
    }
    // The generator is worth something only if it reaches most of what the checks can say.
    assert!(reached.len() > 45, "{} reasons: {reached:?}", reached.len());
    assert!(reached.iter().all(|code| reason::ALL.contains(&code.as_str())));
}
