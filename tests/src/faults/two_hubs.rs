//! Two hub processes on one PostgreSQL, one of them killed and stopped in turn, while two regions speak of the same
//! people through both.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::{
    contents, ledger,
    place::Place,
    source::{self, Source},
    wait,
};
use crate::federation::Hub;

const REGIONS: [(&str, u64); 2] = [("52.71", 30), ("52.03", 30)];
/// Days that each region sends after the first load.
const DAYS: u32 = 12;
/// A fault comes so many milliseconds after the one before, and lasts so long.
const MOMENT_MS: std::ops::Range<u64> = 100..900;
/// Time for one exchange through a hub that may not answer.
const PATIENCE: Duration = Duration::from_secs(4);
/// Exchanges of one day before the test gives up.
const TRIES: u32 = 60;

/// What a run was like.
#[derive(Debug, Default)]
pub struct Tally {
    /// Kills.
    pub kills: u32,
    /// Stops.
    pub stops: u32,
    /// Exchanges that failed and were made again.
    pub failed: u32,
}

/// Exchanges through both hubs in turn until everything of a day is judged.
fn exchange(source: &Source, urls: &[String; 2], turn: &mut usize) -> anyhow::Result<u32> {
    let mut failed = 0;
    for _ in 0..TRIES {
        *turn += 1;
        source.node.reach_hub_at(&urls[*turn % 2])?;
        if !try_once(source)? {
            failed += 1;
            continue;
        }
        let left = ledger::totals(&source.node)?;
        if left.pending + left.sealed + left.waiting == 0 {
            return Ok(failed);
        }
    }
    anyhow::bail!("{} does not get through: {:?}", source.node.region, ledger::totals(&source.node)?)
}

/// One exchange that is given up after a time; what was done is kept.
fn try_once(source: &Source) -> anyhow::Result<bool> {
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(source.node.home().join(crate::federation::OUTPUT))?;
    let mut command = source.node.command(&["sync", "--once", "--wait", "1"])?;
    let mut child = command.stdout(log.try_clone()?).stderr(log).spawn()?;
    let ended = wait::until(PATIENCE, || match child.try_wait() {
        Ok(Some(status)) => Ok(status.success()),
        Ok(None) => Err("still runs".to_owned()),
        Err(error) => Err(error.to_string()),
    });
    if ended.is_err() {
        child.kill()?;
        child.wait()?;
    }
    Ok(ended.unwrap_or(false))
}

/// Kills and stops the hubs in turn until told that it is enough.
fn disturb(hubs: &mut [Hub; 2], seed: u64, enough: &AtomicBool) -> anyhow::Result<Tally> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut tally = Tally::default();
    let mut moment = || Duration::from_millis(rng.random_range(MOMENT_MS));
    let mut at = 0;
    while !enough.load(Ordering::Relaxed) {
        wait::pass(moment());
        let hub = &mut hubs[(at / 2) % 2];
        if at % 2 == 0 {
            hub.kill()?;
            wait::pass(moment());
            hub.start()?;
            tally.kills += 1;
        } else {
            hub.pause()?;
            wait::pass(moment() * 3);
            hub.resume()?;
            tally.stops += 1;
        }
        at += 1;
    }
    Ok(tally)
}

/// One run; PostgreSQL only.
pub fn run(place: &Place) -> anyhow::Result<Tally> {
    let plans = source::plans(place.seed(), &REGIONS)?;
    let mut first = Hub::create(&place.path("pusat"), place.database())?;
    let mut second = first.twin(&place.path("pusat-2"))?;
    first.start()?;
    second.start()?;
    let sources = plans
        .iter()
        .map(|plan| Source::enrol(&first, &place.path("node"), plan))
        .collect::<anyhow::Result<Vec<_>>>()?;
    for source in &sources {
        source.load(0)?;
        source.node.sync()?;
    }
    let urls = [first.exchange_url(), second.exchange_url()];
    let mut hubs = [first, second];
    let enough = AtomicBool::new(false);
    let mut tally = std::thread::scope(|scope| {
        let (enough, urls) = (&enough, &urls);
        let workers: Vec<_> = sources
            .iter()
            .enumerate()
            .map(|(nth, source)| {
                scope.spawn(move || {
                    let (mut turn, mut failed) = (nth, 0);
                    for day in 1..=DAYS {
                        source.load(day)?;
                        failed += exchange(source, urls, &mut turn)?;
                    }
                    anyhow::Ok(failed)
                })
            })
            .collect();
        let disturbing = scope.spawn(|| disturb(&mut hubs, place.seed(), enough));
        let failed: Vec<_> = workers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        enough.store(true, Ordering::Relaxed);
        let mut tally = disturbing.join().map_err(|_| anyhow::anyhow!("the disturber panicked"))??;
        for failed in failed {
            tally.failed += failed.map_err(|_| anyhow::anyhow!("a worker panicked"))??;
        }
        anyhow::Ok(tally)
    })?;
    for source in &sources {
        let mut turn = 0;
        tally.failed += exchange(source, &urls, &mut turn)?;
        source.node.sync()?;
    }
    let nodes: Vec<_> = sources.iter().map(|s| &s.node).collect();
    ledger::check(&hubs[0], &nodes)?;
    let expected = source::undisturbed(&place.path("tenang"), &plans, &[DAYS + 1; 2])?;
    contents::compare(&contents::of_database(&hubs[0].database())?, &expected)?;
    Ok(tally)
}
