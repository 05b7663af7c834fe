//! What the sources of a mean kab/kota cost: OpenSID's database on a MariaDB of our own, and the same people in a CSV; first
//! reading, nothing changed, one row changed.
//!
//! `cargo run --release -p dtsen-tests --bin bench-sources [-- --people 562000] [--json FILE]`

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use dtsen_tests::{
    bench::cost::{Cost, measure},
    federation::Node,
    mariadb::MariaDb,
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

const TABLES: &str = include_str!("../../sources/opensid/g2024.sql");
/// Invented people, three in a family: every NIK another birth date or serial, from 9001 up.
const PEOPLE: &str = "
    INSERT INTO config (id, nama_desa, kode_desa, nama_kecamatan, kode_kecamatan, nama_kabupaten, kode_kabupaten, nama_propinsi, kode_propinsi)
        VALUES (1, 'Senggigi', '5201142006', 'Batulayar', '520114', 'Lombok Barat', '5201', 'Nusa Tenggara Barat', '52');
    INSERT INTO tweb_wil_clusterdesa (id, config_id, rt, rw, dusun) SELECT seq, 1, seq, 1 + seq DIV 10, CONCAT('DUSUN ', seq) FROM seq_1_to_50;
    INSERT INTO tweb_keluarga (id, config_id, no_kk, nik_kepala, alamat, id_cluster)
        SELECT seq, 1, CONCAT('520114', LPAD(1 + seq MOD 28, 2, '0'), LPAD(1 + (seq DIV 28) MOD 12, 2, '0'),
            LPAD(5 + (seq DIV 336) MOD 15, 2, '0'), 9001 + seq DIV 5040), 3 * seq, CONCAT('JL CONTOH ', seq), 1 + seq MOD 50 FROM seq_0_to_$FAMILIES;
    INSERT INTO tweb_penduduk (id, config_id, nama, nik, id_kk, kk_level, sex, tempatlahir, tanggallahir, pendidikan_kk_id,
            pendidikan_sedang_id, pekerjaan_id, status_kawin, id_cluster, status_dasar)
        SELECT seq, 1, CONCAT('WARGA ', CHAR(65 + seq MOD 26), ' NOMOR ', CHAR(65 + (seq DIV 26) MOD 26)),
            CONCAT('520114', LPAD(1 + seq MOD 28 + 40 * (seq MOD 2), 2, '0'), LPAD(1 + (seq DIV 28) MOD 12, 2, '0'),
                LPAD((50 + (seq DIV 336) MOD 60) MOD 100, 2, '0'), 9001 + seq DIV 20160),
            seq DIV 3, ELT(1 + seq MOD 3, 1, 3, 4), 1 + seq MOD 2, 'MATARAM',
            CONCAT(1950 + (seq DIV 336) MOD 60, '-', 1 + (seq DIV 28) MOD 12, '-', 1 + seq MOD 28), 5, 18, 9, ELT(1 + seq MOD 3, 2, 2, 1),
            1 + (seq DIV 3) MOD 50, 1 FROM seq_3_to_$PEOPLE";
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
    let last = arguments.people + 2;
    let people = PEOPLE.replace("$FAMILIES", &(last / 3).to_string()).replace("$PEOPLE", &last.to_string());
    let origin = server.database("opensid", &format!("{TABLES}; {people}"));
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("warga.csv");
    std::fs::write(&file, format!("{HEADING}{}", server.run("opensid", ROWS)))?;
    let node = |name: &str| Node::create(&folder.path().join(name), "52.01".parse()?);
    let of_database = cost(&node("basis-data")?, "opensid-senggigi", &origin, || {
        server.run("opensid", CHANGE);
        Ok(())
    })?;
    let of_file = cost(&node("berkas")?, "lokal-warga", file.to_str().context("UTF-8")?, || {
        let text = std::fs::read_to_string(&file)?;
        Ok(std::fs::write(&file, text.replacen("MATARAM", "AMPENAN", 1))?)
    })?;
    let all = [of_database, of_file];
    println!("{} people", arguments.people);
    for Costs { source, first, unchanged, one_row } in &all {
        for (what, cost) in [("first", first), ("unchanged", unchanged), ("one row changed", one_row)] {
            println!("{source:<20} {what:<16} {:6.1} s {:5} MB", cost.seconds, cost.memory_mb);
        }
    }
    if let Some(path) = arguments.json {
        std::fs::write(path, serde_json::to_string_pretty(&all)?)?;
    }
    Ok(())
}
