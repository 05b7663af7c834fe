//! Invented people, as deltas. NIK serials begin at 9001.

use dtsen_proto::{
    column::{self, BlockNo, Column},
    id::{Position, RecordId},
    record::{Action, Block, Day, Delta, Move, Provenance, RecordKind, Value},
};

/// Kota Mataram.
pub(crate) const HERE: &str = "52.71";
/// Kabupaten Lombok Timur.
pub(crate) const THERE: &str = "52.03";

/// A delta while it is being written.
pub(crate) trait Written: Sized {
    /// As the region says it, with the day that it describes.
    fn at(self, region: &str, day: i32) -> Self;
    /// Without the village of domicile: the rulebook holds it.
    fn without_village(self) -> Self;
    /// In this village.
    fn in_village(self, code: &str) -> Self;
    /// Sex as a code.
    fn with_sex(self, code: i64) -> Self;
    /// Birth date as a day.
    fn born(self, day: i64) -> Self;
    /// Of another source.
    fn of_source(self, source: &str) -> Self;
    /// Addressed by the hub's id: the record that this delta created.
    fn addressed(self, position: Position, index: u32) -> Self;
    /// As the half of a move that enters.
    fn enters(self, from: &str, to: &str, day: i32) -> Self;
}

fn village(region: &str) -> Value {
    Value::Text(if region == HERE { "52.71.01.1004" } else { "52.03.01.2001" }.into())
}

fn set(delta: &mut Delta, column: Column, value: &Value) {
    for (at, cell) in delta.blocks.iter_mut().flat_map(|b| &mut b.cells) {
        if *at == column {
            cell.clone_from(value);
        }
    }
}

impl Written for Delta {
    fn at(mut self, region: &str, day: i32) -> Self {
        set(&mut self, column::I_KODE_WILAYAH, &village(region));
        for block in &mut self.blocks {
            block.provenance.reference = Day(day);
        }
        self
    }

    fn without_village(mut self) -> Self {
        set(&mut self, column::I_KODE_WILAYAH, &Value::Cleared);
        self
    }

    fn in_village(mut self, code: &str) -> Self {
        set(&mut self, column::I_KODE_WILAYAH, &Value::Text(code.into()));
        self
    }

    fn with_sex(mut self, code: i64) -> Self {
        set(&mut self, column::I_JENIS_KELAMIN, &Value::Number(code));
        self
    }

    fn born(mut self, day: i64) -> Self {
        set(&mut self, column::I_TANGGAL_LAHIR, &Value::Number(day));
        self
    }

    fn of_source(mut self, source: &str) -> Self {
        for block in &mut self.blocks {
            block.provenance.source = source.into();
        }
        self
    }

    fn addressed(mut self, position: Position, index: u32) -> Self {
        self.record = Some(RecordId::new(position, index));
        self
    }

    fn enters(mut self, from: &str, to: &str, day: i32) -> Self {
        self.action = Action::MoveIn;
        self.transfer = Some(Move { other: from.parse().expect("a region"), day: Day(day) });
        self.at(to, day)
    }
}

fn block(number: BlockNo, cells: Vec<(Column, Value)>) -> Block {
    Block { number, provenance: Provenance { source: "dtsen".into(), reference: Day(20_400) }, cells }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn delta(kind: RecordKind, action: Action, blocks: Vec<Block>) -> Delta {
    Delta::new(kind, action, blocks)
}

/// NIK of a man born 1985-03-02.
fn nik(serial: u32) -> String {
    format!("527101020385{:04}", 9_000 + serial)
}

/// A family of 52.71.
pub(crate) fn family(serial: u32) -> Delta {
    let number = format!("527101010110{:04}", 9_000 + serial);
    let identity = vec![
        (column::K_NOMOR_KARTU_KELUARGA, text(&number)),
        (column::K_JUMLAH_ANGGOTA, Value::Number(2)),
        (column::K_NAMA_KEPALA, text("CONTOH SATU")),
    ];
    let domicile = vec![(column::K_KODE_WILAYAH, village(HERE))];
    let blocks = vec![block(column::K_IDENTITAS, identity), block(column::K_DOMISILI, domicile)];
    delta(RecordKind::Keluarga, Action::Upsert, blocks)
}

/// A man of 52.71.
pub(crate) fn person(serial: u32, name: &str) -> Delta {
    let identity = vec![
        (column::I_NIK, text(&nik(serial))),
        (column::I_NOMOR_KARTU_KELUARGA, text("5271010101109001")),
        (column::I_NAMA, text(name)),
        (column::I_TANGGAL_LAHIR, Value::Number(5_539)),
        (column::I_JENIS_KELAMIN, Value::Number(1)),
    ];
    let domicile = vec![(column::I_KODE_WILAYAH, village(HERE))];
    let blocks = vec![block(column::I_IDENTITAS, identity), block(column::I_DOMISILI, domicile)];
    delta(RecordKind::Individu, Action::Upsert, blocks)
}

fn named(serial: u32, source: &str) -> Block {
    let mut block = block(column::I_IDENTITAS, vec![(column::I_NIK, text(&nik(serial)))]);
    block.provenance.source = source.into();
    block.provenance.reference = Day(20_600);
    block
}

/// The half of a move that leaves 52.71.
pub(crate) fn leaves(serial: u32, to: &str, day: i32) -> Delta {
    let transfer = Some(Move { other: to.parse().expect("a region"), day: Day(day) });
    let blocks = vec![named(serial, "dtsen")];
    Delta { transfer, ..delta(RecordKind::Individu, Action::MoveOut, blocks) }
}

/// A source that no longer holds a person.
pub(crate) fn gone(serial: u32, source: &str) -> Delta {
    delta(RecordKind::Individu, Action::Gone, vec![named(serial, source)])
}
