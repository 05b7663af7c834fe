//! What an import of a mean kab/kota costs: time and memory of the first and of an unchanged second one.
//!
//! `cargo run --release -p dtsen-tests --bin bench-import [-- --members 562000] [--json FILE]`

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use dtsen_tests::{
    bench::cost::{Cost, measure},
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
struct Whole {
    families: u64,
    members: u64,
    first: Cost,
    second: Cost,
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
    let import = [&["import", "--json", "--as-of", "2026-06-30"][..], &files].concat();
    let first = measure(&node, &import)?;
    let second = measure(&node, &import)?;
    let whole = Whole { families: pair.families, members: pair.members, first, second };
    println!("{} families and {} members", whole.families, whole.members);
    println!("first import:       {:6.1} s, {} MB", whole.first.seconds, whole.first.memory_mb);
    println!("nothing changed:    {:6.1} s, {} MB", whole.second.seconds, whole.second.memory_mb);
    if let Some(path) = arguments.json {
        std::fs::write(path, serde_json::to_string_pretty(&whole)?)?;
    }
    Ok(())
}
