//! The way back: rows that were refused, here or at the hub, go out in a workbook in the source's own columns, and what an
//! operator corrected in it comes back.
//!
//! Nothing of a row is kept here but the cells that were corrected: the rows are read from their source again. A correction
//! holds for the row as the source had it; once the source says something else, it has served.

mod again;
mod answers;
mod book;
mod columns;
mod import;
mod key;
mod rows;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
    sync::Arc,
};

use dtsen_kit::files::{self, FileError};
use dtsen_proto::rulebook::Rulebook;
use dtsen_sources::{correction::Mark, key::KeyBytes, read::ReadError};
use futures::future::BoxFuture;

use self::rows::{Left, Reading, Wanted};
use crate::{
    source::{
        config::ConfigError,
        run::{RunError, Runner},
    },
    store::{StoreError, ToMend},
};

pub use answers::AnswerError;
pub use import::{Returned, Rows, import};

/// Most findings of either origin in one workbook: it is made whole in memory. What is left comes with the next one.
pub const MOST_FINDINGS: u32 = 20_000;

/// Why findings cannot go out or come back.
#[derive(Debug, thiserror::Error)]
pub enum MendError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The workbook cannot be made.
    #[error("buku kerja {path} tidak dapat dibuat: {cause}")]
    Make {
        /// Which.
        path: String,
        /// Why.
        cause: String,
    },
    /// The workbook cannot be written.
    #[error(transparent)]
    Write(#[from] FileError),
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A row of it cannot be taken.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// A source cannot be read again.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The settings of a source are of no use.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// A row of the workbook.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Place {
    /// Its sheet.
    pub sheet: String,
    /// The row, from 1.
    pub row: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lembar {} baris {}", self.sheet, self.row)
    }
}

/// A row that somebody must look at.
struct Row {
    /// Its source.
    source: String,
    /// The file or database.
    file: String,
    /// The table or sheet.
    sheet: Option<String>,
    /// The heading above it.
    headings: Vec<String>,
    /// Its place there.
    number: u64,
    mark: Mark,
    key: KeyBytes,
    cells: Vec<String>,
    /// What the source has where an operator corrected it.
    own: BTreeMap<usize, String>,
    /// What was told of it, with the place of the column if it has one.
    told: Vec<(ToMend, Option<usize>)>,
}

/// Which rows go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Those for which somebody must act.
    Findings,
    /// Those that were corrected, so that a wrong correction can be taken back.
    Corrected,
}

/// What went out.
#[derive(Debug, Default, serde::Serialize)]
pub struct Exported {
    /// Rows that can be corrected.
    pub rows: u64,
    /// Findings whose row was not found, or that are about a whole file.
    pub others: u64,
    /// Sources that could not be read again, and why.
    pub unread: BTreeMap<String, String>,
    /// Whether there are more findings than fit.
    pub more: bool,
}

/// Writes what there is to mend into a workbook.
pub fn export<'a>(
    runner: &'a Runner<'a>,
    what: What,
    path: &'a Path,
    rulebook: &'a Arc<Rulebook>,
) -> BoxFuture<'a, Result<Exported, MendError>> {
    Box::pin(async move {
        let mut by_source: BTreeMap<String, Vec<ToMend>> = BTreeMap::new();
        let mut exported = Exported::default();
        match what {
            What::Findings => {
                let found = runner.store.to_mend(MOST_FINDINGS).await?;
                exported.more = found.len() >= MOST_FINDINGS as usize;
                for one in found {
                    by_source.entry(one.source.clone()).or_default().push(one);
                }
            }
            What::Corrected => {
                let sources = runner.store.corrected_sources().await?;
                by_source.extend(sources.into_iter().map(|source| (source, Vec::new())));
            }
        }
        let (mut rows, mut others) = (Vec::new(), Vec::new());
        for (source, wanted) in by_source {
            match rows::of(runner, rulebook, &source, Wanted::new(wanted.clone(), what)).await {
                Ok(Reading { rows: mut found, left }) => {
                    rows.append(&mut found);
                    others.extend(left);
                }
                Err(error) => {
                    exported.unread.insert(source, format!("{:#}", anyhow::Error::from(error)));
                    others.extend(wanted.into_iter().map(Left::from));
                }
            }
        }
        once(&mut others);
        (exported.rows, exported.others) = (rows.len() as u64, others.len() as u64);
        let book = book::made(&rows, &others, rulebook);
        let book = book.map_err(|error| MendError::Make {
            path: path.display().to_string(),
            cause: error.to_string(),
        })?;
        // It holds personal data in clear.
        files::write_private(path, &book)?;
        Ok(exported)
    })
}

/// This node and the hub may tell the same of the same record.
fn once(others: &mut Vec<Left>) {
    let mut met = BTreeSet::new();
    others.retain(|Left { told, .. }| {
        let place = told.key.ok_or((told.sheet.clone(), told.line));
        met.insert((told.source.clone(), told.kind, place, told.file.clone(), told.reason.clone()))
    });
}
