//! What the sources of a mean kab/kota cost: OpenSID's database on a MariaDB of our own, and the same people in a CSV; first
//! reading, nothing changed, one row changed; and a second source taken back while the first one waits to be sent.
//!
//! `cargo run --release -p dtsen-tests --bin bench-sources [-- --people 562000] [--json FILE]`

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use dtsen_tests::{
    bench::cost::{Cost, measure},
    federation::Node,
    mariadb::MariaDb,
    opensid,
};
use serde::Serialize;

/// Biaya membaca sumber satu kab/kota rata-rata
#[derive(Parser)]
struct Arguments {
    /// Orang dalam sumber
    #[arg(long, default_value_t = 562_000)]
    people: u64,
    /// Tulis hasilnya ke berkas JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Serialize)]
struct Costs {
    source: &'static str,
    first: Cost,
    unchanged: Cost,
    one_row: Cost,
}

/// Lines of the second source, of which each is a person.
const SECOND: usize = 50_000;
const CHANGE: &str = "UPDATE tweb_penduduk SET pekerjaan_id = 88 WHERE id = 1000";
const HEADING: &str = "NIK\tNo KK\tNama\tJenis Kelamin\tTempat Lahir\tTanggal Lahir\tHubungan Keluarga\tStatus Kawin\tAlamat\tRT\tRW\tDusun\tKode Desa\n";
const ROWS: &str = "SELECT p.nik, k.no_kk, p.nama, IF(p.sex = 1, 'L', 'P'), p.tempatlahir, p.tanggallahir,
    ELT(p.kk_level, 'KEPALA KELUARGA', '', 'ISTRI', 'ANAK'), ELT(p.status_kawin, 'BELUM KAWIN', 'KAWIN'), k.alamat, w.rt, w.rw,
    w.dusun, '52.01.14.2006' FROM tweb_penduduk p JOIN tweb_keluarga k ON k.id = p.id_kk JOIN tweb_wil_clusterdesa w ON w.id = k.id_cluster
    ORDER BY p.id";

fn cost(
    node: &Node,
    source: &'static str,
    origin: &str,
    change: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<Costs> {
    node.run(&["source", "add", source, origin])?;
    let run = ["source", "run", source, "--json"];
    let first = measure(node, &run)?;
    let unchanged = measure(node, &run)?;
    change()?;
    Ok(Costs { source, first, unchanged, one_row: measure(node, &run)? })
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let server = MariaDb::start().context("MariaDB tidak ada; di Debian: apt-get install mariadb-server")?;
    let origin = server.database("opensid", &opensid::village(arguments.people));
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("warga.csv");
    std::fs::write(&file, format!("{HEADING}{}", server.run("opensid", ROWS)))?;
    let second = folder.path().join("lain.csv");
    let text = std::fs::read_to_string(&file)?;
    std::fs::write(
        &second,
        text.lines().take(1 + SECOND).fold(String::new(), |all, line| all + line + "\n"),
    )?;
    let node = |name: &str| Node::create(&folder.path().join(name), "52.01".parse()?);
    let of_database = cost(&node("basis-data")?, "opensid-senggigi", &origin, || {
        server.run("opensid", CHANGE);
        Ok(())
    })?;
    let of_files = node("berkas")?;
    let of_file = cost(&of_files, "lokal-warga", file.to_str().context("UTF-8")?, || {
        Ok(std::fs::write(&file, text.replacen("MATARAM", "AMPENAN", 1))?)
    })?;
    of_files.run(&["source", "add", "lokal-lain", second.to_str().context("UTF-8")?])?;
    of_files.run(&["source", "run", "lokal-lain"])?;
    let undo = measure(&of_files, &["undo"])?;
    let all = [of_database, of_file];
    println!("{} people", arguments.people);
    for Costs { source, first, unchanged, one_row } in &all {
        for (what, cost) in [("first", first), ("unchanged", unchanged), ("one row changed", one_row)] {
            println!("{source:<20} {what:<16} {:6.1} s {:5} MB", cost.seconds, cost.memory_mb);
        }
    }
    println!("{:<20} {:<16} {:6.1} s {:5} MB", "lokal-lain", "undo", undo.seconds, undo.memory_mb);
    if let Some(path) = arguments.json {
        std::fs::write(path, serde_json::to_string_pretty(&(all, undo))?)?;
    }
    Ok(())
}
