//! Rows on their way into the store, chunk by chunk.

use std::collections::HashMap;

use super::{
    ImportError,
    judge::{Entry, Judge},
    known::Known,
};
use crate::store::{ChunkWrites, KeyDigest, NewFinding, SourceId, Store};

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

/// Rows to be looked at beside what is known of them.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) entries: Vec<Option<Entry>>,
    at: HashMap<[u8; 16], usize>,
    pub(super) findings: Vec<NewFinding>,
    superseded: Vec<KeyDigest>,
}

impl Chunk {
    /// Whether it is to be stored before more is added.
    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= CHUNK_ROWS || self.findings.len() >= CHUNK_ROWS
    }
}

impl Run<'_> {
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
