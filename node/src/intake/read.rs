//! The full reading of a row: from cells to the blocks of a delta.

use std::{borrow::Cow, sync::Arc};

use dtsen_proto::{
    column::{self, BlockNo, Column},
    record::{Action, Block, Day, Delta, Provenance, RecordKind, Value},
    region::Region,
    rulebook::{Rulebook, reason},
};
use dtsen_sources::{
    clean::{
        encoding::decode,
        number,
        text::{clean, is_missing},
    },
    key::RowKey,
    read::text::RawRow,
    value::{Cell, Reading, area},
};

use super::{
    finding::FileFinding,
    layout::Plan,
    place::{Domicile, FamilyPlaces, PlaceNames, Villages},
    table::Table,
};

/// What a row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowReading {
    /// The claims, without salt and without the hub's id; none if the row is broken.
    pub delta: Option<Delta>,
    /// What intake itself has to tell; the rulebook's checks come after it.
    pub findings: Vec<FileFinding>,
    /// The names that the row has for its place.
    pub place: PlaceNames,
    /// Under what the row is compared with the last import.
    pub key: RowKey,
}

/// Reads the rows of one delivery: of a family file, and of its members.
pub struct RowReader {
    rulebook: Arc<Rulebook>,
    provenance: Provenance,
    villages: Villages,
}

impl RowReader {
    /// A reader for one source of a region; the data describes the day `reference`.
    pub fn new(rulebook: Arc<Rulebook>, region: Region, reference: Day, source: &str) -> Self {
        let villages = Villages::new(Arc::clone(&rulebook), region);
        Self { rulebook, provenance: Provenance { source: source.into(), reference }, villages }
    }

    /// Reads a row of this table fully. `families` gives members the village of their family.
    pub fn read_row(&mut self, table: &Table, row: &RawRow, families: Option<&FamilyPlaces>) -> RowReading {
        if let Some(broken) = row.broken {
            let mut finding = FileFinding::new(&self.rulebook, broken.reason(), row.line);
            finding.detail = Some(broken.into());
            let (place, key) = (PlaceNames::default(), RowKey::digest([&row.raw[..]]));
            return RowReading { delta: None, findings: vec![finding], place, key };
        }
        let kind = table.kind();
        let mut findings = Vec::new();
        let mut blocks: Vec<Block> = Vec::new();
        let domicile_column = domicile_of(kind).1;
        for plan in table.layout.plans.iter().filter(|plan| plan.column != domicile_column) {
            if let Some(value) = self.cell(plan, row, &mut findings) {
                if blocks.last().is_none_or(|block| block.number != plan.block) {
                    blocks.push(self.block(plan.block));
                }
                let cells = &mut blocks.last_mut().expect("pushed just now").cells;
                cells.push((plan.column, value));
            }
        }
        self.domicile(table, row, families, &mut blocks, &mut findings);
        let delta = Delta::new(kind, Action::Upsert, blocks);
        RowReading { delta: Some(delta), findings, place: place_names(table, row), key: row_key(table, row) }
    }

    /// The village of a row, without reading the rest of it: for the raw pass, where a member's reading also
    /// depends on the village of the family.
    pub fn village(&mut self, table: &Table, row: &RawRow, families: Option<&FamilyPlaces>) -> Domicile {
        let place = table.layout.place;
        let text = |at: Option<usize>| at.map_or(Cow::Borrowed(""), |at| text(row, at));
        if row.broken.is_some() {
            return Domicile::Unnamed;
        }
        let stated = self.villages.coded(&text(place.kode_wilayah));
        if matches!(stated, Domicile::Village(_)) {
            return stated;
        }
        let names = (text(place.kabupaten_kota), text(place.kecamatan), text(place.kelurahan_desa));
        if table.kind() == RecordKind::Keluarga {
            let by_names = match (&*names.1, self.villages.bridged_kecamatan(&text(place.bps_kecamatan))) {
                ("", Some((kabupaten_kota, kecamatan))) => {
                    self.villages.named(&kabupaten_kota, &kecamatan, &names.2)
                }
                _ => self.villages.named(&names.0, &names.1, &names.2),
            };
            return match (self.villages.bridged(&text(place.bps_desa)), by_names) {
                // Code and names contradict each other: a person decides.
                (Some(code), Domicile::Village(other)) if code != other => Domicile::Ambiguous,
                (Some(code), _) => Domicile::Village(code),
                (None, Domicile::Unnamed) => stated,
                (None, by_names) => by_names,
            };
        }
        if let Some(families) = families
            && let Some(village) = family_number(table, row).and_then(|kk| families.get(kk))
        {
            return Domicile::Village(Arc::clone(village));
        }
        let coded = self.villages.coded(&text(place.kode_ktp));
        if self.villages.is_here(&coded) {
            return coded;
        }
        // A KTP from elsewhere does not say that its holder lives there.
        match self.villages.named(&names.0, &names.1, &names.2) {
            found @ Domicile::Village(_) if !self.villages.is_here(&found) => Domicile::Unresolved,
            Domicile::Unnamed if families.is_some() => Domicile::Unresolved,
            Domicile::Unnamed if coded != Domicile::Unnamed || stated != Domicile::Unnamed => {
                Domicile::Unresolved
            }
            found => found,
        }
    }

    /// Notes the village of a row of the family file.
    pub fn note_family(&mut self, table: &Table, row: &RawRow, families: &mut FamilyPlaces) {
        if table.kind() == RecordKind::Keluarga
            && let Some(number) = family_number(table, row)
            && let Domicile::Village(village) = self.village(table, row, None)
        {
            families.insert(number, &village);
        }
    }

    fn block(&self, number: BlockNo) -> Block {
        Block { number, provenance: self.provenance.clone(), cells: Vec::new() }
    }

    /// The value of one cell, if it states one.
    fn cell(&self, plan: &Plan, row: &RawRow, findings: &mut Vec<FileFinding>) -> Option<Value> {
        let raw = row.field(plan.field);
        if raw.is_empty() {
            return None;
        }
        let (decoded, broken) = decode(raw);
        let mut tell = |code| {
            findings.push(FileFinding::new(&self.rulebook, code, row.line).of(plan.column, &plan.name));
        };
        if broken {
            tell(reason::BYTES_BROKEN);
        }
        let cleaned = clean(&decoded);
        let cell = match &plan.reading {
            Reading::Number => match number::read(&cleaned, plan.number, || row.quoted(plan.field)) {
                number::Cell::Missing => Cell::Missing,
                number::Cell::Sound(number) => Cell::Value(Value::Text(format!("{number:016}").into())),
                number::Cell::Odd(text) => Cell::Value(Value::Text(text.into())),
                number::Cell::AsNumber => Cell::Fault(reason::NIK_AS_NUMBER),
                number::Cell::Placeholder => Cell::Fault(reason::NIK_PLACEHOLDER),
            },
            reading => reading.read(&cleaned),
        };
        match cell {
            Cell::Missing => None,
            Cell::Value(value) => Some(value),
            Cell::Fault(code) => {
                tell(code);
                None
            }
        }
    }

    /// States the village of domicile, or tells why it is not known.
    fn domicile(
        &mut self,
        table: &Table,
        row: &RawRow,
        families: Option<&FamilyPlaces>,
        blocks: &mut Vec<Block>,
        findings: &mut Vec<FileFinding>,
    ) {
        let (number, column) = domicile_of(table.kind());
        let found = self.village(table, row, families);
        let mut tell = |code| {
            let name = self.rulebook.column(column).map_or("", |info| info.name.as_str());
            findings.push(FileFinding::new(&self.rulebook, code, row.line).of(column, name));
        };
        match found {
            Domicile::Village(code) => {
                let at = blocks.binary_search_by_key(&number, |block| block.number).unwrap_or_else(|at| {
                    blocks.insert(at, self.block(number));
                    at
                });
                let cells = &mut blocks[at].cells;
                let place = cells.partition_point(|(before, _)| *before < column);
                cells.insert(place, (column, Value::Text(code.as_ref().into())));
            }
            Domicile::Ambiguous => tell(reason::VILLAGE_AMBIGUOUS),
            // Where the block holds something else, the rulebook says it.
            Domicile::Unresolved if blocks.iter().all(|block| block.number != number) => {
                tell(reason::VILLAGE_UNRESOLVED);
            }
            Domicile::Unresolved | Domicile::Unnamed => {}
        }
    }
}

/// The block and the column of the domicile.
fn domicile_of(kind: RecordKind) -> (BlockNo, Column) {
    match kind {
        RecordKind::Keluarga => (column::K_DOMISILI, column::K_KODE_WILAYAH),
        RecordKind::Individu => (column::I_DOMISILI, column::I_KODE_WILAYAH),
    }
}

/// Cleaned text of a field; empty if it says that there is none.
fn text(row: &RawRow, at: usize) -> Cow<'_, str> {
    let cleaned = match decode(row.field(at)).0 {
        Cow::Borrowed(text) => clean(text),
        Cow::Owned(text) => Cow::Owned(clean(&text).into_owned()),
    };
    if is_missing(&cleaned) { Cow::Borrowed("") } else { cleaned }
}

/// The number in a column of NIK or No. KK, if it is sound.
fn sound(plan: Option<&Plan>, row: &RawRow) -> Option<u64> {
    let plan = plan?;
    match number::read(&text(row, plan.field), plan.number, || row.quoted(plan.field)) {
        number::Cell::Sound(number) => Some(number),
        _ => None,
    }
}

fn family_number(table: &Table, row: &RawRow) -> Option<u64> {
    sound(table.layout.family(), row)
}

/// The key under which a row is compared with the last import.
pub fn row_key(table: &Table, row: &RawRow) -> RowKey {
    let individu = table.kind() == RecordKind::Individu;
    if row.broken.is_some() {
        return RowKey::digest([&row.raw[..]]);
    }
    if let Some(number) = sound(table.layout.key(), row) {
        return if individu { RowKey::Nik(number) } else { RowKey::Kk(number) };
    }
    let columns = if individu {
        [column::I_NOMOR_KARTU_KELUARGA, column::I_NAMA, column::I_TANGGAL_LAHIR]
    } else {
        [column::K_NAMA_KEPALA, column::K_ALAMAT, column::K_KELURAHAN_DESA]
    };
    let parts =
        columns.map(|column| table.layout.plan(column).map_or(Cow::Borrowed(""), |p| text(row, p.field)));
    // Without the name it is anybody's.
    let name = &parts[usize::from(individu)];
    if name.is_empty() {
        return RowKey::digest([&row.raw[..]]);
    }
    RowKey::digest(parts.iter().map(|part| part.as_bytes()))
}

fn place_names(table: &Table, row: &RawRow) -> PlaceNames {
    let place = table.layout.place;
    let read = |at: Option<usize>| at.map(|at| text(row, at)).filter(|text| !text.is_empty());
    let code = read(place.kode_wilayah).or_else(|| read(place.kode_ktp));
    PlaceNames {
        kabupaten_kota: read(place.kabupaten_kota).map(Cow::into_owned),
        kecamatan: read(place.kecamatan).map(Cow::into_owned),
        kelurahan_desa: read(place.kelurahan_desa).map(Cow::into_owned),
        kode: code.and_then(|code| area(&code)),
    }
}
