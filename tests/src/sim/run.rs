//! One simulation: the driver that breaks and mends things, checks, and waits for the end.

use std::{
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, LazyLock, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, anyhow, ensure};
use dtsen_kit::net::Tcp;
use tokio::runtime::Runtime;
use turmoil::Sim;

use super::{
    HUB, NODES, ROUNDS,
    ambient::ambient,
    check::{self, Observed},
    contents::Contents,
    hosts::{self, World},
    plan::{Act, Plan},
    template::{TEMPLATE, folder},
    trace::{Event, Trace, digest},
};

/// Virtual time within which everything must be well again after the last fault.
pub const PATIENCE_MS: u64 = 10 * 60 * 1_000;
/// Step of virtual time.
const TICK_MS: u64 = 10;
/// Virtual time between two looks at all promises, besides those after every act.
const CHECK_MS: u64 = 5_000;
/// Virtual time between two looks whether everything is done.
const LOOK_MS: u64 = 500;
/// Messages that a connection holds before turmoil gives up: never.
const CAPACITY: usize = 1 << 16;
/// Events shown of a run that failed.
const SHOWN: usize = 200;

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// What it was.
    pub plan: Plan,
    /// What happened.
    pub events: Vec<Event>,
    /// Digest of it.
    pub digest: String,
    /// Virtual milliseconds that it took.
    pub elapsed_ms: u64,
    /// What everybody holds in the end.
    pub contents: Contents,
    /// Why it failed.
    pub failure: Option<String>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {}", self.plan.seed, self.plan)?;
        writeln!(
            f,
            "trace {} over {} virtual ms, {} events",
            self.digest,
            self.elapsed_ms,
            self.events.len()
        )?;
        let Some(failure) = &self.failure else { return writeln!(f, "well") };
        let told: Vec<&Event> = self.events.iter().filter(|event| !event.quiet).collect();
        for event in &told[told.len().saturating_sub(SHOWN)..] {
            writeln!(f, "{:>9} {:<10} {}", event.at_ms, event.who, event.what)?;
        }
        writeln!(f, "FAILED: {failure}")?;
        writeln!(f, "commit {}", commit())?;
        writeln!(
            f,
            "again: DTSEN_SIM_SEED={} cargo nextest run --release -p dtsen-tests --test sim replay --no-capture",
            self.plan.seed
        )
    }
}

fn commit() -> String {
    let git = std::process::Command::new("git").args(["describe", "--always", "--dirty"]).output();
    git.map_or_else(|_| "unknown".into(), |out| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

/// Runs a seed and compares with the undisturbed run of the same files.
pub fn run(seed: u64) -> Outcome {
    let mut outcome = run_plan(Plan::of(seed));
    if outcome.failure.is_none() {
        let expected = undisturbed(outcome.plan.workload);
        outcome.failure = outcome
            .contents
            .difference(&expected)
            .map(|difference| format!("contents_equal_an_undisturbed_run: {difference}"));
    }
    outcome
}

/// Contents that the first who asks for them makes.
type Once = Arc<OnceLock<Arc<Contents>>>;

/// Contents of the undisturbed run of some files; one run for each in a process.
fn undisturbed(workload: u64) -> Arc<Contents> {
    static RUNS: LazyLock<Mutex<BTreeMap<u64, Once>>> = LazyLock::new(Mutex::default);
    let run = RUNS.lock().unwrap_or_else(PoisonError::into_inner).entry(workload).or_default().clone();
    let contents = run.get_or_init(|| {
        let outcome = run_plan(Plan::undisturbed(workload));
        assert!(outcome.failure.is_none(), "the undisturbed run failed\n{outcome}");
        Arc::new(outcome.contents)
    });
    contents.clone()
}

fn run_plan(plan: Plan) -> Outcome {
    let trace = Trace::default();
    let (elapsed, contents) = (AtomicU64::new(0), Mutex::new(Contents::default()));
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut driver = Driver::new(plan.clone(), trace.clone())?;
        let result = driver.drive();
        elapsed.store(driver.now_ms(), Ordering::Relaxed);
        *contents.lock().unwrap_or_else(PoisonError::into_inner) = result?;
        Ok::<_, anyhow::Error>(())
    }));
    let failure = match result {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(format!("{error:#}")),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            Some(text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default())
        }
    };
    let events = trace.events();
    Outcome {
        plan,
        digest: digest(&events),
        events,
        elapsed_ms: elapsed.into_inner(),
        contents: contents.into_inner().unwrap_or_else(PoisonError::into_inner),
        failure,
    }
}

struct Driver {
    sim: Sim<'static>,
    world: Arc<World>,
    seen: Observed,
    runtime: Runtime,
    /// Holds the databases; goes last.
    _folder: tempfile::TempDir,
}

impl Driver {
    fn new(plan: Plan, trace: Trace) -> anyhow::Result<Self> {
        let template = &*TEMPLATE;
        let folder = folder()?;
        template.copy_to(folder.path())?;
        let world = Arc::new(World {
            plan,
            folder: folder.path().to_owned(),
            files: template.files.clone(),
            trace,
            faulty: Arc::default(),
            lives: [0; 3].map(AtomicU64::new),
            imported: [0; 2].map(AtomicUsize::new),
            releases: [0; 2].map(AtomicU64::new),
        });
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
        for (node, name) in NODES.into_iter().enumerate() {
            let of = world.clone();
            sim.host(name, move || hosts::node(of.clone(), node));
        }
        Ok(Self { sim, world, seen, runtime, _folder: folder })
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.sim.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Both phases. Returns what everybody holds in the end.
    fn drive(&mut self) -> anyhow::Result<Contents> {
        self.world.faulty.store(true, Ordering::Relaxed);
        let acts = self.world.plan.acts.clone();
        let end = self.world.plan.faults_end_ms();
        let mut acts = acts.into_iter().peekable();
        while self.now_ms() <= end {
            self.step()?;
            while let Some((_, act)) = acts.next_if(|(at, _)| *at <= self.now_ms()) {
                self.act(act);
                self.check()?;
            }
            if self.now_ms().is_multiple_of(CHECK_MS) {
                self.check()?;
            }
        }
        self.mend();
        self.wait_for("everything judged", Self::all_judged)?;
        let [asked, _] = &self.world.releases;
        asked.fetch_add(1, Ordering::Relaxed);
        self.wait_for("the last release everywhere", Self::all_released)?;
        self.check()?;
        self.runtime.block_on(check::audits_find_nothing(&self.seen)).context("audits_find_nothing")?;
        self.runtime.block_on(Contents::read(&self.seen.nodes))
    }

    fn step(&mut self) -> anyhow::Result<()> {
        self.sim.step().map_err(|error| anyhow!("a process ended: {error}"))?;
        self.world.trace.at(self.now_ms());
        Ok(())
    }

    fn check(&mut self) -> anyhow::Result<()> {
        self.runtime.block_on(check::all(&self.seen)).with_context(|| format!("at {} ms", self.now_ms()))
    }

    fn act(&mut self, act: Act) {
        self.world.trace.tell("driver", format!("{act:?}"));
        match act {
            Act::Partition(node) => self.sim.partition(HUB, NODES[node]),
            Act::LoseRequests(node) => self.sim.partition_oneway(NODES[node], HUB),
            Act::LoseReplies(node) => self.sim.partition_oneway(HUB, NODES[node]),
            Act::Hold(node) => self.sim.hold(HUB, NODES[node]),
            Act::Heal(node) => self.heal(node),
            Act::CrashHub => self.crash(HUB),
            Act::StartHub => self.start(HUB),
            Act::CrashNode(node) => self.crash(NODES[node]),
            Act::StartNode(node) => self.start(NODES[node]),
            Act::Release => {
                self.world.releases[0].fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn heal(&mut self, node: usize) {
        self.sim.release(HUB, NODES[node]);
        self.sim.repair(HUB, NODES[node]);
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

    /// The end of phase 1.
    fn mend(&mut self) {
        self.world.faulty.store(false, Ordering::Relaxed);
        self.world.trace.tell("driver", "mends everything");
        for (node, name) in NODES.into_iter().enumerate() {
            self.heal(node);
            self.start(name);
        }
        self.start(HUB);
    }

    fn wait_for(&mut self, what: &str, done: fn(&Self) -> anyhow::Result<bool>) -> anyhow::Result<()> {
        let until = self.now_ms() + PATIENCE_MS;
        loop {
            self.step()?;
            if self.now_ms().is_multiple_of(CHECK_MS) {
                self.check()?;
            }
            if self.now_ms().is_multiple_of(LOOK_MS) && done(self)? {
                return Ok(());
            }
            ensure!(self.now_ms() < until, "not within {PATIENCE_MS} virtual ms: {what}");
        }
    }

    fn all_judged(&self) -> anyhow::Result<bool> {
        let imported = self.world.imported.iter().all(|rounds| rounds.load(Ordering::Relaxed) == ROUNDS);
        self.runtime.block_on(async {
            let mut done = imported;
            for node in &self.seen.nodes {
                let totals = node.store.totals().await?;
                done &= totals.waiting + totals.sealed + totals.pending == 0;
            }
            Ok(done)
        })
    }

    fn all_released(&self) -> anyhow::Result<bool> {
        let [asked, made] = self.world.releases.each_ref().map(|count| count.load(Ordering::Relaxed));
        self.runtime.block_on(async {
            let newest = self.seen.hub.release(None).await?.map_or(0, |release| release.version);
            let mut done = asked == made && newest > 0;
            for node in &self.seen.nodes {
                done &= node.store.slice_version().await? == newest;
            }
            Ok(done)
        })
    }
}

/// Opens everything a second time, for the checks.
async fn observe(world: &World) -> anyhow::Result<Observed> {
    let hub = hosts::open_hub(&world.hub_home(), ambient(world.plan.seed, "observer", 0)).await?;
    let mut nodes = Vec::new();
    for node in 0..NODES.len() {
        let ambient = ambient(world.plan.seed, "observer", 0);
        nodes.push(hosts::open_node(&world.node_home(node), node, Arc::new(Tcp), ambient).await?);
    }
    Ok(Observed { hub: hub.store.clone(), nodes })
}
