//! What an import of a mean kab/kota costs: time and memory of the first and of an unchanged second one.
//!
//! `cargo run --release -p dtsen-tests --bin bench-import [-- --members 562000] [--json FILE]`

use std::{
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use clap::Parser;
use dtsen_tests::{
    federation::Node,
    population::{Faults, FileOptions, Population, villages, write_pair},
};
use serde::Serialize;

/// Biaya impor satu kab/kota rata-rata
#[derive(Parser)]
struct Arguments {
    /// Anggota dalam berkas
    #[arg(long, default_value_t = 562_000)]
    members: u64,
    /// Tulis hasilnya ke berkas JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Serialize)]
struct Cost {
    seconds: f64,
    memory_mb: u64,
}

#[derive(Serialize)]
struct Whole {
    families: u64,
    members: u64,
    first: Cost,
    second: Cost,
}

/// How often the memory of the process is looked at. The figure asked for is its own high-water mark.
const LOOK: Duration = Duration::from_millis(20);

#[expect(clippy::disallowed_methods, reason = "a benchmark")]
fn measure(node: &Node, files: &[&str]) -> anyhow::Result<Cost> {
    let begun = Instant::now();
    let mut child = node
        .command(&[&["import", "--json", "--as-of", "2026-06-30"], files].concat())?
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let path = format!("/proc/{}/status", child.id());
    let mut memory_mb = 0;
    let status = loop {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        let kb = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok());
        memory_mb = memory_mb.max(kb.unwrap_or(0) / 1_024);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(LOOK);
    };
    ensure!(status.success(), "the import failed: {status}");
    Ok(Cost { seconds: begun.elapsed().as_secs_f64(), memory_mb })
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let region = "52.71".parse()?;
    let population =
        Population::new(1, region, villages(region), Population::families_for(arguments.members));
    let pair = write_pair(folder.path(), &population, &Faults::none(), FileOptions::default())?;
    let node = Node::create(&folder.path().join("node"), region)?;
    let files = [pair.keluarga.to_str().context("UTF-8")?, pair.anggota.to_str().context("UTF-8")?];
    let first = measure(&node, &files)?;
    let second = measure(&node, &files)?;
    let whole = Whole { families: pair.families, members: pair.members, first, second };
    println!("{} families and {} members", whole.families, whole.members);
    println!("first import:       {:6.1} s, {} MB", whole.first.seconds, whole.first.memory_mb);
    println!("nothing changed:    {:6.1} s, {} MB", whole.second.seconds, whole.second.memory_mb);
    if let Some(path) = arguments.json {
        std::fs::write(path, serde_json::to_string_pretty(&whole)?)?;
    }
    Ok(())
}
