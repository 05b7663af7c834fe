//! People without number, made fast: some hundred families as a generated file has them, read as a node reads files,
//! and copied under other serial numbers.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::{Context as _, ensure};
use dtsen_kit::ambient::Ambient;
use dtsen_node::intake::{self, FamilyPlaces, RawRow, RowReader};
use dtsen_proto::{
    column::{self, Column},
    id::{Position, RecordId},
    record::{Day, Delta, RecordKind, Value},
    region::Region,
    rulebook::{CheckContext, Rulebook, Severity},
};

use crate::population::{Faults, FileOptions, Population, villages, write_pair};

/// Families that the copies are made of.
const FAMILIES: u64 = 400;
const FEW_FAMILIES: u64 = 20;
/// First serial number of invented people.
const FIRST_SERIAL: u64 = 9_001;
/// Serial numbers from there on.
const SERIALS: u64 = 999;
/// Digits of a number before its serial.
const BEFORE_SERIAL: usize = 12;
/// The day that the first delivery describes: 1 January 2026.
const REFERENCE: Day = Day(20_454);

/// A delta that is copied, and what it says when it changed, alternately.
struct Prototype {
    new: Delta,
    changed: Option<[Delta; 2]>,
}

/// Everybody of a region.
pub struct Crowd {
    prototypes: Vec<Prototype>,
}

fn numbers(kind: RecordKind) -> &'static [Column] {
    match kind {
        RecordKind::Keluarga => &[column::K_NOMOR_KARTU_KELUARGA],
        RecordKind::Individu => &[column::I_NIK, column::I_NOMOR_KARTU_KELUARGA],
    }
}

/// The deltas of a generated delivery, families and members together.
fn read(region: Region, families: u64) -> anyhow::Result<Vec<Delta>> {
    let folder = tempfile::tempdir()?;
    let people = Population::new(u64::from(region.number()), region, villages(region), families);
    let pair = write_pair(folder.path(), &people, &Faults::none(), FileOptions::default())?;
    let book = Rulebook::builtin();
    let mut reader = RowReader::new(Arc::clone(&book), region, REFERENCE, "dtsen");
    let (mut places, mut row, mut deltas) = (FamilyPlaces::new(), RawRow::new(), Vec::new());
    for path in [&pair.keluarga, &pair.anggota] {
        let mut table = intake::open(path, &book)?;
        while table.next_row(&mut row)? {
            reader.note_family(&table, &row, &mut places);
            deltas.extend(reader.read_row(&table, &row, Some(&places)).delta);
        }
    }
    Ok(deltas)
}

/// Whether the rulebook warns of nothing.
fn is_plain(delta: &Delta, region: Region) -> bool {
    let context = CheckContext { region, today: Day::of_ms(Ambient::system().now_ms()) };
    let findings = Rulebook::builtin().check(delta, &context);
    findings.iter().all(|finding| finding.severity == Severity::Notice)
}

/// Plain deltas, and no two numbers that differ in their serial alone.
fn sound(region: Region, deltas: Vec<Delta>) -> Vec<Delta> {
    let mut taken = BTreeSet::new();
    let alone = |delta: &Delta| {
        let stem = delta.natural_key().and_then(|n| n.get(..BEFORE_SERIAL)).map(str::to_owned);
        stem.is_some_and(|stem| taken.insert((delta.kind, stem)))
    };
    deltas.into_iter().filter(|delta| is_plain(delta, region)).filter(alone).collect()
}

/// The delta with a block of two donors, as a node sends a change of a record whose id it knows: only that block.
fn changes(delta: &Delta, donors: &[Delta], region: Region) -> Option<[Delta; 2]> {
    let record = Some(RecordId::new(Position { region, epoch: 1, sequence: 1 }, 0));
    let mut blocks = delta.blocks.iter().rev().filter(|block| block.number != delta.kind.identity());
    blocks.find_map(|own| {
        let donated = donors.iter().filter(|donor| donor.kind == delta.kind);
        let others =
            donated.filter_map(|donor| donor.block(own.number)).filter(|block| block.cells != own.cells);
        let changed = others.map(|block| Delta { record, blocks: vec![block.clone()], ..delta.clone() });
        let mut plain = changed.filter(|delta| is_plain(delta, region));
        let first = plain.next()?;
        let second = plain.find(|second| second.blocks != first.blocks)?;
        Some([first, second])
    })
}

impl Crowd {
    /// People who never change, made of a few families: for many regions at once.
    pub fn of_newcomers(region: Region) -> anyhow::Result<Self> {
        let deltas = sound(region, read(region, FEW_FAMILIES)?);
        ensure!(!deltas.is_empty(), "no plain family in {region}");
        let prototypes = deltas.into_iter().map(|new| Prototype { new, changed: None });
        Ok(Self { prototypes: prototypes.collect() })
    }

    /// Everybody of a region.
    pub fn of(region: Region) -> anyhow::Result<Self> {
        let all = read(region, FAMILIES)?;
        let read = all.len();
        let deltas = sound(region, all);
        let prototypes: Vec<Prototype> = deltas
            .iter()
            .filter_map(|new| {
                let changed = Some(changes(new, &deltas, region)?);
                Some(Prototype { changed, new: new.clone() })
            })
            .collect();
        ensure!(prototypes.len() > 200, "{} prototypes of {} of {read}", prototypes.len(), deltas.len());
        Ok(Self { prototypes })
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.prototypes.len() as u64 * SERIALS
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.prototypes.is_empty()
    }

    /// One of them: as first delivered (`round` 0), or changed for the so-manieth time, then by the id that the record got.
    pub fn delta(&self, number: u64, round: u32, record: Option<RecordId>) -> anyhow::Result<Vec<u8>> {
        ensure!(number < self.len(), "no more than {} in a region", self.len());
        let count = self.prototypes.len() as u64;
        let (serial, which) = (FIRST_SERIAL + number / count, usize::try_from(number % count)?);
        let prototype = &self.prototypes[which];
        let mut delta = match round {
            0 => prototype.new.clone(),
            _ => prototype.changed.as_ref().context("newcomers do not change")?[usize::try_from(round % 2)?]
                .clone(),
        };
        delta.record = record;
        delta.salt[..8].copy_from_slice(&number.to_le_bytes());
        delta.salt[8..12].copy_from_slice(&round.to_le_bytes());
        for block in &mut delta.blocks {
            block.provenance.reference.0 += i32::try_from(round)?;
            for (column, value) in &mut block.cells {
                if numbers(delta.kind).contains(column)
                    && let Value::Text(text) = value
                {
                    let stem = text.get(..BEFORE_SERIAL).context("a number of sixteen digits")?;
                    *value = Value::Text(format!("{stem}{serial:04}").into());
                }
            }
        }
        Ok(delta.encode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_sound_and_nobody_is_there_twice() {
        let region = "52.71".parse().expect("a region");
        let crowd = Crowd::of(region).expect("a crowd");
        let mut seen = BTreeSet::new();
        let all = [0, 1, 2, 700, 1_400, crowd.len() / 2, crowd.len() - 1];
        for number in all {
            let of = |round, record| Delta::decode(&crowd.delta(number, round, record).expect("a delta"));
            let new = of(0, None).expect("reads");
            assert!(is_plain(&new, region), "{number}");
            assert!(seen.insert((new.kind, new.natural_key().map(str::to_owned))));
            let record = Some(RecordId::new(Position { region, epoch: 1, sequence: 1 }, 0));
            let (first, second) = (of(1, record).expect("reads"), of(2, record).expect("reads"));
            assert!(is_plain(&first, region) && is_plain(&second, region) && first.blocks != second.blocks);
        }
        assert!(crowd.delta(crowd.len(), 0, None).is_err());
    }
}
