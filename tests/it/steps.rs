//! Every step that is kept fails both ways: not stored, and stored but not reported.

use dtsen_tests::faults::{
    place::{Engine, Place},
    steps::{self, Matrix},
};

/// A run whose matrix has at least so many steps that failed both ways.
fn fails(
    name: &str,
    engine: Engine,
    run: impl FnOnce(&Place) -> anyhow::Result<Matrix>,
    at_least: usize,
) -> anyhow::Result<()> {
    crate::scenario(name, engine, |place| {
        let matrix = run(place)?;
        anyhow::ensure!(matrix.both() >= at_least, "{matrix:?}");
        Ok(matrix)
    })
}

#[test]
fn killed_at_every_flush() -> anyhow::Result<()> {
    fails("steps_killed", Engine::Sqlite, steps::killed::run, 12)
}

#[test]
fn connection_lost_at_every_commit() -> anyhow::Result<()> {
    fails("steps_commits", Engine::Postgres, steps::commits::run, 24)
}
