//! One file's rows: the quick pass over those that are as they were, and chunks of the others.

use std::path::Path;

use dtsen_proto::record::RecordKind;
use dtsen_sources::{
    correction::{Corrections, Mark},
    key::KeyBytes,
};

use super::{
    ImportError, OnProgress,
    judge::Entry,
    run::{Chunk, Run},
    scope::place_number,
};
use crate::{
    intake::{Domicile, FamilyPlaces, RawRow, RowReader, Table, row_key},
    source::still::Version,
    store::Taken,
};

/// Rows that are read between two signs of life.
const ROWS_PER_STEP: u64 = 10_000;

/// A file being imported.
pub(super) struct FileImport<'a> {
    pub(super) run: Run<'a>,
    pub(super) table: Table,
    /// The version of the file that is read.
    pub(super) version: Option<Version>,
    pub(super) reader: RowReader,
    /// Villages of families: noted from a family file, asked for by a member file.
    pub(super) places: &'a mut FamilyPlaces,
    /// Whether members are placed by their families.
    pub(super) with_families: bool,
    /// Rows that an operator corrected.
    pub(super) corrections: &'a Corrections,
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
            let step = self.run.judge.counts.rows + ROWS_PER_STEP;
            while more && self.run.judge.counts.rows < step && !chunk.is_full() {
                more = self.table.next_row(&mut row)?;
                if more {
                    let corrected = self.correct(&mut row);
                    self.row(&row, corrected, &mut chunk);
                }
            }
            if !more || chunk.is_full() {
                self.is_still()?;
                self.run.store(std::mem::take(&mut chunk)).await?;
            }
            progress(&label, self.table.bytes_read(), self.table.total_bytes());
        }
        self.run.deferred().await
    }

    /// Nothing is stored that was read after somebody wrote into the file: a row may be half of either version.
    fn is_still(&self) -> Result<(), ImportError> {
        let path = self.table.path();
        if Version::of(path) == self.version {
            return Ok(());
        }
        Err(ImportError::Moving { path: path.to_owned() })
    }

    /// Puts what the operator wrote in the place of what the file has. Tells which row it was, and its key then.
    fn correct(&mut self, row: &mut RawRow) -> Option<(Mark, KeyBytes)> {
        let correction = self.corrections.get(&row.digest).filter(|_| row.broken.is_none())?;
        let mark = row.digest;
        if !correction.cells.is_empty() {
            self.table.replace(row, &correction.cells);
        }
        Some((mark, correction.key))
    }

    fn row(&mut self, row: &RawRow, corrected: Option<(Mark, KeyBytes)>, chunk: &mut Chunk) {
        self.run.judge.counts.rows += 1;
        let members = self.table.kind() == RecordKind::Individu;
        let families = (members && self.with_families).then_some(&*self.places);
        if row.broken.is_some() {
            let reading = self.reader.read_row(&self.table, row, families);
            self.run.judge.counts.errors += 1;
            self.run.judge.unidentified += 1;
            chunk.findings.extend(reading.findings.iter().map(|found| self.run.judge.told_by_intake(found)));
            return;
        }
        let key = row_key(&self.table, row).to_bytes();
        if let Some((mark, before)) = corrected {
            self.run.corrected(Taken { mark, before, key }, chunk);
        }
        let digest = if members {
            with_place(row.digest, &self.reader.village(&self.table, row, families))
        } else {
            row.digest
        };
        let met = self.run.known.meet(&key, &digest);
        if met.unchanged && !met.again {
            self.run.judge.counts.unchanged += 1;
            return;
        }
        let reading = self.reader.read_row(&self.table, row, families);
        let Some(delta) = reading.delta else { return };
        let place = self.reader.village(&self.table, row, families).code().and_then(place_number);
        if !members {
            self.reader.note_family(&self.table, row, self.places);
        }
        let (line, findings) = (row.line, reading.findings);
        let entry = Entry {
            key,
            digest,
            place,
            sheet: None,
            line,
            delta,
            findings,
            again: met.again,
            last: false,
            unread: Vec::new(),
        };
        self.run.push(entry, chunk);
    }
}

/// Name of a file without its folder.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
