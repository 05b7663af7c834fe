//! The control: what must lose something, or the cuts are blind.

use anyhow::ensure;

use super::{
    Tapes,
    cut::{Tape, is_whole},
    record,
    trace::{Event, What},
};
use crate::{
    faults::{place::Place, wait},
    federation,
};

/// Commits of the small writer.
const COMMITS: u64 = 300;
/// Cuts of every control.
const CUTS: u64 = 100;
/// The small writer's database.
const DATABASE: &str = "kontrol.db";

/// Cuts that lost something, of `CUTS` each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Losses {
    /// The small writer with `synchronous=FULL`, as both programs have it.
    pub full: u64,
    /// The same with `synchronous=NORMAL`.
    pub normal: u64,
    /// The real hub's run, with the flushes of its log taken out.
    pub hub_without_flush: u64,
}

/// Runs the controls.
pub fn run(place: &Place, tapes: &Tapes) -> anyhow::Result<Losses> {
    let losses = Losses {
        full: writer(place, "FULL")?,
        normal: writer(place, "NORMAL")?,
        hub_without_flush: tapes.losses_without_flush(0..CUTS)?,
    };
    ensure!(losses.full == 0, "the writer with FULL lost something: {losses:?}");
    ensure!(losses.normal > 0, "with NORMAL nothing was lost, so the cuts are blind: {losses:?}");
    ensure!(losses.hub_without_flush > 0, "a hub that never flushes lost nothing: the cuts are blind");
    Ok(losses)
}

/// Records the small writer and cuts it. Returns how many cuts lost a commit that it had told.
fn writer(place: &Place, synchronous: &str) -> anyhow::Result<u64> {
    let folder = place.path(&format!("kontrol-{synchronous}"));
    let home = folder.join("basis");
    std::fs::create_dir_all(&home)?;
    let (program, database, told) =
        (federation::program("power-writer")?, home.join(DATABASE), folder.join("kata"));
    let script = format!(
        "'{}' '{}' {synchronous} {COMMITS} >'{}'\n",
        program.display(),
        database.display(),
        told.display()
    );
    let events = record::under_strace(&folder, &script, None)?;
    let said = |event: &Event| match &event.what {
        What::Write { path, data, .. } if *path == told => {
            let number = String::from_utf8_lossy(data).trim().parse().ok()?;
            Some((event.at, number))
        }
        _ => None,
    };
    let acks: Vec<(usize, u64)> = events.iter().filter_map(said).collect();
    ensure!(acks.len() as u64 == COMMITS, "the writer told {} commits", acks.len());
    let mut lost = 0;
    Tape::new(&home, &[], &events, acks).cut(place.seed(), 0..CUTS, None, |home, acks, _| {
        let Some((_, told)) = acks.last() else { return Ok(()) };
        let has = wait::block_on(async {
            let file = home.join(DATABASE);
            is_whole(&file).await?;
            let mut conn =
                <sqlx::SqliteConnection as sqlx::Connection>::connect(&format!("sqlite:{}", file.display()))
                    .await?;
            let has: i64 =
                sqlx::query_scalar("SELECT coalesce(max(number), 0) FROM line").fetch_one(&mut conn).await?;
            Ok(u64::try_from(has)?)
        })?;
        lost += u64::from(has < *told);
        Ok(())
    })?;
    Ok(lost)
}
