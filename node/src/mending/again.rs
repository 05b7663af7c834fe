//! Reading a source again after its rows were corrected.

use dtsen_proto::record::Day;

use super::MendError;
use crate::{
    import::{ImportOptions, ImportSummary, Importer, OnProgress},
    source::{
        config,
        run::{Confirmed, Ran, RunError, Runner, Turn},
    },
};

/// Whether a source of this name can be read here.
pub(super) async fn is_known(runner: &Runner<'_>, source: &str) -> Result<bool, MendError> {
    let is_added = config::load(runner.home, source).is_ok();
    Ok(is_added || !runner.store.last_files(source).await?.is_empty())
}

/// Reads a source again in a turn: what it was imported from, or the files that were named by hand.
pub(super) async fn read(
    runner: &Runner<'_>,
    turn: &Turn,
    source: &str,
    progress: &mut OnProgress<'_>,
) -> Result<Vec<ImportSummary>, MendError> {
    if config::load(runner.home, source).is_ok() {
        let progress = &mut |file: &str, read, total| progress(file, read, total);
        let ran = runner.run(turn, source, Confirmed::default(), progress).await?;
        return Ok(match ran {
            Ran::Imported(summary) => vec![summary],
            Ran::Unchanged => Vec::new(),
        });
    }
    let rulebook = runner.home.rulebook(runner.store).await.map_err(RunError::Home)?;
    let importer =
        Importer { store: runner.store, rulebook, region: runner.region, ambient: runner.ambient.clone() };
    let mut done = Vec::new();
    // What was named together is read together. Two commands of one turn may describe different days.
    let last = runner.store.last_files(source).await?;
    for files in last.chunk_by(|one, next| (one.run, one.reference_day) == (next.run, next.reference_day)) {
        let options = ImportOptions {
            source: source.to_owned(),
            reference: Some(Day(files[0].reference_day)),
            complete: None,
            confirm_gone: None,
            run: Some(turn.run),
        };
        let paths: Vec<_> = files.iter().map(|file| file.path.clone().into()).collect();
        let summary =
            importer.run(&paths, &options, &mut |file, read, total| progress(file, read, total)).await;
        done.push(summary.map_err(RunError::Import)?);
    }
    Ok(done)
}
