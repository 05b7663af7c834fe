//! The slice as CSV with DTSEN's column names.

use std::{
    fs::OpenOptions,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use dtsen_proto::{
    column::Column,
    pb,
    record::{Block, Day, RecordKind, Value},
    rulebook::{Rulebook, Shape},
};
use prost::Message as _;

use crate::store::{Store, StoreError};

/// Leaves read at once.
const PAGE: u32 = 1_000;

/// An export that failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file.
    #[error("berkas {path} tidak dapat ditulis")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: csv::Error,
    },
    /// A leaf cannot be read.
    #[error("irisan rusak; jalankan: dtsen-node verify")]
    Leaf,
}

/// Writes all records of a kind; returns how many. Half a file holds personal data and serves nobody: it does not stay.
pub async fn write(
    store: &Store,
    rulebook: &Rulebook,
    kind: RecordKind,
    path: &Path,
) -> Result<u64, ExportError> {
    let written = write_all(store, rulebook, kind, path).await;
    // A device is not ours to remove.
    if written.is_err() && path.is_file() {
        let _ = std::fs::remove_file(path);
    }
    written
}

async fn write_all(
    store: &Store,
    rulebook: &Rulebook,
    kind: RecordKind,
    path: &Path,
) -> Result<u64, ExportError> {
    let failed = |source: csv::Error| ExportError::File { path: path.to_owned(), source };
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let mut writer = csv::Writer::from_writer(file.map_err(|e| failed(e.into()))?);
    let columns: Vec<_> = rulebook.columns(kind).collect();
    writer.write_record(columns.iter().map(|c| c.name.as_str())).map_err(failed)?;
    let wire = i32::from(kind.to_wire());
    let mut after = (wire - 1, vec![0xff; 17]);
    let mut rows = 0;
    loop {
        let page = store.slice_page(after.0, &after.1, PAGE).await?;
        let Some(((_, id), _)) = page.last() else { break };
        after = (wire, id.as_bytes().to_vec());
        let own = page.iter().filter(|((k, _), _)| *k == kind);
        for (_, leaf) in own.clone() {
            let cells = cells(leaf).ok_or(ExportError::Leaf)?;
            let row = columns.iter().map(|column| {
                let found = cells.iter().find(|(c, _)| *c == column.number);
                found.map_or_else(String::new, |(_, value)| text(value, column.shape))
            });
            writer.write_record(row).map_err(failed)?;
            rows += 1;
        }
        if own.count() < page.len() {
            break;
        }
    }
    writer.flush().map_err(|e| failed(e.into()))?;
    Ok(rows)
}

/// A column with its value.
pub type Cell = (Column, Value);

/// What a leaf shows; `None` if it cannot be read.
pub fn cells(leaf: &[u8]) -> Option<Vec<Cell>> {
    let record = pb::SliceRecord::decode(leaf).ok()?;
    let mut cells = Vec::new();
    for shown in record.blocks {
        cells.extend(Block::from_wire(shown.block?).ok()?.cells);
    }
    Some(cells)
}

/// A value as people and spreadsheets read it.
pub fn text(value: &Value, shape: Shape) -> String {
    match (value, shape) {
        (Value::Number(n), Shape::Date) => {
            let day = i32::try_from(*n).ok().and_then(|n| Day(n).date());
            day.map_or_else(String::new, |d| d.to_string())
        }
        (Value::Number(n), _) => n.to_string(),
        (Value::Text(t) | Value::Unmapped(t), _) => guarded(t),
        (Value::Cleared, _) => String::new(),
    }
}

/// Spreadsheets run cells that begin like a formula: an apostrophe keeps them text (OWASP, CSV injection).
fn guarded(text: &str) -> String {
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{text}"),
        _ => text.to_owned(),
    }
}
