//! Reading a source again after its rows were corrected.

use dtsen_proto::record::Day;

use super::MendError;
use crate::{
    home::Work,
    import::{ImportOptions, ImportSummary, Importer, OnProgress},
    source::{
        config,
        run::{Confirmed, Ran, RunError, Runner},
    },
};

/// Whether a source of this name can be read here.
pub(super) async fn is_known(runner: &Runner<'_>, source: &str) -> Result<bool, MendError> {
    let is_added = config::load(runner.home, source).is_ok();
    Ok(is_added || !runner.store.last_files(source).await?.is_empty())
}

/// Reads a source again: what it was imported from, or the files that were named by hand.
pub(super) async fn read(
    runner: &Runner<'_>,
    source: &str,
    progress: &mut OnProgress<'_>,
) -> Result<Vec<ImportSummary>, MendError> {
    if config::load(runner.home, source).is_ok() {
        let ran = runner
            .run(source, Confirmed::default(), &mut |file, read, total| progress(file, read, total))
            .await?;
        return Ok(match ran {
            Ran::Imported(summary) => vec![summary],
            Ran::Unchanged => Vec::new(),
        });
    }
    let _lock = runner.home.lock(Work::Import).map_err(RunError::Home)?;
    let rulebook = runner.home.rulebook(runner.store).await.map_err(RunError::Home)?;
    let importer =
        Importer { store: runner.store, rulebook, region: runner.region, ambient: runner.ambient.clone() };
    let mut done = Vec::new();
    for files in runner.store.last_files(source).await?.chunk_by(|one, next| one.run == next.run) {
        let options = ImportOptions {
            source: source.to_owned(),
            reference: Some(Day(files[0].reference_day)),
            complete: None,
            confirm_gone: None,
        };
        let paths: Vec<_> = files.iter().map(|file| file.path.clone().into()).collect();
        let summary =
            importer.run(&paths, &options, &mut |file, read, total| progress(file, read, total)).await;
        done.push(summary.map_err(RunError::Import)?);
    }
    Ok(done)
}
