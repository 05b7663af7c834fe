//! An import with less memory than it needs: it ends, and afterwards everything is as it should be.

use std::process::Command;

use anyhow::{Context as _, ensure};

use super::{
    contents, ledger,
    place::Place,
    source::{self, Source},
};
use crate::federation::Hub;

/// Families of the region: the files are read row by row, but a chunk of rows is held.
const FAMILIES: u64 = 1_500;
/// Limits of the address space in KiB, from where the program hardly starts to where it works. Stacks of threads and
/// SQLite's pages are in it.
const LIMITS_KIB: [u32; 8] = [30_000, 45_000, 60_000, 80_000, 100_000, 130_000, 200_000, 2_000_000];

/// What a run was like.
#[derive(Debug, Default)]
pub struct Tally {
    /// Imports that ended with an error.
    pub failed: Vec<u32>,
    /// Imports that came through.
    pub well: Vec<u32>,
}

/// One run.
pub fn run(place: &Place) -> anyhow::Result<Tally> {
    let plans = source::plans(place.seed(), &[("52.71", FAMILIES)])?;
    let mut hub = Hub::create(&place.path("pusat"), place.database())?;
    hub.start()?;
    let source = Source::enrol(&hub, &place.path("node"), &plans[0])?;
    let import = source.import(0)?;
    let import: Vec<&str> = import.iter().map(String::as_str).collect();
    let mut tally = Tally::default();
    for limit in LIMITS_KIB {
        let command = source.node.command(&import)?;
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -c 0; ulimit -v \"$0\"; exec \"$@\"", &limit.to_string()]);
        let done = limited.arg(command.get_program()).args(command.get_args()).output()?;
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        if matches!(done.status.code(), Some(0 | 3)) {
            tally.well.push(limit);
        } else {
            ensure!(!told.trim().is_empty(), "with {limit} KiB it ended {} and said nothing", done.status);
            tally.failed.push(limit);
        }
        source.node.run(&["verify"]).or_else(|error| {
            // Before the first exchange there is no rulebook, and verify has nothing to say about it.
            if ledger::totals(&source.node)?.batches == 0 { Ok(String::new()) } else { Err(error) }
        })?;
    }
    ensure!(!tally.failed.is_empty() && !tally.well.is_empty(), "the limits show nothing: {tally:?}");
    source.node.sync()?;
    ledger::check(&hub, &[&source.node])?;
    let expected = source::undisturbed(&place.path("tenang"), &plans, &[1])?;
    contents::compare(&contents::of_database(&hub.database())?, &expected)
        .context("after too little memory")?;
    Ok(tally)
}
