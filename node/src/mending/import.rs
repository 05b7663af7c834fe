//! Corrections taken out of a workbook, and what became of them at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use dtsen_kit::telemetry::chain;
use futures::future::BoxFuture;

use super::{
    MendError, Place, again,
    answers::{self, Answer},
};
use crate::{
    import::{ImportSummary, OnProgress},
    source::run::Runner,
    store::NewCorrection,
};

/// Most rows that are named one by one.
const MOST_NAMED: usize = 20;

/// Rows of the workbook: how many, and the first of them.
#[derive(Debug, Default, serde::Serialize)]
pub struct Rows {
    /// How many.
    pub count: u64,
    /// The first ones.
    pub first: Vec<Place>,
}

impl Rows {
    fn add(&mut self, place: &Place) {
        self.count += 1;
        if self.first.len() < MOST_NAMED {
            self.first.push(place.clone());
        }
    }
}

/// What came back.
#[derive(Debug, Default, serde::Serialize)]
pub struct Returned {
    /// Rows whose correction is used, or waits for its source.
    pub corrected: u64,
    /// Rows of which a correction ended: their cells are the source's own again.
    pub taken_back: u64,
    /// Rows that are as they went out.
    pub unchanged: u64,
    /// Corrected rows that no source of this node has: their corrections are not used.
    pub unfit: Rows,
    /// Rows that are as their source has them, and read otherwise because they were corrected since.
    pub still_corrected: Rows,
    /// Columns that somebody added, by sheet: they are not read.
    pub added_columns: BTreeSet<(String, String)>,
    /// What was imported of it, by source.
    pub imported: Vec<ImportSummary>,
    /// Sources that cannot be read now: their corrections wait for the next reading.
    pub waiting: BTreeMap<String, String>,
}

impl Returned {
    /// Whether all that was corrected went for nothing.
    pub fn is_all_unfit(&self) -> bool {
        self.unfit.count > 0 && self.corrected == 0 && self.taken_back == 0
    }
}

/// Takes the corrections out of a workbook, and reads their sources again.
pub fn import<'a>(
    runner: &'a Runner<'a>,
    path: &'a Path,
    progress: &'a mut OnProgress<'a>,
) -> BoxFuture<'a, Result<Returned, MendError>> {
    Box::pin(async move {
        let answers = answers::read(path)?;
        let mut returned = Returned {
            unchanged: answers.unchanged,
            added_columns: answers.added,
            still_corrected: still_corrected(runner, &answers.as_source).await?,
            ..Returned::default()
        };
        let mut by_source: BTreeMap<&str, Vec<&Answer>> = BTreeMap::new();
        for answer in &answers.changed {
            by_source.entry(&answer.source).or_default().push(answer);
        }
        let mut known: BTreeMap<&str, Vec<&NewCorrection>> = BTreeMap::new();
        for (source, rows) in &by_source {
            if again::is_known(runner, source).await? {
                known.insert(source, rows.iter().map(|row| &row.new).collect());
            }
        }
        returned.taken_back = runner.store.put_corrections(&known, runner.ambient.now_ms()).await?;
        // All sources in one turn: one command is taken back by one `undo`.
        let turn = runner.turn().await;
        for (source, rows) in by_source {
            let was_read = match &turn {
                _ if !known.contains_key(source) => Ok(None),
                Ok(turn) => {
                    again::read(runner, turn, source, progress).await.map(Some).map_err(|why| chain(&why))
                }
                Err(busy) => Err(chain(busy)),
            };
            let set = rows.iter().filter(|row| !row.new.set.is_empty());
            match was_read {
                Ok(summaries) => {
                    let used = runner.store.used_corrections(source).await?;
                    let (fit, unfit): (Vec<&&Answer>, Vec<_>) =
                        set.partition(|row| summaries.is_some() && used.contains(&row.new.mark));
                    returned.corrected += fit.len() as u64;
                    for row in unfit {
                        returned.unfit.add(&row.place);
                    }
                    returned.imported.extend(summaries.into_iter().flatten());
                }
                Err(why) => {
                    returned.corrected += set.count() as u64;
                    returned.waiting.insert(source.to_owned(), why);
                }
            }
        }
        Ok(returned)
    })
}

/// Rows that the workbook shows as their source has them although a correction is in force: it came after the workbook
/// went out, maybe out of another copy of it, so that nobody can say that it is to end.
async fn still_corrected(runner: &Runner<'_>, rows: &[Answer]) -> Result<Rows, MendError> {
    let mut found = Rows::default();
    let sources: BTreeSet<&str> = rows.iter().map(|row| row.source.as_str()).collect();
    for source in sources {
        let corrections = runner.store.corrections(source).await?;
        for row in rows.iter().filter(|row| row.source == source) {
            if corrections.get(&row.new.mark).is_some_and(|correction| !correction.cells.is_empty()) {
                found.add(&row.place);
            }
        }
    }
    Ok(found)
}
