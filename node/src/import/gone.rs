//! What a complete file no longer has.

use dtsen_proto::{
    column,
    record::{Action, Block, Delta, Provenance, RecordKind},
};

use super::{ImportError, known::Known, scope::Scope};
use crate::store::{SourceId, Store};

/// Share of the known rows, in percent, above which a person has to say the exact number. In a quarter a region loses
/// well below one in a hundred by death and moves; more is a file that is not complete.
pub const GONE_PERCENT: u64 = 2;
/// Known rows read at a time.
pub(super) const PAGE: u32 = 10_000;
/// Rows withdrawn together.
const CHUNK_ROWS: usize = 1_000;

/// What became of the rows that a complete file no longer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GoneOutcome {
    /// The file was not declared complete.
    NotAsked,
    /// So many were withdrawn.
    Withdrawn(u64),
    /// More than [`GONE_PERCENT`]: nothing was withdrawn.
    NeedsConfirmation {
        /// Rows that are no longer there.
        gone: u64,
        /// Rows that were known in the scope.
        known: u64,
    },
    /// Another number was confirmed: nothing was withdrawn.
    Differs {
        /// The number confirmed.
        confirmed: u64,
        /// Rows that are no longer there.
        gone: u64,
    },
    /// Rows of which nobody can say whom they are about: nothing was withdrawn.
    Unidentified {
        /// How many.
        rows: u64,
        /// Rows that are no longer there.
        gone: u64,
    },
}

/// The known rows of one kind that the files no longer have.
#[derive(Debug, Default)]
pub(super) struct Missing {
    pub(super) keys: Vec<[u8; 16]>,
    /// Those besides of whom an operator said which other known row they are: nobody is missing, nobody has to confirm.
    pub(super) replaced: Vec<[u8; 16]>,
    /// Known rows in the scope.
    pub(super) known: u64,
}

/// Compares what is known in the scope with what was met.
pub(super) async fn missing(
    store: &Store,
    source: SourceId,
    known: &Known,
    scope: &Scope,
) -> Result<Missing, ImportError> {
    let mut missing = Missing::default();
    let mut after = Vec::new();
    loop {
        let page = store.known_page(source, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(missing) };
        after = last.key.to_vec();
        for row in page.iter().filter(|row| scope.holds(row.place)) {
            missing.known += 1;
            // A row that this import stored is known by now and was met.
            if known.was_met(&row.key) {
                continue;
            }
            let missing = if known.is_replaced(&row.key) { &mut missing.replaced } else { &mut missing.keys };
            missing.push(row.key);
        }
    }
}

/// Whether so many may be withdrawn.
pub(super) fn allowed(missing: &[&Missing], confirmed: Option<u64>, unidentified: u64) -> GoneOutcome {
    let gone = missing.iter().map(|m| m.keys.len() as u64).sum();
    let known = missing.iter().map(|m| m.known).sum();
    let many = missing.iter().any(|m| m.keys.len() as u64 * 100 > m.known * GONE_PERCENT);
    match confirmed {
        Some(confirmed) if confirmed != gone => GoneOutcome::Differs { confirmed, gone },
        None if gone > 0 && unidentified > 0 => GoneOutcome::Unidentified { rows: unidentified, gone },
        None if many => GoneOutcome::NeedsConfirmation { gone, known },
        _ => GoneOutcome::Withdrawn(gone),
    }
}

/// The delta that withdraws what a source stated.
fn withdrawal(mut content: Delta, provenance: &Provenance) -> Delta {
    let number = match content.kind {
        RecordKind::Keluarga => column::K_NOMOR_KARTU_KELUARGA,
        RecordKind::Individu => column::I_NIK,
    };
    let cells = content.natural_key().map(|_| number).zip(content.get(number).cloned());
    let block = Block {
        number: content.kind.identity(),
        provenance: provenance.clone(),
        cells: cells.into_iter().collect(),
    };
    content.action = Action::Gone;
    content.blocks = vec![block];
    content
}

/// Withdraws the rows; tells how many deltas that made.
pub(super) async fn withdraw(
    store: &Store,
    (import, source): (i64, SourceId),
    keys: &[[u8; 16]],
    provenance: &Provenance,
) -> Result<u64, ImportError> {
    let mut queued = 0;
    for keys in keys.chunks(CHUNK_ROWS) {
        queued += store.mark_gone(import, source, keys, &|content| withdrawal(content, provenance)).await?;
    }
    Ok(queued)
}
