//! What an honest region notices of attacks on the hub: the time of an exchange (connect, Hello, one batch into custody,
//! feed) without and with each attack, one after the other on the same hub.
//!
//! `cargo run --release -p dtsen-tests --bin bench-hostile [-- --exchanges 200] [--json FILE]`

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::Parser;
use dtsen_proto::pb;
use dtsen_tests::{
    faults::{
        place::{Engine, Place},
        wait,
    },
    wire::{
        assault::{Aim, Assault, Attack},
        client::{self, Client},
        peer::{self, Peer},
        stage::Stage,
    },
};
use serde::Serialize;

/// Waktu tukar satu daerah yang jujur selama pusat diserang
#[derive(Parser)]
struct Arguments {
    /// Pertukaran yang diukur tanpa dan dengan tiap serangan
    #[arg(long, default_value_t = 500)]
    exchanges: usize,
    /// Hanya serangan yang namanya memuat ini
    #[arg(long, default_value = "")]
    only: String,
    /// Tulis hasilnya ke berkas JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Deltas of one batch.
const DELTAS: usize = 20;
/// An attack goes on so long before it is measured.
const UNDER_WAY: Duration = Duration::from_secs(2);
/// Times that an attack begins and ends again: what else the disk has to do falls on both sides alike.
const TURNS: usize = 5;

#[derive(Serialize)]
struct Line {
    attack: String,
    quiet_p50_ms: f64,
    quiet_p99_ms: f64,
    attacked_p50_ms: f64,
    attacked_p99_ms: f64,
    times: f64,
    hub_peak_mb: u64,
    hub_descriptors: usize,
}

/// Milliseconds of many exchanges.
#[expect(clippy::disallowed_methods, reason = "a benchmark")]
fn exchanges(stage: &Stage, honest: &mut Peer, deltas: &[Vec<u8>], count: usize) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let begun = Instant::now();
        honest.client = Client::connect(&stage.hub, Some(&honest.identity))?;
        honest.hello().map_err(|refused| anyhow::anyhow!("{refused:?}"))?;
        honest.deliver(deltas)?;
        let feed = pb::FeedRequest { session: honest.session.clone(), after: 0 };
        let feed = honest.client.call(async |hub| hub.feed(feed).await);
        feed.map_err(|refused| anyhow::anyhow!("{refused:?}"))?;
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(times)
}

/// A percentile.
fn at(times: &mut [f64], percent: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let place = Place::new(Engine::Sqlite, "bench_hostile", 1)?.context("a place")?;
    let mut stage = Stage::set(&place)?;
    stage.deliver_noise()?;
    let aim = Aim::at(&stage.hub, &stage.peer)?;
    stage.honest.load(1)?;
    let deltas = peer::deltas(&stage.honest.node, &place.path("salinan-jujur"), DELTAS)?;
    let mut honest = Peer::of(&stage.honest.node, &stage.hub)?;
    let pid = stage.hub.pid().context("the hub runs")?;
    let mut lines = Vec::new();
    println!("milliseconds         quiet: p50    p99   attacked: p50    p99   times   hub MB, descriptors");
    for attack in Attack::ALL {
        let name = format!("{attack:?}");
        if !name.contains(&arguments.only) {
            continue;
        }
        let (mut quiet, mut attacked, mut descriptors) = (Vec::new(), Vec::new(), 0);
        for _ in 0..TURNS {
            quiet.extend(exchanges(&stage, &mut honest, &deltas, arguments.exchanges.div_ceil(TURNS))?);
            let assault = Assault::begin(attack, &aim)?;
            wait::pass(UNDER_WAY);
            attacked.extend(exchanges(&stage, &mut honest, &deltas, arguments.exchanges.div_ceil(TURNS))?);
            descriptors = client::descriptors(pid)?.max(descriptors);
            drop(assault);
            wait::pass(UNDER_WAY);
        }
        let line = Line {
            attack: name,
            quiet_p50_ms: at(&mut quiet, 50),
            quiet_p99_ms: at(&mut quiet, 99),
            attacked_p50_ms: at(&mut attacked, 50),
            attacked_p99_ms: at(&mut attacked, 99),
            times: at(&mut attacked, 99) / at(&mut quiet, 99),
            hub_peak_mb: client::memory_kib(pid, "VmHWM")? / 1_024,
            hub_descriptors: descriptors,
        };
        println!(
            "{:24} {:6.1} {:6.1}         {:6.1} {:6.1} {:7.1}   {}, {}",
            line.attack,
            line.quiet_p50_ms,
            line.quiet_p99_ms,
            line.attacked_p50_ms,
            line.attacked_p99_ms,
            line.times,
            line.hub_peak_mb,
            line.hub_descriptors
        );
        lines.push(line);
    }
    if let Some(path) = arguments.json {
        std::fs::write(path, serde_json::to_string_pretty(&lines)?)?;
    }
    Ok(())
}
