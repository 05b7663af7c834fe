//! Hub and nodes killed in turn, at random moments, while data flows.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Child, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, ensure};
use dtsen_central::{journal, lane, store};
use dtsen_kit::sqlite::Mode;
use dtsen_proto::id::Position;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::{
    contents, ledger,
    place::Place,
    source::{self, Source},
    wait,
};
use crate::federation::Hub;

/// Regions and their families.
const REGIONS: [(&str, u64); 3] = [("52.71", 40), ("52.03", 30), ("75.71", 20)];
/// A kill comes so many milliseconds after the one before, or after its victim began.
const MOMENT_MS: std::ops::Range<u64> = 5..220;
/// Every which kill of a node waits for a sealed batch, and how long.
const EVERY_WHICH: u32 = 3;
const SEALED: Duration = Duration::from_millis(600);
/// Time for one step of a node that nobody kills.
const STEP: Duration = Duration::from_mins(1);
/// Days that a region has at most; then it only exchanges.
const DAYS: u32 = 300;

/// What a run was like.
#[derive(Debug, Default)]
pub struct Tally {
    /// Kills of the hub.
    pub hub: u32,
    /// Kills of nodes.
    pub nodes: u32,
    /// Kills that left a batch sealed and without a receipt.
    pub between: u32,
    /// Deltas in the end.
    pub deltas: u64,
}

/// A node at work, and the process that does it at the moment.
struct Worker {
    source: Source,
    child: Mutex<Option<Child>>,
    /// Sealed and without a receipt when the node was killed.
    sealed: Mutex<BTreeMap<Position, ledger::Bytes>>,
    between: std::sync::atomic::AtomicU32,
    loaded: AtomicBool,
}

impl Worker {
    fn child(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Kills what runs. False: nothing did.
    fn kill(&self) -> anyhow::Result<bool> {
        let mut child = self.child();
        let Some(child) = child.as_mut() else { return Ok(false) };
        let ran = child.try_wait()?.is_none();
        child.kill()?;
        Ok(ran)
    }

    /// Runs one command to its end; `None` if it was killed.
    fn step(&self, arguments: &[String]) -> anyhow::Result<Option<i32>> {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.source.node.home().join(crate::federation::OUTPUT))?;
        let mut command = self.source.node.command(&arguments)?;
        let child = command.stdout(Stdio::null()).stderr(log).spawn()?;
        *self.child() = Some(child);
        let status = wait::until(STEP, || {
            let status = self.child().as_mut().expect("just put there").try_wait();
            status.map_err(|e| e.to_string())?.ok_or_else(|| format!("{} still runs", arguments[0]))
        })?;
        *self.child() = None;
        if status.code().is_none() {
            self.note_sealed()?;
        }
        Ok(status.code())
    }

    /// Remembers what was sealed and not receipted when the node died: these very bytes must come to the hub.
    fn note_sealed(&self) -> anyhow::Result<()> {
        let found = ledger::unreceipted(&self.source.node)?;
        if !found.is_empty() {
            self.between.fetch_add(1, Ordering::Relaxed);
        }
        let mut sealed = self.sealed.lock().unwrap_or_else(PoisonError::into_inner);
        for (position, bytes) in found {
            let before = sealed.insert(position, bytes.clone());
            ensure!(before.is_none_or(|b| b == bytes), "batch {position} was sealed twice");
        }
        Ok(())
    }

    /// Imports and exchanges until there were enough kills. Returns the days imported.
    fn work(&self, may_begin: impl Fn() -> bool, enough: &AtomicBool) -> anyhow::Result<u32> {
        wait::until(STEP, || if may_begin() { Ok(()) } else { Err("the first region loads".into()) })?;
        let sync = ["sync", "--once", "--wait", "2"].map(str::to_owned);
        let mut days = 0;
        while !enough.load(Ordering::Relaxed) {
            if days < DAYS {
                let import = self.source.import(days)?;
                while !matches!(self.step(&import)?, Some(0 | 3)) {}
                days += 1;
            }
            loop {
                self.step(&sync)?;
                let left = ledger::totals(&self.source.node)?;
                if left.pending + left.sealed + left.waiting == 0 {
                    self.loaded.store(true, Ordering::Relaxed);
                    break;
                }
                if enough.load(Ordering::Relaxed) {
                    break;
                }
            }
        }
        Ok(days)
    }
}

/// Ends the leases of a hub process that was killed, as if their seconds had gone by; else most kills would find the
/// lane waiting.
pub(super) fn end_leases(hub: &Hub) -> anyhow::Result<()> {
    let address = hub.database();
    wait::block_on(async {
        let store = store::open(&address, false, Mode::Production).await?;
        for name in [lane::LEASE, journal::LEASE] {
            if let Some(fence) = store.take_lease(name, "harness", i64::MAX, 0).await? {
                store.give_lease(&fence).await?;
            }
        }
        Ok(())
    })
}

/// Waits a while until the node has sealed a batch that has no receipt yet: the kill is to fall between the two.
fn wait_for_a_sealed_batch(victim: &Worker) -> anyhow::Result<()> {
    wait::block_on(async {
        let store = victim.source.node.store().await?;
        let end = wait::now() + SEALED;
        while store.totals().await?.sealed == 0 && wait::now() < end {
            tokio::task::yield_now().await;
        }
        Ok(())
    })
}

/// Kills hub and nodes in turn.
fn kill_in_turn(
    hub: &mut Hub,
    workers: &[Worker],
    rng: &mut ChaCha8Rng,
    kills: u32,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    while tally.hub + tally.nodes < kills {
        wait::pass(Duration::from_millis(rng.random_range(MOMENT_MS)));
        if tally.hub <= tally.nodes {
            hub.kill()?;
            end_leases(hub)?;
            hub.start()?;
            tally.hub += 1;
        } else {
            let victim = &workers[(rng.next_u32() as usize) % workers.len()];
            if tally.nodes.is_multiple_of(EVERY_WHICH) {
                wait_for_a_sealed_batch(victim)?;
            }
            if victim.kill()? {
                tally.nodes += 1;
            }
        }
    }
    Ok(())
}

/// One run. The registry must come out as if nothing had happened.
pub fn run(place: &Place, kills: u32) -> anyhow::Result<Tally> {
    let plans = source::plans(place.seed(), &REGIONS)?;
    let mut hub = Hub::create(&place.path("pusat"), place.database())?;
    hub.start()?;
    let workers = plans
        .iter()
        .map(|plan| {
            Ok(Worker {
                source: Source::enrol(&hub, &place.path("node"), plan)?,
                child: Mutex::new(None),
                sealed: Mutex::default(),
                between: 0.into(),
                loaded: AtomicBool::new(false),
            })
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut tally = Tally::default();
    let mut rng = ChaCha8Rng::seed_from_u64(place.seed());
    let enough = AtomicBool::new(false);
    let days = std::thread::scope(|scope| {
        let (enough, workers) = (&enough, &workers);
        let threads: Vec<_> = (0..workers.len())
            .map(|at| {
                // Who lists a person first is where the person lives: the first region goes first.
                let first = move || at == 0 || workers[0].loaded.load(Ordering::Relaxed);
                scope.spawn(move || workers[at].work(first, enough))
            })
            .collect();
        let killed = kill_in_turn(&mut hub, workers, &mut rng, kills, &mut tally);
        enough.store(true, Ordering::Relaxed);
        let days = threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow::anyhow!("a worker panicked"))?)
            .collect::<anyhow::Result<Vec<u32>>>();
        killed.and(days)
    })?;
    for worker in &workers {
        worker.source.node.sync()?;
    }
    for worker in &workers {
        worker.source.node.sync()?;
        tally.between += worker.between.load(Ordering::Relaxed);
        tally.deltas += ledger::totals(&worker.source.node)?.sent;
        what_was_sealed_came(&hub, worker)?;
    }
    let nodes: Vec<_> = workers.iter().map(|w| &w.source.node).collect();
    ledger::check(&hub, &nodes)?;
    let expected = undisturbed(&place.path("tenang"), &plans, &days)?;
    contents::compare(&contents::of_database(&hub.database())?, &expected)?;
    Ok(tally)
}

fn undisturbed(folder: &Path, plans: &[source::Plan], days: &[u32]) -> anyhow::Result<Vec<String>> {
    source::undisturbed(folder, plans, days)
}

/// What was sealed when a node died came to the hub with the same bytes.
fn what_was_sealed_came(hub: &Hub, worker: &Worker) -> anyhow::Result<()> {
    let sealed = worker.sealed.lock().unwrap_or_else(PoisonError::into_inner);
    wait::block_on(async {
        let store = store::open(&hub.database(), false, Mode::Production).await?;
        for (position, (header, body)) in sealed.iter() {
            let held = store.batch(*position).await?;
            let held = held.with_context(|| format!("batch {position} never came"))?;
            ensure!(&held.header == header, "header of {position} is not the one sealed before the kill");
            ensure!(
                held.body.as_ref() == Some(body),
                "body of {position} is not the one sealed before the kill"
            );
        }
        Ok(())
    })
}
