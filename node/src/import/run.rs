//! Rows on their way into the store, chunk by chunk.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::Arc,
};

use dtsen_proto::{
    record::{Provenance, RecordKind},
    rulebook::CheckContext,
};

use super::{
    FileSummary, Finished, ImportError, ImportOptions, ImportSummary, Importer, Scope, Session,
    heading::Columns,
    judge::{Entry, Judge},
    known::Known,
};
use crate::{
    intake::FileFinding,
    store::{
        ChunkWrites, Counts, KeyDigest, NewFinding, NewImport, SourceId, Store, Taken, kind_word, setting,
    },
};

/// Rows that are stored together. More would hold the writer long, fewer would flush to disk often.
const CHUNK_ROWS: usize = 2_000;

/// One kind of records of one source, while it is imported.
pub(super) struct Run<'a> {
    pub(super) store: &'a Store,
    pub(super) source: SourceId,
    pub(super) import: i64,
    pub(super) judge: Judge,
    pub(super) known: &'a mut Known,
}

/// What begins.
#[derive(Clone, Copy)]
pub(super) struct Beginning<'a> {
    /// The file or database, as it is shown.
    pub(super) label: &'a str,
    /// What it is complete for.
    pub(super) scope: Option<&'a Scope>,
    /// Where the file is, if it was named by hand.
    pub(super) path: Option<&'a Path>,
    /// The first import of the same command.
    pub(super) run: i64,
}

/// Rows to be looked at beside what is known of them.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) entries: Vec<Option<Entry>>,
    at: HashMap<[u8; 16], usize>,
    pub(super) findings: Vec<NewFinding>,
    /// Keys of rows that are not stored.
    pub(super) set_aside: Vec<[u8; 16]>,
    superseded: Vec<KeyDigest>,
    taken: Vec<Taken>,
}

impl Importer<'_> {
    /// Begins the import of one kind of records out of a file or a delivery.
    pub(super) async fn begin<'a>(
        &'a self,
        session: &'a mut Session,
        columns: Columns,
        provenance: &Provenance,
        of: Beginning<'_>,
        notices: &[FileFinding],
    ) -> Result<Run<'a>, ImportError> {
        let judge = Judge {
            rulebook: Arc::clone(&self.rulebook),
            check: CheckContext { region: self.region, today: self.today() },
            columns,
            provenance: provenance.clone(),
            counts: Counts::default(),
            unidentified: 0,
            unclear: Vec::new(),
            clinging: Vec::new(),
            left: BTreeSet::new(),
            deferred: HashMap::new(),
        };
        let notices: Vec<_> = notices.iter().map(|found| judge.told_by_intake(found)).collect();
        let scope = of.scope.map(ToString::to_string);
        let path = of.path.map(|path| path.to_string_lossy().into_owned());
        let new = NewImport {
            source: session.source,
            file: of.label,
            reference: provenance.reference,
            scope: scope.as_deref(),
            path: path.as_deref(),
            run: of.run,
            now_ms: self.ambient.now_ms(),
        };
        let import = self.store.begin_import(&new, &notices).await?;
        Ok(Run { store: self.store, source: session.source, import, judge, known: &mut session.known })
    }

    /// Ends it; the rows of which nobody can say whom they are about.
    pub(super) async fn ended(
        &self,
        run: Run<'_>,
        label: &str,
        kind: RecordKind,
        notices: u64,
    ) -> Result<(Finished, u64), ImportError> {
        let (import, counts) = (run.import, run.judge.counts);
        self.store.finish_import(import, &counts, self.ambient.now_ms()).await?;
        let summary = FileSummary { file: label.to_owned(), kind: kind_word(kind), notices, counts };
        Ok((Finished { import, session: 0, summary }, run.judge.unidentified))
    }

    /// Withdraws what is no longer there, and sums up.
    pub(super) async fn conclude(
        &self,
        options: &ImportOptions,
        provenance: &Provenance,
        sessions: &[(RecordKind, Session)],
        mut finished: Vec<Finished>,
        unidentified: u64,
    ) -> Result<ImportSummary, ImportError> {
        let gone = self.gone(options, provenance, sessions, &mut finished, unidentified).await?;
        let files = finished.into_iter().map(|done| done.summary).collect();
        let version = self.rulebook.version().to_be_bytes();
        self.store.set_setting(setting::RULEBOOK_IMPORTED, &version).await?;
        let (source, reference_day) = (options.source.clone(), provenance.reference.0);
        Ok(ImportSummary { source, reference_day, files, gone })
    }
}

impl Chunk {
    fn is_empty(&self) -> bool {
        self.entries.is_empty()
            && self.findings.is_empty()
            && self.taken.is_empty()
            && self.set_aside.is_empty()
    }

    /// Whether it is to be stored before more is added.
    pub(super) fn is_full(&self) -> bool {
        [self.entries.len(), self.findings.len(), self.set_aside.len()].iter().any(|rows| *rows >= CHUNK_ROWS)
    }
}

impl Run<'_> {
    /// Notes that a row is read as an operator corrected it.
    pub(super) fn corrected(&mut self, taken: Taken, chunk: &mut Chunk) {
        // If another row has the number already, the one without it is one too many, and gone.
        if taken.goes_on() {
            if self.known.knows(&taken.key) {
                self.known.replace(&taken.before);
            } else {
                self.known.mark_met(&taken.before);
            }
        }
        chunk.taken.push(taken);
    }

    /// Adds a row to the chunk; an earlier one with its key is replaced.
    pub(super) fn push(&mut self, entry: Entry, chunk: &mut Chunk) {
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

    /// Stores a chunk.
    pub(super) async fn store(&mut self, chunk: Chunk) -> Result<(), ImportError> {
        if chunk.is_empty() {
            return Ok(());
        }
        let mut entries: Vec<Entry> = chunk.entries.into_iter().flatten().collect();
        let wanted: Vec<KeyDigest> = entries.iter().map(|entry| (entry.key, entry.digest)).collect();
        let mut writes = ChunkWrites {
            findings: chunk.findings,
            superseded: chunk.superseded,
            set_aside: chunk.set_aside,
            ..ChunkWrites::default()
        };
        let judge = &mut self.judge;
        let mut decide = |known| {
            judge.chunk(std::mem::take(&mut entries), known, &mut writes);
            std::mem::take(&mut writes)
        };
        self.store.import_chunk(self.import, self.source, &wanted, &chunk.taken, &mut decide).await?;
        Ok(())
    }

    /// The rows that no later row has replaced after all.
    pub(super) async fn deferred(&mut self) -> Result<(), ImportError> {
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
