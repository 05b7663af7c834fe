//! The way back: rows that were refused, here or at the hub, go out in a workbook in the source's own columns, and what an
//! operator corrected in it comes back.
//!
//! Nothing of a row is kept here but the cells that were corrected: the rows are read from their source again. A correction
//! holds for the row as the source had it; once the source says something else, it has served.

mod answers;
mod book;
mod rows;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use dtsen_proto::{record::Day, rulebook::Rulebook};
use dtsen_sources::{correction::Mark, key::KeyBytes, read::ReadError};
use futures::future::BoxFuture;

use self::rows::Reading;
use crate::{
    home::Work,
    import::{ImportOptions, ImportSummary, Importer, OnProgress},
    source::{
        config::{self, ConfigError},
        run::{Ran, RunError, Runner},
    },
    store::{StoreError, ToMend},
};

pub use answers::AnswerError;

/// Most findings of either origin in one workbook: it is made whole in memory. What is left comes with the next one.
pub const MOST_FINDINGS: u32 = 20_000;

/// Why findings cannot go out or come back.
#[derive(Debug, thiserror::Error)]
pub enum MendError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The workbook cannot be written.
    #[error("{path} tidak dapat ditulis: {cause}")]
    Write {
        /// Which.
        path: String,
        /// Why.
        cause: String,
    },
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

/// A row that somebody must look at.
struct Row {
    /// Its source.
    source: String,
    /// The file, table or sheet.
    table: String,
    /// The heading above it.
    headings: Vec<String>,
    /// Its place there.
    number: u64,
    mark: Mark,
    key: KeyBytes,
    cells: Vec<String>,
    /// What was told of it, with the place of the column if it has one.
    told: Vec<(ToMend, Option<usize>)>,
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

/// What came back.
#[derive(Debug, Default, serde::Serialize)]
pub struct Returned {
    /// Rows in which something was corrected.
    pub corrected: u64,
    /// Rows that are as they went out.
    pub unchanged: u64,
    /// What was imported of it, by source.
    pub imported: Vec<ImportSummary>,
    /// Sources that cannot be read now: their corrections wait for the next reading.
    pub waiting: BTreeMap<String, String>,
}

/// Writes what there is to mend into a workbook.
pub fn export<'a>(
    runner: &'a Runner<'a>,
    path: &'a Path,
    rulebook: &'a Arc<Rulebook>,
) -> BoxFuture<'a, Result<Exported, MendError>> {
    Box::pin(async move {
        let found = runner.store.to_mend(MOST_FINDINGS).await?;
        let more = found.len() >= MOST_FINDINGS as usize;
        let mut by_source: BTreeMap<String, Vec<ToMend>> = BTreeMap::new();
        for one in found {
            by_source.entry(one.source.clone()).or_default().push(one);
        }
        let (mut rows, mut others) = (Vec::new(), Vec::new());
        let mut exported = Exported { more, ..Exported::default() };
        for (source, wanted) in by_source {
            match rows::of(runner, rulebook, &source, &wanted).await {
                Ok(Reading { rows: mut found, left }) => {
                    rows.append(&mut found);
                    others.extend(left);
                }
                Err(error) => {
                    exported.unread.insert(source, format!("{:#}", anyhow::Error::from(error)));
                    others.extend(wanted);
                }
            }
        }
        (exported.rows, exported.others) = (rows.len() as u64, others.len() as u64);
        book::write(path, &rows, &others, rulebook).map_err(|error| MendError::Write {
            path: path.display().to_string(),
            cause: error.to_string(),
        })?;
        Ok(exported)
    })
}

/// Takes the corrections out of a workbook, and reads their sources again.
pub fn import<'a>(
    runner: &'a Runner<'a>,
    path: &'a Path,
    progress: &'a mut OnProgress<'a>,
) -> BoxFuture<'a, Result<Returned, MendError>> {
    Box::pin(async move {
        let answers = answers::read(path)?;
        let mut returned = Returned { unchanged: answers.unchanged, ..Returned::default() };
        for (source, rows) in answers.by_source {
            returned.corrected += rows.len() as u64;
            runner.store.put_corrections(&source, &rows, runner.ambient.now_ms()).await?;
            match again(runner, &source, progress).await {
                Ok(summary) => returned.imported.extend(summary),
                Err(error) => {
                    returned.waiting.insert(source, format!("{:#}", anyhow::Error::from(error)));
                }
            }
        }
        Ok(returned)
    })
}

/// Reads a source again.
async fn again(
    runner: &Runner<'_>,
    source: &str,
    progress: &mut OnProgress<'_>,
) -> Result<Option<ImportSummary>, MendError> {
    if config::load(runner.home, source).is_ok() {
        return Ok(
            match runner.run(source, None, &mut |file, read, total| progress(file, read, total)).await? {
                Ran::Imported(summary) => Some(summary),
                Ran::Unchanged => None,
            },
        );
    }
    let files = runner.store.last_files(source).await?;
    let Some((_, reference)) = files.first() else { return Ok(None) };
    let options = ImportOptions {
        source: source.to_owned(),
        reference: Some(Day(*reference)),
        complete: None,
        confirm_gone: None,
    };
    let _lock = runner.home.lock(Work::Import).map_err(RunError::Home)?;
    let rulebook = runner.home.rulebook(runner.store).await.map_err(RunError::Home)?;
    let importer =
        Importer { store: runner.store, rulebook, region: runner.region, ambient: runner.ambient.clone() };
    let paths: Vec<_> = files.iter().map(|(path, _)| path.into()).collect();
    let summary = importer.run(&paths, &options, &mut |file, read, total| progress(file, read, total)).await;
    Ok(Some(summary.map_err(RunError::Import)?))
}
