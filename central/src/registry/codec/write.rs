//! Writes records straight into bytes: with the lane's transaction open, copies of every value would be paid for by
//! everybody who waits.

use dtsen_proto::{
    column::{BlockNo, Column},
    record::{Day, Value},
};

use crate::registry::{
    claim::{Cell, Claim, Stamp},
    record::{Direction, Half, Record},
};

/// Most records are shorter.
const USUAL_BYTES: usize = 1024;

/// Bytes of a protobuf message. Fields are written in the order of their numbers, those with the default value not at all,
/// as prost does.
struct Bytes(Vec<u8>);

impl Bytes {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }

    fn number(&mut self, field: u8, value: u64) {
        if value != 0 {
            self.0.push(field << 3);
            self.varint(value);
        }
    }

    fn signed(&mut self, field: u8, value: i64) {
        self.number(field, zigzag(value));
    }

    fn bytes(&mut self, field: u8, value: &[u8]) {
        if !value.is_empty() {
            self.element(field, value);
        }
    }

    /// One of a repeated field: written even if it is empty.
    fn element(&mut self, field: u8, value: &[u8]) {
        self.0.push(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    fn message(&mut self, field: u8, write: impl FnOnce(&mut Self)) {
        self.0.push(field << 3 | 2);
        // The length stands before what it counts: mostly in one byte, else the rest makes room.
        let at = self.0.len();
        self.0.push(0);
        write(self);
        let length = self.0.len() - at - 1;
        if length < 0x80 {
            self.0[at] = length.to_le_bytes()[0];
        } else {
            self.varint(length as u64);
            let digits = self.0.len() - at - 1 - length;
            self.0[at + 1..].rotate_right(digits);
            self.0.remove(at);
        }
    }

    /// A repeated field of numbers.
    fn packed(&mut self, field: u8, values: impl Iterator<Item = u64>) {
        let mut values = values.peekable();
        if values.peek().is_some() {
            self.message(field, |out| values.for_each(|value| out.varint(value)));
        }
    }
}

/// Small numbers of either sign in few bytes, as `sint32` and `sint64` have them.
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// The bytes to store.
pub fn encode(record: &Record) -> Vec<u8> {
    let mut out = Bytes(Vec::with_capacity(USUAL_BYTES));
    out.bytes(1, record.id.as_bytes());
    out.number(2, i32::from(record.kind.to_wire()).unsigned_abs().into());
    for stay in &record.stays {
        out.message(3, |out| {
            out.number(1, stay.region.number().into());
            out.signed(2, stay.from.0.into());
        });
    }
    for claim in &record.claims {
        out.message(4, |out| put_claim(out, claim));
    }
    for half in &record.halves {
        out.message(5, |out| put_half(out, half));
    }
    out.0
}

fn put_claim(out: &mut Bytes, claim: &Claim) {
    out.number(1, claim.region.number().into());
    let cells = || claim.cells.iter().map(|cell| (cell.column, &cell.value));
    out.message(2, |out| put_block(out, claim.block, &claim.source, Day(0), cells));
    let mut stamps: Vec<Stamp> = claim.cells.iter().map(|c| c.stamp).collect();
    stamps.sort_unstable();
    stamps.dedup();
    for stamp in &stamps {
        out.message(3, |out| {
            out.signed(1, stamp.reference.0.into());
            out.number(2, stamp.epoch.into());
            out.number(3, stamp.sequence.into());
            out.number(4, stamp.index.into());
        });
    }
    if stamps.len() > 1 {
        let place = |cell: &Cell| stamps.binary_search(&cell.stamp).expect("every stamp is listed");
        out.packed(4, claim.cells.iter().map(|cell| place(cell) as u64));
    }
}

fn put_half(out: &mut Bytes, half: &Half) {
    let at = half.delta.position;
    out.number(1, (half.direction == Direction::In).into());
    out.number(2, at.region.number().into());
    out.number(3, at.epoch.into());
    out.number(4, at.sequence.into());
    out.number(5, half.delta.index.into());
    out.number(6, half.other.number().into());
    out.signed(7, half.day.0.into());
    for block in &half.blocks {
        let provenance = &block.provenance;
        let cells = || block.cells.iter().map(|(column, value)| (*column, value));
        out.message(8, |out| {
            put_block(out, block.number, &provenance.source, provenance.reference, cells);
        });
    }
}

/// A block as on the wire. `cells` gives them once for every list.
fn put_block<'a, I: Iterator<Item = (Column, &'a Value)>>(
    out: &mut Bytes,
    number: BlockNo,
    source: &str,
    reference: Day,
    cells: impl Fn() -> I,
) {
    let columns = |of: fn(&Value) -> bool| {
        cells().filter(move |(_, value)| of(value)).map(|(column, _)| u64::from(column.0))
    };
    out.number(1, number.0.into());
    out.message(2, |out| {
        out.bytes(1, source.as_bytes());
        out.signed(2, reference.0.into());
    });
    out.packed(3, columns(|value| matches!(value, Value::Number(_))));
    out.packed(
        4,
        cells().filter_map(|(_, value)| match value {
            Value::Number(number) => Some(zigzag(*number)),
            _ => None,
        }),
    );
    out.packed(5, columns(|value| matches!(value, Value::Text(_))));
    for (_, value) in cells() {
        if let Value::Text(text) = value {
            out.element(6, text.as_bytes());
        }
    }
    out.packed(7, columns(|value| matches!(value, Value::Cleared)));
    for (column, value) in cells() {
        if let Value::Unmapped(raw) = value {
            out.message(8, |out| {
                out.number(1, column.0.into());
                out.bytes(2, raw.as_bytes());
            });
        }
    }
}
