//! The driver of one simulation: breaks and mends things, lets operators act, checks, and waits for the end.

use std::{
    fmt::Write as _,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail};
use dtsen_central::{enrolment, hub::Decided};
use dtsen_kit::{net::Tcp, sqlite::Mode};
use dtsen_node::{
    home::Home,
    store::{Store, setting},
    sync::Agent,
};
use dtsen_proto::pb::region_act::What;
use tokio::runtime::Runtime;
use turmoil::Sim;

use super::{
    HUB, NODE_NAMES, NODES, ROUNDS, TWIN_NAMES,
    act::Act,
    ambient::{BEGIN_MS, Elapsed, ambient},
    check::{self, Observed, Seen},
    contents::Contents,
    homes::{self, Homes},
    hosts,
    ledger::Ledger,
    operators::{self, Operators, Task},
    plan::Plan,
    restores::{Restores, Tally},
    template::{TEMPLATE, folder},
    trace::Trace,
    world::{World, lock, region},
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
                self.restores.look(&self.seen).await.context("every_restore_is_found")?;
                self.seen.hub_lost = self.restores.hub_is_open();
                for (node, seen) in self.seen.nodes.iter_mut().enumerate() {
                    seen.lost = self.restores.node_is_open(node);
                }
                self.ledger.take_up(&self.seen).await.context("receipts_never_change")?;
                check::all(&self.seen).await
            })
            .with_context(|| format!("at {at} ms"))
    }

    pub(super) fn act(&mut self, act: Act) -> anyhow::Result<()> {
        match act {
            Act::Partition(node) => self.sim.partition(HUB, NODE_NAMES[node]),
            Act::LoseRequests(node) => self.sim.partition_oneway(NODE_NAMES[node], HUB),
            Act::LoseReplies(node) => self.sim.partition_oneway(HUB, NODE_NAMES[node]),
            Act::Hold(node) => self.sim.hold(HUB, NODE_NAMES[node]),
            Act::Slow(node, ms) => {
                self.sim.set_link_latency(HUB, NODE_NAMES[node], Duration::from_millis(ms));
            }
            Act::Heal(node) => self.heal(node),
            Act::CrashHub => self.crash(HUB),
            Act::StartHub => self.start(HUB),
            Act::CrashNode(node) => self.crash(NODE_NAMES[node]),
            Act::StartNode(node) => self.start(NODE_NAMES[node]),
            Act::HubClock(wrong) => self.world.hub.watch.set(wrong),
            Act::NodeClock(node, wrong) => self.world.nodes[node].computer.watch.set(wrong),
            Act::Suspend(node) => self.set_status(node, What::Suspended),
            Act::Resume(node) => self.set_status(node, What::Resumed),
            Act::Revoke(node) => self.set_status(node, What::Revoked),
            Act::CopyNode(node) => {
                let now = self.place(node)?;
                self.node_copies[node] = Some(Place { path: self.world.homes.copy(&now.path)?, ..now });
            }
            Act::RestoreNode { node, whole } => self.restore_node(node, whole)?,
            Act::CopyHub => self.hub_copy = Some(self.world.homes.copy(&self.world.hub.home())?),
            Act::RestoreHub => self.restore_hub()?,
            Act::Clone(node) => self.clone_node(node)?,
            Act::EmptyDisk(node) => {
                let empty = TEMPLATE.empty_home(node);
                self.come_back(node, &Place { path: empty, imported: 0, enrolled: false }, true)?;
            }
            Act::Release => self.ask_for_release(),
        }
        Ok(())
    }

    fn ask_for_release(&self) {
        self.world.releases[0].fetch_add(1, Ordering::Relaxed);
    }

    fn heal(&mut self, node: usize) {
        self.sim.release(HUB, NODE_NAMES[node]);
        self.sim.repair(HUB, NODE_NAMES[node]);
        let (shortest, _) = self.world.plan.latency_ms;
        self.sim.set_link_latency(HUB, NODE_NAMES[node], Duration::from_millis(shortest));
    }

    /// Ends a process. Its connections end in the order in which tokio drops the tasks of a runtime, and that depends
    /// on their numbers, which count over all runtimes of this program. So the messages that say so must all take
    /// equally long, or the order would show.
    fn crash(&mut self, host: &'static str) {
        let (shortest, longest) = self.world.plan.latency_ms;
        self.sim.set_max_message_latency(Duration::from_millis(shortest));
        self.sim.crash(host);
        self.sim.set_max_message_latency(Duration::from_millis(longest));
    }

    fn start(&mut self, host: &'static str) {
        if !self.sim.is_host_running(host) {
            self.sim.bounce(host);
        }
    }

    fn set_status(&mut self, node: usize, what: What) {
        self.seen.nodes[node].stirred = true;
        self.world.nodes[node].suspended.store(what == What::Suspended, Ordering::Relaxed);
        let decided = Decided { actor: "petugas".into(), reason: String::new() };
        let set = enrolment::set_status(&self.seen.hub, region(node), what, decided);
        if let Err(error) = self.runtime.block_on(set) {
            self.tell(format!("not done: {error}"));
        }
    }

    /// Everything is read anew from where it is now.
    fn reopen(&mut self) -> anyhow::Result<()> {
        let stirred: Vec<bool> = self.seen.nodes.iter().map(|node| node.stirred).collect();
        let hub_came_back = self.seen.hub_came_back;
        self.seen = Observed { hub_came_back, ..self.runtime.block_on(observe(&self.world))? };
        for (node, stirred) in self.seen.nodes.iter_mut().zip(stirred) {
            node.stirred = stirred;
        }
        let lost = self.runtime.block_on(self.ledger.forget_lost(&self.seen))?;
        if lost > 0 {
            self.tell(format!("{lost} batches are neither at the hub nor at their node any more"));
        }
        Ok(())
    }

    fn restore_node(&mut self, node: usize, whole: bool) -> anyhow::Result<()> {
        match self.node_copies[node].clone() {
            Some(copy) => self.come_back(node, &copy, whole),
            None => Ok(()),
        }
    }

    /// A node goes on with the files of a home of before; with its keys of now unless it is the whole home.
    fn come_back(&mut self, node: usize, from: &Place, whole: bool) -> anyhow::Result<()> {
        self.check()?;
        self.crash(NODE_NAMES[node]);
        let own = &self.world.nodes[node];
        let back = self.world.homes.copy(&from.path)?;
        if !whole {
            homes::keep_keys(&own.computer.home(), &back)?;
        }
        self.runtime.block_on(self.restores.node_goes(&self.seen, node))?;
        own.computer.moves_to(back);
        own.imported.store(from.imported, Ordering::Relaxed);
        self.reopen()?;
        self.seen.nodes[node].stirred = true;
        self.runtime.block_on(self.restores.node_came_back(&self.seen, node))?;
        *lock(&self.world.nodes[node].told) = (!from.enrolled).then(|| format!("({})", operators::EMPTY));
        self.start(NODE_NAMES[node]);
        Ok(())
    }

    fn restore_hub(&mut self) -> anyhow::Result<()> {
        let Some(copy) = self.hub_copy.clone() else { return Ok(()) };
        self.check()?;
        self.crash(HUB);
        self.world.hub.moves_to(self.world.homes.copy(&copy)?);
        self.reopen()?;
        self.seen.hub_came_back = true;
        for node in &mut self.seen.nodes {
            node.stirred = true;
        }
        self.runtime.block_on(self.restores.hub_came_back(&self.seen, self.twins))?;
        self.start(HUB);
        Ok(())
    }

    /// Where a node is now.
    fn place(&self, node: usize) -> anyhow::Result<Place> {
        let own = &self.world.nodes[node];
        let hub = self.runtime.block_on(self.seen.nodes[node].store.setting(setting::HUB))?;
        let imported = own.imported.load(Ordering::Relaxed);
        Ok(Place { path: own.computer.home(), imported, enrolled: hub.is_some() })
    }

    /// A copy runs beside its node, unless one does already or one of them is not whole.
    fn clone_node(&mut self, node: usize) -> anyhow::Result<()> {
        self.check()?;
        let now = self.place(node)?;
        let from = self.node_copies[node].clone().unwrap_or_else(|| now.clone());
        if self.twins[node] || self.restores.node_is_open(node) || !(now.enrolled && from.enrolled) {
            return Ok(());
        }
        let imported = from.imported;
        let twin = &self.world.twins[node];
        twin.computer.moves_to(self.world.homes.copy(&from.path)?);
        twin.imported.store(imported, Ordering::Relaxed);
        // Every other copy takes a file in that the node takes in too.
        let more = usize::try_from(self.world.plan.seed % 2).expect("small");
        twin.to_import.store((imported + more).min(ROUNDS), Ordering::Relaxed);
        self.seen.nodes[node].stirred = true;
        self.twins[node] = true;
        if self.known_twins[node] {
            self.start(TWIN_NAMES[node]);
        } else {
            self.known_twins[node] = true;
            let of = self.world.clone();
            self.sim.host(TWIN_NAMES[node], move || hosts::node(of.clone(), node, true));
        }
        self.runtime.block_on(self.restores.cloned(&self.seen, node))
    }

    /// What an operator got to.
    fn operate(&mut self, task: Task) -> anyhow::Result<()> {
        match task {
            Task::Generation => {
                self.runtime.block_on(operators::confirm_generation(&self.seen.hub))?;
                // Releases of earlier generations are not offered any more.
                self.ask_for_release();
                (0..NODES).for_each(|node| self.phone(node));
            }
            Task::NewEpoch(node) => {
                self.one_remains(node)?;
                self.runtime.block_on(operators::new_epoch(&self.seen.hub, node))?;
                self.phone(node);
            }
            Task::Resume(node) => self.set_status(node, What::Resumed),
            Task::SwitchOff(node) => {
                self.switch_off_twin(node);
                self.restores.copy_is_locked_out(node);
            }
            Task::Invite(node) => {
                self.switch_off_twin(node);
                self.seen.nodes[node].stirred = true;
                self.runtime.block_on(operators::invite(&self.world, &self.seen.hub, node))?;
                self.crash(NODE_NAMES[node]);
                self.start(NODE_NAMES[node]);
            }
            Task::Confirm(node) => {
                self.runtime.block_on(operators::confirm(&self.world, &self.seen.hub, node))?;
            }
        }
        Ok(())
    }

    /// The operator of a node is told that it may go on, and starts its program again. Some nobody tells.
    fn phone(&mut self, node: usize) {
        if self.world.plan.phones && self.sim.is_host_running(NODE_NAMES[node]) {
            self.crash(NODE_NAMES[node]);
            self.start(NODE_NAMES[node]);
        }
    }

    fn switch_off_twin(&mut self, node: usize) {
        if std::mem::take(&mut self.twins[node]) {
            self.crash(TWIN_NAMES[node]);
        }
        *lock(&self.world.twins[node].told) = None;
    }

    /// Of a node and its copy one is switched off; the other is the node from now on.
    fn one_remains(&mut self, node: usize) -> anyhow::Result<()> {
        let both = self.twins[node];
        self.switch_off_twin(node);
        if !(both && self.operators.keep_the_copy()) {
            return Ok(());
        }
        self.tell("the copy remains");
        let twin = &self.world.twins[node];
        let imported = twin.imported.load(Ordering::Relaxed);
        let copy = Place { path: twin.computer.home(), imported, enrolled: true };
        self.come_back(node, &copy, true)
    }

    /// The end of phase 1.
    fn mend(&mut self) {
        self.world.faulty.store(false, Ordering::Relaxed);
        self.tell("mends everything");
        self.world.hub.watch.set(0);
        for (node, name) in NODE_NAMES.into_iter().enumerate() {
            self.world.nodes[node].computer.watch.set(0);
            self.heal(node);
            self.start(name);
        }
        self.start(HUB);
    }

    fn wait_for(&mut self, what: &str, done: fn(&Self) -> anyhow::Result<bool>) -> anyhow::Result<()> {
        let until = self.now_ms() + PATIENCE_MS;
        loop {
            self.step()?;
            if self.now_ms().is_multiple_of(LOOK_MS) && done(self)? {
                return Ok(());
            }
            if self.now_ms() >= until {
                let state = self.state()?;
                bail!("not within {PATIENCE_MS} virtual ms: {what}; {state}");
            }
        }
    }

    /// What everybody is at, for a run that does not come to its end.
    fn state(&self) -> anyhow::Result<String> {
        let mut state = format!("{:?}, copies {:?}", self.operators, self.twins);
        self.runtime.block_on(async {
            let hub = &self.seen.hub;
            let (generation, stopped) = (hub.generation().await?, hub.stopped().await?);
            write!(state, ", generation {generation}, stopped {stopped:?}")?;
            for (own, node) in self.world.nodes.iter().zip(&self.seen.nodes) {
                let row = hub.store.region(node.region).await?.context("a known region")?;
                let heads = (hub.store.head(node.region).await?, node.store.head().await?);
                let heads = (heads.0.map(|h| h.position), heads.1.map(|h| h.position));
                let feeds = (hub.store.feed_end(node.region).await?, node.store.feed_end().await?);
                let settled = check::is_settled(&self.seen, node).await?;
                let totals = node.store.totals().await?;
                let told = lock(&own.told).clone();
                let (status, imported) = (row.status.as_str(), &own.imported);
                write!(
                    state,
                    "; {} {status}, settled {settled}, heads {heads:?}, feeds {feeds:?}",
                    node.region
                )?;
                write!(state, ", imported {imported:?}, told {told:?}, {totals:?}")?;
            }
            Ok(state)
        })
    }

    fn all_judged(&self) -> anyhow::Result<bool> {
        let imported = self.world.nodes.iter().all(|own| own.imported.load(Ordering::Relaxed) == ROUNDS);
        let mut done = imported && self.operators.is_idle() && !self.twins.contains(&true);
        self.runtime.block_on(async {
            for node in &self.seen.nodes {
                if !done {
                    break;
                }
                let totals = node.store.totals().await?;
                done &= totals.waiting + totals.sealed + totals.pending == 0;
                done &= check::is_settled(&self.seen, node).await?;
                done &= node.store.feed_end().await? == self.seen.hub.store.feed_end(node.region).await?;
            }
            Ok(done)
        })
    }

    fn all_released(&self) -> anyhow::Result<bool> {
        let [asked, made] = self.world.releases.each_ref().map(|count| count.load(Ordering::Relaxed));
        self.runtime.block_on(async {
            let newest = self.seen.hub.store.release(None).await?.map_or(0, |release| release.version);
            let mut done = asked == made && newest > 0;
            for node in &self.seen.nodes {
                done &= node.store.slice_version().await? == newest;
            }
            Ok(done)
        })
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
