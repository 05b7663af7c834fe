//! The hub comes back from an older copy of its database: nodes notice, intake stops, an operator confirms, the
//! regions hand back what is missing, and everything is as before.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, ensure};

use super::{
    contents, ledger,
    place::Place,
    source::{self, Source},
};
use crate::federation::{Exchange, Hub};

const REGIONS: [(&str, u64); 3] = [("52.71", 40), ("52.03", 30), ("75.71", 20)];
/// Two families in a village that no list has: held until a person decides.
const UNKNOWN_VILLAGE: &str = "\
nomor_kartu_keluarga|jumlah_anggota_keluarga|nama_kepala_keluarga|kabupaten_kota|kecamatan|kelurahan_desa
5271010101109901|1|CONTOH SATU|KOTA MATARAM|AMPENAN|CONTOH BARU
5271010101109902|1|CONTOH DUA|KOTA MATARAM|AMPENAN|CONTOH BARU
";
/// Time for an exchange that must not wait.
const AT_ONCE: Duration = Duration::from_secs(0);
/// Exchanges until a region has handed back everything and all is decided.
const ROUNDS: u32 = 10;

/// What happened.
#[derive(Debug)]
pub struct Found {
    /// Batches that the hub had lost.
    pub lost: usize,
    /// The next release.
    pub version: u64,
}

fn stopped(exchange: &Exchange, why: &str) -> bool {
    !exchange.well && exchange.report["stopped"] == why
}

/// A hub that runs, and regions that have sent their first day.
fn set_up(place: &Place, regions: &[(&str, u64)]) -> anyhow::Result<(Hub, Vec<Source>)> {
    let plans = source::plans(place.seed(), regions)?;
    let mut hub = Hub::create(&place.path("pusat"), place.database())?;
    hub.start()?;
    let mut sources = Vec::new();
    for plan in &plans {
        let source = Source::enrol(&hub, &place.path("node"), plan)?;
        source.load(0)?;
        source.node.sync()?;
        sources.push(source);
    }
    Ok((hub, sources))
}

/// One run; SQLite only, as the copy is a copy of the file.
pub fn run(place: &Place) -> anyhow::Result<Found> {
    let (mut hub, sources) = set_up(place, &REGIONS)?;
    hub.release()?;
    for source in &sources {
        source.node.sync()?;
    }
    hub.stop()?;
    let copy = place.path("salinan");
    copy_database(hub.home(), &copy)?;
    hub.start()?;

    // What the copy does not know: the third region only connects and takes the release.
    for source in &sources[..2] {
        for day in 1..3 {
            source.load(day)?;
            source.node.sync()?;
        }
    }
    let taken = hub.release()?;
    for source in &sources {
        source.node.sync()?;
    }
    let nodes: Vec<_> = sources.iter().map(|s| &s.node).collect();
    ledger::check(&hub, &nodes)?;
    let before = contents::of_database(&hub.database())?;
    let totals = nodes.iter().map(|n| ledger::totals(n)).collect::<anyhow::Result<Vec<_>>>()?;
    let kept: Vec<_> = nodes.iter().map(|n| ledger::batches(n)).collect::<anyhow::Result<_>>()?;
    hub.stop()?;
    copy_database(&copy, hub.home())?;
    hub.start()?;

    intake_stops_for_everybody(&hub, &sources)?;
    hub.run(&["generation", "confirm", "--by", "petugas"])?;
    for source in &sources {
        come_back(source).with_context(|| format!("{} does not come back", source.node.region))?;
    }
    for source in &sources {
        source.node.sync()?;
    }
    ledger::check(&hub, &nodes)?;
    contents::compare(&contents::of_database(&hub.database())?, &before)?;
    for ((node, before), kept) in nodes.iter().zip(&totals).zip(&kept) {
        let now = ledger::totals(node)?;
        ensure!(now == *before, "{}: totals were {before:?} and are {now:?}", node.region);
        let batches = ledger::batches(node)?;
        let same = kept.iter().zip(&batches).all(|(a, b)| a.receipt == b.receipt && a.id == b.id);
        ensure!(same && kept.len() == batches.len(), "{}: old receipts do not stand", node.region);
        let status = node.json(&["status"])?;
        ensure!(status["generation"] == 2 && status["epoch"] == 2, "{}: {status}", node.region);
    }

    let version = hub.release()?;
    ensure!(version > taken, "release {version} is not above {taken}, which nodes hold");
    for source in &sources {
        source.load(3)?;
        let synced = source.node.sync()?;
        ensure!(synced["slice_version"] == version, "{}: {synced}", source.node.region);
    }
    ledger::check(&hub, &nodes)?;
    Ok(Found { lost: kept.iter().map(|k| k.len() - 1).sum::<usize>(), version })
}

/// The copy lacks nothing but the last tokens: all regions only connected since. Nobody is taken for a copy of a node.
pub fn without_tokens(place: &Place) -> anyhow::Result<()> {
    let (mut hub, sources) = set_up(place, &REGIONS[..2])?;
    for source in &sources {
        source.node.sync()?;
    }
    hub.stop()?;
    let copy = place.path("salinan");
    copy_database(hub.home(), &copy)?;
    hub.start()?;
    for source in sources.iter().chain(&sources) {
        source.node.sync()?;
    }
    hub.stop()?;
    copy_database(&copy, hub.home())?;
    hub.start()?;

    intake_stops_for_everybody(&hub, &sources)?;
    let regions = hub.json(&["region", "list"])?;
    let active = regions.as_array().into_iter().flatten().all(|region| region["status"] == "active");
    ensure!(active, "a region was stopped: {regions}");
    hub.run(&["generation", "confirm", "--by", "petugas"])?;
    for source in &sources {
        source.load(1)?;
        come_back(source).with_context(|| format!("{} does not come back", source.node.region))?;
    }
    let nodes: Vec<_> = sources.iter().map(|s| &s.node).collect();
    ledger::check(&hub, &nodes)
}

fn decide(hub: &Hub, delta: &str, how: &str) -> anyhow::Result<String> {
    hub.run(&["held", how, delta, "--by", "petugas", "--reason", "sudah diperiksa"])
}

/// Stewards decided after the copy: what the region still holds of it is listed, and nothing when they decided again; what
/// nobody holds is listed by its number.
pub fn with_decisions(place: &Place) -> anyhow::Result<()> {
    let (mut hub, sources) = set_up(place, &REGIONS[..1])?;
    let source = &sources[0];
    let file = place.path("keluarga.csv");
    std::fs::write(&file, UNKNOWN_VILLAGE)?;
    let file = file.display().to_string();
    source.node.run(&["import", &file, "--as-of", "2026-01-01"])?;
    source.node.sync()?;
    hub.stop()?;
    let copy = place.path("salinan");
    copy_database(hub.home(), &copy)?;
    hub.start()?;
    hub.release()?;
    let held = hub.json(&["held", "list"])?;
    let held: Vec<&str> =
        held.as_array().into_iter().flatten().filter_map(|row| row["delta"].as_str()).collect();
    ensure!(held.len() >= 2, "too little is held: {held:?}");
    decide(&hub, held[0], "accept")?;
    decide(&hub, held[1], "reject")?;
    source.node.sync()?;
    let decided = ledger::totals(&source.node)?;
    hub.stop()?;
    copy_database(&copy, hub.home())?;
    hub.start()?;

    intake_stops_for_everybody(&hub, &sources)?;
    hub.run(&["generation", "confirm", "--by", "petugas"])?;
    come_back(source)?;
    let lost = hub.json(&["generation", "lost"])?;
    let listed: Vec<_> = lost["decisions"].as_array().into_iter().flatten().collect();
    let of = |at: usize| listed.get(at).map(|row| (&row["delta"], &row["judged"], &row["now"]));
    ensure!(
        of(0) == Some((&held[0].into(), &"accepted".into(), &"held".into()))
            || of(0) == Some((&held[0].into(), &"warned".into(), &"held".into())),
        "not listed: {lost}"
    );
    ensure!(of(1) == Some((&held[1].into(), &"rejected".into(), &"held".into())), "not listed: {lost}");
    let first = listed[0]["number"].as_u64().context("a number")?;
    ensure!(
        lost["unknown"] == serde_json::json!([first - 1]),
        "the release that nobody took is missing: {lost}"
    );
    ensure!(hub.run(&["generation", "lost"])?.contains(held[0]), "the operator is not told");

    decide(&hub, held[0], "accept")?;
    decide(&hub, held[1], "reject")?;
    let lost = hub.json(&["generation", "lost"])?;
    ensure!(lost["decisions"] == serde_json::json!([]), "decided again and still listed: {lost}");
    source.node.sync()?;
    ensure!(ledger::totals(&source.node)? == decided, "not as before");
    ledger::check(&hub, &[&source.node])
}

/// Files of the database. The log beside it belongs to it: what is only there is in custody all the same.
const FILES: [&str; 3] = ["hub.db", "hub.db-wal", "hub.db-shm"];

/// Copies the database of a hub that does not run, in place of what is there.
fn copy_database(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for name in FILES {
        if to.join(name).exists() {
            std::fs::remove_file(to.join(name))?;
        }
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name))?;
        }
    }
    Ok(())
}

/// The first region shows what is missing; from then on nobody gets through.
fn intake_stops_for_everybody(hub: &Hub, sources: &[Source]) -> anyhow::Result<()> {
    for source in sources {
        let exchange = source.node.try_sync(AT_ONCE)?;
        ensure!(
            stopped(&exchange, "hub_behind") && exchange.told.contains("dipulihkan"),
            "{}: {exchange:?}",
            source.node.region
        );
    }
    let status = hub.json(&["status"])?;
    ensure!(status["stopped"].is_string(), "the hub does not say that it stopped: {status}");
    ensure!(hub.run(&["status"])?.contains("BERHENTI"), "the operator is not told");
    Ok(())
}

/// Exchanges until everything is handed back and decided.
fn come_back(source: &Source) -> anyhow::Result<()> {
    for _ in 0..ROUNDS {
        let exchange = source.node.try_sync(Duration::from_secs(30))?;
        let totals = ledger::totals(&source.node)?;
        if exchange.well && totals.waiting + totals.pending + totals.sealed == 0 {
            return Ok(());
        }
    }
    anyhow::bail!("still {:?} after {ROUNDS} exchanges", ledger::totals(&source.node)?)
}
