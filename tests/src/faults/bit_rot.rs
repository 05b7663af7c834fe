//! Bits that flip in the database files: somebody notices, or nothing that is proven has changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, ensure};
use dtsen_kit::net::Tcp;
use dtsen_node::home::Home;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use super::{
    place::Place,
    power::cut::{Side, is_whole, open_hub},
    source::{self, Source},
    wait,
};
use crate::federation::{self, Hub};

/// Flips in every database.
pub const FLIPS: u64 = 300;
/// Days imported and sent before.
const DAYS: u32 = 4;
/// Families of the region.
const FAMILIES: u64 = 30;

/// What the hub must never take for true when it is not: what was signed, and the registry.
const HUB_PROVEN: [&str; 9] = [
    "batch.batch_id",
    "batch.header",
    "batch.receipt",
    "batch_body.body",
    "feed.entry",
    "decision.entry",
    "log_leaf.leaf",
    "log_node.hash",
    "record.body",
];
/// The same at the node.
const NODE_PROVEN: [&str; 7] = [
    "batch.batch_id",
    "batch.header",
    "batch.receipt",
    "batch.body",
    "feed.entry",
    "verdict.detail",
    "slice_leaf.record",
];

/// What many flips came to.
#[derive(Debug, Default)]
pub struct Tally {
    /// The database could not be opened, or a call failed.
    pub refused: u64,
    /// `verify` named a fault.
    pub verify: u64,
    /// Only SQLite's own check noticed.
    pub check: u64,
    /// Nothing that a statement can read was changed.
    pub unaffected: u64,
    /// Nobody noticed: how often, by column.
    pub unnoticed: BTreeMap<String, u64>,
}

/// One flip after another in copies of the homes of a hub and a node that exchanged data.
pub fn run(place: &Place, flips: u64) -> anyhow::Result<[Tally; 2]> {
    let plans = source::plans(place.seed(), &[("52.71", FAMILIES)])?;
    let mut hub = Hub::create(&place.path("pusat"), place.database())?;
    hub.start()?;
    let source = Source::enrol(&hub, &place.path("node"), &plans[0])?;
    for day in 0..DAYS {
        source.load(day)?;
        source.node.sync()?;
    }
    hub.release()?;
    source.node.sync()?;
    hub.stop()?;
    let of_hub = flip_all(place, Side::Hub, hub.home(), flips)?;
    let of_node = flip_all(place, Side::Node, source.node.home(), flips)?;
    for (proven, tally) in [(&HUB_PROVEN[..], &of_hub), (&NODE_PROVEN[..], &of_node)] {
        let bad: Vec<&&str> = proven.iter().filter(|column| tally.unnoticed.contains_key(**column)).collect();
        ensure!(bad.is_empty(), "nobody noticed that {bad:?} changed: {tally:?}");
        ensure!(tally.refused + tally.verify + tally.check > 0, "no flip was noticed: {tally:?}");
    }
    Ok([of_hub, of_node])
}

fn flip_all(place: &Place, side: Side, home: &Path, flips: u64) -> anyhow::Result<Tally> {
    let name = match side {
        Side::Hub => "hub.db",
        Side::Node => "node.db",
    };
    wait::block_on(fold(&home.join(name)))?;
    let whole = std::fs::read(home.join(name))?;
    let before = wait::block_on(contents(&home.join(name)))?;
    let copy = place.path("salinan");
    federation::copy_home(home, &copy)?;
    let mut tally = Tally::default();
    for flip in 0..flips {
        let mut rng = ChaCha8Rng::seed_from_u64(place.seed().wrapping_mul(flips) + flip);
        let mut bytes = whole.clone();
        let at = rng.random_range(0..bytes.len());
        bytes[at] ^= 1 << rng.random_range(0..u8::BITS);
        for suffix in ["-wal", "-shm"] {
            let beside = PathBuf::from(format!("{}{suffix}", copy.join(name).display()));
            // Whoever closed the database last may have removed it, or be about to.
            match std::fs::remove_file(beside) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        std::fs::write(copy.join(name), bytes)?;
        // What is left of the flip after the programs' own look, which writes nothing of what is compared.
        let after = wait::block_on(contents(&copy.join(name))).ok();
        match wait::block_on(look(side, &copy)) {
            Err(_) => tally.refused += 1,
            Ok(faults) if faults > 0 => tally.verify += 1,
            Ok(_) if wait::block_on(is_whole(&copy.join(name))).is_err() => tally.check += 1,
            Ok(_) => {
                let after = after.with_context(|| format!("flip {flip}: unreadable, and nobody noticed"))?;
                let changed = changed(&before, &after);
                tally.unaffected += u64::from(changed.is_empty());
                for column in changed {
                    *tally.unnoticed.entry(column).or_default() += 1;
                }
            }
        }
    }
    std::fs::remove_dir_all(copy)?;
    Ok(tally)
}

/// Faults that `verify` names.
async fn look(side: Side, folder: &Path) -> anyhow::Result<u64> {
    if side == Side::Hub {
        let hub = open_hub(folder).await?;
        return Ok(dtsen_central::audit::verify(&hub).await?.faults_total);
    }
    let home = Home::at(folder);
    let (store, region) = home.store().await?;
    let agent = home.agent(store, region, Arc::new(Tcp)).await?;
    Ok(dtsen_node::audit::verify(&agent).await?.faults.len() as u64)
}

/// Brings what is in the log ahead of the file into the file.
async fn fold(file: &Path) -> anyhow::Result<()> {
    let mut conn = SqliteConnection::connect(&format!("sqlite:{}", file.display())).await?;
    sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut conn).await?;
    Ok(conn.close().await?)
}

type Contents = BTreeMap<String, [u8; 32]>;

/// A digest of every column of every table.
async fn contents(file: &Path) -> anyhow::Result<Contents> {
    let mut conn = SqliteConnection::connect(&format!("sqlite:{}", file.display())).await?;
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table' ORDER BY 1, 2",
    )
    .fetch_all(&mut conn)
    .await?;
    let mut found = Contents::new();
    for (table, column) in columns {
        let text = format!("SELECT quote(\"{column}\") FROM \"{table}\"");
        let values: Vec<String> = sqlx::query_scalar(AssertSqlSafe(text)).fetch_all(&mut conn).await?;
        let mut hash = Sha256::new();
        for value in values {
            hash.update(value.as_bytes());
            hash.update(b"\n");
        }
        found.insert(format!("{table}.{column}"), hash.finalize().into());
    }
    conn.close().await?;
    Ok(found)
}

fn changed(before: &Contents, after: &Contents) -> BTreeSet<String> {
    let names = before.keys().chain(after.keys());
    names.filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}
