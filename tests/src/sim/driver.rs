//! The driver of one simulation: breaks and mends things, lets operators act, checks, and waits for the end.

mod acts;
mod end;

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use dtsen_kit::{net::Tcp, sqlite::Mode};
use dtsen_node::{home::Home, store::Store, sync::Agent};
use tokio::runtime::Runtime;
use turmoil::Sim;

use super::{
    HUB, NODE_NAMES, NODES,
    ambient::{BEGIN_MS, Elapsed, ambient},
    check::{self, Observed, Seen},
    contents::Contents,
    homes::Homes,
    hosts,
    ledger::Ledger,
    operators::Operators,
    plan::Plan,
    restores::{Restores, Tally},
    template::{TEMPLATE, folder},
    trace::Trace,
    world::{World, region},
};

/// Virtual time within which everything must be well again after the last fault.
pub const PATIENCE_MS: u64 = 20 * 60 * 1_000;
/// Step of virtual time.
const TICK_MS: u64 = 20;
/// Virtual time between two looks at all promises, besides those after every act.
const CHECK_MS: u64 = 5_000;
/// Virtual time between two looks of operators, and whether everything is done.
const LOOK_MS: u64 = 500;
const DAY_MS: i64 = 24 * 3_600_000;
/// Messages that a connection holds before turmoil gives up: never.
const CAPACITY: usize = 1 << 16;

/// A node's home.
#[derive(Clone)]
struct Place {
    path: PathBuf,
    /// Files that it has imported.
    imported: usize,
    /// Whether its node is known at the hub.
    enrolled: bool,
}

/// Where homes are.
pub(super) struct Stage {
    pub(super) hub: PathBuf,
    pub(super) node: PathBuf,
}

pub(super) struct Driver {
    sim: Sim<'static>,
    world: Arc<World>,
    seen: Observed,
    operators: Operators,
    ledger: Ledger,
    restores: Restores,
    /// Copies that were put away.
    hub_copy: Option<PathBuf>,
    node_copies: [Option<Place>; NODES],
    /// Copies of nodes that run, and those that ever did.
    twins: [bool; NODES],
    known_twins: [bool; NODES],
    runtime: Runtime,
    /// Holds the databases; goes last.
    _folder: tempfile::TempDir,
}

impl Driver {
    pub(super) fn new(plan: Plan, trace: Trace, elapsed: Arc<Elapsed>) -> anyhow::Result<Self> {
        let template = &*TEMPLATE;
        let folder = folder()?;
        template.copy_to(folder.path())?;
        let homes = Homes::new(folder.path());
        let world = Arc::new(World::new(plan, homes, template.files.clone(), trace, elapsed));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let seen = runtime.block_on(observe(&world))?;
        let (shortest, longest) = world.plan.latency_ms;
        let mut sim = turmoil::Builder::new()
            .rng_seed(world.plan.seed)
            .tick_duration(Duration::from_millis(TICK_MS))
            .min_message_latency(Duration::from_millis(shortest))
            .max_message_latency(Duration::from_millis(longest))
            .tcp_capacity(CAPACITY)
            .enable_random_order()
            .build();
        let of = world.clone();
        sim.host(HUB, move || hosts::hub(of.clone()));
        for (node, name) in NODE_NAMES.into_iter().enumerate() {
            let of = world.clone();
            sim.host(name, move || hosts::node(of.clone(), node, false));
        }
        Ok(Self {
            sim,
            operators: Operators::new(world.plan.seed),
            world,
            seen,
            ledger: Ledger::default(),
            restores: Restores::default(),
            hub_copy: None,
            node_copies: Default::default(),
            twins: [false; NODES],
            known_twins: [false; NODES],
            runtime,
            _folder: folder,
        })
    }

    /// What was found so far.
    pub(super) fn tally(&self) -> Tally {
        self.restores.tally
    }

    /// Homes of the hub and of the first node.
    pub(super) fn stage(&self) -> Stage {
        Stage { hub: self.world.hub.home(), node: self.world.nodes[0].computer.home() }
    }

    /// Batches that the hub took while its own clock was wrong: it judged them by that day.
    pub(super) fn wrong_days(&self) -> anyhow::Result<usize> {
        let days = BEGIN_MS - DAY_MS..BEGIN_MS + DAY_MS;
        self.runtime.block_on(async {
            let newest = self.seen.hub.store.recent_batches(None, u32::MAX >> 1).await?;
            Ok(newest.iter().filter(|batch| !days.contains(&batch.custody_ms)).count())
        })
    }

    /// What everybody holds.
    pub(super) fn contents(&self) -> anyhow::Result<Contents> {
        self.runtime.block_on(Contents::read(&self.seen.nodes))
    }

    /// Both phases. Returns what everybody holds in the end.
    pub(super) fn drive(&mut self) -> anyhow::Result<Contents> {
        self.world.faulty.store(true, Ordering::Relaxed);
        let acts = self.world.plan.acts.clone();
        let end = self.world.plan.faults_end_ms();
        let mut acts = acts.into_iter().peekable();
        while self.now_ms() <= end {
            self.step()?;
            while let Some((_, act)) = acts.next_if(|(at, _)| *at <= self.now_ms()) {
                self.tell(format!("{act:?}"));
                self.act(act).with_context(|| format!("{act:?}"))?;
                self.check()?;
            }
        }
        self.mend();
        self.wait_for("everything judged", Self::all_judged)?;
        self.ask_for_release();
        self.wait_for("the last release everywhere", Self::all_released)?;
        self.check()?;
        self.end()?;
        self.contents()
    }

    /// What holds only in the end.
    pub(super) fn end(&mut self) -> anyhow::Result<()> {
        self.restores.every_restore_is_found().context("every_restore_is_found")?;
        self.runtime.block_on(async {
            let seen = &self.seen;
            self.ledger.nothing_acknowledged_is_lost(seen).await.context("nothing_acknowledged_is_lost")?;
            check::feeds_are_whole(seen).await.context("feeds_are_whole")?;
            let agents = agents(&self.world).await?;
            check::audits_find_nothing(&seen.hub, &agents).await.context("audits_find_nothing")
        })
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.sim.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn tell(&self, what: impl Into<String>) {
        self.world.trace.tell("driver", what);
    }

    /// One step of virtual time, and what people and checks do in it.
    fn step(&mut self) -> anyhow::Result<()> {
        self.sim.step().map_err(|error| anyhow!("a process ended: {error}"))?;
        self.world.elapsed.set(self.now_ms());
        if self.now_ms().is_multiple_of(LOOK_MS) {
            for task in self.runtime.block_on(self.operators.due(&self.world, &self.seen.hub))? {
                self.world.trace.tell("operators", format!("{task:?}"));
                self.operate(task).with_context(|| format!("{task:?}"))?;
                self.check()?;
            }
        }
        if self.now_ms().is_multiple_of(CHECK_MS) {
            self.check()?;
        }
        Ok(())
    }

    pub(super) fn check(&mut self) -> anyhow::Result<()> {
        let at = self.now_ms();
        self.runtime
            .block_on(async {
                self.restores.look(&self.seen, self.twins).await.context("every_restore_is_found")?;
                self.seen.hub_lost = self.restores.hub_is_open();
                for (node, seen) in self.seen.nodes.iter_mut().enumerate() {
                    seen.lost = self.restores.node_is_open(node);
                }
                self.ledger.take_up(&self.seen).await.context("receipts_never_change")?;
                check::all(&self.seen).await
            })
            .with_context(|| format!("at {at} ms"))
    }
}

/// Opens everything a second time, for the checks and the operators at the hub.
async fn observe(world: &World) -> anyhow::Result<Observed> {
    let seed = world.plan.seed;
    let hub = hosts::open_hub(&world.hub.home(), ambient(&world.hub.watch, seed, "operators", 0)).await?;
    let mut nodes = Vec::new();
    for own in &world.nodes {
        let file = Home::at(&own.computer.home()).database();
        let store = Arc::new(Store::open(&file, false, Mode::Simulated).await?);
        nodes.push(Seen { region: region(own.node), store, stirred: false, lost: false });
    }
    Ok(Observed { hub, nodes, hub_came_back: false, hub_lost: false })
}

/// The nodes with their keys, for what an operator does beside a running one.
async fn agents(world: &World) -> anyhow::Result<Vec<Agent>> {
    let mut agents = Vec::new();
    for own in &world.nodes {
        let (home, watch) = (Home::at(&own.computer.home()), &own.computer.watch);
        let ambient = ambient(watch, world.plan.seed, "verify", 0);
        agents.push(hosts::open_node(&home, own.node, Arc::new(Tcp), ambient).await?);
    }
    Ok(agents)
}
