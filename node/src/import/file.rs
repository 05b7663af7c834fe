//! One file's rows: the quick pass over those that are as they were, and chunks of the others.

use std::{collections::HashMap, path::Path};

use dtsen_proto::record::RecordKind;

use super::{
    ImportError, OnProgress,
    judge::{Entry, Judge},
    known::Known,
    scope::place_number,
};
use crate::{
    intake::{Domicile, FamilyPlaces, RawRow, RowReader, Table, row_key},
    store::{ChunkWrites, KeyDigest, NewFinding, SourceId, Store},
};

/// Rows that are stored together. More would hold the writer long, fewer would flush to disk often.
const CHUNK_ROWS: usize = 2_000;
/// Rows that are read between two signs of life.
const ROWS_PER_STEP: u64 = 10_000;

/// A file being imported.
pub(super) struct FileImport<'a> {
    pub(super) store: &'a Store,
    pub(super) source: SourceId,
    pub(super) import: i64,
    pub(super) table: Table,
    pub(super) reader: RowReader,
    pub(super) judge: Judge,
    pub(super) known: &'a mut Known,
    /// Villages of families: noted from a family file, asked for by a member file.
    pub(super) places: &'a mut FamilyPlaces,
    /// Whether members are placed by their families.
    pub(super) with_families: bool,
}

/// Rows to be looked at beside what is known of them.
#[derive(Default)]
struct Chunk {
    entries: Vec<Option<Entry>>,
    at: HashMap<[u8; 16], usize>,
    findings: Vec<NewFinding>,
    superseded: Vec<KeyDigest>,
}

/// The digest of a row, with the village that a member's family lives in.
fn with_place(digest: [u8; 16], domicile: &Domicile) -> [u8; 16] {
    /// An odd number whose multiples spread over all bits.
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
    let place = match domicile {
        Domicile::Village(code) => place_number(code).and_then(|n| u64::try_from(n).ok()).unwrap_or(4),
        Domicile::Ambiguous => 3,
        Domicile::Unresolved => 2,
        Domicile::Unnamed => 1,
    };
    let number = u128::from_be_bytes(digest) ^ (u128::from(place.wrapping_mul(SPREAD)) << 64);
    number.to_be_bytes()
}

impl FileImport<'_> {
    /// Reads all rows. What was stored stays stored when it fails.
    pub(super) async fn run(&mut self, progress: &mut OnProgress<'_>) -> Result<(), ImportError> {
        let label = file_name(self.table.path());
        let mut row = RawRow::new();
        let mut chunk = Chunk::default();
        let mut more = true;
        while more {
            let step = self.judge.counts.rows + ROWS_PER_STEP;
            while more && self.judge.counts.rows < step && chunk.entries.len() < CHUNK_ROWS {
                more = self.table.next_row(&mut row)?;
                if more {
                    self.row(&row, &mut chunk);
                }
            }
            if !more || chunk.entries.len() >= CHUNK_ROWS || chunk.findings.len() >= CHUNK_ROWS {
                self.store(std::mem::take(&mut chunk)).await?;
            }
            progress(&label, self.table.bytes_read(), self.table.total_bytes());
        }
        self.deferred().await
    }

    fn row(&mut self, row: &RawRow, chunk: &mut Chunk) {
        self.judge.counts.rows += 1;
        let members = self.table.kind() == RecordKind::Individu;
        let families = (members && self.with_families).then_some(&*self.places);
        if row.broken.is_some() {
            let reading = self.reader.read_row(&self.table, row, families);
            self.judge.counts.errors += 1;
            self.judge.unidentified += 1;
            chunk.findings.extend(reading.findings.iter().map(|found| self.judge.told_by_intake(found)));
            return;
        }
        let key = row_key(&self.table, row).to_bytes();
        let digest = if members {
            with_place(row.digest, &self.reader.village(&self.table, row, families))
        } else {
            row.digest
        };
        let met = self.known.meet(&key, &digest);
        if met.unchanged && !met.again {
            self.judge.counts.unchanged += 1;
            return;
        }
        let reading = self.reader.read_row(&self.table, row, families);
        let Some(delta) = reading.delta else { return };
        let place = self.reader.village(&self.table, row, families).code().and_then(place_number);
        if !members {
            self.reader.note_family(&self.table, row, self.places);
        }
        let (line, findings) = (row.line, reading.findings);
        let entry = Entry { key, digest, place, line, delta, findings, again: met.again, last: false };
        self.push(entry, chunk);
    }

    /// Adds a row to the chunk; an earlier one with its key is replaced.
    fn push(&mut self, entry: Entry, chunk: &mut Chunk) {
        let at = chunk.entries.len();
        if let Some(before) = chunk.at.insert(entry.key, at)
            && let Some(before) = chunk.entries[before].take()
        {
            self.judge.counts.unchanged += 1;
            if before.digest != entry.digest {
                chunk.superseded.push((before.key, before.digest));
            }
        }
        chunk.entries.push(Some(entry));
    }

    async fn store(&mut self, chunk: Chunk) -> Result<(), ImportError> {
        if chunk.entries.is_empty() && chunk.findings.is_empty() {
            return Ok(());
        }
        let mut entries: Vec<Entry> = chunk.entries.into_iter().flatten().collect();
        let wanted: Vec<KeyDigest> = entries.iter().map(|entry| (entry.key, entry.digest)).collect();
        let mut writes =
            ChunkWrites { findings: chunk.findings, superseded: chunk.superseded, ..ChunkWrites::default() };
        let judge = &mut self.judge;
        let mut decide = |known| {
            judge.chunk(std::mem::take(&mut entries), known, &mut writes);
            std::mem::take(&mut writes)
        };
        self.store.import_chunk(self.import, self.source, &wanted, &mut decide).await?;
        Ok(())
    }

    /// The rows that no later row has replaced after all.
    async fn deferred(&mut self) -> Result<(), ImportError> {
        let mut rows: Vec<Entry> = std::mem::take(&mut self.judge.deferred).into_values().collect();
        rows.sort_by_key(|entry| entry.line);
        while !rows.is_empty() {
            let later = rows.split_off(rows.len().min(CHUNK_ROWS));
            let entries = rows.into_iter().map(|entry| Some(Entry { last: true, again: false, ..entry }));
            self.store(Chunk { entries: entries.collect(), ..Chunk::default() }).await?;
            rows = later;
        }
        Ok(())
    }
}

/// Name of a file without its folder.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
