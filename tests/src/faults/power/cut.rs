//! A power cut: the home as the disk has it, opened with the real code, and everything said before the cut in it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, ensure};
use dtsen_central::{home::Home as HubHome, hub::Hub, store};
use dtsen_kit::{ambient::Ambient, net::Tcp, sqlite::Mode};
use dtsen_node::{audit, home::Home as NodeHome};
use dtsen_proto::region::Region;
use prost::Message as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sqlx::Connection as _;

use super::{
    acks::Ack,
    disk::Disk,
    trace::{Event, What},
};

/// Whose power is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The hub's.
    Hub,
    /// The node's.
    Node,
}

/// One side of a recorded run: what its disk held before, what happened to it, what it said.
#[derive(Debug, Clone)]
pub struct Tape<A> {
    /// Its home.
    pub home: PathBuf,
    /// Its files before.
    pub before: Vec<(PathBuf, Vec<u8>)>,
    /// What happened to its files, in order.
    pub events: Vec<Event>,
    /// What it said, and from which line on.
    pub acks: Vec<(usize, A)>,
}

/// A moment of a tape: how many events were before it, and the number of its cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    events: usize,
    cut: u64,
}

fn path_of(event: &Event) -> Option<&Path> {
    match &event.what {
        What::Open { path, .. }
        | What::Write { path, .. }
        | What::Truncate { path, .. }
        | What::Sync(path)
        | What::SyncFailed(path)
        | What::Failed(path)
        | What::Rename(path, _)
        | What::Unlink(path) => Some(path),
        What::Sent(..) | What::Received(..) => None,
    }
}

impl<A: Clone> Tape<A> {
    /// The tape of a home.
    pub fn new(home: &Path, before: &[(PathBuf, Vec<u8>)], events: &[Event], acks: Vec<(usize, A)>) -> Self {
        let own = |path: &Path| path.starts_with(home);
        Self {
            home: home.to_owned(),
            before: before.iter().filter(|(path, _)| own(path)).cloned().collect(),
            events: events.iter().filter(|event| path_of(event).is_some_and(own)).cloned().collect(),
            acks,
        }
    }

    /// Cuts at moments that follow from a seed and the numbers of the cuts; `each` gets the home after the cut and what
    /// had been said before it. The last event of a tape and the time after it are moments too.
    pub fn cut(
        &self,
        seed: u64,
        cuts: std::ops::Range<u64>,
        deaf_to: Option<&'static str>,
        mut each: impl FnMut(&Path, &[(usize, A)], u64) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let rng = |cut: u64| ChaCha8Rng::seed_from_u64(seed.wrapping_mul(1 << 32).wrapping_add(cut));
        let mut moments: Vec<Moment> =
            cuts.map(|cut| Moment { events: rng(cut).random_range(0..=self.events.len()), cut }).collect();
        moments.sort_unstable();
        let mut disk = Disk::deaf_to(deaf_to);
        self.before.iter().for_each(|(path, bytes)| disk.put(path.clone(), bytes.clone()));
        let mut done = 0;
        for moment in moments {
            self.events[done..moment.events].iter().for_each(|event| disk.apply(event));
            done = moment.events;
            // Everything said before the next thing that happens to the disk.
            let next = self.events.get(done).map_or(usize::MAX, |event| event.at);
            let said = self.acks.partition_point(|(line, _)| *line < next);
            let mut rng = rng(moment.cut);
            let _the_moment: u64 = rng.random();
            let folder = scratch()?;
            for (path, bytes) in disk.after_cut(&mut rng) {
                let target = folder.path().join(path.strip_prefix(&self.home)?);
                std::fs::create_dir_all(target.parent().context("a folder")?)?;
                std::fs::write(&target, bytes)?;
            }
            let context = || format!("cut {} of seed {seed}, before event {done}", moment.cut);
            each(folder.path(), &self.acks[..said], moment.cut).with_context(context)?;
        }
        Ok(())
    }
}

/// A folder in memory where there is one: a cut is rebuilt in milliseconds, and nothing has to reach a disk.
fn scratch() -> anyhow::Result<tempfile::TempDir> {
    const MEMORY: &str = "/dev/shm";
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix("dtsen-cut.");
    Ok(builder.tempdir_in(MEMORY).or_else(|_| builder.tempdir())?)
}

/// SQLite finds its file whole.
pub async fn is_whole(file: &Path) -> anyhow::Result<()> {
    let mut conn = sqlx::SqliteConnection::connect(&format!("sqlite:{}", file.display())).await?;
    let told: String = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut conn).await?;
    conn.close().await?;
    ensure!(told == "ok", "{}: {told}", file.display());
    Ok(())
}

/// The node in this home is whole and stands by what it said.
pub async fn check_node(folder: &Path, said: &[(usize, Ack)]) -> anyhow::Result<()> {
    let home = NodeHome::at(folder);
    let (store, region) = home.store().await.context("opens")?;
    let agent = home.agent(store.clone(), region, Arc::new(Tcp)).await.context("its keys")?;
    let found = audit::verify(&agent).await?;
    ensure!(found.faults.is_empty(), "verify: {:?}", found.faults);
    for (_, ack) in said {
        match ack {
            Ack::Sealed(row) => {
                let held = store.batch(row.position).await?;
                let held = held.with_context(|| format!("batch {} was sent and is lost", row.position))?;
                let same = held.id == row.id && held.header == row.header && held.body == row.body;
                ensure!(same, "batch {} is not the one sent", row.position);
            }
            Ack::Queued(deltas) => {
                let totals = store.totals().await?;
                let has = totals.sent + totals.sealed + totals.pending;
                ensure!(has >= *deltas, "{has} deltas of {deltas} that were queued");
            }
            Ack::Exchanged { batches, feed, slice } => {
                let has = (found.receipts, found.feed, found.slice_version);
                let least = (*batches, *feed, *slice);
                let all = has.0 >= least.0 && has.1 >= least.1 && has.2 >= least.2;
                ensure!(all, "receipts, verdicts and slice are {has:?}, and {least:?} were told");
            }
            Ack::Custody(_) | Ack::Verdicts { .. } | Ack::Published(_) => {
                anyhow::bail!("not the node's word")
            }
        }
    }
    drop((agent, store));
    is_whole(&home.database()).await
}

/// A hub in a home, without its server.
pub async fn open_hub(folder: &Path) -> anyhow::Result<Hub> {
    let home = HubHome::at(folder);
    let config = home.config()?;
    let store = store::open(&home.database(&config), false, Mode::Production).await?;
    Ok(home.hub(&config, store, Ambient::system())?)
}

/// The hub in this home is whole and stands by what it said.
pub async fn check_hub(folder: &Path, region: Region, said: &[(usize, Ack)]) -> anyhow::Result<()> {
    let hub = open_hub(folder).await.context("opens")?;
    let found = dtsen_central::audit::verify(&hub).await?;
    ensure!(found.faults_total == 0, "verify: {:?}", found.faults);
    let feed = hub.store.feed_after(region, 0, u32::MAX).await?;
    for (_, ack) in said {
        match ack {
            Ack::Custody(row) => {
                let held = hub.store.batch(row.position).await?;
                let held =
                    held.with_context(|| format!("batch {} has a receipt and is lost", row.position))?;
                let receipt = row.receipt.as_ref().map(prost::Message::encode_to_vec);
                let same = held.id == row.id
                    && held.header == row.header.encode_to_vec()
                    && Some(&held.receipt) == receipt.as_ref()
                    && held.body.as_ref() == Some(&row.body);
                ensure!(same, "batch {} is not the one receipted", row.position);
            }
            Ack::Verdicts { position, entry } => {
                let at = usize::try_from(*position)? - 1;
                ensure!(feed.get(at) == Some(entry), "entry {position} of the feed was sent and is lost");
            }
            Ack::Published(version) => {
                let last = hub.store.release(None).await?.map_or(0, |release| release.version);
                ensure!(last >= *version, "release {version} was published and is lost");
            }
            Ack::Sealed(_) | Ack::Queued(_) | Ack::Exchanged { .. } => anyhow::bail!("not the hub's word"),
        }
    }
    drop(hub);
    is_whole(&folder.join("hub.db")).await
}
