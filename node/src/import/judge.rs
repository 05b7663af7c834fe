//! What becomes of a row: a pure decision between what it says and what is known.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use dtsen_proto::{
    column::{self, Column},
    record::{Delta, Provenance, RecordKind},
    rulebook::{CheckContext, Finding, Rulebook, Severity, reason},
};

use super::{
    diff::{self, Difference},
    heading::Columns,
};
use crate::{
    intake::FileFinding,
    store::{ChunkWrites, Counts, KnownRow, NewFinding, RowWrite},
};

/// Rows that wait for the end of the file to learn whether a later one replaces them.
const MAX_DEFERRED: usize = 10_000;

/// A row of the file that is not plainly as it was.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: [u8; 16],
    pub(super) digest: [u8; 16],
    /// The village, as digits of its code.
    pub(super) place: Option<i64>,
    /// The sheet or table that it stands in.
    pub(super) sheet: Option<Arc<str>>,
    pub(super) line: u64,
    pub(super) delta: Delta,
    pub(super) findings: Vec<FileFinding>,
    /// Whether the file has the key further up too.
    pub(super) again: bool,
    /// Whether no later row can replace it any more.
    pub(super) last: bool,
    /// Columns whose cells could not be read: what they stated before stays.
    pub(super) unread: Vec<Column>,
}

/// What one file's rows are judged by, and what has been counted so far.
pub(super) struct Judge {
    pub(super) rulebook: Arc<Rulebook>,
    pub(super) check: CheckContext,
    pub(super) columns: Columns,
    pub(super) provenance: Provenance,
    pub(super) counts: Counts,
    /// Rows of which nobody can say whom they are about.
    pub(super) unidentified: u64,
    /// Their keys, as far as they have any.
    pub(super) unclear: Vec<[u8; 16]>,
    /// Keys of rows whose record may state a family that they do not name.
    pub(super) clinging: Vec<[u8; 16]>,
    /// Families that the records of changed rows stated before.
    pub(super) left: BTreeSet<u64>,
    /// Rows that a later one replaced last time, by key.
    pub(super) deferred: HashMap<[u8; 16], Entry>,
}

impl Judge {
    /// Judges a chunk of rows beside what is known of them.
    pub(super) fn chunk(
        &mut self,
        entries: Vec<Entry>,
        known: Vec<Option<KnownRow>>,
        writes: &mut ChunkWrites,
    ) {
        for (entry, known) in entries.into_iter().zip(known) {
            self.row(entry, known.as_ref(), writes);
        }
    }

    /// That a key occurs again.
    fn twice(&self, entry: &Entry) -> NewFinding {
        let finding = self.rulebook.finding(reason::DUPLICATE_ROW, None);
        NewFinding {
            key: Some(entry.key),
            sheet: entry.sheet.clone(),
            number: entry.delta.natural_key().map(str::to_owned),
            ..self.told(&finding, entry.line)
        }
    }

    /// A finding of a line, which ends with the next import.
    pub(super) fn told(&self, finding: &Finding, line: u64) -> NewFinding {
        NewFinding {
            key: None,
            sheet: None,
            line,
            column: finding.column,
            column_name: finding.column.and_then(|column| self.columns.get(&column).cloned()),
            reason: finding.reason.to_string(),
            severity: finding.severity,
            detail: None,
            number: None,
            stays: false,
        }
    }

    /// A finding of intake.
    pub(super) fn told_by_intake(&self, found: &FileFinding) -> NewFinding {
        let mut told = self.told(&found.finding, found.line);
        told.column_name = found.column_name.clone().or(told.column_name);
        told.detail = found.detail.map(|detail| detail.to_string());
        told
    }

    fn row(&mut self, entry: Entry, known: Option<&KnownRow>, writes: &mut ChunkWrites) {
        if entry.again {
            self.counts.unchanged += u64::from(self.deferred.remove(&entry.key).is_some());
            writes.findings.push(self.twice(&entry));
        }
        if let Some(known) = known.filter(|known| !known.gone) {
            if known.digest == entry.digest {
                self.counts.unchanged += 1;
                return;
            }
            if known.superseded && !entry.last && self.deferred.len() < MAX_DEFERRED {
                self.deferred.insert(entry.key, entry);
                return;
            }
            if entry.again || known.superseded {
                writes.superseded.push((entry.key, known.digest));
            }
        }
        self.judge(entry, known, writes);
    }

    fn judge(&mut self, entry: Entry, known: Option<&KnownRow>, writes: &mut ChunkWrites) {
        let Entry { key, digest, place, sheet, line, mut delta, findings, unread, .. } = entry;
        delta.record = known.and_then(|known| known.hub_id);
        let stored = known.map(|known| &known.content);
        let family = stored.and_then(|stored| stored.text(column::I_NOMOR_KARTU_KELUARGA));
        self.left.extend(family.and_then(|number| number.parse::<u64>().ok()));
        let found = diff::compare(
            delta,
            stored,
            &|column| self.columns.contains_key(&column) && !unread.contains(&column),
            &self.provenance,
        );
        let mut told: Vec<NewFinding> = findings.iter().map(|found| self.told_by_intake(found)).collect();
        told.extend(self.rulebook.check(&found.row, &self.check).iter().map(|f| self.told(f, line)));
        let worst = told.iter().map(|finding| finding.severity).max();
        let stays = worst != Some(Severity::Error);
        if !stays {
            writes.set_aside.push(key);
            self.clinging.push(key);
            self.counts.errors += 1;
            self.unidentified += u64::from(told.iter().any(|f| is_about_number(f, found.row.kind)));
        }
        let number = found.row.natural_key().map(str::to_owned);
        for finding in &mut told {
            (finding.key, finding.number, finding.stays) = (Some(key), number.clone(), stays);
            finding.sheet.clone_from(&sheet);
        }
        writes.findings.append(&mut told);
        writes.reread.push(key);
        if stays {
            self.counts.warnings += u64::from(worst >= Some(Severity::Warning));
            writes.rows.push(self.write(RowPlace { key, digest, place, sheet, line }, found, known));
        }
    }

    fn write(&mut self, row: RowPlace, found: Difference, known: Option<&KnownRow>) -> RowWrite {
        let changed = !found.changed.is_empty();
        match known {
            None => self.counts.new += 1,
            Some(known) if changed || known.gone => self.counts.changed += 1,
            Some(_) => self.counts.unchanged += 1,
        }
        // Withdrawn claims are stated again even if they are what they were.
        let send = changed || known.is_none_or(|known| known.gone);
        let whole = known.is_none_or(|known| known.gone || known.resend);
        let mut content = found.content;
        content.record = None;
        let queue = send.then(|| {
            let identity = found.row.kind.identity();
            let mut delta = found.row;
            // Until the hub's id is known, the number tells which record is meant.
            let number_needed = delta.record.is_none();
            delta.blocks.retain(|block| {
                let is_identity = block.number == identity;
                whole || found.changed.contains(&block.number) || (number_needed && is_identity)
            });
            delta
        });
        self.counts.queued += u64::from(send);
        RowWrite {
            key: row.key,
            digest: row.digest,
            place: row.place,
            record: known.map(|known| known.record),
            sheet: row.sheet,
            line: row.line,
            content,
            resend: !send && known.is_some_and(|known| known.resend),
            queue,
        }
    }
}

/// Where a row that is stored belongs.
struct RowPlace {
    key: [u8; 16],
    digest: [u8; 16],
    place: Option<i64>,
    sheet: Option<Arc<str>>,
    line: u64,
}

/// Whether an error leaves open whom the row is about.
fn is_about_number(finding: &NewFinding, kind: RecordKind) -> bool {
    let number = match kind {
        RecordKind::Keluarga => column::K_NOMOR_KARTU_KELUARGA,
        RecordKind::Individu => column::I_NIK,
    };
    finding.severity == Severity::Error && finding.column == Some(number)
}
