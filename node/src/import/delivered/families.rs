//! Families out of their members.

use std::{collections::BTreeMap, sync::Arc};

use dtsen_proto::{
    column::{self, Column},
    record::{Delta, RecordKind, Value},
    rulebook::reason,
};
use dtsen_sources::{
    delivery::Delivery,
    key::RowKey,
    layout::sheet::Line,
    record::{self, Record},
    spool::Spooled,
};
use sha2::{Digest as _, Sha256};

use super::{
    super::{
        ImportError, OnProgress,
        judge::Entry,
        known::Known,
        run::{Chunk, Run},
        scope::place_number,
    },
    Claims, ROWS_PER_STEP, Touched,
};

/// What is told of rows that make no member: another row says what holds, or the source says that nothing does.
const LEFT_OUT: [&str; 2] = [reason::ROW_SUPERSEDED, reason::ROW_NOT_VALID];
/// The relation of the head of family.
const HEAD: i64 = 1;

/// Families by No. KK.
pub(super) type Families = BTreeMap<u64, Family>;

/// A family as its members make it.
#[derive(Debug, Clone, Default)]
pub(super) struct Family {
    members: i64,
    head: Option<String>,
    address: Address,
    /// The address is the head's.
    by_head: bool,
    sheet: Option<Arc<str>>,
    row: u64,
}

/// Where it lives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Address {
    alamat: Option<String>,
    rt: Option<String>,
    rw: Option<String>,
    village: Option<Arc<str>>,
    names: [Option<String>; 4],
}

/// The families whose members changed, out of all their members; all families if nobody can say which these are.
pub(super) fn gather(
    run: &mut Run<'_>,
    delivery: &mut Delivery,
    spooled: &mut Spooled,
    touched: Option<&Touched>,
    label: &str,
    progress: &mut OnProgress<'_>,
) -> Result<Families, ImportError> {
    if touched.is_some_and(Touched::is_empty) && !run.known.is_empty() {
        // Nobody changed, nobody came or left: neither did a family.
        run.known.mark_all_met();
        return Ok(Families::new());
    }
    let total = spooled.len();
    let touched = touched.filter(|_| !run.known.is_empty());
    let mut rows = spooled.rows().map_err(ImportError::Spool)?;
    let (mut lines, mut read, mut found) = (Vec::new(), 0_u64, Families::new());
    let mut more = true;
    while more {
        more = delivery.next_lines(&mut rows, &mut lines).map_err(ImportError::Spool)?;
        read += 1;
        for line in lines.drain(..) {
            let Some(number) = delivery.family_number(&line) else { continue };
            if touched.is_none_or(|touched| touched.contains(&number)) {
                let record = delivery.understand(&line);
                if !LEFT_OUT.iter().any(|code| record.is_told(code)) {
                    found.entry(number).or_default().add(&record, &line);
                }
            } else {
                // Its members are as they were, and so is it.
                run.known.mark_met(&RowKey::Kk(number).to_bytes());
            }
        }
        if !more || read.is_multiple_of(ROWS_PER_STEP) {
            progress(label, read.min(total), total);
        }
    }
    Ok(found)
}

/// Numbers of the families that anybody is a member of.
pub(super) fn with_members(found: &Families) -> impl Iterator<Item = u64> {
    found.iter().filter(|(_, family)| family.members > 0).map(|(number, _)| *number)
}

/// Rows that are there but name no family, while their record states one that nobody else makes: whether it is gone is
/// not certain.
pub(super) fn without_members(claims: &Claims, found: &Families, known: &Known) -> Vec<[u8; 16]> {
    let is_made = |number: &u64| found.get(number).is_some_and(|family| family.members > 0);
    let in_doubt = |number: &u64| known.knows(&RowKey::Kk(*number).to_bytes()) && !is_made(number);
    claims.iter().filter(|(_, number)| in_doubt(number)).map(|(key, _)| *key).collect()
}

/// Imports the families that members make.
pub(super) async fn store(run: &mut Run<'_>, found: Families) -> Result<(), ImportError> {
    let mut chunk = Chunk::default();
    for (number, family) in found {
        if family.members == 0 {
            continue;
        }
        let entry = family.entry(number, run);
        run.judge.counts.rows += 1;
        let met = run.known.meet(&entry.key, &entry.digest);
        if met.unchanged {
            run.judge.counts.unchanged += 1;
            continue;
        }
        run.push(entry, &mut chunk);
        if chunk.is_full() {
            run.store(std::mem::take(&mut chunk)).await?;
        }
    }
    run.store(chunk).await
}

/// The columns that a family of members states.
pub(super) fn family_columns() -> BTreeMap<Column, String> {
    let columns = [
        column::K_NOMOR_KARTU_KELUARGA,
        column::K_JUMLAH_ANGGOTA,
        column::K_NAMA_KEPALA,
        column::K_ALAMAT,
        column::K_RT,
        column::K_RW,
        column::K_KODE_WILAYAH,
    ];
    columns.into_iter().map(|column| (column, String::new())).collect()
}

impl Family {
    /// Adds a member.
    pub(super) fn add(&mut self, record: &Record, line: &Line) {
        if !record.is_present() {
            return;
        }
        self.members += 1;
        let head = record.number(column::I_STATUS_HUBUNGAN) == Some(HEAD);
        if head && self.head.is_none() {
            self.head = record.text(column::I_NAMA).map(str::to_owned);
        }
        // The head's address is the family's; else the first one that is any.
        if (head && !self.by_head) || self.members == 1 {
            let text = |column| record.text(column).map(str::to_owned);
            self.by_head = head;
            (self.sheet, self.row) = (line.row.sheet.clone(), record.row);
            self.address = Address {
                alamat: text(column::I_ALAMAT_KTP),
                rt: record.rt.clone(),
                rw: record.rw.clone(),
                village: record.village.clone(),
                names: [
                    text(column::I_PROVINSI_KTP),
                    text(column::I_KABUPATEN_KOTA_KTP),
                    text(column::I_KECAMATAN_KTP),
                    text(column::I_KELURAHAN_DESA_KTP),
                ],
            };
        }
    }

    fn values(self, number: u64) -> BTreeMap<Column, Value> {
        let Address { alamat, rt, rw, village, names: [provinsi, kabupaten, kecamatan, desa] } = self.address;
        let texts = [
            (column::K_NOMOR_KARTU_KELUARGA, Some(format!("{number:016}"))),
            (column::K_NAMA_KEPALA, self.head),
            (column::K_ALAMAT, alamat),
            (column::K_RT, rt),
            (column::K_RW, rw),
            (column::K_KODE_WILAYAH, village.as_deref().map(str::to_owned)),
            (column::K_PROVINSI, provinsi),
            (column::K_KABUPATEN_KOTA, kabupaten),
            (column::K_KECAMATAN, kecamatan),
            (column::K_KELURAHAN_DESA, desa),
        ];
        let mut values: BTreeMap<Column, Value> = texts
            .into_iter()
            .filter_map(|(column, text)| Some((column, Value::Text(text?.into()))))
            .collect();
        values.insert(column::K_JUMLAH_ANGGOTA, Value::Number(self.members));
        values
    }

    fn entry(self, number: u64, run: &Run<'_>) -> Entry {
        let (sheet, line) = (self.sheet.clone(), self.row);
        let place = self.address.village.as_deref().and_then(place_number);
        let delta = record::delta(
            RecordKind::Keluarga,
            &self.values(number),
            &run.judge.rulebook,
            &run.judge.provenance,
        );
        Entry {
            key: RowKey::Kk(number).to_bytes(),
            digest: digest(&delta),
            place,
            sheet,
            line,
            delta,
            findings: Vec::new(),
            again: false,
            last: true,
            unread: Vec::new(),
        }
    }
}

/// What a family says, without the day on which it says it.
fn digest(delta: &Delta) -> [u8; 16] {
    let mut hash = Sha256::new_with_prefix(b"dtsen family of members");
    for block in &delta.blocks {
        for (column, value) in &block.cells {
            hash.update(column.0.to_be_bytes());
            match value {
                Value::Text(text) | Value::Unmapped(text) => {
                    hash.update((text.len() as u64).to_be_bytes());
                    hash.update(text.as_bytes());
                }
                Value::Number(number) => hash.update(number.to_be_bytes()),
                Value::Cleared => hash.update([0]),
            }
        }
    }
    let mut digest = [0; 16];
    digest.copy_from_slice(&hash.finalize()[..16]);
    digest
}
