//! The processes: the hub and the nodes as their `serve`, `enrol` and `sync` commands run them, on simulated time and
//! network.

use std::{
    path::Path,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use anyhow::Context as _;
use dtsen_central::{
    home,
    hub::{Decided, Hub},
    release,
    serve::{Listeners, serve},
    store as hub_store,
};
use dtsen_kit::{ambient::Ambient, net::Dial, sqlite::Mode};
use dtsen_node::{
    enrol, follow,
    home::Home,
    import::{DEFAULT_SOURCE, ImportOptions, Importer},
    store::{Store, setting},
    sync::{Agent, SyncError},
};
use dtsen_proto::{record::Day, rulebook::Rulebook};
use tokio_util::sync::CancellationToken;

use super::{
    ENROLMENT_PORT, EXCHANGE_PORT, HUB,
    ambient::{ambient, dice},
    net::{Dialler, Listener},
    operators::EXPIRED,
    world::{NodeComputer, World, lock, region},
};

/// Opens a hub as its commands do.
pub(super) async fn open_hub(path: &Path, ambient: Ambient) -> anyhow::Result<Arc<Hub>> {
    let home = home::Home::at(path);
    let config = home.config()?;
    let store = hub_store::open(&home.database(&config), false, Mode::Simulated).await?;
    Ok(Arc::new(home.hub(&config, store, ambient)?))
}

/// Opens a node that is enrolled, as its commands do.
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
    let life = world.hub.lives.fetch_add(1, Ordering::Relaxed);
    world.trace.tell(HUB, format!("starts, life {life}"));
    let ambient = ambient(&world.hub.watch, world.plan.seed, HUB, life);
    let hub = open_hub(&world.hub.home(), ambient).await?;
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

/// A node's process, or that of a copy of it: enrols if it has a token, exchanges for ever, imports files when they
/// arrive.
pub(super) async fn node(world: Arc<World>, node: usize, twin: bool) -> turmoil::Result {
    let own = if twin { &world.twins[node] } else { &world.nodes[node] };
    let (name, seed) = (own.computer.name, world.plan.seed);
    let life = own.computer.lives.fetch_add(1, Ordering::Relaxed);
    world.trace.tell(name, format!("starts, life {life}"));
    let dialler = Arc::new(Dialler {
        name,
        trace: world.trace.clone(),
        faulty: world.faulty.clone(),
        cut_percent: world.plan.cut_percent,
        dice: Mutex::new((dice(seed ^ 0xD1A1, name, life), 0)),
    });
    let (home, ambient) = (Home::at(&own.computer.home()), ambient(&own.computer.watch, seed, name, life));
    become_enrolled(&world, own, &home, dialler.clone(), &ambient).await?;
    let agent = open_node(&home, node, dialler, ambient).await?;
    let exchange = async {
        if world.plan.eager {
            eagerly(&world, own, &agent).await;
        } else {
            let mut tell = |line: String| {
                hear(own, &line);
                world.trace.tell(name, line);
            };
            follow::forever(&agent, &mut tell).await;
        }
    };
    let (imports, ()) = tokio::join!(import_all(&world, own, &agent), exchange);
    Ok(imports?)
}

/// The operator reads what the program says. Whatever it says after trouble is that all is well again.
fn hear(own: &NodeComputer, line: &str) {
    let trouble = ["menolak", "tidak terjangkau", EXPIRED].iter().any(|word| line.contains(word));
    *lock(&own.told) = trouble.then(|| line.to_owned());
}

/// Asks with the operator's token until it is granted. Without token and certificate there is nothing to do but wait.
async fn become_enrolled(
    world: &World,
    own: &NodeComputer,
    home: &Home,
    dial: Arc<Dialler>,
    ambient: &Ambient,
) -> anyhow::Result<()> {
    let store = Store::open(&home.database(), false, Mode::Simulated).await?;
    loop {
        let token = lock(&own.invitation).clone();
        match token {
            None if store.setting(setting::HUB).await?.is_some() => return Ok(()),
            None => {}
            Some(token) => {
                let applicant = home.applicant(ambient)?;
                *lock(&own.fingerprint) = Some(applicant.fingerprint());
                let url = format!("https://{HUB}:{ENROLMENT_PORT}");
                match enrol::ask(dial.clone(), &url, &token, &applicant, ambient).await {
                    Ok(Some(granted)) => {
                        home.keep(&store, &applicant, &granted).await?;
                        (*lock(&own.invitation), *lock(&own.told)) = (None, None);
                        world.trace.tell(own.computer.name, "is enrolled");
                        return Ok(());
                    }
                    Ok(None) => world.trace.tell(own.computer.name, "waits for confirmation"),
                    Err(error) => {
                        if error.is_revoked_key() {
                            home.forget_applicant();
                        }
                        world.trace.tell(own.computer.name, format!("is not enrolled: {error}"));
                        hear(own, &error.to_string());
                    }
                }
            }
        }
        let [random] = ambient.bytes::<1>();
        tokio::time::sleep(Duration::from_millis(500 + u64::from(random) * 8)).await;
    }
}

/// Exchanges every few seconds, whatever happens.
async fn eagerly(world: &World, own: &NodeComputer, agent: &Agent) {
    loop {
        let (report, result) = follow::until_judged(agent, Duration::from_secs(5)).await;
        hear(own, &result.as_ref().map_or_else(SyncError::to_string, |()| String::new()));
        if report.batches + report.feed > 0 || report.slice_taken || report.renewed || result.is_err() {
            let line = format!("{} batches, {} feed, {result:?}", report.batches, report.feed);
            world.trace.tell(own.computer.name, line);
        }
        let [random] = agent.ambient.bytes::<1>();
        tokio::time::sleep(Duration::from_millis(500 + u64::from(random) * 20)).await;
    }
}

async fn import_all(world: &World, own: &NodeComputer, agent: &Agent) -> anyhow::Result<()> {
    loop {
        let round = own.imported.load(Ordering::Relaxed);
        if round >= own.to_import.load(Ordering::Relaxed) {
            return Ok(());
        }
        let now = turmoil::sim_elapsed().context("in a simulation")?;
        let at = Duration::from_millis(world.plan.imports_ms[own.node][round]);
        tokio::time::sleep(at.saturating_sub(now)).await;
        match import(world, own, round, agent).await {
            Ok(()) => own.imported.store(round + 1, Ordering::Relaxed),
            // A clock that is years behind makes the file one of the future.
            Err(error) => {
                world.trace.tell(own.computer.name, format!("round {round} is not imported: {error:#}"));
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
        }
    }
}

async fn import(world: &World, own: &NodeComputer, round: usize, agent: &Agent) -> anyhow::Result<()> {
    let (files, day) = &world.files.of(world.plan.workload, own.node)[round];
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
        run: None,
    };
    let summary = importer.run(files, &options, &mut |_, _, _| {}).await?;
    let queued: u64 = summary.files.iter().map(|file| file.counts.queued).sum();
    world.trace.tell(own.computer.name, format!("imported round {round}: {queued} changes"));
    Ok(())
}
