//! The processes: the hub and the nodes as their `serve` and `sync` commands run them, on simulated time and network.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use dtsen_central::{
    engine::Engine,
    home,
    hub::{Decided, Hub},
    release,
    rulebook::Rulebooks,
    serve::{Listeners, serve},
    store as hub_store,
};
use dtsen_kit::{ambient::Ambient, net::Dial, sqlite::Mode};
use dtsen_node::{
    follow,
    home::Home,
    import::{DEFAULT_SOURCE, ImportOptions, Importer},
    store::Store,
    sync::Agent,
};
use dtsen_proto::{record::Day, region::Region, rulebook::Rulebook};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    ENROLMENT_PORT, EXCHANGE_PORT, HUB, NODES, REGIONS, ROUNDS,
    ambient::{ambient, dice},
    net::{Dialler, Listener},
    plan::Plan,
    template::Files,
    trace::Trace,
};

/// What the processes and the driver share: what outlives a crash besides the disks.
pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) folder: PathBuf,
    pub(super) files: Arc<Files>,
    pub(super) trace: Trace,
    /// Whether things may break.
    pub(super) faulty: Arc<AtomicBool>,
    /// Lives so far: hub, nodes.
    pub(super) lives: [AtomicU64; 3],
    /// Imports that each node has made.
    pub(super) imported: [AtomicUsize; 2],
    /// Releases asked for and made.
    pub(super) releases: [AtomicU64; 2],
}

impl World {
    pub(super) fn hub_home(&self) -> PathBuf {
        self.folder.join(HUB)
    }

    pub(super) fn node_home(&self, node: usize) -> Home {
        Home::at(&self.folder.join(NODES[node]))
    }
}

/// A region by the number of its node.
pub(super) fn region(node: usize) -> Region {
    REGIONS[node].parse().expect("a region")
}

/// Opens a hub as its commands do.
pub(super) async fn open_hub(path: &Path, ambient: Ambient) -> anyhow::Result<Arc<Hub>> {
    let home = home::Home::at(path);
    let config = home.config()?;
    let store = hub_store::open(&home.database(&config), false, Mode::Simulated).await?;
    let (keys, release_key) = home.keys()?;
    Ok(Arc::new(Hub {
        name: config.name,
        exchange_url: config.exchange_url,
        store,
        engine: Engine { signer: keys.receipt.clone() },
        keys,
        authority: home.authority()?,
        release_key,
        rulebooks: Rulebooks::default(),
        ambient,
        lane_work: Notify::new(),
        log_work: Notify::new(),
    }))
}

/// Opens a node as its commands do.
pub(super) async fn open_node(
    home: &Home,
    node: usize,
    dial: Arc<dyn Dial>,
    ambient: Ambient,
) -> anyhow::Result<Agent> {
    let store = Arc::new(Store::open(&home.database(), false, Mode::Simulated).await?);
    let agent = home.agent(store, region(node), dial).await?;
    Ok(Agent { ambient, ..agent })
}

/// Serves a hub until its process ends.
pub(super) async fn serve_hub(hub: Arc<Hub>, holder: String) -> anyhow::Result<()> {
    let exchange = Listener::bind(EXCHANGE_PORT).await?;
    let enrolment = Listener::bind(ENROLMENT_PORT).await?;
    let listeners = Listeners { exchange, enrolment };
    Ok(serve(hub, listeners, holder, CancellationToken::new()).await?)
}

/// The hub's process.
pub(super) async fn hub(world: Arc<World>) -> turmoil::Result {
    let life = world.lives[0].fetch_add(1, Ordering::Relaxed);
    world.trace.tell(HUB, format!("starts, life {life}"));
    let hub = open_hub(&world.hub_home(), ambient(world.plan.seed, HUB, life)).await?;
    tokio::spawn(make_releases(world.clone(), hub.clone()));
    serve_hub(hub, format!("hub-{life}")).await?;
    Ok(())
}

/// The operators: make releases when asked.
async fn make_releases(world: Arc<World>, hub: Arc<Hub>) {
    let [asked, made] = &world.releases;
    loop {
        if made.load(Ordering::Relaxed) < asked.load(Ordering::Relaxed) {
            match make_release(&hub).await {
                Ok(version) => {
                    made.fetch_add(1, Ordering::Relaxed);
                    world.trace.tell(HUB, format!("published version {version}"));
                }
                Err(error) => world.trace.tell(HUB, format!("no release: {error:#}")),
            }
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn make_release(hub: &Hub) -> anyhow::Result<u64> {
    let version = release::prepare(hub, "penyusun").await?.version;
    let decided = Decided { actor: "penyetuju".into(), reason: String::new() };
    release::publish(hub, version, decided).await?;
    Ok(version)
}

/// A node's process: exchanges for ever, imports files when they arrive.
pub(super) async fn node(world: Arc<World>, node: usize) -> turmoil::Result {
    let life = world.lives[node + 1].fetch_add(1, Ordering::Relaxed);
    let name = NODES[node];
    world.trace.tell(name, format!("starts, life {life}"));
    let dialler = Dialler {
        name,
        trace: world.trace.clone(),
        faulty: world.faulty.clone(),
        cut_percent: world.plan.cut_percent,
        dice: Mutex::new((dice(world.plan.seed ^ 0xD1A1, name, life), 0)),
    };
    let ambient = ambient(world.plan.seed, name, life);
    let agent = open_node(&world.node_home(node), node, Arc::new(dialler), ambient).await?;
    let trace = world.trace.clone();
    let mut tell = |line: String| trace.tell(name, line);
    let exchange = async {
        if world.plan.eager {
            eagerly(&agent, &mut tell).await;
        } else {
            follow::forever(&agent, &mut tell).await;
        }
    };
    let (imports, ()) = tokio::join!(import_all(&world, node, &agent), exchange);
    Ok(imports?)
}

/// Exchanges every second or two, whatever happens.
async fn eagerly(agent: &Agent, tell: &mut (dyn FnMut(String) + Send)) {
    loop {
        let (report, result) = follow::until_judged(agent, Duration::from_secs(5)).await;
        if report.batches + report.feed > 0 || report.slice_taken || result.is_err() {
            tell(format!("{} batches, {} feed, {result:?}", report.batches, report.feed));
        }
        let [random] = agent.ambient.bytes::<1>();
        tokio::time::sleep(Duration::from_millis(500 + u64::from(random) * 8)).await;
    }
}

async fn import_all(world: &World, node: usize, agent: &Agent) -> anyhow::Result<()> {
    loop {
        let round = world.imported[node].load(Ordering::Relaxed);
        if round == ROUNDS {
            return Ok(());
        }
        let now = turmoil::sim_elapsed().context("in a simulation")?;
        let at = Duration::from_millis(world.plan.imports_ms[node][round]);
        tokio::time::sleep(at.saturating_sub(now)).await;
        import(world, node, round, agent).await?;
        world.imported[node].store(round + 1, Ordering::Relaxed);
    }
}

async fn import(world: &World, node: usize, round: usize, agent: &Agent) -> anyhow::Result<()> {
    let (files, day) = &world.files.of(world.plan.workload, node)[round];
    let importer = Importer {
        store: &agent.store,
        rulebook: Rulebook::builtin(),
        region: agent.region,
        ambient: agent.ambient.clone(),
    };
    let options = ImportOptions {
        source: DEFAULT_SOURCE.into(),
        reference: Some(Day::from_date(*day)),
        complete: None,
        confirm_gone: None,
    };
    let summary = importer.run(files, &options, &mut |_, _, _| {}).await?;
    let queued: u64 = summary.files.iter().map(|file| file.counts.queued).sum();
    world.trace.tell(NODES[node], format!("imported round {round}: {queued} changes"));
    Ok(())
}
