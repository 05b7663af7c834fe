//! Homes with keys, certificates and databases of an enrolled federation, made once in a process and copied for every
//! run; and the files that the nodes import.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use dtsen_central::{
    enrolment,
    home::{Config, Home as HubHome},
    hub::{Decided, Hub},
    store as hub_store,
};
use dtsen_kit::{files, sqlite::Mode};
use dtsen_node::{enrol, store::Store};
use dtsen_proto::enrol::Token;
use jiff::civil::{Date, date};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{
    ENROLMENT_PORT, EXCHANGE_PORT, HUB, NODE_NAMES, NODES, ROUNDS,
    ambient::{Watch, ambient, dice},
    homes::copy_folder,
    hosts::{open_hub, serve_hub},
    net::Dialler,
    plan::WORKLOADS,
    trace::Trace,
    world::region,
};
use crate::population::{self, Faults, FileOptions, Population};

/// Seed of everything that is the same in all runs.
const SEED: u64 = 20_261_122;
/// Families of a region: with their members about twenty-five records.
const FAMILIES: u64 = 6;
/// Of a thousand lines, so many change from one file to the next.
const CHANGED: u32 = 500;
/// Days that the files describe.
const DAYS: [Date; ROUNDS] = [date(2026, 6, 30), date(2026, 7, 31), date(2026, 9, 30)];

/// Folder of the homes that nobody has enrolled.
const EMPTY: &str = "empty";

/// Files by workload, node and round.
pub(super) struct Files(Vec<[Vec<Given>; NODES]>);

/// Files that belong together, and the day that they describe.
pub(super) type Given = (Vec<PathBuf>, Date);

impl Files {
    pub(super) fn of(&self, workload: u64, node: usize) -> &[Given] {
        &self.0[usize::try_from(workload).expect("small")][node]
    }

    fn write(folder: &Path) -> anyhow::Result<Self> {
        let mut all = Vec::new();
        let villages: [_; NODES] = std::array::from_fn(|node| population::villages(region(node)));
        for workload in 0..WORKLOADS {
            let mut nodes: [Vec<Given>; NODES] = Default::default();
            for (node, rounds) in nodes.iter_mut().enumerate() {
                let mut people =
                    Population::new(SEED + workload, region(node), villages[node].clone(), FAMILIES);
                for (round, day) in (0..).zip(DAYS) {
                    if round > 0 {
                        people = people.changed_by(round, CHANGED);
                    }
                    let into = folder.join(format!("{workload}-{node}-{round}"));
                    std::fs::create_dir(&into)?;
                    let pair =
                        population::write_pair(&into, &people, &Faults::none(), FileOptions::default())?;
                    rounds.push((vec![pair.keluarga, pair.anggota], day));
                }
            }
            all.push(nodes);
        }
        Ok(Self(all))
    }
}

/// An enrolled federation that nobody runs.
pub(super) struct Template {
    folder: TempDir,
    pub(super) files: Arc<Files>,
}

/// Made at first use.
pub(super) static TEMPLATE: LazyLock<Template> =
    LazyLock::new(|| Template::create().expect("an enrolled federation"));

/// A folder in memory where there is one: a simulation loses no power, and disks are slow.
pub(super) fn folder() -> std::io::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
}

impl Template {
    fn create() -> anyhow::Result<Self> {
        let folder = folder()?;
        let making = folder.path().join("making");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(make_hub(&making.join(HUB)))?;
        for (node, name) in NODE_NAMES.into_iter().enumerate() {
            let home = making.join(name);
            runtime.block_on(dtsen_node::home::Home::at(&home).create(region(node)))?;
            runtime.block_on(copy_home(&home, &folder.path().join(EMPTY).join(name)))?;
        }
        enrol_all(&runtime, &making)?;
        for name in NODE_NAMES.into_iter().chain([HUB]) {
            runtime.block_on(copy_home(&making.join(name), &folder.path().join(name)))?;
        }
        let written = folder.path().join("files");
        std::fs::create_dir(&written)?;
        let files = Arc::new(Files::write(&written)?);
        Ok(Self { folder, files })
    }

    /// Copies the homes for a run.
    pub(super) fn copy_to(&self, to: &Path) -> anyhow::Result<()> {
        for name in NODE_NAMES.into_iter().chain([HUB]) {
            copy_folder(&self.folder.path().join(name), &to.join(name))?;
        }
        Ok(())
    }

    /// The home of a node that nobody has enrolled.
    pub(super) fn empty_home(&self, node: usize) -> PathBuf {
        self.folder.path().join(EMPTY).join(NODE_NAMES[node])
    }
}

/// Copies a home, its database as one whole file: others may still be closing theirs.
async fn copy_home(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    copy_folder(&from.join("keys"), &to.join("keys"))?;
    for entry in std::fs::read_dir(from)? {
        let (path, name) = entry.map(|e| (e.path(), e.file_name()))?;
        let target = to.join(&name);
        match path.extension().and_then(|e| e.to_str()) {
            Some("db") => {
                let options =
                    SqliteConnectOptions::new().filename(&path).busy_timeout(Duration::from_secs(10));
                let mut conn = SqliteConnection::connect_with(&options).await?;
                let target = target.to_str().context("a path in UTF-8")?;
                sqlx::query("VACUUM INTO $1").bind(target).execute(&mut conn).await?;
                conn.close().await?;
            }
            Some("toml") => {
                std::fs::copy(&path, target)?;
            }
            _ => {}
        }
    }
    Ok(())
}

async fn make_hub(path: &Path) -> anyhow::Result<()> {
    let config = Config {
        name: "hub.dtsen.test".into(),
        database: "sqlite:hub.db".into(),
        listen: format!("0.0.0.0:{EXCHANGE_PORT}"),
        enrol_listen: format!("0.0.0.0:{ENROLMENT_PORT}"),
        exchange_url: format!("https://{HUB}:{EXCHANGE_PORT}"),
    };
    files::private_folder(path)?;
    let home = HubHome::at(path);
    hub_store::open(&home.database(&config), true, Mode::Production).await?;
    Ok(home.create(&config, &ambient(&Watch::default(), SEED, "init", 0))?)
}

fn by(actor: &str) -> Decided {
    Decided { actor: actor.into(), reason: String::new() }
}

/// Both nodes enrol over the simulated network; operators invite and confirm.
fn enrol_all(runtime: &Runtime, making: &Path) -> anyhow::Result<()> {
    let operators =
        runtime.block_on(open_hub(&making.join(HUB), ambient(&Watch::default(), SEED, "operators", 0)))?;
    let mut sim = turmoil::Builder::new().rng_seed(SEED).build();
    let path = making.join(HUB);
    sim.host(HUB, move || {
        let path = path.clone();
        async move {
            let hub = open_hub(&path, ambient(&Watch::default(), SEED, HUB, 0)).await?;
            Ok(serve_hub(hub, HUB.into()).await?)
        }
    });
    for (node, name) in NODE_NAMES.into_iter().enumerate() {
        let (home, operators) = (making.join(name), operators.clone());
        sim.client(name, async move { Ok(enrol_node(node, &home, &operators).await?) });
    }
    sim.run().map_err(|error| anyhow::anyhow!("{error}"))
}

async fn enrol_node(node: usize, path: &Path, operators: &Hub) -> anyhow::Result<()> {
    let (name, region) = (NODE_NAMES[node], region(node));
    let token: Token = enrolment::invite(operators, region, by("pengundang")).await?.parse()?;
    let home = dtsen_node::home::Home::at(path);
    let store = Store::open(&home.database(), false, Mode::Simulated).await?;
    let ambient = ambient(&Watch::default(), SEED, name, 0);
    let applicant = home.applicant(&ambient)?;
    let dialler = Arc::new(Dialler {
        name,
        trace: Trace::default(),
        faulty: Arc::default(),
        cut_percent: 0,
        dice: std::sync::Mutex::new((dice(SEED, name, 0), 0)),
    });
    let url = format!("https://{HUB}:{ENROLMENT_PORT}");
    let first = enrol::ask(dialler.clone(), &url, &token, &applicant, &ambient).await?;
    ensure!(first.is_none(), "nobody has confirmed yet");
    enrolment::confirm(operators, region, &applicant.fingerprint(), by("pemeriksa")).await?;
    let granted = enrol::ask(dialler, &url, &token, &applicant, &ambient).await?;
    home.keep(&store, &applicant, &granted.context("confirmed")?).await?;
    Ok(())
}
